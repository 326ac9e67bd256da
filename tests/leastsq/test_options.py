"""`leastsq`: tolerances, maxfev, factor and diag."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from case_tables import each
from ids import stable
from leastsq_cases import Recorder, read_only, slow, slow_jacobian
from samples import (
    START,
    decay,
)

import lmoo


@each("maxfev", [0, -1, -200])
@each("n", [1, 2])
def test_maxfev_0_or_negative_is_200_times_n_plus_1(
    leastsq: Callable[..., Any], n: int, maxfev: int
) -> None:
    info, _, ier = leastsq(slow, np.zeros(n), full_output=True, maxfev=maxfev)[2:]
    assert ier == 5
    limit = 200 * (n + 1)
    assert limit <= info["nfev"] < limit + n + 1
    assert info == info | {"nfev": 1 + math.ceil((limit - 1) / (n + 1)) * (n + 1)}


@each("maxfev", [0, -1, -200])
@each("n", [1, 2])
def test_maxfev_0_or_negative_with_dfun_is_100_times_n_plus_1(
    leastsq: Callable[..., Any], n: int, maxfev: int
) -> None:
    info, _, ier = leastsq(slow, np.zeros(n), Dfun=slow_jacobian, full_output=True, maxfev=maxfev)[
        2:
    ]
    assert (ier, info["nfev"]) == (5, 100 * (n + 1))


def test_maxfev_may_be_a_numpy_integer(leastsq: Callable[..., Any]) -> None:
    info, _, ier = leastsq(slow, [0.0], full_output=True, maxfev=np.int64(7))[2:]
    assert (ier, info["nfev"]) == (5, 7)


@each(
    "kind",
    [
        list,
        tuple,
        np.array,
        lambda d: np.array(d, np.float32),
        lambda d: np.array(d, int),
        read_only,
    ],
    ids=["list", "tuple", "float64", "float32", "int", "read-only"],
)
def test_diag_is_n_positive_numbers_and_not_modified(
    leastsq: Callable[..., Any], kind: Any
) -> None:
    diag = kind([2.0, 4.0])
    before = np.array(diag)
    func, expected = Recorder(decay), Recorder(decay)
    leastsq(func, START, diag=diag, factor=0.1)
    leastsq(expected, START, diag=np.array([2.0, 4.0]), factor=0.1)
    np.testing.assert_array_equal(func.points, expected.points)
    np.testing.assert_array_equal(diag, before)


def test_diag_scales_the_variables(leastsq: Callable[..., Any]) -> None:
    runs = []
    for diag in ([1.0, 4.0], [2.0, 8.0], [4.0, 1.0]):
        runs.append(Recorder(decay))
        leastsq(runs[-1], START, diag=diag, factor=0.1)
    # Only the ratios matter (powers of two: to the last bit), and they do matter.
    np.testing.assert_array_equal(runs[0].points, runs[1].points)
    assert np.abs(runs[0].points[6] - runs[2].points[6]).max() > 1e-3


# scipy reads beyond a diag that is too short.
@each(
    "diag",
    [[1.0], [1.0, 1.0, 1.0], [], 1.0, [[1.0, 1.0]], [[1.0], [1.0]], np.ones((1, 1, 2))],
    ids=stable,
)
@each("full_output", [False, True])
def test_diag_of_another_length_is_a_value_error(diag: Any, full_output: bool) -> None:
    with pytest.raises(ValueError, match="diag"):
        lmoo.leastsq(decay, START, diag=diag, full_output=full_output)


@each("value", [math.inf, -math.inf])
@each("full_output", [False, True])
def test_diag_that_is_infinite_is_a_value_error(value: float, full_output: bool) -> None:
    with pytest.raises(ValueError, match=r"^diag must be finite; it is -?inf at index 1$"):
        lmoo.leastsq(decay, START, diag=[1.0, value], full_output=full_output)


WRONG_TYPES = [
    *[(name, value) for name in ("ftol", "xtol", "gtol", "factor")
      for value in ("1e-3", None, [1e-3], 1j)],
    *[("epsfcn", value) for value in ("1e-3", [1e-3], 1j)],
    *[("maxfev", value) for value in ("9", None, 9.0, np.float64(9.0), [9])],
    ("func", None), ("func", 3.0), ("Dfun", 3.0), ("Dfun", "decay"),
]  # fmt: skip


@each(("name", "value"), WRONG_TYPES, ids=stable)
@each("full_output", [False, True])
def test_option_of_the_wrong_type_is_a_type_error(
    leastsq: Callable[..., Any], name: str, value: Any, full_output: bool
) -> None:
    arguments = {"func": decay, "x0": START, "full_output": full_output, name: value}
    with pytest.raises(TypeError):
        leastsq(**arguments)


@pytest.mark.parametrize("diag", [["1", "2"], [1j, 1.0], [None, 1.0], "ab"], ids=stable)
def test_diag_of_the_wrong_type_is_a_type_error(diag: Any) -> None:
    # scipy reads strings as numbers, None as nan.
    with pytest.raises(TypeError):
        lmoo.leastsq(decay, START, diag=diag)
