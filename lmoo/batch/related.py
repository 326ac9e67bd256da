"""Stacks of fits whose parameters are tied, constrained, or have priors.

The coordinates of all fits are solved for as a stack of its own; priors are further points of each
curve.  `RelatedFits` has all parameters, with errors that are propagated to them.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.kernels import enorm
from lmoo.batch.chunk import Chunk, Model
from lmoo.batch.data import Dataset
from lmoo.batch.fits import Fits, write
from lmoo.batch.guesses import InitialGuesses
from lmoo.batch.tasks import BatchData
from lmoo.models.compiled import kept_model
from lmoo.models.library import CompiledModel
from lmoo.models.problem import is_compiled_model
from lmoo.models.relations.coordinates import Coordinates, coordinates_of
from lmoo.models.relations.substitution import substituted
from lmoo.problems.parameters import OPTIONS, Relations, refuse_separable
from lmoo.results.factor import scaled_rows
from lmoo.results.mapped import by_priors
from lmoo.results.pickles import with_optional
from lmoo.results.related import Value
from lmoo.results.result import Result
from lmoo.solver.reduced import ReducedProblem
from lmoo.solver.related import expanded
from lmoo.solver.solver import Solver

__all__ = [
    "RelatedFits",
    "RelatedModel",
    "batch_coordinates",
    "graph_model",
    "plain_solver",
    "related_batch",
    "related_fits",
]

Array = NDArray[np.float64]

_CHUNK = 4096
_EPS = 2.0**-52
_TINY = 2.0**-1022
# Relative error of derivatives by differences.
_DIFFERENCES = 1e-8


class RelatedModel(Model):
    """A Python model of the coordinates; it returns the values of the priors after its own.

    Parameters
    ----------
    model : Model
        Of all parameters.
    coordinates : Coordinates
    """

    def __init__(self, model: Model, coordinates: Coordinates) -> None:
        super().__init__(model.f, model.jac, model.vectorized)
        self.model, self.coordinates = model, coordinates

    def _cut(self, t: Any, m: int) -> tuple[Any, int]:
        """Return the variables without the points of the priors, and how many are left."""
        m -= len(self.coordinates.priors)
        return tuple(p[..., :m] for p in t) if isinstance(t, tuple) else t[..., :m], m

    def values(self, t: Any, x: Array, m: int) -> Array:
        """Return the values for k fits, (k, m)."""
        t, own = self._cut(t, m)
        z = x.T
        values = self.model.values(t, _columns(self.coordinates.x(z)), own)
        priors = self.coordinates.prior_values(z)
        return np.concatenate([values, priors.reshape(-1, len(x)).T], axis=1)

    def derivatives(self, t: Any, x: Array, m: int) -> Array:
        """Return the derivatives by the coordinates, (k, q, m)."""
        t, own = self._cut(t, m)
        z = x.T
        found = self.model.derivatives(t, _columns(self.coordinates.x(z)), own)
        chained = np.einsum("knm,knq->kqm", found, self.coordinates.slopes(z))
        priors = np.swapaxes(self.coordinates.prior_value_slopes(z), 1, 2)
        return np.concatenate([chained, priors], axis=2)


def _columns(x: Array) -> Array:
    """Return points as rows of a new array."""
    return np.ascontiguousarray(x.T)


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


class _Guesses:
    """Starting coordinates, from those of the parameters, with the interface of InitialGuesses."""

    def __init__(self, guesses: InitialGuesses, coordinates: Coordinates, clip: bool) -> None:
        self.guesses, self.coordinates, self.clip = guesses, coordinates, clip
        self.n = len(coordinates.labels)
        self.edges = None
        lower, upper, fixed = coordinates.lower, coordinates.upper, coordinates.fixed
        if fixed.any() or np.isfinite(lower).any() or np.isfinite(upper).any():
            self.edges = np.where(fixed, np.nan, np.stack([lower, upper]))

    def to_pickle(self, dataset: PriorDataset) -> "_Guesses":
        """Return a copy to pickle with a stack."""
        return with_optional(self, guesses=self.guesses.to_pickle(dataset.base))

    def edges_of(self, fits: slice) -> Array | None:
        """Return the bounds of some fits."""
        return self.edges

    def of(self, fits: slice) -> Array:
        """Return the starting coordinates of some fits, (k, q)."""
        coordinates = self.coordinates
        x = self.guesses.of(fits)
        if not self.clip and len(x) and (x == x[0]).all():
            return np.tile(coordinates.inside(x[0], "p0"), (len(x), 1))
        if not self.clip and len(x):
            return np.stack([coordinates.inside(row, "p0") for row in x])
        return np.ascontiguousarray(coordinates.moved(coordinates.z(x)))


def batch_coordinates(
    names: Any,
    relations: Relations,
    solver: Solver,
    guesses: InitialGuesses,
    shared: Sequence[str] = (),
) -> Coordinates:
    """Return the coordinates of a stack of fits; ValueError if a stack does not support them."""
    count = min(1, guesses.dataset.count)
    x = guesses.of(slice(0, count))[0] if count else np.ones(guesses.n)
    coordinates = coordinates_of(names, relations, solver.bounds, solver.fixed, x, shared)
    if coordinates.is_watched:
        raise ValueError(
            "constraints and bounds must be linearly independent for many fits; too many are: "
            f"{', '.join(coordinates.watched)}; solve fit by fit with lmoo.Solver"
        )
    if coordinates.priors and solver.loss != "linear":
        raise ValueError(
            "priors and a loss together are not supported for many fits; solve fit by fit with "
            "lmoo.Solver"
        )
    return coordinates


def plain_solver(solver: Solver) -> Solver:
    """Return the solver of the coordinates."""
    refuse_separable(solver.separable)
    nothing: dict[str, Any] = dict.fromkeys(("bounds", "fixed", *OPTIONS))
    return replace(solver, **nothing, separable=False)


def graph_model(model: Any) -> Any:
    """Return the graph of a compiled model; None if it has none."""
    if type(model).__call__ is not CompiledModel.__call__:
        return None
    return getattr(model, "model", None)


def related_batch(
    dataset: Dataset,
    model: Any,
    graph: Any,
    guesses: InitialGuesses,
    solver: Solver,
    coordinates: Coordinates,
    record: bool,
    evaluation: str,
    absolute_sigma: bool = False,
    dataset_of: type[PriorDataset] = PriorDataset,
) -> BatchData:
    """Return the batch of the coordinates.

    Parameters
    ----------
    dataset : Dataset
        The curves.
    model : Model or CompiledModel
        The user's.
    graph : lmoo.models.Model or None
        Its graph, with which the stack is solved without Python.
    guesses : InitialGuesses
        Of all parameters.
    solver, coordinates, record, evaluation, absolute_sigma
    dataset_of : type
        The class of the data with points for the priors.
    """
    marked = graph is not None
    if marked:
        inner: Any = kept_model(substituted(graph, coordinates, bool(coordinates.priors)))
    else:
        inner = RelatedModel(_as_model(model), coordinates)
    data = dataset_of(dataset, coordinates, model, marked)
    start: Any = _Guesses(guesses, coordinates, guesses.function is not None)
    # The errors of priors are known as they are: the covariance of both is made of H^-1.
    return BatchData(
        data, inner, start, plain_solver(solver), record, coordinates.labels, evaluation,
        absolute_sigma=absolute_sigma or bool(coordinates.priors),
    )  # fmt: skip


def _as_model(model: Any) -> Model:
    """Return a compiled model without a graph as one in Python."""
    if not is_compiled_model(model):
        return model  # type: ignore[no-any-return]
    return Model(model, model.jacobian if model.provides_jacobian else None, True)


# What is the same for the coordinates and for all parameters.
_KEPT = ("status", "nfev", "njev", "nit")


@dataclass(frozen=True, eq=False, repr=False)
class RelatedFits(Fits):
    """Results of many fits whose parameters are related; see `Fits`.

    Attributes
    ----------
    derived : dict of str to Value
        Values and standard errors of the derived quantities, each of the shape of the stack.
    """

    derived: dict[str, Value] = field(default_factory=dict)
    _inner: Any = None
    _solver: Any = None
    # Of each fit: the norm of the rows of data, and what priors alone determine.
    _norms: Any = None
    _by_priors: Any = 0

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, str):
            return self.derived[index] if index in self.derived else super().__getitem__(index)
        inner: Result = replace(self._inner[index], absolute_sigma=self.absolute_sigma)
        coordinates = self._inner._batch.dataset.coordinates
        reduced = inner.problem
        problem = None if reduced is None else reduced.problem
        x0 = coordinates.x(inner.x0)
        return expanded(inner, coordinates, problem, self._solver, x0)

    @property
    def chi_square(self) -> Array:
        """Sum of squares of each fit, over sigma if there is one, without priors."""
        with np.errstate(over="ignore"):
            return np.asarray(self._norms * self._norms)

    def _free_counts(self) -> Any:
        # What priors alone determine leaves the degrees of freedom as they are.
        return self._inner._free_counts() - self._by_priors

    def _points(self) -> Array:
        return np.asarray(self.x).reshape(-1, self.x.shape[-1])


def related_fits(
    inner: Fits, outer: BatchData, coordinates: Coordinates, out: Mapping[str, Any] | None
) -> RelatedFits:
    """Return the results of all parameters from those of the coordinates."""
    fits: Any = RelatedFits._empty(outer, out)
    shape, count = inner.shape, math.prod(inner.shape)
    flat = {}
    for name in ("x", "cost", "covariance", *_KEPT, "observations"):
        array = np.asarray(getattr(inner, name))
        flat[name] = array.reshape(count, *array.shape[len(shape) :])
    flat["observations"] = flat["observations"] - len(coordinates.priors)
    names = coordinates.derived
    values, errors = np.full((count, len(names)), np.nan), np.full((count, len(names)), np.nan)
    norms, alone = np.sqrt(2.0) * np.sqrt(flat["cost"]), np.zeros(count, dtype=np.int64)
    model = inner._batch.model
    is_exact = isinstance(model, CompiledModel) or model.jac is not None
    for start in range(0, count, _CHUNK):
        some = slice(start, min(start + _CHUNK, count))
        z, covariance = flat["x"][some], flat["covariance"][some]
        unit = np.ones(z.shape)
        if coordinates.priors:
            norms[some] = _data_norms(inner._batch, some, z)
            covariance, alone[some] = _with_priors(
                covariance, norms[some], flat["observations"][some], coordinates, z,
                fits.absolute_sigma, _EPS if is_exact else _DIFFERENCES,
            )  # fmt: skip
        with np.errstate(all="ignore"):
            x = coordinates.x(z.T).T
            rows: dict[str, Any] = {"x": x, "cost": flat["cost"][some]}
            matrix, rows["stderr"] = propagated(coordinates.slopes(z.T), covariance, unit)
            if fits.covariance is not None:
                rows["covariance"] = matrix
            if names:
                values[some] = np.array(
                    np.broadcast_arrays(*coordinates.derived_functions(z.T), z[:, 0])
                )[:-1].T
                slopes = coordinates.derived_functions.jacobian(z.T)
                errors[some] = propagated(slopes, covariance, unit)[1]
        rows |= {name: flat[name][some] for name in (*_KEPT, "observations")}
        _store(fits, some, rows, shape)
    fits.errors.update(inner.errors)
    derived = {
        name: Value(values[:, k].reshape(shape), errors[:, k].reshape(shape))
        for k, name in enumerate(names)
    }
    found: RelatedFits = replace(
        fits, derived=derived, _inner=inner, _solver=outer.solver, _norms=norms.reshape(shape),
        _by_priors=alone.reshape(shape),
    )  # fmt: skip
    for k in _out_of_range(
        flat["covariance"], np.asarray(inner.stderr).reshape(count, len(coordinates.labels))
    ):
        # One by one, as factors keep what covariances cannot.
        index = np.unravel_index(k, shape)
        one = found[tuple(int(i) for i in index)]
        found.stderr[index] = one.stderr
        for name in names:
            derived[name].stderr[index] = one[name].stderr
    return found


def _out_of_range(covariance: Array, stderr: Array) -> list[int]:
    """Return the fits whose covariances over- or underflow though their errors do not."""
    variance = np.diagonal(covariance, axis1=1, axis2=2)
    good = np.isfinite(stderr) & (stderr > 0.0)
    found: list[int] = np.flatnonzero(
        (good & ~((variance > _TINY) & (variance < np.inf))).any(1)
    ).tolist()
    return found


def _store(fits: Fits, some: slice, rows: dict[str, Any], shape: tuple[int, ...]) -> None:
    for name, values in rows.items():
        write(getattr(fits, name), len(shape), some, values)


def propagated(slopes: Array, covariance: Array, unit: Array) -> tuple[Array, Array]:
    """Return covariances and standard errors of functions of the coordinates.

    Parameters
    ----------
    slopes : (k, n, q) array
    covariance : (k, q, q) array
        inf and nan for coordinates that are not determined; nan for fits that have not converged.
    unit : (k, q) array
        Units of the coordinates: the covariance is over these.

    Returns
    -------
    (k, n, n) array, (k, n) array
    """
    variance = np.diagonal(covariance, axis1=1, axis2=2)
    lost = ~np.isfinite(variance)
    known = np.where(lost[:, :, None] | lost[:, None, :], 0.0, covariance)
    k, n, q = slopes.shape
    rows, sizes = scaled_rows((slopes * unit[:, None, :]).reshape(k * n, q))
    rows, sizes = rows.reshape(k, n, q), sizes.reshape(k, n)
    out = rows @ known @ np.swapaxes(rows, 1, 2)
    errors = np.sqrt(np.maximum(np.diagonal(out, axis1=1, axis2=2), 0.0)) * sizes
    with np.errstate(all="ignore"):
        out = out * sizes[:, :, None] * sizes[:, None, :]
    if lost.any():
        hit = ((slopes != 0.0) & lost[:, None, :]).any(axis=2)
        errors = np.where(hit, np.inf, errors)
        out = np.where(hit[:, :, None] | hit[:, None, :], np.nan, out)
        k, j = np.nonzero(hit)
        out[k, j, j] = np.inf
    failed = np.isnan(variance).any(axis=1)
    out[failed], errors[failed] = np.nan, np.nan
    return out, errors


def _data_norms(batch: BatchData, some: slice, z: Array) -> Array:
    """Return the norms of the rows of data at the solutions, (k,)."""
    data = batch.dataset
    chunk = data.chunk(batch.model, some)
    values, _ = chunk.evaluated(chunk.values, np.arange(len(z)), z)
    rows = (values - chunk.y) * (1.0 if chunk.weights is None else chunk.weights)
    rows = np.ascontiguousarray(rows[:, : data.base.m])
    return np.array([enorm(row) for row in rows])


def _with_priors(
    inverse: Array,
    norms_of_data: Array,
    observations: NDArray[np.int64],
    coordinates: Coordinates,
    z: Array,
    absolute_sigma: bool,
    error: float,
) -> tuple[Array, NDArray[np.int64]]:
    """Return covariances, and the numbers of coordinates that priors alone determine.

    As `lmoo.results.mapped` has them, with errors of priors as given.

    Parameters
    ----------
    inverse : (k, q, q) float64 array
        H^-1 of each fit; inf and nan for coordinates that are not determined.
    norms_of_data : (k,) float64 array
    observations : (k,) int64 array
    coordinates : Coordinates
    z : (k, q) float64 array
    absolute_sigma : bool
    error : float
        Relative error of the entries of J.
    """
    lost = ~np.isfinite(np.diagonal(inverse, axis1=1, axis2=2))
    known = np.where(lost[:, :, None] | lost[:, None, :], 0.0, inverse)
    with np.errstate(all="ignore"):
        root, norms = _root(known)
        shares, directions = np.linalg.svd(coordinates.prior_slopes(z.T) @ root)[1:]
        share = np.zeros(z.shape)
        share[:, : shares.shape[1]] = np.minimum(shares, 1.0) ** 2
        root = root @ np.swapaxes(directions, 1, 2)
        alone = by_priors(share, np.linalg.norm(root * norms[:, :, None], axis=1), error)
        counts = np.count_nonzero(alone, axis=1)
        if absolute_sigma:
            return inverse, counts
        degrees = observations - int(np.count_nonzero(~coordinates.fixed)) + counts
        deviation = np.where(degrees > 0, norms_of_data / np.sqrt(degrees), np.inf)
        s2 = np.where(np.isfinite(deviation), deviation * deviation, 1.0)[:, None]
        root *= np.sqrt(np.where(alone, 1.0, s2 * (1.0 - share) + share))[:, None]
        found = root @ np.swapaxes(root, 1, 2)
    # Coordinates that are held have no error.
    lost |= ~np.isfinite(deviation)[:, None] & (np.diagonal(inverse, axis1=1, axis2=2) != 0.0)
    found[lost] = np.nan
    np.swapaxes(found, 1, 2)[lost] = np.nan
    found = np.where(lost[:, :, None] & np.eye(z.shape[1], dtype=bool), np.inf, found)
    failed = np.isnan(np.diagonal(inverse, axis1=1, axis2=2)).any(axis=1)
    found[failed] = np.nan
    return found, counts


def _root(inverse: Array) -> tuple[Array, Array]:
    """Return roots of (J^T J)^-1, (k, q, q), and the norms of the columns of J, (k, q)."""
    errors = np.sqrt(np.diagonal(inverse, axis1=1, axis2=2))
    unit = np.where(errors > 0.0, 1.0 / errors, 0.0)
    scaled = inverse * unit[:, :, None] * unit[:, None, :]
    good = np.isfinite(scaled).all(axis=(1, 2), keepdims=True)
    values, vectors = np.linalg.eigh(np.where(good, scaled, 0.0))
    values = np.maximum(values, 0.0)
    squares = np.where(values[:, None] > _EPS, vectors * vectors / values[:, None], 0.0)
    root = errors[:, :, None] * vectors * np.sqrt(values)[:, None]
    return root, unit * np.sqrt(squares.sum(axis=2))
