"""Fixed parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from bound_cases import JACOBIAN, START, STEP, Decay, T, WithJacobian, Y, decay, solved

import lmoo
from lmoo import FunctionProblem, Solver


@pytest.mark.parametrize(
    ("fixed", "values"),
    [
        (["rate"], {1: 1.0}),
        ([1], {1: 1.0}),
        ({"rate": 1.25}, {1: 1.25}),
        ({2: 0.25, "amplitude": 1.5}, {0: 1.5, 2: 0.25}),
        (("offset", 0), {0: 1.0, 2: 0.0}),
    ],
    ids=repr,
)
@STEP
@JACOBIAN
def test_fixed_parameters_never_move(jacobian: Any, step: Any, fixed: Any, values: Any) -> None:
    problem = WithJacobian()
    result = solved(None, fixed, problem, jacobian=jacobian, step=step)
    assert result.success
    points = problem.seen()
    for j, value in values.items():
        assert (points[:, j] == value).all()
        assert result.lower[j] == result.upper[j] == value
        assert result.stderr[j] == 0.0
    assert np.flatnonzero(result.fixed).tolist() == sorted(values)
    assert not result.active_mask.any()
    assert result.degrees_of_freedom == T.size - 3 + len(values)


@pytest.mark.parametrize(
    ("strategy", "cost"), [(lmoo.ForwardDifference(refine=False), 2), (lmoo.CentralDifference(), 4)]
)
def test_fixed_parameters_are_not_differentiated(strategy: Any, cost: int) -> None:
    problem = Decay()
    result = solved(None, {"rate": 1.25}, problem, jacobian=strategy)
    assert len(problem.points) == result.nfev == 1 + result.nit + cost * result.njev
    alone = Solver(jacobian=strategy).solve(
        FunctionProblem(lambda x: decay(T, x[0], 1.25, x[1]) - Y), [1.0, 0.0]
    )
    np.testing.assert_allclose(result.x[[0, 2]], alone.x, rtol=1e-7)


@pytest.mark.parametrize("problem", [Decay(), WithJacobian()], ids=["differences", "Jacobian"])
@pytest.mark.parametrize("fixed", [range(3), {"amplitude": 2, "rate": 1, "offset": 0.5}], ids=repr)
def test_with_all_fixed_one_evaluation_is_the_solve(fixed: Any, problem: Any) -> None:
    result = solved(None, fixed, problem)
    assert result.success
    assert result.nfev == 1
    assert result.x.tolist() == (list(fixed.values()) if type(fixed) is dict else list(START))
    assert result.degrees_of_freedom == T.size
    assert (result.stderr == 0.0).all()
    assert (result.covariance() == 0.0).all()
    problem.points.clear()


def test_equal_bounds_hold_a_parameter() -> None:
    expected = solved(None, {"rate": 1.0})
    for fixed in (None, ["rate"]):
        result = solved({"rate": (1.0, 1.0)}, fixed)
        np.testing.assert_array_equal(result.x, expected.x)
        np.testing.assert_array_equal(result.covariance(), expected.covariance())
        assert result.fixed.tolist() == [False, True, False]
