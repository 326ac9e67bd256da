"""Problems without the parameters that their residual is linear in: variable projection in Python.

The residual is that of the full problem with the best values of the linear parameters, the Jacobian
is Kaufman's.  lmoo/_core/batch/separable.pxi has the equations, and does it for compiled problems.

Golub, Pereyra (1973), SIAM J. Numer. Anal. 10, 413; Kaufman (1975), BIT 15, 49.
"""

from typing import Any

import numpy as np

from lmoo._core.arrays import Array
from lmoo._core.batch import SeparableProblem
from lmoo._core.masks import refuse_masked
from lmoo._core.solve import is_single
from lmoo.errors import EvaluationError
from lmoo.jacobians.strategies import is_transposed
from lmoo.problems.kinds import has_jacobian, hide_jacobian
from lmoo.problems.paired import counter_of, paired
from lmoo.problems.problem import Problem, residual_call, residual_name
from lmoo.problems.separation import Parts
from lmoo.solver.projector import Factored, quiet
from lmoo.sparse.matrices import is_sparse

_EPS, _SINGLE = 2.0**-52, 2.0**-23
# Points that a reduced problem remembers.
_KEPT = 16
# Columns from differences are evaluated again, at a larger distance, where they are smaller than
# this share of the residual, and lose digits by it.
_SMALL = 0.1


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


class Projected(Problem):
    """A reduced problem that remembers all parameters of the points where it was evaluated."""

    def __init__(self, parts: Parts, x: Array) -> None:
        self._linear, self._other = list(parts.linear), list(parts.other)
        self._point = x.copy()
        self._z: Array | None = None
        self._known: dict[bytes, Array] = {}
        self._counts = [0, 0]

    @property
    def problem(self) -> "Projected":
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


class Projection(Projected):
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
            hide_jacobian(self)

    def residual(self, z: Array) -> Array:
        """Return the residual of the full problem at z and the best linear parameters."""
        self._z = None
        x = self._point
        x[self._other], x[self._linear] = z, 0.0
        f = self._values(x)
        columns = self._jacobian(x)[:, self._linear] if self._has_own else self._columns(x, f)
        if not (np.isfinite(f).all() and np.isfinite(columns).all()):
            raise EvaluationError("the residual is not finite")
        self._factored = Factored(columns)
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
                with quiet():
                    change = values - f
                largest = float(np.abs(change).max(initial=0.0))
                if not again or not 0.0 < largest < _SMALL * size < np.inf:
                    break
                self._distance[k] *= size / largest
            with quiet():
                out[:, k] = change / self._distance[k]
        return out
