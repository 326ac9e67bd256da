"""Columns of tables by their names: data frames, mappings, structured arrays, datasets."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lmoo.problems.arguments import HINTS, described
from lmoo.problems.units import unit_of


def is_series(value: Any) -> bool:
    """Return whether the value is a column of a data frame: it has a name, an index and a dtype."""
    return all(hasattr(value, name) for name in ("iloc", "index", "dtype"))


def is_frame(value: Any) -> bool:
    """Return whether the value is a data frame: it has columns and an index."""
    return all(hasattr(value, name) for name in ("iloc", "index", "columns"))


def column_names(data: Any) -> tuple[str, ...]:
    """Return the names of the columns of a table.

    Parameters
    ----------
    data : object
        A data frame, whose index counts as a column if it has a name, a mapping of arrays, an array
        with fields, a table of astropy or a dataset of xarray.

    Raises
    ------
    TypeError
        It is none of these.

    Examples
    --------
    >>> from lmoo.problems.columns import column_names
    >>> column_names({"time": [0.0, 1.0], "counts": [3, 2]})
    ('time', 'counts')
    """
    for attribute in ("column_names", "colnames", "columns", "variables"):
        # Of tables of pyarrow and of astropy, data frames, datasets of xarray.
        names = getattr(data, attribute, None)
        if names is not None and not callable(names):
            return (*(str(name) for name in names), *_index_names(data))
    if isinstance(data, Mapping):
        return tuple(str(name) for name in data)
    fields = getattr(getattr(data, "dtype", None), "names", None)
    if fields:
        return tuple(fields)
    raise TypeError(
        "data must be a table: a DataFrame, a mapping of names to arrays, an array with fields or "
        f"an xarray.Dataset; it is {type(data).__name__}"
    )


def _index_names(data: Any) -> list[str]:
    """Return the names of the index of a data frame without those of columns."""
    names = getattr(data.index, "names", ()) if is_frame(data) else ()
    return [name for name in names if isinstance(name, str) and name not in data.columns]


def is_table(value: Any) -> bool:
    """Return whether the value has named columns."""
    try:
        column_names(value)
    except TypeError:
        return False
    return True


def column(data: Any, name: str, argument: str) -> Any:
    """Return a column; ValueError with the names that exist if there is none.

    Parameters
    ----------
    data : object
        As for `column_names`.
    name : str
    argument : str
        The argument that named the column, for messages.
    """
    names = column_names(data)
    if name not in names:
        raise ValueError(
            f"{argument} must be a column of data; {name!r} is none: these are {', '.join(names)}"
            f"{_hint_of_levels(data)}"
        )
    if list(names).count(name) > 1:
        raise ValueError(f"{argument} must be one column of data; {name!r} is there more than once")
    if name in _index_names(data):
        return data.index.get_level_values(name).to_series(index=data.index)
    return data[name]


def _hint_of_levels(data: Any) -> str:
    """Return a hint for a data frame whose columns have several levels; "" for others."""
    if not is_frame(data) or getattr(data.columns, "nlevels", 1) < 2:
        return ""
    return f". Columns of several levels: give a table of one, data[{data.columns[0][0]!r}]"


def variables_of(model: Any, data: Any, used: Sequence[str]) -> list[str]:
    """Return the columns that are the independent variables of a model.

    Parameters
    ----------
    model : Model, CompiledModel or function
        Its ``variables``, or the first argument of a function.
    data : object
        As for `column_names`.
    used : sequence of str
        Columns that are y and sigma.

    Raises
    ------
    ValueError
        A variable is no column.
    """
    known = [name for name in column_names(data) if name not in used]
    names = _named_variables(model)
    missing = [name for name in names if name not in known]
    if missing or not names:
        what = f"{missing[0]!r} is none" if missing else "the model does not name its variables"
        raise ValueError(
            f"t must name the columns of the independent variables, as {what}: columns are "
            f"{', '.join(known)}"
        )
    return names


def _named_variables(model: Any) -> list[str]:
    graph = getattr(model, "model", model)
    names = getattr(graph, "variables", None)
    if isinstance(names, tuple):
        return list(names)
    code = getattr(model, "__code__", None)
    return list(code.co_varnames[: min(code.co_argcount, 1)]) if code is not None else []


def numbers_of_frame(name: str, value: Any) -> Any:
    """Return a data frame as an array of numbers, masked where they are missing; others as is."""
    if not is_frame(value):
        return value
    columns = [numbers_of(f"{name}[{key!r}]", value[key]) for key in value.columns]
    masked = any(isinstance(one, np.ma.MaskedArray) for one in columns)
    return (np.ma.stack if masked else np.stack)(columns, axis=1)


def numbers_of(name: str, value: Any) -> Any:
    """Return a column as an array of numbers; quantities and masked arrays as they are.

    Missing values of nullable columns are masked.

    Parameters
    ----------
    name : str
        For messages.
    value : object
        A column of a data frame, an xarray.DataArray, an array or a list.

    Raises
    ------
    TypeError
        It has no numbers, but dates, texts or categories.
    """
    if isinstance(value, (np.ma.MaskedArray, list, tuple, float)):
        return value
    if not isinstance(unit_of(value), (str, type(None))):
        return value
    dtype = getattr(value, "dtype", None)
    kind = "category" if str(dtype) == "category" else getattr(dtype, "kind", "f")
    if kind not in "biufc":
        if kind == "O":
            raise TypeError(f"{name} must be real numbers; it is {described(value)}")
        hint = HINTS.get(kind, HINTS["O"])
        raise TypeError(f"{name} must be real numbers; it is of dtype {dtype}: {hint}")
    inner = getattr(dtype, "numpy_dtype", None)
    if inner is not None and hasattr(value, "isna"):
        mask = np.asarray(value.isna())
        plain = value.to_numpy(dtype=np.float64, na_value=np.nan)
        return np.ma.array(plain, mask=mask) if mask.any() else plain
    if hasattr(value, "to_numpy"):
        return value.to_numpy()
    return np.asarray(value)
