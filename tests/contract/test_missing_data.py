"""Points that are masked or NaN in one of the data are left out alike, at every entry point."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lmoo

T = np.linspace(0.0, 4.0, 24)
SIGMA = np.linspace(0.01, 0.03, T.size)
ERROR = np.full(T.size, 0.02)
START = [2.0, 1.0, 0.4]
GONE, ALSO = 5, 9


def decay(t: Any, amplitude: Any, rate: Any, offset: Any) -> Any:
    return amplitude * np.exp(-rate * t) + offset


Y = decay(T, 3.0, 0.7, 0.5) + SIGMA * np.random.default_rng(3).standard_normal(T.size)
Data = dict[str, Any]


def solved(problem: Any) -> Any:
    return lmoo.Solver().solve(problem, START)


def by_fit(nan_policy: str, t: Any, y: Any, **more: Any) -> Any:
    return lmoo.fit(decay, t, y, START, nan_policy=nan_policy, **more)


def by_curve_problem(nan_policy: str, t: Any, y: Any, **more: Any) -> Any:
    return solved(lmoo.CurveProblem(decay, t, y, nan_policy=nan_policy, **more))


def by_curve_fit(nan_policy: str, t: Any, y: Any, **more: Any) -> Any:
    popt, _, info, _, _ = lmoo.curve_fit(
        decay, t, y, START, nan_policy=nan_policy, full_output=True, **more
    )
    return popt, info["fvec"].size


def by_model(nan_policy: str, t: Any, y: Any, **more: Any) -> Any:
    return solved(lmoo.models.Exponential().problem(t, y, nan_policy=nan_policy, **more))


def by_stack(nan_policy: str, t: Any, y: Any, **more: Any) -> Any:
    fits = lmoo.curve_fit_many(decay, t, np.ma.stack([y]), START, nan_policy=nan_policy, **more)
    return fits.x[0], fits.observations[0]


def by_compiled_stack(nan_policy: str, t: Any, y: Any, **more: Any) -> Any:
    model = lmoo.models.Exponential()
    fits = lmoo.curve_fit_many(model, t, np.ma.stack([y]), START, nan_policy=nan_policy, **more)
    return fits.x[0], fits.observations[0]


def by_blocks(nan_policy: str, t: Any, y: Any, **more: Any) -> Any:
    return solved(lmoo.CurveBlocks(decay, t, y, block_size=7, nan_policy=nan_policy, **more))


def by_joint(nan_policy: str, t: Any, y: Any, **more: Any) -> Any:
    part = lmoo.CurveProblem(decay, t, y, nan_policy=nan_policy, **more)
    result = solved(lmoo.JointProblem([part], shared=["rate"]))
    return result.x[[1, 0, 2]], result.observations


ENTRIES = {
    "fit": by_fit,
    "CurveProblem": by_curve_problem,
    "curve_fit": by_curve_fit,
    "model.problem": by_model,
    "curve_fit_many": by_stack,
    "curve_fit_many, compiled": by_compiled_stack,
    "CurveBlocks": by_blocks,
    "JointProblem": by_joint,
}
WITH_ERRORS_IN_X = ("fit", "CurveProblem", "curve_fit")


def answer(found: Any) -> tuple[np.ndarray, int]:
    return found if isinstance(found, tuple) else (found.x, found.observations)


def with_nan(values: np.ndarray, *where: int) -> np.ndarray:
    values = np.array(values, dtype=np.float64)
    values[list(where)] = np.nan
    return values


def masked(values: np.ndarray, *where: int) -> Any:
    values = np.ma.array(values, copy=True)
    values[list(where)] = np.ma.masked
    return values


def covariance(fill: float, *where: int) -> np.ndarray:
    matrix = np.diag(SIGMA**2) + 1e-6
    matrix[list(where)] = fill
    matrix[:, list(where)] = fill
    return matrix


def of_points(fill: float, *where: int) -> np.ndarray:
    matrices = np.tile([[4e-4, 1e-5], [1e-5, 1e-4]], (T.size, 1, 1))
    matrices[list(where)] = fill
    return matrices


PLAIN: Data = {"t": T, "y": Y, "sigma": SIGMA}
ERRORS: Data = {"t": T, "y": Y, "sigma": SIGMA, "sigma_x": ERROR}


def expected(entry: Any, data: Data, *where: int) -> tuple[np.ndarray, int]:
    kept = {name: np.delete(values, where) for name, values in data.items()}
    return answer(entry("raise", **kept))


@pytest.mark.parametrize("gone", [with_nan, masked])
@pytest.mark.parametrize("name", ["t", "y", "sigma"])
@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
def test_a_point_that_is_missing_is_left_out(
    entry: Callable[..., Any], name: str, gone: Callable[..., Any]
) -> None:
    x, count = answer(entry("omit", **{**PLAIN, name: gone(PLAIN[name], GONE)}))
    right, rest = expected(entry, PLAIN, GONE)
    assert count == rest == T.size - 1
    np.testing.assert_allclose(x, right, rtol=1e-7)


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
def test_points_that_are_missing_in_several_ways(entry: Callable[..., Any]) -> None:
    data = {"t": T, "y": with_nan(Y, 1), "sigma": masked(with_nan(SIGMA, GONE), ALSO)}
    x, count = answer(entry("omit", **data))
    right, rest = expected(entry, PLAIN, 1, GONE, ALSO)
    assert count == rest == T.size - 3
    np.testing.assert_allclose(x, right, rtol=1e-7)


@pytest.mark.parametrize("gone", [with_nan, masked])
@pytest.mark.parametrize("name", ["sigma", "sigma_x"])
@pytest.mark.parametrize("entry", WITH_ERRORS_IN_X)
def test_errors_in_x(entry: str, name: str, gone: Callable[..., Any]) -> None:
    call = ENTRIES[entry]
    x, count = answer(call("omit", **{**ERRORS, name: gone(ERRORS[name], GONE)}))
    right, rest = expected(call, ERRORS, GONE)
    np.testing.assert_allclose(x, right, rtol=1e-7)
    assert count == rest


@pytest.mark.parametrize("entry", WITH_ERRORS_IN_X)
def test_covariances(entry: str) -> None:
    call, kept = ENTRIES[entry], np.delete(np.arange(T.size), GONE)
    rest = {"t": T[kept], "y": Y[kept]}
    x, count = answer(call("omit", T, Y, sigma=covariance(np.nan, GONE)))
    right, _ = answer(call("raise", **rest, sigma=covariance(0.0)[np.ix_(kept, kept)]))
    np.testing.assert_allclose(x, right, rtol=1e-7)
    assert count == T.size - 1
    x, count = answer(call("omit", T, Y, sigma_x=of_points(np.nan, GONE)))
    right, _ = answer(call("raise", **rest, sigma_x=of_points(0.0)[kept]))
    np.testing.assert_allclose(x, right, rtol=1e-7)
    # One covariance alone does not tell which of the points is missing.
    matrix = covariance(0.0)
    matrix[3, 4] = matrix[4, 3] = np.nan
    with pytest.raises(ValueError, match="sigma must have the covariance of all points"):
        call("omit", T, Y, sigma=matrix)


@pytest.mark.parametrize("sigma", [SIGMA, SIGMA * (1 + 2j)], ids=["real", "complex"])
def test_complex_curves(sigma: Any) -> None:
    y, kept = Y * (1 + 0.5j), np.delete(np.arange(T.size), GONE)
    missing = with_nan(np.ones(T.size), GONE) * sigma
    found = lmoo.CurveProblem(decay, T, y, missing, nan_policy="omit")
    right = lmoo.CurveProblem(decay, T[kept], y[kept], sigma[kept])
    np.testing.assert_array_equal(found.sigma, right.sigma)
    fits = lmoo.curve_fit_many(decay, T, [y], START, sigma=missing, nan_policy="omit")
    assert fits.observations[0] == 2 * kept.size
    np.testing.assert_allclose(fits.x[0], solved(right).x, rtol=1e-6)


@pytest.mark.parametrize(
    ("entry", "name"),
    [
        *((entry, name) for entry in ENTRIES for name in ("t", "y", "sigma")),
        *((entry, "sigma_x") for entry in WITH_ERRORS_IN_X),
    ],
)
def test_without_omit_the_argument_is_named(entry: str, name: str) -> None:
    data = ERRORS if name == "sigma_x" else PLAIN
    called = f"(x|y)data|{name}" if len(name) == 1 else name
    match = rf"^({called}|residual.x0.) must .*(nan|index {GONE}\b)"
    with pytest.raises((ValueError, lmoo.EvaluationError), match=match):
        ENTRIES[entry]("raise", **{**data, name: with_nan(data[name], GONE)})


def test_the_place_of_a_bad_number_is_that_in_the_data() -> None:
    y, sigma = masked(Y, 2), SIGMA.copy()
    y[GONE] = np.inf
    with pytest.raises(ValueError, match=rf"y\[{GONE}\] is inf"):
        lmoo.CurveProblem(decay, T, y)
    with pytest.raises(ValueError, match=rf"^y must be finite.*y\[{GONE}\] is nan"):
        lmoo.models.Exponential().problem(T, with_nan(Y, GONE))
    sigma[GONE] = -1.0
    with pytest.raises(ValueError, match=f"it is -1.0 at index {GONE}"):
        lmoo.CurveProblem(decay, T, masked(Y, 2), sigma)


def test_a_table_with_missing_entries() -> None:
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame({"t": with_nan(T, 1), "u": T**2})
    problem = lmoo.CurveProblem(
        lambda t, a, b: a * t["t"] + b * t["u"], table, Y, with_nan(SIGMA, 3), nan_policy="omit"
    )
    assert problem.y.size == T.size - 2
    assert list(problem.t.index[:3]) == [0, 2, 4]


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_an_infinite_y_is_left_out_too(entry: str, value: float) -> None:
    y = Y.copy()
    y[GONE] = value
    x, count = answer(ENTRIES[entry]("omit", T, y, sigma=SIGMA))
    kept = np.delete(np.arange(T.size), GONE)
    right, rest = answer(ENTRIES[entry]("raise", T[kept], Y[kept], sigma=SIGMA[kept]))
    np.testing.assert_allclose(x, right, rtol=1e-7)
    assert count == rest


def test_an_infinite_complex_y_is_left_out() -> None:
    y = Y * (1 + 0.5j)
    y[GONE] = complex(1.0, np.inf)
    found = lmoo.CurveProblem(decay, T, y, nan_policy="omit")
    assert solved(found).observations == 2 * (T.size - 1)
    with pytest.raises(ValueError, match="y must be finite, or nan_policy 'omit'"):
        lmoo.CurveProblem(decay, T, y)
