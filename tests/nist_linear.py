"""NIST's problems with a linear model in place of the dense QR factorisation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import lmoo
from lmoo import Solver


def digits(x: Any, certified: Any) -> float:
    return float(-np.log10(np.abs(x / certified - 1.0).max() + 1e-16))


def both_solve_nist(
    name: str, linear: Any, lost: float
) -> Iterator[tuple[lmoo.Result, lmoo.Result]]:
    """Solve from both starts by QR and with the model, which may lose so many digits."""
    problem = lmoo.datasets.nist(name)
    for start in problem.starts:
        dense = Solver().solve(problem, start)
        other = Solver(linear=linear).solve(problem, start)
        assert other.success
        assert digits(other.x, problem.certified) >= digits(dense.x, problem.certified) - lost
        yield dense, other
