"""The arrow linear model: groups of parameters, and shared ones."""

from lmoo._core.linearmodel cimport LinearTable
from lmoo._core.model cimport lm_state, lmoo_linear
from lmoo._core.threads cimport job_function

cdef enum:
    ARROW_ROWS = 128        # rows that wait to be folded into a shared triangle
    ARROW_PARTS = 16

ctypedef struct lm_arrow_factor:
    # Of group k, p own parameters: [R | S | q], p x (p + s + 1), column-major, at blocks + place[k].  Column i of R
    # belongs to own parameter order[first[k] + i]; rows from rank[k] on are zero.
    double *blocks
    int *order              # n - s
    int *rank               # one per group
    # Of the shared parameters: [T | q], s x (s + 1), column i of T belonging to shared parameter torder[i].
    double *t
    int *torder
    ptrdiff_t trank

ctypedef struct lm_arrow_part:
    # Work space of one part of the groups: a thread has it to itself.
    double *t               # s x (s + 1), what has been folded so far
    double *rows            # ARROW_ROWS x (s + 1), column-major: rows that wait
    ptrdiff_t waiting
    double *fold_work
    double *matrix          # 2 widest x (widest + s + 1)
    double *sums            # 2 s

ctypedef struct lm_arrow:
    lm_state *s             # of the solve; NULL before
    void *owner             # the ArrowLinear
    ptrdiff_t n, shared, groups, widest, parts
    const ptrdiff_t *first  # groups + 1: own parameters of group k are shared + first[k] and those that follow
    const ptrdiff_t *place  # groups + 1
    lm_arrow_factor all     # of all columns
    lm_arrow_factor next    # of all columns, while rows come in
    lm_arrow_factor free    # of those that are not left out, truncated
    lm_arrow_factor work    # with damping
    bint stale              # free is not that of all and of left_out
    bint damped             # work is that of free with par and diag
    double par
    double *diag            # n
    int *left_out           # n
    double *wa              # n
    double *least           # n
    lm_arrow_part *part

cdef lmoo_linear ARROW

cdef void arrow_each(lm_arrow *a, job_function job, void *context) noexcept nogil
cdef ptrdiff_t arrow_start(const lm_arrow *a, ptrdiff_t part) noexcept nogil
cdef void arrow_begin(lm_arrow *a) noexcept nogil
cdef void arrow_block(lm_arrow *a, lm_arrow_part *w, ptrdiff_t k, ptrdiff_t m, double *matrix,
                      ptrdiff_t ld) noexcept nogil
cdef void arrow_rows(lm_arrow *a, lm_arrow_part *w, ptrdiff_t m, const double *matrix, ptrdiff_t ld) noexcept nogil
cdef void arrow_finish(lm_arrow *a, double *norms) noexcept nogil
cdef void arrow_take(lm_arrow *a) noexcept nogil
cdef void arrow_drop(lm_arrow *a, ptrdiff_t j) noexcept nogil

cdef class ArrowLinear(LinearTable):
    cdef lm_arrow a
    cdef object memory
    cdef readonly ptrdiff_t n, shared, groups
    cdef object own_state
    cdef double *doubles(self, ptrdiff_t count)
    cdef int *ints(self, ptrdiff_t count)
    cdef int place_factor(self, lm_arrow_factor *factor, ptrdiff_t total) except -1
