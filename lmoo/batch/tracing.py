"""Batches of fits whose model is compiled from its function, and checks of the compiled model."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo.batch.chunk import Model
from lmoo.batch.data import Dataset
from lmoo.batch.guesses import InitialGuesses
from lmoo.errors import TraceError, TraceWarning
from lmoo.models.compiled import GraphModel
from lmoo.models.expression.base import Model as Expression
from lmoo.models.tracing.cache import Kind, traced
from lmoo.models.tracing.evaluation import (
    CLOSE,
    Evaluation,
    mismatch,
    name_of,
    start_reason,
)
from lmoo.models.tracing.slopes import slope_reason
from lmoo.solver.solver import Solver

__all__ = ["SolutionCheck", "batch_evaluation"]

Array = NDArray[np.float64]

# Number of curves that are checked if the function is called for one curve at a time.
_FEW = 64
_CHUNK = 4096
# Number of values that are examined at once in the search for a start with finite values.
_VALUES = 2**18


def batch_evaluation(
    function: Model, dataset: Dataset, guesses: InitialGuesses, solver: Solver, trace: Any
) -> Evaluation:
    """Return how the model of a stack of curves is evaluated.

    Parameters
    ----------
    function : Model
    dataset : Dataset
    guesses : InitialGuesses
        Starting values; the values of the model are compared at those of up to three curves with
        finite values.
    solver : Solver
    trace : {"auto", True, False}

    Raises
    ------
    TraceError
        The function must be called, and `trace` is True.
    """
    try:
        return Evaluation(function.f, None, _compiled(function, dataset, guesses, solver, trace))
    except TraceError as error:
        if trace is True:
            raise
        return Evaluation(function.f, str(error).replace("\n  ", ": "))


def _compiled(
    function: Model, dataset: Dataset, guesses: InitialGuesses, solver: Solver, trace: Any
) -> GraphModel:
    if trace is False:
        raise TraceError("trace is False")
    if function.jac is not None:
        raise TraceError("its derivatives are given")
    if solver.jacobian is not None:
        raise TraceError(f"the solver has the Jacobian strategy {solver.jacobian!r}")
    if not dataset.count:
        raise TraceError("there are no curves")
    found = traced(function.f, Kind(guesses.n, len(dataset.t), False, dataset.m))
    if found.sized:
        raise TraceError("the function depends on the number of points of its argument")
    starts = {_finite_near(k, found.model, dataset, guesses) for k in dataset.samples()}
    if None in starts:
        # No start can show a difference; an expression and its model have the same steps.
        if isinstance(function.f, Expression):
            return found.model
        raise TraceError("at the start of every curve a value is not finite")
    for k in sorted(k for k in starts if k is not None):
        part = slice(k, k + 1)
        x = guesses.of(part)
        reason = _compared(function, found.model, dataset, part, x, start_reason)
        if reason is None and np.isfinite(x).all():
            rows = [points[0] for points in dataset.points(part)]
            reason = slope_reason(found.model, np.ascontiguousarray(np.stack(rows)), x[0])
        if reason is not None:
            raise TraceError(f"at the start of curve {dataset.index(k)} {reason}")
    return found.model


def _finite_near(
    k: int, model: GraphModel, dataset: Dataset, guesses: InitialGuesses
) -> int | None:
    """Return the curve nearest to k at whose start the values are finite; None if there is none."""
    most = max(min(_VALUES // dataset.m, _CHUNK), 1)
    first, end, size = k, k, 1
    while first > 0 or end < dataset.count:
        # The curves behind those that were examined, and those before them.
        parts = slice(end, min(end + size, dataset.count)), slice(max(first - size, 0), first)
        good = [
            part.start + i
            for part in parts
            if part.start < part.stop
            for i in _finite(model, dataset, part, guesses.of(part))
        ]
        if good:
            return min(good, key=lambda i: abs(i - k))
        first, end, size = parts[1].start, parts[0].stop, min(2 * size, most)
    return None


def _finite(model: GraphModel, dataset: Dataset, part: slice, x: Array) -> list[int]:
    """Return which of some curves have finite values at x."""
    with np.errstate(all="ignore"):
        values = model._evaluate(_stacked(tuple(dataset.points(part))), x, False)
    found: list[int] = np.flatnonzero(np.isfinite(values).all(axis=1)).tolist()
    return found


class SolutionCheck:
    """Comparison of a function with its model at the solutions of a stack, chunk by chunk.

    Parameters
    ----------
    function : Model
    model : GraphModel
    dataset : Dataset
    """

    def __init__(self, function: Model, model: GraphModel, dataset: Dataset) -> None:
        self.function, self.model, self.dataset = function, model, dataset
        self.reason: str | None = None
        few = np.linspace(0, dataset.count - 1, _FEW).astype(np.intp)
        self._some = None if function.vectorized else np.unique(few)

    def __call__(self, fits: slice, x: Array) -> bool:
        """Compare the values at x, (k, n), of some fits; return whether they agree."""
        for part in _parts(fits, self._some):
            points = x[part.start - fits.start : part.stop - fits.start]
            reason = _compared(self.function, self.model, self.dataset, part, points, mismatch)
            if reason is not None:
                index = self.dataset.index(part.start)
                self.reason = f"at the solution of a curve from {index} on {reason}"
                return False
        return True

    def outcome(self, trace: Any) -> str | None:
        """Return where function and model differ, and warn if they do.

        Raises
        ------
        TraceError
            The values differ, and `trace` is True.
        """
        if self.reason is not None:
            if trace is True:
                raise TraceError(self.reason)
            warnings.warn(
                f"the model traced from {name_of(self.function.f)} differs from it {self.reason}. "
                "The fits have been made again with the function; trace=False makes them so at "
                "once",
                TraceWarning,
                stacklevel=3,
            )
        return self.reason


def _parts(fits: slice, some: NDArray[np.intp] | None) -> list[slice]:
    """Return which fits are checked together: all of these, or one by one those in `some`."""
    if some is None:
        starts = range(fits.start, fits.stop, _CHUNK)
        return [slice(k, min(k + _CHUNK, fits.stop)) for k in starts]
    return [slice(k, k + 1) for k in some.tolist() if fits.start <= k < fits.stop]


def _compared(
    function: Model,
    model: GraphModel,
    dataset: Dataset,
    part: slice,
    x: Array,
    compare: Callable[..., str | None],
) -> str | None:
    """Return where a function and its model differ for some curves; None if they agree."""
    points = dataset.points(part)
    rows = tuple(p[0] if len(p) == 1 else p for p in points)
    solved = np.flatnonzero(np.isfinite(x).all(axis=1))
    if solved.size == 0:
        return None
    if solved.size < len(x):
        rows = tuple(p if p.ndim == 1 else p[solved] for p in rows)
        x = x[solved]
    try:
        values = function.values(rows if dataset.many else rows[0], x, dataset.m)
    except Exception as error:
        return f"the function raised {error!r}"
    k, t = 0, _stacked(rows)
    x, values = np.ascontiguousarray(x), np.ascontiguousarray(values)
    while k < len(x):
        if compare is mismatch:
            k = model._model.first_apart(t, x, values, k, CLOSE)
            if k == len(x):
                break
        reason = compare(model, t[min(k, len(t) - 1)], x[k], values[k])
        if reason is not None:
            return reason
        k += 1
    return None


def _stacked(rows: tuple[Array, ...]) -> Array:
    """Return the variables of some curves, (1 or k, variables, m)."""
    together = np.broadcast_arrays(*[row if row.ndim == 2 else row[None] for row in rows])
    return np.ascontiguousarray(np.stack(together, axis=1))
