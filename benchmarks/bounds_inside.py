"""Bounds that contain the solution: do fits still reach it, and with how many evaluations.

    python benchmarks/bounds_inside.py [--count 2000] [--only KIND;...] [--jac] [--verbose]

Each problem is solved without bounds first.  Random bounds then contain that solution and the
start, wide and narrow, for some of the parameters or for all, and include usual ones (a phase in
[0, 2 pi], amplitudes and widths above 0).  A bounded fit is the same if its cost is within 1e-6 of
that of the fit without bounds, or lower.  scipy's trf and lmfit solve the same bounded problems.
"""

import argparse
import warnings
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import scipy.optimize
from common import versions

import lmoo

try:
    import lmfit
except ImportError:
    lmfit = None

Array = np.ndarray
Random = np.random.Generator
SAME = 1e-6
EXACT = 1e-7  # |f| relative to |y| below which fits are exact
TIGHT = {"ftol": 1e-15, "xtol": 1e-15, "gtol": 1e-15}
TAU = 2 * np.pi
FREE = (-np.inf, np.inf)
POSITIVE = (0.0, np.inf)


class Kind(NamedTuple):
    """A model, points, ranges of true parameters, range of starts and usual bounds."""

    model: Callable[..., Array]
    t: Array
    low: tuple[float, ...]
    high: tuple[float, ...]
    spread: tuple[float, ...]
    customary: tuple[tuple[float, float], ...]


def gaussians(t: Array, *p: float) -> Array:
    total = np.full_like(t, p[-1])
    for a, m, s in zip(p[:-1:3], p[1:-1:3], p[2:-1:3], strict=True):
        total = total + a * np.exp(-0.5 * ((t - m) / s) ** 2)
    return total


KINDS = {
    "sine": Kind(
        lambda t, a, w, p: a * np.sin(w * t + p), np.linspace(0, 10, 80),
        (0.5, 0.8, 0.2), (3, 2, 6.1), (0.3, 0.06, 1.5), (POSITIVE, POSITIVE, (0, TAU)),
    ),
    "sine and offset": Kind(
        lambda t, a, w, p, c: a * np.sin(w * t + p) + c, np.linspace(0, 10, 80),
        (0.5, 0.8, 0.2, -1), (3, 2, 6.1, 1), (0.3, 0.06, 1.5, 0.5),
        (POSITIVE, POSITIVE, (0, TAU), FREE),
    ),
    "three Gaussians": Kind(
        gaussians, np.linspace(0, 10, 120), (1, 1.5, 0.3, 1, 4.5, 0.3, 1, 7.5, 0.3, 0),
        (5, 2.5, 0.8, 5, 5.5, 0.8, 5, 8.5, 0.8, 1), (1, 0.4, 0.2, 1, 0.4, 0.2, 1, 0.4, 0.2, 0.3),
        (POSITIVE, (0, 10), POSITIVE) * 3 + (POSITIVE,),
    ),
    "exponential": Kind(
        lambda t, a, k, c: a * np.exp(-k * t) + c, np.linspace(0, 4, 30),
        (0.5, 0.3, -1), (5, 2.5, 1), (2, 1, 1), (POSITIVE, POSITIVE, FREE),
    ),
    "two exponentials": Kind(
        lambda t, a, k, b, q: a * np.exp(-k * t) + b * np.exp(-q * t), np.linspace(0, 6, 50),
        (1, 1.5, 1, 0.1), (4, 4, 4, 0.5), (1, 1, 1, 0.2), (POSITIVE,) * 4,
    ),
    "rational": Kind(
        lambda t, a, b, c, d: (a + b * t) / (1 + t * (c + d * t)), np.linspace(0, 6, 30),
        (0.5, 0.5, 0.1, 0.1), (3, 3, 2, 2), (0.5, 0.5, 0.3, 0.3), (FREE, FREE, POSITIVE, POSITIVE),
    ),
    "Hill": Kind(
        lambda t, v, k, h: v * t**h / (k**h + t**h), np.linspace(0.1, 10, 25),
        (1, 1, 0.8), (5, 5, 3.5), (1, 1, 0.6), (POSITIVE, POSITIVE, (0.1, 10)),
    ),
    "logistic": Kind(
        lambda t, top, k, m, low: low + (top - low) / (1 + np.exp(-k * (t - m))),
        np.linspace(-5, 5, 30), (2, 0.8, -1.5, -0.5), (6, 3, 1.5, 0.5), (1, 0.7, 1.2, 0.4),
        (POSITIVE, POSITIVE, (-5, 5), FREE),
    ),
    "Lorentzian": Kind(
        lambda t, a, m, w, c: a / (1 + ((t - m) / w) ** 2) + c, np.linspace(-5, 5, 50),
        (1, -2, 0.4, -0.5), (5, 2, 1.5, 0.5), (1, 0.8, 0.3, 0.4),
        (POSITIVE, (-5, 5), POSITIVE, FREE),
    ),
    "damped sine": Kind(
        lambda t, a, k, w, p: a * np.exp(-k * t) * np.sin(w * t + p), np.linspace(0, 8, 80),
        (1, 0.05, 1.5, 0.2), (4, 0.5, 4, 6.1), (0.5, 0.1, 0.1, 1.2),
        (POSITIVE, POSITIVE, POSITIVE, (0, TAU)),
    ),
    "power": Kind(
        lambda t, a, k, c: a * t**k + c, np.linspace(0.5, 5, 25),
        (0.5, 0.4, -1), (3, 2.5, 1), (1, 0.8, 1), (POSITIVE, (0, 5), FREE),
    ),
    "Gompertz": Kind(
        lambda t, a, b, k: a * np.exp(-b * np.exp(-k * t)), np.linspace(0, 10, 30),
        (2, 1, 0.3), (8, 5, 1), (1.5, 1, 0.2), (POSITIVE, POSITIVE, POSITIVE),
    ),
}  # fmt: skip


class Drawn(NamedTuple):
    """A model with data, a start and usual bounds."""

    model: Callable[..., Array]
    t: Array
    y: Array
    start: Array
    customary: tuple[tuple[float, float], ...]

    def residual(self, p: Array) -> Array:
        return self.model(self.t, *p) - self.y

    def jacobian(self, p: Array) -> Array:
        """Return the derivatives by the complex step."""
        step = 1e-30
        columns = []
        for j in range(p.size):
            q = p.astype(complex)
            q[j] += step * 1j
            columns.append(np.imag(self.model(self.t + 0j, *q)) / step)
        return np.stack(columns, axis=1)

    def cost(self, p: Array) -> float:
        f = self.residual(p)
        return 0.5 * float(f @ f)


def draw(name: str, random: Random) -> Drawn:
    kind = KINDS[name]
    true = random.uniform(kind.low, kind.high)
    y = kind.model(kind.t, *true)
    y = y + random.choice([1e-3, 0.02, 0.05]) * np.std(y) * random.standard_normal(y.size)
    spread = random.choice([0.5, 1.0, 2.0, 3.0]) * np.array(kind.spread)
    start = true + spread * random.uniform(-1, 1, true.size)
    lower, upper = np.transpose(kind.customary)
    # Usual bounds may exclude a part of the range of the starts.
    margin = 0.02 * np.array(kind.spread)
    return Drawn(
        kind.model, kind.t, y, np.clip(start, lower + margin, upper - margin), kind.customary
    )


def bounds_round(drawn: Drawn, solution: Array, random: Random) -> tuple[Array, Array] | None:
    """Return bounds that contain the solution and the start; None if the usual bounds do not."""
    n = solution.size
    low, high = np.minimum(solution, drawn.start), np.maximum(solution, drawn.start)
    if random.random() < 0.5:
        lower, upper = (np.array(side) for side in np.transpose(drawn.customary))
        return (lower, upper) if ((lower < low) & (high < upper)).all() else None
    size = np.abs(high - low) + 0.01 * np.abs(solution)
    lower = low - size * 10 ** random.uniform(-2, 1, n)
    upper = high + size * 10 ** random.uniform(-2, 1, n)
    share = random.choice([0.0, 0.3, 0.6])
    lower[random.random(n) < share] = -np.inf
    upper[random.random(n) < share] = np.inf
    return lower, upper


class Fit(NamedTuple):
    """The end of a fit, whether it reports success, and its calls of f."""

    x: Array
    success: bool
    calls: int


class Counted:
    """The residual, counting its calls."""

    def __init__(self, drawn: Drawn) -> None:
        self.drawn, self.calls = drawn, 0

    def __call__(self, p: Array) -> Array:
        self.calls += 1
        return self.drawn.residual(p)


Bounds = tuple[Array, Array]


def ours(drawn: Drawn, bounds: Bounds | None, analytic: bool) -> Fit:
    counted = Counted(drawn)
    problem = lmoo.FunctionProblem(counted, drawn.jacobian if analytic else None)
    try:
        result = lmoo.Solver(bounds=bounds).solve(problem, drawn.start)
    except lmoo.EvaluationError:
        return Fit(drawn.start, False, counted.calls)
    return Fit(result.x, result.success, counted.calls)


def trf(drawn: Drawn, bounds: Bounds, analytic: bool) -> Fit:
    counted = Counted(drawn)
    try:
        result = scipy.optimize.least_squares(
            counted, drawn.start, drawn.jacobian if analytic else "2-point", bounds,
            x_scale="jac", max_nfev=2000, **TIGHT,
        )  # fmt: skip
    except (ValueError, np.linalg.LinAlgError):
        return Fit(drawn.start, False, counted.calls)
    return Fit(result.x, result.success, counted.calls)


def with_lmfit(drawn: Drawn, bounds: Bounds, analytic: bool) -> Fit:
    """Solve with transformed parameters, by differences."""
    counted = Counted(drawn)
    parameters = lmfit.Parameters()
    for j, (value, low, high) in enumerate(zip(drawn.start, *bounds, strict=True)):
        parameters.add(f"p{j}", value=value, min=low, max=high)
    try:
        result = lmfit.minimize(
            lambda p: counted(np.array([v.value for v in p.values()])), parameters,
            method="leastsq", max_nfev=10_000, calc_covar=False, nan_policy="propagate", **TIGHT,
        )  # fmt: skip
    except (ValueError, TypeError):
        return Fit(drawn.start, False, counted.calls)
    return Fit(np.array([v.value for v in result.params.values()]), result.success, counted.calls)


METHODS: dict[str, Callable[[Drawn, Bounds, bool], Fit]] = {"lmoo": ours, "trf": trf}
if lmfit is not None:
    METHODS["lmfit"] = with_lmfit


def show(name: str, count: int, analytic: bool, lost: list[str]) -> Counter:
    random = np.random.default_rng(list(KINDS).index(name))
    seen: Counter[str] = Counter()
    ratios: dict[str, list[float]] = {who: [] for who in METHODS}
    for _ in range(100 * count):
        if seen["of"] == count:
            break
        drawn = draw(name, random)
        free = ours(drawn, None, analytic)
        bounds = bounds_round(drawn, free.x, random)
        if not free.success or bounds is None:
            continue
        seen["of"] += 1
        cost = drawn.cost(free.x)
        slack = max(SAME * cost, 0.5 * (EXACT * np.linalg.norm(drawn.y)) ** 2)
        for who, method in METHODS.items():
            fit = method(drawn, bounds, analytic)
            same = drawn.cost(fit.x) <= cost + slack
            seen[who] += same
            seen[f"{who} false"] += fit.success and not same
            seen[f"{who} failed"] += not fit.success
            if same:
                ratios[who].append(fit.calls / free.calls)
            elif who == "lmoo":
                lost.append(
                    f"{name}: start {drawn.start}, free {free.x} {cost:.4g}, "
                    f"bounded {fit.x} {drawn.cost(fit.x):.4g} success {fit.success}, "
                    f"lower {bounds[0]}, upper {bounds[1]}"
                )
    print(f"{name:<18}{seen['of']:>6}" + cells(seen, ratios), flush=True)
    for who, values in ratios.items():
        seen[f"{who} sum"] = sum(values)
    return seen


def cells(seen: Counter, ratios: dict[str, list[float]]) -> str:
    row = ""
    for who, values in ratios.items():
        share = seen[who] / max(seen["of"], 1)
        median = np.median(values) if values else np.nan
        row += f"{share:>10.1%}{seen[f'{who} false']:>7}{seen[f'{who} failed']:>8}"
        row += f"{median:>8.2f}{max(values, default=np.nan):>8.1f}"
    return row


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--only", default="", help="kinds, with semicolons")
    parser.add_argument("--jac", action="store_true", help="give the Jacobian")
    parser.add_argument("--verbose", action="store_true", help="list all fits that bounds lose")
    options = parser.parse_args()
    print(versions("scipy"), "" if lmfit is None else f"lmfit {lmfit.__version__}")
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    np.set_printoptions(precision=4, linewidth=200)
    print(f"{'':<24}" + "".join(f"{who:>10}{'':<31}" for who in METHODS))
    print(
        f"{'kind':<18}{'of':>6}"
        + len(METHODS) * f"{'same':>10}{'false':>7}{'failed':>8}{'calls':>8}{'worst':>8}"
    )
    lost: list[str] = []
    total: Counter = Counter()
    for kind in options.only.split(";") if options.only else KINDS:
        total += show(kind, -(-options.count // len(KINDS)), options.jac, lost)
    print(f"{'all':<18}{total['of']:>6}" + "".join(
        f"{total[who] / total['of']:>10.2%}{total[f'{who} false']:>7}{total[f'{who} failed']:>8}"
        f"{total[f'{who} sum'] / max(total[who], 1):>8.2f}{'':>8}" for who in METHODS
    ))  # fmt: skip
    print("calls: over those of lmoo without bounds, where the same; median, in the last row mean")
    print(f"lost by lmoo: {len(lost)}")
    for line in lost if options.verbose else lost[:15]:
        print(f"  {line}")
