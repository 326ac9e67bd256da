"""`check_jacobian`: arguments that are refused, and what user code may do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from check_cases import X, decay, decay_jacobian

import lmoo
from lmoo import EvaluationError, FunctionProblem, Problem, check_jacobian

# ============================================================================ bad input


def test_a_problem_without_jacobian_is_a_type_error() -> None:
    class Bare(Problem):
        def residual(self, x: np.ndarray) -> np.ndarray:
            return x

    for problem in (FunctionProblem(decay), Bare()):
        with pytest.raises(TypeError, match=r"problem must define jacobian\(x\)"):
            check_jacobian(problem, X)


def test_problems_in_blocks_are_checked_block_by_block() -> None:
    class Blocks(lmoo.RowBlockProblem):
        def evaluate(self, x: np.ndarray, block: Any, want: str) -> Any:
            return x[0] * block**2, (2 if want == "both" else 1) * block[:, None] ** 2

    problem = Blocks([np.arange(3.0), np.arange(5.0)])
    with pytest.raises(TypeError, match=r"a Blocks comes in blocks: check one of them"):
        check_jacobian(problem, [1.0])
    first = FunctionProblem(problem.residual, problem.jacobian, args=(problem.blocks[0],))
    np.testing.assert_array_equal(check_jacobian(first, [1.0]).wrong, [[1, 0], [2, 0]])


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
        (["a", "b"], TypeError, r"real numbers; it is \['a', 'b'\]: array\.astype\(float\) .*"),
        ([1j, 1.0], TypeError, r"real numbers; it is \[1j, 1\.0\]: array\.real .*"),
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
