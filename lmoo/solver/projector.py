"""The projector of a few columns, which removes what they explain from a residual.

All is done in numpy.  Overflows raise no warning: the loop refuses points where they occur.
"""

from typing import Any

import numpy as np

from lmoo._core.arrays import Array
from lmoo.errors import EvaluationError

# Columns of norm 1 that the others leave less of than this are theirs.
_DEPENDENT = 1e-13
# The error of a column, in units of that of f: as for the columns of any Jacobian.
_ROUNDING = 10.0


class Factored:
    """The projector of some columns, and the best coefficients of these."""

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
        """Return the part that is orthogonal to the columns, of a vector or a matrix."""
        with quiet():
            for _ in range(2):  # The second time removes the rounding errors of the first.
                rows = rows - self._u @ (self._u.T @ rows)
        return rows

    def derivatives(self, columns: Array, error: Any, linear_error: float) -> Array:
        """Return the projected columns of a Jacobian, (m, p); zeros where rounding is all of it.

        A column is Phi b and what is orthogonal to Phi.  The errors of both remain.

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
    """Return the context in which overflows raise no warning: the loop refuses their results."""
    return np.errstate(all="ignore")
