"""Evaluate all blocks of a `RowBlockProblem` with its executor."""

import sys
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lmoo._core.solve import RowSource
from lmoo.blockwise.evaluation import (
    Linearization,
    WorkerProblem,
    evaluate,
    iterator,
    require_local,
)
from lmoo.blockwise.reduction import PartialQR, ReductionTree, merge
from lmoo.jacobians.strategies import Analytic
from lmoo.losses.loss import Loss
from lmoo.problems.rows import RowBlockProblem


class Engine(Protocol):
    """Evaluation of all blocks of a problem."""

    def __call__(
        self, worker: WorkerProblem, x: NDArray[np.float64], at: Linearization | None
    ) -> PartialQR | None:
        """Evaluate all blocks at x and merge their factors; return None if there is no block."""


class _Serial:
    """Evaluate one block after another in the calling thread."""

    def __init__(self, problem: RowBlockProblem) -> None:
        self.problem = problem

    def __call__(
        self, worker: WorkerProblem, x: NDArray[np.float64], at: Linearization | None
    ) -> PartialQR | None:
        tree = ReductionTree()
        for index, block in enumerate(iterator(self.problem)):
            factor = evaluate(worker, x, at, index, require_local(block))
            tree.add(factor)
            if factor.refusal is not None:
                break
        return tree.root()


def _engine(problem: RowBlockProblem) -> Engine:
    """Return the engine for the problem's executor."""
    executor = problem.executor
    if executor is None:
        return _Serial(problem)
    # Dask is optional: its module is imported only for an executor that is one of its objects.
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
    """Return whether value is an instance of a class in a module that may not be imported."""
    found = sys.modules.get(module)
    return found is not None and isinstance(value, getattr(found, name))


class Passes:
    """Passes over all blocks of a problem: the interface that `RowLoop` calls."""

    def __init__(
        self, problem: RowBlockProblem, strategy: Any, loss: tuple[Loss, float] | None = None
    ) -> None:
        self.engine, self.worker = _engine(problem), WorkerProblem(problem, strategy, loss)
        # Rows of priors follow those of the blocks; they have no loss.
        priors = getattr(problem, "prior_rows", None)
        self.priors = None if priors is None else WorkerProblem(priors(), Analytic(), None)

    def residual(self, x: NDArray[np.float64]) -> PartialQR:
        """Return the number of rows and the norm of the residual at x."""
        return self._run(x, None)

    def linearize(self, x: NDArray[np.float64], *at: Any) -> PartialQR:
        """Return the factor of the Jacobian at x; at: the fields of a `Linearization`."""
        return self._run(x, Linearization(*at))

    def _run(self, x: NDArray[np.float64], at: Linearization | None) -> PartialQR:
        factor = self.engine(self.worker, x, at)
        if factor is None:
            raise ValueError("blocks must have at least one block; there is none")
        if self.priors is not None and factor.refusal is None:
            factor = merge([factor, evaluate(self.priors, x, at, factor.blocks, None)])
        return factor


def row_source(
    problem: RowBlockProblem, strategy: Any, loss: tuple[Loss, float] | None = None
) -> RowSource:
    """Return the problem in the form of the compiled loop, for one solve."""
    if not callable(getattr(problem, "residual", None)):
        raise TypeError(f"problem must have a method residual(x, block); it is {problem!r}")
    return RowSource(Passes(problem, strategy, loss))
