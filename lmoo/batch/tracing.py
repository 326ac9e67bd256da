"""Batches of fits whose model is compiled from its function, and checks of the compiled model."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array
from lmoo.batch.chunk import Model, stacked
from lmoo.batch.data import Dataset
from lmoo.batch.guesses import InitialGuesses
from lmoo.batch.sample import Sample, check_vectorized, sample_of
from lmoo.errors import TraceError, TraceWarning
from lmoo.models.compiled import GraphModel
from lmoo.models.expression.base import Model as Expression
from lmoo.models.tracing.cache import Kind, traced
from lmoo.models.tracing.differences import CLOSE, mismatch
from lmoo.models.tracing.evaluation import Evaluation, name_of, start_reason
from lmoo.models.tracing.slopes import slope_reason
from lmoo.solver.solver import Solver

# Number of curves that are checked if the function is called for one curve at a time.
_FEW = 64
_CHUNK = 4096
# Number of values that are examined at once in the search for a start with finite values.
_VALUES = 2**18


def batch_evaluation(
    function: Model,
    dataset: Dataset,
    guesses: InitialGuesses,
    solver: Solver,
    trace: Any,
    record: bool,
) -> Evaluation:
    """Return how the model of a stack of curves is evaluated, after checks of the function.

    Parameters
    ----------
    function : Model
    dataset : Dataset
    guesses : InitialGuesses
        Starting values; the values of the model are compared at those of up to three curves with
        finite values.
    solver : Solver
    trace : {"auto", True, False}
    record : bool
        Whether the function may raise, which the solves record.

    Raises
    ------
    TraceError
        The function must be called, and `trace` is True.
    ValueError
        The values of several fits depend on whether they are evaluated together.
    """
    sample = sample_of(dataset, guesses) if dataset.count else None
    if sample is not None and function.vectorized:
        check_vectorized(function, sample, record)
    try:
        model = _compiled(function, dataset, guesses, sample, solver, trace)
        return Evaluation(function.f, None, model)
    except TraceError as error:
        if trace is True:
            raise
        return Evaluation(function.f, str(error).replace("\n  ", ": "))


def _compiled(
    function: Model,
    dataset: Dataset,
    guesses: InitialGuesses,
    sample: Sample | None,
    solver: Solver,
    trace: Any,
) -> GraphModel:
    if trace is False:
        raise TraceError("trace is False")
    if function.jac is not None:
        raise TraceError("its derivatives are given")
    if solver.jacobian is not None:
        raise TraceError(f"the solver has the Jacobian strategy {solver.jacobian!r}")
    if sample is None:
        raise TraceError("there are no curves")
    found = traced(function.f, Kind(guesses.n, len(dataset.t), False, dataset.m))
    if found.sized:
        raise TraceError("the function depends on the number of points of its argument")
    which, x = sample.which, sample.x
    finite = _finite(found.model, dataset, which, x)
    if not finite.all():
        near = {
            k if good else _finite_near(k, found.model, dataset, guesses)
            for k, good in zip(which.tolist(), finite.tolist(), strict=True)
        }
        which = np.array(sorted(k for k in near if k is not None), dtype=np.intp)
        if not which.size:
            # No start can show a difference; an expression and its model have the same steps.
            if isinstance(function.f, Expression):
                return found.model
            raise TraceError("at the start of every curve a value is not finite")
        x = guesses.of_each(which)
    apart = _compared(function, found.model, dataset, which, x, start_reason)
    if apart is None:
        points = np.concatenate(dataset.points(which[:1]))
        reason = slope_reason(found.model, points, x[0])
        apart = None if reason is None else (int(which[0]), reason)
    if apart is not None:
        raise TraceError(f"at the start of curve {dataset.index(apart[0])} {apart[1]}")
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
            for i in np.flatnonzero(_finite(model, dataset, part, guesses.of(part))).tolist()
        ]
        if good:
            return min(good, key=lambda i: abs(i - k))
        first, end, size = parts[1].start, parts[0].stop, min(2 * size, most)
    return None


def _finite(
    model: GraphModel, dataset: Dataset, part: slice | NDArray[np.intp], x: Array
) -> NDArray[np.bool_]:
    """Return which of some curves have finite values at x."""
    with np.errstate(all="ignore"):
        values = model._evaluate(stacked(dataset.points(part)), x, False)
    return np.asarray(np.isfinite(values).all(axis=1))


class SolutionCheck:
    """Comparison of a function with its model at the solutions of a stack, chunk by chunk."""

    def __init__(self, function: Model, model: GraphModel, dataset: Dataset) -> None:
        self.function, self.model, self.dataset = function, model, dataset
        self.reason: str | None = None
        few = np.linspace(0, dataset.count - 1, _FEW).astype(np.intp)
        self._some = None if function.vectorized else np.unique(few)

    def __call__(self, fits: slice, x: Array) -> bool:
        """Compare the values at x, (k, n), of some fits; return whether they agree."""
        for part in _parts(fits, self._some):
            points = x[part.start - fits.start : part.stop - fits.start]
            apart = _compared(self.function, self.model, self.dataset, part, points, mismatch)
            if apart is not None:
                self.reason = f"at the solution of curve {self.dataset.index(apart[0])} {apart[1]}"
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
    part: slice | NDArray[np.intp],
    x: Array,
    compare: Callable[..., str | None],
) -> tuple[int, str] | None:
    """Return a curve where a function and its model differ, and how; None if they agree."""
    which = np.arange(part.start, part.stop) if isinstance(part, slice) else part
    solved = np.isfinite(x).all(axis=1)
    if not solved.all():
        which = part = which[solved]
        x = x[solved]
    if not which.size:
        return None
    try:
        values = function.values(dataset.variables(part), x, dataset.m)
    except Exception as error:
        return int(which[0]), f"the function raised {error!r}"
    k, t = 0, stacked(dataset.points(part))
    x, values = np.ascontiguousarray(x), np.ascontiguousarray(values)
    while k < len(x):
        if compare is mismatch:
            k = model._model.first_apart(t, x, values, k, CLOSE)
            if k == len(x):
                break
        reason = compare(model, t[min(k, len(t) - 1)], x[k], values[k])
        if reason is not None:
            return int(which[k]), reason
        k += 1
    return None
