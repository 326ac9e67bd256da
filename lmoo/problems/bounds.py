"""Bounds of parameters, and parameters that are held: what callers may write, and its meaning."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.masks import refuse_masked
from lmoo.problems.arguments import real_number

__all__ = ["FrozenMapping", "box", "frozen_bounds", "frozen_fixed", "limits"]

Array = NDArray[np.float64]
Key = str | int

_SHAPES = (
    "a pair (lower, upper) of numbers or sequences with one number per parameter, an object with "
    "lb and ub, or a mapping from names or positions to pairs"
)


def limits(
    bounds: Any, fixed: Any, names: Sequence[str] | None, n: int
) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Return what bounds and fixed parameters mean for n parameters.

    Parameters
    ----------
    bounds : None, pair, object or mapping
        None: no bounds.  A pair (lower, upper), each a number or one per parameter; an object with
        the attributes ``lb`` and ``ub``, as ``scipy.optimize.Bounds``; or a mapping from names or
        positions of parameters to pairs of numbers.  None and infinities stand for no bound.
        Equal bounds hold the parameter there.  See Notes for two parameters.
    fixed : None, sequence or mapping
        Names or positions of parameters that stay where they start; or a mapping from these to
        the values at which they are held.
    names : sequence of str or None
        Names of the parameters; None where they can be given by position only.
    n : int
        Number of parameters.

    Returns
    -------
    lower, upper : (n,) float64 arrays
        The bounds; both the value of a parameter that is held at a given one.
    fixed : (n,) bool array

    Raises
    ------
    TypeError
        `bounds` or `fixed` is nothing of the above, or holds what is no number.
    ValueError
        A name that no parameter or more than one has, a position that is out of range, a parameter
        that is given twice, a number of bounds that is not n; a bound that is NaN, or a lower bound
        above the upper one; a value outside the bounds; two pairs that can be read in two ways.

    Notes
    -----
    Two tuples of two numbers, such as ``[(0, 1), (0, 5)]``, are the lower and the upper bounds of
    two parameters here and in ``scipy.optimize.curve_fit``; in ``scipy.optimize.minimize`` they are
    the bounds of each parameter.  Where both can be meant they are refused.  A tuple of two lists,
    ``([0, 0], [1, 5])``, and arrays always are lower and upper bounds; so are two lists in a list,
    unless that would hold a parameter at equal bounds.  A mapping, ``{0: (0, 1), 1: (0, 5)}``,
    always is parameter by parameter.

    Examples
    --------
    >>> from lmoo.bounds import limits
    >>> lower, upper, fixed = limits({"rate": (0, None)}, {"offset": 1.5}, ("rate", "offset"), 2)
    >>> lower, upper, fixed
    (array([0. , 1.5]), array([inf, 1.5]), array([False,  True]))
    """
    if isinstance(bounds, Mapping):
        lower, upper = _from_mapping(bounds, names, n)
    else:
        pair = _pair(bounds)
        lower, upper = (_side(k, side, n) for k, side in enumerate(pair))
    held, values = _held(fixed, names, n)
    if not (lower < upper).all():
        _check_order(lower, upper, names, not isinstance(bounds, Mapping))
        held |= lower == upper
    for j, value in values.items():
        if not lower[j] <= value <= upper[j]:
            raise ValueError(
                f"fixed must hold a parameter within its bounds; {_called(j, names)} is held at "
                f"{value}, and its bounds are {lower[j]} and {upper[j]}"
            )
        lower[j] = upper[j] = value
    return lower, upper, held


def _check_order(lower: Array, upper: Array, names: Sequence[str] | None, sides: bool) -> None:
    # Equal infinities hold a parameter nowhere.
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
            "bounds must have the lower one below the upper one, or equal to it, which holds the "
            f"parameter there; those of {_called(j, names)} are {lower[j]} and {upper[j]}{hint}"
        )


def _called(j: int, names: Sequence[str] | None) -> str:
    if names is None:
        return f"parameter {j}"
    name = str(names[j])
    # Names are checked later; a message is not to send control characters to a terminal.
    return name if name.isprintable() else ascii(name)


class _Sides(tuple[Any, ...]):
    """Lower and upper bounds of which it is settled that they are that."""

    __slots__ = ()


def _pair(bounds: Any, scipy: bool = False) -> tuple[Any, Any]:
    """Return lower and upper side of what is no mapping; scipy: as its curve_fit reads them."""
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
    """Return what to write for a sequence of pairs, one per parameter; nothing for all else."""
    if not isinstance(bounds, (tuple, list, np.ndarray)) or len(bounds) < 3:
        return ""
    if not all(isinstance(pair, (tuple, list, np.ndarray)) and len(pair) == 2 for pair in bounds):
        return ""
    return "; for (lower, upper) of each parameter, write a mapping: dict(enumerate(bounds))"


def _refuse_ambiguous(bounds: Any, scipy: bool) -> None:
    """Raise ValueError where two pairs of numbers can be read in two ways; see `limits`."""
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
    # None is an open end, on whichever side it stands.
    sides = [(_or(a, minus), _or(c, plus)), (_or(b, minus), _or(d, plus))]
    pairs = [(_or(a, minus), _or(b, plus)), (_or(c, minus), _or(d, plus))]
    if any(low > high or low == high in (minus, plus) for low, high in sides):
        return
    if any(low >= high for low, high in pairs):
        return
    holds = any(low == high for low, high in sides)
    # Two lists are pairs only where they make no sense as lower and upper bounds.
    meant = isinstance(bounds, tuple) and (kinds == {list} or (scipy and not holds))
    if meant or (kinds == {list} and not holds):
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


def _numbers(side: Any, open_end: float) -> Array:
    """Return one side of bounds as an array, as it was given; None is an open end."""
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


def _side(k: int, side: Any, n: int) -> Array:
    """Return the lower (k = 0) or upper (k = 1) bounds of n parameters."""
    array = _numbers(side, np.inf if k else -np.inf)
    if array.size == 1:
        # Of shape (), or (1,), which scipy.optimize.Bounds makes of a number.
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
    for key, j in zip(bounds, _positions("bounds", bounds, names, n), strict=True):
        lower[j], upper[j] = _ends(key, bounds[key])
    return lower, upper


def _ends(key: Any, pair: Any) -> tuple[float, float]:
    """Return the two bounds of one parameter, which nothing is known about but its key."""
    if not isinstance(pair, (tuple, list, np.ndarray)) or len(pair) != 2:
        raise TypeError(f"bounds[{key!r}] must be a pair (lower, upper); it is {pair!r}")
    ends = [_end(key, end, sign * np.inf) for end, sign in zip(pair, (-1, 1), strict=True)]
    return ends[0], ends[1]


def _end(key: Any, value: Any, open_end: float) -> float:
    number = open_end if value is None else real_number(f"bounds[{key!r}]", value)
    if np.isnan(number):
        raise ValueError(f"bounds[{key!r}] must not be nan; it has {value!r}")
    return number


def _held(
    fixed: Any, names: Sequence[str] | None, n: int
) -> tuple[NDArray[np.bool_], dict[int, float]]:
    """Return which parameters are held, and the values of those that are held at given ones."""
    held = np.zeros(n, dtype=bool)
    if fixed is None:
        return held, {}
    plain = frozen_fixed(fixed)
    assert plain is not None
    positions = _positions("fixed", plain, names, n)
    held[positions] = True
    values = plain.values() if isinstance(plain, FrozenMapping) else ()
    return held, dict(zip(positions, values, strict=bool(values)))


def _positions(name: str, keys: Any, names: Sequence[str] | None, n: int) -> list[int]:
    """Return the positions of the parameters that are given by name or position."""
    positions: list[int] = []
    for key in keys:
        j = _position(name, key, names, n)
        if j in positions:
            raise ValueError(
                f"{name} must give a parameter once; {_called(j, names)} is there twice"
            )
        positions.append(j)
    return positions


def _position(name: str, key: Any, names: Sequence[str] | None, n: int) -> int:
    if isinstance(_key(name, key), str):
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
    """Return where fits start and the bounds that kernels take.

    Parameters
    ----------
    bounds, fixed, names
        As for `limits`.
    x0 : (..., n) float64 array
        Starting points.
    name : str
        What messages call it.
    clip : bool
        Move a start that lies outside to the nearest bound, instead of complaining.

    Returns
    -------
    x0 : (..., n) float64 array
        The same, or a new one with the values of parameters that are held at given ones.
    edges : (2, n) float64 array
        Lower and upper bounds; NaN for a parameter that stays where it starts.

    Raises
    ------
    TypeError, ValueError
        As for `limits`; a start that lies outside the bounds.
    """
    lower, upper, held = limits(bounds, fixed, names, x0.shape[-1])
    given = held & (lower == upper)
    start = np.where(given, lower, x0)
    if clip:
        start = np.clip(start, lower, upper)
    outside = ~((lower <= start) & (start <= upper))
    if outside.any():
        where = tuple(np.argwhere(outside)[0])
        j = int(where[-1])
        what = f"{_called(j, names)} starts at {start[where]}"
        if len(where) > 1:
            what += f" in {where[:-1] if len(where) > 2 else where[0]}"
        raise ValueError(
            f"{name} must lie within the bounds; {what}, its bounds are {lower[j]} and {upper[j]}"
        )
    edges = np.array([np.where(held, np.nan, lower), np.where(held, np.nan, upper)])
    return start, edges


# ---- forms that can be compared and hashed ---------------------------------------------------


class FrozenMapping(Mapping[Key, Any]):
    """A mapping that cannot be changed, so that what holds it can be hashed.

    Examples
    --------
    >>> from lmoo.problems.bounds import FrozenMapping
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


def _key(name: str, key: Any) -> Key:
    """Return a name or a position; TypeError where it is neither."""
    if isinstance(key, str):
        return key
    if isinstance(key, (int, np.integer)) and not isinstance(key, bool):
        return int(key)
    raise TypeError(f"{name} must give parameters by name or position; it has {key!r}")


def frozen_bounds(bounds: Any, scipy: bool = False) -> Hashable:
    """Return bounds in a form that can be compared and hashed, and that `limits` takes.

    None, a pair of floats or tuples of floats, or a `FrozenMapping`; what can be told without
    knowing the parameters is checked.

    Parameters
    ----------
    bounds : None, pair, object or mapping
        As for `limits`.
    scipy : bool, default False
        A tuple of two tuples is (lower, upper), as ``scipy.optimize.curve_fit`` has it.

    Raises
    ------
    TypeError, ValueError
        As for `limits`, but for what depends on names and number of the parameters.

    Examples
    --------
    >>> from lmoo.problems.bounds import frozen_bounds
    >>> frozen_bounds(([0, 1], None))
    ((0.0, 1.0), inf)
    """
    if bounds is None or type(bounds) in (FrozenMapping, _Sides):
        return bounds  # type: ignore[no-any-return]
    if isinstance(bounds, Mapping):
        return FrozenMapping(
            {_key("bounds", key): _ends(key, pair) for key, pair in bounds.items()}
        )
    sides = []
    for side, open_end in zip(_pair(bounds, scipy), (-np.inf, np.inf), strict=True):
        array = _numbers(side, open_end)
        sides.append(tuple(array.tolist()) if array.ndim else float(array))
    return _Sides(sides)


def frozen_fixed(fixed: Any) -> tuple[Key, ...] | FrozenMapping | None:
    """Return fixed parameters in a form that can be compared and hashed, and that `limits` takes.

    None, a tuple of names and positions, or a `FrozenMapping` of these to floats.

    Parameters
    ----------
    fixed : None, sequence or mapping
        As for `limits`.

    Raises
    ------
    TypeError, ValueError
        As for `limits`, but for what depends on names and number of the parameters.

    Examples
    --------
    >>> from lmoo.problems.bounds import frozen_fixed
    >>> frozen_fixed(["rate", 2]), frozen_fixed({"rate": 1})
    (('rate', 2), {'rate': 1.0})
    """
    if fixed is None or type(fixed) is FrozenMapping:
        return fixed
    if isinstance(fixed, Mapping):
        return FrozenMapping({_key("fixed", k): _value(k, value) for k, value in fixed.items()})
    if isinstance(fixed, (str, bytes)) or not hasattr(fixed, "__iter__"):
        raise TypeError(
            "fixed must be a sequence of names or positions of parameters, or a mapping from them "
            f"to values; it is {fixed!r}"
        )
    return tuple(_key("fixed", key) for key in fixed)


def _value(key: Any, value: Any) -> float:
    number = real_number(f"fixed[{key!r}]", value)
    if not np.isfinite(number):
        raise ValueError(f"fixed[{key!r}] must be finite; it is {value!r}")
    return number
