"""`check_jacobian`: right and wrong derivatives, and the layout."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from check_cases import T, X, decay, decay_jacobian
from hypothesis import given, settings
from hypothesis import strategies as st

from lmoo import FunctionProblem, check_jacobian


def spoilt(*entries: tuple[int, int], by: float = 1e-3) -> FunctionProblem:
    """The problem with these entries of its Jacobian wrong, relatively by so much."""

    def jacobian(p: np.ndarray) -> np.ndarray:
        J = decay_jacobian(p)
        for i, j in entries:
            J[i, j] = J[i, j] * (1.0 + by) if J[i, j] else by
        return J

    return FunctionProblem(decay, jacobian)


# ============================================================================ right and wrong


def test_a_right_jacobian_is_right() -> None:
    check = check_jacobian(FunctionProblem(decay, decay_jacobian), X)
    assert check
    assert check.wrong.shape == (0, 2)
    assert not check.transposed
    assert "agrees" in str(check)
    np.testing.assert_allclose(check.numeric, decay_jacobian(np.array(X)), atol=1e-9)
    np.testing.assert_array_equal(check.analytic, decay_jacobian(np.array(X)))
    assert (check.error > 0.0).all()


@pytest.mark.parametrize("by", [1.0, -2.0, 1e-1, 1e-3, -1e-3], ids=str)
@pytest.mark.parametrize(
    "entries", [((0, 0),), ((8, 1),), ((0, 1),), ((3, 0), (3, 1), (7, 1))], ids=str
)
def test_the_wrong_entries_are_named_and_no_others(
    entries: tuple[tuple[int, int], ...], by: float
) -> None:
    check = check_jacobian(spoilt(*entries, by=by), X)
    assert not check
    assert [tuple(entry) for entry in check.wrong.tolist()] == sorted(entries)
    text = str(check)
    assert f"wrong in {len(entries)} of 18 entries" in text
    for i, j in entries:
        right, wrong = check.numeric[i, j], check.analytic[i, j]
        assert f"d residual[{i}] / d x[{j}] is {wrong:.6g}, should be {right:.6g}" in text


def test_a_wrong_sign_is_wrong_everywhere_it_is_not_zero() -> None:
    check = check_jacobian(FunctionProblem(decay, lambda p: -decay_jacobian(p)), X)
    # At t = 0 the second derivative is zero, whatever its sign.
    assert len(check.wrong) == 17
    assert [0, 1] not in check.wrong.tolist()


def test_a_long_list_is_cut() -> None:
    problem = FunctionProblem(lambda x: np.repeat(x, 30), lambda x: np.zeros((30, 1)))
    check = check_jacobian(problem, [1.0])
    lines = str(check).splitlines()
    assert len(check.wrong) == 30
    assert len(lines) == 22
    assert "10 more" in lines[-1]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf], ids=str)
def test_an_entry_that_is_not_finite_is_wrong(bad: float) -> None:
    def jacobian(p: np.ndarray) -> np.ndarray:
        J = decay_jacobian(p)
        J[4, 1] = bad
        return J

    check = check_jacobian(FunctionProblem(decay, jacobian), X)
    assert check.wrong.tolist() == [[4, 1]]
    assert str(bad) in str(check)


def test_rtol_decides_what_is_wrong() -> None:
    problem = spoilt((2, 0), by=1e-3)
    assert not check_jacobian(problem, X, rtol=1e-4)
    assert check_jacobian(problem, X, rtol=1e-2)


def test_an_error_is_seen_beside_a_much_larger_residual() -> None:
    # What rounding hides of one residual hides nothing of another one.
    problem = FunctionProblem(
        lambda x: np.array([1e13 * x[0], x[0] ** 2]), lambda x: np.array([[1e13], [3.0 * x[0]]])
    )
    assert check_jacobian(problem, [2.0]).wrong.tolist() == [[1, 0]]


@pytest.mark.parametrize("unit", [1e-12, 1e-6, 1e6, 1e12], ids=str)
def test_units_do_not_matter(unit: float) -> None:
    def residual(x: np.ndarray) -> np.ndarray:
        return decay(np.array([x[0] / unit, x[1]]))

    def jacobian(x: np.ndarray) -> np.ndarray:
        return decay_jacobian(np.array([x[0] / unit, x[1]])) / [unit, 1.0]

    x = [X[0] * unit, X[1]]
    assert check_jacobian(FunctionProblem(residual, jacobian), x)

    def wrong(x: np.ndarray) -> np.ndarray:
        J = jacobian(x)
        J[5, 0] *= 1.01
        return J

    assert check_jacobian(FunctionProblem(residual, wrong), x).wrong.tolist() == [[5, 0]]


@pytest.mark.parametrize("x", [[0.0, 0.0], [1e-9, 0.5], [0.0, 1.0]], ids=str)
def test_at_zero_and_near_it(x: list[float]) -> None:
    assert check_jacobian(FunctionProblem(decay, decay_jacobian), x)
    assert not check_jacobian(spoilt((3, 0), by=0.1), x)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    st.lists(st.floats(-3.0, 3.0), min_size=3, max_size=3),
    st.integers(0, 4),
    st.integers(0, 2),
    st.sampled_from([0.01, 0.5, -2.0]),
)
def test_random_points_and_random_mistakes(x: list[float], i: int, j: int, by: float) -> None:
    t = np.linspace(0.5, 1.5, 5)

    def residual(x: np.ndarray) -> np.ndarray:
        return np.sin(x[0] * t) + np.exp(x[1] * t / 3.0) + x[2] ** 3 * t

    def jacobian(x: np.ndarray) -> np.ndarray:
        columns = [t * np.cos(x[0] * t), t / 3.0 * np.exp(x[1] * t / 3.0), 3.0 * x[2] ** 2 * t]
        return np.column_stack(columns)

    def wrong(x: np.ndarray) -> np.ndarray:
        J = jacobian(x)
        J[i, j] += by
        return J

    assert check_jacobian(FunctionProblem(residual, jacobian), x)
    assert check_jacobian(FunctionProblem(residual, wrong), x).wrong.tolist() == [[i, j]]


# ============================================================================ layout


def square(x: np.ndarray) -> np.ndarray:
    return np.array([10.0 * (x[1] - x[0] ** 2), 1.0 - x[0]])


def square_jacobian(x: np.ndarray) -> np.ndarray:
    return np.array([[-20.0 * x[0], 10.0], [-1.0, 0.0]])


def test_a_transposed_square_jacobian_is_noticed() -> None:
    check = check_jacobian(FunctionProblem(square, lambda x: square_jacobian(x).T), [0.3, 0.7])
    assert not check
    assert check.transposed
    assert "The Jacobian is transposed." in str(check)


def test_a_jacobian_wrong_otherwise_is_not_called_transposed() -> None:
    check = check_jacobian(FunctionProblem(square, lambda x: 2 * square_jacobian(x)), [0.3, 0.7])
    assert not check
    assert not check.transposed


def test_a_symmetric_jacobian_is_right_either_way() -> None:
    A = np.array([[2.0, 1.0], [1.0, 3.0]])
    check = check_jacobian(FunctionProblem(lambda x: A @ x, lambda x: A.T), [0.3, 0.7])
    assert check
    assert not check.transposed


def test_col_deriv_is_the_other_layout() -> None:
    columns = FunctionProblem(decay, lambda p: decay_jacobian(p).T)
    assert check_jacobian(columns, X, col_deriv=True)
    rows = FunctionProblem(square, square_jacobian)
    check = check_jacobian(rows, [0.3, 0.7], col_deriv=True)
    assert not check
    assert check.transposed
    assert check_jacobian(FunctionProblem(square, lambda x: square_jacobian(x).T), [0.3, 0.7], True)


def test_col_deriv_reports_residual_and_parameter_in_that_order() -> None:
    def jacobian(p: np.ndarray) -> np.ndarray:
        J = decay_jacobian(p).T.copy()
        J[1, 4] += 1.0
        return J

    check = check_jacobian(FunctionProblem(decay, jacobian), X, col_deriv=True)
    assert check.wrong.tolist() == [[4, 1]]
    assert check.analytic.shape == (9, 2)


@pytest.mark.parametrize("col_deriv", [False, True])
@pytest.mark.parametrize("flat", [False, True])
def test_one_parameter(col_deriv: bool, flat: bool) -> None:
    def jacobian(x: np.ndarray) -> np.ndarray:
        column = 2.0 * x[0] * T
        return column if flat else column[None] if col_deriv else column[:, None]

    problem = FunctionProblem(lambda x: x[0] ** 2 * T, jacobian)
    assert check_jacobian(problem, [1.3], col_deriv=col_deriv)


@pytest.mark.parametrize("kind", [np.asfortranarray, np.ndarray.tolist, lambda J: J[::1]])
def test_any_layout_of_the_returned_array(kind: Callable[..., Any]) -> None:
    assert check_jacobian(FunctionProblem(decay, lambda p: kind(decay_jacobian(p))), X)
