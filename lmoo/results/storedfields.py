"""Checks of the fields of results that were stored."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from lmoo.problems.arguments import integer, real_number
from lmoo.problems.names import names_of
from lmoo.results.factor import check_arrays
from lmoo.results.fit import Fit
from lmoo.results.mapped import MappedFactor
from lmoo.results.related import Related
from lmoo.status import Status

# Of the arrays that are not float64.
DTYPES = {
    "fixed": np.bool_, "active_mask": np.int8, "ipvt": np.int32, "excluded": np.bool_,
    "coordinate": np.int64, "first": np.intp, "order": np.int32, "ranks": np.int32,
    "torder": np.int32, "columns": np.int32, "starts": np.int64, "span": np.intp,
}  # fmt: skip


def check(result: Fit) -> None:
    """Raise TypeError or ValueError if the fields of a result are inconsistent."""
    n, m = result.x.size, result.observations
    for name in ("observations", "nfev", "njev", "nit"):
        if integer(name, getattr(result, name)) < 0:
            raise ValueError(f"{name} must not be negative: {getattr(result, name)}")
    if not isinstance(result.status, Status):
        raise TypeError(f"status must be a Status: {result.status!r}")
    if np.shape(result.residual) not in ((m,), (0,)):
        raise ValueError(f"residual must have shape {(m,)} or {(0,)}: {np.shape(result.residual)}")
    if names_of(result.parameter_names, n) != result.parameter_names:
        raise TypeError(f"parameter_names must be a tuple of str: {result.parameter_names!r}")
    each = ("x", "lower", "upper", "fixed", "active_mask")
    _check_each(result, dict.fromkeys(each, (n,)))
    _check_each(result, {"residual": np.shape(result.residual)})
    for name in ("_gradient", "x0"):
        if getattr(result, name) is not None:
            _check_each(result, {name: (n,)})
    flag("absolute_sigma", result.absolute_sigma)
    if not (np.abs(result.active_mask) <= 1).all():
        raise ValueError(f"active_mask must be -1, 0 or 1: {result.active_mask}")
    # A fit that was not solved has none.
    unsolved = np.isnan(result.x) & (not result.status.success)
    if not (unsolved | (result.lower <= result.x) & (result.x <= result.upper)).all():
        raise ValueError(f"x must be within its bounds: {result.x}, {result.lower}, {result.upper}")
    if result.robust is not None:
        _check_each(result.robust, {"sums": (4,), "weights": np.shape(result.residual)})
    _check_t(result.estimated_t, m)
    _check_history(result.history, n)
    if result.related is not None:
        _check_related(result.related, n)
    factor: Any = result.factor
    if factor is not None:
        factor.check(n)
    related = getattr(factor, "of_coordinates", False)
    if factor is not None and related != (result.related is not None):
        raise ValueError("factor must be that of coordinates where parameters are related")
    priors = 0 if result.related is None else len(result.related.priors)
    if isinstance(factor, MappedFactor) and len(factor.prior_slopes) != priors:
        raise ValueError(f"prior_slopes must be those of {priors} priors")


def flag(name: str, value: Any) -> bool:
    """Return value; TypeError unless it is true or false."""
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be true or false: {value!r}")
    return value


def _check_t(estimates: Any, m: int) -> None:
    if estimates is None:
        return
    parts = estimates if isinstance(estimates, tuple) else (estimates,)
    most = 1 if isinstance(estimates, tuple) else 2
    for part in parts:
        good = isinstance(part, np.ndarray) and part.dtype == np.float64
        # Nothing has been evaluated where m is 0.
        if not good or not 1 <= part.ndim <= most or (m and part.shape[-1] != m):
            raise ValueError(f"estimated_t must have a float64 number for each of {m} points")
    if not parts:
        raise ValueError("estimated_t must have a variable at least")


def _check_related(related: Any, n: int) -> None:
    if not isinstance(related, Related):
        raise TypeError(f"related must be a Related or None: {related!r}")
    k, d, q = len(related.priors), len(related.derived), related.z.size
    if len(related.ties) != n or len(related.texts) != d:
        raise ValueError("related must have a tie per parameter, and a text per derived quantity")
    if integer("fitted", related.fitted) < 0 or real_number("norm", related.norm) < 0:
        raise ValueError(f"fitted and norm must not be negative: {related.norm}")
    shapes: dict[str, tuple[int, ...]] = dict.fromkeys(("means", "sigmas", "rows"), (k,))
    _check_each(related, {**shapes, "values": (d,), "slopes": (d, q), "z": (q,)})


def _check_history(history: Any, n: int) -> None:
    if history is None:
        return
    from lmoo.results.history import History

    if not isinstance(history, History):
        raise TypeError(f"history must be a History or None: {history!r}")
    k = len(history)
    for field in fields(History):
        shape = (k, n) if field.name in ("x", "gradient") else (k,)
        if np.shape(getattr(history, field.name)) != shape:
            raise ValueError(f"{field.name} of the history must have shape {shape}")


def _check_each(owner: Any, shapes: Mapping[str, tuple[int, ...]]) -> None:
    check_arrays(owner, {name: (DTYPES.get(name, np.float64), shapes[name]) for name in shapes})
