"""Tall problems: the solver's time per Jacobian, and whole solves, compared with scipy.

    python benchmarks/linearize.py           time
    python benchmarks/linearize.py memory    peak memory of a whole solve, each in its own process

A linearisation computes the linear model from a Jacobian.  The solver's time is that of a `leastsq`
call minus the time in the user's functions, divided by the number of Jacobians; the model is
linear, so there is little other work.  One thread unless two are stated; the BLAS always has one
(OPENBLAS_NUM_THREADS=1).
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import scipy.optimize
from common import ROUNDS, seconds, versions

import lmoo
from lmoo._core import kernels
from lmoo._core.evaluate import thread_count

SHAPES = (10**6, 10), (10**5, 50), (2 * 10**4, 200)


class Linear:
    """f = A x - b, timing its own evaluations."""

    def __init__(self, m: int, n: int) -> None:
        rng = np.random.default_rng(m)
        self.a = rng.standard_normal((m, n))
        self.b = self.a @ np.arange(1.0, n + 1) + rng.standard_normal(m)
        self.spent, self.jacobians = 0.0, 0

    def residual(self, x: np.ndarray) -> np.ndarray:
        start = time.perf_counter()
        f = self.a @ x - self.b
        self.spent += time.perf_counter() - start
        return f

    def jacobian(self, x: np.ndarray) -> np.ndarray:
        self.jacobians += 1
        return self.a

    def own_time(self, leastsq: Callable[..., tuple]) -> float:
        """Return the solver's time per Jacobian in seconds, without the user's functions."""
        self.spent, self.jacobians = 0.0, 0
        x0 = np.ones(self.a.shape[1])
        total = seconds(lambda: leastsq(self.residual, x0, Dfun=self.jacobian, full_output=True))
        return (total - self.spent) / self.jacobians


def with_threads(threads: int, function: Callable[[], float]) -> float:
    os.environ["LMOO_NUM_THREADS"] = str(threads)
    try:
        return function()
    finally:
        del os.environ["LMOO_NUM_THREADS"]


def linearizations(m: int, n: int) -> None:
    problem = Linear(m, n)

    def linearize() -> object:
        return kernels.fold(problem.a, problem.b)

    rows = []
    for _ in range(ROUNDS):
        rows.append(
            [
                with_threads(1, lambda: seconds(linearize)),
                with_threads(2, lambda: seconds(linearize)),
                seconds(lambda: problem.a.T @ problem.a),
                seconds(lambda: np.linalg.qr(problem.a, mode="r")),
                problem.own_time(scipy.optimize.leastsq),
                with_threads(1, lambda: problem.own_time(lmoo.leastsq)),
            ]
        )
    times = np.array(rows)
    one, _, gram, qr, theirs, ours = (1e3 * np.median(times, axis=0)).tolist()
    ratio = np.median(times / times[:, :1], axis=0)
    print(
        f"{m} x {n}: one linearisation {one:.1f} ms\n"
        f"  scipy's leastsq        {theirs:6.1f} ms, {ratio[4]:.1f} times that\n"
        f"  numpy.linalg.qr        {qr:6.1f} ms, {ratio[3]:.1f} times that\n"
        f"  J.T @ J                {gram:6.1f} ms; lmoo takes {1 / ratio[2]:.2f} times that\n"
        f"  two threads are {1 / ratio[1]:.2f} times as fast as one\n"
        f"  all of lmoo.leastsq    {ours:6.1f} ms, of which scipy's is "
        f"{np.median(times[:, 4] / times[:, 5]):.1f} times"
    )


class Saturating:
    """A saturating response, y = z - z^2 / 40 with z = A x, 10^6 x 10, that measures its time."""

    def __init__(self) -> None:
        rng = np.random.default_rng(3)
        self.a = rng.uniform(0.0, 1.0, (10**6, 10))
        self.truth = np.linspace(0.5, 1.5, 10)
        self.y = 0.1 * rng.standard_normal(len(self.a)) + self.response(self.truth)
        self.buffer = np.empty_like(self.a)
        self.spent = 0.0

    def response(self, x: np.ndarray) -> np.ndarray:
        z = self.a @ x
        return z - z**2 / 40

    def residual(self, x: np.ndarray) -> np.ndarray:
        start = time.perf_counter()
        f = self.response(x)
        f -= self.y
        self.spent += time.perf_counter() - start
        return f

    def jacobian(self, x: np.ndarray) -> np.ndarray:
        start = time.perf_counter()
        slope = 1.0 - self.a @ x / 20
        np.multiply(self.a, slope[:, None], out=self.buffer)
        self.spent += time.perf_counter() - start
        return self.buffer

    def solve(self, leastsq: Callable[..., tuple]) -> tuple[float, float]:
        """Return the time of a solve in seconds, and the part of it in the functions above."""
        self.spent = 0.0
        start = time.perf_counter()
        *_, ier = leastsq(self.residual, 0.8 * self.truth, Dfun=self.jacobian, full_output=True)
        assert ier in (1, 2, 3, 4), ier
        return time.perf_counter() - start, self.spent


def whole_solves() -> None:
    problem = Saturating()
    times = np.array(
        [
            [problem.solve(lmoo.leastsq), problem.solve(scipy.optimize.leastsq)]
            for _ in range(ROUNDS)
        ]
    )
    total, spent = times[:, :, 0], times[:, :, 1]
    print(
        f"whole solve, 10^6 x 10, NumPy residual and Jacobian, {thread_count()} threads: "
        f"{np.median(total[:, 1] / total[:, 0]):.1f} times faster than scipy; the functions take "
        f"{100 * np.median(spent[:, 0] / total[:, 0]):.0f} % of lmoo's time, "
        f"{100 * np.median(spent[:, 1] / total[:, 1]):.0f} % of scipy's"
    )


def memory() -> None:
    for name in ("lmoo", "scipy.optimize"):
        code = f"import sys, {name}, linearize; linearize.print_peak({name}.leastsq)"
        subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parent)


def print_peak(leastsq: Callable[..., tuple]) -> None:
    Saturating().solve(leastsq)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{leastsq.__module__}: peak {peak / 1024:.0f} MB")


if __name__ == "__main__":
    print(versions("scipy"))
    if sys.argv[1:] == ["memory"]:
        memory()
    else:
        for shape in SHAPES:
            linearizations(*shape)
        whole_solves()
