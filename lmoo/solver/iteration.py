"""A solve that advances step by step."""

import pickle
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lmoo.problems.arguments import HINTS
from lmoo.problems.names import names_of
from lmoo.results.result import Result
from lmoo.solver.iterationresult import IterationResult
from lmoo.solver.options import SolverOptions
from lmoo.solver.record import Callback, IterationRecord
from lmoo.solver.startingpoint import bad_start, starting_point
from lmoo.status import Status

if TYPE_CHECKING:
    from lmoo.models.tracing.evaluation import Evaluation

# Ends of solves with exact derivatives that differences may not have: these exist at points without
# derivatives, and see steps and kinks of the function that lie within their intervals.
_MAY_DIFFER = (Status.DOMAIN, Status.FLAT, Status.NO_PROGRESS)


class Iteration(IterationResult, Iterator[IterationRecord]):
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

    # Seconds spent so far if there is a time limit.
    _spent = 0.0
    # For a model that is compiled from a function: whether it was compared with it at the end.
    _is_checked = False
    # Whether each step must be looked at.
    _stepwise = False
    _is_related = False

    def __init__(
        self,
        solver: SolverOptions,
        problem: Any,
        x0: NDArray[np.float64],
        evaluation: "Evaluation | None" = None,
        checked: bool = False,
    ) -> None:
        self.solver, self.problem = solver._in_order_of(problem), problem
        self._x0 = x0
        self._names = names_of(getattr(problem, "parameter_names", None), x0.size)
        if evaluation is None:
            evaluation = solver._evaluation(problem, x0, checked)
        self._evaluation = evaluation
        self._loop = self._new_loop()

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
        if self._switched():
            return False
        ended = loop.done and not self._is_checked and loop.status != Status.NOT_FINITE
        if evaluation is None or evaluation.problem is None or not ended:
            return True
        # The function and its value need about as much memory as the solve.
        loop.release()
        self._residual, mismatch = evaluation.solution(self.problem, self._x)
        if mismatch is not None:
            self._evaluation = evaluation.called_instead(self.problem, mismatch)
        elif loop.status in _MAY_DIFFER:
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
        state = (self.solver, self.problem, self._x0, self._snapshot())
        compiled = self._evaluation is not None and self._evaluation.problem is not None
        return _resume, (*state, True) if compiled else state


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


def keep_result(error: BaseException, iteration: Iteration) -> None:
    """Set the attribute ``lmoo_result`` of an exception to the result so far."""
    # Some exceptions have no attributes; the original exception must not be replaced.
    with suppress(Exception):
        text = " ".join(str(error).split())
        iteration._exception = f"{type(error).__name__}: {text}" if text else type(error).__name__
        if isinstance(error, TypeError):
            _add_note_of_t(error, getattr(iteration.problem, "t", None))
        # A stored exception must not keep problem and solver alive, nor form a reference cycle.
        result = replace(iteration.result, problem=None, solver=None)
        error.lmoo_result = result  # type: ignore[attr-defined]


def _add_note_of_t(error: BaseException, t: Any) -> None:
    """Say what to do where a function does not take dates."""
    for part in t if isinstance(t, tuple) else (t,):
        dtype = getattr(part, "dtype", None)
        hint = HINTS.get(getattr(dtype, "kind", "")) if getattr(dtype, "kind", "") in "Mm" else None
        if hint is not None:
            error.add_note(f"t is of dtype {dtype}, which the function gets as it is: {hint}")
