"""Cholesky factors of S^T S + D^2, by CHOLMOD or, without scikit-sparse, by SuperLU."""

from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo.sparse.matrices import same_pattern, sparse_module

__all__ = ["NormalMatrix", "backend"]

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

_SINGULAR = "the matrix is singular"


class _Cholmod5:
    """CHOLMOD by scikit-sparse 0.5 and later."""

    def __init__(self, module: Any, columns: Any) -> None:
        self.errors = (module.CholmodNotPositiveDefiniteError,)
        self._factor = module.CholeskyFactor(columns, sym_kind="row")

    def factorize(self, columns: Any) -> Any:
        self._factor.factorize(columns)
        return self._factor.solve


class _Cholmod4:
    """CHOLMOD by scikit-sparse 0.4."""

    def __init__(self, module: Any, columns: Any) -> None:
        self.errors = (module.CholmodNotPositiveDefiniteError,)
        self._factor = module.analyze_AAt(_matrix(columns))

    def factorize(self, columns: Any) -> Any:
        self._factor.cholesky_AAt_inplace(_matrix(columns))
        return self._factor.solve_A


class _SuperLU:
    """Gaussian elimination of the symmetric matrix by scipy, without pivoting for size."""

    errors = (RuntimeError,)

    def __init__(self, module: Any, columns: Any) -> None:
        self._splu = module.splu

    def factorize(self, columns: Any) -> Any:
        return self._splu(
            (columns @ columns.T).tocsc(),
            permc_spec="MMD_AT_PLUS_A",
            diag_pivot_thresh=0.0,
            options={"SymmetricMode": True},
        ).solve


def _matrix(columns: Any) -> Any:
    """Return the csc_matrix that scikit-sparse 0.4 takes."""
    parts = (columns.data, columns.indices, columns.indptr)
    return sparse_module().csc_matrix(parts, shape=columns.shape)


def backend() -> tuple[type[Any], Any]:
    """Return the class that factors, and the module that it uses."""
    try:
        cholmod = import_module("sksparse.cholmod")
    except ImportError:
        sparse_module()
        import scipy.sparse.linalg

        return _SuperLU, scipy.sparse.linalg
    return (_Cholmod5 if hasattr(cholmod, "CholeskyFactor") else _Cholmod4), cholmod


class NormalMatrix:
    """The matrix ``S.T @ S + diag(d**2)``, factored for one d after the other.

    Parameters
    ----------
    rows : csr_array
        S, (m, n); its columns have norm 1 or 0.
    like : NormalMatrix, optional
        An earlier one.  If its S has the same pattern, the order of elimination and the symbolic
        analysis are those of the earlier one.

    Notes
    -----
    The matrix is A A^T with ``A = [S.T, diag(d)]``: its pattern does not depend on d, nor on which
    parameters are left out, so that it is analysed once.  CHOLMOD: Chen, Davis, Hager,
    Rajamanickam (2008), "Algorithm 887: CHOLMOD, supernodal sparse Cholesky factorization and
    update/downdate", ACM TOMS 35, 22.
    """

    def __init__(self, rows: Any, like: "NormalMatrix | None" = None) -> None:
        self.rows = rows
        self.by_columns = rows.T
        self._state: tuple[Array, Mask] | None = None
        self._solve: Any = None
        self._columns: Any
        self._factor: Any
        m, n = rows.shape
        if like is not None and same_pattern(like.rows, rows):
            self._columns, self._factor = like._columns, like._factor
        else:
            sparse = sparse_module()
            entries = rows.indptr[-1]
            first = np.concatenate([rows.indptr, entries + np.arange(1, n + 1)])
            index = np.concatenate([rows.indices, np.arange(n)])
            self._columns = sparse.csc_array(
                (np.ones(index.size), index.astype(np.int32), first.astype(np.int32)),
                shape=(n, m + n),
            )
            kind, module = backend()
            self._factor = kind(module, self._columns)

    def factor(self, d: Array, free: Mask) -> None:
        """Factor the matrix of the free parameters.

        Parameters
        ----------
        d : (n,) float64 array
            Not negative.
        free : (n,) bool array
            Rows and columns of the others are those of the unit matrix.

        Raises
        ------
        numpy.linalg.LinAlgError
            The matrix is singular.
        """
        state = self._state
        if state is not None and np.array_equal(state[0], d) and np.array_equal(state[1], free):
            return
        data, indices = self.rows.data, self.rows.indices
        values = self._columns.data
        values[: data.size] = data if free.all() else np.where(free[indices], data, 0.0)
        values[data.size :] = np.where(free, d, 1.0)
        self._state = None
        try:
            self._solve = self._factor.factorize(self._columns)
        except self._factor.errors as error:
            raise np.linalg.LinAlgError(_SINGULAR) from error
        self._state = d.copy(), free.copy()

    def solve(self, right: Array) -> Array:
        """Return the solution for a right side, (n,) or (n, k), by the last factor."""
        found = np.asarray(self._solve(right))
        if not np.isfinite(found).all():
            raise np.linalg.LinAlgError(_SINGULAR)
        return found
