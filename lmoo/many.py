"""One model fitted to many curves at once."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lmoo._core.batch import Batch
from lmoo.arguments import integer, positive, real_array
from lmoo.errors import EvaluationError
from lmoo.result import Factor, Result, names_of
from lmoo.solver import Solver
from lmoo.stack import Chunk, Model, check_vectorized
from lmoo.status import Status

__all__ = ["Fits", "curve_fit_many"]

Array = NDArray[np.float64]

_ACCURATE = 1
_CHUNK_BYTES = 2**20  # of states and buffers: what a second-level cache holds


def curve_fit_many(
    f: Callable[..., Any],
    t: ArrayLike,
    y: ArrayLike,
    p0: ArrayLike | Callable[..., Any],
    *,
    sigma: ArrayLike | None = None,
    jac: Callable[..., Any] | None = None,
    solver: Solver | None = None,
    vectorized: bool = True,
    nan_policy: str = "raise",
    errors: str = "raise",
    threads: int = 1,
    progress: Callable[[int, int], Any] | None = None,
) -> "Fits":
    """Fit one model to each of many curves: one solve a curve, one call of the model for all.

    Each curve has an iteration of its own, that of `Solver`; curves that are done drop out.  The
    model is evaluated for all the others together, with parameters as columns that broadcast
    against t, so most models written for ``scipy.optimize.curve_fit`` can be used as they are.

    Parameters
    ----------
    f : callable
        ``f(t, *parameters)``, the model.  Each parameter is a column of shape (k, 1), one row a
        fit; returns an array that broadcasts to (k, m).
    t : (m,) or (..., m) array_like
        The independent variable, one for all or one a curve.
    y : (..., m) array_like
        The curves: any stack of them.  A memmap is read chunk by chunk.
    p0 : (n,) or (..., n) array_like, or callable
        Starting values, one set for all or one a curve; or ``p0(t, y)`` that returns them for a
        chunk of curves, y (k, m).
    sigma : (m,) or (..., m) array_like, optional
        Standard deviations of y, by which residuals are divided; of their relative size alone, as
        in ``curve_fit`` with ``absolute_sigma=False``.
    jac : callable, optional
        ``jac(t, *parameters)``: n arrays that broadcast to (k, m), or one that broadcasts to
        (k, m, n).  None: forward differences, and central ones before the end.
    solver : Solver, optional
        Tolerances, ``factor`` and ``maxfev``; its other options are to be None.
    vectorized : bool, default True
        False: f and jac are called fit by fit, with numbers for the parameters.
    nan_policy : {"raise", "omit"}
        What to do where y is not finite: ValueError, or take the point as missing.
    errors : {"raise", "record"}
        What to do where f raises: EvaluationError that names the curve, or go on with the others,
        with `Status.RAISED` for this one and the exception in `Fits.errors`.  An EvaluationError
        out of f means a bad point, as everywhere: the step is shortened.
    threads : int, default 1
        Chunks that are worked on at the same time; f must allow that.
    progress : callable, optional
        ``progress(done, total)`` after each chunk of curves.

    Returns
    -------
    Fits
        Arrays of the shape of the stack: x, stderr, cost, status, ...

    Raises
    ------
    ValueError
        f mixes the fits: three of them evaluated alone and together disagree; shapes that do not
        go together; y not finite; an unknown policy.
    TypeError
        Arguments of the wrong type.
    EvaluationError
        f raised, with ``errors="raise"``.

    Notes
    -----
    A curve with fewer points than parameters gets `Status.IMPROPER_INPUT` and NaN; one whose
    residual is not finite at its start gets `Status.NOT_FINITE` and its start.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> def decay(t, a, b, c):
    ...     return a * np.exp(-b * t) + c
    >>> t = np.linspace(0, 4, 20)
    >>> rates = np.linspace(0.5, 2.0, 1000)
    >>> y = decay(t, 2.5, rates[:, None], 0.5)
    >>> fits = lmoo.curve_fit_many(decay, t, y, p0=[1, 1, 0])
    >>> fits.x.shape, bool(fits.success.all())
    ((1000, 3), True)
    >>> bool(np.allclose(fits.x[:, 1], rates))
    True
    """
    stack = _Stack(t, y, sigma, nan_policy)
    solver = _plain(solver)
    if errors not in ("raise", "record"):
        raise ValueError(f"errors must be 'raise' or 'record'; it is {errors!r}")
    if integer("threads", threads) < 1:
        raise ValueError(f"threads must be at least 1; it is {threads!r}")
    for name, function in (("f", f), ("jac", jac), ("progress", progress)):
        if not callable(function) and (name == "f" or function is not None):
            raise TypeError(f"{name} must be callable; it is {function!r}")
    model = Model(f, jac, bool(vectorized))
    starts = _Starts(p0, stack)
    fits = Fits._empty(stack, model, starts.n, solver)
    if stack.count and model.vectorized:
        few = np.unique(np.linspace(0, stack.count - 1, 3).astype(np.intp))
        check_vectorized(stack.chunk(model, few), starts.of(few))
    _solve_all(fits, stack, model, starts, errors, threads, progress)
    return fits


def _plain(solver: Solver | None) -> Solver:
    """Return the solver, if it has nothing that a stack of fits cannot take."""
    if solver is None:
        return Solver()
    if not isinstance(solver, Solver):
        raise TypeError(f"solver must be a Solver or None; it is {solver!r}")
    for name in ("diag", "jacobian", "step"):
        if getattr(solver, name) is not None:
            raise ValueError(
                f"solver must have {name}=None for many fits; it is {getattr(solver, name)!r}"
            )
    return solver


# ---- the data -------------------------------------------------------------------------------


class _Stack:
    """The curves in a row, whatever the shape of their stack."""

    def __init__(self, t: ArrayLike, y: ArrayLike, sigma: ArrayLike | None, nan_policy: str):
        self.t = real_array("t", t)
        # Not copied: there may be more than memory holds.
        curves = np.asanyarray(y)
        if curves.dtype.kind not in "biuf":
            raise TypeError(f"y must be real numbers; its dtype is {curves.dtype}")
        if curves.ndim < 2 or curves.shape[-1] == 0:
            raise ValueError(
                f"y must have a row of points for each curve, shape (..., m); it has {curves.shape}"
            )
        if nan_policy not in ("raise", "omit"):
            raise ValueError(f"nan_policy must be 'raise' or 'omit'; it is {nan_policy!r}")
        self.omit = nan_policy == "omit"
        self.shape, self.m = curves.shape[:-1], curves.shape[-1]
        self.y = curves.reshape(-1, self.m)
        self.count = len(self.y)
        self.t = self._rows("t", self.t)
        self.weights = (
            None if sigma is None else self._rows("sigma", 1.0 / positive("sigma", sigma))
        )
        if not np.isfinite(self.t).all():
            raise ValueError("t must be finite")

    def _rows(self, name: str, array: Array) -> Array:
        """Return the array as (m,) or (count, m)."""
        if array.shape == (self.m,):
            return array
        if array.shape == (*self.shape, self.m):
            return array.reshape(-1, self.m)
        raise ValueError(
            f"{name} must have shape {(self.m,)} or {(*self.shape, self.m)}, that of y; it has "
            f"{array.shape}"
        )

    def chunk(self, model: Model, who: Any) -> Chunk:
        """Return some of the curves; who: a slice or indices."""
        y = np.array(self.y[who], dtype=np.float64)
        t = self.t if self.t.ndim == 1 else self.t[who]
        weights = self.weights
        if weights is not None and weights.ndim == 2:
            weights = weights[who]
        missing = ~np.isfinite(y)
        if missing.any():
            if not self.omit:
                k, i = np.argwhere(missing)[0]
                which = np.arange(self.count)[who][k]
                index = tuple(int(j) for j in np.unravel_index(which, self.shape))
                raise ValueError(
                    f"y must be finite, or nan_policy 'omit'; curve {index} is {y[k, i]} at {i}"
                )
            weights = np.where(missing, 0.0, 1.0 if weights is None else weights)
            y[missing] = 0.0
        return Chunk(model, t, y, weights)


class _Starts:
    """Starting values for any of the curves."""

    def __init__(self, p0: Any, stack: _Stack) -> None:
        self.stack, self.function = stack, p0 if callable(p0) else None
        if self.function is None:
            self.values = self._checked(real_array("p0", p0), (*stack.shape,))
            if self.values.ndim > 1:
                self.values = self.values.reshape(stack.count, -1)
            self.n = self.values.shape[-1]
        else:
            self.n = self.of(slice(0, min(1, stack.count))).shape[1]

    def of(self, who: Any) -> Array:
        """Return the starting values of these curves, (k, n)."""
        count = len(self.stack.y[who])
        if self.function is None:
            x = self.values if self.values.ndim == 1 else self.values[who]
        else:
            t = self.stack.t if self.stack.t.ndim == 1 else self.stack.t[who]
            x = real_array("p0", self.function(t, np.array(self.stack.y[who], dtype=np.float64)))
            x = self._checked(x, (count,))
        return np.array(np.broadcast_to(x, (count, x.shape[-1])), order="C")

    def _checked(self, x: Array, shape: tuple[int, ...]) -> Array:
        if x.ndim < 1 or x.shape[-1] == 0 or (x.ndim > 1 and x.shape[:-1] != shape):
            raise ValueError(f"p0 must have shape (n,) or {shape} + (n,); it has {x.shape}")
        if not np.isfinite(x).all():
            raise ValueError("p0 must be finite")
        if x.shape[-1] > self.stack.m:
            raise ValueError(
                f"y must have at least as many points as there are parameters, {x.shape[-1]}; it "
                f"has {self.stack.m}"
            )
        return x


# ---- the solves -----------------------------------------------------------------------------


def _solve_all(
    fits: "Fits",
    stack: _Stack,
    model: Model,
    starts: _Starts,
    errors: str,
    threads: int,
    progress: Callable[[int, int], Any] | None,
) -> None:
    def one(part: slice) -> int:
        _solve(fits, stack.chunk(model, part), starts.of(part), part, errors)
        return int(part.stop - part.start)

    done = 0
    parts = list(_parts(stack, starts.n))
    if threads == 1:
        counts: Iterator[int] = map(one, parts)
        for count in counts:
            done = _report(progress, done + count, stack.count)
        return
    with ThreadPoolExecutor(threads) as pool:
        for count in pool.map(one, parts):
            done = _report(progress, done + count, stack.count)


def _report(progress: Callable[[int, int], Any] | None, done: int, total: int) -> int:
    if progress is not None:
        progress(done, total)
    return done


def _parts(stack: _Stack, n: int) -> Iterator[slice]:
    """Cut the stack into chunks whose states and buffers stay in the cache."""
    bytes_each = 8 * (n * n + stack.m * (n + 6) + 150)
    size = min(max(_CHUNK_BYTES // bytes_each, 64), 4096)
    for start in range(0, stack.count, size):
        yield slice(start, min(start + size, stack.count))


def _solve(fits: "Fits", chunk: Chunk, x0: Array, part: slice, errors: str) -> None:
    """Solve a chunk and write what comes of it."""
    solver = fits._solver
    n = x0.shape[1]
    batch = Batch(
        x0, chunk.m, solver.ftol, solver.xtol, solver.gtol, solver.factor,
        1000 * (n + 1) if solver.maxfev is None else min(solver.maxfev, 2**62),
        _ACCURATE, 0.0, False, chunk.model.jac is not None,
    )  # fmt: skip
    few = fits._degrees[part] < 0
    batch.end(np.flatnonzero(few), Status.IMPROPER_INPUT)
    while True:
        who, x = batch.wanted(False)
        if who.size:
            f, bad, raised = chunk.tracked_down(chunk.residual, who, x, (chunk.m,))
            batch.answer(who, f, bad)
            _take_errors(fits, batch, who, raised, part, errors)
        whose, at = batch.wanted(True)
        if whose.size:
            j, bad, raised = chunk.tracked_down(chunk.jacobian, whose, at, (n, chunk.m))
            batch.answer_jacobians(whose, j, bad)
            _take_errors(fits, batch, whose, raised, part, errors)
        if not who.size and not whose.size:
            break
    fits._collect(batch, part, few)


def _take_errors(
    fits: "Fits",
    batch: Batch,
    who: NDArray[np.intp],
    raised: dict[int, Exception],
    part: slice,
    errors: str,
) -> None:
    """End the fits whose model raised, or raise."""
    for i, error in raised.items():
        index = fits._index(part.start + int(who[i]))
        if errors == "raise":
            raise EvaluationError(f"f raised {error!r} for curve {index}") from error
        fits.errors[index] = error
        batch.end(who[i : i + 1], Status.RAISED)


# ---- what came of them ----------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Fits:
    """What `curve_fit_many` came to: arrays over the stack of curves, whose shape is ``shape``.

    Attributes
    ----------
    shape : tuple of int
        That of the stack.
    x : shape + (n,) float64 array
        The parameters.
    stderr : shape + (n,) float64 array
        Their standard errors, scaled by the residual variance; inf where the curve does not
        determine them.
    cost : float64 array
        ``1/2 sum(residual**2)``.
    status : int64 array
        Values of `Status`.
    success : bool array
        Whether a minimum was found.
    nfev, njev, nit : int64 array
        Evaluations of the model (those for numeric derivatives included), Jacobians, iterations.
    covariance : shape + (n, n) float64 array
    errors : dict
        The exceptions of curves with `Status.RAISED`, by index.

    Notes
    -----
    ``fits[i]``, with as many indices as the stack has dimensions, is the `Result` of one curve.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> t = np.arange(6.0)
    >>> y = np.array([[1.0], [2.0]]) * t + 0.01 * np.cos(3 * t)
    >>> fits = lmoo.curve_fit_many(lambda t, slope: slope * t, t, y, p0=[0.5])
    >>> fits.x.round(2).ravel(), fits[1].success
    (array([1., 2.]), True)
    """

    shape: tuple[int, ...]
    x: Array
    stderr: Array
    cost: Array
    status: NDArray[np.int64]
    nfev: NDArray[np.int64]
    njev: NDArray[np.int64]
    nit: NDArray[np.int64]
    errors: dict[Any, Exception]
    _degrees: NDArray[np.int64]
    _factors: dict[str, NDArray[Any]]
    _stack: _Stack
    _model: Model
    _solver: Solver

    @classmethod
    def _empty(cls, stack: _Stack, model: Model, n: int, solver: Solver) -> "Fits":
        shape, count = stack.shape, stack.count
        return cls(
            shape=shape,
            x=np.full((*shape, n), np.nan),
            stderr=np.full((*shape, n), np.inf),
            cost=np.full(shape, np.nan),
            status=np.zeros(shape, dtype=np.int64),
            nfev=np.zeros(shape, dtype=np.int64),
            njev=np.zeros(shape, dtype=np.int64),
            nit=np.zeros(shape, dtype=np.int64),
            errors={},
            _degrees=_degrees_of(stack, n),
            _factors={
                "r": np.zeros((count, n, n)),
                "ipvt": np.zeros((count, n), dtype=np.int32),
                "qtf": np.zeros((count, n)),
                "acnorm": np.zeros((count, n)),
                "error": np.zeros(count),
            },
            _stack=stack,
            _model=model,
            _solver=solver,
        )

    def _collect(self, batch: Batch, part: slice, few: NDArray[np.bool_]) -> None:
        """Write a chunk's fits."""
        k, n = batch.count, batch.n
        x, fnorm = np.empty((k, n)), np.empty(k)
        status, counts = np.empty(k, dtype=np.int64), np.empty((k, 3), dtype=np.int64)
        factors = {name: array[part] for name, array in self._factors.items()}
        batch.collect(x, fnorm, status, counts, **factors)
        x[few] = np.nan
        with np.errstate(over="ignore"):
            cost = 0.5 * fnorm * fnorm
        cost[counts[:, 1] == 0] = np.nan
        rows = {"x": x, "cost": cost, "status": status, "nfev": counts[:, 0],
                "njev": counts[:, 1], "nit": counts[:, 2]}  # fmt: skip
        variance = _variance(fnorm, self._degrees[part])
        rows["stderr"] = np.sqrt(np.diagonal(_inverse_gram(factors), axis1=1, axis2=2))
        rows["stderr"] *= np.sqrt(variance)[:, None]
        rows["stderr"][np.isnan(rows["stderr"]) | (counts[:, 1] == 0)[:, None]] = np.inf
        for name, values in rows.items():
            flat = getattr(self, name)
            flat.reshape(self._stack.count, *flat.shape[len(self.shape) :])[part] = values

    def _index(self, which: int) -> Any:
        """Return the index of a curve in the stack: an int where that has one dimension."""
        index = tuple(int(i) for i in np.unravel_index(which, self.shape))
        return index if len(index) > 1 else index[0]

    @property
    def success(self) -> NDArray[np.bool_]:
        """Whether a minimum was found."""
        return (self.status >= 1) & (self.status <= 4)

    @cached_property
    def covariance(self) -> Array:
        """Covariances of the parameters, scaled by the residual variance; inf where singular."""
        n = self.x.shape[-1]
        with np.errstate(over="ignore", invalid="ignore"):
            fnorm = np.sqrt(2.0 * self.cost.ravel())
            out = _inverse_gram(self._factors) * _variance(fnorm, self._degrees)[:, None, None]
        out[np.isnan(out)] = np.inf
        return out.reshape(*self.shape, n, n)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> Result:
        where = index if isinstance(index, tuple) else (index,)
        if len(where) != len(self.shape):
            raise IndexError(
                f"index must have one number for each of the {len(self.shape)} dimensions of the "
                f"stack; it is {index!r}"
            )
        which = int(np.arange(self._stack.count).reshape(self.shape)[where])
        x = self.x[where]
        status = Status(int(self.status[where]))
        chunk = self._stack.chunk(self._model, slice(which, which + 1))
        factors = {name: array[which] for name, array in self._factors.items()}
        cost = float(self.cost[where])
        return Result(
            x=x.copy(),
            cost=cost,
            residual=np.empty(0) if np.isnan(x).any() or status is Status.RAISED
            else chunk.residual(np.zeros(1, dtype=np.intp), x[None])[0],
            observations=int(self._degrees[which]) + x.size,
            status=status,
            message=status.reason,
            nfev=int(self.nfev[where]),
            njev=int(self.njev[where]),
            nit=int(self.nit[where]),
            parameter_names=names_of(None, x.size),
            fnorm=float(np.sqrt(2.0 * cost)),
            factor=None if self.njev[where] == 0 else Factor(**factors),
        )  # fmt: skip


def _degrees_of(stack: _Stack, n: int) -> NDArray[np.int64]:
    """Return the degrees of freedom of each curve."""
    degrees = np.full(stack.count, stack.m - n, dtype=np.int64)
    if stack.omit:
        rows = max(2**20 // stack.m, 1)
        for k in range(0, stack.count, rows):
            degrees[k : k + rows] -= (~np.isfinite(stack.y[k : k + rows])).sum(axis=1)
    return degrees


def _variance(fnorm: Array, degrees: NDArray[np.int64]) -> Array:
    """Return the residual variances; inf without degrees of freedom."""
    with np.errstate(all="ignore"):
        return np.where(degrees > 0, fnorm * fnorm / np.maximum(degrees, 1), np.inf)


def _inverse_gram(factors: dict[str, NDArray[Any]]) -> Array:
    """Return inv(J.T @ J) of each fit, nan where R is singular to the error of J's entries."""
    r, ipvt, acnorm = factors["r"], factors["ipvt"], factors["acnorm"]
    n = r.shape[1]
    diagonal = np.abs(np.diagonal(r, axis1=1, axis2=2))
    norms = np.take_along_axis(acnorm, ipvt, axis=1)
    good = (diagonal > factors["error"][:, None] * norms).all(axis=1)
    inverse = np.full(r.shape, np.nan)
    if good.any():
        inverse[good] = np.linalg.solve(r[good], np.broadcast_to(np.eye(n), r[good].shape))
    permuted = np.empty_like(inverse)
    np.put_along_axis(permuted, ipvt[:, :, None].astype(np.intp), inverse, axis=1)
    with np.errstate(all="ignore"):
        gram: Array = permuted @ np.swapaxes(permuted, 1, 2)
    return gram
