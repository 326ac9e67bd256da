"""The joint problem that is solved if parameters are related: its variables are coordinates."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array
from lmoo.models.relations.coordinates import Coordinates
from lmoo.models.relations.parts import PartValues
from lmoo.problems.joint import residual_of
from lmoo.problems.kinds import Form
from lmoo.problems.problem import Problem
from lmoo.solver.reduced import Mapping, edges


class PriorsAlone(Problem):
    """The priors that belong to no single problem, as a problem without data."""

    def __init__(self, values: PartValues) -> None:
        self.values, self._priors = values, len(values.priors)
        self.parameter_names = values.labels

    def residual(self, z: Array) -> Array:
        """Return ``(value - mean) / sigma`` of each prior."""
        return self.values.prior_rows(z)

    def jacobian(self, z: Array) -> Array:
        """Return the derivatives."""
        return self.values.prior_slopes(z)


class ReducedJoint(Mapping, Problem):
    """A joint problem of coordinates, which are in the order of `arranged`.

    Parameters
    ----------
    problem : JointProblem
        The user's.
    coordinates : Coordinates
    parts : sequence of Problem
        The single problems as problems of their own coordinates; the last rows of each are those
        of its priors.
    indices : sequence of intp arrays
        The coordinates of each.
    shared : int
        The number of shared coordinates, which come first.
    """

    residual_form: Form = "joint"

    def __init__(
        self,
        problem: Any,
        coordinates: Coordinates,
        parts: Sequence[Any],
        indices: Sequence[NDArray[np.intp]],
        shared: int,
    ) -> None:
        self.problem, self.coordinates = problem, coordinates
        self.problems, self.indices = tuple(parts), tuple(indices)
        self.parameter_names = coordinates.labels
        self._own_names = tuple(part.parameter_names for part in parts)
        self.shared = coordinates.labels[:shared]
        self.bounds, self.fixed = edges(coordinates)
        self._priors = len(coordinates.priors)

    @property
    def own(self) -> NDArray[np.intp]:
        """The number of own coordinates of each problem."""
        s = len(self.shared)
        return np.array([np.count_nonzero(index >= s) for index in self.indices], dtype=np.intp)

    @property
    def guard(self) -> Any:
        """A function that raises EvaluationError at z if a constraint is violated there.

        None if the bounds of the coordinates ensure all constraints.
        """
        return self._point if self.coordinates.is_watched else None

    def residual(self, z: Array) -> Array:
        """Return the residuals of all problems, followed by the rows of priors."""
        self._point(z)
        rows, priors = [], []
        for part, index in zip(self.problems, self.indices, strict=True):
            found = residual_of(part, z[index])
            data = found.size - getattr(part, "_priors", 0)
            rows.append(found[:data])
            priors.append(found[data:])
        return np.concatenate(rows + priors)
