"""Problems without the parameters that their residual is linear in: variable projection in Python.

The residual is that of the full problem with the best values of the linear parameters, the Jacobian
is Kaufman's.  lmoo/_core/batch/separable.pxi has the equations, and does it for compiled problems.

Golub, Pereyra (1973), SIAM J. Numer. Anal. 10, 413; Kaufman (1975), BIT 15, 49.
"""

from typing import Any

import numpy as np

from lmoo._core.arrays import Array
from lmoo._core.batch import CurveModelProblem, SeparableProblem
from lmoo._core.masks import refuse_masked
from lmoo._core.solve import is_single
from lmoo.blockwise.passes import Passes
from lmoo.blockwise.reduction import PartialQR
from lmoo.errors import EvaluationError
from lmoo.jacobians.strategies import is_transposed
from lmoo.problems.kinds import has_jacobian
from lmoo.problems.paired import counter_of, paired
from lmoo.problems.problem import Problem, residual_call, residual_name
from lmoo.problems.rows import RowBlockProblem
from lmoo.problems.separation import Parts
from lmoo.sparse.matrices import is_sparse

# Columns of norm 1 that the others leave less of than this are theirs.
_DEPENDENT = 1e-13
# The error of a column, in units of that of f: as for the columns of any Jacobian.
_ROUNDING = 10.0
_EPS, _SINGLE = 2.0**-52, 2.0**-23
# Points times the square of the number of parameters: beyond, the Jacobian is not stored
# (_core/evaluate/stream.pxi).
_TALL = 1e6
# Numbers in a block of a Jacobian that is not stored.
_BLOCK = 1 << 17
# Points that a reduced problem remembers.
_KEPT = 16
# Columns from differences are evaluated again, at a larger distance, where they are smaller than
# this share of the residual, and lose digits by it.
_SMALL = 0.1


def is_tall(problem: Any) -> bool:
    """Return whether a problem is that of a compiled model with too many points for a Jacobian."""
    return isinstance(problem, CurveModelProblem) and problem.m * problem.n**2 > _TALL


class CompiledRows(RowBlockProblem):
    """The problem of a compiled model in blocks of rows.

    Parameters
    ----------
    problem : CurveModelProblem
        With derivatives.
    """

    def __init__(self, problem: Any) -> None:
        m, rows = problem.m, max(_BLOCK // problem.n, 1)
        super().__init__([slice(i, i + rows) for i in range(0, m, rows)])
        self.model, self.points, self.y, self.weights, *_ = problem.data

    def residual(self, x: Array, block: slice) -> Array:
        """Return the residuals of some rows."""
        f = self._evaluated(x, block, False) - self.y[block]
        return np.asarray(f if self.weights is None else f * self.weights[block])

    def jacobian(self, x: Array, block: slice) -> Array:
        """Return the derivatives of some rows, (rows, n)."""
        columns = self._evaluated(x, block, True)
        return (columns if self.weights is None else columns * self.weights[block]).T

    def _evaluated(self, x: Array, block: slice, derivatives: bool) -> Array:
        points = np.ascontiguousarray(self.points[:, block])
        found, codes = self.model.evaluate(points[None], x[None], derivatives)
        if codes.any():
            raise EvaluationError(f"the model returned {codes[0]}")
        return np.asarray(found[0])


class CompiledProjection:
    """A compiled problem without its linear parameters.

    Attributes
    ----------
    problem : SeparableProblem
        What is solved.
    """

    def __init__(self, problem: Any, parts: Parts) -> None:
        self.problem = SeparableProblem(problem, parts.linear, parts.other)

    def full(self, z: Array, evaluate: bool = True) -> Array | None:
        """Return all parameters at z, with the best values of the linear ones.

        None at a bad point, or where that takes an evaluation and `evaluate` is False.
        """
        return self.problem.full(np.ascontiguousarray(z), evaluate)

    @property
    def counts(self) -> tuple[int, int]:
        """Residuals and Jacobians of the full problem that were evaluated."""
        return self.problem.counts


class _Factored:
    """The projector of some columns, and the best coefficients of these."""

    def __init__(self, columns: Array) -> None:
        with _quiet():
            norms = _norms(columns)
            self.norms = np.where(norms > 0, norms, 1.0)
            try:
                u, s, v = np.linalg.svd(columns / self.norms, full_matrices=False)
            except np.linalg.LinAlgError as error:
                raise EvaluationError("the linear columns cannot be factored") from error
        keep = s > _DEPENDENT * s[0] if s.size and s[0] > 0 else np.zeros(s.size, dtype=bool)
        self._u, self._s, self._v = u[:, keep], s[keep], v[keep]

    def coefficients(self, f: Array) -> Array:
        """Return argmin |f + columns c|, of minimum norm in units of the columns."""
        with _quiet():
            return np.asarray(-(self._v.T @ ((self._u.T @ f) / self._s)) / self.norms)

    def project(self, rows: Array) -> Array:
        """Return the part that is orthogonal to the columns, of a vector or a matrix."""
        with _quiet():
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
        with _quiet():
            errors = error * _norms(columns)
            errors += linear_error * _norms((self._u.T @ columns) / self._s[:, None])
            lost = np.isfinite(errors) & (_norms(found) <= _ROUNDING * errors)
        found[:, lost] = 0.0
        return found


def _norms(columns: Array) -> Array:
    """Return the norms of columns, whose squares may overflow."""
    largest = np.abs(columns).max(axis=0, initial=0.0)
    scale = np.where(largest > 0, largest, 1.0)
    return np.asarray(scale * np.linalg.norm(columns / scale, axis=0))


def _quiet() -> Any:
    """Return the context in which overflows raise no warning: the loop refuses their results."""
    return np.errstate(all="ignore")


class _Projected(Problem):
    """A reduced problem that remembers all parameters of the points where it was evaluated."""

    def __init__(self, parts: Parts, x: Array) -> None:
        self._linear, self._other = list(parts.linear), list(parts.other)
        self._point = x.copy()
        self._z: Array | None = None
        self._known: dict[bytes, Array] = {}
        self._counts = [0, 0]

    @property
    def problem(self) -> "_Projected":
        """The reduced problem."""
        return self

    @property
    def counts(self) -> tuple[int, int]:
        """Residuals and Jacobians of the full problem that were evaluated; or passes for these."""
        return self._counts[0], self._counts[1]

    def full(self, z: Array, evaluate: bool = True) -> Array | None:
        """Return all parameters at z; see `CompiledProjection.full`."""
        key = z.tobytes()
        if key not in self._known and evaluate:
            try:
                self.residual(z)
            except EvaluationError:
                return None
        found = self._known.get(key)
        return None if found is None else found.copy()

    def _keep(self, z: Array) -> None:
        """Remember the point of z, and some before it: differences evaluate others in between."""
        self._z = z.copy()
        self._known[z.tobytes()] = self._point.copy()
        while len(self._known) > _KEPT + 2 * z.size:
            del self._known[next(iter(self._known))]

    def _go_to(self, z: Array) -> None:
        """Let what is held be that of z."""
        if self._z is None or not np.array_equal(z, self._z):
            self.residual(z)


class Projection(_Projected):
    """A problem in Python without its linear parameters.

    Parameters
    ----------
    problem : Problem
    parts : Parts
    x : (n,) float64 array
        A point of the full problem.
    strategy : Jacobian or None
        How its derivatives are computed, as the solver has it.
    """

    def __init__(self, problem: Any, parts: Parts, x: Array, strategy: Any) -> None:
        super().__init__(parts, x)
        problem = paired(problem)
        self._full, self._call = problem, residual_call(problem)
        self._distance = np.ones(len(self._linear))
        self._transposed = is_transposed(strategy, problem)
        self._size, self._precision = 0, _EPS
        own = has_jacobian(problem)
        self._has_own, self._repeated = own, counter_of(problem)
        if not own:
            # None marks a problem without derivatives.
            self.jacobian = None  # type: ignore[method-assign,assignment]

    def residual(self, z: Array) -> Array:
        """Return the residual of the full problem at z and the best linear parameters."""
        self._z = None
        x = self._point
        x[self._other], x[self._linear] = z, 0.0
        f = self._values(x)
        columns = self._jacobian(x)[:, self._linear] if self._has_own else self._columns(x, f)
        if not (np.isfinite(f).all() and np.isfinite(columns).all()):
            raise EvaluationError("the residual is not finite")
        self._factored = _Factored(columns)
        x[self._linear] = self._factored.coefficients(f)
        if not np.isfinite(x).all():
            raise EvaluationError("the linear parameters overflow")
        self._keep(z)
        found = self._factored.project(f)
        # The residual keeps the precision of the model, which determines difference intervals.
        return found if self._precision == _EPS else found.astype(np.float32)

    def jacobian(self, z: Array) -> Array:
        """Return Kaufman's Jacobian, (m, n - k), or its transpose where the problem's is one."""
        self._go_to(z)
        columns = self._jacobian(self._point)[:, self._other]
        error = self._precision * np.sqrt(self._size)
        found = self._factored.derivatives(columns, error, error)
        return found.T if self._transposed else found

    def _values(self, x: Array) -> Array:
        func, args, kwargs = self._call
        self._counts[0] += 1
        name = residual_name(self._full)
        value = np.asarray(refuse_masked(f"what {name} returns", func(x.copy(), *args, **kwargs)))
        if value.dtype.kind not in "biuf":
            raise TypeError(f"{name} must return real numbers; it returned dtype {value.dtype}")
        if is_single(value):
            self._precision = _SINGLE
        f = np.array(value, dtype=np.float64).reshape(-1)
        self._size = self._size or f.size
        if f.size != self._size:
            raise ValueError(
                f"{name} must return {self._size} numbers, as at first; it returned {f.size}"
            )
        return f

    def _jacobian(self, x: Array) -> Array:
        self._counts[1] += 1
        value = refuse_masked("what jacobian returns", self._full.jacobian(x.copy()))
        if self._repeated is not None:
            self._counts[0] += self._repeated()
        # The linear parameters are eliminated by dense matrices.
        found = np.asarray(value.toarray() if is_sparse(value) else value, dtype=np.float64)
        if found.ndim == 1:
            found = found.reshape(-1, x.size)
        elif self._transposed:
            found = found.T
        if found.shape != (self._size, x.size):
            raise ValueError(
                f"jacobian must return shape {(self._size, x.size)}; it returned {found.shape}"
            )
        return found

    def _columns(self, x: Array, f: Array) -> Array:
        """Return the derivatives by the linear parameters from differences, which are exact."""
        out = np.empty((f.size, len(self._linear)))
        size = float(np.abs(f).max(initial=0.0))
        for k, j in enumerate(self._linear):
            for again in (True, False):
                point = x.copy()
                point[j] = self._distance[k]
                values = self._values(point)
                with _quiet():
                    change = values - f
                largest = float(np.abs(change).max(initial=0.0))
                if not again or not 0.0 < largest < _SMALL * size < np.inf:
                    break
                self._distance[k] *= size / largest
            with _quiet():
                out[:, k] = change / self._distance[k]
        return out


class RowProjection(_Projected):
    """A problem in blocks of rows without its linear parameters, as one in memory.

    A pass folds the blocks to the triangle [R | q] of all columns and the residual.  In the basis
    of a QR factorisation of [Phi | f | J_z] the reduced residual is (|f|, 0, ..., 0), and its
    Jacobian has a row for f, and one for each parameter.  So the residual of a point needs its
    norm alone.
    """

    def __init__(
        self, problem: Any, parts: Parts, x: Array, strategy: Any, bounds: Array | None
    ) -> None:
        super().__init__(parts, x)
        self._passes = Passes(problem, strategy)
        self._norm = 0.0
        self._errors = np.zeros(x.size)
        if bounds is not None:
            # Parameters that are fixed have equal bounds here.
            bounds = np.where(np.isnan(bounds), x, bounds)
        self._bounds = bounds

    def residual(self, z: Array) -> Array:
        """Return (|f|, 0, ..., 0), n - k + 1 numbers."""
        self._z = None
        x = self._point
        x[self._other], x[self._linear] = z, 0.0
        triangle = self._folded(x)
        factored = _Factored(triangle[:, self._linear])
        x[self._linear] = factored.coefficients(triangle[:, -1])
        if not np.isfinite(x).all():
            raise EvaluationError("the linear parameters overflow")
        self._counts[0] += 1
        self._norm = _good(self._passes.residual(x.copy())).norm
        self._keep(z)
        return np.concatenate([[self._norm], np.zeros(z.size)])

    def jacobian(self, z: Array) -> Array:
        """Return Kaufman's Jacobian in the basis of `residual`, (n - k + 1, n - k)."""
        self._go_to(z)
        triangle = self._folded(self._point)
        factored = _Factored(triangle[:, self._linear])
        error, linear_error = self._errors[self._other], self._errors[self._linear].max()
        columns = factored.derivatives(triangle[:, self._other], error, linear_error)
        f = factored.project(triangle[:, -1])
        if self._norm == 0.0:
            return np.concatenate([np.zeros((1, z.size)), np.linalg.qr(columns, mode="r")])
        unit = f / self._norm
        # f has a part beyond the triangle, which is orthogonal to all columns.
        along = unit @ columns
        rest = max(1.0 - float(unit @ unit), 0.0)
        across = np.concatenate([columns - np.outer(unit, along), -np.sqrt(rest) * along[None]])
        return np.concatenate([along[None], np.linalg.qr(across, mode="r")])

    def _folded(self, x: Array) -> Array:
        """Return [R | q], (n, n + 1)."""
        n = x.size
        self._counts[1] += 1
        zeros = np.zeros(n)
        found = _good(
            self._passes.linearize(
                x.copy(), True, 0, self._norm, self._norm, 0, 0.0, zeros, zeros, zeros, self._bounds
            )
        )
        self._counts[0] += found.evaluations
        assert found.triangle is not None
        self._errors = _relative_errors(found, x)
        if not np.isfinite(found.triangle).all():
            raise EvaluationError("the Jacobian is not finite")
        return found.triangle


def _good(found: PartialQR) -> PartialQR:
    """Return the result of a pass; EvaluationError at a bad point."""
    if found.refusal is not None:
        raise EvaluationError(*found.refusal.args)
    return found


def _relative_errors(found: PartialQR, x: Array) -> Array:
    """Return those of the columns of a triangle, which can be differences, (n,)."""
    assert found.triangle is not None
    least = max(found.precision, found.relative_error, _EPS * np.sqrt(found.rows))
    if found.error is None or found.interval is None:
        return np.full(x.size, least)
    with _quiet():
        norms = _norms(found.triangle[:, :-1])
        size = max(found.norm, float((norms * np.abs(x)).max()))
        noise = max(found.precision * size, found.noise)
        errors = found.error + np.where(found.interval > 0, 2.0 * noise / found.interval, 0.0)
        return np.asarray(np.where(norms > 0, np.fmax(least, errors / norms), least))
