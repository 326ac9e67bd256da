"""Fit 6 parameters to 10^6, 10^7, ... rows of memory maps: time per row, and peak memory.

    python benchmarks/tall.py [largest number of rows, by default 1e7]

Each fit runs in its own process, whose anonymous memory (without mapped files) is sampled every two
milliseconds.  The files have 16 bytes per row.  They are read once before the fit, so that files
that fit into the system's cache are not read from the disk again.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from common import seconds, versions

import lmoo

TRUE = (3.0, 0.5, 2.0, 4.0, 0.3, -0.1)
START = (2.0, 0.3, 1.5, 3.0, 0.0, 0.0)
CHUNK = 1_000_000


def model(t, a, b, c, d, e, g):
    return a * np.exp(-b * t) + c * np.exp(-d * t) + e + g * t


def derivatives(t, a, b, c, d, e, g):
    slow, fast = np.exp(-b * t), np.exp(-d * t)
    return np.stack([slow, -a * t * slow, fast, -c * t * fast, np.ones_like(t), t]).T


def write(folder: Path, rows: int) -> None:
    """Write times and noisy values in chunks."""
    rng = np.random.default_rng(rows)
    t, y = (
        np.lib.format.open_memmap(folder / f"{name}.npy", "w+", np.float64, (rows,))
        for name in "ty"
    )
    for start in range(0, rows, CHUNK):
        part = slice(start, min(start + CHUNK, rows))
        t[part] = rng.uniform(0.0, 6.0, t[part].size)
        y[part] = model(t[part], *TRUE) + 0.05 * rng.standard_normal(t[part].size)


def fit(folder: str, repeats: int) -> None:
    """Fit in this process; print the median time, the passes, and the largest error in sigmas."""
    t, y = (np.load(Path(folder, f"{name}.npy"), mmap_mode="r") for name in "ty")
    problem = lmoo.CurveBlocks(model, t, y, jac=derivatives)
    for start in range(0, t.size, CHUNK):
        t[start : start + CHUNK].max(), y[start : start + CHUNK].max()
    results: list[lmoo.Result] = []
    times = [
        seconds(lambda: results.append(lmoo.Solver().solve(problem, START))) for _ in range(repeats)
    ]
    result = results[-1]
    sigmas = np.max(np.abs(result.x - TRUE) / result.standard_errors)
    print(np.median(times), result.nfev, result.njev, sigmas)


def anonymous(pid: int) -> float:
    """Return a process's anonymous memory, in MB; 0 when it has gone."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("RssAnon"):
                return int(line.split()[1]) / 1000
    except OSError:
        pass
    return 0.0


def watched(folder: Path, repeats: int) -> tuple[list[float], float]:
    """Return the output of a process that fits, and the peak of its memory."""
    command = [sys.executable, __file__, "fit", str(folder), str(repeats)]
    peak = 0.0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            peak = max(peak, anonymous(process.pid))
            time.sleep(0.002)
        assert process.stdout is not None
        return [float(word) for word in process.stdout.read().split()], peak


def main(largest: float) -> None:
    print(versions())
    print("     rows   seconds  nfev  njev  ns a row and pass  peak anonymous MB  error/sigma")
    rows = 1_000_000
    while rows <= largest:
        with tempfile.TemporaryDirectory() as name:
            write(Path(name), rows)
            (elapsed, nfev, njev, sigmas), peak = watched(Path(name), max(1, 10_000_000 // rows))
        # A linearisation evaluates the residual too.
        each = 1e9 * elapsed / rows / (nfev + njev)
        print(
            f"{rows:9.0e} {elapsed:9.3f} {nfev:5.0f} {njev:5.0f} {each:18.2f} {peak:18.0f} "
            f"{sigmas:12.1f}",
            flush=True,
        )
        rows *= 10


if __name__ == "__main__":
    if sys.argv[1:2] == ["fit"]:
        fit(sys.argv[2], int(sys.argv[3]))
    else:
        main(float(sys.argv[1]) if len(sys.argv) > 1 else 1e7)
