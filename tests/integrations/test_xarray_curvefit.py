"""`curvefit` gives the Dataset that xarray's own method gives."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lmoo

xr = pytest.importorskip("xarray")
pytest.importorskip("scipy.optimize")

from lmoo.integrations.xarray import curvefit  # noqa: E402

T = np.linspace(0.0, 4.0, 25)


def model(t: Any, a: float, b: float = 0.8, c: float = 0.1) -> Any:
    return a * np.exp(-b * t) + c


def cube() -> Any:
    rng = np.random.default_rng(3)
    rates = xr.DataArray(rng.uniform(0.5, 1.5, (3, 4)), dims=("u", "v"), coords={"u": [1, 2, 3]})
    time = xr.DataArray(T, dims="t", coords={"t": T})
    noise = xr.DataArray(rng.normal(0, 0.01, (25, 3, 4)), dims=("t", "u", "v"))
    return (model(time, 2.5, rates, 0.5) + noise).transpose("t", "u", "v")


def compare(
    obj: Any, *args: Any, rtol: float = 1e-5, covariance: bool = True, **kwargs: Any
) -> Any:
    found = curvefit(obj, *args, **kwargs)
    expected = obj.curvefit(*args, **kwargs)
    for name in found.data_vars:
        one, other = found[name], expected[name].transpose(*found[name].dims)
        # scipy's derivatives are forward differences.
        size = float(abs(other).max()) if "covariance" in str(name) else 1e-4
        if covariance or "covariance" not in str(name):
            xr.testing.assert_allclose(one, other, rtol=rtol, atol=1e-3 * size)
    assert set(found.coords) == set(expected.coords)
    assert list(found.data_vars) == list(expected.data_vars)
    assert found.attrs == expected.attrs
    return found


def test_arrays_and_data_sets() -> None:
    found = compare(cube(), "t", model)
    assert found.curvefit_coefficients.dims == ("u", "v", "param")
    data = xr.Dataset({"one": cube(), "two": 2 * cube()}, attrs={"made": "here"})
    compare(data, "t", model, p0={"a": 2.0})
    compare(cube(), "t", model, reduce_dims=["v"])
    compare(cube().isel(u=0, v=0), "t", model)


def test_missing_points() -> None:
    data = cube()
    data[3, 1, 2] = np.nan
    data[:, 0, 0] = np.nan
    found = compare(data, "t", model)
    assert bool(found.curvefit_coefficients[0, 0].isnull().all())
    with pytest.raises(ValueError, match="nan"):
        curvefit(data, "t", model, skipna=False)


def test_a_coordinate_of_its_own_for_each_curve() -> None:
    data = cube()
    shifted = data.t + 0.1 * data.u
    compare(data, shifted, model, reduce_dims="t")
    with_gap = shifted.copy()
    with_gap[2, 0] = np.nan
    compare(data, with_gap, model, reduce_dims="t")


def test_several_coordinates() -> None:
    x, y = np.linspace(-1, 1, 8), np.linspace(0, 2, 7)
    grid = xr.Dataset(coords={"x": x, "y": y, "k": [1.0, 2.0]})

    def plane(points: Any, a: float, b: float, c: float) -> Any:
        u, v = points
        return a * np.exp(b * u) + c * v

    noise = xr.DataArray(np.random.default_rng(1).normal(0, 1e-3, (8, 7, 2)), dims=("x", "y", "k"))
    data = plane((grid.x, grid.y), grid.k, 0.4, 0.2) + noise
    found = compare(data, ["x", "y"], plane)
    assert found.curvefit_coefficients.sel(param="a").values == pytest.approx([1, 2], rel=1e-2)

    def by_rows(points: Any, a: float, b: float, c: float) -> Any:
        assert isinstance(points, np.ndarray)
        return a * np.exp(b * points[0, :]) + c * points[1, :]

    compare(data, ["x", "y"], by_rows)


def test_starts_and_bounds_for_each_curve() -> None:
    data = cube()
    low = xr.DataArray([0.5, 0.9, 1.0], dims="u", coords={"u": [1, 2, 3]})
    found = compare(
        data, "t", model, p0={"b": low + 0.1}, bounds={"b": (low, 5.0)}, rtol=1e-2, covariance=False
    )
    assert bool((found.curvefit_coefficients.sel(param="b") >= low).all())
    compare(
        data, "t", model, bounds={"a": (3.0, 4.0), "c": (-np.inf, 0.2)}, rtol=1e-2, covariance=False
    )


@pytest.mark.parametrize(
    "kwargs",
    [{"method": "trf"}, {"ftol": 1e-10}, {"absolute_sigma": True, "sigma": np.full(25, 0.01)}],
)
def test_options_of_curve_fit(kwargs: dict[str, Any]) -> None:
    compare(cube(), "t", model, kwargs=kwargs)


def test_functions_for_one_curve_alone() -> None:
    def branching(t: Any, a: float, b: float) -> Any:
        return a * np.exp(-b * t) if b > -100.0 else 0 * t

    compare(cube(), "t", branching)


def test_dask_chunk_by_chunk() -> None:
    pytest.importorskip("dask.array")
    data = cube()
    lazy = curvefit(data.chunk({"u": 1}), "t", model)
    assert lazy.curvefit_coefficients.chunks is not None
    xr.testing.assert_allclose(lazy.compute(), curvefit(data, "t", model))


def test_fits_that_fail() -> None:
    data = cube()
    data[:, 1, 1] = np.cos(40 * T)
    options: dict[str, Any] = {"p0": {"b": 40.0}, "kwargs": {"maxfev": 12}}
    with pytest.raises(RuntimeError, match="calls to function has reached maxfev"):
        curvefit(data, "t", model, **options)
    found = curvefit(data, "t", model, errors="ignore", **options)
    assert bool(found.curvefit_coefficients.isnull().any())
    short = data.isel(t=slice(0, 2))
    with pytest.raises(TypeError, match=r"number of parameters, 3, must not exceed .* 2 \(curve"):
        curvefit(short, "t", model)
    ignored = curvefit(short, "t", model, errors="ignore")
    assert bool(ignored.curvefit_coefficients.isnull().all())


def test_a_model_that_raises_is_an_error() -> None:
    class OwnError(Exception):
        pass

    def failing(t: Any, a: float) -> Any:
        raise OwnError

    with pytest.raises((OwnError, lmoo.EvaluationError)) as caught:
        curvefit(cube(), "t", failing)
    assert OwnError in (type(caught.value), type(caught.value.__cause__))


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"errors": "warn"}, "errors must be either"),
        ({"p0": {"a": xr.DataArray(T, dims="t")}}, "Initial guess for 'a' has unexpected dim"),
        ({"bounds": {"a": (xr.DataArray(T, dims="t"), 9)}}, "Lower bound for 'a' has unexpected"),
        ({"func": lambda t, *p: t}, "`param_names` must be provided"),
        ({"coords": xr.DataArray(1.0)}, "No arguments to `coords` were identified"),
        ({"p0": {"a": 9.0}, "bounds": {"a": (0, 1)}}, "Initial guess for 'a' is outside"),
        ({"p0": {"A": 9.0}}, "`p0` has 'A', which is not a parameter of `func`; its .* a, b, c"),
        ({"bounds": {"d": (0, 1)}}, "`bounds` has 'd', which is not a parameter of `func`"),
    ],
)
def test_wrong_arguments(arguments: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        curvefit(cube(), **{"coords": "t", "func": model, **arguments})


def test_the_function_may_be_a_text() -> None:
    found = curvefit(cube(), "t", "a*exp(-b*t) + c", p0={"b": 0.8, "c": 0.1})
    assert found.param.values.tolist() == ["a", "b", "c"]
    expected = curvefit(cube(), "t", model).curvefit_coefficients
    xr.testing.assert_allclose(found.curvefit_coefficients, expected, rtol=1e-7)


PLUGIN = """\
import xarray
from lmoo.integrations.xarray import curvefit

def method(self, *args, **kwargs):
    return curvefit(self, *args, **kwargs)

xarray.DataArray.curvefit = xarray.Dataset.curvefit = method
"""


def test_errors_are_ignored_as_in_the_test_of_xarray() -> None:
    # Its limit of 5 evaluations is reached here before the derivatives at the solution are known.
    def line(x: Any, a: float, b: float) -> Any:
        if a > 10:
            return 0
        return a * x + b

    data = xr.DataArray([[1, 3, 5], [0, 20, 40]], coords={"i": [1, 2], "x": [0.0, 1.0, 2.0]})
    with pytest.raises(RuntimeError, match="calls to function has reached maxfev"):
        curvefit(data, "x", line, kwargs={"maxfev": 12})
    found = curvefit(data, "x", line, errors="ignore", kwargs={"maxfev": 12})
    expected = [[2, 1], [np.nan, np.nan]]
    np.testing.assert_allclose(found.curvefit_coefficients, expected, rtol=1e-7)


@pytest.mark.slow
def test_the_tests_of_xarray(tmp_path: Path) -> None:
    if not (Path(xr.__file__).parent / "tests" / "test_dataarray.py").exists():
        pytest.skip("xarray is installed without its tests")
    (tmp_path / "own_curvefit.py").write_text(PLUGIN)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = flaky\n")
    command = [sys.executable, "-m", "pytest", "-q", "-W", "default", "-p", "own_curvefit"]
    command += ["-c", str(tmp_path / "pytest.ini")]
    command += ["-p", "no:cacheprovider", "-k", "curvefit and not ignore_errors"]
    run = subprocess.run(
        [*command, "--pyargs", "xarray.tests.test_dataarray"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment(tmp_path),
    )
    assert run.returncode == 0, run.stdout
    assert " passed" in run.stdout


def environment(folder: Path) -> dict[str, str]:
    path = os.pathsep.join([str(folder), str(Path(lmoo.__file__).parents[1])])
    return os.environ | {"PYTHONPATH": path}
