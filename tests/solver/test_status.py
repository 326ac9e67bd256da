"""`Status`: how solves end, and which of the endings are a success."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from ids import stable
from samples import START, decay, decay_jacobian, rosenbrock
from solver_problems import Recorder

import lmoo
from lmoo import FunctionProblem, Solver, Status


def test_status_is_an_int_enum_of_minpacks_values() -> None:
    assert issubclass(Status, int)
    names = ["IMPROPER_INPUT", "FTOL", "XTOL", "FTOL_XTOL", "GTOL", "MAXFEV"]
    names += ["FTOL_TOO_SMALL", "XTOL_TOO_SMALL", "GTOL_TOO_SMALL"]
    assert [Status(ier).name for ier in range(9)] == names
    assert {status for status in Status if status.success} == {1, 2, 3, 4}
    assert all(status < 0 for status in Status if status.name not in names)


@pytest.mark.parametrize("status", Status, ids=lambda s: s.name)
def test_every_status_has_a_reason_of_its_own(status: Status) -> None:
    assert status.reason
    assert [other for other in Status if other.reason == status.reason] == [status]
    assert pickle.loads(pickle.dumps(status)) is status


@pytest.mark.parametrize("maxfev", [1, 2, 5, 9])
def test_maxfev_ends_a_solve(maxfev: int) -> None:
    record = Recorder(rosenbrock)
    result = Solver(maxfev=maxfev).solve(FunctionProblem(record), [-1.2, 1.0])
    assert result.status is Status.MAXFEV
    assert not result.success
    assert result.nfev == len(record.points)
    # The Jacobian that has begun is ended, and its step judged.
    assert maxfev <= result.nfev <= maxfev + 4
    np.testing.assert_array_equal(result.residual, rosenbrock(result.x))


@pytest.mark.parametrize(
    ("residual", "least"),
    [
        (lambda x: np.array([1.0, 2.0, 3.0]), None),
        (lambda x: np.array([np.tanh(x[0]) - 2.0, np.tanh(x[1]), 1.0]), 1.0),
        (lambda x: np.array([np.exp(-x[0]) - 1.0, np.exp(-x[1]), 2.0]), 2.0),
    ],
    ids=["constant", "tanh", "exp"],
)
@pytest.mark.parametrize(
    "strategy", [None, lmoo.CentralDifference(), lmoo.ForwardDifference(typical=1.0)], ids=stable
)
def test_a_plateau_is_flat_and_no_success(
    residual: Any, least: float | None, strategy: Any
) -> None:
    solver = Solver(jacobian=strategy)
    with np.errstate(over="ignore"):
        result = solver.solve(FunctionProblem(residual), [9e5, 9.5e5])
        assert result.status is Status.FLAT
        assert not result.success
        # A hundredth of these values is off the plateau.
        result = solver.solve(FunctionProblem(residual), [900.5, 950.5])
    if least is None:
        assert result.status is Status.FLAT
    else:
        assert result.success
        assert result.cost == pytest.approx(least, rel=1e-12)


def test_central_differences_see_the_slope_of_a_rounded_function() -> None:
    problem = FunctionProblem(lambda x: np.array([np.floor(x[0]), np.floor(x[1]), 1.0]))
    result = Solver(jacobian=lmoo.CentralDifference()).solve(problem, [900.5, 950.5])
    assert result.success
    assert result.cost == 0.5


def test_a_zero_jacobian_of_the_users_is_flat() -> None:
    problem = FunctionProblem(decay, lambda x: np.zeros((9, 2)))
    result = Solver().solve(problem, START)
    assert result.status is Status.FLAT
    assert not result.success


def test_a_residual_of_zero_is_a_minimum_even_where_flat() -> None:
    result = Solver().solve(FunctionProblem(lambda x: np.zeros(3)), START)
    assert result.success
    assert result.cost == 0.0


@pytest.mark.parametrize("x0", [(1.0, 1.0), (3.0, 0.5), (0.1, 4.0), (-1.0, 0.3)], ids=stable)
@pytest.mark.parametrize("scale", [-1.0, -1e-3, -1e3], ids=stable)
def test_a_jacobian_of_the_wrong_sign_is_never_success(x0: Any, scale: float) -> None:
    problem = FunctionProblem(decay, lambda x: scale * decay_jacobian(x))
    result = Solver().solve(problem, x0)
    assert not result.success
    assert result.status is Status.NO_PROGRESS
    # Nothing to be gained in any number of evaluations, and nothing to be lost.
    assert result.nfev <= 200
    np.testing.assert_array_equal(result.x, x0)


def test_a_jacobian_of_the_wrong_sign_at_the_minimum_does_no_harm() -> None:
    minimum = Solver().solve(FunctionProblem(decay, decay_jacobian), START).x
    problem = FunctionProblem(decay, lambda x: -decay_jacobian(x))
    result = Solver().solve(problem, minimum)
    np.testing.assert_allclose(result.x, minimum, rtol=1e-7)


def test_a_transposed_square_jacobian_is_no_success() -> None:
    def transposed(p: np.ndarray) -> np.ndarray:
        return np.array([[-20.0 * p[0], 10.0], [-1.0, 0.0]]).T

    result = Solver(maxfev=500).solve(FunctionProblem(rosenbrock, transposed), [-1.2, 1.0])
    assert result.status is Status.NO_PROGRESS
    assert not result.success
    np.testing.assert_array_equal(result.x, [-1.2, 1.0])
