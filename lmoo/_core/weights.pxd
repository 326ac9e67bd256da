"""Weights of residuals."""


cdef inline void weigh_residual(ptrdiff_t m, const double *weights, double *f) noexcept nogil:
    """f *= weights, m doubles each; what does not count, its weight being 0, becomes 0, whatever it was.
    """
    cdef ptrdiff_t i
    for i in range(m):
        f[i] = f[i] * weights[i] if weights[i] != 0.0 else 0.0
