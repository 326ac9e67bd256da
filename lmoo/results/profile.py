"""Profile likelihood: how the best sum of squares grows with a parameter that is held.

The profile t of a parameter (Bates and Watts 1988, "Nonlinear regression analysis and its
applications", section 6.1) is the signed root of what holding it costs,

    tau(theta) = sign(theta - x_j) sqrt((S(theta) - S(x)) / s^2),    s^2 = S(x) / (m - n),

where S(theta) is the least sum of squares with parameter j at theta.  For a linear model it is the
straight line (theta - x_j) / error_j; its bend is what linear errors miss.  Where tau crosses the
quantile of Student's t, the interval ends (Venzon and Moolgavkar 1988, "A method for computing
profile-likelihood-based confidence intervals", Applied Statistics 37).
"""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import hypot, inf, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmoo._core.kernels import enorm
from lmoo.errors import BetterMinimumWarning
from lmoo.problems.rows import RowBlockProblem
from lmoo.results.distributions import f_exceeded
from lmoo.results.fit import Fit
from lmoo.results.linearization import jacobian_of, problem_of
from lmoo.results.refit import Point, refit
from lmoo.results.statistics import linear_interval, residual_scale, t_quantile

__all__ = ["Profile", "contour", "intervals", "trace"]

Array = NDArray[np.float64]

# An end is found where tau is this close to the quantile, relatively.
_CLOSE = 1e-6
# Going on by this factor until the end is passed.
_FARTHER = 4.0
# So many times the first step, or the parameter itself, without an end: there is none.
_ENDLESS = 1e8
# An interval narrower than this, relatively, is that of a linear model to all digits there are.
_LINEAR = 1e-9
# tau^2 below minus this is no rounding: the sum of squares has a lower minimum.
_BETTER = 1e-4


class Profile(NamedTuple):
    """The profile of a parameter.

    values : (k,) its values, ascending
    tau : (k,) what holding it there costs, signed
    x : (k, n) all parameters, the others at their best
    """

    values: Array
    tau: Array
    x: Array


class Visit(NamedTuple):
    """A point of a profile: its distance from the origin, tau from there, and where it is."""

    distance: float
    tau: float
    x: Array


class Refits:
    """The fits of one result with parameters held, and what they cost.

    Attributes
    ----------
    best : Point
        The lowest point that any of them has come to.
    """

    def __init__(self, result: Fit, scaled: bool) -> None:
        problem_of(result, "a profile")
        if not _has_profile(result, scaled):
            raise ValueError(
                "a profile needs more observations than parameters, or scaled=False, and a "
                "residual that is not zero"
            )
        self.result = result
        self.best = Point(result.x, result.fnorm)
        self.sigma = residual_scale(result, scaled)

    def cost(self, fnorm: float) -> float:
        """Return tau^2, the sum of squares above the result's in units of s^2."""
        least = self.result.fnorm
        return (fnorm - least) / self.sigma * ((fnorm + least) / self.sigma)

    def __call__(self, held: Mapping[int, float], start: Array) -> Point | None:
        """Return the best point with these parameters held; None where there is no value."""
        found = refit(self.result, held, start)
        if found is not None and found.fnorm < self.best.fnorm:
            self.best = found
        return found

    def warn(self) -> None:
        """Warn where a better minimum was found on the way."""
        if self.cost(self.best.fnorm) < -_BETTER:
            warnings.warn(BetterMinimumWarning(self.result, self.best), stacklevel=4)


class Walk:
    """The profile of parameter j on one side of an origin, as far as it was asked for.

    Parameters
    ----------
    refits : Refits
    j : int
    side : {-1, 1}
    origin : Point
        The best point with the parameters `held` where they are held already.
    held : mapping
    ahead : (n,) array, optional
        How the parameters move with parameter j, to first order.
    """

    def __init__(
        self,
        refits: Refits,
        j: int,
        side: int,
        origin: Point,
        held: Mapping[int, float] | None = None,
        ahead: Array | None = None,
    ) -> None:
        result = refits.result
        self.refits, self.j, self.side, self.held = refits, j, side, dict(held or {})
        self.base = refits.cost(origin.fnorm) if self.held else 0.0
        self.visits = [Visit(0.0, 0.0, origin.x)]
        self.ahead = ahead
        self.end = float(result.upper[j] if side > 0 else result.lower[j])
        self.room = abs(self.end - float(origin.x[j]))

    def value(self, distance: float) -> float:
        """Return the parameter at a distance; exactly the bound at the end of the room."""
        if distance >= self.room:
            return self.end
        return float(self.visits[0].x[self.j]) + self.side * distance

    def visit(self, distance: float, ceiling: float) -> Visit | None:
        """Return the point at a distance; None where the model has no value.

        Where tau is above the ceiling, the fit may have gone astray: the neighbours' other
        parameters are tried as starts as well.
        """
        held = {**self.held, self.j: self.value(distance)}
        near = sorted(self.visits, key=lambda v: abs(v.distance - distance))[:2]
        best: Visit | None = None
        for start in (self._guess(distance, near), *(v.x for v in near)):
            found = self.refits(held, start)
            if found is not None:
                tau = sqrt(max(self.refits.cost(found.fnorm) - self.base, 0.0))
                if best is None or tau < best.tau:
                    best = Visit(distance, tau, found.x)
                if best.tau <= ceiling:
                    break
        return best

    def _guess(self, distance: float, near: Sequence[Visit]) -> Array:
        """Return where the other parameters may be: on a line through two points that are known."""
        if len(near) == 1:
            origin = near[0].x
            return origin if self.ahead is None else origin + self.side * distance * self.ahead
        share = (distance - near[0].distance) / (near[1].distance - near[0].distance)
        return np.asarray(near[0].x + share * (near[1].x - near[0].x))

    def steps(self, target: float, step: float, most: float = inf) -> Iterator[Visit]:
        """Walk until tau reaches the target, a bound, a plateau, or the end of the model.

        Parameters
        ----------
        target : float
        step : float
            Distance where tau is expected to have grown by `most`, or to be the target.
        most : float
            How much tau shall grow in one step, about.
        """
        goal = min(most, target)
        far = _ENDLESS * max(step, abs(float(self.visits[0].x[self.j])))
        here, slope, width, idle, last = self.visits[0], goal / step, step, 0, self.room
        while here.tau < target and here.distance < min(last, far) and idle < 2:
            distance = min(here.distance + width, last)
            width = distance - here.distance
            # Whether there is anything between here and there.
            wide = self.value(here.distance + 0.5 * width) != self.value(here.distance)
            ceiling = here.tau + 2.0 * slope * width
            found = self.visit(distance, ceiling)
            if found is None:
                # The model ends before this: half-way is looked at, down to nothing.
                if width < 2e-3 * distance or not wide:
                    return
                last, width = distance, 0.5 * width
                continue
            if found.tau > ceiling and width > 0.02 * distance and wide:
                # Too far at once: tau has no reason to jump, unless at a cliff.
                width *= 0.5
                continue
            gained = found.tau - here.tau
            # Twice no more than a hundredth of what is missing, farther than expected: a plateau.
            idle = idle + 1 if gained < 0.01 * (target - found.tau) and distance >= step else 0
            slope = max(gained, 1e-3 * goal) / width
            here = found
            self.visits.append(here)
            yield here
            # As far as a straight line says, and a little more.
            missing = 1.1 * min(target - here.tau, most)
            width = min(max(missing / slope, 0.2 * width), _FARTHER * max(width, 0.3 * distance))

    def crossing(self, target: float, step: float) -> float:
        """Return the value where tau reaches target; the bound, or inf, where it does not.

        Parameters
        ----------
        target : float
        step : float
            Distance where that is expected.
        """
        for _ in self.steps(target, step):
            pass
        outer = self.visits[-1]
        if outer.tau < target:
            at_bound = self.room == outer.distance
            return self.end if at_bound else self.side * inf
        inner = self.visits[-2]

        def excess(distance: float) -> float:
            here = self.visit(distance, outer.tau)
            if here is None:
                # Where the model has no value, it is as far as any.
                return inf
            self.visits.append(here)
            return here.tau - target

        ends = [(v.distance, v.tau - target) for v in (inner, outer)]
        return self.value(_root(excess, ends[0], ends[1], target * _CLOSE))


def _root(
    function: Callable[[float], float],
    inner: tuple[float, float],
    outer: tuple[float, float],
    close: float,
) -> float:
    """Return a root between two points of different sign, by Chandrupatla's method.

    Inverse quadratic interpolation where three points are as good as on a parabola, else bisection
    (Chandrupatla 1997, "A new hybrid quadratic/bisection algorithm for finding the zero of a
    nonlinear function", Advances in Engineering Software 28).
    """
    (a, fa), (b, fb) = outer, inner
    # By false position to begin with, as tau is nearly straight.
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


# ---- what is asked of it --------------------------------------------------------------------


def intervals(result: Fit, level: float, scaled: bool) -> Array:
    """Return the profile-likelihood intervals of all parameters, (n, 2)."""
    out = linear_interval(result, level, scaled)
    if not _has_profile(result, scaled):
        return out
    t = t_quantile(result, level, scaled)
    refits = Refits(result, scaled)
    for j in np.flatnonzero(~result.fixed).tolist():
        step = _step(refits, j) * t
        if step > _LINEAR * abs(result.x[j]):
            low, high = (_walk(refits, j, side).crossing(t, step) for side in (-1, 1))
            out[j] = low, high
    refits.warn()
    return out


def _has_profile(result: Fit, scaled: bool) -> bool:
    """Whether there is a deviation to measure tau by, and a linear model to start with."""
    return result.factor is not None and 0.0 < residual_scale(result, scaled) < inf


def trace(result: Fit, j: int, level: float, scaled: bool, points: int = 8) -> Profile:
    """Return the profile of parameter j until tau passes the quantile of a level."""
    if result.fixed[j]:
        raise ValueError(f"j must be a parameter that is not fixed; {result.parameter_names[j]} is")
    refits = Refits(result, scaled)
    t = t_quantile(result, level, scaled)
    rows: list[tuple[float, float, Array]] = [(float(result.x[j]), 0.0, result.x)]
    for side in (-1, 1):
        walk = _walk(refits, j, side)
        visits = walk.steps(t, _step(refits, j) * t / points, t / points)
        rows += [(walk.value(v.distance), side * v.tau, v.x) for v in visits]
    refits.warn()
    rows.sort(key=lambda row: row[0])
    values, tau, x = zip(*rows, strict=True)
    return Profile(np.array(values), np.array(tau), np.array(x))


def contour(
    result: Fit, i: int, j: int, level: float, scaled: bool, points: int = 32
) -> tuple[Array, Array]:
    """Return the boundary of the joint region of two parameters, a closed line of (k,) each.

    The region is where the other parameters can bring ``(S - S(x)) / s^2`` down to 2 F, with the
    quantile F of Fisher's distribution for 2 and m - n degrees of freedom (Bates and Watts 1988,
    section 6.2).  Its extent along i is that of a profile; for values of i in between, the two ends
    along j are looked for from the best j.  An open end is cut off at twice the linear region.
    """
    for name, which in (("i", i), ("j", j)):
        if result.fixed[which]:
            held = result.parameter_names[which]
            raise ValueError(f"{name} must be a parameter that is not fixed; {held} is")
    if i == j:
        raise ValueError(f"i and j must be two parameters; both are {result.parameter_names[i]}")
    refits = Refits(result, scaled)
    cutoff = sqrt(joint(result, level, scaled))
    walks = {side: _walk(refits, i, side) for side in (-1, 1)}
    reach = {side: _reach(walk, cutoff, _step(refits, i) * cutoff) for side, walk in walks.items()}
    # Close to the ends, where the line turns, places are dense.
    share = np.cos(np.pi * np.arange(points + 1) / points)
    shifts = 0.5 * ((reach[1] - reach[-1]) - (reach[1] + reach[-1]) * share)
    ends = [_ends(walks[1 if shift > 0 else -1], abs(shift), j, cutoff) for shift in shifts]
    refits.warn()
    found = np.array([end for end in ends if end is not None])
    values = np.concatenate([found[:, 0], found[::-1, 0], found[:1, 0]])
    return values, np.concatenate([found[:, 1], found[::-1, 2], found[:1, 1]])


def _reach(walk: Walk, cutoff: float, step: float) -> float:
    """Return how far a walk goes until tau is the cutoff; two steps where it never is."""
    end = walk.crossing(cutoff, step)
    return abs(end - float(walk.visits[0].x[walk.j])) if np.isfinite(end) else 2.0 * step


def _ends(walk: Walk, distance: float, j: int, cutoff: float) -> tuple[float, float, float] | None:
    """Return the walk's parameter at a distance, and both ends of a region along j there."""
    refits, value = walk.refits, walk.value(distance)
    here = walk.visit(distance, cutoff) if distance > 0.0 else walk.visits[0]
    if here is None or here.tau > cutoff * (1.0 + 10.0 * _CLOSE):
        return None
    left = sqrt(max(cutoff**2 - here.tau**2, 0.0))
    middle = float(here.x[j])
    if left < 1e-3 * cutoff:
        return value, middle, middle
    rho = float(refits.result.correlation[walk.j, j])
    step = left * _step(refits, j) * sqrt(max(1.0 - rho * rho, 1e-6) if rho == rho else 1.0)
    origin = Point(here.x, hypot(here.tau * refits.sigma, refits.result.fnorm))
    sides = (Walk(refits, j, side, origin, {walk.j: value}) for side in (-1, 1))
    low, high = (middle + w.side * _reach(w, left, step) for w in sides)
    return value, low, high


def joint(result: Fit, level: float, scaled: bool) -> float:
    """Return the tau^2 that belongs to a joint region of two parameters."""
    if not scaled:
        return -2.0 * float(np.log1p(-level))
    return 2.0 * f_exceeded(1.0 - level, 2.0, result.degrees_of_freedom)


def _step(refits: Refits, j: int) -> float:
    """Return how far parameter j goes for tau = 1, as far as the linear model knows."""
    result = refits.result
    error = float(result._linear.standard_errors(refits.sigma)[j])
    if 0.0 < error < inf:
        return error
    # At a bound, or undetermined: as if it were the only one.
    norm = float(result._linear.acnorm[j])
    if norm == 0.0 and not isinstance(result.problem, RowBlockProblem):
        norm = enorm(np.ascontiguousarray(jacobian_of(result)[:, j]))
    return refits.sigma / norm if norm > 0.0 else 0.1 * max(abs(float(result.x[j])), 1.0)


def _walk(refits: Refits, j: int, side: int) -> Walk:
    """Return the walk along parameter j from the result itself."""
    result = refits.result
    covariance = result._linear.covariance(1.0)
    ahead = None
    with np.errstate(all="ignore"):
        column = covariance[:, j] / covariance[j, j]
    if np.isfinite(column).all():
        ahead = column
    return Walk(refits, j, side, Point(result.x, result.fnorm), None, ahead)
