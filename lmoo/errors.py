"""Exceptions and warnings."""

from typing import Any


class EvaluationError(ArithmeticError):
    """The residual or the Jacobian cannot be evaluated at this point.

    Raise it in a residual or a Jacobian if the model has no value at x.  The solver then refuses
    the step and tries a shorter one.  At the starting point the exception ends the solve and is
    passed to the caller.

    Attributes
    ----------
    evaluations : int, default 0
        Number of evaluations of the residual before the exception; set by a `Jacobian`.
    code : int or None, default None
        Return value of a compiled function: positive at a bad point, negative to end the solve.

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

    # For inspect.signature, which finds none for built-in exceptions.
    def __init__(self, *args: object) -> None:
        super().__init__(*args)


class BetterMinimumWarning(UserWarning):
    """A profile has found a lower sum of squares than its own fit.

    The fit has ended at a local minimum, or at none, so its intervals are not reliable.  Solve
    again from `x`.

    Attributes
    ----------
    x : (n,) float64 array
        The point with the lower sum of squares.
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
            f"the profile has found a better minimum: its cost is {self.cost:.10g}, that of the "
            f"result is {result.cost:.10g}; solve again from {where}"
        )


class TraceError(RuntimeError):
    """A function cannot be traced, that is, converted to an expression graph.

    The function itself can still be fitted; `lmoo.curve_fit` calls it then.

    Attributes
    ----------
    reason : str
        What cannot be traced, and why.
    where : str or None
        The line of the function, as "file.py:12".
    source : str or None
        The text of this line.

    Examples
    --------
    >>> import lmoo
    >>> def capped(t, a, b):
    ...     return t if b == 0 else a * t
    >>> try:
    ...     lmoo.trace(capped)
    ... except lmoo.TraceError as error:
    ...     print(error.reason)
    a branch depends on a value that is unknown before the fit; write np.where(condition, a, b)
    """

    def __init__(self, reason: str, where: str | None = None, source: str | None = None) -> None:
        super().__init__(reason, where, source)
        self.reason, self.where, self.source = reason, where, source

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        line = f"\n  {self.source}" if self.source else ""
        return f"{place}{self.reason}{line}"


class TraceWarning(UserWarning):
    """A traced model differs from its function, which is called instead."""

    def __init__(self, *args: object) -> None:
        super().__init__(*args)
