"""Robust losses: their values, and the fits of every driver with them."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from drivers import Blocks, BlocksWithJacobian
from scipy import integrate, optimize, stats
from scipy.optimize._lsq.least_squares import IMPLEMENTED_LOSSES

import lmoo
from lmoo._core.evaluate import LossKernel
from lmoo.datasets import nist, nist_names
from lmoo.losses import Loss

Array = np.ndarray

NAMES = ("huber", "soft_l1", "cauchy", "arctan", "tukey")
IN_SCIPY = NAMES[:-1]
RNG = np.random.default_rng(20)
T = np.linspace(0.0, 4.0, 60)
# Near enough for tukey, to which far points are nothing.
START = (2.3, 1.2, 0.45)
SCALE = 0.1


def decay(t: Any, a: Any, b: Any, c: Any) -> Any:
    return a * np.exp(-b * t) + c


def derivatives(t: Any, a: Any, b: Any, c: Any) -> Any:
    e = np.exp(-b * t)
    return np.stack(np.broadcast_arrays(e, -a * t * e, np.ones_like(e)), axis=-1)


def with_outliers(seed: int = 1, m: int = T.size) -> Array:
    rng = np.random.default_rng(seed)
    t = np.linspace(0.0, 4.0, m)
    y = decay(t, 2.5, 1.3, 0.5) + 0.02 * rng.standard_normal(m)
    y[rng.choice(m, m // 5, replace=False)] += 1.0
    return np.asarray(y)


Y = with_outliers()


def residual(x: Array) -> Array:
    return np.asarray(decay(T, *x) - Y)


def jacobian(x: Array) -> Array:
    return np.asarray(derivatives(T, *x))


def cost_of(name: str, scale: float, f: Array) -> float:
    rho = getattr(lmoo.losses, name)((f / scale) ** 2)[0]
    return float(0.5 * scale**2 * rho.sum())


# ---- the functions --------------------------------------------------------------------------


@pytest.mark.parametrize("name", IN_SCIPY)
def test_values_are_scipys(name: str) -> None:
    z = np.concatenate([[0.0, 1.0], np.logspace(-12, 12, 97)])
    expected = np.empty((3, z.size))
    IMPLEMENTED_LOSSES[name](z, expected, False)
    # scipy's 2 (sqrt(1 + z) - 1) cancels where z is small.
    np.testing.assert_allclose(getattr(lmoo.losses, name)(z), expected, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("name", ["linear", *NAMES])
def test_derivatives_are_those_of_rho(name: str) -> None:
    loss = getattr(lmoo.losses, name)
    z = np.array([0.01, 0.3, 0.9, 1.2, 3.0, 50.0])
    h = 1e-5 * z
    above, below = loss(z + h), loss(z - h)
    _, slope, second = loss(z)
    np.testing.assert_allclose((above[0] - below[0]) / (2 * h), slope, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose((above[1] - below[1]) / (2 * h), second, rtol=1e-8, atol=1e-9)


def test_tukey_is_constant_beyond_its_scale() -> None:
    rho, slope, second = lmoo.losses.tukey([0.0, 0.25, 1.0, 9.0])
    np.testing.assert_allclose(rho, [0.0, (1 - 0.75**3) / 3, 1 / 3, 1 / 3], rtol=1e-15)
    np.testing.assert_allclose(slope, [1.0, 0.75**2, 0.0, 0.0])
    np.testing.assert_allclose(second, [-2.0, -1.5, 0.0, 0.0])


@pytest.mark.parametrize("name", NAMES)
def test_tuning_gives_95_percent_efficiency(name: str) -> None:
    loss = getattr(lmoo.losses, name)
    c = loss.tuning

    def mean(what: Callable[[float], float]) -> float:
        return float(integrate.quad(what, -12, 12, points=[-c, c], limit=400)[0])

    def psi(u: float) -> float:
        return float(loss([(u / c) ** 2])[1, 0] * u)

    def slope(u: float) -> float:
        z = (u / c) ** 2
        _, first, second = loss([z])[:, 0]
        return float(first + 2 * z * second)

    square = mean(lambda u: psi(u) ** 2 * stats.norm.pdf(u))
    efficiency = mean(lambda u: slope(u) * stats.norm.pdf(u)) ** 2 / square
    assert efficiency == pytest.approx(0.95, abs=1e-7)


@pytest.mark.parametrize("name", NAMES)
def test_scaled_rows_have_the_gradient_of_the_cost(name: str) -> None:
    f = np.array([1e-9, -0.02, 0.3, -1.0, 40.0, 1e5])
    kernel = LossKernel(name, 0.5, 0.0, None)
    root, model = kernel.rows(f)
    np.testing.assert_allclose(root * model, kernel.weights(f) * f, rtol=1e-13)
    assert kernel.norm(f) ** 2 / 2 == pytest.approx(cost_of(name, 0.5, f), rel=1e-13)


@pytest.mark.parametrize("name", NAMES)
def test_tiny_residuals_cost_what_their_squares_do(name: str) -> None:
    f = 1e-9 * RNG.standard_normal(50)
    assert LossKernel(name, 1.0, 0.0, None).norm(f) == pytest.approx(np.linalg.norm(f), rel=1e-14)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("spread", [0.1, 3.0, 40.0])
def test_costs_of_residuals_of_every_size(name: str, spread: float) -> None:
    """Sums of logarithms and arctangents are taken of products."""
    for m in (1, 2, 3, 4, 5, 63, 400, 5000):
        f = np.exp(spread * RNG.standard_normal(m))
        expected = 2.0 * cost_of(name, 1.0, np.minimum(f, 1e70))
        assert LossKernel(name, 1.0, 0.0, None).norm(f) ** 2 == pytest.approx(expected, rel=1e-12)


def test_not_finite_residuals_have_no_cost() -> None:
    for bad in (np.nan, np.inf):
        # Of these the bounded losses would hide an infinity.
        for name in NAMES:
            assert np.isnan(LossKernel(name, 1.0, 0.0, None).norm([1.0, bad]))


# ---- losses of one's own --------------------------------------------------------------------


def geman_mcclure(z: Array) -> Any:
    w = 1.0 / (1.0 + z)
    return z * w, w**2, -2.0 * w**3


def test_own_loss_is_checked_and_called() -> None:
    loss = Loss(geman_mcclure, tuning=3.0)
    assert loss.name == "geman_mcclure"
    assert repr(loss) == "Loss('geman_mcclure')"
    np.testing.assert_allclose(loss([1.0]), [[0.5], [0.25], [-0.25]])


@pytest.mark.parametrize(
    ("func", "message"),
    [
        (lambda z: (z + 1.0, np.ones_like(z), 0 * z), r"rho\(0\) = 0; it is 1"),
        (lambda z: (0.5 * z, 0.5 + 0 * z, 0 * z), r"rho'\(0\) = 1; it is 0\.5"),
        (lambda z: (z - z**2, 1 - 2 * z, -2 + 0 * z), "no negative values of rho"),
        (lambda z: (np.log1p(z), 1 / (1 + z), 1 / (1 + z)), "row 2 the derivative of row 1"),
        (lambda z: (np.log1p(z), 1 / np.sqrt(1 + z), -0.5 * (1 + z) ** -1.5), "row 1 the deriv"),
        (lambda z: (z, np.ones_like(z)), r"shape \(3, 130\).*returned shape \(2, 130\)"),
        (lambda z: (z / (z > -1), z / z, 0 * z), "finite numbers"),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_what_is_no_loss_is_refused(func: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        lmoo.Solver(loss=func)


@pytest.mark.parametrize("loss", [3.0, None, ["huber"]])
def test_wrong_types_are_refused(loss: Any) -> None:
    with pytest.raises(TypeError, match="loss must be a name, a Loss or a callable"):
        lmoo.Solver(loss=loss)


def test_unknown_names_are_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'huber', 'soft_l1', .*; it is 'hubert'"):
        lmoo.Solver(loss="hubert")


@pytest.mark.parametrize("scale", [0.0, -1.0, np.inf, np.nan, "median"])
def test_wrong_scales_are_refused(scale: Any) -> None:
    with pytest.raises(ValueError, match=r"f_scale must be (a )?positive"):
        lmoo.Solver(loss="huber", f_scale=scale)
    with pytest.raises(ValueError, match=r"f_scale must be (a )?positive"):
        lmoo.Solver(f_scale=scale)


def test_scale_of_an_own_loss_needs_its_tuning() -> None:
    with pytest.raises(ValueError, match=r"or give the loss a tuning constant"):
        lmoo.Solver(loss=geman_mcclure, f_scale="mad")


def test_own_loss_gives_what_the_built_in_one_does() -> None:
    def cauchy(z: Array) -> Any:
        return np.log1p(z), 1 / (1 + z), -1 / (1 + z) ** 2

    problem = lmoo.FunctionProblem(residual)
    built_in = lmoo.Solver(loss="cauchy", f_scale=SCALE).solve(problem, START)
    own = lmoo.Solver(loss=cauchy, f_scale=SCALE).solve(problem, START)
    np.testing.assert_allclose(own.x, built_in.x, rtol=1e-9)
    np.testing.assert_allclose(own.standard_errors, built_in.standard_errors, rtol=1e-6)
    assert own.robust is not None
    assert own.robust.name == "cauchy"


@pytest.mark.parametrize("kind", ["python", "compiled", "blocks"])
def test_exceptions_of_an_own_loss_come_out(kind: str) -> None:
    calls = 0

    def failing(z: Array) -> Any:
        nonlocal calls
        calls += z.size in (7, T.size)
        if calls > 3:
            raise ZeroDivisionError("mine")
        return np.log1p(z), 1 / (1 + z), -1 / (1 + z) ** 2

    problem: Any = lmoo.FunctionProblem(residual)
    if kind == "compiled":
        problem = lmoo.models.Exponential().problem(T, Y)
    elif kind == "blocks":
        problem = Blocks(decay, T, Y)
    solver = lmoo.Solver(loss=failing, f_scale=SCALE)
    with pytest.raises(ZeroDivisionError, match="mine"):
        solver.solve(problem, START)


# ---- single fits ----------------------------------------------------------------------------


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
@pytest.mark.parametrize("name", NAMES)
def test_nist(problem: str, name: str) -> None:
    """From the certified parameters to a stationary point of the cost, at or below theirs."""
    data = nist(problem)
    scale = 1.5 * float(np.linalg.norm(data.residual(data.certified)) / np.sqrt(data.y.size))
    solver = lmoo.Solver(loss=name, f_scale=scale)
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


# ---- what is told of the fit ----------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_standard_errors_are_hubers_sandwich(name: str) -> None:
    result = lmoo.Solver(loss=name, f_scale=SCALE).solve(
        lmoo.FunctionProblem(residual, jacobian), START
    )
    f, J = result.residual, jacobian(result.x)
    z = (f / SCALE) ** 2
    _, slope, second = getattr(lmoo.losses, name)(z)
    psi, curve = slope * f, slope + 2 * z * second
    h = np.maximum(curve, 0.05 * slope)
    m, p = J.shape
    correction = 1 + p / m * curve.var() / curve.mean() ** 2
    s2 = correction**2 * (psi @ psi) / (m - p) / curve.mean() ** 2
    covariance = s2 * h.mean() * np.linalg.inv((J.T * h) @ J)
    tiny = 1e-5 * np.diag(covariance).min()
    np.testing.assert_allclose(result.covariance(), covariance, rtol=1e-5, atol=tiny)
    np.testing.assert_array_equal(result.covariance(scaled=False), result.covariance())
    assert result.degrees_of_freedom == m - p
    assert result.residual_deviation == pytest.approx(np.sqrt(s2), rel=1e-9)
    np.testing.assert_array_equal(result.loss_weights, slope)
    assert result.f_scale == SCALE
    # It is of the size of what the good points scatter by, which least squares cannot tell.
    assert 0.01 < result.residual_deviation < 0.1


def test_without_outliers_errors_are_those_of_least_squares() -> None:
    t = np.linspace(0.0, 4.0, 4000)
    y = decay(t, 2.5, 1.3, 0.5) + 0.02 * np.random.default_rng(5).standard_normal(t.size)
    problem = lmoo.CurveProblem(decay, t, y)
    plain = lmoo.Solver().solve(problem, START)
    for name in NAMES:
        robust = lmoo.Solver(loss=name, f_scale="mad").solve(problem, START)
        # 95 % of the efficiency: errors that are larger by 1 / sqrt(0.95).
        ratio = robust.standard_errors / plain.standard_errors
        np.testing.assert_allclose(ratio, 1 / np.sqrt(0.95), rtol=0.04)


def test_reports_and_storage_know_the_loss() -> None:
    result = lmoo.Solver(loss="huber", f_scale=SCALE).solve(lmoo.CurveProblem(decay, T, Y), START)
    report = str(result)
    low = int((result.loss_weights < 0.5).sum())
    assert 12 <= low < 20
    for line in (
        "cost = 1/2 sum of rho",
        "huber, f_scale = 0.1",
        f"below 1/2  {low} of 60",
        "sandwich",
    ):
        assert line in report
    assert "AIC" not in report
    assert np.isnan(result.aic)
    assert np.isnan(result.r_squared)
    for again in (
        lmoo.Result.from_dict(result.to_dict()),
        pickle.loads(pickle.dumps(result)),
    ):
        np.testing.assert_array_equal(again.loss_weights, result.loss_weights)
        np.testing.assert_allclose(again.standard_errors, result.standard_errors, rtol=1e-12)
        assert again.f_scale == SCALE
    plain = lmoo.Solver().solve(lmoo.CurveProblem(decay, T, Y), START)
    assert plain.loss_weights.tolist() == [1.0] * T.size
    assert np.isnan(plain.f_scale)


def test_profiles_of_a_linear_model_are_its_linear_intervals() -> None:
    t = np.linspace(-1.0, 1.0, 400)
    rng = np.random.default_rng(8)
    y = 1.0 + 2.0 * t + 0.1 * rng.standard_normal(t.size)
    problem = lmoo.CurveProblem(lambda t, a, b: a + b * t, t, y)
    for name in ("soft_l1", "cauchy"):
        result = lmoo.Solver(loss=name, f_scale="mad").solve(problem, [0.0, 0.0])
        linear = result.confidence_interval(0.9)
        profile = result.confidence_interval(0.9, method="profile")
        np.testing.assert_allclose(
            profile - result.x[:, None], linear - result.x[:, None], rtol=0.1
        )


# ---- the scale ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_estimated_scale_is_that_of_the_solution(name: str) -> None:
    result = lmoo.Solver(loss=name, f_scale="mad").solve(
        lmoo.FunctionProblem(residual, jacobian), START
    )
    assert result.success
    largest = np.sort(np.abs(result.residual))[2:]
    expected = getattr(lmoo.losses, name).tuning * np.median(largest) / stats.norm.ppf(0.75)
    assert result.f_scale == pytest.approx(expected, rel=1e-7)
    again = lmoo.Solver(loss=name, f_scale=result.f_scale).solve(result.problem, result.x)
    np.testing.assert_allclose(result.x, again.x, rtol=1e-8)


def test_estimated_scale_where_most_points_fit_exactly() -> None:
    y = decay(T, 2.5, 1.3, 0.5)
    y[::5] += 1.0
    problem = lmoo.FunctionProblem(lambda x: decay(T, *x) - y, jacobian)
    for name in NAMES:
        result = lmoo.Solver(loss=name, f_scale="mad").solve(problem, START)
        np.testing.assert_allclose(result.x, (2.5, 1.3, 0.5), rtol=1e-4)
    exact = lmoo.Solver(loss="huber", f_scale="mad").solve(
        lmoo.FunctionProblem(lambda x: x - 1.0), [1.0, 1.0]
    )
    assert exact.success
    assert exact.cost == 0.0


@pytest.mark.parametrize("scale", [SCALE, "mad"])
@pytest.mark.parametrize("step", [None, lmoo.GeodesicAcceleration()])
def test_a_solve_goes_on_after_pickling(scale: Any, step: Any) -> None:
    solver = lmoo.Solver(loss="cauchy", f_scale=scale, step=step)
    steps = solver.iterate(lmoo.CurveProblem(decay, T, Y), START)
    whole = [record.cost for record in solver.iterate(lmoo.CurveProblem(decay, T, Y), START)]
    for k, _ in enumerate(steps):
        again = pickle.loads(pickle.dumps(steps))
        assert [record.cost for record in again] == whole[k + 1 :]
        assert again.result.nfev == solver.solve(steps.problem, START).nfev


# ---- other drivers --------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("known", [True, False])
def test_drivers_agree(name: str, known: bool) -> None:
    jac: Any = derivatives if known else None
    solver = lmoo.Solver(loss=name, f_scale=SCALE)
    expected = solver.solve(lmoo.CurveProblem(decay, T, Y, jac=jac), START)
    blocks = BlocksWithJacobian(decay, T, Y, jac) if known else Blocks(decay, T, Y)
    tall = solver.solve(blocks, START)
    with ThreadPoolExecutor(2) as executor:
        blocks.executor = executor
        threads = solver.solve(blocks, START)
    np.testing.assert_array_equal(tall.x, threads.x)
    many = lmoo.curve_fit_many(decay, T, np.stack([Y, 2 * Y]), START, jac=jac, solver=solver)
    popt, pcov = lmoo.curve_fit(decay, T, Y, START, jac=jac, loss=name, f_scale=SCALE)
    for x, errors in (
        (tall.x, tall.standard_errors),
        (many.x[0], many.stderr[0]),
        (many[0].x, many[0].standard_errors),
        (popt, np.sqrt(np.diag(pcov))),
    ):
        np.testing.assert_allclose(x, expected.x, rtol=1e-8)
        np.testing.assert_allclose(errors, expected.standard_errors, rtol=1e-5)
    assert tall.cost == pytest.approx(expected.cost, rel=1e-12)
    assert tall.loss_weights.size == 0
    np.testing.assert_allclose(many[0].loss_weights, expected.loss_weights, rtol=1e-7)


@pytest.mark.parametrize("scale", [SCALE, "mad"])
@pytest.mark.parametrize("name", NAMES)
def test_stacks_give_what_single_fits_do(name: str, scale: Any) -> None:
    """Functions, compiled models and compiled problems; with points that are missing."""
    stack = np.stack([with_outliers(k) for k in range(12)])
    stack[3, ::9] = np.nan
    solver = lmoo.Solver(loss=name, f_scale=scale)
    model = lmoo.models.Exponential()
    by_function = lmoo.curve_fit_many(decay, T, stack, START, solver=solver, nan_policy="omit")
    compiled = lmoo.curve_fit_many(model, T, stack, START, solver=solver, nan_policy="omit")
    for k, y in enumerate(stack):
        there = np.isfinite(y)
        alone = solver.solve(lmoo.CurveProblem(decay, T[there], y[there]), START)
        for fits in (by_function, compiled):
            assert bool(fits.success[k]) == alone.success
            np.testing.assert_allclose(fits.x[k], alone.x, rtol=1e-7)
            np.testing.assert_allclose(fits.stderr[k], alone.standard_errors, rtol=1e-5)
            assert fits.cost[k] == pytest.approx(alone.cost, rel=1e-9)
        one = compiled[k]
        assert one.f_scale == pytest.approx(alone.f_scale, rel=1e-8)
        np.testing.assert_allclose(one.standard_errors, compiled.stderr[k], rtol=1e-9)
        np.testing.assert_array_equal(one.loss_weights[~there], 0.0)


def test_solve_many() -> None:
    class Decays(lmoo.BatchProblem):
        def residual(self, x: Array, which: Array) -> Array:
            return np.asarray(decay(T, *x.T[:, :, None]) - stack[which])

    stack = np.stack([with_outliers(k) for k in range(5)])
    solver = lmoo.Solver(loss="cauchy", f_scale=SCALE)
    fits = lmoo.solve_many(Decays(), np.tile(START, (5, 1)), solver=solver)
    for k, y in enumerate(stack):
        alone = solver.solve(lmoo.CurveProblem(decay, T, y), START)
        np.testing.assert_allclose(fits.x[k], alone.x, rtol=1e-9)
        np.testing.assert_allclose(fits.stderr[k], alone.stderr, rtol=1e-6)


def test_what_does_not_go_together_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="f_scale must be a number for a RowBlockProblem"):
        lmoo.Solver(loss="huber", f_scale="mad").solve(Blocks(decay, T, Y), START)
    own = lmoo.Solver(loss=geman_mcclure)
    with pytest.raises(ValueError, match=r"solver must have a loss of lmoo\.losses for many fits"):
        lmoo.curve_fit_many(decay, T, Y[None], START, solver=own)
    with pytest.raises(ValueError, match="method='lm' supports only the loss 'linear'"):
        lmoo.curve_fit(decay, T, Y, START, method="lm", loss="huber")


def test_curve_fit_takes_known_errors_into_account() -> None:
    """With sigma, f_scale is in units of it; the covariance is the sandwich in either case."""
    sigma = np.full(T.size, 0.02)
    popt, pcov = lmoo.curve_fit(
        decay, T, Y, START, sigma, absolute_sigma=True, loss="huber", f_scale=5.0
    )
    expected, covariance = lmoo.curve_fit(decay, T, Y, START, loss="huber", f_scale=0.1)
    np.testing.assert_allclose(popt, expected, rtol=1e-8)
    np.testing.assert_allclose(pcov, covariance, rtol=1e-5)
