"""`Curve`: the model and the data of a problem, returned by its method ``as_curve()``."""

from lmoo.problems.curve import UNKNOWN, Curve

__all__ = ["UNKNOWN", "Curve"]
