"""Starting values, bounds, fixed values and priors that are quantities."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from lmoo.problems.boundsforms import FrozenMapping
from lmoo.problems.names import labelled
from lmoo.problems.units import (
    converted_difference,
    has_offset,
    magnitude,
    of_differences,
    unit_label,
    unit_of,
    unitless,
)

Units = dict[str, Any]


class Start(NamedTuple):
    """Starting values, bounds, fixed values and priors, as they are given."""

    p0: Any
    bounds: Any
    fixed: Any
    priors: Any


def has_quantities(start: Start) -> bool:
    """Return whether one of the values has a unit."""
    return any(unit_of(value) is not None for part in start for value in _leaves(part))


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        value = tuple(value.values())
    named = labelled(value)
    value = value if named is None else tuple(named.values())
    if isinstance(value, (list, tuple)):
        for part in value:
            yield from _leaves(part)
    else:
        yield value


def given_units(start: Start, names: Sequence[str]) -> Units:
    """Return the units of the given values, by parameter; those of p0 have precedence."""
    found: Units = {}
    for argument, part in zip(Start._fields, start, strict=True):
        for name, value in _of_parameters(argument, part, names):
            for one in _leaves(value):
                unit = unit_of(one)
                if unit is not None:
                    found.setdefault(name, unit)
    return found


def _of_parameters(argument: str, part: Any, names: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """Yield names and values, of a mapping, a sequence, or the two sides of bounds."""
    if isinstance(part, Mapping):
        yield from ((str(name), value) for name, value in part.items())
        return
    for side in _sides(argument, part):
        named = labelled(side)
        if named is not None:
            yield from named.items()
        elif unit_of(side) is not None:
            yield from ((name, side) for name in names)
        elif isinstance(side, (list, tuple)) and len(side) == len(names):
            yield from zip(names, side, strict=True)


def _sides(argument: str, part: Any) -> tuple[Any, ...]:
    two = argument == "bounds" and isinstance(part, (list, tuple)) and len(part) == 2
    return tuple(part) if two else (part,)


def without_units(
    start: Start, names: Sequence[str], units: Units, temperatures: Collection[str] = ()
) -> Start:
    """Return the values in the units of the parameters, without them.

    Parameters
    ----------
    start : Start
    names : sequence of str
    units : dict
    temperatures : collection of str
        The parameters that are known to be no differences: see `parameter_units`.

    Raises
    ------
    ValueError
        A value has a unit that cannot be converted to that of its parameter.
    """

    def of(name: str) -> tuple[Any, str, bool]:
        return units.get(name), f"the parameter {name}", name in temperatures

    def plain(argument: str, part: Any) -> Any:
        if isinstance(part, Mapping):
            one = _plain_prior if argument == "priors" else _plain
            return {
                key: one(f"{argument}[{key!r}]", value, *of(str(key)))
                for key, value in part.items()
            }
        sides = [side_of(argument, side) for side in _sides(argument, part)]
        return sides[0] if len(sides) == 1 else type(part)(sides)

    def side_of(argument: str, side: Any) -> Any:
        named = labelled(side)
        if named is not None:
            return FrozenMapping(
                {
                    key: _plain(f"{argument}[{key!r}]", value, *of(key))
                    for key, value in named.items()
                }
            )
        if unit_of(side) is not None:
            side = list(side) if np.ndim(side) else [side] * len(names)
        if not isinstance(side, (list, tuple)) or len(side) != len(names):
            return side
        return type(side)(
            _plain(f"{argument} of {name}", value, *of(name))
            for name, value in zip(names, side, strict=True)
        )

    return Start(*(plain(name, part) for name, part in zip(Start._fields, start, strict=True)))


def _plain(argument: str, value: Any, unit: Any, of: str, on_scale: bool) -> Any:
    if isinstance(value, (list, tuple)):
        return type(value)(_plain(argument, part, unit, of, on_scale) for part in value)
    own = unit_of(value)
    if has_offset(own) and own != unit and of_differences(own) == unit:
        # The parameter is a difference.
        value, own = unitless(value), None
    zeros = own is not None and own != unit and (has_offset(own) or has_offset(unit))
    if zeros and not on_scale:
        raise ValueError(
            f"{argument} is in {unit_label(own)}, and the parameter in {unit_label(unit)}, whose "
            "zero is not the same: it may be a difference or not. Give it in the unit of the "
            "parameter, or the data in kelvin"
        )
    found = magnitude(argument, value, unit, of, on_scale)
    return float(found) if unit_of(value) is not None and np.ndim(found) == 0 else found


def _plain_prior(argument: str, value: Any, unit: Any, of: str, on_scale: bool) -> Any:
    """Return a prior without units: the mean is one of the parameter, sigma a difference."""
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        return _plain(argument, value, unit, of, on_scale)
    mean, sigma = value
    own = unit_of(sigma)
    sigma = converted_difference(argument, unitless(sigma), own, unit, of)
    mean = _plain(argument, mean, unit, of, on_scale)
    return (mean, float(sigma) if own is not None else sigma)
