"""The problem that is solved if parameters are tied or constrained: its variables are coordinates.

Its rows are those of the user's problem at ``x = X(z)``, followed by those of the priors.
"""

from functools import partial
from typing import Any, Literal

import numpy as np

from lmoo._core.arrays import Array
from lmoo._core.batch import CurveModelProblem
from lmoo._core.masks import refuse_masked
from lmoo._core.solve import is_single
from lmoo.blockwise.evaluation import BlockView
from lmoo.errors import EvaluationError
from lmoo.jacobians.strategies import Jacobian
from lmoo.models.compiled import kept_model
from lmoo.models.relations.coordinates import Coordinates
from lmoo.models.relations.substitution import substituted
from lmoo.problems.kinds import has_jacobian, hide_jacobian, in_blocks, is_joint, is_paired
from lmoo.problems.paired import PairedProblem
from lmoo.problems.problem import Problem, evaluated, residual_call, residual_name
from lmoo.problems.rows import RowBlockProblem
from lmoo.sparse.matrices import as_rows, is_sparse

# Largest relative interval of a difference that may reach beyond a constraint.
_INTERVAL = 1e-4


class Mapping:
    """Base of reduced problems: the point, and the constraints that are watched."""

    coordinates: Coordinates
    # The watched constraint that the last rejected point violates, and this point.
    blocked: tuple[int, Array] | None = None
    # A corner of the watched constraints that leaves no room for differences: around this point
    # they may violate the constraints.  None: there is no such corner.
    corner: Array | None = None

    def _point(self, z: Array) -> Array:
        """Return all parameters; EvaluationError where the problem must not be evaluated."""
        which = self.coordinates.violated(z)
        if which is not None and not self._is_difference(z):
            self.blocked = which, z.copy()
            raise EvaluationError("a constraint is violated")
        x = self.coordinates.x(z)
        if not np.isfinite(x).all():
            raise EvaluationError("a tied parameter has no finite value")
        return x

    def _is_difference(self, z: Array) -> bool:
        """Return whether z is that of a difference around the corner."""
        if self.corner is None:
            return False
        changed = np.flatnonzero(z != self.corner)
        if changed.size != 1:
            return False
        k = int(changed[0])
        return bool(abs(z[k] - self.corner[k]) <= _INTERVAL * max(abs(self.corner[k]), 1.0))


class ReducedProblem(Mapping, Problem):
    """A problem whose variables are coordinates; the user's parameters are functions of these.

    Parameters
    ----------
    problem : object
        The user's problem.
    coordinates : Coordinates
    transposed : bool, default False
        Whether the Jacobian of the user's problem is (n, m).
    """

    def __init__(self, problem: Any, coordinates: Coordinates, transposed: bool = False) -> None:
        self.problem, self.coordinates, self.transposed = problem, coordinates, transposed
        self._residual_name = residual_name(problem)
        if is_paired(problem):
            self.problem = PairedProblem(problem)
            self.counter = self.problem.counter
        self.parameter_names = coordinates.labels
        self._priors = len(coordinates.priors)
        self.bounds, self.fixed = edges(coordinates)
        if not has_jacobian(problem):
            hide_jacobian(self)

    def residual(self, z: Array) -> Any:
        """Return the residual of the user's problem, and the rows of the priors."""
        func, args, kwargs = residual_call(self.problem)
        value = func(self._point(z), *args, **kwargs)
        if not self.coordinates.priors:
            return value
        rows = np.atleast_1d(np.asarray(refuse_masked(self._residual_name, value))).reshape(-1)
        both = np.concatenate([rows, self.coordinates.prior_rows(z)])
        # The residual keeps the precision of the model, which determines difference intervals.
        return both.astype(np.float32) if is_single(rows) else both

    def jacobian(self, z: Array) -> Any:
        """Return the derivatives by the coordinates, (m, q)."""
        x = self._point(z)
        found = matrix(self.problem.jacobian(x), x.size, self.transposed)
        return np.concatenate(
            [found @ self.coordinates.slopes(z), self.coordinates.prior_slopes(z)]
        )


def matrix(value: Any, n: int, transposed: bool) -> Any:
    """Return the derivatives that a user's jacobian has returned, as (m, n), sparse or not."""
    if is_sparse(value):
        shape = value.shape[::-1] if transposed else value.shape
        return as_rows(value.T if transposed else value, (shape[0], n))
    found = np.asarray(refuse_masked("jacobian", value), dtype=np.float64)
    if found.ndim == 1 and n == 1:
        found = found[:, None]
    elif transposed:
        found = found.T
    if found.ndim != 2 or found.shape[1] != n:
        raise ValueError(
            f"jacobian must return derivatives by all {n} parameters; it returned an array of "
            f"shape {np.shape(value)}"
        )
    return found


def edges(coordinates: Coordinates) -> tuple[Any, Any]:
    """Return bounds and fixed coordinates as a problem has them."""
    lower, upper, fixed = coordinates.lower, coordinates.upper, coordinates.fixed
    free = ~fixed
    bounds = None
    if np.isfinite(lower[free]).any() or np.isfinite(upper[free]).any():
        bounds = np.where(fixed, -np.inf, lower), np.where(fixed, np.inf, upper)
    return bounds, tuple(np.flatnonzero(fixed).tolist()) or None


class ReducedBlocks(Mapping, RowBlockProblem):
    """A problem in blocks of rows whose variables are coordinates.

    The rows of the priors are not a block.

    Parameters
    ----------
    problem : RowBlockProblem
        The user's problem; or, with `direct`, a problem whose variables are the coordinates.
    coordinates : Coordinates
    transposed : bool, default False
        Whether its Jacobian is (n, rows).
    direct : bool, default False
        Whether the problem takes coordinates instead of parameters.
    """

    def __init__(
        self,
        problem: Any,
        coordinates: Coordinates,
        transposed: bool = False,
        direct: bool = False,
    ) -> None:
        super().__init__(problem.blocks, problem.executor)
        self.problem, self.coordinates, self.transposed = problem, coordinates, transposed
        self.direct = direct
        self.parameter_names = coordinates.labels
        self.bounds, self.fixed = edges(coordinates)
        self._is_paired, self._qualname = is_paired(problem, "blocks"), type(problem).__qualname__
        if not has_jacobian(problem):
            hide_jacobian(self)
        if coordinates.priors:
            self.prior_rows = partial(PriorRows, coordinates)

    def __getstate__(self) -> dict[str, Any]:
        # Workers receive the blocks one by one.
        state = super().__getstate__()
        problem = object.__new__(type(self.problem))
        vars(problem).update(
            {k: v for k, v in vars(self.problem).items() if k not in ("blocks", "executor")}
        )
        return {**state, "problem": problem}

    def residual(self, z: Array, block: Any) -> Any:
        """Return the residuals of one block."""
        return self.problem.residual(z if self.direct else self._point(z), block)

    def jacobian(self, z: Array, block: Any) -> Any:
        """Return the derivatives of one block by the coordinates, (rows, q)."""
        if self.direct:
            return self.problem.jacobian(z, block)
        x = self._point(z)
        found = matrix(self.problem.jacobian(x, block), x.size, self.transposed)
        return found @ self.coordinates.slopes(z)

    def evaluate(self, z: Array, block: Any, want: Literal["residual", "both"]) -> Any:
        """Return both, of a problem that defines `evaluate`."""
        if self.direct:
            return evaluated(self.problem, z, block, want)
        x = self._point(z)
        value, found = evaluated(self.problem, x, block, want)
        if found is not None:
            found = matrix(found, x.size, self.transposed) @ self.coordinates.slopes(z)
        return value, found


class PriorRows(RowBlockProblem):
    """The rows of the priors alone, which follow those of all blocks."""

    def __init__(self, coordinates: Coordinates) -> None:
        self.coordinates = coordinates

    def residual(self, z: Array, block: Any) -> Array:
        """Return ``(value - mean) / sigma`` of each prior."""
        return self.coordinates.prior_rows(z)

    def jacobian(self, z: Array, block: Any) -> Array:
        """Return the derivatives."""
        return self.coordinates.prior_slopes(z)


class _Chained(Jacobian):
    """A strategy that evaluates derivatives by the parameters, followed by the chain rule."""

    def __init__(self, strategy: Jacobian) -> None:
        self.strategy, self.relative_error = strategy, strategy.relative_error

    def evaluate(self, problem: Any, x: Array, f: Array, out: Array) -> int | None:
        """Write the derivatives by the coordinates."""
        reduced, user = self.parts(problem)
        point, coordinates = reduced._point(x), reduced.coordinates
        k = getattr(reduced, "_priors", 0)
        m = f.size - k
        found = np.full((m, point.size), np.nan, order="F")
        count = self.strategy.evaluate(user, point, f[:m].copy(), found)
        out[:m] = found @ coordinates.slopes(x)
        if k:
            out[m:] = coordinates.prior_slopes(x)
        return count

    def parts(self, problem: Any) -> tuple[Any, Any]:
        """Return the problem of the coordinates, and that of the parameters."""
        return problem, problem.problem


class _ChainedBlocks(_Chained):
    """The same for a block, in which there are no rows of priors."""

    def parts(self, problem: Any) -> tuple[Any, Any]:
        """Return the problem of the coordinates, and a block of that of the parameters."""
        return problem.problem, BlockView(problem.problem.problem, problem.block)


def reduced_strategy(
    strategy: Jacobian | None, problem: Any, coordinates: Coordinates
) -> Jacobian | None:
    """Return the strategy for the coordinates.

    Differences are taken by the coordinates, which are fewer than the parameters; other strategies
    evaluate the derivatives by the parameters.
    """
    if strategy is None:
        return None
    blocks = in_blocks(problem)
    if not is_joint(problem):
        # The problems of a joint one are checked one by one.
        strategy = strategy._varying(BlockView(problem, None) if blocks else problem, coordinates)
    if strategy._by_coordinates:
        return strategy
    return _ChainedBlocks(strategy) if blocks else _Chained(strategy)


class _Substituted(CurveModelProblem):
    """A compiled problem of coordinates, with their bounds."""

    bounds: Any = None
    fixed: Any = None
    _priors = 0
    _made_of: tuple[Any, ...] = ()

    def __reduce__(self) -> Any:
        # Its pointers are invalid in another process.
        return substituted_problem, self._made_of


def substituted_problem(
    model: Any, coordinates: Coordinates, points: Array, y: Array, weights: Array | None
) -> CurveModelProblem:
    """Return the compiled problem of the coordinates: data and priors as points of one model.

    Parameters
    ----------
    model : Model
        The model of the data.
    coordinates : Coordinates
    points : (variables, m) array
    y : (m,) array
    weights : (m,) array or None
    """
    made_of = (model, coordinates, points, y, weights)
    compiled = kept_model(substituted(model, coordinates, bool(coordinates.priors)))
    priors = list(coordinates.priors.values())
    if priors:
        k = len(priors)
        marks = np.concatenate([np.zeros(y.size), np.arange(1.0, k + 1.0)])
        points = np.concatenate([points, np.repeat(points[:, -1:], k, axis=1)], axis=1)
        points = np.concatenate([points, marks[None]])
        weights = np.ones(y.size) if weights is None else weights
        weights = np.concatenate([weights, [1.0 / prior.sigma for prior in priors]])
        y = np.concatenate([y, [prior.mean for prior in priors]])
    found = _Substituted(
        compiled._model,
        np.ascontiguousarray(points),
        np.ascontiguousarray(y),
        None if weights is None else np.ascontiguousarray(weights),
        coordinates.labels,
    )
    found.bounds, found.fixed = edges(coordinates)
    found._priors, found._made_of = len(priors), made_of
    return found
