"""Evaluate blocks on the workers of a Dask cluster, and merge their factors there."""

import pickle
from typing import Any

import cloudpickle
import dask
import distributed
import numpy as np
from numpy.typing import NDArray

from lmoo.blockwise.evaluation import Linearization, WorkerProblem, blocks_of, evaluate
from lmoo.blockwise.reduction import FAN, PartialQR, merge
from lmoo.problems.rows import RowBlockProblem


class Cluster:
    """Evaluate blocks on the workers of a Dask client.

    The blocks are computed once and stay on their workers until the solve is deleted.  If a worker
    dies, Dask computes its blocks and factors again on another one.  The reduction tree is that of
    all engines, so the result has the same bits.
    """

    def __init__(self, problem: RowBlockProblem, client: distributed.Client) -> None:
        if client.asynchronous:
            raise TypeError(f"executor must be a synchronous Dask client; it is {client!r}")
        self.problem, self.client = problem, client
        self.blocks: list[Any] | None = None
        self.worker: Any = None

    def __call__(
        self, worker: WorkerProblem, x: NDArray[np.float64], at: Linearization | None
    ) -> PartialQR | None:
        """Evaluate each block on the worker that has it."""
        if self.blocks is None:
            self.blocks = self._distributed()
            # Data that were scattered are lost with their worker; a submitted call is repeated.
            self.worker = self.client.submit(pickle.loads, cloudpickle.dumps(worker), pure=False)
        if not self.blocks:
            return None
        row = self.client.map(
            _evaluate,
            range(len(self.blocks)),
            self.blocks,
            worker=self.worker,
            x=x,
            at=at,
            pure=False,
        )
        futures = list(row)
        try:
            while len(row) > 1:
                row = [self._merged(row[k : k + FAN]) for k in range(0, len(row), FAN)]
                futures += row
            factor: PartialQR = row[0].result()
            return factor
        except BaseException:
            self.client.cancel(futures)
            raise

    def _merged(self, factors: list[Any]) -> Any:
        return self.client.submit(merge, factors, pure=False) if len(factors) > 1 else factors[0]

    def _distributed(self) -> list[Any]:
        """Return a future for each block."""
        blocks = list(_partitions(blocks_of(self.problem)))
        lazy = [k for k, block in enumerate(blocks) if _has_collections(block)]
        # In one call, as the graphs of the blocks may share tasks.
        computed = self.client.compute([dask.delayed(_identity)(blocks[k]) for k in lazy])
        futures = dict(zip(lazy, computed, strict=True))
        return [futures[k] if k in futures else self._future(b) for k, b in enumerate(blocks)]

    def _future(self, block: Any) -> Any:
        """Return a future for a block that is not lazy; a future is returned as it is."""
        if isinstance(block, distributed.Future):
            return block
        return self.client.submit(_identity, block, pure=False)


def _has_collections(block: Any) -> bool:
    parts = block if isinstance(block, (tuple, list)) else (block,)
    return any(dask.is_dask_collection(part) for part in parts)


def _partitions(blocks: Any) -> Any:
    """Return the partitions of a dask.array or dask.dataframe; other blocks as they are."""
    if not dask.is_dask_collection(blocks) or not hasattr(blocks, "to_delayed"):
        return blocks
    parts = np.asarray(blocks.to_delayed(), dtype=object)
    if parts.size != parts.shape[0]:
        raise ValueError(
            f"blocks must be chunked along their rows only; they have {parts.shape} chunks"
        )
    return list(parts.ravel())


def _identity(block: Any) -> Any:
    return block


def _evaluate(
    index: int,
    block: Any,
    *,
    worker: WorkerProblem,
    x: NDArray[np.float64],
    at: Linearization | None,
) -> PartialQR:
    return evaluate(worker, x, at, index, block)
