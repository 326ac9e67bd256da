"""A solve that advances step by step."""

import pickle
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lmoo._core.solve import Loop, RowLoop, SparseLoop, start
from lmoo.errors import EvaluationError
from lmoo.jacobians.strategies import Analytic
from lmoo.losses.loss import kernel_of, loss_of
from lmoo.problems.arguments import refuse_units
from lmoo.problems.names import names_of
from lmoo.problems.parameters import named_start
from lmoo.problems.problem import has_jacobian
from lmoo.results.diagnosis import diagnosis
from lmoo.results.factor import Factor
from lmoo.results.result import Result
from lmoo.results.robust import Robust
from lmoo.solver.options import SolverOptions, differentiated
from lmoo.sparse.matrices import is_sparse
from lmoo.status import Status

if TYPE_CHECKING:
    from lmoo.models.tracing.evaluation import Evaluation
    from lmoo.results.history import History

__all__ = [
    "Callback",
    "Iteration",
    "IterationRecord",
    "bad_start",
    "keep_result",
    "known_start",
    "reason",
    "starting_point",
]

# Names in a message.
_NAMES = 20
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

    # For a model that is compiled from a function: whether it was compared with the function at
    # the end, and the residual of the function there.
    _is_checked = False
    _residual: NDArray[np.float64] | None = None

    # Number of last rows that are priors, and whether each step must be looked at.
    _priors = 0
    _stepwise = False
    _is_related = False

    # Whether the problem's Jacobian is a sparse matrix; None until that is known.
    _sparse: bool | None = None

    def __init__(
        self,
        solver: SolverOptions,
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
        self._loop = self._new_loop()

    def _new_loop(self) -> Loop:
        """Return the compiled loop that starts at x0."""
        return self.solver._loop(self.problem, self._x0, self._evaluation, self._sparse)

    @property
    def _x(self) -> NDArray[np.float64]:
        """All parameters at the best point so far."""
        return self._loop.x

    @property
    def _start(self) -> tuple[tuple[str, ...], NDArray[np.float64]]:
        """Names and starting values of what the loop varies."""
        return self._names, self._x0

    def _record(self) -> IterationRecord:
        """Return the last iteration."""
        return IterationRecord(*self._loop.record())

    def __iter__(self) -> "Iteration":
        return self

    def __next__(self) -> IterationRecord:
        try:
            more = self._advance()
            if self._loop.done and not self._settled():
                more = self._advance()
        except StopIteration as error:
            # StopIteration would end the caller's loop as if the solve had ended.
            raise RuntimeError("the problem raised StopIteration") from error
        if self._loop.status == Status.NOT_FINITE:
            raise bad_start(self._loop)
        if not more:
            raise StopIteration
        return self._record()

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

    def _settled(self) -> bool:
        """Return whether the end is final: the function agrees with its compiled model.

        If it does not, the solve continues from the start with the function.  If the first Jacobian
        was sparse in a loop for dense ones, or the reverse, it continues with the other loop.
        """
        evaluation, loop = self._evaluation, self._loop
        found = getattr(loop, "found", None)
        if found is not None:
            self._sparse = found.sparse
            self._loop = self._new_loop()
            self._loop.offer(found)
            return False
        ended = loop.done and not self._is_checked and loop.status != Status.NOT_FINITE
        if evaluation is None or evaluation.problem is None or not ended:
            return True
        self._residual, mismatch = evaluation.solution(self.problem, self._x)
        if mismatch is not None:
            self._evaluation = evaluation.called_instead(self.problem, mismatch)
        elif loop.status == Status.DOMAIN:
            # Finite differences may exist at points without derivatives.
            self._evaluation = replace(
                evaluation, reason="no minimum was found with the compiled model", problem=None
            )
            self._residual = None
        else:
            self._is_checked = True
            return True
        if mismatch is not None and self.solver.separable is True:
            # What a wrong trace is linear in is not known to be right either.
            solver = replace(self.solver, separable="auto")
            self._loop = solver._loop(self.problem, self._x0, self._evaluation)
        else:
            self._loop = self._new_loop()
        return False

    def _run(self) -> None:
        """Run to the end."""
        if self._stepwise:
            self._run_watched(None, False)
        else:
            self._loop.run()

    def _run_watched(self, callback: Callback | None, keep: bool) -> None:
        """Run to the end with a callback after each iteration; keep: store the history."""
        records: list[IterationRecord] = []
        try:
            while self._advance():
                record = self._record()
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
        return self._plain_result()

    def _plain_result(self) -> Result:
        """Return the result of what the loop varies."""
        loop = self._loop
        status = Status(loop.status) if loop.done else Status.UNFINISHED
        robust = self._robust()
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
            parameter_names=self._start[0],
            fnorm=loop.fnorm,
            factor=self._factor(robust),
            robust=robust,
            problem=self.problem,
            solver=self.solver,
            seconds=self._seconds,
            history=self._history,
            evaluation=self._evaluated(),
            estimated_t=self._estimated_t(),
            x0=self._given_start(),
            absolute_sigma=bool(getattr(self.problem, "absolute_sigma", None)),
            **self._limits(),
        )

    def _evaluated(self) -> str:
        """Return the text of `Result.evaluation`."""
        evaluation = self._evaluation
        if evaluation is None:
            return "called"
        # A model of lmoo.models with errors in x.
        known = evaluation.problem is None and getattr(self._loop, "compiled", False)
        return "compiled" if known else evaluation.text

    def _given_start(self) -> NDArray[np.float64]:
        """Return the field `x0` of the result: nan for parameters that are eliminated."""
        x0 = np.array(self._start[1], dtype=np.float64)
        x0[list(getattr(self._loop, "eliminated", ()))] = np.nan
        return x0

    def _estimated_t(self) -> Any:
        """Return the estimates of t for a curve with errors in x; None for other problems."""
        if getattr(self.problem, "sigma_x", None) is None:
            return None
        from lmoo.problems.errorsinx import separate

        loop: Any = self._loop
        # Without the points of priors.
        return separate(loop.true_points()[:, : self.problem.y.size], self.problem.t)

    def _limits(self) -> dict[str, Any]:
        """Return the fields of `Result` that belong to bounds; {} without bounds."""
        bounds = self._loop.bounds
        if bounds is None:
            # Their factors have no gradient.
            others = getattr(self.problem, "is_joint", False) or isinstance(self._loop, SparseLoop)
            known = others and self._loop.linearized
            return {"_gradient": self._loop.gradient} if known else {}
        fixed = bounds[0] == bounds[1]
        active = np.where(fixed, 0, self._loop.fixed_or_active).astype(np.int8)
        return {
            "lower": bounds[0],
            "upper": bounds[1],
            "fixed": fixed,
            "active_mask": active,
            "_gradient": self._loop.gradient if self._loop.linearized else None,
        }

    def _message(self, status: Status) -> str:
        solver = self.solver
        active = None if self._loop.bounds is None else self._loop.fixed_or_active
        limits = f"ftol = {solver.ftol:g}, xtol = {solver.xtol:g}, gtol = {solver.gtol:g}"
        names, start = self._start
        text = reason(status, names, active)
        if self._timed_out and status is Status.STOPPED:
            text = f"stopped by the time limit, time_limit = {solver.time_limit:g} s"
        details = diagnosis(self._loop, status, names, start, self._analytic)
        text = f"{text}: {details}" if details else text
        limits = f"{limits}, maxfev = {self._loop.maxfev}"
        eliminated = getattr(self._loop, "eliminated", ())
        if eliminated:
            limits += f"; eliminated: {', '.join(self._names[j] for j in eliminated)}"
        return f"{text} ({limits})"

    @property
    def _analytic(self) -> bool:
        """Whether the problem's Jacobian is used."""
        if self._evaluation is not None and self._evaluation.problem is not None:
            return True
        strategy = self.solver.jacobian
        default = strategy is None and has_jacobian(differentiated(self.problem))
        return default or isinstance(strategy, Analytic)

    def _factor(self, robust: Robust | None) -> Factor | None:
        """Return the factor of the last Jacobian; None if none was evaluated.

        The linear model of a loss has scaled rows; its factor is reduced to about that of J.
        """
        loop = self._loop
        if not loop.linearized:
            return None
        if getattr(self.problem, "is_joint", False):
            from lmoo.solver.joint import arrow_factor

            found: Any = arrow_factor(loop, self.problem.own)
            if robust is not None:
                found = robust.reduced(found, loop.observations)
            return found  # type: ignore[no-any-return]
        if isinstance(loop, SparseLoop):
            from lmoo.solver.sparse import sparse_factor

            excluded = None if loop.bounds is None else loop.fixed_or_active != 0
            found = sparse_factor(loop, excluded)
            if robust is not None and not self._priors:
                found = robust.reduced(found, loop.observations)
            return found  # type: ignore[no-any-return]
        factor = Factor(loop.r, loop.ipvt, loop.qtf, loop.acnorm, loop.jacobian_error)
        # Priors have no loss, so that the factor of all rows is not in proportion to that of J.
        if robust is None or self._priors:
            return factor
        return robust.reduced(factor, loop.observations)

    def _robust(self) -> Robust | None:
        """Return the field `robust` of the result; None without a loss."""
        loop = self._loop
        if loop.scale is None or not loop.observations:
            return None
        loss = loss_of(self.solver.loss)
        if isinstance(loop, RowLoop):
            sums = np.zeros(4) if loop.sums is None else loop.sums
            return Robust(loss.name, loop.scale, np.empty(0), sums)
        kernel = kernel_of(loss, loop.scale)
        assert kernel is not None
        f = loop.residual
        f = f[: f.size - self._priors]
        return Robust(loss.name, loop.scale, kernel.weights(f), kernel.sums(f))

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
        if self._loop.done and self._loop.status != Status.NOT_FINITE:
            return EndedIteration, (self.solver, self.problem, self.result)
        begun = self._loop.nfev > 0 or not isinstance(self._loop, SparseLoop)
        state = (self.solver, self.problem, self._x0, self._loop.snapshot() if begun else {})
        compiled = self._evaluation is not None and self._evaluation.problem is not None
        return _resume, (*state, True) if compiled else state

    def _restore(self, snapshot: Any) -> None:
        """Continue from a snapshot, which is empty for a sparse solve that has not begun."""
        sparse = isinstance(self._loop, SparseLoop)
        if sparse and type(snapshot) is dict and not snapshot:
            return
        if sparse:
            # Solves with a sparse Jacobian are not stored once they have begun.
            self._sparse = False
            self._loop = self._new_loop()
        self._loop.restore(snapshot)


class EndedIteration(Iteration):
    """A solve that has ended and was stored by its result, without its linear model.

    Parameters
    ----------
    solver : Solver
    problem : Problem
    result : Result
    """

    def __init__(self, solver: Any, problem: Any, result: Result) -> None:
        self.solver, self.problem = solver, problem
        self._result = result

    def __next__(self) -> IterationRecord:
        raise StopIteration

    def stop(self) -> None:
        """Do nothing: the solve has ended."""

    @property
    def result(self) -> Result:
        """The result."""
        return self._result

    def __reduce__(self) -> tuple[Any, ...]:
        return EndedIteration, (self.solver, self.problem, self._result)


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
    more = f" and {len(found) - _NAMES} more" if len(found) > _NAMES else ""
    return f"{text}, with {', '.join(found[:_NAMES])}{more}" if found else text


def _resume(
    solver: SolverOptions,
    problem: Any,
    x0: NDArray[np.float64],
    snapshot: dict[str, Any],
    compiled: bool = False,
) -> Iteration:
    """Return an iteration that continues from a snapshot."""
    if not isinstance(solver, SolverOptions):
        raise ValueError(f"the stored solve must have a Solver; it has a {type(solver).__name__}")
    try:
        # The kernels do not check it.
        x0 = starting_point(x0)
    except (TypeError, ValueError) as error:
        raise ValueError(f"the stored solve is damaged: {error}") from error
    iteration = Iteration(solver, problem, x0, checked=compiled)
    iteration._restore(snapshot)
    return iteration


def known_start(
    problem: Any, x0: ArrayLike | Mapping[str, ArrayLike], optional: Sequence[str] = ()
) -> NDArray[np.float64]:
    """Return x0 as a new float64 vector; a mapping has values by name.

    optional: parameters that need no value in a mapping; their entries are nan
    """
    if not isinstance(x0, Mapping):
        return starting_point(x0)
    return named_start("x0", x0, getattr(problem, "parameter_names", None), optional)


def keep_result(error: BaseException, iteration: Iteration) -> None:
    """Set the attribute ``lmoo_result`` of an exception to the result so far."""
    # Some exceptions have no attributes; the original exception must not be replaced.
    with suppress(Exception):
        # A stored exception must not keep problem and solver alive, nor form a reference cycle.
        result = replace(iteration.result, problem=None, solver=None)
        error.lmoo_result = result  # type: ignore[attr-defined]


def bad_start(loop: Loop) -> BaseException:
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
    jacobian: Any = loop.out_of_jacobian()
    if is_sparse(jacobian):
        entries = jacobian.tocoo()
        places, values = np.stack([entries.row, entries.col], axis=1), entries.data
    else:
        places, values = np.argwhere(~np.isfinite(jacobian)), jacobian[~np.isfinite(jacobian)]
    for k in np.flatnonzero(~np.isfinite(values))[:1].tolist():
        i, j = places[k].tolist()
        return EvaluationError(
            f"the Jacobian at x0 must be finite; its entry ({i}, {j}) is {values[k]}"
        )
    return EvaluationError("the Jacobian at x0 cannot be evaluated")


def starting_point(x0: ArrayLike) -> NDArray[np.float64]:
    """Return x0 as a new float64 vector."""
    if type(x0) is not np.ndarray:
        refuse_units("x0", x0)
    x, bad = start(x0, False)
    if bad >= 0:
        raise ValueError(f"x0 must be finite; its entry {bad} is {x[bad]}")
    return x
