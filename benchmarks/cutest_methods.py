"""The methods that `cutest` compares, with counted and limited evaluations."""

import ctypes
import functools
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import scipy.optimize
from s2mpj import Problem

import lmoo

try:
    import lmfit
except ImportError:
    lmfit = None

TIGHT = {"ftol": 1e-15, "xtol": 1e-15, "gtol": 1e-15}
GUARD = 20.0  # limit of a solve, in seconds of processor time


class LimitError(Exception):
    """Too many evaluations, or too much time."""


class Record(NamedTuple):
    """One solve."""

    status: str
    success: bool
    norm: float
    residuals: int
    jacobians: int
    path: list[tuple[int, float]] = []  # noqa: RUF012, as no record changes it

    @property
    def calls(self) -> int:
        return self.residuals + self.jacobians

    def reaches(self, size: float) -> float:
        """Return the number of evaluations after which |f| was first at most this size."""
        return next((calls for calls, reached in self.path if reached <= size), np.inf)


Results = dict[str, Record]


class Counted:
    """Residual and Jacobian of a problem, counted and limited, with the best point so far."""

    def __init__(self, problem: Problem, analytic: bool) -> None:
        self.problem, self.analytic = problem, analytic
        self.residuals = self.jacobians = 0
        self.most = 1000 * (problem.n + 1)
        self.end = time.process_time() + GUARD
        self.best_x, self.best = problem.start, np.inf
        self.path: list[tuple[int, float]] = []

    def residual(self, x: np.ndarray) -> np.ndarray:
        # Methods check their own limit between Jacobians, so this one is a little larger.
        if self.residuals > self.most + 2 * self.problem.n + 2:
            raise LimitError("evaluations")
        if time.process_time() > self.end:
            raise LimitError("time")
        self.residuals += 1
        f = self.problem.residual(np.asarray(x))
        size = norm(f)
        if size < self.best and self.inside(x):
            self.best, self.best_x = size, np.array(x)
            self.path.append((self.residuals + self.jacobians, float(f"{size:.10e}")))
        return f

    def jacobian(self, x: np.ndarray) -> np.ndarray:
        if time.process_time() > self.end:
            raise LimitError("time")
        self.jacobians += 1
        return self.problem.jacobian(np.asarray(x))

    def inside(self, x: np.ndarray) -> bool:
        return bool(np.all((x >= self.problem.lower) & (x <= self.problem.upper)))

    def run(self, method: "Method") -> tuple[Record, np.ndarray]:
        """Solve; if the method fails or is stopped, return the best point so far."""
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                x, success, status = method(self)
        except LimitError as limit:
            x, success, status = self.best_x, False, f"limit of {limit}"
        except (ValueError, TypeError, ArithmeticError, RuntimeError, np.linalg.LinAlgError) as e:
            x, success, status = self.best_x, False, type(e).__name__
        x = np.clip(x, self.problem.lower, self.problem.upper)
        size = norm(self.problem.residual(x))
        record = Record(status, bool(success), size, self.residuals, self.jacobians, self.path)
        return record, x


Method = Callable[[Counted], tuple[np.ndarray, bool, str]]


def norm(f: np.ndarray) -> float:
    with np.errstate(all="ignore"):
        size = float(np.linalg.norm(f))
    return size if np.isfinite(size) else np.inf


# ---- methods -----------------------------------------------------------------------------------


def ours(counted: Counted) -> tuple[np.ndarray, bool, str]:
    p = counted.problem
    function = lmoo.FunctionProblem(
        counted.residual, counted.jacobian if counted.analytic else None
    )
    bounds = (p.lower, p.upper) if p.bounded else None
    result = lmoo.Solver(bounds=bounds).solve(function, p.start)
    return result.x, result.success, result.status.name


def leastsq(**options: float) -> Method:
    def method(counted: Counted) -> tuple[np.ndarray, bool, str]:
        jacobian = counted.jacobian if counted.analytic else None
        limit = {"maxfev": counted.most} if options else {}
        x, _, _, _, status = scipy.optimize.leastsq(
            counted.residual, counted.problem.start, Dfun=jacobian, full_output=True,
            **limit, **options,
        )  # fmt: skip
        return x, status in (1, 2, 3, 4), f"ier {status}"

    return method


def least_squares(name: str, **options: Any) -> Method:
    def method(counted: Counted) -> tuple[np.ndarray, bool, str]:
        p = counted.problem
        result = scipy.optimize.least_squares(
            counted.residual, p.start, counted.jacobian if counted.analytic else "2-point",
            (p.lower, p.upper) if p.bounded else (-np.inf, np.inf),
            method=name, x_scale="jac", max_nfev=counted.most, **TIGHT, **options,
        )  # fmt: skip
        return result.x, result.success, f"status {result.status}"

    return method


def with_lmfit(counted: Counted) -> tuple[np.ndarray, bool, str]:
    p = counted.problem
    parameters = lmfit.Parameters()
    for j in range(p.n):
        parameters.add(f"p{j}", value=p.start[j], min=p.lower[j], max=p.upper[j])

    def vector(values: Any) -> np.ndarray:
        return np.array([v.value for v in values.values()])

    options = {"Dfun": lambda v: counted.jacobian(vector(v))} if counted.analytic else {}
    result = lmfit.minimize(
        lambda v: counted.residual(vector(v)), parameters, method="leastsq",
        max_nfev=counted.most, calc_covar=False, nan_policy="propagate", **TIGHT, **options,
    )  # fmt: skip
    return vector(result.params), result.success, f"ier {result.ier}"


def gsl_library() -> ctypes.CDLL | None:
    """Compile gsl.c; return None without GSL."""
    source, folder = Path(__file__).with_name("gsl.c"), tempfile.mkdtemp()
    target = Path(folder) / "gsl.so"
    command = ["cc", "-O2", "-fPIC", "-shared", str(source), "-o", str(target)]
    built = subprocess.run([*command, "-lgsl", "-lgslcblas", "-lm"], capture_output=True)
    return ctypes.CDLL(str(target)) if built.returncode == 0 else None


def with_gsl(geodesic: bool) -> Method:
    """Return a method of GSL, multifit_nlinear with its defaults and tight tolerances."""
    evaluation = ctypes.CFUNCTYPE(
        ctypes.c_int, ctypes.POINTER(ctypes.c_double), ctypes.POINTER(ctypes.c_double)
    )

    def method(counted: Counted) -> tuple[np.ndarray, bool, str]:
        n, m = counted.problem.n, counted.problem.m
        library = gsl()
        stopped: list[BaseException] = []

        def call(function: Callable[[np.ndarray], np.ndarray], shape: tuple[int, ...]) -> Any:
            def callback(x: Any, out: Any) -> int:
                try:
                    value = function(np.ctypeslib.as_array(x, (n,)).copy())
                    np.ctypeslib.as_array(out, shape)[...] = value
                except Exception as error:  # an exception must not pass through C
                    stopped.append(error)
                    return 1
                return 0

            return evaluation(callback)

        f = call(counted.residual, (m,))
        J = call(counted.jacobian, (m, n)) if counted.analytic else evaluation()
        x = counted.problem.start.copy()
        tight = [ctypes.c_double(1e-15)] * 3
        pointer = x.ctypes.data_as(ctypes.c_void_p)
        status = library.gsl_solve(m, n, pointer, f, J, geodesic, counted.most, *tight)
        if stopped:
            raise stopped[0]
        return x, status == 0, f"status {status}"

    return method


@functools.cache
def gsl() -> Any:
    return gsl_library()


FREE: dict[str, Method] = {
    "leastsq": leastsq(),
    "leastsq tight": leastsq(**TIGHT),
    "trf": least_squares("trf"),
    "dogbox": least_squares("dogbox"),
    "lm": least_squares("lm"),
}
GSL: dict[str, Method] = {"gsl": with_gsl(False), "gsl geodesic": with_gsl(True)}
BOUNDED: dict[str, Method] = {"trf": least_squares("trf"), "dogbox": least_squares("dogbox")}
if lmfit is not None:
    BOUNDED["lmfit"] = with_lmfit


def peers(kind: str) -> dict[str, Method]:
    if kind.endswith("bounds"):
        return BOUNDED
    # With differences, GSL's acceleration takes minutes per problem.
    return FREE | (GSL if kind.startswith("jac") else {"gsl": GSL["gsl"]})
