"""Passes over all blocks of a tall problem, with the executor that it has."""

import sys
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lmoo._core.rows import RowSource
from lmoo.blockwise.task import Model, Task, evaluate, iterator, local
from lmoo.blockwise.tree import Part, Tree
from lmoo.problems.rows import RowBlockProblem

__all__ = ["Passes", "row_source"]


class Engine(Protocol):
    """Who evaluates the blocks of a problem."""

    def __call__(self, task: Task, x: NDArray[np.float64], model: Model | None) -> Part | None:
        """Evaluate every block and merge what comes of them; None where there is no block."""


class _Serial:
    """The calling thread, block after block."""

    def __init__(self, problem: RowBlockProblem) -> None:
        self.problem = problem

    def __call__(self, task: Task, x: NDArray[np.float64], model: Model | None) -> Part | None:
        tree = Tree()
        for index, block in enumerate(iterator(self.problem)):
            part = evaluate(task, x, model, index, local(block))
            tree.add(part)
            if part.refusal is not None:
                break
        return tree.root()


def _engine(problem: RowBlockProblem) -> Engine:
    """Return who evaluates the blocks."""
    executor = problem.executor
    if executor is None:
        return _Serial(problem)
    # Whoever has one of these has imported its module; nobody else need.
    if _is_a(executor, "concurrent.futures", "Executor"):
        from lmoo.blockwise.pool import Pool

        return Pool(problem, executor)
    if _is_a(executor, "distributed", "Client"):
        from lmoo.blockwise.cluster import Cluster

        return Cluster(problem, executor)
    raise TypeError(
        f"executor must be a concurrent.futures.Executor, a Dask client or None; it is {executor!r}"
    )


def _is_a(value: Any, module: str, name: str) -> bool:
    """Whether value is an instance of a class of a module that may never have been imported."""
    found = sys.modules.get(module)
    return found is not None and isinstance(value, getattr(found, name))


class Passes:
    """What `RowLoop` asks of a problem: passes over all of its blocks."""

    def __init__(self, problem: RowBlockProblem, strategy: Any) -> None:
        self.engine, self.task = _engine(problem), Task(problem, strategy)

    def residual(self, x: NDArray[np.float64]) -> Part:
        """Return rows and norm of the residual at x."""
        return self._run(x, None)

    def linearize(self, x: NDArray[np.float64], *model: Any) -> Part:
        """Return the triangle of the Jacobian at x; model: the fields of a `Model`."""
        return self._run(x, Model(*model))

    def _run(self, x: NDArray[np.float64], model: Model | None) -> Part:
        part = self.engine(self.task, x, model)
        if part is None:
            raise ValueError("blocks must have at least one block; there is none")
        return part


def row_source(problem: RowBlockProblem, strategy: Any) -> RowSource:
    """Return the problem as the compiled loop takes it, for one solve."""
    if not callable(getattr(problem, "residual", None)):
        raise TypeError(f"problem must have a method residual(x, block); it is {problem!r}")
    return RowSource(Passes(problem, strategy))
