"""Single fits with losses: scipy, strategies, bounds, tall problems, units, NIST."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from case_tables import each
from loss_cases import (
    IN_SCIPY,
    NAMES,
    SCALE,
    START,
    Array,
    T,
    Y,
    cost_of,
    decay,
    derivatives,
    jacobian,
    residual,
    with_outliers,
)
from scipy import optimize

import lmoo
from lmoo._core.evaluate import LossKernel
from lmoo.datasets import nist, nist_names


@pytest.mark.parametrize("name", IN_SCIPY)
@pytest.mark.parametrize("known", [True, False])
def test_fit_is_scipys(name: str, known: bool) -> None:
    problem = lmoo.FunctionProblem(residual, jacobian if known else None)
    result = lmoo.Solver(loss=name, f_scale=SCALE).solve(problem, START)
    theirs = optimize.least_squares(
        residual, START, jacobian, loss=name, f_scale=SCALE, xtol=1e-15, ftol=1e-15, gtol=1e-14
    )
    assert result.success
    np.testing.assert_allclose(result.x, theirs.x, rtol=1e-8)
    assert result.cost == pytest.approx(theirs.cost, rel=1e-13)
    # What the residual is, and not what the loss makes of it.
    np.testing.assert_array_equal(result.residual, residual(result.x))


@pytest.mark.parametrize("name", NAMES)
def test_gradient_is_that_of_the_cost(name: str) -> None:
    solver = lmoo.Solver(loss=name, f_scale=SCALE, maxfev=1)
    result = solver.solve(lmoo.FunctionProblem(residual, jacobian), START)

    def cost(x: Array) -> float:
        return cost_of(name, SCALE, residual(x))

    expected = optimize.approx_fprime(np.array(START), cost, 1e-7)
    first = next(lmoo.Solver(loss=name, f_scale=SCALE).iterate(result.problem, START))
    np.testing.assert_allclose(first.gradient, expected, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "step", [None, lmoo.More(accelerate=False), lmoo.Nielsen(), lmoo.GeodesicAcceleration()]
)
def test_every_step_strategy(name: str, step: Any) -> None:
    problem = lmoo.FunctionProblem(residual, jacobian)
    expected = lmoo.Solver(loss=name, f_scale=SCALE).solve(problem, START)
    result = lmoo.Solver(loss=name, f_scale=SCALE, step=step).solve(problem, START)
    assert result.success
    np.testing.assert_allclose(result.x, expected.x, rtol=1e-8)


@pytest.mark.parametrize("name", IN_SCIPY)
def test_bounds(name: str) -> None:
    bounds = ([0.0, 0.0, 0.56], [5.0, 5.0, 1.0])
    solver = lmoo.Solver(loss=name, f_scale=SCALE, bounds=bounds)
    result = solver.solve(lmoo.FunctionProblem(residual, jacobian), (2.3, 1.2, 0.6))
    theirs = optimize.least_squares(
        residual, (2.3, 1.2, 0.6), jacobian, bounds, loss=name, f_scale=SCALE, xtol=1e-15,
        ftol=1e-15, gtol=1e-14,
    )  # fmt: skip
    assert result.active_mask.tolist() == [0, 0, -1]
    np.testing.assert_allclose(result.x, theirs.x, rtol=1e-6)
    assert result.cost <= theirs.cost * (1 + 1e-12)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("jac", ["own", "transposed", "forward", "central", "custom"])
def test_tall_problems_are_folded(name: str, jac: str) -> None:
    """m n^2 is beyond what qrfac gets; Jacobians come in every form that a strategy has."""
    m = 120_000
    t, y = np.linspace(0.0, 4.0, m), with_outliers(3, m)

    def f(x: Array) -> Array:
        return np.asarray(decay(t, *x) - y)

    class Strategy(lmoo.Jacobian):
        def evaluate(self, problem: Any, x: Array, f: Array, out: Array) -> None:
            np.testing.assert_array_equal(f, problem.residual(x))
            out[...] = derivatives(t, *x)

    strategies: dict[str, Any] = {
        "own": None, "transposed": lmoo.ColumnMajor(), "forward": lmoo.ForwardDifference(),
        "central": lmoo.CentralDifference(), "custom": Strategy(),
    }  # fmt: skip
    own = {"own": lambda x: derivatives(t, *x), "transposed": lambda x: derivatives(t, *x).T}
    problem = lmoo.FunctionProblem(f, own.get(jac))
    solver = lmoo.Solver(loss=name, f_scale=SCALE, jacobian=strategies[jac])
    result = solver.solve(problem, START)
    assert result.success
    np.testing.assert_allclose(result.x, (2.5, 1.3, 0.5), rtol=0.1)
    kernel = LossKernel(name, SCALE, 0.0, None)
    gradient = derivatives(t, *result.x).T @ (kernel.weights(result.residual) * result.residual)
    norms = np.linalg.norm(derivatives(t, *result.x), axis=0) * result.fnorm
    assert np.abs(gradient / norms).max() < 1e-7


@pytest.mark.parametrize("form", ["rows", "columns", "strided"])
def test_rows_are_scaled_where_they_are_folded(form: str) -> None:
    """A Jacobian that is read in place is not changed, and gives what a copy of it does."""
    m = 120_000
    t, y = np.linspace(0.0, 4.0, m), with_outliers(3, m)
    returned: list[tuple[Array, Array]] = []

    def own(x: Array) -> Array:
        J = derivatives(t, *x)
        if form == "strided":
            J = np.repeat(J, 2, axis=1)[:, ::2]
        given = np.asfortranarray(J) if form == "columns" else J
        returned.append((given, J.copy()))
        return given

    def swapped(x: Array) -> Array:
        return derivatives(t, *x).astype(">f8")

    class Blocks(lmoo.RowBlockProblem):
        def residual(self, x: Array, block: slice) -> Array:
            return np.asarray(decay(t[block], *x) - y[block])

        def jacobian(self, x: Array, block: slice) -> Array:
            return own(x)[block]

    def residual(x: Array) -> Array:
        return np.asarray(decay(t, *x) - y)

    solver = lmoo.Solver(loss="cauchy", f_scale=SCALE)
    copied = solver.solve(lmoo.FunctionProblem(residual, swapped), START)
    pieces = [slice(0, 100), slice(100, 70_001), slice(70_001, m)]
    whole = solver.solve(lmoo.FunctionProblem(residual, own), START)
    assert whole.success
    np.testing.assert_allclose(whole.x, copied.x, rtol=1e-14)
    np.testing.assert_allclose(whole.covariance(), copied.covariance(), rtol=1e-12)
    parts = solver.solve(Blocks(pieces), START)
    np.testing.assert_allclose(parts.x, copied.x, rtol=1e-12)
    # Weights of blocks are those of the point before the last step.
    np.testing.assert_allclose(parts.covariance(), copied.covariance(), rtol=1e-7)
    for given, before in returned:
        np.testing.assert_array_equal(given, before)


def test_differences_are_not_those_of_far_outliers() -> None:
    """An outlier of 1e9 has rounding errors of 1e-7: beside its weight they do not count."""
    y = Y.copy()
    y[::7] = 1e9
    good = np.ones(T.size, dtype=bool)
    good[::7] = False
    solver = lmoo.Solver(loss="tukey", f_scale=1.0)
    found = solver.solve(lmoo.FunctionProblem(lambda x: decay(T, *x) - y), START)
    expected = solver.solve(lmoo.FunctionProblem(lambda x: (decay(T, *x) - y)[good]), START)
    np.testing.assert_allclose(found.x, expected.x, rtol=1e-7)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("power", [2.0**40, 2.0**-40])
def test_units_change_nothing(name: str, power: float) -> None:
    problem = lmoo.FunctionProblem(residual)
    scaled = lmoo.FunctionProblem(lambda x: power * residual(x))
    one = lmoo.Solver(loss=name, f_scale=0.125).solve(problem, START)
    other = lmoo.Solver(loss=name, f_scale=0.125 * power).solve(scaled, START)
    np.testing.assert_array_equal(one.x, other.x)
    assert (one.status, one.nfev) == (other.status, other.nfev)


@pytest.mark.parametrize("name", NAMES)
def test_fewer_residuals_than_parameters(name: str) -> None:
    def two(x: Array) -> Array:
        return np.array([x[0] + x[1] - 3.0, x[1] * x[2] - 1.0])

    result = lmoo.Solver(loss=name, f_scale=2.0).solve(lmoo.FunctionProblem(two), [1.0, 1.0, 0.5])
    assert result.success
    assert result.cost < 1e-15
    assert np.isinf(result.standard_errors).all()


def test_compiled_problems() -> None:
    for name in NAMES:
        solver = lmoo.Solver(loss=name, f_scale=SCALE)
        expected = solver.solve(lmoo.FunctionProblem(residual, jacobian), START)
        result = solver.solve(lmoo.models.Exponential().problem(T, Y), START)
        np.testing.assert_allclose(result.x, expected.x, rtol=1e-9)
        np.testing.assert_allclose(result.stderr, expected.stderr, rtol=1e-6)


@pytest.mark.parametrize("problem", nist_names())
@each("name", NAMES)
def test_nist(problem: str, name: str) -> None:
    """From the certified parameters to a stationary point of the cost, at or below theirs."""
    data = nist(problem)
    scale = 1.5 * float(np.linalg.norm(data.residual(data.certified)) / np.sqrt(data.y.size))
    # The residual of Lanczos1 is 1e-13 of the data: xtol = 1e-10 would be seen in the gradient.
    solver = lmoo.Solver(loss=name, f_scale=scale, xtol=1e-14)
    result = solver.solve(data, data.certified)
    assert result.success
    assert result.cost <= cost_of(name, scale, data.residual(data.certified)) * (1 + 1e-12)
    f, J = result.residual, np.asarray(data.jacobian(result.x))
    slope = getattr(lmoo.losses, name)((f / scale) ** 2)[1]
    root = np.sqrt(slope)
    # The reduction of the cost that iteratively reweighted least squares predicts.
    columns = J * root[:, None] / np.linalg.norm(J * root[:, None], axis=0)
    u, singular, _ = np.linalg.svd(columns, full_matrices=False)
    u = u[:, singular > 1e-10 * singular[0]]
    rounding = 2.0**-52 * np.linalg.norm(data.y)
    assert np.linalg.norm(u.T @ (root * f)) < 1e-6 * result.fnorm + rounding
