"""The lmder and lmdif of a MINPACK installed on this machine, for comparison.

Looks for C/C++ MINPACK (libcminpack), then for Fortran MINPACK (libminpack with the
symbols `lmder_` and `lmdif_`). Run as a script, it writes `data/mgh_minpack.json`, the
results of the 53 runs of `problems.CASES`, for machines without a MINPACK::

    python tests/minpack_reference.py [--library cminpack|minpack] [--output FILE]
"""

from __future__ import annotations

import argparse
import ctypes
import ctypes.util
import functools
import json
import math
import platform
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from problems import CASES, MghCase

__all__ = [
    "EPSMCH",
    "TABLE",
    "TOL",
    "Library",
    "ReferenceResult",
    "available",
    "lmder",
    "lmdif",
    "load",
    "run_case",
]

Array = NDArray[np.float64]
Function = Callable[[Array], ArrayLike]

EPSMCH = 2.0**-52
TOL = math.sqrt(EPSMCH)
TABLE = Path(__file__).parent / "data" / "mgh_minpack.json"

_SONAMES = {
    "cminpack": ["libcminpack.so.1", "libcminpack.so", "libcminpack.dylib"],
    "minpack": ["libminpack.so.1", "libminpack.so"],
}

_Int = ctypes.c_int
_Double = ctypes.c_double
_IntP = ctypes.POINTER(ctypes.c_int)
_DoubleP = ctypes.POINTER(ctypes.c_double)

# The callbacks: f(p, m, n, x, fvec[, fjac, ldfjac], iflag) -> iflag in C;
# f(m, n, x, fvec[, fjac, ldfjac], iflag) with pointers only in Fortran.
_C_FCN = ctypes.CFUNCTYPE(_Int, ctypes.c_void_p, _Int, _Int, _DoubleP, _DoubleP, _Int)
_C_FCNDER = ctypes.CFUNCTYPE(
    _Int, ctypes.c_void_p, _Int, _Int, _DoubleP, _DoubleP, _DoubleP, _Int, _Int
)
_F_FCN = ctypes.CFUNCTYPE(None, _IntP, _IntP, _DoubleP, _DoubleP, _IntP)
_F_FCNDER = ctypes.CFUNCTYPE(None, _IntP, _IntP, _DoubleP, _DoubleP, _DoubleP, _IntP, _IntP)


@dataclass(frozen=True)
class Library:
    """A MINPACK: `name` is "cminpack" (C calls) or "minpack" (Fortran calls)."""

    name: str
    version: str
    handle: ctypes.CDLL

    @property
    def epsmch(self) -> float:
        """The machine precision it believes in; lmdif uses max(epsfcn, epsmch)."""
        function = self.handle.dpmpar if self.name == "cminpack" else self.handle.dpmpar_
        function.restype = _Double
        return float(function(_Int(1) if self.name == "cminpack" else ctypes.byref(_Int(1))))


@dataclass(frozen=True)
class ReferenceResult:
    """What lmder or lmdif return.

    `nfev` is MINPACK's count, with the evaluations for difference quotients in lmdif.
    `njev` is the number of Jacobians, of difference quotients in lmdif. `fjac` is the
    m x n array as it is left: R in the upper triangle of the first n rows. `ipvt` counts
    from 1.
    """

    x: Array
    fvec: Array
    info: int
    nfev: int
    njev: int
    fnorm: float
    fjac: Array
    ipvt: NDArray[np.intc]
    qtf: Array


# --- the library ------------------------------------------------------------------------


def _version(soname: str) -> str:
    """The version in the file name of a loaded library; else in its soname."""
    stem = soname.split(".")[0]
    try:
        names = re.findall(rf"/({stem}\.\S+)$", Path("/proc/self/maps").read_text(), re.M)
    except OSError:
        names = []
    for name in [*(Path(n).name for n in names), soname]:
        if match := re.search(r"\d+(\.\d+)*", name):
            return match.group()
    return "unknown"


@functools.cache
def load(name: str | None = None) -> Library | None:
    """The library of that name, or the first one found; None if there is none."""
    if name is None:
        return load("cminpack") or load("minpack")
    found = ctypes.util.find_library(name)
    for soname in [found, *_SONAMES[name]] if found else _SONAMES[name]:
        try:
            handle = ctypes.CDLL(soname)
        except OSError:
            continue
        if hasattr(handle, "lmder" if name == "cminpack" else "lmder_"):
            return Library(name, _version(Path(soname).name), handle)
    return None


def available() -> bool:
    """Whether there is a MINPACK here."""
    return load() is not None


# --- the calls --------------------------------------------------------------------------


class _Run:
    """The arrays of one call, and the user's functions with their counts and errors."""

    def __init__(
        self, residual: Function, jacobian: Function | None, x0: ArrayLike, m: int, diag: Any
    ) -> None:
        self.residual, self.jacobian = residual, jacobian
        self.x = np.array(x0, dtype=np.float64).reshape(-1)
        self.m, self.n = m, self.x.size
        self.fvec = np.zeros(m)
        self.fjac = np.zeros((m, self.n), order="F")
        self.ipvt = np.zeros(self.n, dtype=np.intc)
        self.qtf = np.zeros(self.n)
        self.mode = 1 if diag is None else 2
        self.diag = np.ones(self.n) if diag is None else np.array(diag, dtype=np.float64)
        self.work = [np.zeros(self.n) for _ in range(3)] + [np.zeros(m)]
        self.difference_calls = 0
        self.error: BaseException | None = None

    def call(self, iflag: int, x: Any, fvec: Any, fjac: Any = None) -> int:
        """Evaluate at the pointer x into fvec or fjac; -1 to stop, after an exception."""
        try:
            point = np.ctypeslib.as_array(x, (self.n,)).copy()
            if fjac is not None and iflag == 2:
                assert self.jacobian is not None
                out = np.ctypeslib.as_array(fjac, (self.n, self.m)).T
                out[...] = self._shaped(self.jacobian(point), (self.m, self.n))
            else:
                self.difference_calls += iflag == 2
                out = np.ctypeslib.as_array(fvec, (self.m,))
                out[...] = self._shaped(self.residual(point), (self.m,))
        except BaseException as error:  # must not unwind through C or Fortran
            self.error = error
            return -1
        return iflag

    @staticmethod
    def _shaped(value: ArrayLike, shape: tuple[int, ...]) -> Array:
        array = np.asarray(value, dtype=np.float64)
        if array.shape != shape:
            raise ValueError(f"shape {array.shape}, not {shape}")
        return array

    def result(self, info: int, nfev: int, njev: int) -> ReferenceResult:
        """The result, or the exception that stopped the run."""
        if self.error is not None:
            raise self.error
        return ReferenceResult(
            self.x, self.fvec, info, nfev, njev, float(np.linalg.norm(self.fvec)),
            self.fjac, self.ipvt, self.qtf,
        )  # fmt: skip


def _pointer(value: Any) -> Any:
    """The address of an array."""
    return value.ctypes.data_as(_IntP if value.dtype == np.intc else _DoubleP)


def _call(library: Library, name: str, callback: Any, args: list[Any], out: list[Any]) -> None:
    """Call lmder or lmdif with the arguments of the Fortran documentation, after FCN.

    `out` are the scalar arguments that are set; info is the first. In Fortran all scalars
    go by reference; in C those which are set, but for info, which the function returns.
    """
    if library.name == "minpack":
        entry = getattr(library.handle, name + "_")
        entry.restype = None
        entry(callback, *(ctypes.byref(a) if isinstance(a, _Int | _Double) else a for a in args))
        return
    entry = getattr(library.handle, name)
    entry.restype = _Int
    info, *counts = out
    args = [a for a in args if a is not info]
    args = [ctypes.byref(a) if any(a is c for c in counts) else a for a in args]
    info.value = entry(callback, None, *args)


def lmder(
    residual: Function,
    jacobian: Function,
    x0: ArrayLike,
    m: int,
    ftol: float = TOL,
    xtol: float = TOL,
    gtol: float = 0.0,
    maxfev: int = 1000,
    factor: float = 100.0,
    diag: ArrayLike | None = None,
    library: Library | None = None,
) -> ReferenceResult | None:
    """MINPACK's lmder, nprint = 0; mode = 1 if `diag` is None, else 2.

    An exception in a callback stops the run and is raised here. None without a library.
    """
    library = library or load()
    if library is None:
        return None
    run = _Run(residual, jacobian, x0, m, diag)

    def in_c(p: Any, m: int, n: int, x: Any, f: Any, jac: Any, ld: int, iflag: int) -> int:
        return run.call(iflag, x, f, jac)

    def in_fortran(m: Any, n: Any, x: Any, f: Any, jac: Any, ld: Any, iflag: Any) -> None:
        iflag[0] = run.call(iflag[0], x, f, jac)

    callback = _C_FCNDER(in_c) if library.name == "cminpack" else _F_FCNDER(in_fortran)
    info, nfev, njev = _Int(0), _Int(0), _Int(0)
    args = [_Int(m), _Int(run.n), _pointer(run.x), _pointer(run.fvec), _pointer(run.fjac), _Int(m)]
    args += [_Double(ftol), _Double(xtol), _Double(gtol), _Int(maxfev)]
    args += [_pointer(run.diag), _Int(run.mode), _Double(factor), _Int(0)]
    args += [info, nfev, njev, _pointer(run.ipvt), _pointer(run.qtf), *map(_pointer, run.work)]
    _call(library, "lmder", callback, args, [info, nfev, njev])
    return run.result(info.value, nfev.value, njev.value)


def lmdif(
    residual: Function,
    x0: ArrayLike,
    m: int,
    ftol: float = TOL,
    xtol: float = TOL,
    gtol: float = 0.0,
    maxfev: int = 1000,
    epsfcn: float = EPSMCH,
    factor: float = 100.0,
    diag: ArrayLike | None = None,
    library: Library | None = None,
) -> ReferenceResult | None:
    """MINPACK's lmdif, nprint = 0; mode = 1 if `diag` is None, else 2.

    The relative step is sqrt(max(epsfcn, library.epsmch)), and Fortran MINPACK's epsmch is
    2.22044604926e-16, a little more than 2^-52. Exceptions and None as in `lmder`.
    """
    library = library or load()
    if library is None:
        return None
    run = _Run(residual, None, x0, m, diag)

    def in_c(p: Any, m: int, n: int, x: Any, f: Any, iflag: int) -> int:
        return run.call(iflag, x, f)

    def in_fortran(m: Any, n: Any, x: Any, f: Any, iflag: Any) -> None:
        iflag[0] = run.call(iflag[0], x, f)

    callback = _C_FCN(in_c) if library.name == "cminpack" else _F_FCN(in_fortran)
    info, nfev = _Int(0), _Int(0)
    args = [_Int(m), _Int(run.n), _pointer(run.x), _pointer(run.fvec)]
    args += [_Double(ftol), _Double(xtol), _Double(gtol), _Int(maxfev), _Double(epsfcn)]
    args += [_pointer(run.diag), _Int(run.mode), _Double(factor), _Int(0), info, nfev]
    args += [_pointer(run.fjac), _Int(m), _pointer(run.ipvt), _pointer(run.qtf)]
    args += map(_pointer, run.work)
    _call(library, "lmdif", callback, args, [info, nfev])
    return run.result(info.value, nfev.value, run.difference_calls // run.n)


# --- the table --------------------------------------------------------------------------


def run_case(case: MghCase, solver: str, library: Library | None = None) -> ReferenceResult | None:
    """A run of the test programs: tolerances `TOL`, limit 100 or 200 times n + 1."""
    problem, x0 = case.problem, case.start()
    if solver == "lmder":
        return lmder(
            problem.residual, problem.jacobian, x0, problem.m,
            maxfev=100 * (problem.n + 1), library=library,
        )  # fmt: skip
    return lmdif(problem.residual, x0, problem.m, maxfev=200 * (problem.n + 1), library=library)


def table(library: Library) -> str:
    """All runs as JSON, one case a line: [info, nfev, njev, fnorm] of each solver."""
    header = {
        "library": library.name,
        "version": library.version,
        "machine": platform.machine(),
        "ftol": TOL,
        "xtol": TOL,
        "gtol": 0.0,
        "factor": 100.0,
        "epsfcn": EPSMCH,
        "maxfev": {"lmder": "100 (n + 1)", "lmdif": "200 (n + 1)"},
        "columns": ["info", "nfev", "njev", "fnorm"],
    }
    return f'{{\n"header": {_lines(header)},\n"cases": {_lines(_results(library))}\n}}\n'


def _results(library: Library) -> dict[str, dict[str, list[float]]]:
    results: dict[str, dict[str, list[float]]] = {}
    for case in CASES:
        results[case.id] = {}
        for solver in ("lmder", "lmdif"):
            r = run_case(case, solver, library)
            assert r is not None
            results[case.id][solver] = [r.info, r.nfev, r.njev, r.fnorm]
    return results


def _lines(items: dict[str, Any]) -> str:
    """A dictionary as JSON, one item a line."""
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in items.items()]
    return "{\n" + ",\n".join(lines) + "\n}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the table of MINPACK's results.")
    parser.add_argument("--library", choices=sorted(_SONAMES))
    parser.add_argument("--output", type=Path, default=TABLE)
    args = parser.parse_args()
    library = load(args.library)
    if library is None:
        raise SystemExit("no MINPACK library found")
    args.output.parent.mkdir(exist_ok=True)
    args.output.write_text(table(library))
    print(f"{args.output}: {len(CASES)} cases by {library.name} {library.version}")


if __name__ == "__main__":
    main()
