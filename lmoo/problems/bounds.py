"""Bounds and fixed parameters as arrays, and starting points within them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array
from lmoo.problems.boundsforms import (
    FrozenMapping,
    bounds_of_table,
    by_parameter,
    ends,
    frozen_fixed,
    key_of,
    named_side,
    numbers,
    pair,
)


def limits(
    bounds: Any, fixed: Any, names: Sequence[str] | None, n: int
) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Return bounds and fixed parameters as arrays for n parameters.

    Parameters
    ----------
    bounds : None, pair, object or mapping
        None: no bounds.  A pair (lower, upper), each a number or one number per parameter; an
        object with the attributes ``lb`` and ``ub``, like ``scipy.optimize.Bounds``; or a mapping
        from names or positions of parameters to pairs of numbers.  A series of pandas, or an array
        of xarray, whose labels are names gives the bounds of these; a data frame has rows named
        as the parameters and columns lower and upper, or min and max.  None and infinities
        mean no bound.  Equal bounds fix the parameter.  See Notes for two parameters.
    fixed : None, sequence or mapping
        Names or positions of parameters that are fixed at their starting values; or a mapping from
        names or positions to the values of fixed parameters.
    names : sequence of str or None
        Names of the parameters; None: parameters can be given by position only.
    n : int
        Number of parameters.

    Returns
    -------
    lower, upper : (n,) float64 arrays
        The bounds.  Both are the value of a parameter that is fixed at a given value.
    fixed : (n,) bool array

    Raises
    ------
    TypeError
        `bounds` or `fixed` has none of these forms, or an entry that is not a number.
    ValueError
        An unknown or ambiguous name, a position out of range, a parameter that is given twice, a
        number of bounds other than n, a bound that is NaN, a lower bound above the upper one, a
        value outside the bounds, or two pairs that can be read in two ways.

    Notes
    -----
    Two tuples of two numbers, such as ``[(0, 1), (0, 5)]``, are the lower and the upper bounds of
    two parameters here and in ``scipy.optimize.curve_fit``; in ``scipy.optimize.minimize`` they are
    the bounds of each parameter.  They are refused if both readings are possible.  A tuple of two
    lists, ``([0, 0], [1, 5])``, and arrays are always lower and upper bounds.  So are two lists in
    a list, unless that would fix a parameter by equal bounds.  A mapping, ``{0: (0, 1), 1: (0,
    5)}``, always has the bounds of each parameter.

    Examples
    --------
    >>> from lmoo.bounds import limits
    >>> lower, upper, fixed = limits({"rate": (0, None)}, {"offset": 1.5}, ("rate", "offset"), 2)
    >>> lower, upper, fixed
    (array([0. , 1.5]), array([inf, 1.5]), array([False,  True]))
    """
    bounds = by_parameter(bounds_of_table(bounds))
    if isinstance(bounds, Mapping):
        lower, upper = _from_mapping(bounds, names, n)
    else:
        lower, upper = (_side(k, side, names, n) for k, side in enumerate(pair(bounds)))
    is_fixed, values = _fixed(fixed, names, n)
    if not (lower < upper).all():
        _check_order(lower, upper, names, not isinstance(bounds, Mapping))
        is_fixed |= lower == upper
    for j, value in values.items():
        if not lower[j] <= value <= upper[j]:
            raise ValueError(
                f"fixed must have values within the bounds; {_label(j, names)} is fixed at {value},"
                f" and its bounds are {lower[j]} and {upper[j]}"
            )
        lower[j] = upper[j] = value
    return lower, upper, is_fixed


def _label(j: int, names: Sequence[str] | None) -> str:
    """Return the name of a parameter for messages."""
    if names is None:
        return f"parameter {j}"
    name = str(names[j])
    # Names are checked later, so this one may contain control characters of a terminal.
    return name if name.isprintable() else ascii(name)


def _check_order(lower: Array, upper: Array, names: Sequence[str] | None, sides: bool) -> None:
    # Equal bounds fix a parameter only if they are finite.
    wrong = ~((lower < upper) | ((lower == upper) & np.isfinite(lower)))
    if wrong.any():
        j = int(np.argmax(wrong))
        hint = ""
        if sides and lower.size == 2 and lower[0] < lower[1] and upper[0] < upper[1]:
            # The other way to read two pairs of numbers.
            keys = [repr(str(name)) for name in names] if names else ["0", "1"]
            hint = (
                "; if they are (lower, upper) of each parameter, write "
                f"{{{keys[0]}: ({lower[0]:g}, {lower[1]:g}), "
                f"{keys[1]}: ({upper[0]:g}, {upper[1]:g})}}"
            )
        raise ValueError(
            "bounds must have the lower one below the upper one, or equal to it, which fixes the "
            f"parameter; those of {_label(j, names)} are {lower[j]} and {upper[j]}{hint}"
        )


def _side(k: int, side: Any, names: Sequence[str] | None, n: int) -> Array:
    """Return the lower (k = 0) or upper (k = 1) bounds of n parameters."""
    open_end = np.inf if k else -np.inf
    named = named_side(side, open_end)
    if named is not None and names is not None:
        out = np.full(n, open_end)
        out[_indices("bounds", named, names, n)] = list(named.values())
        return out
    array = numbers(side if named is None else list(named.values()), open_end)
    if array.size == 1:
        # scipy.optimize.Bounds converts a number to shape (1,).
        return np.full(n, array.item())
    if array.size != n:
        raise ValueError(
            f"bounds must have one {'upper' if k else 'lower'} bound per parameter, {n}, or one "
            f"for all; it has {array.size}"
        )
    return array


def _from_mapping(
    bounds: Mapping[Any, Any], names: Sequence[str] | None, n: int
) -> tuple[Array, Array]:
    lower, upper = np.full(n, -np.inf), np.full(n, np.inf)
    for key, j in zip(bounds, _indices("bounds", bounds, names, n), strict=True):
        lower[j], upper[j] = ends(key, bounds[key])
    return lower, upper


def _fixed(
    fixed: Any, names: Sequence[str] | None, n: int
) -> tuple[NDArray[np.bool_], dict[int, float]]:
    """Return which parameters are fixed, (n,), and the values that are given, by index."""
    is_fixed = np.zeros(n, dtype=bool)
    if fixed is None:
        return is_fixed, {}
    plain = frozen_fixed(fixed)
    assert plain is not None
    indices = _indices("fixed", plain, names, n)
    is_fixed[indices] = True
    values = plain.values() if isinstance(plain, FrozenMapping) else ()
    return is_fixed, dict(zip(indices, values, strict=bool(values)))


def _indices(name: str, keys: Any, names: Sequence[str] | None, n: int) -> list[int]:
    """Return the indices of parameters that are given by name or position."""
    indices: list[int] = []
    for key in keys:
        j = parameter_position(name, key, names, n)
        if j in indices:
            raise ValueError(
                f"{name} must give a parameter once; {_label(j, names)} is there twice"
            )
        indices.append(j)
    return indices


def parameter_position(name: str, key: Any, names: Sequence[str] | None, n: int) -> int:
    """Return the index of a parameter that is given by name or position."""
    if isinstance(key_of(name, key), str):
        if names is None:
            raise ValueError(
                f"{name} must give positions, as the parameters have no names; it has {key!r}"
            )
        if list(names).count(key) != 1:
            raise ValueError(f"{name} must name one of {tuple(names)}; it has {key!r}")
        return list(names).index(key)
    if not 0 <= key < n:
        raise ValueError(f"{name} must give positions from 0 to {n - 1}; it has {key}")
    return int(key)


def box(
    bounds: Any,
    fixed: Any,
    names: Sequence[str] | None,
    x0: Array,
    name: str = "x0",
    clip: bool = False,
) -> tuple[Array, Array]:
    """Return starting points and bounds in the form of the compiled solver.

    Parameters
    ----------
    bounds, fixed, names
        As for `limits`.
    x0 : (..., n) float64 array
        Starting points.
    name : str
        Name of x0 in messages.
    clip : bool
        Move starting points outside the bounds to the nearest bound; False raises ValueError.

    Returns
    -------
    x0 : (..., n) float64 array
        The starting points, with the values of parameters that are fixed at given values.
    edges : (2, n) float64 array
        Lower and upper bounds; NaN for a fixed parameter.

    Raises
    ------
    TypeError, ValueError
        As for `limits`; a starting point outside the bounds.
    """
    lower, upper, is_fixed = limits(bounds, fixed, names, x0.shape[-1])
    given = is_fixed & (lower == upper)
    start = np.where(given, lower, x0)
    if clip:
        start = np.clip(start, lower, upper)
    outside = ~((lower <= start) & (start <= upper))
    if outside.any():
        where = tuple(np.argwhere(outside)[0])
        j = int(where[-1])
        what = f"{_label(j, names)} starts at {start[where]}"
        if len(where) > 1:
            what += f" in {where[:-1] if len(where) > 2 else where[0]}"
        raise ValueError(
            f"{name} must lie within the bounds; {what}, its bounds are {lower[j]} and {upper[j]}"
        )
    edges = np.array([np.where(is_fixed, np.nan, lower), np.where(is_fixed, np.nan, upper)])
    return start, edges
