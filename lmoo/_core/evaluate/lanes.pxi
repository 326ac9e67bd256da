"""The linear models and the limited steps of several fits of one shape at once.

The Jacobian of each fit is copied into one lane of the vectors that lanes_body.inc factors, and its triangle into one of
those of damping_body.inc.  The result has the bits of that of this fit alone, for any contents of the other lanes.
"""

from libc.stdint cimport uintptr_t

from lmoo._core.linalg cimport dense_all, dense_share_all, lm_dense, lm_triangle
from lmoo._core.iteration cimport APART, default_limited, lm_linearized, lm_refuse, lm_sound, lm_stepped, step_within
from lmoo._core.model cimport *
from lmoo._core.norms cimport IN_ORDER, column_norms, copy
from lmoo._core.linalg cimport dense_units, units_of

cdef extern from "evaluate/lanes.h" nogil:
    const bint LMOO_HAVE_LANES
    ptrdiff_t lmoo_lanes_here()
    void lmoo_load_lanes(ptrdiff_t m, const double **source, double *to)
    unsigned int lmoo_qrfac_lanes(ptrdiff_t m, ptrdiff_t n, const double *factors, double *a,
                                  double *ipvt, double *rdiag, double *acnorm, double *wa)
    unsigned int lmoo_lmpar_lanes(ptrdiff_t n, const double *r, const double *ipvt, const double *diag,
                                  const double *qtb, const double *delta, double *par, double *x, double *work)

cdef double SMALL_UNIT = 1e-120

cdef enum:
    # For fewer fits, factorisations one by one are as fast.
    WORTH = 2


cdef size_t lanes_doubles(ptrdiff_t m, ptrdiff_t n) noexcept nogil:
    """Return the doubles of memory that the lanes use."""
    return <size_t>(FITS * max((n + 1) * m + 5 * n, 2 * n * n + 10 * n + 2)) + 8


cdef inline double *_aligned(double *memory) noexcept nogil:
    """Return the first address from `memory` on at which no vector is in two lines of the cache."""
    return <double *>((<uintptr_t>memory + 63) & ~<uintptr_t>63)


cdef void lanes_answer(lm_lanes *w) noexcept nogil:
    """Call linearize_answer(d, 0) for the 1 to FITS waiting fits, with the same bits; then none is waiting."""
    cdef int first = 0, count = w.count, lanes = <int>lmoo_lanes_here()
    # Longer sums use lanes within one fit.
    if LMOO_HAVE_LANES and w.m <= IN_ORDER:
        while first + WORTH <= count:
            _answer(w, &w.drivers[first], min(lanes, count - first), lanes)
            first += lanes
    while first < count:
        linearize_answer(w.drivers[first], 0)
        first += 1
    w.count = 0


cdef void _answer(const lm_lanes *w, lm_driver **drivers, int count, int lanes) noexcept nogil:
    """Call linearize_answer(d, 0) for the fits of one vector."""
    cdef ptrdiff_t m = w.m, n = w.n
    cdef double *a = _aligned(w.memory)
    cdef double *ipvt = a + lanes * (n + 1) * m
    cdef double *rdiag = ipvt + lanes * n
    cdef double *acnorm = rdiag + lanes * n
    cdef double *newton = acnorm + lanes * n
    cdef double *factors = newton + lanes * n
    cdef const double *jacobians[FITS]
    cdef const double *residuals[FITS]
    cdef unsigned int odd
    cdef int l
    for l in range(lanes):
        residuals[l] = weigh_model(drivers[l if l < count else 0])
        _units(drivers[l if l < count else 0], lanes, factors + l)
        jacobians[l] = drivers[l if l < count else 0].fjac
    lmoo_load_lanes(m * n, jacobians, a)
    lmoo_load_lanes(m, residuals, a + m * n * lanes)
    odd = lmoo_qrfac_lanes(m, n, factors, a, ipvt, rdiag, acnorm, newton)
    for l in range(count):
        # The curvature needs the factors.
        if odd >> l & 1 or wants_curvature(drivers[l].s):
            linearize_answer(drivers[l], 0)
        else:
            _store(drivers[l], lanes, a + l, ipvt + l, rdiag + l, acnorm + l, newton + l, factors + l)


cdef void _units(lm_driver *d, ptrdiff_t lanes, double *factors) noexcept nogil:
    """Compute the factors that convert the columns of one fit to the units of D, n numbers at a distance of `lanes`.

    Before D is known, its numbers are the norms of the first Jacobian.
    """
    cdef double *units = dense_units(d.s)
    cdef ptrdiff_t j
    if d.s.models == 0:
        column_norms(d.m, d.n, d.fjac, d.m, d.work)
    units_of(d.s, d.work, units)
    for j in range(d.n):
        factors[j * lanes] = 1.0 / units[j]


cdef void _store(lm_driver *d, ptrdiff_t lanes, const double *a, const double *ipvt, const double *rdiag,
                 const double *acnorm, const double *newton, const double *factors) noexcept nogil:
    """Answer the request with the model in one lane, whose numbers are at a distance of `lanes`."""
    # As for lmpar: loops of a known length take a fifth fewer instructions.
    if d.n == 3:
        _store_of(3, d, lanes, a, ipvt, rdiag, acnorm, newton, factors)
    elif d.n == 2:
        _store_of(2, d, lanes, a, ipvt, rdiag, acnorm, newton, factors)
    elif d.n == 4:
        _store_of(4, d, lanes, a, ipvt, rdiag, acnorm, newton, factors)
    elif d.n == 5:
        _store_of(5, d, lanes, a, ipvt, rdiag, acnorm, newton, factors)
    else:
        _store_of(d.n, d, lanes, a, ipvt, rdiag, acnorm, newton, factors)


cdef inline void _store_of(ptrdiff_t n, lm_driver *d, ptrdiff_t lanes, const double *a, const double *ipvt,
                           const double *rdiag, const double *acnorm, const double *newton,
                           const double *factors) noexcept nogil:
    cdef ptrdiff_t i, j, k, m = d.m
    cdef lm_triangle *model = dense_all(d.s)
    cdef double *norms = d.work + n
    cdef const double *units = dense_units(d.s)
    cdef double unit
    for j in range(n):
        norms[j] = acnorm[j * lanes] * units[j]
    if not lm_sound(d.s, norms):
        lm_refuse(d.s)
        return
    copy(n, d.s.column_error, d.work + 2 * n)
    if linearize_errors(d, norms):
        # A column must be set to zero in this fit only; its Jacobian is still available.
        copy(n, d.work + 2 * n, d.s.column_error)
        linearize_answer(d, 0)
        return
    remember_rows(d, norms)
    copy(n, norms, d.s.acnorm)
    overlaps_of(d.s, m, d.fjac, 1, m, NULL, d.f if d.loss == NULL else d.loss.model, norms)
    for j in range(n):
        k = <ptrdiff_t>ipvt[j * lanes]
        unit = units[k]
        for i in range(j):
            model.r[i + j * n] = a[(i + j * m) * lanes] * unit
        model.r[j + j * n] = rdiag[j * lanes] * unit
        model.ipvt[j] = <int>k
        model.qtf[j] = a[(j + n * m) * lanes]
    if d.s.options.step == &APART:
        d.s.memory[0] = <double>(d.s.models + 1)
        for j in range(n):
            k = model.ipvt[j]
            d.s.acceleration[k] = newton[j * lanes] * factors[k * lanes]
            if not SMALL_UNIT < units[k] < 1.0 / SMALL_UNIT:
                # R may have underflowed, and its step is rounded differently.
                d.s.memory[0] = 0.0
    if has_doubtful_rows(d.s):
        # The factors are needed.
        copy(n, d.work + 2 * n, d.s.column_error)
        linearize_answer(d, 0)
        return
    dense_share_all(d.s)
    lm_linearized(d.s)


cdef void lanes_step(lm_lanes *w) noexcept nogil:
    """Answer LM_STEP of the 1 to FITS waiting fits with steps within their radii, as step_within computes them."""
    cdef int first = 0, count = w.count, lanes = <int>lmoo_lanes_here()
    while first < count:
        _step(w, &w.drivers[first], min(lanes, count - first), lanes)
        first += lanes
    w.count = 0


cdef void _step(const lm_lanes *w, lm_driver **drivers, int count, int lanes) noexcept nogil:
    """Answer LM_STEP for the fits of one vector."""
    cdef ptrdiff_t i, j, k, n = w.n
    cdef double *r = _aligned(w.memory)
    cdef double *ipvt = r + lanes * n * n
    cdef double *diag = ipvt + lanes * n
    cdef double *qtb = diag + lanes * n
    cdef double *x = qtb + lanes * n
    cdef double *delta = x + lanes * n
    cdef double *par = delta + lanes
    cdef const lm_triangle *t
    cdef lm_state *s
    cdef unsigned int odd = (1u << FITS) - 1u
    cdef int l
    if LMOO_HAVE_LANES and count >= WORTH:
        for l in range(lanes):
            s = drivers[l if l < count else 0].s
            t = &(<const lm_dense *>s.model).free
            delta[l], par[l] = s.delta, s.par
            for j in range(n):
                k = t.ipvt[j]
                ipvt[j * lanes + l], diag[j * lanes + l], qtb[j * lanes + l] = k, s.diag[k], t.qtf[j]
                for i in range(j + 1):
                    r[(i + j * n) * lanes + l] = t.r[i + j * n]
        odd = lmoo_lmpar_lanes(n, r, ipvt, diag, qtb, delta, par, x, par + lanes)
    for l in range(count):
        s = drivers[l].s
        if odd >> l & 1:
            s.par = step_within(s, s.delta, s.par, s.step)
        else:
            s.par = par[l]
            for j in range(n):
                s.step[<ptrdiff_t>ipvt[j * lanes + l]] = -x[j * lanes + l]
        default_limited(s)
        lm_stepped(s)
