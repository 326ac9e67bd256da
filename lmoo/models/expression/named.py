"""Expression graphs with names, and their values and derivatives."""

import inspect
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lmoo._core.arrays import Array
from lmoo.models.expression.recorded import recorded_call
from lmoo.models.graph.derivatives import derivatives
from lmoo.models.graph.evaluation import evaluate
from lmoo.models.graph.latex import latex
from lmoo.models.graph.linearity import linear_in
from lmoo.models.graph.nodes import Graph, Step, extracted
from lmoo.models.graph.text import written


class _OfInstances:
    """A property of instances that the class itself does not have.

    The class is called with other arguments than its instances.
    """

    def __init__(self, function: Callable[[Any], inspect.Signature]) -> None:
        self._function = function
        self.__doc__ = function.__doc__

    def __get__(self, instance: Any, owner: type) -> inspect.Signature:
        if instance is None:
            raise AttributeError(self._function.__name__)
        return self._function(instance)


class NamedGraph:
    """An expression graph with names of its variables and parameters, which can be evaluated.

    The arguments are those of `Model`, its public subclass.

    Examples
    --------
    >>> from lmoo.models.expression.graphs import graph_of
    >>> from lmoo.models.expression.named import NamedGraph
    >>> steps, names = graph_of("a*t**2", ["t"], None)
    >>> graph = NamedGraph(steps, ["t"], names)
    >>> graph([0.0, 1.0, 2.0], 3.0), graph.linear
    (array([ 0.,  3., 12.]), ('a',))
    """

    def __init__(
        self, steps: Sequence[Step], variables: Sequence[str], parameter_names: Sequence[str]
    ) -> None:
        self._steps, _ = extracted(steps, [len(steps) - 1])
        self.variables = tuple(variables)
        self.parameter_names = tuple(parameter_names)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The graph: steps in the order in which they are computed, the value last."""
        return self._steps

    @property
    def text(self) -> str:
        """The model as text; `lmoo.Expression` can parse it unless it is very long."""
        return written(self._steps, self.variables, self.parameter_names)

    def latex(self) -> str:
        r"""Return the model as LaTeX, without the signs that surround a formula.

        Raises
        ------
        ValueError
            The model is too long to be written.

        Examples
        --------
        >>> import lmoo
        >>> print(lmoo.Expression("a*exp(-t/tau)").latex())
        a\, e^{-\frac{t}{\tau}}
        """
        return latex(self._steps, self.variables, self.parameter_names)

    @property
    def linear(self) -> tuple[str, ...]:
        """Parameters that the model is linear in, jointly."""
        found = linear_in(self._steps, len(self.parameter_names))
        return tuple(self.parameter_names[j] for j in found)

    def __call__(self, t: Any, *parameters: ArrayLike) -> Array:
        """Return the values.

        Parameters
        ----------
        t : (m,) array_like
            The variable; a sequence of as many arrays as there are variables, if not one.
        *parameters : float or array_like
            One per parameter, in the order of `parameter_names`; arrays broadcast against t.

        Returns
        -------
        (m,) float64 array
            If parameters are arrays, the shape to which t and the parameters broadcast.  inf or
            nan, without a warning, where the model has no finite value.

        Raises
        ------
        TypeError, ValueError
            The number of variables or parameters is wrong, or a value is not a real number.
        """
        recorded = recorded_call(self, self, t, parameters)
        if recorded is not None:
            return recorded  # type: ignore[no-any-return]
        values, points, shape = self._arguments(t, parameters)
        (found,) = evaluate(self._steps, [len(self._steps) - 1], values, points)
        # Copied because it may be t itself.
        return np.array(found if np.shape(found) == shape else np.broadcast_to(found, shape))

    def jacobian(self, t: Any, *parameters: ArrayLike) -> Array:
        """Return the derivatives by the parameters.

        Parameters
        ----------
        t, *parameters
            As for the values.

        Returns
        -------
        (m, n) float64 array
            ``J[i, j]`` is the derivative of value i by parameter j.  If parameters are arrays, the
            shape is that of the values, followed by n.  At a corner or a jump of a function it is
            the derivative on one side.

        Raises
        ------
        TypeError, ValueError
            As for the values.
        """
        values, points, shape = self._arguments(t, parameters)
        steps, roots = self._derivatives
        out = np.zeros((*shape, len(points)))
        for j, column in zip(
            roots, evaluate(steps, list(roots.values()), values, points), strict=True
        ):
            out[..., j] = column
        return out

    @cached_property
    def _derivatives(self) -> tuple[tuple[Step, ...], dict[int, int]]:
        """The graph of the derivatives, and the node of each that is not zero everywhere."""
        graph = Graph(self._steps)
        nodes = derivatives(graph, len(self._steps) - 1, len(self.parameter_names))
        there = {j: node for j, node in enumerate(nodes) if node is not None}
        steps, roots = extracted(graph.steps, list(there.values()))
        return steps, dict(zip(there, roots, strict=True))

    def _arguments(
        self, t: Any, parameters: Sequence[Any]
    ) -> tuple[list[Any], list[Any], tuple[int, ...]]:
        """Return variables and parameters as float64 arrays, and the shape of the values."""
        if len(parameters) != len(self.parameter_names):
            raise TypeError(
                f"{self!r} takes {len(self.parameter_names)} parameters; {len(parameters)} were "
                "given"
            )
        several = len(self.variables) != 1
        if several and len(t) != len(self.variables):
            raise ValueError(
                f"t must be {len(self.variables)} arrays, for {', '.join(self.variables)}; "
                f"it is {len(t)}"
            )
        values = [
            _reals(name, value)
            for name, value in zip(self.variables, t if several else (t,), strict=True)
        ]
        points = [
            _reals(name, value)
            for name, value in zip(self.parameter_names, parameters, strict=True)
        ]
        shapes = {np.shape(part) for part in values + points} - {()}
        # Numbers and one array, or arrays of one shape, need no broadcasting.
        shape = shapes.pop() if len(shapes) == 1 else np.broadcast_shapes(*shapes)
        return values, points, shape

    @_OfInstances
    def __signature__(self) -> inspect.Signature:
        kind = inspect.Parameter.POSITIONAL_ONLY
        # A single variable has its name; several have a name that no parameter can have.
        first = self.variables[0] if len(self.variables) == 1 else "variables__"
        return inspect.Signature(
            [inspect.Parameter(name, kind) for name in (first, *self.parameter_names)]
        )


def _reals(name: str, value: Any) -> Any:
    """Return a value as float64, without a copy if it is float64 already."""
    if isinstance(value, float):  # As most parameters are, np.float64 included.
        return np.float64(value)
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must be real numbers; it is {value!r}")
    return array.astype(np.float64, copy=False)[()]
