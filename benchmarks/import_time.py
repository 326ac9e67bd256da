"""Time ``import lmoo`` against ``import numpy``, each in new interpreters, in turn."""

import subprocess
import sys

from common import alternate, versions


def importing(statement: str) -> None:
    subprocess.run([sys.executable, "-c", statement], check=True)


def started() -> float:
    """Return the ratio of the whole life of an interpreter that imports one or the other."""
    return alternate(lambda: importing("import lmoo"), lambda: importing("import numpy"), calls=10)


if __name__ == "__main__":
    print(versions())
    print(f"import lmoo: {started():.2f} of the time of import numpy, interpreters included")
