"""Jacobian strategies: how the derivatives are computed, by the problem or by compiled code."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.solve import Custom, Derivatives, Foreign, ProblemJacobian, Rows
from lmoo.errors import EvaluationError
from lmoo.problems.arguments import checked_capsule
from lmoo.problems.kinds import has_jacobian, is_compiled
from lmoo.problems.paired import counter_of


class Jacobian:
    """Base class of Jacobian strategies; subclass it and define `evaluate`.

    The solver stores nothing in a strategy, so solvers and threads may share one.

    Attributes
    ----------
    sparse : bool, default False
        Whether the strategy gives sparse matrices, where the linear model takes them.
    relative_error : float, default 0.0
        Relative error of the columns that `evaluate` writes, for the rank of the Jacobian and the
        stopping tests.  0: the derivatives are as accurate as the residual.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> class Sparse(lmoo.Jacobian):
    ...     '''Each residual depends on its own parameter: one evaluation gives all columns.'''
    ...     relative_error = 1e-7
    ...     def evaluate(self, problem, x, f, out):
    ...         h = 1e-7
    ...         out[:] = np.diag((problem.residual(x + h) - f) / h)
    ...         return 1
    >>> problem = lmoo.FunctionProblem(lambda x: x**2 - np.array([1.0, 4.0]))
    >>> lmoo.Solver(jacobian=Sparse()).solve(problem, [3.0, 3.0]).x.round(6)
    array([1., 2.])
    """

    sparse: bool = False
    relative_error: float = 0.0
    # What solvers ask instead of the class.  The problem's Jacobian has one row per parameter;
    _transposed = False
    # the derivatives are those of the problem's own method;
    _by_problem = False
    # they are differences by one parameter after the other;
    _by_differences = False
    # it differentiates by whatever is varied, where parameters are related.
    _by_coordinates = False

    def evaluate(
        self, problem: Any, x: NDArray[np.float64], f: NDArray[np.float64], out: NDArray[np.float64]
    ) -> int | None:
        """Write the Jacobian at x into `out`.

        Parameters
        ----------
        problem : Problem
            The problem that is solved.
        x : (n,) float64 array
            The point; a new array, which may be kept or changed.
        f : (m,) float64 array
            The residual at x; a new array, which may be kept or changed.
        out : (m, n) float64 array, Fortran-ordered
            The output.  It is filled with NaN, so the point is refused if an entry is not written.
            The solver uses its memory after the call.

        Returns
        -------
        int or None
            Number of evaluations of the residual, which is added to nfev; None for 0.

        Raises
        ------
        EvaluationError
            There are no derivatives at x.  Its attribute ``evaluations`` is the number of
            evaluations of the residual.
        """
        raise NotImplementedError(f"{type(self).__name__} must define evaluate(self, ...)")

    def _bind(self, problem: Any, n: int) -> Derivatives:
        """Return the object that the compiled loop uses for one solve."""
        return Custom(_Bound(self, problem), EvaluationError, self.relative_error)

    def _varying(self, problem: Any, coordinates: Any) -> "Jacobian":
        """Return the strategy for a problem of coordinates, which it is checked with."""
        return self


class _Bound:
    """A strategy with its problem, as a callable for the compiled loop."""

    def __init__(self, strategy: Jacobian, problem: Any) -> None:
        self.strategy, self.problem = strategy, problem

    def __call__(
        self, x: NDArray[np.float64], f: NDArray[np.float64], out: NDArray[np.float64]
    ) -> int | None:
        return self.strategy.evaluate(self.problem, x, f, out)


def _name(function: Any) -> str:
    return f"jacobian ({getattr(function, '__qualname__', type(function).__name__)})"


class Analytic(Jacobian):
    """The problem's method `jacobian` with one row per residual: shape (m, n).

    It is the default for problems that define ``jacobian``.  If the method returns a sparse matrix
    or array of scipy, the solver takes the linear model `SparseCholesky`, unless it was given one.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> problem = lmoo.FunctionProblem(lambda x: x**2 - 4.0, lambda x: np.diag(2 * x))
    >>> result = lmoo.Solver(jacobian=lmoo.Analytic()).solve(problem, [1.0])
    >>> result.x.round(6)
    array([2.])
    """

    _by_problem = _by_coordinates = True

    def _varying(self, problem: Any, coordinates: Any) -> Jacobian:
        # Raises TypeError where the problem has no derivatives.
        self._bind(problem, len(coordinates.names))
        return Analytic()

    def _bind(self, problem: Any, n: int) -> Derivatives:
        if is_compiled(problem) and has_jacobian(problem):
            # A compiled Jacobian is column-major in either strategy.
            return ProblemJacobian()
        if not has_jacobian(problem):
            raise TypeError(
                f"problem must define jacobian(x) for the strategy {type(self).__name__}; "
                f"{type(problem).__name__} does not"
            )
        function, repeated = problem.jacobian, counter_of(problem)
        return Rows(
            function, (), {}, _name(function), self._transposed, EvaluationError, False, repeated
        )

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class ColumnMajor(Analytic):
    """The problem's method `jacobian` with one row per parameter: shape (n, m), as ``col_deriv``.

    This is the layout of the solver's memory, so no transposition is needed.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> t = np.arange(4.0)
    >>> problem = lmoo.FunctionProblem(
    ...     lambda x: x[0] + x[1] * t - 2 * t, lambda x: np.stack([np.ones(4), t]))
    >>> lmoo.Solver(jacobian=lmoo.ColumnMajor()).solve(problem, [1.0, 1.0]).x.round(6) + 0.0
    array([0., 2.])
    """

    _transposed = True


def is_transposed(strategy: Jacobian | None, problem: Any) -> bool:
    """Return whether the problem's method `jacobian` returns (n, m) with this strategy."""
    return strategy is not None and strategy._transposed and not is_compiled(problem)


class CompiledJacobian(Jacobian):
    """A strategy in compiled code: a table of functions, which is called without the GIL.

    Parameters
    ----------
    table : PyCapsule
        A capsule of the name ``lmoo_jacobian``.  It points to a ``lmoo_jacobian`` of lmoo.h that
        lives as long as the capsule.

    Raises
    ------
    TypeError
        `table` is not such a capsule.

    Examples
    --------
    ``lmoo.Solver(jacobian=lmoo.CompiledJacobian(package.table))``, see "Extending lmoo".
    """

    _by_coordinates = True

    def __init__(self, table: Any) -> None:
        self.table = checked_capsule(table, "lmoo_jacobian")

    def _bind(self, problem: Any, n: int) -> Derivatives:
        return Foreign(self.table)
