"""Results of a stack of curves that are fitted together, with some of the parameters in common."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array
from lmoo.batch.fits import Fits
from lmoo.batch.tasks import BatchData
from lmoo.losses.loss import kernel_of, loss_of
from lmoo.problems.names import names_of
from lmoo.results.fit import Fit
from lmoo.results.parts import part_of
from lmoo.results.result import PartResult
from lmoo.solver.solver import Solver


@dataclass(frozen=True, eq=False, repr=False)
class JointFits(Fits):
    """Results of `curve_fit_many` with shared parameters: arrays with one entry per curve.

    They are those of `Fits`, with these differences: x, stderr and covariance have the shared
    parameters, which are the same for all curves, in the places that the model gives them; cost is
    the part of each curve; status, nfev, njev and nit are those of the one fit of all curves.
    Standard errors and covariances are those of the joint fit.  ``fits[i]`` is the result of one
    curve, a `PartResult`, without solving again.

    Attributes
    ----------
    shared : tuple of str
        The names of the shared parameters.
    is_shared : (n,) bool array
        Which of the model's parameters these are.
    joint_cost : float
        The cost of all curves.
    degrees_of_freedom : int
        Points that are not missing, minus the parameters that they determine.
    residual_deviation : float
        Standard deviation of the residual, by which the standard errors are scaled unless
        ``absolute_sigma`` is true.
    message : str
        Why the fit stopped.
    """

    shared: tuple[str, ...] = ()
    is_shared: Any = None
    joint_cost: float = float("nan")
    degrees_of_freedom: int = 0
    residual_deviation: float = float("nan")
    message: str = ""
    _solved: Any = None

    def _reduced_chi_square(self) -> Array:
        return np.full(self.shape, self.residual_deviation**2)

    def _tasks(self, threads: int) -> Any:
        raise TypeError("curves with shared parameters are not solved in chunks")

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, str):
            return self._named(index)
        which = self._number(index)
        solved: Solved = self._solved
        batch, names = self._batch, names_of(self._batch.names, self._batch.guesses.n)
        places = solved.places(which)
        problem = batch.dataset.problem(batch.source, which)
        if problem is not None:
            problem.parameter_names = names
        rows = which * solved.m + np.arange(solved.m)
        if solved.weights is not None:
            # Missing points have no weight.
            rows = rows[solved.weights[which if len(solved.weights) > 1 else 0] != 0.0]
        return part_of(PartResult, solved.fit, problem, places, rows, names)


@dataclass(frozen=True, eq=False)
class Solved:
    """The joint fit, with its parameters in the order of the arrow model."""

    fit: Fit
    where: NDArray[np.intp]
    shared: int
    m: int
    weights: Array | None

    def places(self, which: int) -> NDArray[np.intp]:
        """Return the places of the parameters of a curve."""
        own = self.where.size - self.shared
        return np.where(self.where < self.shared, self.where, self.where + which * own)


def joint_results(
    batch: BatchData, solved: Solved, names: tuple[str, ...], out: Mapping[str, Any] | None
) -> JointFits:
    """Return the joint fit as arrays with one row for each curve."""
    fit, where, shared = solved.fit, solved.where, solved.shared
    empty = JointFits._empty(batch, out)
    count, n = batch.dataset.count, where.size
    places = np.where(where < shared, where, where + np.arange(count)[:, None] * (n - shared))
    values: dict[str, Any] = {
        "x": fit.x[places],
        "stderr": fit.standard_errors[places],
        "cost": _costs(fit, count, batch.solver),
        "observations": points_of_each(solved.weights, solved.m, count),
    }
    if empty.covariance is not None:
        values["covariance"] = _covariances(fit, where, shared, count)
    for name, value in values.items():
        array = getattr(empty, name)
        array[...] = value.reshape(array.shape)
    for name in ("status", "nfev", "njev", "nit"):
        getattr(empty, name)[...] = int(getattr(fit, name))
    order = np.argsort(where)
    return replace(
        empty,
        shared=tuple(names[j] for j in order[:shared]),
        is_shared=where < shared,
        joint_cost=fit.cost,
        degrees_of_freedom=fit.degrees_of_freedom,
        residual_deviation=fit.residual_deviation,
        message=fit.message,
        _solved=solved,
    )


def points_of_each(weights: Array | None, m: int, count: int) -> NDArray[np.int64]:
    """Return the number of points of each curve that are not missing, of its first m, (count,)."""
    if weights is None:
        return np.full(count, m, dtype=np.int64)
    found = np.count_nonzero(weights[:, :m], axis=1).astype(np.int64)
    return np.array(np.broadcast_to(found, (count,)))


def _costs(fit: Fit, count: int, solver: Solver) -> Array:
    """Return the part of each curve of the cost, (count,)."""
    rows = fit.residual.reshape(count, -1)
    if fit.robust is None:
        squares: Array = np.einsum("ij,ij->i", rows, rows)
        return 0.5 * squares
    kernel = kernel_of(loss_of(solver.loss), fit.robust.scale)
    assert kernel is not None
    norms = np.array([kernel.norm(row) for row in rows])
    # inf where the square overflows.
    with np.errstate(over="ignore"):
        return np.asarray(0.5 * norms * norms)


def without_scale(fit: Fit, where: NDArray[np.intp], shared: int, count: int) -> Array:
    """Return covariances where the data have no scale: inf, 0 for parameters that are held."""
    own = np.arange(count)[:, None] * (where.size - shared)
    free = ~fit.fixed_or_active[np.where(where < shared, where, where + own)]
    return np.where(free[:, :, None] & free[:, None, :], np.inf, 0.0)


def _covariances(fit: Fit, where: NDArray[np.intp], shared: int, count: int) -> Array:
    """Return the covariance of the parameters of each curve, (count, n, n)."""
    n, deviation = where.size, fit.scale_of_errors()
    if not fit.success:
        return np.full((count, n, n), np.nan)
    if fit.factor is None or deviation == np.inf:
        return without_scale(fit, where, shared, count)
    whole: Any = fit._linear
    found: Array = whole.group_covariances(deviation, where)
    return found
