"""The curve behind a result: the model f(t, ...) and the data that it was fitted to."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmoo.linearization import differences, problem_of

if TYPE_CHECKING:
    from lmoo.result import Result

__all__ = ["Curve", "curve_of"]

Array = NDArray[np.float64]


class Curve(NamedTuple):
    """A model and its data.

    f : callable, ``f(t, *parameters)``
    t, y : what it was fitted to; None for a problem that knows only f
    sigma : None, float, (m,) deviations or (m, m) covariance
    jac : callable or None, ``jac(t, *parameters)``, (k, n)
    """

    f: Callable[..., Any]
    t: Any
    y: Any
    sigma: Any
    jac: Callable[..., Any] | None

    def values(self, t: Any, x: Array) -> Array:
        """Return the model at t, (k,)."""
        return np.asarray(self.f(t, *x), dtype=np.float64).reshape(-1)

    def slopes(self, t: Any, result: "Result") -> Array:
        """Return the derivatives of the model by the parameters at t, (k, n)."""
        x = result.x
        if self.jac is not None:
            try:
                found = np.asarray(self.jac(t, *x), dtype=np.float64)
                return np.where(result.fixed, 0.0, found.reshape(-1, x.size))
            except NotImplementedError:
                # A compiled model without derivatives.
                pass
        return differences(lambda point: self.values(t, point), x, result)

    def deviations(self) -> Array | None:
        """Return the standard deviation of each point, (m,); None where no sigma was given."""
        if self.sigma is None:
            return None
        sigma = np.asarray(self.sigma, dtype=np.float64)
        if sigma.ndim == 2:
            return np.sqrt(np.diag(sigma))
        return np.broadcast_to(sigma, np.shape(self.y))

    def whitened(self, values: Array) -> Array:
        """Return values, (m,), divided by sigma: ``L^-1 values`` for a covariance ``L L^T``."""
        if self.sigma is None:
            return values
        sigma = np.asarray(self.sigma, dtype=np.float64)
        if sigma.ndim < 2:
            return np.asarray(values / sigma)
        return np.asarray(np.linalg.solve(np.linalg.cholesky(sigma), values))


def curve_of(result: "Result", what: str, data: bool = True) -> Curve:
    """Return the curve of a result.

    Parameters
    ----------
    result : Result
    what : str
        What it is needed for.
    data : bool
        Whether t and y are needed besides f.

    Raises
    ------
    TypeError
        The problem has none: it is a residual, of which only its author knows what it means.
    """
    problem = problem_of(result, what)
    needed = ("f", "t", "y") if data else ("f",)
    missing = [name for name in needed if getattr(problem, name, None) is None]
    if missing:
        raise TypeError(
            f"{what} needs a problem with the attributes {', '.join(needed)}, such as a "
            f"CurveProblem or the problem of a compiled model; {type(problem).__name__} has no "
            f"{', '.join(missing)}"
        )
    # For a compiled model its own derivatives.
    jac = getattr(problem, "jac", None) or getattr(problem.f, "jacobian", None)
    t, y, sigma = (getattr(problem, name, None) for name in ("t", "y", "sigma"))
    return Curve(problem.f, t, y, sigma, jac if callable(jac) else None)
