"""Functions that the benchmarks share: timing, versions, compilation of C files."""

import ctypes
import platform
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

import lmoo

ROUNDS = 7


def versions(*packages: str) -> str:
    """Return the versions of the interpreter and the packages, and the processor."""
    parts = [f"Python {platform.python_version()}", f"lmoo {lmoo.__version__}"]
    for package in ("numpy", *packages):
        try:
            parts.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            sys.exit(f"{package} is not installed: pip install lmoo[bench]")
    return f"{', '.join(parts)}; {processor()}"


def processor() -> str:
    """Return the processor's name, if the system has it."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def cminpack_library(source: str, folder: str) -> ctypes.CDLL:
    """Compile a C file of this folder into another one, with cminpack."""
    target = Path(folder) / f"{source}.so"
    includes = [lmoo.get_include(), sysconfig.get_path("include"), "/usr/include/cminpack-1"]
    subprocess.run(
        ["cc", "-O2", "-fPIC", "-shared", "-Wall", "-Wextra", "-Werror"]
        + [f"-I{include}" for include in includes]
        + [str(Path(__file__).with_name(source)), "-o", str(target), "-lcminpack", "-lm"],
        check=True,
    )
    return ctypes.CDLL(str(target))


def seconds(function: Callable[[], object]) -> float:
    """Return the time of one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def alternate(ours: Callable[[], object], theirs: Callable[[], object], calls: int) -> float:
    """Return the median over the rounds of (ours / theirs).

    In each round the two are called alternately, and the medians of their calls are compared, so
    that other load of the machine affects both.
    """
    ratios = []
    for _ in range(ROUNDS):
        times = np.array([(seconds(ours), seconds(theirs)) for _ in range(calls)])
        mine, other = np.median(times, axis=0)
        ratios.append(mine / other)
    return float(np.median(ratios))
