"""Functions that take numbers alone, replaced during a trace by those that take placeholders.

``math.exp(a)``, ``float(a)`` and ``np.asarray(t, dtype=float)`` ask an object for its number, which
a placeholder does not have.  The names by which a function reads them refer to substitutes in a
copy of the function: `math.exp` becomes numpy's, and conversions of placeholders return these.
"""

import builtins
import inspect
import math
import sys
import threading
from collections.abc import Callable
from functools import partial
from types import BuiltinFunctionType, CellType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from lmoo.models.tracing.distributions import Distribution
from lmoo.models.tracing.each import each_point
from lmoo.models.tracing.objects import as_objects
from lmoo.models.tracing.placeholder import Placeholder
from lmoo.models.tracing.recorder import Recorder
from lmoo.models.tracing.special import FUNCTIONS as OF_SPECIAL
from lmoo.models.tracing.tables import spline

# Functions of math that numpy has under another name.
_RENAMED = {
    "acos": "arccos", "acosh": "arccosh", "asin": "arcsin", "asinh": "arcsinh", "atan": "arctan",
    "atan2": "arctan2", "atanh": "arctanh", "pow": "power",
}  # fmt: skip
_SAME = """
    cbrt ceil copysign cos cosh degrees exp exp2 expm1 fabs floor fmod hypot log10 log1p log2
    radians sin sinh sqrt tan tanh trunc
"""
# Functions of math that numpy does not have, by the names of operations.
_OPERATIONS = {"erf": "erf", "erfc": "erfc", "gamma": "gamma", "lgamma": "gammaln"}
_LIBRARIES = ("numpy", "scipy", "lmoo")
# The recorder of the trace that a thread makes.
_current = threading.local()


def substituted(f: Any, recorder: Recorder | None = None) -> Any:
    """Return a copy of a function that reads substitutes; other callables are returned as they are.

    Parameters
    ----------
    f : callable
    recorder : Recorder, optional
        The trace in which the function is called.

    Examples
    --------
    >>> import math
    >>> from lmoo.models.tracing.substitutes import substituted
    >>> substituted(lambda x: math.exp(x))(0.0)
    1.0
    """
    _current.recorder = recorder
    if isinstance(f, FunctionType):
        return _copied(f)
    if isinstance(f, np.vectorize):
        return _vectorized(f)
    if isinstance(f, partial):
        return partial(substituted(f.func, recorder), *f.args, **f.keywords)
    method = (
        f.__func__ if isinstance(f, MethodType) else inspect.getattr_static(f, "__call__", None)
    )
    owner = f.__self__ if isinstance(f, MethodType) else f
    if not isinstance(method, FunctionType):
        return f
    return MethodType(_copied(method), owner if isinstance(owner, type) else Owner(owner))


class Owner:
    """An object whose methods read substitutes.

    Parameters
    ----------
    owner : object
    """

    __slots__ = ("_owner",)
    __eq__ = __hash__ = None  # type: ignore[assignment]

    def __init__(self, owner: Any) -> None:
        self._owner = owner

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        """The class of the object, for isinstance and super."""
        return type(self._owner)

    def __getattr__(self, name: str) -> Any:
        owner = self._owner
        found = inspect.getattr_static(owner, name, None)
        if isinstance(found, property) and isinstance(found.fget, FunctionType):
            return _copied(found.fget)(self)
        if isinstance(found, staticmethod):
            return _substitute(found.__func__)
        if isinstance(found, FunctionType) and name not in getattr(owner, "__dict__", ()):
            return MethodType(_copied(found), self)
        return _substitute(getattr(owner, name))

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Call the object."""
        return self.__getattr__("__call__")(*args, **options)


def _copied(f: FunctionType) -> FunctionType:
    """Return a copy of a function with another namespace and closure."""
    if (f.__module__ or "").startswith(_LIBRARIES) or isinstance(f.__globals__, _Namespace):
        return f
    cells = tuple(map(_cell, f.__closure__ or ()))
    copy = FunctionType(f.__code__, _Namespace(f.__globals__), f.__name__, f.__defaults__, cells)
    copy.__kwdefaults__ = f.__kwdefaults__
    return copy


def _cell(cell: CellType) -> CellType:
    try:
        value = cell.cell_contents
    except ValueError:
        return cell
    if isinstance(value, FunctionType) and not (value.__module__ or "").startswith(_LIBRARIES):
        # Copied when it is called, as it may refer to itself.
        return CellType(lambda *args, **options: _copied(value)(*args, **options))
    return CellType(_substitute(value))


class _Namespace(dict[str, Any]):
    """Global names of a function, with substitutes."""

    def __init__(self, names: dict[str, Any]) -> None:
        self.names = names

    def __getitem__(self, name: str) -> Any:
        return _substitute(self.names[name] if name in self.names else getattr(builtins, name))


class _Module:
    """A module with substitutes."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return _substitute(getattr(self._module, name))


def _substitute(value: Any) -> Any:
    """Return the object that a name refers to during a trace."""
    if isinstance(value, ModuleType):
        wrapped = value is math or value.__name__.startswith(("numpy", "scipy"))
        return _Module(value) if wrapped else value
    if isinstance(value, (BuiltinFunctionType, type)):
        return _SUBSTITUTES.get(value, value)
    module = type(value).__module__
    if module.startswith("scipy.stats."):
        return Distribution(value) if hasattr(value, "pdf") and hasattr(value, "numargs") else value
    if isinstance(value, np.vectorize):
        return _vectorized(value)
    if module.startswith("scipy.interpolate") and callable(value):
        return _of_points(value)
    if not isinstance(value, FunctionType):
        return value
    if value in _FUNCTIONS:
        return _FUNCTIONS[value]
    if (value.__module__ or "").startswith("scipy.special"):
        special = sys.modules["scipy.special"]
        for name, other in OF_SPECIAL.items():
            if getattr(special, name) is value:
                return _of_numbers(value, other)
    return _copied(value)


def _of_points(value: Any) -> Any:
    """Return a table of scipy.interpolate that is evaluated at the points where these are known."""

    def called(x: Any, *args: Any) -> Any:
        if not isinstance(x, Placeholder):
            return value(x, *args)
        numbers = x._numbers()
        if numbers is not None or args:
            return value(x if numbers is None else numbers, *args)
        return spline(x.recorder, value, x)

    return called


def _vectorized(vectorized: Any) -> Any:
    """Return np.vectorize of a function for placeholders."""
    f = _substitute(vectorized.pyfunc)

    def called(*args: Any, **named: Any) -> Any:
        recorder = _current.recorder
        if recorder is None or not any(map(_has_placeholder, (*args, *named.values()))):
            return vectorized(*args, **named)
        return each_point(recorder, vectorized, f, args, named)

    return called


def _polynomial(coefficients: Any) -> Any:
    return lambda x: np.polyval(coefficients, x)


def _filled(function: Callable[..., Any], value: Any) -> Callable[..., Any]:
    """Return a function that makes an array, of a number for each point if it has their shape."""

    def called(shape: Any, *given: Any, **options: Any) -> Any:
        recorder = _current.recorder
        filled = given[0] if value is None and given else value
        plain = not options and len(given) == (value is None)
        if recorder is None or not plain or shape not in (recorder.points, (recorder.points,)):
            return function(shape, *given, **options)
        recorder.asked = True
        return recorder.functions[np.full_like](recorder, _points_of(recorder), filled)

    return called


def _points_of(recorder: Recorder) -> Placeholder:
    return Placeholder(recorder, recorder.graph.variable(0), points=True)


def _of_numbers(function: Callable[..., Any], other: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that calls another one for placeholders."""

    def called(*arguments: Any, **options: Any) -> Any:
        of_placeholders = any(map(_has_placeholder, arguments))
        return (other if of_placeholders else function)(*arguments, **options)

    return called


def _has_placeholder(x: Any) -> bool:
    inner = x if isinstance(x, (list, tuple)) else [x]
    return any(isinstance(part, Placeholder) for part in inner)


def _operation(name: str) -> Callable[..., Any]:
    return lambda x: x._operate(name, x)


def _log(x: Any, base: Any = None) -> Any:
    return np.log(x) if base is None else np.log(x) / np.log(base)


class _Float(np.float64):
    """The types float and np.float64: called, or as a dtype."""

    def __new__(cls, x: Any = 0.0) -> Any:
        if not isinstance(x, Placeholder):
            return np.float64(x)
        return x.__float__() if x.points else x._like(truth=False)


def _array(x: Any, dtype: Any = None, **options: Any) -> Any:
    """Return np.asarray(x)."""
    if not isinstance(x, Placeholder):
        # Of parameters: an array of objects.
        parts = as_objects(np.array(x, **options))
        if dtype is not None and np.dtype(dtype) != np.float64:
            parts.flat[0].astype(dtype)
        return parts
    if not {*options} <= {"copy", "order"}:
        return x.__array__(float)
    changed = x if dtype is None else x.astype(dtype)
    return changed if dtype is None or np.dtype(dtype) != x.dtype else x


def _copy(x: Any, dtype: Any = None, **options: Any) -> Any:
    """Return np.array(x)."""
    found = _array(x, dtype, **options)
    return found._like() if isinstance(found, Placeholder) else found


_SUBSTITUTES: dict[Any, Any] = {
    float: _Float,
    np.float64: _Float,
    np.poly1d: _of_numbers(np.poly1d, _polynomial),
    np.zeros: _filled(np.zeros, 0.0),
    np.empty: _filled(np.empty, 0.0),
    np.array: _of_numbers(np.array, _copy),
    np.vectorize: lambda *args, **options: _vectorized(np.vectorize(*args, **options)),
    **{
        function: _of_numbers(function, _array)
        for function in (np.asarray, np.asanyarray, np.ascontiguousarray)
    },
    **{
        getattr(math, name): _of_numbers(getattr(math, name), other)
        for name, other in (("isnan", np.isnan), ("isfinite", np.isfinite), ("isinf", np.isinf))
    },
    math.log: _of_numbers(math.log, _log),
    **{
        getattr(math, name): _of_numbers(getattr(math, name), getattr(np, other))
        for name, other in {**_RENAMED, **dict.fromkeys(_SAME.split())}.items()
        if hasattr(math, name)
        for other in [other or name]
    },
    **{
        getattr(math, name): _of_numbers(getattr(math, name), _operation(operation))
        for name, operation in _OPERATIONS.items()
    },
}

# Functions that are written in Python.
_FUNCTIONS: dict[Any, Any] = {np.ones: _filled(np.ones, 1.0), np.full: _filled(np.full, None)}
