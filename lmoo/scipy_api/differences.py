"""Differences with scipy's steps, column by column or in groups, evaluated by any map."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array
from lmoo._core.solve import Derivatives, SparseCustom
from lmoo.errors import EvaluationError
from lmoo.jacobians.strategies import Jacobian
from lmoo.sparse.pattern import Pattern

_EPS = 2.0**-52
# The exponent of the relative step that balances truncation and rounding.
_ROOTS = {"2-point": 0.5, "3-point": 1.0 / 3.0, "cs": 0.5}
# Largest relative error that is assumed for derivatives, for any step of the caller.
_LARGEST_ERROR = 1e-5


class Evaluation:
    """A function with its further arguments; it can be pickled if they can."""

    def __init__(
        self, fun: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        self.fun, self.args, self.kwargs = fun, args, kwargs

    def first(self, x: Array) -> Any:
        """Return the value of the function for a copy of x."""
        return self.fun(x.copy(), *self.args, **self.kwargs)

    def __call__(self, x: Any) -> Any:
        """Return the value of the function at x as an array."""
        return np.atleast_1d(np.asarray(self.fun(x, *self.args, **self.kwargs)))


class PlainDifference(Jacobian):
    """Differences with the steps of ``scipy.optimize.least_squares``; belongs to one solve.

    Parameters
    ----------
    scheme : {"2-point", "3-point", "cs"}
    call : callable
        The residual, of x alone.
    step : None, float or (n,) array
        Steps relative to x; None, and where ``x + step * x`` is x: a root of machine epsilon times
        ``max(1, |x|)``.
    edges : pair of (n,) arrays
        Bounds; the residual is evaluated within them only.
    mapped : callable
        ``mapped(call, points)``, as the built-in map.
    pattern : Pattern or None
        The entries that may be nonzero; columns that share no row share an evaluation.

    Attributes
    ----------
    evaluations : int
        Number of evaluations of the residual so far.
    """

    def __init__(
        self,
        scheme: str,
        call: Callable[..., Any],
        step: Any,
        edges: tuple[Array, Array],
        mapped: Callable[..., Iterable[Any]],
        pattern: Pattern | None,
    ) -> None:
        self.scheme, self.call, self.edges = scheme, call, edges
        self.mapped, self.pattern = mapped, pattern
        self.step = None if step is None else np.broadcast_to(step, edges[0].shape)
        self.sparse = pattern is not None
        self.evaluations = 0
        self.relative_error = self._error()

    def _error(self) -> float:
        """Return the relative error of the derivatives."""
        if self.scheme == "cs":
            return 0.0
        size = _EPS ** _ROOTS[self.scheme]
        if self.step is not None:
            size = float(np.abs(self.step).max(initial=size))
        order = 1 if self.scheme == "2-point" else 2
        return float(min(size**order + _EPS / size, _LARGEST_ERROR))

    def _bind(self, problem: Any, n: int) -> Derivatives:
        if self.pattern is None:
            return super()._bind(problem, n)
        return SparseCustom(self._entries, EvaluationError)

    def evaluate(self, problem: Any, x: Array, f: Array, out: Array) -> int:
        """Write the Jacobian at x into `out`; see `Jacobian.evaluate`."""
        groups = [np.array([j]) for j in range(x.size)]
        for column, values in self._columns(x, f, groups):
            out[:, column] = values
        return self._count(groups)

    def _entries(self, x: Array, f: Array) -> tuple[Any, float, int]:
        """Return the Jacobian as a sparse matrix, its relative error, and evaluations."""
        pattern = self.pattern
        assert pattern is not None
        data = np.empty(pattern.rows.size)
        for j, values in self._columns(x, f, pattern.groups):
            entries = slice(pattern.first[j], pattern.first[j + 1])
            data[entries] = values[pattern.rows[entries]]
        return pattern.matrix(data), self.relative_error, self._count(pattern.groups)

    def _count(self, groups: list[NDArray[np.intp]]) -> int:
        """Return the number of evaluations for a Jacobian."""
        return (2 if self.scheme == "3-point" else 1) * len(groups)

    def _columns(
        self, x: Array, f: Array, groups: list[NDArray[np.intp]]
    ) -> Iterator[tuple[int, Array]]:
        """Return the columns, and what differences of all rows say of each."""
        h, both = self._steps(x)
        points = [point for group in groups for point in self._points(x, h, both, group)]
        values = [np.asarray(value) for value in self.mapped(self.call, points)]
        self.evaluations += len(points)
        each = len(points) // max(len(groups), 1)
        for k, group in enumerate(groups):
            here, there = points[each * k : each * (k + 1)], values[each * k : each * (k + 1)]
            for j in group.tolist():
                yield j, self._column(x, f, here, there, j, bool(both[j]))

    def _steps(self, x: Array) -> tuple[Array, NDArray[np.bool_]]:
        """Return the steps, (n,), and whether both sides of x are used."""
        sign = np.where(x >= 0, 1.0, -1.0)
        usual = _EPS ** _ROOTS[self.scheme] * sign * np.maximum(1.0, np.abs(x))
        h = usual if self.step is None else self.step * np.abs(x) * sign
        h = np.where((x + h) - x == 0.0, usual, h)
        both = np.full(x.size, self.scheme == "3-point")
        if self.scheme == "cs":
            return np.abs(h), both
        lower, upper = self.edges
        room = np.maximum(upper - x, x - lower)
        side = np.where(upper - x >= x - lower, 1.0, -1.0)
        size = np.abs(h)
        if self.scheme == "2-point":
            outside = (x + h < lower) | (x + h > upper)
            fits = (x - h >= lower) & (x - h <= upper)
            h = np.where(outside, np.where(fits, -h, side * np.minimum(size, room)), h)
            return h, both
        both = (x - size >= lower) & (x + size <= upper)
        return np.where(both, size, side * np.minimum(size, 0.5 * room)), both

    def _points(
        self, x: Array, h: Array, both: NDArray[np.bool_], group: NDArray[np.intp]
    ) -> list[Any]:
        """Return the points at which the residual is needed for the columns of a group."""
        if self.scheme == "cs":
            z = x.astype(np.complex128)
            z[group] += 1j * h[group]
            return [z]
        near, far = x.copy(), x.copy()
        near[group] += h[group]
        far[group] += np.where(both, -h, 2.0 * h)[group]
        points = [near] if self.scheme == "2-point" else [near, far]
        return [np.clip(point, *self.edges) for point in points]

    def _column(
        self, x: Array, f: Array, points: list[Any], values: list[Any], j: int, both: bool
    ) -> Array:
        """Return the derivatives by parameter j from the values at the points of its group."""
        if self.scheme == "cs":
            if values[0].dtype.kind != "c":
                raise TypeError(
                    "fun must return complex numbers for a complex x with jac='cs'; it returned "
                    f"dtype {values[0].dtype}"
                )
            return np.asarray(values[0].imag / points[0][j].imag)
        near = points[0][j] - x[j]
        if self.scheme == "2-point":
            return np.asarray((values[0] - f) / near)
        far = points[1][j] - x[j]
        if both:
            return np.asarray((values[0] - values[1]) / (near - far))
        # The slope at x of the parabola through the three values.
        first, second = (values[0] - f) / near, (values[1] - f) / far
        return np.asarray(first + (first - second) * (near / (far - near)))
