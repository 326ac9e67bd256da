"""Bounds that cut the unbounded solution off: solves end at a minimum within them."""

from collections.abc import Iterator

import numpy as np
import pytest
from bounded import Bounded, projected_cosines

import lmoo
from lmoo.datasets import nist

Array = np.ndarray
T = np.linspace(0.0, 10.0, 150)
PHASES = np.arange(0.1, 6.2, 0.4)


def cut_off(name: str, start: int) -> Iterator[Bounded]:
    """Yield problems in which one parameter is kept a tenth away from its certified value."""
    data = nist(name)
    x0 = np.asarray(data.starts[start], dtype=np.float64)
    for j in range(x0.size):
        for side in (-1, 1):
            lower, upper = np.full(x0.size, -np.inf), np.full(x0.size, np.inf)
            step = side * 0.1 * abs(data.certified[j])
            edge = data.certified[j] + step
            (lower if side > 0 else upper)[j] = edge
            begin = x0.copy()
            if (begin[j] - edge) * side <= 0.0:
                begin[j] = edge + step
            yield Bounded(data.residual, data.jacobian, (lower, upper), begin)


# Parameters that depend on each other: a step of which one entry alone is shortened leads uphill.
@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("start", [0, 1])
@pytest.mark.parametrize(
    "name", ["Misra1a", "Misra1b", "Nelson", "Roszman1", "Rat43", "Lanczos3", "Thurber", "Gauss3"]
)
def test_correlated_parameters(name: str, start: int, exact: bool) -> None:
    for problem in cut_off(name, start):
        given = lmoo.FunctionProblem(problem.residual, problem.jacobian if exact else None)
        result = lmoo.Solver(bounds=problem.bounds).solve(given, problem.start)
        assert result.success, (problem.bounds, result.message)
        assert np.abs(projected_cosines(problem, result.x)).max() <= 1e-6, problem.bounds
        assert problem.outside == 0


def test_curvature_that_the_model_lacks() -> None:
    """Full Gauss-Newton steps lead beyond this minimum, by less than the sum of squares shows."""
    problem = next(
        p for p in cut_off("Thurber", 1) if p.bounds[0][1] > nist("Thurber").certified[1]
    )
    result = lmoo.Solver(bounds=problem.bounds).solve(problem, problem.start)
    assert result.success
    assert np.abs(projected_cosines(problem, result.x)).max() <= 1e-8


def wave(t: Array, a: float, w: float, p: float) -> Array:
    return np.asarray(a * np.sin(w * t + p))


@pytest.mark.parametrize("unit", [1.0, 180.0 / np.pi])
@pytest.mark.parametrize("period", [(0.0, 2.0 * np.pi), (-np.pi, np.pi)])
def test_a_phase_goes_on_at_the_opposite_bound(period: tuple[float, float], unit: float) -> None:
    def model(t: Array, a: float, w: float, p: float) -> Array:
        return wave(t, a, w, p / unit)

    right = 0
    for seed, phase in enumerate(PHASES):
        y = wave(T, 1.0, 1.3, phase) + 0.05 * np.random.default_rng(seed).normal(size=T.size)
        bounds = {"a": (0, None), "w": (0, None), "p": (period[0] * unit, period[1] * unit)}
        problem = lmoo.CurveProblem(model, T, y)
        result = lmoo.Solver(bounds=bounds).solve(problem, [1.0, 1.25, 0.5 * unit])
        right += result.reduced_chi_square < 0.01
        assert bounds["p"][0] <= result.x[2] <= bounds["p"][1]
    # Without looking there 7 to 9 of 16 end at the first bound that they reach.
    assert right >= 14


def test_a_bound_across_which_f_is_not_the_same_is_not_gone_to() -> None:
    y = 2.0 * np.exp(-0.5 * T)
    problem = lmoo.CurveProblem(lambda t, a, b: a * np.exp(-b * t), T, y)
    result = lmoo.Solver(bounds={"b": (0.6, 3.0)}).solve(problem, [1.0, 1.0])
    assert result.success
    assert result.x[1] == 0.6


def test_an_amplitude_that_was_at_0_comes_back() -> None:
    """At amplitude 0 neither place nor width has an effect, so no gradient leads to the peak."""

    def peak(t: Array, a: float, c: float, w: float, base: float) -> Array:
        return np.asarray(base + a * np.exp(-0.5 * ((t - c) / w) ** 2))

    y = peak(T, 3.0, 6.0, 0.5, 1.0) + 0.01 * np.random.default_rng(1).normal(size=T.size)
    problem = lmoo.CurveProblem(peak, T, y)
    result = lmoo.Solver(bounds={"a": (0, None)}).solve(problem, [0.0, 0.6, 0.5, 1.0])
    assert result.success
    np.testing.assert_allclose(result.x, [3.0, 6.0, 0.5, 1.0], rtol=0.02)
