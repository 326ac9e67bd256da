"""The way in which the model of a fit is evaluated: compiled from its function, or by calls of it.

A trace is checked twice: its values must agree with the function at the starting point and at the
solution.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from lmoo._core.arrays import Array
from lmoo._core.batch import CurveModelProblem
from lmoo.errors import TraceError, TraceWarning
from lmoo.models.compiled import GraphModel
from lmoo.models.expression.base import Model
from lmoo.models.problem import is_compiled_model
from lmoo.models.tracing.cache import Kind, Traced, traced
from lmoo.models.tracing.differences import CLOSE, mismatch
from lmoo.models.tracing.moved import moved_reason
from lmoo.models.tracing.pieces import columns
from lmoo.models.tracing.slopes import flat_reason, has_kinks, slope_reason
from lmoo.problems.complexdata import ComplexParts
from lmoo.problems.curveproblem import CurveProblem
from lmoo.problems.kinds import form_of, in_blocks
from lmoo.problems.sigma import whitened


# Not frozen, which would double the time that a new one takes.
@dataclass(eq=False, slots=True)
class Evaluation:
    """The way in which the model of a fit is evaluated; not to be changed.

    Attributes
    ----------
    f : callable
        The function.
    reason : str or None
        Why the function is called; None if its trace is used.
    model : GraphModel or None
        The compiled model.
    points : (variables, m) float64 array or None
        Variables of the compiled model.
    problem : CompiledProblem or None
        The problem with the compiled model, which is solved instead of the one with the function.
    """

    f: Any
    reason: str | None = None
    model: GraphModel | None = None
    points: Any = None
    problem: Any = None

    @property
    def text(self) -> str:
        """The text of `Result.evaluation`."""
        if self.reason is None:
            # A function is traced; a compiled model is itself what it is compiled from.
            return "compiled" if is_compiled_model(self.f) else f"compiled from {name_of(self.f)}"
        return f"called, because {self.reason}"

    def solution(self, problem: Any, x: Array) -> tuple[Array | None, str | None]:
        """Return the residual of the function at the solution, and a difference from the model.

        For a problem in blocks only the first block is checked, and no residual is returned.

        Parameters
        ----------
        problem : CurveProblem or CurveBlocks
        x : (n,) float64 array
        """
        assert self.model is not None
        form = form_of(problem)
        blocks = form == "blocks"
        t = next(iter(problem.blocks))[0] if blocks else problem.t
        value, reason = _value(problem.f, t, x, self.points.shape[1])
        if reason is None:
            reason = mismatch(self.model, self.points, x, value)
        if reason is not None or blocks:
            return None, reason
        if form == "points":
            # With errors in x the residual is that of distances.
            return None, None
        value = value - problem.y
        return whitened(value, problem._whitening), None

    def called_instead(self, problem: Any, reason: str) -> "Evaluation":
        """Return the evaluation by calls of the function, and warn that its trace differs."""
        if problem.trace is True:
            raise TraceError(f"at the solution {reason}")
        warnings.warn(
            f"the model traced from {name_of(self.f)} differs from it at the solution: {reason}. "
            "The fit has been made again with the function; trace=False makes it so at once",
            TraceWarning,
            stacklevel=4,
        )
        return Evaluation(self.f, f"at the solution {reason}")


def evaluation_of(
    problem: Any,
    x: Array,
    because: str | None = None,
    checked: bool = False,
    alone: bool = True,
    edges: Array | None = None,
) -> Evaluation | None:
    """Return how the model of a problem is evaluated in a fit that starts at x.

    Parameters
    ----------
    problem : Problem
    x : (n,) float64 array
        The starting point; the function is called there.
    because : str, optional
        A reason to call the function without a trace, for example a user's derivatives.
    checked : bool, default False
        Whether the trace is known to agree with the function at x.
    alone : bool, default True
        Whether the function may be traced for these points alone.
    edges : (2, n) float64 array, optional
        Lower and upper bounds, beyond which the function must not be called; NaN for parameters
        that must not be changed.

    Returns
    -------
    Evaluation or None
        None if the problem is not that of fitting a curve.

    Raises
    ------
    TraceError
        The function must be called, and the problem's `trace` is True.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> from lmoo.models.tracing.evaluation import evaluation_of
    >>> t = np.arange(5.0)
    >>> problem = lmoo.CurveProblem(lambda t, a: a * np.exp(-t), t, np.exp(-t))
    >>> evaluation_of(problem, np.ones(1)).text
    'compiled from <lambda>'
    """
    if not callable(getattr(problem, "reason_to_call", None)):
        return None
    evaluate: Any = _of_blocks if in_blocks(problem) else _compiled
    curve: Any = problem
    reason = because or curve.reason_to_call()
    if reason is not None and curve.trace is not True:
        return Evaluation(curve.f, reason)
    if reason is not None:
        raise TraceError(reason)
    try:
        found: Evaluation | None = evaluate(problem, x, checked, alone, edges)
    except TraceError as error:
        if curve.trace is True:
            raise
        return Evaluation(curve.f, str(error).replace("\n  ", ": "))
    return found


def _compiled(
    problem: CurveProblem, x: Array, checked: bool, alone: bool, edges: Array | None
) -> Evaluation:
    if problem.y.size < x.size:
        raise TraceError("there are fewer points than parameters")
    if isinstance(problem.f, ComplexParts):
        found, points = _traced_parts(problem.f.f, problem.t, problem.y.size // 2, x.size)
    else:
        points, joined = points_of(problem.t, size_of(problem.t, problem.y.size))
        kind = Kind(x.size, len(points), joined, points.shape[1], False, alone, alone)
        found = traced(problem.f, kind, points if alone else None)
        points = columns(points, found.arrays, found.pieces)
        if points.shape[1] != problem.y.size:
            raise TraceError(f"there are {problem.y.size} data for {points.shape[1]} points")
    if not checked:
        m = problem.y.size
        value, reason = _value(problem.f, problem.t, x, m)
        if reason is None:
            reason = start_reason(found.model, points, x, value)
        if reason is None:
            reason = slope_reason(found.model, points, x)
        if reason is None and (found.branches or has_kinks(found.model)):
            reason = flat_reason(found.model, points, x)
        if reason is None:
            value_of = partial(_values, problem.f, problem.t, m)
            reason = moved_reason(found, points, x, edges, value_of)
        if reason is not None:
            raise TraceError(f"at the start {reason}")
    weights = problem._whitening
    if weights is not None and weights.shape != problem.y.shape:
        weights = np.ascontiguousarray(np.broadcast_to(weights, problem.y.shape))
    compiled = _TracedProblem(found.model, points, problem.y, weights, problem.parameter_names)
    return Evaluation(problem.f, None, found.model, points, compiled)


def _traced_parts(f: Any, t: Any, m: int, n: int) -> tuple[Traced, Array]:
    """Return the model of the parts of a function with complex values, and its points."""
    points, joined = points_of(t, m)
    found = traced(f, Kind(n, len(points), joined, m, parts=True))
    rows = [*points, *found.arrays]
    return found, np.stack([np.tile(row, 2) for row in rows] + [np.repeat([0.0, 1.0], m)])


def _of_blocks(
    problem: Any, x: Array, checked: bool, alone: bool, edges: Array | None
) -> Evaluation:
    """Return how the model of `CurveBlocks` is evaluated; the first block checks a trace."""
    t, y, _ = next(iter(problem.blocks))
    points, joined = points_of(t, y.size)
    found = traced(problem.f, Kind(x.size, len(points), joined, y.size))
    if found.sized:
        raise TraceError("the function depends on the number of points, which blocks have not all")
    if not checked:
        value, reason = _value(problem.f, t, x, y.size)
        reason = start_reason(found.model, points, x, value) if reason is None else reason
        reason = slope_reason(found.model, points, x) if reason is None else reason
        if reason is None:
            value_of = partial(_values, problem.f, t, y.size)
            reason = moved_reason(found, points, x, edges, value_of)
        if reason is not None:
            raise TraceError(f"at the start {reason}")
    return Evaluation(problem.f, None, found.model, points, problem.compiled_from(found.model))


def name_of(f: Any) -> str:
    """Return the name of a function for messages."""
    if isinstance(f, Model):
        return repr(f)
    found = getattr(f, "__qualname__", None) or getattr(f, "__name__", None)
    return found.rpartition("<locals>.")[2] if isinstance(found, str) else type(f).__name__


def _plain(array: Array) -> Array:
    """Return an array, or a copy whose numbers are one after the other at places of their size."""
    flags = array.flags
    if flags.c_contiguous and flags.aligned:
        return array
    return np.require(array, requirements=["C", "A"])


def size_of(t: Any, m: int) -> int:
    """Return the number of points of the variables; m where it is unknown."""
    shape = getattr(t[0] if isinstance(t, tuple) and t else t, "shape", ())
    return int(shape[-1]) if shape else m


def points_of(t: Any, m: int) -> tuple[Array, bool]:
    """Return the variables as (variables, m), and whether t is such an array.

    Raises
    ------
    TraceError
        t is neither an array nor a tuple of arrays of double precision.
    """
    if isinstance(t, np.ndarray) and t.dtype == np.float64 and t.shape[-1:] == (m,):
        if t.ndim == 1:
            return _plain(t)[None], False
        if t.ndim == 2:
            return _plain(t), True
    several = isinstance(t, tuple) and len(t) > 1
    if several and all(
        isinstance(part, np.ndarray) and part.dtype == np.float64 and part.shape == (m,)
        for part in t
    ):
        return np.stack(t), False
    raise TraceError(f"t is {_shown(t)}, not one array of numbers for each variable")


def _shown(t: Any) -> str:
    shape = getattr(t, "shape", None)
    return f"an array of shape {shape}" if isinstance(t, np.ndarray) else f"a {type(t).__name__}"


def _value(f: Callable[..., Any], t: Any, x: Array, m: int) -> tuple[Any, str | None]:
    """Return the value of a function, or the reason why it cannot be compared with a trace."""
    try:
        value = f(t, *x.flat)
    except Exception as error:
        return None, f"the function raised {error!r}"
    if type(value) is not np.ndarray or value.dtype != np.float64 or value.shape != (m,):
        shown = _shown(value) if isinstance(value, np.ndarray) else type(value).__name__
        if np.iscomplexobj(value):
            shown = "complex numbers"
        return None, f"the function returned {shown}, not {m} numbers in double precision"
    # The real part of complex numbers is a part of their array.
    return _plain(value), None


def _values(f: Callable[..., Any], t: Any, m: int, x: Array) -> Any:
    return _value(f, t, x, m)[0]


def start_reason(model: GraphModel, points: Array, x: Array, value: Array) -> str | None:
    """Return why a fit should not start with a compiled model; None if it can.

    Parameters
    ----------
    model, points, x, value
        As for `mismatch`.
    """
    size, apart, finite = model._model.compare(points, x, value, True)
    if size == np.inf:
        return "a value is not finite"
    if not finite:
        return "a derivative is not finite"
    return None if apart <= CLOSE * size else mismatch(model, points, x, value)


class _TracedProblem(CurveModelProblem):
    """The problem of fitting a curve with a compiled trace of the model."""

    def __init__(
        self, model: GraphModel, points: Array, y: Array, weights: Array | None, names: Any
    ) -> None:
        super().__init__(model._model, points, y, weights, names)
        self.f = model

    def __reduce__(self) -> Any:
        # Its pointers are invalid in another process.
        _, points, y, weights, *_ = self.data
        return _TracedProblem, (self.f, points, y, weights, self.parameter_names)
