"""Missing points of data: those that are masked or NaN."""

from typing import Any

import numpy as np

from lmoo._core.arrays import Array, Mask
from lmoo._core.masks import plain, separated


def missing_of(value: Any, omit: bool, infinite: bool = False) -> tuple[Any, Mask | None]:
    """Return an array without its mask, and which of its entries are missing.

    Parameters
    ----------
    value : object
        As for `lmoo._core.masks.separated`.
    omit : bool
        Whether NaN is missing too.
    infinite : bool
        Whether infinities are too, then.

    Returns
    -------
    value : object
    missing : bool array of its shape, or None
        None if no entry is; entries of a single number never are.

    Examples
    --------
    >>> import numpy as np
    >>> from lmoo.problems.missing import missing_of
    >>> missing_of(np.array([1.0, np.nan]), omit=True)[1]
    array([False,  True])
    """
    if not omit or value is None:
        return separated(value)
    value, mask = separated(value)
    array = value if isinstance(value, np.ndarray) else np.asarray(plain(value))
    if array.ndim == 0 or array.dtype.kind not in "fc":
        return value, mask
    bad = ~np.isfinite(array) if infinite else np.isnan(array)
    if not bad.any():
        return value, mask
    return value, bad if mask is None else mask | bad


def unmasked(t: Any, omit: bool = False) -> tuple[Any, list[Mask]]:
    """Return t without the masks of its arrays, and these masks; with omit also those of NaN."""
    if isinstance(t, tuple):
        found = [unmasked(part, omit) for part in t]
        return tuple(part for part, _ in found), [mask for _, masks in found for mask in masks]
    if omit and hasattr(t, "iloc"):
        missing = np.asarray(t.isna()).T
        return t, [missing] if missing.any() else []
    t, mask = missing_of(t, omit)
    return t, [] if mask is None else [mask]


def not_masked(
    masks: list[Mask], of_y: Mask | None, of_sigma: Mask | None, m: int, name: str
) -> Mask | None:
    """Return which of the m points are not masked; None if nothing is masked."""
    if not masks and of_y is None and of_sigma is None:
        return None
    keep = np.ones(m, dtype=bool) if of_y is None else ~of_y
    for mask in masks:
        keep &= ~_masked_points(name, mask, m)
    if of_sigma is not None:
        keep &= ~_masked_in_sigma(of_sigma, m, keep)
    return keep


def refuse_masked_points(t: Any) -> Any:
    """Return t without its masks; ValueError if entries are masked."""
    t, masks = unmasked(t)
    if masks:
        raise ValueError(
            "t must not have masked entries: leave the points out, t.compressed() for one variable"
        )
    return t


def _masked_points(name: str, mask: Mask, m: int) -> Mask:
    """Return the points at which one of the variables is masked, (m,)."""
    if mask.shape[-1:] != (m,):
        raise ValueError(
            f"{name} must have its {m} points along its last axis where entries are masked; its "
            f"shape is {mask.shape}"
        )
    return np.asarray(mask.reshape(-1, m).any(axis=0))


def _masked_in_sigma(mask: Mask, m: int, keep: Mask) -> Mask:
    """Return the points that are masked in sigma, (m,)."""
    if mask.size == 1 and mask.ndim < 2 and m != 1:
        raise ValueError("sigma must be a number; it is masked: give one, or None")
    if mask.ndim < 2:
        return mask.reshape(m)
    points = mask.diagonal().copy()
    pairs = mask & np.outer(keep & ~points, keep & ~points)
    if pairs.any():
        i, j = np.argwhere(pairs)[0]
        raise ValueError(
            f"sigma must have the covariance of all points that are used; sigma[{i}, {j}] is "
            f"masked: mask the diagonal, sigma[{i}, {i}] or sigma[{j}, {j}], to leave a point out"
        )
    return points


def selected(
    t: Any, y: Array, sigma: Array | None, keep: Mask, name: str
) -> tuple[Any, Array, Array | None]:
    """Return the data of some of the points."""
    if sigma is not None:
        sigma = sigma[keep] if sigma.ndim == 1 else sigma[np.ix_(keep, keep)]
    return _selected_of(t, keep, name), y[keep], sigma


def _selected_of(t: Any, keep: Mask, name: str) -> Any:
    if isinstance(t, tuple):
        return tuple(_selected_of(part, keep, name) for part in t)
    check_places(name, t, keep.size, "where points are left out")
    return t.iloc[keep] if hasattr(t, "iloc") else t[..., keep]


def check_places(name: str, part: Any, m: int, when: str) -> None:
    """Raise ValueError if the shape does not show which entries belong to a point."""
    frame = hasattr(part, "iloc")  # a data frame of pandas has one row per point
    array = part if isinstance(part, np.ndarray) else np.empty(0)
    if (part.shape[:1] if frame else array.shape[-1:]) != (m,):
        raise ValueError(
            f"{name} must have its {m} points along its last axis, or be a table of them, {when}; "
            f"it is {part!r}"
        )
