"""Bounds that hold the solution do not cost it; one that the gradient leads away from is left.

The solutions are those of the data: the limits of Gauss-Newton steps from the truth.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from drivers import DRIVERS, Array, Model, fit

import lmoo
from lmoo.datasets import NistDataset, nist, nist_names

TAU = 2 * np.pi
T = np.linspace(0, 10, 150)


def sine(t: Array, a: float, w: float, p: float) -> Array:
    return a * np.sin(p + t * w)


def sine_jacobian(t: Array, a: Any, w: Any, p: Any) -> Array:
    s, c = np.sin(p + t * w), np.cos(p + t * w)
    return np.stack(np.broadcast_arrays(s, a * t * c, a * c), axis=-1)


def gauss_newton(f: Model, jac: Model, t: Array, y: Array, p: Any) -> Array:
    p = np.array(p, float)
    for _ in range(30):
        jacobian = jac(t, *p)
        norms = np.linalg.norm(jacobian, axis=0)
        p = p - np.linalg.lstsq(jacobian / norms, f(t, *p) - y, rcond=None)[0] / norms
    return p


def waves(phase: float, seed: int) -> Array:
    noise = 0.05 * np.random.default_rng(seed).standard_normal(T.size)
    return sine(T, 1.0, 1.3, phase) + noise


def is_right(x: Array, y: Array) -> bool:
    # The least deviation is 0.05; that of any other minimum is 0.3 or more.
    return float(np.sum((sine(T, *x) - y) ** 2)) < 0.01 * T.size


PHASES = np.arange(0.1, 6.2, 0.4)


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("guess", [1.0, 3.0])
def test_an_amplitude_that_is_not_negative(guess: float, exact: bool) -> None:
    # A wave of amplitude a and phase p is one of -a and p + pi: the bound holds a solution always.
    jac = sine_jacobian if exact else None
    free = bounded = 0
    for seed, phase in enumerate(PHASES):
        y = waves(phase, seed)
        problem = lmoo.CurveProblem(sine, T, y, jac=jac)
        free += is_right(lmoo.Solver().solve(problem, [1, 1.25, guess]).x, y)
        solver = lmoo.Solver(bounds={"a": (0, None)})
        bounded += is_right(solver.solve(problem, [1, 1.25, guess]).x, y)
    assert bounded >= free


@pytest.mark.parametrize("guess", [0.5, 2.0, 4.0])
def test_an_amplitude_of_zero_says_what_it_leaves_open(guess: float) -> None:
    missed = 0
    for seed, phase in enumerate(PHASES):
        y = waves(phase, seed)
        solver = lmoo.Solver(bounds={"a": (0, None)})
        result = solver.solve(lmoo.CurveProblem(sine, T, y), [1, 1.25, guess])
        if is_right(result.x, y):
            continue
        if result.x[0] == 0.0:
            missed += 1
            assert result.active_mask.tolist() == [-1, 0, 0]
            assert result.undetermined == ("w", "p")
        else:
            # The frequency goes to 0: a straight line, of which two parameters are left.
            assert result.x[1] < 0.01
            assert result.undetermined
    # From the guess 0.5 one phase leads to an amplitude of zero, from the others none does.
    assert missed == (guess == 0.5)


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("away", [-1.5, -0.7, 0.0, 0.7, 1.5])
def test_a_phase_within_its_period(driver: str, away: float) -> None:
    # Starts within a quarter of the period, and the solution not at the ends of it.
    for seed, phase in enumerate((1.8, 2.9, 4.2)):
        y = waves(phase, seed)
        bounds = ([0.0, 0.0, 0.0], [np.inf, np.inf, TAU])
        found = fit(driver, sine, T, y, [1, 1.28, phase + away], bounds=bounds)
        expected = gauss_newton(sine, sine_jacobian, T, y, [1, 1.3, phase])
        assert found.success
        np.testing.assert_allclose(found.x, expected, rtol=1e-6)


@pytest.mark.parametrize("guess", [-np.pi / 2 + 0.4, 0.5])
def test_an_amplitude_of_measured_data(guess: float) -> None:
    # Of qtt's issue 809.
    t = np.pi * np.linspace(-1, 1, 21)
    left = [0.3617, 0.37, 0.385, 0.435, 0.5167, 0.59, 0.6117, 0.665, 0.75, 0.78, 0.7833]
    right = [0.805, 0.7417, 0.7183, 0.6483, 0.58, 0.4733, 0.4367, 0.365, 0.3483, 0.34]
    y = np.array([*left, *right])

    def f(t: Array, a: float, w: float, p: float, b: float) -> Array:
        return a * np.sin(TAU * w * t + p) + b

    problem = lmoo.CurveProblem(f, t, y)
    start = [0.4, 1 / TAU, guess, 0.5]
    result = lmoo.Solver(bounds={"a": (0, None)}).solve(problem, start)
    assert result.success
    # By hand: 0.22 cos(t) + 0.56 leaves less than 0.02 at any point.
    assert 2 * result.cost < 21 * 0.02**2
    assert result.x[0] > 0.1


# ------------------------------------------------------------------ peaks within generous bounds


def peaks(t: Array, *p: Any) -> Array:
    """Any number of Gaussians: height, place, width of each, and a level."""
    total = p[-1]
    for k in range(0, len(p) - 1, 3):
        total = total + p[k] * np.exp(-0.5 * ((t - p[k + 1]) / p[k + 2]) ** 2)
    return np.asarray(total)


def two_peaks(
    t: Array, a: float, m: float, s: float, b: float, n: float, r: float, c: float
) -> Array:
    return peaks(t, a, m, s, b, n, r, c)


@pytest.mark.parametrize("driver", [d for d in DRIVERS if d != "RowBlockProblem"])
@pytest.mark.parametrize("seed", range(4))
def test_two_peaks_within_bounds_that_hold_them(driver: str, seed: int) -> None:
    random = np.random.default_rng(seed)
    t = np.linspace(0, 10, 100)
    true = np.array([3.0, 3.0, 0.8, 2.0, 6.5, 1.1, 0.5]) * random.uniform(0.95, 1.05, 7)
    y = two_peaks(t, *true) + 0.03 * random.standard_normal(100)
    start = np.array([2.0, 3.3, 1.0, 2.5, 6.2, 0.8, 0.0])
    lower = [0.0, 0.0, 0.1, 0.0, 0.0, 0.1, 0.0]
    upper = [10.0, 10.0, 5.0, 10.0, 10.0, 5.0, 10.0]
    found = fit(driver, two_peaks, t, y, start, bounds=(lower, upper))
    free = fit(driver, two_peaks, t, y, start)
    assert free.success
    assert found.success
    # Hardly more than noise is left, with 93 degrees of freedom.
    assert np.sum((two_peaks(t, *found.x) - y) ** 2) < 1.5 * 93 * 0.03**2
    np.testing.assert_allclose(found.x, free.x, rtol=1e-6)
    np.testing.assert_allclose(found.stderr, free.stderr, rtol=1e-3)


def exponential(t: Array, a: float, b: float, c: float) -> Array:
    return a * np.exp(-b * t) + c


def exponential_jacobian(t: Array, a: Any, b: Any, c: Any) -> Array:
    e = np.exp(-b * t)
    return np.stack(np.broadcast_arrays(e, -a * t * e, np.ones_like(e)), axis=-1)


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("driver", DRIVERS)
def test_random_decays_within_bounds_that_hold_them(driver: str, exact: bool) -> None:
    t = np.linspace(0, 4, 25)
    for seed in range(8):
        random = np.random.default_rng(seed)
        true = random.uniform([0.5, 0.5, -1], [5, 2.5, 1])
        y = exponential(t, *true) + 0.02 * random.standard_normal(25)
        start = true * random.uniform(0.3, 3.0, 3)
        expected = gauss_newton(exponential, exponential_jacobian, t, y, true)
        bounds = (np.minimum([0, 0, -5], start), np.maximum([20, 20, 5], start))
        jac = exponential_jacobian if exact else None
        found = fit(driver, exponential, t, y, start, jac=jac, bounds=bounds)
        assert found.success, (seed, found)
        np.testing.assert_allclose(found.x, expected, rtol=1e-5, atol=1e-7)


# ------------------------------------------------------------------------- a bound that is left


def straight(scale: float) -> tuple[Model, Model]:
    """a t + q / scale: q is measured in units of 1 / scale."""

    def f(t: Array, a: float, q: float) -> Array:
        return a * t + q / scale

    def jac(t: Array, a: Any, q: Any) -> Array:
        return np.stack(np.broadcast_arrays(t, np.full_like(t, 1 / scale)), axis=-1)

    return f, jac


SCALES = [1.0, 1e-12, 1e8, 1e10, 1e16, 2.0**60]


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("driver", DRIVERS)
def test_a_bound_is_left_in_any_units(driver: str, scale: float, exact: bool) -> None:
    t = np.linspace(0, 1, 20)
    f, jac = straight(scale)
    bounds = ([-np.inf, 0.0], [np.inf, np.inf])
    found = fit(driver, f, t, 3 + t, [1.0, 0.0], jac=jac if exact else None, bounds=bounds)
    assert found.success
    np.testing.assert_allclose(found.x / [1.0, scale], [1.0, 3.0], rtol=1e-9)


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("driver", DRIVERS)
def test_a_bound_is_kept_in_any_units(driver: str, scale: float, exact: bool) -> None:
    # The best within bounds: q = 0, and a of a line through the origin.
    t = np.linspace(0, 1, 20)
    f, jac = straight(scale)
    bounds = ([-np.inf, 0.0], [np.inf, np.inf])
    start = [1.0, 0.5 * scale]
    found = fit(driver, f, t, t - 3, start, jac=jac if exact else None, bounds=bounds)
    assert found.success
    assert found.x[1] == 0.0
    np.testing.assert_allclose(found.x[0], (t @ (t - 3)) / (t @ t), rtol=1e-9)


@pytest.mark.parametrize("strategy", [lmoo.CentralDifference(), lmoo.ForwardDifference()], ids=repr)
@pytest.mark.parametrize(
    "step", [lmoo.More(), lmoo.Nielsen(), lmoo.GeodesicAcceleration()], ids=repr
)
@pytest.mark.parametrize("scale", [1e6, 1e16])
def test_a_bound_is_left_by_every_strategy(
    strategy: lmoo.Jacobian, step: lmoo.Step, scale: float
) -> None:
    t = np.linspace(0, 1, 20)
    f, _ = straight(scale)
    problem = lmoo.CurveProblem(f, t, 3 + t)
    solver = lmoo.Solver(bounds={"q": (0, None)}, jacobian=strategy, step=step)
    result = solver.solve(problem, [1.0, 0.0])
    assert result.success
    np.testing.assert_allclose(result.x / [1.0, scale], [1.0, 3.0], rtol=1e-9)


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("unit", [1.0, 1e16, 2.0**-30])
@pytest.mark.parametrize("start", [0.0, 0.01, 0.1, 3.0, 10.0, 30.0])
def test_an_absorption_from_either_side_of_its_density(
    start: float, unit: float, exact: bool
) -> None:
    # Densities of 1e16 per cm^3; those of 0 have the gradient of a plateau in the other parameter.
    t = np.linspace(0, 4, 30)

    def f(t: Array, a: float, n: float) -> Array:
        return a * (1 - np.exp(-n / unit * t))

    def jac(t: Array, a: Any, n: Any) -> Array:
        e = np.exp(-n / unit * t)
        return np.stack(np.broadcast_arrays(1 - e, a * t * e / unit), axis=-1)

    y = f(t, 2.0, unit) + 0.01 * np.random.default_rng(0).standard_normal(30)
    expected = gauss_newton(f, jac, t, y, [2.0, unit])
    problem = lmoo.CurveProblem(f, t, y, jac=jac if exact else None)
    solver = lmoo.Solver(bounds={"n": (0, None)})
    result = solver.solve(problem, [1.0, start * unit])
    assert result.success
    np.testing.assert_allclose(result.x, expected, rtol=1e-6)


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("side", [-1, 1])
def test_starts_in_corners_of_a_box(side: int, exact: bool) -> None:
    # Linear: every corner leads to the one solution inside.
    random = np.random.default_rng(2)
    matrix = random.standard_normal((12, 5)) * 10.0 ** np.array([-8, -3, 0, 4, 9])
    inside = np.array([0.3, -0.2, 0.5, 0.1, -0.6]) / 10.0 ** np.array([-8, -3, 0, 4, 9])
    data = matrix @ inside
    size = 1.0 / 10.0 ** np.array([-8, -3, 0, 4, 9])
    problem = lmoo.FunctionProblem(
        lambda x: matrix @ x - data, (lambda x: matrix) if exact else None
    )
    for corner in range(8):
        signs = np.where(np.arange(5) % 3 == corner % 3, side, 1 - 2 * (corner & 1))
        result = lmoo.Solver(bounds=(-size, size)).solve(problem, signs * size)
        assert result.success
        np.testing.assert_allclose(result.x, inside, rtol=1e-9)
        assert not result.active_mask.any()


# ------------------------------------------------------------------ evaluations


def around(data: NistDataset, start: Array) -> tuple[Array, Array]:
    """Return bounds that contain the certified point and the start."""
    margin, reach = 0.5 * np.abs(data.certified), 0.1 * np.abs(start - data.certified)
    lower = np.minimum(data.certified - margin, start - reach)
    return lower, np.maximum(data.certified + margin, start + reach)


def evaluations(data: NistDataset, start: Array, bounds: Any, exact: bool) -> int:
    problem = lmoo.FunctionProblem(data.residual, data.jacobian if exact else None)
    return int(lmoo.Solver(bounds=bounds).solve(problem, start).nfev)


@pytest.mark.parametrize("exact", [False, True])
def test_bounds_that_hold_the_solution_take_few_more_evaluations(exact: bool) -> None:
    """Also where the gradient pushes a parameter against a bound, and the minimum is inside."""
    more = {}
    for name in nist_names():
        data = nist(name)
        for k, start in enumerate(np.asarray(data.starts, float)):
            free = evaluations(data, start, None, exact)
            bounded = evaluations(data, start, around(data, start), exact)
            if bounded > 1.3 * free:
                more[name, k] = (free, bounded)
    assert not more


def test_widths_at_their_bounds_do_not_cost_the_other_peaks() -> None:
    """Three peaks that overlap, two wider than the bounds allow: most starts find the best fit."""
    x = np.linspace(1600.0, 1720.0, 400)

    def peaks(x: Any, *p: Any) -> Any:
        return sum(
            area / (width * np.sqrt(TAU)) * np.exp(-((x - centre) ** 2) / (2 * width**2))
            for area, centre, width in zip(p[::3], p[1::3], p[2::3], strict=True)
        )

    y = peaks(x, 20, 1650, 6.5, 25, 1668, 4, 10, 1681, 7.5)
    lower = [0.05, 1630, 0, 0.05, 1650, 0, 0.05, 1660, 0]
    upper = [np.inf, 1670, 5, np.inf, 1690, 5, np.inf, 1700, 5]
    costs = []
    for width in (1.0, 2.0, 3.0, 4.0, 5.0):
        for centre in (1645, 1648, 1650, 1652, 1655):
            start = [1, centre, width, 1, 1670, width, 1, 1680, width]
            problem = lmoo.CurveProblem(peaks, x, y)
            costs.append(lmoo.Solver(bounds=(lower, upper)).solve(problem, start).cost)
    best = min(costs)
    assert best < 0.68
    assert sum(cost < best * (1 + 1e-9) for cost in costs) >= 17


@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e6])
@pytest.mark.parametrize("driver", DRIVERS)
def test_a_width_may_have_the_other_sign(driver: str, unit: float) -> None:
    # The width enters by its square: -1.3 is within the bounds, 1.3 is not.
    t = np.linspace(-5, 5, 50) * unit
    y = lorentzian(t, 1.6, 1.7 * unit, 1.3 * unit, -0.3)
    bounds = (np.array([-9, -9 * unit, -9 * unit, -9]), np.array([9, 9 * unit, 0.7 * unit, 9]))
    result = fit(driver, lorentzian, t, y, [0.3, 0.8 * unit, 0.6 * unit, 0.0], bounds=bounds)
    expected = np.array([1.6, 1.7 * unit, -1.3 * unit, -0.3])
    np.testing.assert_allclose(result.x, expected, rtol=1e-5)


def lorentzian(t: Array, a: Any, m: Any, w: Any, c: Any) -> Array:
    return a / (1 + (t - m) ** 2 / w**2) + c


def test_a_peak_between_the_points_beside_a_bound() -> None:
    # Its width is a twentieth of their distance.  With room on one side only, a difference over a
    # longer interval meets a point: that is no error of f.
    t = np.linspace(0, 10, 120)
    true = np.array([4.2, 1.64, 0.4, 3.07, 4.85, 0.75, 1.9, 8.5, 0.41, 0.466])
    start = [6.74, 1.466, 0.004, 1.74, 4.585, 0.382, 0.02, 7.7, 0.375, 0.883]
    lower = np.full(10, -np.inf)
    lower[1:3] = 1.18, -0.0022
    y = three_peaks(t, true)
    problem = lmoo.FunctionProblem(lambda x: three_peaks(t, x) - y)
    result = lmoo.Solver(bounds=(lower, np.full(10, np.inf))).solve(problem, start)
    assert result.success
    np.testing.assert_allclose(result.x, true, rtol=1e-8)


def three_peaks(t: Array, p: Array) -> Array:
    heights, places, widths = p[:-1].reshape(-1, 3, 1).swapaxes(0, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return p[-1] + np.sum(heights * np.exp(-0.5 * ((t - places) / widths) ** 2), axis=0)
