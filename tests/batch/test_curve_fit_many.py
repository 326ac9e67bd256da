"""`curve_fit_many`: the same fits as one by one."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
from many_cases import P0, Array, T, curves, decay

import lmoo


def decay_jac(t: Array, a: Any, b: Any, c: Any) -> Any:
    e = np.exp(-b * t)
    return e, -a * t * e, np.ones_like(e)


def single(y: Array, jac: bool = False, **options: Any) -> lmoo.Result:
    problem = lmoo.FunctionProblem(
        lambda x: decay(T, *x) - y,
        (lambda x: np.stack(decay_jac(T, *x), axis=-1)) if jac else None,
    )
    return lmoo.Solver(**options).solve(problem, P0)


@pytest.mark.parametrize("jac", [False, True])
def test_the_same_bits_as_one_by_one(jac: bool) -> None:
    y = curves(300)
    fits = lmoo.curve_fit_many(decay, T, y, P0, jac=decay_jac if jac else None, trace=False)
    assert fits.success.all()
    for i in range(len(y)):
        one = single(y[i], jac)
        np.testing.assert_array_equal(fits.x[i], one.x)
        assert (fits.nfev[i], fits.njev[i], fits.nit[i]) == (one.nfev, one.njev, one.nit)
        assert (fits.status[i], fits.cost[i]) == (one.status, one.cost)
        np.testing.assert_allclose(fits.stderr[i], one.standard_errors, rtol=1e-12)
        np.testing.assert_allclose(fits.covariance[i], one.covariance(), rtol=1e-10)
        again = fits[i]
        np.testing.assert_array_equal(again.residual, one.residual)
        np.testing.assert_array_equal(again.covariance(), one.covariance())


def test_as_scipys_curve_fit() -> None:
    optimize = pytest.importorskip("scipy.optimize")
    y, sigma = curves(30), np.linspace(0.5, 2.0, T.size)
    fits = lmoo.curve_fit_many(decay, T, y, P0, sigma=sigma)
    for i in range(len(y)):
        x, covariance = optimize.curve_fit(decay, T, y[i], P0, sigma=sigma)
        assert np.all(np.abs(fits.x[i] - x) < 1e-4 * fits.stderr[i])
        np.testing.assert_allclose(fits.covariance[i], covariance, rtol=1e-4)


def test_any_stack_and_any_options() -> None:
    y = curves(24)
    flat = lmoo.curve_fit_many(decay, T, y, P0)
    stacked = lmoo.curve_fit_many(decay, T, y.reshape(2, 3, 4, -1), P0)
    assert stacked.shape == (2, 3, 4)
    assert len(stacked) == 2
    np.testing.assert_array_equal(stacked.x.reshape(24, 3), flat.x)
    np.testing.assert_array_equal(stacked.covariance.reshape(24, 3, 3), flat.covariance)
    np.testing.assert_array_equal(stacked[1, 2, 3].x, flat.x[-1])
    options = {"ftol": 1e-8, "xtol": 1e-8, "factor": 1.0, "maxfev": 12}
    few = lmoo.curve_fit_many(decay, T, y, P0, solver=lmoo.Solver(**options), trace=False)
    for i in range(len(y)):
        one = single(y[i], **options)
        np.testing.assert_array_equal(few.x[i], one.x)
        assert few.status[i] == one.status
    with pytest.raises(IndexError, match="3 dimensions"):
        stacked[0]


def test_data_of_each_curve() -> None:
    y = curves(10)
    t = np.tile(T, (10, 1))
    expected = lmoo.curve_fit_many(decay, T, y, P0)
    for p0 in (np.tile(P0, (10, 1)), lambda t, y: np.tile(P0, (len(y), 1)), lambda t, y: P0):
        fits = lmoo.curve_fit_many(decay, t, y, p0, sigma=np.ones_like(y))
        np.testing.assert_array_equal(fits.x, expected.x)
    halves = lmoo.curve_fit_many(decay, T, y, P0, sigma=np.full_like(y, 0.5))
    np.testing.assert_allclose(halves.stderr, expected.stderr, rtol=1e-6)
    np.testing.assert_allclose(halves.cost, 4 * expected.cost, rtol=1e-12)


@pytest.mark.parametrize("jac", [None, decay_jac])
def test_missing_points(jac: Any) -> None:
    y = curves(50, seed=3)
    y[4, 7] = y[4, 11] = np.nan
    y[30, 0] = np.inf
    y[41, :] = np.nan
    fits = lmoo.curve_fit_many(decay, T, y, P0, nan_policy="omit", jac=jac)
    for i in (4, 30):
        there = np.isfinite(y[i])
        problem = lmoo.FunctionProblem(lambda x, i=i, k=there: decay(T[k], *x) - y[i, k])
        one = lmoo.Solver().solve(problem, P0)
        assert np.all(np.abs(fits.x[i] - one.x) < 1e-5 * one.standard_errors)
        np.testing.assert_allclose(fits.stderr[i], one.standard_errors, rtol=1e-5)
    assert fits.status[41] == lmoo.Status.IMPROPER_INPUT
    assert np.isnan(fits.x[41]).all()
    assert np.isnan(fits.stderr[41]).all()
    assert fits[41].residual.size == 0
    others = np.delete(np.arange(50), 41)
    assert fits.success[others].all()
    with pytest.raises(ValueError, match=r"y must be finite, .* curve 4 is nan at 7"):
        lmoo.curve_fit_many(decay, T, y, P0)


def test_a_memmap(tmp_path: Any) -> None:
    y = curves(5000)
    stored = np.memmap(tmp_path / "curves", dtype=np.float32, mode="w+", shape=y.shape)
    stored[:] = y
    fits = lmoo.curve_fit_many(decay, T, stored, P0)
    expected = lmoo.curve_fit_many(decay, T, np.asarray(stored, dtype=np.float64), P0)
    np.testing.assert_array_equal(fits.x, expected.x)


def test_threads_and_progress() -> None:
    y, seen = curves(10_000), []
    options: Any = {"trace": False}
    expected = lmoo.curve_fit_many(decay, T, y, P0, progress=lambda *c: seen.append(c), **options)
    assert seen[-1] == (10_000, 10_000)
    assert len(seen) > 2
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    fits = lmoo.curve_fit_many(decay, T, y, P0, threads=3, **options)
    np.testing.assert_array_equal(fits.x, expected.x)


def test_no_curves_at_all() -> None:
    fits = lmoo.curve_fit_many(decay, T, np.empty((0, 20)), P0)
    assert fits.x.shape == (0, 3)
    assert fits.covariance.shape == (0, 3, 3)


def normalised(t: Array, a: Any, b: Any, c: Any) -> Any:
    g = decay(t, a, b, c)
    return g / g.max()


def summed(t: Array, a: Any, b: Any, c: Any) -> Any:
    return decay(t, np.sum(a), b, c)


def branching(t: Array, a: Any, b: Any, c: Any) -> Any:
    return decay(t, a, b, c) if b > 0 else 0.0 * t


def squeezed(t: Array, a: Any, b: Any, c: Any) -> Any:
    return decay(t, np.squeeze(a), np.squeeze(b), np.squeeze(c))


@pytest.mark.parametrize("model", [normalised, summed, branching, squeezed])
@pytest.mark.parametrize("count", [1, 2, 3, 20, 100])
def test_a_model_that_mixes_fits_is_noticed(model: Any, count: int) -> None:
    y = curves(count)
    if count > 1:
        with pytest.raises(ValueError, match="vectorized=False"):
            lmoo.curve_fit_many(model, T, y, P0)
    fits = lmoo.curve_fit_many(model, T, y, P0, vectorized=False, trace=False)
    i = count - 1
    one = lmoo.Solver().solve(lmoo.FunctionProblem(lambda x: model(T, *x) - y[i]), P0)
    np.testing.assert_array_equal(fits.x[i], one.x)


@pytest.mark.parametrize("m", [2, 3, 20])
def test_a_constant_model(m: int) -> None:
    y = np.arange(20.0)[:, None] + np.zeros(m)
    y[:, 0] += 0.1
    fits = lmoo.curve_fit_many(lambda t, a: a, np.arange(float(m)), y, [1.0])
    np.testing.assert_allclose(fits.x[:, 0], y.mean(axis=1), rtol=1e-9, atol=1e-9)


def test_a_jacobian_that_mixes_fits_is_noticed() -> None:
    def jac(t: Array, a: Any, b: Any, c: Any) -> Any:
        return decay_jac(t, np.mean(a), b, c)

    with pytest.raises(ValueError, match=r"jac must take parameters as columns"):
        lmoo.curve_fit_many(decay, T, curves(30), P0, jac=jac)


@pytest.mark.parametrize(
    "jacobian",
    [lmoo.ForwardDifference(1e-12), lmoo.ForwardDifference(refine=False), lmoo.CentralDifference()],
)
def test_differences_as_a_single_solve_takes_them(jacobian: lmoo.Jacobian) -> None:
    y = curves(20)
    solver = lmoo.Solver(jacobian=jacobian)
    fits = lmoo.curve_fit_many(decay, T, y, P0, solver=solver)
    for k in range(20):
        one = solver.solve(lmoo.FunctionProblem(lambda x, k=k: decay(T, *x) - y[k]), P0)
        np.testing.assert_array_equal(fits.x[k], one.x)
        assert (fits.nfev[k], fits.njev[k], fits.nit[k]) == (one.nfev, one.njev, one.nit)


@pytest.mark.parametrize("scale", [1e-160, 1.0, 1e140])
@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_fits_in_company_have_the_bits_of_fits_alone(n: int, scale: float) -> None:
    # Columns of all sizes, a permutation of their own each, one that is zero, one repeated.
    rng = np.random.default_rng(n)
    a = rng.standard_normal((40, n, 12)) * 10.0 ** rng.integers(-3, 4, (40, n, 1))
    a[3, 0] = 0.0
    a[5, -1] = a[5, 0]
    a[7] *= scale
    y = scale * rng.standard_normal((40, 12))
    t = np.broadcast_to(np.arange(40.0)[:, None], (40, 12))

    def model(t: Array, *p: Any) -> Any:
        which = t[:, 0].astype(int) if t.ndim == 2 else np.full(1, int(t[0]))
        total = sum(np.atleast_2d(p[j]) * a[which, j] for j in range(n))
        return total if t.ndim == 2 else total[0]

    def jac(t: Array, *p: Any) -> Any:
        which = t[:, 0].astype(int) if t.ndim == 2 else np.full(1, int(t[0]))
        columns = [a[which, j] for j in range(n)]
        return columns if t.ndim == 2 else [column[0] for column in columns]

    together = lmoo.curve_fit_many(model, t, y, np.ones(n), jac=jac)
    for k in range(40):
        alone = lmoo.curve_fit_many(model, t[k : k + 1], y[k : k + 1], np.ones(n), jac=jac)
        np.testing.assert_array_equal(alone.x[0], together.x[k])
        np.testing.assert_array_equal(alone.covariance[0], together.covariance[k])
        assert alone.status[0] == together.status[k]


@pytest.mark.parametrize("vectorized", [True, False])
def test_the_checks_of_a_function_take_few_calls(vectorized: bool) -> None:
    def guess(t: Any, y: Any) -> Any:
        return np.ones(3)

    def fit() -> Any:
        return lmoo.curve_fit_many(decay, T, y, guess, vectorized=vectorized)

    y = curves(30)
    # The function is traced once.
    fit()
    entered: list[Any] = []
    # A function that recorded its calls could not be traced.
    sys.setprofile(lambda frame, event, _: entered.append((event, frame.f_code)))
    try:
        fits = fit()
    finally:
        sys.setprofile(None)
    assert fits.evaluation == "compiled from decay"
    # Three curves alone and together, at the start, and all of them at the solutions.
    expected = 3 + 1 + 1 + 1 if vectorized else 3 + len(y)
    assert entered.count(("call", decay.__code__)) == expected
    # For the number of parameters, for each of the three curves, and for all of them.
    assert entered.count(("call", guess.__code__)) == 1 + 3 + 1
