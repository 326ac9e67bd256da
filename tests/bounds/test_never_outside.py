"""No function is evaluated outside of the bounds."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import pytest
from bound_cases import (
    BOX,
    JACOBIAN,
    NAMES,
    START,
    STEP,
    STEPS,
    Decay,
    T,
    WithJacobian,
    Y,
    as_bounded,
    decay,
    is_inside,
    solved,
)
from bounded import Bounded, is_stationary, projected_cosines

import lmoo
from lmoo import FunctionProblem, Solver, Status


@BOX
@STEP
@JACOBIAN
def test_nothing_outside_is_evaluated_and_a_minimum_is_found(
    jacobian: Any, step: Any, bounds: Any
) -> None:
    problem = WithJacobian()
    result = solved(bounds, problem=problem, jacobian=jacobian, step=step)
    assert is_inside(problem.seen(), bounds)
    assert result.success
    assert is_stationary(as_bounded(bounds), result.x)
    assert result.cost == pytest.approx(solved(bounds).cost, rel=1e-12)


@BOX
@JACOBIAN
def test_iterates_stay_inside(jacobian: Any, bounds: Any) -> None:
    steps = Solver(bounds=bounds, jacobian=jacobian).iterate(WithJacobian(), START)
    costs = []
    for record in steps:
        assert is_inside(record.x, bounds)
        costs.append(record.cost)
    # Steps that are taken on the model's word may gain less than rounding hides.
    assert (np.diff(costs) <= 1e-13 * costs[-1]).all()


@BOX
def test_callbacks_see_what_stays_inside_and_may_stop(bounds: Any) -> None:
    seen: list[np.ndarray] = []

    def watch(record: Any) -> bool:
        seen.append(record.x)
        return True

    result = Solver(bounds=bounds).solve(WithJacobian(), START, callback=watch)
    assert result.status is Status.STOPPED
    assert result.x.tolist() == seen[0].tolist()
    assert is_inside(np.array(seen), bounds)


FUNCTION = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_ssize_t, ctypes.c_ssize_t, ctypes.POINTER(ctypes.c_double),
    ctypes.POINTER(ctypes.c_double), ctypes.c_void_p,
)  # fmt: skip


@BOX
@pytest.mark.parametrize("given_jacobian", [False, True])
@STEP
def test_compiled_problems_stay_inside(step: Any, given_jacobian: bool, bounds: Any) -> None:
    points = []

    def residual(m: int, n: int, x: Any, f: Any, _: Any) -> int:
        points.append(x[:n])
        np.ctypeslib.as_array(f, (m,))[:] = decay(T, *x[:n]) - Y
        return 0

    def jacobian(m: int, n: int, x: Any, out: Any, _: Any) -> int:
        points.append(x[:n])
        np.ctypeslib.as_array(out, (n, m))[:] = WithJacobian().jacobian(np.array(x[:n])).T
        return 0

    problem = lmoo.CFunctionProblem(
        FUNCTION(residual), T.size, 3, jacobian=FUNCTION(jacobian) if given_jacobian else None
    )
    by_position = {NAMES.index(k): v for k, v in bounds.items()} if type(bounds) is dict else bounds
    result = Solver(bounds=by_position, step=step).solve(problem, START)
    assert is_inside(np.array(points), bounds)
    assert result.success
    assert result.cost == pytest.approx(solved(bounds).cost, rel=1e-12)


@BOX
@pytest.mark.parametrize(
    "jacobian", [None, lmoo.CentralDifference(), lmoo.ForwardDifference()], ids=repr
)
def test_a_stack_stays_inside(jacobian: Any, bounds: Any) -> None:
    seen: list[np.ndarray] = []
    names = dict(zip(NAMES, "abc", strict=True))
    bounds = {names[k]: v for k, v in bounds.items()} if type(bounds) is dict else bounds

    def model(t: Any, a: Any, b: Any, c: Any) -> Any:
        seen.append(np.stack([a, b, c], axis=-1).reshape(-1, 3))
        return decay(t, a, b, c)

    curves = Y + 0.02 * np.random.default_rng(0).normal(size=(7, T.size))
    solver = Solver(bounds=bounds, jacobian=jacobian)
    fits = lmoo.curve_fit_many(model, T, curves, START, solver=solver)
    lower, upper, _ = lmoo.bounds.limits(bounds, None, "abc", 3)
    points = np.concatenate(seen)
    assert ((lower <= points) & (points <= upper)).all()
    assert fits.success.all()
    for k in range(7):
        problem = FunctionProblem(lambda x, y: decay(T, *x) - y, args=(curves[k],),
                                  parameter_names="abc")  # fmt: skip
        single = solver.solve(problem, START)
        assert single.success
        free = single.stderr > 0.0
        off = np.abs(fits.x[k] - single.x)
        assert (off[free] <= 1e-4 * single.stderr[free]).all()
        assert (off[~free] == 0.0).all()
        np.testing.assert_allclose(fits.stderr[k], single.stderr, rtol=1e-4)


class Rows(lmoo.RowBlockProblem):
    parameter_names = NAMES

    def __init__(self, blocks: Any) -> None:
        super().__init__(blocks)
        self.points: list[np.ndarray] = []

    def residual(self, x: np.ndarray, block: Any) -> np.ndarray:
        self.points.append(x.copy())
        t, y = block
        return decay(t, *x) - y


class RowsWithJacobian(Rows):
    def jacobian(self, x: np.ndarray, block: Any) -> np.ndarray:
        self.points.append(x.copy())
        e = np.exp(-x[1] * block[0])
        return np.column_stack([e, -x[0] * block[0] * e, np.ones(e.size)])


@BOX
@pytest.mark.parametrize("kind", [Rows, RowsWithJacobian])
@pytest.mark.parametrize("step", STEPS[:3], ids=lambda s: type(s).__name__)
def test_blocks_of_rows_give_the_whole(step: Any, kind: Any, bounds: Any) -> None:
    problem = kind([(T[k::5], Y[k::5]) for k in range(5)])
    result = Solver(bounds=bounds, step=step).solve(problem, START)
    assert is_inside(np.array(problem.points), bounds)
    whole = solved(bounds)
    assert result.success
    np.testing.assert_allclose(result.x, whole.x, rtol=1e-9, atol=1e-10)
    np.testing.assert_array_equal(result.active_mask, whole.active_mask)


def test_blocks_take_bounds_and_fixed_parameters_from_their_class() -> None:
    class Own(Rows):
        bounds = {"offset": (None, 0.1)}  # noqa: RUF012
        fixed = ("rate",)

    for strategy in (None, lmoo.CentralDifference()):
        problem = Own([(T[:5], Y[:5]), (T[5:], Y[5:])])
        result = Solver(jacobian=strategy).solve(problem, [1.0, 1.2, 0.0])
        points = np.array(problem.points)
        assert (points[:, 1] == 1.2).all()
        assert points[:, 2].max() <= 0.1
        assert result.success
        assert result.active_mask.tolist() == [0, 0, 1]
        whole = Solver(bounds=Own.bounds, fixed=Own.fixed).solve(Decay(), [1.0, 1.2, 0.0])
        np.testing.assert_allclose(result.x, whole.x, rtol=1e-9)
        np.testing.assert_allclose(result.stderr, whole.stderr, rtol=1e-6)


@pytest.mark.parametrize("step", STEPS[:3], ids=lambda s: type(s).__name__)
def test_tall_problems_that_are_folded(step: Any) -> None:
    """Above m n^2 = 1e6 the triangle comes from one pass over the rows."""
    random = np.random.default_rng(0)
    A, true = random.normal(size=(11_000, 10)), random.normal(size=10)
    y = np.tanh(A @ true) + 0.1 * random.normal(size=11_000)
    bounds = (np.full(10, -0.5), np.full(10, 0.5))
    problem = Bounded(
        lambda x: np.tanh(A @ x) - y,
        lambda x: (1.0 - np.tanh(A @ x) ** 2)[:, None] * A,
        bounds,
        np.zeros(10),
    )
    result = Solver(step=step).solve(problem, problem.start)
    assert result.success
    assert problem.outside == 0
    assert np.count_nonzero(result.active_mask) > 2
    assert np.abs(projected_cosines(problem, result.x)).max() < 1e-8


class Many(lmoo.BatchProblem):
    bounds = ([0.9, 0.9, -0.1], [1.5, 1.2, 0.1])

    def __init__(self, curves: np.ndarray) -> None:
        self.curves, self.points = curves, [np.empty((0, 3))]

    def residual(self, x: np.ndarray, which: np.ndarray) -> np.ndarray:
        self.points.append(x.copy())
        return decay(T, *(x[:, j, None] for j in range(3))) - self.curves[which]


def test_many_problems_stay_inside_the_bounds_of_their_class() -> None:
    curves = Y + 0.02 * np.random.default_rng(0).normal(size=(5, T.size))
    problem = Many(curves)
    fits = lmoo.solve_many(problem, np.tile(START, (5, 1)))
    assert is_inside(np.concatenate(problem.points), problem.bounds)
    assert fits.success.all()
    for k, x in enumerate(fits.x):
        single = solved(problem.bounds, problem=Decay(curves[k]))
        np.testing.assert_allclose(x, single.x, rtol=1e-7, atol=1e-9)
