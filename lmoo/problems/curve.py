"""The curve that a problem fits: the model f(t, ...) and the data that it is fitted to.

A problem has one where it says so, by a method ``as_curve()`` that returns a `Curve`: attributes of
these names may mean anything, and a residual may have weights of its own.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmoo.problems.data import whitened, whitening

__all__ = ["UNKNOWN", "Curve"]

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

    def standard_deviations(self) -> Array | None:
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
