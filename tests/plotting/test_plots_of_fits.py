"""Plots of fits: what is drawn, not how it looks."""

from __future__ import annotations

import sys
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from plot_cases import T, Y, decay, fitted, labels, line

import lmoo
from lmoo import CurveProblem, Solver

SIGMA = 0.02 + 0.03 * T


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
