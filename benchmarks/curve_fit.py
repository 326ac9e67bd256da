"""Time `lmoo.curve_fit` against scipy's, with the same model in the same process.

Each figure is a ratio lmoo / scipy for the 3-parameter exponential with 20 points: with scipy's
tolerances for both; with the default tolerances, with which lmoo is more accurate; with bounds, for
which scipy uses ``trf``, that contain or exclude the solution.  The first two are also measured
without p0, which is then 1 for each parameter of the signature.
"""

from typing import Any

import numpy as np
import scipy.optimize
from common import alternate, versions

import lmoo

START = [1.0, 1.0, 0.0]
SCIPYS = {"ftol": 1.49012e-8, "xtol": 1.49012e-8}
T = np.linspace(0, 4, 20)


def decay(t: Any, a: float, b: float, c: float) -> Any:
    return a * np.exp(-b * t) + c


Y = decay(T, 2.5, 1.3, 0.5) + 0.01 * np.random.default_rng(1).standard_normal(20)


def ratio(calls: int, p0: Any = None, ours: Any = None, **both: Any) -> float:
    """Return lmoo's time divided by scipy's; ours: arguments for lmoo only."""
    mine = {**both, **(ours or {})}
    return alternate(
        lambda: lmoo.curve_fit(decay, T, Y, p0, **mine),
        lambda: scipy.optimize.curve_fit(decay, T, Y, p0, **both),
        calls,
    )


if __name__ == "__main__":
    print(versions("scipy"))
    print(f"scipy's tolerances:           {ratio(300, START, SCIPYS):.2f} of scipy's time")
    print(f"  without p0:                 {ratio(300, None, SCIPYS):.2f}")
    print(f"default tolerances:           {ratio(300, START):.2f}")
    print(f"  without p0:                 {ratio(300):.2f}")
    print(f"bounds around the solution:   {ratio(40, START, bounds=(0, 10)):.2f}")
    cut_off = (0, [3.0, 1.0, 1.0])
    print(f"bounds that cut it off:       {ratio(40, START, bounds=cut_off):.2f}")
