"""Random problems with bounds, and what must hold of any solution of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import lmoo

Array = np.ndarray
Random = np.random.Generator
EPS = 2.0**-52


class Bounded(lmoo.Problem):
    """A problem in a box that notes whether it was ever asked for a point outside."""

    def __init__(
        self,
        f: Callable[[Array], Array],
        J: Callable[[Array], Array],
        bounds: tuple[Array, Array],
        start: Array,
    ) -> None:
        self.f, self.J, self.bounds, self.start = f, J, bounds, start
        self.calls = self.outside = 0

    def look(self, x: Array) -> None:
        """Note a point that an evaluation is asked for."""
        lower, upper = self.bounds
        self.outside += not ((lower <= x.real) & (x.real <= upper)).all()

    def residual(self, x: Array) -> Array:
        self.calls += 1
        self.look(x)
        with np.errstate(all="ignore"):
            return self.f(x)

    def jacobian(self, x: Array) -> Array:
        self.look(x)
        with np.errstate(all="ignore"):
            return self.J(x)


# ---- the kinds -------------------------------------------------------------------------------

Model = tuple[Callable[[Array], Array], Callable[[Array], Array], Array]


def _linear(random: Random, n: int) -> Model:
    m = n + int(random.integers(0, 6))
    A, b = random.normal(size=(m, n)) * 10.0 ** random.uniform(-3, 3, n), random.normal(size=m)
    center = np.linalg.lstsq(A, b, rcond=None)[0]
    return lambda x: A @ x - b, lambda x: A, center


def _deficient(random: Random, n: int) -> Model:
    """A linear model of a rank below n."""
    m, rank = n + int(random.integers(0, 6)), max(n - 1, 1)
    A = random.normal(size=(m, rank)) @ random.normal(size=(rank, n))
    b = random.normal(size=m)
    return lambda x: A @ x - b, lambda x: A, random.normal(size=n)


def _mild(random: Random, n: int) -> Model:
    m = n + int(random.integers(0, 6))
    A, B, b = random.normal(size=(m, n)), random.normal(size=(m, n)), random.normal(size=m)
    return (
        lambda x: A @ x + 0.3 * np.sin(B @ x) - b,
        lambda x: A + 0.3 * np.cos(B @ x)[:, None] * B,
        np.linalg.lstsq(A, b, rcond=None)[0],
    )


def _exponentials(random: Random, n: int) -> Model:
    """Amplitudes and rates of up to two decays, and a background where n is odd."""
    pairs = max(min(n // 2, 2), 1)
    t = np.linspace(0.0, 4.0, 2 * n + 8)
    true = np.concatenate([random.uniform(0.5, 3.0, pairs), random.uniform(0.2, 3.0, pairs),
                           random.normal(size=n % 2 if n > 1 else 0)])  # fmt: skip

    def f(x: Array) -> Array:
        a, b = x[:pairs], x[pairs : 2 * pairs]
        return np.exp(-np.outer(t, b)) @ a + x[2 * pairs :].sum() - y

    def jacobian(x: Array) -> Array:
        a, b = x[:pairs], x[pairs : 2 * pairs]
        e = np.exp(-np.outer(t, b))
        return np.hstack([e, -t[:, None] * e * a, np.ones((t.size, x.size - 2 * pairs))])

    y = np.zeros(t.size)
    y = f(true) + 0.05 * random.normal(size=t.size)
    return f, jacobian, true


def _rational(random: Random, n: int) -> Model:
    """Michaelis and Menten's, with a background where n > 2."""
    t = np.linspace(0.1, 5.0, 14)
    true = np.array([random.uniform(0.5, 3.0), random.uniform(0.1, 3.0), random.normal()])[
        : 3 if n > 2 else 2
    ]

    def f(x: Array) -> Array:
        return x[0] * t / (x[1] + t) + x[2:].sum() - y

    def jacobian(x: Array) -> Array:
        part = t / (x[1] + t)
        columns = [part, -x[0] * part / (x[1] + t), np.ones(t.size)]
        return np.column_stack(columns[: x.size])

    y = np.zeros(t.size)
    y = f(true) + 0.05 * random.normal(size=t.size)
    return f, jacobian, true


def _domain(random: Random, n: int) -> Model:
    """Logarithms, roots and reciprocals, which have no value at 0 or below, or no slope."""
    m = n + int(random.integers(0, 6))
    A, B, C = (random.normal(size=(m, n)) for _ in range(3))
    B *= random.uniform() < 0.5
    C *= random.uniform() < 0.5
    true = 10.0 ** random.uniform(-3, 1, n)

    def f(x: Array) -> Array:
        return A @ np.log(x) + B @ np.sqrt(x) + 0.01 * C @ (1.0 / x) - y

    def jacobian(x: Array) -> Array:
        return A / x + 0.5 * B / np.sqrt(x) - 0.01 * C / x**2

    y = np.zeros(m)
    y = f(true) + 0.1 * random.normal(size=m)
    return f, jacobian, true


KINDS: dict[str, Callable[[Random, int], Model]] = {
    "linear": _linear,
    "deficient": _deficient,
    "mild": _mild,
    "exponentials": _exponentials,
    "rational": _rational,
    "domain": _domain,
}


def draw(kind: str, seed: int) -> Bounded:
    """Return a problem of this kind; its box holds the unbounded solution or cuts it off."""
    random = np.random.default_rng(seed)
    f, jacobian, center = KINDS[kind](random, int(random.integers(1, 6)))
    n = center.size
    size = np.maximum(np.abs(center), 0.1)
    middle = center + size * random.normal(size=n) * random.choice([0.2, 1.0])
    width = size * 10.0 ** random.uniform(-1.5, 1.0, n)
    lower = np.where(random.uniform(size=n) < 0.2, -np.inf, middle - width)
    upper = np.where(random.uniform(size=n) < 0.2, np.inf, middle + width)
    if kind == "domain":
        lower = np.where(random.uniform(size=n) < 0.5, 0.0, np.maximum(lower, 0.0))
        upper = np.where(upper <= lower, lower + 1.0, upper)
    elif kind == "exponentials":
        # Faster growth overflows, and nothing is to be seen beside it.
        pairs = max(min(n // 2, 2), 1)
        rates = slice(pairs, 2 * pairs)
        lower[rates] = np.maximum(lower[rates], -2.0)
        upper[rates] = np.maximum(upper[rates], lower[rates] + 1.0)
    elif kind == "rational":
        lower[1] = max(lower[1], 0.0)
        upper[1] = max(upper[1], lower[1] + 1.0)
    share = random.uniform(0.02, 0.98, n)
    if kind != "domain" and random.uniform() < 0.4:
        # Some parameters start at a bound.
        share = np.where(random.uniform(size=n) < 0.5, random.choice([0.0, 1.0], n), share)
    left = np.where(np.isfinite(lower), lower, np.minimum(middle, upper) - 2.0 * width)
    right = np.where(np.isfinite(upper), upper, np.maximum(middle, lower) + 2.0 * width)
    start = np.clip(left + share * (right - left), lower, upper)
    return Bounded(f, jacobian, (lower, upper), start)


# ---- what must hold --------------------------------------------------------------------------


def projected_cosines(problem: Bounded, x: Array) -> Array:
    """Cosines between f and the columns of J, 0 where the gradient pushes against a bound."""
    lower, upper = problem.bounds
    with np.errstate(all="ignore"):
        f, J = problem.f(x), problem.J(x)
    norms = np.linalg.norm(J, axis=0) * np.linalg.norm(f)
    cosines = np.divide(J.T @ f, norms, out=np.zeros(x.size), where=norms > 0.0)
    held = ((x <= lower) & (cosines > 0.0)) | ((x >= upper) & (cosines < 0.0))
    return np.where(held, 0.0, cosines)


def hidden(problem: Bounded, x: Array) -> float:
    """Cosine below which rounding hides what a step would gain; 1 where f is all rounding."""
    with np.errstate(all="ignore"):
        f, J = problem.f(x), problem.J(x)
    size = float((np.linalg.norm(J, axis=0) * np.abs(x)).max())
    fnorm = float(np.linalg.norm(f))
    # x is asked for to 1e-10: of a residual that vanishes there, this much may be left.
    if fnorm <= 1e-10 * size:
        return 1.0
    return float(np.sqrt(4.0 * EPS * (1.0 + size / fnorm)))


def is_stationary(problem: Bounded, x: Array) -> bool:
    """Whether the projected gradient is zero: to 1e-6 relatively, or to what can be seen.

    Of a parameter on its way to infinity it is what a step by its own size would bring.
    """
    with np.errstate(all="ignore"):
        f, J = problem.f(x), problem.J(x)
        share = np.linalg.norm(J, axis=0) * np.abs(x) / np.linalg.norm(f)
    share = np.where((np.abs(x) > 1.0) & (share < 1e-6), share, 1.0)
    worst = float(np.abs(projected_cosines(problem, x) * share).max())
    return worst <= max(1e-6, hidden(problem, x))
