"""Problems, Jacobian strategies and checks that the tests of the solver share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from samples import START, decay, decay_jacobian

import lmoo
from lmoo import EvaluationError, FunctionProblem, Solver


def decay_columns(p: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(decay_jacobian(p).T)


class Recorder:
    """Calls what it wraps; keeps a copy of each x, and what it raised or returned."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.points: list[np.ndarray] = []

    def __call__(self, x: np.ndarray, *args: Any, **kwargs: Any) -> Any:
        self.points.append(np.array(x))
        return self.function(x, *args, **kwargs)


STRATEGIES: dict[str, tuple[Callable[..., Any] | None, lmoo.Jacobian | None]] = {
    "default": (None, None),
    "forward": (None, lmoo.ForwardDifference(refine=False)),
    "central": (None, lmoo.CentralDifference()),
    "complex": (None, lmoo.ComplexStep()),
    "analytic": (decay_jacobian, lmoo.Analytic()),
    "columns": (decay_columns, lmoo.ColumnMajor()),
}
EVERY_STRATEGY = pytest.mark.parametrize(("dfun", "strategy"), STRATEGIES.values(), ids=STRATEGIES)


def solve_decay(
    function: Callable[..., Any] = decay,
    dfun: Callable[..., Any] | None = None,
    strategy: lmoo.Jacobian | None = None,
) -> lmoo.Result:
    return Solver(jacobian=strategy).solve(FunctionProblem(function, dfun), START)


def assert_same_bits(ours: lmoo.Result, right: lmoo.Result) -> None:
    assert ours.x.tobytes() == right.x.tobytes()
    assert ours.residual.tobytes() == right.residual.tobytes()
    assert ours.cost == right.cost
    assert ours.status is right.status
    assert (ours.nfev, ours.njev, ours.nit) == (right.nfev, right.njev, right.nit)
    np.testing.assert_array_equal(ours.covariance(), right.covariance())


def log_bad(p: np.ndarray, f: np.ndarray, kind: str) -> Any:
    """The answer where there is none, in one of the ways to say so."""
    if p[0].real > 0.0:
        return f
    if kind == "raises":
        raise EvaluationError("p[0] must be positive")
    return np.full_like(f, {"nan": np.nan, "inf": np.inf, "-inf": -np.inf}[kind])


KINDS = pytest.mark.parametrize("kind", ["nan", "inf", "-inf", "raises"])


class MineError(Exception):
    pass
