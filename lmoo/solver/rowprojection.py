"""Problems in blocks of rows without the parameters that their residual is linear in.

A compiled problem whose Jacobian would not fit into memory is divided into blocks of rows too.
"""

from typing import Any

import numpy as np

from lmoo._core.arrays import Array
from lmoo._core.batch import CurveModelProblem
from lmoo.blockwise.passes import Passes
from lmoo.blockwise.reduction import PartialQR
from lmoo.errors import EvaluationError
from lmoo.problems.rows import RowBlockProblem
from lmoo.problems.separation import Parts
from lmoo.solver.projected import Projected
from lmoo.solver.projector import Factored, norms_of, quiet

_EPS = 2.0**-52
# Points times the square of the number of parameters: beyond, the Jacobian is not stored
# (_core/evaluate/stream.pxi).
_TALL = 1e6
# Numbers in a block of a Jacobian that is not stored.
_BLOCK = 1 << 17


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


class RowProjection(Projected):
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
        factored = Factored(triangle[:, self._linear])
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
        factored = Factored(triangle[:, self._linear])
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
    with quiet():
        norms = norms_of(found.triangle[:, :-1])
        size = max(found.norm, float((norms * np.abs(x)).max()))
        noise = max(found.precision * size, found.noise)
        errors = found.error + np.where(found.interval > 0, 2.0 * noise / found.interval, 0.0)
        return np.asarray(np.where(norms > 0, np.fmax(least, errors / norms), least))
