"""A curve with errors in x with further coordinates, for profiles; see `reparametrized`."""

from typing import Any

import numpy as np

from lmoo._core.arrays import Array
from lmoo.models.relations.functions import Functions
from lmoo.problems.curveproblem import CurveProblem
from lmoo.problems.errorsinx import joined, separate


class AugmentedPoints(CurveProblem):
    """As `AugmentedProblem`, for a curve with errors in x.

    The rows ``w (g(z) - c)`` are further points, which are exact in x.
    """

    def __init__(self, problem: Any, functions: Functions, weights: Array) -> None:
        self.problem, self.functions, self.weights = problem, functions, weights
        k, m = weights.size, problem.y.size
        # A loss leaves the last rows as they are.
        self._priors = getattr(problem, "_priors", 0) + k
        sigma = np.ones(m) if problem.sigma is None else np.broadcast_to(problem.sigma, (m,))
        # Without variables that are exact, as the one that marks priors.
        points = joined(problem.t)[: problem.errors_in_x.has_error.shape[1]]
        points = np.concatenate([points, np.repeat(points[:, -1:], k, axis=1)], axis=1)
        provided = problem.jac is not None or getattr(problem.f, "provides_jacobian", False)
        self._set(
            self._values,
            self._slopes if provided else None,
            separate(points, problem.t),
            np.concatenate([problem.y, np.zeros(k)]),
            np.concatenate([sigma, 1.0 / weights]),
        )
        self.errors_in_x = problem.errors_in_x.with_exact(k)
        self.sigma_x, self.residual_form, self.trace = problem.sigma_x, "points", False
        self.parameter_names = None

    def __reduce__(self) -> Any:
        return AugmentedPoints, (self.problem, self.functions, self.weights)

    def _cut(self, t: Any) -> Any:
        """Return the points of the given problem, in its form."""
        points, whole = joined(t)[:, : self.problem.y.size], joined(self.problem.t)
        return separate(np.concatenate([points, whole[len(points) :]]), self.problem.t)

    def _values(self, t: Any, *x: float) -> Array:
        q = self.functions.q
        further = [float(value) for value in self.functions(np.array(x[:q]))]
        own = np.broadcast_to(self.problem.f(self._cut(t), *x[:q]), self.problem.y.shape)
        return np.concatenate([own, np.array(further) - x[q:]])

    def _slopes(self, t: Any, *x: float) -> Array:
        q, k = self.functions.q, self.weights.size
        by_own = self.problem.jac or self.problem.f.jacobian
        own = np.asarray(by_own(self._cut(t), *x[:q])).reshape(-1, q)
        further = self.functions.jacobian(np.array(x[:q]))
        return np.block([[own, np.zeros((len(own), k))], [further, -np.eye(k)]])
