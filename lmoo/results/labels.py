"""Names of the variable and of the data, for reports and for the axes of plots."""

import inspect
from types import FunctionType
from typing import Any

from lmoo.problems.complexdata import has_complex
from lmoo.results.curve import known_curve
from lmoo.results.fit import Fit


def axis_labels(result: Fit) -> tuple[str, str]:
    """Return the names of the variable and of the data.

    The attribute ``labels`` of the problem, a pair of str or None, has the names.  Without it, and
    instead of None, they are the name of the model's variable and "y".

    Examples
    --------
    >>> import lmoo
    >>> from lmoo.results.labels import axis_labels
    >>> axis_labels(lmoo.fit(lambda dose, slope: slope * dose, [1.0, 2.0], [2.1, 3.9]))
    ('dose', 'y')
    """
    curve = known_curve(result)
    variables = () if curve is None else variables_of(curve.f)
    usual = (variables[0] if len(variables) == 1 else "t", "y")
    given = getattr(result.problem, "labels", None) or (None, None)
    x, y = (usual[k] if label is None else str(label) for k, label in enumerate(given))
    return x, y


def variables_of(f: Any) -> tuple[str, ...]:
    """Return the names of a model's variables; () if they are not known."""
    if has_complex(f):
        f = getattr(f, "f", f)
    for model in (f, getattr(f, "model", None)):
        names = getattr(model, "variables", None)
        if isinstance(names, tuple):
            return tuple(map(str, names))
    if isinstance(f, FunctionType):
        names = f.__code__.co_varnames[: f.__code__.co_argcount]
        return names[:1]
    try:
        arguments = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        return ()
    plain = inspect.Parameter.POSITIONAL_OR_KEYWORD
    # The variable of a class of lmoo or of a decorated function may be *args.
    return (arguments[0].name,) if arguments and arguments[0].kind is plain else ()
