"""The fit that profiles solve again if parameters are related: its variables are coordinates.

A quantity g(z) that is no coordinate, such as a tied parameter, is made one: the fit gets a further
coordinate c and a further row w (g(z) - c).  Its minimum is the same, with c = g(z).  If c is fixed
and w is large, the minimum over z is that with g(z) = c, with a relative error of 1 / (w s)^2.
Here s is the standard error of g.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array
from lmoo._core.kernels import qrfac
from lmoo.blockwise.evaluation import blocks_of
from lmoo.models.relations.coordinates import Coordinates
from lmoo.models.relations.functions import Functions
from lmoo.problems.kinds import form_of, has_jacobian, hide_jacobian, in_blocks
from lmoo.problems.paired import paired
from lmoo.problems.problem import Problem, residual_call
from lmoo.problems.rows import RowBlockProblem
from lmoo.results.augmentedpoints import AugmentedPoints
from lmoo.results.factor import Factor
from lmoo.results.fit import Fit
from lmoo.results.linearization import jacobian_of

# w times the standard error of the quantity.
_STIFF = 1e4


@dataclass(frozen=True, eq=False)
class CoordinateFit(Fit):
    """A fit of coordinates, with the degrees of freedom and the deviation of the whole fit."""

    degrees: int = 0
    deviation: float = 1.0
    slope: float = 1.0
    functions: Functions | None = None
    alone: Array | None = None

    def _error_alone(self, j: int) -> float:
        """Return the error of a quantity that active constraints hold, without them; 0 if unknown.

        In units of the deviation, with all but the quantity as it is.
        """
        if self.functions is None or self.alone is None or j < self.functions.q:
            return 0.0
        return float(self.alone[j - self.functions.q])

    def _reached(self, j: int, value: float, x: Array) -> float:
        """Return coordinate j at a point; for a further one the quantity itself.

        Where constraints do not let the quantity follow its coordinate, they differ.
        """
        q = x.size if self.functions is None else self.functions.q
        if self.functions is None or j < q:
            return float(x[j])
        return float(self.functions(x[:q])[j - q])

    @property
    def degrees_of_freedom(self) -> int:
        """Degrees of freedom of the data."""
        return self.degrees

    @property
    def residual_deviation(self) -> float:
        """The factor of standard errors."""
        return self.deviation

    @property
    def loss_slope(self) -> float:
        """The slope of the data; 1 with priors, for which the deviation includes it."""
        return self.slope


class AugmentedProblem(Problem):
    """A problem of coordinates, with further coordinates for functions of them.

    Parameters
    ----------
    problem : object
        Of the q coordinates.
    functions : Functions
        Of the coordinates; one for each further coordinate.
    weights : (k,) float64 array
        Of the further rows.
    """

    def __init__(self, problem: Any, functions: Functions, weights: Array) -> None:
        self.problem, self.functions, self.weights = problem, functions, weights
        # A loss leaves the last rows as they are.
        self._priors = getattr(problem, "_priors", 0) + weights.size
        if not has_jacobian(problem):
            hide_jacobian(self)

    def residual(self, x: Array) -> Array:
        """Return the residual, followed by the further rows."""
        z, c = x[: self.functions.q], x[self.functions.q :]
        func, args, kwargs = residual_call(self.problem)
        rows = np.asarray(func(z.copy(), *args, **kwargs), dtype=np.float64).reshape(-1)
        values = np.array([float(value) for value in self.functions(z)])
        return np.concatenate([rows, self.weights * (values - c)])

    def jacobian(self, x: Array) -> Array:
        """Return the derivatives."""
        q, k = self.functions.q, self.weights.size
        z = x[:q]
        own = np.asarray(paired(self.problem).jacobian(z.copy()), dtype=np.float64).reshape(-1, q)
        further = self.weights[:, None] * self.functions.jacobian(z)
        return np.block([[own, np.zeros((len(own), k))], [further, -np.diag(self.weights)]])


class AugmentedBlocks(RowBlockProblem):
    """The same for a problem in blocks of rows: the further rows follow those of priors."""

    def __init__(self, problem: Any, functions: Functions, weights: Array) -> None:
        super().__init__(problem.blocks, problem.executor)
        self.problem, self.functions, self.weights = problem, functions, weights
        self.prior_rows = self._further
        if problem.jacobian is None:
            hide_jacobian(self)

    def residual(self, x: Array, block: Any) -> Any:
        """Return the residuals of one block."""
        return self.problem.residual(x[: self.functions.q].copy(), block)

    def jacobian(self, x: Array, block: Any) -> Any:
        """Return the derivatives of one block."""
        q = self.functions.q
        own = np.asarray(self.problem.jacobian(x[:q].copy(), block)).reshape(-1, q)
        return np.concatenate([own, np.zeros((len(own), self.weights.size))], axis=1)

    def _further(self) -> Any:
        priors = getattr(self.problem, "prior_rows", None)
        return FurtherRows(None if priors is None else priors(), self.functions, self.weights)


class FurtherRows(RowBlockProblem):
    """The rows of priors, and those of further coordinates."""

    def __init__(self, priors: Any, functions: Functions, weights: Array) -> None:
        self.rows = AugmentedProblem(_Priors(priors, functions.q), functions, weights)

    def residual(self, x: Array, block: Any) -> Array:
        """Return all of them."""
        return self.rows.residual(x)

    def jacobian(self, x: Array, block: Any) -> Array:
        """Return their derivatives."""
        return self.rows.jacobian(x)


# Of a problem with further coordinates, by the form of its residual.
_AUGMENTED: dict[str, Any] = {"blocks": AugmentedBlocks, "points": AugmentedPoints}


class _Priors(Problem):
    """The rows of priors as a problem, which may have no rows."""

    def __init__(self, priors: Any, q: int) -> None:
        self.priors, self.q = priors, q

    def residual(self, x: Array) -> Array:
        """Return the rows."""
        return np.empty(0) if self.priors is None else np.asarray(self.priors.residual(x, None))

    def jacobian(self, x: Array) -> Array:
        """Return the derivatives."""
        if self.priors is None:
            return np.empty((0, self.q))
        return np.asarray(self.priors.jacobian(x, None))


def with_parameters(
    result: Fit, wanted: Sequence[Any], scaled: bool | None
) -> tuple[Fit, tuple[int, ...]]:
    """Return a fit in which some quantities are parameters, and their indices.

    Parameters
    ----------
    result : Fit
    wanted : sequence of int or str
        Indices of parameters, or names of parameters and derived quantities.
    scaled : bool or None
        Whether the variance of the data is estimated.

    Raises
    ------
    ValueError
        The result was read from a file; contours with priors and `scaled`.
    """
    related = result.related
    if related is None:
        names = result.parameter_names
        return result, tuple(names.index(w) if isinstance(w, str) else int(w) for w in wanted)
    if related.inner is None:
        raise ValueError(
            "a profile needs the problem, which this result does not have: it was read from a "
            "file, or its problem could not be pickled; solve again"
        )
    if related.priors and result.is_scaled(scaled) and len(wanted) > 1:
        raise ValueError(
            "scaled must be False for contours with priors, whose errors are not scaled"
        )
    coordinates, problem, solver, fit = related.inner
    found = [w if isinstance(w, str) else result.parameter_names[w] for w in wanted]
    further = [name for name in found if name not in coordinates.labels]
    labels = [*coordinates.labels, *further]
    functions = alone = None
    deviation = _deviation(result, found, scaled)
    if further:
        functions = _functions(coordinates, further)
        fit, problem, alone = _augmented(result, functions, problem, solver, fit, further)
    limits = np.isfinite(fit.lower).any() or np.isfinite(fit.upper).any()
    made = CoordinateFit(
        x=fit.x, cost=fit.cost, residual=fit.residual, observations=fit.observations,
        status=fit.status, message=fit.message, nfev=fit.nfev, njev=fit.njev, nit=fit.nit,
        parameter_names=tuple(labels), fnorm=fit.fnorm, factor=fit.factor, problem=problem,
        solver=_augmented_solver(solver) if further else solver,
        lower=fit.lower if limits else None, upper=fit.upper if limits else None,  # type: ignore[arg-type]
        fixed=fit.fixed, active_mask=fit.active_mask, _gradient=fit._gradient, robust=fit.robust,
        absolute_sigma=result.absolute_sigma, degrees=result.degrees_of_freedom,
        deviation=deviation,
        slope=1.0 if related.priors else result.loss_slope, functions=functions,
        alone=alone,
    )  # fmt: skip
    return made, tuple(labels.index(name) for name in found)


def _augmented_solver(solver: Any) -> Any:
    """Return the solver without options of single coordinates."""
    strategy = solver.jacobian
    kept = strategy is not None and strategy._by_differences
    of_each = kept and isinstance(strategy.typical, tuple)
    return replace(solver, diag=None, jacobian=strategy if kept and not of_each else None)


def _deviation(result: Fit, names: Sequence[str], scaled: bool | None) -> float:
    """Return the error of a quantity over its root of inv(J^T J) with the rows of priors.

    Without priors it is the standard deviation of the data.
    """
    related = result.related
    assert related is not None
    estimated = result.is_scaled(scaled) or result.robust is not None
    if not names or not related.priors or not estimated or result.factor is None:
        return result.residual_deviation
    slopes = _slopes(result, names[:1])
    factor = result._linear.with_slopes(slopes)
    error, root = (
        float(factor.standard_errors(s)[0]) for s in (result.residual_deviation, 1.0 / factor.slope)
    )
    return error / root if 0.0 < root < np.inf else result.residual_deviation


def _slopes(result: Fit, names: Sequence[str]) -> Array:
    """Return the derivatives of some quantities by the coordinates."""
    assert result.related is not None
    coordinates: Coordinates = result.related.inner.coordinates
    return _functions(coordinates, names).jacobian(result.related.z)


def _functions(coordinates: Coordinates, names: Sequence[str]) -> Functions:
    nodes = [coordinates.node(name) for name in names]
    return Functions(coordinates.graph, nodes, len(coordinates.labels))


def _augmented(
    result: Fit, functions: Functions, problem: Any, solver: Any, fit: Fit, names: Sequence[str]
) -> tuple[Fit, Any, Array]:
    """Return the fit and the problem with further coordinates, and `CoordinateFit.alone`."""
    assert result.related is not None
    z = result.related.z
    values = np.array([float(value) for value in functions(z)])
    errors, alone = np.ones(len(names)), np.zeros(len(names))
    if result.factor is not None:
        errors = result._linear.with_slopes(functions.jacobian(z)).standard_errors(1.0)
        if not errors.all():
            # Of quantities that active constraints hold: the errors if all else stays as it is.
            norms = _column_norms(replace(fit, problem=problem, solver=solver))
            norms = np.where((norms > 0.0) & ~fit.fixed, norms, np.inf)
            alone = np.linalg.norm(functions.jacobian(z) / norms, axis=1)
            alone = np.where(errors > 0.0, 0.0, alone)
            errors = errors + alone
    sizes = np.where(np.abs(values) > 0.0, np.abs(values), 1.0)
    weights = _STIFF / np.where((errors > 0.0) & np.isfinite(errors), errors, sizes)
    k, open_ends = len(names), np.full(len(names), np.inf)
    none = np.zeros(k, dtype=np.int8)
    # A quantity that does not vary is fixed.
    constant = np.logical_not(functions.depends[:, ~fit.fixed].any(axis=1))
    found = replace(
        fit,
        x=np.append(fit.x, values),
        observations=fit.observations + k,
        lower=np.append(fit.lower, -open_ends),
        upper=np.append(fit.upper, open_ends),
        fixed=np.append(fit.fixed, constant),
        active_mask=np.append(fit.active_mask, none),
        parameter_names=(*fit.parameter_names, *names),
        factor=None
        if result.factor is None
        else _factor(result, functions.jacobian(z), weights, constant),
        _gradient=np.append(fit.gradient, np.zeros(k)),
        related=None,
    )
    made = _AUGMENTED.get(form_of(problem), AugmentedProblem)(problem, functions, weights)
    return found, made, alone


def _column_norms(fit: Fit) -> Array:
    """Return the norms of the columns of the Jacobian, (q,); 0 where they are not known.

    They are not for blocks without derivatives, and for blocks that are in other processes.
    """
    problem = fit.problem
    if not in_blocks(problem):
        return np.asarray(np.linalg.norm(jacobian_of(fit), axis=0))
    squares = np.zeros(fit.x.size)
    if problem.jacobian is None or not _is_local(problem.executor):
        return squares
    for block in blocks_of(problem):
        rows = np.asarray(problem.jacobian(fit.x.copy(), block)).reshape(-1, fit.x.size)
        squares += np.einsum("ij,ij->j", rows, rows)
    return np.sqrt(squares)


def _is_local(executor: Any) -> bool:
    """Return whether blocks are in this process."""
    # Not at the top, as they import multiprocessing.
    from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

    return executor is None or isinstance(executor, (ThreadPoolExecutor, ProcessPoolExecutor))


def _factor(result: Fit, slopes: Array, weights: Array, constant: NDArray[np.bool_]) -> Factor:
    """Return the factor with the further rows and columns: [R P^T 0; W G, -W]."""
    inner: Factor = result._linear.inner
    (k, q), n = slopes.shape, slopes.shape[0] + slopes.shape[1]
    matrix = np.zeros((n, n))
    matrix[:q, inner.ipvt] = inner.r
    matrix[q:, :q] = weights[:, None] * slopes
    matrix[q:, q:] = -np.diag(weights)
    packed, pivots, acnorm, _ = qrfac(matrix)
    excluded = np.zeros(n, dtype=bool)
    if inner.excluded is not None:
        excluded[:q] = inner.excluded
    excluded[q:] = constant
    return Factor(
        np.triu(packed), pivots.astype(np.int32), np.zeros(n), acnorm, inner.error,
        excluded if k else None,
    )  # fmt: skip
