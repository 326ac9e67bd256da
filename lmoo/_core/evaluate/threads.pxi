"""Jobs without the GIL on several Python threads."""

import _thread
import os

cimport cython
from cpython.exc cimport PyErr_CheckSignals
from cpython.pythread cimport (
    NOWAIT_LOCK,
    WAIT_LOCK,
    PyThread_acquire_lock,
    PyThread_allocate_lock,
    PyThread_free_lock,
    PyThread_release_lock,
    PyThread_type_lock,
)


cdef enum:
    # Looks at a lock before a thread sleeps until it is free: about the time that it takes to wake one.
    LOOKS = 1000


cdef inline void _wait(PyThread_type_lock lock) noexcept nogil:
    """Take a lock that is soon free."""
    cdef int k
    for k in range(LOOKS):
        if PyThread_acquire_lock(lock, NOWAIT_LOCK):
            return
    PyThread_acquire_lock(lock, WAIT_LOCK)


cdef inline void _work(const lm_helper *h) noexcept nogil:
    cdef ptrdiff_t k = h.first
    while k < h.count:
        h.job(k, h.context)
        k += h.step


@cython.auto_pickle(False)
cdef class _Helper:
    """The jobs first, first + step, ... of each call, for its thread, or for the caller if that begins earlier.

    The locks are those of C, which run no signal handlers.  `threading.Thread` is not reliable
    after Ctrl-C: after an exception in `start` it is unknown whether the thread runs, and one
    in `join` (CPython 3.11) marks a running thread as stopped.
    """

    cdef lm_helper h

    def __cinit__(self):
        cdef int k
        for k in range(3):
            self.h.locks[k] = PyThread_allocate_lock()
            if self.h.locks[k] == NULL:
                raise MemoryError()
            PyThread_acquire_lock(self.h.locks[k], WAIT_LOCK)

    def __dealloc__(self):
        # A thread that runs holds a reference to its helper.
        cdef int k
        for k in range(3):
            if self.h.locks[k] != NULL:
                PyThread_free_lock(self.h.locks[k])

    def __call__(self):
        with nogil:
            while True:
                _wait(self.h.locks[HELPER_CALL])
                # Otherwise the caller has begun earlier.
                if PyThread_acquire_lock(self.h.locks[HELPER_BEGUN], NOWAIT_LOCK):
                    if self.h.job == NULL:
                        break
                    _work(&self.h)
                    PyThread_release_lock(self.h.locks[HELPER_ENDED])


@cython.auto_pickle(False)
cdef class Team:
    """Threads that wait for jobs from `start` on, for as long as the object lives."""

    def __dealloc__(self):
        offer_jobs(self.chain, NULL, 0, NULL)

    cdef int start(self, ptrdiff_t count) except -1:
        """Let there be threads for `count` jobs at the same time, the caller's among them."""
        cdef _Helper helper
        cdef ptrdiff_t k
        # Allocations, which can fail, precede the first thread.
        arguments, start, self.helpers = (), _thread.start_new_thread, []
        for k in range(1, min(thread_count(), count)):
            helper = _Helper()
            helper.h.next, self.chain = self.chain, &helper.h
            self.helpers.append(helper)
        for helper in self.helpers:
            try:
                start(helper, arguments)
            except Exception:
                # No more threads are available: the caller runs their jobs.
                break
        return 0


cdef void offer_jobs(lm_helper *team, job_function job, ptrdiff_t count, void *context) noexcept nogil:
    """Wake the threads for the jobs 1, 2, ...; NULL: they are to end."""
    cdef lm_helper *h = team
    cdef ptrdiff_t k = 0, step = 1
    while h != NULL:
        step, h = step + 1, h.next
    h = team
    while h != NULL:
        k += 1
        h.job, h.first, h.count, h.step, h.context = job, k, count, step, context
        PyThread_release_lock(h.locks[HELPER_BEGUN])
        # It is free if the thread has not seen the last call.
        PyThread_acquire_lock(h.locks[HELPER_CALL], NOWAIT_LOCK)
        PyThread_release_lock(h.locks[HELPER_CALL])
        h = h.next


cdef void run_in_team(lm_helper *team, job_function job, ptrdiff_t count, void *context) noexcept nogil:
    """Run job(0, context) to job(count - 1, context); all have ended when this returns.  team: NULL for one thread."""
    cdef lm_helper own
    cdef lm_helper *h = team
    offer_jobs(team, job, count, context)
    own.job, own.context, own.first, own.count = job, context, 0, count
    own.step = 1 if team == NULL else team.step
    _work(&own)
    while h != NULL:
        # Waiting for a thread that has not begun could last for ever: its jobs are run here.
        if PyThread_acquire_lock(h.locks[HELPER_BEGUN], NOWAIT_LOCK):
            _work(h)
        else:
            _wait(h.locks[HELPER_ENDED])
        h = h.next


cdef int run_in_threads(job_function job, ptrdiff_t count, void *context) except -1 with gil:
    """Run job(0, context) to job(count - 1, context), at the same time if threads are available.

    job      runs without the GIL; each call writes to memory of its own
    context  shared by the jobs, owned by the caller

    All jobs have ended when this returns or raises.  Signals are handled after that.
    """
    cdef Team team = Team()
    team.start(count)
    with nogil:
        run_in_team(team.chain, job, count, context)
    PyErr_CheckSignals()
    return 0


def thread_count():
    """Return the threads to use: LMOO_NUM_THREADS, or the processors this process may run on."""
    text = os.environ.get("LMOO_NUM_THREADS", "").strip()
    if text:
        if not text.isdecimal() or int(text) < 1:
            raise ValueError(f"LMOO_NUM_THREADS must be a positive integer; it is {text!r}")
        return int(text)
    if hasattr(os, "process_cpu_count"):
        return os.process_cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
