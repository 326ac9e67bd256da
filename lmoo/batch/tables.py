"""Many fits as a table of pandas, or as a Dataset of xarray."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

_COUNTS = ("chi_square", "observations", "status", "success", "nfev", "nit")


def to_dataframe(fits: Any, failed: str) -> Any:
    """Return the fits as a table; see `Fits.to_dataframe`."""
    try:
        pd: Any = import_module("pandas")
    except ImportError as error:
        raise ImportError("to_dataframe needs pandas: pip install pandas") from error
    columns: dict[str, NDArray[Any]] = {}
    for name, value, error_ in _quantities(fits, failed):
        for label, values in ((name, value), (f"{name}_stderr", error_)):
            if label in columns or label in _COUNTS:
                raise ValueError(
                    f"the table would have two columns {label!r}: rename the parameter, or use "
                    "to_xarray, whose parameters are a dimension"
                )
            columns[label] = values.reshape(-1)
    columns |= {name: np.array(getattr(fits, name)).reshape(-1) for name in _COUNTS}
    index = None
    if len(fits.shape) > 1:
        levels = [range(size) for size in fits.shape]
        names = [f"dim_{k}" for k in range(len(fits.shape))]
        index = pd.MultiIndex.from_product(levels, names=names)
    return pd.DataFrame(columns, index=index)


def to_xarray(
    fits: Any, dims: Sequence[str] | None, coords: Mapping[str, Any] | None, failed: str
) -> Any:
    """Return the fits as a Dataset; see `Fits.to_xarray`."""
    try:
        import xarray as xr
    except ImportError as error:
        raise ImportError("to_xarray needs xarray: pip install lmoo[xarray]") from error
    stack = tuple(f"dim_{k}" for k in range(len(fits.shape))) if dims is None else tuple(dims)
    if isinstance(dims, str) or len(stack) != len(fits.shape):
        raise ValueError(
            f"dims must have a name for each of the {len(fits.shape)} dimensions of the stack, "
            f"{fits.shape}; it is {dims!r}"
        )
    names, values, errors = zip(*_quantities(fits, failed), strict=True)
    along = (*stack, "parameter")
    variables: dict[str, Any] = {
        "value": (along, np.stack(values, axis=-1)),
        "stderr": (along, np.stack(errors, axis=-1)),
    }
    covariance: Any = getattr(fits, "covariance", None)
    if covariance is not None and len(names) == covariance.shape[-1]:
        matrix = _known(np.asarray(covariance), fits.success[..., None, None], failed)
        variables["covariance"] = ((*along, "parameter_2"), matrix)
    variables |= {name: (stack, np.array(getattr(fits, name))) for name in _COUNTS}
    labels = {"parameter": list(names)}
    if "covariance" in variables:
        labels["parameter_2"] = list(names)
    return xr.Dataset(variables, {**labels, **(coords or {})})


def _quantities(fits: Any, failed: str) -> list[tuple[str, Any, Any]]:
    """Return names, values and errors of parameters and derived quantities."""
    if failed not in ("nan", "keep"):
        raise ValueError(f"failed must be 'nan' or 'keep'; it is {failed!r}")
    found = []
    for name in (*fits.parameter_names, *fits.derived_names):
        value, error = fits._quantity(name)
        # The last point of a fit that has not converged has no errors.
        error = _known(error, fits.success, "nan")
        found.append((name, _known(value, fits.success, failed), error))
    return found


def _known(values: Any, success: Any, failed: str) -> NDArray[np.float64]:
    """Return values, nan for fits that have not converged."""
    return np.array(values) if failed == "keep" else np.where(success, values, np.nan)
