"""`trace_residual`: a problem with derivatives from a residual function."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lmoo._core.arrays import Array
from lmoo.errors import TraceError
from lmoo.models.graph.derivatives import derivatives
from lmoo.models.graph.evaluation import evaluate
from lmoo.models.graph.nodes import Graph, Step, extracted
from lmoo.models.tracing.effects import examined
from lmoo.models.tracing.functions import start
from lmoo.models.tracing.placeholder import Placeholder, as_placeholder
from lmoo.models.tracing.recorder import Recorder, call
from lmoo.problems.arguments import integer
from lmoo.problems.names import names_of
from lmoo.problems.problem import Problem


def trace_residual(
    f: Callable[..., Any],
    n: int,
    args: tuple[Any, ...] = (),
    parameter_names: Sequence[str] | None = None,
) -> "TracedResidual":
    """Return the problem that a residual function defines, with exact derivatives.

    Parameters
    ----------
    f : callable
        ``f(x, *args)`` returns the residuals for an array x of n parameters: a sequence of numbers,
        or an array computed from arrays of data in `args` or outside of the function.  x may be
        indexed, sliced and unpacked.
    n : int
        Number of parameters.
    args : tuple, default ()
        Further arguments, which are constants of the problem.
    parameter_names : sequence of str, optional
        Names of the parameters, for reports.

    Returns
    -------
    TracedResidual
        A `Problem` for `lmoo.Solver`.

    Raises
    ------
    TraceError
        The function cannot be traced; see `lmoo.trace`.
    TypeError, ValueError
        `f` is not callable, `n` is below 1, or the names are invalid or not n.

    Examples
    --------
    >>> import lmoo
    >>> problem = lmoo.trace_residual(lambda x: [10 * (x[1] - x[0] ** 2), 1 - x[0]], 2)
    >>> problem.jacobian([3.0, 4.0])
    array([[-60.,  10.],
           [ -1.,   0.]])
    >>> lmoo.Solver().solve(problem, [-1.2, 1]).x.round(9)
    array([1., 1.])
    """
    if not callable(f):
        raise TypeError(f"f must be callable; it is {f!r}")
    if integer("n", n) < 1:
        raise ValueError(f"n must be at least 1; it is {n!r}")
    names = None if parameter_names is None else names_of(parameter_names, n)
    examined(f)
    recorder = start(0)
    recorder.takes_arrays = True
    x = np.empty(n, dtype=object)
    for j in range(n):
        x[j] = Placeholder(recorder, recorder.graph.parameter(j), points=False)
    try:
        value = call(f, x, *args)
    except TraceError:
        raise
    except Exception as error:
        raise recorder.error or TraceError(f"a call with placeholders raised {error!r}") from error
    if recorder.error is not None:
        raise recorder.error
    roots = [row.node for row in _rows(recorder, value)]
    steps, places = extracted(recorder.graph.steps, roots)
    return TracedResidual(steps, places, n, recorder.arrays, names)


def _rows(recorder: Recorder, value: Any) -> list[Placeholder]:
    """Return the residuals: one placeholder for all points, or one for each."""
    if isinstance(value, Placeholder):
        rows = [value]
    else:
        entries = np.empty(len(value), dtype=object) if isinstance(value, (list, tuple)) else value
        if isinstance(value, (list, tuple)):
            for i, entry in enumerate(value):
                entries[i] = entry
        if not isinstance(entries, np.ndarray) or entries.ndim != 1:
            raise TraceError(
                f"the function returns {type(value).__name__}, not a sequence of numbers"
            )
        rows = [as_placeholder(recorder, entry) for entry in entries.tolist()]
    for row in rows:
        if row.imaginary is not None or row.mask is not None or (len(rows) > 1 and row.points):
            raise TraceError("the function must return one sequence of real numbers")
    return rows


class TracedResidual(Problem):
    """A problem whose residuals are an expression graph; made by `trace_residual`.

    Attributes
    ----------
    n, m : int
        Numbers of parameters and of residuals.
    parameter_names : tuple of str or None
    """

    def __init__(
        self,
        steps: Sequence[Step],
        roots: Sequence[int],
        n: int,
        arrays: Sequence[Array],
        parameter_names: Sequence[str] | None = None,
    ) -> None:
        self._steps, self._roots, self._arrays = tuple(steps), tuple(roots), tuple(arrays)
        self.n, self.parameter_names = n, parameter_names
        self._vector = len(roots) == 1 and len(arrays) > 0
        self.m = arrays[0].size if self._vector else len(roots)
        graph = Graph(steps)
        found = [derivatives(graph, root, n) for root in roots]
        self._entries = [
            (i, j) for i, row in enumerate(found) for j, node in enumerate(row) if node is not None
        ]
        nodes = [node for row in found for node in row if node is not None]
        self._slopes, self._places = extracted(graph.steps, nodes)

    def residual(self, x: Any) -> Array:
        """Return the residuals, (m,)."""
        point = list(np.asarray(x, dtype=np.float64))
        values = evaluate(self._steps, self._roots, self._arrays, point)
        if self._vector:
            return np.array(np.broadcast_to(values[0], self.m))
        return np.array(values, dtype=np.float64)

    def jacobian(self, x: Any) -> Array:
        """Return the derivatives of the residuals, (m, n)."""
        point = list(np.asarray(x, dtype=np.float64))
        out = np.zeros((self.m, self.n))
        values = evaluate(self._slopes, self._places, self._arrays, point)
        for (i, j), value in zip(self._entries, values, strict=True):
            out[slice(None) if self._vector else i, j] = value
        return out
