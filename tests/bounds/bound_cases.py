"""Bounded problems, boxes and strategies that the tests of bounds share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from bounded import Bounded
from case_tables import each

import lmoo
from lmoo import Solver

INF = float("inf")
T = np.linspace(0.0, 2.0, 12)
Y = 2.0 * np.exp(-1.3 * T) + 0.3 + 0.05 * np.cos(7.0 * T)
NAMES = ("amplitude", "rate", "offset")
START = (1.0, 1.0, 0.0)


def decay(t: Any, a: Any, b: Any, c: Any) -> Any:
    return a * np.exp(-b * t) + c


class Decay(lmoo.Problem):
    """A decay that keeps every point at which it was evaluated."""

    parameter_names = NAMES

    def __init__(self, y: np.ndarray = Y) -> None:
        self.y = y
        self.points: list[np.ndarray] = []

    def residual(self, x: np.ndarray) -> np.ndarray:
        self.points.append(x.copy())
        return decay(T, *x) - self.y

    def seen(self) -> np.ndarray:
        """The points, those of complex steps without their imaginary parts."""
        return np.real(np.array(self.points))


class WithJacobian(Decay):
    def jacobian(self, x: np.ndarray) -> np.ndarray:
        self.points.append(x.copy())
        e = np.exp(-x[1] * T)
        return np.column_stack([e, -x[0] * T * e, np.ones(T.size)])


class Own(lmoo.Jacobian):
    """A strategy of the user's."""

    def evaluate(self, problem: Any, x: Any, f: Any, out: Any) -> None:
        out[:] = problem.jacobian(x)


class Marquardt(lmoo.Step):
    """A step strategy that knows of no bounds."""

    def propose(self, model: Any) -> Any:
        last = model.memory.get("lambda", 0.01)
        lambda_ = last / 10 if model.accepted else last * 10
        model.memory["lambda"] = lambda_
        return model.damped(lambda_), lambda_


STEPS = [lmoo.More(), lmoo.Nielsen(), lmoo.GeodesicAcceleration(), Marquardt()]
JACOBIANS = [
    lmoo.Analytic(),
    lmoo.ForwardDifference(),
    lmoo.ForwardDifference(typical=1.0),
    lmoo.CentralDifference(),
    lmoo.ComplexStep(),
    Own(),
]
BOXES = {
    "offset cut off": {"offset": (None, 0.1)},
    "rate cut off": {"rate": (0.2, 1.2)},
    "two cut off": {"rate": (0.5, 1.2), "offset": (-1.0, 0.1)},
    "all cut off": ([0.9, 0.9, -0.1], [1.5, 1.2, 0.1]),
    "a start at a bound": {"amplitude": (1.0, 3.0), "rate": (None, 1.0), "offset": (0.0, 0.2)},
    "thin": ([0.99, 0.99, -0.01], [1.01, 1.01, 0.01]),
    "half open": ([-INF, 0.0, -INF], [INF, INF, 0.1]),
}
STEP = each("step", STEPS, ids=lambda s: type(s).__name__)
JACOBIAN = pytest.mark.parametrize("jacobian", JACOBIANS, ids=lambda s: type(s).__name__)
BOX = pytest.mark.parametrize("bounds", BOXES.values(), ids=BOXES)


def box(bounds: Any) -> tuple[np.ndarray, np.ndarray]:
    lower, upper, _ = lmoo.bounds.limits(bounds, None, NAMES, 3)
    return lower, upper


def is_inside(points: np.ndarray, bounds: Any) -> bool:
    lower, upper = box(bounds)
    return bool(((lower <= points) & (points <= upper)).all())


def as_bounded(bounds: Any) -> Bounded:
    problem = WithJacobian()
    return Bounded(problem.residual, problem.jacobian, box(bounds), np.array(START))


def solved(bounds: Any = None, fixed: Any = None, problem: Any = None, **options: Any) -> Any:
    problem = WithJacobian() if problem is None else problem
    return Solver(bounds=bounds, fixed=fixed, **options).solve(problem, START)
