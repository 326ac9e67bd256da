"""The start x0 of `Solver.solve`: conversion and refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ids import stable
from samples import decay
from solver_problems import Recorder, assert_same_bits

from lmoo import FunctionProblem, Solver


@pytest.mark.parametrize(
    "x0",
    [
        (1, 1),
        [1, 1],
        np.array([1, 1], dtype=np.int8),
        np.array([1, 1], dtype=np.uint64),
        np.array([1, 1], dtype=np.float16),
        np.array([1, 1], dtype=np.float32),
        np.array([1, 1], dtype=np.longdouble),
        np.array([1, 1], dtype=">f8"),
        np.array([True, True]),
        np.ones(6)[::3],
    ],
    ids=lambda x0: getattr(getattr(x0, "dtype", None), "name", type(x0).__name__),
)
def test_any_real_x0_is_cast_to_float64(x0: Any) -> None:
    before = np.array(x0)
    record = Recorder(decay)
    kinds: set[Any] = set()

    def residual(x: np.ndarray) -> np.ndarray:
        kinds.add((type(x), x.dtype, x.shape, x.flags.c_contiguous, x.flags.writeable))
        return record(x)

    result = Solver().solve(FunctionProblem(residual), x0)
    assert_same_bits(result, Solver().solve(FunctionProblem(decay), [1.0, 1.0]))
    assert kinds == {(np.ndarray, np.dtype("f8"), (2,), True, True)}
    np.testing.assert_array_equal(np.array(x0), before)


@pytest.mark.parametrize(
    ("x0", "error", "says"),
    [
        ([], ValueError, r"1-D and not empty; its shape is \(0,\)"),
        (1.0, ValueError, r"1-D .*\(\)"),
        ([[1.0, 2.0]], ValueError, r"1-D .*\(1, 2\)"),
        ([1j, 1.0], TypeError, r"real numbers; .*complex"),
        ("12", TypeError, r"real numbers; .*'12'"),
        (["1", "2"], TypeError, r"real numbers; .*'1'"),
        (None, TypeError, r"real numbers; .*None"),
        ([None, 1.0], TypeError, r"real numbers; .*None"),
        ([object()], TypeError, r"real numbers; .*object"),
        (np.array(["2020-01-01"], dtype="M8[D]"), TypeError, r"real numbers; .*datetime"),
        ([1.0, np.nan], ValueError, r"finite; its entry 1 is nan"),
        ([-np.inf, 1.0], ValueError, r"finite; its entry 0 is -inf"),
        ([[1.0], [1.0, 2.0]], TypeError, r"an array of real numbers: .*inhomogeneous"),
        ({1.0, 2.0}, TypeError, r"real numbers"),
    ],
    ids=stable,
)
def test_bad_x0_is_named_and_nothing_is_evaluated(x0: Any, error: Any, says: str) -> None:
    record = Recorder(decay)
    with pytest.raises(error, match=rf"^x0 must be {says}"):
        Solver().solve(FunctionProblem(record), x0)
    assert record.points == []


def test_a_float_x0_that_overflows_float64_is_not_finite() -> None:
    big = np.array([1.0, np.finfo(np.longdouble).max], dtype=np.longdouble)
    if np.finfo(np.longdouble).max <= np.finfo(np.float64).max:
        pytest.skip("long double is double here")
    with (
        np.errstate(over="ignore"),
        pytest.raises(ValueError, match="x0 must be finite; its entry 1"),
    ):
        Solver().solve(FunctionProblem(decay), big)
