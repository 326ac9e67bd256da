"""Losses in compiled code, through the struct lmoo_loss."""

from __future__ import annotations

import ctypes
import pickle
from typing import Any

import numpy as np
import pytest
from compiled_cases import DOUBLES, START, T, Y

import lmoo
from lmoo.losses import Loss, compiled_loss

RHO = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_ssize_t, DOUBLES, DOUBLES, ctypes.c_void_p)


class Table(ctypes.Structure):
    _fields_ = (("size", ctypes.c_size_t), ("user_data", ctypes.c_void_p), ("rho", ctypes.c_void_p))


KEPT: list[Any] = []


def capsule(
    library: ctypes.CDLL, function: str | None, name: bytes = b"lmoo_loss", data: Any = None
) -> Any:
    """Return a capsule of a function of the library."""
    address = None if function is None else ctypes.cast(getattr(library, function), ctypes.c_void_p)
    user_data = None if data is None else ctypes.addressof(data)
    table = Table(ctypes.sizeof(Table), user_data, address)
    KEPT.extend((table, data, name))
    make = ctypes.pythonapi.PyCapsule_New
    make.restype, make.argtypes = (
        ctypes.py_object,
        (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p),
    )
    return make(ctypes.addressof(table), name, None)


def called(z: np.ndarray) -> np.ndarray:
    w = 1.0 / (1.0 + z)
    return np.stack([z * w, w * w, -2.0 * w * w * w])


def outlying() -> np.ndarray:
    y = Y.copy()
    y[[3, 12]] += 1.0
    return y


def test_the_same_bits_as_a_loss_in_python(library: ctypes.CDLL) -> None:
    loss = compiled_loss(capsule(library, "geman_mcclure"), "geman_mcclure", tuning=2.5)
    assert repr(loss) == "Loss('geman_mcclure')"
    z = np.logspace(-6, 6, 50)
    np.testing.assert_array_equal(loss(z), called(z))
    known = Loss(called, "geman_mcclure", 2.5)

    def model(t: Any, a: Any, b: Any, c: Any) -> Any:
        return a * np.exp(-b * t) + c

    y = outlying()
    problems = [
        lmoo.CurveProblem(model, T, y),
        lmoo.CurveProblem(model, T, y, trace=False),
        lmoo.CurveBlocks(model, T, y, block_size=7),
        lmoo.CurveProblem(model, T, y, 0.05, sigma_x=0.01),
    ]
    for problem in problems:
        scales: list[Any] = [0.1] if isinstance(problem, lmoo.RowBlockProblem) else [0.1, "mad"]
        for scale in scales:
            ours, theirs = (
                lmoo.Solver(loss=one, f_scale=scale).solve(problem, START) for one in (loss, known)
            )
            assert ours.success
            np.testing.assert_array_equal(ours.x, theirs.x)
            np.testing.assert_array_equal(ours.standard_errors, theirs.standard_errors)
            assert ours.nfev == theirs.nfev
    joint = lmoo.JointProblem(problems[:2], ["b"])
    result = lmoo.Solver(loss=loss, f_scale=0.1).solve(joint, [1.0, 1.0, 0.0, 1.0, 0.0])
    assert result.success


def test_a_loss_that_fails_ends_the_solve(library: ctypes.CDLL) -> None:
    code = ctypes.c_int(0)
    loss = compiled_loss(capsule(library, "geman_mcclure", data=code))
    code.value = -7
    for trace in ("auto", False):
        problem = lmoo.CurveProblem(lambda t, a, b: a * np.exp(-b * t), T, Y, trace=trace)
        with pytest.raises(ValueError, match="the loss ended the solve: it returned -7"):
            lmoo.Solver(loss=loss).solve(problem, [1.0, 1.0])


def test_bad_tables(library: ctypes.CDLL) -> None:
    with pytest.raises(ValueError, match=r"must have rho'\(0\) = 1; it is 2"):
        compiled_loss(capsule(library, "twice"))
    with pytest.raises(ValueError, match="must have the function rho"):
        compiled_loss(capsule(library, None))
    with pytest.raises(TypeError, match="of the name 'lmoo_loss'; its name is 'other'"):
        compiled_loss(capsule(library, "twice", b"other"))
    with pytest.raises(TypeError, match="must be a PyCapsule"):
        compiled_loss(called)
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(compiled_loss(capsule(library, "geman_mcclure")))
    with pytest.raises(ValueError, match=r"a loss of lmoo\.losses"):
        lmoo.curve_fit_many(
            lambda t, a: a * t, T, np.stack([T, T]), [1.0],
            solver=lmoo.Solver(loss=compiled_loss(capsule(library, "geman_mcclure"))),
        )  # fmt: skip
