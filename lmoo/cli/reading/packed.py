"""Columns of FITS and HDF5 whose stored numbers stand for others, or for a missing value."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Mask
from lmoo.cli.reading.errors import DataError, cut

# Attributes of netCDF by which stored numbers are packed; see "NetCDF Climate and Forecast (CF)
# Metadata Conventions", sections 2.5.1 and 8.1.
_FILLS = ("_FillValue", "missing_value")
_VALID = ("valid_range", "valid_min", "valid_max")
PACKING = (*_FILLS, "scale_factor", "add_offset", "_Unsigned", *_VALID)
# What netCDF writes in places without data if no other fill value is set (netcdf.h); it does so in
# data of one byte too, but there all numbers are valid.
_DEFAULT_FILLS = (
    9.969209968386869e36,
    *(-32767, 65535, -2147483647, 4294967295, -9223372036854775806, 18446744073709551614),
)
_FALSE, _TRUE = ord("F"), ord("T")


def is_packed(item: Any) -> bool:
    """Return whether the attributes of a data set say that its numbers stand for others."""
    return any(key in item.attrs for key in PACKING)


def unpacked(name: str, item: Any) -> Any:
    """Return the values of a data set of HDF5 without columns, with NaN for missing ones.

    Stored numbers equal to ``_FillValue``, ``missing_value`` or the fill value of netCDF, and those
    outside the valid range, are missing; then ``scale_factor`` and ``add_offset`` are applied.
    Texts that are equal to a fill value become empty.

    Parameters
    ----------
    name : str
        Name of the file, for messages.
    item : h5py.Dataset

    Raises
    ------
    DataError
        An attribute is not a number, or not one number.
    """
    stored = item[()]
    if stored.dtype.kind not in "iufb":
        return _without_texts(stored, item.attrs)
    where = f"{name}: {item.name}"
    if _is_set(item.attrs.get("_Unsigned")) and stored.dtype.kind == "i":
        stored = stored.view(stored.dtype.str.replace("i", "u"))
    gone = _filled(where, stored, item)
    scale, offset = (_number(where, item.attrs, key) for key in ("scale_factor", "add_offset"))
    if scale is None and offset is None:
        return np.where(gone, np.nan, stored) if gone.any() else stored
    values = stored.astype(np.float64)
    values = values * (1.0 if scale is None else scale) + (0.0 if offset is None else offset)
    for key in _FILLS:
        # A fill value with a fraction cannot be meant for whole numbers that are stored.
        if stored.dtype.kind in "iu" and np.asarray(item.attrs.get(key, 0)).dtype.kind == "f":
            gone |= np.isin(values, item.attrs[key])
    return np.where(gone, np.nan, values)


def is_logical(column: Any) -> bool:
    """Return whether a column of FITS has the logical values ``T`` and ``F``."""
    return str(column.format).lstrip("0123456789").startswith("L")


def null_rows(column: Any, stored: NDArray[Any]) -> Mask | None:
    """Return which rows of a column of FITS have no value; None if its form has no such rows.

    Parameters
    ----------
    column : astropy.io.fits.Column
        Its ``null`` is TNULLn: a stored number or, in an ASCII table, a text.
    stored : array
        The column as it is stored.  Empty cells of ASCII tables are missing too, and so are
        logical values that are neither ``T`` nor ``F``.
    """
    if stored.dtype.kind == "S":
        if str(column.format).lstrip("0123456789").startswith("A"):
            return None
        texts = np.char.strip(stored)
        null = str(column.null if column.null is not None else "").strip()
        empty: Mask = (texts == null.encode()) | (texts == b"")
        return empty
    if is_logical(column):
        known: Mask = np.isin(stored, (_FALSE, _TRUE))
        return ~known
    if column.null is None or stored.dtype.kind not in "iu":
        return None
    equal: Mask = stored == column.null
    return equal


def _filled(where: str, stored: NDArray[Any], item: Any) -> Mask:
    """Return which of the stored numbers stand for a missing value."""
    gone = np.zeros(stored.shape, bool)
    for key in _FILLS:
        for fill in _numbers(where, item.attrs, key):
            gone |= stored == _as_stored(fill, stored)
    default = np.float64(item.fillvalue) if stored.dtype.kind == "f" else int(item.fillvalue)
    if stored.dtype.itemsize > 1 and any(
        default == _as_stored(np.asarray(fill), stored) for fill in _DEFAULT_FILLS
    ):
        gone |= stored == item.fillvalue
    low, high = (_numbers(where, item.attrs, key) for key in ("valid_min", "valid_max"))
    bounds = _numbers(where, item.attrs, "valid_range")
    if bounds.size not in (0, 2) or low.size > 1 or high.size > 1:
        raise DataError(f"{where} has a valid range of {bounds.size or low.size} numbers")
    if bounds.size:
        low, high = bounds[:1], bounds[1:]
    if low.size:
        gone |= stored < low[0]
    if high.size:
        gone |= stored > high[0]
    return gone


def _as_stored(fill: Any, stored: NDArray[Any]) -> Any:
    """Return a fill value as it is among the stored numbers: rounded to their precision."""
    if stored.dtype.kind != "f":
        return fill
    with np.errstate(over="ignore"):
        return np.asarray(fill).astype(stored.dtype)


def _numbers(where: str, attributes: Mapping[str, Any], key: str) -> NDArray[Any]:
    """Return the numbers of an attribute, none if it is not there."""
    found = np.ravel(np.asarray(attributes.get(key, [])))
    if found.dtype.kind not in "iufb":
        raise DataError(f"{where}: the attribute {key} must be a number; it is {cut(str(found))}")
    return found


def _number(where: str, attributes: Mapping[str, Any], key: str) -> float | None:
    found = _numbers(where, attributes, key)
    if found.size > 1:
        raise DataError(
            f"{where}: the attribute {key} must be one number; it has {found.size} numbers"
        )
    return float(found[0]) if found.size else None


def _is_set(value: Any) -> bool:
    """Return whether a flag is true; netCDF writes it as a text."""
    return _text(value).lower() in ("true", "1")


def _without_texts(stored: NDArray[Any], attributes: Mapping[str, Any]) -> NDArray[Any]:
    fills = {
        _text(fill)
        for key in _FILLS
        for fill in np.ravel(np.asarray(attributes.get(key, []), dtype=object))
    }
    if not fills or stored.dtype.kind not in "OSU":
        return stored
    out = stored.astype(object)
    out[np.array([_text(value) in fills for value in stored.flat]).reshape(stored.shape)] = ""
    return out


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
