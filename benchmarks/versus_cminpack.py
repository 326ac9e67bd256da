"""Time compiled fits: whole solves of lmoo and of cminpack, from C, with the same C function.

Each round has 20,000 fits of the 3-parameter exponential with 20 points, with differences and with
the Jacobian.  Then scipy's leastsq with the NumPy residual is compared with the fit in C, and with
a `lmoo.leastsq` call for the compiled problem.
Needs a C compiler and cminpack with its header (Debian: libcminpack-dev).
"""

import ctypes
import tempfile

import numpy as np
import scipy.optimize
from common import ROUNDS, cminpack_library, seconds, versions

import lmoo
from lmoo._core.abi1 import _api
from lmoo._core.solve import capsule_contents

FITS = 20_000
T = np.linspace(0, 4, 20)
Y = 2.5 * np.exp(-1.3 * T) + 0.5 + 0.01 * np.random.default_rng(1).standard_normal(20)
DATA = np.concatenate([T, Y])
START = [1.0, 1.0, 0.0]


def in_c(lib: ctypes.CDLL, analytic: bool) -> tuple[float, float, float]:
    """Return the ratio lmoo / cminpack, and the fits per second of both."""
    api = ctypes.c_void_p(capsule_contents(_api)[1])
    data = DATA.ctypes.data_as(ctypes.c_void_p)
    mine, theirs = np.zeros(3), np.zeros(3)

    def ours() -> int:
        return lib.fits_lmoo(api, FITS, analytic, data, mine.ctypes.data_as(ctypes.c_void_p))

    def other() -> int:
        return lib.fits_cminpack(FITS, analytic, data, theirs.ctypes.data_as(ctypes.c_void_p))

    evaluations = ours(), other()
    assert np.allclose(mine, theirs, rtol=1e-6)
    print(f"  evaluations a fit: {evaluations[0]} and {evaluations[1]}")
    times = np.array([[seconds(ours), seconds(other)] for _ in range(3 * ROUNDS)])
    return float(np.median(times[:, 0] / times[:, 1])), *(FITS / np.median(times, axis=0))


def residual(x: np.ndarray) -> np.ndarray:
    return x[0] * np.exp(-x[1] * T) + x[2] - Y


def from_python(lib: ctypes.CDLL) -> tuple[float, float]:
    """Return scipy's time divided by that of the compiled fit, and by that of lmoo.leastsq."""
    kind = ctypes.CFUNCTYPE(
        ctypes.c_int,
        ctypes.c_ssize_t,
        ctypes.c_ssize_t,
        ctypes.c_void_p,
        ctypes.c_void_p,
        ctypes.c_void_p,
    )
    problem = lmoo.CFunctionProblem(kind(("c_residual", lib)), 20, 3, user_data=DATA)
    api = ctypes.c_void_p(capsule_contents(_api)[1])
    data, x = DATA.ctypes.data_as(ctypes.c_void_p), np.zeros(3)
    out = x.ctypes.data_as(ctypes.c_void_p)
    calls = 400

    def ours() -> None:
        for _ in range(calls):
            lmoo.leastsq(problem, START)

    def theirs() -> None:
        for _ in range(calls):
            scipy.optimize.leastsq(residual, START)

    times = np.array(
        [
            (
                seconds(ours),
                seconds(theirs),
                seconds(lambda: lib.fits_lmoo(api, calls, 0, data, out)),
            )
            for _ in range(3 * ROUNDS)
        ]
    )
    call, scipys, solve = times.T
    return float(np.median(scipys / solve)), float(np.median(scipys / call))


if __name__ == "__main__":
    print(versions("scipy"))
    with tempfile.TemporaryDirectory() as folder:
        lib = cminpack_library("fits.c", folder)
        for analytic, name in ((False, "lmdif"), (True, "lmder")):
            ratio, mine, theirs = in_c(lib, analytic)
            print(f"{name}: {ratio:.2f} of cminpack's time ({mine:,.0f} and {theirs:,.0f} fits/s)")
        fit, call = from_python(lib)
        print(f"scipy.optimize.leastsq with NumPy takes {fit:.1f} times as long as the fit in C,")
        print(f"  {call:.1f} times as long as lmoo.leastsq on the compiled problem")
