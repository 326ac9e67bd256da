"""`SparseCholesky`: the linear model of sparse Jacobians, and its loop."""

from typing import Any

import numpy as np

from lmoo._core.arrays import Array, Mask
from lmoo.results.sparsefactor import SparseFactor
from lmoo.solver.linear import LinearModel
from lmoo.sparse.cholesky import NormalMatrix, is_singular
from lmoo.sparse.matrices import as_rows, is_sparse, scaled_columns

# Steps of refinement of a solution.
_REFINEMENTS = 2
# A refinement that changes a solution by no more than this, relatively, is the last one.
_SMALL = 1e-9
# The least damping of a singular matrix whose diagonal is 1, and most directions without it.
_FLOOR, _DIRECTIONS = 1e-12, 20
_EPS = float(np.finfo(float).eps)
# Rounding error of residuals, divided by the root of the least damping.
_ROUNDING = 1e-14 / 1e-6


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
    Beyond that, directions whose squared singular value is below 10^-12 are damped by this number
    in the factor, which is then the preconditioner of conjugate gradients: these need one step more
    for each such direction, up to 20, and end where only rounding errors are left.

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
        damped = self._factor(d, free)
        right = np.where(free, g * self._unit, 0.0)
        y, along, last = np.zeros(d.size), np.zeros(d.size), np.inf
        for i in range(_DIRECTIONS if damped else 1 + _REFINEMENTS):
            step = np.where(free, matrix.solve(right), 0.0)
            slope = float(right @ step)
            along = step + (slope / last) * along
            image = matrix.by_columns @ (matrix.rows @ along) + d * d * along
            curvature = float(along @ image)
            # Less is rounding of S along, S having columns of norm 1: there the solution would
            # grow without end.
            least = (_EPS * d.size) ** 2 * float(along @ along)
            if not (slope > 0.0 and curvature > least):
                return np.asarray((y if i > 0 else step) * self._unit)
            last, factor = slope, slope / curvature
            y += factor * along
            right = right - np.where(free, factor * image, 0.0)
            if factor * np.linalg.norm(along) <= _SMALL * np.linalg.norm(y):
                break
        return np.asarray(y * self._unit)

    def _least_squares(self, lambda_: float, diag: Array, free: Mask, b: Array) -> Array:
        """Return the minimiser of ``|jac p + b|**2 + lambda_ |diag p|**2`` over free parameters.

        By conjugate gradients with the last factor as preconditioner (Bjorck 1996, "Numerical
        methods for least squares problems", section 7.4.1), which takes one more step for each
        direction that the least damping changes.
        """
        free = free & (self._unit > 0)
        d, matrix = np.sqrt(lambda_) * diag * self._unit, self._matrix
        damped = self._factor(d, free)
        y, rest, below = np.zeros(d.size), -b, np.zeros(d.size)
        along, last = np.zeros(d.size), np.inf
        for i in range(_DIRECTIONS if damped else 1 + _REFINEMENTS):
            right = np.where(free, matrix.by_columns @ rest + d * below, 0.0)
            step = np.where(free, matrix.solve(right), 0.0)
            slope = float(right @ step)
            along = step + (slope / last) * along
            image, lower = matrix.rows @ along, d * along
            curvature = float(image @ image + lower @ lower)
            # What is left is error of the residuals or of the columns.
            noise = _ROUNDING * float(np.linalg.norm(rest)) if damped else 0.0
            known = curvature > (self._worst * float(np.linalg.norm(along))) ** 2
            if not (known and slope > noise**2):
                return np.asarray((y if i > 0 else step) * self._unit)
            last, factor = slope, slope / curvature
            y += factor * along
            rest, below = rest - factor * image, below - factor * lower
            if factor * np.linalg.norm(along) <= _SMALL * np.linalg.norm(y):
                break
        return np.asarray(y * self._unit)

    def _factor(self, d: Array, free: Mask) -> bool:
        """Factor ``S.T @ S + d**2``, with a least damping if it is singular.

        Return whether it was damped; the factor is then the preconditioner of more steps.
        """
        low = not free.any() or d[free].min() ** 2 <= self._floor
        if not (low and self._was_singular):
            try:
                self._matrix.factor(d, free)
                if not (low and self._is_singular(d, free)):
                    return False
            except np.linalg.LinAlgError:
                pass
            self._was_singular = True
        self._matrix.factor(np.sqrt(d * d + self._floor), free)
        return True

    @property
    def _floor(self) -> float:
        """The least damping: the square of the error of the columns, if that is larger."""
        return max(_FLOOR, min(self._worst, 0.1) ** 2)

    def _is_singular(self, d: Array, free: Mask) -> bool:
        """Return whether the matrix of the last factor has an eigenvalue below the floor."""
        kept = self._probed
        if kept is None or not (np.array_equal(kept[0], d) and np.array_equal(kept[1], free)):
            singular = is_singular(self._matrix.solve, free, 0.1 * self._floor)
            self._probed = kept = d.copy(), free.copy(), singular
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
