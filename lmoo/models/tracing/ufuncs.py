"""The operations of models for the elementwise functions of numpy and scipy."""

import sys
from collections.abc import Callable
from math import log, pi, sqrt
from typing import Any

import numpy as np

from lmoo.models.graph.operations import OPERATIONS
from lmoo.models.tracing.applied import applied
from lmoo.models.tracing.placeholder import Placeholder
from lmoo.models.tracing.recorder import Recorder

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


def _times_log(x: Any, y: Any) -> Any:
    return np.where((x == 0.0) & ~np.isnan(y), 0.0, x * np.log(y))


def _times_log1p(x: Any, y: Any) -> Any:
    return np.where((x == 0.0) & ~np.isnan(y), 0.0, x * np.log1p(y))


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


def _voigt(x: Any, sigma: Any, gamma: Any) -> Any:
    """Return scipy's voigt_profile: the real part of ``w((x + i gamma)/(sigma sqrt(2)))``."""
    recorder = next(p.recorder for p in (x, sigma, gamma) if isinstance(p, Placeholder))
    a, b = x / (sigma * sqrt(2.0)), gamma / (sigma * sqrt(2.0))
    return applied(recorder, "wofz_real", a, b) / (sigma * sqrt(2.0 * pi))


def _ndtr(x: Any) -> Any:
    return 0.5 * _special("erfc", -x / sqrt(2.0))


def _bessel(order: Any, x: Any) -> Any:
    """Return the Bessel function of order 0 or 1."""
    if isinstance(order, Placeholder) or order not in (0, 1):
        x.recorder.refuse("scipy.special.jv is not supported for other orders than 0 and 1")
    return _special("j1" if order else "j0", x)


def _special(operation: str, x: Any) -> Any:
    return applied(x.recorder, operation, x)


# ufuncs of scipy.special.
_SCIPY: dict[str, Recorded] = {
    **{
        name: _plain(name)
        for name in (
            "erf", "erfc", "erfcx", "gamma", "gammaln", "expit", "i0", "i1", "j0", "j1", "wofz",
            "cbrt", "exp2", "expm1", "log1p",
        )
    },
    "psi": _plain("digamma"),
    "jv": _with(_bessel),
    "voigt_profile": _with(_voigt),
    "ndtr": _with(_ndtr),
    "logit": _with(lambda p: np.log(p / (1.0 - p))),
    "exp10": _with(lambda x: 10.0**x),
    "exprel": _with(lambda x: np.where(x == 0.0, 1.0, np.expm1(x) / x)),
    "xlogy": _with(_times_log),
    "xlog1py": _with(_times_log1p),
}  # fmt: skip


def operation_of(ufunc: Any, recorder: Recorder) -> Recorded:
    """Return the function that records a ufunc; raise TraceError if models do not support it.

    Parameters
    ----------
    ufunc : numpy.ufunc
    recorder : Recorder
    """
    found = _KNOWN.get(ufunc)
    if found is None:
        special: Any = sys.modules.get("scipy.special")
        name = ufunc.__name__
        if special is not None and getattr(special, name, None) is ufunc and name in _SCIPY:
            found = _KNOWN[ufunc] = _SCIPY[name]
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
