"""The order of points in series and labelled arrays, which must be the same for t, y and sigma."""

import sys
from collections.abc import Sequence
from typing import Any

from lmoo.problems.columns import is_frame, is_series


def check_indexes(
    t: Any, y: Any, sigma: Any, sigma_x: Any, called: tuple[str, str], stack: bool = False
) -> None:
    """Raise ValueError if series have different indexes: points are matched by position.

    In a stack a table has a row for each curve, and its columns are the points.
    """
    given = [(called[0], t), (called[1], y), ("sigma", sigma), ("sigma_x", sigma_x)]
    parts = [part for name, value in given for part in _parts(name, value)]
    indexed = [(name, part.index) for name, part in parts if is_series(part)]
    frames = [(name, part) for name, part in parts if is_frame(part)]
    if stack:
        _check_same([(name, part.index) for name, part in frames])
        indexed += [(f"the columns of {name}", part.columns) for name, part in frames]
    else:
        indexed += [(name, part.index) for name, part in frames]
    _check_same(indexed)


def _parts(name: str, value: Any) -> list[tuple[str, Any]]:
    """Return the entries of a tuple, or of a list of series, with names; another value alone."""
    several = isinstance(value, tuple) or (type(value) is list and value and is_series(value[0]))
    return [(f"{name}[{k}]", part) for k, part in enumerate(value)] if several else [(name, value)]


def _check_same(indexed: Sequence[tuple[str, Any]]) -> None:
    """Raise ValueError if two of the indexes, with their names, are different."""
    for name, index in indexed[1:]:
        first, other = indexed[0]
        if not index.equals(other):
            alone = f"give {name}.loc[{first}.index], or {name}.to_numpy()"
            raise ValueError(
                f"{first} and {name} must have the same index, as points are matched by their "
                f"position; the indexes are {_shown(other)} and {_shown(index)}: take them from "
                f"one table, or {'give arrays' if 'columns' in first + name else alone} to ignore "
                "it"
            )


def _shown(index: Any) -> str:
    some = ", ".join(str(label) for label in index[:3])
    return f"[{some}{', ...' if len(index) > 3 else ''}] of {len(index)}"


def is_labelled(value: Any) -> bool:
    """Return whether the value is an xarray.DataArray."""
    kind = getattr(sys.modules.get("xarray"), "DataArray", None)
    return kind is not None and isinstance(value, kind)


def check_points_last(t: Any, y: Any) -> None:
    """Raise ValueError if labelled variables of a stack do not vary along the last axis of y."""
    parts = t if isinstance(t, tuple) else (t,)
    if not is_labelled(y) or not all(is_labelled(part) for part in parts):
        return
    dims = {dim for part in parts for dim in part.dims}
    if dims and dims <= set(y.dims) and y.dims[-1] not in dims:
        *_, last = parts[0].dims
        raise ValueError(
            f"y must have the points of a curve along its last dimension, {y.dims[-1]!r}, and t "
            f"has {', '.join(sorted(map(repr, dims)))}: give y.transpose(..., {last!r})"
        )


def aligned(name: str, value: Any, y: Any, called: str = "y", stack: bool = False) -> Any:
    """Return a labelled array, or a tuple of them, with the dimensions of y in its order.

    In a stack a variable that all curves have in common is left as it is.
    """
    if not is_labelled(y):
        return value
    if isinstance(value, tuple):
        return tuple(aligned(name, part, y, called, stack) for part in value)
    if not is_labelled(value) or not set(value.dims) <= set(y.dims):
        return value
    try:
        exact, like = sys.modules["xarray"].align(value, y, join="exact", copy=False)
    except ValueError as error:
        raise ValueError(
            f"{name} and {called} must have the same coordinates, and are not aligned, as points "
            f"are matched by their position: take them from one Dataset, or give {name}.to_numpy() "
            "to ignore them"
        ) from error
    if stack and exact.dims == y.dims[-1:]:
        return exact
    return exact.broadcast_like(like).transpose(*y.dims)
