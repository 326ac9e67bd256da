"""The attributes in which problems describe their parameters and their data."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any


class Described:
    """Base of problems: names, bounds and relations of the parameters, labels and units.

    `Problem` describes the attributes.
    """

    parameter_names: Sequence[str] | None = None
    bounds: Any = None
    fixed: Any = None
    ties: Any = None
    priors: Any = None
    derived: Any = None
    constraints: Any = None
    linear_parameters: Sequence[str | int] | None = None
    absolute_sigma: bool | None = None
    labels: tuple[str | None, str | None] = (None, None)
    t_units: tuple[Any, ...] = ()
    y_unit: Any = None
    units: Mapping[str, Any] = MappingProxyType({})

    def _relate(
        self, ties: Any, priors: Any, derived: Any, constraints: Any, linear: Any = None
    ) -> None:
        """Set the relations of the parameters, and the linear ones unless they are None."""
        self.ties, self.priors, self.derived, self.constraints = ties, priors, derived, constraints
        if linear is not None:
            # A subclass may define them.
            self.linear_parameters = linear
