"""The projector that removes the span of a few columns from a residual, in numpy.

Overflows raise no warning: the iteration rejects points where they occur.
"""

from typing import Any

import numpy as np

from lmoo._core.arrays import Array
from lmoo.errors import EvaluationError

# Singular values of the columns, scaled to norm 1, count as 0 below this share of the largest.
_DEPENDENT = 1e-13
# A projected column counts as 0 if its norm is at most this many times its error.
_ROUNDING = 10.0


class Factored:
    """The columns of the linear parameters, factored.

    It gives the best values of these parameters, and the projector that removes the columns.
    """

    def __init__(self, columns: Array) -> None:
        with quiet():
            norms = norms_of(columns)
            self.norms = np.where(norms > 0, norms, 1.0)
            try:
                u, s, v = np.linalg.svd(columns / self.norms, full_matrices=False)
            except np.linalg.LinAlgError as error:
                raise EvaluationError("the linear columns cannot be factored") from error
        keep = s > _DEPENDENT * s[0] if s.size and s[0] > 0 else np.zeros(s.size, dtype=bool)
        self._u, self._s, self._v = u[:, keep], s[keep], v[keep]

    def coefficients(self, f: Array) -> Array:
        """Return argmin |f + columns c|, of minimum norm in units of the columns."""
        with quiet():
            return np.asarray(-(self._v.T @ ((self._u.T @ f) / self._s)) / self.norms)

    def project(self, rows: Array) -> Array:
        """Return the part of a vector, or of each column of a matrix, orthogonal to the columns."""
        with quiet():
            for _ in range(2):  # The second time removes the rounding errors of the first.
                rows = rows - self._u @ (self._u.T @ rows)
        return rows

    def derivatives(self, columns: Array, error: Any, linear_error: float) -> Array:
        """Return columns of a Jacobian after projection, (m, p).

        A result that consists of rounding errors is set to 0.  Its error is that of the column, and
        that of the part Phi b which the projection removes, with Phi the columns of the linear
        parameters.

        Parameters
        ----------
        columns : (m, p) float64 array
        error : float, or (p,) float64 array
            Relative errors of the columns.
        linear_error : float
            The largest relative error of the columns of Phi.
        """
        found = self.project(columns)
        with quiet():
            errors = error * norms_of(columns)
            errors += linear_error * norms_of((self._u.T @ columns) / self._s[:, None])
            lost = np.isfinite(errors) & (norms_of(found) <= _ROUNDING * errors)
        found[:, lost] = 0.0
        return found


def norms_of(columns: Array) -> Array:
    """Return the norms of columns, whose squares may overflow."""
    largest = np.abs(columns).max(axis=0, initial=0.0)
    scale = np.where(largest > 0, largest, 1.0)
    return np.asarray(scale * np.linalg.norm(columns / scale, axis=0))


def quiet() -> Any:
    """Return the context in which overflows raise no warning."""
    return np.errstate(all="ignore")
