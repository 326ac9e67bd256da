"""Calls of models within functions that are traced."""

from collections.abc import Sequence
from typing import Any

import numpy as np


def recorded_call(f: Any, model: Any, t: Any, parameters: Sequence[Any]) -> Any:
    """Return the value of a model in a function that is traced; None for numbers and arrays.

    Parameters
    ----------
    f : callable
        What is called, with a number of parameters.
    model : Model or None
        Its graph; None if that is unknown.
    t, parameters
        The arguments: the call is recorded if one is a placeholder.
    """
    several = isinstance(t, tuple) or (isinstance(t, np.ndarray) and t.dtype == object and t.ndim)
    given = [_element(value) for value in (*(t if several else (t,)), *parameters)]
    for value in given:
        include = getattr(type(value), "_include_model", None)
        if include is None:
            continue
        variables = len(given) - len(parameters)
        if model is not None and (
            variables != len(model.variables) or len(parameters) != len(model.parameter_names)
        ):
            raise TypeError(
                f"{f!r} takes {len(model.variables)} variables and {len(model.parameter_names)} "
                f"parameters; {variables} and {len(parameters)} were given"
            )
        if f is not model and any(getattr(value, "ndim", 0) for value in given[variables:]):
            # Arrays of a compiled model are those of several curves.
            raise TypeError(f"{f!r} takes numbers as parameters of a curve; one is an array")
        return include(model, given[:variables], given[variables:])
    return None


def _element(value: Any) -> Any:
    """Return the object in an array of one object; other values as they are."""
    boxed = type(value) is np.ndarray and value.dtype == object and value.size == 1
    return value.item() if boxed else value
