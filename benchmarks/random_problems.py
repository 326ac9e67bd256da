"""Random problems of twelve kinds: whether successes are minima, and failures are none.

    python benchmarks/random_problems.py [--count 1200] [--only KIND;...] [--first SEED] [--verbose]
    python benchmarks/random_problems.py units [--scalings 300] [--only PROBLEM;...]

From the point at which `lmoo.Solver` ends, scipy's lm, trf and dogbox go on with the exact
Jacobian and tight tolerances, and for models with noise Nelder-Mead; all costs are those without
the noise.

A false success: one of them lowers the cost by more than 1e-3.  A false failure: none lowers it
by more than 1e-6 or what the noise explains, and the Jacobian has full rank.  Reductions below
rounding, or below 10 times the model's noise, do not count.

"reached" are fits within 1e-6 of the lowest cost that any method reaches from the start.  "scipy"
is leastsq, or trf with bounds, with its defaults on the same functions; lm and trf have the exact
Jacobian, tight tolerances and no noise.

The mode ``units`` solves 21 problems in units that are powers of 2 of the original ones, for f
and for each parameter.  Rounding is then the same, so the status must be the same and the
evaluations must be.
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
from lmoo.datasets import nist

Array = np.ndarray
Random = np.random.Generator
Model = Callable[[Array, Array], Array]

FALSE_SUCCESS, FALSE_FAILURE = 1e-3, 1e-6
REACHED = 1e-6
ROUNDING = 1e-7  # of |f| relative to |y|: below, all are exact fits
TIGHT = {"ftol": 1e-15, "xtol": 1e-15, "gtol": 1e-15}
NOT_FINITE = lmoo.Status.NOT_FINITE.name


class Drawn(NamedTuple):
    """A problem: its exact model, data, start, bounds, and the noise of the model that is given."""

    model: Model
    t: Array
    y: Array
    start: Array
    bounds: tuple[Array, Array] | None = None
    noise: float = 0.0
    noisy: Model | None = None

    def exact(self, p: Array) -> Array:
        return self.model(self.t, p) - self.y

    def given(self, p: Array) -> Array:
        """Return what the solver sees."""
        return (self.noisy or self.model)(self.t, p) - self.y

    def jacobian(self, p: Array) -> Array:
        """Return the derivatives of the exact model, by the complex step."""
        step = 1e-30
        columns = []
        for j in range(p.size):
            q = p.astype(complex)
            q[j] += step * 1j
            columns.append(np.imag(self.model(self.t, q)) / step * np.ones(self.t.size))
        return np.stack(columns, axis=1)

    def cost(self, p: Array) -> float:
        f = self.exact(p)
        value = 0.5 * float(f @ f)
        return value if np.isfinite(value) else np.inf

    @property
    def floor(self) -> float:
        """Cost below which differences are rounding or noise."""
        size = max(ROUNDING, 10 * self.noise) * float(np.linalg.norm(self.y))
        return 0.5 * size * size


# ---- the kinds ---------------------------------------------------------------------------------


def observed(random: Random, model: Model, t: Array, true: Array) -> Array:
    """Return data with noise of 0 to 10 % of their size."""
    y = model(t, true)
    level = random.choice([0.0, 1e-6, 1e-3, 1e-2, 0.1])
    return y + level * np.sqrt(np.mean(y * y)) * random.standard_normal(t.size)


def away(random: Random, true: Array, spread: float) -> Array:
    return true * np.exp(spread * random.uniform(-1, 1, true.size))


def exponential(t: Array, p: Array) -> Array:
    return p[0] * np.exp(-p[1] * t) + p[2]


def _change(random: Random, sign: int) -> Drawn:
    """Fit an exponential over any stretch of t from (1, 1, 1)."""
    low = random.choice([0.0, 10.0, 50.0, 100.0, 300.0])
    t = np.linspace(low, low + random.choice([5.0, 20.0, 50.0, 100.0]), 15)
    rate = sign * random.uniform(0.5, 5) / np.ptp(t)
    true = np.array([10 * np.exp(rate * t.mean()), rate, random.uniform(-5, 5)])
    return Drawn(exponential, t, observed(random, exponential, t, true), np.ones(3))


def _growth(random: Random) -> Drawn:
    return _change(random, -1)


def _decay(random: Random) -> Drawn:
    return _change(random, 1)


def _rational(random: Random) -> Drawn:
    def model(t: Array, p: Array) -> Array:
        return (p[0] + p[1] * t) / (1 + t * (p[2] + p[3] * t))

    t = np.linspace(0, random.uniform(2, 10), 25)
    true = random.uniform([-2, -2, 0.1, 0.1], [2, 2, 2, 2])
    return Drawn(model, t, observed(random, model, t, true), away(random, true, 0.8))


def _trigonometric(random: Random) -> Drawn:
    def model(t: Array, p: Array) -> Array:
        return p[0] * np.sin(p[1] * t + p[2]) + p[3]

    t = np.linspace(0, 6, 40)
    true = random.uniform([0.5, 0.5, -3, -1], [3, 3, 3, 1])
    start = true + random.uniform(-1, 1, 4) * [0.5, 0.5, 1, 0.5]
    return Drawn(model, t, observed(random, model, t, true), start)


def _arrhenius(random: Random) -> Drawn:
    def model(t: Array, p: Array) -> Array:
        return p[0] * np.exp(-p[1] / t)

    t = np.linspace(300, 300 + random.uniform(50, 500), 20)
    energy = random.uniform(1e3, 1e4)
    true = np.array([random.uniform(0.5, 5) * np.exp(energy / t.mean()), energy])
    start = np.array([true[0] * 10 ** random.uniform(-2, 2), energy * random.uniform(0.7, 1.3)])
    return Drawn(model, t, observed(random, model, t, true), start)


def _cosh(random: Random) -> Drawn:
    def model(t: Array, p: Array) -> Array:
        return p[0] * np.cosh((t - p[1]) / p[2]) + p[3]

    t = np.linspace(-3, 3, 30)
    true = random.uniform([0.5, -1, 1, -2], [3, 1, 4, 2])
    start = true + random.uniform(-1, 1, 4) * [0.4, 0.8, 0.6, 1]
    start[2] = max(start[2], 0.3)
    return Drawn(model, t, observed(random, model, t, true), start)


def _close(random: Random) -> Drawn:
    """Two exponentials whose rates differ by a few percent: nearly singular."""

    def model(t: Array, p: Array) -> Array:
        return p[0] * np.exp(-p[1] * t) + p[2] * np.exp(-p[3] * t)

    t = np.linspace(0, 5, 40)
    rate = random.uniform(0.5, 2)
    ratio = 1 + 10 ** random.uniform(-2, 0)
    true = np.array([random.uniform(1, 3), rate, random.uniform(1, 3), rate * ratio])
    start = away(random, true, 0.4)
    return Drawn(model, t, observed(random, model, t, true), start)


def _box(random: Random, true: Array, start: Array) -> tuple[tuple[Array, Array], Array]:
    """Return bounds that contain the true parameters, or not, and the start moved into them."""
    size = 0.5 + np.abs(true)
    lower = true - size * random.uniform(-0.2, 3, true.size)
    upper = lower + size * random.uniform(0.5, 5, true.size)
    lower[random.random(true.size) < 0.25] = -np.inf
    upper[random.random(true.size) < 0.25] = np.inf
    return (lower, upper), np.clip(start, lower, upper)


def _bounded_exponential(random: Random) -> Drawn:
    t = np.linspace(0, 4, 25)
    true = random.uniform([0.5, 0.5, -1], [5, 2.5, 1])
    y = observed(random, exponential, t, true)
    bounds, start = _box(random, true, away(random, true, 0.5))
    return Drawn(exponential, t, y, start, bounds)


def _bounded_peak(random: Random) -> Drawn:
    def model(t: Array, p: Array) -> Array:
        return p[0] / (1 + ((t - p[1]) / p[2]) ** 2) + p[3]

    t = np.linspace(-5, 5, 40)
    true = random.uniform([1, -2, 0.5, -1], [5, 2, 2, 1])
    y = observed(random, model, t, true)
    bounds, start = _box(random, true, true + random.uniform(-1, 1, 4) * [1, 1, 0.3, 0.5])
    return Drawn(model, t, y, start, bounds)


def _curve(random: Random) -> Drawn:
    """Return a decay with good starts, for models with noise."""
    t = np.linspace(0.05, 4, 25)
    true = random.uniform([0.5, 0.5, -1], [5, 2.5, 1])
    y = exponential(t, true) + 0.02 * random.standard_normal(t.size)
    return Drawn(exponential, t, y, true * random.uniform(0.7, 1.3, 3))


def _random_noise(random: Random) -> Drawn:
    drawn, level = _curve(random), 10 ** random.uniform(-12, -4)
    inner = np.random.default_rng(random.integers(2**32))

    def noisy(t: Array, p: Array) -> Array:
        return exponential(t, p) * (1 + level * inner.standard_normal(t.size))

    return drawn._replace(noise=level, noisy=noisy)


def _fixed_noise(random: Random) -> Drawn:
    drawn, level = _curve(random), 10 ** random.uniform(-12, -4)

    def noisy(t: Array, p: Array) -> Array:
        return exponential(t, p) * (1 + level * np.sin(1e9 * np.sum(p) + 1e5 * t))

    return drawn._replace(noise=level, noisy=noisy)


def _single_precision(random: Random) -> Drawn:
    drawn, out = _curve(random), random.choice([np.float32, np.float64])

    def noisy(t: Array, p: Array) -> Array:
        return exponential(t.astype(np.float32), p.astype(np.float32)).astype(out)

    return drawn._replace(noise=2.0**-24, noisy=noisy)


KINDS: dict[str, Callable[[Random], Drawn]] = {
    "growth": _growth,
    "decay": _decay,
    "rational": _rational,
    "trigonometric": _trigonometric,
    "Arrhenius": _arrhenius,
    "cosh": _cosh,
    "close": _close,
    "bounded exponential": _bounded_exponential,
    "bounded peak": _bounded_peak,
    "random noise": _random_noise,
    "fixed noise": _fixed_noise,
    "single precision": _single_precision,
}


def draw(kind: str, seed: int) -> Drawn:
    return KINDS[kind](np.random.default_rng([list(KINDS).index(kind), seed]))


# ---- solves ------------------------------------------------------------------------------------


def least_squares(
    drawn: Drawn, start: Array, method: str, scale: Any = "jac", most: int = 300
) -> Array:
    """Return where one of scipy's methods ends on the exact problem."""
    bounds = drawn.bounds or (-np.inf, np.inf)
    try:
        return scipy.optimize.least_squares(
            drawn.exact,
            start,
            drawn.jacobian,
            bounds,
            method,
            x_scale=scale,
            max_nfev=most,
            **TIGHT,
        ).x
    except (ValueError, np.linalg.LinAlgError):
        return start


def lowered(drawn: Drawn, x: Array) -> float:
    """Return the lowest cost that other methods reach from x."""
    costs = []
    for method in ("trf", "dogbox") if drawn.bounds else ("lm", "trf", "dogbox"):
        for scale in ("jac", 1.0):
            costs.append(drawn.cost(least_squares(drawn, x, method, scale)))
    if drawn.noise:
        found = scipy.optimize.minimize(
            drawn.cost, x, method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12}
        )
        costs.append(drawn.cost(found.x))
    return min(costs)


def full_rank(drawn: Drawn, x: Array) -> bool:
    """Whether all columns of the Jacobian count, without those at a bound."""
    J = drawn.jacobian(x)
    if drawn.bounds is not None:
        inside = (x > drawn.bounds[0]) & (x < drawn.bounds[1])
        J, x = J[:, inside], x[inside]
    if not x.size:
        return True
    size = np.linalg.norm(J, axis=0)
    if not np.isfinite(size).all() or not (size > 0).all():
        return False
    # A parameter that could double without a change of the model is not determined either.
    used = (size * np.abs(x) > 1e-12 * np.linalg.norm(drawn.y)).all()
    singular = np.linalg.svd(J / size, compute_uv=False)
    return bool(used and singular[-1] > 1e-10 * singular[0])


def judge(drawn: Drawn, x: Array, success: bool) -> str:
    cost = drawn.cost(x)
    low = lowered(drawn, x)
    gain = cost - low
    if success:
        return "false success" if gain > max(FALSE_SUCCESS * cost, drawn.floor) else "success"
    if gain > max(FALSE_FAILURE * cost, drawn.floor):
        return "failure"
    return "false failure" if full_rank(drawn, x) else "degenerate failure"


VERDICTS = ("success", "failure", "degenerate failure", "false success", "false failure")


def at_random(count: int, first: int, kinds: list[str], verbose: bool) -> None:
    print(
        f"{'kind':<21}{'of':>6}"
        + "".join(f"{verdict:>20}" for verdict in VERDICTS)
        + f"{'reached':>9}{'scipy':>7}{'lm':>6}{'trf':>6}{'mean calls':>12}"
    )
    each = -(-count // len(KINDS))
    total: Counter[str] = Counter()
    cases = []
    for kind in kinds:
        seen: Counter[str] = Counter()
        calls = []
        for seed in range(first, first + each):
            drawn = draw(kind, seed)
            analytic = seed % 2 == 1 and not (drawn.noise and seed % 4 == 3)
            x, success, status, n = ours(drawn, analytic)
            if status == NOT_FINITE:
                continue
            calls.append(n)
            seen["of"] += 1
            verdict = judge(drawn, x, success)
            seen[verdict] += 1
            reached(drawn, x, analytic, seen)
            if verdict.startswith("false"):
                how = "Jacobian" if analytic else "differences"
                cases.append(f"{verdict}: {kind} {seed}, {how}, {status}, x {x}")
        total += seen
        print_row(kind, seen, float(np.mean(calls)))
    print_row("all", total, np.nan)
    for line in cases if verbose else cases[:40]:
        print(f"  {line}")


def ours(drawn: Drawn, analytic: bool) -> tuple[Array, bool, str, int]:
    problem = lmoo.FunctionProblem(drawn.given, drawn.jacobian if analytic else None)
    try:
        result = lmoo.Solver(bounds=drawn.bounds).solve(problem, drawn.start)
    except lmoo.EvaluationError:
        return drawn.start, False, NOT_FINITE, 0
    status = result.status.name
    if result.undetermined:
        status += f", undetermined {result.undetermined}"
    return result.x, result.success, status, result.nfev


def scipys(drawn: Drawn, analytic: bool) -> Array:
    """Return where scipy's defaults end on the same functions: leastsq, or trf with bounds."""
    try:
        if drawn.bounds:
            return scipy.optimize.least_squares(
                drawn.given, drawn.start, drawn.jacobian if analytic else "2-point", drawn.bounds
            ).x
        jacobian = drawn.jacobian if analytic else None
        return scipy.optimize.leastsq(drawn.given, drawn.start, Dfun=jacobian)[0]
    except (ValueError, np.linalg.LinAlgError):
        return drawn.start


def reached(drawn: Drawn, x: Array, analytic: bool, seen: Counter[str]) -> None:
    """Count the methods that get from the start to the lowest cost."""
    costs = {"reached": drawn.cost(x), "scipy": drawn.cost(scipys(drawn, analytic))}
    for method in ("trf",) if drawn.bounds else ("lm", "trf"):
        costs[method] = drawn.cost(least_squares(drawn, drawn.start, method))
    best = min(costs.values())
    slack = max(REACHED * best, drawn.floor)
    seen.update(who for who, cost in costs.items() if cost - best <= slack)


def print_row(kind: str, seen: Counter[str], calls: float) -> None:
    print(
        f"{kind:<21}{seen['of']:>6}"
        + "".join(f"{seen[verdict]:>20}" for verdict in VERDICTS)
        + f"{seen['reached']:>9}{seen['scipy']:>7}{seen['lm']:>6}{seen['trf']:>6}{calls:>12.1f}",
        flush=True,
    )


# ---- units -------------------------------------------------------------------------------------

NIST = (
    "Misra1a", "Chwirut2", "Lanczos3", "Gauss1", "DanWood", "Kirby2", "Hahn1", "MGH17", "Misra1c",
    "Roszman1", "Thurber", "BoxBOD", "Rat42", "MGH10", "Eckerle4", "Rat43", "Bennett5",
)  # fmt: skip


class Original(NamedTuple):
    """A problem before its units are changed."""

    residual: Callable[[Array], Array]
    jacobian: Callable[[Array], Array]
    start: Array
    bounds: tuple[Array, Array] | None = None


def originals() -> dict[str, Original]:
    problems = {}
    for name in NIST:
        data = nist(name)
        start = np.asarray(data.starts[1], dtype=float)
        problems[name] = Original(data.residual, data.jacobian, start)
    rosenbrock = Original(
        lambda x: np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]]),
        lambda x: np.array([[-20 * x[0], 10], [-1, 0]]),
        np.array([-1.2, 1.0]),
    )
    problems["Rosenbrock"] = rosenbrock
    problems["Rosenbrock, bounds"] = rosenbrock._replace(
        bounds=(np.array([-2.0, 0.5]), np.array([0.8, 3.0]))
    )
    for name, kind, seed in (("decay, bounds", "bounded exponential", 4), ("cosh", "cosh", 1)):
        drawn = draw(kind, seed)
        problems[name] = Original(drawn.exact, drawn.jacobian, drawn.start, drawn.bounds)
    return problems


def solve_scaled(p: Original, analytic: bool, f_unit: float, units: Array) -> tuple[str, int, int]:
    """Solve with f and x in other units."""
    problem = lmoo.FunctionProblem(
        lambda x: f_unit * p.residual(x / units),
        (lambda x: f_unit * p.jacobian(x / units) / units) if analytic else None,
    )
    bounds = None if p.bounds is None else tuple(bound * units for bound in p.bounds)
    try:
        result = lmoo.Solver(bounds=bounds).solve(problem, p.start * units)
    except lmoo.EvaluationError as error:
        return type(error).__name__, 0, 0
    return result.status.name, result.nfev, result.njev


def in_units(scalings: int, only: list[str]) -> None:
    print(f"{'problem':<20}{'':<13}{'status':<14}{'nfev':>6}{'other status':>14}{'other nfev':>12}")
    wrong = count = 0
    for index, (name, problem) in enumerate(originals().items()):
        if only and name not in only:
            continue
        for analytic in (True, False):
            random = np.random.default_rng(index)
            status, calls, _ = solve_scaled(problem, analytic, 1.0, np.ones(problem.start.size))
            others: Counter[str] = Counter()
            off = []
            for _ in range(scalings):
                f_unit = 2.0 ** random.integers(-60, 61)
                units = 2.0 ** random.integers(-40, 41, problem.start.size)
                other, n, _ = solve_scaled(problem, analytic, f_unit, units)
                if other != status:
                    others[other] += 1
                elif abs(n - calls) > 1:
                    off.append(n)
            count += scalings
            wrong += sum(others.values()) + len(off)
            span = f" ({min(off)} to {max(off)})" if off else ""
            print(
                f"{name:<20}{'Jacobian' if analytic else 'differences':<13}{status:<14}{calls:>6}"
                f"{sum(others.values()):>14}{len(off):>12}{span} {dict(others) or ''}",
                flush=True,
            )
    print(f"{wrong} of {count} solves depend on the units")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("mode", nargs="?", choices=("random", "units"), default="random")
    parser.add_argument("--count", type=int, default=1200)
    parser.add_argument("--first", type=int, default=0, help="first seed of each kind")
    parser.add_argument("--scalings", type=int, default=300)
    parser.add_argument("--only", default="", help="kinds or problems, with semicolons")
    parser.add_argument("--verbose", action="store_true", help="list all false ends")
    options = parser.parse_args()
    print(versions("scipy"))
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    chosen = [name for name in options.only.split(";") if name]
    if options.mode == "units":
        in_units(options.scalings, chosen)
    else:
        at_random(options.count, options.first, chosen or list(KINDS), options.verbose)
