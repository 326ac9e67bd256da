"""Objects that a traced function depends on, and whether they are as they were."""

import inspect
import operator
import types
import weakref
from typing import Any, NamedTuple

import numpy as np

from lmoo.models.tracing.effects import Dependencies

# Changes of larger arrays, lists and dictionaries are not detected.
_MOST_COMPARED = 4096
_CONTAINERS = list, dict, tuple, set, frozenset
_COMPARED = np.ndarray, *_CONTAINERS

# In the place of a holder: the global names of the function itself.
_GLOBALS = object()
# Holder, name, object and contents.  The holder may be `_GLOBALS`, or the number of a variable of
# the function's closure; None for what is compared elsewhere.  Holders and objects are weak
# references where there can be some: a trace must not keep its function, to which they may lead.
Dependency = tuple[Any, str, Any, "_Contents | None"]


def _weak(value: Any) -> Any:
    """Return a weak reference, or the object itself if there can be none."""
    try:
        return weakref.ref(value)
    except TypeError:
        return value


def stored_dependencies(f: Any, dependencies: Dependencies) -> tuple[Dependency, ...]:
    """Return dependencies with their contents, without references to the function.

    Parameters
    ----------
    f : callable
    dependencies : Dependencies
        What `effects.examined` found.
    """
    function = f.__func__ if isinstance(f, types.MethodType) else f
    names = getattr(function, "__globals__", None)
    closure = getattr(function, "__closure__", None) or ()
    found: list[Dependency] = []
    for holder, name, value in dependencies.objects:
        if value is f:
            continue
        contents = _contents(value)
        if holder is None or holder is names:
            found.append((None if holder is None else _GLOBALS, name, _weak(value), contents))
        elif holder is not function or not isinstance(function, types.FunctionType):
            place = next((k for k, cell in enumerate(closure) if cell is holder), None)
            found.append((_weak(holder) if place is None else place, name, _weak(value), contents))
        elif contents is not None:
            # Whether it was replaced is what `_code` tells.
            found.append((None, name, value, contents))
    return tuple(found)


class _Contents(NamedTuple):
    """Contents of an array or a container, compared by value, and its objects, by identity."""

    values: list[Any]
    objects: list[Any]

    def are(self, other: "_Contents | None") -> bool:
        """Return whether nothing has changed; objects from outside are not compared by value."""
        return (
            other is not None
            and self.values == other.values
            and len(self.objects) == len(other.objects)
            and all(map(operator.is_, self.objects, other.objects))
        )


def _contents(value: Any) -> _Contents | None:
    """Return the contents of an object; None if they are not compared."""
    if not isinstance(value, _COMPARED):
        return None
    found = _Contents([], [])
    _add_contents(value, found)
    return found if found.values else None


def _add_contents(value: Any, found: _Contents) -> None:
    """Append the contents of arrays and containers, and other objects as they are."""
    values = found.values
    if isinstance(value, np.ndarray) and value.size <= _MOST_COMPARED:
        values += (value.dtype, value.shape, value.tobytes())
    elif isinstance(value, _CONTAINERS) and len(found.objects) + len(value) <= _MOST_COMPARED:
        values += (type(value), len(value))
        for part in value:
            _add_contents(part, found)
        for part in value.values() if isinstance(value, dict) else ():
            _add_contents(part, found)
    else:
        # Of one object there is one weak reference.
        found.objects.append(_weak(value))


def is_unchanged(f: Any, holder: Any, name: str, value: Any, contents: _Contents | None) -> bool:
    """Return whether a name still refers to an object, with the same contents."""
    if type(value) is weakref.ref:
        value = value()
        if value is None:
            return False
    if holder is not None:
        try:
            if _found(f, holder, name) is not value:
                return False
        except (ValueError, AttributeError):
            return False
    return contents is None or contents.are(_contents(value))


def _found(f: Any, holder: Any, name: str) -> Any:
    """Return the object that a name refers to now."""
    function: Any = f.__func__ if isinstance(f, types.MethodType) else f
    if holder is _GLOBALS:
        return function.__globals__.get(name)
    if type(holder) is int:
        return function.__closure__[holder].cell_contents
    if type(holder) is weakref.ref:
        holder = holder()
    if isinstance(holder, dict):
        return holder.get(name)
    if isinstance(holder, types.CellType):
        return holder.cell_contents
    if isinstance(holder, types.FunctionType):
        return getattr(holder, name)
    return inspect.getattr_static(holder, name)
