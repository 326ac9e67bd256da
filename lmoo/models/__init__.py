"""Models of curves: lmoo's built-in compiled models, expression graphs, and functions of models."""

from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

if _TYPE_CHECKING:
    from lmoo.models.builtin import (
        Arrhenius,
        BiExponential,
        BreitWigner,
        BuiltIn,
        Constant,
        DampedHarmonicOscillator,
        DampedOscillator,
        DampedSine,
        Doniach,
        EllipticalGaussian2D,
        Exponential,
        ExponentialGaussian,
        Gaussian,
        Gaussian2D,
        Gompertz,
        Hill,
        Linear,
        Logistic,
        Logistic4,
        LogNormal,
        Lorentzian,
        Lorentzian2D,
        MichaelisMenten,
        Moffat,
        Pearson4,
        Pearson7,
        Polynomial,
        PowerLaw,
        PseudoVoigt,
        Quadratic,
        Rectangle,
        Sine,
        SkewedGaussian,
        SkewedVoigt,
        SplitLorentzian,
        Step,
        StretchedExponential,
        StudentsT,
        ThermalDistribution,
        Voigt,
        Weibull,
    )
    from lmoo.models.expression.base import Model
    from lmoo.models.library import CompiledModel

# Functions of models, numbers and arrays; see `lmoo.models.functions`.
_FUNCTIONS = [
    "absolute",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "cbrt",
    "ceil",
    "copysign",
    "cos",
    "cosh",
    "deg2rad",
    "digamma",
    "erf",
    "erfc",
    "erfcx",
    "exp",
    "exp2",
    "expit",
    "expm1",
    "floor",
    "floor_divide",
    "fmax",
    "fmin",
    "fmod",
    "gamma",
    "gammaln",
    "heaviside",
    "hypot",
    "i0",
    "i1",
    "j0",
    "j1",
    "log",
    "log10",
    "log1p",
    "log2",
    "maximum",
    "minimum",
    "mod",
    "rad2deg",
    "reciprocal",
    "rint",
    "sign",
    "sin",
    "sinc",
    "sinh",
    "sqrt",
    "square",
    "tan",
    "tanh",
    "trunc",
    "where",
    "wofz_imag",
    "wofz_real",
]

__all__ = [
    "Arrhenius",
    "BiExponential",
    "BreitWigner",
    "BuiltIn",
    "CompiledModel",
    "Constant",
    "DampedHarmonicOscillator",
    "DampedOscillator",
    "DampedSine",
    "Doniach",
    "EllipticalGaussian2D",
    "Exponential",
    "ExponentialGaussian",
    "Gaussian",
    "Gaussian2D",
    "Gompertz",
    "Hill",
    "Linear",
    "LogNormal",
    "Logistic",
    "Logistic4",
    "Lorentzian",
    "Lorentzian2D",
    "MichaelisMenten",
    "Model",
    "Moffat",
    "Pearson4",
    "Pearson7",
    "Polynomial",
    "PowerLaw",
    "PseudoVoigt",
    "Quadratic",
    "Rectangle",
    "Sine",
    "SkewedGaussian",
    "SkewedVoigt",
    "SplitLorentzian",
    "Step",
    "StretchedExponential",
    "StudentsT",
    "ThermalDistribution",
    "Voigt",
    "Weibull",
]


def __getattr__(name: str) -> _Any:
    """Import the library when one of its models is used: `curve_fit` does not need it."""
    if name == "Model":
        from lmoo.models.expression.base import Model

        return Model
    if name in _FUNCTIONS:
        from lmoo.models.functions import function

        return globals().setdefault(name, function(name))
    if name == "CompiledModel":
        from lmoo.models.library import CompiledModel

        return CompiledModel
    if name in __all__:
        from lmoo.models import builtin

        return getattr(builtin, name)
    raise AttributeError(f"module 'lmoo.models' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_FUNCTIONS})
