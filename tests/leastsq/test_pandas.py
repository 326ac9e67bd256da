"""`leastsq` and `curve_fit` with what functions of pandas return."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import lmoo

SINGLE: dict[str, Callable[[np.ndarray], Any]] = {
    "series": lambda f: pd.Series(f.astype(np.float32)),
    "column": lambda f: pd.DataFrame({"f": f.astype(np.float32)})["f"],
    "nullable series": lambda f: pd.Series(f, dtype="Float32"),
    "nullable array": lambda f: pd.array(f, dtype="Float32"),
}


@pytest.mark.parametrize("made", SINGLE.values(), ids=SINGLE.keys())
def test_single_precision_of_pandas_is_recognised(made: Callable[[np.ndarray], Any]) -> None:
    points: list[np.ndarray] = []

    def func(x: np.ndarray) -> Any:
        points.append(x.copy())
        return made(np.array([x[0] - 1.0, x[0] ** 2, 1.0]))

    lmoo.leastsq(func, [2.0], maxfev=2, full_output=True)
    step = math.sqrt(float(np.finfo(np.float32).eps)) * 2.0
    np.testing.assert_allclose(points[1] - points[0], step, rtol=1e-6)


@pytest.mark.parametrize("made", SINGLE.values(), ids=SINGLE.keys())
def test_a_model_in_single_precision_of_pandas(made: Callable[[np.ndarray], Any]) -> None:
    t = np.linspace(0.0, 3.0, 30)
    y = 2.0 * np.exp(-1.3 * t) + 0.02 * np.cos(9.0 * t)

    def model(t: np.ndarray, a: float, b: float) -> Any:
        return made(a * np.exp(-b * t))

    expected, _ = lmoo.curve_fit(lambda t, a, b: a * np.exp(-b * t), t, y)
    found, _ = lmoo.curve_fit(model, t, y, ftol=1e-6, xtol=1e-4)
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    for problem in (lmoo.CurveProblem(model, t, y), lmoo.CurveBlocks(model, t, y)):
        block = () if isinstance(problem, lmoo.CurveProblem) else ((t, y, 1.0),)
        residual = problem.residual(np.ones(2), *block)
        assert np.asarray(residual).dtype == np.float32


def test_a_missing_number_of_pandas_is_not_finite() -> None:
    def func(x: np.ndarray) -> Any:
        return pd.array([x[0], None, 1.0], dtype="Float64")

    message, ier = lmoo.leastsq(func, [2.0], full_output=True)[3:]
    assert ier == -1
    assert "its entry 1 is nan" in message
