"""The operations of models for the elementwise functions of numpy and scipy."""

import sys
from collections.abc import Callable
from math import log, pi
from typing import Any

import numpy as np

from lmoo.models.graph.operations import OPERATIONS
from lmoo.models.tracing.applied import applied
from lmoo.models.tracing.recorder import Recorder
from lmoo.models.tracing.special import SPECIAL

Recorded = Callable[..., Any]


def _plain(operation: str) -> Recorded:
    """Return a function that records an operation."""
    return lambda recorder, *operands: applied(recorder, operation, *operands)


def _with(formula: Callable[..., Any]) -> Recorded:
    """Return a function that records a formula of placeholders."""
    return lambda recorder, *operands: formula(*operands)


def _log_of_sum(a: Any, b: Any) -> Any:
    return np.maximum(a, b) + np.log1p(np.exp(-np.abs(a - b)))


def _log2_of_sum(a: Any, b: Any) -> Any:
    return np.maximum(a, b) + np.log1p(np.exp2(-np.abs(a - b))) / log(2.0)


# ufuncs of numpy with another name than the operation, or with a formula.
_OTHERS: dict[str, Recorded] = {
    "fabs": _plain("absolute"),
    "remainder": _plain("mod"),
    "float_power": _plain("power"),
    "true_divide": _plain("divide"),
    "positive": _with(lambda x: +x),
    "deg2rad": _with(lambda x: x * (pi / 180.0)),
    "radians": _with(lambda x: x * (pi / 180.0)),
    "rad2deg": _with(lambda x: x * (180.0 / pi)),
    "degrees": _with(lambda x: x * (180.0 / pi)),
    "logaddexp": _with(_log_of_sum),
    "logaddexp2": _with(_log2_of_sum),
    "signbit": _with(lambda x: np.copysign(1.0, x) < 0.0),
    "divmod": _with(divmod),
    "isinf": _with(lambda x: ~(np.isfinite(x) | np.isnan(x))),
    **{
        name: _plain(name)
        for name in ("conjugate", "bitwise_and", "bitwise_or", "bitwise_xor", "invert")
    },
}


def operation_of(ufunc: Any, recorder: Recorder) -> Recorded:
    """Return the function that records a ufunc; raise TraceError if models do not support it.

    Parameters
    ----------
    ufunc : numpy.ufunc
    recorder : Recorder
    """
    found = _KNOWN.get(ufunc)
    if found is None:
        # scipy.special._lambertw is what scipy.special.lambertw calls.
        special: Any = sys.modules.get("scipy.special._ufuncs")
        name = ufunc.__name__
        if special is not None and getattr(special, name, None) is ufunc and name in SPECIAL:
            found = _KNOWN[ufunc] = SPECIAL[name]
    if found is None:
        ours = getattr(np, ufunc.__name__, None) is ufunc
        where = "np" if ours else "scipy.special"
        recorder.refuse(f"{where}.{ufunc.__name__} is not a function that models support")
    return found


def _table() -> dict[Any, Recorded]:
    names = {
        **{name: _plain(name) for name in OPERATIONS if isinstance(getattr(np, name, 0), np.ufunc)},
        **_OTHERS,
    }
    return {getattr(np, name): record for name, record in names.items()}


_KNOWN = _table()
