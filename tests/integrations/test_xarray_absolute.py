"""`curvefit` with options that are known errors: the curves stay together."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import lmoo

xarray = pytest.importorskip("xarray")


def line(t: Any, a: Any, b: Any) -> Any:
    return a + b * t


def test_absolute_sigma_of_all_curves() -> None:
    from lmoo.integrations.xarray import curvefit

    t = np.linspace(0.0, 1.0, 12)
    y = line(t, 1.0, np.array([[2.0], [3.0]])) + 0.1 * np.cos(9.0 * t)
    data = xarray.DataArray(y, dims=("x", "t"), coords={"t": t})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        found = curvefit(data, "t", line, kwargs={"absolute_sigma": True})
        expected = lmoo.curve_fit(line, t, y[1], absolute_sigma=True)[1]
    np.testing.assert_allclose(found.curvefit_covariance[1], expected, rtol=1e-6)
    scaled = curvefit(data, "t", line).curvefit_covariance[1]
    assert not np.allclose(scaled, expected, rtol=0.1)
