"""`SparseCholesky`: the linear model of sparse Jacobians, and its loop."""

from typing import Any

import numpy as np

from lmoo.results.sparsefactor import SparseFactor
from lmoo.solver.linear import Array, LinearModel, Mask
from lmoo.sparse.cholesky import NormalMatrix
from lmoo.sparse.matrices import as_rows, is_sparse, scaled_columns

__all__ = ["SparseCholesky", "sparse_factor"]

# Steps of refinement of a solution.
_REFINEMENTS = 2
# A refinement that changes a solution by no more than this, relatively, is the last one.
_SMALL = 1e-9
# The least damping of a singular matrix whose diagonal is 1, and steps of refinement without it.
_FLOOR, _FLOOR_REFINEMENTS = 1e-12, 4


class SparseCholesky(LinearModel):
    """Linear model for sparse Jacobians: Cholesky factors of the normal equations, refined.

    It is the default for problems whose ``jacobian`` returns a sparse matrix or array of scipy.
    With `GroupedDifference`, or for a problem with so many parameters that a dense matrix of them
    is too large, pass the class to `Solver`.  A dense Jacobian is converted.

    Notes
    -----
    The columns are scaled to norm 1, S.  ``S.T @ S + lambda D**2`` is factored by CHOLMOD, if
    scikit-sparse is installed, whose order of elimination and symbolic analysis are kept from one
    lambda to the next and from one Jacobian to the next with the same pattern; otherwise by SuperLU
    of scipy, which orders each time.  Steps are refined with the residuals of all rows (corrected
    seminormal equations: Bjorck 1987, "Stability analysis of the method of seminormal equations
    for linear least squares problems", Linear Algebra Appl. 88/89, 31), so that they are as
    accurate as those of a QR factorisation while the condition number of S is below 10^6.
    Directions whose squared singular value is below 10^-12 are damped by this number.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> from scipy.sparse import diags_array
    >>> target = np.arange(1.0, 1001.0)
    >>> problem = lmoo.FunctionProblem(
    ...     lambda x: x**2 - target, lambda x: diags_array(2 * x))
    >>> result = lmoo.Solver(linear=lmoo.SparseCholesky).solve(problem, np.full(1000, 20.0))
    >>> result.success, bool(np.allclose(result.x, np.sqrt(target)))
    (True, True)
    """

    sparse = True

    _normal: NormalMatrix | None = None
    _worst = 0.0
    # Whether a matrix without damping was singular: others of the solve are then expected to be.
    _was_singular = False

    def update(self, jac: Any, fun: Array) -> None:
        """Set a new Jacobian, a csr_array or an array, and residual."""
        rows = jac if is_sparse(jac) else as_rows(np.asarray(jac), jac.shape)
        norms = self._column_norms(rows)
        self._unit = np.where(norms > 0, 1.0 / np.where(norms > 0, norms, 1.0), 0.0)
        self._normal = NormalMatrix(scaled_columns(rows, self._unit), self._normal)
        self._fun = fun
        self._probed: tuple[Array, Mask, bool] | None = None
        self._newton: tuple[Mask, Array] | None = None

    @property
    def _matrix(self) -> NormalMatrix:
        assert self._normal is not None
        return self._normal

    def _times(self, v: Array) -> Array:
        """Return ``jac @ v``, (m,)."""
        return np.asarray(self._matrix.rows @ (v / np.where(self._unit > 0, self._unit, np.inf)))

    def _transposed_times(self, u: Array) -> Array:
        """Return ``jac.T @ u``, (n,)."""
        return self._back(self._matrix.by_columns @ u)

    def _back(self, y: Array) -> Array:
        """Return y / unit; 0 for columns of zeros."""
        return np.asarray(y / np.where(self._unit > 0, self._unit, np.inf))

    def gradient(self) -> Array:
        """Return ``jac.T @ fun``, (n,)."""
        return self._transposed_times(self._fun)

    def product(self, v: Array) -> Array:
        """Return ``jac.T @ (jac @ v)``, (n,)."""
        return self._transposed_times(self._times(v))

    def solve(self, lambda_: float, diag: Array, free: Mask, g: Array) -> Array:
        """Solve ``(jac.T @ jac + lambda_ diag(diag**2)) x = g``; see `LinearModel.solve`."""
        free = free & (self._unit > 0)
        d, matrix = np.sqrt(lambda_) * diag * self._unit, self._matrix
        steps = self._factor(d, free)
        right = np.where(free, g * self._unit, 0.0)
        y = np.where(free, matrix.solve(right), 0.0)
        for _ in range(steps):
            rest = right - matrix.by_columns @ (matrix.rows @ y) - d * d * y
            y += np.where(free, matrix.solve(np.where(free, rest, 0.0)), 0.0)
        return np.asarray(y * self._unit)

    def _least_squares(self, lambda_: float, diag: Array, free: Mask, b: Array) -> Array:
        """Return the minimiser of ``|jac p + b|**2 + lambda_ |diag p|**2`` over free parameters."""
        free = free & (self._unit > 0)
        d, matrix = np.sqrt(lambda_) * diag * self._unit, self._matrix
        steps = self._factor(d, free)
        y, rest = np.zeros(d.size), -b
        for _ in range(1 + steps):
            right = matrix.by_columns @ rest - d * d * y
            step = np.where(free, matrix.solve(np.where(free, right, 0.0)), 0.0)
            y += step
            if np.linalg.norm(step) <= _SMALL * np.linalg.norm(y):
                break
            rest = -b - matrix.rows @ y
        return np.asarray(y * self._unit)

    def _factor(self, d: Array, free: Mask) -> int:
        """Factor ``S.T @ S + d**2``, with a least damping if it is singular.

        Return the number of steps of refinement for its solutions: with a damping these are the
        steps of the proximal point method, whose solutions are those without it but for directions
        along which S is not larger than its error.
        """
        low = not free.any() or d[free].min() ** 2 <= self._floor
        if not (low and self._was_singular):
            try:
                self._matrix.factor(d, free)
                if not (low and self._is_singular(d, free)):
                    return _REFINEMENTS
            except np.linalg.LinAlgError:
                pass
            self._was_singular = True
        self._matrix.factor(np.sqrt(d * d + self._floor), free)
        return _FLOOR_REFINEMENTS

    @property
    def _floor(self) -> float:
        """The least damping: the square of the error of the columns, if that is larger."""
        return max(_FLOOR, min(self._worst, 0.1) ** 2)

    def _is_singular(self, d: Array, free: Mask) -> bool:
        """Return whether the matrix of the last factor has an eigenvalue below the floor."""
        kept = self._probed
        if kept is None or not (np.array_equal(kept[0], d) and np.array_equal(kept[1], free)):
            signs = np.where(np.random.default_rng(0).random(d.size) < 0.5, -1.0, 1.0) * free
            found = self._matrix.solve(signs)
            singular = np.linalg.norm(found) * 0.1 * self._floor > np.linalg.norm(signs)
            self._probed = kept = d.copy(), free.copy(), bool(singular)
        return kept[2]

    # ---- operations of the solver ------------------------------------------------------------

    def _truncate(self, column_error: Array, fnorm: float) -> tuple[int, float, float]:
        known = self._free & (self._norms > 0) & (column_error < 1.0)
        self._worst = float(column_error[known].max(initial=0.0))
        return super()._truncate(column_error, fnorm)

    def _gradient(self, p: Array | None, fnorm: float) -> Array:
        rows = self._fun if p is None else self._fun + self._times(p)
        return self._transposed_times(rows / fnorm)

    def _predict(self, p: Array, fnorm: float) -> tuple[float, float]:
        rows = self._times(p) / fnorm
        return float(np.linalg.norm(rows)), float(rows @ (self._fun / fnorm))

    def _damped(self, lambda_: float, diag: Array) -> Array:
        free = self._determined()
        if lambda_ > 0.0:
            return self._least_squares(lambda_, diag, free, self._fun)
        # The Gauss-Newton step is asked for by the stopping tests, too.
        if self._newton is None or not np.array_equal(self._newton[0], free):
            self._newton = free, self._least_squares(0.0, diag, free, self._fun)
        return self._newton[1].copy()

    def _damped_on_face(self, free: Mask, moved: Array, lambda_: float, diag: Array) -> Array:
        rows = self._fun + self._times(np.where(free, 0.0, moved))
        step = self._least_squares(lambda_, diag, free & (self._norms > 0), rows)
        return np.asarray(np.where(free, step, moved))


def sparse_factor(loop: Any, excluded: Mask | None) -> SparseFactor:
    """Return the Jacobian of a `SparseLoop` for covariances."""
    rows = loop.rows
    return SparseFactor(
        rows.data,
        rows.indices.astype(np.int32),
        rows.indptr.astype(np.int64),
        loop.acnorm,
        loop.jacobian_error,
        excluded,
    )
