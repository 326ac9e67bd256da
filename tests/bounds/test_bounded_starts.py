"""Starts within bounds, at them and outside."""

from __future__ import annotations

from typing import Any

import pytest
from bound_cases import START, WithJacobian, solved

from lmoo import FunctionProblem, Solver


@pytest.mark.parametrize(
    ("bounds", "match"),
    [
        ({"rate": (1.5, 2.0)}, r"^x0 must lie within the bounds; rate starts at 1\.0, .* 1\.5 and"),
        ({2: (None, -1.0)}, r"offset starts at 0\.0, its bounds are -inf and -1\.0$"),
        ((0.5, 3.0), r"offset starts at 0\.0, its bounds are 0\.5 and 3\.0$"),
        (([0, 0], [1, 1]), r"^bounds must have one lower bound per parameter, 3"),
        ({"speed": (0, 1)}, r"^bounds must name one of \('amplitude', 'rate', 'offset'\)"),
    ],
    ids=repr,
)
def test_a_start_outside_is_named(bounds: Any, match: str) -> None:
    problem = WithJacobian()
    with pytest.raises(ValueError, match=match):
        Solver(bounds=bounds).solve(problem, START)
    problem.bounds = bounds
    with pytest.raises(ValueError, match=match):
        Solver().iterate(problem, START)
    assert problem.points == []


def test_parameters_without_names_are_called_by_their_position() -> None:
    with pytest.raises(ValueError, match=r"^x0 .*; parameter 0 starts at 4\.0, its bounds are"):
        Solver(bounds=(0, 1)).solve(FunctionProblem(lambda x: x), [4.0])


@pytest.mark.parametrize(
    ("fixed", "error", "match"),
    [
        (["speed"], ValueError, r"^fixed must name one of"),
        ({"rate": 9.0}, ValueError, r"rate is fixed at 9\.0, and its bounds are 0\.0 and 5\.0$"),
        ([3], ValueError, r"^fixed must give positions from 0 to 2; it has 3$"),
        ("rate", TypeError, r"^fixed must be a sequence"),
    ],
    ids=repr,
)
def test_what_cannot_be_fixed(fixed: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        solved({"rate": (0, 5)}, fixed)


def test_the_solver_comes_before_the_problem() -> None:
    problem = WithJacobian()
    problem.bounds, problem.fixed = {"offset": (None, 0.1)}, ["rate"]
    own = Solver().solve(problem, START)
    assert own.active_mask.tolist() == [0, 0, 1]
    assert own.fixed.tolist() == [False, True, False]
    other = Solver(bounds={"offset": (None, 0.2)}, fixed=()).solve(problem, START)
    assert other.x[2] == 0.2
    assert not other.fixed.any()
