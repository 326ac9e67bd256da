"""Conversion of data to arrays of numbers: series, quantities, labelled arrays, images."""

import math
import sys
from typing import Any, NamedTuple

import numpy as np

from lmoo.problems.arguments import as_array
from lmoo.problems.axes import (
    NO_AXES,
    Axes,
    label,
    label_of_variables,
    name_of,
    names_of_variables,
)
from lmoo.problems.columns import (
    column,
    is_frame,
    is_series,
    is_table,
    numbers_of,
    numbers_of_frame,
)
from lmoo.problems.grids import flat, flat_points, shape_of
from lmoo.problems.matching import aligned, check_indexes, check_points_last, is_labelled
from lmoo.problems.units import (
    converted,
    converted_difference,
    magnitude,
    unit_label,
    unit_of,
    unitless,
)

_PLAIN = frozenset([float, int, type(None)])
_NUMBERS = frozenset([float, int, bool, complex, np.float64, np.complex128])


class Measured(NamedTuple):
    """The data of a curve without names and units, and these."""

    t: Any
    y: Any
    sigma: Any
    sigma_x: Any
    axes: Axes


def measured(
    t: Any,
    y: Any,
    sigma: Any,
    sigma_x: Any = None,
    called: tuple[str, str] = ("t", "y"),
    names: tuple[Any, Any] = (None, None),
) -> Measured:
    """Return the data as arrays without units, and their names and units.

    Arrays of numbers and other objects are returned as they are.

    Parameters
    ----------
    t : object
        The independent variable, or a tuple of several.
    y, sigma, sigma_x : object
        ``sigma`` is converted to the unit of y, and ``sigma_x`` to those of t.  An image y, of two
        or more dimensions, becomes one row if t has its shape: one array for each variable, or one
        with the variables along a first axis.
    called : tuple of str
        Names of t and y in messages.
    names : tuple
        A tuple with the names of the variables, and the name of y, for labels; None: their own.

    Raises
    ------
    TypeError
        A column has no numbers.
    ValueError
        Series have different indexes; units that do not belong together.

    Examples
    --------
    >>> import numpy as np
    >>> from lmoo.problems.measured import measured
    >>> u, v = np.meshgrid(np.arange(3.0), np.arange(2.0))
    >>> data = measured((u, v), np.zeros((2, 3)), None)
    >>> data.y.shape, data.t[0]
    ((6,), array([0., 1., 2., 0., 1., 2.]))
    """
    t = one_variable(t, y)
    if names == (None, None) and _is_plain(t, y, sigma, sigma_x):
        return Measured(t, y, sigma, sigma_x, NO_AXES)
    t, y, sigma, sigma_x = (_in_memory(value) for value in (t, y, sigma, sigma_x))
    check_indexes(t, y, sigma, sigma_x, called)
    own = names_of_variables(t)
    given = names[0] if names[0] and len(names[0]) == len(own) else (None,) * len(own)
    x_names = tuple(mine or other for mine, other in zip(own, given, strict=True))
    y_name = name_of(y) or names[1]
    t, sigma, sigma_x = (
        aligned(name, part, y, called[1])
        for name, part in ((called[0], t), ("sigma", sigma), ("sigma_x", sigma_x))
    )
    t, t_units = _variables(called[0], t)
    y, y_unit = _numbers_and_unit(called[1], y)
    sigma = in_unit_of_y(sigma, y_unit, called[1], y)
    sigma_x = _errors_of_t(sigma_x, t, t_units, y_unit, called)
    labels = label_of_variables(x_names, t_units, called[0]), label(y_name, y_unit, called[1])
    axes = Axes(labels, t_units, y_unit)
    return Measured(*flat(t, y, sigma, sigma_x), axes)


def measured_stack(t: Any, y: Any, sigma: Any) -> Measured:
    """Return the data of a stack of curves without units; y is not copied where it has none."""
    t = one_variable(t, y)
    if _is_plain(t, y, sigma) or (type(y) is np.ndarray and _is_plain(t, None, sigma)):
        return Measured(t, y, sigma, None, NO_AXES)
    t, y, sigma = (_in_memory(value) for value in (t, y, sigma))
    check_indexes(t, y, sigma, None, ("t", "y"), stack=True)
    check_points_last(t, y)
    x_names, y_name = names_of_variables(t), name_of(y)
    t, sigma = (aligned(name, part, y, stack=True) for name, part in (("t", t), ("sigma", sigma)))
    t, t_units = _variables("t", t)
    y, y_unit = numbers_of_frame("y", y), unit_of(y)
    # A labelled array may be larger than memory.
    if type(y) is list or not isinstance(y_unit, (str, type(None))):
        y, y_unit = _numbers_and_unit("y", y)
    sigma = in_unit_of_y(numbers_of_frame("sigma", sigma), y_unit)
    labels = label_of_variables(x_names, t_units, "t"), label(y_name, y_unit, "y")
    return Measured(t, y, sigma, None, Axes(labels, t_units, y_unit))


def one_variable(t: Any, y: Any) -> Any:
    """Return a tuple of as many numbers as y has points as a list: it is one variable."""
    if type(t) is not tuple or not t or type(t[0]) not in _NUMBERS:
        return t
    return list(t) if np.shape(y)[-1:] == (len(t),) else t


def _is_plain(t: Any, *others: Any) -> bool:
    """Return whether the data are arrays of numbers already."""
    parts = t if type(t) is tuple else (t,)
    for value in (*parts, *others):
        kind = type(value)
        if kind is np.ndarray:
            if value.dtype.kind == "O":
                return False
        elif kind is list:
            if value and type(value[0]) not in _NUMBERS:
                return False
        elif kind not in _PLAIN:
            return False
    y = others[0]
    return not (type(y) is np.ndarray and y.ndim > 1)


def _numbers_and_unit(name: str, value: Any) -> tuple[Any, Any]:
    """Return numbers without a unit, and their unit.

    Quantities in a list or in an array of objects have that of the first.  Series, labelled and
    nullable arrays become arrays, other objects are returned as they are.
    """
    first = _first(value)
    unit = unit_of(first)
    if unit is not None or (type(value) is list and _is_column(first)):
        parts = [np.nan if _is_missing(v) else magnitude(name, v, unit, name) for v in value]
        parts = [numbers_of(name, part) if _is_column(part) else part for part in parts]
        masked = any(isinstance(part, np.ma.MaskedArray) for part in parts)
        return parts if masked else as_array(name, parts), unit
    unit, value = unit_of(value), unitless(value)
    return numbers_of(name, value) if _is_column(value) else value, unit


def _in_memory(value: Any) -> Any:
    """Return a series or a data frame of dask as one of pandas; other objects as they are."""
    if isinstance(value, tuple):
        return tuple(map(_in_memory, value))
    is_lazy = hasattr(value, "npartitions") and hasattr(value, "divisions")
    return value.compute() if is_lazy else value


def _first(value: Any) -> Any:
    """Return the first object of a list, a series or an array of objects; None for numbers."""
    kind = getattr(getattr(value, "dtype", None), "kind", None)
    some = value if type(value) is list else () if kind != "O" or np.ndim(value) != 1 else value
    return next((one for one in some if not _is_missing(one)), None)


def _is_missing(value: Any) -> bool:
    """Return whether an object stands for a missing number: None, NaN, pandas.NA."""
    return value is None or value is getattr(sys.modules.get("pandas"), "NA", None) or (
        isinstance(value, float) and value != value
    )  # fmt: skip


def _is_column(value: Any) -> bool:
    """Return whether the value is a series, a labelled array or a nullable array."""
    nullable = hasattr(getattr(value, "dtype", None), "numpy_dtype")
    return nullable or is_series(value) or is_labelled(value)


def _variables(name: str, t: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return the independent variables without units, and their units.

    Series are left as they are, since functions may be written for them, unless values are missing
    in a way that numpy does not know, or they have quantities.
    """
    parts = t if isinstance(t, tuple) else (t,)
    found = []
    for part in parts:
        keep = is_series(part) and not hasattr(part.dtype, "numpy_dtype")
        if is_frame(part) or (keep and unit_of(_first(part)) is None):
            found.append((part, unit_of(part)))
        else:
            found.append(_numbers_and_unit(name, part))
    units = tuple(unit for _, unit in found)
    values = tuple(value for value, _ in found)
    return (values if isinstance(t, tuple) else values[0]), units


def _is_covariance(sigma: Any, y: Any) -> bool:
    """Return whether sigma is a matrix for all points, or for both parts of complex ones."""
    m = math.prod(shape_of(y))
    return shape_of(sigma) in ((m, m), (2 * m, 2 * m))


def _errors_of_t(
    value: Any, t: Any, t_units: tuple[Any, ...], y_unit: Any, called: tuple[str, str]
) -> Any:
    """Return sigma_x in the units of t; covariances in their products, with that of y last."""
    if isinstance(value, tuple):
        each = t_units if len(t_units) == len(value) else (None,) * len(value)
        return tuple(
            converted_difference("sigma_x", *_numbers_and_unit("sigma_x", part), unit, called[0])
            for part, unit in zip(value, each, strict=True)
        )
    numbers, own = _numbers_and_unit("sigma_x", value)
    if own is None:
        return numbers
    shape = shape_of(t)
    count = len(t) if isinstance(t, tuple) else 1 if len(shape) < 2 else shape[0]
    units = t_units if len(t_units) == count else t_units * count

    def one(part: Any, unit: Any, squared: bool = False) -> Any:
        return converted_difference("sigma_x", part, own, unit, called[0], squared)

    shape = shape_of(numbers)
    if len(shape) < 3:
        if isinstance(t, tuple) and shape == ():
            return tuple(one(numbers, unit) for unit in units)
        if len(shape) == 2 and len(numbers) == count:
            rows = [one(row, unit) for row, unit in zip(numbers, units, strict=True)]
            return (np.ma.stack if isinstance(numbers, np.ma.MaskedArray) else np.stack)(rows)
        return one(numbers, units[0])
    places = units if shape[-1] == count else (*units, y_unit)
    if any(unit != places[0] for unit in places):
        raise ValueError(
            f"sigma_x is in {unit_label(own)}, but its covariances are of variables in different "
            "units: give numbers, in products of the units of the data"
        )
    return one(numbers, places[0], squared=True)


def in_unit_of_y(sigma: Any, unit: Any, called: str = "y", y: Any = None) -> Any:
    """Return standard deviations in the unit of y, or its covariance matrix in the square."""
    numbers, own = _numbers_and_unit("sigma", sigma)
    squared = y is not None and _is_covariance(numbers, y)
    return converted_difference("sigma", numbers, own, unit, called, squared)


def new_points(
    t: Any, units: tuple[Any, ...], columns: tuple[str, ...], several: bool = False
) -> tuple[Any, Any]:
    """Return points for a prediction, and the shape of their grid, None for those in one row.

    Parameters
    ----------
    t : object
        As the data have it: arrays, grids, series, quantities, or a table with the columns.
    units : tuple
        The units of the data.
    columns : tuple of str
        Names of the variables in a table; () if the data were none.
    several : bool
        Whether the model takes its variables as a tuple.
    """
    if columns and is_table(t):
        parts = tuple(numbers_of("t", column(t, name, "t")) for name in columns)
        t = parts if len(parts) > 1 else parts[0]
    each = units if isinstance(t, tuple) else units[:1]
    found, own = _variables("t", t)
    parts = found if isinstance(found, tuple) else (found,)
    if any(unit is not None for unit in own):
        wanted = each if len(each) == len(parts) else (None,) * len(parts)
        parts = tuple(
            converted("t", part, its, unit, "t of the data")
            for part, its, unit in zip(parts, own, wanted, strict=True)
        )
    if isinstance(t, tuple):
        shape = np.broadcast_shapes(*(np.shape(part) for part in parts))
        return (parts, None) if len(shape) < 2 else (flat_points(parts, shape), shape)
    if isinstance(parts[0], np.ndarray) and parts[0].ndim > 2:
        shape = parts[0].shape[1:]
        rows = flat_points(parts[0], shape)
        return tuple(rows) if several else rows, shape
    return parts[0], None
