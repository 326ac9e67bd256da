"""``lmoo nist``: compare fits of this installation with NIST's certified values."""

import argparse

import numpy as np
from numpy.typing import NDArray

from lmoo.datasets import NistDataset, nist, nist_names
from lmoo.problems.problem import FunctionProblem
from lmoo.results.result import Result
from lmoo.solver.solver import Solver

# NIST certifies 11 digits.
_MOST = 11.0
_ENOUGH = 6.0


def run(arguments: argparse.Namespace) -> int:
    """Print the table of the problems, by default all; return 0 if all fits reach 6 digits."""
    print("Digits of NIST's certified parameters, the worst of each fit, at most 11,")
    print("from NIST's start 1 (far) and start 2 (near), with the model's derivatives.\n")
    print(f"{'problem':<10}{'level':<9}{'parameters':>10}{'rows':>6}{'start 1':>9}{'start 2':>9}")
    found = [_row(nist(name)) for name in arguments.names or nist_names()]
    reached = sum(value >= _ENOUGH for row in found for value in row)
    total = sum(map(len, found))
    print(f"\n{reached} of {total} fits reach {_ENOUGH:.0f} digits; mean {np.mean(found):.1f}")
    return 0 if reached == total else 1


def digits(x: NDArray[np.float64], certified: NDArray[np.float64]) -> float:
    """Return the digits of the least accurate parameter: -log10 of its relative error, 0 to 11.

    Examples
    --------
    >>> import numpy as np
    >>> from lmoo.cli.commands.nist import digits
    >>> round(digits(np.array([1.001, 2.0]), np.array([1.0, 2.0])), 6)
    3.0
    """
    if not np.isfinite(x).all():
        return 0.0
    error = float(np.max(np.abs(x - certified) / np.abs(certified)))
    return float(np.clip(-np.log10(max(error, 10.0**-_MOST)), 0.0, _MOST))


def _row(data: NistDataset) -> list[float]:
    """Print the row of one problem and return its digits; 0 for a fit without success."""
    problem = FunctionProblem(data.residual, data.jacobian, parameter_names=data.parameter_names)
    results: list[Result] = [Solver().solve(problem, start) for start in data.starts]
    found = [digits(one.x, data.certified) if one.success else 0.0 for one in results]
    columns = "".join(f"{value:>9.1f}" for value in found)
    print(f"{data.name:<10}{data.difficulty:<9}{data.certified.size:>10}{data.y.size:>6}{columns}")
    return found
