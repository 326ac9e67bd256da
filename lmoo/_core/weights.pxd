"""Weights of residuals."""


cdef inline void weigh_residual(ptrdiff_t m, const double *weights, double *f) noexcept nogil:
    """Multiply f by the weights, m doubles each; entries with the weight 0 become 0, even if they are not finite."""
    cdef ptrdiff_t i
    for i in range(m):
        f[i] = f[i] * weights[i] if weights[i] != 0.0 else 0.0
