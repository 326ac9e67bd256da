"""Executors of processes, which start sooner than those that import all packages anew."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_all_start_methods, get_context

# The processes of a fork server come from one that has imported these packages; a worker that is
# spawned takes half a second to do so.  Both get problems by pickles, and share nothing.
FORKS = "forkserver" in get_all_start_methods()
CONTEXT = get_context("forkserver" if FORKS else "spawn")
if FORKS:
    CONTEXT.set_forkserver_preload(
        ["pytest", "lmoo", "lmoo.solver", "lmoo.batch", "lmoo.blockwise", "lmoo.models"]
    )


def processes(count: int) -> ProcessPoolExecutor:
    """Return an executor of so many processes."""
    return ProcessPoolExecutor(count, mp_context=CONTEXT)
