"""The memory of a state: one block with the struct and its arrays, and its initialisation."""

from libc.string cimport memcpy, memset

from lmoo._core.linalg cimport DENSE, dense_attach, dense_doubles
from lmoo._core.model cimport *
from lmoo._core.norms cimport copy


cdef size_t lm_state_bytes(ptrdiff_t n, bint bounded, bint dense) noexcept nogil:
    """Return the bytes of a state for n parameters with all its arrays, a whole number of doubles.

    bounded   whether there are bounds
    dense     whether the dense linear model is stored after the state
    """
    return sizeof(lm_state) + (<size_t>(19 * n) + bounds_doubles(n)) * sizeof(double) \
        + (dense_doubles(n, bounded) * sizeof(double) if dense else 0)


cdef size_t lm_bytes(const lm_state *s) noexcept nogil:
    """Return the bytes of this state."""
    return lm_state_bytes(s.n, s.bounded, s.linear == &DENSE)


cdef void lm_attach(lm_state *s, ptrdiff_t n) noexcept nogil:
    """Set the pointers of the state to its arrays, which follow it in the same block of memory, owned by the caller.

    A linear model other than the dense one has its own memory.
    """
    cdef double *next = <double *>(s + 1)
    s.n = n
    s.x = next
    s.trial = next + n
    s.base = next + 2 * n
    s.diag = next + 3 * n
    s.step = next + 4 * n
    s.velocity = next + 5 * n
    s.acceleration = next + 6 * n
    s.curvature = next + 7 * n
    s.wa1 = next + 8 * n
    s.wa2 = next + 9 * n
    s.acnorm = s.free_norms = next + 10 * n
    s.column_error = next + 11 * n
    s.length = next + 12 * n
    s.last_step = next + 13 * n
    s.interval = next + 14 * n
    if s.bounded:
        s.free_norms = next + 15 * n
    s.gradient = next + 16 * n
    s.newton_step = next + 17 * n
    s.overlap = next + 18 * n
    bounds_attach(s, next + 19 * n)
    if s.linear == NULL:
        s.linear = &DENSE
    if s.linear == &DENSE:
        dense_attach(s, next + 19 * n + bounds_doubles(n))


cdef void lm_start(lm_state *s, ptrdiff_t n, const lm_options *options, const double *x0,
                   const double *diag) noexcept nogil:
    """Initialise the state for a solve from x0.

    s        a block of lm_state_bytes, owned by the caller; all of it is written
    options  copied, with its bounds; its step strategy and its linear model must exist until the end of the solve
    x0       n doubles, finite, within the bounds, copied
    diag     n positive doubles, copied; NULL for a scaling by the norms of the columns of J
    """
    cdef ptrdiff_t j
    memset(s, 0, sizeof(lm_state))
    s.version = LM_STATE_VERSION
    memcpy(&s.options, options, min(options.size, sizeof(lm_options)))
    s.bounded = s.options.lower != NULL or s.options.upper != NULL
    s.linear, s.model = s.options.linear, s.options.model
    memset(s + 1, 0, lm_state_bytes(n, s.bounded, s.linear == NULL) - sizeof(lm_state))
    lm_attach(s, n)
    s.options.size = sizeof(lm_options)
    s.options.user_scale = diag != NULL
    if s.options.step == NULL:
        s.options.step = &MORE if s.options.tests == LM_TESTS_MINPACK else &DEFAULT
    for j in range(n):
        s.overlap[j] = 1.0
    copy(n, x0, s.trial)
    copy(n, x0, s.x)
    copy(n, x0, s.base)
    if diag != NULL:
        copy(n, diag, s.diag)
    if s.bounded:
        bounds_start(s, s.options.lower, s.options.upper)
        s.options.lower = s.options.upper = NULL
    s.request = LM_RESIDUAL
