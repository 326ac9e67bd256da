"""Traces of functions of all points, of loops over points, and of arrays of parameters."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lmoo
from lmoo import CurveProblem, Solver
from lmoo.models.tracing.evaluation import evaluation_of

T = np.linspace(0.1, 4.0, 24)
X = np.array([1.7, 0.8])
KERNEL = np.exp(-np.arange(7.0) / 2)
MATRIX = np.random.default_rng(0).standard_normal((24, 24))


def decay(t, a, b):
    return a * np.exp(-b * t)


def stored(t, a, b):
    out = np.zeros(len(t))
    for k in range(len(t)):
        out[k] = a * math.exp(-b * t[k])
    return out


def recurrence(t, a, b):
    out = np.empty_like(t)
    out[0] = a
    for k in range(1, t.size):
        out[k] = out[k - 1] * (1.0 - b * (t[k] - t[k - 1])) + 0.01 * a
    return out


def appended(t, a, b):
    out = []
    for u in t:
        if u < b:
            out.append(a * u)
        elif u < 2.0 * b:
            out.append(a * b)
        else:
            out.append(a * b * math.exp(2.0 * b - u))
    return np.array(out)


def susceptible(t, a, b):
    s, i, found = 1.0, 0.05 * a, []
    for _ in range(t.size):
        found.append(i)
        s, i = s - 0.3 * b * s * i, i + 0.3 * b * s * i - 0.1 * i
    return np.array(found)


def smoothed(t, a, b):
    y = decay(t, a, b)
    out = y.copy()
    out[1:-1] = (y[:-2] + y[1:-1] + y[2:]) / 3.0
    return out


def cumulated(t, a, b):
    y = decay(t, a, b)
    return np.concatenate([[0.0], np.cumsum(0.5 * (y[1:] + y[:-1]) * np.diff(t))])


OF_ALL_POINTS: dict[str, Callable[..., Any]] = {
    "greatest": lambda t, a, b: decay(t, a, b) / np.exp(-b * t).max() + a,
    "least": lambda t, a, b: a * t - np.min(np.cos(b * t)),
    "mean": lambda t, a, b: decay(t, a, b) - np.mean(decay(t, 1.0, b)),
    "area": lambda t, a, b: a * np.exp(-b * t) / np.trapezoid(np.exp(-b * t), t),
    "first": lambda t, a, b: a + decay(t, a, b) / decay(t, a, b)[0],
    "last": lambda t, a, b: a * np.log(1 + b * t) / np.log(1 + b * t)[-1],
    "norm": lambda t, a, b: a * t / np.linalg.norm(np.exp(-b * t)) + np.sin(b * t),
    "deviation": lambda t, a, b: a * t / np.std(np.exp(-b * t)) + np.sin(b * t),
    "softmax": lambda t, a, b: a * np.exp(b * t - (b * t).max()) / np.exp(b * t).sum(),
    "cumulative": lambda t, a, b: np.cumsum(decay(t, a, b)),
    "product": lambda t, a, b: np.cumprod(1.0 - 0.01 * decay(t, a, b)),
    "reversed": lambda t, a, b: decay(t, a, b)[::-1],
    "flipped": lambda t, a, b: np.flip(decay(t, a, b)),
    "rolled": lambda t, a, b: np.roll(decay(t, a, b), 3),
    "convolved": lambda t, a, b: np.convolve(decay(t, a, b), KERNEL)[: t.size],
    "convolved to the same size": lambda t, a, b: np.convolve(decay(t, a, b), KERNEL, "same"),
    "by a matrix": lambda t, a, b: MATRIX @ decay(t, a, b),
    "by indices": lambda t, a, b: decay(t, a, b)[np.arange(t.size)[::-1]],
    "by repetition": lambda t, a, b: decay(t[:12], a, b).repeat(2),
    "complex": lambda t, a, b: np.cumsum(a * np.exp((1j - b) * t)).real,
    "comprehension": lambda t, a, b: np.array([a * math.exp(-b * u) for u in t]),
    "enumerated": lambda t, a, b: np.array([a * u**k + b for k, u in enumerate(t / 4)]),
    "stored": stored,
    "recurrence": recurrence,
    "appended": appended,
    "susceptible": susceptible,
    "smoothed": smoothed,
    "cumulated": cumulated,
}

CENTERS = np.array([0.5, 1.5, 3.0])


@dataclasses.dataclass
class Peak:
    center: Any
    width: Any

    def value(self, t):
        return np.exp(-(((t - self.center) / self.width) ** 2))


class Base:
    scale = 2.0

    def rate(self, b):
        return math.exp(-b) * self.scale

    def f(self, t, a, b):
        return decay(t, a, self.rate(b))


class Derived(Base):
    @property
    def offset(self):
        return 0.5

    def f(self, t, a, b):
        return super().f(t, a, b) + self.offset * a


def with_axes(t, a, b):
    x = t[:, None] - CENTERS
    inside = (x > -b) & (x < b)
    return (a * np.where(inside, np.maximum(1.0 - np.abs(x) / b, 0.0), 0.0)).sum(axis=1)


def with_orders(t, a, b):
    low, high = np.sort(np.array([a, b]))
    return high * np.exp(-low * t)


def measured(t, a, b):
    try:
        n = len(t)
    except TypeError:
        n, t = 1, np.array([t])
    return decay(t, a, b) * n


def filled(t, a, b):
    settings = {"n": 3}
    out = np.zeros_like(t)
    for k in range(settings["n"]):
        out += np.where(t > 0.2 * k, a * np.exp(-b * k * t), 0.0)
    return out


OTHERS: dict[str, Callable[..., Any]] = {
    "axes": with_axes,
    "orders": with_orders,
    "lengths": measured,
    "filled": filled,
    "sinc of axes": lambda t, a, b: a * np.sinc(b * (t[:, None] - CENTERS)).mean(axis=-1),
    "clipped axes": lambda t, a, b: a * np.clip(b * (t[:, None] - CENTERS), 0, 1).max(axis=1),
    "complex axes": lambda t, a, b: a * np.exp(1j * b * np.outer(t, CENTERS)).sum(axis=1).real,
    "complex root": lambda t, a, b: a * np.abs(np.sqrt((t - 2.0) * b + 0j) + 0.3),
    "complex root of both": lambda t, a, b: a * np.sqrt((t - 2.0) + 1j * b * (t - 3)).imag,
    "root of a limit": lambda t, a, b: a * np.sqrt(np.clip(b * (t - 2.0), 0, None)),
    "new objects": lambda t, a, b: a * sum(Peak(c, b).value(t) for c in CENTERS),
    "inherited": Derived().f,
}


@pytest.mark.parametrize("name", [*OF_ALL_POINTS, *OTHERS])
def test_values_and_derivatives(name: str) -> None:
    f = {**OF_ALL_POINTS, **OTHERS}[name]
    for x in (X, np.array([0.4, 1.9])):
        found = evaluation_of(CurveProblem(f, T, f(T, *x)), x)
        assert found is not None
        assert found.reason is None, found.reason
        value, slopes = (found.model._evaluate(found.points[None], x[None], d)[0] for d in (0, 1))
        np.testing.assert_allclose(value, f(T, *x), rtol=1e-12, atol=1e-13)
        for j in range(2):
            h = 1e-3 * x[j] * np.eye(2)[j]
            near, far = (f(T, *(x + k * h)) - f(T, *(x - k * h)) for k in (1, 2))
            by_differences = (8.0 * near - far) / (12.0 * h[j])
            error = np.abs(slopes[j] - by_differences)
            # Kinks between the points of the differences are met at some t.
            assert np.quantile(error, 0.8) < 1e-8 * (1.0 + np.abs(by_differences).max())


@pytest.mark.parametrize("name", OF_ALL_POINTS)
def test_fits_have_the_same_answer(name: str) -> None:
    f = OF_ALL_POINTS[name]
    y = f(T, *X) + 1e-3 * np.cos(9 * T)
    found, expected = (
        lmoo.curve_fit(f, T, y, [1.6, 0.83], trace=trace, full_output=True)[:3]
        for trace in (True, False)
    )
    costs = [np.sum(each[2]["fvec"] ** 2) for each in (found, expected)]
    assert costs[0] == pytest.approx(costs[1], rel=1e-8)
    errors = np.sqrt(np.diag(expected[1]))
    assert (np.abs(found[0] - expected[0]) <= 1e-3 * errors).all()


def test_a_loop_becomes_one_formula() -> None:
    for f in (OF_ALL_POINTS["comprehension"], stored):
        found = evaluation_of(CurveProblem(f, T, decay(T, *X)), X)
        assert found is not None
        assert len(found.model.model.steps) <= 7


def test_the_points_must_be_known() -> None:
    for name, f in OF_ALL_POINTS.items():
        if name not in ("comprehension", "appended"):  # One formula for any point.
            with pytest.raises(lmoo.TraceError):
                lmoo.trace(f, 2)
    assert str(lmoo.trace(OF_ALL_POINTS["comprehension"])) == "a*exp(-b*t)"
    model = lmoo.trace(appended)
    np.testing.assert_allclose(model(T, *X), appended(T, *X), rtol=1e-14)
    f = OF_ALL_POINTS["first"]
    result = Solver().solve(lmoo.CurveBlocks(f, T, f(T, *X)), [1.6, 0.83])
    assert result.evaluation.startswith("called, because")


def test_other_points_are_traced_again() -> None:
    f = OF_ALL_POINTS["greatest"]
    for t in (T, T + 0.7, T[:15]):
        result = Solver().solve(CurveProblem(f, t, f(t, *X)), [1.6, 0.83])
        assert result.evaluation.startswith("compiled")
        np.testing.assert_allclose(result.x, X, rtol=1e-7)


def test_what_would_be_too_long_is_called() -> None:
    t = np.linspace(0.1, 4.0, 2000)
    for f in (
        lambda t, a, b: decay(t, a, b) - decay(t, a, b).mean(),
        lambda t, a, b: a * np.cumsum(t**b),
    ):
        result = Solver().solve(CurveProblem(f, t, f(t, *X)), [1.6, 0.83])
        assert "values of single points are combined, of more points" in result.evaluation
        np.testing.assert_allclose(result.x, X, rtol=1e-6)


def reason(f: Callable[..., Any]) -> str:
    result = Solver().solve(CurveProblem(f, T, decay(T, *X)), [1.6, 0.83])
    return result.evaluation


def test_what_is_refused() -> None:
    def changed(t, a, b):
        t[0] = b
        return decay(t, a, b)

    def mixed(t, a, b):
        return np.array([a * math.exp(-b * u) if u < b else 0.0 * u for u in t]) * decay(
            t, 1.0, sum(u if u < b else 0.0 * b for u in t)
        )

    def caught(t, a, b):
        try:
            return decay(t, a, math.log(b))
        except ValueError:
            return decay(t, a, b)

    with pytest.raises(lmoo.TraceError, match="an argument of the function is changed in place"):
        lmoo.curve_fit(changed, T.copy(), decay(T, *X), trace=True)
    assert "a branch depends on a value" in reason(mixed)
    assert "an exception is caught" in reason(caught)
    assert "combines points" in reason(
        lambda t, a, b: b * t + (a * t[:, None] * CENTERS).sum(0).sum()
    )


def test_values_next_to_the_start_are_compared() -> None:
    calls: list[Any] = []

    class Hidden(np.ndarray):
        """An array that a trace does not follow, of 0 at the start."""

    def f(t, a, b):
        return decay(t, a, b) + (np.diff(((a - 1.0) * t)[:, None], axis=0)).sum()

    found = evaluation_of(CurveProblem(f, T, f(T, 1.0, 0.8)), np.array([1.0, 0.8]))
    assert found is not None
    assert found.problem is None or not calls
    result = Solver().solve(CurveProblem(f, T, f(T, *X)), [1.0, 0.8])
    np.testing.assert_allclose(result.x, X, rtol=1e-7)


def test_a_point_of_a_loop_with_a_branch_is_not_combined_with_all_points() -> None:
    """The rounds of such a loop are recorded for a few points, which stand for all."""

    def f(t: Any, a: Any, b: Any) -> Any:
        y = 0.0 * t
        for u in t:
            y = y + np.exp(-b * (t - u) ** 2) if a * u > 1.0 else y + a * t
        return y

    problem = CurveProblem(f, T, f(T, *X))
    found: Any = evaluation_of(problem, X)
    assert found.reason is not None
    assert "branch" in found.reason


@pytest.mark.parametrize("kind", ["small steps", "a fine grid"])
def test_long_calculations_are_called(kind: str) -> None:
    steps = 40

    def euler(t: Any, a: Any, b: Any) -> Any:
        out = np.empty(t.size)
        y, last = a, t[0]
        for k, now in enumerate(t):
            h = (now - last) / steps
            for _ in range(steps):
                y = y - h * b * y * (1.0 - y / 10.0)
            out[k], last = y, now
        return out

    def on_a_grid(t: Any, a: Any, b: Any) -> Any:
        fine = np.linspace(0.0, t[-1], 3000)
        return np.interp(t, fine, np.convolve(a * np.exp(-b * fine), KERNEL)[: fine.size])

    f = euler if kind == "small steps" else on_a_grid
    y = f(T, *X)
    found: Any = evaluation_of(CurveProblem(f, T, y), X)
    assert found.reason is not None
    assert "more than" in found.reason
    np.testing.assert_allclose(lmoo.curve_fit(f, T, y, [1.5, 1.0])[0], X, rtol=1e-6)


def test_deep_formulas_of_many_points_are_called() -> None:
    """One for each point, each deeper than that before it: no RecursionError."""

    def f(t: Any, a: Any, b: Any) -> Any:
        out, y = [], a
        for k in range(t.size):
            y = y - 0.001 * b * y * t[k]
            out.append(y)
        return np.array(out)

    t = np.linspace(0.1, 4.0, 900)
    found: Any = evaluation_of(CurveProblem(f, t, f(t, *X)), X)
    assert found.reason is not None
    np.testing.assert_allclose(lmoo.curve_fit(f, t, f(t, *X), [1.5, 1.0])[0], X, rtol=1e-6)
