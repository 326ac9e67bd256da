"""Follow the profile of a parameter in one direction, by fits in which the parameter is fixed."""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import inf, sqrt
from typing import NamedTuple

import numpy as np

from lmoo._core.arrays import Array
from lmoo._core.kernels import enorm
from lmoo.errors import BetterMinimumWarning
from lmoo.problems.kinds import in_blocks
from lmoo.results.fit import Fit
from lmoo.results.linearization import jacobian_of, problem_of
from lmoo.results.refit import Point, refit
from lmoo.results.statistics import residual_scale

# Relative accuracy of tau at the end of an interval.
CLOSE = 1e-6
# Largest growth of the step width.
_GROWTH = 4.0
# The interval is open if its end is farther than this many first steps or values of the parameter.
_ENDLESS = 1e8
# tau^2 below minus this is no rounding error: the sum of squares has a lower minimum.
_BETTER = 1e-4


class ProfilePoint(NamedTuple):
    """A point of a profile: its distance from the origin of the path, tau, and all parameters."""

    distance: float
    tau: float
    x: Array


class ConstrainedFits:
    """Fits of a result's problem with some parameters fixed, and their costs.

    Attributes
    ----------
    best : Point
        The point with the lowest sum of squares so far.
    """

    def __init__(self, result: Fit, scaled: bool | None) -> None:
        problem_of(result, "a profile")
        if not result.success:
            raise ValueError(
                "a profile needs a fit that has converged; this one has not: "
                f"{result.status.name}, {result.status.reason}"
            )
        if not has_profile(result, scaled):
            raise ValueError(
                "a profile needs more observations than parameters, or scaled=False, and a "
                "residual that is not zero"
            )
        self.result = result
        self.best = Point(result.x, result.fnorm)
        self.sigma = residual_scale(result, scaled)
        # With a loss the cost grows by the mean of h times what a sum of squares grows by.
        self.unit = self.sigma * result.loss_slope

    def cost(self, fnorm: float) -> float:
        """Return tau^2: the increase of the sum of squares over the result's, divided by s^2."""
        least = self.result.fnorm
        return (fnorm - least) / self.unit * ((fnorm + least) / self.unit)

    def __call__(self, fixed: Mapping[int, float], start: Array) -> Point | None:
        """Return the best point with these parameters fixed; None if the start is a bad point."""
        found = refit(self.result, fixed, start)
        if found is not None and found.fnorm < self.best.fnorm:
            self.best = found
        return found

    def warn(self) -> None:
        """Warn if one of the fits has found a lower minimum than the result."""
        if self.cost(self.best.fnorm) < -_BETTER:
            warnings.warn(BetterMinimumWarning(self.result, self.best), stacklevel=4)


class ProfilePath:
    """The profile of parameter j on one side of an origin, as far as it was computed.

    Parameters
    ----------
    fits : ConstrainedFits
    j : int
    side : {-1, 1}
    origin : Point
        The best point with the parameters `fixed` at their values.
    fixed : mapping
        Values of further parameters that are fixed on the whole path.
    direction : (n,) array, optional
        The change of all parameters per change of parameter j, to first order.
    """

    def __init__(
        self,
        fits: ConstrainedFits,
        j: int,
        side: int,
        origin: Point,
        fixed: Mapping[int, float] | None = None,
        direction: Array | None = None,
    ) -> None:
        result = fits.result
        self.fits, self.j, self.side, self.fixed = fits, j, side, dict(fixed or {})
        self.base = fits.cost(origin.fnorm) if self.fixed else 0.0
        self.points = [ProfilePoint(0.0, 0.0, origin.x)]
        self.direction = direction
        self.bound = float(result.upper[j] if side > 0 else result.lower[j])
        self.room = abs(self.bound - float(origin.x[j]))

    def value(self, distance: float) -> float:
        """Return the parameter at a distance; exactly the bound at or beyond the distance to it."""
        if distance >= self.room:
            return self.bound
        return float(self.points[0].x[self.j]) + self.side * distance

    def point(self, distance: float, ceiling: float) -> ProfilePoint | None:
        """Return the point at a distance; None if the model has no value there.

        If tau is above the ceiling the fit may have ended at another minimum.  Then the other
        parameters of the two nearest points are tried as starting points as well.
        """
        fixed = {**self.fixed, self.j: self.value(distance)}
        near = sorted(self.points, key=lambda p: abs(p.distance - distance))[:2]
        best: ProfilePoint | None = None
        for start in (self._guess(distance, near), *(p.x for p in near)):
            found = self.fits(fixed, start)
            if found is not None:
                tau = sqrt(max(self.fits.cost(found.fnorm) - self.base, 0.0))
                if best is None or tau < best.tau:
                    best = ProfilePoint(distance, tau, found.x)
                if best.tau <= ceiling:
                    break
        return best

    def _guess(self, distance: float, near: Sequence[ProfilePoint]) -> Array:
        """Return a starting point on the line through two known points."""
        if len(near) == 1:
            origin = near[0].x
            if self.direction is None:
                return origin
            return origin + self.side * distance * self.direction
        share = (distance - near[0].distance) / (near[1].distance - near[0].distance)
        return np.asarray(near[0].x + share * (near[1].x - near[0].x))

    def advance(self, target: float, step: float, most: float = inf) -> Iterator[ProfilePoint]:
        """Yield points until tau reaches the target, a bound, a plateau, or bad points.

        Parameters
        ----------
        target : float
        step : float
            Distance at which tau is expected to have grown by `most`, or to be the target.
        most : float
            Approximate growth of tau from one point to the next.
        """
        goal = min(most, target)
        far = _ENDLESS * max(step, abs(float(self.points[0].x[self.j])))
        here, slope, width, idle, last = self.points[0], goal / step, step, 0, self.room
        while here.tau < target and here.distance < min(last, far) and idle < 2:
            distance = min(here.distance + width, last)
            width = distance - here.distance
            # Whether there are floating-point numbers between the two points.
            wide = self.value(here.distance + 0.5 * width) != self.value(here.distance)
            ceiling = here.tau + 2.0 * slope * width
            found = self.point(distance, ceiling)
            if found is None:
                # The model has no values from here on: bisection to the last good point.
                if width < 2e-3 * distance or not wide:
                    return
                last, width = distance, 0.5 * width
                continue
            if found.tau > ceiling and width > 0.02 * distance and wide:
                # tau has jumped.  A shorter step shows whether the profile has a jump.
                width *= 0.5
                continue
            gained = found.tau - here.tau
            # A plateau: two steps in a row that gain at most 1 % of what is missing.
            idle = idle + 1 if gained < 0.01 * (target - found.tau) and distance >= step else 0
            slope = max(gained, 1e-3 * goal) / width
            here = found
            self.points.append(here)
            yield here
            # The width that a straight line predicts, and a tenth more.
            missing = 1.1 * min(target - here.tau, most)
            width = min(max(missing / slope, 0.2 * width), _GROWTH * max(width, 0.3 * distance))

    def crossing(self, target: float, step: float) -> float:
        """Return the value at which tau reaches target; the bound, or +-inf, if it does not.

        Parameters
        ----------
        target : float
        step : float
            Distance at which the crossing is expected.
        """
        for _ in self.advance(target, step):
            pass
        outer = self.points[-1]
        if outer.tau < target:
            at_bound = self.room == outer.distance
            return self.bound if at_bound else self.side * inf
        inner = self.points[-2]

        def excess(distance: float) -> float:
            here = self.point(distance, outer.tau)
            if here is None:
                # A bad point lies beyond the crossing.
                return inf
            self.points.append(here)
            return here.tau - target

        ends = [(p.distance, p.tau - target) for p in (inner, outer)]
        return self.value(_root(excess, ends[0], ends[1], target * CLOSE))


def _root(
    function: Callable[[float], float],
    inner: tuple[float, float],
    outer: tuple[float, float],
    close: float,
) -> float:
    """Return a root between two points of different sign, by Chandrupatla's method.

    It uses inverse quadratic interpolation if the last three points allow it, else bisection
    (Chandrupatla 1997, "A new hybrid quadratic/bisection algorithm for finding the zero of a
    nonlinear function", Advances in Engineering Software 28).
    """
    (a, fa), (b, fb) = outer, inner
    # The first point is that of the secant, as tau is nearly linear.
    share = fa / (fa - fb)
    for _ in range(100):
        here = a + share * (b - a)
        value = function(here)
        if abs(value) <= close:
            return here
        if (value > 0) == (fa > 0):
            c, fc = a, fa
        else:
            c, fc, b, fb = b, fb, a, fa
        a, fa = here, value
        width = abs(b - a)
        if width <= 4e-16 * abs(a) + 1e-300:
            return a
        xi, phi = (a - b) / (c - b), (fa - fb) / (fc - fb)
        share = 0.5
        if phi * phi < xi and (1 - phi) ** 2 < 1 - xi:
            share = fa / (fb - fa) * fc / (fb - fc)
            share += (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
        share = min(max(share, 1e-9), 1 - 1e-9)
    return a


def has_profile(result: Fit, scaled: bool | None) -> bool:
    """Return whether the residual has a standard deviation, and the result a linear model."""
    return result.factor is not None and 0.0 < residual_scale(result, scaled) < inf


def step_for(fits: ConstrainedFits, j: int) -> float:
    """Return the change of parameter j for tau = 1 in the linear model."""
    result = fits.result
    if result._error_alone(j) > 0.0:
        return fits.sigma * result._error_alone(j)
    error = float(result._linear.standard_errors(fits.sigma)[j])
    if 0.0 < error < inf:
        return error
    # At an active bound, or undetermined: the change if the others stay as they are.
    norm = float(result._linear.acnorm[j])
    if norm == 0.0 and not in_blocks(result.problem):
        norm = enorm(np.ascontiguousarray(jacobian_of(result)[:, j]))
    return fits.sigma / norm if norm > 0.0 else 0.1 * max(abs(float(result.x[j])), 1.0)


def path_from_solution(fits: ConstrainedFits, j: int, side: int) -> ProfilePath:
    """Return the path of parameter j from the solution to one side."""
    result = fits.result
    covariances = result._linear.covariance_column(j)
    direction = None
    with np.errstate(all="ignore"):
        column = covariances / covariances[j]
    if np.isfinite(column).all():
        direction = column
    return ProfilePath(fits, j, side, Point(result.x, result.fnorm), None, direction)
