"""A solve that has ended, as it is unpickled."""

from typing import Any

from lmoo.results.result import Result
from lmoo.solver.iteration import Iteration, IterationRecord

__all__ = ["EndedIteration"]


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
