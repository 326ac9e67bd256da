"""Images, and other data on grids: y of two and more dimensions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lmoo

U, V = np.meshgrid(np.arange(9.0), np.arange(7.0))
TRUE = (5.0, 4.2, 3.1, 1.5, 1.0)
START = (4.0, 4.0, 3.0, 2.0, 0.5)


def spot(t: Any, a: Any, u: Any, v: Any, w: Any, c: Any) -> Any:
    return a * np.exp(-((t[0] - u) ** 2 + (t[1] - v) ** 2) / (2.0 * w**2)) + c


IMAGE = spot((U, V), *TRUE) + 0.01 * np.cos(3.0 * U + 5.0 * V)
FLAT = lmoo.Solver().solve(lmoo.CurveProblem(spot, (U.ravel(), V.ravel()), IMAGE.ravel()), START)
GRIDS: dict[str, Any] = {
    "tuple": (U, V),
    "array": np.array([U, V]),
    "open grid": (np.arange(9.0)[None, :], np.arange(7.0)[:, None]),
    "list": [U.tolist(), V.tolist()],
}


@pytest.mark.parametrize("t", GRIDS.values(), ids=GRIDS.keys())
def test_an_image_is_a_row_of_points(t: Any) -> None:
    result = lmoo.Solver().solve(lmoo.CurveProblem(spot, t, IMAGE), START)
    np.testing.assert_array_equal(result.x, FLAT.x)
    # The residual has the points in C order.
    assert result.residual.shape == (63,)
    np.testing.assert_allclose(
        result.residual.reshape(IMAGE.shape), spot((U, V), *result.x) - IMAGE
    )
    np.testing.assert_allclose(lmoo.fit(spot, t, IMAGE, START).x, FLAT.x, rtol=1e-8)
    np.testing.assert_allclose(lmoo.curve_fit(spot, t, IMAGE, START)[0], FLAT.x, rtol=1e-8)
    nested = lmoo.Solver().solve(lmoo.CurveProblem(spot, t, IMAGE.tolist()), START)
    np.testing.assert_array_equal(nested.x, FLAT.x)


def test_predictions_have_the_shape_of_the_grid() -> None:
    result = lmoo.fit(spot, (U, V), IMAGE, START)
    assert result.predict().shape == (63,)
    for grid in GRIDS.values():
        if not isinstance(grid, list):
            np.testing.assert_allclose(result.predict(grid), spot((U, V), *result.x))
    found = result.predict((U, V), interval="prediction")
    assert [part.shape for part in found] == [IMAGE.shape] * 3
    row = result.predict((U[0], V[0]))
    np.testing.assert_allclose(row, result.predict((U, V))[0])


@pytest.mark.parametrize(
    "problem",
    [
        lambda y, s: lmoo.CurveProblem(spot, (U, V), y, s),
        lambda y, s: lmoo.CurveBlocks(spot, np.array([U, V]), y, sigma=s, block_size=20),
        lambda y, s: lmoo.models.Gaussian2D().problem((U, V), y, s),
        lambda y, s: lmoo.models.Gaussian2D().problem(np.array([U, V]), y, s),
    ],
)
def test_masked_pixels_are_left_out(problem: Callable[..., Any]) -> None:
    bad = (U + 2 * V) % 7 == 3
    sigma = np.where(U < 4, 0.01, 0.02)
    masked = np.ma.array(np.where(bad, 99.0, IMAGE), mask=bad)
    points = (U[~bad], V[~bad])
    expected = lmoo.Solver().solve(lmoo.CurveProblem(spot, points, IMAGE[~bad], sigma[~bad]), START)
    for y, s in (
        (masked, sigma),
        (np.where(bad, 99.0, IMAGE), np.ma.array(sigma, mask=bad)),
    ):
        result = lmoo.Solver().solve(problem(y, s), START)
        assert result.observations == np.count_nonzero(~bad)
        np.testing.assert_allclose(result.x, expected.x, rtol=1e-7)


def test_errors_in_the_positions_of_pixels() -> None:
    found = lmoo.fit(spot, (U, V), IMAGE, START, 0.01, sigma_x=(np.full(U.shape, 0.001), 0.002))
    expected = lmoo.fit(
        spot, (U.ravel(), V.ravel()), IMAGE.ravel(), START, 0.01, sigma_x=(0.001, 0.002)
    )
    np.testing.assert_allclose(found.x, expected.x, rtol=1e-9)


def test_masked_errors_in_x_leave_points_out() -> None:
    t = np.linspace(0.0, 4.0, 20)
    y = 2.0 * np.exp(-t) + 0.01 * np.cos(7.0 * t)
    bad = np.arange(20) % 6 == 2
    sigma_x = np.ma.array(np.where(bad, np.nan, 0.02), mask=bad)
    expected = lmoo.fit("a*exp(-b*t)", t[~bad], y[~bad], [1, 1], 0.01, sigma_x=0.02)
    found = lmoo.fit("a*exp(-b*t)", t, y, [1, 1], 0.01, sigma_x=sigma_x)
    assert found.observations == np.count_nonzero(~bad)
    np.testing.assert_array_equal(found.x, expected.x)
    popt, _ = lmoo.curve_fit(
        lambda t, a, b: a * np.exp(-b * t), t, y, [1, 1], 0.01, sigma_x=sigma_x
    )
    np.testing.assert_allclose(popt, expected.x, rtol=1e-7)


def test_a_single_variable_on_a_grid() -> None:
    r = np.hypot(U, V)
    result = lmoo.fit("a*exp(-r)", data={"r": r, "y": 3.0 * np.exp(-r)}, y="y")
    np.testing.assert_allclose(result.x, [3.0])


def test_dimensions_of_labelled_arrays() -> None:
    xarray = pytest.importorskip("xarray")
    axes = {"u": np.arange(9.0), "v": np.arange(7.0)}
    image = xarray.DataArray(IMAGE, dims=("v", "u"), coords=axes, name="counts")
    text = "a*exp(-((u - u0)**2 + (v - v0)**2)/(2*w**2)) + c"
    start = dict(zip(("a", "u0", "v0", "w", "c"), START, strict=True))
    for data in (image.to_dataset(), image.to_dataset().transpose("u", "v")):
        data["noise"] = (("u", "v"), np.full((9, 7), 0.01))
        result = lmoo.fit(text, data=data, y="counts", sigma="noise", p0=start)
        np.testing.assert_allclose(result["u0"].value, FLAT.x[1], rtol=1e-6)
        assert result.problem.labels == ("u, v", "counts")
    shifted = image.assign_coords(u=np.arange(9.0) + 1.0)
    with pytest.raises(ValueError, match="align"):
        lmoo.CurveProblem(spot, (image.u, image.v), image, shifted)


@pytest.mark.parametrize(
    "t", [(U.ravel(), V.ravel()), (U[:3], V[:3]), np.array([U.ravel(), V.ravel()])]
)
def test_points_of_another_shape_are_refused(t: Any) -> None:
    with pytest.raises(ValueError, match=r"y must be 1-D; its shape is \(7, 9\)|return|operands"):
        lmoo.Solver().solve(lmoo.CurveProblem(spot, t, IMAGE), START)
