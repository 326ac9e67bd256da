"""Parameters on which a model depends by steps alone, as the place of a jump."""

from collections.abc import Sequence
from typing import Any

from lmoo.models.graph.partials import FLAT, PARTIALS

# Operations whose first argument selects one of the others.
_SWITCHED = frozenset(("where", "heaviside"))
# Operations with arguments by which their derivative is 0.
_STEPPING = FLAT | _SWITCHED | {name for name, rules in PARTIALS.items() if None in rules}


def stepwise(steps: Sequence[Any]) -> int | None:
    """Return a parameter that acts by comparisons, signs and roundings alone; None: there is none.

    Its derivative is zero wherever it exists, and no fit with exact derivatives moves it.

    Parameters
    ----------
    steps : sequence of (operation, arguments, value)
        The graph; its last step is the value.

    Examples
    --------
    >>> import lmoo
    >>> from lmoo.models.graph.stepwise import stepwise
    >>> stepwise(lmoo.Expression("a*(t > b)").steps)
    1
    >>> stepwise(lmoo.Expression("a*abs(t - b)").steps)
    """
    if not any(step[0] in _STEPPING for step in steps):
        return None
    smooth = _parameters(steps, True)
    return min(_parameters(steps, False) - smooth, default=None)


def _parameters(steps: Sequence[Any], smooth: bool) -> set[int]:
    """Return the parameters that the value depends on; smooth: other than by steps."""
    top = len(steps) - 1
    found, waiting, parameters = {top}, [top], set()
    while waiting:
        operation, arguments, value = steps[waiting.pop()]
        if operation == "parameter":
            parameters.add(value)
        for i in _with_derivative(operation, arguments) if smooth else arguments:
            if i not in found:
                found.add(i)
                waiting.append(i)
    return parameters


def _with_derivative(operation: str, arguments: Sequence[int]) -> Sequence[int]:
    """Return the arguments by which an operation may have a derivative other than 0."""
    if operation in FLAT:
        return ()
    if operation in _SWITCHED:
        return arguments[1:]
    rules = PARTIALS.get(operation, arguments)
    return [i for i, rule in zip(arguments, rules, strict=True) if rule is not None]
