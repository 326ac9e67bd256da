"""The parameters and the derived quantities of a result: by name, and as a table."""

from collections.abc import Iterator
from math import nan
from typing import Any, NamedTuple

import numpy as np

from lmoo.problems.units import magnitude, quantity_of, unit_label, unit_of
from lmoo.results import profile
from lmoo.results.fit import Fit
from lmoo.results.related import Value
from lmoo.results.statistics import linear_interval, probability, residual_scale, t_quantile


class ParameterRow(NamedTuple):
    """A parameter of a result.

    Attributes
    ----------
    name : str
    value, stderr : float
    lower, upper : float
        Its bounds; -inf and inf without bounds.
    fixed : bool
    tie : str
        What determines it: an expression; "" for a parameter that was fitted.
    """

    name: str
    value: float
    stderr: float
    lower: float
    upper: float
    fixed: bool
    tie: str


class ParameterTable(tuple[ParameterRow, ...]):
    """The parameters of a result, as a tuple of `ParameterRow` that prints as a table.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> t = np.arange(5.0)
    >>> result = lmoo.fit("a + b*t", t, [1.1, 2.9, 5.2, 6.8, 9.1], p0={"a": 0, "b": 0})
    >>> result.params
    name  value +- standard error
    a     1.04 +- 0.15
    b     1.990 +- 0.060
    >>> result.params[1].name
    'b'
    """

    # Whether a minimum was found; errors are shown only then.
    success = True

    def __repr__(self) -> str:
        lines = [("name", "value +- standard error" if self.success else "value", "")]
        for row in self:
            value = f"{row.value:.10g}" if row.fixed else str(Value(row.value, row.stderr))
            if not (self.success or row.fixed):
                value = f"{row.value:.6g}"
            note = "fixed" if row.fixed else f"= {row.tie}" if row.tie else _bounds(row)
            lines.append((row.name, value, note))
        first, second = (max(len(line[k]) for line in lines) for k in range(2))
        shown = [f"{a:<{first}}  {b:<{second}}  {note}".rstrip() for a, b, note in lines]
        end = [] if self.success else ["no minimum was found: the values have no standard errors"]
        return "\n".join([*shown, *end])


def _bounds(row: ParameterRow) -> str:
    low, high = np.isfinite(row.lower), np.isfinite(row.upper)
    if not (low or high):
        return ""
    return (
        f"{row.lower:.6g} .. {row.upper:.6g}"
        if low and high
        else (f"at least {row.lower:.6g}" if low else f"at most {row.upper:.6g}")
    )


def derived_of(result: Fit) -> Iterator[tuple[str, Value]]:
    """Yield names, values and standard errors of the derived quantities."""
    related = result.related
    if related is None or not related.derived:
        return
    errors = np.full(len(related.derived), np.inf if result.success else np.nan)
    deviation = result.scale_of_errors()
    if result.factor is not None and deviation < np.inf:
        factor = result._linear.with_slopes(related.slopes)
        errors = factor.standard_errors(deviation)
    for name, value, error in zip(
        related.derived, related.values.tolist(), errors.tolist(), strict=True
    ):
        yield name, Value(value, error)


def value_of(result: Fit, name: Any) -> Value:
    """Return value and standard error of a parameter or a derived quantity; KeyError if unknown."""
    names = result.parameter_names
    if name in names:
        j = names.index(name)
        return Value(float(result.x[j]), float(result.standard_errors[j]))
    found = dict(derived_of(result))
    if name in found:
        return found[name]
    raise KeyError(f"{name!r} is none of {', '.join([*names, *found])}")


class QuantityValue(Value):
    """A value and its standard error, which may be quantities."""

    __slots__ = ()

    def __str__(self) -> str:
        unit = unit_of(self.value)
        if unit is None:
            return super().__str__()
        value, error = (magnitude("value", part, unit, "value") for part in self)
        return f"({Value(float(value), float(error))}) {unit_label(unit)}"


def quantities_of(result: Fit) -> dict[str, Value]:
    """Return values and standard errors of the parameters with their units."""
    rows = zip(
        result.parameter_names, result.x.tolist(), result.standard_errors.tolist(), strict=True
    )
    return {
        name: QuantityValue(*(quantity_of(number, result.units.get(name)) for number in pair))
        for name, *pair in rows
    }


def table(result: Fit) -> ParameterTable:
    """Return the parameters as a table."""
    errors = result.standard_errors
    ties = ("",) * result.x.size if result.related is None else result.related.ties
    columns = zip(
        result.parameter_names, result.x.tolist(), errors.tolist(), result.lower.tolist(),
        result.upper.tolist(), result.fixed.tolist(), ties, strict=True,
    )  # fmt: skip
    found = ParameterTable(ParameterRow(*row) for row in columns)
    found.success = result.success
    return found


def interval_of(
    result: Fit, name: str, level: float, method: str, scaled: bool | None
) -> tuple[float, float]:
    """Return the confidence interval of a parameter or a derived quantity."""
    names = [*result.parameter_names, *(n for n, _ in derived_of(result))]
    if name not in names:
        raise ValueError(f"name must be one of {', '.join(names)}; it is {name!r}")
    level = probability("level", level)
    if method == "profile":
        low, high = profile.interval(result, name, level, scaled).tolist()
        return low, high
    if method != "linear":
        raise ValueError(f"method must be 'linear' or 'profile'; it is {method!r}")
    if name in result.parameter_names:
        j = result.parameter_names.index(name)
        low, high = linear_interval(result, level, scaled)[j].tolist()
        return low, high
    if not result.success:
        return nan, nan
    related = result.related
    assert related is not None
    k = related.derived.index(name)
    value, error = float(related.values[k]), np.inf
    if result.factor is not None:
        factor = result._linear.with_slopes(related.slopes[k : k + 1])
        error = float(factor.standard_errors(residual_scale(result, scaled))[0])
    half = t_quantile(result, level, scaled) * error if error > 0.0 else 0.0
    return value - half, value + half
