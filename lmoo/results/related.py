"""What ties, priors, derived quantities and constraints add to the result of a fit."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmoo.results.factor import Factor
from lmoo.results.mapped import MappedFactor

if TYPE_CHECKING:
    from lmoo.models.relations.coordinates import Coordinates
    from lmoo.results.fit import Fit

__all__ = ["ParameterRow", "ParameterTable", "Related", "Value", "derived_of", "table", "value_of"]

Array = NDArray[np.float64]


class Value(NamedTuple):
    """A value and its standard error.

    Examples
    --------
    >>> from lmoo.results.related import Value
    >>> print(Value(1.29731, 0.0059))
    1.2973 +- 0.0059
    """

    value: Any
    stderr: Any

    def __str__(self) -> str:
        if np.ndim(self.value) or not 0.0 < self.stderr < np.inf:
            return f"{self.value} +- {self.stderr}"
        return rounded(float(self.value), float(self.stderr))


def rounded(value: float, error: float) -> str:
    """Return a value and its error, both rounded to two digits of the error."""
    exponent = int(np.floor(np.log10(error)))
    digits = max(1 - exponent, 0)
    if digits <= 12 and abs(value) < 1e12:
        return f"{round(value, 1 - exponent):.{digits}f} +- {round(error, 1 - exponent):.{digits}f}"
    return f"{value:.10g} +- {error:.2g}"


class ParameterRow(NamedTuple):
    """A parameter of a result.

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
    name  value        standard error
    a     1.04 +- 0.15
    b     1.990 +- 0.060
    >>> result.params[1].name
    'b'
    """

    def __repr__(self) -> str:
        lines = [("name", "value", "standard error", "")]
        for row in self:
            error = "fixed" if row.fixed else ""
            value = f"{row.value:.10g}" if row.fixed else str(Value(row.value, row.stderr))
            note = f"= {row.tie}" if row.tie else _bounds(row)
            lines.append((row.name, value, error, note))
        widths = [max(len(line[k]) for line in lines) for k in range(3)]
        return "\n".join(
            "  ".join((f"{p:<{w}}" for p, w in zip(line, [*widths, 0], strict=True))).rstrip()
            for line in lines
        )


def _bounds(row: ParameterRow) -> str:
    low, high = np.isfinite(row.lower), np.isfinite(row.upper)
    if row.fixed or not (low or high):
        return ""
    return (
        f"{row.lower:.6g} .. {row.upper:.6g}"
        if low and high
        else (f"at least {row.lower:.6g}" if low else f"at most {row.upper:.6g}")
    )


@dataclass(frozen=True, eq=False)
class Related:
    """What relations of parameters add to a fit.

    Attributes
    ----------
    ties : tuple of str
        What determines each of the n parameters; "" for those that were fitted.
    fitted : int
        Number of coordinates that are not fixed, by which degrees of freedom are fewer.
    norm : float
        Norm of the residual of the data.
    priors : tuple of str
        Names of the priors.
    means, sigmas, rows : (k,) float64 arrays
        Means and standard deviations of the priors, and ``(value - mean) / sigma``.
    active : tuple of str
        Constraints that are active.
    derived : tuple of str
        Names of derived quantities.
    texts : tuple of str
        Their expressions.
    values : (d,) float64 array
        Their values.
    slopes : (d, q) float64 array
        Their derivatives by the coordinates.
    z : (q,) float64 array
        The coordinates.
    inner : object
        Problem and solver of the coordinates, for profiles; None for a result that was read from a
        file.
    """

    ties: tuple[str, ...]
    fitted: int
    norm: float
    priors: tuple[str, ...]
    means: Array
    sigmas: Array
    rows: Array
    active: tuple[str, ...]
    derived: tuple[str, ...]
    texts: tuple[str, ...]
    values: Array
    slopes: Array
    z: Array
    inner: Any = field(default=None, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        from lmoo.results.storage import frozen

        return {**vars(self), "inner": frozen(self.inner)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        from lmoo.results.storage import thawed

        vars(self).update(state)
        vars(self)["inner"] = thawed(state["inner"])


class Inner(NamedTuple):
    """What profiles solve again.

    coordinates : Coordinates
    problem : the problem of the coordinates, with rows for the priors
    solver : its solver
    fit : the fit of the coordinates
    """

    coordinates: "Coordinates"
    problem: Any
    solver: Any
    fit: "Fit"


def mapped(
    factor: Factor, coordinates: "Coordinates", z: Array, excluded: NDArray[np.bool_], slope: float
) -> MappedFactor:
    """Return the factor of all parameters from that of the coordinates."""
    inner = Factor(
        factor.r, factor.ipvt, factor.qtf, factor.acnorm, factor.error,
        excluded if excluded.any() else None,
    )  # fmt: skip
    return MappedFactor(
        inner,
        coordinates.slopes(z),
        coordinates.prior_slopes(z) if coordinates.priors else np.zeros((0, z.size)),
        coordinates.place,
        slope,
    )


def derived_of(result: "Fit") -> Iterator[tuple[str, Value]]:
    """Yield names, values and standard errors of the derived quantities."""
    related = result.related
    if related is None or not related.derived:
        return
    errors = np.full(len(related.derived), np.inf)
    if result.factor is not None and result.degrees_of_freedom > 0:
        factor = result._linear.with_slopes(related.slopes)
        errors = factor.standard_errors(result.residual_deviation)
    for name, value, error in zip(
        related.derived, related.values.tolist(), errors.tolist(), strict=True
    ):
        yield name, Value(value, error)


def value_of(result: "Fit", name: Any) -> Value:
    """Return value and standard error of a parameter or a derived quantity; KeyError if unknown."""
    names = result.parameter_names
    if name in names:
        j = names.index(name)
        return Value(float(result.x[j]), float(result.standard_errors[j]))
    found = dict(derived_of(result))
    if name in found:
        return found[name]
    raise KeyError(f"{name!r} is none of {', '.join([*names, *found])}")


def table(result: "Fit") -> ParameterTable:
    """Return the parameters as a table."""
    errors = result.standard_errors
    ties = ("",) * result.x.size if result.related is None else result.related.ties
    columns = zip(
        result.parameter_names, result.x.tolist(), errors.tolist(), result.lower.tolist(),
        result.upper.tolist(), result.fixed.tolist(), ties, strict=True,
    )  # fmt: skip
    return ParameterTable(ParameterRow(*row) for row in columns)
