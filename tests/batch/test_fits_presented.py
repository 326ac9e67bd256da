"""Summaries, tables and plots of many fits."""

from __future__ import annotations

import re
import sys
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")

import matplotlib.pyplot as plt

import lmoo
from lmoo import Fits, Solver

T = np.linspace(0.0, 5.0, 30)
TAU = 1.0 + 0.2 * np.arange(12.0).reshape(3, 4)
Y = 2.0 * np.exp(-T / TAU[..., None]) + 0.02 * np.cos(23 * T)
HOLES = Y.copy()
HOLES[1, 2] = np.nan
HOLES[0, 0, 20:] = np.nan


def decay(t: Any, a: Any, tau: Any) -> Any:
    return a * np.exp(-t / tau)


def fits_of(y: np.ndarray, **options: Any) -> Fits:
    options = {"p0": [1.0, 1.0], "nan_policy": "omit", **options}
    return lmoo.curve_fit_many(decay, T, y, **options)


@pytest.fixture(scope="module")
def fits() -> Fits:
    return fits_of(HOLES)


@pytest.fixture(autouse=True)
def closed() -> Any:
    yield
    plt.close("all")


# ============================================================================ numbers


def test_names_and_points(fits: Fits) -> None:
    assert fits.parameter_names == ("a", "tau")
    assert fits.derived_names == ()
    assert fits.observations.tolist() == [[20, 30, 30, 30], [30, 30, 0, 30], [30] * 4]
    nameless = lmoo.curve_fit_many(lambda t, *x: x[0] * t, T, Y, p0=[1.0], trace=False)
    assert nameless.parameter_names == ("x[0]",)


def test_chi_square_is_that_of_each_result(fits: Fits) -> None:
    for index in ((0, 0), (1, 1), (2, 3)):
        one = fits[index]
        assert fits.chi_square[index] == pytest.approx(2 * one.cost)
        assert fits.reduced_chi_square[index] == pytest.approx(one.reduced_chi_square)
    assert np.isnan(fits.reduced_chi_square[1, 2])


@pytest.mark.parametrize(
    "options",
    [
        {"fixed": {"a": 2.0}, "p0": {"a": 2.0, "tau": 1.0}},
        {"fixed": {"a": TAU}, "p0": {"a": TAU, "tau": 1.0}},
        {"ties": {"a": "2*tau"}, "p0": {"tau": 1.0}},
        {"priors": {"tau": (1.5, 0.1)}},
        {"solver": Solver(bounds={"tau": (0.1, 10.0)})},
    ],
    ids=["fixed", "fixed for each", "tied", "prior", "bounds"],
)
def test_degrees_of_freedom_are_those_of_each_result(options: dict[str, Any]) -> None:
    found = fits_of(Y, **options)
    for index in ((0, 1), (2, 3)):
        one = found[index]
        assert found.observations[index] == one.observations
        degrees = found.chi_square[index] / found.reduced_chi_square[index]
        assert degrees == pytest.approx(one.degrees_of_freedom)


def test_with_a_loss_there_is_no_reduced_chi_square() -> None:
    found = fits_of(Y, solver=Solver(loss="huber"))
    assert np.isnan(found.reduced_chi_square).all()
    assert np.isfinite(found.chi_square).all()


def test_shared_parameters_have_the_joint_chi_square() -> None:
    y = 2.0 * np.exp(-T / 1.3) * np.arange(1.0, 4.0)[:, None] + 0.02 * np.cos(23 * T)
    found = fits_of(y, shared=["tau"])
    assert found.chi_square.sum() == pytest.approx(2 * found.joint_cost)
    np.testing.assert_allclose(found.reduced_chi_square, found.residual_deviation**2)
    assert found.observations.tolist() == [30, 30, 30]
    assert found[1].x0.tolist() == [1.0, 1.0]


def test_results_of_a_stack_have_their_starting_values() -> None:
    found = fits_of(Y, p0=np.stack([TAU, TAU + 0.5], axis=-1))
    assert found[1, 2].x0.tolist() == [TAU[1, 2], TAU[1, 2] + 0.5]
    related = fits_of(Y, ties={"a": "2*tau"}, p0={"tau": 1.5})
    assert related[0, 0].x0.tolist() == [3.0, 1.5]


# ============================================================================ summaries


def test_the_repr_is_one_line(fits: Fits) -> None:
    assert repr(fits) == "<Fits of 3 x 4 curves, 11 of 12 converged: a, tau>"
    related = fits_of(Y, derived={"rate": "1/tau"})
    assert repr(related) == "<RelatedFits of 3 x 4 curves, 12 of 12 converged: a, tau, rate>"
    joint = fits_of(Y[0], shared=["a"])
    assert repr(joint) == "<JointFits of 4 curves, 4 of 4 converged: a, tau>"


def test_the_html_has_counts_and_quartiles(fits: Fits) -> None:
    html = fits._repr_html_()
    assert "11 of 12" in html
    assert "1 IMPROPER_INPUT" in html
    assert "decay(t, a, tau)" in html
    tau = fits.x[..., 1][fits.success]
    assert f"{np.median(tau):.2f}"[:4] in html


def test_the_html_of_fits_that_all_failed() -> None:
    html = fits_of(np.full((2, 30), np.nan))._repr_html_()
    assert "0 of 2" in html
    assert "2 IMPROPER_INPUT" in html


# ============================================================================ tables


def test_a_data_frame_has_a_row_for_each_fit(fits: Fits) -> None:
    pd = pytest.importorskip("pandas")
    table = fits.to_dataframe()
    assert isinstance(table, pd.DataFrame)
    assert list(table.columns) == [
        "a", "a_stderr", "tau", "tau_stderr", "chi_square", "observations", "status", "success",
        "nfev", "nit",
    ]  # fmt: skip
    assert table.index.names == ["dim_0", "dim_1"]
    good = fits.success.ravel()
    np.testing.assert_array_equal(table["tau"][good], fits.x[..., 1].ravel()[good])
    np.testing.assert_array_equal(table["tau_stderr"][good], fits.stderr[..., 1].ravel()[good])
    bad = table.loc[(1, 2)]
    assert np.isnan(bad["tau"])
    assert bad["status"] == int(lmoo.Status.IMPROPER_INPUT)
    assert not bad["success"]


def test_failed_fits_may_keep_their_last_point() -> None:
    pytest.importorskip("pandas")
    found = fits_of(Y[0], solver=Solver(maxfev=4))
    assert not found.success.any()
    assert found.to_dataframe()["tau"].isna().all()
    kept = found.to_dataframe(failed="keep")
    np.testing.assert_array_equal(kept["tau"], found.x[:, 1])
    assert kept["tau_stderr"].isna().all()
    with pytest.raises(ValueError, match="failed must be 'nan' or 'keep'; it is 'drop'"):
        found.to_dataframe(failed="drop")  # type: ignore[arg-type]


def test_derived_quantities_have_columns() -> None:
    pytest.importorskip("pandas")
    table = fits_of(Y[0], derived={"rate": "1/tau"}).to_dataframe()
    np.testing.assert_allclose(table["rate"], 1.0 / table["tau"])
    np.testing.assert_allclose(table["rate_stderr"], table["tau_stderr"] / table["tau"] ** 2)
    assert table.index.tolist() == [0, 1, 2, 3]


def test_two_columns_of_one_name_are_refused() -> None:
    pytest.importorskip("pandas")
    found = lmoo.curve_fit_many(lambda t, a, nit: a * np.exp(-t / nit), T, Y[0], p0=[1.0, 1.0])
    with pytest.raises(ValueError, match=r"two columns 'nit'.*use to_xarray"):
        found.to_dataframe()


def test_a_dataset_has_the_shape_of_the_stack(fits: Fits) -> None:
    xr = pytest.importorskip("xarray")
    table = fits.to_xarray(["row", "column"], {"row": [10, 20, 30]})
    assert isinstance(table, xr.Dataset)
    assert dict(table.sizes) == {"row": 3, "column": 4, "parameter": 2, "parameter_2": 2}
    tau = table["value"].sel(parameter="tau")
    good = fits.success
    np.testing.assert_array_equal(tau.values[good], fits.x[..., 1][good])
    assert np.isnan(tau.sel(row=20)[2])
    np.testing.assert_array_equal(table["covariance"].values[good], fits.covariance[good])
    assert table["success"].values.tolist() == good.tolist()
    assert fits.to_xarray()["value"].dims == ("dim_0", "dim_1", "parameter")


def test_a_dataset_of_derived_quantities_has_no_covariance() -> None:
    pytest.importorskip("xarray")
    table = fits_of(Y[0], derived={"rate": "1/tau"}).to_xarray()
    assert table["parameter"].values.tolist() == ["a", "tau", "rate"]
    assert "covariance" not in table


@pytest.mark.parametrize("dims", ["xy", ["row"], ["a", "b", "c"]])
def test_dimensions_must_have_names(fits: Fits, dims: Any) -> None:
    pytest.importorskip("xarray")
    with pytest.raises(ValueError, match="dims must have a name for each of the 2 dimensions"):
        fits.to_xarray(dims)


def test_packages_that_are_missing_are_named(fits: Fits, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    monkeypatch.setitem(sys.modules, "xarray", None)
    with pytest.raises(ImportError, match="pip install pandas"):
        fits.to_dataframe()
    with pytest.raises(ImportError, match=r"pip install lmoo\[xarray\]"):
        fits.to_xarray()


# ============================================================================ plots


def test_a_map_has_the_values_and_marks_failures(fits: Fits) -> None:
    ax = fits.plot_map("tau")
    image, failures = ax.images
    good = fits.success
    np.testing.assert_array_equal(np.asarray(image.get_array())[good], fits.x[..., 1][good])
    assert np.isfinite(np.asarray(failures.get_array())).tolist() == (~good).tolist()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["1 of 12 without a result"]
    low, high = image.get_clim()
    assert fits.x[..., 1][good].min() <= low < high <= fits.x[..., 1][good].max()
    assert image.colorbar.ax.get_ylabel() == "tau"


def test_a_map_of_errors_and_of_other_numbers(fits: Fits) -> None:
    ax = plt.figure().subplots()
    assert fits.plot_map("tau", ax, error=True, limits=(0.0, 1.0), cmap="magma") is ax
    image = ax.images[0]
    assert image.get_clim() == (0.0, 1.0)
    assert image.get_cmap().name == "magma"
    assert np.asarray(image.get_array())[2, 3] == fits.stderr[2, 3, 1]
    drawn = fits.plot_map("chi_square").images[0]
    assert np.asarray(drawn.get_array())[2, 3] == fits.chi_square[2, 3]
    with pytest.raises(ValueError, match="error must be False for 'nit'"):
        fits.plot_map("nit", error=True)
    with pytest.raises(KeyError, match="'b' is none of a, tau, chi_square"):
        fits.plot_map("b")


def test_a_map_without_failures_has_no_legend() -> None:
    found = fits_of(Y, derived={"rate": "1/tau"})
    ax = found.plot_map("rate")
    assert len(ax.images) == 1
    assert ax.get_legend() is None
    np.testing.assert_allclose(np.asarray(ax.images[0].get_array()), found["rate"].value)


def test_fits_in_a_row_are_points(fits: Fits) -> None:
    row = fits_of(HOLES[1])
    ax = row.plot_map("tau")
    points = ax.containers[0].lines[0]
    np.testing.assert_array_equal(points.get_xdata(), [0, 1, 3])
    np.testing.assert_array_equal(points.get_ydata(), row.x[[0, 1, 3], 1])
    (crosses,) = (line for line in ax.lines if line.get_marker() == "x")
    assert crosses.get_xdata().tolist() == [2]
    ax.figure.canvas.draw()


def test_a_stack_of_three_dimensions_has_no_map() -> None:
    found = fits_of(Y.reshape(3, 2, 2, 30))
    with pytest.raises(ValueError, match=r"one or two dimensions; this one has the shape \(3, 2"):
        found.plot_map("tau")


def test_a_map_of_fits_that_all_failed() -> None:
    ax = fits_of(np.full((2, 3, 30), np.nan)).plot_map("tau")
    ax.figure.canvas.draw()


def test_one_curve_is_plotted(fits: Fits) -> None:
    above, _ = fits.plot((2, 3), xlabel="time")
    drawn = np.asarray(above.containers[0].lines[0].get_ydata())
    np.testing.assert_array_equal(drawn, HOLES[2, 3])


# ============================================================================ pages


def images(path: Any) -> list[str]:
    return re.findall(
        '<img src="data:image/png;base64,[^"]+" alt="([^"]*)"', path.read_text("utf-8")
    )


def test_the_page_of_a_stack(fits: Fits, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "page.html"
    fits.to_html(path, title="a < b")
    text = path.read_text("utf-8")
    assert "<h1>a &lt; b</h1>" in text
    assert "11 of 12 fits converged" in text
    assert "1 IMPROPER_INPUT" in text
    maps, curves = images(path)[:3], images(path)[3:]
    assert [alt.split()[0] for alt in maps] == ["a", "tau", "chi_square"]
    assert all(alt.endswith("by row and column; fits without a result are marked.") for alt in maps)
    largest = np.unravel_index(np.nanargmax(np.where(fits.success, fits.chi_square, 0)), fits.shape)
    place = ", ".join(map(str, largest))
    assert curves[0] == f"Curve {place}, the largest sum of squares."
    assert len(curves) == 2  # the curve without points has nothing to draw
    assert plt.get_fignums() == []
    # What is rendered has been seen.
    monkeypatch.setattr("lmoo.results.report.pictures.png_of", lambda figure: b"\x89PNG")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        fits.to_html(path)
    fits.to_html(path, overwrite=True)
    assert images(path) == [*maps, *curves]


def test_the_page_of_a_stack_with_failures_of_one_dimension(tmp_path: Any) -> None:
    fits = fits_of(Y[0], solver=Solver(maxfev=2), p0=[50.0, 90.0])
    assert not fits.success.any()
    fits.to_html(tmp_path / "page.html")
    assert "0 of 4 fits converged" in (tmp_path / "page.html").read_text("utf-8")
    assert images(tmp_path / "page.html") == ["Curve 0, the first that has not converged."]


def test_the_page_of_shared_parameters(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lmoo.results.report.pictures.png_of", lambda figure: b"\x89PNG")
    fits_of(Y, shared=["a"]).to_html(tmp_path / "page.html")
    assert len(images(tmp_path / "page.html")) == 5


def test_the_page_of_problems_that_are_no_curves(tmp_path: Any) -> None:
    class Shift(lmoo.BatchProblem):
        parameter_names = ("x",)

        def residual(self, x: Any, which: Any) -> Any:
            return np.stack([x[:, 0] - which, 0.0 * x[:, 0] + 0.1], axis=1)

    fits = lmoo.solve_many(Shift(), np.zeros((5, 1)))
    fits.to_html(tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text("utf-8")
    assert "<h1>Fits of Shift</h1>" in text
    assert "Shift" in fits._repr_html_()
    assert "_Model" not in text
    assert len(images(tmp_path / "page.html")) == 2
