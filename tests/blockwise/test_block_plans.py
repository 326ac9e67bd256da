"""How blocks are given and counted."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from block_problems import (
    KINDS,
    TEN,
    X0,
    Decay,
    DecayWithJacobian,
    Restartable,
    T,
    WholeWithJacobian,
    assert_same_bits,
    cut,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from lmoo import Solver


@given(st.lists(st.integers(0, 400), max_size=30))
@settings(max_examples=60, deadline=None)
def test_any_blocks_give_the_same_digits(sizes: list[int]) -> None:
    whole = Solver().solve(WholeWithJacobian(), X0)
    ours = Solver().solve(DecayWithJacobian(cut(T.size, sizes)), X0)
    assert (ours.status, ours.nfev, ours.njev) == (whole.status, whole.nfev, whole.njev)
    np.testing.assert_allclose(ours.x, whole.x, rtol=1e-12)
    np.testing.assert_allclose(ours.cost, whole.cost, rtol=1e-13)


def test_a_row_a_block() -> None:
    ours = Solver().solve(DecayWithJacobian(cut(T.size, [1] * 999)), X0)
    np.testing.assert_allclose(ours.x, Solver().solve(WholeWithJacobian(), X0).x, rtol=1e-12)
    assert ours.observations == T.size


def test_blocks_may_be_empty_and_have_fewer_rows_than_parameters() -> None:
    blocks = cut(T.size, [0, 1, 0, 2, 500, 0])
    for kind in (Decay, DecayWithJacobian):
        ours = Solver().solve(kind(blocks), X0)
        np.testing.assert_allclose(ours.x, Solver().solve(kind(TEN), X0).x, rtol=1e-8)


@KINDS
def test_blocks_may_be_any_iterable_that_starts_anew(kind: Any) -> None:
    class Method(kind):  # type: ignore[misc]
        def blocks(self) -> Iterator[slice]:
            yield from TEN

    class Property(kind):  # type: ignore[misc]
        @property
        def blocks(self) -> Iterator[slice]:
            return map(slice, range(0, 1000, 100), range(100, 1100, 100))

        @blocks.setter
        def blocks(self, value: Any) -> None:
            raise AssertionError

    right = Solver().solve(kind(TEN), X0)
    assert_same_bits(Solver().solve(kind(tuple(TEN)), X0), right)
    assert_same_bits(Solver().solve(Method(), X0), right)
    blocks = Restartable()
    assert_same_bits(Solver().solve(kind(blocks), X0), right)
    # A pass a trial and the start, a pass a Jacobian; differences are taken within a block.
    assert blocks.passes == right.nit + 1 + right.njev


def test_one_jacobian_block_exists_at_a_time() -> None:
    alive: list[Any] = []
    most = 0

    class Tracked(np.ndarray):
        pass

    class Watched(DecayWithJacobian):
        def jacobian(self, x: np.ndarray, block: slice) -> np.ndarray:
            nonlocal most
            gc.collect()
            most = max(most, sum(ref() is not None for ref in alive))
            array = super().jacobian(x, block).view(Tracked)
            alive.append(weakref.ref(array))
            return array

    # What other tests have left need not be looked through for each block.
    gc.freeze()
    assert Solver().solve(Watched(TEN), X0).success
    assert most == 0


def test_trial_points_evaluate_no_jacobian() -> None:
    calls = {"residual": 0, "jacobian": 0}

    class Counted(DecayWithJacobian):
        def residual(self, x: np.ndarray, block: slice) -> np.ndarray:
            calls["residual"] += 1
            return super().residual(x, block)

        def jacobian(self, x: np.ndarray, block: slice) -> np.ndarray:
            calls["jacobian"] += 1
            return super().jacobian(x, block)

    result = Solver().solve(Counted(TEN), X0)
    assert calls["jacobian"] == 10 * result.njev
    assert calls["residual"] == 10 * (result.nfev + result.njev)
    assert result.nfev == result.nit + 1


def test_what_the_block_functions_return_may_be_reused() -> None:
    class Reusing(DecayWithJacobian):
        def __init__(self, blocks: Any) -> None:
            super().__init__(blocks)
            self.f, self.j = np.empty(100), np.empty((100, 3))

        def residual(self, x: np.ndarray, block: slice) -> np.ndarray:
            self.f[:] = super().residual(x, block)
            x[:] = np.nan
            return self.f

        def jacobian(self, x: np.ndarray, block: slice) -> np.ndarray:
            self.j[:] = super().jacobian(x, block)
            self.f[:] = np.nan
            x[:] = np.nan
            return self.j

    assert_same_bits(Solver().solve(Reusing(TEN), X0), Solver().solve(DecayWithJacobian(TEN), X0))


@pytest.mark.parametrize(
    "layout",
    [
        np.asfortranarray,
        lambda j: j.tolist(),
        lambda j: np.repeat(j, 2, axis=0)[::2],
        lambda j: j.astype(">f8"),
        lambda j: np.flipud(np.flipud(j).copy()),
        lambda j: np.ndarray(j.shape, float, b"\0" + j.tobytes(), 1),
    ],
    ids=["fortran", "lists", "strided", "swapped", "reversed", "unaligned"],
)
def test_any_layout_of_a_jacobian_is_read(layout: Callable[[np.ndarray], Any]) -> None:
    class Laid(DecayWithJacobian):
        def jacobian(self, x: np.ndarray, block: slice) -> Any:
            return layout(super().jacobian(x, block))

    assert_same_bits(Solver().solve(Laid(TEN), X0), Solver().solve(DecayWithJacobian(TEN), X0))


def test_float32_blocks_are_differenced_with_steps_that_they_can_see() -> None:
    class Single(Decay):
        def residual(self, x: np.ndarray, block: slice) -> np.ndarray:
            return super().residual(x.astype(np.float32), block).astype(np.float32)

    result = Solver().solve(Single(TEN), X0)
    assert result.success
    exact = Solver().solve(DecayWithJacobian(TEN), X0)
    np.testing.assert_allclose(result.x, exact.x, rtol=2000 * np.finfo(np.float32).eps)
