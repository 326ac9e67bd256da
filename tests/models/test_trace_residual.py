"""`trace_residual`: problems from residual functions."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from numpy import sqrt
from trace_cases import T

import lmoo
from lmoo import TraceError


def rosenbrock(x):
    return np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]])


def powell(x):
    a, b, c, d = x
    return [a + 10 * b, sqrt(5) * (c - d), (b - 2 * c) ** 2, sqrt(10) * (a - d) ** 2]


def with_data(x):
    return x[0] * np.exp(-x[1] * T) + x[-1] - np.cos(T)


def norms(x):
    return [np.sum(x**2) - 1, x[:2].prod(), np.dot(x, x), len(x) * x.mean(), np.linalg.norm([1.0])]


@pytest.mark.parametrize(
    ("f", "n"),
    [(rosenbrock, 2), (powell, 4), (with_data, 3), (norms, 3)],
    ids=["rosenbrock", "powell", "with_data", "norms"],
)
def test_residual_functions(f: Any, n: int) -> None:
    problem = lmoo.trace_residual(f, n)
    x = np.array([0.7, -0.4, 1.2, 0.3])[:n]
    np.testing.assert_allclose(problem.residual(x), f(x), rtol=1e-14)
    assert problem.m == len(f(x))
    J = problem.jacobian(x)
    for j in range(n):
        step = 1e-30j * np.eye(n)[j]
        assert J[:, j] == pytest.approx(np.imag(f(x + step)) / 1e-30, rel=1e-13, abs=1e-14)
    again = pickle.loads(pickle.dumps(problem))
    np.testing.assert_array_equal(again.jacobian(x), J)


def test_a_traced_residual_is_solved() -> None:
    problem = lmoo.trace_residual(rosenbrock, 2, parameter_names=("u", "v"))
    result = lmoo.Solver().solve(problem, [-1.2, 1.0])
    np.testing.assert_allclose(result.x, [1.0, 1.0], rtol=1e-12)
    assert result.parameter_names == ("u", "v")
    shifted = lmoo.trace_residual(lambda x, y: x - y, 2, args=(np.array([3.0, 4.0]),))
    np.testing.assert_allclose(shifted.residual([0.0, 0.0]), [-3, -4])


def test_refused_residual_functions() -> None:
    for f, match in {
        (lambda x: x[0] if x[1] > 0 else x[1]): "a branch depends",
        (lambda x: float(x[0])): "a number is made",
        (lambda x: {}): "returns dict, not a sequence",
        (lambda x: [x[0] * T, x[1]]): "must return one sequence",
        (lambda x: np.array([[x[0], x[1]]])): "not a sequence of numbers",
    }.items():
        with pytest.raises(TraceError, match=match):
            lmoo.trace_residual(f, 2)
    with pytest.raises(ValueError, match="n must be at least 1"):
        lmoo.trace_residual(rosenbrock, 0)
    with pytest.raises(TypeError, match="f must be callable"):
        lmoo.trace_residual(None, 2)  # type: ignore[arg-type]


def test_pickles_keep_the_options_of_the_problem() -> None:
    problem = lmoo.trace_residual(rosenbrock, 2, parameter_names=["a", "b"])
    problem.bounds, problem.priors = ([0, 0], [3, 3]), {"a": (1.0, 0.1)}
    problem.absolute_sigma = True
    expected = lmoo.Solver().solve(problem, [0.5, 0.5])
    for twin in (pickle.loads(pickle.dumps(problem)), copy.deepcopy(problem)):
        assert (twin.bounds, twin.priors) == (problem.bounds, problem.priors)
        assert twin.absolute_sigma is True
        np.testing.assert_array_equal(lmoo.Solver().solve(twin, [0.5, 0.5]).x, expected.x)
