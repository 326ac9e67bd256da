"""Time of compiled solves from Python: a `leastsq` call, and eight threads at once.

A numba cfunc for the residual of the 3-parameter exponential.  `leastsq` is called from Python,
the solve alone from a loop in C with the same function and tolerances (fits.c).
Needs a C compiler, cminpack with its header (Debian: libcminpack-dev) and numba.
"""

import ctypes
import tempfile
from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np
from common import ROUNDS, cminpack_library, seconds, versions
from versus_cminpack import DATA, START

import lmoo
from lmoo._core.abi1 import _api
from lmoo._core.solve import capsule_contents

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


def problems(m: int, count: int) -> list[lmoo.Problem]:
    t = np.linspace(0, 4, m)
    clean, rng = 2.5 * np.exp(-1.3 * t), np.random.default_rng(2)
    return [
        lmoo.CFunctionProblem(
            exponential, m, 3, user_data=np.concatenate([t, clean + rng.normal(0.5, 0.1, m)])
        )
        for _ in range(count)
    ]


def throughput(m: int, count: int) -> float:
    """Return eight threads' throughput over one's; their results are the same to the last bit."""
    solver = lmoo.Solver()

    def solve(part: list[lmoo.Problem]) -> list[bytes]:
        return [solver.solve(problem, START).x.tobytes() for problem in part]

    every = problems(m, count)
    parts = [every[k::THREADS] for k in range(THREADS)]
    with ThreadPoolExecutor(THREADS) as pool:

        def many() -> list[list[bytes]]:
            return list(pool.map(solve, parts))

        assert [solve(part) for part in parts] == many(), "eight threads found something else"
        return float(np.median([seconds(lambda: solve(every)) / seconds(many)
                                for _ in range(ROUNDS)]))  # fmt: skip


if __name__ == "__main__":
    print(versions("numba"))
    with tempfile.TemporaryDirectory() as folder:
        lib = cminpack_library("fits.c", folder)
        print(f"leastsq on a numba cfunc: {overhead(lib):.1f} us beyond the solve")
    for m, count in ((2_000, 400), (20_000, 80)):
        print(f"{THREADS} threads, m = {m}: {throughput(m, count):.2f} times the throughput of one")
