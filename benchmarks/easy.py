"""Easy problems: evaluations and accuracy of lmoo's default solver and of scipy's leastsq.

    python benchmarks/easy.py [nist] [docs] [models] [--sets 10] [--jacobian] [--verbose]

nist: NIST's 27 problems from the near starts.  docs: the curves of the gallery and the tutorial
with the starts given there.  models: the built-in models with their guesses, on noisy curves.
Derivatives are differences, and calls of f are counted; with --jacobian both have the exact
Jacobian, as models that lmoo has traced have by default, and calls of either are counted.  Digits
are -log10 of the error of the least accurate parameter, relative to the larger of the parameter and
its standard error, at most 11.  The solution is the certified one, or that of Gauss-Newton steps
with the exact Jacobian.
"""

import argparse
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import scipy.optimize
from common import versions

import lmoo
from lmoo.datasets import nist, nist_names

Array = np.ndarray
MOST_DIGITS = 11.0


class Easy(NamedTuple):
    """A residual with its exact Jacobian, a start, and the certified solution, if there is one."""

    name: str
    residual: Callable[[Array], Array]
    jacobian: Callable[[Array], Array]
    start: Array
    answer: Array | None = None


def nist_problems(sets: int) -> Iterator[Easy]:
    for name in nist_names():
        data = nist(name)
        start = np.asarray(data.starts[1], dtype=float)
        yield Easy(name, data.residual, data.jacobian, start, data.certified)


# ---- documentation -----------------------------------------------------------------------------


def curve(name: str, f: Callable[..., Any], t: Any, y: Array, start: Any, sigma: Any = 1.0) -> Easy:
    """Return a problem whose Jacobian is taken by the complex step."""

    def residual(p: Array) -> Array:
        return (f(t, *p) - y) / sigma

    def jacobian(p: Array) -> Array:
        columns = []
        for j in range(p.size):
            q = p.astype(complex)
            q[j] += 1e-30j
            columns.append(np.imag(f(t, *q)) / 1e-30 / sigma * np.ones(y.size))
        return np.stack(columns, axis=1)

    return Easy(name, residual, jacobian, np.array(start, dtype=float))


def michaelis_menten(t, vmax, k):
    return vmax * t / (k + t)


def kinetics(t, vmax, k, more_vmax, more_k):
    substrate, puromycin = t
    return (vmax + more_vmax * puromycin) * substrate / (k + more_k * puromycin + substrate)


def spectrum(t, a1, center1, width1, a2, center2, width2, floor, slope):
    first = a1 * np.exp(-0.5 * ((t - center1) / width1) ** 2)
    return first + a2 / (1 + ((t - center2) / width2) ** 2) + floor + slope * t


def half_life(t, initial, half, background):
    return initial * 2.0 ** (-t / half) + background


def dose_response(t, top, slope, ec50, bottom):
    return bottom + (top - bottom) / (1 + (t / ec50) ** slope)


def documented(sets: int) -> Iterator[Easy]:
    concentration = np.repeat([0.02, 0.06, 0.11, 0.22, 0.56, 1.10], 2)
    treated = np.array([76, 47, 97, 107, 123, 139, 159, 152, 191, 201, 207, 200.0])
    untreated = np.array([67, 51, 84, 86, 98, 115, 131, 124, 144, 158, 160.0])
    yield curve("enzyme, treated", michaelis_menten, concentration, treated, [200, 0.1])
    yield curve("enzyme, untreated", michaelis_menten, concentration[:11], untreated, [200, 0.1])
    both = (np.append(concentration, concentration[:11]), np.repeat([1.0, 0.0], [12, 11]))
    joint = np.append(treated, untreated)
    yield curve("enzyme, joint", kinetics, both, joint, [160, 0.05, 50, 0])

    energy = np.linspace(0.0, 10.0, 121)
    expected = spectrum(energy, 320, 4.2, 0.6, 200, 5.9, 0.5, 60, -3)
    counts = np.random.default_rng(7).poisson(expected).astype(float)
    start = [250, 4, 0.5, 250, 6, 0.5, 50, 0]
    yield curve("spectrum", spectrum, energy, counts, start, np.sqrt(counts))

    t = np.arange(0.0, 1800.0, 40.0)
    n = np.random.default_rng(137).poisson(half_life(t, 1500, 153.1, 9)).astype(float)
    yield curve("radioactive decay", half_life, t, n, [n[0], 100, 0], np.sqrt(n))

    dose = np.repeat(10.0 ** np.arange(-2.0, 2.5, 0.5), 3)
    noise = 4.0 * np.random.default_rng(21).standard_normal(dose.size)
    response = dose_response(dose, 100.0, 1.2, 2.0, 0.0) + noise
    guess = lmoo.models.Logistic4().guess(dose, response[None])[0]
    yield curve("dose and response", dose_response, dose, response, guess)

    t = np.linspace(0, 4, 20)
    y = 2.5 * np.exp(-1.3 * t) + 0.5 + 0.01 * np.cos(9 * t)
    yield curve("curve_fit", lambda t, a, b, c: a * np.exp(-b * t) + c, t, y, [1, 1, 1])

    def rosenbrock(x: Array) -> Array:
        return np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]])

    def derivatives(x: Array) -> Array:
        return np.array([[-20 * x[0], 10], [-1, 0]])

    yield Easy("Rosenbrock", rosenbrock, derivatives, np.array([-1.2, 1.0]), np.ones(2))


# ---- built-in models ---------------------------------------------------------------------------


def grid() -> tuple[Array, Array]:
    u, v = np.meshgrid(np.arange(9.0), np.arange(9.0))
    return u.ravel(), v.ravel()


MODELS: dict[str, tuple[Any, tuple[float, ...]]] = {
    "Exponential": (np.linspace(0, 4, 40), (2.5, 1.3, 0.5)),
    "BiExponential": (np.linspace(0, 6, 80), (3, 2.5, 2, 0.4, 0.5)),
    "Gaussian": (np.linspace(-5, 5, 60), (4, 0.7, 1.1, 1)),
    "Lorentzian": (np.linspace(-5, 5, 60), (4, 0.7, 0.9, 1)),
    "PseudoVoigt": (np.linspace(-5, 5, 80), (4, 0.7, 0.9, 0.4, 1)),
    "Gaussian2D": (grid(), (10, 4.2, 3.7, 1.4, 1)),
    "Logistic4": (np.geomspace(0.01, 100, 40), (5, 1.3, 2, 0.5)),
    "PowerLaw": (np.linspace(0.5, 5, 40), (2, 1.6, 0.7)),
    "StretchedExponential": (np.linspace(0.05, 8, 60), (3, 1.5, 0.7, 0.5)),
    "DampedSine": (np.linspace(0, 10, 100), (2, 0.2, 2.3, 0.6, 0.4)),
}
NOISE = 0.02


def built_in(sets: int) -> Iterator[Easy]:
    for name, (t, true) in MODELS.items():
        model = getattr(lmoo.models, name)()
        clean = model(t, *true)
        for seed in range(sets):
            noise = NOISE * np.ptp(clean) * np.random.default_rng(seed).standard_normal(clean.size)
            y = clean + noise
            yield Easy(
                f"{name} {seed}",
                lambda p, model=model, t=t, y=y: model(t, *p) - y,
                lambda p, model=model, t=t: model.jacobian(t, *p),
                model.guess(t, y[None])[0],
            )


# ---- fits --------------------------------------------------------------------------------------


class Fit(NamedTuple):
    """The end of a fit, whether it reports success, and its calls of f."""

    x: Array
    success: bool
    calls: int


class Counted:
    """A function that counts its calls."""

    def __init__(self, residual: Callable[[Array], Array]) -> None:
        self.residual, self.calls = residual, 0

    def __call__(self, p: Array) -> Array:
        self.calls += 1
        return self.residual(p)


def ours(easy: Easy, exact: bool) -> Fit:
    counted, derived = Counted(easy.residual), Counted(easy.jacobian)
    problem = lmoo.FunctionProblem(counted, derived if exact else None)
    result = lmoo.Solver().solve(problem, easy.start)
    return Fit(result.x, result.success, counted.calls + derived.calls)


def theirs(easy: Easy, exact: bool) -> Fit:
    counted, derived = Counted(easy.residual), Counted(easy.jacobian)
    x, _, _, _, status = scipy.optimize.leastsq(
        counted, easy.start, Dfun=derived if exact else None, full_output=True
    )
    return Fit(x, status in (1, 2, 3, 4), counted.calls + derived.calls)


def gauss_newton(easy: Easy, x: Array) -> Array:
    """Continue with full Gauss-Newton steps of the exact Jacobian while they become shorter."""
    last = np.inf
    for _ in range(200):
        J, f = easy.jacobian(x), easy.residual(x)
        size = np.linalg.norm(J, axis=0)
        step = -np.linalg.lstsq(J / size, f, rcond=None)[0] / size
        length = float(np.linalg.norm(step * size))
        if not length < last:
            break
        x, last = x + step, length
    return x


def answer(easy: Easy, fits: list[Fit]) -> Array:
    """Return the certified solution, or the best one reached from either fit."""
    if easy.answer is not None:
        return easy.answer
    refined = [gauss_newton(easy, fit.x) for fit in fits]
    return min(refined, key=lambda x: float(np.linalg.norm(easy.residual(x))))


def digits(easy: Easy, x: Array, right: Array) -> float:
    J, f = easy.jacobian(right), easy.residual(right)
    size = np.linalg.norm(J, axis=0)
    R = np.linalg.qr(J / size, mode="r")
    deviation = np.linalg.norm(f) / np.sqrt(max(f.size - x.size, 1))
    errors = np.linalg.norm(np.linalg.inv(R), axis=1) / size * deviation
    off = np.max(np.abs(x - right) / np.maximum(np.abs(right), errors))
    return float(np.clip(-np.log10(max(off, 1e-16)), 0.0, MOST_DIGITS))


GROUPS = {"nist": nist_problems, "docs": documented, "models": built_in}


def show(name: str, sets: int, exact: bool, verbose: bool) -> None:
    rows = []
    for easy in GROUPS[name](sets):
        fits = [ours(easy, exact), theirs(easy, exact)]
        right = answer(easy, fits)
        found = [digits(easy, fit.x, right) for fit in fits]
        rows.append((fits[0].calls, fits[1].calls, *found))
        if verbose:
            marks = ["" if fit.success else " failed" for fit in fits]
            print(
                f"{easy.name:<26}lmoo {fits[0].calls:>5} calls {found[0]:>5.1f} digits{marks[0]}"
                f"   leastsq {fits[1].calls:>5} calls {found[1]:>5.1f} digits{marks[1]}"
            )
    table = np.array(rows, dtype=float)
    ratio = table[:, 0] / table[:, 1]
    print(
        f"{name:<8}{len(rows):>5} problems: calls over leastsq's: median {np.median(ratio):.2f}, "
        f"mean {ratio.mean():.2f}, 90 % {np.quantile(ratio, 0.9):.2f}, most {ratio.max():.2f}; "
        f"sum {table[:, 0].sum():.0f} over {table[:, 1].sum():.0f}"
    )
    for who, column in (("lmoo", 2), ("leastsq", 3)):
        values = table[:, column]
        print(
            f"{'':<8}{who:<8} digits: median {np.median(values):.1f}, mean {values.mean():.1f}, "
            f"fewest {values.min():.1f}; below 6: {np.sum(values < 6)}, below 4: "
            f"{np.sum(values < 4)}, below 1: {np.sum(values < 1)}"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("groups", nargs="*", metavar="nist, docs, models")
    parser.add_argument("--sets", type=int, default=10, help="curves of each built-in model")
    parser.add_argument("--jacobian", action="store_true", help="exact Jacobians for both")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    print(versions("scipy"))
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    for group in options.groups or GROUPS:
        show(group, options.sets, options.jacobian, options.verbose)
