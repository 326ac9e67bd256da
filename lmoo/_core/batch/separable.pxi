"""Variable projection: problems whose residual is linear in some of the parameters, without these.

    r(z, c) = r0(z) + Phi(z) c             z the other parameters, c the linear ones
    c(z)    = argmin |r(z, c)|
    r(z)    = P r0,   P = I - Phi Phi^+    the reduced residual, that of the full problem at (z, c(z))
    J(z)    = P dr/dz at (z, c(z))         Kaufman's approximation of its Jacobian

Golub, Pereyra (1973), "The differentiation of pseudo-inverses and nonlinear least squares problems whose variables
separate", SIAM J. Numer. Anal. 10; Kaufman (1975), "A variable projection method for solving separable nonlinear least
squares problems", BIT 15: what is left out of J is orthogonal to r, so that the gradient is exact.

The reduced problem is a table of functions like any other, which every driver takes.  Phi are columns of the full
problem's Jacobian, factored with column pivoting; columns beyond its numerical rank are left out, with c = 0.  A z whose
column is in the span of Phi is undetermined: what its projection leaves is rounding, and set to zero.
"""

from libc.math cimport fabs, isfinite, sqrt
from libc.string cimport memcpy, memset

import numpy as np

cimport numpy as cnp

from lmoo._core.abi1 cimport CompiledProblem
from lmoo._core.evaluate cimport lm_driver
from lmoo._core.linalg cimport qrfac_in_lanes
from lmoo._core.model cimport *
from lmoo._core.norms cimport dot_in_lanes, enorm
from lmoo._core.solve cimport Derivatives

cnp.import_array()

# Columns of Phi, of norm 1, that the others leave less of than this are theirs: the rounding errors of models.
cdef double DEPENDENT = 1e-13
# The error of a column, in units of that of f: as for the columns of any Jacobian (evaluate/linearize.pxi).
cdef double ROUNDING = 10.0
cdef double EPSMCH = 2.0**-52


cdef int separable_both(const lm_separable *s, ptrdiff_t m, ptrdiff_t n) noexcept nogil:
    """Residual and Jacobian of the full problem at s.x, to s.f and s.jac."""
    cdef const lmoo_problem *p = s.full
    cdef int code
    if p.both != NULL:
        code = p.both(m, n, s.x, s.f, s.jac, p.user_data)
        if code != LMOO_NOT_PROVIDED:
            return code
    code = p.residual(m, n, s.x, s.f, p.user_data)
    return code if code != 0 else separable_derivatives(s, p, m, n)


cdef int separable_derivatives(const lm_separable *s, const lmoo_problem *p, ptrdiff_t m, ptrdiff_t n) noexcept nogil:
    """The Jacobian of one of the problems of all parameters at s.x, to s.jac."""
    cdef int code = LMOO_NOT_PROVIDED
    if p.jacobian != NULL:
        code = p.jacobian(m, n, s.x, s.jac, p.user_data)
    if code == LMOO_NOT_PROVIDED and p.both != NULL:
        code = p.both(m, n, s.x, s.f, s.jac, p.user_data)
    return code


cdef int separable_factor(lm_separable *s, ptrdiff_t m) noexcept nogil:
    """Factor Phi, whose columns are in s.jac, and turn s.f into Q^T f; 1 where they are not finite."""
    cdef ptrdiff_t i, j, k = s.k
    cdef const double *column
    cdef double *scaled
    cdef double norm
    for j in range(k):
        column, scaled = s.jac + s.linear[j] * m, s.phi + j * m
        norm = enorm(m, column)
        if not isfinite(norm):
            return 1
        s.norms[j] = norm if norm > 0.0 else 1.0
        for i in range(m):
            scaled[i] = column[i] / s.norms[j]
        s.unit[j] = enorm(m, scaled)
    qrfac_in_lanes(m, k, s.phi, m, s.ipvt, s.rdiag, s.unit, s.work, s.f, s.qtf)
    s.rank = 0
    while s.rank < k and fabs(s.rdiag[s.rank]) > DEPENDENT:
        s.rank += 1
    return 0


cdef bint separable_solve(lm_separable *s, ptrdiff_t m) noexcept nogil:
    """c = argmin |f + Phi c|, to s.x; 0 of the columns that are left out.  Whether it overflows."""
    cdef ptrdiff_t i, j
    cdef double *c = s.work
    cdef bint overflows = False
    for j in range(s.k):
        s.x[s.linear[j]] = 0.0
    for j in range(s.rank - 1, -1, -1):
        c[j] = -s.qtf[j]
        for i in range(j + 1, s.rank):
            c[j] -= s.phi[j + i * m] * c[i]
        c[j] /= s.rdiag[j]
        s.x[s.linear[s.ipvt[j]]] = c[j] / s.norms[s.ipvt[j]]
        overflows |= not isfinite(s.x[s.linear[s.ipvt[j]]])
    return overflows


cdef void separable_reflect(const lm_separable *s, ptrdiff_t m, ptrdiff_t j, double *v) noexcept nogil:
    """v -= u (u^T v) / u_0 for Householder vector j."""
    cdef const double *u = s.phi + j * m
    cdef double share
    cdef ptrdiff_t i
    if s.rdiag[j] == 0.0:
        return
    share = dot_in_lanes(m - j, u + j, v + j) / u[j]
    for i in range(j, m):
        v[i] -= share * u[i]


cdef void separable_turn_back(const lm_separable *s, ptrdiff_t m, double *v) noexcept nogil:
    """v = P v, where v is Q^T v."""
    cdef ptrdiff_t j
    memset(v, 0, <size_t>s.rank * sizeof(double))
    for j in range(s.k - 1, -1, -1):
        separable_reflect(s, m, j, v)


cdef void separable_project(const lm_separable *s, ptrdiff_t m, double *v) noexcept nogil:
    """v = P v for a column of the Jacobian; zeros where what is left of it is the rounding error of its projection.

    v is Phi b and what is orthogonal to Phi.  The errors of v and Phi remain, in proportion to |v| and |Phi_j b_j|.
    """
    cdef double *b = s.work
    cdef double left, size
    cdef ptrdiff_t i, j
    for j in range(s.k):
        separable_reflect(s, m, j, v)
    left = enorm(m - s.rank, v + s.rank)
    size = enorm(s.rank, v) + left
    for j in range(s.rank - 1, -1, -1):
        b[j] = v[j]
        for i in range(j + 1, s.rank):
            b[j] -= s.phi[j + i * m] * b[i]
        b[j] /= s.rdiag[j]
        size += fabs(b[j])
    if isfinite(size) and left <= ROUNDING * max(s.full.precision, EPSMCH * sqrt(<double>m)) * size:
        memset(v, 0, <size_t>m * sizeof(double))
    else:
        separable_turn_back(s, m, v)


cdef int separable_residual(ptrdiff_t m, ptrdiff_t n, const double *z, double *f,
                            void *user_data) noexcept nogil:
    """lmoo_problem.residual of the reduced problem; user_data: an lm_separable."""
    cdef lm_separable *s = <lm_separable *>user_data
    cdef ptrdiff_t j
    cdef int code
    s.there = 0
    for j in range(n):
        s.x[s.other[j]] = z[j]
    for j in range(s.k):
        s.x[s.linear[j]] = 0.0
    s.residuals += 1
    s.jacobians += 1
    code = separable_both(s, m, n + s.k)
    if code != 0:
        return code
    if separable_factor(s, m) or separable_solve(s, m):
        return LMOO_BAD_POINT
    separable_turn_back(s, m, s.f)
    memcpy(f, s.f, <size_t>m * sizeof(double))
    s.there = 1
    return 0


cdef int separable_jacobian(ptrdiff_t m, ptrdiff_t n, const double *z, double *fjac,
                            void *user_data) noexcept nogil:
    """lmoo_problem.jacobian of the reduced problem; user_data: an lm_separable."""
    cdef lm_separable *s = <lm_separable *>user_data
    cdef ptrdiff_t j
    cdef int code
    if not separable_is_there(s, n, z):
        code = separable_residual(m, n, z, fjac, user_data)
        if code != 0:
            return code
    s.jacobians += 1
    code = separable_derivatives(s, s.rest, m, n + s.k)
    if code != 0:
        return code
    for j in range(n):
        memcpy(fjac + j * m, s.jac + s.other[j] * m, <size_t>m * sizeof(double))
        separable_project(s, m, fjac + j * m)
    return 0


cdef bint separable_is_there(const lm_separable *s, ptrdiff_t n, const double *z) noexcept nogil:
    """Whether the factors are those of z."""
    cdef ptrdiff_t j
    if not s.there:
        return False
    for j in range(n):
        if s.x[s.other[j]] != z[j]:
            return False
    return True


cdef class Separation:
    """The parameters that are eliminated, and memory for some problems that are reduced at the same time.

    Parameters
    ----------
    m : int
        Residuals of each problem.
    linear, other : sequences of int
        The positions of the parameters that are eliminated, one at least, and of the others, one at least.
    slots : int
        Problems, 1 to 64.
    """

    def __cinit__(self, ptrdiff_t m, linear, other, ptrdiff_t slots):
        cdef ptrdiff_t i, n = len(linear) + len(other), k = len(linear)
        cdef ptrdiff_t size = n + m * n + m * k + m + 5 * k
        cdef double[:, ::1] memory
        cdef int[::1] order
        cdef int[:, ::1] pivots
        cdef lm_separable *s
        if not (1 <= slots <= MOST_SLOTS and 1 <= k < n <= m):
            raise ValueError(
                f"a separation needs 1 to {MOST_SLOTS} problems of some linear parameters and some others, no more "
                f"than residuals; it has {slots} of {k} and {n - k} for {m} residuals")
        if sorted([*linear, *other]) != list(range(n)):
            raise ValueError(
                f"linear and other must be the positions of all parameters; they are {linear!r} and {other!r}")
        self.m, self.n, self.k, self.slots = m, n, k, slots
        memory = np.zeros((slots, size))
        order = np.array([*linear, *other], dtype=np.int32)
        pivots = np.zeros((slots, k), dtype=np.int32)
        self.memory, self.order = (memory, pivots), order
        memset(&self.parts[0], 0, sizeof(self.parts))
        for i in range(slots):
            s = &self.parts[i]
            s.k, s.linear, s.other = k, &order[0], &order[k]
            s.x = &memory[i, 0]
            s.jac = s.x + n
            s.phi = s.jac + m * n
            s.f = s.phi + m * k
            s.rdiag = s.f + m
            s.norms, s.unit = s.rdiag + k, s.rdiag + 2 * k
            s.work, s.qtf = s.rdiag + 3 * k, s.rdiag + 4 * k
            s.ipvt = &pivots[i, 0]

    cdef void bind(self, ptrdiff_t slot, lmoo_problem *problem, const lmoo_problem *rest) noexcept nogil:
        """Turn a problem of all parameters into the reduced one, in the memory of a slot.

        rest    the same problem, whose derivatives by the parameters that are left are right; problem: those by the
                linear ones
        """
        cdef lm_separable *s = &self.parts[slot]
        self.full[slot], self.rest[slot] = problem[0], rest[0]
        s.full, s.rest, s.there = &self.full[slot], &self.rest[slot], 0
        problem.n = self.n - self.k
        problem.residual, problem.jacobian, problem.both = separable_residual, separable_jacobian, NULL
        problem.rows, problem.second = NULL, NULL
        problem.user_data = s


cdef class SeparableProblem(CompiledProblem):
    """A compiled problem without the parameters that its residual is linear in, for one solve.

    Parameters
    ----------
    problem : CompiledProblem
        With derivatives.
    linear, other : sequences of int
        As for `Separation`.
    """

    def __init__(self, CompiledProblem problem not None, linear, other):
        super().__init__(problem.m, len(other))
        cdef const lmoo_problem *p = <const lmoo_problem *>problem.table
        if p.jacobian == NULL and p.both == NULL:
            raise ValueError("problem must have derivatives")
        if problem.n != len(linear) + len(other):
            raise ValueError(f"linear and other must be the {problem.n} parameters of problem")
        self.problem = problem
        self.separation = Separation(problem.m, linear, other, 1)
        self.table.precision = p.precision
        self.separation.full[0] = p[0]
        self.separation.parts[0].full = self.separation.parts[0].rest = &self.separation.full[0]
        self.table.residual, self.table.jacobian = separable_residual, separable_jacobian
        self.table.user_data = &self.separation.parts[0]

    @property
    def counts(self):
        """Residuals and Jacobians of the full problem that were evaluated."""
        return self.separation.parts[0].residuals, self.separation.parts[0].jacobians

    def full(self, const double[::1] z not None, bint evaluate=True):
        """Return all parameters at z, (n,), with the best values of the linear ones; None at a bad point, or where
        that takes an evaluation which is not wanted."""
        cdef lm_separable *s = &self.separation.parts[0]
        cdef double[::1] f
        cdef int code = 0
        if z.shape[0] != self.n:
            raise ValueError(f"z must have {self.n} parameters; it has {z.shape[0]}")
        if not separable_is_there(s, self.n, &z[0]):
            if not evaluate:
                return None
            f = np.empty(self.m)
            with nogil:
                code = separable_residual(self.m, self.n, &z[0], &f[0], s)
        return None if code != 0 else np.array(<double[:self.n + s.k]>s.x)


cdef int separable_evaluate(lmoo_point *at, void *context) noexcept nogil:
    """lmoo_jacobian.evaluate: the reduced problem's own, and what rounding makes of its residual.

    That is the difference of numbers of the size of Phi_j c_j, of which the columns of J know nothing.
    """
    cdef const lm_separable *s = <const lm_separable *>context
    cdef lm_driver *d = <lm_driver *>at.driver
    cdef double largest = 0.0
    cdef ptrdiff_t j
    cdef int code = at.jacobian(at)
    if code != 0:
        return code
    for j in range(s.k):
        largest = max(largest, s.norms[j] * fabs(s.x[s.linear[j]]))
    d.s.least_noise = EPSMCH * largest
    return 0


cdef class SeparableDerivatives(Derivatives):
    """The Jacobian of a SeparableProblem."""

    cdef SeparableProblem problem

    def __cinit__(self, SeparableProblem problem not None):
        self.problem = problem
        self.table.size = sizeof(lmoo_jacobian)
        self.table.context = &problem.separation.parts[0]
        self.table.evaluate = separable_evaluate
