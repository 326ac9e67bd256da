"""The solver: options in, result out."""

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
from lmoo.blockwise.passes import row_source
from lmoo.blockwise.task import BlockView
from lmoo.errors import EvaluationError
from lmoo.jacobians.strategies import Analytic, ForwardDifference, Jacobian
from lmoo.problems.arguments import integer, positive, real_number
from lmoo.problems.bounds import box, frozen_bounds, frozen_fixed
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
    from lmoo.models.tracing.evaluation import Evaluation
    from lmoo.results.history import History

__all__ = ["Iteration", "IterationRecord", "Solver", "reason"]

_ACCURATE = 1


# Where the accurate tests say more than MINPACK's of the same number.
_REASONS = {
    Status.FTOL: "the relative reduction of the sum of squares that the model predicts for a "
    "Gauss-Newton step is at most ftol, or no more than the errors of f and J",
    Status.XTOL: "the Gauss-Newton steps that remain change no parameter by more than xtol, "
    "relative to itself, or f by more than 30 xtol |f|",
}


class IterationRecord(NamedTuple):
    """One iteration: a trial point that was judged.

    Attributes
    ----------
    iteration : int
        1 for the first.
    x : (n,) float64 array
        The current point: the trial point where it was accepted.
    cost : float
        ``1/2 sum(residual**2)`` there.
    delta : float
        Radius of the trust region for the next step, in units of ``|D x|``.
    lambda_ : float
        The Levenberg-Marquardt parameter of the step; 0 for a Gauss-Newton step.
    gradient : (n,) float64 array
        ``J.T @ f`` at the point that the step was taken from.
    optimality : float
        Largest cosine of the angle between f and a column of J, at that point.
    ratio : float
        Actual over predicted reduction of the sum of squares; 0 where the trial was refused.
    accepted : bool
        Whether the trial became the current point.
    nfev, njev : int
        Residuals and Jacobians evaluated so far.
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

    A solver is immutable and holds nothing of a solve: threads may share one.

    Parameters
    ----------
    ftol : float, default 1e-20
        Stop (status 1) where the model predicts that a full Gauss-Newton step reduces the sum of
        squares by at most this, relatively, and the last step reduced it by no more.  The predicted
        reduction is a squared cosine: 1e-20 means a cosine of 1e-10.  A reduction below the errors
        of f and J ends the solve as well, whatever ftol is.
    xtol : float, default 1e-10
        Stop (status 2) where the Gauss-Newton steps that remain change no parameter by more than
        this, relative to itself, or change f by at most ``30 xtol |f|`` through this parameter.
        What remains follows from the rate at which the steps contract.
    gtol : float, default 0.0
        Stop (status 4) where the cosine of the angle between the residual and each column of the
        Jacobian is at most this.
    maxfev : int, optional
        Stop (status 5) at this many evaluations of the residual; None means 1000 (n + 1).
    factor : float, default 0.3
        First radius of the trust region relative to ``|D x0|``.  With MINPACK's 100 the first step
        has no limit in effect, and may lead onto a plateau.
    diag : (n,) array_like, optional
        Positive scale factors D of the parameters; None: the norms of the Jacobian's columns.
    jacobian : Jacobian, optional
        Where derivatives come from; None: `Analytic` where the problem defines a ``jacobian``,
        `ForwardDifference` where it does not.
    step : Step, optional
        How lambda and the trust region move; None: ``More()``, which accelerates steps that make
        slow progress.  ``More(accelerate=False)`` takes More's steps alone.
    bounds : optional
        Bounds of the parameters, which x never leaves, nor any point at which the problem is
        evaluated: a pair (lower, upper) of numbers or of one number per parameter; an object with
        ``lb`` and ``ub``; or a mapping from names or positions of parameters to such pairs of
        numbers.  None and infinities stand for no bound; equal bounds hold a parameter.  None: the
        problem's own ``bounds``.
    fixed : optional
        Parameters that are held: a sequence of names or positions, or a mapping from them to
        values.  None: the problem's own ``fixed``.
    time_limit : float, optional
        Stop (status -3) after the first iteration that ends later than this, in seconds of solving:
        time between two steps of an `Iteration` does not count.  A single evaluation is not cut
        short.  None: no limit.

    Raises
    ------
    TypeError
        An option of the wrong type.
    ValueError
        A negative or NaN tolerance, a `factor`, a ``time_limit`` or an entry of `diag` that is not
        positive, a `maxfev` below 1.

    See Also
    --------
    leastsq : the same iteration with MINPACK's tests, defaults and counts.

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
            # In a form that can be compared and hashed.
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
            Or anything with a method ``residual(x)``, and ``jacobian(x)`` where it is known.
        x0 : (n,) array_like
            Real and finite starting point; copied, cast to float64.
        callback : callable, optional
            ``callback(record)`` after each iteration, with an `IterationRecord`; a true return
            value, or StopIteration, ends the solve with `Status.STOPPED`.
        history : bool, default False
            Keep the records of all iterations, as ``result.history``.

        Returns
        -------
        Result
            Whatever the end; `Result.success` tells whether it is a minimum.

        Raises
        ------
        EvaluationError
            The residual or the Jacobian cannot be evaluated at x0, or is not finite there.
        TypeError, ValueError
            x0, or what the residual or the Jacobian returns, is not what it should be; m < n.

        Notes
        -----
        Exceptions of the problem and of the callback, and KeyboardInterrupt, come out as they are.
        The best point so far is not lost with them: their attribute ``lmoo_result`` is the `Result`
        that the solve had come to, with `Status.UNFINISHED`, and the history where that was asked
        for.  It has no problem and no solver, as an exception may be kept; ``dataclasses.replace``
        gives it both again.  Where nothing was evaluated yet, its ``observations`` is 0.

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
            while True:
                if callback is None and not history and self.time_limit is None:
                    loop.run()
                else:
                    iteration._run_watched(callback, bool(history))
                if iteration._settled():
                    break
                loop = iteration._loop
        except BaseException as error:
            iteration._seconds = time.perf_counter() - start
            keep_result(error, iteration)
            raise
        iteration._seconds = time.perf_counter() - start
        if loop.status == Status.NOT_FINITE:
            raise _bad_start(loop)
        return iteration.result

    def iterate(self, problem: Any, x0: ArrayLike) -> "Iteration":
        """Return the solve as an iterator, which evaluates nothing until it is asked.

        Parameters
        ----------
        problem, x0
            As for `solve`.

        Returns
        -------
        Iteration
            Yields an `IterationRecord` an iteration; its `Iteration.result` is the best so far.

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
        """Return x0 with what is fixed in its place, and the bounds as the loop takes them."""
        bounds = getattr(problem, "bounds", None) if self.bounds is None else self.bounds
        fixed = getattr(problem, "fixed", None) if self.fixed is None else self.fixed
        if bounds is None and fixed is None:
            return x0, None
        return box(bounds, fixed, getattr(problem, "parameter_names", None), x0)

    def _loop(
        self, problem: Any, x0: NDArray[np.float64], evaluation: "Evaluation | None" = None
    ) -> Loop:
        """Return the compiled loop of one solve."""
        n = x0.size
        x0, bounds = self._box(problem, x0)
        if evaluation is not None and evaluation.problem is not None:
            problem = evaluation.problem
        if self.diag is not None and np.shape(self.diag) != (n,):
            raise ValueError(
                f"diag must have one entry per parameter, {n}; it has {np.size(self.diag)}"
            )
        # More than any count can reach is no limit.
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

    def _evaluation(
        self, problem: Any, x0: NDArray[np.float64], checked: bool = False
    ) -> "Evaluation | None":
        """Return how the model of a curve is evaluated; None for other problems.

        checked: whether it is known to agree with its function at the start.
        """
        if getattr(problem, "trace", None) is None or isinstance(problem, CompiledProblem):
            return None
        # Not at the top: every `import lmoo` would take longer.
        from lmoo.models.tracing.evaluation import evaluation_of

        because = None
        if self.jacobian is not None:
            because = f"the solver takes derivatives by {self.jacobian!r}"
        return evaluation_of(problem, self._box(problem, x0)[0], because, checked)

    def _derivatives(self, problem: Any, n: int) -> Derivatives:
        """Return the strategy: the one given, the problem's own derivatives, or differences."""
        if self.jacobian is None and isinstance(problem, CompiledProblem):
            return ForwardDifference()._differences(n, own=True)
        return self._strategy(problem)._bind(_differentiated(problem), n)

    def _strategy(self, problem: Any) -> Jacobian:
        """Return the strategy given, or the one that suits the problem."""
        if self.jacobian is not None:
            return self.jacobian
        return Analytic() if has_jacobian(_differentiated(problem)) else ForwardDifference()


class Iteration(Iterator[IterationRecord]):
    """A solve, iteration by iteration; made by `Solver.iterate`.

    It can be left at any time, by a break or an exception, and gone on with later; `result` is
    the best so far.  It can be pickled between two iterations, with its solver and its problem,
    and goes on bit for bit where it was, without evaluating anything again.

    A StopIteration that the problem raises comes out as RuntimeError, as it would end the caller's
    loop as if the solve had ended.

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

    # Of a solve from beginning to end alone.
    _seconds = float("nan")
    _history: "History | None" = None
    # Of solving so far, where there is a limit, and whether it ended the solve.
    _spent = 0.0
    _timed_out = False
    # Of a model that ran compiled: whether its end has been checked, and the function's residual.
    _is_checked = False
    _residual: NDArray[np.float64] | None = None

    def __init__(
        self,
        solver: Solver,
        problem: Any,
        x0: NDArray[np.float64],
        evaluation: "Evaluation | None" = None,
        checked: bool = False,
    ) -> None:
        self.solver, self.problem = solver, problem
        self._x0 = x0
        self._names = names_of(getattr(problem, "parameter_names", None), x0.size)
        if evaluation is None:
            evaluation = solver._evaluation(problem, x0, checked)
        self._evaluation = evaluation
        self._loop = solver._loop(problem, x0, evaluation)

    def __iter__(self) -> "Iteration":
        return self

    def __next__(self) -> IterationRecord:
        try:
            more = self._advance()
            if self._loop.done and not self._settled():
                more = self._advance()
        except StopIteration as error:
            # It would end the caller's loop as if the solve had ended.
            raise RuntimeError("the problem raised StopIteration") from error
        if self._loop.status == Status.NOT_FINITE:
            raise _bad_start(self._loop)
        if not more:
            raise StopIteration
        return IterationRecord(*self._loop.record())

    def _advance(self) -> bool:
        """One iteration, the last where the time is up; False where there was none left."""
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

    def _settled(self) -> bool:
        """Whether the end stands: a compiled model has there the values of its function.

        Where it has not, the function is what is solved from now on, from the start.
        """
        evaluation, loop = self._evaluation, self._loop
        ended = loop.done and not self._is_checked and loop.status != Status.NOT_FINITE
        if evaluation is None or evaluation.problem is None or not ended:
            return True
        from lmoo.models.tracing.evaluation import called_instead, solution

        self._residual, parting = solution(self.problem, evaluation, loop.x)
        if parting is not None:
            self._evaluation = called_instead(self.problem, parting)
        elif loop.status in (Status.DOMAIN, Status.NO_PROGRESS):
            # Where derivatives are not finite differences may be.
            self._evaluation = replace(
                evaluation, reason="compiled, it came to no minimum", problem=None
            )
            self._residual = None
        else:
            self._is_checked = True
            return True
        self._loop = self.solver._loop(self.problem, self._x0)
        return False

    def _run_watched(self, callback: Callback | None, keep: bool) -> None:
        """Run to the end, with the callback after each iteration; keep the history if asked to."""
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
                # Not at the top: every `import lmoo` would take longer.
                from lmoo.results.history import History

                self._history = History.of(records, self._x0.size)

    def stop(self) -> None:
        """End the solve here, with `Status.STOPPED`."""
        self._loop.stop(Status.STOPPED)

    @property
    def result(self) -> Result:
        """The best so far; its status is `Status.UNFINISHED` where the solve has not ended."""
        loop = self._loop
        status = Status(loop.status) if loop.done else Status.UNFINISHED
        return Result(
            x=loop.x,
            cost=0.5 * loop.fnorm * loop.fnorm if loop.observations else float("nan"),
            residual=loop.residual if self._residual is None else self._residual.copy(),
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
            evaluation="called" if self._evaluation is None else self._evaluation.text,
            **self._limits(),
        )

    def _limits(self) -> dict[str, Any]:
        """Return what `Result` has to say of bounds; nothing where there are none."""
        bounds = self._loop.bounds
        if bounds is None:
            return {}
        held = self._loop.held
        fixed = bounds[0] == bounds[1]
        active = np.where(fixed, 0, held).astype(np.int8)
        return {
            "lower": bounds[0],
            "upper": bounds[1],
            "fixed": fixed,
            "active_mask": active,
            "_gradient": self._loop.gradient if self._loop.linearized else None,
        }

    def _message(self, status: Status) -> str:
        solver = self.solver
        held = None if self._loop.bounds is None else self._loop.held
        limits = f"ftol = {solver.ftol:g}, xtol = {solver.xtol:g}, gtol = {solver.gtol:g}"
        words = reason(status, self._names, held)
        if self._timed_out and status is Status.STOPPED:
            words = f"stopped by the time limit, time_limit = {solver.time_limit:g} s"
        seen = diagnosis(self._loop, status, self._names, self._x0, self._analytic)
        words = f"{words}: {seen}" if seen else words
        return f"{words} ({limits}, maxfev = {self._loop.maxfev})"

    @property
    def _analytic(self) -> bool:
        """Whether the derivatives are those of the problem."""
        strategy = self.solver.jacobian
        if self._evaluation is not None and self._evaluation.problem is not None:
            return True
        own = strategy is None and has_jacobian(_differentiated(self.problem))
        return own or isinstance(strategy, Analytic)

    def _factor(self) -> Factor | None:
        """Return the factor of the last Jacobian, with the error of its entries."""
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
        state = (self.solver, self.problem, self._x0, self._loop.snapshot())
        compiled = self._evaluation is not None and self._evaluation.problem is not None
        return _resume, (*state, True) if compiled else state


def reason(status: Status, names: tuple[str, ...], held: NDArray[Any] | None) -> str:
    """Return why the solve stopped, and which parameters a bound holds back at what it found.

    held: (n,), -1 at the lower bound, 1 at the upper one; None where there are no bounds
    """
    words = _REASONS.get(status, status.reason)
    if not status.success or held is None:
        return words
    sides = {-1: "lower", 1: "upper"}
    found = [
        f"{name} at its {sides[side]} bound"
        for name, side in zip(names, held.tolist(), strict=True)
        if side in sides
    ]
    return f"{words}, with {', '.join(found)}" if found else words


def _differentiated(problem: Any) -> Any:
    """Return what a Jacobian strategy gets to see: a problem in blocks goes to it by the block."""
    return BlockView(problem, None) if isinstance(problem, RowBlockProblem) else problem


def _resume(
    solver: Solver,
    problem: Any,
    x0: NDArray[np.float64],
    snapshot: dict[str, Any],
    compiled: bool = False,
) -> Iteration:
    """Make an iteration that goes on from a snapshot."""
    if not isinstance(solver, Solver):
        raise ValueError(f"the stored solve must have a Solver; it has a {type(solver).__name__}")
    try:
        # The kernels read it as it is.
        x0 = _starting_point(x0)
    except (TypeError, ValueError) as error:
        raise ValueError(f"the stored solve is damaged: {error}") from error
    iteration = Iteration(solver, problem, x0, checked=compiled)
    iteration._loop.restore(snapshot)
    return iteration


def keep_result(error: BaseException, iteration: Iteration) -> None:
    """Attach the result so far to an exception that ends the solve, as ``lmoo_result``."""
    # What it is about is the exception: a class of exceptions may have no place for more.
    with suppress(Exception):
        # Without what an exception that is kept should not keep alive, or be held by in turn.
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
    """Solve a fit's problem again, within its bounds, from x and with these parameters held."""
    given: Solver = fit.solver or Solver()
    solver = replace(
        given,
        bounds=(fit.lower, fit.upper),
        fixed=dict(fixed),
        # It is for one solve, and a refit that it stopped would be no minimum.
        time_limit=None,
        maxfev=maxfev if given.maxfev is None else min(maxfev, given.maxfev),
    )
    return solver.solve(fit.problem, x)


# Profiles solve again, and results are below the solver: they know it by this function alone.
Fit._solve_again = _solve_again
