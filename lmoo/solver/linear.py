"""`LinearModel`: linear algebra of a solve, written in Python."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from lmoo._core.arrays import Array, Mask
from lmoo.sparse.matrices import as_rows, column_norms, is_sparse, scaled_columns, scaled_rows

_EPS = float(np.finfo(np.float64).eps)


class LinearModel(ABC):
    """Base class of linear models f + J p of the residual near x.

    The default linear model is the triangle of a dense QR factorisation.  For another linear
    algebra, subclass this class, define its four methods, and pass the class to `Solver`, or a
    function that returns a new object for each solve.  Step strategies, bounds, stopping tests and
    standard errors use these methods only.

    The methods determine the accuracy.  With normal equations, for example, directions are lost
    whose squared singular value is below the rounding error.

    Attributes
    ----------
    sparse : bool, default False
        Whether `update` takes sparse Jacobians: it is then given a ``scipy.sparse.csr_array`` where
        the problem's Jacobian or the strategy is sparse, and an array otherwise.

    Examples
    --------
    The normal equations, by Cholesky's factorisation, with columns scaled to norm 1:

    >>> import numpy as np, lmoo
    >>> class NormalEquations(lmoo.LinearModel):
    ...     def update(self, jac, fun):
    ...         self.norms = np.where(jac.any(axis=0), np.linalg.norm(jac, axis=0), 1.0)
    ...         scaled = jac / self.norms
    ...         self.matrix, self.right = scaled.T @ scaled, scaled.T @ fun
    ...     def gradient(self):
    ...         return self.norms * self.right
    ...     def product(self, v):
    ...         return self.norms * (self.matrix @ (self.norms * v))
    ...     def solve(self, lambda_, diag, free, g):
    ...         damping = np.diag(lambda_ * (diag / self.norms)[free] ** 2)
    ...         factor = np.linalg.cholesky(self.matrix[np.ix_(free, free)] + damping)
    ...         half = np.linalg.solve(factor, (g / self.norms)[free])
    ...         x = np.zeros(g.size)
    ...         x[free] = np.linalg.solve(factor.T, half)
    ...         return x / self.norms
    >>> problem = lmoo.datasets.nist("Misra1a")
    >>> result = lmoo.Solver(linear=NormalEquations).solve(problem, problem.starts[0])
    >>> result.success, result.x.round(4)
    (True, array([2.389421e+02, 6.000000e-04]))
    """

    sparse: bool = False

    _free: Mask
    _norms: Array
    _used = False
    _kept: Any = None

    @abstractmethod
    def update(self, jac: Array, fun: Array) -> None:
        """Set a new Jacobian and residual.

        Parameters
        ----------
        jac : (m, n) float64 array
            The Jacobian; columns that are all error are zero.  It is valid during this call only:
            copy it if you need it later.
        fun : (m,) float64 array
            The residual; for a `RowBlockProblem` the n rows of its triangle.
        """

    @abstractmethod
    def gradient(self) -> Array:
        """Return ``jac.T @ fun``, (n,)."""

    @abstractmethod
    def product(self, v: Array) -> Array:
        """Return ``jac.T @ (jac @ v)``, (n,)."""

    @abstractmethod
    def solve(self, lambda_: float, diag: Array, free: Mask, g: Array) -> Array:
        """Return x with ``(jac.T @ jac + lambda_ diag(diag**2)) x = g`` over the free parameters.

        Parameters
        ----------
        lambda_ : float
            At least 0.
        diag : (n,) float64 array
            The scaling D of the trust region, positive.
        free : (n,) bool array
            Rows and columns of the system; x is 0 elsewhere.
        g : (n,) float64 array

        Returns
        -------
        (n,) float64 array

        Raises
        ------
        numpy.linalg.LinAlgError
            The matrix is singular.
        """

    # ---- operations of the solver, by the methods above ---------------------------------------

    def _checked(self, name: str, value: Any) -> Array:
        """Return the value of a method, checked: one number per parameter."""
        array = np.asarray(value, dtype=np.float64)
        if array.shape != self._norms.shape:
            raise ValueError(
                f"{name} of {type(self).__name__} must return {self._norms.size} numbers; it "
                f"returned shape {array.shape}"
            )
        return array

    def _slopes(self) -> Array:
        return self._checked("gradient", self.gradient())

    def _product(self, v: Array) -> Array:
        return self._checked("product", self.product(v))

    def _fill(self, jac: Any, fun: Array) -> None:
        self.update(jac, fun)
        self._norms = self._column_norms(jac)
        self._free = np.ones(self._norms.size, dtype=bool)
        self._lost = ~self._free

    def _rows(self, value: Any, shape: tuple[int, int]) -> Any:
        """Return a Jacobian as a csr_array with memory of its own."""
        self._kept = as_rows(value, shape, self._kept)
        return self._kept

    def _column_norms(self, jac: Any) -> Array:
        """Return the norms of the columns, without overflow or underflow of the squares."""
        if is_sparse(jac):
            return column_norms(jac)
        largest = np.abs(jac).max(axis=0, initial=0.0)
        scale = np.where(largest > 0, largest, 1.0)
        return np.asarray(scale * np.linalg.norm(jac / scale, axis=0))

    def _overlaps(self, jac: Any, fun: Array, fnorm: float) -> Array:
        """Return the sums of ``abs(fun_i jac_ij) / fnorm`` over the rows."""
        return np.asarray(abs(jac).T @ np.abs(fun / fnorm if fnorm > 0 else fun))

    def _scaled(self, rows: Any, factors: Array) -> Any:
        """Return a csr_array with each row multiplied by a factor, (m,)."""
        return scaled_rows(rows, factors)

    def _without(self, rows: Any, dropped: Mask) -> Any:
        """Return a csr_array with some columns set to zero."""
        return scaled_columns(rows, np.where(dropped, 0.0, 1.0))

    def _leave_out(self, free: Mask) -> None:
        self._free = free

    def _determined(self) -> Mask:
        """Return the free parameters whose columns are neither zero nor all error."""
        return np.asarray(self._free & (self._norms > 0) & ~self._lost)

    def _truncate(self, column_error: Array, fnorm: float) -> tuple[int, float, float]:
        """Return the rank, ``|J p| / fnorm`` of the Gauss-Newton step p, and the largest error."""
        self._lost = column_error >= 1.0
        free = self._determined()
        step = self._damped(0.0, np.where(self._norms > 0, self._norms, 1.0))
        norm, _ = self._predict(step, fnorm)
        return int(np.count_nonzero(free)), norm, float(column_error[free].max(initial=0.0))

    def _gradient(self, p: Array | None, fnorm: float) -> Array:
        gradient = self._slopes()
        return np.asarray((gradient if p is None else gradient + self._product(p)) / fnorm)

    def _predict(self, p: Array, fnorm: float) -> tuple[float, float]:
        """Return ``|J p| / fnorm`` and ``f^T J p / fnorm**2``."""
        square = float(p / fnorm @ (self._product(p) / fnorm))
        return float(np.sqrt(max(square, 0.0))), float(p / fnorm @ (self._slopes() / fnorm))

    def _damped(self, lambda_: float, diag: Array) -> Array:
        """Return the step; for a singular matrix, with a damping of the size of rounding errors."""
        free, gradient = self._determined(), self._slopes()
        while True:
            try:
                return -self._checked("solve", self.solve(lambda_, diag, free, gradient))
            except np.linalg.LinAlgError:
                least = _EPS * np.max((self._norms / diag)[free], initial=0.0) ** 2
                lambda_ = max(10.0 * lambda_, least, float(np.finfo(np.float64).tiny))
                if not lambda_ < np.inf:
                    raise

    def _damped_on_face(self, free: Mask, moved: Array, lambda_: float, diag: Array) -> Array:
        """Return the step over the free parameters, with the others at their values in `moved`."""
        before, at = self._free, np.where(free, 0.0, moved)
        try:
            self._free = free
            determined = self._determined()
            right = self._slopes() + self._product(at)
            step = -self._checked("solve", self.solve(lambda_, diag, determined, right))
        except np.linalg.LinAlgError:
            step = np.zeros(at.size)
        finally:
            self._free = before
        return np.asarray(np.where(free, step, moved))

    def _solve(self, lambda_: float, diag: Array, g: Array) -> Array | None:
        try:
            return self._checked("solve", self.solve(lambda_, diag, self._determined(), g))
        except np.linalg.LinAlgError:
            return None

    def _triangle(self) -> tuple[Array, Array]:
        """Return R with ``R.T @ R = J.T @ J`` over the free parameters, and ``R^-T J^T f``.

        They are computed from the eigenvalues of the matrix of cosines between columns, which may
        be singular.
        """
        n, free = self._norms.size, self._determined()
        unit = np.where(free, 1.0 / np.where(free, self._norms, 1.0), 0.0)
        gram = np.stack([unit * self._product(unit * row) for row in np.eye(n)])
        values, vectors = np.linalg.eigh(0.5 * (gram + gram.T))
        keep = values > n * _EPS * values[-1]
        root = np.where(keep, np.sqrt(np.maximum(values, 0.0)), 0.0)
        q, r = np.linalg.qr(root[:, None] * vectors.T)
        inverse = np.where(keep, 1.0 / np.where(keep, root, 1.0), 0.0)
        right = q.T @ (inverse * (vectors.T @ (unit * self._slopes())))
        return r * self._norms, np.asarray(right)


def checked_linear(value: Any) -> None:
    """Raise TypeError if value is neither a subclass of LinearModel nor a function."""
    if isinstance(value, LinearModel) or not callable(value):
        raise TypeError(
            "linear must be a subclass of LinearModel, or a function that returns a new one; it is "
            f"{value!r}"
        )


def new_linear(make: Any) -> LinearModel:
    """Return a new linear model."""
    model = make()
    if not isinstance(model, LinearModel):
        raise TypeError(f"linear must return a LinearModel; it returned {model!r}")
    if model._used:
        raise ValueError(f"linear must return a new LinearModel for each solve; {model!r} is used")
    model._used = True
    return model
