"""Losses of the distances of points with errors in x."""

import numpy as np
import pytest
from distance_cases import PAIRS, PROBLEMS, exponential, surface, untraced

import lmoo
from lmoo.losses.loss import loss_of

F, T, Y, SIGMA_X, SIGMA, X0 = PROBLEMS["exponential"]
BAD = Y.copy()
BAD[[3, 11, 18]] += [1.0, -0.8, 1.5]
LOSSES = ["huber", "soft_l1", "cauchy", "arctan", "tukey"]


def problem(y=BAD, **options):
    return lmoo.CurveProblem(F, T, y, SIGMA, sigma_x=SIGMA_X, **options)


def cost_and_gradient(result, loss, scale):
    """Return the cost, and its derivatives by the parameters and by all places."""
    (a, b, c), t = result.x, result.estimated_t
    u = (t - T) / SIGMA_X
    r = (exponential(t, a, b, c) - BAD) / SIGMA
    rho = loss((r**2 + u**2) / scale**2)
    e = np.exp(-b * t)
    by_x = np.stack([e, -a * t * e, np.ones_like(t)]) / SIGMA
    by_u = r * -a * b * e * SIGMA_X / SIGMA + u
    return 0.5 * scale**2 * rho[0].sum(), np.concatenate([by_x @ (rho[1] * r), rho[1] * by_u])


@pytest.mark.parametrize("trace", ["auto", False])
@pytest.mark.parametrize("name", LOSSES)
def test_the_solution_is_a_minimum_of_the_loss_of_distances(name, trace):
    solver = lmoo.Solver(loss=name, f_scale=3.0)
    result = solver.solve(problem(trace=trace), X0)
    assert result.success
    loss = loss_of(name)
    cost, gradient = cost_and_gradient(result, loss, 3.0)
    assert result.cost == pytest.approx(cost, rel=1e-12)
    assert np.abs(gradient).max() < (1e-7 if trace else 1e-5) * cost
    np.testing.assert_allclose(result.loss_weights, loss((result.residual / 3.0) ** 2)[1])
    assert (result.loss_weights[[3, 11, 18]] < 0.5).all()
    clean = lmoo.Solver().solve(problem(Y), X0)
    plain = lmoo.Solver().solve(problem(), X0)
    off = np.abs(result.x - clean.x) / clean.stderr
    # Losses of bounded influence forget outliers, those that grow like |f| reduce them.
    bounded = name in ("cauchy", "arctan", "tukey")
    share = 0.5 if bounded else 0.8
    assert off.max() < share * (np.abs(plain.x - clean.x) / clean.stderr).max()
    assert not bounded or (np.abs(result.stderr / clean.stderr - 1) < 0.6).all()


@pytest.mark.parametrize("name", LOSSES)
def test_small_errors_in_x_give_the_ordinary_fit(name):
    solver = lmoo.Solver(loss=name, f_scale=2.5)
    result = solver.solve(lmoo.CurveProblem(F, T, BAD, SIGMA, sigma_x=1e-7), X0)
    exact = solver.solve(lmoo.CurveProblem(F, T, BAD, SIGMA), X0)
    np.testing.assert_allclose(result.x, exact.x, rtol=1e-6)
    np.testing.assert_allclose(result.stderr, exact.stderr, rtol=1e-5)
    np.testing.assert_allclose(result.loss_weights, exact.loss_weights, atol=1e-5)
    assert result.cost == pytest.approx(exact.cost, rel=1e-6)


def test_a_large_scale_gives_least_squares():
    plain = lmoo.Solver().solve(problem(), X0)
    result = lmoo.Solver(loss="cauchy", f_scale=1e6).solve(problem(), X0)
    np.testing.assert_allclose(result.x, plain.x, rtol=1e-9)
    np.testing.assert_allclose(result.stderr, plain.stderr, rtol=1e-6)


def test_the_scale_is_estimated():
    for name in ("huber", "soft_l1"):
        result = lmoo.Solver(loss=name, f_scale="mad").solve(problem(), X0)
        assert result.success
        assert 0.5 < result.f_scale < 8.0
        again = lmoo.Solver(loss=name, f_scale=result.f_scale).solve(problem(), result.x)
        np.testing.assert_allclose(again.x, result.x, rtol=1e-6)


def test_priors_are_left_as_they_are():
    prior = {"b": (0.7, 1e-3)}
    solver = lmoo.Solver(loss="cauchy", f_scale=3.0, priors=prior)
    for trace in ("auto", False):
        result = solver.solve(problem(trace=trace), X0)
        without = lmoo.Solver(loss="cauchy", f_scale=3.0, fixed={"b": float(result.x[1])}).solve(
            problem(trace=trace), result.x
        )
        np.testing.assert_allclose(result.x, without.x, rtol=1e-7)
        row = (result.x[1] - 0.7) / 1e-3
        assert result.cost == pytest.approx(without.cost + 0.5 * row**2, rel=1e-9)
        assert result.loss_weights.size == T.size
        assert result["b"].stderr < 1e-3


def test_several_variables_other_losses_and_entrances():
    rng = np.random.default_rng(4)
    t = PAIRS / 2
    y = surface(t, 3.0, 0.4) + 0.02 * rng.normal(size=30)
    y[5] += 1.0

    def loss(z):
        return np.stack([np.log1p(z), 1 / (1 + z), -1 / (1 + z) ** 2])

    both = lmoo.CurveProblem(surface, t, y, 0.02, sigma_x=0.03)
    own = lmoo.Solver(loss=loss, f_scale=2.0).solve(both, [3.0, 0.4])
    known = lmoo.Solver(loss="cauchy", f_scale=2.0).solve(both, [3.0, 0.4])
    np.testing.assert_allclose(own.x, known.x, rtol=1e-8)
    options = {"sigma": SIGMA, "sigma_x": SIGMA_X}
    expected = lmoo.Solver(loss="huber", f_scale=3.0).solve(problem(), X0)
    popt, pcov = lmoo.curve_fit(F, T, BAD, X0, loss="huber", f_scale=3.0, **options)
    np.testing.assert_allclose(popt, expected.x, rtol=1e-9)
    np.testing.assert_allclose(np.sqrt(np.diag(pcov)), expected.stderr, rtol=1e-8)
    fit = lmoo.fit(F, T, BAD, loss="huber", f_scale=3.0, **options)
    np.testing.assert_allclose(fit.x, expected.x, rtol=1e-8)
    slow = lmoo.CurveProblem(untraced, T, BAD, SIGMA, sigma_x=SIGMA_X)
    assert lmoo.Solver(loss="soft_l1", f_scale=3.0).solve(slow, [3.0, 1.2, 0.5]).success


def test_profiles():
    result = lmoo.Solver(loss="huber", f_scale=3.0, derived={"ab": "a*b"}).solve(problem(), X0)
    for name in ("b", "ab"):
        lower, upper = result.interval(name, method="profile")
        low, high = result.interval(name)
        assert abs((upper - lower) / (high - low) - 1) < 0.3
