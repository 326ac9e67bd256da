"""(J^T J)^-1 from the factor R."""

cdef int inverse_gram(ptrdiff_t n, const double *r, const int *ipvt, double *work,
                      double *out) noexcept nogil
