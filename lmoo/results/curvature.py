"""The relative curvatures of Bates and Watts, which measure the nonlinearity of a model.

Bates and Watts (1980), "Relative curvature measures of nonlinearity", Journal of the Royal
Statistical Society B 42, 1-25.  With J = Q R and u = R (theta - x), the values of the model change
by Q u to first order.  The second derivatives by u have two parts.  The tangential part lies in the
range of J; another choice of parameters can remove it.  The normal part is the curvature of the
surface of all values of the model, whatever its parameters.  Both are given as root mean squares
over all directions, relative to the radius s sqrt(p) of a confidence region.
"""

from dataclasses import dataclass
from math import inf, nan, sqrt

import numpy as np

from lmoo._core.arrays import Array
from lmoo.results.distributions import f_exceeded
from lmoo.results.fit import Fit
from lmoo.results.linearization import exact, jacobian, jacobian_of, unit_columns
from lmoo.results.reparametrized import with_parameters

# At the edge of a 95 % region an arc of this curvature deviates from its tangent by 15 % of the
# distance.
_MUCH = 0.3


@dataclass(frozen=True)
class Nonlinearity:
    """Relative curvatures of a model at the solution, times ``sqrt(F)`` for 95 %.

    Attributes
    ----------
    intrinsic : float
        Curvature of the model, whatever its parameters.
    parameter_effects : float
        Curvature that results from the choice of the parameters.

    Notes
    -----
    At 1 the radius of curvature equals that of the confidence region.  At 0.3 the tangent plane
    deviates by 15 % of the distance at the edge of the region; above, linear intervals may be
    misleading.

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
        """Whether linear standard errors are reliable: both curvatures are below 0.3."""
        return max(self.intrinsic, self.parameter_effects) < _MUCH

    def __str__(self) -> str:
        if np.isnan(self.intrinsic):
            return (
                "The nonlinearity is not known: no minimum, no degree of freedom, or undetermined "
                "parameters."
            )
        verdict = "can be trusted" if self.acceptable else "may mislead"
        return (
            f"Linear errors {verdict}: curvature {self.intrinsic:.2g} of the model, "
            f"{self.parameter_effects:.2g} of its parameters ({_MUCH:g} is much)."
        )


def nonlinearity(result: Fit) -> Nonlinearity:
    """Return the root mean square curvatures, times sqrt(F)."""
    if result.observations and not result.success:
        return Nonlinearity(nan, nan)
    # Of the coordinates, where parameters are related.
    result, _ = with_parameters(result, (), False)
    p, dof = result.observations - result.degrees_of_freedom, result.degrees_of_freedom
    free = ~result.fixed_or_active
    J = jacobian_of(result)[:, free]
    if dof <= 0 or result.rank < J.shape[1] or J.shape[1] == 0:
        return Nonlinearity(nan, nan)
    # In units of the residual's standard deviation, so that squares neither over- nor underflow.
    unit = result.residual_deviation or 1.0
    scaled, norms = unit_columns(J)
    Q, R = np.linalg.qr(scaled)
    directions = np.zeros((result.x.size, J.shape[1]))
    directions[free] = np.linalg.inv(R) * (unit / norms)[:, None]
    bend = _second_derivatives(result, directions, unit)
    within = np.einsum("ma,mkl->akl", Q, bend)
    across = bend - np.einsum("ma,akl->mkl", Q, within)
    # The radius of the region of the free parameters.
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
    """Return the second derivatives of the residual along the directions, (m, p, p), over unit.

    They are differences of the Jacobian along each direction: central differences if the bounds
    leave room on both sides, nan if they leave none.
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
    """Return the distance from x to the first bound along a direction."""
    moving = direction != 0.0
    end = np.where(direction > 0.0, result.upper, result.lower)
    return float(np.min((end[moving] - result.x[moving]) / direction[moving], initial=inf))


def _length(result: Fit, direction: Array, unit: float) -> float:
    """Return a difference step along a direction whose unit is one standard error."""
    share, precision = (1e-3, 1e-7) if exact(result) else (3e-2, 1e-5)
    moving = (direction != 0.0) & (result.x != 0.0)
    # At least a multiple of the rounding of the parameters, if the residual is nearly zero.
    least = float(np.min(np.abs(result.x[moving] / direction[moving]), initial=inf))
    h = max(share * result.residual_deviation / unit, precision * least if least < inf else 0.0)
    return h if h > 0.0 else precision
