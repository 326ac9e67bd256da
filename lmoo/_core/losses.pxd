"""Robust losses: the cost sum rho(z), z = (f / C)^2, and the scaling of rows that makes it a linear model."""

ctypedef int (*lm_rho_function)(ptrdiff_t m, const double *z, double *rho, void *context) noexcept nogil

cdef enum:
    LM_LOSS_LINEAR
    LM_LOSS_HUBER
    LM_LOSS_SOFT_L1
    LM_LOSS_CAUCHY
    LM_LOSS_ARCTAN
    LM_LOSS_TUKEY
    LM_LOSS_CALLED

ctypedef struct lm_loss:
    int kind
    double scale            # C
    double tuning           # C over the estimated deviation of f, where C is estimated; else 0
    lm_rho_function rho     # of LM_LOSS_CALLED
    void *context
    double *root            # m: sqrt(h) of each row, by which rows of J are multiplied
    double *weighted        # m: root f, which differences are taken of
    double *model           # m: what stands for f in the linear model
    double *values          # 4 m: z and rho of LM_LOSS_CALLED
    const double *weights   # m, or NULL: entries of f with the weight 0 do not count for C
    int rounds              # times that C has been estimated
    ptrdiff_t priors        # last rows of f, which the loss leaves as they are: they are no data

cdef size_t loss_doubles(ptrdiff_t m, bint called) noexcept nogil
cdef void loss_place(lm_loss *loss, ptrdiff_t m, double *memory) noexcept nogil
cdef double loss_norm(const lm_loss *loss, ptrdiff_t m, const double *f) noexcept nogil
cdef int loss_rows(const lm_loss *loss, ptrdiff_t m, const double *f) noexcept nogil
cdef int loss_weights(const lm_loss *loss, ptrdiff_t m, const double *f, double *weights) noexcept nogil
cdef int loss_sums(const lm_loss *loss, ptrdiff_t m, const double *f, double *sums) noexcept nogil
cdef double loss_deviation(const double *sums, double m, double degrees) noexcept nogil
cdef void scale_rows(ptrdiff_t m, ptrdiff_t n, const double *root, double *fjac, ptrdiff_t lda) noexcept nogil
cdef void multiply_rows(ptrdiff_t m, const double *root, const double *f, double *out) noexcept nogil
cdef double loss_estimate(const lm_loss *loss, ptrdiff_t m, ptrdiff_t n, const double *f, double *work) noexcept nogil

cdef class LossKernel:
    cdef lm_loss table
    cdef object func, memory
    cdef int place(self, ptrdiff_t m, ptrdiff_t padded) except -1
