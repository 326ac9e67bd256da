"""A problem with `evaluate` for one solve: the Jacobian that came with a residual is kept."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from lmoo._core.arrays import Array
from lmoo.problems.kinds import is_paired
from lmoo.problems.problem import Problem, evaluate_name, evaluated, residual_name


class PairedProblem(Problem):
    """A problem with the method `evaluate`, for one solve.

    Parameters
    ----------
    problem : Problem
    """

    def __init__(self, problem: Any) -> None:
        self.problem = problem
        self._priors = getattr(problem, "_priors", 0)
        self._residual_name = residual_name(problem)
        self._repeated = 0
        # The point of the last call and its Jacobian, which the problem may overwrite in the next.
        self._kept: tuple[Array, Any] | None = None
        # What is wanted of the first point: its Jacobian is always needed.
        self._want: Literal["residual", "both"] = "residual"
        self.jacobian = _Derivatives(self)  # type: ignore[method-assign]

    def residual(self, x: Array) -> Any:
        """Return the residual; a Jacobian that comes with it is kept."""
        want, self._want = self._want, "residual"
        self._kept, point = None, x.copy()
        value, jacobian = evaluated(self.problem, x, want)
        if jacobian is not None:
            self._kept = point, jacobian
        return value

    def derivatives(self, x: Array) -> Any:
        """Return the Jacobian, which is evaluated if there is none of the last point."""
        if self._kept is not None and np.array_equal(self._kept[0], x):
            return self._kept[1]
        self._kept = None
        self._repeated += 1
        return evaluated(self.problem, x, "both")[1]

    def counter(self) -> Callable[[], int]:
        """Return a function that counts the residuals evaluated by `jacobian` since its last call.

        Jacobians will be requested, also that of the first point.
        """
        self._want = "both"

        def repeated() -> int:
            count, self._repeated = self._repeated, 0
            return count

        return repeated


class _Derivatives:
    """The method `jacobian` of a `PairedProblem`, with the name that the user knows."""

    def __init__(self, pair: PairedProblem) -> None:
        self.pair = pair
        self.__qualname__ = f"{evaluate_name(pair.problem)}, for its Jacobian,"

    def __call__(self, x: Array) -> Any:
        return self.pair.derivatives(x)


def counter_of(problem: Any) -> Callable[[], int] | None:
    """Return the counter of a problem whose Jacobians may evaluate residuals; None for others."""
    counter = getattr(problem, "counter", None)
    found: Callable[[], int] | None = None if counter is None else counter()
    return found


def paired(problem: Any) -> Any:
    """Return a problem as one solve takes it: a `PairedProblem` where it defines `evaluate`.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> from lmoo.problems.paired import paired
    >>> class Squares(lmoo.Problem):
    ...     def evaluate(self, x, want):
    ...         print(want)
    ...         return x**2 - 1.0, np.diag(2 * x)
    >>> pair = paired(Squares())
    >>> pair.residual(np.array([2.0])), pair.jacobian(np.array([2.0]))
    residual
    (array([3.]), array([[4.]]))
    """
    return PairedProblem(problem) if is_paired(problem) else problem
