"""The data of `lmoo.fit`: columns of tables by their names, and units of data and parameters."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from lmoo.models.expression import Expression
from lmoo.models.expression.formula import formula
from lmoo.models.expression.tokens import names as names_in
from lmoo.problems.arguments import shortened
from lmoo.problems.axes import Axes
from lmoo.problems.columns import (
    column,
    column_names,
    is_frame,
    numbers_of,
    variables_of,
)
from lmoo.problems.measured import measured, one_variable
from lmoo.problems.units import units_alike
from lmoo.solver.modelunits import check_call, graph_of, parameter_units, rows_of
from lmoo.solver.quantities import Start, given_units, has_quantities, without_units


class FitData(NamedTuple):
    """A model, and the data without names and units.

    Attributes
    ----------
    model : callable
    t, y, sigma, sigma_x : object
    axes : Axes
    columns : tuple of str
        The names of the independent variables in a table; () without a table.
    """

    model: Callable[..., Any]
    t: Any
    y: Any
    sigma: Any
    sigma_x: Any
    axes: Axes
    columns: tuple[str, ...]


def fit_data(model: Any, t: Any, y: Any, sigma: Any, sigma_x: Any, data: Any) -> FitData:
    """Return the model and its data.

    Parameters
    ----------
    model : str, Model or callable
    t, y, sigma, sigma_x, data : object
        As for `lmoo.fit`.

    Raises
    ------
    TypeError, ValueError
        As for `lmoo.fit`.
    """
    if not (isinstance(model, str) or callable(model)):
        raise TypeError(
            f"model must be a text, a model or a function; it is {shortened(model)}: the order is "
            "fit(model, t, y)"
        )
    if y is None:
        raise TypeError("y must be given: the data, or with data= the name of their column")
    columns: tuple[str, ...] = ()
    y_name = None
    if data is not None:
        columns, t, model = _table(model, t, y, sigma, sigma_x, data)
        for name, value in (("t", t), ("y", y)):
            if isinstance(value, (int, np.integer)):
                raise TypeError(
                    f"{name} must be the name of a column, a text, or an array; it is {value!r}: "
                    f"columns are {', '.join(column_names(data))}"
                )
        y_name = y if isinstance(y, str) else None
        y, sigma = (
            column(data, value, name) if isinstance(value, str) else value
            for name, value in (("y", y), ("sigma", sigma))
        )
        sigma_x = _errors_of_x(sigma_x, data)
    else:
        for name, value in (("t", t), ("y", y), ("sigma", sigma)):
            if isinstance(value, str):
                raise TypeError(
                    f"{name} must be numbers; it is {value!r}: names of columns need data="
                )
        if t is None:
            raise TypeError("t must be given: the independent variable, or data= with its column")
        columns, t, model = _named(model, one_variable(t, y))
    if isinstance(model, str):
        model = formula(model, len(t) if isinstance(t, tuple) else 1)
    found = measured(t, y, sigma, sigma_x, names=(columns or None, y_name))
    # Functions too get arrays, which can be traced; tables they get as they are.
    t = found.t if is_frame(found.t) else _arrays(found.t)
    return FitData(model, t, found.y, found.sigma, found.sigma_x, found.axes, columns)


def _arrays(t: Any) -> Any:
    if isinstance(t, tuple):
        return tuple(_arrays(part) for part in t)
    if isinstance(t, np.ndarray) and not isinstance(t, np.ma.MaskedArray):
        # A subclass, such as a column of astropy, would not be traced.
        return numbers_of("t", np.asarray(t))
    return numbers_of("t", t) if hasattr(t, "to_numpy") else t


def _table(
    model: Any, t: Any, y: Any, sigma: Any, sigma_x: Any, data: Any
) -> tuple[tuple[str, ...], Any, Any]:
    """Return the columns of the independent variables, their values, and the model."""
    used = [value for value in (y, sigma, sigma_x) if isinstance(value, str)]
    if t is None:
        if isinstance(model, str):
            known = column_names(data)
            names = [name for name in names_in(model) if name in known and name not in used]
            if not names:
                raise ValueError(
                    f"the model must have a column of data as its variable; {model!r} has none: "
                    f"columns are {', '.join(known)}"
                )
        else:
            names = variables_of(model, data, used)
    elif isinstance(t, str):
        names = [t]
    elif isinstance(t, (list, tuple)) and t and all(isinstance(part, str) for part in t):
        names = list(t)
    else:
        return (), t, model
    values = tuple(column(data, name, "t") for name in names)
    model = Expression(model, variables=names) if isinstance(model, str) else model
    return tuple(names), values[0] if len(names) == 1 else values, model


def _named(model: Any, t: Any) -> tuple[tuple[str, ...], Any, Any]:
    """Return the same without a table: a text may have the names of series as variables."""
    if is_frame(t) and (isinstance(model, str) or hasattr(model, "parameter_names")):
        if isinstance(model, str):
            return _table(model, None, None, None, None, t)
        names = variables_of(model, t, ())
        values = tuple(column(t, name, "t") for name in names)
        return tuple(names), values[0] if len(names) == 1 else values, model
    if not isinstance(model, str):
        return (), t, model
    parts = t if isinstance(t, tuple) else (t,)
    labels = [str(getattr(part, "name", None)) for part in parts]
    if labels and all(label in names_in(model) for label in labels):
        return tuple(labels), t, Expression(model, variables=labels)
    return (), t, model


def _errors_of_x(sigma_x: Any, data: Any) -> Any:
    """Return sigma_x with columns in the place of names."""
    if isinstance(sigma_x, str):
        return column(data, sigma_x, "sigma_x")
    if isinstance(sigma_x, tuple):
        return tuple(_errors_of_x(part, data) for part in sigma_x)
    return sigma_x


# ---- units -----------------------------------------------------------------------------------


def with_units(
    found: FitData, start: Start, names: tuple[str, ...]
) -> tuple[Start, dict[str, Any]]:
    """Return starting values and bounds without units, and the units of the parameters.

    Parameters
    ----------
    found : FitData
    start : Start
    names : tuple of str
        The parameters.

    Raises
    ------
    ValueError
        Units that contradict each other or the model.
    """
    if not found.axes.has_units and not has_quantities(start):
        return start, {}
    given = given_units(start, names)
    found = found._replace(axes=_readable(found.axes, list(given.values())))
    graph = graph_of(found.model, found.t, len(names), int(np.size(found.y)))
    if graph is not None:
        units, temperatures = parameter_units(graph, names, found.axes, given, rows_of(found.t))
        return without_units(start, names, units, temperatures), units
    plain = without_units(start, names, given)
    if given:
        _check(found, plain.p0, names, given)
    return plain, given


def _readable(axes: Axes, given: list[Any]) -> Axes:
    """Return the axes with units that are texts as those of the package of the others.

    Raises
    ------
    ValueError
        That of y cannot be read.
    """
    *t_units, y_unit = units_alike(*axes.t_units, axes.y_unit, *given)[: len(axes.t_units) + 1]
    if isinstance(y_unit, str):
        raise ValueError(
            f"y must have a unit that can be read where others are quantities; it is {y_unit!r}: "
            "give y as a quantity"
        )
    return replace(axes, t_units=tuple(t_units), y_unit=y_unit)


def _check(found: FitData, p0: Any, names: tuple[str, ...], units: dict[str, Any]) -> None:
    """Check the units of starting values by a call of the function."""
    values: Any = [p0.get(name) for name in names] if isinstance(p0, dict) else p0
    if values is None or any(value is None for value in values):
        raise ValueError(
            "p0 must have all starting values where one has a unit and f cannot be traced, as "
            "units are checked by a call of f"
        )
    x = np.array([float(value) for value in values])
    check_call(found.model, found.t, found.axes, x, [units.get(name) for name in names])
