"""A result as plain data, to be written to a file and read again."""

import json
import pickle
from collections.abc import Mapping
from dataclasses import fields
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from lmoo.arguments import integer, real_number
from lmoo.factor import Factor
from lmoo.status import Status

if TYPE_CHECKING:
    from lmoo.result import Result

__all__ = ["from_dict", "plain", "to_dict", "to_json"]

# What makes a result again, besides its factor.
_SCALARS = ("cost", "observations", "message", "nfev", "njev", "nit", "fnorm", "seconds")
_ARRAYS = ("x", "residual", "lower", "upper", "fixed", "active_mask")
_DTYPES = {"fixed": np.bool_, "active_mask": np.int8, "ipvt": np.int32, "held": np.bool_}


def to_dict(result: "Result") -> dict[str, Any]:
    """Return the result as numbers, strings, lists and dicts; see `Result.to_dict`."""
    out: dict[str, Any] = {
        "parameter_names": list(result.parameter_names),
        "status": int(result.status),
        "success": result.success,
        "degrees_of_freedom": result.degrees_of_freedom,
        "rank": result.rank,
        "undetermined": list(result.undetermined),
        "reduced_chi_square": result.reduced_chi_square,
        "aic": result.aic,
        "bic": result.bic,
        "standard_errors": result.standard_errors.tolist(),
        "covariance": result.covariance().tolist(),
        "correlation": result.correlation.tolist(),
        "confidence_interval": result.confidence_interval().tolist(),
    }
    out.update({name: getattr(result, name) for name in _SCALARS})
    out.update({name: getattr(result, name).tolist() for name in _ARRAYS})
    out["gradient"] = result.gradient.tolist()
    out["factor"] = None if result.factor is None else _factor(result.factor)
    return out


def _factor(factor: Factor) -> dict[str, Any]:
    parts = {field.name: getattr(factor, field.name) for field in fields(Factor)}
    return {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in parts.items()}


def to_json(result: "Result", indent: int | None) -> str:
    """Return the result as JSON; numbers that it does not know become strings."""
    return json.dumps(plain(to_dict(result)), indent=indent, allow_nan=False)


def plain(value: Any) -> Any:
    """Return value with "inf", "-inf" and "nan" for the numbers that JSON does not know."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [plain(part) for part in value]
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    return value


def from_dict(cls: type["Result"], stored: Any) -> "Result":
    """Return the result that `to_dict` or `to_json` has written."""
    try:
        factor = stored["factor"]
        result = cls(
            status=Status(stored["status"]),
            parameter_names=tuple(stored["parameter_names"]),
            factor=None if factor is None else _factor_of(factor),
            _gradient=_array("gradient", stored["gradient"]),
            **{name: _scalar(name, stored[name]) for name in _SCALARS},
            **{name: _array(name, stored[name]) for name in _ARRAYS},
        )
        _check_shapes(result)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(
            f"stored must be what Result.to_dict returns; it is not: {error!r}"
        ) from error
    return result


def _check_shapes(result: "Result") -> None:
    """Raise ValueError where arrays do not fit each other."""
    n, m = result.x.size, result.observations
    if result.residual.shape not in ((m,), (0,)):
        raise ValueError(f"residual must have shape {(m,)} or {(0,)}: {result.residual.shape}")
    if len(result.parameter_names) != n:
        raise ValueError(f"parameter_names must be {n}: {result.parameter_names}")
    each = ("x", "lower", "upper", "fixed", "active_mask", "gradient")
    _check_each(result, dict.fromkeys(each, (n,)))
    if result.factor is not None:
        _check_each(result.factor, {"r": (n, n), "ipvt": (n,), "qtf": (n,), "acnorm": (n,)})
        if sorted(result.factor.ipvt.tolist()) != list(range(n)):
            raise ValueError(f"ipvt must be a permutation: {result.factor.ipvt}")
        if result.factor.held is not None:
            _check_each(result.factor, {"held": (n,)})


def _check_each(owner: Any, shapes: Mapping[str, tuple[int, ...]]) -> None:
    for name, shape in shapes.items():
        found = np.shape(getattr(owner, name))
        if found != shape:
            raise ValueError(f"{name} must have shape {shape}: {found}")


def _factor_of(stored: dict[str, Any]) -> Factor:
    arrays = {
        name: None if stored[name] is None else _array(name, stored[name])
        for name in ("r", "ipvt", "qtf", "acnorm", "held")
    }
    return Factor(error=_scalar("error", stored["error"]), **arrays)  # type: ignore[arg-type]


def _scalar(name: str, value: Any) -> Any:
    if name == "message":
        return str(value)
    number = float(value) if value in ("inf", "-inf", "nan") else value
    whole = name in ("observations", "nfev", "njev", "nit")
    return integer(name, number) if whole else real_number(name, number)


def _array(name: str, value: Any) -> Any:
    # float() reads "inf" and "nan" too.
    return np.array(value, dtype=object).astype(_DTYPES.get(name, np.float64))


# ---- pickle ---------------------------------------------------------------------------------


def frozen(value: Any) -> bytes | None:
    """Return value as bytes; None where it cannot be pickled."""
    try:
        return pickle.dumps(value)
    except Exception:
        return None


def thawed(value: bytes | None) -> Any:
    """Return what `frozen` was given; None where it cannot be had here."""
    try:
        return None if value is None else pickle.loads(value)
    except Exception:
        return None
