"""Standard errors and covariances from the last linear model of a solve.

   covariance = deviation^2 (J^T J)^-1

computed with columns scaled to norm 1, so that neither units nor squares over- or underflow; (J^T J)^-1 is computed
as in linalg/covariance.pxi.
"""

from libc.math cimport INFINITY, isfinite, sqrt

from lmoo._core.linalg cimport dense_share, inverse_gram
from lmoo._core.linalg cimport lm_dense, lm_triangle
from lmoo._core.model cimport *


cdef ptrdiff_t uncertainty_doubles(ptrdiff_t n) noexcept nogil:
    """Return the doubles of work space for uncertainty."""
    return 3 * n * n + n


cdef bint uncertainty(const lm_state *s, double deviation, double *w, double *stderr,
                      double *covariance) noexcept nogil:
    """Compute standard errors and covariances from the last model; return True, without results, if J is singular.

    With S = J diag(1 / acnorm):  covariance_ij = deviation^2 (S^T S)^-1_ij / (acnorm_i acnorm_j),
    and 0 for a parameter that is fixed or at an active bound.  w: uncertainty_doubles(n) of work space.
    """
    cdef const lm_triangle *model = &(<const lm_dense *>s.model).free
    cdef ptrdiff_t i, j, a, b, n = s.n, free = n
    cdef double *scaled = w + n * n
    cdef double *gram = w + 2 * n * n
    cdef const int *order = model.ipvt
    cdef double size
    if s.models == 0 or not isfinite(deviation):
        for j in range(n):
            stderr[j] = 0.0 if s.bounded and s.active[j] else INFINITY
        if covariance != NULL:
            for i in range(n):
                for j in range(n):
                    covariance[i * n + j] = 0.0 if stderr[i] == 0.0 or stderr[j] == 0.0 else INFINITY
        return False
    if s.bounded:
        order = <int *>(w + 3 * n * n)
        free = _order_of_free(s, model.ipvt, <int *>order)
    for j in range(free):
        size = s.free_norms[model.ipvt[j]]
        if not abs(model.r[j + j * n]) > s.column_error[model.ipvt[j]] * dense_share(s)[model.ipvt[j]] * size:
            return True
        for i in range(j + 1):
            scaled[i + j * free] = model.r[i + j * n] / size
    if free > 0 and inverse_gram(free, scaled, order, w, gram):
        return True
    a = 0
    for i in range(n):
        w[i] = stderr[i] = 0.0
        if s.bounded and s.active[i]:
            continue
        w[i] = deviation / s.free_norms[i]
        stderr[i] = w[i] * sqrt(gram[a + a * free])
        a += 1
    if covariance == NULL:
        return False
    a = 0
    for i in range(n):
        b = 0
        for j in range(n):
            covariance[i * n + j] = 0.0
            if not (s.bounded and (s.active[i] or s.active[j])):
                covariance[i * n + j] = gram[a * free + b] * w[i] * w[j]
            b += not (s.bounded and s.active[j])
        a += not (s.bounded and s.active[i])
    return False


cdef ptrdiff_t _order_of_free(const lm_state *s, const int *ipvt, int *order) noexcept nogil:
    """Compute the permutation of the free parameters alone, whose columns come first; return their number."""
    cdef ptrdiff_t j, k, free = 0
    for j in range(s.n):
        free += s.active[j] == 0
    for k in range(free):
        order[k] = 0
        for j in range(ipvt[k]):
            order[k] += s.active[j] == 0
    return free
