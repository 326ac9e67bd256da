"""Starting points of constrained fits: on bounds and constraints, and with fixed values."""

from typing import Any

import numpy as np
import pytest
import scipy.optimize
from constrained_decay import T, Y, model, solve
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import lmoo


def test_start_at_a_bound_of_zero() -> None:
    box = ([0.0, 0.0, 0.0], [9.0, 9.0, 9.0])
    found = solve([1.0, 2.0, 0.0], bounds=box, constraints=["3*a + 3*c <= 9"])
    expected = solve([1.0, 2.0, 0.1], bounds=box, constraints=["3*a + 3*c <= 9"])
    assert found.success
    np.testing.assert_allclose(found.x, expected.x, rtol=1e-6)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.integers(-9, 9), min_size=3, max_size=3), min_size=1, max_size=5),
    st.lists(st.sampled_from([0.0, 0.1, 0.7, 3.0, 1e3]), min_size=3, max_size=3),
    st.lists(st.booleans(), min_size=5, max_size=5),
)
def test_feasible_starts_are_accepted(rows: Any, x0: Any, touched: Any) -> None:
    A = np.array(rows) / 10.0
    A = A[np.abs(A).max(axis=1) > 0.0]
    if not len(A):
        return
    gap = np.where(touched[: len(A)], 0.0, 1.0)
    limits = scipy.optimize.LinearConstraint(A, -np.inf, A @ x0 + gap)
    solver = lmoo.Solver(bounds=([0.0] * 3, [2e3] * 3), constraints=limits, maxfev=30)
    try:
        found = solver.solve(lmoo.CurveProblem(model, T, Y), x0)
    except ValueError as error:
        # Several constraints may hold all parameters where they are.
        assume("must leave a parameter" not in str(error))
        raise
    beyond = A @ found.x - A @ x0 - gap
    assert (beyond <= 1e-10 * (np.abs(A) @ (np.abs(found.x) + np.abs(x0)))).all()


def test_points_on_constraints_are_the_nearest() -> None:
    limits = ["0.3*a + 0.1*c <= 0.3", "0.7*a <= 0.7", "0.1*a + 0.3*b + 0.9*c <= 0.7"]
    found = solve([1.0, 2.0, 0.0], bounds={"c": (0.0, 9.0)}, constraints=limits)
    assert found.x[0] <= 1.0 + 1e-12


def test_fixed_values_replace_those_of_the_start() -> None:
    found = solve([99.0, 1.0, 0.7], fixed={"a": 2.5}, constraints=["a + c <= 3.5"])
    expected = solve([2.5, 1.0, 0.7], fixed={"a": 2.5}, constraints=["a + c <= 3.5"])
    np.testing.assert_allclose(found.x, expected.x, rtol=1e-9)
    assert found.x[0] == 2.5


@pytest.mark.parametrize("names", [["a + c <= 2.9"], ["a + c <= 2.9", "a + b <= 9", "a - b <= 9"]])
@pytest.mark.parametrize("fixed", [{"a": 2.5, "c": 0.5}, ["a", "c"]])
def test_fixed_values_beyond_a_constraint(names: Any, fixed: Any) -> None:
    message = r"fixed parameters must satisfy the constraints; they violate 'a \+ c <= 2.9' by 0.1"
    with pytest.raises(ValueError, match=message):
        solve([2.5, 1.0, 0.5], fixed=fixed, constraints=names)


def test_bad_starts_are_refused() -> None:
    with pytest.raises(ValueError, match="c starts at -1e-13"):
        solve([1.0, 2.0, -1e-13], bounds={"c": (0.0, 9.0)}, constraints=["3*a + 3*c <= 9"])
    with pytest.raises(ValueError, match=r"x0 must satisfy.*'a \+ c <= 3' by 1e-09"):
        solve([2.0, 2.0, 1.0 + 1e-9], constraints=["a + c <= 3"])
