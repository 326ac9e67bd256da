"""Values and derivatives of a parsed expression.

Derivatives by forward accumulation: each value carries its derivatives by those parameters that it
depends on (Griewank, Walther 2008, "Evaluating derivatives", section 3.1).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lmoo.models.expression.functions import Function
from lmoo.models.expression.parser import Apply, Constant, Parameter, Step

__all__ = ["differentiate", "evaluate"]

Tangents = dict[int, Any]


def evaluate(steps: Sequence[Step], variables: Sequence[Any], parameters: Sequence[Any]) -> Any:
    """Return the value, of the shape to which variables and parameters broadcast or a smaller one.

    Parameters
    ----------
    steps : sequence of Step
    variables, parameters : sequence of float64 array
    """
    stack: list[Any] = []
    for step in steps:
        if isinstance(step, Apply):
            arity = step.function.arity
            stack[-arity:] = [step.function.value(*stack[-arity:])]
        else:
            stack.append(_leaf(step, variables, parameters))
    return stack[0]


def differentiate(
    steps: Sequence[Step], variables: Sequence[Any], parameters: Sequence[Any]
) -> Tangents:
    """Return the derivatives by the parameters, by their index; those that are zero are left out.

    Parameters
    ----------
    steps : sequence of Step
    variables, parameters : sequence of float64 array
    """
    stack: list[tuple[Any, Tangents]] = []
    for step in steps:
        if isinstance(step, Apply):
            arity = step.function.arity
            stack[-arity:] = [_apply(step.function, stack[-arity:])]
        else:
            one: Tangents = {step.index: 1.0} if isinstance(step, Parameter) else {}
            stack.append((_leaf(step, variables, parameters), one))
    return stack[0][1]


def _leaf(step: Step, variables: Sequence[Any], parameters: Sequence[Any]) -> Any:
    if isinstance(step, Constant):
        return step.value
    assert not isinstance(step, Apply)
    return (parameters if isinstance(step, Parameter) else variables)[step.index]


def _apply(function: Function, arguments: Sequence[tuple[Any, Tangents]]) -> tuple[Any, Tangents]:
    """Apply a function to values and, by the chain rule, to what they carry."""
    values = [value for value, _ in arguments]
    result = function.value(*values)
    out: Tangents = {}
    for partial, (value, tangents) in zip(function.partials, arguments, strict=True):
        if partial is None or not tangents:
            continue
        slope = partial(*values, result)
        for index, tangent in tangents.items():
            term = _chain(slope, tangent, value)
            out[index] = out[index] + term if index in out else term
    return result, out


def _chain(slope: Any, tangent: Any, argument: Any) -> Any:
    """Return slope times tangent, where 0 times inf may be 0.

    It is where a function does not look at this argument, and where the argument overflowed and
    the function is flat out there, as in ``1 / (1 + exp(x))``.
    """
    if getattr(slope, "dtype", None) == np.bool_:
        return np.where(slope, tangent, 0.0)
    product = slope * tangent
    undefined = np.isnan(product)
    if undefined.any():
        product = np.where(undefined & (slope == 0.0) & np.isinf(argument), 0.0, product)
    return product
