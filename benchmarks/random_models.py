"""Random fits of twelve kinds, drawn from a seed: model, data, starting point, bounds, noise."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

Array = np.ndarray
Random = np.random.Generator
Model = Callable[[Array, Array], Array]

ROUNDING = 1e-7  # residuals below this, relative to |y|, count as exact fits


class Drawn(NamedTuple):
    """A problem: exact model, data, starting point, bounds, and the model with noise."""

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
        """Return the residual that the solver gets, with noise."""
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
        """Cost below which differences are rounding errors or noise."""
        size = max(ROUNDING, 10 * self.noise) * float(np.linalg.norm(self.y))
        return 0.5 * size * size


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
    """Return the fit of an exponential on a random interval of t, from (1, 1, 1)."""
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
    """Return a fit of two exponentials with similar rates, which is nearly singular."""

    def model(t: Array, p: Array) -> Array:
        return p[0] * np.exp(-p[1] * t) + p[2] * np.exp(-p[3] * t)

    t = np.linspace(0, 5, 40)
    rate = random.uniform(0.5, 2)
    ratio = 1 + 10 ** random.uniform(-2, 0)
    true = np.array([random.uniform(1, 3), rate, random.uniform(1, 3), rate * ratio])
    start = away(random, true, 0.4)
    return Drawn(model, t, observed(random, model, t, true), start)


def _box(random: Random, true: Array, start: Array) -> tuple[tuple[Array, Array], Array]:
    """Return random bounds, which may exclude the true parameters, and the clipped start."""
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
    """Return a decay with a starting point near the solution, for models with noise."""
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
