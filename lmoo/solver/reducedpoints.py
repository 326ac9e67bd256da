"""The curve with errors in x that is solved if parameters are related, a function of coordinates.

Its points are those of the user's curve, followed by one for each prior, which is exact in x.
"""

from typing import Any

import numpy as np

from lmoo._core.arrays import Array
from lmoo.models.compiled import kept_model
from lmoo.models.expression.base import Model
from lmoo.models.relations.coordinates import Coordinates
from lmoo.models.relations.substitution import substituted
from lmoo.problems.curveproblem import CurveProblem
from lmoo.problems.errorsinx import joined, separate
from lmoo.solver.parametersteps import ParameterDifferences
from lmoo.solver.reduced import Mapping, edges, matrix


def graph_of_points(problem: Any, evaluation: Any) -> tuple[Model, Array] | None:
    """Return the graph of the model of a curve with errors in x, and its variables, (k, m).

    None if the model is called.

    Parameters
    ----------
    problem : CurveProblem
    evaluation : Evaluation or None
    """
    graph = getattr(problem.f, "model", None)
    if isinstance(graph, Model) and problem.jac is None and problem.trace is not False:
        # One of lmoo.models, which has its graph.
        return graph, joined(problem.t)
    if evaluation is not None and evaluation.problem is not None:
        return evaluation.model.model, evaluation.points
    return None


class ReducedPoints(Mapping, CurveProblem):
    """A curve with errors in x as a problem of coordinates.

    Parameters
    ----------
    problem : CurveProblem
        The user's.
    coordinates : Coordinates
    evaluation : Evaluation or None
        Of the user's problem.
    """

    def __init__(self, problem: Any, coordinates: Coordinates, evaluation: Any) -> None:
        self.problem, self.coordinates, self.evaluation = problem, coordinates, evaluation
        found = None if coordinates.is_watched else graph_of_points(problem, evaluation)
        priors = list(coordinates.priors.values())
        k, m = len(priors), problem.y.size
        self._priors = k
        weights = problem._whitening
        sigma = np.ones(m) if weights is None else np.broadcast_to(1.0 / weights, (m,))
        data = (
            np.concatenate([problem.y, [prior.mean for prior in priors]]),
            np.concatenate([sigma, [prior.sigma for prior in priors]]),
        )
        points = joined(problem.t) if found is None else found[1]
        points = np.concatenate([points, np.repeat(points[:, -1:], k, axis=1)], axis=1)
        if found is None:
            self._set(self._values, self._slopes, separate(points, problem.t), *data)
            self._differences = ParameterDifferences(self._unguarded, self.y)
        else:
            marks = np.concatenate([np.zeros(m), np.arange(1.0, k + 1.0)])
            points = np.concatenate([points, marks[None]]) if k else points
            model = kept_model(substituted(found[0], coordinates, bool(k)))
            self._set(model, None, tuple(points) if len(points) > 1 else points[0], *data)
        self.errors_in_x = problem.errors_in_x.with_exact(k)
        self.sigma_x, self.residual_form = problem.sigma_x, "points"
        self.parameter_names = coordinates.labels
        self.bounds, self.fixed = edges(coordinates)

    def __reduce__(self) -> Any:
        return ReducedPoints, (self.problem, self.coordinates, self.evaluation)

    def _values(self, t: Any, *z: float) -> Array:
        """Return the values of the user's function at all points, then those that have priors."""
        at = np.array(z)
        return self._at(t, at, self._point(at))

    def _unguarded(self, z: Array, points: Array) -> Array:
        """Return `_values` for a difference, which may be beyond a constraint by its interval."""
        return self._at(separate(points, self.t), z, self.coordinates.x(z))

    def _at(self, t: Any, z: Array, x: Array) -> Array:
        problem = self.problem
        value = problem.f(self._cut(t), *x.tolist())
        # The checks of a residual.
        problem._weighted(value)
        found = np.broadcast_to(np.asarray(value, dtype=np.float64), problem.y.shape)
        return np.concatenate([found, self.coordinates.prior_values(z)])

    def _cut(self, t: Any) -> Any:
        """Return the points of the data."""
        m = self.problem.y.size
        return tuple(part[:m] for part in t) if isinstance(t, tuple) else t[..., :m]

    def _slopes(self, t: Any, *z: float) -> Array:
        """Return the derivatives by the coordinates, (points, q)."""
        at, problem = np.array(z), self.problem
        if problem.jac is None:
            return np.stack(self._differences(at, joined(t)), axis=1)
        x = self._point(at)
        found = matrix(problem.jac(self._cut(t), *x.tolist()), x.size, False)
        slopes = found @ self.coordinates.slopes(at)
        return np.concatenate([slopes, self.coordinates.prior_value_slopes(at)])
