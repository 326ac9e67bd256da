"""curve_fit_many: the same fits as one by one, and bad ones that spoil no others."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import current_process, get_context
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import lmoo

Array = NDArray[np.float64]

T = np.linspace(0.0, 4.0, 20)
P0 = [1.0, 1.0, 0.0]


def decay(t: Array, a: Any, b: Any, c: Any) -> Any:
    return a * np.exp(-b * t) + c


def decay_jac(t: Array, a: Any, b: Any, c: Any) -> Any:
    e = np.exp(-b * t)
    return e, -a * t * e, np.ones_like(e)


def curves(count: int, seed: int = 0) -> Array:
    rng = np.random.default_rng(seed)
    clean = decay(T, 2.5, rng.uniform(0.8, 2.0, count)[:, None], 0.5)
    return np.asarray(clean + 0.01 * rng.standard_normal((count, T.size)))


def single(y: Array, jac: bool = False, **options: Any) -> lmoo.Result:
    problem = lmoo.FunctionProblem(
        lambda x: decay(T, *x) - y,
        (lambda x: np.stack(decay_jac(T, *x), axis=-1)) if jac else None,
    )
    return lmoo.Solver(**options).solve(problem, P0)


@pytest.mark.parametrize("jac", [False, True])
def test_the_same_bits_as_one_by_one(jac: bool) -> None:
    y = curves(300)
    fits = lmoo.curve_fit_many(decay, T, y, P0, jac=decay_jac if jac else None, trace=False)
    assert fits.success.all()
    for i in range(len(y)):
        one = single(y[i], jac)
        np.testing.assert_array_equal(fits.x[i], one.x)
        assert (fits.nfev[i], fits.njev[i], fits.nit[i]) == (one.nfev, one.njev, one.nit)
        assert (fits.status[i], fits.cost[i]) == (one.status, one.cost)
        np.testing.assert_allclose(fits.stderr[i], one.standard_errors, rtol=1e-12)
        np.testing.assert_allclose(fits.covariance[i], one.covariance(), rtol=1e-10)
        again = fits[i]
        np.testing.assert_array_equal(again.residual, one.residual)
        np.testing.assert_array_equal(again.covariance(), one.covariance())


def test_as_scipys_curve_fit() -> None:
    optimize = pytest.importorskip("scipy.optimize")
    y, sigma = curves(30), np.linspace(0.5, 2.0, T.size)
    fits = lmoo.curve_fit_many(decay, T, y, P0, sigma=sigma)
    for i in range(len(y)):
        x, covariance = optimize.curve_fit(decay, T, y[i], P0, sigma=sigma)
        assert np.all(np.abs(fits.x[i] - x) < 1e-4 * fits.stderr[i])
        np.testing.assert_allclose(fits.covariance[i], covariance, rtol=1e-4)


def test_any_stack_and_any_options() -> None:
    y = curves(24)
    flat = lmoo.curve_fit_many(decay, T, y, P0)
    stacked = lmoo.curve_fit_many(decay, T, y.reshape(2, 3, 4, -1), P0)
    assert stacked.shape == (2, 3, 4)
    assert len(stacked) == 2
    np.testing.assert_array_equal(stacked.x.reshape(24, 3), flat.x)
    np.testing.assert_array_equal(stacked.covariance.reshape(24, 3, 3), flat.covariance)
    np.testing.assert_array_equal(stacked[1, 2, 3].x, flat.x[-1])
    options = {"ftol": 1e-8, "xtol": 1e-8, "factor": 1.0, "maxfev": 12}
    few = lmoo.curve_fit_many(decay, T, y, P0, solver=lmoo.Solver(**options), trace=False)
    for i in range(len(y)):
        one = single(y[i], **options)
        np.testing.assert_array_equal(few.x[i], one.x)
        assert few.status[i] == one.status
    with pytest.raises(IndexError, match="3 dimensions"):
        stacked[0]


def test_data_of_each_curve() -> None:
    y = curves(10)
    t = np.tile(T, (10, 1))
    expected = lmoo.curve_fit_many(decay, T, y, P0)
    for p0 in (np.tile(P0, (10, 1)), lambda t, y: np.tile(P0, (len(y), 1)), lambda t, y: P0):
        fits = lmoo.curve_fit_many(decay, t, y, p0, sigma=np.ones_like(y))
        np.testing.assert_array_equal(fits.x, expected.x)
    halves = lmoo.curve_fit_many(decay, T, y, P0, sigma=np.full_like(y, 0.5))
    np.testing.assert_allclose(halves.stderr, expected.stderr, rtol=1e-6)
    np.testing.assert_allclose(halves.cost, 4 * expected.cost, rtol=1e-12)


@pytest.mark.parametrize("jac", [None, decay_jac])
def test_missing_points(jac: Any) -> None:
    y = curves(50, seed=3)
    y[4, 7] = y[4, 11] = np.nan
    y[30, 0] = np.inf
    y[41, :] = np.nan
    fits = lmoo.curve_fit_many(decay, T, y, P0, nan_policy="omit", jac=jac)
    for i in (4, 30):
        there = np.isfinite(y[i])
        problem = lmoo.FunctionProblem(lambda x, i=i, k=there: decay(T[k], *x) - y[i, k])
        one = lmoo.Solver().solve(problem, P0)
        assert np.all(np.abs(fits.x[i] - one.x) < 1e-5 * one.standard_errors)
        np.testing.assert_allclose(fits.stderr[i], one.standard_errors, rtol=1e-5)
    assert fits.status[41] == lmoo.Status.IMPROPER_INPUT
    assert np.isnan(fits.x[41]).all()
    assert np.isinf(fits.stderr[41]).all()
    assert fits[41].residual.size == 0
    others = np.delete(np.arange(50), 41)
    assert fits.success[others].all()
    with pytest.raises(ValueError, match=r"y must be finite, .* curve 4 is nan at 7"):
        lmoo.curve_fit_many(decay, T, y, P0)


def test_a_memmap(tmp_path: Any) -> None:
    y = curves(5000)
    stored = np.memmap(tmp_path / "curves", dtype=np.float32, mode="w+", shape=y.shape)
    stored[:] = y
    fits = lmoo.curve_fit_many(decay, T, stored, P0)
    expected = lmoo.curve_fit_many(decay, T, np.asarray(stored, dtype=np.float64), P0)
    np.testing.assert_array_equal(fits.x, expected.x)


def test_threads_and_progress() -> None:
    y, seen = curves(10_000), []
    options: Any = {"trace": False}
    expected = lmoo.curve_fit_many(decay, T, y, P0, progress=lambda *c: seen.append(c), **options)
    assert seen[-1] == (10_000, 10_000)
    assert len(seen) > 2
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    fits = lmoo.curve_fit_many(decay, T, y, P0, threads=3, **options)
    np.testing.assert_array_equal(fits.x, expected.x)


def test_no_curves_at_all() -> None:
    fits = lmoo.curve_fit_many(decay, T, np.empty((0, 20)), P0)
    assert fits.x.shape == (0, 3)
    assert fits.covariance.shape == (0, 3, 3)


# ------------------------------------------------------------------- models that do not broadcast


def normalised(t: Array, a: Any, b: Any, c: Any) -> Any:
    g = decay(t, a, b, c)
    return g / g.max()


def summed(t: Array, a: Any, b: Any, c: Any) -> Any:
    return decay(t, np.sum(a), b, c)


def branching(t: Array, a: Any, b: Any, c: Any) -> Any:
    return decay(t, a, b, c) if b > 0 else 0.0 * t


def squeezed(t: Array, a: Any, b: Any, c: Any) -> Any:
    return decay(t, np.squeeze(a), np.squeeze(b), np.squeeze(c))


@pytest.mark.parametrize("model", [normalised, summed, branching, squeezed])
@pytest.mark.parametrize("count", [1, 2, 3, 20, 100])
def test_a_model_that_mixes_fits_is_noticed(model: Any, count: int) -> None:
    y = curves(count)
    if count > 1:
        with pytest.raises(ValueError, match="vectorized=False"):
            lmoo.curve_fit_many(model, T, y, P0)
    fits = lmoo.curve_fit_many(model, T, y, P0, vectorized=False, trace=False)
    i = count - 1
    one = lmoo.Solver().solve(lmoo.FunctionProblem(lambda x: model(T, *x) - y[i]), P0)
    np.testing.assert_array_equal(fits.x[i], one.x)


@pytest.mark.parametrize("m", [2, 3, 20])
def test_a_constant_model(m: int) -> None:
    y = np.arange(20.0)[:, None] + np.zeros(m)
    y[:, 0] += 0.1
    fits = lmoo.curve_fit_many(lambda t, a: a, np.arange(float(m)), y, [1.0])
    np.testing.assert_allclose(fits.x[:, 0], y.mean(axis=1), rtol=1e-9, atol=1e-9)


def test_a_jacobian_that_mixes_fits_is_noticed() -> None:
    def jac(t: Array, a: Any, b: Any, c: Any) -> Any:
        return decay_jac(t, np.mean(a), b, c)

    with pytest.raises(ValueError, match=r"jac must take parameters as columns"):
        lmoo.curve_fit_many(decay, T, curves(30), P0, jac=jac)


# ------------------------------------------------------------------------------------- bad fits


def test_one_bad_fit_spoils_no_other() -> None:
    y = curves(200)
    expected = lmoo.curve_fit_many(decay, T, y, P0)
    y[[3, 77]] = 1e200
    y[50] = np.where(np.arange(20) == 0, 1.0, 0.0)
    fits = lmoo.curve_fit_many(decay, T, y, P0)
    others = np.setdiff1d(np.arange(200), [3, 50, 77])
    np.testing.assert_array_equal(fits.x[others], expected.x[others])


def picky(t: Array, a: Any, b: Any, c: Any) -> Any:
    if np.any(b > 1.6):
        raise FloatingPointError("b is too large for me")
    return decay(t, a, b, c)


def test_what_a_model_raises_is_tracked_down() -> None:
    y = curves(400, seed=5)
    with pytest.raises(lmoo.EvaluationError, match=r"f raised FloatingPoint.* for curve \d+"):
        lmoo.curve_fit_many(picky, T, y, P0)
    fits = lmoo.curve_fit_many(picky, T, y.reshape(2, 200, 20), P0, errors="record")
    status = fits.status.ravel()
    raised = status == lmoo.Status.RAISED
    assert 0 < raised.sum() < 400
    assert sorted(200 * i + j for i, j in fits.errors) == np.flatnonzero(raised).tolist()
    assert all(isinstance(error, FloatingPointError) for error in fits.errors.values())
    expected = lmoo.curve_fit_many(decay, T, y, P0, trace=False)
    np.testing.assert_array_equal(fits.x.reshape(400, 3)[~raised], expected.x[~raised])
    assert fits.success.ravel()[~raised].all()


def test_an_evaluation_error_is_a_bad_point() -> None:
    def model(t: Array, a: Any, b: Any, c: Any) -> Any:
        if np.any(b > 2.2):
            raise lmoo.EvaluationError("out of range")
        return decay(t, a, b, c)

    y = curves(60, seed=6)
    fits = lmoo.curve_fit_many(model, T, y, [1.0, 2.1, 0.0])
    assert fits.success.all()
    assert not fits.errors


def test_a_start_that_is_not_finite() -> None:
    p0 = np.tile(P0, (40, 1))
    p0[7] = [1.0, -1e5, 0.0]
    fits = lmoo.curve_fit_many(decay, T, curves(40), p0)
    assert fits.status[7] == lmoo.Status.NOT_FINITE
    assert np.isnan(fits.cost[7])
    assert np.isinf(fits.stderr[7]).all()
    assert fits.success.sum() == 39


def test_a_parameter_that_means_nothing() -> None:
    fits = lmoo.curve_fit_many(lambda t, a, b: a * t + 0 * b, T, T + curves(5), [1.0, 1.0])
    assert np.isinf(fits.stderr[:, 1]).all()
    assert np.isinf(fits.covariance[:, 1, 1]).all()
    assert fits[0].undetermined == ("x[1]",) or np.any(fits[0].undetermined)


BAD: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "f": ({"f": 3}, TypeError, "f must be callable"),
    "jac": ({"jac": 3}, TypeError, "jac must be callable"),
    "progress": ({"progress": 3}, TypeError, "progress must be True or callable"),
    "complex model": ({"f": lambda t, a, b, c: 1j * t * a}, TypeError, "f must return real"),
    "shape of the model": (
        {"f": lambda t, a, b, c: np.ones(7), "vectorized": False},
        ValueError,
        "broadcasts to",
    ),
    "length of jac": (
        {"jac": lambda t, a, b, c: (t, t), "vectorized": False},
        ValueError,
        "must return 3 arrays",
    ),
    "1-D y": ({"y": T}, ValueError, r"y must have a row of points"),
    "complex y": ({"y": np.ones((3, 20)) * 1j}, TypeError, "y must be real"),
    "t": ({"t": T[:5]}, ValueError, r"t must have shape \(20,\)"),
    "t not finite": ({"t": T * np.nan}, ValueError, "t must be finite"),
    "sigma": ({"sigma": [1.0]}, ValueError, "sigma must have shape"),
    "sigma zero": ({"sigma": np.zeros(20)}, ValueError, r"sigma must be .*; it is 0.0 at index 0"),
    "sigma of one": (
        {"sigma": np.where(np.arange(80).reshape(4, 20) == 43, -1.0, 1.0)},
        ValueError,
        r"sigma must be positive and finite; it is -1\.0 at index \(2, 3\)",
    ),
    "p0 scalar": ({"p0": 1.0}, ValueError, "p0 must have shape"),
    "p0 of others": ({"p0": np.ones((2, 3))}, ValueError, "p0 must have shape"),
    "p0 nan": ({"p0": [1.0, np.nan, 0.0]}, ValueError, "p0 must be finite"),
    "p0 long": ({"p0": np.ones(21)}, ValueError, "at least as many points"),
    "nan_policy": ({"nan_policy": "x"}, ValueError, "nan_policy must be"),
    "errors": ({"errors": "x"}, ValueError, "errors must be"),
    "threads": ({"threads": 0}, ValueError, "threads must be at least 1"),
    "threads type": ({"threads": 1.5}, TypeError, "threads must be an integer"),
    "solver": ({"solver": 3}, TypeError, "solver must be a Solver"),
    "solver's step": ({"solver": lmoo.Solver(step=lmoo.Nielsen())}, ValueError, "step=None"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_arguments_are_named(name: str) -> None:
    changed, kind, message = BAD[name]
    arguments: dict[str, Any] = {"f": decay, "t": T, "y": curves(4), "p0": P0} | changed
    expected = lmoo.EvaluationError if "vectorized" in arguments else kind
    with pytest.raises((expected, kind), match=message):
        lmoo.curve_fit_many(**arguments)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(3, 30), st.integers(0, 2**31))
def test_any_number_of_curves_and_points(count: int, m: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    t = np.sort(rng.uniform(0.0, 4.0, m))
    y = decay(t, rng.uniform(1, 3, (count, 1)), rng.uniform(0.5, 2, (count, 1)), 0.3)
    y = y + 0.01 * rng.standard_normal(y.shape)
    fits = lmoo.curve_fit_many(decay, t, y, P0)
    i = int(rng.integers(count))
    one = lmoo.Solver().solve(lmoo.FunctionProblem(lambda x: decay(t, *x) - y[i]), P0)
    # The model may round differently where rows of another length meet the vectors' ends.
    assert fits.status[i] == one.status or not np.isfinite(one.standard_errors).all()
    if one.success and np.isfinite(one.standard_errors).all():
        assert np.all(np.abs(fits.x[i] - one.x) <= 1e-4 * one.standard_errors + 1e-9)


# ---- several independent variables, other arrays, other workers ------------------------------


def spot(at: Any, height: Any, row: Any, column: Any, width: Any) -> Any:
    u, v = at
    return height * np.exp(-((u - column) ** 2 + (v - row) ** 2) / (2 * width**2))


def spots(count: int) -> tuple[tuple[Array, Array], Array]:
    u, v = np.meshgrid(np.arange(6.0), np.arange(5.0))
    grid = (u.ravel(), v.ravel())
    rng = np.random.default_rng(count)
    centres = rng.uniform(1.5, 2.5, (count, 1))
    return grid, spot(grid, 9.0, centres, 2.5, 1.0) + 0.1 * rng.standard_normal((count, 30))


@pytest.mark.parametrize("vectorized", [True, False])
def test_a_tuple_of_independent_variables(vectorized: bool) -> None:
    grid, y = spots(9)
    start = [8.0, 2.0, 2.0, 1.2]
    fits = lmoo.curve_fit_many(spot, grid, y, start, vectorized=vectorized)
    for k in range(9):
        problem = lmoo.FunctionProblem(lambda x, k=k: spot(grid, *x) - y[k])
        np.testing.assert_allclose(lmoo.Solver().solve(problem, start).x, fits.x[k], rtol=1e-9)
    each = tuple(np.tile(part, (9, 1)) for part in grid)
    again = lmoo.curve_fit_many(spot, each, y, start, vectorized=vectorized)
    np.testing.assert_allclose(again.x, fits.x, rtol=1e-12)


class Slices:
    """What is left of an array where only slices of its first axis can be had."""

    def __init__(self, array: Array) -> None:
        self.array, self.shape, self.dtype = array, array.shape, array.dtype

    def __getitem__(self, rows: slice) -> Array:
        assert isinstance(rows, slice)
        return self.array[rows]


@pytest.mark.parametrize("shape", [(900,), (30, 30), (9, 10, 10)])
def test_anything_that_can_be_sliced(shape: tuple[int, ...]) -> None:
    y = curves(900)
    expected = lmoo.curve_fit_many(decay, T, y, P0)
    fits = lmoo.curve_fit_many(decay, T, Slices(y.reshape(*shape, -1)), P0)
    np.testing.assert_array_equal(fits.x.reshape(900, -1), expected.x)


def test_results_go_where_they_are_wanted(tmp_path: Any) -> None:
    y = curves(600).reshape(20, 30, -1)
    expected = lmoo.curve_fit_many(decay, T, y, P0)
    x = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", np.float64, (20, 30, 3))
    nfev = np.zeros((30, 20), dtype=np.int32).T
    fits = lmoo.curve_fit_many(decay, T, y, P0, out={"x": x, "nfev": nfev, "covariance": None})
    assert fits.x is x
    assert fits.nfev is nfev
    assert fits.covariance is None
    np.testing.assert_array_equal(x, expected.x)
    np.testing.assert_array_equal(nfev, expected.nfev)
    np.testing.assert_array_equal(fits[3, 4].x, expected.x[3, 4])
    with pytest.raises(ValueError, match=r"out\['x'\] must be an array of shape \(20, 30, 3\)"):
        lmoo.curve_fit_many(decay, T, y, P0, out={"x": np.zeros((600, 3))})
    with pytest.raises(ValueError, match=r"out must have names of x, .* only; it has r_squared"):
        lmoo.curve_fit_many(decay, T, y, P0, out={"r_squared": x})


def test_an_executor_of_processes() -> None:
    y = curves(1500)
    expected = lmoo.curve_fit_many(decay, T, y, P0)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
        fits = lmoo.curve_fit_many(decay, T, y, P0, executor=executor)
    np.testing.assert_array_equal(fits.x, expected.x)
    np.testing.assert_array_equal(fits.covariance, expected.covariance)


def deadly(t: Array, a: Any, b: Any, c: Any) -> Any:
    """Kill the first worker that gets here."""
    if current_process().name != "MainProcess":
        os.kill(os.getpid(), signal.SIGKILL)
    return decay(t, a, b, c)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no way to kill a process")
def test_chunks_of_workers_that_died_are_solved_again() -> None:
    y = curves(1500)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
        fits = lmoo.curve_fit_many(deadly, T, y, P0, executor=executor)
    np.testing.assert_array_equal(fits.x, lmoo.curve_fit_many(decay, T, y, P0, trace=False).x)


def raising(t: Array, a: Any, b: Any, c: Any) -> Any:
    if np.any(b > 1.95):
        raise FloatingPointError("too fast")
    return decay(t, a, b, c)


def test_what_a_worker_raises_is_named() -> None:
    y = curves(800)
    here = lmoo.curve_fit_many(raising, T, y, P0, errors="record")
    assert len(here.errors) > 0
    with ThreadPoolExecutor(2) as executor:
        there = lmoo.curve_fit_many(raising, T, y, P0, errors="record", executor=executor)
        assert there.errors.keys() == here.errors.keys()
        with pytest.raises(lmoo.EvaluationError, match=f"for curve {min(here.errors)}"):
            lmoo.curve_fit_many(raising, T, y, P0, executor=executor)


def test_a_progress_bar(capsys: Any) -> None:
    pytest.importorskip("tqdm")
    lmoo.curve_fit_many(decay, T, curves(900), P0, progress=True)
    assert "900/900" in capsys.readouterr().err


@pytest.mark.parametrize(
    "jacobian",
    [lmoo.ForwardDifference(1e-12), lmoo.ForwardDifference(refine=False), lmoo.CentralDifference()],
)
def test_differences_as_a_single_solve_takes_them(jacobian: lmoo.Jacobian) -> None:
    y = curves(20)
    solver = lmoo.Solver(jacobian=jacobian)
    fits = lmoo.curve_fit_many(decay, T, y, P0, solver=solver)
    for k in range(20):
        one = solver.solve(lmoo.FunctionProblem(lambda x, k=k: decay(T, *x) - y[k]), P0)
        np.testing.assert_array_equal(fits.x[k], one.x)
        assert (fits.nfev[k], fits.njev[k], fits.nit[k]) == (one.nfev, one.njev, one.nit)


@pytest.mark.parametrize("scale", [1e-160, 1.0, 1e140])
@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_fits_in_company_have_the_bits_of_fits_alone(n: int, scale: float) -> None:
    # Columns of all sizes, a permutation of their own each, one that is zero, one repeated.
    rng = np.random.default_rng(n)
    a = rng.standard_normal((40, n, 12)) * 10.0 ** rng.integers(-3, 4, (40, n, 1))
    a[3, 0] = 0.0
    a[5, -1] = a[5, 0]
    a[7] *= scale
    y = scale * rng.standard_normal((40, 12))
    t = np.broadcast_to(np.arange(40.0)[:, None], (40, 12))

    def model(t: Array, *p: Any) -> Any:
        which = t[:, 0].astype(int) if t.ndim == 2 else np.full(1, int(t[0]))
        total = sum(np.atleast_2d(p[j]) * a[which, j] for j in range(n))
        return total if t.ndim == 2 else total[0]

    def jac(t: Array, *p: Any) -> Any:
        which = t[:, 0].astype(int) if t.ndim == 2 else np.full(1, int(t[0]))
        columns = [a[which, j] for j in range(n)]
        return columns if t.ndim == 2 else [column[0] for column in columns]

    together = lmoo.curve_fit_many(model, t, y, np.ones(n), jac=jac)
    for k in range(40):
        alone = lmoo.curve_fit_many(model, t[k : k + 1], y[k : k + 1], np.ones(n), jac=jac)
        np.testing.assert_array_equal(alone.x[0], together.x[k])
        np.testing.assert_array_equal(alone.covariance[0], together.covariance[k])
        assert alone.status[0] == together.status[k]


# ----------------------------------------------------------------------------- one of the fits


@pytest.mark.parametrize("model", [decay, lmoo.models.Exponential()], ids=["numpy", "compiled"])
def test_a_result_knows_its_curve(model: Any) -> None:
    y = curves(3)
    y[1, 4] = np.nan
    solver = lmoo.Solver(bounds={2: (None, 0.4)})
    sigma = np.linspace(0.1, 0.2, 20)
    start = [1.0, 1.0, 0.0]
    fits = lmoo.curve_fit_many(model, T, y, start, sigma=sigma, solver=solver, nan_policy="omit")
    result = fits[1]
    assert "at its upper bound" in result.message
    kept = np.isfinite(y[1])
    np.testing.assert_array_equal(result.problem.y, y[1][kept])
    np.testing.assert_allclose(result.problem.sigma, sigma[kept], rtol=1e-15)
    again = solver.solve(result.problem, start)
    np.testing.assert_allclose(again.x, result.x, rtol=1e-9)
    np.testing.assert_allclose(result.standard_errors, fits.stderr[1], rtol=1e-9)
    assert result.predict(T).shape == (20,)
    low, high = result.confidence_interval(method="profile")[1]
    assert low < result.x[1] < high


def test_a_result_of_a_stack_of_problems_knows_its_own() -> None:
    class Lines(lmoo.BatchProblem):
        def residual(self, x: Array, which: Any) -> Any:
            return x[:, :1] * T + x[:, 1:] - np.sin(T + which[:, None])

    result = lmoo.solve_many(Lines(), np.ones((4, 2)))[2]
    np.testing.assert_allclose(result.problem.residual(result.x), result.residual, atol=1e-15)
    assert result.jacobian().shape == (20, 2)


def test_starts_of_another_length_for_a_later_chunk() -> None:
    def p0(t: Array, y: Array) -> Array:
        return np.ones((len(y), 3 if len(y) == 1 else 2))

    solver = lmoo.Solver(bounds=(-10, 10))
    with pytest.raises(ValueError, match="as many parameters for all curves, 3"):
        lmoo.curve_fit_many(lambda t, a, b, *c: a + b * t, T, curves(4), p0, solver=solver)
