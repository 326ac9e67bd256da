"""Functions of numpy and scipy.special that models support, for models, numbers and arrays."""

from collections.abc import Callable
from typing import Any

import numpy as np

from lmoo.models.expression.base import Model, combined, graph_or_value
from lmoo.models.expression.functions import FUNCTIONS
from lmoo.models.graph.operations import OPERATIONS


def function(name: str) -> Callable[..., Any]:
    """Return a function of models, numbers and arrays.

    Parameters
    ----------
    name : str
        A name in the language of `lmoo.Expression`, or "absolute".

    Returns
    -------
    callable
        For models it returns a model, for numbers and arrays the same as numpy or scipy.special;
        in a function that is traced the call is recorded.

    Raises
    ------
    KeyError
        An unknown name.

    Examples
    --------
    >>> import lmoo
    >>> decay = lmoo.models.exp(lmoo.Expression("-t/tau"))
    >>> print(decay)
    exp(-t/tau)
    >>> float(lmoo.models.erf(0.5).round(6))
    0.5205
    """
    found = FUNCTIONS["abs" if name == "absolute" else name]

    def apply(*arguments: Any) -> Any:
        if len(arguments) != found.arity:
            raise TypeError(f"{name} takes {found.arity} arguments; {len(arguments)} were given")
        for argument in arguments:
            traced = getattr(type(argument), "_apply_operation", None)
            if traced is not None:
                if found.operation is None:
                    return arguments[0] * found.factor
                return traced(found.operation, arguments)
        graphs = [graph_or_value(argument) for argument in arguments]
        if any(isinstance(graph, Model) for graph in graphs):
            if found.operation is None:
                return arguments[0] * found.factor
            return combined(found.operation, *graphs)
        values = [np.asarray(argument, dtype=np.float64)[()] for argument in arguments]
        return (
            OPERATIONS[found.operation].value(*values)
            if found.operation
            else (values[0] * found.factor)
        )

    apply.__name__ = apply.__qualname__ = name
    apply.__doc__ = f"Return {name} of models, numbers or arrays; see `lmoo.models.functions`."
    return apply
