"""Convert results to plain data and back: dict, JSON, pickle."""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from math import isfinite
from typing import Any, TypeVar

import numpy as np

from lmoo.problems.arguments import integer, real_number
from lmoo.problems.units import package_of, unit_from_text
from lmoo.results.arrowfactor import ArrowFactor
from lmoo.results.curvature import Nonlinearity
from lmoo.results.factor import Factor
from lmoo.results.fit import Fit
from lmoo.results.mapped import MappedFactor
from lmoo.results.parametertable import derived_of, table
from lmoo.results.related import Related
from lmoo.results.report.cautions import cautions, known_nonlinearity
from lmoo.results.report.correlations import correlations
from lmoo.results.report.subject import kept_subject
from lmoo.results.robust import Robust
from lmoo.results.scaledblocks import LARGEST_MATRIX, ScaledBlocks
from lmoo.results.sparsefactor import SparseFactor
from lmoo.results.statistics import aic, bic, known_r_squared, linear_interval
from lmoo.results.storedfields import DTYPES, check, flag
from lmoo.status import Status

Kind = TypeVar("Kind", bound=Fit)

# The fields of a result that are stored, besides its factor.
_SCALARS = ("cost", "observations", "message", "nfev", "njev", "nit", "fnorm", "seconds")
_TEXTS = ("message", "evaluation")
_ERRORS = ("standard_errors", "covariance", "correlation", "confidence_interval")
_ARRAYS = ("x", "residual", "lower", "upper", "fixed", "active_mask")


def to_dict(result: Fit) -> dict[str, Any]:
    """Return the result as numbers, strings, lists and dicts; see `Result.to_dict`."""
    # Larger matrices are not made of the factor of a joint fit, or of a sparse Jacobian.
    small = result.x.size <= LARGEST_MATRIX or not isinstance(result.factor, ScaledBlocks)
    out: dict[str, Any] = {
        "parameter_names": list(result.parameter_names),
        "status": int(result.status),
        "success": result.success,
        "absolute_sigma": result.absolute_sigma,
        "subject": dict(kept_subject(result)),
        "warnings": cautions(result, correlations(result)),
        "nonlinearity": _plain_nonlinearity(result),
        "degrees_of_freedom": result.degrees_of_freedom,
        "rank": result.rank,
        "undetermined": list(result.undetermined),
        "reduced_chi_square": result.reduced_chi_square,
        "aic": aic(result),
        "bic": bic(result),
        "standard_errors": result.standard_errors.tolist(),
        "covariance": result.covariance().tolist() if small else None,
        "correlation": result.correlation.tolist() if small else None,
        "confidence_interval": linear_interval(result, 0.95, None).tolist(),
        "evaluation": result.evaluation,
        "r_squared": known_r_squared(result),
        "units": {name: str(unit) for name, unit in result.units.items()},
        "units_of": next(map(package_of, result.units.values()), None),
    }
    out.update({name: getattr(result, name) for name in _SCALARS})
    out.update({name: getattr(result, name).tolist() for name in _ARRAYS})
    out["gradient"] = result.gradient.tolist()
    out["x0"] = None if result.x0 is None else result.x0.tolist()
    out["estimated_t"] = _plain_t(result.estimated_t)
    out["robust"] = None if result.robust is None else _parts(result.robust)
    out["factor"] = None if result.factor is None else _parts(result.factor)
    out["related"] = None if result.related is None else _parts(result.related)
    out["params"] = [row._asdict() for row in table(result)]
    out["derived"] = {name: value._asdict() for name, value in derived_of(result)}
    return out


def _plain_nonlinearity(result: Fit) -> dict[str, float] | None:
    """Return the curvatures that the report has; None if they were not evaluated."""
    found = known_nonlinearity(result) if result.success else None
    return None if found is None else asdict(found)


def _plain_t(estimates: Any) -> Any:
    """Return the estimates of t as lists; those of a tuple as a dict, which is no (k, m) array."""
    if isinstance(estimates, tuple):
        return {"variables": [variable.tolist() for variable in estimates]}
    return None if estimates is None else estimates.tolist()


def _parts(owner: Any) -> dict[str, Any]:
    parts = {field.name: getattr(owner, field.name) for field in fields(owner)}
    parts.pop("inner", None) if isinstance(owner, Related) else None
    return {k: _plain_part(v) for k, v in parts.items()}


def _plain_part(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, tuple):
        return list(value)
    return _parts(value) if isinstance(value, Factor) else value


def to_json(result: Fit, indent: int | None) -> str:
    """Return the result as JSON; inf, -inf and nan become strings."""
    return json.dumps(for_json(result), indent=indent, allow_nan=False)


def for_json(result: Fit) -> dict[str, Any]:
    """Return the result as JSON can store it: None for errors where there is no minimum."""
    out = to_dict(result)
    if not result.success:
        out |= dict.fromkeys(_ERRORS)
        for row in (*out["params"], *out["derived"].values()):
            row["stderr"] = None
    return {key: plain(part) for key, part in out.items()}


def plain(value: Any) -> Any:
    """Return value with "inf", "-inf" and "nan" for the numbers that JSON cannot represent."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [plain(part) for part in value]
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    return value


def from_dict(cls: type[Kind], stored: Any) -> Kind:
    """Return the result that was stored by `to_dict` or `to_json`."""
    try:
        factor = stored["factor"]
        result = cls(
            status=Status(integer("status", stored["status"])),
            parameter_names=_names(stored["parameter_names"]),
            factor=None if factor is None else _factor_of(factor),
            _gradient=_array("gradient", stored["gradient"]),
            # What was stored before there were losses has none.
            robust=_robust_of(stored.get("robust")),
            related=_related_of(stored.get("related")),
            estimated_t=_t_of(stored.get("estimated_t")),
            # What was stored before had none of these.
            _units=_units_of(stored.get("units") or {}, stored.get("units_of")),
            _r_squared=_number("r_squared", stored.get("r_squared", "nan")),
            _subject=_pairs(stored.get("subject") or {}),
            evaluation=_scalar("evaluation", stored.get("evaluation", "called")),
            absolute_sigma=flag("absolute_sigma", stored.get("absolute_sigma", False)),
            x0=None if stored.get("x0") is None else _array("x0", stored["x0"]),
            **{name: _scalar(name, stored[name]) for name in _SCALARS},
            **{name: _array(name, stored[name]) for name in _ARRAYS},
        )
        check(result)
        curved = stored.get("nonlinearity")
        if curved is not None:
            ends = (_number(name, curved[name]) for name in ("intrinsic", "parameter_effects"))
            vars(result)["_nonlinearity"] = Nonlinearity(*ends)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(
            f"stored must be what Result.to_dict returns; it is not: {error!r}"
        ) from error
    return result


def _units_of(stored: Any, package: Any) -> dict[str, Any]:
    """Return units; texts where the package cannot read them."""
    if package is not None and not isinstance(package, str):
        raise TypeError(f"units_of must be the name of a package: {package!r}")
    pairs = _pairs(stored)
    return {name: unit_from_text(text, package) for name, text in pairs}


def _t_of(stored: Any) -> Any:
    if isinstance(stored, Mapping):
        return tuple(_array("estimated_t", variable) for variable in stored["variables"])
    return None if stored is None else _array("estimated_t", stored)


def _related_of(stored: dict[str, Any] | None) -> Related | None:
    if stored is None:
        return None
    texts = ("ties", "priors", "active", "derived", "texts")
    arrays = ("means", "sigmas", "rows", "values", "z")
    z = _array("z", stored["z"])
    slopes = _array("slopes", stored["slopes"]).reshape(len(stored["derived"]), z.size)
    parts: dict[str, Any] = {name: _names(stored[name]) for name in texts}
    parts |= {name: _array(name, stored[name]) for name in arrays}
    return Related(
        fitted=integer("fitted", stored["fitted"]),
        norm=_number("norm", stored["norm"]),
        slopes=slopes,
        **parts,
    )


def _factor_of(stored: dict[str, Any]) -> Any:
    if "inner" in stored:
        inner = _factor_of(stored["inner"])
        assert isinstance(inner, Factor)
        q = inner.acnorm.size
        return MappedFactor(
            inner,
            _array("slopes", stored["slopes"]).reshape(-1, q),
            _array("prior_slopes", stored["prior_slopes"]).reshape(-1, q),
            _array("coordinate", stored["coordinate"]),
            _scalar("slope", stored["slope"]),
        )
    error = _scalar("error", stored["error"])
    if "blocks" in stored:
        # What was stored before has all shared parameters in each group.
        whole = {"span": None, "columns": None, **stored}
        parts = ("first", "blocks", "order", "ranks", "t", "torder", "span", "columns")
        trank = integer("trank", stored["trank"])
        return ArrowFactor(trank=trank, error=error, **_optional_arrays(whole, parts))
    if "starts" in stored:
        return SparseFactor(error=error, **_optional_arrays(stored, ("data", "columns", "starts")))
    return Factor(error=error, **_optional_arrays(stored, ("r", "ipvt", "qtf")))


def _optional_arrays(stored: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Return the arrays of a factor by name, and those that all factors have."""
    return {
        name: None if stored[name] is None else _array(name, stored[name])
        for name in (*names, "acnorm", "excluded")
    }


def _robust_of(stored: dict[str, Any] | None) -> Robust | None:
    if stored is None:
        return None
    if not isinstance(stored["name"], str):
        raise TypeError(f"name of the loss must be a string: {stored['name']!r}")
    return Robust(
        stored["name"],
        _number("scale", stored["scale"]),
        _array("weights", stored["weights"]),
        _array("sums", stored["sums"]),
    )


def _pairs(stored: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(stored, Mapping):
        raise TypeError(f"subject and units must be mappings of str: {stored!r}")
    return tuple((_scalar("message", k), _scalar("message", v)) for k, v in stored.items())


def _names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(name, str) for name in value):
        raise TypeError(f"parameter_names must be strings: {value!r}")
    return tuple(value)


def _scalar(name: str, value: Any) -> Any:
    if name in _TEXTS:
        if not isinstance(value, str):
            raise TypeError(f"{name} must be a string: {value!r}")
        return value
    whole = name in ("observations", "nfev", "njev", "nit")
    return integer(name, value) if whole else _number(name, value)


def _number(name: str, value: Any) -> float:
    """Return a number, or the number that "inf", "-inf" or "nan" stands for."""
    if isinstance(value, str) and value in ("inf", "-inf", "nan"):
        return float(value)
    return real_number(name, value)


def _array(name: str, value: Any) -> Any:
    """Return a list of numbers, or of lists of numbers, as an array without rounding."""
    dtype = DTYPES.get(name, np.float64)
    array = np.array(value, dtype=object)
    for entry in array.flat:
        if dtype is np.float64:
            _number(name, entry)
        elif dtype is not np.bool_:
            integer(name, entry)
        elif not isinstance(entry, (bool, np.bool_)):
            raise TypeError(f"{name} must be true or false: {entry!r}")
    return array.astype(dtype)
