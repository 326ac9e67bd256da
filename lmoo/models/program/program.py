"""The compiled evaluation of a model given as a graph."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lmoo._core.models import CompiledTapes
from lmoo.models.program.lowering import Lowered, lower
from lmoo.models.program.operations import Divisors, Step, check, has_jumps

__all__ = ["Program", "Tape"]

Array = NDArray[np.float64]
Tape = tuple[Sequence[Step], Sequence[int]]


class Program:
    """The compiled evaluation of a model of curves, y = f(t, x).

    Steps that depend only on parameters are evaluated once per call, the others for blocks of
    points with vector instructions.  The result at a point does not depend on the number of points
    or on other points; it does not depend on the processor's instruction set, except for functions
    that the C library evaluates.  `values`, `derivatives` and `both` agree to the last bit if their
    graphs agree.  Divisors that depend only on parameters, or that divide several values, are
    replaced by multiplications with their reciprocals, unless the graph has steps that jump
    (comparisons, floor and the like); results differ from numpy's by a few units in the last place.

    Parameters
    ----------
    values : tuple of (steps, int)
        The graph and the step that is the model's value.
    derivatives : tuple of (steps, n ints), optional
        The graph of the derivatives, and the steps that are the derivatives by each parameter.
    both : tuple of (steps, n + 1 ints), optional
        The graph of value and derivatives together, and their steps.
    second : tuple of (steps, int), optional
        The second derivative along a direction, v^T (d^2 y / dx^2) v, with 2 n parameters: x and v.
    n : int
        Number of parameters.
    variables : int, default 1
        Number of independent variables.
    target : str, optional
        Instruction set: ``avx512``, ``avx2`` or ``plain``; by default the fastest available one.

    Attributes
    ----------
    n, variables : int
    capsule : PyCapsule
        A table ``lmoo_model`` of lmoo.h; its memory is valid as long as the capsule exists.

    Raises
    ------
    ValueError
        An unknown operation, or a graph that is too large for the work space (256 KiB).

    Examples
    --------
    a exp(-b t):

    >>> import numpy as np
    >>> from lmoo.models.program import Program
    >>> steps = [("parameter", (), 0), ("parameter", (), 1), ("variable", (), 0),
    ...          ("multiply", (1, 2), None), ("negative", (3,), None), ("exp", (4,), None),
    ...          ("multiply", (0, 5), None)]
    >>> program = Program((steps, 6), n=2)
    >>> program.values(np.array([0.0, 1.0]), [2.0, 0.5]).round(6)
    array([2.      , 1.213061])
    """

    def __init__(
        self,
        values: tuple[Sequence[Step], int],
        derivatives: Tape | None = None,
        both: Tape | None = None,
        second: tuple[Sequence[Step], int] | None = None,
        *,
        n: int,
        variables: int = 1,
        target: str | None = None,
    ) -> None:
        self._graphs = (values, derivatives, both, second)
        self.n, self.variables, self.target = int(n), int(variables), target
        if self.n < 0 or self.variables < 1:
            raise ValueError(
                f"n must be at least 0 and variables at least 1; they are {n} and {variables}"
            )
        check(values[0], [values[1]], self.n, self.variables)
        for graph in (derivatives, both):
            if graph is not None:
                check(*graph, self.n, self.variables)
        if second is not None:
            check(second[0], [second[1]], 2 * self.n, self.variables)
        graphs = [graph[0] for graph in self._graphs if graph is not None]
        divisors = None if any(has_jumps(steps) for steps in graphs) else Divisors(graphs)
        value_tape = self._lower("values", (values[0], [values[1]]), 1, divisors)
        derivative_tape = both_tape = None
        if derivatives is not None:
            derivative_tape = self._lower("derivatives", derivatives, self.n, divisors)
        if both is not None:
            both_tape = self._lower("both", both, self.n + 1, divisors)
        self._tapes = CompiledTapes(
            self.n, self.variables, value_tape, derivative_tape, both_tape, target
        )
        self._second: CompiledTapes | None = None
        if second is not None:
            lowered = lower(second[0], [second[1]], 2 * self.n, self.variables, divisors)
            self._second = CompiledTapes(2 * self.n, self.variables, lowered, None, None, target)

    def _lower(self, name: str, graph: Tape, outputs: int, divisors: Divisors | None) -> Lowered:
        if len(graph[1]) != outputs:
            raise ValueError(
                f"{name} must have {outputs} outputs for {self.n} parameters; it has "
                f"{len(graph[1])}"
            )
        return lower(graph[0], graph[1], self.n, self.variables, divisors)

    @property
    def capsule(self) -> Any:
        """A PyCapsule named ``lmoo_model``."""
        return self._tapes.capsule

    def values(self, t: ArrayLike, x: ArrayLike) -> Array:
        """Return the model's values, (m,).

        Parameters
        ----------
        t : (m,) or (variables, m) array_like
        x : (n,) array_like
        """
        return np.asarray(self._tapes.evaluate("values", *self._arguments(t, x), 1)[0])

    def derivatives(self, t: ArrayLike, x: ArrayLike) -> Array:
        """Return the derivatives by the parameters, (m, n), in column-major order.

        Raises
        ------
        NotImplementedError
            The program was created without this graph.
        """
        if self._graphs[1] is None:
            raise NotImplementedError("this program has no derivatives")
        return np.asarray(self._tapes.evaluate("derivatives", *self._arguments(t, x), self.n).T)

    def both(self, t: ArrayLike, x: ArrayLike) -> tuple[Array, Array]:
        """Return values, (m,), and derivatives, (m, n), from the graph of both.

        Raises
        ------
        NotImplementedError
            The program was created without this graph.
        """
        if self._graphs[2] is None:
            raise NotImplementedError(
                "this program has no graph of values and derivatives together"
            )
        out = self._tapes.evaluate("both", *self._arguments(t, x), self.n + 1)
        return np.asarray(out[0]), np.asarray(out[1:].T)

    def second(self, t: ArrayLike, x: ArrayLike, direction: ArrayLike) -> Array:
        """Return the second derivative along a direction, (m,).

        Raises
        ------
        NotImplementedError
            The program was created without this graph.
        """
        if self._second is None:
            raise NotImplementedError("this program has no second derivatives")
        points, parameters = self._arguments(t, x)
        along = np.array(direction, dtype=np.float64)
        if along.shape != (self.n,):
            raise ValueError(f"direction must have shape ({self.n},); it has {along.shape}")
        pair = np.concatenate([parameters, along])
        return np.asarray(self._second.evaluate("values", points, pair, 1)[0])

    def _arguments(self, t: ArrayLike, x: ArrayLike) -> tuple[Array, Array]:
        points = np.ascontiguousarray(t, dtype=np.float64)
        points = points[None] if points.ndim == 1 else points
        if points.ndim != 2 or len(points) != self.variables:
            raise ValueError(f"t must have shape ({self.variables}, m); it has {np.shape(t)}")
        parameters = np.array(x, dtype=np.float64)
        if parameters.shape != (self.n,):
            raise ValueError(f"x must have shape ({self.n},); it has {parameters.shape}")
        return points, parameters

    def __reduce__(self) -> Any:
        # Tapes contain pointers, and they depend on the processor.
        return _restored, (self._graphs, self.n, self.variables, self.target)

    def __repr__(self) -> str:
        return f"<Program of {self.n} parameters and {self.variables} variables>"


def _restored(graphs: Any, n: int, variables: int, target: str | None) -> Program:
    """Return a program from its pickle."""
    return Program(*graphs, n=n, variables=variables, target=target)
