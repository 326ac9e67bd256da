"""`BatchProblem`: many problems of one kind, whose residuals are evaluated together."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lmoo._core.arrays import Array
from lmoo.problems.kinds import optional


class BatchProblem:
    """Many least-squares problems of one kind, whose residuals are evaluated together.

    Subclass it and define `residual`, and `jacobian` if the derivatives are known.
    `lmoo.solve_many` solves the problems.

    Attributes
    ----------
    parameter_names : sequence of str or None
        Names of the n parameters, for reports.
    bounds, fixed, absolute_sigma : optional
        As for `Problem`, common to all problems.

    Examples
    --------
    Many roots at once:

    >>> import numpy as np, lmoo
    >>> class Roots(lmoo.BatchProblem):
    ...     def __init__(self, numbers):
    ...         self.numbers = np.asarray(numbers)
    ...     def residual(self, x, which):
    ...         return x**2 - self.numbers[which, None]
    >>> fits = lmoo.solve_many(Roots([4.0, 9.0, 2.0]), np.ones((3, 1)))
    >>> fits.x[:, 0].round(6)
    array([2.      , 3.      , 1.414214])
    """

    residual_form = "many"
    parameter_names: Any = None
    bounds: Any = None
    fixed: Any = None
    absolute_sigma: bool | None = None

    def residual(self, x: Array, which: NDArray[np.intp]) -> ArrayLike:
        """Return the residuals of some of the problems.

        Parameters
        ----------
        x : (r, n) float64 array
            One point per row.
        which : (r,) intp array
            The number of the problem of each row, in C order of the stack.  A number may occur
            several times.

        Returns
        -------
        (r, m) array_like of real numbers
            Each row must depend only on its point and its problem.

        Raises
        ------
        EvaluationError
            One of the points is bad: each row is then evaluated alone.
        """
        raise NotImplementedError(f"{type(self).__name__} must define residual(self, x, which)")

    @optional
    def jacobian(self, x: Array, which: NDArray[np.intp]) -> ArrayLike:
        """Return the derivatives, (r, m, n).  Optional."""
        raise NotImplementedError(f"{type(self).__name__} defines no jacobian(self, x, which)")
