"""Jobs without the GIL on several Python threads."""

import _thread
import os

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


cdef class _Worker:
    """Every step-th job from first on, for the thread that calls `work` first.

    The locks are those of C, which run no signal handlers.  `threading.Thread` cannot be relied on
    after Ctrl-C: an exception that comes out of `start` leaves open whether the thread runs, and one
    out of `join` (CPython 3.11) marks a thread that still runs as stopped.
    """

    cdef job_function job
    cdef void *context
    cdef ptrdiff_t first, count, step
    cdef PyThread_type_lock begun   # taken by the thread that does the work
    cdef PyThread_type_lock ended   # taken from the beginning, released after the last job

    def __cinit__(self):
        self.begun, self.ended = PyThread_allocate_lock(), PyThread_allocate_lock()
        if self.begun == NULL or self.ended == NULL:
            raise MemoryError()
        PyThread_acquire_lock(self.ended, WAIT_LOCK)

    def __dealloc__(self):
        # A thread that runs holds a reference to its worker.
        if self.begun != NULL:
            PyThread_free_lock(self.begun)
        if self.ended != NULL:
            PyThread_free_lock(self.ended)

    def __call__(self):
        with nogil:
            self.work()

    cdef void work(self) noexcept nogil:
        """Do the jobs, unless a thread has begun with them."""
        cdef ptrdiff_t k = self.first
        if not PyThread_acquire_lock(self.begun, NOWAIT_LOCK):
            return
        while k < self.count:
            self.job(k, self.context)
            k += self.step
        PyThread_release_lock(self.ended)

    cdef void finish(self) noexcept nogil:
        """Return when the jobs have ended, for one caller."""
        # A thread that has not begun, or never will, must not be waited for.
        self.work()
        PyThread_acquire_lock(self.ended, WAIT_LOCK)


cdef int run_in_threads(job_function job, ptrdiff_t count, void *context) except -1 with gil:
    """Run job(0, context) to job(count - 1, context), at the same time where there are threads.

    job      without the GIL; each call writes to memory of its own
    context  what the jobs share, owned by the caller

    All jobs have ended when this returns or raises.  Signals are handled after that.
    """
    cdef ptrdiff_t k, step = min(thread_count(), count)
    cdef _Worker worker
    cdef list workers = []
    interruption = None
    # What can fail comes before the first thread starts.
    arguments, start = (), _thread.start_new_thread
    for k in range(step):
        worker = _Worker()
        worker.job, worker.context = job, context
        worker.first, worker.count, worker.step = k, count, step
        workers.append(worker)
    for k in range(1, step):
        try:
            start(workers[k], arguments)
        except Exception:
            # No more threads are available: `finish` does their work.
            break
        except BaseException as error:
            interruption = error
            break
    for k in range(step):
        worker = <_Worker>workers[k]
        with nogil:
            worker.finish()
    if interruption is not None:
        raise interruption
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
