"""The arrow linear model, and solves with it: shared parameters and groups of own ones, errors in x."""

from lmoo._core.evaluate cimport lm_helper
from lmoo._core.model cimport lm_state
from lmoo._core.solve cimport LinearTable, Loop, Source


# ---- arrow/linear.pxi, parts.pxi, intake.pxi: The arrow linear model.

cdef enum:
    ARROW_ROWS = 128        # rows that wait to be folded into a shared triangle
    ARROW_PARTS = 16

ctypedef struct lm_arrow_factor:
    # Of group k, p own parameters and w shared ones that it touches: [R | S | q], p x (p + w + 1), column-major, at
    # blocks + place[k].  Column i of R belongs to own parameter order[first[k] + i]; rows from rank[k] on are zero.
    double *blocks
    int *order              # n - s
    int *rank               # one per group
    # Of the shared parameters: [T | q], s x (s + 1), column i of T belonging to shared parameter torder[i].
    double *t
    int *torder
    ptrdiff_t trank
    bint pivoted            # the columns of T are in the order of its pivots

ctypedef struct lm_piece:
    const int *columns      # width shared parameters, ascending
    ptrdiff_t width, rows

ctypedef struct lm_rows:
    # Rows of the shared parameters, one piece after the other, each row-major with room for whole vectors.
    double *values
    size_t used, room
    lm_piece *pieces
    ptrdiff_t count, places

ctypedef struct lm_arrow_part:
    # Work space of one part of the groups: a thread has it to itself.
    double *t               # s x (s + 1), what has been folded so far
    double *rows            # ARROW_ROWS x (s + 1), column-major: rows that wait
    ptrdiff_t waiting
    lm_rows kept            # where the model is scattered
    double *fold_work
    double *matrix          # 2 widest x (widest + most + 1)
    double *sums            # 2 s
    double *overlaps        # s, as those of all rows

ctypedef struct lm_arrow:
    lm_state *s             # of the solve; NULL before
    void *owner             # the ArrowLinear
    ptrdiff_t n, shared, groups, widest, parts
    const ptrdiff_t *first  # groups + 1: own parameters of group k are shared + first[k] and those that follow
    const ptrdiff_t *place  # groups + 1
    # Group k touches the shared parameters columns[span[k]] to columns[span[k + 1] - 1]; NULL: all.
    const ptrdiff_t *span
    const int *columns
    const int *every        # 0 to s - 1
    double touched          # shared parameters that a group touches, on average
    bint scattered          # they are few of many: rows are kept, not folded
    lm_arrow_factor all     # of all columns
    lm_arrow_factor next    # of all columns, while rows come in
    lm_arrow_factor free    # of those that are not left out, truncated
    lm_arrow_factor work    # with damping
    bint stale              # free is not that of all and of left_out
    bint damped             # work is that of free with par and diag
    double par
    double *diag            # n
    double *overlaps        # n, sum_i |f_i J_ij| / fnorm of the rows so far, see evaluate/overlaps.pxi
    double fnorm            # |f| of all rows
    int *left_out           # n
    double *wa              # n
    double *least           # n
    lm_arrow_part *part
    lm_helper *team         # threads; NULL: there is one
    bint started            # they have been started
    # Work space where the model is scattered, see arrow/scattered.pxi.
    double *gram            # s x (s + 1)
    double *z               # (s + 1) x s, padded
    double *scale           # s + 1
    double *pivots          # s
    double *sizes           # s
    int *was                # s

cdef class ArrowLinear(LinearTable):
    cdef lm_arrow a
    cdef object memory
    cdef readonly ptrdiff_t n, shared, groups
    cdef readonly object span, columns
    cdef object own_state
    cdef double *doubles(self, ptrdiff_t count)
    cdef int *ints(self, ptrdiff_t count)
    cdef int reduce(self, double error, const int[::1] active) except -1
    cdef object place_columns(self, touched, ptrdiff_t groups)
    cdef int place_factor(self, lm_arrow_factor *factor, ptrdiff_t total) except -1


# ---- arrow/groups.pxi, arrowloop.pxi: Problems of groups of rows.

cdef class Groups:
    cdef readonly ptrdiff_t shared, rows
    cdef readonly object own        # (groups,) intp: parameters of their own
    cdef readonly object touched    # (span, columns) of shared parameters, see ArrowLinear; None: all
    cdef double precision           # relative error of f
    cdef double relative, noise     # of the last Jacobian: relative error of its columns, norm of the error of f seen
    cdef bint exact                 # derivatives are no differences
    cdef bint settles               # own parameters of a trial point may be changed
    cdef bint refines               # there are better derivatives to ask for
    cdef double error               # relative error of f that the user has told
    cdef const double *weights      # of the rows, 0 for those that do not count; NULL where all do
    cdef readonly object refusal    # what a member raised to refuse the starting point
    cdef readonly ptrdiff_t differenced     # evaluations for the differences of the last Jacobian
    cdef int begin(self, const double *x) except -1
    cdef int residual(self, const double *x, double *f) except -1
    cdef int settle(self, ArrowLoop loop) except -1
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
    cdef bint falls_short(self) noexcept
    cdef int linearize(self, bint better) except -1
