"""The exception by which user code says that it cannot be evaluated at a point."""

__all__ = ["EvaluationError"]


class EvaluationError(ArithmeticError):
    """The residual or the Jacobian cannot be evaluated at this point.

    Raise it in a residual or a Jacobian where the model has no value: the step that led there is
    refused and a shorter one tried.  At the starting point there is nothing to go back to, and
    the exception comes out.

    Attributes
    ----------
    evaluations : int, default 0
        Set by a `Jacobian` that evaluated the residual before it gave up: how often.
    code : int or None, default None
        What a compiled function returned: a positive number at a bad point, a negative one to end
        the solve.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> def residual(x):
    ...     if x[0] <= 0:
    ...         raise lmoo.EvaluationError("x[0] must be positive")
    ...     return np.log(x) - 1.0
    >>> float(round(lmoo.Solver().solve(lmoo.FunctionProblem(residual), [50.0]).x[0], 6))
    2.718282
    """

    evaluations: int = 0
    code: int | None = None
