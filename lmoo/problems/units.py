"""Quantities of astropy and pint: numbers with units.

Neither package is imported here: a quantity is an instance of a class of a package that is imported
already.  Data keep their own units; what belongs to them is converted.
"""

import sys
from collections.abc import Iterator
from math import log
from typing import Any

import numpy as np

__all__ = [
    "is_convertible",
    "magnitude",
    "powers_of",
    "product_of",
    "quantity_of",
    "unit_label",
    "unit_of",
]

# Angles in radians are numbers.
_NUMBERS = ("rad", "radian")


def unit_of(value: Any) -> Any:
    """Return the unit of a quantity of astropy or pint; None for other objects.

    Examples
    --------
    >>> from lmoo.problems.units import unit_of
    >>> print(unit_of(2.5))
    None
    """
    if type(value) in (np.ndarray, float, int, list, tuple):
        return None
    if _is_instance(value, "astropy.units", "Quantity"):
        return value.unit
    if _is_instance(value, "pint", "Quantity"):
        return value.units
    return None


def _is_instance(value: Any, module: str, name: str) -> bool:
    """Return whether the value is of a class of a module that is imported."""
    kind = getattr(sys.modules.get(module), name, None)
    return isinstance(kind, type) and isinstance(value, kind)


def _is_astropy(unit: Any) -> bool:
    return _is_instance(unit, "astropy.units", "UnitBase")


def magnitude(name: str, value: Any, unit: Any, of: str = "") -> Any:
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

    Raises
    ------
    ValueError
        The value has a unit that cannot be converted.
    """
    own = unit_of(value)
    if own is None:
        return value
    if unit is None:
        if unit_label(own) == "":
            return value.to_value(own) if _is_astropy(own) else value.m
        raise ValueError(f"{name} is in {unit_label(own)}, but {of} has no unit: give it one")
    if not is_convertible(own, unit):
        raise ValueError(
            f"{name} is {_clause(own)}, which cannot be converted to {unit_label(unit)}, the unit "
            f"of {of}"
        )
    return value.to_value(unit) if _is_astropy(unit) else value.m_as(unit)


def _clause(unit: Any) -> str:
    return f"in {unit_label(unit)}" if unit_label(unit) else "a number"


def is_convertible(unit: Any, other: Any) -> bool:
    """Return whether quantities of a unit can be converted to another one."""
    if _is_astropy(unit) != _is_astropy(other):
        return False
    if _is_astropy(unit):
        return bool(unit.is_equivalent(other))
    return bool(unit.is_compatible_with(other))


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
    """Return the product of units with these powers; None for a number."""
    found: Any = None
    for part, power in powers.items():
        exact = round(power) if abs(power - round(power)) < 1e-9 else power
        if part == "" or exact == 0:
            continue
        factor = part**exact
        found = factor if found is None else found * factor
    return found
