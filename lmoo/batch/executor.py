"""Run the tasks of a batch in this thread, on threads or on an executor."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor, wait
from os import cpu_count

from lmoo.batch.tasks import ChunkResult, Task


def chunk_results(
    tasks: Iterable[Task], threads: int, executor: Executor | None
) -> Iterator[tuple[Task, ChunkResult]]:
    """Run the tasks in any order, and yield each with its result in their order."""
    if executor is None and threads == 1:
        for task in tasks:
            yield task, task()
    elif executor is None:
        with ThreadPoolExecutor(threads) as pool:
            yield from _submitted(tasks, pool, threads)
    else:
        workers = getattr(executor, "_max_workers", None) or cpu_count() or 1
        yield from _submitted(tasks, executor, workers)


def _submitted(
    tasks: Iterable[Task], executor: Executor, workers: int
) -> Iterator[tuple[Task, ChunkResult]]:
    """Run the tasks on an executor, with at most two pending per worker."""
    pending: deque[tuple[Task, Future[ChunkResult] | None]] = deque()
    try:
        for task in tasks:
            pending.append((task, _submit(executor, task)))
            if len(pending) >= 2 * workers:
                yield _next(pending)
        while pending:
            yield _next(pending)
    finally:
        # No task may run after the caller has left the loop.
        futures = [future for _, future in pending if future is not None]
        for future in futures:
            future.cancel()
        wait(futures)


def _submit(executor: Executor, task: Task) -> "Future[ChunkResult] | None":
    """Return the future of a task; None if the workers of the executor have died."""
    try:
        return executor.submit(task)
    except BrokenExecutor:
        return None


def _next(pending: "deque[tuple[Task, Future[ChunkResult] | None]]") -> tuple[Task, ChunkResult]:
    """Return the next result; run the task in this thread if its worker has died."""
    task, future = pending.popleft()
    if future is None:
        return task, task()
    try:
        return task, future.result()
    except BrokenExecutor:
        return task, task()
    except BaseException:
        pending.appendleft((task, future))
        raise
