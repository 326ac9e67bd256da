"""The data of many fits."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array, Mask
from lmoo._core.masks import separated
from lmoo.batch.chunk import Chunk, Model
from lmoo.models.library import CompiledModel
from lmoo.models.problem import curve_problem, is_compiled_model
from lmoo.problems.arguments import as_array, described, positive, real_array
from lmoo.problems.axes import NO_AXES
from lmoo.problems.data import checked_policy
from lmoo.problems.missing import missing_of
from lmoo.problems.problem import Problem
from lmoo.results.pickles import with_optional


class Dataset:
    """A stack of curves, read chunk by chunk; curves are numbered in C order.

    Parameters
    ----------
    t, y, sigma, nan_policy
        As for `lmoo.curve_fit_many`.

    Attributes
    ----------
    shape : tuple of int
        Shape of the stack.
    count, m : int
        Number of curves, and of points per curve.
    axes : Axes
        Names and units of the data, which may be set.
    """

    axes = NO_AXES

    def __init__(self, t: Any, y: Any, sigma: Any, nan_policy: str) -> None:
        # Not copied: y may be larger than memory.
        self.y = y if all(hasattr(y, name) for name in ("shape", "dtype")) else _array(y)
        if self.y.dtype.kind not in "biuf":
            what = described(self.y if len(self.y.shape) else y)
            raise TypeError(f"y must be real numbers; it is {what}")
        shape = tuple(int(size) for size in self.y.shape)
        if len(shape) < 2 or shape[-1] == 0:
            raise ValueError(
                f"y must have a row of points for each curve, shape (..., m); it has {shape}"
            )
        self.omit = checked_policy(nan_policy) == "omit"
        self.shape, self.m = shape[:-1], shape[-1]
        self.count = math.prod(self.shape)
        self.many = isinstance(t, tuple)
        # Masks of t and sigma, (1, m) or (count, m) each.
        self.masks: list[Mask] = []
        self.t = [self._points(part) for part in (t if self.many else (t,))]
        if not self.t:
            raise ValueError("t must not be an empty tuple")
        self.weights = None
        if sigma is not None:
            sigma, mask = missing_of(sigma, self.omit)
            if mask is not None:
                self.masks.append(self._rows("sigma", mask))
                sigma = np.where(mask, 1.0, sigma)
            sigma = real_array("sigma", sigma)
            if sigma.ndim == 0:
                sigma = np.full(self.m, sigma.item())
            self._rows("sigma", sigma)
            self.weights = self._rows("sigma", 1.0 / positive("sigma", sigma))

    def _points(self, t: Any) -> Array:
        """Return one variable, (1, m) or (count, m); masked entries get an unmasked value."""
        t, mask = missing_of(t, self.omit)
        rows: Array = self._rows("t", real_array("t", t))
        if mask is not None:
            masked = self._rows("t", mask)
            self.masks.append(masked)
            # The model is evaluated at these points too, so it must have a value there.
            first = np.take_along_axis(rows, masked.argmin(axis=1)[:, None], axis=1)
            first[masked.all(axis=1)] = 0.0
            rows = np.where(masked, first, rows)
        finite = np.isfinite(rows)
        if not finite.all():
            k, i = np.argwhere(~finite)[0]
            remedy = ", or nan_policy 'omit'" if np.isnan(rows[k, i]) else ": mask other points"
            raise ValueError(f"t must be finite{remedy}; it is {rows[k, i]} at {i}")
        return rows

    def _rows(self, name: str, array: Any) -> Any:
        """Return the array as (1, m) or (count, m)."""
        if array.shape == (self.m,):
            return array[None]
        if array.shape == (*self.shape, self.m):
            # A transposed array would not be contiguous.
            return np.ascontiguousarray(array).reshape(-1, self.m)
        whole = (*self.shape, self.m)
        grid = array.ndim > 1 and array.shape == whole[-array.ndim :]
        hint = ""
        if grid:
            hint = "; of images, t and y must have the pixels in one axis: y.reshape(..., -1)"
        elif len(whole) == 2 and array.shape == whole[:1]:
            hint = "; the curves must be the rows of y: give y.T if they are its columns"
        elif name == "t" and array.ndim > 1 and array.shape[-1] == self.m:
            hint = "; several variables are a tuple, tuple(t)"
        raise ValueError(
            f"{name} must have shape {(self.m,)} or {whole}, that of y; it has {array.shape}{hint}"
        )

    def values(self, fits: slice) -> Array:
        """Return y of some curves, a new (k, m) array; NaN at masked points."""
        rows, masked = self._measured(fits)
        if masked is not None:
            rows[masked] = np.nan
        return rows

    def _measured(self, fits: slice) -> tuple[Array, Mask | None]:
        """Return y of some curves, a new (k, m) array, and their mask."""
        inner = math.prod(self.shape[1:])
        first = fits.start // inner
        start = fits.start - first * inner
        some = slice(start, start + fits.stop - fits.start)
        # A slice may be masked although y has no mask: a variable of netCDF, for example.
        piece, mask = separated(self.y[first : -(-fits.stop // inner)])
        rows = np.ascontiguousarray(np.array(piece, dtype=np.float64).reshape(-1, self.m)[some])
        masks = [mask if len(mask) == 1 else mask[fits] for mask in self.masks]
        if mask is not None:
            masks.append(mask.reshape(-1, self.m)[some])
        if not masks:
            return rows, None
        masked = np.zeros(rows.shape, dtype=bool)
        for mask in masks:
            masked |= mask
        return rows, masked

    def points(self, fits: slice | NDArray[np.intp]) -> list[Array]:
        """Return the independent variables of some curves, (1, m) or (k, m) each."""
        return [array if len(array) == 1 else array[fits] for array in self.t]

    def variables(self, fits: slice | NDArray[np.intp]) -> Any:
        """Return the independent variables of some curves in the form that a model expects."""
        rows = tuple(part[0] if len(part) == 1 else part for part in self.points(fits))
        return rows if self.many else rows[0]

    def chunk(self, model: Model | CompiledModel, fits: slice) -> Chunk:
        """Return some of the curves with their model."""
        y, masked = self._measured(fits)
        weights = self.weights
        if weights is not None and len(weights) > 1:
            weights = weights[fits]
        finite = np.isfinite(y)
        if masked is not None:
            y[masked] = 0.0
            weights = np.where(masked, 0.0, 1.0 if weights is None else weights)
            finite |= masked
        if not finite.all():
            if not self.omit:
                k, i = np.argwhere(~finite)[0]
                index = self.index(fits.start + int(k))
                raise ValueError(
                    f"y must be finite, or nan_policy 'omit'; curve {index} is {y[k, i]} at {i}"
                )
            weights = np.where(finite, 1.0 if weights is None else weights, 0.0)
            y[~finite] = 0.0
        return Chunk(model, self.points(fits), self.many, y, weights)

    def problem(self, model: Model | CompiledModel, which: int) -> Any:
        """Return the problem of one curve without its missing points.

        None if no point is left, or if model or data are not known, as they could not be pickled.
        """
        if model is None or self.y is None:
            return None
        chunk = self.chunk(model, slice(which, which + 1))
        y, sigma = chunk.y[0], None
        kept = np.arange(self.m)
        if chunk.weights is not None:
            kept = np.flatnonzero(chunk.weights[0])
            sigma = 1.0 / chunk.weights[0][kept]
        if kept.size == 0:
            return None
        t = tuple(part[0][kept] for part in chunk.t)
        f, jac = (model, None) if is_compiled_model(model) else model.of_one()
        problem = curve_problem(f, t if self.many else t[0], y[kept], sigma, jac)
        self.axes.describe(problem)
        return problem

    def to_pickle(self) -> "Dataset":
        """Return a copy to pickle, without data of a file if these cannot be pickled."""
        return with_optional(self, *(() if isinstance(self.y, np.ndarray) else ("y",)))

    def without_points(self, which: int) -> Problem:
        """Return the problem of a curve all of whose points are missing, for a joint fit."""
        return _NoPoints()

    def compiled(self, model: Model | CompiledModel) -> bool:
        """Return whether fits of the model are solved without Python."""
        return is_compiled_model(model)

    def index(self, which: int) -> Any:
        """Return the index of a curve in the stack: an int if the stack has one dimension."""
        index = tuple(int(i) for i in np.unravel_index(which, self.shape))
        return index if len(index) > 1 else index[0]


def _array(y: Any) -> Any:
    """Return a list of curves as an array, which is masked if one of the curves is."""
    values, mask = separated(y)
    return as_array("y", values) if mask is None else np.ma.array(values, mask=mask)


class _NoPoints(Problem):
    """A curve all of whose points are missing."""

    trace = False

    def residual(self, x: Array) -> Array:
        """Return no residuals."""
        return np.empty(0)

    def jacobian(self, x: Array) -> Array:
        """Return no rows."""
        return np.empty((0, x.size))
