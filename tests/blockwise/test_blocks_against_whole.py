"""A problem in blocks has the answer of the whole problem."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from block_problems import (
    TEN,
    X0,
    Decay,
    DecayWithJacobian,
    T,
    Whole,
    WholeWithJacobian,
    assert_same_bits,
    cut,
)

import lmoo
from lmoo import RowBlockProblem, Solver
from lmoo.datasets import NistDataset, nist, nist_names


def without_threads_left(call: Callable[[], Any]) -> Any:
    before = threading.active_count()
    value = call()
    assert threading.active_count() == before
    return value


def test_a_problem_in_blocks_is_solved_as_the_whole() -> None:
    ours = Solver().solve(DecayWithJacobian(TEN), X0)
    whole = Solver().solve(WholeWithJacobian(), X0)
    assert ours.success
    assert (ours.nfev, ours.njev, ours.nit) == (whole.nfev, whole.njev, whole.nit)
    np.testing.assert_allclose(ours.x, whole.x, rtol=1e-13)
    np.testing.assert_allclose(ours.cost, whole.cost, rtol=1e-14)
    np.testing.assert_allclose(ours.covariance(), whole.covariance(), rtol=1e-11)
    np.testing.assert_allclose(ours.standard_errors, whole.standard_errors, rtol=1e-11)
    np.testing.assert_allclose(ours.residual_deviation, whole.residual_deviation, rtol=1e-14)
    assert ours.degrees_of_freedom == whole.degrees_of_freedom == T.size - 3
    assert ours.parameter_names == ("amplitude", "rate", "offset")


@pytest.mark.parametrize(
    "strategy",
    [
        None,
        lmoo.ForwardDifference(refine=False),
        lmoo.ForwardDifference(typical=1.0),
        lmoo.CentralDifference(),
        lmoo.ComplexStep(),
    ],
    ids=repr,
)
def test_every_strategy_differentiates_block_by_block(strategy: lmoo.Jacobian | None) -> None:
    solver = Solver(jacobian=strategy)
    ours, whole = solver.solve(Decay(TEN), X0), solver.solve(Whole(), X0)
    assert ours.success
    # nfev is of passes over all blocks.  Sums in another order may make the last step, which is of
    # the size of their rounding, seem worth one more: a trial, and a pair for each parameter.
    assert abs(ours.nit - whole.nit) <= 1
    assert abs(ours.nfev - whole.nfev) <= 1 + 2 * len(X0)
    exact = Solver().solve(WholeWithJacobian(), X0)
    unrefined = isinstance(strategy, lmoo.ForwardDifference) and not strategy.refine
    np.testing.assert_allclose(ours.x, exact.x, rtol=1e-6 if unrefined else 1e-9)


def test_columns_may_be_rows() -> None:
    class Columns(Decay):
        def jacobian(self, x: np.ndarray, block: slice) -> np.ndarray:
            return DecayWithJacobian().jacobian(x, block).T

    ours = Solver(jacobian=lmoo.ColumnMajor()).solve(Columns(TEN), X0)
    assert_same_bits(ours, Solver().solve(DecayWithJacobian(TEN), X0))


def test_a_strategy_of_ones_own_sees_a_block_as_a_problem() -> None:
    seen = set()

    class Own(lmoo.Jacobian):
        relative_error = 1e-7

        def evaluate(self, problem: Any, x: Any, f: Any, out: Any) -> int:
            seen.add((problem.block.start, f.size))
            for j in range(x.size):
                moved = x.copy()
                moved[j] += 1e-7
                out[:, j] = (problem.residual(moved) - f) / 1e-7
            return x.size

    result = Solver(jacobian=Own()).solve(Decay(TEN), X0)
    assert result.success
    assert seen == {(100 * k, 100) for k in range(10)}
    assert result.nfev == result.nit + 1 + 3 * result.njev


class NistRows(RowBlockProblem):
    def __init__(self, data: NistDataset, size: int) -> None:
        self.data = data
        super().__init__(cut(data.y.size, [size] * (data.y.size // size)))

    def residual(self, x: np.ndarray, block: slice) -> np.ndarray:
        return self.data.residual(x)[block]

    def jacobian(self, x: np.ndarray, block: slice) -> np.ndarray:
        return self.data.jacobian(x)[block]


def test_nist_has_the_digits_of_the_whole() -> None:
    errors = []
    for name, start in itertools.product(nist_names(), (0, 1)):
        data = nist(name)
        # Without acceleration, for which blocks would have to be passed once more.
        solver = Solver(step=lmoo.More(accelerate=False))
        ours = solver.solve(NistRows(data, 7), data.starts[start])
        whole = solver.solve(data, data.starts[start])
        assert ours.success == whole.success, name
        assert abs(ours.nfev - whole.nfev) <= 0.05 * whole.nfev, name
        np.testing.assert_allclose(ours.cost, whole.cost, rtol=1e-9, atol=1e-20, err_msg=name)
        difference = np.abs(ours.x - whole.x)
        errors.append(np.max(difference / np.abs(whole.x)))
        # Where a long path meets rounding both stop as near the minimum as they promise, not at
        # one point: within 30 xtol |f| in f, as much of the standard errors times the root of the
        # degrees of freedom.
        known = np.sqrt(whole.degrees_of_freedom) * whole.standard_errors
        near = 1e-10 * np.abs(whole.x) + 2.0 * 30.0 * 1e-10 * known
        assert (difference <= near).all(), name
    assert np.median(errors) <= 1e-14


def test_columns_scaled_over_twelve_orders_of_magnitude() -> None:
    scales = 10.0 ** np.array([-6.0, 0.0, 6.0])

    class Scaled(RowBlockProblem):
        def residual(self, x: np.ndarray, block: slice) -> np.ndarray:
            return Decay().residual(x * scales, block)

        def jacobian(self, x: np.ndarray, block: slice) -> np.ndarray:
            return DecayWithJacobian().jacobian(x * scales, block) * scales

    class ScaledWhole(lmoo.Problem):
        def residual(self, x: np.ndarray) -> np.ndarray:
            return Scaled().residual(x, slice(None))

        def jacobian(self, x: np.ndarray) -> np.ndarray:
            return Scaled().jacobian(x, slice(None))

    start = np.array(X0) / scales
    ours, whole = Solver().solve(Scaled(TEN), start), Solver().solve(ScaledWhole(), start)
    plain = Solver().solve(DecayWithJacobian(TEN), X0)
    assert ours.success
    np.testing.assert_allclose(ours.x, whole.x, rtol=1e-13)
    np.testing.assert_allclose(ours.x * scales, plain.x, rtol=1e-12)
    np.testing.assert_allclose(ours.standard_errors * scales, plain.standard_errors, rtol=1e-9)
