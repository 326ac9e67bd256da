"""The reduction of the blocks' triangles."""

from __future__ import annotations

import numpy as np
import pytest
from block_problems import RNG, cut
from hypothesis import given, settings
from hypothesis import strategies as st

from lmoo import EvaluationError, RowBlockProblem, Solver
from lmoo._core import kernels
from lmoo._core.solve import merge_norms, merge_triangles
from lmoo.blockwise.reduction import FAN, PartialQR, ReductionTree, merge

EPS = np.finfo(float).eps


def triangle(rows: int, n: int = 4) -> np.ndarray:
    t: np.ndarray = np.asfortranarray(np.triu(RNG.standard_normal((rows, n + 1)))[:n])
    return t


def part(number: int) -> PartialQR:
    return PartialQR(number + 1, 1, float(number), EPS, triangle(4), number, 0.0)


@given(st.integers(1, 200))
@settings(deadline=None)
def test_the_tree_is_that_of_merging_level_by_level(count: int) -> None:
    parts = [part(k) for k in range(count)]
    tree = ReductionTree()
    for p in parts:
        tree.add(p)
        assert all(len(level) < FAN for level in tree.levels)
    while len(parts) > 1:
        groups = [parts[k : k + FAN] for k in range(0, len(parts), FAN)]
        parts = [merge(group) if len(group) > 1 else group[0] for group in groups]
    root = tree.root()
    assert root is not None
    assert root._replace(triangle=None) == parts[0]._replace(triangle=None)
    np.testing.assert_array_equal(root.triangle, parts[0].triangle)


def test_an_empty_tree_has_no_root() -> None:
    assert ReductionTree().root() is None


def test_merged_triangles_are_the_triangle_of_all_rows() -> None:
    triangles = [triangle(4) for _ in range(7)]
    kept = [t.copy() for t in triangles]
    merged = merge_triangles(triangles)
    rows = np.concatenate(triangles)
    np.testing.assert_allclose(merged.T @ merged, (rows.T @ rows)[:, :] * _seen(merged, rows))
    np.testing.assert_array_equal(np.tril(merged, -1), 0.0)
    for t, before in zip(triangles, kept, strict=True):
        np.testing.assert_array_equal(t, before)


def _seen(merged: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """1, but for |Q^T f|^2, of which the triangle keeps the part in the span of J."""
    n = merged.shape[0]
    ratio = np.ones((n + 1, n + 1))
    q = np.linalg.qr(rows[:, :n])[0].T @ rows[:, n]
    ratio[n, n] = (q @ q) / (rows[:, n] @ rows[:, n])
    return ratio


def test_folding_block_by_block_is_folding_the_whole() -> None:
    j, f = RNG.standard_normal((500, 5)), RNG.standard_normal(500)

    class Linear(RowBlockProblem):
        def residual(self, x: np.ndarray, block: slice) -> np.ndarray:
            return j[block] @ x - f[block]

        def jacobian(self, x: np.ndarray, block: slice) -> np.ndarray:
            return j[block]

    result = Solver().solve(Linear(cut(500, [37] * 13)), np.zeros(5))
    np.testing.assert_allclose(result.x, np.linalg.lstsq(j, f, rcond=None)[0], rtol=1e-12)
    r, _, acnorm, _ = kernels.fold(j, f)
    assert result.factor is not None
    np.testing.assert_allclose(np.abs(result.factor.r), np.abs(r), atol=1e-12)
    np.testing.assert_allclose(result.factor.acnorm, acnorm, rtol=1e-14)


@pytest.mark.parametrize("scale", [1e-300, 1e-10, 1.0, 1e300])
def test_merged_norms_neither_overflow_nor_underflow(scale: float) -> None:
    np.testing.assert_allclose(merge_norms([3.0 * scale, 4.0 * scale]), 5.0 * scale, rtol=1e-15)
    assert merge_norms([scale]) == scale


def test_a_refused_part_refuses_those_after_it() -> None:
    first, second = EvaluationError("first"), EvaluationError("second")
    parts = [part(5), part(9)._replace(refusal=first), part(70), part(3)._replace(refusal=second)]
    merged = merge(parts)
    assert merged.refusal is first
    assert merged.evaluations == 9
