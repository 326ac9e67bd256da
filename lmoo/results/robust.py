"""Additional results of a fit with a loss: weights of the points, sums for standard errors."""

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from lmoo._core.evaluate import deviation
from lmoo.results.factor import Factor

if TYPE_CHECKING:
    from lmoo.results.arrowfactor import ArrowFactor
    from lmoo.results.sparsefactor import SparseFactor

# A point of less weight is called an outlier in reports and pictures.
OUTLIER = 0.5

Kind = TypeVar("Kind", Factor, "ArrowFactor", "SparseFactor")


@dataclass(frozen=True, eq=False)
class Robust:
    """Additional results of a fit with a loss.

    Attributes
    ----------
    name : str
        Name of the loss.
    scale : float
        ``f_scale``, as given or estimated.
    weights : (m,) float64 array
        rho' of each point; empty if the rows are not stored.
    sums : (4,) float64 array
        Over the points: the norm of psi, and the sums of psi', psi'^2 and of h, which stands for
        psi' in the linear model, where psi = rho'(z) f and psi' is its derivative by f.
    """

    name: str
    scale: float
    weights: NDArray[np.float64]
    sums: NDArray[np.float64]

    def deviation(self, m: int, dof: int) -> float:
        """Return the standard deviation s of good points: the covariance is ``s**2 inv(J.T @ J)``.

        With p = m - dof parameters ``s**2 = K**2 (sum(psi**2) / (m - p)) / mean(psi')**2``, where
        ``K = 1 + (p / m) var(psi') / mean(psi')**2``: the sandwich for errors of one distribution
        (Huber, Ronchetti 2009, "Robust statistics", section 7.6).  inf where there are no degrees
        of freedom, or more points beyond the inflection of rho than before it.
        """
        return deviation(self.sums, m, dof)

    def reduced(self, factor: Kind, m: int) -> Kind:
        """Return the factor of the scaled rows over `slope`: about that of J itself."""
        slope = self.slope(m)
        if not slope > 0.0:
            return factor
        return factor.over(slope)

    def slope(self, m: int) -> float:
        """Return the root of the mean of h: by what the factor of the model exceeds that of J."""
        return sqrt(max(float(self.sums[3]), 0.0) / m) if m else 1.0
