"""The phase of a periodic function."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lmoo.models.starts.form import PowerForm, coefficients
from lmoo.models.starts.numbers import last_row, middle_row
from lmoo.models.starts.values import NodeValues


@dataclass(frozen=True)
class Phase:
    """A parameter that is a term in the argument of a periodic function.

    Attributes
    ----------
    form : PowerForm
        The argument, as a function of the parameter.
    """

    form: PowerForm

    def turn(self, values: NodeValues) -> Any:
        """Return the change of the parameter that is a full turn, (k, 1) or a number."""
        factor = coefficients(self.form, values, values).factor
        return 2.0 * np.pi / np.abs(last_row(factor))

    def middle(self, values: NodeValues) -> Any:
        """Return the middle of the turn from which the parameter is taken.

        That is 0 for an angle; for a location, as m in ``sin(k*(x - m))``, it is in the middle of
        the data.
        """
        if not self.form.has_factor:
            return 0.0
        offset, factor, _ = coefficients(self.form, values, values)
        return middle_row(-offset / factor)
