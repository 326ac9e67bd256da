"""The triangle of a tall Jacobian from blocks of rows."""

cdef ptrdiff_t fold_block_rows(ptrdiff_t n) noexcept nogil
cdef size_t fold_work_bytes(ptrdiff_t n) noexcept nogil
cdef void fold(ptrdiff_t m, ptrdiff_t n, const double *a, ptrdiff_t row_stride,
               ptrdiff_t column_stride, const double *f, double *t, double *work) noexcept nogil
cdef void fold_scaled(ptrdiff_t m, ptrdiff_t n, const double *a, ptrdiff_t row_stride, ptrdiff_t column_stride,
                      const double *root, const double *f, double *t, double *work) noexcept nogil
cdef ptrdiff_t fold_parts(ptrdiff_t m, ptrdiff_t n) noexcept nogil
cdef ptrdiff_t fold_part_begin(ptrdiff_t p, ptrdiff_t m, ptrdiff_t n) noexcept nogil
cdef double *fold_begin_part(ptrdiff_t p, ptrdiff_t n, double *memory) noexcept nogil
cdef size_t fold_parts_bytes(ptrdiff_t m, ptrdiff_t n) noexcept nogil
cdef void fold_part(ptrdiff_t p, ptrdiff_t m, ptrdiff_t n, const double *a, ptrdiff_t row_stride,
                    ptrdiff_t column_stride, const double *f, double *memory) noexcept nogil
cdef void merge_parts(ptrdiff_t m, ptrdiff_t n, double *memory) noexcept nogil
cdef void merge(ptrdiff_t n, const double *other, double *t, double *work) noexcept nogil
cdef void pivot_triangle(ptrdiff_t n, double *t, int *ipvt, double *acnorm, double *qtf,
                         double *work) noexcept nogil
