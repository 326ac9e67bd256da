"""Blocks on an executor of concurrent.futures: threads or processes."""

from collections import deque
from concurrent.futures import Executor, Future, wait
from functools import partial
from os import cpu_count

import numpy as np
from numpy.typing import NDArray

from lmoo.parts import Part, Tree
from lmoo.rows import Model, RowBlockProblem, Task, evaluate, iterator, local

__all__ = ["Pool"]


class Pool:
    """An executor of concurrent.futures; no more than two blocks a worker are under way."""

    def __init__(self, problem: RowBlockProblem, executor: Executor) -> None:
        self.problem, self.executor = problem, executor
        self.window = 2 * (getattr(executor, "_max_workers", None) or cpu_count() or 1)

    def __call__(self, task: Task, x: NDArray[np.float64], model: Model | None) -> Part | None:
        """Evaluate every block, and merge in their order."""
        tree, leaf = Tree(), partial(evaluate, task, x, model)
        under_way: deque[Future[Part]] = deque()
        try:
            for index, block in enumerate(iterator(self.problem)):
                under_way.append(self.executor.submit(leaf, index, local(block)))
                if len(under_way) >= self.window and self._take(under_way, tree):
                    return tree.root()
            while under_way and not self._take(under_way, tree):
                pass
            return tree.root()
        finally:
            # Nothing of this solve is to run when it has ended.
            for future in under_way:
                future.cancel()
            wait(under_way)

    def _take(self, under_way: deque[Future[Part]], tree: Tree) -> bool:
        """Take the next part into the tree; whether it was refused."""
        part = under_way[0].result()
        under_way.popleft()
        tree.add(part)
        return part.refusal is not None
