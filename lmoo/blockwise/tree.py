"""What comes of the blocks of a tall problem, and the fixed tree by which it is merged."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmoo._core.rows import merge_norms, merge_triangles
from lmoo.errors import EvaluationError

__all__ = ["FAN", "Part", "Tree", "merge"]

# Parts that are merged at once.  The tree that this makes over the blocks is part of the result:
# with another one, other last digits.
FAN = 8


class Part(NamedTuple):
    """What came of a block, or of several in a row.

    Attributes
    ----------
    rows, blocks : int
    norm : float
        That of the residual.
    precision : float
        The worst in which the residual comes.
    triangle : (n, n + 1) float64 array or None
        None where only the residual was asked for.
    evaluations : int
        What the Jacobian cost: the most that any block took.
    relative_error : float
        Of the Jacobian's entries, the largest.
    noise : float
        Norm of the error of the residual, where the strategy has seen it; else 0.
    error, curvature : (n,) float64 arrays or None
        Norms of the errors of the Jacobian's columns, and of the second derivatives by each
        parameter, where the strategy has measured them; else 0.
    interval : (n,) float64 array or None
        Shortest distance of the points whose difference a column is; 0 where it is none.
    refusal : EvaluationError or None
        Why the first block that could not be evaluated could not; the rest then means nothing.
    """

    rows: int
    blocks: int
    norm: float
    precision: float
    triangle: NDArray[np.float64] | None = None
    evaluations: int = 0
    relative_error: float = 0.0
    noise: float = 0.0
    error: NDArray[np.float64] | None = None
    interval: NDArray[np.float64] | None = None
    curvature: NDArray[np.float64] | None = None
    refusal: EvaluationError | None = None


def merge(parts: Sequence[Part]) -> Part:
    """Return the parts as one, in their order; up to the first that was refused."""
    for k, part in enumerate(parts):
        if part.refusal is not None:
            worst = max(p.evaluations for p in parts[: k + 1])
            return part._replace(evaluations=worst)
    triangles = [part.triangle for part in parts if part.triangle is not None]
    return Part(
        rows=sum(part.rows for part in parts),
        blocks=sum(part.blocks for part in parts),
        norm=merge_norms([part.norm for part in parts]),
        precision=max(part.precision for part in parts),
        triangle=merge_triangles(triangles) if triangles else None,
        evaluations=max(part.evaluations for part in parts),
        relative_error=max(part.relative_error for part in parts),
        noise=merge_norms([part.noise for part in parts]),
        error=_norms([part.error for part in parts]),
        interval=_least([part.interval for part in parts]),
        curvature=_norms([part.curvature for part in parts]),
    )


def _least(parts: Sequence[NDArray[np.float64] | None]) -> NDArray[np.float64] | None:
    """Return the least entries."""
    known = [entry for entry in parts if entry is not None]
    return np.min(known, axis=0) if known else None


def _norms(norms: Sequence[NDArray[np.float64] | None]) -> NDArray[np.float64] | None:
    """Return the norms of columns from those of their parts."""
    known = [entry for entry in norms if entry is not None]
    if not known:
        return None
    return np.array([merge_norms(column) for column in np.stack(known, axis=1)])


class Tree:
    """The fixed tree over the parts: `FAN` in a row are merged, and those again.

    It holds FAN - 1 parts a level at the most, whatever the number of blocks.
    """

    def __init__(self) -> None:
        self.levels: list[list[Part]] = []

    def add(self, part: Part) -> None:
        """Take the next part in."""
        for level in self.levels:
            level.append(part)
            if len(level) < FAN:
                return
            part = merge(level)
            level.clear()
        self.levels.append([part])

    def root(self) -> Part | None:
        """Return all parts as one; None where there were none."""
        carried: list[Part] = []
        for level in self.levels:
            row = level + carried
            carried = [merge(row)] if len(row) > 1 else row
        return carried[0] if carried else None
