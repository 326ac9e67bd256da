"""One parameter at its bounds, case by case."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from bound_cases import INF, JACOBIANS, STEP, Decay, T, WithJacobian, as_bounded, is_inside, solved
from bounded import is_stationary

from lmoo import FunctionProblem, Solver

ONE = FunctionProblem(lambda x: np.array([x[0] - 2.0, 1.0]), lambda x: np.array([[1.0], [0.0]]))


@pytest.mark.parametrize("analytic", [False, True])
@pytest.mark.parametrize(
    ("bounds", "start", "x", "active"),
    [
        ((0, 1), 0.5, 1.0, 1),
        ((0, 1), 1.0, 1.0, 1),
        ((0, 1), 0.0, 1.0, 1),
        ((3, 5), 4.0, 3.0, -1),
        ((3, 5), 3.0, 3.0, -1),
        ((3, INF), 1e6, 3.0, -1),
        ((-INF, 1), -1e6, 1.0, 1),
        ((0, 5), 0.0, 2.0, 0),
        ((0, 5), 5.0, 2.0, 0),
        ((2, 5), 5.0, 2.0, 0),
        ((2, 5), 2.0, 2.0, 0),
        ((1.0, 1.0 + 1e-12), 1.0, 1.0 + 1e-12, 1),
        ((1.0, 1.0 + 2**-52), 1.0, 1.0 + 2**-52, 1),
        ((2.0 - 1e-12, 2.0 + 1e-12), 2.0 - 1e-12, 2.0, 0),
    ],
    ids=repr,
)
def test_one_parameter(bounds: Any, start: float, x: float, active: int, analytic: bool) -> None:
    problem = ONE if analytic else FunctionProblem(ONE.residual)
    result = Solver(bounds=bounds).solve(problem, [start])
    assert result.success
    assert bounds[0] <= result.x[0] <= bounds[1]
    if not analytic and bounds[1] - bounds[0] < 1e-11:
        # Differences show little but rounding here.
        return
    np.testing.assert_allclose(result.x, x, rtol=1e-15 if active else 1e-8)
    if x not in bounds or active:
        assert result.active_mask.tolist() == [active]


def test_a_very_narrow_box() -> None:
    """1e-12 of the parameters, which differences have to make do with."""
    start = np.array([1.9, 1.3, 0.3])
    bounds = (start * (1 - 1e-12), start * (1 + 1e-12))
    for problem in (Decay(), WithJacobian()):
        result = Solver(bounds=bounds).solve(problem, start)
        assert is_inside(problem.seen(), bounds)
        assert result.success
        # All are pushed against a side: the solution is outside.
        corner = np.where(solved().x > start, bounds[1], bounds[0])
        if isinstance(problem, WithJacobian):
            assert is_stationary(as_bounded(bounds), result.x)
        assert np.abs(result.x / corner - 1).max() < 3e-12


@pytest.mark.parametrize("strategy", JACOBIANS[1:4], ids=repr)
@pytest.mark.parametrize("width", [1e-14, 1e-12, 1e-9, 1e-6])
def test_differences_in_what_room_there_is(width: float, strategy: Any) -> None:
    seen = []

    def residual(x: np.ndarray) -> np.ndarray:
        seen.append(x[0])
        return np.array([x[0] - 2.0, 1.0])

    for start in (1.0, 1.0 + width):
        result = Solver(bounds=(1.0, 1.0 + width), jacobian=strategy).solve(
            FunctionProblem(residual), [start]
        )
        assert result.x[0] == 1.0 + width
        assert result.success
        np.testing.assert_allclose(result.gradient, -1.0, rtol=1e-6)
    assert min(seen) >= 1.0
    assert max(seen) <= 1.0 + width


@STEP
def test_a_parameter_without_a_slope_at_its_bound(step: Any) -> None:
    """The square of a parameter, where the data want a negative one: it ends at 0."""
    y = 1.0 - 0.5 * T + 0.01 * np.cos(9.0 * T)
    problem = FunctionProblem(
        lambda x: x[0] + x[1] ** 2 * T - y,
        lambda x: np.column_stack([np.ones(T.size), 2.0 * x[1] * T]),
    )
    result = Solver(bounds={1: (0.0, None)}, step=step).solve(problem, [1.0, 0.5])
    assert result.success
    assert result.x[1] == 0.0
    np.testing.assert_allclose(result.x[0], y.mean(), rtol=1e-9)


def test_two_bounds_in_one_step_and_the_minimum_of_the_face() -> None:
    """A linear problem: steps that stop short of each bound, then the minimum itself."""
    random = np.random.default_rng(3)
    A, b = random.normal(size=(9, 4)), random.normal(size=9)
    free = np.linalg.lstsq(A, b, rcond=None)[0]
    bounds = (free - np.array([9.0, -0.3, 9.0, 9.0]), free + np.array([-0.3, 9.0, 9.0, 9.0]))
    start = np.clip(free + np.array([-3.0, 3.0, 1.0, 1.0]), *bounds)
    problem = FunctionProblem(lambda x: A @ x - b, lambda x: A)
    result = Solver(bounds=bounds, factor=100.0).solve(problem, start)
    assert result.active_mask.tolist() == [1, -1, 0, 0]
    assert result.success
    assert result.njev <= 4
    rest = np.linalg.lstsq(A[:, 2:], b - A[:, :2] @ result.x[:2], rcond=None)[0]
    np.testing.assert_allclose(result.x[2:], rest, rtol=1e-10)


def test_a_bound_that_was_met_on_the_way_is_let_go() -> None:
    """Rosenbrock's valley, cut by a bound that the solution is not at."""
    problem = FunctionProblem(
        lambda x: np.array([10.0 * (x[1] - x[0] ** 2), 1.0 - x[0]]),
        lambda x: np.array([[-20.0 * x[0], 10.0], [-1.0, 0.0]]),
    )
    met = False
    steps = Solver(bounds={1: (0.0, None)}).iterate(problem, [-1.2, 1.0])
    for record in steps:
        met |= record.x[1] == 0.0
    assert met
    assert steps.result.success
    np.testing.assert_allclose(steps.result.x, 1.0, rtol=1e-9)
    assert not steps.result.active_mask.any()


@STEP
def test_a_start_in_the_wrong_corner_is_left(step: Any) -> None:
    problem = FunctionProblem(lambda x: x - np.array([0.5, 0.25, 2.0]), lambda x: np.eye(3))
    result = Solver(bounds=(0, 1), step=step).solve(problem, [0.0, 1.0, 0.0])
    assert result.success
    np.testing.assert_allclose(result.x, [0.5, 0.25, 1.0], rtol=1e-7)
    assert result.active_mask.tolist() == [0, 0, 1]


def test_a_box_with_a_rank_deficient_model() -> None:
    """Only x + y is determined: any such point of the box is a minimum."""
    problem = FunctionProblem(
        lambda x: np.array([x.sum() - 3.0, 1.0]), lambda x: np.array([[1.0, 1.0], [0.0, 0.0]])
    )
    result = Solver(bounds=(0, [1, 9])).solve(problem, [0.5, 0.5])
    assert result.success
    np.testing.assert_allclose(result.x.sum(), 3.0, rtol=1e-10)
    cut = Solver(bounds=(0, 1)).solve(problem, [0.5, 0.5])
    assert cut.success
    assert cut.x.tolist() == [1.0, 1.0]


def test_user_scaling() -> None:
    for diag in ([1.0, 1.0, 1.0], [1e-3, 1.0, 1e3]):
        result = solved({"offset": (None, 0.1)}, diag=diag)
        assert result.success
        np.testing.assert_allclose(result.x, solved({"offset": (None, 0.1)}).x, rtol=1e-8)
