"""Solve a batch: the common part of `curve_fit_many` and `solve_many`."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo.batch.executor import chunk_results
from lmoo.batch.fits import Fits
from lmoo.batch.tasks import BatchData
from lmoo.losses.loss import Loss
from lmoo.problems.arguments import integer
from lmoo.solver.solver import Solver

Progress = Callable[[int, int], Any]
Check = Callable[[slice, NDArray[np.float64]], bool]

_DEFAULT = Solver()


def checked_solver(
    solver: Solver | None, errors: str, threads: int, executor: Executor | None
) -> Solver:
    """Check the options of a batch and return its solver."""
    solver = _supported(solver)
    if errors not in ("raise", "record"):
        raise ValueError(f"errors must be 'raise' or 'record'; it is {errors!r}")
    if integer("threads", threads) < 1:
        raise ValueError(f"threads must be at least 1; it is {threads!r}")
    if executor is not None and not isinstance(executor, Executor):
        raise TypeError(
            f"executor must be a concurrent.futures.Executor or None; it is {executor!r}"
        )
    return solver


def solve_batch(
    batch: BatchData,
    threads: int,
    executor: Executor | None,
    out: Mapping[str, Any] | None,
    progress: bool | Progress | None,
    check: Check | None = None,
) -> Fits:
    """Solve all fits of a batch and return their results.

    ``check(fits, points)`` is called for each chunk, with its parameters (k, n), while others are
    solved; the batch ends at the first one for which it returns False.
    """
    fits = Fits._empty(batch, out)
    with _progress(progress) as show:
        for task, result in chunk_results(fits._tasks(threads), threads, executor):
            fits._store(task.fits, result)
            if check is not None and not check(task.fits, result.rows["x"]):
                break
            show(task.fits.stop, batch.dataset.count)
    return fits


def _supported(solver: Solver | None) -> Solver:
    """Return the solver; ValueError if it has options that batches do not support."""
    if solver is None:
        return _DEFAULT
    if not isinstance(solver, Solver):
        raise TypeError(f"solver must be a Solver or None; it is {solver!r}")
    for name in ("diag", "step", "time_limit", "linear"):
        if getattr(solver, name) is not None:
            raise ValueError(
                f"solver must have {name}=None for many fits; it is {getattr(solver, name)!r}"
            )
    if isinstance(solver.loss, Loss) and solver.loss.func is not None:
        raise ValueError(
            "solver must have a loss of lmoo.losses for many fits, by its name; it has the "
            f"callable {solver.loss!r}"
        )
    strategy = solver.jacobian
    plain = strategy is None or (
        strategy._by_differences and getattr(strategy, "typical", None) is None
    )
    if not plain:
        raise ValueError(
            "solver must have jacobian=None, or ForwardDifference or CentralDifference without "
            f"typical sizes, for many fits; it is {strategy!r}"
        )
    return solver


@contextmanager
def _progress(progress: bool | Progress | None) -> Iterator[Progress]:
    """Return a function that shows the progress."""
    if progress is None or progress is False:
        yield lambda done, total: None
    elif progress is True:
        try:
            from tqdm.auto import tqdm
        except ImportError:
            raise ImportError(
                "progress=True needs tqdm: pip install lmoo[progress]; or pass a callable"
            ) from None
        with tqdm(unit=" fits") as bar:

            def update(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            yield update
    elif callable(progress):
        yield progress
    else:
        raise TypeError(f"progress must be True or callable; it is {progress!r}")
