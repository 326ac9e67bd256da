"""The curve behind a result: the model f(t, ...) and the data that it was fitted to.

A problem has one where it says so, by a method ``as_curve()`` that returns a `Curve`: attributes of
these names may mean anything, and a residual may have weights of its own.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmoo._core.masks import refuse_masked
from lmoo.problems.data import whitened, whitening
from lmoo.results.linearization import differences, problem_of

if TYPE_CHECKING:
    from lmoo.results.result import Result

__all__ = ["UNKNOWN", "Curve", "curve_of"]

Array = NDArray[np.float64]

# Stands for a sigma that the problem does not tell, where None says that there is none.
UNKNOWN: Any = object()


class Curve(NamedTuple):
    """A model and its data: what ``as_curve()`` of a problem returns.

    With it the problem says that its residual is ``(f(t, *x) - y) / sigma``.

    f : callable, ``f(t, *parameters)``; None where there is no model
    t, y : what it was fitted to; None where that is not at hand
    sigma : None (1 for all), float, (m,) deviations, (m, m) covariance, or ``lmoo.curve.UNKNOWN``
    jac : callable or None, ``jac(t, *parameters)``, (k, n)

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> from lmoo.curve import Curve
    >>> class Decay(lmoo.Problem):
    ...     def __init__(self, t, y):
    ...         self.t, self.y = t, y
    ...     def model(self, t, a, b):
    ...         return a * np.exp(-b * t)
    ...     def residual(self, x):
    ...         return self.model(self.t, *x) - self.y
    ...     def as_curve(self):
    ...         return Curve(self.model, self.t, self.y)
    >>> t = np.linspace(0, 4, 9)
    >>> result = lmoo.Solver().solve(Decay(t, 3 * np.exp(-0.5 * t)), [1, 1])
    >>> result.predict(0.0).round(6), round(result.r_squared, 6)
    (array([3.]), 1.0)
    """

    f: Any
    t: Any = None
    y: Any = None
    sigma: Any = None
    jac: Callable[..., Any] | None = None

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
        """Return the standard deviation of each point, (m,), or () where y is not at hand.

        None where no sigma was given, or nobody knows it.
        """
        if self.sigma is None or self.sigma is UNKNOWN:
            return None
        sigma = np.asarray(self.sigma, dtype=np.float64)
        if sigma.ndim == 2:
            return np.sqrt(np.diag(sigma))
        return np.broadcast_to(sigma, np.shape(self.y))

    def whitened(self, values: Array) -> Array:
        """Return values, (m,), divided by sigma: ``L^-1 values`` for a covariance ``L L^T``."""
        sigma = None if self.sigma is None else np.asarray(self.sigma, dtype=np.float64)
        return np.asarray(whitened(values, whitening(sigma)))


def curve_of(result: "Result", what: str, needed: tuple[str, ...] = ("f", "t", "y")) -> Curve:
    """Return the curve of a result.

    Parameters
    ----------
    result : Result
    what : str
        What it is needed for.
    needed : tuple of str
        What of it is needed.

    Raises
    ------
    TypeError
        The problem has none: it is a residual, of which only its author knows what it means.
    ValueError
        The result has no problem.
    """
    problem = problem_of(result, what)
    curve = _curve(problem)
    missing = [name for name in needed if getattr(curve, name) is None]
    if missing:
        raise TypeError(
            f"{what} needs a problem that says what curve it fits, such as a CurveProblem or the "
            f"problem of a compiled model; {type(problem).__name__} has no {', '.join(missing)}: "
            "a method as_curve() that returns an lmoo.curve.Curve tells them"
        )
    return curve


def _curve(problem: Any) -> Curve:
    """Return what the problem says of its curve, or its model alone."""
    say = getattr(problem, "as_curve", None)
    if say is None:
        # A model can be evaluated at any t; how the residual weighs its values is not known.
        f = getattr(problem, "f", None)
        return Curve(f if callable(f) else None, getattr(problem, "t", None), sigma=UNKNOWN)
    curve = say()
    if not isinstance(curve, Curve):
        raise TypeError(
            f"as_curve() of {type(problem).__name__} must return an lmoo.curve.Curve; it returned "
            f"{curve!r}"
        )
    for name in ("t", "y", "sigma"):
        value = getattr(curve, name)
        for part in value if isinstance(value, tuple) else (value,):
            refuse_masked(f"{name} of the Curve that as_curve() returns", part)
    return curve
