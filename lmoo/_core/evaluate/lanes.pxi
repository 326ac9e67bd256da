"""The linear models and the limited steps of several fits of one shape at once.

The Jacobian of each fit is copied into one lane of the vectors that lanes_body.inc factors, and its triangle into one of
those of damping_body.inc.  The result has the bits of that of this fit alone, for any contents of the other lanes.
"""

from lmoo._core.linalg cimport dense_all, dense_share_all, lm_dense, lm_triangle
from lmoo._core.iteration cimport APART, default_limited, lm_linearized, lm_refuse, lm_sound, lm_stepped, step_within
from lmoo._core.model cimport *
from lmoo._core.norms cimport IN_ORDER, column_norms, copy
from lmoo._core.linalg cimport dense_units, multiply_triangle, units_of

cdef extern from "evaluate/lanes.h" nogil:
    const bint LMOO_HAVE_LANES
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
    return <size_t>(FITS * max((n + 1) * m + 5 * n, 2 * n * n + 10 * n + 2))


cdef void lanes_answer(lm_lanes *w) noexcept nogil:
    """Call linearize_answer(d, 0) for the 1 to FITS waiting fits, with the same bits; then none is waiting."""
    cdef ptrdiff_t n = w.n
    cdef double *ipvt = w.memory + FITS * (n + 1) * w.m
    cdef double *rdiag = ipvt + FITS * n
    cdef double *acnorm = rdiag + FITS * n
    cdef double *factors = acnorm + 2 * FITS * n
    cdef const double *jacobians[FITS]
    cdef const double *residuals[FITS]
    cdef unsigned int odd = (1u << FITS) - 1u
    cdef int l
    # Longer sums use lanes within one fit.
    if LMOO_HAVE_LANES and w.count >= WORTH and w.m <= IN_ORDER:
        for l in range(FITS):
            residuals[l] = weigh_model(w.drivers[l if l < w.count else 0])
            _units(w.drivers[l if l < w.count else 0], factors + l)
            jacobians[l] = w.drivers[l if l < w.count else 0].fjac
        lmoo_load_lanes(w.m * n, jacobians, w.memory)
        lmoo_load_lanes(w.m, residuals, w.memory + w.m * n * FITS)
        odd = lmoo_qrfac_lanes(w.m, n, factors, w.memory, ipvt, rdiag, acnorm, acnorm + FITS * n)
        for l in range(w.count):
            # The curvature needs the factors.
            if wants_curvature(w.drivers[l].s):
                odd |= <unsigned int>1 << l
    for l in range(w.count):
        if odd >> l & 1:
            linearize_answer(w.drivers[l], 0)
        else:
            _store(w, l, w.drivers[l], ipvt, rdiag, acnorm, acnorm + FITS * n)
    w.count = 0


cdef void _units(lm_driver *d, double *factors) noexcept nogil:
    """Compute the factors that convert the columns of one fit to the units of D, n numbers at a distance of FITS.

    Before D is known, its numbers are the norms of the first Jacobian.
    """
    cdef double *units = dense_units(d.s)
    cdef ptrdiff_t j
    if d.s.models == 0:
        column_norms(d.m, d.n, d.fjac, d.m, d.work)
    units_of(d.s, d.work, units)
    for j in range(d.n):
        factors[j * FITS] = 1.0 / units[j]


cdef void _store(const lm_lanes *w, int l, lm_driver *d, const double *ipvt, const double *rdiag,
                 const double *acnorm, const double *newton) noexcept nogil:
    """Answer the request with the model in lane l."""
    cdef ptrdiff_t i, j, m = w.m, n = w.n
    cdef lm_triangle *model = dense_all(d.s)
    cdef const double *a = w.memory + l
    cdef double *norms = d.work + n
    cdef const double *units = dense_units(d.s)
    for j in range(n):
        norms[j] = acnorm[j * FITS + l] * units[j]
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
    overlaps_of(d.s, m, d.fjac, d.f if d.loss == NULL else d.loss.model, norms)
    for j in range(n):
        for i in range(j):
            model.r[i + j * n] = a[(i + j * m) * FITS]
        model.r[j + j * n] = rdiag[j * FITS + l]
        model.ipvt[j] = <int>ipvt[j * FITS + l]
        model.qtf[j] = a[(j + n * m) * FITS]
    if d.s.options.step == &APART:
        d.s.memory[0] = <double>(d.s.models + 1)
        for j in range(n):
            d.s.acceleration[model.ipvt[j]] = newton[j * FITS + l] / units[model.ipvt[j]]
            if not SMALL_UNIT < units[j] < 1.0 / SMALL_UNIT:
                # R may have underflowed, and its step is rounded differently.
                d.s.memory[0] = 0.0
    multiply_triangle(n, units, model.r, model.ipvt)
    if has_doubtful_rows(d.s):
        # The factors are needed.
        copy(n, d.work + 2 * n, d.s.column_error)
        linearize_answer(d, 0)
        return
    dense_share_all(d.s)
    lm_linearized(d.s)


cdef void lanes_step(lm_lanes *w) noexcept nogil:
    """Answer LM_STEP of the 1 to FITS waiting fits with steps within their radii, as step_within computes them."""
    cdef ptrdiff_t i, j, k, n = w.n
    cdef double *r = w.memory
    cdef double *ipvt = r + FITS * n * n
    cdef double *diag = ipvt + FITS * n
    cdef double *qtb = diag + FITS * n
    cdef double *x = qtb + FITS * n
    cdef double *delta = x + FITS * n
    cdef double *par = delta + FITS
    cdef const lm_triangle *t
    cdef lm_state *s
    cdef unsigned int odd = (1u << FITS) - 1u
    cdef int l
    if LMOO_HAVE_LANES and w.count >= WORTH:
        for l in range(FITS):
            s = w.drivers[l if l < w.count else 0].s
            t = &(<const lm_dense *>s.model).free
            delta[l], par[l] = s.delta, s.par
            for j in range(n):
                k = t.ipvt[j]
                ipvt[j * FITS + l], diag[j * FITS + l], qtb[j * FITS + l] = k, s.diag[k], t.qtf[j]
                for i in range(j + 1):
                    r[(i + j * n) * FITS + l] = t.r[i + j * n]
        odd = lmoo_lmpar_lanes(n, r, ipvt, diag, qtb, delta, par, x, par + FITS)
    for l in range(w.count):
        s = w.drivers[l].s
        if odd >> l & 1:
            s.par = step_within(s, s.delta, s.par, s.step)
        else:
            s.par = par[l]
            for j in range(n):
                s.step[<ptrdiff_t>ipvt[j * FITS + l]] = -x[j * FITS + l]
        default_limited(s)
        lm_stepped(s)
    w.count = 0
