"""What holds for every Jacobian strategy."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from ids import stable
from jacobian_cases import EVERY_NUMERIC, Delegating, Recorder, Sparse
from samples import START, decay, decay_jacobian, rosenbrock

import lmoo
from lmoo import FunctionProblem, Problem, Solver


def columns_of(problem: Problem) -> FunctionProblem:
    return FunctionProblem(problem.residual, lambda x: np.asarray(problem.jacobian(x)).T)


@pytest.mark.parametrize(
    ("strategy", "rtol"),
    [
        (lmoo.Analytic(), 1e-12),
        (lmoo.ColumnMajor(), 1e-12),
        (Delegating(), 1e-12),
        (lmoo.ComplexStep(), 1e-12),
        (lmoo.ComplexStep(typical=1e5), 1e-12),
        (lmoo.CentralDifference(), 1e-7),
        (lmoo.CentralDifference(typical=2.0), 1e-7),
        (lmoo.ForwardDifference(), 1e-6),
        (lmoo.ForwardDifference(refine=False), 1e-5),
        (lmoo.ForwardDifference(epsfcn=1e-14), 1e-6),
        (lmoo.ForwardDifference(typical=[1.0, 2.0]), 1e-6),
    ],
    ids=stable,
)
def test_the_derivatives_are_right(strategy: lmoo.Jacobian, rtol: float) -> None:
    # The first record's gradient and the covariance are made of the Jacobian, and of it alone.
    problem = FunctionProblem(decay, decay_jacobian)
    given = columns_of(problem) if isinstance(strategy, lmoo.ColumnMajor) else problem
    steps: list[lmoo.IterationRecord] = []
    result = Solver(jacobian=strategy).solve(given, START, callback=steps.append)
    assert result.success
    start = np.array(START)
    np.testing.assert_allclose(
        steps[0].gradient, decay_jacobian(start).T @ decay(start), rtol=100 * rtol
    )
    J = decay_jacobian(result.x)
    np.testing.assert_allclose(
        result.covariance(scaled=False), np.linalg.inv(J.T @ J), rtol=max(10 * rtol, 1e-8)
    )
    minimum = Solver().solve(problem, START)
    np.testing.assert_allclose(result.x, minimum.x, rtol=1e-8)


def test_a_problem_with_a_jacobian_takes_analytic_one_without_forward_differences() -> None:
    for problem, strategy in (
        (FunctionProblem(decay, decay_jacobian), lmoo.Analytic()),
        (FunctionProblem(decay), lmoo.ForwardDifference()),
    ):
        chosen = Solver().solve(problem, START)
        named = Solver(jacobian=strategy).solve(problem, START)
        assert chosen.x.tobytes() == named.x.tobytes()
        assert (chosen.nfev, chosen.njev) == (named.nfev, named.njev)


@EVERY_NUMERIC
def test_a_numeric_strategy_leaves_the_problems_jacobian_alone(strategy: Any) -> None:
    record = Recorder(decay_jacobian)
    assert Solver(jacobian=strategy).solve(FunctionProblem(decay, record), START).success
    assert record.points == []


@EVERY_NUMERIC
def test_nfev_counts_what_the_differences_cost(strategy: Any) -> None:
    record = Recorder(rosenbrock)
    result = Solver(jacobian=strategy).solve(FunctionProblem(record), [-1.2, 1.0])
    assert result.success
    assert result.nfev == len(record.points)


@pytest.mark.parametrize(
    ("strategy", "columns"),
    [
        (lmoo.ForwardDifference(refine=False), 2),
        (lmoo.CentralDifference(), 4),
        (lmoo.ComplexStep(), 2),
        (lmoo.Analytic(), 0),
        (Delegating(), 0),
    ],
    ids=stable,
)
def test_what_a_jacobian_costs(strategy: Any, columns: int) -> None:
    problem = FunctionProblem(decay, decay_jacobian)
    result = Solver(jacobian=strategy).solve(problem, (1.5, 1.0))
    # The start, one for each trial point, and the columns.
    assert result.nfev == 1 + result.nit + columns * result.njev


@pytest.mark.parametrize(
    "strategy",
    [
        lmoo.Analytic(),
        lmoo.ColumnMajor(),
        lmoo.ForwardDifference(epsfcn=1e-10, typical=[1.0, 2.0], refine=False),
        lmoo.CentralDifference(epsfcn=1e-10, typical=3.0),
        lmoo.ComplexStep(typical=4.0),
        Sparse(),
    ],
    ids=lambda s: type(s).__name__,
)
def test_a_strategy_can_be_pickled(strategy: lmoo.Jacobian) -> None:
    twin = pickle.loads(pickle.dumps(strategy))
    assert type(twin) is type(strategy)
    if not isinstance(strategy, Sparse):
        assert repr(twin) == repr(strategy)
    given = FunctionProblem(lambda x: x**2 - np.array([1.0, 4.0]), lambda x: np.diag(2.0 * x))
    a, b = (Solver(jacobian=s).solve(given, [3.0, 3.0]) for s in (strategy, twin))
    assert a.x.tobytes() == b.x.tobytes()
    assert a.nfev == b.nfev


@pytest.mark.parametrize(
    ("strategy", "parts"),
    [
        (lmoo.Analytic(), ["Analytic()"]),
        (lmoo.ColumnMajor(), ["ColumnMajor()"]),
        (
            lmoo.ForwardDifference(epsfcn=1e-4, typical=3.0, refine=False),
            ["ForwardDifference(", "epsfcn=0.0001", "3.", "refine=False"],
        ),
        (
            lmoo.CentralDifference(epsfcn=1e-4, typical=[1.5, 2.5]),
            ["CentralDifference(", "epsfcn=0.0001", "1.5", "2.5"],
        ),
        (lmoo.ComplexStep(typical=7.5), ["ComplexStep(", "7.5"]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_repr_of_a_strategy_shows_its_options(strategy: Any, parts: list[str]) -> None:
    for part in parts:
        assert part in repr(strategy)


def test_a_strategy_serves_problems_of_different_sizes() -> None:
    strategy = lmoo.ForwardDifference(typical=1.0)
    solver = Solver(jacobian=strategy)
    for n in (1, 2, 5):
        goal = np.arange(1.0, n + 1.0)
        result = solver.solve(FunctionProblem(lambda x, goal: x - goal, args=(goal,)), np.zeros(n))
        np.testing.assert_allclose(result.x, goal, rtol=1e-9)
