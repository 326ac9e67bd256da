"""`Solver`, and `Iteration`, a solve that advances step by step."""

import pickle
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lmoo._core.abi1 import CompiledProblem
from lmoo._core.derivatives import Derivatives
from lmoo._core.loop import Loop
from lmoo._core.residual import start
from lmoo._core.rows import RowLoop
from lmoo.blockwise.evaluation import BlockView
from lmoo.blockwise.passes import row_source
from lmoo.errors import EvaluationError
from lmoo.jacobians.strategies import Analytic, ForwardDifference, Jacobian
from lmoo.problems.arguments import integer, positive, real_number
from lmoo.problems.bounds import box
from lmoo.problems.boundsforms import frozen_bounds, frozen_fixed
from lmoo.problems.names import names_of
from lmoo.problems.problem import has_jacobian, source
from lmoo.problems.rows import RowBlockProblem
from lmoo.results.diagnosis import diagnosis
from lmoo.results.factor import Factor
from lmoo.results.fit import Fit
from lmoo.results.result import Result
from lmoo.solver.steps import Step
from lmoo.status import Status

if TYPE_CHECKING:
    from lmoo.results.history import History

__all__ = ["Iteration", "IterationRecord", "Solver", "reason"]

_ACCURATE = 1


# Reasons of the accurate tests, which differ from MINPACK's tests with the same status.
_REASONS = {
    Status.FTOL: "the relative reduction of the sum of squares that the model predicts for a "
    "Gauss-Newton step is at most ftol, or no more than the errors of f and J",
    Status.XTOL: "the Gauss-Newton steps that remain change no parameter by more than xtol, "
    "relative to itself, or f by more than 30 xtol |f|",
}


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


@dataclass(frozen=True)
class Solver:
    """Levenberg-Marquardt solver that converges to the accuracy that double precision allows.

    A solver is immutable and stores nothing of a solve, so threads may share one.

    Parameters
    ----------
    ftol : float, default 1e-20
        Stop (status 1) if the model predicts that a full Gauss-Newton step reduces the sum of
        squares by at most this, relatively, and the last step reduced it by no more.  The predicted
        reduction is a squared cosine: 1e-20 means a cosine of 1e-10.  A reduction below the errors
        of f and J also ends the solve, whatever ftol is.
    xtol : float, default 1e-10
        Stop (status 2) if the Gauss-Newton steps that remain change no parameter by more than
        this, relative to itself, or change f by at most ``30 xtol |f|`` through this parameter.
        The remaining change is estimated from the rate at which the steps contract.
    gtol : float, default 0.0
        Stop (status 4) if the cosine of the angle between the residual and each column of the
        Jacobian is at most this.
    maxfev : int, optional
        Stop (status 5) after this number of evaluations of the residual; None: 1000 (n + 1).
    factor : float, default 0.3
        First radius of the trust region relative to ``|D x0|``.  With MINPACK's 100 the first step
        is in effect not limited, and may lead onto a plateau.
    diag : (n,) array_like, optional
        Positive scale factors D of the parameters; None: the norms of the Jacobian's columns.
    jacobian : Jacobian, optional
        How derivatives are computed.  None: `Analytic` if the problem defines a ``jacobian``, else
        `ForwardDifference`.
    step : Step, optional
        How lambda and the trust region change.  None: ``More()``, which accelerates steps that make
        slow progress.  ``More(accelerate=False)`` takes More's steps alone.
    bounds : optional
        Bounds of the parameters; the problem is never evaluated outside.  A pair (lower, upper) of
        numbers or of one number per parameter; an object with ``lb`` and ``ub``; or a mapping from
        names or positions of parameters to pairs of numbers.  None and infinities in these mean no
        bound; equal bounds fix a parameter.  None: the ``bounds`` of the problem.
    fixed : optional
        Fixed parameters: a sequence of names or positions, or a mapping from them to values.  None:
        the ``fixed`` of the problem.
    time_limit : float, optional
        Stop (status -3) after the first iteration that ends later than this, in seconds.  The time
        between two steps of an `Iteration` does not count, and an evaluation is not interrupted.
        None: no limit.

    Raises
    ------
    TypeError
        An option of the wrong type.
    ValueError
        A tolerance that is negative or NaN; a `factor`, a ``time_limit`` or an entry of `diag` that
        is not positive; a `maxfev` below 1.

    See Also
    --------
    leastsq : The same iteration with MINPACK's tests, defaults and counts.

    References
    ----------
    More' (1978), "The Levenberg-Marquardt algorithm: implementation and theory", Lecture Notes
    in Mathematics 630.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> rosenbrock = lmoo.FunctionProblem(
    ...     lambda x: np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]]))
    >>> result = lmoo.Solver().solve(rosenbrock, [-1.2, 1.0])
    >>> result.x.round(9), result.success
    (array([1., 1.]), True)
    """

    ftol: float = 1e-20
    xtol: float = 1e-10
    gtol: float = 0.0
    maxfev: int | None = None
    factor: float = 0.3
    diag: ArrayLike | None = None
    jacobian: Jacobian | None = field(default=None)
    step: Step | None = field(default=None)
    bounds: Any = field(default=None)
    fixed: Any = field(default=None)
    time_limit: float | None = None

    def __post_init__(self) -> None:
        for name in ("ftol", "xtol", "gtol"):
            if not real_number(name, getattr(self, name)) >= 0:
                raise ValueError(f"{name} must not be negative; it is {getattr(self, name)!r}")
        if not 0 < real_number("factor", self.factor) < np.inf:
            raise ValueError(f"factor must be positive and finite; it is {self.factor!r}")
        if self.maxfev is not None and not integer("maxfev", self.maxfev) >= 1:
            raise ValueError(f"maxfev must be at least 1, or None; it is {self.maxfev!r}")
        if self.time_limit is not None and not real_number("time_limit", self.time_limit) > 0:
            raise ValueError(
                "time_limit must be a positive number of seconds, or None; it is "
                f"{self.time_limit!r}"
            )
        if self.jacobian is not None and not isinstance(self.jacobian, Jacobian):
            raise TypeError(f"jacobian must be a Jacobian or None; it is {self.jacobian!r}")
        if self.step is not None and not isinstance(self.step, Step):
            raise TypeError(f"step must be a Step or None; it is {self.step!r}")
        if self.diag is not None:
            diag = positive("diag", self.diag)
            if diag.ndim != 1:
                raise ValueError(f"diag must be 1-D; it is {self.diag!r}")
            # A tuple can be compared and hashed.
            object.__setattr__(self, "diag", tuple(diag.tolist()))
        if self.bounds is not None:
            object.__setattr__(self, "bounds", frozen_bounds(self.bounds))
        if self.fixed is not None:
            object.__setattr__(self, "fixed", frozen_fixed(self.fixed))

    def solve(
        self,
        problem: Any,
        x0: ArrayLike,
        callback: Callback | None = None,
        history: bool = False,
    ) -> Result:
        """Minimise the problem's sum of squares from x0.

        Parameters
        ----------
        problem : Problem, CompiledProblem or RowBlockProblem
            Or another object with a method ``residual(x)``, and optionally ``jacobian(x)``.
        x0 : (n,) array_like
            The starting point, real and finite; copied and converted to float64.
        callback : callable, optional
            It is called as ``callback(record)`` after each iteration, with an `IterationRecord`.
            A true return value, or StopIteration, ends the solve with `Status.STOPPED`.
        history : bool, default False
            Store the records of all iterations as ``result.history``.

        Returns
        -------
        Result
            The result, also if no minimum was found: see `Result.success`.

        Raises
        ------
        EvaluationError
            The residual or the Jacobian cannot be evaluated at x0, or is not finite there.
        TypeError, ValueError
            x0, the residual or the Jacobian has the wrong type, shape or value; m < n.

        Notes
        -----
        Exceptions of the problem and of the callback, and KeyboardInterrupt, are passed on.  Their
        attribute ``lmoo_result`` is the `Result` with the best point so far, with
        `Status.UNFINISHED` and the history, if requested.  It has no problem and no solver, so that
        a stored exception does not keep these alive; ``dataclasses.replace`` can add both.  If
        nothing was evaluated, its ``observations`` is 0.

        Examples
        --------
        >>> import lmoo
        >>> problem = lmoo.FunctionProblem(lambda x: x**2 - 9.0)
        >>> watch = lambda step: step.cost < 1.0
        >>> result = lmoo.Solver().solve(problem, [10.0], callback=watch)
        >>> result.status, result.cost < 1.0
        (<Status.STOPPED: -3>, True)
        """
        start = time.perf_counter()
        iteration = self.iterate(problem, x0)
        loop = iteration._loop
        if callback is not None and not callable(callback):
            raise TypeError(f"callback must be callable or None; it is {callback!r}")
        try:
            if callback is None and not history and self.time_limit is None:
                loop.run()
            else:
                iteration._run_watched(callback, bool(history))
        except BaseException as error:
            iteration._seconds = time.perf_counter() - start
            keep_result(error, iteration)
            raise
        iteration._seconds = time.perf_counter() - start
        if loop.status == Status.NOT_FINITE:
            raise _bad_start(loop)
        return iteration.result

    def iterate(self, problem: Any, x0: ArrayLike) -> "Iteration":
        """Return the solve as an iterator, which evaluates nothing before the first step.

        Parameters
        ----------
        problem, x0
            As for `solve`.

        Returns
        -------
        Iteration
            An iterator over `IterationRecord`; its `Iteration.result` is the best point so far.

        Examples
        --------
        >>> import lmoo
        >>> steps = lmoo.Solver().iterate(lmoo.FunctionProblem(lambda x: x**2 - 9.0), [10.0])
        >>> for step in steps:
        ...     if step.cost < 1.0:
        ...         break
        >>> steps.result.status, steps.result.cost == step.cost
        (<Status.UNFINISHED: -5>, True)
        """
        return Iteration(self, problem, _starting_point(x0))

    def _box(
        self, problem: Any, x0: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
        """Return x0 with the values of fixed parameters, and the bounds as the loop takes them."""
        bounds = getattr(problem, "bounds", None) if self.bounds is None else self.bounds
        fixed = getattr(problem, "fixed", None) if self.fixed is None else self.fixed
        if bounds is None and fixed is None:
            return x0, None
        return box(bounds, fixed, getattr(problem, "parameter_names", None), x0)

    def _loop(self, problem: Any, x0: NDArray[np.float64]) -> Loop:
        """Return the compiled loop of one solve."""
        n = x0.size
        x0, bounds = self._box(problem, x0)
        if self.diag is not None and np.shape(self.diag) != (n,):
            raise ValueError(
                f"diag must have one entry per parameter, {n}; it has {np.size(self.diag)}"
            )
        # The counter has 64 bits; larger numbers mean no limit.
        maxfev = 1000 * (n + 1) if self.maxfev is None else min(self.maxfev, 2**62)
        tall = isinstance(problem, RowBlockProblem)
        return (RowLoop if tall else Loop)(
            row_source(problem, self._strategy(problem)) if tall else source(problem, n),
            self._derivatives(problem, n),
            x0,
            None if self.diag is None else np.array(self.diag),
            self.ftol,
            self.xtol,
            self.gtol,
            self.factor,
            maxfev,
            _ACCURATE,
            None if self.step is None else self.step._bind(),
            bounds,
            EvaluationError,
        )

    def _derivatives(self, problem: Any, n: int) -> Derivatives:
        """Return the Jacobian strategy for the compiled loop."""
        if self.jacobian is None and isinstance(problem, CompiledProblem):
            return ForwardDifference()._differences(n, prefer_jacobian=True)
        return self._strategy(problem)._bind(_differentiated(problem), n)

    def _strategy(self, problem: Any) -> Jacobian:
        """Return the strategy given, or the default one for the problem."""
        if self.jacobian is not None:
            return self.jacobian
        return Analytic() if has_jacobian(_differentiated(problem)) else ForwardDifference()


class Iteration(Iterator[IterationRecord]):
    """A solve as an iterator over its iterations; created by `Solver.iterate`.

    The loop over it can be left at any time, by a break or an exception, and continued later;
    `result` is the best point so far.  Between two iterations it can be pickled with its solver and
    its problem.  The unpickled one continues with the same bits, without repeating an evaluation.

    A StopIteration that the problem raises is replaced by RuntimeError, as it would end the
    caller's loop.

    Attributes
    ----------
    solver : Solver
    problem : Problem

    Examples
    --------
    >>> import pickle, numpy as np, lmoo
    >>> steps = lmoo.Solver().iterate(lmoo.FunctionProblem(np.cos), [2.0])
    >>> first = next(steps)
    >>> again = pickle.loads(pickle.dumps(steps))
    >>> [step.cost for step in steps] == [step.cost for step in again]
    True
    """

    # Set by Solver.solve.
    _seconds = float("nan")
    _history: "History | None" = None
    # Seconds spent so far if there is a time limit, and whether the limit ended the solve.
    _spent = 0.0
    _timed_out = False

    def __init__(self, solver: Solver, problem: Any, x0: NDArray[np.float64]) -> None:
        self.solver, self.problem = solver, problem
        self._x0 = x0
        self._names = names_of(getattr(problem, "parameter_names", None), x0.size)
        self._loop = solver._loop(problem, x0)

    def __iter__(self) -> "Iteration":
        return self

    def __next__(self) -> IterationRecord:
        try:
            more = self._advance()
        except StopIteration as error:
            # StopIteration would end the caller's loop as if the solve had ended.
            raise RuntimeError("the problem raised StopIteration") from error
        if self._loop.status == Status.NOT_FINITE:
            raise _bad_start(self._loop)
        if not more:
            raise StopIteration
        return IterationRecord(*self._loop.record())

    def _advance(self) -> bool:
        """Run one iteration and check the time limit; return False if the solve had ended."""
        limit = self.solver.time_limit
        if limit is None:
            return self._loop.advance()
        began = time.perf_counter()
        try:
            more = self._loop.advance()
        finally:
            self._spent += time.perf_counter() - began
        if self._spent > limit and not self._loop.done:
            self._timed_out = True
            self._loop.stop(Status.STOPPED)
        return more

    def _run_watched(self, callback: Callback | None, keep: bool) -> None:
        """Run to the end with a callback after each iteration; keep: store the history."""
        records: list[IterationRecord] = []
        try:
            while self._advance():
                record = IterationRecord(*self._loop.record())
                if keep:
                    records.append(record)
                try:
                    stop = callback is not None and callback(record)
                except StopIteration:
                    stop = True
                if stop:
                    self._loop.stop(Status.STOPPED)
        finally:
            if keep:
                # Imported here, as it would slow down `import lmoo`.
                from lmoo.results.history import History

                self._history = History.of(records, self._x0.size)

    def stop(self) -> None:
        """End the solve with `Status.STOPPED`."""
        self._loop.stop(Status.STOPPED)

    @property
    def result(self) -> Result:
        """The result with the best point so far; `Status.UNFINISHED` if the solve has not ended."""
        loop = self._loop
        status = Status(loop.status) if loop.done else Status.UNFINISHED
        return Result(
            x=loop.x,
            cost=0.5 * loop.fnorm * loop.fnorm if loop.observations else float("nan"),
            residual=loop.residual,
            observations=loop.observations,
            status=status,
            message=self._message(status),
            nfev=loop.nfev,
            njev=loop.njev,
            nit=loop.nit,
            parameter_names=self._names,
            fnorm=loop.fnorm,
            factor=self._factor(),
            problem=self.problem,
            solver=self.solver,
            seconds=self._seconds,
            history=self._history,
            **self._limits(),
        )

    def _limits(self) -> dict[str, Any]:
        """Return the fields of `Result` that belong to bounds; {} without bounds."""
        bounds = self._loop.bounds
        if bounds is None:
            return {}
        fixed = bounds[0] == bounds[1]
        active = np.where(fixed, 0, self._loop.held).astype(np.int8)
        return {
            "lower": bounds[0],
            "upper": bounds[1],
            "fixed": fixed,
            "active_mask": active,
            "_gradient": self._loop.gradient if self._loop.linearized else None,
        }

    def _message(self, status: Status) -> str:
        solver = self.solver
        active = None if self._loop.bounds is None else self._loop.held
        limits = f"ftol = {solver.ftol:g}, xtol = {solver.xtol:g}, gtol = {solver.gtol:g}"
        text = reason(status, self._names, active)
        if self._timed_out and status is Status.STOPPED:
            text = f"stopped by the time limit, time_limit = {solver.time_limit:g} s"
        details = diagnosis(self._loop, status, self._names, self._x0, self._analytic)
        text = f"{text}: {details}" if details else text
        return f"{text} ({limits}, maxfev = {self._loop.maxfev})"

    @property
    def _analytic(self) -> bool:
        """Whether the problem's Jacobian is used."""
        strategy = self.solver.jacobian
        default = strategy is None and has_jacobian(_differentiated(self.problem))
        return default or isinstance(strategy, Analytic)

    def _factor(self) -> Factor | None:
        """Return the factor of the last Jacobian; None if none was evaluated."""
        loop = self._loop
        if not loop.linearized:
            return None
        return Factor(loop.r, loop.ipvt, loop.qtf, loop.acnorm, loop.jacobian_error)

    def __reduce__(self) -> tuple[Any, ...]:
        parts = {
            "problem": self.problem,
            "solver.jacobian": self.solver.jacobian,
            "solver.step": self.solver.step,
        }
        for name, value in parts.items():
            try:
                pickle.dumps(value)
            except Exception as error:
                raise TypeError(
                    f"this Iteration cannot be pickled, as its {name}, {value!r}, cannot: {error}"
                ) from error
        return _resume, (self.solver, self.problem, self._x0, self._loop.snapshot())


def reason(status: Status, names: tuple[str, ...], active: NDArray[Any] | None) -> str:
    """Return why the solve stopped, with the names of parameters at active bounds.

    active: (n,), -1 at the lower bound, 1 at the upper one; None without bounds
    """
    text = _REASONS.get(status, status.reason)
    if not status.success or active is None:
        return text
    sides = {-1: "lower", 1: "upper"}
    found = [
        f"{name} at its {sides[side]} bound"
        for name, side in zip(names, active.tolist(), strict=True)
        if side in sides
    ]
    return f"{text}, with {', '.join(found)}" if found else text


def _differentiated(problem: Any) -> Any:
    """Return the problem that a Jacobian strategy receives: a block of a `RowBlockProblem`."""
    return BlockView(problem, None) if isinstance(problem, RowBlockProblem) else problem


def _resume(
    solver: Solver, problem: Any, x0: NDArray[np.float64], snapshot: dict[str, Any]
) -> Iteration:
    """Return an iteration that continues from a snapshot."""
    if not isinstance(solver, Solver):
        raise ValueError(f"the stored solve must have a Solver; it has a {type(solver).__name__}")
    try:
        # The kernels do not check it.
        x0 = _starting_point(x0)
    except (TypeError, ValueError) as error:
        raise ValueError(f"the stored solve is damaged: {error}") from error
    iteration = Iteration(solver, problem, x0)
    iteration._loop.restore(snapshot)
    return iteration


def keep_result(error: BaseException, iteration: Iteration) -> None:
    """Set the attribute ``lmoo_result`` of an exception to the result so far."""
    # Some exceptions have no attributes; the original exception must not be replaced.
    with suppress(Exception):
        # A stored exception must not keep problem and solver alive, nor form a reference cycle.
        result = replace(iteration.result, problem=None, solver=None)
        error.lmoo_result = result  # type: ignore[attr-defined]


def _bad_start(loop: Loop) -> BaseException:
    """Return the exception for a starting point that cannot be evaluated."""
    refusal = loop.take_refusal()
    if refusal is not None:
        return refusal
    f = loop.residual
    if f.size == 0:
        what = "Jacobian" if loop.observations else "residual"
        return EvaluationError(f"the {what} at x0 cannot be evaluated")
    bad = np.flatnonzero(~np.isfinite(f))
    if bad.size:
        return EvaluationError(f"residual(x0) must be finite; its entry {bad[0]} is {f[bad[0]]}")
    jacobian = loop.out_of_jacobian()
    for i, j in np.argwhere(~np.isfinite(jacobian))[:1]:
        return EvaluationError(
            f"the Jacobian at x0 must be finite; its entry ({i}, {j}) is {jacobian[i, j]}"
        )
    return EvaluationError("the Jacobian at x0 cannot be evaluated")


def _starting_point(x0: ArrayLike) -> NDArray[np.float64]:
    """Return x0 as a new float64 vector."""
    x, bad = start(x0, False)
    if bad >= 0:
        raise ValueError(f"x0 must be finite; its entry {bad} is {x[bad]}")
    return x


def _solve_again(
    fit: Fit, x: NDArray[np.float64], fixed: Mapping[int, float], maxfev: int
) -> Result:
    """Solve a fit's problem again from x, within its bounds and with these parameters fixed."""
    given: Solver = fit.solver or Solver()
    solver = replace(
        given,
        bounds=(fit.lower, fit.upper),
        fixed=dict(fixed),
        # The limit is for one solve, and a refit that it stops would not be a minimum.
        time_limit=None,
        maxfev=maxfev if given.maxfev is None else min(maxfev, given.maxfev),
    )
    return solver.solve(fit.problem, x)


# Profiles solve again.  The results package must not import the solver, so it is set here.
Fit._solve_again = _solve_again
