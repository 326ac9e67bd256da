"""`curve_fit`: fits that find no minimum."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from curve_fit_cases import T, Y, check, decay, slopes

import lmoo
from lmoo import curve_fit


def test_fewer_points_than_parameters() -> None:
    with pytest.raises(TypeError, match=r"func parameters=3 must not exceed .* points=2$"):
        curve_fit(decay, T[:2], Y[:2])


@pytest.mark.parametrize("limit", [{"maxfev": 5}, {"max_nfev": 5}])
def test_the_limit_of_evaluations(limit: Any) -> None:
    with pytest.raises(RuntimeError, match=r"^Optimal parameters not found: .*maxfev"):
        curve_fit(decay, T, Y, **limit)
    with pytest.raises(RuntimeError, match=r"^Optimal parameters not found: "):
        curve_fit(decay, T, Y, bounds=(0, 10), **limit)


@pytest.mark.parametrize("maxfev", [0, None, 10_000])
def test_a_limit_that_is_none(maxfev: Any) -> None:
    check(curve_fit(decay, T, Y, maxfev=maxfev))


def test_a_start_that_is_not_finite() -> None:
    with (
        np.errstate(invalid="ignore"),
        pytest.raises(ValueError, match=r"^Residuals are not finite in the initial point: ") as e,
    ):
        curve_fit(lambda t, a: np.log(-a) * t, T, Y)
    assert isinstance(e.value.__cause__, lmoo.EvaluationError)


def test_a_start_that_is_refused() -> None:
    def refusing(t: Any, a: float) -> Any:
        raise lmoo.EvaluationError("not here")

    with pytest.raises(ValueError, match=r"^Residuals are not finite in the initial point: not h"):
        curve_fit(refusing, T, Y)


def test_a_plateau_is_no_minimum() -> None:
    with pytest.raises(
        RuntimeError, match=r"^Optimal parameters not found: no parameter has an effect"
    ):
        curve_fit(lambda t, a: 0.0 * t, T, Y)


def test_wrong_derivatives_are_no_minimum() -> None:
    with pytest.raises(RuntimeError, match=r"^Optimal parameters not found: "):
        curve_fit(decay, T, Y, jac=lambda t, *p: -slopes(t, *p))


def test_exceptions_of_the_model_come_out() -> None:
    def broken(t: Any, a: float) -> Any:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        curve_fit(broken, T, Y)


def test_a_nan_on_the_way_is_no_end() -> None:
    def bounded(t: Any, a: float, b: float, c: float) -> Any:
        return decay(t, a, b, c) if b < 2.0 else np.full_like(t, np.nan)

    check(curve_fit(bounded, T, Y, [1, 1, 0], factor=100))
