"""The record of one iteration."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class IterationRecord(NamedTuple):
    """One iteration: a trial point, and whether it was accepted.

    Attributes
    ----------
    iteration : int
        Number of the iteration, from 1.
    x : (n,) float64 array
        The current point, which is the trial point if it was accepted.
    cost : float
        ``1/2 sum(residual**2)`` at x.
    delta : float
        Radius of the trust region for the next step, in units of ``|D x|``.
    lambda_ : float
        The Levenberg-Marquardt parameter of the step; 0 for a Gauss-Newton step.
    gradient : (n,) float64 array
        ``J.T @ f`` at the point where the step started.
    optimality : float
        Largest cosine of the angles between f and the columns of J at that point.
    ratio : float
        Actual over predicted reduction of the sum of squares; 0 for a bad point.
    accepted : bool
        Whether the trial point was accepted.
    nfev, njev : int
        Numbers of residuals and Jacobians evaluated so far.
    """

    iteration: int
    x: NDArray[np.float64]
    cost: float
    delta: float
    lambda_: float
    gradient: NDArray[np.float64]
    optimality: float
    ratio: float
    accepted: bool
    nfev: int
    njev: int


Callback = Callable[[IterationRecord], Any]
