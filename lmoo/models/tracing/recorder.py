"""The graph that is recorded while a function is traced, and the line that is being executed."""

import linecache
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np

from lmoo.errors import TraceError
from lmoo.models.graph.evaluation import evaluate
from lmoo.models.graph.nodes import Graph, extracted

# Frames in these folders are not user code.
_LMOO = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))
OURS = tuple(os.path.join(folder, "") for folder in (_LMOO, os.path.dirname(np.__file__)))


# Numbers that are read from the points.
_MOST_READ = 10_000
# Decisions of one path through a function, and paths: all of them are evaluated at all points.
_MOST_DECISIONS, MOST_PATHS = 12, 16
# Operations that are recorded in all attempts to trace a function, of 10 to 20 us each: of 376 that
# are traced one has 2,600 and no other more than 1,300 (benchmarks/tracing.py).
MOST_OPERATIONS = 4000
# Conditions that hold on an interval of numbers.  One that holds at single numbers, as ``b == 0``,
# hides the derivative by b there.
_OF_INTERVALS = frozenset(["less", "less_equal", "greater", "greater_equal", "isnan", "isfinite"])
_COMBINED = frozenset(["logical_and", "logical_or", "logical_not"])


class Recorder:
    """The graph of a function that is being traced.

    Parameters
    ----------
    variables : int
        Number of independent variables.
    points : int, optional
        Number of points of the variables, if it is known.  Then arrays of this size become further
        variables.
    data : (variables, points) float64 array, optional
        The points, if they are known.  Then the function may read numbers from them, as
        ``t.mean()`` and ``t[0]``, which become constants.

    Attributes
    ----------
    graph : Graph
    arrays : list of (points,) float64 array
        The further variables, copied; None for the one that tells joined arrays apart.
    error : TraceError or None
        The first error, also if the function has caught it.
    asked : bool
        Whether the function has read the number of points.
    reads_data : bool
        Whether the function has read numbers from the points.
    operations : int
        Number of operations in all attempts.
    unrolled : int
        Number of steps of values at single points.
    converts : bool
        Whether the function has asked a placeholder for a number.
    applied, included, operation_of, functions
        `lmoo.models.tracing.applied.applied` for operators, `applied.included` for calls of models,
        `ufuncs.operation_of` for ufuncs, and for numpy's other functions `functions.FUNCTIONS`; set
        by `start`.
    decisions : list of (int, bool) or None
        Conditions on parameters that the function has asked for, and the answers; None if a
        function must not branch.
    path : sequence of bool
        The first answers; those that follow are True.
    each : bool
        Whether a function that np.vectorize applies to each point is called: its decisions may
        depend on the points.
    iterated : bool
        Whether the function has a loop over points.
    copies : int
        The number of runs of such a loop, each with a placeholder for one point that may be any:
        their values must be the same.  0 for loops over the values at each point.
    joins : bool
        Whether the function may return arrays that are joined.
    pieces : list of arrays or None, or None
        The indices of the points of joined arrays, None for all of them.
    takes_arrays : bool
        Whether the first array that is combined with a parameter determines the number of points.
    """

    def __init__(self, variables: int, points: int | None = None, data: Any = None) -> None:
        self.variables, self.points, self.data = variables, points, data
        self.applied: Any = None
        self.included: Any = None
        self.operation_of: Any = None
        self.functions: dict[Any, Any] = {}
        self.takes_arrays = self.each = self.joins = self.iterated = False
        self.copies = self.operations = 0
        self.decisions: list[tuple[int, bool]] | None = None
        self.path: Sequence[bool] = ()
        self.restart()

    def restart(self) -> None:
        """Forget what was recorded."""
        self.graph = Graph()
        self.arrays: list[Any] = []
        self.pieces: list[Any] | None = None
        self.error: TraceError | None = None
        self.asked = self.reads_data = self.converts = False
        self._numbers: dict[tuple[int, int | None], Any] = {}
        self._reads = self.unrolled = 0

    def count(self) -> None:
        """Count an operation, and refuse those of a long calculation."""
        self.operations += 1
        if self.operations > MOST_OPERATIONS:
            self.refuse(f"the function makes more than {MOST_OPERATIONS} steps of single values")

    def refuse(self, reason: str) -> NoReturn:
        """Raise TraceError with the line of the function that is being executed."""
        error = TraceError(reason, *user_line())
        if self.error is None:
            self.error = error
        raise error

    def decide(self, node: int, reason: str) -> bool:
        """Return the answer to a condition on the parameters, for the path that is followed."""
        taken = self.decisions
        if taken is None or len(taken) == _MOST_DECISIONS or not self._is_followed(node):
            self.refuse(reason)
        for known, answer in taken:
            if known == node:
                return answer
        answer = self.path[len(taken)] if len(taken) < len(self.path) else True
        taken.append((node, answer))
        return answer

    def _is_followed(self, node: int) -> bool:
        if self._is_of_intervals(node):
            return True
        # A condition on the points alone hides no derivative.
        return self.each and not self._has_parameters([node])

    def _has_parameters(self, nodes: Sequence[int]) -> bool:
        steps, _ = extracted(self.graph.steps, list(nodes))
        return any(step[0] == "parameter" for step in steps)

    def _is_of_intervals(self, node: int) -> bool:
        operation, arguments, _ = self.graph.steps[node]
        return operation in _OF_INTERVALS or (
            operation in _COMBINED and all(map(self._is_of_intervals, arguments))
        )

    def numbers(self, node: int, mask: int | None = None) -> Any:
        """Return the numbers of a node that depends on nothing but the points; None for others.

        Parameters
        ----------
        node : int
        mask : int, optional
            The node of the condition by which points were selected.
        """
        if self.data is None or self._reads == _MOST_READ:
            return None
        found = self._numbers.get((node, mask))
        if found is None:
            steps, places = extracted(self.graph.steps, [node] if mask is None else [node, mask])
            if any(step[0] == "parameter" for step in steps):
                return None
            shape = self.data.shape[1:]
            found, *selected = [
                np.broadcast_to(values, shape)
                for values in evaluate(steps, places, [*self.data, *self.arrays], [])
            ]
            if selected:
                found = found[selected[0] != 0.0]
            # What is changed in place must not change what is read next.
            found.flags.writeable = False
            self._numbers[node, mask] = found
        self._reads += 1
        self.asked = self.reads_data = True
        return found

    def array(self, values: Any) -> int:
        """Return the node of an array of numbers, one for each point."""
        array = np.array(values, dtype=np.float64)
        for index, known in enumerate(self.arrays):
            if known is not None and known.tobytes() == array.tobytes():
                return self.graph.variable(self.variables + index)
        self.arrays.append(array)
        return self.graph.variable(self.variables + len(self.arrays) - 1)

    def chosen(self, mask: int) -> Any:
        """Return whether each point is selected by a condition; None if that is unknown."""
        operation, _, value = self.graph.steps[mask]
        further = -1 if operation != "variable" or value is None else int(value) - self.variables
        if further >= 0:
            return self.arrays[further] != 0.0
        found = self.numbers(mask)
        return None if found is None else found != 0.0

    def joined(self, pieces: list[Any]) -> int:
        """Return the node that tells which of several joined arrays a value is of."""
        if self.pieces is None:
            self.pieces = pieces
            self.arrays.append(None)
        elif not all(map(_are_equal, self.pieces, pieces)) or len(self.pieces) != len(pieces):
            self.refuse("arrays of other sizes are joined on another path")
        place = next(k for k, array in enumerate(self.arrays) if array is None)
        return self.graph.variable(self.variables + place)


def _are_equal(a: Any, b: Any) -> bool:
    return (a is None and b is None) or (a is not None and b is not None and np.array_equal(a, b))


def call(f: Any, *arguments: Any) -> Any:
    """Return the value of a function that is traced: its lines, and no others, are reasons."""
    return f(*arguments)


def user_line() -> tuple[str | None, str | None]:
    """Return file and number, and the text, of the innermost line outside of lmoo and numpy.

    None for both if the function that is traced is one of lmoo's.
    """
    frame = sys._getframe(1)
    while frame is not None and frame.f_code is not call.__code__:
        name = frame.f_code.co_filename
        if not name.startswith(OURS):
            line = linecache.getline(name, frame.f_lineno, frame.f_globals).strip()
            return f"{os.path.basename(name)}:{frame.f_lineno}", line or None
        frame = frame.f_back  # type: ignore[assignment]
    return None, None


def shown(value: Any) -> str:
    """Return the text of an object for messages."""
    text = repr(value)
    return text if len(text) < 40 else f"{type(value).__name__}"
