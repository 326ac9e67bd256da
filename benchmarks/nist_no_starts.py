"""NIST's nonlinear regressions by `lmoo.fit`, without any starting values.

Run: python benchmarks/nist_no_starts.py
"""

import time

import numpy as np
from nist_traced import digits, nelson

import lmoo
from lmoo.datasets import nist, nist_names
from lmoo.datasets._nist_models import MODELS


def main() -> None:
    """Fit each problem and print a line for each."""
    solved = 0
    for name in nist_names():
        data = nist(name)
        f = nelson if name == "Nelson" else MODELS[name].value
        t = tuple(data.x.T) if name == "Nelson" else data.x
        began = time.perf_counter()
        try:
            result = lmoo.fit(f, t, MODELS[name].response(data.y))
        except ValueError as error:
            print(f"{name:10} {error}")
            continue
        seconds = time.perf_counter() - began
        # Terms of the same form may come in another order.
        exchanged = digits(np.sort(result.x), np.sort(data.certified))
        found = max(digits(result.x, data.certified), exchanged)
        solved += found >= 6
        print(f"{name:10} {found:5.1f} {result.success} {seconds:6.2f} s")
    print(f"{solved} of {len(nist_names())} with 6 digits, up to an exchange of equal terms")


if __name__ == "__main__":
    main()
