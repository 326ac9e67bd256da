"""The largest errors of the program's elementary functions, in units in the last place.

    python benchmarks/elementary.py [points]

Against the C library's functions of long doubles where these have more digits than a double, and
against mpmath for those that it lacks (a thousandth of the points).  10^6 points in each range by
default, and the arguments at which errors were largest.
"""

import sys
from collections.abc import Callable

import mpmath
import numpy as np

from lmoo.models.program import Program

mpmath.mp.dps = 50


def function(name: str, arity: int = 1) -> Callable[..., np.ndarray]:
    """Return an operation as a function of arrays."""
    steps = [("variable", (), j) for j in range(arity)] + [(name, tuple(range(arity)), None)]
    program = Program(steps, arity, n=0, variables=arity)
    return lambda *arguments: program.values(np.array(arguments), [])


def ulps(found: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """Return errors in units of the last place of the exact values, which are long doubles."""
    with np.errstate(all="ignore"):
        nearest = exact.astype(float)
        error = np.abs(found.astype(np.longdouble) - exact) / np.spacing(np.abs(nearest))
    same = (found == nearest) | (np.isnan(found) & np.isnan(nearest))
    return np.where(same & ~np.isfinite(nearest), 0.0, error).astype(float)


def by_mpmath(name: str, *arguments: np.ndarray) -> np.ndarray:
    """Return values as long doubles: the nearest double and the rest."""
    call = {
        "erfcx": lambda x: mpmath.exp(x * x) * mpmath.erfc(x),
        "gammaln": lambda x: mpmath.log(abs(mpmath.gamma(x))),
        "digamma": mpmath.digamma,
        "trigamma": lambda x: mpmath.psi(1, x),
        "i0": lambda x: mpmath.besseli(0, x),
        "i1": lambda x: mpmath.besseli(1, x),
        "expit": lambda x: 1 / (1 + mpmath.exp(-x)),
        "wofz_real": lambda x, y: faddeeva(x, y).real,
        "wofz_imag": lambda x, y: faddeeva(x, y).imag,
    }.get(name) or getattr(mpmath, name)
    values = [call(*(mpmath.mpf(float(a)) for a in row)) for row in zip(*arguments, strict=True)]
    high = [float(v) for v in values]
    low = [float(v - h) if np.isfinite(h) else 0.0 for v, h in zip(values, high, strict=True)]
    return np.array(high, np.longdouble) + np.array(low, np.longdouble)


def faddeeva(x: mpmath.mpf, y: mpmath.mpf) -> mpmath.mpc:
    """Return exp(-z^2) erfc(-i z); beyond 30 by Laplace's continued fraction."""
    z = mpmath.mpc(x, y)
    if abs(z) < 30 or y < 0:
        with mpmath.workdps(60 + int(min(abs(z) ** 2, 2000))):
            return mpmath.exp(-z * z) * mpmath.erfc(mpmath.mpc(y, -x))
    tail = mpmath.mpc(0)
    for k in range(60, 0, -1):
        tail = k / (2 * (z - tail))
    return mpmath.mpc(0, 1) / mpmath.sqrt(mpmath.pi) / (z - tail) + mpmath.exp(-z * z) * (y == 0)


def ulp_samples(low: float, high: float, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return half of the points evenly from low to high, half with exponents spread evenly."""
    even = rng.uniform(low, high, count // 2)
    largest = max(abs(low), abs(high))
    sizes = 2.0 ** rng.uniform(np.log2(largest) - 60, np.log2(largest), count - count // 2)
    signed = np.where(rng.random(len(sizes)) < 0.5, sizes, -sizes)
    return np.concatenate([even, signed[(signed >= low) & (signed <= high)]])


RANGES = {
    "exp": [(-745, 709.7)], "exp2": [(-1074, 1023.9)], "expm1": [(-40, 709.7), (-1, 1)],
    "log": [(5e-324, 1e308), (0.5, 2)], "log2": [(5e-324, 1e308), (0.5, 2)],
    "log10": [(5e-324, 1e308), (0.5, 2)], "log1p": [(-1 + 1e-16, 10), (0, 1e308)],
    "sin": [(-10, 10), (-1e6, 1e6), (-1e300, 1e300)],
    "cos": [(-10, 10), (-1e6, 1e6), (-1e300, 1e300)],
    "tan": [(-10, 10), (-1e6, 1e6), (-1e300, 1e300)], "arctan": [(-10, 10), (-1e300, 1e300)],
    "tanh": [(-25, 25)], "sqrt": [(0, 1e300)], "cbrt": [(-1e300, 1e300)],
    "arcsin": [(-1, 1)], "arccos": [(-1, 1)], "sinh": [(-700, 700)], "cosh": [(-700, 700)],
    "arcsinh": [(-1e10, 1e10)], "arccosh": [(1, 1e10)], "arctanh": [(-1, 1)],
}  # fmt: skip
BY_MPMATH = {
    "erf": [(-6, 6)], "erfc": [(-5, 26.5)], "erfcx": [(-20, 1e3)], "expit": [(-700, 40)],
    "gamma": [(0.01, 170)], "gammaln": [(3, 1e6)], "digamma": [(2, 1e3)], "trigamma": [(0.01, 1e3)],
    "i0": [(-700, 700)], "i1": [(-700, 700)],
}  # fmt: skip


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10**6
    rng = np.random.default_rng(1)
    print("function    range                      largest error   mean   at")
    for name, ranges in RANGES.items():
        for low, high in ranges:
            x = ulp_samples(low, high, count, rng)
            report(
                name,
                low,
                high,
                ulps(function(name)(x), getattr(np, name)(x.astype(np.longdouble))),
                x,
            )
    base = np.exp2(rng.uniform(-1022, 1023, count))
    with np.errstate(all="ignore"):
        exponent = rng.uniform(-1074, 1023, count) / np.log2(base)
        exact = np.power(base.astype(np.longdouble), exponent.astype(np.longdouble))
    report("power", -1022, 1023, ulps(function("power", 2)(base, exponent), exact), base)
    for name, ranges in BY_MPMATH.items():
        for low, high in ranges:
            x = ulp_samples(low, high, count // 1000, rng)
            report(name, low, high, ulps(function(name)(x), by_mpmath(name, x)), x)
    size, angle = 10.0 ** rng.uniform(-3, 4, count // 1000), rng.uniform(0, np.pi, count // 1000)
    angle = np.where(rng.random(len(size)) < 0.5, angle, 10.0 ** rng.uniform(-18, 0, len(size)))
    x, y = size * np.cos(angle), size * np.sin(angle)
    for name in ("wofz_real", "wofz_imag"):
        report(name, 1e-3, 1e4, ulps(function(name, 2)(x, y), by_mpmath(name, x, y)), x)


def report(name: str, low: float, high: float, errors: np.ndarray, x: np.ndarray) -> None:
    worst = int(np.nanargmax(np.where(np.isnan(errors), np.inf, errors)))
    print(
        f"{name:10}  {low:10.3g} to {high:10.3g}   {errors[worst]:12.3f}   {errors.mean():6.3f}   "
        f"{x[worst]!r}"
    )


if __name__ == "__main__":
    main()
