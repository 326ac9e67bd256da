"""Compiled expression graphs: a graph as a table of functions that run without Python."""

from functools import lru_cache
from typing import Any

from lmoo._core.batch import CurveModel
from lmoo.models.expression.base import Model
from lmoo.models.graph.derivatives import derivatives, second_derivative
from lmoo.models.graph.nodes import Graph, extracted
from lmoo.models.library import CompiledModel
from lmoo.models.program import Program


def program_of(model: Model, wanted: tuple[int, ...] | None = None) -> Program:
    """Return the program that evaluates a model and its derivatives.

    Parameters
    ----------
    model : Model
    wanted : tuple of int, optional
        Parameters by which derivatives are evaluated; 0 stands for the others.  None: all.

    Raises
    ------
    ValueError
        The graph is too large for the program's work space.
    NotImplementedError
        An operation has no derivative.

    Examples
    --------
    >>> import lmoo
    >>> from lmoo.models.compiled import program_of
    >>> program = program_of(lmoo.Expression("a*t**2"))
    >>> program.values([1.0, 2.0], [3.0]), program.derivatives([1.0, 2.0], [3.0]).ravel()
    (array([ 3., 12.]), array([1., 4.]))
    """
    n, root = len(model.parameter_names), len(model.steps) - 1
    graph = Graph(model.steps)
    found = derivatives(graph, root, n)
    nodes = [
        graph.constant(0.0) if node is None or (wanted is not None and j not in wanted) else node
        for j, node in enumerate(found)
    ]
    steps, (value, *slopes) = extracted(graph.steps, [root, *nodes])
    return Program(steps, value, slopes, n=n, variables=len(model.variables))


@lru_cache(maxsize=64)
def partial_of(model: Model, wanted: tuple[int, ...]) -> CurveModel:
    """Return a model with its derivatives by some of its parameters, 0 in the place of the others.

    Parameters
    ----------
    model : Model
    wanted : tuple of int
        The positions of the parameters.

    Raises
    ------
    ValueError, NotImplementedError
        As `program_of`.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> from lmoo.models.compiled import partial_of
    >>> model = partial_of(lmoo.Expression("a*exp(b*t)"), (0,))
    >>> model.evaluate(np.ones((1, 1, 2)), np.array([[2.0, 0.0]]), True)[0]
    array([[[1., 1.],
            [0., 0.]]])
    """
    return CurveModel(program_of(model, wanted).capsule)


@lru_cache(maxsize=64)
def second_of(model: Model) -> CurveModel | None:
    """Return the second derivatives of a model along a direction v, ``v^T (d2 y / dx2) v``.

    Returns
    -------
    CurveModel or None
        A compiled model of 2 n parameters, x and v; None if it cannot be compiled.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> from lmoo.models.compiled import second_of
    >>> t = np.array([[[1.0, 2.0]]])
    >>> second_of(lmoo.Expression("t*a**2")).evaluate(t, np.array([[5.0, 3.0]]), False)[0]
    array([[18., 36.]])
    """
    n, graph = len(model.parameter_names), Graph(model.steps)
    try:
        node = second_derivative(graph, len(model.steps) - 1, n)
        steps, (root,) = extracted(graph.steps, [node])
        program = Program(steps, root, n=2 * n, variables=len(model.variables))
    except (ValueError, NotImplementedError):
        return None
    return CurveModel(program.capsule)


class GraphModel(CompiledModel):
    """Compiled form of a `Model` and its derivatives.

    Parameters
    ----------
    model : Model
        With at least one parameter.

    Raises
    ------
    ValueError, NotImplementedError
        As `program_of`.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> from lmoo.models.compiled import GraphModel
    >>> model = GraphModel(lmoo.Expression("a*exp(-b*t)"))
    >>> model(np.arange(3.0), 2.0, 0.5).round(6)
    array([2.      , 1.213061, 0.735759])
    """

    # Whether the derivatives were compared with differences (tracing/slopes.py).
    _slopes_agree = False
    # Whether a derivative may be 0 on one side of a point, found once.
    _kinks: bool | None = None

    def __init__(self, model: Model) -> None:
        self.model = model
        super().__init__(program_of(model).capsule, model.parameter_names)

    def __repr__(self) -> str:
        return f"GraphModel({self.model!r})"

    def __reduce__(self) -> Any:
        # The table is a pointer, which is invalid in another process.
        return kept_model, (self.model,)


@lru_cache(maxsize=64)
def kept_model(model: Model) -> GraphModel:
    """Return a compiled model, the same one for equal graphs.

    A worker gets it with each task, and a fit with the same ties with each call.
    """
    return GraphModel(model)
