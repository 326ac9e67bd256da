"""Fields of a result for ties, priors, derived quantities and constraints."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array
from lmoo.results.factor import Factor
from lmoo.results.mapped import MappedFactor
from lmoo.results.pickles import frozen, thawed
from lmoo.results.rounding import rounded

if TYPE_CHECKING:
    from lmoo.models.relations.coordinates import Coordinates


class Value(NamedTuple):
    """A value and its standard error.

    Examples
    --------
    >>> from lmoo.results.related import Value
    >>> print(Value(1.29731, 0.0059))
    1.2973 +- 0.0059
    >>> f"{Value(1.29731, 0.0059):.2f}"
    '1.30 +- 0.01'
    """

    value: Any
    stderr: Any

    def __str__(self) -> str:
        if np.ndim(self.value):
            return f"{self.value} +- {self.stderr}"
        return rounded(float(self.value), float(self.stderr))

    def __format__(self, spec: str) -> str:
        """Return the text; a format of numbers is that of value and standard error."""
        if not spec or spec[-1].isdigit() or spec[-1] in "<>^s":
            return format(str(self), spec)
        return f"{self.value:{spec}} +- {self.stderr:{spec}}"


@dataclass(frozen=True, eq=False)
class Related:
    """Ties, priors, derived quantities and active constraints of a fit.

    Attributes
    ----------
    ties : tuple of str
        What determines each of the n parameters; "" for those that were fitted.
    fitted : int
        Number of coordinates that are not fixed, by which degrees of freedom are fewer.  Those do
        not count that priors alone determine.
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
        return {**vars(self), "inner": frozen(self.inner)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        vars(self)["inner"] = thawed(state["inner"])


class Inner(NamedTuple):
    """Problem, solver and fit of the coordinates, for profiles.

    coordinates : Coordinates
    problem : the problem of the coordinates, with rows for the priors
    solver : its solver
    fit : the fit of the coordinates
    """

    coordinates: "Coordinates"
    problem: Any
    solver: Any
    fit: Any


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
