"""What a compiled solve costs from Python: a `leastsq` call, and eight threads at once.

A numba cfunc for the residual of the 3-parameter exponential.  `leastsq` is called from Python,
the solve alone from a loop in C with the same function and tolerances (fits.c).
Needs a C compiler, cminpack with its header (Debian: libcminpack-dev) and numba.
"""

import ctypes
import tempfile
from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np
from common import ROUNDS, seconds, versions
from versus_cminpack import DATA, START, library

import lmoo
from lmoo._core.abi1 import _api
from lmoo._core.compiled import capsule_contents

THREADS = 8
CALLS = 2000

pointer, size = numba.types.CPointer(numba.types.float64), numba.types.intp


@numba.cfunc(numba.types.int32(size, size, pointer, pointer, pointer))
def exponential(m, n, x, fvec, data):
    """Residual of the 3-parameter exponential; data: t, then y."""
    for i in range(m):
        fvec[i] = x[0] * np.exp(-x[1] * data[i]) + x[2] - data[m + i]
    return 0


def overhead(lib: ctypes.CDLL) -> float:
    """Return the microseconds of a leastsq call beyond the compiled solve: median of 7 rounds."""
    problem = lmoo.CFunctionProblem(exponential, 20, 3, user_data=DATA)
    api = ctypes.c_void_p(capsule_contents(_api)[1])
    function = ctypes.c_void_p(exponential.address)
    data, x = DATA.ctypes.data_as(ctypes.c_void_p), np.zeros(3)
    out = x.ctypes.data_as(ctypes.c_void_p)

    def from_python() -> None:
        for _ in range(CALLS):
            lmoo.leastsq(problem, START)

    def in_c() -> None:
        lib.fits_lmoo_of(api, function, CALLS, data, out)

    in_c()
    assert np.array_equal(x, lmoo.leastsq(problem, START)[0])
    return 1e6 * float(
        np.median([(seconds(from_python) - seconds(in_c)) / CALLS for _ in range(ROUNDS)])
    )


def throughput() -> float:
    """Return eight threads' throughput over one's; their results are the same to the last bit."""
    t = np.linspace(0, 4, 2000)
    rng = np.random.default_rng(2)
    problems = [
        lmoo.CFunctionProblem(
            exponential, t.size, 3,
            user_data=np.concatenate([t, 2.5 * np.exp(-1.3 * t) + rng.normal(0.5, 0.1, t.size)]),
        )
        for _ in range(400)
    ]  # fmt: skip
    solver = lmoo.Solver()

    def solve(problem: lmoo.Problem) -> bytes:
        return solver.solve(problem, START).x.tobytes()

    def one() -> list[bytes]:
        return [solve(problem) for problem in problems]

    ratios = []
    with ThreadPoolExecutor(THREADS) as pool:

        def many() -> list[bytes]:
            return list(pool.map(solve, problems, chunksize=1))

        assert one() == many(), "eight threads found something else"
        for _ in range(ROUNDS):
            ratios.append(seconds(one) / seconds(many))
    return float(np.median(ratios))


if __name__ == "__main__":
    print(versions("numba"))
    with tempfile.TemporaryDirectory() as folder:
        print(f"leastsq on a numba cfunc: {overhead(library(folder)):.1f} us beyond the solve")
    print(f"{THREADS} threads: {throughput():.2f} times the throughput of one, the same bits")
