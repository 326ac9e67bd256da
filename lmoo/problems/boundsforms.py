"""Bounds and fixed parameters as callers write them, in forms that can be compared and hashed."""

from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import numpy as np

from lmoo._core.arrays import Array
from lmoo._core.masks import refuse_masked
from lmoo.problems.arguments import real_number, shortened
from lmoo.problems.columns import is_frame
from lmoo.problems.names import labelled

Key = str | int

# Labels of the lower and the upper bounds in a table.
_TABLE_ENDS = (("lower", "upper"), ("min", "max"), ("lb", "ub"))

_SHAPES = (
    "a pair (lower, upper) of numbers or sequences with one number per parameter, an object with "
    "lb and ub, or a mapping from names or positions to pairs"
)


class FrozenMapping(Mapping[Key, Any]):
    """An immutable mapping that can be hashed.

    Examples
    --------
    >>> from lmoo.problems.boundsforms import FrozenMapping
    >>> FrozenMapping({"rate": (0.0, 1.0)})
    {'rate': (0.0, 1.0)}
    """

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[Any, Any]) -> None:
        self._items = dict(items)

    def __getitem__(self, key: Key) -> Any:
        return self._items[key]

    def __iter__(self) -> Iterator[Key]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(frozenset(self._items.items()))

    def __repr__(self) -> str:
        return repr(self._items)


def key_of(name: str, key: Any) -> Key:
    """Return a name or a position; TypeError if key is neither."""
    if isinstance(key, str):
        return key
    if isinstance(key, (int, np.integer)) and not isinstance(key, bool):
        return int(key)
    raise TypeError(f"{name} must give parameters by name or position; it has {key!r}")


def frozen_bounds(bounds: Any, scipy: bool = False) -> Hashable:
    """Return bounds in a form that can be compared and hashed, and that `limits` takes.

    The form is None, a pair of floats, tuples of floats and mappings of names, or a
    `FrozenMapping`.  All checks of `limits` that do not depend on the parameters are made.

    Parameters
    ----------
    bounds : None, pair, object or mapping
        As for `limits`.
    scipy : bool, default False
        Read a tuple of two tuples as (lower, upper), like ``scipy.optimize.curve_fit``.

    Raises
    ------
    TypeError, ValueError
        As for `limits`, except for errors that depend on the names or the number of parameters.

    Examples
    --------
    >>> from lmoo.problems.boundsforms import frozen_bounds
    >>> frozen_bounds(([0, 1], None))
    ((0.0, 1.0), inf)
    """
    if bounds is None or type(bounds) in (FrozenMapping, _Sides):
        return bounds  # type: ignore[no-any-return]
    if isinstance(bounds, Mapping):
        return FrozenMapping(
            {key_of("bounds", key): ends(key, pair) for key, pair in bounds.items()}
        )
    bounds = by_parameter(bounds_of_table(bounds))
    if isinstance(bounds, Mapping):
        return frozen_bounds(bounds)
    sides: list[Any] = []
    for side, open_end in zip(pair(bounds, scipy), (-np.inf, np.inf), strict=True):
        named = named_side(side, open_end)
        if named is not None:
            sides.append(named)
            continue
        array = numbers(side, open_end)
        sides.append(tuple(array.tolist()) if array.ndim else float(array))
    return _Sides(sides)


def frozen_fixed(fixed: Any) -> tuple[Key, ...] | FrozenMapping | None:
    """Return fixed parameters in a form that can be compared, hashed and given to `limits`.

    The form is None, a tuple of names and positions, or a `FrozenMapping` of these to floats.
    Errors are those of `frozen_bounds`.

    Examples
    --------
    >>> from lmoo.problems.boundsforms import frozen_fixed
    >>> frozen_fixed(["rate", 2]), frozen_fixed({"rate": 1})
    (('rate', 2), {'rate': 1.0})
    """
    if fixed is None or type(fixed) is FrozenMapping:
        return fixed
    fixed = by_parameter(fixed)
    if isinstance(fixed, Mapping):
        return FrozenMapping({key_of("fixed", k): _value(k, value) for k, value in fixed.items()})
    if isinstance(fixed, (str, bytes)) or not hasattr(fixed, "__iter__"):
        raise TypeError(
            "fixed must be a sequence of names or positions of parameters, or a mapping from them "
            f"to values; it is {fixed!r}"
        )
    return tuple(key_of("fixed", key) for key in fixed)


def _value(key: Any, value: Any) -> float:
    number = real_number(f"fixed[{key!r}]", value)
    if not np.isfinite(number):
        raise ValueError(f"fixed[{key!r}] must be finite; it is {value!r}")
    return number


class _Sides(tuple[Any, ...]):
    """A pair (lower, upper) that was checked for ambiguity."""

    __slots__ = ()


def pair(bounds: Any, scipy: bool = False) -> tuple[Any, Any]:
    """Return the lower and the upper bounds of bounds that are not a mapping.

    scipy: read two tuples as scipy's curve_fit does
    """
    if bounds is None:
        return None, None
    if hasattr(bounds, "lb") and hasattr(bounds, "ub"):
        return bounds.lb, bounds.ub
    if not isinstance(bounds, (tuple, list, np.ndarray)) or len(bounds) != 2:
        raise TypeError(f"bounds must be {_SHAPES}; it is {bounds!r}{_pairs_hint(bounds)}")
    if not isinstance(bounds, _Sides):
        _refuse_ambiguous(bounds, scipy)
    return bounds[0], bounds[1]


def _pairs_hint(bounds: Any) -> str:
    """Return a hint for a sequence of pairs, one per parameter; "" for other values."""
    if not isinstance(bounds, (tuple, list, np.ndarray)) or len(bounds) < 3:
        return ""
    if not all(isinstance(pair, (tuple, list, np.ndarray)) and len(pair) == 2 for pair in bounds):
        return ""
    return "; for (lower, upper) of each parameter, write a mapping: dict(enumerate(bounds))"


def _refuse_ambiguous(bounds: Any, scipy: bool) -> None:
    """Raise ValueError if two pairs of numbers can be read in two ways; see `limits`."""
    kinds = {type(side) for side in bounds}
    if not (kinds <= {tuple} or kinds <= {list}) or any(len(side) != 2 for side in bounds):
        return
    try:
        (a, b), (c, d) = (
            [np.nan if end is None else real_number("bounds", end) for end in side]
            for side in bounds
        )
    except TypeError:
        return
    minus, plus = -np.inf, np.inf
    # nan stands for None, which is -inf as a lower bound and inf as an upper bound.
    sides = [(_or(a, minus), _or(c, plus)), (_or(b, minus), _or(d, plus))]
    pairs = [(_or(a, minus), _or(b, plus)), (_or(c, minus), _or(d, plus))]
    if any(low > high or low == high in (minus, plus) for low, high in sides):
        return
    if any(low >= high for low, high in pairs):
        return
    fixes = any(low == high for low, high in sides)
    # Two lists count as pairs only if lower and upper bounds would fix a parameter.
    accepted = isinstance(bounds, tuple) and (kinds == {list} or (scipy and not fixes))
    if accepted or (kinds == {list} and not fixes):
        return
    one, other = (
        " and ".join(f"{low:g} <= parameter {j} <= {high:g}" for j, (low, high) in enumerate(found))
        for found in (sides, pairs)
    )
    raise ValueError(
        f"bounds can be read in two ways: {bounds!r} can be (lower, upper), {one}, or the bounds "
        f"of each parameter, {other}. For the first write a tuple of lists, "
        f"({list(bounds[0])}, {list(bounds[1])}); for the second a mapping, "
        f"{{0: {tuple(bounds[0])}, 1: {tuple(bounds[1])}}}"
    )


def _or(value: float, open_end: float) -> float:
    return open_end if value != value else value


def numbers(side: Any, open_end: float) -> Array:
    """Return the lower or the upper bounds as an array; None becomes open_end."""
    if side is None or (type(side) is float and side == side):
        return np.array(open_end if side is None else side)
    if isinstance(side, (tuple, list)):
        side = [open_end if value is None else value for value in side]
    side = refuse_masked("bounds", side)
    try:
        array = np.asarray(side)
    except ValueError:
        array = np.empty(0, dtype=object)
    if array.dtype.kind not in "iuf" or array.ndim > 1:
        raise TypeError(f"bounds must be {_SHAPES}; one side is {side!r}")
    array = array.astype(np.float64)
    if np.isnan(array).any():
        raise ValueError(f"bounds must not be nan; one side is {side!r}")
    return array


def bounds_of_table(bounds: Any) -> Any:
    """Return bounds in a data frame as a mapping from names to pairs; other objects as they are.

    The parameters are its rows or its columns; the other axis has the two labels of an end each.

    Raises
    ------
    ValueError
        It has other labels.

    Examples
    --------
    >>> import pandas as pd
    >>> from lmoo.problems.boundsforms import bounds_of_table
    >>> table = pd.DataFrame({"lower": [0.0, 1.0], "upper": [2.0, 3.0]}, index=["rate", "offset"])
    >>> bounds_of_table(table)
    {'rate': (0.0, 2.0), 'offset': (1.0, 3.0)}
    """
    if not is_frame(bounds):
        return bounds
    rows, columns = list(bounds.index), list(bounds.columns)
    read = [
        (table, ends)
        for table, labels in ((bounds, columns), (bounds.T, rows))
        for ends in _TABLE_ENDS
        if len(labels) == 2 and set(labels) == set(ends)
    ]
    if len(read) != 1:
        raise ValueError(
            "bounds in a table must have the names of the parameters as one axis, and on the other "
            f"{' or '.join(' and '.join(map(repr, ends)) for ends in _TABLE_ENDS)}; its columns "
            f"are {shortened(columns)} and its rows {shortened(rows)}: take these, as "
            "table[['lower', 'upper']]"
        )
    [(table, (low, high))] = read
    found = zip(labelled(table[low]) or (), table[low], table[high], strict=False)
    pairs = {name: (lower, upper) for name, lower, upper in found}
    if not pairs:
        raise ValueError(
            f"bounds in a table must have the names of the parameters; it has {shortened(rows)}"
        )
    return pairs


def by_parameter(values: Any) -> Any:
    """Return a series with names as its index as a mapping; other objects as they are."""
    found = labelled(values)
    return values if found is None else found


def named_side(side: Any, open_end: float) -> FrozenMapping | None:
    """Return the lower or the upper bounds by name, where a series has names; None for others."""
    named = side if type(side) is FrozenMapping else labelled(side)
    if named is None:
        return None
    return FrozenMapping({key: _end(key, value, open_end) for key, value in named.items()})


def ends(key: Any, pair: Any) -> tuple[float, float]:
    """Return the two bounds of the parameter with this name or position."""
    if not isinstance(pair, (tuple, list, np.ndarray)) or len(pair) != 2:
        raise TypeError(f"bounds[{key!r}] must be a pair (lower, upper); it is {pair!r}")
    ends = [_end(key, end, sign * np.inf) for end, sign in zip(pair, (-1, 1), strict=True)]
    return ends[0], ends[1]


def _end(key: Any, value: Any, open_end: float) -> float:
    number = open_end if value is None else real_number(f"bounds[{key!r}]", value)
    if np.isnan(number):
        raise ValueError(f"bounds[{key!r}] must not be nan; it has {value!r}")
    return number
