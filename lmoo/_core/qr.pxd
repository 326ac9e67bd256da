"""QR factorisation with column pivoting, and what is done with its factors."""

cdef void qrfac(ptrdiff_t m, ptrdiff_t n, double *a, ptrdiff_t lda, int *ipvt, double *rdiag,
                const double *acnorm, double *wa, double *f, double *qtf) noexcept nogil
cdef void put_diagonal(ptrdiff_t n, double *a, ptrdiff_t lda, const double *rdiag) noexcept nogil
cdef void qrsolv(ptrdiff_t n, double *r, ptrdiff_t ldr, const int *ipvt, const double *diag,
                 const double *qtb, double *x, double *sdiag, double *wa) noexcept nogil
cdef void qrfac_in_lanes(ptrdiff_t m, ptrdiff_t n, double *a, ptrdiff_t lda, int *ipvt,
                         double *rdiag, const double *acnorm, double *wa, double *f,
                         double *qtf) noexcept nogil
