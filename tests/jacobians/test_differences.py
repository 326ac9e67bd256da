"""`ForwardDifference` and `CentralDifference`: steps and options."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ids import stable
from jacobian_cases import EVERY_NUMERIC, Recorder
from samples import START, decay, decay_jacobian

import lmoo
from lmoo import EvaluationError, FunctionProblem, Solver

EPS = 2.0**-52
Array = np.ndarray


def steps_of(strategy: lmoo.Jacobian, x0: Any, residual: Any = None) -> np.ndarray:
    """The points of the first Jacobian less x0, a row an evaluation."""
    record = Recorder(residual or (lambda x: np.concatenate([x - 7.0, np.ones(1)])))
    Solver(jacobian=strategy, maxfev=1).solve(FunctionProblem(record), x0)
    x0 = np.array(x0, dtype=float)
    rows = [x - x0 for x in record.points[1:]]
    # A column may be taken again with another interval: those that each begins with.
    points = 2 if isinstance(strategy, lmoo.CentralDifference) else 1
    first: dict[int, list[np.ndarray]] = {}
    for row in rows:
        if np.count_nonzero(row) == 1:
            first.setdefault(int(np.flatnonzero(row)[0]), []).append(row)
    return np.array([row for j in sorted(first) for row in first[j][:points]])


@pytest.mark.parametrize("epsfcn", [None, 1e-14, 1e-10, 1e-6, 1e-3])
def test_the_step_of_forward_differences_is_root_epsfcn_times_x(epsfcn: float | None) -> None:
    x0 = [2.0, -3.0, 1e5]
    steps = steps_of(lmoo.ForwardDifference(epsfcn=epsfcn), x0)
    expected = np.diag(np.sqrt(epsfcn or EPS) * np.abs(x0))
    np.testing.assert_allclose(np.abs(steps), expected, rtol=1e-6)


@pytest.mark.parametrize("epsfcn", [None, 1e-12, 1e-6])
def test_the_step_of_central_differences_is_cube_root_epsfcn_times_x(
    epsfcn: float | None,
) -> None:
    x0 = [2.0, -3.0]
    steps = steps_of(lmoo.CentralDifference(epsfcn=epsfcn), x0)
    h = np.cbrt(epsfcn or EPS) * np.abs(x0)
    expected = np.array([[h[0], 0.0], [-h[0], 0.0], [0.0, h[1]], [0.0, -h[1]]])
    np.testing.assert_allclose(steps, expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("typical", "sizes"),
    [(0.5, [2.0, 3.0, 0.5]), ([1e6, 1.0, 1e-3], [1e6, 3.0, 1e-3]), (10, [10.0, 10.0, 10.0])],
    ids=stable,
)
@pytest.mark.parametrize("kind", [lmoo.ForwardDifference, lmoo.CentralDifference])
def test_typical_is_the_least_size_of_a_parameter(kind: Any, typical: Any, sizes: Any) -> None:
    steps = steps_of(kind(typical=typical), [2.0, -3.0, 1e-9])
    central = kind is lmoo.CentralDifference
    h = (np.cbrt(EPS) if central else np.sqrt(EPS)) * np.array(sizes)
    expected = np.diag(h)
    if central:
        expected = np.repeat(expected, 2, axis=0) * np.array([1.0, -1.0] * 3)[:, None]
    np.testing.assert_allclose(steps, expected, rtol=1e-6, atol=1e-20)


BAD_OPTIONS = [
    ({"typical": 0.0}, ValueError),
    ({"typical": -1.0}, ValueError),
    ({"typical": np.nan}, ValueError),
    ({"typical": np.inf}, ValueError),
    ({"typical": [1.0, 0.0]}, ValueError),
    ({"typical": [[1.0, 1.0]]}, ValueError),
    ({"typical": "a"}, (TypeError, ValueError)),
    ({"typical": 1j}, (TypeError, ValueError)),
    ({"typical": [1.0, None]}, (TypeError, ValueError)),
]
BAD_EPSFCN = [
    ({"epsfcn": 0.0}, ValueError),
    ({"epsfcn": -1e-9}, ValueError),
    ({"epsfcn": 1.0}, ValueError),
    ({"epsfcn": np.nan}, ValueError),
    ({"epsfcn": "small"}, (TypeError, ValueError)),
    ({"epsfcn": 1j}, (TypeError, ValueError)),
    ({"epsfcn": [1e-9]}, (TypeError, ValueError)),
]


@pytest.mark.parametrize(("options", "error"), BAD_OPTIONS, ids=stable)
@pytest.mark.parametrize("kind", [lmoo.ForwardDifference, lmoo.CentralDifference, lmoo.ComplexStep])
def test_bad_typical_is_named(kind: Any, options: Any, error: Any) -> None:
    with pytest.raises(error, match=r"^typical must be .*; it is "):
        kind(**options)


@pytest.mark.parametrize(("options", "error"), BAD_EPSFCN, ids=stable)
@pytest.mark.parametrize("kind", [lmoo.ForwardDifference, lmoo.CentralDifference])
def test_bad_epsfcn_is_named(kind: Any, options: Any, error: Any) -> None:
    with pytest.raises(error, match=r"^epsfcn must be .*; it is "):
        kind(**options)


@pytest.mark.parametrize("n", [1, 3])
@EVERY_NUMERIC
def test_typical_of_a_wrong_length_is_refused_with_both_lengths(strategy: Any, n: int) -> None:
    solver = Solver(jacobian=type(strategy)(typical=np.ones(n)))
    with pytest.raises(ValueError, match=rf"typical must have one entry .*, 2; it has {n}"):
        solver.solve(FunctionProblem(decay), START)


@pytest.mark.parametrize("side", [1.0, -1.0], ids=["above", "below"])
@pytest.mark.parametrize("x0", [2.0, -2.0])
def test_central_differences_use_the_side_that_is_good(side: float, x0: float) -> None:
    def residual(x: np.ndarray) -> np.ndarray:
        if side * (x[0] - x0) > 0.0:
            raise EvaluationError("the bad side")
        return np.array([np.exp(x[0] / 2.0), 1.0])

    steps: list[lmoo.IterationRecord] = []
    record = Recorder(residual)
    solver = Solver(jacobian=lmoo.CentralDifference(), maxfev=12)
    result = solver.solve(FunctionProblem(record), [x0], callback=steps.append)
    e = np.exp(x0 / 2.0)
    np.testing.assert_allclose(steps[0].gradient, [e * e / 2.0], rtol=1e-4)
    assert result.nfev == len(record.points)


def test_forward_differences_are_refined_before_the_end_for_a_small_xtol() -> None:
    # Exact to about eps^(2/3) then, where forward differences are wrong by eps^(1/2).
    J = decay_jacobian(Solver().solve(FunctionProblem(decay, decay_jacobian), START).x)
    right = np.linalg.inv(J.T @ J)

    def error(strategy: lmoo.Jacobian, xtol: float) -> float:
        result = Solver(jacobian=strategy, xtol=xtol).solve(FunctionProblem(decay), START)
        return float(np.abs(result.covariance(scaled=False) / right - 1.0).max())

    assert error(lmoo.ForwardDifference(), 1e-13) < 1e-8
    for refine in (True, False):
        assert error(lmoo.ForwardDifference(refine=refine), 1e-10) < 1e-5


def peak(t: Array, a: float, b: float, c: float, d: float) -> Array:
    return a * np.exp(-0.5 * ((t - b) / c) ** 2) + d


@pytest.mark.parametrize("unit", [1.0, 2.0**900, 2.0**-900])
@pytest.mark.parametrize("seed", range(5))
def test_forward_differences_suffice_for_small_residuals(seed: int, unit: float) -> None:
    # Their errors change the gradient by about 1e-9 |J_j| |f| here.
    t = np.linspace(-5.0, 5.0, 60)
    y = peak(t, 4.0, 0.7, 1.1, 1.0) + 0.08 * np.random.default_rng(seed).standard_normal(60)
    problem = FunctionProblem(lambda x: unit * (peak(t, *x) - y))
    start = [3.0, 1.0, 1.0, 0.5]
    found = Solver().solve(problem, start)
    right = Solver(jacobian=lmoo.CentralDifference()).solve(problem, start)
    assert found.success
    # Four evaluations for each Jacobian, and one for each step.
    assert found.nfev == 1 + 4 * found.njev + found.nit
    np.testing.assert_allclose(found.x, right.x, rtol=3e-9)
    np.testing.assert_allclose(found.standard_errors, right.standard_errors, rtol=1e-6)


def test_forward_differences_do_not_suffice_for_large_residuals() -> None:
    # Gauss-Newton steps contract by a half only, so that errors of columns matter.
    t = np.linspace(0.0, 4.0, 40)
    y = 0.3 * np.exp(-t) + np.where(np.arange(40) % 2, 1.0, -1.0) * np.exp(-0.3 * t)
    start = [1.0, 1.0]

    def f(x: Array) -> Array:
        return x[0] * np.exp(-x[1] * t) - y

    found = Solver().solve(FunctionProblem(f), start)
    right = Solver(jacobian=lmoo.CentralDifference()).solve(FunctionProblem(f), start)
    assert found.success
    assert found.nfev > 1 + 2 * found.njev + found.nit
    assert (np.abs(found.x - right.x) <= 1e-7 * right.standard_errors).all()


def test_gauss_newton_steps_of_another_rank_are_not_extrapolated() -> None:
    # Forward differences do not see one direction of this valley to infinity, central ones do.
    random = np.random.default_rng([5, 12])
    t = np.linspace(-3, 3, 30)

    def model(p: Array) -> Array:
        return p[0] * np.cosh((t - p[1]) / p[2]) + p[3]

    true = random.uniform([0.5, -1, 1, -2], [3, 1, 4, 2])
    start = true + random.uniform(-1, 1, 4) * [0.4, 0.8, 0.6, 1]
    y = model(true)
    level = random.choice([0.0, 1e-6, 1e-3, 1e-2, 0.1])
    y = y + level * np.sqrt(np.mean(y * y)) * random.standard_normal(t.size)
    found = Solver().solve(FunctionProblem(lambda p: model(p) - y), start)
    # The least cost is that of a parabola, 1.27811.
    parabola = y - np.polyval(np.polyfit(t, y, 2), t)
    assert found.cost <= 0.5 * np.sum(parabola**2) * (1.0 + 1e-5)
