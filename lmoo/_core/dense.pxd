"""The dense linear model."""

from lmoo._core.model cimport lm_state, lmoo_linear

ctypedef struct lm_triangle:
    double *r           # n x n: R on and above the diagonal, below it lmpar's work
    double *qtf         # n: (Q^T f)[:n]
    int *ipvt           # n: J[:, ipvt] = Q R

ctypedef struct lm_dense:
    # Behind the state it belongs to, in the same block of memory.
    lm_state *s
    lm_triangle all     # of all columns
    lm_triangle free    # of those that are not left out; without bounds the same memory
    lm_triangle face
    double *sdiag       # n each: lmpar's
    double *wa1
    double *wa2
    double *units       # n
    double *work        # 3 n, with bounds

cdef lmoo_linear DENSE
cdef size_t dense_doubles(ptrdiff_t n, bint bounded) noexcept nogil
cdef void dense_attach(lm_state *s, double *memory) noexcept nogil
cdef void dense_fill_triangle(lm_state *s, double *t, double *acnorm, double *work) noexcept nogil
cdef void dense_times_transpose(const lm_state *s, const double *w, double *out) noexcept nogil
cdef lm_triangle *dense_all(const lm_state *s) noexcept nogil
