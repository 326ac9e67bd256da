"""Variable projection where only a linear parameter tells others apart, or the data tell little."""

import numpy as np
import pytest
from separable_cases import NAMES, SEPARABLE

import lmoo
from lmoo.datasets._nist_models import MODELS
from lmoo.solver.twostage import SeparableLoop, _extrapolated


def product(t, a, b, c):
    return a * c * np.exp(-b * t)


def offset(t, a, b, c):
    return a * np.exp(-b * t + c)


def shifted(t, a, b, c):
    return a * np.exp(-b * (t - c))


DEGENERATE_T = np.linspace(0.0, 4.0, 20)
DEGENERATE_Y = 2.0 * np.exp(-0.5 * DEGENERATE_T) + 0.01 * np.cos(9.0 * DEGENERATE_T)


def curve(f, factory=lmoo.CurveProblem, *size, **options):
    return factory(f, DEGENERATE_T, DEGENERATE_Y, *size, **options)


def single(f):
    def residual(x):
        return (f(DEGENERATE_T, *x) - DEGENERATE_Y).astype(np.float32)

    return lmoo.FunctionProblem(residual, parameter_names=NAMES[:3], linear_parameters=(0,))


def slopes(f, t, x):
    return np.stack([f(t, *(x + 1e-30j * unit)).imag / 1e-30 for unit in np.eye(x.size)], axis=1)


LINEAR = {"linear_parameters": ("a",)}
DEGENERATE = {
    "traced": lambda f: curve(f, trace=True),
    "called": lambda f: curve(f, trace=False, **LINEAR),
    "given jacobian": lambda f: curve(f, jac=lambda t, *x: slopes(f, t, np.array(x)), **LINEAR),
    "single precision": single,
    "blocks traced": lambda f: curve(f, lmoo.CurveBlocks, 8, trace=True),
    "blocks called": lambda f: curve(f, lmoo.CurveBlocks, 8, trace=False, **LINEAR),
}


@pytest.mark.parametrize("model", [product, offset, shifted])
@pytest.mark.parametrize("form", DEGENERATE)
def test_what_only_a_linear_parameter_tells_apart_stays_and_is_undetermined(form, model):
    found = SEPARABLE.solve(DEGENERATE[form](model), [1.0, 1.0, 0.5])
    assert found.success, found.message
    assert found.undetermined == ("a", "c")
    np.testing.assert_allclose(found.x[1], 0.50094319, rtol=1e-6)
    np.testing.assert_allclose(found.x[2], 0.5, rtol=0.1)
    np.testing.assert_allclose(found.cost, 4.903968802e-4, rtol=1e-6)
    np.testing.assert_allclose(found.standard_errors, [np.inf, 1.95881e-3, np.inf], rtol=1e-3)


@pytest.mark.parametrize("scale", [1e-150, 1e150])
@pytest.mark.parametrize("form", ["traced", "blocks traced"])
def test_undetermined_parameters_are_those_in_any_unit(form, scale):
    kind, size = (lmoo.CurveProblem, ()) if form == "traced" else (lmoo.CurveBlocks, (8,))
    problem = kind(offset, DEGENERATE_T, scale * DEGENERATE_Y, *size, trace=True)
    found = SEPARABLE.solve(problem, [1.0, 1.0, 0.5])
    assert found.success, found.message
    assert found.undetermined == ("a", "c")
    np.testing.assert_allclose(found.x[1:], [0.50094319, 0.5], rtol=1e-6)


@pytest.mark.parametrize("distance", [1e-9, 1e-6])
def test_a_small_effect_is_no_rounding(distance):
    """A column is judged by its rounding errors, not by what the projection takes away."""

    def f(t, a, b, c):
        return a * (np.exp(-b * t) + distance * c * (1.0 + t**2))

    y = f(DEGENERATE_T, 2.0, 0.5, 3.0)
    found = SEPARABLE.solve(lmoo.CurveProblem(f, DEGENERATE_T, y, trace=True), [1.0, 0.4, 1.0])
    assert found.success, found.message
    assert found.undetermined == ()
    np.testing.assert_allclose(found.x, [2.0, 0.5, 3.0], rtol=1e-14 / distance)


def test_differences_too_inexact_for_the_reduced_problem_suffice_for_the_full_one():
    def f(t, a, b, c):
        return a * np.exp(-b * t) + c

    y = f(DEGENERATE_T, 2.0, 0.5, 0.0)
    problem = lmoo.CurveBlocks(f, DEGENERATE_T, y, 8, trace=False, linear_parameters=("a", "c"))
    found = SEPARABLE.solve(problem, [1.0, 1.0, 0.5])
    assert found.success, found.message
    np.testing.assert_allclose(found.x, [2.0, 0.5, 0.0], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("rate", [-0.9, -0.5, 0.0, 0.4])
def test_steps_that_contract_at_a_rate_are_summed(rate):
    last, norms = np.array([3.0, -1.0]), np.array([1.0, 1e6])
    found = _extrapolated(rate * last, last, norms)
    np.testing.assert_allclose(found, rate * last / (1.0 - rate), rtol=1e-12)


@pytest.mark.parametrize("last", [None, [0.0, 0.0], [1.0, 2.0], [1.1, 2.0]])
def test_steps_without_a_rate_are_not(last):
    step = np.array([1.0, 2.0])
    last = None if last is None else np.array(last)
    np.testing.assert_array_equal(_extrapolated(step, last, np.ones(2)), step)


@pytest.mark.parametrize("seed", [0, 1, 4, 10])
def test_a_large_residual_needs_no_second_solve(monkeypatch, seed):
    # Gauss-Newton steps contract by -0.67 only: two of them did not settle it.
    data = lmoo.datasets.nist("Thurber")
    start = data.starts[0] * np.random.default_rng(seed).normal(1.0, 0.1, 7)
    problem = lmoo.CurveProblem(MODELS["Thurber"].value, data.x.ravel(), data.y)
    solved, full = [], SeparableLoop._full

    def noted(self, x, step=None, maxfev=None):
        solved.append(step is None)
        return full(self, x, step, maxfev)

    monkeypatch.setattr(SeparableLoop, "_full", noted)
    result = lmoo.Solver(separable=True).solve(problem, start)
    np.testing.assert_allclose(result.x, data.certified, rtol=1e-9)
    assert not any(solved)
