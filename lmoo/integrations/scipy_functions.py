"""The functions that replace scipy's: lmoo's, or scipy's own where lmoo does not support a call."""

import functools
import inspect
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import numpy as np

from lmoo.scipy_api.curve_fit import curve_fit
from lmoo.scipy_api.least_squares import least_squares
from lmoo.scipy_api.leastsq import leastsq

Function = Callable[..., Any]

# Defaults of the arguments that are checked.
_DEFAULTS: dict[str, Any] = {
    "bounds": (-np.inf, np.inf),
    "jac": None,
    "jac_sparsity": None,
    "kwargs": {},
    "max_nfev": None,
    "nan_policy": None,
    "tr_solver": None,
}

# Whether one of scipy's own functions runs: what it calls in turn is scipy's too.
_PASSED_ON: ContextVar[bool] = ContextVar("_PASSED_ON", default=False)


def replacement(original: Function) -> Function:
    """Return the function that replaces one of scipy's.

    It has the name, the documentation and the signature of the original, which is its attribute
    ``__wrapped__``.

    Parameters
    ----------
    original : callable
        ``leastsq``, ``curve_fit`` or ``least_squares`` of scipy.optimize.

    Examples
    --------
    >>> import scipy.optimize
    >>> from lmoo.integrations.scipy_functions import replacement
    >>> x, ier = replacement(scipy.optimize.leastsq)(lambda x: x - 3.0, 0.0)
    >>> x
    array([3.])
    """
    supported, run = _CALLS[original.__name__]
    signature = inspect.signature(original)

    def passed_on(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        token = _PASSED_ON.set(True)
        try:
            return original(*args, **kwargs)
        finally:
            _PASSED_ON.reset(token)

    @functools.wraps(original)
    def replaced(*args: Any, **kwargs: Any) -> Any:
        if _PASSED_ON.get():
            return original(*args, **kwargs)
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError:
            # scipy's own message.
            return original(*args, **kwargs)
        given = {**_DEFAULTS, **bound.arguments}
        if not supported(given):
            return passed_on(args, kwargs)
        if original.__name__ == "least_squares" and callable(given["jac"]):
            bound.arguments["jac"] = _refusing_sparse(given["jac"])
        try:
            return run(bound.args, bound.kwargs)
        except _SparseJacobian:
            return passed_on(args, kwargs)

    replaced.__lmoo_replaces__ = original  # type: ignore[attr-defined]
    return replaced


def _least_squares(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    from scipy.optimize import OptimizeResult

    return OptimizeResult(least_squares(*args, **kwargs))


def _least_squares_supported(given: dict[str, Any]) -> bool:
    """Return whether `least_squares` of lmoo does what the arguments of a call ask for.

    Sparse problems are left to scipy, whose LSMR needs less memory than a factorisation.
    """
    workers = given.get("workers")
    return (
        given["tr_solver"] != "lsmr"
        and given["jac_sparsity"] is None
        # With one evaluation scipy takes no step.
        and given["max_nfev"] != 1
        and (workers is None or callable(workers))
        and _shapes_agree(given["x0"], given["bounds"])
    )


def _shapes_agree(x0: Any, bounds: Any) -> bool:
    """Return whether bounds that are vectors have one entry for each parameter."""
    pair = (bounds.lb, bounds.ub) if hasattr(bounds, "lb") else bounds
    try:
        sizes = {np.size(part) for part in pair if np.ndim(part)}
    except (TypeError, ValueError):
        return False
    return sizes <= {np.size(x0)}


def _leastsq_supported(given: dict[str, Any]) -> bool:
    """Return whether the start is one that lmoo takes: complex numbers are scipy's to refuse."""
    return not np.iscomplexobj(given["x0"])


_CURVE_OPTIONS = frozenset(
    {"ftol", "xtol", "gtol", "maxfev", "max_nfev", "factor", "diag", "x_scale", "epsfcn"}
    | {"diff_step", "loss", "f_scale"}
)


def _curve_supported(given: dict[str, Any]) -> bool:
    """Return whether `curve_fit` of lmoo has the options of a call."""
    policy = given["nan_policy"]
    return set(given["kwargs"]) <= _CURVE_OPTIONS and policy in (None, "raise", "omit")


class _SparseJacobian(Exception):  # noqa: N818
    """A Jacobian is sparse: the call is for scipy's own function."""


def _refusing_sparse(jac: Function) -> Function:
    @functools.wraps(jac, updated=())
    def dense(*args: Any, **kwargs: Any) -> Any:
        found = jac(*args, **kwargs)
        if hasattr(found, "todense") or hasattr(found, "matvec"):
            raise _SparseJacobian
        return found

    return dense


_CALLS: dict[str, tuple[Callable[[dict[str, Any]], bool], Function]] = {
    "leastsq": (_leastsq_supported, lambda args, kwargs: leastsq(*args, **kwargs)),
    "curve_fit": (_curve_supported, lambda args, kwargs: curve_fit(*args, **kwargs)),
    "least_squares": (_least_squares_supported, _least_squares),
}
