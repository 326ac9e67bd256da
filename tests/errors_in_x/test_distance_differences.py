"""Functions that are not traced, with errors in x."""

import numpy as np
import pytest
from distance_cases import PEARSON_T, PEARSON_Y, exponential, line, untraced_in_units
from hypothesis import given, settings
from hypothesis import strategies as st

import lmoo


@given(st.integers(-200, 200), st.integers(-200, 200))
@settings(max_examples=15, deadline=None)
def test_steps_of_differences_do_not_depend_on_units(of_t, of_y):
    expected = untraced_in_units(1.0, 1.0)
    result = untraced_in_units(2.0**of_t, 2.0**of_y)
    assert expected.evaluation.startswith("called")
    assert expected.success
    assert result.status == expected.status
    assert (result.nfev, result.njev) == (expected.nfev, expected.njev)
    np.testing.assert_array_equal(np.ldexp(result.x, [-of_y, -of_t, -of_y]), expected.x)


@pytest.mark.parametrize(("s", "u"), [(1e-9, 1.0), (1.0, 1e18), (1e-9, 1e18), (1e6, 1e-12)])
@pytest.mark.parametrize("x0", [(1.0, 1.0, 0.0), (1.0, 1.0, 1e-14), (0.0, 1.0, 0.0)])
def test_differences_find_the_minimum_in_any_units(s, u, x0):
    rng = np.random.default_rng(0)
    t = np.linspace(0, 5, 40)
    y = exponential(t, 2.0, 1 / 1.5, 0.3) + 0.05 * rng.normal(size=40)
    t = t + 0.1 * rng.normal(size=40)
    traced = lmoo.CurveProblem(lambda t, a, tau, c: a * np.exp(-t / tau) + c, t, y, 0.05,
                               sigma_x=0.1)  # fmt: skip
    expected = lmoo.Solver().solve(traced, [1.0, 1.0, 0.0])
    result = untraced_in_units(s, u, x0)
    assert result.success
    np.testing.assert_allclose(result.x, expected.x * [u, s, u], rtol=1e-8)
    np.testing.assert_allclose(result.stderr, expected.stderr * [u, s, u], rtol=1e-5)


def test_differences_where_a_parameter_has_no_effect_or_the_model_ends():
    from lmoo.solver.parametersteps import ParameterDifferences

    t, y = np.linspace(0.0, 1.0, 5), np.ones(5)
    # Nothing depends on it: the derivative is 0, and is not searched again.
    calls = []

    def product(x, t):
        calls.append(x)
        return 1.0 + x[0] * np.exp(-x[1] * t)

    differences = ParameterDifferences(product, y)
    for start in ([0.0, 0.0], [0.0, -3.0]):
        np.testing.assert_allclose(
            differences(np.array(start), t), [np.exp(-start[1] * t), 0.0 * t], rtol=1e-6
        )
    differences(np.zeros(2), t)
    del calls[:]
    differences(np.zeros(2), t)
    # The values, two steps and the derivative by one, one step of the other.
    assert len(calls) == 1 + 6 + 2
    # Where it has an effect it is found.
    np.testing.assert_allclose(differences(np.array([2.0, 0.0]), t)[1], -2.0 * t, rtol=1e-6)
    (row,) = ParameterDifferences(lambda x, t: t + 0.0 * x[0], y)(np.zeros(1), t)
    assert not row.any()

    def ends(x, t):
        if abs(x[0]) > 1e-13:
            raise lmoo.EvaluationError("no values")
        return 1.0 + 1e-3 * x[0] * t

    (row,) = ParameterDifferences(ends, y)(np.zeros(1), t)
    assert np.isfinite(row).all()
    # Values that are all 0: those of the data count.
    (row,) = ParameterDifferences(lambda x, t: 1e30 * x[0] * t, 1e12 * y)(np.zeros(1), t)
    np.testing.assert_allclose(row, 1e30 * t, rtol=1e-9)
    # A step that is too large to begin with.
    (row,) = ParameterDifferences(lambda x, t: np.sin(1e90 * x[0] + t), y)(np.zeros(1), t)
    np.testing.assert_allclose(row, 1e90 * np.cos(t), rtol=1e-6)


def test_a_model_that_returns_a_number():
    result = lmoo.Solver().solve(
        lmoo.CurveProblem(lambda t, a: float(a), PEARSON_T, PEARSON_Y, sigma_x=0.1), [1.0]
    )
    assert result.success
    np.testing.assert_allclose(result.x, PEARSON_Y.mean(), rtol=1e-9)
    for bad in (lambda t, a: [float(a)] * 3, lambda t, a: np.full((10, 1), float(a))):
        problem = lmoo.CurveProblem(bad, PEARSON_T, PEARSON_Y, sigma_x=0.1)
        with pytest.raises(ValueError, match="f must return 10 real numbers, one for each point"):
            lmoo.Solver().solve(problem, [1.0])


@pytest.mark.parametrize("length", [0, 3, 11])
def test_the_compiled_code_checks_lengths(monkeypatch, length):
    from lmoo.solver import errorsinx

    problem = lmoo.CurveProblem(line, PEARSON_T, PEARSON_Y, sigma_x=0.1, trace=False)
    with monkeypatch.context() as patch:
        patch.setattr(errorsinx, "_function", lambda problem: lambda x, t: np.zeros(length))
        with pytest.raises(ValueError, match=f"f must return 10 values; it returned {length}"):
            lmoo.Solver().solve(problem, [5.0, -0.5])
    monkeypatch.setattr(errorsinx, "_slopes", lambda problem: lambda x, t: np.zeros((3, length)))
    with pytest.raises(ValueError, match=r"derivatives must have shape \(3, 10\)"):
        lmoo.Solver().solve(problem, [5.0, -0.5])
