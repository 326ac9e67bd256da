"""Jobs without the GIL on several Python threads."""

ctypedef void (*job_function)(ptrdiff_t k, void *context) noexcept nogil

cdef int run_in_threads(job_function job, ptrdiff_t count, void *context) except -1 with gil
