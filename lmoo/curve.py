"""The curve that a problem fits: what its method ``as_curve()`` returns."""

from lmoo.problems.curve import UNKNOWN, Curve

__all__ = ["UNKNOWN", "Curve"]
