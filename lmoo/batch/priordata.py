"""Data of stacks of curves with points for priors."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array
from lmoo.batch.chunk import Chunk
from lmoo.batch.data import Dataset
from lmoo.models.relations.coordinates import Coordinates
from lmoo.results.pickles import with_optional
from lmoo.solver.reduced import ReducedProblem


class PriorDataset(Dataset):
    """A stack of curves with a point for each prior after those of each curve.

    Parameters
    ----------
    base : Dataset
    coordinates : Coordinates
    model : Model or CompiledModel
        The user's.
    marked : bool
        Whether a further variable tells the points of priors apart, for a compiled model.
    """

    def __init__(self, base: Dataset, coordinates: Coordinates, model: Any, marked: bool) -> None:
        vars(self).update(vars(base))
        self.base, self.coordinates, self.model = base, coordinates, model
        priors = list(coordinates.priors.values())
        self.priors = len(priors)
        self._means = np.array([prior.mean for prior in priors])
        if not priors:
            return
        self.m = base.m + self.priors
        self.t = [np.concatenate([t, np.repeat(t[:, -1:], self.priors, axis=1)], 1) for t in base.t]
        if marked:
            marks = np.concatenate([np.zeros(base.m), np.arange(1.0, self.priors + 1.0)])
            self.t.append(marks[None])
            self.many = True
        weights = np.ones((1, base.m)) if base.weights is None else base.weights
        errors = np.array([1.0 / prior.sigma for prior in priors])
        self.weights = np.ascontiguousarray(
            np.concatenate([weights, np.broadcast_to(errors, (len(weights), self.priors))], axis=1)
        )

    def _measured(self, fits: slice) -> tuple[Array, NDArray[np.bool_] | None]:
        rows, masked = self.base._measured(fits)
        if self.priors:
            means = np.broadcast_to(self._means, (len(rows), self.priors))
            rows = np.ascontiguousarray(np.concatenate([rows, means], axis=1))
            if masked is not None:
                none = np.zeros(means.shape, dtype=bool)
                masked = np.concatenate([masked, none], axis=1)
        return rows, masked

    def chunk(self, model: Any, fits: slice) -> Chunk:
        """Return some of the curves with their priors."""
        chunk = super().chunk(model, fits)
        chunk.priors = self.priors
        return chunk

    def problem(self, model: Any, which: int) -> Any:
        """Return the problem of one curve, of the coordinates."""
        problem = self.base.problem(self.model, which)
        if problem is None:
            return None
        problem.parameter_names = self.coordinates.names
        return ReducedProblem(problem, self._of_curve(which))

    def to_pickle(self) -> "PriorDataset":
        """Return a copy to pickle."""
        base = self.base.to_pickle()
        return with_optional(self, "model", base=base, y=base.y)

    def without_points(self, which: int) -> Any:
        """Return the problem of a curve without points: the rows of its priors."""
        return ReducedProblem(self.base.without_points(which), self._of_curve(which))

    def _of_curve(self, which: int) -> Coordinates:
        """Return the coordinates of a curve, with its priors."""
        return self.coordinates
