"""Models of curves in compiled code: with derivatives, starting values, and names of parameters."""

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
