"""Names of parameters: given by the caller, from a model, or x[0], x[1], ..."""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from types import FunctionType
from typing import Any

import numpy as np

from lmoo.problems.units import unit_of

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
# Names in a message.
_SHOWN = 20
_VARARGS = inspect.CO_VARARGS


def parameter_names_of(f: Callable[..., Any]) -> tuple[str, ...] | None:
    """Return the names of the parameters of a model ``f(t, *parameters)``.

    They are its attribute ``parameter_names``, or its positional arguments after the first,
    including those with a default.

    Parameters
    ----------
    f : callable
        A function, a bound method, a partial, or another callable object.

    Returns
    -------
    tuple of str or None
        None if the names are not known: for ``*parameters``, for ufuncs and for functions without
        a signature.

    Examples
    --------
    >>> from functools import partial
    >>> from lmoo.problems.names import parameter_names_of
    >>> def line(t, slope, intercept, *, unit=1.0):
    ...     return unit * (slope * t + intercept)
    >>> parameter_names_of(line), parameter_names_of(partial(line, unit=2.0))
    (('slope', 'intercept'), ('slope', 'intercept'))
    >>> parameter_names_of(lambda t, *parameters: 0.0 * t) is None
    True
    """
    if type(f) is FunctionType and not f.__dict__:
        # For a plain function the code object is faster than inspect.signature.
        code = f.__code__
        if code.co_flags & _VARARGS:
            return None
        return code.co_varnames[1 : code.co_argcount] or None
    names = getattr(f, "parameter_names", None)
    if names is not None:
        return printable(str(name) for name in names)
    return _from_signature(f)


def by_name(values: Any, names: Sequence[str] | None) -> Any:
    """Return a series, a table or a labelled array with names as a mapping, see `labelled`.

    Other objects are returned as they are, and all are if the parameters have no names.

    Examples
    --------
    >>> import pandas as pd
    >>> from lmoo.problems.names import by_name
    >>> by_name(pd.Series({"rate": 0.5, "amplitude": 3.0}), ("amplitude", "rate"))
    {'rate': 0.5, 'amplitude': 3.0}
    """
    found = None if names is None else labelled(values)
    return values if found is None else found


def labelled(values: Any) -> dict[str, Any] | None:
    """Return the values of a series, a table or a labelled array by their labels.

    They are those of the index of a series of pandas, of the columns of a table, and of the
    coordinate of the last dimension of an array of xarray.  None for other objects, and where the
    labels are not texts.

    Examples
    --------
    >>> import pandas as pd
    >>> from lmoo.problems.names import labelled
    >>> labelled(pd.Series({"rate": 0.5})), labelled(pd.Series([0.5])), labelled([0.5])
    ({'rate': 0.5}, None, None)
    """
    if hasattr(values, "iloc"):
        labels = list(getattr(values, "columns", values.index))
    elif hasattr(values, "isel") and hasattr(values, "dims") and values.ndim > 0:
        *_, last = values.dims
        labels = values.coords[last].values.tolist() if last in values.coords else []
    else:
        return None
    if not labels or not all(isinstance(label, str) for label in labels):
        return None
    if len(set(labels)) < len(labels):
        raise ValueError(f"parameters must be named once; the names are {', '.join(labels)}")
    if hasattr(values, "columns"):
        return {label: values[label] for label in labels}
    if hasattr(values, "iloc"):
        return dict(values.to_dict())
    parts = (values.isel({last: k}) for k in range(len(labels)))
    # One with a unit keeps it.
    numbers = (part if part.ndim or unit_of(part) is not None else part.item() for part in parts)
    return dict(zip(labels, numbers, strict=True))


def mapping_of(values: Any) -> Mapping[str, Any] | None:
    """Return values by name: a mapping as it is, or those with labels; None for others."""
    return values if isinstance(values, Mapping) else labelled(values)


def in_order_of(x0: Any, argument: str, values: Any) -> Any:
    """Return values with labels in the order of those of x0, if it has labels; others as they are.

    For functions of scipy, whose parameters have no other names.

    Raises
    ------
    ValueError
        The labels are not the same.
    TypeError
        The values are a mapping, and x0 has no labels.

    Examples
    --------
    >>> import pandas as pd
    >>> from lmoo.problems.names import in_order_of
    >>> x0 = pd.Series({"a": 3.0, "rate": 0.5})
    >>> in_order_of(x0, "diag", pd.Series({"rate": 1.0, "a": 2.0}))
    [2.0, 1.0]
    """
    names, found = labelled(x0), mapping_of(values)
    if names is None and isinstance(values, Mapping):
        raise TypeError(
            f"{argument} is a {type(values).__name__}, and x0 has no names: give numbers in the "
            "order of x0, or x0 as a pandas.Series"
        )
    if names is None or found is None:
        return values
    if set(names) != set(found):
        raise ValueError(
            f"{argument} must have the labels of x0, {', '.join(names)}; it has "
            f"{', '.join(map(str, found))}"
        )
    return [found[name] for name in names]


def printable(names: Iterable[str]) -> tuple[str, ...]:
    """Return names of parameters; ValueError if one has characters that are not printable.

    These are control characters, line ends, and marks of the direction of writing.
    """
    found = tuple(names)
    for name in found:
        if not name.isprintable():
            raise ValueError(
                f"parameter_names must be of printable characters; {name!a} has others"
            )
    return found


def check_count(argument: str, count: int, names: Sequence[str] | None) -> None:
    """Raise ValueError if an argument does not have one value for each of the parameters.

    Parameters
    ----------
    argument : str
    count : int
        The number of its values.
    names : sequence of str or None
        The parameters; None: not known.
    """
    if names is not None and count != len(names):
        shown = ", ".join(map(str, names[:_SHOWN])) + (", ..." if len(names) > _SHOWN else "")
        raise ValueError(
            f"{argument} must have one value for each of the {len(names)} parameters, {shown}; it "
            f"has {count}"
        )


def names_of(names: Sequence[str] | None, n: int) -> tuple[str, ...]:
    """Return n names of parameters; x[0], x[1], ... for None."""
    if names is None:
        return tuple(f"x[{j}]" for j in range(n))
    if len(names) != n:
        raise ValueError(f"parameter_names must have one entry per parameter, {n}: {names!r}")
    return _distinct(tuple(map(str, names)))


@lru_cache(maxsize=64)
def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return names; ValueError if they are not printable, or not different from each other."""
    found = printable(names)
    if len(set(found)) < len(found):
        twice = next(name for j, name in enumerate(found) if name in found[:j])
        raise ValueError(
            f"parameter_names must differ from each other; {twice!r} is there twice: {found!r}"
        )
    return found


def _from_signature(f: Callable[..., Any]) -> tuple[str, ...] | None:
    # The further arguments of a ufunc are not parameters: one is `out`.
    if isinstance(f, np.ufunc):
        return None
    try:
        arguments = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(argument.kind is inspect.Parameter.VAR_POSITIONAL for argument in arguments):
        return None
    return tuple(a.name for a in arguments if a.kind in _POSITIONAL)[1:] or None
