"""`CurveBlocks`: a curve in blocks of points."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from block_problems import (
    RNG,
    TEN,
    X0,
    Decay,
    DecayWithJacobian,
    T,
    WholeWithJacobian,
    Y,
    assert_same_bits,
    cut,
    model,
)
from samples import START, decay, decay_jacobian
from samples import T as SAMPLE_T

import lmoo
from lmoo import CurveBlocks, RowBlockProblem, Solver


def derivatives(t: np.ndarray, a: float, b: float, c: float) -> np.ndarray:
    e = np.exp(-b * t)
    return np.column_stack([e, -a * t * e, np.ones(t.size)])


@pytest.mark.parametrize("size", [1, 7, 100, 1000, 65536])
def test_curve_blocks_fit_a_model(size: int) -> None:
    ours = Solver().solve(CurveBlocks(model, T, Y, size, jac=derivatives), X0)
    np.testing.assert_allclose(ours.x, Solver().solve(WholeWithJacobian(), X0).x, rtol=1e-12)
    assert ours.observations == 1000
    assert ours.nfev == ours.nit + 1


def test_curve_blocks_of_hundred_are_the_ten_blocks() -> None:
    assert_same_bits(
        Solver().solve(CurveBlocks(model, T, Y, 100, jac=derivatives), X0),
        Solver().solve(DecayWithJacobian(TEN), X0),
    )
    assert_same_bits(
        Solver().solve(CurveBlocks(model, T, Y, 100, trace=False), X0),
        Solver().solve(Decay(TEN), X0),
    )


@pytest.mark.parametrize("jac", [None, derivatives])
def test_curve_blocks_divide_by_sigma(jac: Any) -> None:
    sigma = RNG.uniform(0.5, 2.0, T.size)
    ours = Solver().solve(CurveBlocks(model, T, Y, 64, sigma, jac), X0)

    def weighted(x: np.ndarray) -> np.ndarray:
        return (model(T, *x) - Y) / sigma

    whole = Solver().solve(lmoo.FunctionProblem(weighted), X0)
    np.testing.assert_allclose(ours.x, whole.x, rtol=1e-8)
    np.testing.assert_allclose(ours.cost, whole.cost, rtol=1e-12)
    halved = Solver().solve(CurveBlocks(model, T, Y, 64, 2.0, jac), X0)
    plain = Solver().solve(CurveBlocks(model, T, Y, 64, None, jac), X0)
    np.testing.assert_allclose(halved.cost, plain.cost / 4.0, rtol=1e-12)


def test_curve_blocks_take_memory_maps(tmp_path: Path) -> None:
    np.save(tmp_path / "t.npy", T)
    np.save(tmp_path / "y.npy", Y)
    t, y = (np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in "ty")
    seen = set()

    def watched(t: np.ndarray, *p: float) -> np.ndarray:
        seen.add((type(t), t.size))
        return model(t, *p)

    result = Solver().solve(CurveBlocks(watched, t, y, 300), X0)
    assert_same_bits(result, Solver().solve(CurveBlocks(model, T, Y, 300, trace=False), X0))
    assert seen == {(np.ndarray, 300), (np.ndarray, 100)}


def test_curve_blocks_take_several_predictors() -> None:
    x = np.stack([T, np.sin(T)])
    y = 2.0 * x[0] - 3.0 * x[1]
    problem = CurveBlocks(lambda x, a, b: a * x[0] + b * x[1], x, y, 128)
    np.testing.assert_allclose(Solver().solve(problem, [1.0, 1.0]).x, [2.0, -3.0], rtol=1e-9)


def test_curve_blocks_take_lists_and_integers() -> None:
    problem = CurveBlocks(lambda t, a, b: a + b * t, [0, 1, 2, 3], [1, 3, 5, 7], 2)
    np.testing.assert_allclose(Solver().solve(problem, [0.0, 0.0]).x, [1.0, 2.0], rtol=1e-9)


def test_curve_blocks_are_sent_without_their_data() -> None:
    from lmoo.blockwise.evaluation import WorkerProblem

    long = np.arange(100_000.0)
    problem = CurveBlocks(model, long, long, jac=derivatives, parameter_names=("a", "b", "c"))
    stored = pickle.dumps(WorkerProblem(problem, lmoo.Analytic()))
    assert len(stored) < 2000
    again = pickle.loads(stored).problem
    np.testing.assert_array_equal(again.residual(np.array(X0), (T, Y, 1.0)), model(T, *X0) - Y)


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"f": 3}, TypeError, r"f must be callable; it is 3"),
        ({"jac": 3}, TypeError, r"jac must be callable or None; it is 3"),
        ({"block_size": 0}, ValueError, r"block_size must be at least 1; it is 0"),
        ({"block_size": 1.5}, TypeError, r"block_size must be an integer; it is 1.5"),
        ({"ydata": Y * 1j}, TypeError, r"ydata must be real numbers; .* complex128"),
        ({"xdata": ["a"] * 1000}, TypeError, r"xdata must be real numbers; .* <U1"),
        ({"ydata": Y[:, None]}, ValueError, r"ydata must be 1-D; its shape is \(1000, 1\)"),
        ({"xdata": T[:-1]}, ValueError, r"xdata must have .* m = 1000 .* its shape is \(999,\)"),
        ({"xdata": T[:, None]}, ValueError, r"xdata must have .* its shape is \(1000, 1\)"),
        ({"sigma": 0.0}, ValueError, r"sigma must be positive and finite; it is 0.0"),
        ({"sigma": np.nan}, ValueError, r"sigma must be positive and finite; it is nan"),
        ({"sigma": np.ones(3)}, ValueError, r"sigma must have shape \(1000,\) .* has \(3,\)"),
        ({"sigma": "a"}, TypeError, r"sigma must be a real number"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_bad_arguments_of_curve_blocks_are_named(change: Any, error: Any, says: str) -> None:
    arguments: dict[str, Any] = {"f": model, "xdata": T, "ydata": Y, **change}
    with pytest.raises(error, match=rf"^{says}"):
        CurveBlocks(**arguments)


@pytest.mark.parametrize(
    ("f", "jac", "sigma", "says"),
    [
        (lambda t, *p: 1.0, None, None, r"f must return one value per row, shape \(64,\); .*\(\)"),
        (lambda t, *p: t[:-1], None, None, r"f must return .*; it returned shape \(63,\)"),
        (model, lambda t, *p: t, None, r"jac must return a row of 3 derivatives for each of 64"),
        (
            model,
            None,
            np.linspace(-1, 1, 1000),
            r"sigma must be positive and finite; it is -1.0 at index 0 of block 0",
        ),
    ],
    ids=["scalar", "short", "jac", "sigma"],
)
def test_what_shows_only_when_a_block_is_looked_at_is_named(
    f: Any, jac: Any, sigma: Any, says: str
) -> None:
    with pytest.raises(ValueError, match=rf"^{says}"):
        Solver().solve(CurveBlocks(f, T, Y, 64, sigma, jac), X0)


def test_a_subclass_of_curve_blocks_may_have_a_jacobian_of_its_own() -> None:
    class Own(CurveBlocks):
        def jacobian(self, x: np.ndarray, block: Any) -> np.ndarray:
            return derivatives(block[0], *x)

    result = Solver().solve(Own(model, T, Y, 100), X0)
    assert_same_bits(result, Solver().solve(DecayWithJacobian(TEN), X0))


def test_the_samples_in_three_blocks() -> None:
    class Sample(RowBlockProblem):
        def residual(self, x: np.ndarray, block: slice) -> np.ndarray:
            return decay(x)[block]

        def jacobian(self, x: np.ndarray, block: slice) -> np.ndarray:
            return decay_jacobian(x)[block]

    ours = Solver().solve(Sample(cut(SAMPLE_T.size, [2, 5])), START)
    whole = Solver().solve(lmoo.FunctionProblem(decay, decay_jacobian), START)
    np.testing.assert_allclose(ours.x, whole.x, rtol=1e-13)


def test_curves_in_blocks_take_bounds_and_fixed_parameters() -> None:
    t = np.linspace(0.0, 4.0, 100)

    def decay(t: Any, a: Any, b: Any, c: Any) -> Any:
        return a * np.exp(-b * t) + c

    y = decay(t, 2.5, 1.3, 0.5)
    options = {"bounds": {"c": (0.6, None)}, "fixed": ["a"]}
    blocks = lmoo.CurveBlocks(decay, t, y, block_size=30, **options)
    result = lmoo.Solver().solve(blocks, [2.4, 1.0, 1.0])
    right = lmoo.Solver().solve(lmoo.CurveProblem(decay, t, y, **options), [2.4, 1.0, 1.0])
    np.testing.assert_allclose(result.x, right.x, rtol=1e-7)
    np.testing.assert_array_equal(result.active_mask, [0, 0, -1])
    np.testing.assert_array_equal(result.fixed, [True, False, False])


def test_the_derivatives_of_one_parameter_in_blocks_may_be_a_vector() -> None:
    t = np.linspace(0.0, 4.0, 100)
    blocks = lmoo.CurveBlocks(
        lambda t, b: np.exp(-b * t), t, np.exp(-1.3 * t), 30, jac=lambda t, b: -t * np.exp(-b * t)
    )
    np.testing.assert_allclose(lmoo.Solver().solve(blocks, [1.0]).x, 1.3, rtol=1e-10)
