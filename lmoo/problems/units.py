"""Quantities of astropy and pint: numbers with units.

A quantity is an instance of a class of a package that is imported already; a package is imported
only to read units that are texts.  Data keep their own units; what belongs to them is converted.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from importlib import import_module
from math import log
from typing import Any

import numpy as np

from lmoo._core.masks import separated

# Angles in radians are numbers.
_NUMBERS = ("rad", "radian")
# Texts that stand for the unit of a number.
_NO_UNIT = frozenset({"", "1", "none", "dimensionless"})


def unit_of(value: Any) -> Any:
    """Return the unit of a value; None if it has none.

    It is an object of astropy or pint for quantities and for columns of astropy, and a text for
    arrays with an attribute "units": those of xarray, series of pandas, data sets of HDF5.

    Examples
    --------
    >>> from lmoo.problems.units import unit_of
    >>> print(unit_of(2.5))
    None
    """
    if type(value) in (np.ndarray, float, int, list, tuple):
        return None
    if _is_instance(value, "astropy.units", "Quantity"):
        if not _is_astropy(value.unit):
            raise TypeError(
                f"quantities must have units that can be multiplied; {value.unit} has a scale of "
                "its own, such as a logarithm: give the numbers, quantity.value"
            )
        return value.unit
    if _is_instance(value, "pint", "Quantity"):
        return value.units
    if _is_instance(value, "astropy.table", "Column"):
        return value.unit
    attributes = getattr(value, "attrs", None)
    text = attributes.get("units") if isinstance(attributes, Mapping) else None
    if isinstance(text, str):
        return None if text.strip().lower() in _NO_UNIT else text.strip()
    # An xarray.DataArray may hold a quantity.
    inner = value.data if hasattr(value, "coords") and hasattr(value, "dims") else None
    return None if inner is None or inner is value else unit_of(inner)


def unitless(value: Any) -> Any:
    """Return the numbers of a quantity or of a column of astropy; other values as they are."""
    if _is_instance(value, "astropy.units", "Quantity"):
        return value.value
    if _is_instance(value, "pint", "Quantity"):
        return value.m
    if _is_instance(value, "astropy.table", "Column"):
        return value.data
    inner = value.data if hasattr(value, "coords") and hasattr(value, "dims") else None
    unit = None if inner is None or inner is value else unit_of(inner)
    return value if unit is None else unitless(inner)


def _is_instance(value: Any, module: str, name: str) -> bool:
    """Return whether the value is of a class of a module that is imported."""
    kind = getattr(sys.modules.get(module), name, None)
    return isinstance(kind, type) and isinstance(value, kind)


def _is_astropy(unit: Any) -> bool:
    return _is_instance(unit, "astropy.units", "UnitBase")


# ---- conversions -----------------------------------------------------------------------------


def magnitude(name: str, value: Any, unit: Any, of: str = "", on_scale: bool = False) -> Any:
    """Return the numbers of a quantity in a unit; other values as they are.

    Parameters
    ----------
    name : str
        What it is, for messages.
    value : object
        A number without a unit is taken to be in this unit.
    unit : object
        A unit; None: the value must have none.
    of : str
        What has this unit, for messages.
    on_scale : bool
        The value is known to be a temperature, not a difference of two: kelvin and degrees Celsius
        are converted with their zeros.

    Raises
    ------
    ValueError
        The value has a unit that cannot be converted.
    """
    return converted(name, unitless(value), unit_of(value), unit, of, on_scale)


def converted(name: str, numbers: Any, own: Any, unit: Any, of: str, on_scale: bool = False) -> Any:
    """Return numbers in another unit; the arguments are those of `magnitude`.

    Parameters
    ----------
    name, unit, of, on_scale
        As for `magnitude`.
    numbers : number or array
    own : object
        Their unit; None: they are in `unit`.
    """
    if own is None or (unit is None and unit_label(own) == ""):
        return numbers
    if unit is None:
        raise ValueError(f"{name} is in {unit_label(own)}, but {of} has no unit: give it one")
    own, unit = units_alike(own, unit)
    refusal = ValueError(
        f"{name} is {_clause(own)}, which cannot be converted to {unit_label(unit)}, the unit "
        f"of {of}{_READABLE if str in (type(own), type(unit)) else ''}"
    )
    if not is_convertible(own, unit, on_scale):
        raise refusal
    if isinstance(own, str) or own == unit:
        return numbers
    data, mask = separated(numbers)
    quantity = quantity_of(data, own)
    try:
        if _is_astropy(unit):
            found = quantity.to_value(unit, _zeros(on_scale))
        else:
            found = quantity.m_as(unit)
    except (TypeError, ValueError) as error:
        # Of pint, for products with a unit that has a zero of its own.
        raise refusal from error
    return found if mask is None else np.ma.array(found, mask=mask)


_READABLE = ": texts are units where astropy or pint is installed and knows them"


def converted_difference(
    name: str, numbers: Any, own: Any, unit: Any, of: str, squared: bool = False
) -> Any:
    """Return differences, such as standard deviations, in the unit of what they are of.

    Parameters
    ----------
    name, numbers, own, of
        As for `converted`.
    unit : object
        The unit of the values whose differences they are; its zero does not matter.
    squared : bool
        They are products of two differences.

    Raises
    ------
    ValueError
        They cannot be converted, or their unit is that of a temperature with another zero.

    Examples
    --------
    >>> import astropy.units as u
    >>> from lmoo.problems.units import converted_difference
    >>> converted_difference("sigma", 0.5, u.K, u.deg_C, "y")
    0.5
    """
    if own is None or unit is None:
        return converted(name, numbers, own, unit, of)
    own, unit = units_alike(own, unit)
    if not squared and own == unit:
        return numbers
    if has_offset(own):
        other = unit_label(of_differences(unit))
        raise ValueError(
            f"{name} is a difference, but {unit_label(own)} and {unit_label(unit)}, the unit of "
            f"{of}, have different zeros: give it in {other}"
        )
    target = of_differences(unit)
    if squared:
        target = f"({target})**2" if isinstance(target, str) else target**2
    return converted(name, numbers, own, target, of)


def has_offset(unit: Any) -> bool:
    """Return whether a unit has a zero of its own, as degrees Celsius have."""
    if unit is None or isinstance(unit, str):
        return False
    if _is_astropy(unit):
        kelvin, temperature = (getattr(sys.modules["astropy.units"], n) for n in _TEMPERATURE)
        if unit.is_equivalent(kelvin) or not unit.is_equivalent(kelvin, temperature()):
            return False
        return bool(quantity_of(0.0, unit).to_value(kelvin, temperature()) != 0.0)
    try:
        return bool(quantity_of(0.0, unit).to_base_units().m not in (0.0, 1.0))
    except (TypeError, ValueError):
        # Of pint, for logarithms and for products with such a unit.
        return False


_TEMPERATURE = ("K", "temperature")


def of_differences(unit: Any) -> Any:
    """Return the unit of differences of values in a unit."""
    if not has_offset(unit):
        return unit
    if _is_astropy(unit):
        return sys.modules["astropy.units"].K
    return unit._REGISTRY.Unit(f"delta_{unit}")


def _clause(unit: Any) -> str:
    return f"in {unit_label(unit)}" if unit_label(unit) else "a number"


def is_convertible(unit: Any, other: Any, on_scale: bool = False) -> bool:
    """Return whether quantities of a unit can be converted to another one; see `magnitude`."""
    if isinstance(unit, str) or isinstance(other, str):
        return bool(unit == other)
    if _is_astropy(unit) != _is_astropy(other):
        return False
    if _is_astropy(unit):
        return bool(unit.is_equivalent(other, _zeros(on_scale)))
    return bool(unit.is_compatible_with(other))


def _zeros(on_scale: bool) -> list[Any]:
    """Return how astropy converts temperatures with their zeros; it does not otherwise."""
    return list(sys.modules["astropy.units"].temperature()) if on_scale else []


def units_alike(*units: Any) -> tuple[Any, ...]:
    """Return units with texts as units of the package of the others, where it can read them.

    If all are texts it is the first of astropy and pint that can read them; equal ones stay texts.
    """
    given = [unit for unit in units if unit is not None]
    texts = {unit for unit in given if isinstance(unit, str)}
    others = [unit for unit in given if not isinstance(unit, str)]
    if not texts or (len(texts) == 1 and not others):
        return units
    for read in _readers(others):
        found = {text: _read(read, text) for text in texts}
        if others or None not in found.values():
            known = {text: unit for text, unit in found.items() if unit is not None}
            return tuple(known.get(u, u) if isinstance(u, str) else u for u in units)
    return units


def _read(read: Callable[[str], Any], text: str) -> Any:
    """Return the unit of a text; None if the package cannot read it."""
    try:
        return read(text)
    except Exception:  # of another package, whatever it raises
        return None


def _readers(units: list[Any]) -> Iterator[Callable[[str], Any]]:
    """Yield functions that make units of texts."""
    if units:
        first = units[0]
        yield sys.modules["astropy.units"].Unit if _is_astropy(first) else first._REGISTRY.Unit
        return
    for package in _MAKERS:
        with suppress(ImportError):
            yield _reader(package)


# Modules of the packages, and the functions that make units of texts.
_MAKERS: dict[str, tuple[str, Callable[[Any], Callable[[str], Any]]]] = {
    "astropy": ("astropy.units", lambda module: module.Unit),
    "pint": ("pint", lambda module: module.get_application_registry().Unit),
}


def _reader(package: str) -> Callable[[str], Any]:
    """Return the function of a package that makes units of texts; ImportError without it."""
    module, maker = _MAKERS[package]
    return maker(import_module(module))


def package_of(unit: Any) -> str | None:
    """Return the name of the package of a unit; None for a text."""
    if isinstance(unit, str):
        return None
    return "astropy" if _is_astropy(unit) else "pint"


def unit_from_text(text: str, package: str | None) -> Any:
    """Return the unit that a text names; the text where the package cannot read it.

    Examples
    --------
    >>> import astropy.units as u
    >>> from lmoo.problems.units import package_of, unit_from_text
    >>> unit_from_text(str(u.V / u.s), package_of(u.V / u.s)) == u.V / u.s
    True
    """
    if package not in _MAKERS:
        return text
    try:
        read = _reader(package)
    except ImportError:
        return text
    found = _read(read, text)
    return text if found is None else found


def unit_label(unit: Any) -> str:
    """Return a unit as text for labels and messages, "" for a number."""
    if isinstance(unit, str):
        return unit
    if _is_instance(unit, "pint", "Unit"):
        return format(unit, "~")
    return str(unit)


def quantity_of(value: Any, unit: Any) -> Any:
    """Return numbers with a unit; without one they are returned as they are."""
    if unit is None or isinstance(unit, str):
        return value
    if _is_astropy(unit):
        return sys.modules["astropy.units"].Quantity(value, unit)
    # pint's registry, to which the unit belongs.
    return unit._REGISTRY.Quantity(value, unit)


# ---- products of units -----------------------------------------------------------------------


def powers_of(unit: Any, in_base: bool) -> dict[Any, float]:
    """Return the units that a unit is a product of, with their powers; {} for a number.

    Parameters
    ----------
    unit : object
    in_base : bool
        Decompose it into base units; the key "" then has the logarithm of the scale.
    """
    if unit is None or isinstance(unit, str):
        return {}
    found: dict[Any, float] = {}
    for part, power in _parts(unit, in_base):
        if unit_label(part) not in _NUMBERS and str(part) not in _NUMBERS:
            found[part] = found.get(part, 0.0) + power
    scale = _scale(unit, in_base)
    if abs(scale) > 1e-12:
        found[""] = scale
    return found


def _parts(unit: Any, in_base: bool) -> Iterator[tuple[Any, float]]:
    if _is_astropy(unit):
        inner = unit.decompose() if in_base else unit
        yield from ((base, float(p)) for base, p in zip(inner.bases, inner.powers, strict=True))
        return
    registry = unit._REGISTRY
    inner = registry.get_base_units(unit)[1] if in_base else unit
    yield from ((registry.Unit(name), float(p)) for name, p in inner._units.items())


def _scale(unit: Any, in_base: bool) -> float:
    """Return the logarithm of the factor before the units."""
    if _is_astropy(unit):
        return log(float((unit.decompose() if in_base else unit).scale))
    return log(float(unit._REGISTRY.get_base_units(unit)[0])) if in_base else 0.0


def product_of(powers: dict[Any, float]) -> Any:
    """Return the product of units with these powers; None for a number.

    Units with a zero of their own are those of differences in it, as in a rate in K/s.
    """
    found: Any = None
    exact = {
        part: round(power) if abs(power - round(power)) < 1e-9 else power
        for part, power in powers.items()
        if part != "" and abs(power) >= 1e-9
    }
    alone = list(exact.values()) == [1]
    for part, power in exact.items():
        factor = (part if alone else of_differences(part)) ** power
        found = factor if found is None else found * factor
    return found
