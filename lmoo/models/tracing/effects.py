"""Effects of a function besides its value, as far as its code shows them.

A function that draws random numbers, keeps state, prints or examines the types of its arguments
must be called each time: a graph of one call would compute other values, or omit the effect.
Placeholders cannot detect these effects, so the code is read before it is run.  If the effects of
an object are unknown, the function is not traced.
"""

import inspect
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from lmoo.errors import TraceError
from lmoo.models.tracing.bytecode import CodeReader, is_plain_class, refusal
from lmoo.models.tracing.purity import is_pure

_CONSTANTS = (
    bool, int, float, complex, str, bytes, type(None), type(Ellipsis), slice, range, np.generic,
    np.dtype,
)  # fmt: skip
# Methods that a model does not call.
_TEXTS = frozenset(["__repr__", "__str__", "__format__"])
# Largest depth of functions that call others.
_DEEPEST = 20


@dataclass
class Dependencies:
    """Objects that a function depends on besides its arguments.

    Attributes
    ----------
    objects : list of (holder, name, object)
        The holder of the name is a namespace of globals, a cell, an object with attributes, a
        function with its code and default arguments, or None for the arguments of a partial.
    changing : TraceError or None
        The first call that may change an object outside of the function.
    mutable : object or None
        An object outside of the function that can be changed.
    """

    objects: list[tuple[Any, str, Any]] = field(default_factory=list)
    changing: TraceError | None = None
    mutable: Any = None


def examined(f: Any) -> Dependencies:
    """Return the objects that a function depends on.

    Raises
    ------
    TraceError
        The function has an effect besides its value, or may have one.

    Examples
    --------
    >>> from lmoo.models.tracing.effects import examined
    >>> examined(lambda t, a: a * t).mutable is None
    True
    """
    examination = _Examination()
    examination.examine_callable(f, 0, lambda: TraceError(f"{f!r} has no code that could be read"))
    dependencies = examination.found
    if dependencies.changing is not None and dependencies.mutable is not None:
        raise dependencies.changing
    return dependencies


class _Examination:
    """The examination of a function and of the functions that it calls: an `Examiner`."""

    def __init__(self) -> None:
        self.found = Dependencies()
        self._seen: set[int] = set()

    def note_use(self, holder: Any, name: str, value: Any) -> None:
        self.found.objects.append((holder, name, value))

    def note_mutable(self, value: Any) -> None:
        self.found.mutable = value

    def note_change(self, error: TraceError) -> None:
        if self.found.changing is None:
            self.found.changing = error

    def examine_callable(self, f: Any, depth: int, error: Callable[[], TraceError]) -> None:
        """Examine what a call of an object does."""
        if id(f) in self._seen:
            return
        self._seen.add(id(f))
        if depth > _DEEPEST:
            raise error()
        if f is np.vectorize:
            # A trace calls its function once, a fit for each point: no state may be kept in it.
            self.found.mutable = f
        if isinstance(f, np.vectorize):
            self.found.mutable = f
            self.note_use(f, "pyfunc", f.pyfunc)
            self.examine_callable(f.pyfunc, depth + 1, error)
            return
        if isinstance(f, types.FunctionType):
            self._function(f, depth, None)
        elif isinstance(f, types.MethodType):
            self.found.mutable = f.__self__
            if not isinstance(f.__func__, types.FunctionType):
                raise error()
            self._function(f.__func__, depth, f.__self__)
        elif isinstance(f, partial):
            self.note_use(None, "args", f.args)
            self.note_use(None, "keywords", f.keywords)
            self.examine_callable(f.func, depth + 1, error)
            for value in (*f.args, *f.keywords.values()):
                self.examine_object(value, depth + 1, error)
        elif is_pure(f):
            return
        elif is_plain_class(f):
            self._class(f, depth, error)
        elif isinstance(
            called := inspect.getattr_static(type(f), "__call__", None), types.FunctionType
        ):
            self.found.mutable = f
            self.note_use(type(f), "__call__", called)
            self._function(called, depth, f)
        else:
            raise error()

    def _class(self, kind: Any, depth: int, error: Callable[[], TraceError]) -> None:
        """Examine the methods of a class, whose objects a function creates."""
        self.found.mutable = kind
        for each in kind.__mro__[:-1]:
            if not is_plain_class(each):
                raise error()
            for name, found in vars(each).items():
                owner = None if isinstance(found, staticmethod) else kind
                if isinstance(found, (staticmethod, classmethod)):
                    found = found.__func__
                if isinstance(found, property):
                    found = found.fget
                if name == "__new__" or hasattr(type(found), "__set_name__"):
                    raise error()
                # `__replace__` since Python 3.13.
                generated = name in ("__eq__", "__replace__") and "__dataclass_fields__" in vars(
                    each
                )
                if isinstance(found, types.FunctionType) and name not in _TEXTS and not generated:
                    self.note_use(each, name, vars(each)[name])
                    self.examine_method(found, owner, depth + 1)

    def examine_method(self, f: types.FunctionType, owner: Any, depth: int) -> None:
        if id(f) not in self._seen:
            self._seen.add(id(f))
            self._function(f, depth, owner)

    def _function(self, f: types.FunctionType, depth: int, owner: Any) -> None:
        module = f.__module__ or ""
        if module.startswith(("numpy", "scipy", "lmoo")) and "random" not in module:
            return
        for name in ("__code__", "__defaults__", "__kwdefaults__"):
            self.note_use(f, name, getattr(f, name))
        for value in (*(f.__defaults__ or ()), *(f.__kwdefaults__ or {}).values()):
            error = partial(
                refusal, f.__code__, None, "the effects of a default argument are unknown"
            )
            self.examine_object(value, depth + 1, error)
        cells = dict(zip(f.__code__.co_freevars, f.__closure__ or (), strict=True))
        CodeReader(f.__code__, f.__globals__, cells, self, depth, owner).read()

    def examine_object(self, value: Any, depth: int, error: Callable[[], TraceError]) -> None:
        """Examine an object that a function reads."""
        if isinstance(value, _CONSTANTS):
            return
        if isinstance(value, np.ndarray):
            if value.dtype == object:
                raise error()
            self._note_first_mutable(value)
        elif isinstance(value, (tuple, frozenset)) and depth < _DEEPEST:
            for part in value:
                self.examine_object(part, depth + 1, error)
        elif isinstance(value, (list, set, dict)) and depth < _DEEPEST:
            self._note_first_mutable(value)
            for part in value.values() if isinstance(value, dict) else value:
                self.examine_object(part, depth + 1, error)
        elif inspect.ismodule(value):
            if "random" in value.__name__:
                raise error()
        elif callable(value):
            self.examine_callable(value, depth + 1, error)
        elif value is np.r_:
            return
        else:
            raise error()

    def _note_first_mutable(self, value: Any) -> None:
        if self.found.mutable is None:
            self.found.mutable = value
