"""Ends of solves with bounds: stationary as far as the gradient is known, at minima, and soon."""

from typing import Any

import numpy as np
import pytest
from bounded import Bounded, projected_cosines
from drivers import DRIVERS, Array, by_complex_step, fit

import lmoo
from lmoo.datasets import nist


def cut_off(name: str, start: int, parameter: int, side: int) -> Bounded:
    """Return a problem in which one parameter is kept a tenth away from its certified value."""
    data = nist(name)
    x0 = np.array(data.starts[start], dtype=np.float64)
    lower, upper = np.full(x0.size, -np.inf), np.full(x0.size, np.inf)
    step = side * 0.1 * abs(data.certified[parameter])
    edge = data.certified[parameter] + step
    (lower if side > 0 else upper)[parameter] = edge
    if (x0[parameter] - edge) * side <= 0.0:
        x0[parameter] = edge + step
    return Bounded(data.residual, data.jacobian, (lower, upper), x0)


@pytest.mark.parametrize(
    ("name", "start", "parameter", "side"),
    [
        # Two exponentials become one: the direction in which they differ is not determined.
        ("Lanczos1", 0, 2, -1),
        ("Lanczos1", 1, 3, -1),
        ("Lanczos2", 0, 2, -1),
        ("Lanczos3", 0, 2, -1),
        ("MGH17", 0, 0, 1),
        ("MGH17", 0, 3, -1),
        # Curvature that the model lacks, below the noise.
        ("Hahn1", 0, 5, -1),
        ("Thurber", 1, 6, 1),
        # Most of the rounding is that of the term of the parameter at its bound.
        ("Misra1c", 0, 0, 1),
    ],
)
def test_the_gradient_at_the_end(name: str, start: int, parameter: int, side: int) -> None:
    problem = cut_off(name, start, parameter, side)
    result = lmoo.Solver(bounds=problem.bounds).solve(problem, problem.start)
    assert result.success, result.message
    assert np.abs(projected_cosines(problem, result.x)).max() <= 1e-8


@pytest.mark.parametrize(
    ("name", "start", "parameter", "side"),
    [("Hahn1", 0, 5, -1), ("Rat43", 1, 0, 1)],
)
def test_the_gradient_at_the_end_by_differences(
    name: str, start: int, parameter: int, side: int
) -> None:
    """Gauss-Newton steps overshoot, and the last ones are too short to show it in the cost."""
    problem = cut_off(name, start, parameter, side)
    function = lmoo.FunctionProblem(problem.residual)
    result = lmoo.Solver(bounds=problem.bounds).solve(function, problem.start)
    assert result.success, result.message
    assert np.abs(projected_cosines(problem, result.x)).max() <= 1e-8


def test_several_directions_that_overshoot() -> None:
    """Steps across the last one are damped by its curvature too."""
    random = np.random.default_rng(3127)
    n = int(random.integers(2, 6))
    m = n + int(random.integers(1, 8))
    matrix, target = random.normal(size=(m, n)), 3.0 * random.normal(size=m)
    curve, start = 0.2 * random.normal(size=(m, n)), random.normal(size=n)

    def residual(x: Array) -> Array:
        return np.asarray(matrix @ x + np.sin(curve @ x) - target)

    def jacobian(x: Array) -> Array:
        return np.asarray(matrix + np.cos(curve @ x)[:, None] * curve)

    problem = Bounded(residual, jacobian, (np.full(n, -np.inf), np.full(n, np.inf)), start)
    result = lmoo.Solver(xtol=1e-13).solve(problem, start)
    assert result.success
    assert np.abs(projected_cosines(problem, result.x)).max() <= 1e-8


def logistic(t: Array, top: Any, k: Any, m: Any, low: Any) -> Array:
    return np.asarray(low + (top - low) / (1 + np.exp(-k * (t - m))))


def rational(t: Array, a: Any, b: Any, c: Any, d: Any) -> Array:
    return np.asarray((a + b * t) / (1 + t * (c + d * t)))


CURVES: dict[str, tuple[Any, Array, list[float], list[float], list[float]]] = {
    "logistic": (
        logistic, np.linspace(-5, 5, 30), [2, 0.8, -1.5, -0.5], [6, 3, 1.5, 0.5],
        [1, 0.7, 1.2, 0.4],
    ),
    "rational": (
        rational, np.linspace(0, 6, 30), [0.5, 0.5, 0.1, 0.1], [3, 3, 2, 2],
        [0.5, 0.5, 0.3, 0.3],
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "seed"),
    [("logistic", k) for k in (9, 21, 50, 199)] + [("rational", k) for k in (128, 238, 270, 290)],
)
def test_active_parameters_are_on_their_bounds(name: str, seed: int) -> None:
    """Bounds that are the solution: rounding decides whether a parameter is active."""
    f, t, least, most, spread = CURVES[name]
    random = np.random.default_rng(seed)
    true = random.uniform(least, most)
    y = f(t, *true)
    y = y + random.choice([1e-3, 0.02, 0.05]) * np.std(y) * random.standard_normal(30)
    start = true + random.choice([0.5, 1, 2]) * np.array(spread) * random.uniform(-1, 1, 4)
    problem = lmoo.CurveProblem(f, t, y)
    x = lmoo.Solver().solve(problem, start).x
    bounded = random.random(4) < 0.5
    lower = np.where(bounded & (start >= x), x, -np.inf)
    upper = np.where(bounded & (start < x), x, np.inf)
    result = lmoo.Solver(bounds=(lower, upper)).solve(problem, start)
    active = result.active_mask
    assert active.any()
    assert (result.x[active < 0] == lower[active < 0]).all()
    assert (result.x[active > 0] == upper[active > 0]).all()


def lorentzian(t: Array, a: Any, m: Any, w: Any, c: Any) -> Array:
    return np.asarray(a / (1 + ((t - m) / w) ** 2) + c)


# With differences: the Jacobian is not traced.
@pytest.mark.parametrize("driver", ["FunctionProblem", "RowBlockProblem"])
@pytest.mark.parametrize("unit", [1.0, 1e-6])
def test_a_width_that_goes_to_zero(driver: str, unit: float) -> None:
    """The bound keeps the height negative where the data have a peak: the width goes to 0.

    |f|^2 contains the square of the width, so that its steps alternate.  A dip between the last
    points is better than no dip.
    """
    t = np.linspace(-5, 5, 40)
    y = lorentzian(t, 3.0, -0.9, 1.9, 0.4) + 0.01 * np.cos(7.0 * t)
    start = np.array([-3.8, -0.98, 1.9 * unit, 0.4])

    def model(t: Array, a: Any, m: Any, w: Any, c: Any) -> Array:
        return lorentzian(t, a, m, w / unit, c)

    lower, upper = [-6.5, -4.9, -0.2 * unit, -np.inf], [-3.8, -0.89, 10 * unit, 4.5]
    found = fit(driver, model, t, y, start, bounds=(lower, upper))
    assert found.success
    assert found.nfev < 1500
    # With a width of 0, what is left is a constant.
    assert np.sum((model(t, *found.x) - y) ** 2) <= np.sum((y - y.mean()) ** 2) * (1.0 + 1e-9)


def root(t: Array, a: Any, b: Any, c: Any, d: Any) -> Array:
    return np.asarray(a * np.sqrt(b + c * t) + d)


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("exact", [False, True])
def test_a_singular_model_at_bounds(driver: str, exact: bool) -> None:
    """Height and argument of the root depend on each other, also if others are at bounds."""
    t = np.linspace(0, 5, 25)
    y = root(t, 2.09, 1.17, 0.6, 0.54) + 0.01 * np.sin(9.0 * t)
    lower, upper = [-np.inf, -np.inf, -np.inf, 0.57], [np.inf, 1.27, 0.61, np.inf]
    jac = by_complex_step(root) if exact else None
    found = fit(driver, root, t, y, [2.13, 1.27, 0.61, 0.57], jac=jac, bounds=(lower, upper))
    assert found.success
    # a^2 b and a^2 c are determined: the minimum over them, with d at its bound.
    x = 2.09**2 * np.array([1.17, 0.6])
    for _ in range(30):
        f = np.sqrt(x[0] + x[1] * t) + 0.57 - y
        half = 0.5 / np.sqrt(x[0] + x[1] * t)
        x -= np.linalg.lstsq(np.stack([half, half * t], axis=1), f, rcond=None)[0]
    least = np.sum((np.sqrt(x[0] + x[1] * t) + 0.57 - y) ** 2)
    assert np.sum((root(t, *found.x) - y) ** 2) <= least * (1 + 1e-9)


@pytest.mark.parametrize("unit", [1.0, 1e5])
@pytest.mark.parametrize("exact", [False, True])
def test_a_parameter_that_runs_away_alone(exact: bool, unit: float) -> None:
    """The amplitude is at a bound of the wrong sign: the further the constant the better."""
    t = np.linspace(0.05, 1, 20)
    y = 2.0 * t / (0.3 + t)

    def f(x: Array) -> Array:
        return np.asarray(x[0] * t / (x[1] / unit + t) - y)

    def jacobian(x: Array) -> Array:
        share = t / (x[1] / unit + t)
        return np.stack([share, -x[0] * share / (x[1] / unit + t) / unit], axis=1)

    problem = lmoo.FunctionProblem(f, jacobian if exact else None)
    bounds = ([-3.0, 0.0], [-1.0, np.inf])
    result = lmoo.Solver(bounds=bounds).solve(problem, [-1.0, 0.3 * unit])
    assert result.success, result.message
    assert result.undetermined == ("x[1]",)
    np.testing.assert_allclose(result.cost, 0.5 * y @ y, rtol=1e-6)


def gaussians(t: Array, *p: Any) -> Array:
    total = p[-1]
    for k in range(0, len(p) - 1, 3):
        total = total + p[k] * np.exp(-0.5 * ((t - p[k + 1]) / p[k + 2]) ** 2)
    return np.asarray(total)


def two(t: Array, a: Any, m: Any, s: Any, b: Any, n: Any, r: Any, c: Any) -> Array:
    return gaussians(t, a, m, s, b, n, r, c)


@pytest.mark.parametrize("place", [1.24, 1.3, 1.56, 1.72, 1.98, 2.14])
@pytest.mark.parametrize("driver", [d for d in DRIVERS if d != "RowBlockProblem"])
def test_a_peak_between_the_points_is_no_noise(driver: str, place: float) -> None:
    """Over some interval one row alone changes: this is no error of f that hides other columns."""
    t = np.linspace(0, 10, 120)
    y = two(t, 3.0, 4.8, 0.7, 1.9, 8.5, 0.4, 0.5) + 0.01 * np.sin(50.0 * t)
    # One peak is narrower than the distance of the points, and has no effect.
    start = [3.9, place, 0.004, 2.0, 4.6, 0.5, 0.4]
    lower = [3.0, 1.1, -0.002, 0.5, 4.2, -np.inf, -np.inf]
    upper = [9.0, np.inf, 0.008, np.inf, np.inf, np.inf, np.inf]
    found = fit(driver, two, t, y, start, bounds=(lower, upper))
    assert found.success
    np.testing.assert_allclose(found.x[4], 4.8, atol=0.05)


@pytest.mark.parametrize("slope", [0.74, 2.0])
@pytest.mark.parametrize("driver", DRIVERS)
def test_an_amplitude_of_zero_with_its_shape_at_bounds(driver: str, slope: float) -> None:
    """All three start on their bounds; no gradient shows that the slope has the other sign."""
    t = np.linspace(-5, 5, 30)

    def model(t: Array, a: Any, k: Any, m: Any, c: Any) -> Array:
        return np.asarray(a / (1 + np.exp(-k * (t - m))) + c)

    y = model(t, 3.7, slope, 0.5, 0.1)
    lower, upper = [0.0, -0.513, 0.417, -0.28], [10.0, np.inf, 0.84, np.inf]
    found = fit(driver, model, t, y, [0.0, -0.513, 0.417, -0.1], bounds=(lower, upper))
    assert found.success
    np.testing.assert_allclose(found.x, [3.7, slope, 0.5, 0.1], rtol=1e-5)


@pytest.mark.parametrize(("first", "rate"), [(100.0, 0.03), (300.0, 0.03), (300.0, 0.05)])
@pytest.mark.parametrize("exact", [False, True])
def test_bad_points_that_were_passed_are_no_wall(exact: bool, first: float, rate: float) -> None:
    """The first steps overflow.  Later the radius is limited by f, not by bad points."""
    t = np.linspace(first, first + 100.0, 15)
    y = 10.0 * np.exp(-rate * (t - t.mean())) + 2.0

    def f(x: Array) -> Array:
        return np.asarray(x[0] * np.exp(-x[1] * t) + x[2] - y)

    def jacobian(x: Array) -> Array:
        e = np.exp(-x[1] * t)
        return np.stack([e, -x[0] * t * e, np.ones(15)], axis=1)

    problem = lmoo.FunctionProblem(f, jacobian if exact else None)
    with np.errstate(over="ignore", invalid="ignore"):
        result = lmoo.Solver().solve(problem, np.ones(3))
    assert result.success, result.message
    assert result.cost < 1e-16
    assert result.nfev < 2000


@pytest.mark.parametrize("driver", DRIVERS)
def test_the_rate_of_a_secant_step_before_a_bound_was_left(driver: str) -> None:
    t = np.linspace(0.1, 5, 25)

    def model(t: Array, a: Any, b: Any, c: Any) -> Array:
        return np.asarray(a * t**b + c)

    y = np.array(
        [
            0.3006169467,
            0.766597674,
            1.605103296,
            2.148368985,
            2.460265188,
            3.662936382,
            4.602024798,
            5.391216155,
            6.728009171,
            7.861959511,
            9.078027921,
            10.61049317,
            11.57461848,
            13.18737831,
            14.44333931,
            16.20426024,
            17.49606809,
            19.23372476,
            20.60661709,
            22.43614662,
            24.07987928,
            25.85003106,
            27.81824596,
            29.39031191,
            31.09594656,
        ]
    )
    lower, upper = [1.3581597373116967, 0.0, 0.0], [np.inf, 1.4989604369139613, 0.4560659734934278]
    found = fit(
        driver, model, t, y, [1.3581597373116967, 1.4989604369139613, 0.0], bounds=(lower, upper)
    )
    assert found.success
    jacobian = np.stack([t ** found.x[1], found.x[0] * t ** found.x[1] * np.log(t), t**0], axis=1)
    f = model(t, *found.x) - y
    cosines = jacobian.T @ f / np.linalg.norm(jacobian, axis=0) / np.linalg.norm(f)
    assert np.abs(cosines).max() < 1e-6
