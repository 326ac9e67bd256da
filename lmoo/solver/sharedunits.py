"""Units of the parameters that the problems of a `JointProblem` share."""

from dataclasses import replace
from typing import Any

from lmoo.problems.axes import Axes
from lmoo.problems.complexdata import ComplexParts
from lmoo.problems.units import unit_label, units_alike
from lmoo.solver.modelunits import determined_units, graph_of
from lmoo.solver.quantities import Units


def check_shared_units(problem: Any) -> None:
    """Raise ValueError if a shared parameter has another unit in each of two problems.

    Data are numbers in their own units, so that one number would stand for both.

    Parameters
    ----------
    problem : JointProblem
    """
    known = _axes_of(problem.problems)
    if len({_shown(axes) for axes in known.values()}) < 2:
        return
    units = {k: _units_of(problem.problems[k], axes) for k, axes in known.items()}
    for j, name in enumerate(problem.shared):
        has = [k for k in known if j in problem.indices[k]]
        if len({_shown(known[k]) for k in has}) < 2:
            continue
        own = {k: problem._own_names[k][problem.indices[k].tolist().index(j)] for k in has}
        first = has[0]
        for k in has[1:]:
            determined = own[first] in units[first] and own[k] in units[k]
            if not determined:
                raise ValueError(
                    f"{name} is shared by problems[{first}] with {_shown(known[first])} and "
                    f"problems[{k}] with {_shown(known[k])}, and its unit does not follow from "
                    "their models: give the data of all problems in the same units"
                )
            one, other = units[first][own[first]], units[k][own[k]]
            if one != other:
                raise ValueError(
                    f"{name} is shared, but is {_named(one)} in problems[{first}] and "
                    f"{_named(other)} in problems[{k}]: give the data of all problems in the same "
                    "units"
                )


def _axes_of(problems: Any) -> dict[int, Axes]:
    """Return the units of the problems whose data have some, all of one package."""
    found = {}
    for k, part in enumerate(problems):
        units = tuple(getattr(part, "t_units", ())), getattr(part, "y_unit", None)
        if any(unit is not None for unit in (*units[0], units[1])):
            found[k] = Axes((None, None), *units)
    alike = iter(units_alike(*(u for axes in found.values() for u in (*axes.t_units, axes.y_unit))))
    return {
        k: replace(axes, t_units=tuple(next(alike) for _ in axes.t_units), y_unit=next(alike))
        for k, axes in found.items()
    }


def _units_of(part: Any, axes: Axes) -> Units:
    """Return the units of the parameters of a problem that follow from its model."""
    if part.units:
        return {**dict.fromkeys(part.parameter_names), **part.units}
    if isinstance(axes.y_unit, str):
        return {}
    if getattr(part, "f", None) is None or not hasattr(part, "as_curve"):
        return {}
    curve, n = part.as_curve(), len(part.parameter_names)
    if curve.t is None or curve.y is None:
        return {}
    variables = len(curve.t) if isinstance(curve.t, tuple) else 1
    if isinstance(part.f, ComplexParts):
        graph = graph_of(part.f.f, curve.t, n, curve.y.size // 2, True)
    else:
        graph = graph_of(part.f, curve.t, n, curve.y.size)
    if graph is None:
        return {}
    if isinstance(part.f, ComplexParts) and len(graph.variables) == variables + 1:
        # The last variable of its graph, for real and imaginary parts, is a number.
        variables, axes = variables + 1, replace(axes, t_units=(*axes.t_units, None))
    try:
        return determined_units(graph, part.parameter_names, axes, variables)
    except ValueError:
        # The data contradict the model, which may have numbers with units.
        return {}


def _shown(axes: Axes) -> str:
    t = ", ".join(_label(unit) for unit in axes.t_units)
    return f"t in {t or 'numbers'} and y in {_label(axes.y_unit)}"


def _label(unit: Any) -> str:
    return "numbers" if unit is None else unit_label(unit) or "numbers"


def _named(unit: Any) -> str:
    return "a number" if unit is None else f"in {unit_label(unit)}"
