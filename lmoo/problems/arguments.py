"""Checks of arguments; the messages name the argument, its value and what is expected."""

from collections.abc import Mapping, Set, ValuesView
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.masks import plain, refuse_masked
from lmoo._core.solve import capsule_contents, is_capsule
from lmoo.problems.units import unit_label, unit_of

# Reciprocals of smaller numbers may be infinite.
_SMALLEST = float(np.finfo(np.float64).tiny)

# What to do with arrays that are not numbers, by the kind of their dtype.
HINTS = {
    "M": "give numbers, such as the seconds since the first, (t - t.min()).dt.total_seconds() of a "
    "series or (t - t.min()) / numpy.timedelta64(1, 's')",
    "m": "give numbers, such as t / numpy.timedelta64(1, 's')",
    "O": "pandas.to_numeric(column) makes numbers of texts, array.astype(float) of other objects",
    "U": "array.astype(float) makes numbers of texts",
    "S": "array.astype(float) makes numbers of texts",
    "c": "array.real and array.imag are real numbers",
    "missing": "nan stands for a missing number, as in pandas.to_numeric(column), and "
    "nan_policy='omit' leaves it out of the data",
    "uncertain": "unumpy.nominal_values(y) are the numbers, unumpy.std_devs(y) is their sigma",
    "V": "a field, array['name'], may have numbers",
    "category": "column.astype(float), or the codes column.cat.codes, are numbers",
}


def real_number(name: str, value: Any) -> float:
    """Return value as a float; TypeError if it is not a real number."""
    value = _entry(value)
    if isinstance(value, (bool, np.bool_)) or not isinstance(
        value, (int, float, np.integer, np.floating)
    ):
        raise TypeError(f"{name} must be a real number; it is {value!r}")
    return in_range(name, value)


def _entry(value: Any) -> Any:
    """Return the entry of an array without dimensions, as numpy's reductions return them."""
    return value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value


def in_range(name: str, value: Any) -> float:
    """Return a number as a float; ValueError if an integer is too large for a float."""
    try:
        return float(value)
    except OverflowError:
        sign = "-" if value < 0 else ""
        digits = f"about {sign}10**{int(value).bit_length() * 30103 // 100000}"
        raise ValueError(
            f"{name} must be within the range of double precision; it is {digits}"
        ) from None


def integer(name: str, value: Any) -> int:
    """Return value as an int; TypeError if it is not an integer."""
    value = _entry(value)
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be an integer; it is {value!r}")
    return int(value)


def real_array(name: str, value: Any) -> NDArray[np.float64]:
    """Return value as a new float64 array; TypeError if it is not an array of real numbers.

    ValueError if entries are masked: numpy.asarray would return the numbers below the mask.
    """
    value = refuse_masked(name, value)
    if type(value) is not np.ndarray:
        refuse_units(name, value)
        if hasattr(value, "dtype") and str(value.dtype) == "category":
            # As an array they may be numbers.
            raise TypeError(f"{name} must be real numbers; it is categories: {HINTS['category']}")
    array = as_array(name, plain(value))
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must be real numbers; it is {described(value)}")
    return np.array(array, dtype=np.float64)


def as_array(name: str, value: Any) -> NDArray[Any]:
    """Return value as an array; TypeError for lists of different lengths."""
    try:
        return np.asarray(value)
    except ValueError as error:
        raise TypeError(
            f"{name} must be an array of real numbers; it is not an array: {error}"
        ) from error


def described(value: Any) -> str:
    """Describe an object that has no numbers, and say what to do, for a message.

    Examples
    --------
    >>> from lmoo.problems.arguments import described
    >>> described("a"), described(["1"])
    ("'a'", "['1']: array.astype(float) makes numbers of texts")
    """
    if hasattr(value, "__next__"):
        return f"a {type(value).__name__}, which can be read once: give list(...) of it"
    if isinstance(value, (Set, Mapping, ValuesView)):
        return f"a {type(value).__name__}: give a list or an array"
    try:
        array = np.asarray(value)
    except ValueError:
        # Lists of different lengths.
        return shortened(value)
    kind: str = array.dtype.kind
    if kind == "O" and any(hasattr(one, "timetuple") for one in array.flat):
        kind = "M"
    elif kind == "O" and any(hasattr(one, "nominal_value") for one in array.flat):
        kind = "uncertain"
    elif kind == "O" and any(one is None or type(one).__name__ == "NAType" for one in array.flat):
        kind = "missing"
    known = hasattr(value, "dtype") and kind in HINTS
    shown = f"of dtype {value.dtype}" if known else shortened(value)
    # A single value says what it is.
    return shown if np.ndim(value) == 0 or kind not in HINTS else f"{shown}: {HINTS[kind]}"


def shortened(value: Any) -> str:
    """Return the representation of an object on one line, with its end left out if it is long."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 70 else f"{text[:67]}..."


def refuse_units(name: str, value: Any) -> None:
    """Raise TypeError for a quantity, of which numpy would drop the unit, or a list of them."""
    some = value[0] if isinstance(value, (list, tuple)) and value else value
    unit = unit_of(some)
    # Texts are labels.
    if unit is not None and not isinstance(unit, str) and unit_label(unit):
        raise TypeError(
            f"{name} must be numbers without units; it is in {unit_label(unit)}: lmoo.fit takes "
            "quantities as starting values and bounds; give numbers in the units of the data here"
        )


def positive(name: str, value: Any) -> NDArray[np.float64]:
    """Return value as a new float64 array; ValueError unless all are positive and finite."""
    array = real_array(name, value)
    check_positive(name, array)
    return array


def check_positive(name: str, array: NDArray[Any], where: str = "") -> None:
    """Raise ValueError unless all entries are positive and finite, and so are their reciprocals.

    Parameters
    ----------
    name : str
    array : array of real numbers
    where : str
        What the array is a part of, for messages, such as " of a block".
    """
    good = (array >= _SMALLEST) & (array < np.inf)
    if not good.all():
        small = ": its reciprocal is not finite, use other units"
        hint = small if 0 < array[~good].flat[0] < _SMALLEST else ""
        raise ValueError(f"{name} must be positive and finite; {entry(array, ~good)}{where}{hint}")


def entry(array: NDArray[Any], wrong: NDArray[np.bool_]) -> str:
    """Return the index and the value of the first wrong entry of an array, as a clause."""
    if array.ndim == 0:
        return f"it is {array}"
    index = tuple(int(k) for k in np.argwhere(wrong)[0])
    return f"it is {array[index]} at index {index[0] if len(index) == 1 else index}"


def checked_capsule(table: Any, name: str) -> Any:
    """Return a capsule; TypeError if its name is another one."""
    if not is_capsule(table):
        raise TypeError(f"table must be a PyCapsule of the name {name!r}; it is {table!r}")
    found, _, _ = capsule_contents(table)
    if found != name:
        raise TypeError(f"table must be a PyCapsule of the name {name!r}; its name is {found!r}")
    return table


def checked_trace(trace: Any) -> Any:
    """Return the option `trace`; ValueError if it is invalid."""
    if isinstance(trace, (bool, np.bool_)) or (isinstance(trace, str) and trace == "auto"):
        return trace
    raise ValueError(f'trace must be True, False or "auto"; it is {trace!r}')


def check_callable(f: Any, jac: Any) -> None:
    """Raise TypeError if the model or its derivatives cannot be called."""
    if not callable(f):
        hint = f": a formula is lmoo.Expression({f!r})" if isinstance(f, str) else ""
        raise TypeError(f"f must be callable; it is {shortened(f)}{hint}")
    if jac is not None and not callable(jac):
        raise TypeError(f"jac must be callable or None; it is {jac!r}")
