"""Ties, priors, derived quantities and constraints with errors in x, against problems by hand."""

import pickle

import numpy as np
import pytest
from distance_cases import PAIRS, PROBLEMS, exponential, surface

import lmoo

F, T, Y, SIGMA_X, SIGMA, X0 = PROBLEMS["exponential"]
WAYS = {
    "traced": lambda **options: lmoo.CurveProblem(F, T, Y, SIGMA, sigma_x=SIGMA_X, **options),
    "called": lambda **options: lmoo.CurveProblem(
        F, T, Y, SIGMA, sigma_x=SIGMA_X, trace=False, **options
    ),
    "with jac": lambda **options: lmoo.CurveProblem(
        F, T, Y, SIGMA, jac=slopes, sigma_x=SIGMA_X, **options
    ),
    "expression": lambda **options: lmoo.CurveProblem(
        lmoo.Expression("a*exp(-b*t) + c"), T, Y, SIGMA, sigma_x=SIGMA_X, **options
    ),
}


def slopes(t, a, b, c):
    e = np.exp(-b * t)
    return np.stack([e, -a * t * e, np.ones_like(t)], axis=1)


def by_hand(parameters, z0, priors=None):
    """Return the fit of all rows, with the places as parameters; parameters: of z."""
    q = len(z0)

    def residual(p):
        z = p[:q]
        rows = [(F(T + SIGMA_X * p[q:], *parameters(z)) - Y) / SIGMA, p[q:]]
        return np.concatenate(rows if priors is None else [*rows, priors(z)])

    # The last derivatives are then central differences.
    return lmoo.Solver(xtol=1e-13).solve(lmoo.FunctionProblem(residual), [*z0, *np.zeros(T.size)])


@pytest.mark.parametrize("way", WAYS)
def test_ties_and_derived(way):
    hand = by_hand(lambda z: (z[0], z[1], z[0] / 6), X0[:2])
    options = {"ties": {"c": "a/6"}, "derived": {"rate_times_a": "a*b"}}
    result = lmoo.Solver(**options).solve(WAYS[way](), {"a": 3.0, "b": 1.0})
    assert result.success
    np.testing.assert_allclose(result.x, [*hand.x[:2], hand.x[0] / 6], rtol=1e-10)
    assert abs(result.cost - hand.cost) < 1e-10 * hand.cost
    assert result.degrees_of_freedom == hand.degrees_of_freedom == T.size - 2
    matrix = hand.covariance()[:2, :2]
    np.testing.assert_allclose(result.covariance()[:2, :2], matrix, rtol=1e-7)
    np.testing.assert_allclose(result.stderr[2], np.sqrt(matrix[0, 0]) / 6, rtol=1e-7)
    value, error = result["rate_times_a"]
    gradient = hand.x[1::-1]
    np.testing.assert_allclose(value, hand.x[0] * hand.x[1], rtol=1e-9)
    np.testing.assert_allclose(error, np.sqrt(gradient @ matrix @ gradient), rtol=1e-7)
    assert result.estimated_t.shape == result.residual.shape == T.shape


@pytest.mark.parametrize("way", WAYS)
def test_priors_are_rows_and_no_data(way):
    """Of a parameter, and of a derived quantity."""

    def priors(z):
        return np.array([(z[1] - 0.8) / 0.01, (z[0] * z[1] - 2.5) / 0.05])

    hand = by_hand(lambda z: z, X0, priors)
    given = {"priors": {"b": (0.8, 0.01), "ab": (2.5, 0.05)}, "derived": {"ab": "a*b"}}
    result = lmoo.Solver().solve(WAYS[way](**given), X0)
    np.testing.assert_allclose(result.x, hand.x[:3], rtol=1e-9)
    assert abs(result.cost - hand.cost) < 1e-10 * hand.cost
    known = result.covariance(scaled=False)
    np.testing.assert_allclose(known, hand.covariance(scaled=False)[:3, :3], rtol=1e-7)
    assert result.degrees_of_freedom == T.size - 3
    assert result.residual.size == result.observations == T.size
    own = result.residual @ result.residual
    assert abs(own + (priors(hand.x) ** 2).sum() - 2 * hand.cost) < 1e-9 * hand.cost
    assert abs(result.residual_deviation**2 - own / (T.size - 3)) < 1e-10


@pytest.mark.parametrize("way", WAYS)
def test_constraints_satisfy_the_optimality_conditions(way):
    problem = WAYS[way]()
    free = lmoo.Solver().solve(problem, X0)
    loose = lmoo.Solver(constraints=["a <= 10", "a - 100*c <= 0"]).solve(problem, X0)
    np.testing.assert_allclose(loose.x, free.x, rtol=1e-8)
    assert loose.related.active == ()
    limit = float(free.x[0] + free.x[2] - 0.1)
    start = [2.0, 0.8, 0.4]
    result = lmoo.Solver(constraints=[f"a + c <= {limit!r}"]).solve(problem, start)
    hand = by_hand(lambda z: (limit - z[1], z[0], z[1]), [0.8, 0.4])
    np.testing.assert_allclose(result.x[1:], hand.x[:2], rtol=1e-9)
    assert len(result.related.active) == 1
    known = result.covariance(scaled=False)[1:, 1:]
    np.testing.assert_allclose(known, hand.covariance(scaled=False)[:2, :2], rtol=1e-7)
    equal = lmoo.Solver(constraints=[f"a + c == {limit!r}"]).solve(problem, start)
    np.testing.assert_allclose(equal.x, result.x, rtol=1e-9)


def test_more_constraints_than_parameters():
    problem = WAYS["called"]()
    constraints = ["a <= 2.9", "c <= 0.5", "a + c <= 3.3", "a <= 20*c", "b + c <= 3"]
    result = lmoo.Solver(constraints=constraints).solve(problem, [2.5, 0.8, 0.45])
    expected = lmoo.Solver(constraints=["a + c <= 3.3"]).solve(WAYS["traced"](), [2.5, 0.8, 0.45])
    np.testing.assert_allclose(result.x, expected.x, rtol=1e-8)


def test_two_variables_with_covariances():
    rng = np.random.default_rng(3)
    cov = np.array([[0.03**2, 0.0004], [0.0004, 0.02**2]])
    t = PAIRS / 2
    y = surface(t, 3.0, 0.4) + 0.02 * rng.normal(size=30)
    problem = lmoo.CurveProblem(surface, t, y, 0.02, sigma_x=np.tile(cov, (30, 1, 1)))
    result = lmoo.Solver(priors={"b": (0.3, 1e-6)}).solve(problem, [3.0, 0.4])
    fixed = lmoo.Solver(fixed={"b": 0.3}).solve(problem, [3.0, 0.3])
    np.testing.assert_allclose(result.x, [fixed.x[0], 0.3], rtol=1e-5)
    assert [part.shape for part in result.estimated_t] == [(30,), (30,)]


def test_profiles_iteration_and_storage():
    solver = lmoo.Solver(ties={"c": "a/6"}, derived={"ab": "a*b"}, priors={"a": (3.0, 0.5)})
    problem = WAYS["expression"]()
    result = solver.solve(problem, X0)
    lower, upper = result.interval("ab", method="profile")
    linear = result.interval("ab")
    assert lower < result["ab"].value < upper
    assert abs((upper - lower) / (linear[1] - linear[0]) - 1) < 0.1
    for called in WAYS.values():
        again = solver.solve(called(), X0).interval("ab", method="profile")
        np.testing.assert_allclose(again, (lower, upper), rtol=1e-5)
    steps = list(solver.iterate(problem, X0))
    np.testing.assert_allclose(steps[-1].x, result.x, rtol=1e-12)
    assert lmoo.Result.from_dict(result.to_dict())["ab"] == result["ab"]
    again = pickle.loads(pickle.dumps(result))
    np.testing.assert_allclose(again.interval("ab", method="profile"), (lower, upper), rtol=1e-9)
    assert "prior" in result.report()


def test_other_entrances():
    options = {"ties": {"c": "a/6"}}
    expected = lmoo.Solver(**options).solve(WAYS["traced"](), X0).x
    for p0 in (None, X0, {"a": 3.0, "b": 1.0, "c": 0.0}):
        popt, _ = lmoo.curve_fit(exponential, T, Y, p0, SIGMA, sigma_x=SIGMA_X, **options)
        np.testing.assert_allclose(popt, expected, rtol=1e-9)
    for start in (None, {"a": 3.0, "b": 1.0}):
        result = lmoo.fit(exponential, T, Y, start, SIGMA, sigma_x=SIGMA_X, **options)
        np.testing.assert_allclose(result.x, expected, rtol=1e-9)


def test_bad_relations_name_the_argument():
    for options, match in (
        ({"ties": {"d": "a"}}, "ties must have names of a, b, c"),
        ({"priors": {"d": (0, 1)}}, "priors must have names"),
        ({"separable": True, "derived": {"x": "a"}}, "separable must be False"),
        ({"linear": lmoo.LinearModel, "derived": {"x": "a"}}, "linear must be None"),
    ):
        with pytest.raises(ValueError, match=match):
            lmoo.Solver(**options).solve(WAYS["traced"](), X0)
