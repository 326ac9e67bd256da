"""Stacks of fits with linear parameters eliminated."""

import numpy as np
import pytest

import lmoo

T = np.linspace(0.0, 4.0, 60)
START = (1.0, 0.1, 1.0, 2.0)
SEPARABLE = lmoo.Solver(separable=True)


def decays(t, a, b, c, d):
    return a * np.exp(-b * t) + c * np.exp(-d * t)


def curves(count=150):
    rng = np.random.default_rng(3)
    a, d = rng.uniform(2, 4, (count, 1)), rng.uniform(2.5, 4, (count, 1))
    return decays(T, a, 0.5, 2.0, d) + 0.01 * rng.normal(size=(count, T.size))


Y = curves()


@pytest.mark.parametrize(
    "options",
    [{}, {"bounds": {"b": (0.0, 0.45)}}, {"bounds": {"a": (0.0, 3.0)}}, {"fixed": {"c": 2.0}}],
)
@pytest.mark.parametrize("sigma", [None, 0.01 + 0.01 * T])
def test_the_answers_are_those_of_the_full_fits(options, sigma):
    start = np.array(START)
    start[1] = 0.2
    full = lmoo.curve_fit_many(decays, T, Y, start, sigma=sigma, solver=lmoo.Solver(**options))
    found = lmoo.curve_fit_many(
        decays, T, Y, start, sigma=sigma, solver=lmoo.Solver(separable=True, **options)
    )
    # The full fits once more from their ends, as their models are those before the last steps.
    full = lmoo.curve_fit_many(decays, T, Y, full.x, sigma=sigma, solver=lmoo.Solver(**options))
    assert found.success.all()
    np.testing.assert_allclose(found.x, full.x, rtol=2e-8)
    np.testing.assert_allclose(found.cost, full.cost, rtol=1e-12)
    np.testing.assert_allclose(found.stderr, full.stderr, rtol=1e-7)


def test_fewer_iterations_and_the_same_result_alone():
    full = lmoo.curve_fit_many(decays, T, Y, START)
    found = lmoo.curve_fit_many(decays, T, Y, START, solver=SEPARABLE)
    assert found.nit.sum() < 0.8 * full.nit.sum()
    one = found[7]
    np.testing.assert_array_equal(one.x, found.x[7])
    np.testing.assert_allclose(one.standard_errors, found.stderr[7], rtol=1e-12)
    assert (one.nfev, one.njev, one.nit) == (found.nfev[7], found.njev[7], found.nit[7])


def test_missing_points_and_threads():
    y = Y.copy()
    y[::3, 5] = np.nan
    y[4, :58] = np.nan
    y[7] = np.nan
    options = {"nan_policy": "omit", "solver": SEPARABLE}
    found = lmoo.curve_fit_many(decays, T, y, START, threads=1, **options)
    two = lmoo.curve_fit_many(decays, T, y, START, threads=2, **options)
    np.testing.assert_array_equal(found.x, two.x)
    assert found.status[7] == lmoo.Status.IMPROPER_INPUT
    assert np.isnan(found.x[7]).all()
    full = lmoo.curve_fit_many(decays, T, y, START, nan_policy="omit")
    # Two points have no scatter.
    assert np.isinf(found.stderr[4]).all()
    keep = np.isfinite(found.stderr[:, 0]) & np.isfinite(full.stderr[:, 0])
    assert keep.sum() == len(y) - 2
    np.testing.assert_allclose(found.x[keep], full.x[keep], rtol=2e-8)


def test_built_in_models():
    model = lmoo.models.Exponential()
    y = model(T, np.linspace(1, 3, 20)[:, None], 0.5, 2.0) + 0.01 * np.cos(30 * T)
    full = lmoo.curve_fit_many(model, T, y)
    found = lmoo.curve_fit_many(model, T, y, solver=SEPARABLE)
    np.testing.assert_allclose(found.x, full.x, rtol=1e-8)


def test_starts_without_a_value_end_as_without():
    def roots(t, a, b):
        return a * np.sqrt(b - t)

    y = roots(T, 2.0, np.array([[5.0], [6.0]]))
    start = [[1.0, 1.0], [1.0, 8.0]]
    with np.errstate(invalid="ignore"):
        found = lmoo.curve_fit_many(roots, T, y, start, solver=lmoo.Solver(separable="auto"))
    assert found.status[0] == lmoo.Status.NOT_FINITE
    np.testing.assert_allclose(found.x[1], [2.0, 6.0], rtol=1e-8)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ({"trace": False}, {}, "not compiled from a graph"),
        ({}, {"loss": "huber"}, "the loss is 'huber'"),
        ({}, {"jacobian": lmoo.CentralDifference()}, "solver must have separable=False"),
    ],
)
def test_what_is_not_possible_is_refused_by_name(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        lmoo.curve_fit_many(
            decays, T, Y, START, solver=lmoo.Solver(separable=True, **options), **arguments
        )
    fits = lmoo.curve_fit_many(
        decays, T, Y[:5], START, solver=lmoo.Solver(separable="auto", **options), **arguments
    )
    assert fits.success.all()


def test_nothing_linear_is_refused():
    def bent(t, a):
        return np.exp(-a * t)

    with pytest.raises(ValueError, match="is linear"):
        lmoo.curve_fit_many(bent, T, bent(T, np.ones((3, 1))), [0.5], solver=SEPARABLE)


def test_many_problems_have_no_linear_parameters():
    class Roots(lmoo.BatchProblem):
        def residual(self, x, which):
            return x**2 - 2.0

    with pytest.raises(ValueError, match="separable=False for many problems"):
        lmoo.solve_many(Roots(), np.ones((3, 1)), solver=SEPARABLE)


def test_what_only_a_linear_parameter_tells_apart_is_undetermined():
    y = np.exp(-0.5 * T) * np.array([[2.0], [1e100]])
    y += 0.01 * y[:, :1] * np.cos(9.0 * T)
    found = lmoo.curve_fit_many("a*exp(-b*t + c)", T, y, [1.0, 1.0, 0.5], solver=SEPARABLE)
    assert found.success.all()
    np.testing.assert_array_equal(np.isinf(found.stderr), [[True, False, True]] * 2)
    np.testing.assert_allclose(found.x[:, 2], 0.5, rtol=1e-6)
    np.testing.assert_allclose(found.x[:, 1], found.x[0, 1], rtol=1e-7)
