"""Profile likelihood: the least sum of squares as a function of one parameter.

The profile t of a parameter (Bates and Watts 1988, "Nonlinear regression analysis and its
applications", section 6.1) is

    tau(theta) = sign(theta - x_j) sqrt((S(theta) - S(x)) / s^2),    s^2 = S(x) / (m - n),

where S(theta) is the least sum of squares with parameter j fixed at theta.  For a linear model tau
is the straight line (theta - x_j) / error_j; for others it bends.  The profile interval ends where
tau reaches the quantile of Student's t (Venzon and Moolgavkar 1988, "A method for computing
profile-likelihood-based confidence intervals", Applied Statistics 37).
"""

from math import hypot, sqrt
from typing import NamedTuple

import numpy as np

from lmoo._core.arrays import Array
from lmoo.results.distributions import f_exceeded
from lmoo.results.fit import Fit
from lmoo.results.profilepath import (
    CLOSE,
    ConstrainedFits,
    ProfilePath,
    has_profile,
    path_from_solution,
    step_for,
)
from lmoo.results.refit import Point
from lmoo.results.reparametrized import with_parameters
from lmoo.results.statistics import linear_interval, t_quantile

# For intervals that are narrower than this, relatively, the linear interval is accurate.
_LINEAR = 1e-9


class Profile(NamedTuple):
    """The profile of a parameter.

    values : (k,) values of the parameter, ascending
    tau : (k,) profile t at these values
    x : (k, n) all parameters; the others minimise the sum of squares
    """

    values: Array
    tau: Array
    x: Array


def intervals(result: Fit, level: float, scaled: bool | None) -> Array:
    """Return the profile-likelihood intervals of all parameters, (n, 2)."""
    out = linear_interval(result, level, scaled)
    if not has_profile(result, scaled):
        return out
    moving = np.flatnonzero(~result.fixed).tolist()
    if result.related is not None:
        for j in moving:
            out[j] = interval(result, result.parameter_names[j], level, scaled)
        return out
    fits = ConstrainedFits(result, scaled)
    for j in moving:
        out[j] = _ends_of(fits, j, level, scaled, out[j])
    fits.warn()
    return out


def interval(result: Fit, name: str, level: float, scaled: bool | None) -> Array:
    """Return the profile-likelihood interval of a parameter or a derived quantity, (2,)."""
    fit, (j,) = with_parameters(result, (name,), scaled)
    linear = linear_interval(fit, level, scaled)[j]
    if fit.fixed[j] or not has_profile(fit, scaled):
        return np.asarray(linear)
    fits = ConstrainedFits(fit, scaled)
    found = _ends_of(fits, j, level, scaled, linear)
    fits.warn()
    return found


def _ends_of(
    fits: ConstrainedFits, j: int, level: float, scaled: bool | None, linear: Array
) -> Array:
    """Return both ends of an interval; those of linear theory if it is narrow."""
    t = t_quantile(fits.result, level, scaled)
    step = step_for(fits, j) * t
    if not step > _LINEAR * abs(fits.result.x[j]):
        return linear
    return np.array([_end(fits, j, side, t, step) for side in (-1, 1)])


def _end(fits: ConstrainedFits, j: int, side: int, t: float, step: float) -> float:
    """Return one end of an interval, on which a quantity has the value that it reaches."""
    path = path_from_solution(fits, j, side)
    end = path.crossing(t, step)
    if not np.isfinite(end):
        return end
    nearest = min(path.points, key=lambda point: abs(path.value(point.distance) - end))
    return fits.result._reached(j, end, nearest.x)


def trace(result: Fit, j: int, level: float, scaled: bool | None, points: int = 8) -> Profile:
    """Return the profile of parameter j up to the quantile of tau for a level."""
    result, (j,) = with_parameters(result, (j,), scaled)
    if result.fixed[j]:
        raise ValueError(f"j must be a parameter that is not fixed; {result.parameter_names[j]} is")
    fits = ConstrainedFits(result, scaled)
    t = t_quantile(result, level, scaled)
    rows: list[tuple[float, float, Array]] = [(float(result.x[j]), 0.0, result.x)]
    for side in (-1, 1):
        path = path_from_solution(fits, j, side)
        found = path.advance(t, step_for(fits, j) * t / points, t / points)
        rows += [(path.value(p.distance), side * p.tau, p.x) for p in found]
    fits.warn()
    rows.sort(key=lambda row: row[0])
    values, tau, x = zip(*rows, strict=True)
    return Profile(np.array(values), np.array(tau), np.array(x))


# ---- joint regions of two parameters ---------------------------------------------------------


def contour(
    result: Fit, i: int, j: int, level: float, scaled: bool | None, points: int = 32
) -> tuple[Array, Array]:
    """Return the boundary of the joint region of two parameters, a closed line of (k,) each.

    In the region ``(S - S(x)) / s^2``, minimised over the other parameters, is at most 2 F, with
    the quantile F of Fisher's distribution for 2 and m - n degrees of freedom (Bates and Watts
    1988, section 6.2).  Its extent along i is that of a profile.  For values of i in between, the
    two ends along j are computed from the best j.  An open end is cut off at twice the linear
    region.
    """
    result, (i, j) = with_parameters(result, (i, j), scaled)
    for name, which in (("i", i), ("j", j)):
        if result.fixed[which]:
            fixed = result.parameter_names[which]
            raise ValueError(f"{name} must be a parameter that is not fixed; {fixed} is")
    if i == j:
        raise ValueError(f"i and j must be two parameters; both are {result.parameter_names[i]}")
    fits = ConstrainedFits(result, scaled)
    cutoff = sqrt(joint_cutoff(result, level, scaled))
    paths = {side: path_from_solution(fits, i, side) for side in (-1, 1)}
    step = step_for(fits, i) * cutoff
    extent = {side: _extent(path, cutoff, step) for side, path in paths.items()}
    # Values of i are dense near both ends, where the boundary turns.
    cosines = np.cos(np.pi * np.arange(points + 1) / points)
    shifts = 0.5 * ((extent[1] - extent[-1]) - (extent[1] + extent[-1]) * cosines)
    ends = [_ends(paths[1 if shift > 0 else -1], abs(shift), j, cutoff) for shift in shifts]
    fits.warn()
    found = np.array([end for end in ends if end is not None])
    values = np.concatenate([found[:, 0], found[::-1, 0], found[:1, 0]])
    return values, np.concatenate([found[:, 1], found[::-1, 2], found[:1, 1]])


def _extent(path: ProfilePath, cutoff: float, step: float) -> float:
    """Return the distance at which tau is the cutoff; twice the step if it stays below."""
    end = path.crossing(cutoff, step)
    return abs(end - float(path.points[0].x[path.j])) if np.isfinite(end) else 2.0 * step


def _ends(
    path: ProfilePath, distance: float, j: int, cutoff: float
) -> tuple[float, float, float] | None:
    """Return the parameter of the path at a distance, and both ends of the region along j."""
    fits, value = path.fits, path.value(distance)
    here = path.point(distance, cutoff) if distance > 0.0 else path.points[0]
    if here is None or here.tau > cutoff * (1.0 + 10.0 * CLOSE):
        return None
    left = sqrt(max(cutoff**2 - here.tau**2, 0.0))
    middle = float(here.x[j])
    if left < 1e-3 * cutoff:
        return value, middle, middle
    rho = float(fits.result.correlation[path.j, j])
    step = left * step_for(fits, j) * sqrt(max(1.0 - rho * rho, 1e-6) if rho == rho else 1.0)
    origin = Point(here.x, hypot(here.tau * fits.unit, fits.result.fnorm))
    sides = (ProfilePath(fits, j, side, origin, {path.j: value}) for side in (-1, 1))
    low, high = (middle + p.side * _extent(p, left, step) for p in sides)
    return value, low, high


def joint_cutoff(result: Fit, level: float, scaled: bool | None) -> float:
    """Return tau^2 on the boundary of a joint region of two parameters."""
    if not result.is_scaled(scaled):
        return -2.0 * float(np.log1p(-level))
    return 2.0 * f_exceeded(1.0 - level, 2.0, result.degrees_of_freedom)
