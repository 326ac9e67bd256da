"""Share of the fits of built-in models from guessed starting values that find the best fit.

    python benchmarks/guesses.py [curves] [model ...]

Random parameters, 80 points (15 x 15 for images), noise of 2 % of the largest value.  A fit is good
that converges to a sum of squares no larger than that of the fit which starts from the true values.
Linear steps have corners: their sums of squares have a minimum between any two points, and a fit is
good within one per cent of the best, less than a standard error.  Bar: 99 %.
"""

import sys
import time
import warnings
from typing import Any, NamedTuple

import numpy as np

import lmoo
from lmoo import models

WIDE, POSITIVE = np.linspace(-10.0, 10.0, 80), np.linspace(0.125, 10.0, 80)
GRID = tuple(part.ravel() for part in np.meshgrid(np.arange(15.0), np.arange(15.0)))
PLACE = ("center", -4.0, 4.0)


class Case(NamedTuple):
    """A model, where it is measured, and from where to where its parameters are."""

    model: Any
    t: Any
    ranges: dict[str, tuple[float, float]]


OFFSET = {"amplitude": (2.0, 5.0), "offset": (-2.0, 2.0)}


def _peak(model: Any, t: Any = WIDE, **others: tuple[float, float]) -> Case:
    ranges = {"amplitude": (2.0, 5.0), "center": (-4.0, 4.0), "sigma": (0.8, 2.0), **others}
    return Case(model, t, {name: ranges[name] for name in model.parameter_names})


CASES = {
    "Constant": Case(models.Constant(), WIDE, {"c": (1, 2)}),
    "Linear": Case(models.Linear(), WIDE, {"slope": (-2, 2), "intercept": (-3, 3)}),
    "Quadratic": Case(models.Quadratic(), WIDE, {"a": (-1, 1), "b": (-2, 2), "c": (-3, 3)}),
    "Polynomial": Case(models.Polynomial(), WIDE, {f"c{k}": (-2, 2) for k in range(4)}),
    "Exponential": Case(models.Exponential(), WIDE, {**OFFSET, "rate": (-0.5, 0.5)}),
    **{
        f"BiExponential{name}": Case(
            models.BiExponential(), POSITIVE,
            {"amplitude1": first, "rate1": (1.5, 4.0), "amplitude2": second, "rate2": (0.2, 0.7),
             "offset": (-1.0, 1.0)},
        )
        for name, first, second in (
            ("", (2.0, 5.0), (2.0, 5.0)), (" rise", (-5.0, -2.0), (2.0, 5.0)),
            (" dip", (2.0, 5.0), (-5.0, -2.0)),
        )
    },
    "StretchedExponential": Case(
        models.StretchedExponential(), POSITIVE, {**OFFSET, "tau": (0.7, 4.0), "beta": (0.5, 2.0)}
    ),
    "PowerLaw": Case(models.PowerLaw(), POSITIVE, {**OFFSET, "exponent": (0.3, 3.0)}),
    "PowerLaw falling": Case(models.PowerLaw(), POSITIVE, {**OFFSET, "exponent": (-2.5, -0.3)}),
    "DampedSine": Case(
        models.DampedSine(), POSITIVE,
        {**OFFSET, "rate": (0.05, 0.6), "frequency": (0.8, 15.0), "phase": (-3.0, 3.0)},
    ),
    **{
        f"Logistic4{name}": Case(
            models.Logistic4(), POSITIVE,
            {"top": (2.0, 5.0), "slope": slope, "ec50": (1.0, 6.0), "bottom": (-1.0, 1.0)},
        )
        for name, slope in (("", (0.8, 4.0)), (" rising", (-4.0, -0.8)))
    },
    "Gaussian": _peak(models.Gaussian(), **OFFSET),
    "Gaussian dip": _peak(models.Gaussian(), amplitude=(-5.0, -2.0), offset=(-2.0, 2.0)),
    "Lorentzian": _peak(models.Lorentzian(), **OFFSET, width=(0.4, 3.0)),
    "PseudoVoigt": _peak(
        models.PseudoVoigt(), **OFFSET, width=(0.6, 3.0), fraction=(0.2, 0.8)
    ),
    **{
        f"Gaussian2D{name}": Case(
            models.Gaussian2D(integrated=name == " integrated"), GRID,
            {"amplitude": amplitude, "x": (5, 9), "y": (5, 9), "sigma": (1.0, 3.0),
             "offset": offset},
        )
        for name, amplitude, offset in (
            ("", (50, 100), (5, 20)), (" dark", (-100, -50), (105, 120)),
            (" integrated", (50, 100), (5, 20)),
        )
    },
    "Voigt": _peak(models.Voigt(), gamma=(0.4, 1.5)),
    "SkewedVoigt": _peak(models.SkewedVoigt(), gamma=(0.3, 1.0), skew=(-2.0, 2.0)),
    "SplitLorentzian": _peak(models.SplitLorentzian(), sigma_r=(0.8, 2.0)),
    "Moffat": _peak(models.Moffat(), beta=(0.8, 3.0)),
    "Pearson4": _peak(models.Pearson4(), expon=(1.0, 3.0), skew=(-2.0, 2.0)),
    "Pearson7": _peak(models.Pearson7(), expon=(0.9, 3.0)),
    "StudentsT": _peak(models.StudentsT()),
    "BreitWigner": _peak(models.BreitWigner(), q=(0.5, 3.0)),
    "LogNormal": _peak(models.LogNormal(), POSITIVE, center=(0.2, 1.5), sigma=(0.2, 0.9)),
    "Doniach": _peak(models.Doniach(), gamma=(0.0, 0.4)),
    "ExponentialGaussian": _peak(models.ExponentialGaussian(), gamma=(0.3, 2.0)),
    "SkewedGaussian": _peak(models.SkewedGaussian(), gamma=(1.5, 4.0)),
    "DampedOscillator": _peak(
        models.DampedOscillator(), POSITIVE, center=(3.0, 7.0), sigma=(0.03, 0.3)
    ),
    "DampedHarmonicOscillator": _peak(
        models.DampedHarmonicOscillator(), POSITIVE, center=(3.0, 7.0), sigma=(0.4, 1.2),
        gamma=(0.5, 4.0),
    ),
    "Step linear": _peak(models.Step()),
    "Step arctan": _peak(models.Step(form="arctan")),
    "Step erf": _peak(models.Step(form="erf")),
    "Step logistic": _peak(models.Step(form="logistic")),
    **{
        f"Rectangle {form}": Case(
            models.Rectangle(form=form), WIDE,
            {"amplitude": (2, 5), "center1": (-6, -2), "sigma1": (0.4, 0.9), "center2": (2, 6),
             "sigma2": (0.4, 0.9)},
        )
        for form in ("linear", "arctan", "erf", "logistic")
    },
    "Logistic": Case(
        models.Logistic(), WIDE, {"height": (2, 5), "rate": (0.5, 3), "midpoint": (-5, 5)}
    ),
    "Gompertz": Case(
        models.Gompertz(), WIDE, {"height": (2, 5), "rate": (0.4, 2), "midpoint": (-5, 3)}
    ),
    "Sine": Case(
        models.Sine(), WIDE, {"amplitude": (1, 3), "frequency": (0.5, 8), "shift": (-3, 3)}
    ),
    "MichaelisMenten": Case(models.MichaelisMenten(), POSITIVE, {"v_max": (2, 5), "k_m": (0.3, 6)}),
    "Hill": Case(models.Hill(), POSITIVE, {"v_max": (2, 5), "k": (1, 6), "n": (0.8, 5)}),
    "Arrhenius": Case(
        models.Arrhenius(), np.linspace(280.0, 400.0, 80),
        {"amplitude": (1e6, 1e8), "energy": (3e4, 8e4)},
    ),
    "Weibull": Case(
        models.Weibull(), POSITIVE, {"amplitude": (2, 5), "scale": (2, 6), "shape": (1.2, 5)}
    ),
    **{
        f"ThermalDistribution {form}": Case(
            models.ThermalDistribution(form=form), POSITIVE,
            {"amplitude": (1, 1), "center": low, "kt": (0.5, 1.5)},
        )
        for form, low in (("bose", (-2, -0.5)), ("maxwell", (-2, 2)), ("fermi", (2, 7)))
    },
    "EllipticalGaussian2D": Case(
        models.EllipticalGaussian2D(), GRID,
        {"amplitude": (50, 100), "x": (5, 9), "y": (5, 9), "sigma_x": (2.0, 3.0),
         "sigma_y": (1.0, 1.6), "angle": (-1.5, 1.5), "offset": (5, 20)},
    ),
    "Lorentzian2D": Case(
        models.Lorentzian2D(), GRID,
        {"amplitude": (50, 100), "x": (5, 9), "y": (5, 9), "width": (1.0, 3.0), "offset": (5, 20)},
    ),
}  # fmt: skip


def curves(case: Case, count: int, noise: float = 0.02) -> tuple[np.ndarray, np.ndarray]:
    """Return random parameters, (count, n), and noisy curves, (count, m)."""
    rng = np.random.default_rng(11)
    x = np.stack(
        [rng.uniform(*case.ranges[name], count) for name in case.model.parameter_names], axis=1
    )
    y = case.model(case.t, *[column[:, None] for column in x.T])
    size = np.abs(y).max(axis=1, keepdims=True)
    return x, y + noise * size * rng.standard_normal(y.shape)


def share(case: Case, count: int) -> float:
    """Return the share of good fits."""
    x, y = curves(case, count)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        best = lmoo.curve_fit_many(case.model, case.t, y, p0=x)
        found = lmoo.curve_fit_many(case.model, case.t, y, p0=case.model.guess(case.t, y))
    if getattr(case.model, "_options", {}).get("form") == "linear":
        return float(np.mean(found.cost <= 1.01 * best.cost))
    good = found.success & (found.cost <= best.cost * (1 + 1e-6))
    return float(np.mean(good))


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    for name in sys.argv[2:] or CASES:
        start = time.perf_counter()
        print(
            f"{name:26} {share(CASES[name], count):7.2%}   {time.perf_counter() - start:6.2f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
