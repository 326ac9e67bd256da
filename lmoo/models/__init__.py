"""Models of curves: lmoo's built-in compiled models, expression graphs, and functions of models."""

from __future__ import annotations as _annotations

from collections.abc import Callable as _Callable
from importlib import import_module as _import_module
from typing import TYPE_CHECKING
from typing import Any as _Any

if TYPE_CHECKING:
    from lmoo.models.builtin.base import BuiltIn
    from lmoo.models.builtin.classic import *
    from lmoo.models.builtin.curves import *
    from lmoo.models.builtin.images import *
    from lmoo.models.builtin.peaks import *
    from lmoo.models.builtin.polynomials import *
    from lmoo.models.builtin.steps import *
    from lmoo.models.expression.base import Model
    from lmoo.models.library import CompiledModel

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

# Functions of models, numbers and arrays; see `lmoo.models.functions`.
absolute: _Callable[..., _Any]
arccos: _Callable[..., _Any]
arccosh: _Callable[..., _Any]
arcsin: _Callable[..., _Any]
arcsinh: _Callable[..., _Any]
arctan: _Callable[..., _Any]
arctan2: _Callable[..., _Any]
arctanh: _Callable[..., _Any]
cbrt: _Callable[..., _Any]
ceil: _Callable[..., _Any]
copysign: _Callable[..., _Any]
cos: _Callable[..., _Any]
cosh: _Callable[..., _Any]
deg2rad: _Callable[..., _Any]
digamma: _Callable[..., _Any]
erf: _Callable[..., _Any]
erfc: _Callable[..., _Any]
erfcx: _Callable[..., _Any]
exp: _Callable[..., _Any]
exp2: _Callable[..., _Any]
expit: _Callable[..., _Any]
expm1: _Callable[..., _Any]
floor: _Callable[..., _Any]
floor_divide: _Callable[..., _Any]
fmax: _Callable[..., _Any]
fmin: _Callable[..., _Any]
fmod: _Callable[..., _Any]
gamma: _Callable[..., _Any]
gammaln: _Callable[..., _Any]
heaviside: _Callable[..., _Any]
hypot: _Callable[..., _Any]
i0: _Callable[..., _Any]
i1: _Callable[..., _Any]
j0: _Callable[..., _Any]
j1: _Callable[..., _Any]
log: _Callable[..., _Any]
log10: _Callable[..., _Any]
log1p: _Callable[..., _Any]
log2: _Callable[..., _Any]
maximum: _Callable[..., _Any]
minimum: _Callable[..., _Any]
mod: _Callable[..., _Any]
rad2deg: _Callable[..., _Any]
reciprocal: _Callable[..., _Any]
rint: _Callable[..., _Any]
sign: _Callable[..., _Any]
sin: _Callable[..., _Any]
sinc: _Callable[..., _Any]
sinh: _Callable[..., _Any]
sqrt: _Callable[..., _Any]
square: _Callable[..., _Any]
tan: _Callable[..., _Any]
tanh: _Callable[..., _Any]
trunc: _Callable[..., _Any]
where: _Callable[..., _Any]
wofz_imag: _Callable[..., _Any]
wofz_real: _Callable[..., _Any]

_FUNCTIONS = tuple(__annotations__)

if not TYPE_CHECKING:
    # Hidden from type checkers, which would take any name for one of lmoo.models.
    def __getattr__(name: str) -> _Any:
        """Import the library when a model of it is used: expressions and `curve_fit` do without."""
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
            return getattr(_import_module("lmoo.models.builtin"), name)
        raise AttributeError(f"module 'lmoo.models' has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return the public names, also those that are not imported yet."""
    return sorted({*__all__, *_FUNCTIONS})
