"""Parts of the groups, on threads.

The groups are worked on in parts, whose number depends on the number of groups alone, and so do results.
"""

cdef enum:
    # Groups of a part, below which there is one part alone.
    PART_GROUPS = 128

# Nanoseconds of work that pay for starting threads.
cdef double WORTH_THREADS = 3e5


cdef ptrdiff_t arrow_start(const lm_arrow *a, ptrdiff_t part) noexcept nogil:
    """The first group of a part; that of part a.parts is the number of groups."""
    return a.groups * part // a.parts


cdef void arrow_each(lm_arrow *a, job_function job, void *context, double work) noexcept nogil:
    """job(part, context) for all parts, on threads where that is worth it.  work: nanoseconds for a group, about."""
    cdef ptrdiff_t part
    if a.parts == 1 or <double>a.groups * work < WORTH_THREADS:
        for part in range(a.parts):
            job(part, context)
    else:
        _in_threads(a, job, context)


cdef inline double _product_work(const lm_arrow *a) noexcept nogil:
    """Nanoseconds, about, of a product with the rows of one group."""
    return 3.0 * (a.widest + 1) * (a.widest + a.shared + 1)


cdef void _in_threads(lm_arrow *a, job_function job, void *context) noexcept with gil:
    cdef ArrowLinear owner = <ArrowLinear>a.owner
    try:
        run_in_threads(job, a.parts, context)
    except BaseException as error:
        # An interruption; the work itself is done.
        if owner.error is None:
            owner.error = error
        a.s.failed = 1


cdef inline ptrdiff_t _own(const lm_arrow *a, ptrdiff_t k) noexcept nogil:
    return a.first[k + 1] - a.first[k]
