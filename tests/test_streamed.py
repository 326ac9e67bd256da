"""Tall curves whose derivatives go into the factorisation block by block."""

from __future__ import annotations

import gc
import itertools
import pickle
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lmoo

Array = np.ndarray
M = 60_000  # so many rows are streamed
LONG = 400_000  # most of the memory is in vectors


def peak(t: Any, a: Any, m: Any, s: Any, c: Any, d: Any) -> Any:
    return a * np.exp(-0.5 * ((t - m) / s) ** 2) + c + d * t


def jacobian(t: Array, a: float, m: float, s: float, c: float, d: float) -> Array:
    z = (t - m) / s
    e = np.exp(-0.5 * z * z)
    return np.stack([e, a * e * z / s, a * e * z * z / s, np.ones_like(t), t], axis=1)


def plane(t: Any, a: Any, b: Any, c: Any, d: Any, e: Any) -> Any:
    return a * np.exp(-b * t[0]) + c * np.cos(d * t[1]) + e


TRUE = np.array([3.0, 2.0, 0.5, 1.0, -0.2])
START = [2.5, 2.2, 0.6, 0.5, 0.0]


def data(seed: int = 0, m: int = M) -> tuple[Array, Array]:
    t = np.linspace(0.0, 5.0, m)
    return t, peak(t, *TRUE) + 0.1 * np.random.default_rng(seed).standard_normal(m)


def both(**options: Any) -> tuple[lmoo.CurveProblem, lmoo.CurveProblem]:
    """Return the problem with a traced model, and with a function and its Jacobian."""
    t, y = data()
    return (
        lmoo.CurveProblem(peak, t, y, trace=True, **options),
        lmoo.CurveProblem(peak, t, y, jac=jacobian, trace=False, **options),
    )


def assert_same(streamed: lmoo.Result, called: lmoo.Result) -> None:
    assert streamed.evaluation.startswith("compiled")
    assert streamed.success
    assert streamed.nit == called.nit
    np.testing.assert_allclose(streamed.x, called.x, rtol=1e-11)
    np.testing.assert_allclose(streamed.stderr, called.stderr, rtol=1e-9)
    np.testing.assert_allclose(streamed.cost, called.cost, rtol=1e-12)


@pytest.mark.parametrize("sigma", [None, 0.1, "each"])
@pytest.mark.parametrize("loss", ["linear", "soft_l1", "cauchy"])
def test_the_fit_is_that_with_a_stored_jacobian(sigma: Any, loss: str) -> None:
    if sigma == "each":
        sigma = np.linspace(0.05, 0.2, M)
    solver = lmoo.Solver(loss=loss, f_scale=0.5)
    streamed, called = (solver.solve(problem, START) for problem in both(sigma=sigma))
    assert_same(streamed, called)
    np.testing.assert_allclose(streamed.covariance(), called.covariance(), rtol=1e-8, atol=1e-20)


def test_bounds_and_fixed_parameters() -> None:
    solver = lmoo.Solver(bounds={"s": (0.55, 2.0)}, fixed={"d": -0.2})
    streamed, called = (solver.solve(problem, [2.5, 2.2, 0.6, 0.5, -0.2]) for problem in both())
    assert_same(streamed, called)
    assert streamed.active_mask.tolist() == [0, 0, -1, 0, 0]


def test_several_variables() -> None:
    rng = np.random.default_rng(1)
    t = rng.uniform(0, 4, (2, M))
    true = [2.0, 0.7, 1.0, 1.5, 0.3]
    y = plane(t, *true) + 0.05 * rng.standard_normal(M)
    streamed, called = (
        lmoo.Solver().solve(lmoo.CurveProblem(plane, t, y, trace=trace), [1.5, 1.0, 0.8, 1.4, 0.0])
        for trace in (True, False)
    )
    assert streamed.evaluation.startswith("compiled")
    assert streamed.success
    assert called.success
    np.testing.assert_allclose(streamed.x, called.x, rtol=1e-7)
    np.testing.assert_allclose(streamed.stderr, called.stderr, rtol=1e-5)


@pytest.mark.parametrize("step", [lmoo.GeodesicAcceleration(), lmoo.Nielsen(), lmoo.More()])
def test_step_strategies(step: lmoo.Step) -> None:
    solver = lmoo.Solver(step=step)
    streamed, called = (solver.solve(problem, START) for problem in both())
    assert_same(streamed, called)


def test_threads_change_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    # As many as are worth threads.
    problem = lmoo.CurveProblem(peak, *data(m=900_000), trace=True)
    found = []
    for threads in ("1", "2", "5"):
        monkeypatch.setenv("LMOO_NUM_THREADS", threads)
        result = lmoo.Solver().solve(problem, START)
        found.append((result.x.tobytes(), result.cost, result.nfev))
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("step", [None, lmoo.GeodesicAcceleration()])
def test_a_stored_solve_continues_with_the_same_bits(step: lmoo.Step | None) -> None:
    problem = both()[0]
    iteration = lmoo.Solver(step=step).iterate(problem, START)
    for _ in range(3):
        next(iteration)
    again = pickle.loads(pickle.dumps(iteration))
    rest = [record.cost for record in iteration]
    assert rest
    assert [record.cost for record in again] == rest
    assert again.result.x.tobytes() == iteration.result.x.tobytes()


def test_what_is_asked_of_a_result() -> None:
    streamed, called = (lmoo.Solver().solve(problem, START) for problem in both())
    np.testing.assert_allclose(streamed.leverage, called.leverage, rtol=1e-6)
    np.testing.assert_allclose(streamed.residual, called.residual, atol=1e-9)
    np.testing.assert_allclose(streamed.jacobian(), called.jacobian(), rtol=1e-6, atol=1e-6)


def test_the_median_is_the_scale_of_a_loss() -> None:
    solver = lmoo.Solver(loss="huber", f_scale="mad")
    streamed, called = (solver.solve(problem, START) for problem in both())
    np.testing.assert_allclose(streamed.x, called.x, rtol=1e-9)
    np.testing.assert_allclose(streamed.robust.scale, called.robust.scale, rtol=1e-9)


def test_derivatives_that_are_not_finite_at_the_start_are_not_used() -> None:
    def root(t: Any, a: Any, b: Any, c: Any, d: Any, e: Any) -> Any:
        return a * np.sqrt(b - 1.0) * t + c + d * t**2 + e * t**3

    t = np.linspace(0.0, 1.0, M)
    y = root(t, 1.0, 2.0, 0.5, 0.1, 0.0)
    result = lmoo.Solver(fixed={"a": 1.0}).solve(
        lmoo.CurveProblem(root, t, y), [1.0, 1.0, 0.0, 0.0, 0.0]
    )
    # The derivative by b at b = 1 is infinite; differences are not.
    assert result.evaluation.startswith("called")
    np.testing.assert_allclose(result.cost, 0.0, atol=1e-12)


def test_a_built_in_model() -> None:
    model = lmoo.models.Gaussian()
    t, _ = data()
    y = model(t, 2.0, 2.5, 0.4, 0.5) + 0.1 * np.random.default_rng(2).standard_normal(t.size)
    streamed = lmoo.Solver().solve(model.problem(t, y), [1.5, 2.4, 0.5, 0.4])
    small = lmoo.Solver().solve(model.problem(t[::10].copy(), y[::10].copy()), [1.5, 2.4, 0.5, 0.4])
    assert streamed.success
    np.testing.assert_allclose(streamed.x, small.x, rtol=0.05)


# ---- memory --------------------------------------------------------------------------------------


def peak_of(call: Callable[[], Any]) -> float:
    """Return the peak memory of a call, in vectors of LONG numbers."""
    call()
    gc.collect()
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1] / (8 * LONG)
    finally:
        tracemalloc.stop()


def whole(t: Any, y: Any, sigma: Any) -> Callable[[], Any]:
    return lambda: lmoo.curve_fit(peak, t, y, START, sigma)


def full(t: Any, y: Any, sigma: Any) -> Callable[[], Any]:
    return lambda: lmoo.curve_fit(peak, t, y, START, sigma, full_output=True)


def solved(t: Any, y: Any, sigma: Any) -> Callable[[], Any]:
    problem = lmoo.CurveProblem(peak, t, y, sigma)
    return lambda: lmoo.Solver().solve(problem, START)


def robust(t: Any, y: Any, sigma: Any) -> Callable[[], Any]:
    problem = lmoo.CurveProblem(peak, t, y, sigma)
    return lambda: lmoo.Solver(loss="huber").solve(problem, START)


# The weights of a sigma are one vector, the factors of rows that a loss needs three, and what
# scipy's dictionary contains of the Jacobian five.
@pytest.mark.parametrize(
    ("fit", "weights", "more"), [(whole, 1, 0), (solved, 0, 0), (robust, 0, 3), (full, 1, 5)]
)
@pytest.mark.parametrize("weighted", [False, True])
def test_a_fit_needs_two_residuals_or_the_memory_of_its_function(
    fit: Any, weights: int, more: int, weighted: bool
) -> None:
    t, y = data(m=LONG)
    own = peak_of(lambda: peak(t, *TRUE))
    sigma = np.full(LONG, 0.1) if weighted else None
    # The rest is the work space of the parts, which does not grow.
    assert peak_of(fit(t, y, sigma)) < max(own, 2.0) + weights * weighted + more + 1.0


@pytest.mark.parametrize("loss", ["linear", "cauchy"])
def test_what_has_been_freed_is_evaluated_again(loss: str) -> None:
    iteration = lmoo.Solver(loss=loss).iterate(both()[0], START)
    list(iteration)
    loop: Any = iteration._loop
    questions: list[Callable[[], Any]] = [
        lambda: loop.residual,
        lambda: np.column_stack(loop.rows_at_end()),
        lambda: np.stack(loop.snapshot()["vectors"]),
        lambda: np.array([loop.advance(), loop.nfev, loop.njev]),
    ]
    for ask in questions:
        loop.release()
        freed = ask()
        assert freed.size
        np.testing.assert_array_equal(freed, ask())
    loop.release()
    np.testing.assert_allclose(loop.residual, iteration.result.residual, atol=1e-9)


def test_a_point_without_derivatives_is_left() -> None:
    # The residual of the point before, to which the iteration returns, is evaluated again.
    def root(t: Any, a: Any, m: Any, s: Any, c: Any, d: Any) -> Any:
        return a * np.exp(-0.5 * ((t - m) / s) ** 2) + np.sqrt(c + abs(c)) * t + d

    def derivatives(t: Array, a: float, m: float, s: float, c: float, d: float) -> Array:
        with np.errstate(invalid="ignore"):
            by_c = t / np.sqrt(2.0 * c)
        rows = jacobian(t, a, m, s, d, 0.0)
        return np.column_stack([rows[:, :3], by_c, rows[:, 3]])

    t = np.linspace(0.1, 5.0, M)
    y = root(t, 3.0, 2.0, 0.5, 4.5e-4, 1.0) + 0.01 * np.sin(1000 * t)
    found = []
    for options in ({"trace": True}, {"trace": False, "jac": derivatives}):
        problem = lmoo.CurveProblem(root, t, y, **options)
        iteration = lmoo.Solver().iterate(problem, [3.0, 2.0, 0.5, 0.5, 1.0])
        records = list(iteration)
        # It was at points with c < 0, and went back.
        points = [record.x[3] for record in records]
        assert any(c < 0.0 < after for c, after in itertools.pairwise(points))
        found.append((iteration.result, [record.cost for record in records]))
    np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-9)
    assert_same(found[0][0], found[1][0])
