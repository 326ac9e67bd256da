"""Names and units of data, for the labels of plots and reports."""

from dataclasses import dataclass
from typing import Any

from lmoo.problems.columns import is_frame
from lmoo.problems.units import unit_label

# Attributes of a series, of an xarray.DataArray, and of a column of an astropy table.
_NAMED = ("iloc", "coords", "parent_table")


@dataclass(frozen=True)
class Axes:
    """Names and units of the data.

    Attributes
    ----------
    labels : pair of str or None
        Labels of t and y: the name with the unit, such as "time (s)"; those of several variables
        with commas.  None where neither is known.
    t_units : tuple
        Units of the independent variables, each an object of astropy or pint, a text, or None.
    y_unit : object or None
        Unit of y.
    """

    labels: tuple[str | None, str | None] = (None, None)
    t_units: tuple[Any, ...] = ()
    y_unit: Any = None

    def describe(self, problem: Any) -> None:
        """Set the attributes labels, t_units and y_unit of a problem."""
        if self is not NO_AXES:
            problem.labels = self.labels
            problem.t_units, problem.y_unit = self.t_units, self.y_unit

    @property
    def has_units(self) -> bool:
        """Whether an axis has a unit with which can be computed."""
        return any(
            unit is not None and not isinstance(unit, str) for unit in (*self.t_units, self.y_unit)
        )


NO_AXES = Axes()


def name_of(value: Any) -> str | None:
    """Return the name of a series or a labelled array.

    Those are series of pandas, arrays of xarray and columns of astropy; other arrays, such as
    those of dask, have names that are not for people.
    """
    name = getattr(value, "name", None)
    if name is None or not any(hasattr(value, mark) for mark in _NAMED):
        return None
    return str(name)


def names_of_variables(t: Any) -> tuple[str | None, ...]:
    """Return the names of the columns of a data frame, of series in a tuple, or of one series."""
    if is_frame(t):
        return tuple(map(str, t.columns))
    return tuple(name_of(part) for part in t) if isinstance(t, tuple) else (name_of(t),)


def label(name: str | None, unit: Any, called: str) -> str | None:
    """Return the label of an axis; None if there is neither a name nor a unit."""
    text = unit_label(unit) if unit is not None else ""
    if not text:
        return name
    return f"{name or called} ({text})"


def label_of_variables(
    names: tuple[str | None, ...], units: tuple[Any, ...], called: str
) -> str | None:
    """Return the label of one or several variables; None if nothing is known of them."""
    labels = [
        label(name, unit, called)
        for name, unit in zip(names, units or (None,) * len(names), strict=False)
    ]
    if not any(labels):
        return None
    return ", ".join(text or called for text in labels)
