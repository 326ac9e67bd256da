"""`check_jacobian`: it tells which entries are wrong, and finds no fault in what is right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lmoo
from lmoo import EvaluationError, FunctionProblem, Problem, check_jacobian

T = np.linspace(0.0, 2.0, 9)
X = (1.7, 0.9)


def decay(p: np.ndarray) -> np.ndarray:
    return p[0] * np.exp(-p[1] * T) - 1.0


def decay_jacobian(p: np.ndarray) -> np.ndarray:
    e = np.exp(-p[1] * T)
    return np.column_stack([e, -p[0] * T * e])


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


# ============================================================================ bad input


def test_a_problem_without_jacobian_is_a_type_error() -> None:
    class Bare(Problem):
        def residual(self, x: np.ndarray) -> np.ndarray:
            return x

    for problem in (FunctionProblem(decay), Bare()):
        with pytest.raises(TypeError, match=r"problem must define jacobian\(x\)"):
            check_jacobian(problem, X)


@pytest.mark.parametrize("rtol", [0.0, -1e-5, np.nan, "small", None], ids=lambda value: repr(value))
def test_rtol_must_be_positive(rtol: Any) -> None:
    number = isinstance(rtol, float)
    error, kind = (ValueError, "positive") if number else (TypeError, "a real number")
    with pytest.raises(error, match=rf"^rtol must be {kind}; it is {rtol!r}$"):
        check_jacobian(FunctionProblem(decay, decay_jacobian), X, rtol=rtol)


@pytest.mark.parametrize(
    ("x", "error", "says"),
    [
        ([], ValueError, r"1-D and not empty; its shape is \(0,\)"),
        (1.0, ValueError, r"1-D and not empty; its shape is \(\)"),
        ([[1.0, 2.0]], ValueError, r"1-D and not empty; its shape is \(1, 2\)"),
        (None, TypeError, "real numbers; it is None"),
        ("12", TypeError, "real numbers; it is '12'"),
        (["a", "b"], TypeError, r"real numbers; it is \['a', 'b'\]"),
        ([1j, 1.0], TypeError, r"real numbers; it is \[1j, 1\.0\]"),
        ([np.nan, 1.0], ValueError, r"finite; it is \[nan, 1\.0\]"),
        ([np.inf, 1.0], ValueError, r"finite; it is \[inf, 1\.0\]"),
    ],
    ids=repr,
)
def test_bad_x_is_named(x: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=rf"^x must be {says}$"):
        check_jacobian(FunctionProblem(decay, decay_jacobian), x)


@pytest.mark.parametrize("x", [(2, 1), np.array([2, 1], dtype=np.int8), np.float32([2.0, 1.0])])
def test_any_real_x_will_do_and_is_left_alone(x: Any) -> None:
    before = np.array(x)
    assert check_jacobian(FunctionProblem(decay, decay_jacobian), x)
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda J: J.T, r"\(9, 2\); it is of shape \(2, 9\); it is transposed"),
        (lambda J: J[1:], r"\(9, 2\); it is of shape \(8, 2\)"),
        (lambda J: J[0], r"\(9, 2\); it is of shape \(2,\)"),
        (lambda J: 1.0, r"\(9, 2\); it is of shape \(\)"),
    ],
    ids=["transposed", "short", "row", "scalar"],
)
def test_a_jacobian_of_another_shape_is_a_value_error(spoil: Any, says: str) -> None:
    problem = FunctionProblem(decay, lambda p: spoil(decay_jacobian(p)))
    with pytest.raises(ValueError, match=rf"Jacobian must be of shape {says}"):
        check_jacobian(problem, X)


@pytest.mark.parametrize("value", [None, "text", [[1.0], [1.0, 2.0]]], ids=repr)
def test_a_jacobian_that_is_no_array_is_an_error_that_says_so(value: Any) -> None:
    with pytest.raises(
        TypeError, match=r"^the Jacobian must be (an array of )?real numbers; it is"
    ):
        check_jacobian(FunctionProblem(decay, lambda p: value), X)


@pytest.mark.parametrize(
    ("value", "error", "match"),
    [
        (None, TypeError, "1-D array of real numbers; it returned None"),
        (np.zeros((3, 3)), TypeError, r"1-D array of real numbers; it returned shape \(3, 3\)"),
        (np.full(3, np.nan), ValueError, "^the residual must be finite at x and near it"),
        (np.zeros(3) * 1j, TypeError, "1-D array of real numbers; it returned complex numbers"),
        ("text", TypeError, "1-D array of real numbers; it returned a str"),
    ],
    ids=["None", "2-D", "nan", "complex", "str"],
)
def test_a_residual_that_is_no_finite_vector_is_an_error_that_says_so(
    value: Any, error: type[Exception], match: str
) -> None:
    problem = FunctionProblem(lambda x: value, lambda x: np.zeros((3, 2)))
    with pytest.raises(error, match=match):
        check_jacobian(problem, X)


def test_a_residual_that_is_not_finite_near_x_is_a_value_error() -> None:
    def residual(x: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            return np.sqrt(1.0 - x) * np.ones(2)

    problem = FunctionProblem(residual, lambda x: np.ones((2, 1)))
    with pytest.raises(ValueError, match="finite at x and near it"):
        check_jacobian(problem, [1.0])


@pytest.mark.parametrize("kind", [EvaluationError, KeyError, KeyboardInterrupt, StopIteration])
@pytest.mark.parametrize("of", ["residual", "jacobian"])
def test_exceptions_of_user_code_come_out(kind: type[BaseException], of: str) -> None:
    mine = kind("mine")

    def raising(x: np.ndarray) -> Any:
        raise mine

    problem = (
        FunctionProblem(raising, decay_jacobian)
        if of == "residual"
        else FunctionProblem(decay, raising)
    )
    with pytest.raises(kind) as caught:
        check_jacobian(problem, X)
    assert caught.value is mine


# ============================================================================ user code


def test_user_code_may_change_and_keep_its_x_and_reuse_its_output() -> None:
    out, jac = np.empty(9), np.empty((9, 2))
    kept: list[tuple[np.ndarray, np.ndarray]] = []

    def residual(x: np.ndarray) -> np.ndarray:
        out[:] = decay(x)
        kept.append((x, x.copy()))
        return out

    def spoiling(x: np.ndarray) -> np.ndarray:
        out[:] = decay(x)
        x.fill(np.nan)
        return out

    def jacobian(x: np.ndarray) -> np.ndarray:
        jac[:] = decay_jacobian(x)
        x.fill(np.nan)
        return jac

    assert check_jacobian(FunctionProblem(residual, jacobian), X)
    for x, then in kept:
        np.testing.assert_array_equal(x, then)
    check = check_jacobian(FunctionProblem(spoiling, jacobian), X)
    assert check
    jac.fill(0.0)
    assert check.analytic.any()


def test_user_code_gets_float64_only_and_the_documented_number_of_calls() -> None:
    seen: list[Any] = []

    def residual(x: np.ndarray, a: float, *, b: float) -> np.ndarray:
        seen.append((type(x), x.dtype, x.shape))
        assert (a, b) == (1.0, 2.0)
        return decay(x)

    def jacobian(x: np.ndarray, a: float, *, b: float) -> np.ndarray:
        assert (a, b) == (1.0, 2.0)
        return decay_jacobian(x)

    assert check_jacobian(FunctionProblem(residual, jacobian, (1.0,), {"b": 2.0}), X)
    assert set(seen) == {(np.ndarray, np.dtype(np.float64), (2,))}
    assert len(seen) == 4 * 2 + 1


def test_a_subclass_of_problem_and_any_object_can_be_checked() -> None:
    class Mine(Problem):
        def residual(self, x: np.ndarray) -> np.ndarray:
            return decay(x)

        def jacobian(self, x: np.ndarray) -> np.ndarray:
            return decay_jacobian(x)

    class Duck:
        residual = staticmethod(decay)
        jacobian = staticmethod(decay_jacobian)

    assert check_jacobian(Mine(), X)
    assert check_jacobian(Duck(), X)


def test_what_was_found_cannot_be_changed_by_accident() -> None:
    check = check_jacobian(FunctionProblem(decay, decay_jacobian), X)
    with pytest.raises(AttributeError):
        check.transposed = True  # type: ignore[misc]
    assert isinstance(check, lmoo.JacobianCheck)
