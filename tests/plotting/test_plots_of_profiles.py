"""Plots of profiles, joint regions and the convergence: what is drawn, not how it looks."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from plot_cases import T, Y, decay, fitted, labels, line

import lmoo
from lmoo import CurveProblem, FunctionProblem, Solver
from lmoo.datasets import nist
from lmoo.results.profile import contour


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
