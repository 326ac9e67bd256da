"""Masked entries of arrays (``numpy.ma``): points without data.

``np.asarray`` drops a mask and keeps the numbers below it, which are arbitrary.  Data of points
may be masked: these points are left out.  Other arguments must not have a mask.
"""

import sys
from typing import Any

import numpy as np

from lmoo._core.arrays import Mask


def _has_masked(sequence: Any) -> bool:
    """Return whether an entry of a list or a tuple is a masked array."""
    kinds = {np.ma.MaskedArray, type(np.ma.masked)}
    return not kinds.isdisjoint(map(type, sequence))


def separated(value: Any) -> tuple[Any, Mask | None]:
    """Return an array without its mask, and the mask.

    Parameters
    ----------
    value : object
        An array, a list or a tuple of numbers or arrays; other objects are returned unchanged.

    Returns
    -------
    value : object
    mask : bool array of its shape, or None
        None if nothing is masked.

    Examples
    --------
    >>> import numpy as np
    >>> from lmoo._core.masks import separated
    >>> separated(np.ma.array([1, 2], mask=[False, True]))
    (array([1, 2]), array([False,  True]))
    >>> separated([1, 2])
    ([1, 2], None)
    """
    if type(value) is np.ndarray or value is None:
        return value, None
    if hasattr(value, "unmasked") and hasattr(value, "mask"):
        # A masked array or quantity of astropy, which np.asarray makes an array without its mask.
        hidden = np.asarray(value.mask)
        return value.unmasked, hidden if hidden.any() else None
    # Without this module there are no masked arrays; importing it would slow down `import lmoo`.
    if "numpy.ma" not in sys.modules:
        return value, None
    if isinstance(value, (list, tuple)) and _has_masked(value):
        # np.asarray also drops the masks of a sequence, and np.ma.array warns of single entries.
        mask = np.asarray([np.ma.getmaskarray(part) for part in value])
        parts = [np.nan if part is np.ma.masked else np.ma.getdata(part) for part in value]
        return np.asarray(parts), mask if mask.any() else None
    if not isinstance(value, np.ma.MaskedArray) or value.dtype.names is not None:
        return value, None
    mask = np.ma.getmaskarray(value)
    return np.ma.getdata(value), mask if mask.any() else None


def plain(value: Any) -> Any:
    """Return a nullable array of numbers of pandas as floats, with NaN for missing values.

    With a missing value, ``numpy.asarray`` returns an array of objects.  Other values are returned
    unchanged.
    """
    inner = getattr(getattr(value, "dtype", None), "numpy_dtype", None)
    if inner is None or inner.kind not in "biuf":
        return value
    return value.to_numpy(dtype=inner if inner.kind == "f" else np.float64, na_value=np.nan)


def refuse_masked(name: str, value: Any, remedy: str = "give a number for each entry") -> Any:
    """Return value without its mask; raise ValueError if an entry is masked."""
    value, mask = separated(value)
    if mask is not None:
        index = tuple(int(k) for k in np.argwhere(mask)[0])
        where = f"entry {', '.join(map(str, index))}" if index else "it"
        raise ValueError(f"{name} must not have masked entries; {where} is masked: {remedy}")
    return value
