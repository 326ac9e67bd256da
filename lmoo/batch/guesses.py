"""Starting values of many fits, and their bounds."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array
from lmoo.problems.arguments import real_array
from lmoo.problems.bounds import box, limits, parameter_position
from lmoo.problems.boundsforms import bounds_of_table
from lmoo.problems.parameters import known_name
from lmoo.results.pickles import frozen, with_optional


class InitialGuesses:
    """Starting values of the fits, and the bounds that are common to all of them.

    Parameters
    ----------
    p0 : array or callable
        As for `lmoo.curve_fit_many`.
    dataset : Dataset
        Or another class with its attributes ``shape``, ``count`` and ``m``.
    name : str, default "p0"
        What messages call p0.

    Attributes
    ----------
    n : int
        Number of parameters.
    edges : (2, n) or (count, 2, n) array or None
        Bounds as `box` returns them, the same for all curves or one pair for each.
    """

    edges: Array | None = None
    values: Any = None
    _limits: tuple[Any, Any, Any] | None = None

    def __init__(self, p0: Any, dataset: Any, name: str = "p0") -> None:
        self.dataset, self.function, self.name = dataset, p0 if callable(p0) else None, name
        if self.function is None:
            self.values = self._checked(real_array(self.name, p0), dataset.shape)
            if self.values.ndim > 1:
                self.values = self.values.reshape(dataset.count, self.values.shape[-1])
            self.n = self.values.shape[-1]
        else:
            self.n = -1  # not known before the first call
            self.n = self.of(slice(0, min(1, dataset.count))).shape[1]

    def to_pickle(self, dataset: Any) -> "InitialGuesses":
        """Return a copy to pickle with a stack: values for a function that cannot be pickled."""
        known: dict[str, Any] = {"dataset": dataset}
        if self.function is not None and frozen(self.function) is None:
            values = self.of(slice(0, self.dataset.count))
            known |= {"function": None, "values": values, "_limits": None}
            return with_optional(self, **known)
        return with_optional(self, "function", **known)

    def set_bounds(self, bounds: Any, fixed: Any, names: Any) -> None:
        """Set bounds and fixed parameters; values that a function returns are clipped to them."""
        if bounds is None and fixed is None:
            return
        bounds = bounds_of_table(bounds)
        if _has_arrays(bounds) or _has_arrays(fixed):
            self._set_each(bounds, fixed, names)
        elif self.function is None:
            self.values, self.edges = box(bounds, fixed, names, self.values, self.name)
        else:
            self._limits = bounds, fixed, names
            _, self.edges = box(bounds, fixed, names, np.zeros((0, self.n)))

    def _set_each(self, bounds: Any, fixed: Any, names: Any) -> None:
        """Set bounds and values of fixed parameters that differ from curve to curve."""
        if self.function is not None:
            raise ValueError(
                f"{self.name} must be an array or a mapping where bounds or fixed have a value for "
                "each curve"
            )
        dataset = self.dataset
        count, shape = dataset.count, dataset.shape
        edges = np.stack(
            [np.full((count, self.n), -np.inf), np.full((count, self.n), np.inf)], axis=1
        )
        values = np.array(np.broadcast_to(self.values, (count, self.n)))
        for key, pair in (bounds or {}).items() if isinstance(bounds, Mapping) else ():
            if not isinstance(pair, (tuple, list)) or len(pair) != 2:
                raise TypeError(f"bounds[{key!r}] must be a pair (lower, upper); it is {pair!r}")
            j = parameter_position("bounds", key, names, self.n)
            for side, end in enumerate(pair):
                if end is not None:
                    edges[:, side, j] = _each(f"bounds[{key!r}]", end, shape)
        if bounds is not None and not isinstance(bounds, Mapping):
            low, high, _ = limits(bounds, None, names, self.n)
            edges[:, 0], edges[:, 1] = low, high
        held = np.zeros(self.n, dtype=bool)
        for key in fixed if fixed is not None else ():
            j = parameter_position("fixed", key, names, self.n)
            held[j] = True
            if isinstance(fixed, Mapping):
                values[:, j] = _each(f"fixed[{key!r}]", fixed[key], shape)
        wrong = ~(edges[:, 0] <= edges[:, 1]) | ~((edges[:, 0] <= values) & (values <= edges[:, 1]))
        if wrong.any():
            k, j = np.argwhere(wrong)[0]
            name = names[j] if names else f"parameter {j}"
            raise ValueError(
                f"{self.name} must lie within the bounds; {name} starts at {values[k, j]} in curve "
                f"{dataset.index(int(k))}, its bounds are {edges[k, 0, j]} and {edges[k, 1, j]}"
            )
        # Equal bounds fix a parameter, as everywhere.
        edges[np.broadcast_to((edges[:, :1] == edges[:, 1:]), edges.shape)] = np.nan
        edges[:, :, held] = np.nan
        self.values, self.edges = values, edges

    def edges_of(self, fits: slice) -> Array | None:
        """Return the bounds of some curves, (2, n) or (k, 2, n)."""
        edges = self.edges
        return edges if edges is None or edges.ndim == 2 else edges[fits]

    def of(self, fits: slice) -> Array:
        """Return the starting values of some curves, (k, n)."""
        count = fits.stop - fits.start
        if self.function is None:
            x = self.values if self.values.ndim == 1 else self.values[fits]
        else:
            points = self.dataset.points(fits)
            t = [array[0] if len(array) == 1 else array for array in points]
            y = _filled(self.dataset.values(fits))
            x = real_array(self.name, self.function(tuple(t) if self.dataset.many else t[0], y))
            x = self._checked(x, (count,))
            if self.n not in (-1, x.shape[-1]):
                raise ValueError(
                    f"{self.name} must return as many parameters for all curves, {self.n} as for "
                    f"the first; it returned {x.shape[-1]}"
                )
            if self._limits is not None:
                x, _ = box(*self._limits, x, clip=True)
        return _repeated(x, count)

    def of_each(self, which: NDArray[np.intp]) -> Array:
        """Return the starting values of single curves, (k, n)."""
        if self.function is None:
            return _repeated(
                self.values if self.values.ndim == 1 else self.values[which], len(which)
            )
        return np.concatenate([self.of(slice(k, k + 1)) for k in which.tolist()])

    def _checked(self, x: Array, shape: tuple[int, ...]) -> Array:
        if x.ndim < 1 or x.shape[-1] == 0 or (x.ndim > 1 and x.shape[:-1] != shape):
            raise ValueError(
                f"{self.name} must have shape (n,) or {shape} + (n,); it has {x.shape}"
            )
        if not np.isfinite(x).all():
            raise ValueError(f"{self.name} must be finite")
        return x


def _repeated(x: Array, count: int) -> Array:
    """Return a new array of count rows, from as many or from one for all of them."""
    out = np.empty((count, x.shape[-1]))
    out[:] = x
    return out


def _has_arrays(given: Any) -> bool:
    """Return whether bounds or values of fixed parameters differ from curve to curve."""
    if not isinstance(given, Mapping):
        return False
    for value in given.values():
        parts = value if isinstance(value, (tuple, list)) and len(value) == 2 else (value,)
        if any(np.ndim(part) > 0 for part in parts):
            return True
    return False


def _each(name: str, value: Any, shape: tuple[int, ...]) -> Array:
    """Return a number, or one for each curve, as (1,) or (count,)."""
    array = real_array(name, value)
    if array.shape not in ((), shape) or np.isnan(array).any():
        raise ValueError(
            f"{name} must be a number, or an array of shape {shape} without nan; it is {value!r}"
        )
    return array.reshape(-1)


def named_guesses(
    p0: Mapping[str, Any], names: Any, shape: tuple[int, ...], optional: Any = ()
) -> Array:
    """Return starting values from a mapping of names to numbers or arrays, (n,) or (..., n).

    Parameters
    ----------
    p0 : mapping
    names : sequence of str or None
    shape : tuple of int
        Shape of the stack; that of the arrays.
    optional : sequence of str
        Parameters that need no value; they get 1.
    """
    if names is None:
        raise ValueError("p0 must be an array, as the parameters have no names")
    for name in p0:
        known_name("p0", name, names)
    missing = [name for name in names if name not in p0 and name not in optional]
    if missing:
        raise ValueError(
            f"p0 must have a value for each parameter; it has none for {', '.join(missing)}"
        )
    columns = [real_array(f"p0[{name!r}]", p0.get(name, 1.0)) for name in names]
    for name, column in zip(names, columns, strict=True):
        if column.shape not in ((), shape):
            raise ValueError(
                f"p0[{name!r}] must be a number or an array of shape {shape}; it has {column.shape}"
            )
    return np.stack(np.broadcast_arrays(*columns), axis=-1)


def _filled(y: Array) -> Array:
    """Return curves with each NaN replaced by the last finite value before it.

    Leading NaN get the first finite value; a curve of NaN alone becomes 0.
    """
    finite = np.isfinite(y)
    if finite.all():
        return y
    rows, columns = np.arange(len(y))[:, None], np.arange(y.shape[1])
    before = np.maximum.accumulate(np.where(finite, columns, -1), axis=1)
    first = np.where(finite.any(axis=1), finite.argmax(axis=1), 0)[:, None]
    found = y[rows, np.where(before < 0, first, before)]
    return np.where(finite.any(axis=1, keepdims=True), found, 0.0)
