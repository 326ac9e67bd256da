"""Parameters as they are given before a fit."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array
from lmoo.models.expression import Expression


@dataclass(frozen=True)
class GivenParameters:
    """Starting values and bounds of the parameters, and which of them are fixed.

    Attributes
    ----------
    values : (n,) float64 array
        Starting values; nan for those to be found.
    lower, upper : (n,) float64 array
        Bounds.
    fixed : (n,) bool array
        True for parameters that keep their values.
    """

    values: Array
    lower: Array
    upper: Array
    fixed: NDArray[np.bool_]

    def linear(self, model: Expression) -> NDArray[np.bool_]:
        """Return which parameters a linear problem determines, given the others.

        These are the parameters in which the model is linear, other than fixed ones.
        """
        linear: NDArray[np.bool_] = np.isin(model.parameter_names, model.linear) & ~self.fixed
        return linear
