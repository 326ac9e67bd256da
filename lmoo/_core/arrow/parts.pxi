"""Groups and their columns, and the parts that they are worked on in, on threads.

The number of parts does not depend on the number of threads, and so results do not.
"""

cdef enum:
    # Groups of a part, below which there is one part alone.
    PART_GROUPS = 32

# Nanoseconds of work that pay for waking threads.
cdef double WORTH_THREADS = 3e4


cdef inline ptrdiff_t _own(const lm_arrow *a, ptrdiff_t k) noexcept nogil:
    """Return the number of own parameters of group k."""
    return a.first[k + 1] - a.first[k]


cdef inline ptrdiff_t _width(const lm_arrow *a, ptrdiff_t k) noexcept nogil:
    """Return the number of shared parameters that group k touches."""
    return a.shared if a.span == NULL else a.span[k + 1] - a.span[k]


cdef inline const int *_columns(const lm_arrow *a, ptrdiff_t k) noexcept nogil:
    """Return the shared parameters that group k touches, ascending."""
    return a.every if a.span == NULL else a.columns + a.span[k]


cdef ptrdiff_t arrow_start(const lm_arrow *a, ptrdiff_t part) noexcept nogil:
    """The first group of a part; that of part a.parts is the number of groups."""
    return a.groups * part // a.parts


cdef ptrdiff_t _part_of(const lm_arrow *a, ptrdiff_t k) noexcept nogil:
    """Return the part that group k is in."""
    cdef ptrdiff_t part = 0
    while arrow_start(a, part + 1) <= k:
        part += 1
    return part


cdef void arrow_each(lm_arrow *a, job_function job, void *context, double work) noexcept nogil:
    """job(part, context) for all parts, on threads where that is worth it.  work: nanoseconds for a group, about."""
    cdef lm_helper *team = NULL
    if a.parts > 1 and <double>a.groups * work >= WORTH_THREADS:
        if not a.started:
            _start(a)
        team = a.team
    run_in_team(team, job, a.parts, context)


cdef inline double _product_work(const lm_arrow *a) noexcept nogil:
    """Nanoseconds, about, of a product with the rows of one group."""
    return 3.0 * (a.widest + 1) * (a.widest + a.touched + 1)


cdef void _start(lm_arrow *a) noexcept with gil:
    """Start the threads that this model keeps."""
    cdef Team team = Team()
    a.started = True
    (<ArrowLinear>a.owner).memory.append(team)
    try:
        team.start(a.parts)
    except BaseException as error:
        _end(a, error)
    a.team = team.chain


cdef int _end(lm_arrow *a, error) except -1:
    """Let the solve end with an exception."""
    cdef ArrowLinear owner = <ArrowLinear>a.owner
    if owner.error is None:
        owner.error = error
    a.s.failed = 1
    return 0


cdef void _end_without_memory(lm_arrow *a) noexcept with gil:
    _end(a, MemoryError("rows of shared parameters of an arrow linear model"))
