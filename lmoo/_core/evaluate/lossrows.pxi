"""The scaling of rows with which the linear model predicts the cost of a robust loss, see losses.pxi."""

from libc.float cimport DBL_MIN
from libc.math cimport sqrt

# Least value of h, as a share of rho'.  Beyond an inflection of rho the true h is negative.  With the root of machine
# epsilon, as in scipy, the scaled residuals would be so large that their rounding hides the gradient; with 1, as in
# Ceres, the steps are those of iteratively reweighted least squares, which converge linearly.
cdef double LEAST = 0.05


cdef inline void _derivatives(int kind, double z, double *slope, double *h) noexcept nogil:
    """Compute rho'(z) and rho'(z) + 2 z rho''(z)."""
    cdef double w
    if kind == LM_LOSS_HUBER:
        slope[0] = 1.0 if z <= 1.0 else 1.0 / sqrt(z)
        h[0] = 1.0 if z <= 1.0 else 0.0
    elif kind == LM_LOSS_SOFT_L1:
        w = 1.0 / sqrt(1.0 + z)
        slope[0], h[0] = w, w * w * w
    elif kind == LM_LOSS_CAUCHY:
        w = 1.0 / (1.0 + z)
        slope[0], h[0] = w, (2.0 * w - 1.0) * w
    elif kind == LM_LOSS_ARCTAN:
        w = 1.0 / (1.0 + z * z)
        slope[0], h[0] = w, (4.0 * w - 3.0) * w
    elif kind == LM_LOSS_TUKEY:
        w = 1.0 - z if z < 1.0 else 0.0
        slope[0], h[0] = w * w, w * (5.0 * w - 4.0)
    else:
        slope[0] = h[0] = 1.0


cdef inline void _row(double slope, double h, double f, double *root, double *model) noexcept nogil:
    """Compute the factor of a row of J and the scaled f; both are 0 if rho' is 0."""
    cdef double size = max(h, LEAST * slope)
    root[0] = sqrt(size)
    # If rho' is 0 this is 0 / DBL_MIN, without a branch.
    model[0] = slope / max(root[0], DBL_MIN) * f


cdef inline void _rows(int kind, const lm_loss *loss, ptrdiff_t m, const double *f) noexcept nogil:
    cdef double slope = 0.0, h = 0.0, u, scale = 1.0 / loss.scale
    cdef ptrdiff_t i
    for i in range(m):
        u = f[i] * scale
        _derivatives(kind, u * u, &slope, &h)
        _row(slope, h, f[i], loss.root + i, loss.model + i)


cdef int loss_rows(const lm_loss *loss, ptrdiff_t m, const double *f) noexcept nogil:
    """Fill loss.root, loss.model and loss.weighted for the residual f; negative if a user's loss ends the solve."""
    cdef const double *rho
    cdef ptrdiff_t i
    m -= loss.priors
    for i in range(m, m + loss.priors):
        loss.root[i], loss.model[i] = 1.0, f[i]
    rho = loss.values + m
    if loss.kind == LM_LOSS_CALLED:
        if _call(loss, m, f) < 0:
            return -1
        for i in range(m):
            _row(rho[m + i], rho[m + i] + 2.0 * loss.values[i] * rho[2 * m + i], f[i],
                 loss.root + i, loss.model + i)
    elif loss.kind == LM_LOSS_HUBER:
        _rows(LM_LOSS_HUBER, loss, m, f)
    elif loss.kind == LM_LOSS_SOFT_L1:
        _rows(LM_LOSS_SOFT_L1, loss, m, f)
    elif loss.kind == LM_LOSS_CAUCHY:
        _rows(LM_LOSS_CAUCHY, loss, m, f)
    elif loss.kind == LM_LOSS_ARCTAN:
        _rows(LM_LOSS_ARCTAN, loss, m, f)
    elif loss.kind == LM_LOSS_TUKEY:
        _rows(LM_LOSS_TUKEY, loss, m, f)
    else:
        _rows(LM_LOSS_LINEAR, loss, m, f)
    multiply_rows(m + loss.priors, loss.root, f, loss.weighted)
    return 0


cdef void scale_rows(ptrdiff_t m, ptrdiff_t n, const double *root, double *fjac,
                     ptrdiff_t lda) noexcept nogil:
    """Multiply m rows of fjac, column-major with leading dimension lda: J_i *= root_i."""
    cdef ptrdiff_t j
    for j in range(n):
        multiply_rows(m, root, fjac + j * lda, fjac + j * lda)


cdef void multiply_rows(ptrdiff_t m, const double *root, const double *f, double *out) noexcept nogil:
    """Compute out_i = root_i f_i, m doubles each; out may be f."""
    cdef ptrdiff_t i
    for i in range(m):
        out[i] = root[i] * f[i]
