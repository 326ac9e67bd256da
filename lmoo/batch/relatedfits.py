"""Results of stacks of fits whose parameters are tied, constrained, or have priors."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array
from lmoo._core.kernels import enorm
from lmoo.batch.fits import Fits, write
from lmoo.batch.propagation import as_values, derived_quantities, propagated, with_priors
from lmoo.batch.tasks import BatchData
from lmoo.models.library import CompiledModel
from lmoo.models.relations.coordinates import Coordinates
from lmoo.results.related import Value
from lmoo.results.result import Result
from lmoo.solver.related import expanded

_CHUNK = 4096
_TINY = 2.0**-1022
# What is the same for the coordinates and for all parameters.
_KEPT = ("cost", "status", "nfev", "njev", "nit", "observations")
_READ = ("x", "covariance", *_KEPT)


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
    fits = RelatedFits._empty(outer, out)
    shape, count = inner.shape, math.prod(inner.shape)
    flat = {name: _flat(getattr(inner, name), count, len(shape)) for name in _READ}
    flat["observations"] = flat["observations"] - len(coordinates.priors)
    names = coordinates.derived
    values, errors = np.full((2, count, len(names)), np.nan)
    norms, alone = np.sqrt(2.0) * np.sqrt(flat["cost"]), np.zeros(count, dtype=np.int64)
    for start in range(0, count, _CHUNK):
        some = slice(start, min(start + _CHUNK, count))
        z, covariance = flat["x"][some], flat["covariance"][some]
        if coordinates.priors:
            norms[some] = _data_norms(inner._batch, some, z)
            covariance, alone[some] = with_priors(
                covariance, norms[some], flat["observations"][some], coordinates, z,
                fits.absolute_sigma, is_exact=_has_derivatives(inner._batch.model),
            )  # fmt: skip
        with np.errstate(all="ignore"):
            rows = {name: flat[name][some] for name in _KEPT}
            rows["x"] = coordinates.x(z.T).T
            matrix, rows["stderr"] = propagated(coordinates.slopes(z.T), covariance)
            if fits.covariance is not None:
                rows["covariance"] = matrix
            values[some], errors[some] = derived_quantities(coordinates, z, covariance)
        for name, array in rows.items():
            write(getattr(fits, name), len(shape), some, array)
    fits.errors.update(inner.errors)
    found = replace(
        fits, derived=as_values(names, values, errors, shape), _inner=inner, _solver=outer.solver,
        _norms=norms.reshape(shape), _by_priors=alone.reshape(shape),
    )  # fmt: skip
    stderr = _flat(inner.stderr, count, len(shape))
    for k in _out_of_range(flat["covariance"], stderr):
        # One by one, as factors keep what covariances cannot.
        index = np.unravel_index(k, shape)
        one = found[tuple(int(i) for i in index)]
        found.stderr[index] = one.stderr
        for name in names:
            found.derived[name].stderr[index] = one[name].stderr
    return found


def _flat(values: Any, count: int, dimensions: int) -> NDArray[Any]:
    """Return results with one row for each fit."""
    array = np.asarray(values)
    return array.reshape(count, *array.shape[dimensions:])


def _has_derivatives(model: Any) -> bool:
    return isinstance(model, CompiledModel) or model.jac is not None


def _out_of_range(covariance: Array, stderr: Array) -> list[int]:
    """Return the fits whose covariances over- or underflow though their errors do not."""
    variance = np.diagonal(covariance, axis1=1, axis2=2)
    good = np.isfinite(stderr) & (stderr > 0.0)
    found: list[int] = np.flatnonzero(
        (good & ~((variance > _TINY) & (variance < np.inf))).any(1)
    ).tolist()
    return found


def _data_norms(batch: BatchData, some: slice, z: Array) -> Array:
    """Return the norms of the rows of data at the solutions, (k,)."""
    data = batch.dataset
    chunk = data.chunk(batch.model, some)
    values, _ = chunk.evaluated(chunk.values, np.arange(len(z)), z)
    rows = (values - chunk.y) * (1.0 if chunk.weights is None else chunk.weights)
    rows = np.ascontiguousarray(rows[:, : data.base.m])
    return np.array([enorm(row) for row in rows])
