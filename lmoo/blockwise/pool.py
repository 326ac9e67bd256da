"""Evaluate blocks on an executor of concurrent.futures: threads or processes."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, wait
from functools import partial
from os import cpu_count
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmoo.blockwise.evaluation import (
    Linearization,
    WorkerProblem,
    evaluate,
    iterator,
    require_local,
)
from lmoo.blockwise.reduction import PartialQR, ReductionTree
from lmoo.problems.rows import RowBlockProblem


class Pool:
    """Evaluate blocks on an executor; at most two blocks per worker are pending at a time."""

    def __init__(self, problem: RowBlockProblem, executor: Executor) -> None:
        self.problem, self.executor = problem, executor
        self.window = 2 * (getattr(executor, "_max_workers", None) or cpu_count() or 1)

    def __call__(
        self, worker: WorkerProblem, x: NDArray[np.float64], at: Linearization | None
    ) -> PartialQR | None:
        """Evaluate all blocks and merge them in their order."""
        tree = ReductionTree()
        pending: deque[_PendingBlock] = deque()
        try:
            for index, block in enumerate(iterator(self.problem)):
                call = partial(evaluate, worker, x, at, index, require_local(block))
                pending.append(_PendingBlock(call, self._submit(call)))
                if len(pending) >= self.window and self._merge_next(pending, tree):
                    return tree.root()
            while pending and not self._merge_next(pending, tree):
                pass
            return tree.root()
        finally:
            # No evaluation may run after the solve has ended.
            futures = [block.future for block in pending if block.future is not None]
            for future in futures:
                future.cancel()
            wait(futures)

    def _submit(self, call: Callable[[], PartialQR]) -> "Future[PartialQR] | None":
        """Return the future of a call; None if the workers of the executor have died."""
        try:
            return self.executor.submit(call)
        except BrokenExecutor:
            return None

    def _merge_next(self, pending: "deque[_PendingBlock]", tree: ReductionTree) -> bool:
        """Add the factor of the first pending block to the tree; return whether it was refused."""
        factor = pending[0].result()
        pending.popleft()
        tree.add(factor)
        return factor.refusal is not None


class _PendingBlock(NamedTuple):
    """A block that was submitted."""

    call: Callable[[], PartialQR]
    future: "Future[PartialQR] | None"

    def result(self) -> PartialQR:
        """Return the factor; evaluate the block in this thread if its worker has died."""
        if self.future is not None:
            try:
                return self.future.result()
            except BrokenExecutor:
                pass
        return self.call()
