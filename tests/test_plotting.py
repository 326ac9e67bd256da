"""Pictures: what is drawn, not how it looks."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")

import matplotlib.pyplot as plt

import lmoo
from lmoo import CurveProblem, FunctionProblem, Result, Solver
from lmoo.datasets import nist
from lmoo.results.profile import contour
from lmoo.results.smooth import closed_line, smooth_line

T = np.linspace(0.0, 2.0, 12)
Y = 2.0 * np.exp(-1.3 * T) + 0.05 * np.cos(7.0 * T)
SIGMA = 0.02 + 0.03 * T


def decay(t: Any, amplitude: float, rate: float) -> Any:
    return amplitude * np.exp(-rate * t)


def fitted(**options: Any) -> Result:
    return Solver().solve(CurveProblem(decay, T, Y, **options), [1.0, 1.0], history=True)


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    plt.close("all")


def line(ax: Any, label: str) -> np.ndarray:
    """The points of a line, (k, 2)."""
    (found,) = (item for item in ax.lines if item.get_label() == label)
    return np.asarray(found.get_xydata())


def band(ax: Any, label: str) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest value of a band at each of its places."""
    (found,) = (item for item in ax.collections if item.get_label() == label)
    points = found.get_paths()[0].vertices
    places = np.unique(points[:, 0])
    rows = [points[points[:, 0] == place, 1] for place in places]
    return np.array([row.min() for row in rows]), np.array([row.max() for row in rows])


def points(ax: Any) -> np.ndarray:
    """The data that are drawn, (m, 2)."""
    return np.asarray(ax.containers[0].lines[0].get_xydata())


def labels(ax: Any) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


# ============================================================================ the fit


def test_outliers_of_a_loss_are_open_circles() -> None:
    y = Y.copy()
    y[[2, 7]] += 1.0
    solver = Solver(loss="cauchy", f_scale=0.2)
    result = solver.solve(CurveProblem(decay, T, y, sigma=SIGMA), [2.0, 1.0])
    far = result.loss_weights < 0.5
    for ax, name in zip(result.plot(), ("data", "residual"), strict=True):
        good, open_ones = (container.lines[0] for container in ax.containers)
        np.testing.assert_array_equal(good.get_xdata(), T[~far])
        np.testing.assert_array_equal(open_ones.get_xdata(), T[far])
        assert open_ones.get_markerfacecolor() == "none"
        assert ax.containers[1].get_label() == f"{name}, weight below 1/2"
    assert far[[2, 7]].all()


def test_data_fit_bands_and_residuals() -> None:
    result = fitted(sigma=SIGMA)
    above, below = result.plot()
    np.testing.assert_array_equal(points(above), np.column_stack([T, Y]))
    bars = above.containers[0].lines[2][0].get_segments()
    np.testing.assert_allclose([bar[1, 1] - bar[0, 1] for bar in bars], 2 * SIGMA)
    fit = line(above, "fit")
    assert len(fit) == 400
    assert (fit[0, 0], fit[-1, 0]) == (T[0], T[-1])
    np.testing.assert_allclose(fit[:, 1], decay(fit[:, 0], *result.x))
    sigma = np.interp(fit[:, 0], T, SIGMA)
    for name in ("confidence", "prediction"):
        _, low, high = result.predict(fit[:, 0], interval=name, sigma=sigma)
        drawn = band(above, f"95 % {name}")
        np.testing.assert_allclose(drawn[0], low)
        np.testing.assert_allclose(drawn[1], high)
    np.testing.assert_allclose(points(below), np.column_stack([T, Y - decay(T, *result.x)]))
    assert labels(above) == ["data", "fit", "95 % confidence", "95 % prediction"]
    assert below.get_xlabel() == "t"
    assert above.get_figure().get_size_inches().tolist() == [8.0, 6.0]


def test_bands_can_be_left_out_and_have_a_level() -> None:
    result = fitted()
    ax = plt.figure().subplots()
    assert result.plot(ax, level=0.68, prediction=False, points=50) is ax
    assert labels(ax) == ["data", "fit", "68 % confidence"]
    low = result.predict(line(ax, "fit")[:, 0], interval="confidence", level=0.68)[1]
    np.testing.assert_allclose(band(ax, "68 % confidence")[0], low)
    assert ax.get_xlabel() == "t"
    # Without sigma there are no error bars.
    assert ax.containers[0].lines[2] == ()


def test_a_pair_of_axes_is_filled() -> None:
    pair = plt.figure().subplots(2, 1)
    above, below = fitted().plot(pair)
    assert (above, below) == tuple(pair)
    assert len(points(below)) == 12


def test_a_curve_of_several_variables_is_drawn_against_the_index() -> None:
    problem = CurveProblem(lambda t, a, b: a * t[0] + b * t[1], np.array([T, T**2]), Y)
    result = Solver().solve(problem, [1.0, 1.0])
    above, below = result.plot()
    np.testing.assert_array_equal(points(above)[:, 0], np.arange(12))
    np.testing.assert_allclose(line(above, "fit")[:, 1], result.predict())
    assert below.get_xlabel() == "index"


def test_data_in_any_order_give_one_line() -> None:
    order = np.random.default_rng(0).permutation(12)
    result = Solver().solve(CurveProblem(decay, T[order], Y[order], sigma=SIGMA[order]), [1.0, 1.0])
    above, _ = result.plot()
    right, _ = fitted(sigma=SIGMA).plot()
    for label in ("95 % confidence", "95 % prediction"):
        np.testing.assert_allclose(band(above, label), band(right, label), rtol=1e-6)


def test_bands_that_do_not_exist_are_left_out() -> None:
    result = Solver().solve(CurveProblem(decay, T[:2], Y[:2]), [1.0, 1.0])
    above, _ = result.plot()
    assert labels(above) == ["data", "fit"]


def test_a_compiled_model_is_drawn() -> None:
    model = lmoo.models.Exponential()
    result = Solver().solve(model.problem(T, Y), [1.0, 1.0, 0.0])
    above, _ = result.plot()
    fit = line(above, "fit")
    np.testing.assert_allclose(fit[:, 1], model(fit[:, 0], *result.x))


def test_residuals_can_be_standardized() -> None:
    result = fitted(sigma=SIGMA)
    above, below = result.plot(residuals="standardized")
    expected = -result.standardized_residuals
    np.testing.assert_allclose(points(below), np.column_stack([T, expected]))
    assert below.get_ylabel() == "standardized residual"
    # Their own errors are 1; the lines are at -2 and 2.
    assert below.containers[0].lines[2] == ()
    levels = sorted(
        float(item.get_ydata()[0]) for item in below.lines if len(item.get_ydata()) == 2
    )
    assert levels == [-2.0, 0.0, 2.0]
    np.testing.assert_array_equal(points(above), np.column_stack([T, Y]))
    with pytest.raises(ValueError, match="residuals must be 'raw' or 'standardized'; it is 'big'"):
        result.plot(residuals="big")


def test_labels_are_those_of_the_data_or_given() -> None:
    result = fitted()
    above, below = result.plot()
    assert (below.get_xlabel(), above.get_ylabel(), below.get_ylabel()) == ("t", "y", "data - fit")
    above, below = result.plot(xlabel="time (s)", ylabel="$U$")
    assert (below.get_xlabel(), above.get_ylabel()) == ("time (s)", "$U$")
    named = CurveProblem(lambda dose, a: a * dose, T, Y)
    above, below = Solver().solve(named, [1.0]).plot()
    assert below.get_xlabel() == "dose"
    named.labels = ("dose (mg)", "response (%)")
    above, below = Solver().solve(named, [1.0]).plot()
    assert (below.get_xlabel(), above.get_ylabel()) == ("dose (mg)", "response (%)")


def test_labels_that_are_long_or_unprintable_are_made_legible() -> None:
    above, below = fitted().plot(xlabel="a\tb", ylabel="y" * 100)
    assert (below.get_xlabel(), above.get_ylabel()) == ("a b", "y" * 60 + "...")


def test_outliers_of_least_squares_are_marked() -> None:
    t = np.linspace(0.0, 2.0, 40)
    y = decay(t, 2.0, 1.3) + 0.02 * np.cos(40 * t)
    y[7] += 1.0
    for ax, name in zip(
        Solver().solve(CurveProblem(decay, t, y), [2.0, 1.0]).plot(),
        ("data", "residual"),
        strict=True,
    ):
        assert ax.containers[1].get_label() == f"{name}, far from the fit"
        np.testing.assert_array_equal(ax.containers[1].lines[0].get_xdata(), t[[7]])


def test_a_fit_that_has_not_converged_has_no_bands() -> None:
    result = Solver(maxfev=2).solve(CurveProblem(decay, T, Y), [9.0, 9.0])
    above, _ = result.plot()
    assert labels(above) == ["data", "last point, not converged"]


def test_components_have_colours_of_their_own() -> None:
    model = lmoo.Expression("a*exp(-b*t)") + lmoo.Expression("c")
    above, _ = lmoo.fit(model, T, Y + 0.3, p0=[2.0, 1.0, 0.0]).plot(components=True)
    dashed = [item for item in above.lines if item.get_linestyle() == "--"]
    assert sorted(item.get_label() for item in dashed) == ["a*exp(-b*t)", "c"]
    assert len({item.get_color() for item in (*dashed, above.lines[-1])}) == 3


def test_both_parts_of_a_complex_curve_are_drawn_against_t() -> None:
    def model(w: Any, r: float, tau: float) -> Any:
        return r / (1.0 + 1j * w * tau)

    sigma = 0.01 * (1.0 + T) + 0.03j
    y = model(T, 2.0, 0.7) + 0.01 * Y
    result = Solver().solve(CurveProblem(model, T, y, sigma), [1.0, 1.0])
    above, below = result.plot()
    assert below.get_xlabel() == "w"
    fit = line(above, "fit, imaginary")
    assert len(fit) == 400
    np.testing.assert_allclose(fit[:, 1], model(fit[:, 0], *result.x).imag)
    real, imaginary = (box.lines[0].get_xydata() for box in above.containers[:2])
    np.testing.assert_array_equal(real, np.column_stack([T, y.real]))
    np.testing.assert_array_equal(imaginary, np.column_stack([T, y.imag]))
    bars = above.containers[1].lines[2][0].get_segments()
    np.testing.assert_allclose([bar[1, 1] - bar[0, 1] for bar in bars], 0.06)
    at = fit[:, 0]
    both = np.concatenate([np.interp(at, T, sigma.real), np.full(at.size, 0.03)])
    _, low, high = result.predict(at, "prediction", sigma=both)
    drawn = band(above, "95 % prediction, imaginary")
    np.testing.assert_allclose(drawn[0], low.imag)
    np.testing.assert_allclose(drawn[1], high.imag)
    difference = (y - model(T, *result.x)).imag
    np.testing.assert_allclose(below.containers[1].lines[0].get_ydata(), difference)


def test_a_joint_fit_is_drawn_problem_by_problem() -> None:
    parts = [CurveProblem(decay, T, k * Y) for k in (1.0, 2.0, 3.0)]
    problem = lmoo.JointProblem(parts, shared=["rate"])
    result = Solver().solve(problem, {"rate": 1.0, "amplitude": 1.0})
    axes = result.plot()
    assert [ax.get_title() for ax in axes] == [f"problem {k} of 3" for k in range(3)]
    for k, ax in enumerate(axes):
        np.testing.assert_array_equal(points(ax)[:, 1], (k + 1) * Y)
    # One legend is enough.
    assert [ax.get_legend() is None for ax in axes] == [False, True, True]
    given = list(plt.figure().subplots(1, 2))
    assert result.plot(given, prediction=False) is given
    assert labels(given[0]) == ["data", "fit", "95 % confidence"]


def test_a_large_joint_fit_has_twelve_plots() -> None:
    parts = [CurveProblem(decay, T, k * Y) for k in range(1, 15)]
    problem = lmoo.JointProblem(parts, shared=["rate"])
    axes = Solver().solve(problem, {"rate": 1.0, "amplitude": 1.0}).plot()
    assert len(axes) == 12


# ============================================================================ smooth lines


def test_a_smooth_line_keeps_the_points_and_adds_no_extrema() -> None:
    random = np.random.default_rng(0)
    for _ in range(50):
        x = np.cumsum(random.uniform(0.01, 1.0, size=9))
        y = np.cumsum(random.uniform(0.0, 1.0, size=9))
        fine = smooth_line(x, y)
        np.testing.assert_array_equal(np.stack(fine)[:, ::12], [x, y])
        assert (np.diff(fine[0]) > 0).all()
        assert (np.diff(fine[1]) >= -1e-12).all()


def test_a_smooth_line_is_close_to_a_function() -> None:
    x = np.linspace(0.0, 1.0, 12)
    fine = smooth_line(x, np.exp(x))
    # The polygon deviates by 2.7e-3.
    assert np.abs(fine[1] - np.exp(fine[0])).max() < 1e-4


def test_a_closed_line_is_close_to_a_circle() -> None:
    angle = np.linspace(0.0, 2 * np.pi, 33)
    x, y = closed_line(np.cos(angle), np.sin(angle))
    np.testing.assert_allclose([x[0], y[0]], [x[-1], y[-1]], atol=1e-15)
    assert np.abs(np.hypot(x, y) - 1.0).max() < 1.5e-3
    # The polygon deviates by 5e-3.
    assert max(np.abs(x).max(), np.abs(y).max()) <= 1.0 + 1e-15


@pytest.mark.parametrize("size", [1, 2])
def test_few_points_stay_as_they_are(size: int) -> None:
    x = np.arange(float(size))
    assert smooth_line(x, x)[0] is x
    assert closed_line(x, x)[0] is x


def test_a_contour_with_points_at_infinity_stays_as_it_is() -> None:
    x = np.array([0.0, 1.0, np.inf, 0.0, 0.0])
    assert closed_line(x, x)[0] is x


# ============================================================================ profiles


def test_a_profile_is_drawn_beside_its_straight_line() -> None:
    data = nist("Misra1a")
    result = Solver().solve(data, data.starts[1])
    ax = result.plot_profile("b2")
    drawn = line(ax, "profile")
    values, tau = drawn.T
    assert (np.diff(values) > 0).all()
    linear = line(ax, "linear")
    np.testing.assert_allclose(linear[:, 1], (linear[:, 0] - result.x[1]) / result.stderr[1])
    assert line(ax, "best fit").tolist() == [[result.x[1], 0.0]]
    # The marks are at the ends of the interval.
    low, high = result.confidence_interval(method="profile")[1]
    marks = [item.get_xydata()[-1, 0] for item in ax.lines if len(item.get_xydata()) == 3]
    np.testing.assert_allclose(marks, [low, high], rtol=1e-3)
    assert labels(ax) == ["linear", "profile", "best fit", "95 % interval"]
    assert ax.get_xlabel() == "b2"
    assert tau[0] < 0 < tau[-1]


def test_the_line_follows_a_logarithmic_axis() -> None:
    t = np.array([0.0, *10.0 ** np.arange(-2, 3)])
    model = lmoo.models.Logistic4()
    y = model(t, 9.0, 1.2, 2.0, 1.0) + 0.1 * np.cos(7 * t)
    result = Solver().solve(model.problem(t, y), [10.0, 1.0, 1.0, 0.0])
    ax = plt.figure().subplots()
    ax.set_xscale("log")
    places = line(result.plot(ax), "fit")[:, 0]
    # A dose of 0 has no place there.
    assert (places[0], places[-1]) == (0.01, 100.0)
    np.testing.assert_allclose(np.diff(np.log(places)), np.log(1e4) / 399)


@pytest.mark.parametrize("side", [-1, 1])
def test_a_profile_at_a_bound_has_one_side(side: int) -> None:
    bounds = {"rate": (0.5, 1.0) if side > 0 else (2.0, 3.0)}
    result = Solver(bounds=bounds).solve(CurveProblem(decay, T, Y), [1.0, np.mean(bounds["rate"])])
    assert result.active_mask.tolist() == [0, side]
    ax = result.plot_profile("rate")
    low, high = ax.get_ylim()
    assert (high < -0.1 * low) if side > 0 else (-low < 0.1 * high)
    assert sum(len(item.get_xydata()) == 3 for item in ax.lines) == 1


def test_a_profile_that_never_gets_there_has_one_mark() -> None:
    t = np.linspace(0.1, 1.0, 8)
    y = t * (1 - 0.3 * t) + 0.03 * np.random.default_rng(3).normal(size=8)
    problem = CurveProblem(lambda t, vmax, k: vmax * t / (k + t), t, y)
    ax = Solver().solve(problem, [10.0, 10.0]).plot_profile("vmax")
    assert sum(len(item.get_xydata()) == 3 for item in ax.lines) == 1


@pytest.mark.parametrize("given", [True, False])
def test_joint_regions_are_drawn_beside_the_ellipse(given: bool) -> None:
    result = fitted()
    ax = plt.figure().subplots() if given else None
    drawn = result.plot_contour("amplitude", 1, ax)
    assert (drawn is ax) == given
    outlines = [item.get_xydata() for item in drawn.lines if item.get_label().startswith("_")]
    for level, outline in zip((0.95, 0.68), outlines, strict=True):
        corners = np.stack(contour(result, 0, 1, level, True), axis=1)
        # The smooth line goes through the points of the contour, and leaves their box nowhere.
        distances = np.abs(outline[:, None] - corners).max(axis=2)
        assert distances.min(axis=0).max() < 1e-12
        assert (outline >= corners.min(axis=0) - 1e-12).all()
        assert (outline <= corners.max(axis=0) + 1e-12).all()
    ellipse = line(drawn, "95 % linear") - result.x
    inverse = np.linalg.inv(result.covariance())
    height = np.einsum("ki,ij,kj->k", ellipse, inverse, ellipse)
    np.testing.assert_allclose(height, height[0], rtol=1e-8)
    assert (drawn.get_xlabel(), drawn.get_ylabel()) == ("amplitude", "rate")
    assert sorted(labels(drawn)) == ["68 % region", "95 % linear", "95 % region", "best fit"]


def test_the_legend_of_joint_regions_has_their_shades() -> None:
    ax = fitted().plot_contour(0, 1, levels=(0.68, 0.95))
    # From the largest region to the smallest, each drawn upon those before.
    areas = [patch.get_alpha() for patch in ax.patches if len(patch.get_xy()) > 1]
    keys = [patch for patch in ax.patches if len(patch.get_xy()) <= 1]
    assert [key.get_label() for key in keys] == ["95 % region", "68 % region"]
    shades = [key.get_alpha() for key in keys]
    np.testing.assert_allclose(shades, 1.0 - np.cumprod(1.0 - np.array(areas)))


# ============================================================================ convergence


def test_convergence_is_what_the_history_says() -> None:
    data = nist("Rat43")
    result = Solver().solve(data, data.starts[0], history=True)
    history = result.history
    assert history is not None
    ax = result.plot_convergence()
    drawn = line(ax, "cost above the last, relative")
    np.testing.assert_array_equal(drawn[:, 0], history.iteration)
    excess = (history.cost - history.cost.min()) / history.cost.min()
    seen = np.isfinite(drawn[:, 1])
    np.testing.assert_allclose(drawn[seen, 1], excess[seen])
    assert (excess[~seen] < 1e-14).all()
    optimality = line(ax, "optimality")
    positive = history.optimality > 0
    np.testing.assert_allclose(optimality[positive, 1], history.optimality[positive])
    assert ax.get_yscale() == "log"


def test_refused_steps_are_marked() -> None:
    rosenbrock = FunctionProblem(lambda x: np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]]))
    result = Solver(factor=100.0).solve(rosenbrock, [-1.2, 1.0], history=True)
    assert not result.history.accepted.all()
    ax = result.plot_convergence()
    assert "step refused" in labels(ax)
    # One marker an iteration and curve.
    markers = sum(
        len(item.get_xydata())
        for item in ax.lines
        if item.get_marker() == "o" and item.get_linestyle() == "None"
    )
    assert markers == 2 * result.nit


def test_convergence_needs_a_history() -> None:
    result = Solver().solve(CurveProblem(decay, T, Y), [1.0, 1.0])
    with pytest.raises(ValueError, match=r"Solver\.solve\(\.\.\., history=True\)"):
        result.plot_convergence()


# ============================================================================ refusals


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = fitted()
    for draw in (
        result.plot,
        result.plot_convergence,
        lambda: result.plot_profile(0),
        lambda: result.plot_contour(0, 1),
    ):
        with pytest.raises(ImportError, match=r"pip install lmoo\[plot\]"):
            draw()


def test_arguments_that_are_none() -> None:
    result = fitted()
    with pytest.raises(ValueError, match="level must be between 0 and 1"):
        result.plot(level=95)
    with pytest.raises(ValueError, match="levels must be between 0 and 1"):
        result.plot_contour(0, 1, levels=[95])
    with pytest.raises(ValueError, match="i must be one of amplitude, rate; it is 'b'"):
        result.plot_contour("b", 1)
    with pytest.raises(ValueError, match="i and j must be two parameters"):
        result.plot_contour(0, 0)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_the_picture_of_a_fit_takes_one_or_two_axes(count: int) -> None:
    axes = list(plt.figure().subplots(1, 4))[:count]
    with pytest.raises(TypeError, match="ax must be Axes, a pair of them or None; it is "):
        fitted().plot(axes)


def test_a_pair_must_be_of_axes() -> None:
    with pytest.raises(TypeError, match="ax must be Axes, a pair of them or None; it is "):
        fitted().plot("ab")


def test_names_of_parameters_are_no_formulas() -> None:
    names = ("a $x^{$", "$r_$")
    result = Solver().solve(CurveProblem(decay, T, Y, parameter_names=names), [1.0, 1.0])
    axes = result.plot_profile(0), result.plot_contour(0, 1)
    assert (axes[1].get_xlabel(), axes[1].get_ylabel()) == names
    for ax in axes:
        # Where a name were read as a formula, this would raise.
        ax.figure.canvas.draw()
