"""Masked arrays that are refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from mask_cases import CURVES, SIGMA, START, M, T, Y, decay, masked

import lmoo
from lmoo._core.masks import separated


def hidden(function: Callable[..., Any]) -> Callable[..., Any]:
    def returned(*args: Any) -> Any:
        value = function(*args)
        return np.ma.array(value, mask=np.arange(value.shape[-1]) == 2)

    return returned


def residual(x: np.ndarray) -> np.ndarray:
    return decay(T, *x) - Y


class Rows(lmoo.RowBlockProblem):
    def residual(self, x: np.ndarray, block: Any) -> Any:
        return hidden(residual)(x)


class Batch(lmoo.BatchProblem):
    def residual(self, x: np.ndarray, which: Any) -> Any:
        return hidden(lambda: decay(T, *x.T[:, :, None]) - Y)()


CALLS: dict[str, Callable[[], Any]] = {
    "leastsq": lambda: lmoo.leastsq(hidden(residual), START),
    "leastsq, full": lambda: lmoo.leastsq(hidden(residual), START, full_output=True),
    "Solver": lambda: lmoo.Solver().solve(lmoo.FunctionProblem(hidden(residual)), START),
    "list": lambda: lmoo.leastsq(lambda x: list(hidden(residual)(x)), START),
    "float32": lambda: lmoo.leastsq(lambda x: hidden(residual)(x).astype(np.float32), START),
    "curve_fit": lambda: lmoo.curve_fit(hidden(decay), T, Y, START),
    "CurveProblem": lambda: lmoo.Solver().solve(lmoo.CurveProblem(hidden(decay), T, Y), START),
    "jac": lambda: lmoo.curve_fit(decay, T, Y, START, jac=lambda t, *p: np.ma.masked_all((M, 3))),
    "blocks": lambda: lmoo.Solver().solve(Rows([1]), START),
    "stack": lambda: lmoo.solve_many(Batch(), np.ones((4, 3))),
    "curves": lambda: lmoo.curve_fit_many(hidden(decay), T, CURVES, START),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_a_masked_residual_is_refused(call: Callable[[], Any]) -> None:
    with pytest.raises(ValueError, match=r"must not have masked entries; entry [\d, ]+ is masked"):
        call()


def test_a_mask_that_comes_later_is_refused() -> None:
    calls = 0

    def later(x: np.ndarray) -> Any:
        nonlocal calls
        calls += 1
        return hidden(residual)(x) if calls > 3 else residual(x)

    with pytest.raises(ValueError, match="what func returns must not have masked entries"):
        lmoo.leastsq(later, START)


def test_a_residual_that_is_a_masked_array_without_masked_entries() -> None:
    x, _ = lmoo.leastsq(lambda x: np.ma.array(residual(x)), START)
    np.testing.assert_array_equal(x, lmoo.leastsq(residual, START)[0])


HALF = np.ma.array([1.0, 1.0, 0.5], mask=[False, True, False])

ARGUMENTS: dict[str, Callable[[], Any]] = {
    "x0 of leastsq": lambda: lmoo.leastsq(residual, HALF),
    "x0 as a list": lambda: lmoo.leastsq(residual, list(HALF)),
    "x0 of Solver": lambda: lmoo.Solver().solve(lmoo.FunctionProblem(residual), HALF),
    "p0": lambda: lmoo.curve_fit(decay, T, Y, HALF),
    "diag": lambda: lmoo.leastsq(residual, START, diag=HALF),
    "diag of Solver": lambda: lmoo.Solver(diag=HALF),
    "p0 of a stack": lambda: lmoo.curve_fit_many(decay, T, CURVES, HALF),
    "x0 of a stack": lambda: lmoo.solve_many(Batch(), np.ma.masked_all((4, 3))),
    "sigma set later": lambda: setattr(lmoo.CurveProblem(decay, T, Y), "sigma", masked(SIGMA)),
    "t of a model": lambda: lmoo.models.Exponential()(masked(T), 1.0, 1.0, 1.0),
}


@pytest.mark.parametrize("call", ARGUMENTS.values(), ids=ARGUMENTS.keys())
def test_masked_arguments_that_are_no_points_are_refused(call: Callable[[], Any]) -> None:
    with pytest.raises(ValueError, match="must not have masked entries; entry"):
        call()


def test_masked_points_of_a_prediction_are_refused() -> None:
    result = lmoo.Solver().solve(lmoo.CurveProblem(decay, T, Y), START)
    with pytest.raises(ValueError, match="t must not have masked entries: leave the points out"):
        result.predict(masked(T))
    np.testing.assert_array_equal(result.predict(np.ma.array(T)), result.predict(T))
    with pytest.raises(ValueError, match="sigma must not have masked entries"):
        result.predict(T, "prediction", sigma=masked(SIGMA))


def test_a_curve_with_a_mask_is_refused() -> None:
    class Told(lmoo.FunctionProblem):
        def as_curve(self) -> Any:
            return lmoo.curve.Curve(decay, T, masked(Y))

    result = lmoo.Solver().solve(Told(residual), START)
    with pytest.raises(ValueError, match=r"y of the Curve that as_curve\(\) returns must not have"):
        _ = result.r_squared


@pytest.mark.parametrize(
    "value", [None, 3.0, "a", [1.0, 2.0], np.arange(3), np.zeros(2, [("a", float)]), object()]
)
def test_what_has_no_mask_stays_what_it_is(value: Any) -> None:
    found, mask = separated(value)
    assert found is value
    assert mask is None
