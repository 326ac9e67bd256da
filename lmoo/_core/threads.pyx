"""Jobs without the GIL on several Python threads."""

import os
import threading


cdef class _Worker:
    """Every step-th job from first on."""

    cdef job_function job
    cdef void *context
    cdef ptrdiff_t first, count, step

    def __call__(self):
        cdef ptrdiff_t k = self.first
        with nogil:
            while k < self.count:
                self.job(k, self.context)
                k += self.step


cdef int run_in_threads(job_function job, ptrdiff_t count, void *context) except -1 with gil:
    """Run job(0, context) to job(count - 1, context), at the same time as far as threads go.

    job      without the GIL; each call is to write to memory of its own
    context  whatever the jobs share, the caller's

    All have ended when this returns, or raises KeyboardInterrupt.
    """
    cdef ptrdiff_t k, step = min(thread_count(), count)
    cdef _Worker worker
    cdef list workers = [], others
    for k in range(step):
        worker = _Worker()
        worker.job, worker.context = job, context
        worker.first, worker.count, worker.step = k, count, step
        workers.append(worker)
    others = [_started(worker) for worker in workers[1:]]
    workers[0]()
    _join(others)
    return 0


cdef object _started(_Worker worker):
    """A thread for the worker, or None where there was none to be had and the work is done."""
    thread = threading.Thread(target=worker, daemon=True)
    try:
        thread.start()
    except RuntimeError:
        worker()
        return None
    return thread


cdef int _join(list others) except -1:
    """Wait for all; they use the caller's memory, so what interrupts the wait has to wait too."""
    interruption = None
    for thread in others:
        while thread is not None and thread.is_alive():
            try:
                thread.join()
            except BaseException as error:
                interruption = error
    if interruption is not None:
        raise interruption
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
