"""The linear models of several fits of one shape at once.

The Jacobian of each fit is copied into one lane of the vectors that lanes_body.inc factors.  The result has the bits of
the factorisation of this fit alone, for any contents of the other lanes.
"""

from lmoo._core.linalg cimport dense_all, dense_share_all, lm_triangle
from lmoo._core.iteration cimport lm_linearized, lm_refuse, lm_sound
from lmoo._core.model cimport *
from lmoo._core.norms cimport IN_ORDER, column_norms, copy
from lmoo._core.linalg cimport dense_units, multiply_triangle, units_of

cdef extern from "evaluate/lanes.h" nogil:
    const bint LMOO_HAVE_LANES
    void lmoo_load_lanes(ptrdiff_t m, const double **source, double *to)
    unsigned int lmoo_qrfac_lanes(ptrdiff_t m, ptrdiff_t n, const double *factors, double *a,
                                  double *ipvt, double *rdiag, double *acnorm, double *wa)

cdef enum:
    # For fewer fits, factorisations one by one are as fast.
    WORTH = 2


cdef size_t lanes_doubles(ptrdiff_t m, ptrdiff_t n) noexcept nogil:
    """Return the doubles of memory that the lanes use."""
    return <size_t>(FITS * ((n + 1) * m + 5 * n))


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
            _store(w, l, w.drivers[l], ipvt, rdiag, acnorm)
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
                 const double *acnorm) noexcept nogil:
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
    multiply_triangle(n, units, model.r, model.ipvt)
    if has_doubtful_rows(d.s):
        # The factors are needed.
        copy(n, d.work + 2 * n, d.s.column_error)
        linearize_answer(d, 0)
        return
    dense_share_all(d.s)
    lm_linearized(d.s)
