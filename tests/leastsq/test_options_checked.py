"""`leastsq`: diag of a wrong length, and a transposed Jacobian."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from better_cases import EVERY_JACOBIAN, QuietRecorder, assert_same_solve
from samples import (
    START,
    decay,
    rosenbrock,
    rosenbrock_jacobian,
)

import lmoo


@pytest.mark.parametrize("full_output", [False, True])
@pytest.mark.parametrize("diag", [[1.0], [], [1.0, 1.0, 1.0], 1.0, np.ones((3, 2))], ids=repr)
@EVERY_JACOBIAN
def test_diag_of_a_wrong_length_is_not_read(
    options: dict[str, Any], diag: Any, full_output: bool
) -> None:
    func = QuietRecorder(decay)
    with pytest.raises(ValueError, match="diag"):
        lmoo.leastsq(func, START, diag=diag, full_output=full_output, **options)
    assert func.points == []  # known before anything is evaluated


def test_diag_is_read_within_its_bounds() -> None:
    # A view with negative numbers on both sides: reading beyond it would be ier 0.
    room = np.array([-1.0, 3.0, 0.1, -1.0])
    answer = lmoo.leastsq(decay, START, diag=room[1:3], factor=0.1, full_output=True)
    expected = lmoo.leastsq(decay, START, diag=[3.0, 0.1], factor=0.1, full_output=True)
    assert_same_solve(answer, expected)
    strided = np.array([3.0, -1.0, 0.1, -1.0])[::2]
    answer = lmoo.leastsq(decay, START, diag=strided, factor=0.1, full_output=True)
    assert_same_solve(answer, expected)


def transposed(p: np.ndarray) -> np.ndarray:
    return rosenbrock_jacobian(p).T


def test_a_transposed_square_jacobian_is_looked_for_on_request_only() -> None:
    func, jacobian = QuietRecorder(rosenbrock), QuietRecorder(transposed)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        info = lmoo.leastsq(func, [-1.2, 1.0], Dfun=jacobian, full_output=True)[2]
    assert (len(func.points), len(jacobian.points)) == (info["nfev"], info["njev"])


def test_check_jacobian_tells_of_a_transposed_square_jacobian() -> None:
    wrong = lmoo.FunctionProblem(rosenbrock, transposed)
    check = lmoo.check_jacobian(wrong, [-1.2, 1.0])
    assert not check
    assert check.transposed
    assert "transposed" in str(check)
    right = lmoo.FunctionProblem(rosenbrock, rosenbrock_jacobian)
    assert lmoo.check_jacobian(right, [-1.2, 1.0])


def test_func_may_change_the_callers_diag() -> None:
    diag = np.array([3.0, 0.1])

    def func(x: np.ndarray) -> np.ndarray:
        diag[:] = np.nan
        return decay(x)

    answer = lmoo.leastsq(func, START, diag=diag, factor=0.1, full_output=True)
    expected = lmoo.leastsq(decay, START, diag=[3.0, 0.1], factor=0.1, full_output=True)
    assert_same_solve(answer, expected)
