"""Masked points (`numpy.ma`): left out by what has points, refused by the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import lmoo
from lmoo._core.masks import separated

M = 14
T = np.linspace(0.0, 3.0, M)
U = np.cos(5.0 * T)
Y = 2.0 * np.exp(-1.3 * T) + 0.5 + 0.02 * np.cos(7.0 * T)
SIGMA = 0.02 + 0.01 * T
BAD = np.isin(np.arange(M), [2, 9])
GOOD = ~BAD
COVARIANCE = np.diag(SIGMA**2) + 1e-5
START = [1.0, 1.0, 0.0]


def decay(t: Any, a: Any, b: Any, c: Any) -> Any:
    return a * np.exp(-b * t) + c


def both(t: Any, a: Any, b: Any, c: Any) -> Any:
    return a * np.exp(-b * t[0]) + c * t[1]


def masked(values: np.ndarray, garbage: float = 1e9, mask: Any = BAD) -> Any:
    return np.ma.array(np.where(mask, garbage, values), mask=mask)


def garbled(values: np.ndarray) -> np.ndarray:
    """The same numbers, but where another array has its mask."""
    return np.where(BAD, -1e9, values)


KINDS: dict[str, Callable[[Any], Any]] = {
    "array": lambda values: values,
    "nan below": lambda values: np.ma.array(
        np.where(values.mask, np.nan, values), mask=values.mask
    ),
    "list": lambda values: list(values),
}


# ---- one curve ------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", ["raise", "omit"])
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
@pytest.mark.parametrize(
    ("t", "y", "sigma"),
    [
        (T, masked(Y), SIGMA),
        (masked(T), garbled(Y), SIGMA),
        (T, garbled(Y), masked(SIGMA, 0.0)),
        (masked(T, np.nan), masked(Y, np.inf), masked(SIGMA, -1.0)),
        (masked(T), masked(Y, mask=np.arange(M) == 2), masked(SIGMA, mask=np.arange(M) == 9)),
    ],
    ids=["y", "t", "sigma", "all", "each another"],
)
def test_masked_points_of_a_curve_are_left_out(
    t: Any, y: Any, sigma: Any, kind: Callable[[Any], Any], policy: str
) -> None:
    t, y, sigma = (kind(v) if isinstance(v, np.ma.MaskedArray) else v for v in (t, y, sigma))
    problem = lmoo.CurveProblem(decay, t, y, sigma, nan_policy=policy)
    assert type(problem.t) is np.ndarray
    for found, expected in ((problem.t, T), (problem.y, Y), (problem.sigma, SIGMA)):
        np.testing.assert_array_equal(found, expected[GOOD])
    expected = lmoo.curve_fit(decay, T[GOOD], Y[GOOD], START, SIGMA[GOOD])
    found = lmoo.curve_fit(decay, t, y, START, sigma, nan_policy=policy)
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[1], expected[1])
    compiled = lmoo.models.Exponential().problem(t, y, sigma)
    np.testing.assert_array_equal(compiled.t, T[GOOD])
    np.testing.assert_array_equal(compiled.sigma, SIGMA[GOOD])
    found = lmoo.curve_fit(lmoo.models.Exponential(), t, y, START, sigma)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-6)


def test_points_that_a_covariance_masks_are_left_out() -> None:
    expected = lmoo.curve_fit(decay, T[GOOD], Y[GOOD], START, COVARIANCE[np.ix_(GOOD, GOOD)])
    rows = np.ma.array(COVARIANCE, mask=BAD[:, None] | BAD)
    diagonal = np.ma.array(np.where(np.diag(BAD), np.nan, COVARIANCE), mask=np.diag(BAD))
    for sigma in (rows, diagonal):
        found = lmoo.curve_fit(decay, T, garbled(Y), START, sigma)
        np.testing.assert_array_equal(found[0], expected[0])
        np.testing.assert_array_equal(found[1], expected[1])
    found = lmoo.curve_fit(decay, T, masked(Y), START, COVARIANCE)
    np.testing.assert_array_equal(found[0], expected[0])


def test_a_masked_covariance_of_points_in_use_is_refused() -> None:
    mask = np.zeros((M, M), dtype=bool)
    mask[3, 5] = mask[5, 3] = True
    with pytest.raises(ValueError, match=r"sigma\[3, 5\] is masked: mask the diagonal, .*\[3, 3\]"):
        lmoo.CurveProblem(decay, T, Y, np.ma.array(COVARIANCE, mask=mask))
    # Not where the point is left out anyway.
    y = np.ma.array(Y, mask=np.arange(M) == 5)
    assert lmoo.CurveProblem(decay, T, y, np.ma.array(COVARIANCE, mask=mask)).y.size == M - 1


@pytest.mark.parametrize(
    "t",
    [
        (masked(T), U),
        (T, masked(U)),
        (masked(T, mask=np.arange(M) == 2), masked(U, mask=np.arange(M) == 9)),
        np.ma.array([T, U], mask=[BAD, BAD & (np.arange(M) == 2)]),
        [masked(T), U],
    ],
    ids=["first", "second", "both", "2-D", "list"],
)
def test_a_point_is_left_out_where_any_variable_is_masked(t: Any) -> None:
    expected = lmoo.curve_fit(both, np.array([T, U])[:, GOOD], Y[GOOD], START)
    found = lmoo.curve_fit(both, t, Y, START)
    np.testing.assert_array_equal(found[0], expected[0])
    problem = lmoo.CurveProblem(both, t, Y)
    assert isinstance(problem.t, tuple) == isinstance(t, tuple)
    np.testing.assert_array_equal(problem.t, np.array([T, U])[:, GOOD])


def test_several_variables_of_a_compiled_model() -> None:
    model = lmoo.models.Gaussian2D()
    u, v = (part.ravel() for part in np.meshgrid(np.arange(7.0), np.arange(6.0)))
    parameters = (2.0, 3.0, 2.5, 1.5, 1.2, 0.3, 0.1)[: model.n]
    y = model((u, v), *parameters)
    bad = np.arange(42) % 9 == 4
    dirty = np.ma.array(np.where(bad, 99.0, u), mask=bad)
    found, _ = lmoo.curve_fit(model, (dirty, v), y, parameters)
    expected, _ = lmoo.curve_fit(model, (u[~bad], v[~bad]), y[~bad], parameters)
    np.testing.assert_array_equal(found, expected)
    assert model.problem((u, dirty), y).y.size == np.count_nonzero(~bad)


def test_a_table_loses_rows() -> None:
    frame = pd.DataFrame({"u": T, "v": U})
    problem = lmoo.CurveProblem(lambda t, a: a * t["u"], frame, masked(Y))
    np.testing.assert_array_equal(problem.t["u"], T[GOOD])


@pytest.mark.parametrize("t", [T[:5], {"t": T}, 3.0, object()], ids=["short", "dict", "0", "any"])
def test_points_that_cannot_be_left_out_of_t_are_refused(t: Any) -> None:
    with pytest.raises(ValueError, match="t must have its 14 points along its last axis"):
        lmoo.CurveProblem(decay, t, masked(Y))


def test_masks_that_fit_no_points_are_refused() -> None:
    with pytest.raises(ValueError, match="t must have its 14 points along its last axis where"):
        lmoo.CurveProblem(decay, np.ma.array(T[:5], mask=[1, 0, 0, 0, 0]), Y)
    with pytest.raises(ValueError, match="y must not be empty; all of its 14 points are masked"):
        lmoo.CurveProblem(decay, T, np.ma.masked_all(M))
    with pytest.raises(ValueError, match="sigma must be a number; it is masked"):
        lmoo.CurveProblem(decay, T, Y, np.ma.masked)
    with pytest.raises(TypeError, match=r"func parameters=3 must not exceed .* data points=2"):
        lmoo.curve_fit(decay, T, np.ma.array(Y, mask=np.arange(M) > 1), START)


def test_nan_that_is_not_masked_is_still_refused() -> None:
    y = masked(Y)
    y[4] = np.nan
    with pytest.raises(ValueError, match="y must be finite, or nan_policy 'omit'"):
        lmoo.CurveProblem(decay, T, y)
    assert lmoo.CurveProblem(decay, T, y, nan_policy="omit").y.size == M - 3


def test_an_array_without_masked_entries_is_an_array() -> None:
    for values in (np.ma.array(T), np.ma.array(T, mask=np.zeros(M, bool))):
        problem = lmoo.CurveProblem(decay, values, np.ma.array(Y))
        assert type(problem.t) is np.ndarray
        np.testing.assert_array_equal(problem.t, T)


@pytest.mark.parametrize(
    "made",
    [
        lambda v: pd.array(v, dtype="Float64"),
        lambda v: pd.Series(v, dtype="Float64"),
        lambda v: pd.Series(v),
    ],
    ids=["array", "series", "float64"],
)
def test_missing_numbers_of_pandas_are_nan(made: Callable[[Any], Any]) -> None:
    y = made([None if bad else value for value, bad in zip(Y, BAD, strict=True)])
    with pytest.raises(ValueError, match=r"^y must be finite, or nan_policy 'omit'; y\[2\] is nan"):
        lmoo.CurveProblem(decay, T, y)
    problem = lmoo.CurveProblem(decay, T, y, nan_policy="omit")
    np.testing.assert_array_equal(problem.y, Y[GOOD])
    found = lmoo.curve_fit(decay, T, y, START, nan_policy="omit")
    expected = lmoo.curve_fit(decay, T[GOOD], Y[GOOD], START)
    np.testing.assert_array_equal(found[0], expected[0])


# ---- stacks and blocks ----------------------------------------------------------------------

K = 6
RATES = np.linspace(0.8, 1.8, K)
CURVES = decay(T, 2.0, RATES[:, None], 0.5) + 0.02 * np.cos(7.0 * T + RATES[:, None])
HOLES = np.random.default_rng(5).uniform(size=(K, M)) < 0.2
STACK_SIGMA = SIGMA * RATES[:, None]


def alone(k: int, hole: np.ndarray, sigma: np.ndarray | None = None) -> Any:
    weights = None if sigma is None else sigma[~hole]
    problem = lmoo.CurveProblem(decay, T[~hole], CURVES[k][~hole], weights)
    return lmoo.Solver().solve(problem, START)


MODELS = {"function": decay, "compiled": lmoo.models.Exponential()}


@pytest.mark.parametrize("policy", ["raise", "omit"])
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())
def test_each_curve_of_a_stack_has_its_own_mask(model: Any, policy: str) -> None:
    dirty = np.ma.array(np.where(HOLES, 1e9, CURVES), mask=HOLES)
    for y in (dirty, list(dirty), dirty.reshape(2, 3, M)):
        fits = lmoo.curve_fit_many(model, T, y, START, nan_policy=policy)
        x, errors = fits.x.reshape(K, 3), fits.stderr.reshape(K, 3)
        for k in range(K):
            expected = alone(k, HOLES[k])
            np.testing.assert_allclose(x[k], expected.x, rtol=1e-6)
            np.testing.assert_allclose(errors[k], expected.stderr, rtol=1e-5)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())
@pytest.mark.parametrize("each", [False, True], ids=["one t", "a t a curve"])
def test_masked_points_and_deviations_of_a_stack(model: Any, each: bool) -> None:
    t = masked(np.tile(T, (K, 1)) if each else T, np.nan, np.tile(BAD, (K, 1)) if each else BAD)
    y = np.where(BAD, np.nan, CURVES)
    sigma = np.ma.array(np.where(HOLES, 0.0, STACK_SIGMA), mask=HOLES)
    fits = lmoo.curve_fit_many(model, t, y, START, sigma=sigma)
    for k in range(K):
        expected = alone(k, HOLES[k] | BAD, STACK_SIGMA[k])
        np.testing.assert_allclose(fits.x[k], expected.x, rtol=1e-6)
        again = fits[k] if hasattr(fits, "__getitem__") else None
        assert again is None or again.observations == expected.observations


def test_a_slice_of_a_data_set_may_be_masked() -> None:
    class Variable:
        """As netCDF4's: what it returns is masked, the variable is not."""

        shape, dtype = CURVES.shape, CURVES.dtype

        def __getitem__(self, which: Any) -> Any:
            return np.ma.array(np.where(HOLES, 1e9, CURVES), mask=HOLES)[which]

    fits = lmoo.curve_fit_many(decay, T, Variable(), START)
    for k in range(K):
        np.testing.assert_allclose(fits.x[k], alone(k, HOLES[k]).x, rtol=1e-6)


def test_nan_of_a_stack_that_is_not_masked_is_still_refused() -> None:
    dirty = np.ma.array(CURVES.copy(), mask=HOLES)
    k, i = np.argwhere(~HOLES)[4]
    dirty.data[k, i] = np.nan
    with pytest.raises(ValueError, match=f"curve {k} is nan at {i}"):
        lmoo.curve_fit_many(decay, T, dirty, START)


def test_starting_values_see_no_masked_point() -> None:
    seen: list[np.ndarray] = []

    def start(t: Any, y: np.ndarray) -> np.ndarray:
        seen.append(y.copy())
        return np.tile(START, (len(y), 1))

    dirty = np.ma.array(np.where(HOLES, 1e9, CURVES), mask=HOLES)
    lmoo.curve_fit_many(decay, masked(T, np.nan), dirty, start)
    assert max(float(np.abs(y).max()) for y in seen) < 10.0
    fits = lmoo.curve_fit_many(lmoo.models.Exponential(), T, dirty)
    assert fits.success.all()


@pytest.mark.parametrize("size", [3, 5, 100])
def test_rows_of_blocks_are_left_out(size: int) -> None:
    expected = lmoo.Solver().solve(lmoo.CurveBlocks(decay, T[GOOD], Y[GOOD]), START)
    for t, y, sigma in (
        (T, masked(Y), None),
        (masked(T, np.nan), masked(Y, np.nan), None),
        (T, garbled(Y), masked(np.ones(M), 0.0)),
        (list(T), list(masked(Y)), 1.0),
    ):
        problem = lmoo.CurveBlocks(decay, t, y, block_size=size, sigma=sigma)
        result = lmoo.Solver().solve(problem, START)
        assert result.observations == M - 2
        np.testing.assert_allclose(result.x, expected.x, rtol=1e-9)


def test_a_block_without_rows_and_with_derivatives() -> None:
    def slopes(t: Any, a: float, b: float, c: float) -> Any:
        assert t.size
        e = np.exp(-b * t)
        return np.column_stack([e, -a * t * e, np.ones_like(t)])

    bad = np.arange(M) // 4 == 1
    problem = lmoo.CurveBlocks(decay, T, masked(Y, mask=bad), block_size=4, jac=slopes)
    expected = lmoo.Solver().solve(lmoo.CurveProblem(decay, T[~bad], Y[~bad]), START)
    np.testing.assert_allclose(lmoo.Solver().solve(problem, START).x, expected.x, rtol=1e-6)
    two = lmoo.CurveBlocks(both, np.ma.array([T, U], mask=[bad, BAD]), Y, block_size=4)
    assert lmoo.Solver().solve(two, START).observations == np.count_nonzero(~bad & GOOD)


# ---- what is refused ------------------------------------------------------------------------


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
