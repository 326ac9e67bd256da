"""Slow ways to a minimum: curved valleys, and Gauss-Newton steps that contract at a steady rate.

Derivatives are by complex steps.  Evaluations are counted by the functions themselves.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from drivers import DRIVERS, Array, by_complex_step, fit, quiet

import lmoo


class Counted(lmoo.Problem):
    """A function that counts its values; `exact`: and has derivatives."""

    def __init__(self, f: Any) -> None:
        self.f = f
        self.points: list[Array] = []

    def residual(self, x: Array) -> Array:
        self.points.append(x.copy())
        with quiet():
            return np.asarray(self.f(x))


class WithJacobian(Counted):
    def jacobian(self, x: Array) -> Array:
        return complex_step(self.f, x)


def complex_step(f: Any, x: Array) -> Array:
    with quiet():
        return np.array([f(x + 1e-30j * e).imag / 1e-30 for e in np.eye(x.size)]).T


# ---- the problems ----------------------------------------------------------------------------


def heart6(x: Array) -> Array:
    """CUTEst's HEART6LS: |f| = 0 at the end of a curved valley."""
    mx, my, sums = -0.816, -0.017, [-1.826, -0.754, -4.839, -3.259, -14.023, 15.467]
    a, c, t, u, v, w = x
    b, d = mx - a, my - c
    even, odd = t * t - v * v, u * u - w * w
    tt, vv = t * (t * t - 3 * v * v), v * (v * v - 3 * t * t)
    uu, ww = u * (u * u - 3 * w * w), w * (w * w - 3 * u * u)
    values = [
        t * a + u * b - v * c - w * d,
        v * a + w * b + t * c + u * d,
        a * even - 2 * c * t * v + b * odd - 2 * d * u * w,
        c * even + 2 * a * t * v + d * odd + 2 * b * u * w,
        a * tt + c * vv + b * uu + d * ww,
        c * tt - a * vv + d * uu - b * ww,
    ]
    return np.array(values) - sums


U = np.array([4, 2, 1, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625])
ENZYME = np.array(
    [0.1957, 0.1947, 0.1735, 0.16, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246]
)


def enzyme(u: Array, a: Any, b: Any, c: Any, d: Any) -> Array:
    return a * (u * u + u * b) / (u * u + u * c + d)


def kowosb(x: Array) -> Array:
    """Kowalik and Osborne's."""
    return enzyme(U, *x) - ENZYME


def s308(x: Array) -> Array:
    """Schittkowski's problem 308."""
    return np.array([x[0] ** 2 + x[0] * x[1] + x[1] ** 2, np.sin(x[0]), np.cos(x[1])])


STARTS = {"heart6": [0.0, 0, 1, 1, 1, 1], "kowosb": [0.25, 0.39, 0.415, 0.39], "s308": [3.0, 0.1]}
FUNCTIONS = {"heart6": heart6, "kowosb": kowosb, "s308": s308}
LEAST = {
    "kowosb": 3.07505603e-4,
    "s308": 0.77319906,
}  # |f|^2, More', Garbow, Hillstrom; Schittkowski


def rosenbrock(x: Array) -> Array:
    return np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]])


# ---------------------------------------------------------------------------------- curved valleys


@pytest.mark.parametrize("unit", [1.0, 2.0**40, 1e6])
def test_a_curved_valley(unit: float) -> None:
    problem = WithJacobian(lambda x: unit * heart6(x))
    result = lmoo.Solver().solve(problem, STARTS["heart6"])
    assert result.success
    assert np.sqrt(2 * result.cost) <= 1e-9 * unit
    assert len(problem.points) < 150


def test_a_curved_valley_within_bounds_that_are_far_away() -> None:
    problem = WithJacobian(heart6)
    solver = lmoo.Solver(bounds=(-1e6, 1e6))
    result = solver.solve(problem, STARTS["heart6"])
    assert result.success
    assert result.cost <= 1e-18
    assert len(problem.points) < 150


def test_a_curved_valley_by_differences() -> None:
    # Six values more for each of the Jacobians.
    problem = Counted(heart6)
    result = lmoo.Solver().solve(problem, STARTS["heart6"])
    assert result.success
    assert result.cost <= 1e-18
    assert len(problem.points) < 150 * 8


# ------------------------------------------------------------------------------ steady contraction


@pytest.mark.parametrize("unit", [1.0, 2.0**40, 2.0**-40, 1e-6])
@pytest.mark.parametrize("name", ["kowosb", "s308"])
def test_a_steady_contraction(name: str, unit: float) -> None:
    problem = WithJacobian(lambda x: unit * FUNCTIONS[name](x))
    result = lmoo.Solver().solve(problem, STARTS[name])
    assert result.success
    assert 2 * result.cost / unit**2 == pytest.approx(LEAST[name], rel=1e-7)
    assert len(problem.points) < 40
    # As near as the steps one by one, which follow no rate.
    plain = lmoo.Solver(step=lmoo.More(accelerate=False))
    expected = plain.solve(WithJacobian(FUNCTIONS[name]), STARTS[name])
    np.testing.assert_allclose(result.x, expected.x, rtol=1e-7)


@pytest.mark.parametrize("name", ["kowosb", "s308"])
def test_the_gradient_is_zero_where_a_contraction_was_cut_short(name: str) -> None:
    for options in ({}, {"bounds": (-10.0, 10.0)}):
        problem = WithJacobian(FUNCTIONS[name])
        x = lmoo.Solver(**options).solve(problem, STARTS[name]).x
        f, jacobian = FUNCTIONS[name](x), complex_step(FUNCTIONS[name], x)
        cosines = jacobian.T @ f / np.linalg.norm(jacobian, axis=0) / np.linalg.norm(f)
        assert np.abs(cosines).max() <= 1e-8


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("driver", DRIVERS)
def test_a_steady_contraction_by_every_driver(driver: str, exact: bool) -> None:
    def jac(u: Array, *p: Any) -> Array:
        columns = []
        for j in range(4):
            q = [np.asarray(value, complex) for value in p]
            q[j] = q[j] + 1e-30j
            columns.append(enzyme(u, *q).imag / 1e-30)
        return np.stack(np.broadcast_arrays(*columns), axis=-1)

    found = fit(driver, enzyme, U, ENZYME, STARTS["kowosb"], jac=jac if exact else None)
    assert found.success
    # More', Garbow, Hillstrom give 3.07505e-4 and x to 4 digits.
    assert np.sum(kowosb(found.x) ** 2) == pytest.approx(LEAST["kowosb"], rel=1e-7)
    np.testing.assert_allclose(found.x, [0.1928, 0.1913, 0.1231, 0.1361], rtol=1e-3)
    if found.nfev:
        assert found.nfev < (40 if exact else 40 * 6)


@pytest.mark.parametrize("rate", [-1.5, -0.9, -0.5, 0.3, 0.6, 0.9])
def test_rates_in_closed_form(rate: float) -> None:
    # f = (x, 1 - rate x^2 / 2 + ...): Gauss-Newton steps at 0 contract by rate, the minimum is 0.
    def f(x: Array) -> Array:
        return np.array([np.sin(x[0]), 1 - rate * x[0] ** 2 / 2])

    problem = WithJacobian(f)
    result = lmoo.Solver().solve(problem, [0.4])
    assert result.success
    assert abs(result.x[0]) <= 1e-8
    assert len(problem.points) < 40


# ------------------------------------------------------------------------------------ More's steps


@pytest.mark.parametrize("factor", [0.3, 1.0, 100.0])
@pytest.mark.parametrize("name", ["kowosb", "s308", "heart6", "rosenbrock"])
def test_without_acceleration_steps_are_those_of_minpack(name: str, factor: float) -> None:
    optimize = pytest.importorskip("scipy.optimize")
    f = {**FUNCTIONS, "rosenbrock": rosenbrock}[name]
    # Away from columns of zeros, to which MINPACK gives a scale of 1 whatever the units.
    start = {**STARTS, "rosenbrock": [-1.2, 1.0], "heart6": [-0.1, 0.2, 1, 1, 1.1, 1]}[name]
    peer = WithJacobian(f)
    tolerances: dict[str, Any] = {"ftol": 1e-15, "xtol": 1e-15, "maxfev": 60}
    with warnings.catch_warnings():
        # Sixty evaluations are enough here.
        warnings.simplefilter("ignore", RuntimeWarning)
        optimize.leastsq(peer.residual, start, Dfun=peer.jacobian, factor=factor, **tolerances)
    # scipy looks at the first value more than once, for its shape.
    expected = [x for x in peer.points[1:] if x.tolist() != list(start)]
    expected.insert(0, np.array(start))
    problem = WithJacobian(f)
    solver = lmoo.Solver(step=lmoo.More(accelerate=False), factor=factor, maxfev=60)
    solver.solve(problem, start)
    # Until a reduction is of the size of rounding, where lmoo judges it otherwise.
    least = min(float(np.sum(f(x) ** 2)) for x in expected)
    count = next(
        (k for k, x in enumerate(expected) if np.sum(f(x) ** 2) - least <= 1e-6 * least + 1e-12),
        len(expected),
    )
    assert count >= 4
    np.testing.assert_allclose(problem.points[:count], expected[:count], rtol=1e-6, atol=1e-9)


def test_acceleration_changes_steps() -> None:
    plain, bent = WithJacobian(kowosb), WithJacobian(kowosb)
    lmoo.Solver(step=lmoo.More(accelerate=False)).solve(plain, STARTS["kowosb"])
    lmoo.Solver().solve(bent, STARTS["kowosb"])
    assert len(bent.points) < 0.5 * len(plain.points)


# ------------------------------------------------------------------------------------------ stacks


class Stack(lmoo.BatchProblem):
    """One function from several starts; each value is computed alone, with the same bits."""

    def __init__(self, f: Any) -> None:
        self.f = f

    def residual(self, x: Array, which: Array) -> Array:
        with quiet():
            return np.array([self.f(p) for p in x])


class StackWithJacobian(Stack):
    def jacobian(self, x: Array, which: Array) -> Array:
        return np.array([complex_step(self.f, p) for p in x])


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("exact", [False, True])
def test_solves_in_a_stack_have_the_bits_of_those_alone(name: str, exact: bool) -> None:
    start = np.array(STARTS[name])
    random = np.random.default_rng(0)
    starts = start + 0.1 * random.standard_normal((6, start.size))
    starts[0] = start
    kind = StackWithJacobian if exact else Stack
    fits = lmoo.solve_many(kind(FUNCTIONS[name]), starts, solver=lmoo.Solver(maxfev=500))
    for k, x0 in enumerate(starts):
        problem = (WithJacobian if exact else Counted)(FUNCTIONS[name])
        alone = lmoo.Solver(maxfev=500).solve(problem, x0)
        assert fits.status[k] == alone.status
        assert fits.nfev[k] == alone.nfev
        np.testing.assert_array_equal(fits.x[k], alone.x)


def test_curves_in_a_stack_have_the_bits_of_those_alone() -> None:
    random = np.random.default_rng(1)
    y = ENZYME * (1 + 0.02 * random.standard_normal((12, U.size)))
    fits = lmoo.curve_fit_many(enzyme, U, y, STARTS["kowosb"])
    others = lmoo.curve_fit_many(enzyme, U, y[::-1], STARTS["kowosb"])
    np.testing.assert_array_equal(fits.x, others.x[::-1])
    np.testing.assert_array_equal(fits.nfev, others.nfev[::-1])
    plain = lmoo.Solver(step=None)
    for k in range(12):
        alone = plain.solve(lmoo.CurveProblem(enzyme, U, y[k]), STARTS["kowosb"])
        single = lmoo.curve_fit_many(enzyme, U, y[k : k + 1], STARTS["kowosb"])
        np.testing.assert_array_equal(single.x[0], fits.x[k])
        np.testing.assert_array_equal(alone.x, fits.x[k])
        assert alone.nfev == fits.nfev[k]


def test_a_stack_is_accelerated() -> None:
    fits = lmoo.solve_many(StackWithJacobian(kowosb), [STARTS["kowosb"]] * 3)
    assert fits.success.all()
    assert (fits.nfev < 40).all()
    valley = lmoo.solve_many(StackWithJacobian(heart6), [STARTS["heart6"]] * 3)
    assert valley.success.all()
    assert (valley.nfev < 150).all()


@pytest.mark.parametrize(("rate", "most"), [(-0.6, 2000), (0.2, 4000)])
@pytest.mark.parametrize(
    ("driver", "given"),
    [(d, given) for d in DRIVERS for given in (False, True) if given or d != "RowBlockProblem"],
)
def test_an_exponential_far_from_the_data(driver: str, given: bool, rate: float, most: int) -> None:
    # The amplitude follows the rate by a hundred orders of magnitude, in steps of its logarithm.
    t = np.linspace(300, 305, 15)

    def f(t: Array, a: Any, b: Any, c: Any) -> Array:
        return a * np.exp(-b * t) + c

    true = np.array([10 * np.exp(rate * t.mean()), rate, 3.0])
    with quiet():
        found = fit(driver, f, t, f(t, *true), [1, 1, 1], jac=by_complex_step(f) if given else None)
    assert found.success
    assert found.nfev < (1000 if given else most)
    np.testing.assert_allclose(found.x, true, rtol=1e-6)
