"""`CurveBlocks`: a model y = f(x) and long arrays of data, as a problem in blocks of rows."""

# Names of types, not unions of many, are shown by help().
from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lmoo._core.masks import separated
from lmoo._core.solve import is_single
from lmoo.problems.arguments import (
    as_array,
    check_callable,
    check_positive,
    checked_trace,
    described,
    entry,
    integer,
    positive,
)
from lmoo.problems.columns import is_series, numbers_of
from lmoo.problems.curve import UNKNOWN, Curve
from lmoo.problems.data import checked_policy, not_finite
from lmoo.problems.kinds import hide_jacobian, is_paired, reason_to_call
from lmoo.problems.measured import measured
from lmoo.problems.missing import missing_of
from lmoo.problems.names import parameter_names_of
from lmoo.problems.rows import RowBlockProblem
from lmoo.problems.sigma import checked_absolute_sigma
from lmoo.problems.typed import Bounds, Constraints, Expressions, Fixed, NanPolicy, Priors, Trace


class CurveBlocks(RowBlockProblem):
    """Fit ``y = f(x, *parameters)`` to long arrays, one block of rows at a time.

    Minimises ``1/2 sum(((f(xdata, *parameters) - ydata) / sigma)**2)``.  Only the current block is
    copied, so the arrays may be memory maps that are larger than memory.

    Parameters
    ----------
    f : callable
        ``f(x, *parameters)`` returns the model's values for the rows in x, (rows,).
    xdata : (m,) or (k, m) array, or dask.array
        The independent variable, real numbers; blocks are slices of the last axis.  An object with
        ``shape``, ``dtype`` and slicing is accepted, such as a memmap or a data set of HDF5 or
        zarr.
    ydata : (m,) array, or dask.array
        The dependent variable.
    block_size : int, default 65536
        Number of rows of a block.  It changes the last digits of the result.  The blocks of
        dask.arrays are their chunks; these need a Dask client as ``executor``.
    sigma : float or (m,) array, optional
        Positive and finite standard deviations of `ydata`; residuals are divided by them.  None: 1.
        Rows that are masked (``numpy.ma``) in one of the arrays are left out.
    jac : callable, optional
        ``jac(x, *parameters)`` returns the derivatives of f by the parameters, (rows, n), or
        (rows,) for a single parameter.  None: differences.
    parameter_names : sequence of str, optional
        None: the names in f's signature.
    executor : concurrent.futures.Executor or distributed.Client, optional
        See `RowBlockProblem`.
    bounds, fixed : optional
        See `lmoo.bounds.limits`; they are checked when the problem is solved.
    ties, priors, derived, constraints : optional
        Relations of the parameters, as for `Solver`; they are checked when the problem is solved.
    trace : {"auto", True, False}
        Whether f is traced (see `lmoo.trace`) and runs compiled, with exact derivatives.  "auto":
        where that is possible; f is called for the first block at the start and at the solution, to
        check the values.  True: it must be possible.  False: f itself is called throughout.
        dask.arrays are fitted with f itself.
    linear_parameters, absolute_sigma : optional
        As for `CurveProblem`.
    nan_policy : {"raise", "omit"}
        What to do with NaN in the data of a block, and infinite y: raise ValueError when it is
        evaluated, or leave these rows out.

    Attributes
    ----------
    f, jac, bounds, fixed, trace, ties, priors, derived, constraints, absolute_sigma
        As given.
    parameter_names : sequence of str or None

    Raises
    ------
    TypeError
        `f` or `jac` is not callable, or the data are not real numbers.
    ValueError
        Shapes that do not match, `block_size` below 1, `sigma` not positive (an array is checked
        block by block, when the block is evaluated).

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> def decay(t, amplitude, rate):
    ...     return amplitude * np.exp(-rate * t)
    >>> t = np.linspace(0, 4, 100_000)
    >>> problem = lmoo.CurveBlocks(decay, t, decay(t, 3, 0.5), block_size=10_000)
    >>> lmoo.Solver().solve(problem, [1, 1]).x.round(6)
    array([3. , 0.5])
    """

    def __init__(
        self,
        f: Callable[..., ArrayLike],
        xdata: Any,
        ydata: Any,
        block_size: int = 65536,
        sigma: Any = None,
        jac: Callable[..., ArrayLike] | None = None,
        parameter_names: Sequence[str] | None = None,
        executor: Any = None,
        *,
        bounds: Bounds | None = None,
        fixed: Fixed | None = None,
        trace: Trace = "auto",
        ties: Expressions | None = None,
        priors: Priors | None = None,
        derived: Expressions | None = None,
        constraints: Constraints | None = None,
        linear_parameters: Sequence[str | int] | None = None,
        absolute_sigma: bool | None = None,
        nan_policy: NanPolicy = "raise",
    ) -> None:
        self.trace = checked_trace(trace)
        self.absolute_sigma = checked_absolute_sigma(absolute_sigma, sigma, "ydata")
        check_callable(f, jac)
        self.omit = checked_policy(nan_policy) == "omit"
        if integer("block_size", block_size) < 1:
            raise ValueError(f"block_size must be at least 1; it is {block_size}")
        self.f, self.jac, self.bounds, self.fixed = f, jac, bounds, fixed
        self._relate(ties, priors, derived, constraints, linear_parameters)
        self.parameter_names = parameter_names_of(f) if parameter_names is None else parameter_names
        xdata, ydata, sigma, _, axes = measured(xdata, ydata, sigma, called=("xdata", "ydata"))
        axes.describe(self)
        arrays = _checked(xdata, ydata, sigma)
        # nan stands for an array, which would be sent to the workers with the problem.
        self._sigma = None if sigma is None else float(arrays[2]) if np.ndim(sigma) == 0 else np.nan
        chunked = any(hasattr(array, "to_delayed") for array in arrays)
        super().__init__(
            _chunks(*arrays) if chunked else _Slices(arrays, int(block_size), self.omit), executor
        )
        if jac is None and type(self).jacobian is CurveBlocks.jacobian:
            hide_jacobian(self)

    def residual(self, x: NDArray[np.float64], block: Any) -> ArrayLike:
        """Return ``(f(xdata, *x) - ydata) / sigma`` of one block."""
        xdata, ydata, sigma = _present(block, self.omit)
        if ydata.size == 0:
            return np.empty(0)
        value = np.asarray(self.f(xdata, *x))
        if value.shape != ydata.shape:
            raise ValueError(
                f"f must return one value per row, shape {ydata.shape}; it returned shape "
                f"{value.shape}"
            )
        rows = np.asarray((value - ydata) / sigma)
        # The residual keeps the precision of the model, which determines difference intervals.
        return rows.astype(np.float32) if is_single(value) else rows

    def jacobian(self, x: NDArray[np.float64], block: Any) -> ArrayLike:
        """Return ``jac(xdata, *x) / sigma`` of one block, (rows, n)."""
        xdata, ydata, sigma = _present(block, self.omit)
        assert self.jac is not None
        if ydata.size == 0:
            return np.empty((0, x.size))
        value = np.asarray(self.jac(xdata, *x))
        if value.ndim == 1 and x.size == 1:
            value = value[:, None]
        if value.shape != (ydata.size, x.size):
            raise ValueError(
                f"jac must return a row of {x.size} derivatives for each of {ydata.size} rows; it "
                f"returned shape {value.shape}"
            )
        derivatives: ArrayLike = value / np.reshape(sigma, (-1, 1))
        return derivatives

    def reason_to_call(self) -> str | None:
        """Return why f must be called; None if a compiled trace may replace it."""
        chunks = (
            None if isinstance(self.blocks, _Slices) else "the data are in chunks of dask.arrays"
        )
        return reason_to_call(self) or chunks

    def _overrides_residual(self) -> bool:
        """Return whether the residual is not that of f and the data."""
        own = type(self).residual is not CurveBlocks.residual or "residual" in vars(self)
        return own or is_paired(self, "blocks")

    def compiled_from(self, model: Any) -> CurveBlocks:
        """Return the problem with a `CompiledModel` instead of f."""
        other = copy.copy(self)
        other.executor = self.executor
        other.f, other.jac = _Rows(model, False), _Rows(model, True)
        del other.jacobian
        return other

    def as_curve(self) -> Curve:
        """Return the model and sigma without the data, which may be larger than memory."""
        known = not self._overrides_residual() and (self._sigma is None or self._sigma > 0.0)
        return Curve(self.f, sigma=self._sigma if known else UNKNOWN, jac=self.jac)


class _Rows:
    """A compiled model, or its derivatives, as a function of the rows of a block."""

    def __init__(self, model: Any, derivatives: bool) -> None:
        self.model, self.derivatives = model, derivatives

    def __call__(self, t: Any, *x: Any) -> NDArray[np.float64]:
        function = self.model.jacobian if self.derivatives else self.model
        values: NDArray[np.float64] = function(tuple(t) if t.ndim > 1 else t, *x)
        return values


class _Slices:
    """The blocks of arrays, as an iterable that can be used repeatedly."""

    def __init__(self, arrays: Sequence[Any], size: int, omit: bool) -> None:
        self.arrays, self.size, self.omit = arrays, size, omit

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        m, empty = int(self.arrays[1].shape[0]), True
        for k, start in enumerate(range(0, m, self.size)):
            rows = slice(start, min(start + self.size, m))
            block = tuple(a[..., rows] if np.ndim(a) else a for a in self.arrays)
            found = _present(block, self.omit, f"block {k}")
            empty = empty and found[1].size == 0
            yield found
        if empty:
            raise ValueError(
                f"ydata must not be empty; all of its {m} points are masked or missing"
            )

    def __len__(self) -> int:
        return -(-int(self.arrays[1].shape[0]) // self.size)


def _present(block: tuple[Any, ...], omit: bool, which: str = "a block") -> tuple[Any, ...]:
    """Return the arrays of a block without the rows that are missing in one of them.

    Raises
    ------
    ValueError
        An entry of xdata is NaN, and not left out; one of ydata is not finite, or one of sigma not
        positive and finite.
    """
    parts, keep = [], None
    for k, part in enumerate(block):
        values, mask = missing_of(part, omit, infinite=k == 1)
        parts.append(np.asarray(values) if np.ndim(values) else values)
        if mask is not None:
            rows = ~mask.reshape(-1, mask.shape[-1]).any(axis=0)
            keep = rows if keep is None else keep & rows
    if keep is not None:
        parts = [part[..., keep] if np.ndim(part) else part for part in parts]
    xdata, ydata, sigma = parts
    # A sum takes less time than a test of each entry.
    if np.isnan(xdata.sum()) and (wrong := np.isnan(xdata)).any():
        place = entry(xdata, wrong)
        raise ValueError(f"xdata must not be nan, or nan_policy 'omit'; {place} of {which}")
    if not np.isfinite(ydata.sum()) and (wrong := ~np.isfinite(ydata)).any():
        raise not_finite("ydata", f"{entry(ydata, wrong)} of {which}")
    check_positive("sigma", np.asarray(sigma), f" of {which}")
    return xdata, ydata, sigma


def _chunks(xdata: Any, ydata: Any, sigma: Any) -> list[tuple[Any, ...]]:
    """Return the chunks of dask.arrays as tuples."""
    rows = ydata.chunks[0]
    parts = [_delayed("xdata", xdata, rows), _delayed("ydata", ydata, rows)]
    parts.append(_delayed("sigma", sigma, rows) if np.ndim(sigma) else [sigma] * len(rows))
    return list(zip(*parts, strict=True))


def _delayed(name: str, array: Any, rows: tuple[int, ...]) -> list[Any]:
    if not hasattr(array, "to_delayed"):
        raise TypeError(f"{name} must be a dask.array as the others are; it is {type(array)}")
    if array.chunks[-1] != rows or any(len(chunks) > 1 for chunks in array.chunks[:-1]):
        raise ValueError(
            f"{name} must be chunked as ydata is, {rows}, along its rows only; its chunks are "
            f"{array.chunks}"
        )
    return list(np.ravel(array.to_delayed()))


def _checked(xdata: Any, ydata: Any, sigma: Any) -> tuple[Any, Any, Any]:
    """Return the data as arrays of matching shapes; arrays are not copied."""
    xdata, ydata = _real("xdata", xdata), _real("ydata", ydata)
    if len(ydata.shape) != 1:
        raise ValueError(f"ydata must be 1-D; its shape is {ydata.shape}")
    if ydata.shape[0] == 0:
        raise ValueError("ydata must not be empty")
    if len(xdata.shape) not in (1, 2) or xdata.shape[-1] != ydata.shape[0]:
        raise ValueError(
            f"xdata must have the shape (m,) or (k, m) with m = {ydata.shape[0]} as ydata; its "
            f"shape is {xdata.shape}"
        )
    if sigma is None:
        return xdata, ydata, 1.0
    array = sigma if hasattr(sigma, "shape") else as_array("sigma", sigma)
    if len(array.shape) == 0:
        if array.dtype.kind not in "iuf":
            raise TypeError(f"sigma must be a real number, or an array; it is {described(sigma)}")
        return xdata, ydata, float(positive("sigma", sigma))
    sigma = _real("sigma", sigma)
    if sigma.shape != ydata.shape:
        raise ValueError(f"sigma must have shape {ydata.shape} as ydata; it has {sigma.shape}")
    return xdata, ydata, sigma


def _real(name: str, value: Any) -> Any:
    """Return value as an array; TypeError if it does not contain real numbers."""
    # Points are slices, which a series takes by its index.
    array = value = numbers_of(name, value) if is_series(value) else value
    if not hasattr(value, "shape") or not hasattr(value, "dtype"):
        values, mask = separated(value)
        array = as_array(name, values) if mask is None else np.ma.array(values, mask=mask)
    if array.dtype.kind not in "biuf":
        raise TypeError(
            f"{name} must be real numbers; it is {described(array if array.ndim else value)}"
        )
    return array
