"""Problems and checks that the tests of `Solver.iterate` share."""

from __future__ import annotations

import pickle
from typing import Any, ClassVar

import numpy as np
import pytest
from samples import START, T, Y

import lmoo
from lmoo import EvaluationError, Problem, Solver


class Counted(Problem):
    """Counts evaluations of all its copies together, pickled ones too."""

    residuals: ClassVar[int] = 0
    jacobians: ClassVar[int] = 0

    @classmethod
    def reset(cls) -> None:
        Counted.residuals = Counted.jacobians = 0

    def residual(self, x: np.ndarray) -> Any:
        Counted.residuals += 1
        return self.model(x)

    def model(self, x: np.ndarray) -> Any:
        return np.array([10.0 * (x[1] - x[0] ** 2), 1.0 - x[0]])


class WithJacobian(Counted):
    def jacobian(self, x: np.ndarray) -> np.ndarray:
        Counted.jacobians += 1
        return np.array([[-20.0 * x[0], 10.0], [-1.0, 0.0]])


class WithColumns(WithJacobian):
    def jacobian(self, x: np.ndarray) -> np.ndarray:
        return super().jacobian(x).T


class Single(Counted):
    """In float32: its precision belongs to what must be stored."""

    def model(self, x: np.ndarray) -> np.ndarray:
        x = x.astype(np.float32)
        return x[0] * np.exp(-x[1] * T.astype(np.float32)) - Y.astype(np.float32)


class Edged(Counted):
    """Steps lead out of the domain, and Jacobians fail: there are refused points to store."""

    def model(self, x: np.ndarray) -> np.ndarray:
        if x[0] <= 0.0:
            raise EvaluationError("x[0] must be positive")
        return np.log(x[0] + T) - np.log(0.1 + T) + 0.01 * np.cos(5.0 * T)


class EdgedWithJacobian(Edged):
    def jacobian(self, x: np.ndarray) -> np.ndarray:
        Counted.jacobians += 1
        if 0.5 < x[0] < 2.0:
            raise EvaluationError("no derivative in the ring")
        return 1.0 / (x[0] + T)[:, None]


class Mine(lmoo.Jacobian):
    """A strategy of one's own."""

    def evaluate(self, problem: Any, x: np.ndarray, f: np.ndarray, out: np.ndarray) -> int:
        h = 1e-6
        for j in range(x.size):
            ahead = x.copy()
            ahead[j] += h
            out[:, j] = (problem.residual(ahead) - f) / h
        return x.size


ROSENBROCK = (-1.2, 1.0)
CASES: dict[str, tuple[Solver, Counted, tuple[float, ...]]] = {
    "default": (Solver(), Counted(), ROSENBROCK),
    "unrefined": (Solver(jacobian=lmoo.ForwardDifference(refine=False)), Counted(), ROSENBROCK),
    "typical": (Solver(jacobian=lmoo.ForwardDifference(1e-14, 1.0)), Counted(), ROSENBROCK),
    "central": (Solver(jacobian=lmoo.CentralDifference()), Counted(), ROSENBROCK),
    "complex": (Solver(jacobian=lmoo.ComplexStep()), Counted(), ROSENBROCK),
    "analytic": (Solver(), WithJacobian(), ROSENBROCK),
    "columns": (Solver(jacobian=lmoo.ColumnMajor()), WithColumns(), ROSENBROCK),
    "own": (Solver(jacobian=Mine()), Counted(), ROSENBROCK),
    "diag": (Solver(diag=[1.0, 3.0], factor=10.0), WithJacobian(), ROSENBROCK),
    "float32": (Solver(), Single(), START),
    "maxfev": (Solver(maxfev=20), Counted(), ROSENBROCK),
    "refused": (Solver(factor=100.0), Edged(), (30.0,)),
    "refused, central": (
        Solver(factor=100.0, jacobian=lmoo.CentralDifference()),
        Edged(),
        (30.0,),
    ),
    "reverted": (Solver(factor=0.9), EdgedWithJacobian(), (30.0,)),
}
EVERY_CASE = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def assert_same_bits(ours: lmoo.Result, right: lmoo.Result) -> None:
    assert ours.x.tobytes() == right.x.tobytes()
    assert ours.residual.tobytes() == right.residual.tobytes()
    assert ours.cost == right.cost or (np.isnan(ours.cost) and np.isnan(right.cost))
    assert ours.status is right.status
    assert ours.message == right.message
    assert (ours.nfev, ours.njev, ours.nit) == (right.nfev, right.njev, right.nit)
    np.testing.assert_array_equal(ours.covariance(), right.covariance())
    np.testing.assert_array_equal(ours.gradient, right.gradient)


def assert_same_record(ours: lmoo.IterationRecord, right: lmoo.IterationRecord) -> None:
    for name, a, b in zip(ours._fields, ours, right, strict=True):
        if name in ("x", "gradient"):
            assert a.tobytes() == b.tobytes(), name
        else:
            assert a == b, name


class MineError(Exception):
    pass


class Failing(Counted):
    """Raises once, at a given evaluation of the residual or of the Jacobian."""

    def __init__(self, error: BaseException, residual: int = 0, jacobian: int = 0) -> None:
        self.error, self.at = error, (residual, jacobian)
        Counted.reset()

    def residual(self, x: np.ndarray) -> Any:
        value = super().residual(x)
        if Counted.residuals == self.at[0]:
            raise self.error
        return value


def stored(steps: lmoo.Iteration) -> lmoo.Iteration:
    return pickle.loads(pickle.dumps(steps))
