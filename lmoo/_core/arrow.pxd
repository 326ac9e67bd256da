"""The arrow linear model, and solves with it: shared parameters and groups of own ones, errors in x."""

from lmoo._core.evaluate cimport job_function, lm_driver
from lmoo._core.model cimport lm_state, lmoo_linear
from lmoo._core.solve cimport LinearTable, Loop, Source


# ---- arrow/linear.pxi: The arrow linear model.

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

cdef void arrow_each(lm_arrow *a, job_function job, void *context, double work) noexcept nogil
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
    cdef int reduce(self, double error, const int[::1] active) except -1
    cdef int place_factor(self, lm_arrow_factor *factor, ptrdiff_t total) except -1


# ---- arrow/groups.pxi: Problems of groups of rows.

cdef class Groups:
    cdef readonly ptrdiff_t shared, rows
    cdef readonly object own        # (groups,) intp: parameters of their own
    cdef double precision           # relative error of f
    cdef double relative, noise     # of the last Jacobian: relative error of its columns, norm of the error of f seen
    cdef bint exact                 # derivatives are no differences
    cdef bint refines               # there are better derivatives to ask for
    cdef double error               # relative error of f that the user has told
    cdef const double *weights      # of the rows, 0 for those that do not count; NULL where all do
    cdef readonly object refusal    # what a member raised to refuse the starting point
    cdef readonly ptrdiff_t differenced     # evaluations for the differences of the last Jacobian
    cdef int begin(self, const double *x) except -1
    cdef int residual(self, const double *x, double *f) except -1
    cdef int linearize(self, ArrowLoop loop, bint better) except -1
    cdef int finish(self, ArrowLoop loop, const double *norms) except -1

cdef class GroupSource(Source):
    cdef Groups groups

cdef class ArrowLoop(Loop):
    cdef ArrowLinear arrow
    cdef Groups groups
    cdef int place(self, ptrdiff_t m) except -1
    cdef int measure(self) except -1
    cdef double norm(self) noexcept
    cdef int linearize(self, bint better) except -1
