"""Cholesky factors of S^T S + D^2, by CHOLMOD or, without scikit-sparse, by SuperLU."""

from collections.abc import Callable
from importlib import import_module
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array, Mask
from lmoo._core.normal import normal_pattern, normal_values
from lmoo.sparse.matrices import same_pattern, sparse_module

_SINGULAR = "the matrix is singular"


class _Cholmod5:
    """CHOLMOD by scikit-sparse 0.5 and later."""

    def __init__(self, module: Any, lower: Any) -> None:
        self.errors = (module.CholmodNotPositiveDefiniteError,)
        self._factor = module.CholeskyFactor(lower, sym_kind="sym", lower=True)

    def factorize(self, lower: Any) -> Any:
        self._factor.factorize(lower)
        return self._factor.solve


class _Cholmod4:
    """CHOLMOD by scikit-sparse 0.4."""

    def __init__(self, module: Any, lower: Any) -> None:
        self.errors = (module.CholmodNotPositiveDefiniteError,)
        self._factor = module.analyze(_matrix(lower))

    def factorize(self, lower: Any) -> Any:
        self._factor.cholesky_inplace(_matrix(lower))
        return self._factor.solve_A


class _SuperLU:
    """Gaussian elimination of the symmetric matrix by scipy, without pivoting for size."""

    errors = (RuntimeError,)

    def __init__(self, module: Any, lower: Any) -> None:
        self._splu = module.splu
        self._tril = sparse_module().tril

    def factorize(self, lower: Any) -> Any:
        return self._splu(
            (lower + self._tril(lower, -1).T).tocsc(),
            permc_spec="MMD_AT_PLUS_A",
            diag_pivot_thresh=0.0,
            options={"SymmetricMode": True},
        ).solve


def _matrix(lower: Any) -> Any:
    """Return the csc_matrix that scikit-sparse 0.4 takes."""
    parts = (lower.data, lower.indices, lower.indptr)
    return sparse_module().csc_matrix(parts, shape=lower.shape)


def backend() -> tuple[type[Any], Any]:
    """Return the class that factors, and the module that it uses."""
    try:
        cholmod = import_module("sksparse.cholmod")
    except ImportError:
        sparse_module()
        import scipy.sparse.linalg

        return _SuperLU, scipy.sparse.linalg
    return (_Cholmod5 if hasattr(cholmod, "CholeskyFactor") else _Cholmod4), cholmod


def singular_probe(free: Mask) -> Array:
    """Return a right side whose solution is large if the matrix of free parameters is singular.

    Its numbers differ in size: equal ones are orthogonal to the difference of two equal columns.
    """
    return np.random.default_rng(0).standard_normal(free.size) * free


def is_singular(solve: Callable[[Array], Array], free: Mask, limit: float) -> bool:
    """Return whether the matrix of free parameters has an eigenvalue below the limit."""
    probe = singular_probe(free)
    found = solve(probe)
    # The solution of a singular system may be so large that its norm overflows.
    with np.errstate(over="ignore", invalid="ignore"):
        large = np.linalg.norm(found) * limit > np.linalg.norm(probe)
        return bool(large or not probe @ found > 0.0)


class _Analysis:
    """The part that depends on the pattern of S alone: that of S^T S, and its analysis."""

    def __init__(self, rows: Any) -> None:
        m, n = rows.shape
        self.first, self.index = rows.indptr.astype(np.intc), rows.indices.astype(np.intc)
        self.place: NDArray[np.intp] = np.argsort(rows.indices, kind="stable")
        counts = np.bincount(rows.indices, minlength=n)
        self.start = np.concatenate([[0], np.cumsum(counts)]).astype(np.intp)
        self.row = np.repeat(np.arange(m), np.diff(rows.indptr))[self.place]
        self.row = np.ascontiguousarray(self.row, dtype=np.intp)
        begin, target = normal_pattern(self.first, self.index, self.start, self.place, self.row)
        parts = np.ones(target.size), target, begin.astype(np.intc)
        self.lower = sparse_module().csc_array(parts, shape=(n, n))
        # The diagonal entries are the first ones of their columns.
        self.lower.sort_indices()
        kind, module = backend()
        self.factor = kind(module, self.lower)

    def values(self, data: Array) -> Array:
        """Return the entries of the lower triangle of S^T S."""
        return normal_values(
            self.first, self.index, data, self.start, self.place, self.row,
            self.lower.indptr, self.lower.indices,
        )  # fmt: skip


class NormalMatrix:
    """The matrix ``S.T @ S + diag(d**2)``, factored for one d after the other.

    Parameters
    ----------
    rows : csr_array
        S, (m, n), with sorted indices; its columns have norm 1 or 0.
    like : NormalMatrix, optional
        An earlier one.  If its S has the same pattern, the order of elimination and the symbolic
        analysis are those of the earlier one.

    Notes
    -----
    The pattern does not depend on d, nor on which parameters are left out, so that it is analysed
    once.  CHOLMOD: Chen, Davis, Hager, Rajamanickam (2008), "Algorithm 887: CHOLMOD, supernodal
    sparse Cholesky factorization and update/downdate", ACM TOMS 35, 22.
    """

    def __init__(self, rows: Any, like: "NormalMatrix | None" = None) -> None:
        self.rows, self.by_columns = rows, rows.T
        # For callers that several threads share.
        self.lock = Lock()
        self._state: tuple[Array, Mask] | None = None
        self._solve: Any = None
        known = like is not None and same_pattern(like.rows, rows)
        self._analysis: _Analysis = like._analysis if known and like else _Analysis(rows)
        self._values = self._analysis.values(rows.data)

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
        lower, factor = self._analysis.lower, self._analysis.factor
        lower.data[:] = self._values
        if not free.all():
            columns = np.repeat(np.arange(free.size), np.diff(lower.indptr))
            lower.data[~(free[lower.indices] & free[columns])] = 0.0
        diagonal = lower.indptr[:-1]
        lower.data[diagonal] = np.where(free, lower.data[diagonal] + d * d, 1.0)
        self._state = None
        try:
            self._solve = factor.factorize(lower)
        except factor.errors as error:
            raise np.linalg.LinAlgError(_SINGULAR) from error
        self._state = d.copy(), free.copy()

    def solve(self, right: Array) -> Array:
        """Return the solution for a right side, (n,) or (n, k), by the last factor."""
        found = np.asarray(self._solve(right))
        if not np.isfinite(found).all():
            raise np.linalg.LinAlgError(_SINGULAR)
        return found
