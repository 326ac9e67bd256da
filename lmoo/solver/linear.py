"""Linear models written in Python: the linear algebra of a solve, replaced."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["LinearModel"]

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

_EPS = float(np.finfo(np.float64).eps)


class LinearModel(ABC):
    """Base of linear models: near x the residual is f + J p, and this is all a solve knows of J.

    lmoo's own model is the triangle of a dense QR factorisation.  Subclass this one for another
    linear algebra: four methods are to be written, and `Solver` is given the class (or a function that
    returns a new object; one is made for each solve).  Step strategies, bounds, stopping tests and
    standard errors follow from these methods.

    Accuracy is that of the methods: with normal equations, for instance, directions are lost whose
    squared size is below the rounding error.

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

    _free: Mask
    _norms: Array

    @abstractmethod
    def update(self, jac: Array, fun: Array) -> None:
        """Take in a new Jacobian and residual.

        Parameters
        ----------
        jac : (m, n) float64 array
            Columns that are no more than error are zero.  Valid during this call only: copy what you
            keep.
        fun : (m,) float64 array
            The residual, or n rows that stand for it where the rows came in blocks.
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

    # ---- what a solve asks for, by the methods above ------------------------------------------

    def _fill(self, jac: Array, fun: Array) -> None:
        self.update(jac, fun)
        # Norms without overflow or underflow of the squares.
        largest = np.abs(jac).max(axis=0, initial=0.0)
        scale = np.where(largest > 0, largest, 1.0)
        self._norms = scale * np.linalg.norm(jac / scale, axis=0)
        self._free = np.ones(self._norms.size, dtype=bool)

    def _leave_out(self, free: Mask) -> None:
        self._free = free

    def _determined(self) -> Mask:
        """Return the free parameters whose columns are not zero."""
        return np.asarray(self._free & (self._norms > 0))

    def _truncate(self, column_error: Array, fnorm: float) -> tuple[int, float, float]:
        """Return the rank, ``|J p| / fnorm`` of the Gauss-Newton step p, and the largest error."""
        free = self._determined()
        step = self._damped(0.0, np.where(self._norms > 0, self._norms, 1.0))
        norm, _ = self._predict(step, fnorm)
        return int(np.count_nonzero(free)), norm, float(column_error[free].max(initial=0.0))

    def _gradient(self, p: Array | None, fnorm: float) -> Array:
        gradient = self.gradient()
        return np.asarray((gradient if p is None else gradient + self.product(p)) / fnorm)

    def _predict(self, p: Array, fnorm: float) -> tuple[float, float]:
        """Return ``|J p| / fnorm`` and ``f^T J p / fnorm**2``."""
        square = float(p / fnorm @ (self.product(p) / fnorm))
        return float(np.sqrt(max(square, 0.0))), float(p / fnorm @ (self.gradient() / fnorm))

    def _damped(self, lambda_: float, diag: Array) -> Array:
        """Return the step; where that is singular, the one of a damping that rounding would bring."""
        free, gradient = self._determined(), self.gradient()
        while True:
            try:
                return -np.asarray(self.solve(lambda_, diag, free, gradient))
            except np.linalg.LinAlgError:
                least = _EPS * np.max((self._norms / diag)[free], initial=0.0) ** 2
                lambda_ = max(10.0 * lambda_, least, float(np.finfo(np.float64).tiny))
                if not lambda_ < np.inf:
                    raise

    def _damped_on_face(self, free: Mask, moved: Array, lambda_: float, diag: Array) -> Array:
        """Return the step over some parameters of all, the others being moved."""
        before, at = self._free, np.where(free, 0.0, moved)
        try:
            self._free = free
            determined = self._determined()
            right = self.gradient() + self.product(at)
            step = -np.asarray(self.solve(lambda_, diag, determined, right))
        except np.linalg.LinAlgError:
            step = np.zeros(at.size)
        finally:
            self._free = before
        return np.asarray(np.where(free, step, moved))

    def _solve(self, lambda_: float, diag: Array, g: Array) -> Array | None:
        try:
            return np.asarray(self.solve(lambda_, diag, self._determined(), g))
        except np.linalg.LinAlgError:
            return None

    def _triangle(self) -> tuple[Array, Array]:
        """Return R with ``R.T @ R = J.T @ J`` over the free parameters, and ``R^-T J^T f``.

        By the eigenvalues of the matrix of cosines between columns, so that it may be singular.
        """
        n, free = self._norms.size, self._determined()
        unit = np.where(free, 1.0 / np.where(free, self._norms, 1.0), 0.0)
        gram = np.stack([unit * self.product(unit * row) for row in np.eye(n)])
        values, vectors = np.linalg.eigh(0.5 * (gram + gram.T))
        keep = values > n * _EPS * values[-1]
        root = np.where(keep, np.sqrt(np.maximum(values, 0.0)), 0.0)
        q, r = np.linalg.qr(root[:, None] * vectors.T)
        inverse = np.where(keep, 1.0 / np.where(keep, root, 1.0), 0.0)
        right = q.T @ (inverse * (vectors.T @ (unit * self.gradient())))
        return r * self._norms, np.asarray(right)


def checked_linear(value: Any) -> None:
    """Check what makes linear models: a subclass, or a function without arguments."""
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
    return model
