"""Compare fits in stacks with single fits: 10,000 random curves of each model of lmoo.models.

    python benchmarks/agreement.py

Compiled models must give the same bits.  The same models as functions of numpy arrays must agree to
1e-4 standard errors, and in which fits have succeeded.
"""

import sys
from pathlib import Path

import numpy as np
from common import versions

import lmoo

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from test_models import CASES, sample

COUNT = 10_000


def compiled(name: str) -> str:
    model, t, _, y = sample(name, COUNT, 0.05)
    starts = model.guess(t, y)
    fits = lmoo.curve_fit_many(model, t, y, starts)
    same = 0
    for k in range(COUNT):
        one = lmoo.Solver().solve(model.problem(t, y[k]), starts[k])
        same += one.x.tobytes() == fits.x[k].tobytes() and one.status == fits.status[k]
    return f"compiled: {same} of {COUNT} the same bits, {fits.success.mean():.2%} converged"


def plain(name: str) -> str:
    model, t, _, y = sample(name, COUNT, 0.05)
    f = CASES[name][2]
    starts = model.guess(t, y)
    fits = lmoo.curve_fit_many(f, t, y, starts, errors="record")
    equal, worst = 0, 0.0
    for k in range(COUNT):
        with np.errstate(all="ignore"):
            problem = lmoo.FunctionProblem(lambda x, k=k: f(t, *x) - y[k])
            one = lmoo.Solver().solve(problem, starts[k])
        equal += one.success == fits.success[k]
        if one.success and fits.success[k] and np.isfinite(fits.stderr[k]).all():
            worst = max(worst, float(np.max(np.abs(one.x - fits.x[k]) / fits.stderr[k])))
    return f"numpy: {equal} of {COUNT} agree on success, the worst by {worst:.1e} standard errors"


if __name__ == "__main__":
    print(versions())
    for name in CASES:
        print(f"{name:22s} {compiled(name)}; {plain(name)}", flush=True)
