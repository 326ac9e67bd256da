"""Data as people have them, as arrays of numbers: series, quantities, labelled arrays, images."""

import sys
from typing import Any, NamedTuple

import numpy as np

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
from lmoo.problems.units import magnitude, quantity_of, unit_label, unit_of

__all__ = [
    "Measured",
    "in_unit_of_t",
    "in_unit_of_y",
    "measured",
    "measured_stack",
    "new_points",
]

_PLAIN = frozenset([np.ndarray, float, int, type(None)])


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
    if names == (None, None) and _is_plain(t, y, sigma, sigma_x):
        return Measured(t, y, sigma, sigma_x, NO_AXES)
    _check_indexes(t, y, sigma, sigma_x, called)
    own = names_of_variables(t)
    given = names[0] if names[0] and len(names[0]) == len(own) else (None,) * len(own)
    x_names = tuple(mine or other for mine, other in zip(own, given, strict=True))
    y_name = name_of(y) or names[1]
    t, sigma = _aligned(t, y), _aligned(sigma, y)
    t, t_units = _variables(called[0], t)
    y, y_unit = _without_unit(called[1], numbers_of_column(called[1], y))
    squared = _is_covariance(sigma, y)
    sigma = _converted("sigma", numbers_of_column("sigma", sigma), y_unit, called[1], squared)
    sigma_x = in_unit_of_t("sigma_x", sigma_x, t_units, called[0])
    labels = label_of_variables(x_names, t_units, called[0]), label(y_name, y_unit, called[1])
    axes = Axes(labels, t_units, y_unit)
    return Measured(*flat(t, y, sigma, sigma_x), axes)


def measured_stack(t: Any, y: Any, sigma: Any) -> Measured:
    """Return the data of a stack of curves without units; y is not copied where it has none."""
    if _is_plain(t, y, sigma) or (type(y) is np.ndarray and _is_plain(t, None, sigma)):
        return Measured(t, y, sigma, None, NO_AXES)
    x_names, y_name = names_of_variables(t), name_of(y)
    t, t_units = _variables("t", t)
    y, y_unit = _without_unit("y", y)
    sigma = _converted("sigma", numbers_of_column("sigma", sigma), y_unit, "y")
    labels = label_of_variables(x_names, t_units, "t"), label(y_name, y_unit, "y")
    axes = Axes(labels, t_units, y_unit)
    return Measured(t, numbers_of_frame("y", y), sigma, None, axes)


def _is_plain(t: Any, *others: Any) -> bool:
    """Return whether the data are arrays of numbers already."""
    parts = t if type(t) is tuple else (t,)
    for value in (*parts, *others):
        if type(value) is list:
            if value and unit_of(value[0]) is not None:
                return False
        elif type(value) not in _PLAIN:
            return False
    y = others[0]
    if type(y) is list:
        return not (y and type(y[0]) in (list, np.ndarray))
    return not (type(y) is np.ndarray and y.ndim > 1)


# ---- units -----------------------------------------------------------------------------------


def numbers_of_column(name: str, value: Any) -> Any:
    """Return a series or a labelled array as an array of numbers, other objects as they are."""
    if type(value) is list and value and unit_of(value[0]) is not None:
        unit = unit_of(value[0])
        return quantity_of(np.array([magnitude(name, v, unit, name) for v in value]), unit)
    return numbers_of(name, value) if _is_column(value) else value


def _is_column(value: Any) -> bool:
    """Return whether the value is a series, a labelled array or a nullable array."""
    nullable = hasattr(getattr(value, "dtype", None), "numpy_dtype")
    return nullable or is_series(value) or _is_labelled(value)


def _without_unit(name: str, value: Any) -> tuple[Any, Any]:
    unit = unit_of(value)
    return (value, None) if unit is None else (magnitude(name, value, unit, name), unit)


def _variables(name: str, t: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return the independent variables without units, and their units.

    Series are left as they are, since functions may be written for them, unless values are missing
    in a way that numpy does not know.
    """
    parts = t if isinstance(t, tuple) else (t,)
    found = []
    for part in parts:
        nullable = hasattr(getattr(part, "dtype", None), "numpy_dtype")
        convert = type(part) is list or nullable or _is_labelled(part)
        found.append(_without_unit(name, numbers_of_column(name, part) if convert else part))
    units = tuple(unit for _, unit in found)
    values = tuple(value for value, _ in found)
    return (values if isinstance(t, tuple) else values[0]), units


def _converted(name: str, value: Any, unit: Any, of: str, squared: bool = False) -> Any:
    """Return a value in the unit of y, or as a covariance matrix in its square."""
    own = unit_of(value)
    if own is None:
        return value
    if unit is not None and not squared and magnitude(name, quantity_of(0.0, own), unit, of) != 0.0:
        raise ValueError(
            f"{name} is a difference, but {unit_label(own)} and {unit_label(unit)}, the unit of "
            f"{of}, have different zeros: give both in one unit"
        )
    return magnitude(name, value, unit**2 if squared and unit is not None else unit, of)


def _is_covariance(sigma: Any, y: Any) -> bool:
    """Return whether sigma is a matrix for all points."""
    m = int(np.prod(shape_of(y)))
    return shape_of(sigma) == (m, m)


def in_unit_of_t(name: str, value: Any, units: tuple[Any, ...], called: str = "t") -> Any:
    """Return a value, or a tuple with one for each variable, in the units of t."""
    if isinstance(value, tuple):
        each = units if len(units) == len(value) else (None,) * len(value)
        return tuple(
            _converted(name, numbers_of_column(name, part), unit, called)
            for part, unit in zip(value, each, strict=True)
        )
    return _converted(
        name, numbers_of_column(name, value), units[0] if len(units) == 1 else None, called
    )


def in_unit_of_y(sigma: Any, unit: Any) -> Any:
    """Return standard deviations in the unit of y."""
    return _converted("sigma", numbers_of_column("sigma", sigma), unit, "y")


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
        given = t if isinstance(t, tuple) else (t,)
        wanted = each if len(each) == len(given) else (None,) * len(given)
        parts = tuple(
            part if unit_of(one) is None else magnitude("t", one, unit, "t of the data")
            for part, one, unit in zip(parts, given, wanted, strict=True)
        )
    if isinstance(t, tuple):
        shape = np.broadcast_shapes(*(np.shape(part) for part in parts))
        return (parts, None) if len(shape) < 2 else (flat_points(parts, shape), shape)
    if isinstance(parts[0], np.ndarray) and parts[0].ndim > 2:
        shape = parts[0].shape[1:]
        rows = flat_points(parts[0], shape)
        return tuple(rows) if several else rows, shape
    return parts[0], None


# ---- order of the points ---------------------------------------------------------------------


def _check_indexes(t: Any, y: Any, sigma: Any, sigma_x: Any, called: tuple[str, str]) -> None:
    """Raise ValueError if series have different indexes: points are matched by position."""
    parts = t if isinstance(t, tuple) else (t,)
    given = [(called[0], part) for part in parts]
    given += [(called[1], y), ("sigma", sigma), ("sigma_x", sigma_x)]
    indexed = [(name, value.index) for name, value in given if is_series(value) or is_frame(value)]
    for name, index in indexed[1:]:
        first, other = indexed[0]
        if not index.equals(other):
            raise ValueError(
                f"{first} and {name} must have the same index, as points are matched by their "
                f"position; the indexes are {_shown(other)} and {_shown(index)}: take them from "
                f"one table, or give {name}.loc[{first}.index], or {name}.to_numpy() to ignore it"
            )


def _shown(index: Any) -> str:
    some = ", ".join(str(label) for label in index[:3])
    return f"[{some}{', ...' if len(index) > 3 else ''}] of {len(index)}"


def _is_labelled(value: Any) -> bool:
    """Return whether the value is an xarray.DataArray."""
    kind = getattr(sys.modules.get("xarray"), "DataArray", None)
    return kind is not None and isinstance(value, kind)


def _aligned(value: Any, y: Any) -> Any:
    """Return a labelled array, or a tuple of them, with the dimensions of y in its order."""
    if not _is_labelled(y):
        return value
    if isinstance(value, tuple):
        return tuple(_aligned(part, y) for part in value)
    if not _is_labelled(value) or not set(value.dims) <= set(y.dims):
        return value
    exact, like = sys.modules["xarray"].align(value, y, join="exact", copy=False)
    return exact.broadcast_like(like).transpose(*y.dims)
