"""Data that a model fits almost exactly, with parameters that end at 0.

    python benchmarks/near_exact.py [--only MODEL,...] [--sets 4]

The noise is 0 or 1e-17 to 1e-10 of y, and y has units of 1e-12, 1 and 1e12.  At such a minimum the
residual is rounding error, and relative changes of the cost or of a parameter at 0 have no meaning.
Each data set is fitted by `lmoo.curve_fit`, with differences and with the Jacobian, and by
scipy's, with ``absolute_sigma=True`` and a sigma of 1: standard errors then come from the
Jacobian alone.

"raised" counts fits that raise, "elsewhere" those with |f| above 1e-6 |y| and 100 times that of
the true parameters, "errors" those with a standard error that differs by more than 1 % from that of
the exact Jacobian.  All should be 0.
"""

import argparse
import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import scipy.optimize
from common import versions

import lmoo

NOISES = (0.0, *10.0 ** np.arange(-17, -9))
UNITS = (1e-12, 1.0, 1e12)
OFF = 0.01
COUNTS = ("raised", "elsewhere", "errors")


class Case(NamedTuple):
    """A model, points, true parameters, a start, and which parameters have the unit of y."""

    model: Callable[..., Any]
    x: np.ndarray
    true: tuple[float, ...]
    start: tuple[float, ...]
    linear: tuple[int, ...]


def line(x, a, b):
    return a + b * x


def parabola(x, a, b, c):
    return a + b * x + c * x * x


def cubic(x, a, b, c, d):
    return a + x * (b + x * (c + x * d))


def exponential(x, a, k, c):
    return a * np.exp(-k * x) + c


def gaussian(x, a, m, s):
    return a * np.exp(-0.5 * ((x - m) / s) ** 2)


def gaussian_on_line(x, a, m, s, b, c):
    return a * np.exp(-0.5 * ((x - m) / s) ** 2) + b + c * x


def lorentzian(x, a, m, w, c):
    return a / (1 + ((x - m) / w) ** 2) + c


def sine(x, a, w, p):
    return a * np.sin(w * x + p)


def damped(x, a, k, w, p):
    return a * np.exp(-k * x) * np.cos(w * x + p)


def rational(x, a, b, c):
    return (a + b * x) / (1 + c * x)


def power(x, a, k, c):
    return a * x**k + c


def logistic(x, top, k, m, bottom):
    return bottom + (top - bottom) / (1 + np.exp(-k * (x - m)))


def michaelis(x, v, k, c):
    return v * x / (k + x) + c


def hill(x, v, k, h, c):
    return v * x**h / (k**h + x**h) + c


def arrhenius(x, a, e, c):
    return a * np.exp(-e / x) + c


def two_rates(x, a, b, c):
    """Two exponentials with known rates: a linear model."""
    return a * np.exp(-0.5 * x) + b * np.exp(-2.0 * x) + c


CASES = {
    "line, intercept 0": Case(line, np.linspace(0, 10, 11), (0, 2), (1, 1), (0, 1)),
    "line through 1 to 4": Case(line, np.arange(1.0, 5.0), (0, 1), (1, 1), (0, 1)),
    "line, intercept 5": Case(line, np.linspace(0, 10, 11), (5, 2), (1, 1), (0, 1)),
    "parabola, middle 0": Case(
        parabola, np.linspace(0, 5, 20), (1, 0, 2), (1, 1, 1), (0, 1, 2)
    ),
    "cubic, three 0": Case(
        cubic, np.linspace(-2, 2, 21), (0, 0, 0, 1), (1, 1, 1, 2), (0, 1, 2, 3)
    ),
    "exponential, offset 0": Case(
        exponential, np.linspace(0, 4, 20), (2.5, 1.3, 0), (1, 1, 1), (0, 2)
    ),
    "exponential, rate 0": Case(
        lambda x, a, k: a * np.exp(-k * x), np.linspace(0, 4, 20), (2, 0), (1, 0.5), (0,)
    ),
    "Gaussian, centre 0": Case(
        gaussian, np.linspace(-3, 3, 41), (1, 0, 0.7), (0.8, 0.2, 1), (0,)
    ),
    "Gaussian, centre 4": Case(
        gaussian, np.linspace(1, 7, 41), (1, 4, 0.7), (0.8, 4.2, 1), (0,)
    ),
    "Gaussian on a line, three 0": Case(
        gaussian_on_line, np.linspace(-3, 3, 41), (1, 0, 0.7, 0, 0), (0.8, 0.2, 1, 0.1, 0.1),
        (0, 3, 4),
    ),
    "Lorentzian, centre and offset 0": Case(
        lorentzian, np.linspace(-4, 4, 41), (3, 0, 0.9, 0), (2, 0.3, 1.2, 0.2), (0, 3)
    ),
    "sine, phase 0": Case(sine, np.linspace(0, 6, 40), (1, 2, 0), (0.8, 1.9, 0.3), (0,)),
    "damped cosine, rate and phase 0": Case(
        damped, np.linspace(0, 6, 40), (1, 0, 2, 0), (0.8, 0.1, 1.9, 0.2), (0,)
    ),
    "rational, numerator 0": Case(
        rational, np.linspace(0, 5, 15), (0, 2, 0.5), (1, 1, 1), (0, 1)
    ),
    "power, offset 0": Case(power, np.linspace(0.5, 4, 15), (2, 1.7, 0), (1, 1, 1), (0, 2)),
    "logistic, middle and bottom 0": Case(
        logistic, np.linspace(-4, 4, 25), (3, 1.5, 0, 0), (2, 1, 0.5, 0.3), (0, 3)
    ),
    "Michaelis-Menten, offset 0": Case(
        michaelis, np.linspace(0.1, 8, 14), (4, 1.2, 0), (3, 1, 0.5), (0, 2)
    ),
    "Hill, offset 0": Case(
        hill, np.linspace(0.2, 6, 18), (4, 1.5, 2.2, 0), (3, 1, 1.5, 0.4), (0, 3)
    ),
    "Arrhenius, offset 0": Case(
        arrhenius, np.linspace(0.5, 3, 16), (5, 1.5, 0), (3, 1, 0.5), (0, 2)
    ),
    "two known rates, amplitude 0": Case(
        two_rates, np.linspace(0, 5, 18), (2, 0, 0), (1, 1, 1), (0, 1, 2)
    ),
}  # fmt: skip


def jacobian(case: Case, x: np.ndarray, *p: float) -> np.ndarray:
    """Return the derivatives by the complex step."""
    step = 1e-30
    columns = []
    for j in range(len(p)):
        q = np.array(p, dtype=complex)
        q[j] += step * 1j
        columns.append(np.imag(case.model(x + 0j, *q)) / step * np.ones(x.size))
    return np.stack(columns, axis=1)


def exact_errors(J: np.ndarray) -> np.ndarray:
    """Return the standard errors for a sigma of 1."""
    size = np.linalg.norm(J, axis=0)
    return np.sqrt(np.diag(np.linalg.inv((J / size).T @ (J / size)))) / size


def verdict(case: Case, fit: Callable[..., Any], y: np.ndarray, true: np.ndarray, **options: Any):
    """Return the name of the count that a fit belongs to, or None."""
    try:
        x, covariance = fit(
            case.model, case.x, y, sigma=np.ones(y.size), absolute_sigma=True, **options
        )
    except RuntimeError:
        return "raised"
    size = np.linalg.norm(case.model(case.x, *x) - y)
    least = np.linalg.norm(case.model(case.x, *true) - y)
    if not size <= max(1e-6 * np.linalg.norm(y), 100 * least):
        return "elsewhere"
    exact = exact_errors(jacobian(case, case.x, *x))
    return None if np.allclose(np.sqrt(np.diag(covariance)), exact, rtol=OFF, atol=0) else "errors"


def show(name: str, case: Case, sets: int, total: dict[str, Counter]) -> None:
    cells = []
    for unit in UNITS:
        factor = np.ones(len(case.true))
        factor[list(case.linear)] = unit
        true, start = factor * case.true, factor * case.start
        exact = case.model(case.x, *true)
        counts = {way: Counter() for way in total}
        for noise in NOISES:
            for seed in range(sets if noise else 1):
                random = np.random.default_rng(seed)
                y = exact * (1 + noise * random.standard_normal(exact.size))
                for way, fit, options in (
                    ("lmoo", lmoo.curve_fit, {}),
                    ("lmoo, jac", lmoo.curve_fit, {"jac": lambda x, *p: jacobian(case, x, *p)}),
                    ("scipy", scipy.optimize.curve_fit, {}),
                ):
                    found = verdict(case, fit, y, true, p0=start, **options)
                    counts[way]["of"] += 1
                    if found:
                        counts[way][found] += 1
        for way, count in counts.items():
            total[way] += count
        cells += [
            "".join(f"{counts[way][what]:>4}" for what in COUNTS) for way in total
        ]  # fmt: skip
    print(f"{name:<34}" + " |".join(cells))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--sets", type=int, default=4, help="data sets a noise")
    parser.add_argument("--only", default="", help="the first words of models, with commas")
    options = parser.parse_args()
    print(versions("scipy"))
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    total = {way: Counter() for way in ("lmoo", "lmoo, jac", "scipy")}
    wanted = tuple(word for word in options.only.split(",") if word)
    print(f"{'':<34}" + "".join(f"y in units of {unit:<27.0e}" for unit in UNITS))
    print(f"{'raised, elsewhere, errors':<34}" + len(UNITS) * "".join(f"{w:>12} |" for w in total))
    for name, case in CASES.items():
        if not wanted or name.startswith(wanted):
            show(name, case, options.sets, total)
    for way, count in total.items():
        print(
            f"{way:<10} of {count['of']}: " + ", ".join(f"{what} {count[what]}" for what in COUNTS)
        )
