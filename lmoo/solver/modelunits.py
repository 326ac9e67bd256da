"""Units of parameters that follow from the model and from the units of the data."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lmoo._core.arrays import Array
from lmoo.errors import TraceError
from lmoo.models.graph.dimensions import DimensionError, Dimensions, dimensions_of
from lmoo.models.graph.nodes import extracted
from lmoo.models.graph.text import written
from lmoo.models.graph.zeros import weights_of
from lmoo.models.tracing.cache import Kind
from lmoo.models.tracing.cache import traced as kept_trace
from lmoo.problems.axes import Axes
from lmoo.problems.units import (
    has_offset,
    is_convertible,
    magnitude,
    of_differences,
    powers_of,
    product_of,
    quantity_of,
    unit_label,
    unit_of,
)
from lmoo.solver.quantities import Units


def graph_of(f: Any, t: Any, n: int, m: int, parts: bool = False) -> Any:
    """Return the graph of a model; None for a function that cannot be traced.

    Parameters
    ----------
    f : callable
    t : array or tuple of arrays
    n, m : int
        Numbers of parameters and of points.
    parts : bool
        Whether the model is that of real and imaginary parts, where f is traced.
    """
    graph = getattr(f, "model", f)
    if hasattr(graph, "steps"):
        return graph
    joined = not isinstance(t, tuple) and np.ndim(t) > 1
    try:
        kind = Kind(n, rows_of(t), joined, m, parts)
        return kept_trace(f, kind).model.model
    except TraceError:
        return None


def rows_of(t: Any) -> int:
    """Return the number of independent variables."""
    return len(t) if isinstance(t, tuple) or np.ndim(t) > 1 else 1


def determined_units(graph: Any, names: Sequence[str], axes: Axes, variables: int) -> Units:
    """Return the units of the parameters that follow from those of the data, None for numbers.

    Parameters
    ----------
    graph, names, axes, variables
        As for `parameter_units`.
    """
    found, basis, _ = _dimensions(graph, names, axes, {}, variables)
    exponents = {name: found.exponents(j) for j, name in enumerate(names)}
    return {
        name: product_of(dict(zip(basis, powers.tolist(), strict=True)))
        for name, powers in exponents.items()
        if powers is not None
    }


def parameter_units(
    graph: Any, names: Sequence[str], axes: Axes, given: Units, variables: int
) -> tuple[Units, frozenset[str]]:
    """Return the units of the parameters with which the model has those of the data.

    Parameters
    ----------
    graph : Model
    names : sequence of str
    axes : Axes
    given : dict
        Units of starting values; they count for parameters that the data leave open.
    variables : int
        The number of independent variables; the further ones of a function that was traced are
        arrays of numbers, whose units are not known.

    Returns
    -------
    units : dict
        From names to units, without parameters that are numbers or are not determined.
    temperatures : frozenset of str
        The parameters that the model adds up to one temperature, in a unit with a zero of its own.

    Raises
    ------
    ValueError
        The units of the data contradict the model, or those of a starting value contradict both.
    """
    known: Units = {}
    found, basis, in_base = _dimensions(graph, names, axes, known, variables)
    for name in given:
        if _open(found, names, name):
            known[name] = given[name]
            found, basis, in_base = _dimensions(graph, names, axes, known, variables)
    units: Units = {}
    known_units = [found.exponents(j) for j in range(len(names))]
    products = [
        None if part is None else product_of(dict(zip(basis, part.tolist(), strict=True)))
        for part in known_units
    ]
    weights = _weights(graph, products, axes)
    for name, exponents, unit, weight in zip(names, known_units, products, weights, strict=True):
        if exponents is None:
            continue
        if weight == 0.0:
            unit = of_differences(unit)
        scale = exponents[basis.index("")] if "" in basis else 0.0
        if in_base and abs(scale) > 1e-9:
            raise ValueError(
                f"t and y must be in units that make {name} one of {unit_label(unit)}; with "
                f"{_units_of(axes)} there is a factor {np.exp(scale):.6g}: convert the data"
            )
        if unit is not None:
            units[name] = given[name] if given.get(name) == unit else unit
        if name in given and not _agrees(given[name], unit, weight == 1.0):
            raise ValueError(
                f"{name} is given in {unit_label(given[name])}, but the model needs "
                f"{unit_label(unit) if unit is not None else 'a number'}, with {_units_of(axes)}"
            )
    return units, frozenset(n for n, weight in zip(names, weights, strict=True) if weight == 1.0)


def _weights(graph: Any, units: Sequence[Any], axes: Axes) -> Sequence[float | None]:
    """Return 1 for temperatures, 0 for their differences, None if that is unknown."""
    offsets = [has_offset(unit) for unit in units]
    if not any(offsets):
        return [None] * len(units)
    of_t = [float(has_offset(unit)) for unit in axes.t_units]
    return weights_of(graph.steps, offsets, of_t, float(has_offset(axes.y_unit)))


def _agrees(given: Any, unit: Any, on_scale: bool) -> bool:
    # A difference may be given in the unit of what it is a difference of.
    if has_offset(given) and of_differences(given) == unit:
        return True
    return unit_label(given) == "" if unit is None else is_convertible(given, unit, on_scale)


def _open(found: Dimensions, names: Sequence[str], name: str) -> bool:
    return name in names and found.exponents(list(names).index(name)) is None


def _dimensions(
    graph: Any, names: Sequence[str], axes: Axes, known: Units, variables: int
) -> tuple[Dimensions, list[Any], bool]:
    """Return the exponents of the parameters, the units that they are powers of, and their kind.

    The units are those of the data; base units where these contradict each other, as J and N m.
    """
    errors = []
    t_units = axes.t_units or (None,)
    if len(t_units) == 1:
        t_units *= variables
    for in_base in (False, True):
        powers = [powers_of(unit, in_base) for unit in (*t_units, axes.y_unit, *known.values())]
        basis = list(dict.fromkeys(key for part in powers for key in part))
        vectors = [np.array([part.get(key, 0.0) for key in basis]) for part in powers]
        # A text that cannot be read is a unit that is not known.
        of_t: list[Array | None] = [
            None if isinstance(unit, str) else vector
            for unit, vector in zip(t_units, vectors, strict=False)
        ]
        of_t += [None] * (len(graph.variables) - len(t_units))
        places = {list(names).index(name): vectors[len(t_units) + 1 + i]
                  for i, name in enumerate(known)}  # fmt: skip
        try:
            y = vectors[len(t_units)]
            return dimensions_of(graph.steps, len(names), of_t, y, places), basis, in_base
        except DimensionError as error:
            errors.append((basis, error))
    raise ValueError(_contradiction(graph, *errors[0], axes))


def _contradiction(graph: Any, basis: list[Any], error: DimensionError, axes: Axes) -> str:
    """Return the message about units of the data that contradict each other."""
    unit = product_of(dict(zip(basis, error.exponents.tolist(), strict=True)))
    where = "its value"
    if error.node < len(graph.steps):
        steps, _ = extracted(graph.steps, [error.node])
        text = written(steps, graph.variables, graph.parameter_names)
        where = f"{text if len(text) < 60 else graph.steps[error.node][0]}"
    return (
        f"the model is incompatible with {_units_of(axes)}: in {where}, {unit_label(unit)} would "
        "have to be 1. Convert the data, or give them as numbers"
    )


def _units_of(axes: Axes) -> str:
    """Return the units of the data as a clause."""
    shown = [unit_label(unit) or "numbers" for unit in axes.t_units]
    t = ", ".join(shown) or "numbers"
    y = unit_label(axes.y_unit) if axes.y_unit is not None else "numbers"
    return f"t in {t} and y in {y or 'numbers'}"


def check_call(f: Callable[..., Any], t: Any, axes: Axes, x: Array, units: Sequence[Any]) -> None:
    """Check that a function with quantities gives those numbers that it gives without units.

    Parameters
    ----------
    f : callable
    t : array or tuple of arrays
    axes : Axes
    x : (n,) float64 array
        The starting values in their units.
    units : sequence of length n
        Units of the parameters, None for numbers.

    Raises
    ------
    ValueError
        The values of f have another unit than y, other numbers, or f does not take quantities.
    """
    several = isinstance(t, tuple)
    each = axes.t_units if several else axes.t_units[:1]
    parts = t if several else (t,)
    points = tuple(quantity_of(part, unit) for part, unit in zip(parts, each, strict=True))
    parameters = [quantity_of(value, unit) for value, unit in zip(x.tolist(), units, strict=True)]
    try:
        value = f(points if several else points[0], *parameters)
    except Exception as error:
        raise ValueError(
            "the units of the parameters cannot be checked, as f can neither be traced nor be "
            f"called with quantities ({error}): give starting values as numbers, in units of t and "
            "y"
        ) from error
    unit = unit_of(value)
    if unit is None or axes.y_unit is None:
        if unit is not None and unit_label(unit):
            raise ValueError(f"f returns values in {unit_label(unit)}, but y has no unit")
        if axes.y_unit is not None:
            raise ValueError(f"f returns numbers, but y is in {unit_label(axes.y_unit)}")
    numbers = np.asarray(magnitude("what f returns", value, axes.y_unit, "y"))
    if not np.allclose(numbers, np.asarray(f(t, *x)), rtol=1e-9, equal_nan=True):
        shown = ", ".join(unit_label(unit) for unit in units if unit is not None)
        raise ValueError(
            f"the units of the starting values, {shown}, are incompatible with {_units_of(axes)}: "
            "f returns other numbers without units. Give starting values in the units of t and y"
        )
