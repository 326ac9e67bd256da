"""A result as plain data, to be written to a file and read again."""

import json
import pickle
from dataclasses import fields
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

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
        return cls(
            status=Status(stored["status"]),
            parameter_names=tuple(stored["parameter_names"]),
            factor=None if factor is None else _factor_of(factor),
            _gradient=_array("gradient", stored["gradient"]),
            **{name: _scalar(stored[name]) for name in _SCALARS},
            **{name: _array(name, stored[name]) for name in _ARRAYS},
        )
    except (KeyError, TypeError) as error:
        raise ValueError(
            f"stored must be what Result.to_dict returns; it is not: {error!r}"
        ) from error


def _factor_of(stored: dict[str, Any]) -> Factor:
    arrays = {
        name: None if stored[name] is None else _array(name, stored[name])
        for name in ("r", "ipvt", "qtf", "acnorm", "held")
    }
    return Factor(error=stored["error"], **arrays)  # type: ignore[arg-type]


def _scalar(value: Any) -> Any:
    return float(value) if value in ("inf", "-inf", "nan") else value


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
