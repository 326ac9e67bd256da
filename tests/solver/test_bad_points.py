"""Trial points at which the residual or the Jacobian cannot be evaluated."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ids import stable
from samples import START, T, decay, decay_jacobian
from solver_problems import KINDS, Recorder, log_bad, solve_decay

import lmoo
from lmoo import EvaluationError, FunctionProblem, Solver, Status
from lmoo.datasets import nist


def log_model(p: np.ndarray) -> np.ndarray:
    """Not defined for p[0] <= 0; the first Gauss-Newton step from far off goes there."""
    with np.errstate(all="ignore"):
        return np.log(p[0] + T) - np.log(0.1 + T) + 0.01 * np.cos(5.0 * T)


def log_jacobian(p: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        return 1.0 / (p[0] + T)[:, None]


LOG_STRATEGIES = pytest.mark.parametrize(
    ("dfun", "strategy"),
    [
        (None, None),
        (None, lmoo.CentralDifference()),
        (None, lmoo.ComplexStep()),
        (log_jacobian, None),
        (lambda p: log_jacobian(p).T, lmoo.ColumnMajor()),
    ],
    ids=["forward", "central", "complex", "analytic", "columns"],
)


@KINDS
@LOG_STRATEGIES
def test_a_bad_trial_is_refused_and_the_domain_found_again(
    kind: str, dfun: Any, strategy: Any
) -> None:
    record = Recorder(lambda p: log_bad(p, log_model(p), kind))
    problem = FunctionProblem(record, dfun)
    result = Solver(factor=100.0, jacobian=strategy).solve(problem, [30.0])
    assert any(x[0].real <= 0.0 for x in record.points), "the test must lead out of the domain"
    assert result.success
    right = Solver().solve(FunctionProblem(log_model, log_jacobian), [0.1])
    np.testing.assert_allclose(result.x, right.x, rtol=1e-7)
    assert result.nfev == len(record.points)


@pytest.mark.parametrize("bad", [np.nan, np.inf, None], ids=stable)
@pytest.mark.parametrize("columns", [False, True])
def test_a_bad_jacobian_of_an_accepted_point_goes_back_to_the_last_good_one(
    bad: float | None, columns: bool
) -> None:
    asked: list[float] = []
    refused: list[float] = []

    def jacobian(p: np.ndarray) -> np.ndarray:
        asked.append(p[0])
        out = log_jacobian(p)
        # Bad in a ring round the solution, which steps from outside fall into.
        if 0.5 < p[0] < 2.0:
            refused.append(p[0])
            if bad is None:
                raise EvaluationError("no derivative here")
            out[3, 0] = bad
        return out.T if columns else out

    strategy = lmoo.ColumnMajor() if columns else lmoo.Analytic()
    result = Solver(jacobian=strategy, factor=0.9).solve(
        FunctionProblem(log_model, jacobian), [30.0]
    )
    assert refused, "the test must meet the ring"
    np.testing.assert_array_equal(result.residual, log_model(result.x))
    assert np.isfinite(result.x).all()
    assert result.njev == len(asked)
    # Every step from the last good point led into the ring, whose edge is at 2.
    assert result.status is Status.DOMAIN
    assert not result.success
    assert 2.0 <= result.x[0] < 2.0 + 1e-6


def test_no_success_where_nothing_can_be_evaluated_round_the_start() -> None:
    def residual(x: np.ndarray) -> np.ndarray:
        if not np.array_equal(x, START):
            raise EvaluationError("only at the start")
        return decay(x)

    result = Solver().solve(FunctionProblem(residual, decay_jacobian), START)
    assert result.status is Status.DOMAIN
    assert not result.success
    np.testing.assert_array_equal(result.x, START)


@pytest.mark.parametrize("width", [1e-2, 1e-5, 1e-8, 1e-11], ids=stable)
@pytest.mark.parametrize("dfun", [None, decay_jacobian], ids=["differences", "analytic"])
def test_a_trust_region_that_collapses_on_an_edge_is_no_success(width: float, dfun: Any) -> None:
    # The way to the minimum leads through a wall near the start.
    def residual(x: np.ndarray) -> np.ndarray:
        if x[0] > START[0] * (1.0 + width):
            raise EvaluationError("beyond the wall")
        return decay(x)

    result = Solver(maxfev=3000).solve(FunctionProblem(residual, dfun), START)
    gradient = decay_jacobian(result.x).T @ decay(result.x)
    assert abs(gradient).max() > 1e-3, "the minimum is behind the wall"
    assert not result.success


def test_refined_derivatives_that_cannot_be_had_do_not_end_the_solve() -> None:
    # Central differences step further than forward ones, here over both edges of the domain.
    def residual(x: np.ndarray) -> np.ndarray:
        if abs(x[0] - 1.0) > 3e-6:
            raise EvaluationError("outside")
        away = x[0] - 1.000001
        return np.array([away + 1e3 * away**2, 0.1])

    result = Solver(factor=100.0).solve(FunctionProblem(residual), [1.0 + 2.9e-6])
    assert result.status is not Status.IMPROPER_INPUT
    assert result.success
    assert result.x[0] - 1.000001 == pytest.approx(0.0, abs=1e-10)


@KINDS
def test_where_x_plus_h_is_bad_x_minus_h_is_taken_and_counted(kind: str) -> None:
    # The start sits on the upper edge of the domain of x[0].
    def residual(x: np.ndarray) -> np.ndarray:
        return log_bad(np.array([3.0 - x[0] + 1e-300]), decay(x), kind)

    record = Recorder(residual)
    result = Solver().solve(FunctionProblem(record), [3.0, 1.0])
    h = record.points[1][0] - 3.0
    assert h > 0.0
    np.testing.assert_allclose(record.points[2], [3.0 - h, 1.0], rtol=1e-15)
    assert result.success
    assert result.nfev == len(record.points)
    np.testing.assert_allclose(result.x, solve_decay().x, rtol=1e-8)


def test_a_norm_that_overflows_is_no_success() -> None:
    # Every entry is finite; the sum of squares is not, even as a norm.
    def residual(x: np.ndarray) -> np.ndarray:
        return 1.5e308 * np.array([x[0] / 3.0, x[0] / 3.0 - 0.1, 1.0 - x[0] / 9.0])

    with pytest.raises(EvaluationError, match=r"^the Jacobian at x0 cannot be evaluated"):
        Solver().solve(FunctionProblem(residual), [3.0])


@pytest.mark.parametrize("index", [1, 2])
def test_what_a_refused_point_has_gained_is_no_progress(index: int) -> None:
    # A point with a low sum of squares, but no derivatives, beside the way of the solve.
    data = nist("MGH10")
    points: list[np.ndarray] = []

    def residual(x: np.ndarray) -> np.ndarray:
        points.append(x.copy())
        return np.asarray(data.residual(x))

    first = Solver().solve(FunctionProblem(residual, data.jacobian), data.starts[0])
    hole = points[index]

    def low_there(x: np.ndarray) -> np.ndarray:
        value = np.asarray(data.residual(x))
        return np.zeros_like(value) + 0.1 if np.array_equal(x, hole) else value

    def not_there(x: np.ndarray) -> np.ndarray:
        value = np.asarray(data.jacobian(x))
        return np.full_like(value, np.nan) if np.array_equal(x, hole) else value

    result = Solver().solve(FunctionProblem(low_there, not_there), data.starts[0])
    assert result.success
    assert result.cost == pytest.approx(first.cost, rel=1e-6)
