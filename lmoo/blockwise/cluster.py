"""Blocks on the workers of a Dask cluster: x goes out, a triangle per block is merged there."""

import pickle
from typing import Any

import cloudpickle
import dask
import distributed
import numpy as np
from numpy.typing import NDArray

from lmoo.blockwise.task import Model, Task, blocks_of, evaluate
from lmoo.blockwise.tree import FAN, Part, merge
from lmoo.problems.rows import RowBlockProblem

__all__ = ["Cluster"]


class Cluster:
    """The workers of a Dask client.

    The blocks are computed once and stay where they are until the solve is let go of.  Of a worker
    that dies Dask computes again what it held, blocks and triangles, on another one; the tree over
    the blocks is that of every other engine, so the bits are the same.
    """

    def __init__(self, problem: RowBlockProblem, client: distributed.Client) -> None:
        if client.asynchronous:
            raise TypeError(f"executor must be a synchronous Dask client; it is {client!r}")
        self.problem, self.client = problem, client
        self.held: list[Any] | None = None
        self.task: Any = None

    def __call__(self, task: Task, x: NDArray[np.float64], model: Model | None) -> Part | None:
        """Evaluate every block where it lies."""
        if self.held is None:
            self.held = self._hold()
            # A future with a recipe, unlike scattered data, outlives the worker that has it.
            self.task = self.client.submit(pickle.loads, cloudpickle.dumps(task), pure=False)
        if not self.held:
            return None
        row = self.client.map(
            _leaf, range(len(self.held)), self.held, task=self.task, x=x, model=model, pure=False
        )
        everything = list(row)
        try:
            while len(row) > 1:
                row = [self._merged(row[k : k + FAN]) for k in range(0, len(row), FAN)]
                everything += row
            part: Part = row[0].result()
            return part
        except BaseException:
            self.client.cancel(everything)
            raise

    def _merged(self, parts: list[Any]) -> Any:
        return self.client.submit(merge, parts, pure=False) if len(parts) > 1 else parts[0]

    def _hold(self) -> list[Any]:
        """Return a future for each block."""
        blocks = list(_promised(blocks_of(self.problem)))
        lazy = [k for k, block in enumerate(blocks) if _has_collections(block)]
        # In one call, as their graphs may have much in common.
        computed = self.client.compute([dask.delayed(_same)(blocks[k]) for k in lazy])
        futures = dict(zip(lazy, computed, strict=True))
        return [futures[k] if k in futures else self._here(b) for k, b in enumerate(blocks)]

    def _here(self, block: Any) -> Any:
        """Return a future for a block that is none of Dask's, or a future already."""
        if isinstance(block, distributed.Future):
            return block
        return self.client.submit(_same, block, pure=False)


def _has_collections(block: Any) -> bool:
    parts = block if isinstance(block, (tuple, list)) else (block,)
    return any(dask.is_dask_collection(part) for part in parts)


def _promised(blocks: Any) -> Any:
    """Return the partitions of a dask.array or dask.dataframe, or the blocks as they are."""
    if not dask.is_dask_collection(blocks) or not hasattr(blocks, "to_delayed"):
        return blocks
    parts = np.asarray(blocks.to_delayed(), dtype=object)
    if parts.size != parts.shape[0]:
        raise ValueError(
            f"blocks must be chunked along their rows only; they have {parts.shape} chunks"
        )
    return list(parts.ravel())


def _same(block: Any) -> Any:
    return block


def _leaf(
    index: int, block: Any, *, task: Task, x: NDArray[np.float64], model: Model | None
) -> Part:
    return evaluate(task, x, model, index, block)
