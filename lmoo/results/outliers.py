"""Points that are far from the fit."""

from math import inf

import numpy as np
from numpy.typing import NDArray

from lmoo.results.distributions import t_factor
from lmoo.results.fit import Fit
from lmoo.results.robust import OUTLIER

# Probability that a fit of good points has an outlier.
_CHANCE = 0.01


def outliers(result: Fit) -> NDArray[np.bool_]:
    """Return which points are outliers, (m,): of little weight in a loss, or far from the fit.

    Without a loss those are residuals beyond `far_limit` times their standard deviation.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> from lmoo.results.outliers import outliers
    >>> y = np.sin(np.arange(40.0))
    >>> y[7] = 30.0
    >>> outliers(lmoo.fit("a*t + c", np.arange(40.0), y)).nonzero()[0]
    array([7])
    """
    if result.robust is not None:
        return result.loss_weights < OUTLIER
    deviation = result.residual_deviation
    if not result.success or not 0.0 < deviation < inf:
        return np.zeros(result.residual.size, dtype=bool)
    return np.asarray(np.abs(result.residual) > far_limit(result) * deviation)


def far_limit(result: Fit) -> float:
    """Return the limit that no normal residual exceeds with a probability of 99 %.

    By Bonferroni's inequality it is the quantile of one residual for the level 1 - 0.01 / m.
    """
    return t_factor(1.0 - _CHANCE / max(result.residual.size, 1), inf)
