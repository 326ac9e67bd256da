"""Points at which a block cannot be evaluated."""

from __future__ import annotations

from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from block_problems import TEN, X0, Decay, DecayWithJacobian, WholeWithJacobian

import lmoo
from lmoo import EvaluationError, Solver


class Bounded(DecayWithJacobian):
    """Not to be evaluated at rates of 2.5 and more, in one of its blocks."""

    how: Any = None

    def residual(self, x: np.ndarray, block: slice) -> np.ndarray:
        f = super().residual(x, block)
        if block.start == 700 and x[1] > 2.5:
            if self.how == "raise":
                raise EvaluationError("too fast")
            f[17] = self.how
        return f


@pytest.mark.parametrize("how", ["raise", np.nan, np.inf], ids=str)
@pytest.mark.parametrize("pool", [False, True], ids=["serial", "threads"])
def test_a_bad_block_refuses_the_point(how: Any, pool: bool) -> None:
    refused = 0

    def watch(record: lmoo.IterationRecord) -> None:
        nonlocal refused
        refused += record.ratio == 0.0 and not record.accepted

    def solve(executor: Executor | None) -> lmoo.Result:
        problem = Bounded(TEN, executor)
        problem.how = how
        return Solver(factor=100.0).solve(problem, (0.01, 0.01, 0.0), callback=watch)

    if pool:
        with ThreadPoolExecutor(3) as executor:
            result = solve(executor)
    else:
        result = solve(None)
    assert refused
    assert result.success
    np.testing.assert_allclose(result.x, Solver().solve(WholeWithJacobian(), X0).x, rtol=1e-9)


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("raise", r"^too fast$"),
        (np.nan, r"^residual\(x0, block\) must be finite; its entry 17 is nan for block 7$"),
        (-np.inf, r"^residual\(x0, block\) must be finite; its entry 17 is -inf for block 7$"),
    ],
    ids=str,
)
def test_a_start_that_cannot_be_evaluated_says_where(how: Any, says: str) -> None:
    problem = Bounded(TEN)
    problem.how = how
    with pytest.raises(EvaluationError, match=says):
        Solver().solve(problem, (1.0, 3.0, 0.0))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_jacobian_that_is_not_finite_at_the_start_is_an_error(bad: float) -> None:
    class Bad(DecayWithJacobian):
        def jacobian(self, x: np.ndarray, block: slice) -> np.ndarray:
            j = super().jacobian(x, block)
            j[5, 1] = bad
            return j

    with pytest.raises(EvaluationError, match=r"the Jacobian at x0"):
        Solver().solve(Bad(TEN), X0)


def test_a_jacobian_refused_at_the_start_comes_out_as_it_was() -> None:
    class Bad(Decay):
        def jacobian(self, x: np.ndarray, block: slice) -> np.ndarray:
            raise EvaluationError("no derivatives")

    with pytest.raises(EvaluationError, match=r"^no derivatives$"):
        Solver().solve(Bad(TEN), X0)


def test_a_jacobian_that_is_bad_later_takes_its_point_back() -> None:
    class Bad(DecayWithJacobian):
        calls = 0

        def jacobian(self, x: np.ndarray, block: slice) -> np.ndarray:
            self.calls += 1
            if 20 < self.calls <= 30:
                raise EvaluationError
            return super().jacobian(x, block)

    result = Solver().solve(Bad(TEN), X0)
    assert result.success
    np.testing.assert_allclose(result.x, Solver().solve(WholeWithJacobian(), X0).x, rtol=1e-9)


@pytest.mark.filterwarnings("ignore:overflow")
@pytest.mark.parametrize("scale", [1e200, 1e-200])
def test_norms_neither_overflow_nor_underflow(scale: float) -> None:
    class Scaled(DecayWithJacobian):
        def residual(self, x: np.ndarray, block: slice) -> np.ndarray:
            return scale * super().residual(x, block)

        def jacobian(self, x: np.ndarray, block: slice) -> np.ndarray:
            return scale * super().jacobian(x, block)

    ours = Solver().solve(Scaled(TEN), X0)
    plain = Solver().solve(DecayWithJacobian(TEN), X0)
    assert ours.success
    np.testing.assert_allclose(ours.x, plain.x, rtol=1e-9)
    np.testing.assert_allclose(ours.fnorm, scale * plain.fnorm, rtol=1e-12)
