"""What goes wrong: models without a value at a point, and minima that were none."""

from typing import Any

__all__ = ["BetterMinimumWarning", "EvaluationError"]


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


class BetterMinimumWarning(UserWarning):
    """A profile has come to a lower sum of squares than the fit that it is of.

    The fit is at another minimum, or at none: intervals from there are of little worth.  Solve
    again from `x`.

    Attributes
    ----------
    x : (n,) float64 array
        The better point.
    cost : float
        ``1/2 sum(residual**2)`` there.
    """

    def __init__(self, result: Any, point: Any) -> None:
        self.x, self.cost = point.x, 0.5 * point.fnorm * point.fnorm
        where = ", ".join(
            f"{name} = {value:.10g}"
            for name, value in zip(result.parameter_names, point.x, strict=True)
        )
        super().__init__(
            f"the profile has found a better minimum, of cost {self.cost:.10g} where that of the "
            f"result is {result.cost:.10g}: solve again from {where}"
        )
