"""Built-in models as graphs."""

from lmoo.models.builtin.base import BuiltIn
from lmoo.models.builtin.curves import (
    Arrhenius,
    Hill,
    MichaelisMenten,
    Sine,
    ThermalDistribution,
    Weibull,
)
from lmoo.models.builtin.images import EllipticalGaussian2D, Lorentzian2D
from lmoo.models.builtin.peaks import (
    BreitWigner,
    DampedHarmonicOscillator,
    DampedOscillator,
    Doniach,
    ExponentialGaussian,
    LogNormal,
    Moffat,
    Pearson4,
    Pearson7,
    SkewedGaussian,
    SkewedVoigt,
    SplitLorentzian,
    StudentsT,
    Voigt,
)
from lmoo.models.builtin.polynomials import Constant, Linear, Polynomial, Quadratic
from lmoo.models.builtin.steps import Gompertz, Logistic, Rectangle, Step

__all__ = [
    "Arrhenius",
    "BreitWigner",
    "BuiltIn",
    "Constant",
    "DampedHarmonicOscillator",
    "DampedOscillator",
    "Doniach",
    "EllipticalGaussian2D",
    "ExponentialGaussian",
    "Gompertz",
    "Hill",
    "Linear",
    "LogNormal",
    "Logistic",
    "Lorentzian2D",
    "MichaelisMenten",
    "Moffat",
    "Pearson4",
    "Pearson7",
    "Polynomial",
    "Quadratic",
    "Rectangle",
    "Sine",
    "SkewedGaussian",
    "SkewedVoigt",
    "SplitLorentzian",
    "Step",
    "StudentsT",
    "ThermalDistribution",
    "Voigt",
    "Weibull",
]
