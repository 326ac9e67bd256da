"""Names of functions and methods by their effects."""

import functools
import types
from typing import Any

import numpy as np

# Built-in functions that compute a value of their arguments and do nothing else.
BUILTINS = frozenset(
    [
        "abs",
        "all",
        "any",
        "bool",
        "complex",
        "dict",
        "divmod",
        "enumerate",
        "filter",
        "float",
        "frozenset",
        "int",
        "isinstance",
        "len",
        "list",
        "map",
        "max",
        "min",
        "pow",
        "range",
        "reversed",
        "round",
        "set",
        "slice",
        "sorted",
        "sum",
        "tuple",
        "zip",
    ]
)
# Methods and functions that change an object, or something outside of the program.
MUTATING = frozenset(
    [
        "add",
        "append",
        "appendleft",
        "at",
        "byteswap",
        "clear",
        "copyto",
        "discard",
        "extend",
        "fill",
        "fill_diagonal",
        "insert",
        "itemset",
        "partition",
        "place",
        "pop",
        "popitem",
        "popleft",
        "put",
        "put_along_axis",
        "putmask",
        "read",
        "readline",
        "remove",
        "resize",
        "reverse",
        "seek",
        "send",
        "setdefault",
        "setfield",
        "setflags",
        "sort",
        "update",
        "write",
        "writelines",
    ]
)
# Functions and methods that return a new object, which the caller may change.
CREATING = frozenset(
    [
        "zeros_like",
        "empty_like",
        "ones_like",
        "full_like",
        "zeros",
        "ones",
        "empty",
        "full",
        "copy",
        "list",
        "dict",
        "set",
    ]
)
# Methods of arrays that combine points, or change their order.
REDUCTIONS = {
    "sum", "mean", "max", "min", "prod", "std", "var", "all", "any", "argmax", "argmin", "cumsum",
    "cumprod", "ptp", "dot", "trace", "argsort", "sort", "nonzero", "round", "searchsorted",
}  # fmt: skip
# Functions and methods that are evaluated where their arguments depend on nothing but the points.
OF_POINTS = {
    "all", "amax", "amin", "any", "argmax", "argmin", "around", "average", "count_nonzero",
    "cumprod", "cumsum", "digitize", "dot", "flip", "gradient", "interp", "isin", "max",
    "mean", "median", "min", "nanmax", "nanmean", "nanmedian", "nanmin", "nanstd", "nansum",
    "norm", "percentile", "prod", "ptp", "quantile", "round", "searchsorted", "std", "sum",
    "trapezoid", "trapz", "unwrap", "var",
}  # fmt: skip
# Those that are evaluated for the values at each point, which may depend on parameters.
OF_ROWS = {
    "all", "amax", "amin", "any", "average", "convolve", "correlate", "cumprod", "cumsum",
    "cumulative_sum", "diff", "dot", "flip", "flipud", "inner", "max", "mean", "min",
    "norm", "prod", "ptp", "repeat", "roll", "std", "sum", "trapezoid", "trapz", "var", "vdot",
}  # fmt: skip
_MODULES = ("numpy", "math", "cmath", "scipy.special", "lmoo")


def is_pure(f: Any) -> bool:
    """Return whether a call of the object is known to compute a value and to do nothing else."""
    if isinstance(f, np.ufunc):
        return True
    module = getattr(f, "__module__", None) or ""
    if "random" in module or isinstance(f, types.ModuleType):
        return False
    if isinstance(f, types.BuiltinFunctionType) and module == "builtins":
        return f.__name__ in BUILTINS
    if f is functools.reduce:
        return True  # As map: the function that it applies is examined where it is named.
    if isinstance(f, type):
        # As map: the function that np.vectorize applies is examined where it is named.
        if f in (np.ndarray, np.poly1d, np.vectorize) or _is_named_tuple(f):
            return True
        return f.__name__ in BUILTINS or issubclass(f, (np.generic, BaseException, np.errstate))
    if type(f).__module__.startswith("lmoo."):
        return hasattr(f, "parameter_names")
    return module.startswith(_MODULES) and (callable(f) and not isinstance(f, types.MethodType))


_OF_NAMED_TUPLES = frozenset(
    ["_make", "_replace", "_asdict", "__new__", "__repr__", "__getnewargs__", "__replace__"]
)


def _is_named_tuple(kind: type) -> bool:
    """Return whether a class was made by namedtuple, and has no methods besides those of these."""
    if kind.__bases__ != (tuple,) or not isinstance(getattr(kind, "_fields", None), tuple):
        return False
    known = {"_make", "_replace", "_asdict", "__new__", "__repr__", "__getnewargs__"}
    return {name for name, found in vars(kind).items() if callable(found)} <= {
        *known,
        "__replace__",
    }
