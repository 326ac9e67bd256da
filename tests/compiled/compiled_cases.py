"""Problems in C that the tests of `CFunctionProblem` share."""

import ctypes

import numpy as np

import lmoo

T = np.linspace(0, 4, 20)
Y = 2.5 * np.exp(-1.3 * T) + 0.5 + 0.01 * np.random.default_rng(1).standard_normal(20)
DATA = np.concatenate([T, Y])
START = [1.0, 1.0, 0.0]


DOUBLES = ctypes.POINTER(ctypes.c_double)
FUNCTION = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_ssize_t, ctypes.c_ssize_t, DOUBLES, DOUBLES, ctypes.c_void_p
)


def decay(library: ctypes.CDLL, jacobian: bool = False) -> lmoo.CFunctionProblem:
    return lmoo.CFunctionProblem(
        FUNCTION(("decay", library)),
        20,
        3,
        jacobian=FUNCTION(("decay_jacobian", library)) if jacobian else None,
        user_data=DATA,
    )


def logarithm(library: ctypes.CDLL, code: int) -> lmoo.CFunctionProblem:
    return lmoo.CFunctionProblem(
        FUNCTION(("logarithm", library)), 1, 1, user_data=ctypes.c_int(code)
    )
