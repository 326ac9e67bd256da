"""A problem with two linear parameters in all its forms, for the tests of variable projection."""

import numpy as np

import lmoo

T = np.linspace(0.0, 4.0, 120)
NAMES = ("a", "b", "c", "d")
START = (1.0, 0.1, 1.0, 2.0)
SEPARABLE = lmoo.Solver(separable=True)


def decays(t, a, b, c, d):
    return a * np.exp(-b * t) + c * np.exp(-d * t)


def decays_jacobian(t, a, b, c, d):
    one, two = np.exp(-b * t), np.exp(-d * t)
    return np.stack([one, -a * t * one, two, -c * t * two], axis=1)


def noisy(seed=0):
    return decays(T, 3.0, 0.5, 2.0, 3.0) + 0.02 * np.random.default_rng(seed).normal(size=T.size)


Y = noisy()
SIGMA = 0.01 + 0.01 * T


class Problem(lmoo.Problem):
    linear_parameters = (0, 2)
    parameter_names = NAMES

    def residual(self, x):
        return (decays(T, *x) - Y) / SIGMA


class Blocks(lmoo.RowBlockProblem):
    linear_parameters = ("a", "c")
    parameter_names = NAMES

    def residual(self, x, block):
        t, y, sigma = block
        return (decays(t, *x) - y) / sigma


def blocks():
    return [(T[k : k + 50], Y[k : k + 50], SIGMA[k : k + 50]) for k in range(0, T.size, 50)]


FORMS = {
    "traced": lambda: lmoo.CurveProblem(decays, T, Y, SIGMA, trace=True),
    "expression": lambda: lmoo.CurveProblem(
        lmoo.Expression("a*exp(-b*t) + c*exp(-d*t)"), T, Y, SIGMA
    ),
    "model": lambda: lmoo.models.BiExponential().problem(T, Y, SIGMA, fixed={4: 0.0}),
    "called": lambda: lmoo.CurveProblem(
        decays, T, Y, SIGMA, trace=False, linear_parameters=("a", "c")
    ),
    "given jacobian": lambda: lmoo.CurveProblem(
        decays, T, Y, SIGMA, decays_jacobian, linear_parameters=(0, 2)
    ),
    "covariance": lambda: lmoo.CurveProblem(
        decays, T, Y, np.diag(SIGMA**2), linear_parameters=(0, 2)
    ),
    "function": lambda: lmoo.FunctionProblem(
        lambda x: (decays(T, *x) - Y) / SIGMA, linear_parameters=(0, 2)
    ),
    "problem": Problem,
    "blocks traced": lambda: lmoo.CurveBlocks(decays, T, Y, 50, sigma=SIGMA, trace=True),
    "blocks jacobian": lambda: lmoo.CurveBlocks(
        decays, T, Y, 50, sigma=SIGMA, jac=decays_jacobian, linear_parameters=(0, 2)
    ),
    "blocks called": lambda: Blocks(blocks()),
}


def polished(problem, x0, **options):
    """Return the fit of all parameters, its model being that of its solution to the last digit."""
    # The last derivatives are then central differences.
    solver = lmoo.Solver(**{"xtol": 1e-13, **options})
    return solver.solve(problem, solver.solve(problem, x0).x)


def assert_same(found, expected, x=1e-8, errors=1e-8):
    assert found.success, found.message
    assert expected.success, expected.message
    np.testing.assert_allclose(found.x, expected.x, rtol=x)
    np.testing.assert_allclose(found.cost, expected.cost, rtol=1e-10)
    np.testing.assert_allclose(found.standard_errors, expected.standard_errors, rtol=errors)
    covariance = expected.covariance()
    scale = np.abs(covariance).max()
    np.testing.assert_allclose(found.covariance(), covariance, rtol=0, atol=3 * errors * scale)
    assert found.observations == expected.observations
    assert found.rank == expected.rank
    assert found.parameter_names == expected.parameter_names
    np.testing.assert_array_equal(found.active_mask, expected.active_mask)
    np.testing.assert_array_equal(found.fixed, expected.fixed)
