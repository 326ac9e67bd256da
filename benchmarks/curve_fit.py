"""Time `lmoo.curve_fit` against scipy's, with the same model in the same process.

Each figure is a ratio lmoo / scipy for the 3-parameter exponential with 20 points: with scipy's
tolerances for both; with the default tolerances, with which lmoo is more accurate; with bounds, for
which scipy uses ``trf``, that contain or exclude the solution.  The first two are also measured
without p0, which is then 1 for each parameter of the signature, and one with 1,000 points.

lmoo traces a function in its first fit, and compiles the graph of the trace unless it has compiled
an equal one.  With scipy's tolerances are measured:

* the first fit of a function whose graph is new, as the first one of a program: the compiled graphs
  are forgotten before each such fit;
* the first fit of a function whose graph is known, as of a function that is written a second time
  with other names;
* the second fit of a function;
* the first fit of a function that is defined anew from the same code, as a lambda in a loop.
"""

import itertools
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.optimize
from common import ROUNDS, alternate, seconds, versions

import lmoo
from lmoo.models.compiled import kept_model

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


def with_1000_points() -> float:
    """Return the ratio for a longer curve, with scipy's tolerances."""
    t = np.linspace(0, 4, 1000)
    y = decay(t, 2.5, 1.3, 0.5) + 0.01 * np.random.default_rng(1).standard_normal(t.size)
    return alternate(
        lambda: lmoo.curve_fit(decay, t, y, START, **SCIPYS),
        lambda: scipy.optimize.curve_fit(decay, t, y, START, **SCIPYS),
        100,
    )


_NUMBERS = itertools.count()


def new_function() -> Any:
    """Return the model as a function with code of its own, which was not called before."""
    code = decay.__code__.replace(co_name=f"decay{next(_NUMBERS)}")
    return types.FunctionType(code, decay.__globals__)


def new_graph() -> Any:
    """Return a new function, with no compiled graph in memory."""
    kept_model.cache_clear()
    return new_function()


def same_code() -> Any:
    """Return the model as a new function with the same code."""
    return types.FunctionType(decay.__code__, decay.__globals__)


def nth_call(n: int, make: Callable[[], Any], calls: int = 50) -> float:
    """Return the ratio of times of the n-th calls with new functions."""
    ratios = []
    for _ in range(ROUNDS):
        times = []
        for _ in range(calls):
            pair = []
            for fit in (lmoo.curve_fit, scipy.optimize.curve_fit):
                f: Any = make()
                each = [
                    seconds(lambda f=f, fit=fit: fit(f, T, Y, START, **SCIPYS)) for _ in range(n)
                ]
                pair.append(each[-1])
            times.append(pair)
        mine, other = np.median(np.array(times), axis=0)
        ratios.append(mine / other)
    return float(np.median(ratios))


if __name__ == "__main__":
    print(versions("scipy"))
    print(f"first call, new graph:        {nth_call(1, new_graph):.2f} of scipy's time")
    print(f"first call, known graph:      {nth_call(1, new_function):.2f}")
    print(f"second call:                  {nth_call(2, new_function):.2f}")
    print(f"new function of known code:   {nth_call(1, same_code):.2f}")
    print(f"scipy's tolerances:           {ratio(300, START, SCIPYS):.2f} of scipy's time")
    print(f"  without p0:                 {ratio(300, None, SCIPYS):.2f}")
    print(f"default tolerances:           {ratio(300, START):.2f}")
    print(f"  without p0:                 {ratio(300):.2f}")
    print(f"1,000 points:                 {with_1000_points():.2f}")
    print(f"bounds around the solution:   {ratio(40, START, bounds=(0, 10)):.2f}")
    cut_off = (0, [3.0, 1.0, 1.0])
    print(f"bounds that cut it off:       {ratio(40, START, bounds=cut_off):.2f}")
