"""`Curve`: the model f(t, ...) of a problem and the data that it is fitted to.

A problem defines its curve by a method ``as_curve()``.  Attributes named f, t or y are not used, as
they may have another meaning, and the residual may have other weights.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from lmoo._core.arrays import Array
from lmoo.problems.sigma import whitened, whitening

# Marks a sigma that the problem does not define; None means that sigma is 1 for all points.
UNKNOWN: Any = object()


class Curve(NamedTuple):
    """A model and its data, returned by ``as_curve()`` of a problem.

    It states that the residual of the problem is ``(f(t, *x) - y) / sigma``.

    f : callable ``f(t, *parameters)``; None without a model
    t, y : the data; None if they are not available
    sigma : None (1), float, (m,) standard deviations, (m, m) covariance or ``lmoo.curve.UNKNOWN``
    jac : callable ``jac(t, *parameters)`` that returns (k, n), or None

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
        """Return the standard deviation of each point, (m,); a scalar if y is None.

        None if sigma is None or unknown.
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
