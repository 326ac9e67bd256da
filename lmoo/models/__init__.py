"""Models of curves in compiled code: with derivatives, starting values, and names of parameters."""

from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

if _TYPE_CHECKING:
    from lmoo.models.library import (
        BiExponential,
        CompiledModel,
        DampedSine,
        Exponential,
        Gaussian,
        Gaussian2D,
        Logistic4,
        Lorentzian,
        PowerLaw,
        PseudoVoigt,
        StretchedExponential,
    )

__all__ = [
    "BiExponential",
    "CompiledModel",
    "DampedSine",
    "Exponential",
    "Gaussian",
    "Gaussian2D",
    "Logistic4",
    "Lorentzian",
    "PowerLaw",
    "PseudoVoigt",
    "StretchedExponential",
]


def __getattr__(name: str) -> _Any:
    """Import the library when a model of it is used: expressions and `curve_fit` do without."""
    if name in __all__:
        from lmoo.models import library

        return getattr(library, name)
    raise AttributeError(f"module 'lmoo.models' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
