"""Random problems within random bounds."""

from __future__ import annotations

from typing import Any

import numpy as np
from bound_cases import STEPS
from bounded import KINDS, Bounded, draw, is_stationary, projected_cosines
from hypothesis import given, settings
from hypothesis import strategies as st

import lmoo
from lmoo import Solver


def holds(problem: Bounded, result: Any) -> None:
    """What must hold of any solve, whatever its end."""
    lower, upper = problem.bounds
    assert problem.outside == 0
    assert problem.calls == result.nfev
    assert ((lower <= result.x) & (result.x <= upper)).all()
    first = problem.f(problem.start)
    assert result.cost <= 0.5 * (first @ first) * (1 + 1e-14)
    # The sign of a slope is known but for the error of differences.
    x = result.x
    lengths = np.linalg.norm(problem.jacobian(x), axis=0)
    error = 1e-6 * lengths * np.linalg.norm(problem.f(x))
    gradient, active = result.gradient, result.active_mask
    assert (result.x[active < 0] == lower[active < 0]).all()
    assert (result.x[active > 0] == upper[active > 0]).all()
    assert (gradient >= -error)[active < 0].all()
    assert (gradient <= error)[active > 0].all()
    if result.success:
        assert is_stationary(problem, result.x), projected_cosines(problem, result.x)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(
    kind=st.sampled_from(sorted(KINDS)),
    seed=st.integers(0, 5_000_000),
    jacobian=st.sampled_from([None, lmoo.ForwardDifference(), lmoo.CentralDifference()]),
    step=st.sampled_from(STEPS[:3]),
)
def test_any_box(kind: str, seed: int, jacobian: Any, step: Any) -> None:
    problem = draw(kind, seed)
    holds(problem, Solver(jacobian=jacobian, step=step).solve(problem, problem.start))
