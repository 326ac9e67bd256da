"""How far a model is from being linear: the relative curvatures of Bates and Watts.

Bates and Watts (1980), "Relative curvature measures of nonlinearity", Journal of the Royal
Statistical Society B 42, 1-25.  With J = Q R, and u = R (theta - x), the model moves by Q u to
first order.  Its second derivatives by u have a part within the columns of J, which other
parameters would take away, and a part across, which is the bend of the surface of all models
itself.  Both are measured against the radius s sqrt(p) of a confidence region, as root mean squares
over all directions.
"""

from dataclasses import dataclass
from math import inf, nan, sqrt

import numpy as np
from numpy.typing import NDArray

from lmoo.results.distributions import f_exceeded
from lmoo.results.fit import Fit
from lmoo.results.linearization import exact, jacobian, jacobian_of, unit_columns

__all__ = ["Nonlinearity", "nonlinearity"]

Array = NDArray[np.float64]

# At the edge of a 95 % region, an arc of this curvature is off its tangent by 15 % of the distance.
_MUCH = 0.3


@dataclass(frozen=True)
class Nonlinearity:
    """Relative curvatures of a model at its best fit, times ``sqrt(F)`` for 95 %.

    Attributes
    ----------
    intrinsic : float
        Curvature of the model itself, whatever its parameters.
    parameter_effects : float
        Curvature that comes of the parameters chosen.

    Notes
    -----
    1 is a radius of curvature as small as the confidence region.  At 0.3 the tangent plane is off
    by 15 % of the distance at the edge of the region, where linear intervals begin to mislead.

    Examples
    --------
    >>> from lmoo.results.curvature import Nonlinearity
    >>> print(Nonlinearity(0.03, 0.2))
    Linear errors can be trusted: curvature 0.03 of the model, 0.2 of its parameters (0.3 is much).
    """

    intrinsic: float
    parameter_effects: float

    @property
    def acceptable(self) -> bool:
        """Whether linear errors can be trusted: both are below 0.3."""
        return max(self.intrinsic, self.parameter_effects) < _MUCH

    def __str__(self) -> str:
        if np.isnan(self.intrinsic):
            return "The nonlinearity is not known: the data leave nothing to judge it by."
        verdict = "can be trusted" if self.acceptable else "may mislead"
        return (
            f"Linear errors {verdict}: curvature {self.intrinsic:.2g} of the model, "
            f"{self.parameter_effects:.2g} of its parameters ({_MUCH:g} is much)."
        )


def nonlinearity(result: Fit) -> Nonlinearity:
    """Return the root mean square curvatures, times sqrt(F)."""
    p, dof = result.observations - result.degrees_of_freedom, result.degrees_of_freedom
    free = ~result.held
    J = jacobian_of(result)[:, free]
    if dof <= 0 or result.rank < J.shape[1] or J.shape[1] == 0:
        return Nonlinearity(nan, nan)
    # In units of the residual's deviation, so that no square overflows, or vanishes.
    unit = result.residual_deviation or 1.0
    scaled, norms = unit_columns(J)
    Q, R = np.linalg.qr(scaled)
    directions = np.zeros((result.x.size, J.shape[1]))
    directions[free] = np.linalg.inv(R) * (unit / norms)[:, None]
    bend = _second_derivatives(result, directions, unit)
    within = np.einsum("ma,mkl->akl", Q, bend)
    across = bend - np.einsum("ma,akl->mkl", Q, within)
    # Of the radius of a region of p parameters, held ones at a bound not among them.
    p = J.shape[1]
    scale = result.residual_deviation / unit * sqrt(p) * sqrt(f_exceeded(0.05, p, dof))
    return Nonlinearity(scale * _rms(across), scale * _rms(within))


def _rms(faces: Array) -> float:
    """Return the root mean square of ``|sum_kl faces[:, k, l] d_k d_l|`` over directions d.

    Bates and Watts 1980, section 2.5:  (2 sum_kl a_kl^2 + (sum_k a_kk)^2) / (p (p + 2)).
    """
    p = faces.shape[1]
    trace = np.einsum("akk->a", faces)
    return sqrt((2.0 * float((faces * faces).sum()) + float(trace @ trace)) / (p * (p + 2)))


def _second_derivatives(result: Fit, directions: Array, unit: float) -> Array:
    """Return the second derivatives of the residual along the directions, in a unit, (m, p, p).

    Differences of the Jacobian along each, central ones where the bounds leave room on both sides;
    nan where they leave none.
    """
    planes = []
    for direction in directions.T:
        h = _length(result, direction, unit)
        ahead, behind = (min(h, 0.9 * _room(result, side * direction)) for side in (1.0, -1.0))
        width = ahead + behind if ahead + behind > 0.0 else nan
        change = jacobian(result, result.x + ahead * direction)
        change = change - jacobian(result, result.x - behind * direction)
        planes.append(change / unit @ directions / width)
    bend = np.stack(planes, axis=1)
    return np.asarray(0.5 * (bend + bend.transpose(0, 2, 1)))


def _room(result: Fit, direction: Array) -> float:
    """Return how far x can go along a direction before it meets a bound."""
    moving = direction != 0.0
    end = np.where(direction > 0.0, result.upper, result.lower)
    return float(np.min((end[moving] - result.x[moving]) / direction[moving], initial=inf))


def _length(result: Fit, direction: Array, unit: float) -> float:
    """Return a step along a direction: a small part of a standard error, which is a unit long."""
    share, precision = (1e-3, 1e-7) if exact(result) else (3e-2, 1e-5)
    moving = (direction != 0.0) & (result.x != 0.0)
    # Not less than what the parameters resolve, where a fit is all but perfect.
    least = float(np.min(np.abs(result.x[moving] / direction[moving]), initial=inf))
    h = max(share * result.residual_deviation / unit, precision * least if least < inf else 0.0)
    return h if h > 0.0 else precision
