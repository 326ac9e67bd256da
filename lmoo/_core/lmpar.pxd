"""The Levenberg-Marquardt parameter."""

cdef double lmpar(ptrdiff_t n, double *r, ptrdiff_t ldr, const int *ipvt, const double *diag,
                  const double *qtb, double delta, double par, double *x, double *sdiag,
                  double *wa1, double *wa2) noexcept nogil
