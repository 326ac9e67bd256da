"""A whole solve of a compiled problem, for callers in C: no Python object, no allocation."""

from libc.stdint cimport PTRDIFF_MAX
from libc.string cimport memcpy, memset

from lmoo._core.iteration cimport *
from lmoo._core.model cimport *

ctypedef struct lm_solve:
    # The beginning of a caller's work space; the state and the driver's arrays follow.
    lm_driver driver
    lmoo_problem problem        # copies: the caller's may have an older, smaller layout
    lmoo_jacobian jacobian


cdef void default_options(lm_options *options, ptrdiff_t n) noexcept nogil:
    """Write the options of lmoo.Solver().  options: its size is set, and no more than that is written."""
    cdef lm_options defaults
    cdef size_t size = options.size
    memset(&defaults, 0, sizeof(lm_options))
    defaults.ftol, defaults.xtol, defaults.gtol, defaults.factor = 1e-20, 1e-10, 0.0, 0.3
    defaults.epsfcn = 2.0**-52
    defaults.maxfev = 1000 * (n + 1)
    defaults.tests = LM_TESTS_ACCURATE
    defaults.size = size
    memcpy(options, &defaults, min(size, sizeof(lm_options)))


cdef size_t work_bytes(ptrdiff_t m, ptrdiff_t n) noexcept nogil:
    """Return the bytes of work space that solve_compiled needs."""
    return sizeof(lm_solve) + lm_state_bytes(n, True, True) \
        + (vectors_doubles(m, n, False) + <size_t>(m * n)) * sizeof(double)


cdef int solve_compiled(const lmoo_problem *problem, const lmoo_jacobian *jacobian,
               const lm_options *options, double *x, const double *diag, void *work,
               lmoo_outcome *outcome) noexcept nogil:
    """Minimise |f(x)| from x, and leave the solution there.

    problem, jacobian, options, diag   read only; all but problem may be NULL
    x         n doubles: the start, finite, then the solution
    work      work_bytes(m, n), owned by the caller
    outcome   its size is set; on return it points into work

    Return the status; or a code < 0 with which the user's function ended the solve.  A status LM_... < 0 is in
    outcome.status only.
    """
    cdef lm_solve *w = <lm_solve *>work
    cdef lm_driver *d = &w.driver
    cdef lm_options defaults
    cdef lmoo_outcome result
    cdef ptrdiff_t m = problem.m, n = problem.n
    cdef double *memory
    cdef int code = 0
    memset(w, 0, sizeof(lm_solve))
    memset(&result, 0, sizeof(lmoo_outcome))
    if n < 1 or m < n or not _feasible(options, n, x):
        _report(&result, outcome)
        return 0
    memcpy(&w.problem, problem, min(problem.size, sizeof(lmoo_problem)))
    defaults.size = sizeof(lm_options)
    if options == NULL:
        default_options(&defaults, n)
        options = &defaults
    if jacobian == NULL:
        jacobian = &MINPACK_DIFFERENCES if options.tests == LM_TESTS_MINPACK else &FORWARD_DIFFERENCES
    memcpy(&w.jacobian, jacobian, min(jacobian.size, sizeof(lmoo_jacobian)))
    d.s = <lm_state *>(w + 1)
    lm_start(d.s, n, options, x, diag)
    d.s.options.refine = w.jacobian.refines
    d.n = n
    d.problem, d.strategy = &w.problem, &w.jacobian
    d.countdown = PTRDIFF_MAX
    memory = <double *>(<char *>d.s + lm_state_bytes(n, True, True))
    vectors_place(d, m, memory, memory + vectors_doubles(m, n, False))
    d.evaluator = &WITHOUT_REQUESTS
    code = driver_run(d, False)
    memcpy(x, d.s.x, <size_t>n * sizeof(double))
    result.status, result.code, result.fnorm = d.s.status, d.code, d.s.fnorm
    result.nfev, result.njev, result.nit = d.s.nfev, d.njev, d.s.nit
    result.fvec, result.state = d.f, d.s
    _report(&result, outcome)
    return d.code if code < 0 else d.s.status


cdef bint _feasible(const lm_options *options, ptrdiff_t n, const double *x) noexcept nogil:
    """Return whether x is within the bounds, if there are any; options of an older version have no bounds."""
    cdef lm_options known
    cdef ptrdiff_t j
    memset(&known, 0, sizeof(lm_options))
    if options != NULL:
        memcpy(&known, options, min(options.size, sizeof(lm_options)))
    for j in range(n):
        # A NaN is not a bound: the parameter is fixed.
        if known.lower != NULL and x[j] < known.lower[j] \
                or known.upper != NULL and x[j] > known.upper[j]:
            return False
    return True


cdef void _report(lmoo_outcome *result, lmoo_outcome *outcome) noexcept nogil:
    result.size = outcome.size
    memcpy(outcome, result, min(outcome.size, sizeof(lmoo_outcome)))


# Step strategies that send requests cannot be used here.
cdef lm_evaluator WITHOUT_REQUESTS = VECTORS
WITHOUT_REQUESTS.step = refuse_request


# ---- the strategies -------------------------------------------------------------------------

cdef lm_differences JACOBIAN_OR_FORWARD, JACOBIAN_OR_CENTRAL, JACOBIAN_OR_MINPACK
memset(&JACOBIAN_OR_FORWARD, 0, sizeof(lm_differences))
JACOBIAN_OR_FORWARD.use_jacobian = 1
JACOBIAN_OR_CENTRAL = JACOBIAN_OR_MINPACK = JACOBIAN_OR_FORWARD
JACOBIAN_OR_FORWARD.refines = 1
JACOBIAN_OR_CENTRAL.central = 1
JACOBIAN_OR_MINPACK.minpack_compatible = 1

memset(&ANALYTIC, 0, sizeof(lmoo_jacobian))
ANALYTIC.size = sizeof(lmoo_jacobian)
FORWARD_DIFFERENCES = CENTRAL_DIFFERENCES = MINPACK_DIFFERENCES = ANALYTIC
ANALYTIC.evaluate = analytic
FORWARD_DIFFERENCES.evaluate = CENTRAL_DIFFERENCES.evaluate = MINPACK_DIFFERENCES.evaluate = differences
FORWARD_DIFFERENCES.context, FORWARD_DIFFERENCES.refines = &JACOBIAN_OR_FORWARD, 1
CENTRAL_DIFFERENCES.context = &JACOBIAN_OR_CENTRAL
MINPACK_DIFFERENCES.context = &JACOBIAN_OR_MINPACK
