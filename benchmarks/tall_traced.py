"""Measure a fit of 10^6 rows and 10 parameters with a traced model: time and memory.

    python benchmarks/tall_traced.py

The model is a sum of three Gaussians and a constant, a NumPy function.  Traced, blocks of its
derivatives go straight into the factorisation; the ratio is that of the times of a first
iteration, to the time with the function and a Jacobian that are called (``trace=False``).  The peak
memory of a fit is that of another process, less what is used before the fit, in units of t and y;
the function is called at the start and at the end, to check the trace and for the residual.  Bars:
0.35, and 2.
"""

import argparse
import gc
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from common import versions

import lmoo

ROWS = 10**6
ROUNDS = 7
TRUE = np.array([3.0, 2.0, 0.5, 2.0, 5.0, 0.8, 1.0, 8.0, 0.3, 0.7])


def peaks(t: Any, a1: Any, m1: Any, s1: Any, a2: Any, m2: Any, s2: Any, *rest: Any) -> Any:
    a3, m3, s3, c = rest
    return (
        a1 * np.exp(-0.5 * ((t - m1) / s1) ** 2)
        + a2 * np.exp(-0.5 * ((t - m2) / s2) ** 2)
        + a3 * np.exp(-0.5 * ((t - m3) / s3) ** 2)
        + c
    )


def jacobian(t: Any, *x: Any) -> Any:
    columns = []
    for a, m, s in (x[:3], x[3:6], x[6:9]):
        z = (t - m) / s
        e = np.exp(-0.5 * z * z)
        columns += [e, a * e * z / s, a * e * z * z / s]
    return np.stack([*columns, np.ones_like(t)], axis=1)


def data() -> tuple[Any, Any]:
    t = np.linspace(0.0, 10.0, ROWS)
    return t, peaks(t, *TRUE) + 0.05 * np.random.default_rng(1).standard_normal(ROWS)


def problem(t: Any, y: Any, traced: bool) -> lmoo.CurveProblem:
    if traced:
        return lmoo.CurveProblem(peaks, t, y, trace=True)
    return lmoo.CurveProblem(peaks, t, y, jac=jacobian, trace=False)


def seconds(problem: Any, start: Any) -> float:
    """Return the time of the first iteration."""
    iteration = lmoo.Solver().iterate(problem, start)
    begin = time.perf_counter()
    next(iteration)
    return time.perf_counter() - begin


def peak(call: Callable[[], Any]) -> float:
    """Return by how much memory grows during a call, in units of t and y (on Linux)."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # the peak is reset to what is used now
    before = status("VmRSS")
    call()
    return (status("VmHWM") - before) / (2 * 8 * ROWS)


def status(name: str) -> int:
    """Return an entry of the process's status, in bytes."""
    line = next(x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith(name))
    return 1024 * int(line.split()[1])


def memory(what: str) -> None:
    t, y = data()
    # What is loaded once, and not for the data.
    lmoo.Solver().solve(problem(t[:1000].copy(), y[:1000].copy(), True), TRUE * 1.01)
    curve = problem(t, y, True)
    calls: dict[str, Callable[[], Any]] = {
        "fit": lambda: lmoo.Solver().solve(curve, TRUE * 1.01),
        "curve_fit": lambda: lmoo.curve_fit(peaks, t, y, TRUE * 1.01),
        "function": lambda: peaks(t, *TRUE),
    }
    print(f"{peak(calls[what]):.2f}")


def measured(what: str) -> str:
    """Return the peak in another process, as memory that was freed before would be used again."""
    command = [sys.executable, __file__, "--memory", what]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def main() -> None:
    print(versions())
    t, y = data()
    start = TRUE * 1.01
    both = [problem(t, y, True), problem(t, y, False)]
    times = [[seconds(p, start) for p in both] for _ in range(ROUNDS + 1)][1:]
    ours, theirs = np.median(times, axis=0)
    print(
        f"first iteration: {1e3 * ours:.0f} ms traced, {1e3 * theirs:.0f} ms called: "
        f"{ours / theirs:.2f}"
    )
    print(
        f"peak memory beyond the data, in units of t and y: {measured('fit')} a fit, "
        f"{measured('curve_fit')} curve_fit, {measured('function')} a call of the function"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--memory", choices=["fit", "curve_fit", "function"])
    asked = parser.parse_args().memory
    if asked:
        memory(asked)
    else:
        main()
