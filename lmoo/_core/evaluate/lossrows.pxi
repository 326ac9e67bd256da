"""The scaling of rows with which the linear model predicts the cost of a robust loss, see losses.pxi."""

from libc.float cimport DBL_MIN
from libc.math cimport sqrt

cdef inline void _row(double slope, double h, double f, double *root, double *model) noexcept nogil:
    """Compute the factor of a row of J and the scaled f; both are 0 if rho' is 0."""
    cdef double size = max(h, LMOO_LEAST_H * slope)
    root[0] = sqrt(size)
    # If rho' is 0 this is 0 / DBL_MIN, without a branch.
    model[0] = slope / max(root[0], DBL_MIN) * f


cdef int loss_rows(const lm_loss *loss, ptrdiff_t m, const double *f) noexcept nogil:
    """Fill loss.root, loss.model and loss.weighted for the residual f; negative if a user's loss ends the solve."""
    cdef const double *rho
    cdef ptrdiff_t i
    m -= loss.priors
    for i in range(m, m + loss.priors):
        loss.root[i], loss.weighted[i], loss.model[i] = 1.0, f[i], f[i]
    rho = loss.values + m
    if loss.kind == LM_LOSS_CALLED:
        if _call(loss, m, f) < 0:
            return -1
        for i in range(m):
            _row(rho[m + i], rho[m + i] + 2.0 * loss.values[i] * rho[2 * m + i], f[i],
                 loss.root + i, loss.model + i)
        multiply_rows(m, loss.root, f, loss.weighted)
    else:
        lmoo_loss_rows(loss.kind, 1.0 / loss.scale, m, f, loss.root, loss.weighted, loss.model)
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
