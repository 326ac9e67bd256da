"""Time ``import lmoo`` against ``import numpy``, each in new interpreters, in turn.

Both have compiled bytecode, as after an installation.
"""

import os
import subprocess
import sys
import tempfile

import numpy as np
from common import ROUNDS, versions

CODE = "import time; start = time.perf_counter(); import {}; print(time.perf_counter() - start)"
ENVIRONMENT = {
    **os.environ,
    "PYTHONPYCACHEPREFIX": os.path.join(tempfile.gettempdir(), "lmoo-bytecode"),
}
ENVIRONMENT.pop("PYTHONDONTWRITEBYTECODE", None)


def importing(module: str) -> float:
    """Return the time of the import statement in a new interpreter, in seconds."""
    command = [sys.executable, "-c", CODE.format(module)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=ENVIRONMENT)
    return float(done.stdout)


def ratio() -> float:
    ratios = []
    importing("lmoo")
    for _ in range(ROUNDS):
        ours, numpy = np.median([(importing("lmoo"), importing("numpy")) for _ in range(9)], axis=0)
        ratios.append(ours / numpy)
    return float(np.median(ratios))


if __name__ == "__main__":
    print(versions())
    print(f"import lmoo, which imports numpy: {ratio():.2f} of the time of import numpy alone")
