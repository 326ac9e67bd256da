"""Accuracy on NIST's 27 nonlinear regression problems, from both starting points.

Digits are -log10 of the relative error of the least accurate parameter, at most 11.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import scipy.optimize
from common import versions

import lmoo
from lmoo.datasets import NistDataset, nist, nist_names

TIGHT = {"ftol": 1e-15, "xtol": 1e-15, "gtol": 1e-15}


class Run(NamedTuple):
    """One fit: digits of the parameters, whether success was reported, residual calls."""

    digits: float
    success: bool
    calls: int


def digits(x: np.ndarray, certified: np.ndarray) -> float:
    if not np.isfinite(x).all():
        return 0.0
    error = np.max(np.abs(x - certified) / np.abs(certified))
    return float(np.clip(-np.log10(max(error, 1e-11)), 0.0, 11.0))


class Counted:
    """A data set's residual, counting its calls."""

    def __init__(self, data: NistDataset) -> None:
        self.data, self.calls = data, 0

    def __call__(self, b: np.ndarray) -> np.ndarray:
        self.calls += 1
        return self.data.residual(b)


def with_solver(data: NistDataset, start: np.ndarray, analytic: bool) -> Run:
    residual = Counted(data)
    problem = lmoo.FunctionProblem(residual, data.jacobian if analytic else None)
    result = lmoo.Solver().solve(problem, start)
    return Run(digits(result.x, data.certified), result.success, residual.calls)


def with_leastsq(
    leastsq: Callable[..., tuple],
    data: NistDataset,
    start: np.ndarray,
    analytic: bool,
    **tight: float,
) -> Run:
    residual = Counted(data)
    limit = 5000 if tight else 0
    jacobian = data.jacobian if analytic else None
    x, _, _, _, ier = leastsq(
        residual, start, Dfun=jacobian, full_output=True, maxfev=limit, **tight
    )
    return Run(digits(x, data.certified), ier in (1, 2, 3, 4), residual.calls)


def row(name: str, fit: Callable[[NistDataset, np.ndarray], Run]) -> None:
    runs = [fit(nist(data), start) for data in nist_names() for start in nist(data).starts]
    accuracy = np.array([run.digits for run in runs])
    false = sum(run.success and run.digits < 4 for run in runs)
    print(
        f"{name:<42}{(accuracy >= 4).sum():>8}{(accuracy >= 6).sum():>8}"
        f"{accuracy.mean():>8.1f}{sum(run.calls for run in runs):>9}{false:>7}"
    )


if __name__ == "__main__":
    print(versions("scipy"))
    print(f"{'of 54 runs':<42}{'>= 4':>8}{'>= 6':>8}{'mean':>8}{'calls':>9}{'false':>7}")
    theirs = scipy.optimize.leastsq
    for analytic in (False, True):
        jacobian = ", Jacobian" if analytic else ""
        row(f"lmoo.Solver(){jacobian}", lambda d, b, a=analytic: with_solver(d, b, a))
        for name, leastsq in (("lmoo", lmoo.leastsq), ("scipy", theirs)):
            row(
                f"{name}.leastsq{jacobian}",
                lambda d, b, f=leastsq, a=analytic: with_leastsq(f, d, b, a),
            )
            row(
                f"{name}.leastsq at 1e-15{jacobian}",
                lambda d, b, f=leastsq, a=analytic: with_leastsq(f, d, b, a, **TIGHT),
            )
