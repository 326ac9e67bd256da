"""Covariances of x and y of each point."""

import numpy as np
import pytest
from distance_cases import PAIRS, PROBLEMS, surface

import lmoo

F, T, Y, _, _, X0 = PROBLEMS["exponential"]
M = T.size
rng = np.random.default_rng(12)


def covariances(m, k, seed, size):
    """Return covariances of k variables and y, (m, k + 1, k + 1)."""
    roots = size * np.random.default_rng(seed).normal(size=(m, k + 1, k + 1))
    return roots @ np.swapaxes(roots, 1, 2) + (0.3 * size) ** 2 * np.eye(k + 1)


COV = covariances(M, 1, 1, 0.04)


def by_hand(f, t, y, cov, x0, **options):
    """Return the whole problem in units of errors, with the true places as parameters."""
    points = np.atleast_2d(t)
    (k, m), n = points.shape, len(x0)
    whitening = np.linalg.inv(np.linalg.cholesky(cov))

    def residual(p):
        true = p[n:].reshape(k, m)
        fitted = f(true if np.ndim(t) > 1 else true[0], *p[:n])
        apart = np.concatenate([true - points, (fitted - y)[None]])
        return np.einsum("ijk,km->ijm", whitening, apart)[np.arange(m), :, np.arange(m)].ravel()

    return lmoo.Solver(**options).solve(lmoo.FunctionProblem(residual), [*x0, *points.ravel()])


@pytest.mark.parametrize("trace", ["auto", False])
def test_agreement_with_the_problem_by_hand(trace):
    problem = lmoo.CurveProblem(F, T, Y, sigma_x=COV, trace=trace)
    result = lmoo.Solver().solve(problem, X0)
    hand = by_hand(F, T, Y, COV, X0)
    assert result.success
    np.testing.assert_allclose(result.x, hand.x[:3], rtol=1e-8)
    assert result.cost == pytest.approx(hand.cost, rel=1e-10)
    np.testing.assert_allclose(result.estimated_t, hand.x[3:], atol=1e-8)
    np.testing.assert_allclose(result.covariance(), hand.covariance()[:3, :3], rtol=1e-5)
    assert result.degrees_of_freedom == hand.degrees_of_freedom == M - 3
    # Without the covariances of x and y it is another fit.
    free = COV * np.eye(2)
    other = lmoo.Solver().solve(lmoo.CurveProblem(F, T, Y, sigma_x=free, trace=trace), X0)
    apart = lmoo.CurveProblem(
        F, T, Y, np.sqrt(COV[:, 1, 1]), sigma_x=np.sqrt(COV[:, 0, 0]), trace=trace
    )
    np.testing.assert_allclose(other.x, lmoo.Solver().solve(apart, X0).x, rtol=1e-9)
    assert np.abs(other.x - result.x).max() > 1e-4


def test_several_variables():
    cov = covariances(30, 2, 5, 0.03)
    t = PAIRS / 2
    y = surface(t, 3.0, 0.4) + 0.02 * np.random.default_rng(1).normal(size=30)
    for points in (t, tuple(t)):
        f = surface if points is t else (lambda t, a, b: surface(np.stack(t), a, b))
        result = lmoo.Solver().solve(lmoo.CurveProblem(f, points, y, sigma_x=cov), [3.0, 0.4])
        hand = by_hand(surface, t, y, cov, [3.0, 0.4])
        np.testing.assert_allclose(result.x, hand.x[:2], rtol=1e-8)
        np.testing.assert_allclose(result.covariance(), hand.covariance()[:2, :2], rtol=1e-5)


def test_relations_losses_masks_and_entrances():
    problem = lmoo.CurveProblem(F, T, Y, sigma_x=COV)
    expected = lmoo.Solver().solve(problem, X0)
    popt, pcov = lmoo.curve_fit(F, T, Y, X0, sigma_x=COV)
    np.testing.assert_allclose(popt, expected.x, rtol=1e-9)
    np.testing.assert_allclose(pcov, expected.covariance(), rtol=1e-7)
    np.testing.assert_allclose(lmoo.fit(F, T, Y, sigma_x=COV).x, expected.x, rtol=1e-8)
    hand = by_hand(lambda t, a, b: F(t, a, b, a / 6), T, Y, COV, X0[:2])
    for trace in ("auto", False):
        called = lmoo.CurveProblem(F, T, Y, sigma_x=COV, trace=trace)
        tied = lmoo.Solver(ties={"c": "a/6"}).solve(called, X0)
        np.testing.assert_allclose(tied.x[:2], hand.x[:2], rtol=1e-8)
        robust = lmoo.Solver(loss="huber", f_scale=1e5).solve(called, X0)
        np.testing.assert_allclose(robust.x, expected.x, rtol=1e-7)
    holes = Y.copy()
    holes[[2, 9]] = np.nan
    some = lmoo.CurveProblem(F, T, holes, sigma_x=COV, nan_policy="omit")
    kept = np.delete(np.arange(M), [2, 9])
    other = lmoo.CurveProblem(F, T[kept], Y[kept], sigma_x=COV[kept])
    results = [lmoo.Solver().solve(p, X0) for p in (some, other)]
    np.testing.assert_array_equal(results[0].x, results[1].x)
    np.testing.assert_array_equal(some.sigma, np.sqrt(COV[kept, 1, 1]))


def test_single_precision_and_bad_covariances():
    single = COV.astype(np.float32)
    small = lmoo.CurveProblem(F, T.astype(np.float32), Y.astype(np.float32), sigma_x=single)
    same = lmoo.CurveProblem(
        F, *(np.float64(np.float32(part)) for part in (T, Y)), sigma_x=np.float64(single)
    )
    results = [lmoo.Solver().solve(p, X0) for p in (small, same)]
    np.testing.assert_array_equal(results[0].x, results[1].x)
    with pytest.raises(ValueError, match="sigma must be left out where sigma_x has the"):
        lmoo.CurveProblem(F, T, Y, 0.1, sigma_x=COV)
    with pytest.raises(ValueError, match="sigma must be left as it is"):
        lmoo.CurveProblem(F, T, Y, sigma_x=COV).sigma = 0.1
    with pytest.raises(ValueError, match="positive definite"):
        lmoo.CurveProblem(F, T, Y, sigma_x=np.ones((M, 2, 2)))
    with pytest.raises(ValueError, match=r"or \(25, 2, 2\) for covariances with y; it has"):
        lmoo.CurveProblem(F, T, Y, sigma_x=np.ones((M, 3, 3)))
    with pytest.raises(ValueError, match="symmetric"):
        lmoo.CurveProblem(F, T, Y, sigma_x=COV * [[1.0, 2.0], [1.0, 1.0]])


@pytest.mark.parametrize("with_y", [False, True])
def test_zero_rows_are_exact_variables(with_y):
    """Covariances without correlations are standard deviations, of which some may be 0."""
    sigma_x = np.where(np.arange(M) % 3 == 0, 0.0, 0.04)
    cov = np.zeros((M, 1 + with_y, 1 + with_y))
    cov[:, 0, 0] = sigma_x**2
    if with_y:
        cov[:, 1, 1] = 0.02**2
    plain = lmoo.CurveProblem(F, T, Y, 0.02, sigma_x=sigma_x)
    matrices = lmoo.CurveProblem(F, T, Y, None if with_y else 0.02, sigma_x=cov)
    expected, found = (lmoo.Solver(xtol=1e-12).solve(p, X0) for p in (plain, matrices))
    np.testing.assert_allclose(found.x, expected.x, rtol=1e-9)
    np.testing.assert_allclose(found.stderr, expected.stderr, rtol=1e-9)
    np.testing.assert_allclose(found.estimated_t, expected.estimated_t, rtol=1e-9)
    exact = sigma_x == 0.0
    np.testing.assert_array_equal(found.estimated_t[exact], T[exact])


def test_zero_rows_beside_correlated_points_by_hand():
    cov = COV.copy()
    cov[::3, 0, :] = cov[::3, :, 0] = 0.0
    found = lmoo.Solver(xtol=1e-12).solve(lmoo.CurveProblem(F, T, Y, sigma_x=cov), X0)
    tiny = cov.copy()
    tiny[::3, 0, 0] = 1e-18
    expected = lmoo.Solver(xtol=1e-12).solve(lmoo.CurveProblem(F, T, Y, sigma_x=tiny), X0)
    assert found.success
    np.testing.assert_allclose(found.x, expected.x, rtol=1e-7)
    np.testing.assert_allclose(found.stderr, expected.stderr, rtol=1e-6)


def test_a_point_that_is_not_positive_definite_is_named():
    cov = COV.copy()
    cov[4] = [[1.0, 2.0], [2.0, 1.0]]
    with pytest.raises(ValueError, match=r"rows and columns are 0; that of point 4 is not"):
        lmoo.CurveProblem(F, T, Y, sigma_x=cov)
    cov = COV.copy()
    cov[5, 1, :] = cov[5, :, 1] = 0.0
    with pytest.raises(ValueError, match="variance of y that is positive; that of point 5 is 0"):
        lmoo.CurveProblem(F, T, Y, sigma_x=cov)
