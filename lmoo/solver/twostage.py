"""Solves with linear parameters eliminated: first the others alone, then a model of all.

The reduced problem is solved by the same loop as any other.  At its minimum the full problem is
linearised once, which gives the covariance of all parameters; should the model predict a further
change of a parameter, Gauss-Newton steps of all follow, and if need be a full solve from there.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from lmoo._core.arrays import Array
from lmoo._core.batch import SeparableDerivatives
from lmoo._core.solve import Asked, Loop, as_vector
from lmoo.blockwise.evaluation import BlockView, iterator
from lmoo.errors import EvaluationError
from lmoo.jacobians.strategies import Analytic
from lmoo.problems.kinds import has_jacobian, in_blocks, is_compiled
from lmoo.problems.names import names_of
from lmoo.problems.problem import residual_call, residual_name
from lmoo.problems.separation import Parts
from lmoo.solver.projected import CompiledProjection, Projection
from lmoo.solver.rowprojection import CompiledRows, RowProjection, is_tall
from lmoo.solver.stages import Stages
from lmoo.solver.steps import More
from lmoo.status import Status

if TYPE_CHECKING:
    from lmoo.models.tracing.evaluation import Evaluation


# Gauss-Newton steps of all parameters after the reduced problem has been solved, at most.
_MOST_STEPS = 2
# The squared relative offset of a model that consists of rounding errors.
_ROUNDING = 1e-20
# A parameter that changes f by at most this, times xtol |f|, has converged: as for a `Solver`.
_NO_CHANGE = 30.0
# Of the largest residual: what the second difference by linear parameters may be.
_LINEAR = 1e-7


class _JudgedError(Exception):
    """The full problem has been linearised."""


def _judge(model: Any) -> Any:
    raise _JudgedError


def _gauss_newton(loop: Loop) -> Array:
    """Return the Gauss-Newton step of a loop's model, (n,), 0 for parameters without any effect."""
    r, order, right = loop.r, loop.ipvt, loop.qtf
    # The largest entries, as squares may overflow.
    size, length = np.abs(r).max(axis=0), float(np.abs(right).max()) or 1.0
    scale = np.where(size > 0, size, 1.0)
    step = np.zeros(right.size)
    with np.errstate(all="ignore"):
        step[order] = -np.linalg.lstsq(r / scale, right / length, rcond=None)[0] * (length / scale)
    return step


def _extrapolated(step: Array, last: Array | None, norms: Array) -> Array:
    """Return the sum of the Gauss-Newton steps that remain, if this one is the last times a rate.

    That is the secant step (_core/iteration/secant.pxi) after a Gauss-Newton step.  It is taken for
    rates from -1 to 1/2: it is at most twice as long as this one.
    """
    if last is None:
        return step
    with np.errstate(all="ignore"):
        change, along = norms * (step - last), norms * step
        share = float(change @ along / (change @ change))
    return (1.0 - share) * step if -1.0 <= share <= 0.5 else step


class SeparableLoop(Stages):
    """A solve in two stages, with the interface of `Loop`, all of it for all parameters.

    Parameters
    ----------
    options : SolverOptions
    problem : Problem
    x0 : (n,) float64 array
    bounds : (2, n) float64 array or None
    parts : Parts
    evaluation : Evaluation or None
    """

    def __init__(
        self,
        options: Any,
        problem: Any,
        x0: Array,
        bounds: Array | None,
        parts: Parts,
        evaluation: "Evaluation | None",
    ) -> None:
        # What is found in a graph needs no check.
        self._checked = getattr(problem, "linear_parameters", None) is None
        if evaluation is not None and evaluation.problem is not None:
            problem = evaluation.problem
        self._options, self._problem, self._x0, self._bounds = options, problem, x0, bounds
        self._parts, self._other = parts, list(parts.other)
        self._blocks = in_blocks(problem)
        # Whether the first stage takes the rows in blocks.
        self._in_rows = self._blocks
        # nan: no other parameter is equal to it.
        self._point = np.where(np.isin(np.arange(x0.size), parts.other), np.nan, x0)
        n = x0.size
        self.maxfev = 1000 * (n + 1) if options.maxfev is None else min(options.maxfev, 2**62)
        self._reduced, self._first = self._reduce()
        self._last: Loop | None = None
        self._steps = 0  # of all parameters, between the stages
        self._evaluated = (0, 0)  # by a full loop that was given up, or to check what is linear
        self._status: int | None = None
        self._shown: Any = self._first

    def _reduce(self) -> tuple[Any, Loop]:
        """Return the reduced problem and its loop."""
        options, problem, parts = self._options, self._problem, self._parts
        other = self._other
        strategy = options._strategy(problem)
        step = options.step
        reduced: Any
        compiled = is_compiled(problem) and has_jacobian(problem) and not strategy._by_differences
        if compiled and is_tall(problem):
            problem, strategy, self._in_rows = CompiledRows(problem), Analytic(), True
        if self._in_rows:
            reduced = RowProjection(problem, parts, self._x0, strategy, self._bounds)
            # Residuals of two points have no common basis, in which a curvature could be measured.
            if step is None or step._is_mores:
                step = More(accelerate=False)
            derivatives: Any = Analytic()
        elif compiled:
            reduced = CompiledProjection(problem, parts)
            derivatives = SeparableDerivatives(reduced.problem)
        else:
            reduced = Projection(problem, parts, self._x0, strategy)
            derivatives = strategy
        edges = None if self._bounds is None else np.ascontiguousarray(self._bounds[:, other])
        diag = None if options.diag is None else np.array(options.diag)[other]
        loop = options._loop_of(
            reduced.problem, self._x0[other], edges, diag, self.maxfev, step, derivatives
        )
        return reduced, loop

    # ---- the solve --------------------------------------------------------------------------

    def run(self) -> None:
        """Iterate to the end."""
        while self.advance():
            pass

    def advance(self) -> bool:
        """Run one iteration; return False if there was none left."""
        if self._last is None:
            self._check()
            self._shown = self._first
            more = self._first.advance()
            self._keep_point()
            if self._first.done:
                self._finish()
            if more or self._last is None:
                return more
        if self._status is not None:
            return False
        self._shown = self._last
        return self._last.advance()

    def stop(self, status: int) -> None:
        """End the iteration at its last good point."""
        if self._last is not None:
            self._last.stop(status)
            self._status = self._last.status if self._status is None else self._status
            return
        self._first.stop(status)
        if self._first.done:
            self._finish()

    def release(self) -> None:
        """Free vectors of a solve that has ended, as `Loop.release`."""
        for loop in (self._first, self._last):
            if loop is not None:
                loop.release()

    def _check(self) -> None:
        """Raise ValueError if the residual is not linear in the parameters that are said to be."""
        if self._checked:
            return
        self._checked = True
        problem, linear = self._problem, list(self._parts.linear)
        if self._blocks:
            problem = BlockView(problem, next(iterator(problem)))
        func, args, kwargs = residual_call(problem)
        name = residual_name(problem)
        given = self._x0[linear]
        along = np.where(given == 0.0, 1.0, given)
        values = []
        for k in range(3):
            x = self._x0.copy()
            x[linear] = k * along
            try:
                values.append(as_vector(func(x, *args, **kwargs), name, False)[0].copy())
            except EvaluationError:
                return
        self._evaluated = (self._evaluated[0] + 3, self._evaluated[1])
        if any(value.shape != values[0].shape for value in values):
            return
        bend = np.abs(values[0] - 2.0 * values[1] + values[2]).max(initial=0.0)
        if bend > _LINEAR * np.abs(values).max(initial=0.0):
            names = names_of(getattr(self._problem, "parameter_names", None), self._x0.size)
            raise ValueError(
                "linear_parameters must be parameters that the residual is linear in, together; it "
                f"is not in {', '.join(names[j] for j in linear)}"
            )

    def _finish(self) -> None:
        """Linearise the full problem where the reduced one has ended, or go on with it."""
        status = Status(self._first.status)
        x = None if status is Status.NOT_FINITE else self._reduced.full(self._first.x)
        if x is None or not np.isfinite(x).all() or status is Status.FLAT:
            self._last = self._full(self._x0)
            return
        judged, last = self._judged(x, status), None
        for _ in range(_MOST_STEPS):
            if judged is None or not status.success or self._is_settled(judged):
                break
            # The others converge before the linear ones, which a step of all brings there.
            step = _gauss_newton(judged)
            better = self._judged(judged.x + _extrapolated(step, last, judged.acnorm), status)
            last = step
            if better is None or not better.fnorm <= judged.fnorm * (1.0 + judged.noise):
                break
            self._give_up(judged)
            self._steps, judged = self._steps + 1, better
        # Where the reduced problem has no minimum, the full one has none either.  But errors of
        # derivatives that stop the one need not be those of the other.
        if judged is not None:
            stays = status is not Status.NO_PROGRESS
            if stays and (not status.success or self._is_settled(judged)):
                self._last, self._status = judged, int(status)
                return
            self._give_up(judged)
            x = judged.x
        self._last = self._full(x)

    def _judged(self, x: Array, status: Status) -> Loop | None:
        """Return a loop of the full problem that has been linearised at x, and has ended there."""
        if self._bounds is not None:
            lower, upper = self._bounds
            outside = ~(np.isnan(lower) | ((lower <= x) & (x <= upper)))
            if outside.any():
                return None
        loop = self._full(x, Asked(_judge))
        try:
            loop.run()
        except _JudgedError:
            loop.stop(status)
        if loop.linearized:
            return loop
        self._give_up(loop)
        return None

    def _give_up(self, loop: Loop) -> None:
        """Count what a loop that is not used any more has evaluated."""
        nfev, njev = self._evaluated
        self._evaluated = (nfev + loop.nfev, njev + loop.njev)

    def _is_settled(self, judged: Loop) -> bool:
        """Return whether the model of the full problem predicts no further change."""
        # The square of the error of a cosine between f and a column, as for a `Solver`.
        error = judged.jacobian_error**2
        if judged.relative_offset <= max(_ROUNDING, self._options.ftol, error):
            return True
        step, norms = _gauss_newton(judged), judged.acnorm
        small = np.abs(step) <= self._options.xtol * np.abs(judged.x)
        with np.errstate(over="ignore"):
            small |= norms * np.abs(step) <= _NO_CHANGE * self._options.xtol * judged.fnorm
        return bool(small.all())

    def _full(self, x: Array, step: Any = None, maxfev: int | None = None) -> Loop:
        """Return a loop of the full problem; maxfev: None for what is left of it."""
        options = self._options
        diag = None if options.diag is None else np.array(options.diag)
        left = max(self.maxfev - self._counts()[0], 2) if maxfev is None else maxfev
        loop: Loop = options._loop_of(
            self._problem, x, self._bounds, diag, left, step or options.step
        )
        return loop

    # ---- storing a solve in the middle --------------------------------------------------------

    def snapshot(self) -> dict[str, Any]:
        """Return the state of the solve as plain data."""
        return {
            "separable": self._parts,
            "first": self._first.snapshot(),
            "point": self._point.copy(),
            "last": None if self._last is None else self._last.snapshot(),
            "start": None if self._last is None else (self._last.x, self._last.maxfev),
            "status": self._status,
            "counts": (*self._counts(), self._steps),
        }

    def restore(self, stored: dict[str, Any]) -> None:
        """Take a snapshot of a solve of the same problem and go on from there."""
        if stored.get("separable") != self._parts:
            raise ValueError(
                "the stored solve must have eliminated the same parameters; it has not"
            )
        self._first.restore(stored["first"])
        self._point = np.array(stored["point"])
        if stored["last"] is not None:
            judged = stored["status"] is not None
            start, maxfev = stored["start"]
            last = self._full(start, Asked(_judge) if judged else None, maxfev)
            last.restore(stored["last"])
            self._last = last
        self._status, self._checked = stored["status"], True
        before = self._reduced.counts
        counts = stored["counts"]
        self._evaluated = (counts[0] - before[0], counts[1] - before[1])
        self._steps = counts[2]
