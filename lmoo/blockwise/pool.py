"""Blocks on an executor of concurrent.futures: threads or processes."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, wait
from functools import partial
from os import cpu_count
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmoo.blockwise.task import Model, Task, evaluate, iterator, local
from lmoo.blockwise.tree import Part, Tree
from lmoo.problems.rows import RowBlockProblem

__all__ = ["Pool"]


class Pool:
    """An executor of concurrent.futures; no more than two blocks a worker are under way."""

    def __init__(self, problem: RowBlockProblem, executor: Executor) -> None:
        self.problem, self.executor = problem, executor
        self.window = 2 * (getattr(executor, "_max_workers", None) or cpu_count() or 1)

    def __call__(self, task: Task, x: NDArray[np.float64], model: Model | None) -> Part | None:
        """Evaluate every block, and merge in their order."""
        tree = Tree()
        under_way: deque[_Leaf] = deque()
        try:
            for index, block in enumerate(iterator(self.problem)):
                call = partial(evaluate, task, x, model, index, local(block))
                under_way.append(_Leaf(call, self._submit(call)))
                if len(under_way) >= self.window and self._take(under_way, tree):
                    return tree.root()
            while under_way and not self._take(under_way, tree):
                pass
            return tree.root()
        finally:
            # Nothing of this solve is to run when it has ended.
            futures = [leaf.future for leaf in under_way if leaf.future is not None]
            for future in futures:
                future.cancel()
            wait(futures)

    def _submit(self, call: Callable[[], Part]) -> "Future[Part] | None":
        """Return the call's future; None where the executor's workers have died."""
        try:
            return self.executor.submit(call)
        except BrokenExecutor:
            return None

    def _take(self, under_way: "deque[_Leaf]", tree: Tree) -> bool:
        """Take the next part into the tree; whether it was refused."""
        part = under_way[0].part()
        under_way.popleft()
        tree.add(part)
        return part.refusal is not None


class _Leaf(NamedTuple):
    """A block under way."""

    call: Callable[[], Part]
    future: "Future[Part] | None"

    def part(self) -> Part:
        """Return the part of the block; where its worker died, evaluate it again, here."""
        if self.future is not None:
            try:
                return self.future.result()
            except BrokenExecutor:
                pass
        return self.call()
