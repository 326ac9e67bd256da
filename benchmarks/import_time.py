"""Time ``import lmoo`` against ``import numpy``, each in new interpreters, in turn."""

import subprocess
import sys

import numpy as np
from common import ROUNDS, versions

CODE = "import time; start = time.perf_counter(); import {}; print(time.perf_counter() - start)"


def importing(module: str) -> float:
    """Return the time of the import statement in a new interpreter, in seconds."""
    command = [sys.executable, "-c", CODE.format(module)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def ratio() -> float:
    ratios = []
    for _ in range(ROUNDS):
        ours, numpy = np.median([(importing("lmoo"), importing("numpy")) for _ in range(9)], axis=0)
        ratios.append(ours / numpy)
    return float(np.median(ratios))


if __name__ == "__main__":
    print(versions())
    print(f"import lmoo, which imports numpy: {ratio():.2f} of the time of import numpy alone")
