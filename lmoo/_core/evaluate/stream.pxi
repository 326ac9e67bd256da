"""Tall problems whose rows can be evaluated separately: the Jacobian is folded block by block and never stored.

   [J_b | f_b],  b = 1, 2, ...    into the triangle [R | q] of its part of the rows (fold.pyx)

A block of J is in the second-level cache when it is folded.  The parts are distributed among threads.  As neither parts
nor blocks depend on the number of threads, the results do not either.
"""

from libc.string cimport memset

from lmoo._core.fold cimport fold_begin_part, fold_block_rows, fold_part_begin, fold_parts
from lmoo._core.model cimport *

# Entries of a block of J.
cdef ptrdiff_t BLOCK_NUMBERS = 16384
cdef enum:
    RESIDUAL_ROWS = 1024    # of a block if only f is evaluated


cdef ptrdiff_t rows_at_once(ptrdiff_t n) noexcept nogil:
    """Return a number of rows of J that stay in the cache: whole blocks of the fold, whose bits are those of all rows."""
    cdef ptrdiff_t rows = fold_block_rows(n)
    return max(BLOCK_NUMBERS // (n * rows), <ptrdiff_t>1) * rows


cdef size_t stream_doubles(ptrdiff_t m, ptrdiff_t n) noexcept nogil:
    """Return the doubles at d.fjac: a block of J and its residuals, for each part."""
    return <size_t>(fold_parts(m, n) * rows_at_once(n) * (n + 1))


cdef bint can_stream(const lmoo_problem *problem, const lmoo_jacobian *strategy, const lm_state *s, ptrdiff_t m,
                     ptrdiff_t n) noexcept nogil:
    """Return whether the rows are evaluated separately: there are many, and the problem provides the derivatives."""
    if problem.rows == NULL or s.linear != &DENSE or m < n or <double>m * n * n <= LARGE:
        return False
    if strategy.evaluate == analytic:
        return True
    return strategy.evaluate == differences and (<const lm_differences *>strategy.context).use_jacobian != 0


cdef int stream_residual(lm_driver *d, const double *x, double *f) noexcept nogil:
    """Compute f(x) by rows; return 0, 1 at a bad point, or FAILED with d.code."""
    d.stream_x, d.stream_f = x, f
    return _run_parts(d, _residual_part)


cdef int stream_triangle(lm_driver *d) noexcept nogil:
    """Fold all rows of J and the model's residual to the triangles at d.work, one for each part.

    Return 0, 1 if J cannot be evaluated, or FAILED.
    """
    d.stream_x = d.s.x
    return _run_parts(d, _fold_part_of_stream)


cdef int _run_parts(lm_driver *d, job_function part) noexcept nogil:
    """Run one job for each part of the rows, by threads if they are worthwhile."""
    cdef ptrdiff_t p, parts = fold_parts(d.m, d.n)
    d.stream_code = 0
    if d.threads and parts > 1 and <double>d.m * d.n * d.n > WORTH_THREADS:
        # Called as a plain C function; -1 if an exception is set.
        if (<run_function><void *>run_in_threads)(part, parts, d) < 0:
            return FAILED
    else:
        for p in range(parts):
            part(p, d)
    if d.stream_code < 0:
        d.code = d.stream_code
        return FAILED
    return d.stream_code > 0


cdef void _residual_part(ptrdiff_t p, void *context) noexcept nogil:
    """Compute f of one part of the rows, as a job of a thread."""
    cdef lm_driver *d = <lm_driver *>context
    cdef ptrdiff_t begin = fold_part_begin(p, d.m, d.n), end = fold_part_begin(p + 1, d.m, d.n), count
    cdef int code
    while begin < end and d.stream_code == 0:
        count = min(<ptrdiff_t>RESIDUAL_ROWS, end - begin)
        code = d.problem.rows(begin, count, d.n, d.stream_x, d.stream_f + begin, NULL, d.problem.user_data)
        if code != 0:
            d.stream_code = code
        begin += count


cdef void _fold_part_of_stream(ptrdiff_t p, void *context) noexcept nogil:
    """Fold one part of the rows, as a job of a thread."""
    cdef lm_driver *d = <lm_driver *>context
    cdef ptrdiff_t begin = fold_part_begin(p, d.m, d.n), end = fold_part_begin(p + 1, d.m, d.n), count, n = d.n
    cdef double *block = d.fjac + p * rows_at_once(n) * (n + 1)
    cdef double *t = fold_begin_part(p, n, d.work)
    cdef double *overlaps = NULL
    if d.s.options.tests == LM_TESTS_ACCURATE:
        overlaps = overlaps_of_part(d, p)
    while begin < end and d.stream_code == 0:
        count = min(rows_at_once(n), end - begin)
        if _block(d, begin, count, d.s.x, block) != 0:
            return
        fold_model_rows(d, begin, count, block, 1, count, t, overlaps)
        begin += count


cdef int _block(lm_driver *d, ptrdiff_t begin, ptrdiff_t count, const double *x, double *block) noexcept nogil:
    """Compute rows of J at x; store a nonzero code of the user's function in d.stream_code."""
    cdef int code = d.problem.rows(begin, count, d.n, x, NULL, block, d.problem.user_data)
    if code != 0:
        d.stream_code = code
    return code


cdef int stream_times_transpose(lm_driver *d, const double *v, double *out) noexcept nogil:
    """Compute out = J^T v for J of the model, evaluated once more; return nonzero if it cannot be.  v: m doubles."""
    cdef ptrdiff_t begin = 0, count, i, j, n = d.n
    cdef double total
    cdef double *block = d.fjac
    memset(out, 0, <size_t>n * sizeof(double))
    d.stream_code = 0
    while begin < d.m:
        count = min(rows_at_once(n), d.m - begin)
        if _block(d, begin, count, d.s.x, block) != 0:
            return 1
        if d.loss != NULL:
            scale_rows(count, n, d.loss.root + begin, block, count)
        for j in range(n):
            total = 0.0
            for i in range(count):
                total += block[i + j * count] * v[begin + i]
            out[j] += total
        begin += count
    return 0
