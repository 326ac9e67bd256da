"""`curve_fit_many`: data, results, workers, and one fit as a `Result`."""

from __future__ import annotations

import os
import re
import signal
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import current_process
from typing import Any

import numpy as np
import pytest
from many_cases import P0, Array, T, curves, decay
from processes import processes

import lmoo

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
    with processes(2) as executor:
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
    with processes(2) as executor:
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
        # Curves of a chunk advance together: the first that raises may have any index.
        with pytest.raises(lmoo.EvaluationError, match="for curve") as alone:
            lmoo.curve_fit_many(raising, T, y, P0)
        with pytest.raises(lmoo.EvaluationError, match=re.escape(str(alone.value))):
            lmoo.curve_fit_many(raising, T, y, P0, executor=executor)


def test_a_progress_bar(capsys: Any) -> None:
    pytest.importorskip("tqdm")
    lmoo.curve_fit_many(decay, T, curves(900), P0, progress=True)
    assert "900/900" in capsys.readouterr().err


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


def test_variables_in_one_array_have_a_hint() -> None:
    # As for scipy's curve_fit.
    t = np.array([T, T**1.5])
    y = np.stack([2.0 * t[0] + 0.5 * t[1]] * 3)

    def plane(t: Any, a: Any, b: Any) -> Any:
        return a * t[0] + b * t[1]

    with pytest.raises(
        ValueError, match=r"it has \(2, \d+\); several variables are a tuple, tuple\(t\)"
    ):
        lmoo.curve_fit_many(plane, t, y, [1.0, 1.0])
    found = lmoo.curve_fit_many(plane, tuple(t), y, [1.0, 1.0])
    np.testing.assert_allclose(found.x, np.broadcast_to([2.0, 0.5], (3, 2)))
