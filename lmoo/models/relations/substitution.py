"""A model of the coordinates: one in which parameters are replaced by what determines them."""

from lmoo.models.expression.base import Model
from lmoo.models.graph.nodes import Graph, extracted
from lmoo.models.relations.coordinates import Coordinates


def substituted(model: Model, coordinates: Coordinates, priors: bool = False) -> Model:
    """Return a model of the coordinates.

    Parameters
    ----------
    model : Model
        Of all parameters, in their order.
    coordinates : Coordinates
    priors : bool, default False
        Add a variable, after the others, that selects the value: 0 that of the model, k that of
        the k-th prior.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> from lmoo.models.relations.coordinates import coordinates_of
    >>> from lmoo.models.relations.substitution import substituted
    >>> from lmoo.problems.parameters import Relations
    >>> found = coordinates_of(("a", "b"), Relations(ties={"b": "2*a"}), None, None, np.ones(2))
    >>> print(substituted(lmoo.Expression("a*t + b"), found))
    a*t + 2*a
    """
    graph = Graph(coordinates.graph.steps)
    own = [coordinates.node(name) for name in coordinates.names]
    root = graph.include(model.steps, own.__getitem__)[-1]
    variables = model.variables
    if priors:
        mark = graph.variable(len(variables))
        variables = (*variables, "prior__")
        for k, name in enumerate(coordinates.priors, 1):
            there = graph.apply("equal", mark, graph.constant(float(k)))
            root = graph.apply("where", there, coordinates.node(name), root)
    return Model(extracted(graph.steps, [root])[0], variables, coordinates.labels)
