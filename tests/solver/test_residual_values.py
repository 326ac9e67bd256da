"""What a residual function may return, single precision included."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from case_tables import each
from ids import stable
from samples import START, T, Y, decay, decay_jacobian
from solver_problems import EVERY_STRATEGY, Recorder, assert_same_bits, solve_decay

import lmoo
from lmoo import FunctionProblem, Solver

# ===================================================================== what a residual returns


@each(
    ("value", "says"),
    [
        (None, "returned None"),
        (1.0, "a scalar"),
        (np.float64(1.0), "a scalar"),
        (np.zeros((3, 1)), r"shape \(3, 1\)"),
        (np.zeros(3) * 1j, "complex"),
        (np.array([1.0, None, 2.0]), "objects"),
        (["1", "2", "3"], "str"),
        ([[1.0], [1.0, 2.0]], "no array"),
        (np.zeros(3, dtype="M8[s]"), "datetime"),
    ],
    ids=["None", "float", "float64", "2-D", "complex", "object", "str", "ragged", "datetime"],
)
@each("at", [1, 2, 5])
@EVERY_STRATEGY
def test_residual_that_is_no_real_vector_is_a_type_error(
    value: Any, says: str, at: int, dfun: Any, strategy: Any
) -> None:
    calls = itertools.count(1)

    def residual(x: np.ndarray) -> Any:
        return value if next(calls) >= at and x.dtype == np.float64 else decay(x)

    with pytest.raises(TypeError, match=rf"^residual must return a 1-D array .*{says}"):
        solve_decay(residual, dfun, strategy)


def test_no_residuals_are_a_type_error() -> None:
    with pytest.raises(TypeError, match=r"residual .*N=2 exceeds .* M=0"):
        Solver().solve(FunctionProblem(lambda x: x[:0]), START)


@pytest.mark.parametrize("analytic", [False, True])
@pytest.mark.parametrize(
    "strategy", [None, lmoo.CentralDifference(), lmoo.ComplexStep(), lmoo.ForwardDifference()]
)
def test_fewer_residuals_than_parameters_are_solved(strategy: Any, analytic: bool) -> None:
    def residual(x: np.ndarray) -> np.ndarray:
        return np.array([x[0] + 2 * x[1] - 3 * x[2] - 4, x[0] * x[1] - 1])

    def jacobian(x: np.ndarray) -> np.ndarray:
        return np.array([[1.0, 2.0, -3.0], [x[1], x[0], 0.0]])

    problem = FunctionProblem(residual, jacobian if analytic else None)
    for bounds in (None, (0, None)):
        result = Solver(jacobian=strategy, bounds=bounds).solve(problem, [1.0, 2.0, 3.0])
        assert result.success
        np.testing.assert_allclose(residual(result.x), 0.0, atol=1e-12)
        assert result.residual.shape == (2,)
        assert result.jacobian().shape == (2, 3)
        assert result.rank == 2
        assert len(result.undetermined) == 3
        assert "0 degrees of freedom" in str(result)


def test_a_fixed_parameter_does_not_count_against_few_residuals() -> None:
    problem = FunctionProblem(lambda x: np.array([x[0] + x[1] - 3.0, x[0] * x[2] - 2.0]))
    result = Solver(fixed={2: 1.0}).solve(problem, [1.0, 1.0, 5.0])
    assert result.success
    np.testing.assert_allclose(result.x, [2.0, 1.0, 1.0])
    assert result.undetermined == ()


@each("length", [0, 2, 8, 10, 1000])
@each("at", [2, 3, 4, 6])
def test_residual_that_changes_its_length_is_a_value_error(length: int, at: int) -> None:
    calls = itertools.count(1)

    def residual(x: np.ndarray) -> np.ndarray:
        return decay(x) if next(calls) < at else np.zeros(length)

    with pytest.raises(ValueError, match=rf"residual must return .*: 9 at the first, now {length}"):
        solve_decay(residual)


@each(
    "kind",
    [
        list,
        tuple,
        np.array,
        lambda f: f.astype(">f8"),
        lambda f: np.repeat(f, 2)[::2],
        memoryview,
        lambda f: np.asfortranarray(f[:, None])[:, 0],
        lambda f: f.view(np.ma.MaskedArray),
    ],
    ids=["list", "tuple", "array", "swapped", "strided", "memoryview", "column", "masked"],
)
def test_residual_may_be_any_sequence_of_floats(kind: Callable[..., Any]) -> None:
    assert_same_bits(solve_decay(lambda x: kind(decay(x))), solve_decay())


def test_residual_may_return_a_list_of_rows_of_itself_unaligned() -> None:
    # One byte off any boundary: it can only be copied.
    store = np.zeros(9 * 8 + 1, dtype=np.uint8)
    view = store[1:].view(np.float64)

    def residual(x: np.ndarray) -> np.ndarray:
        view[:] = decay(x)
        return view

    assert not view.flags.aligned
    assert_same_bits(solve_decay(residual), solve_decay())


def test_integer_residuals_are_numbers() -> None:
    result = Solver().solve(FunctionProblem(lambda x: [0, 0, 0]), START)
    assert result.cost == 0.0
    np.testing.assert_array_equal(result.x, START)


# ------------------------------------------------------------------- float32, and its precision


def float32_decay(p: np.ndarray) -> np.ndarray:
    t = T.astype(np.float32)
    q = p.astype(np.float32)
    return q[0] * np.exp(-q[1] * t) - Y.astype(np.float32)


@pytest.mark.parametrize(
    "strategy", [None, lmoo.CentralDifference(), lmoo.ForwardDifference(typical=1.0)], ids=stable
)
@pytest.mark.parametrize("x0", [(1.0, 1.0), (3.0, 0.2), (0.5, 3.0)], ids=stable)
def test_float32_residual_converges_to_float32_accuracy(x0: Any, strategy: Any) -> None:
    exact = Solver().solve(FunctionProblem(decay, decay_jacobian), START)
    result = Solver(jacobian=strategy).solve(FunctionProblem(float32_decay), x0)
    assert result.success
    # Rounding the residual moves x by eps |J x| / |J|, some hundred units here at the most.
    np.testing.assert_allclose(result.x, exact.x, rtol=100 * np.finfo(np.float32).eps)
    np.testing.assert_allclose(result.standard_errors, exact.standard_errors, rtol=1e-2)
    assert result.nfev <= 100


def test_float32_residual_is_differenced_with_steps_that_it_can_see() -> None:
    record = Recorder(float32_decay)
    Solver().solve(FunctionProblem(record), START)
    first = record.points[1][0] / record.points[0][0] - 1.0
    assert first == pytest.approx(np.sqrt(np.finfo(np.float32).eps), rel=0.5)


def test_float32_residual_with_its_jacobian() -> None:
    exact = Solver().solve(FunctionProblem(decay, decay_jacobian), START)
    result = Solver().solve(FunctionProblem(float32_decay, decay_jacobian), START)
    assert result.success
    np.testing.assert_allclose(result.x, exact.x, rtol=100 * np.finfo(np.float32).eps)
    assert result.nfev <= 50
