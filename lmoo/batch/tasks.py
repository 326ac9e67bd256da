"""The work of many fits, chunk by chunk: here, on threads, or wherever an executor takes it."""

import itertools
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from os import cpu_count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.batch import Batch
from lmoo._core.modelfits import SlotFits
from lmoo.batch.chunk import Chunk
from lmoo.errors import EvaluationError
from lmoo.jacobians.strategies import CentralDifference, ForwardDifference
from lmoo.results.factor import Factor
from lmoo.solver.solver import Solver
from lmoo.status import Status

__all__ = ["Job", "Outcome", "outcomes"]

Array = NDArray[np.float64]

_ACCURATE = 1
_SLOTS = 64  # fits of a compiled model at work at once: what a second-level cache holds
# Of values of the model, for all that it makes on the way to stay in a second-level cache.
_ROUND_BYTES = 2**20


@dataclass
class Outcome:
    """What came of a chunk: arrays with a row a fit, and what models raised, by row."""

    rows: dict[str, NDArray[Any]]
    observations: NDArray[np.int64]
    errors: dict[int, Exception]
    factor: Factor | None = None
    limits: dict[str, Any] = field(default_factory=dict)


@dataclass
class Job:
    """A chunk of fits to solve.

    Attributes
    ----------
    part : slice
        Which of all they are.
    chunk : Chunk
    x0 : (k, n) array
    solver : Solver
    record : bool
        Go on where a model raises.
    covariance : bool
        Is wanted.
    factor : bool
        That of the first fit is wanted, and what `Result` says of its bounds.
    bounds : (2, n) array or None
        Of all fits, as kernels take them.
    """

    part: slice
    chunk: Chunk
    x0: Array
    solver: Solver
    record: bool
    covariance: bool
    factor: bool = False
    bounds: Array | None = None

    def __call__(self) -> Outcome:
        """Solve the chunk."""
        chunk, n = self.chunk, self.x0.shape[1]
        observations = np.full(len(self.x0), chunk.m, dtype=np.int64)
        if chunk.weights is not None:
            observations[:] = np.count_nonzero(chunk.weights, axis=1)
        few = observations < n
        if chunk.compiled:
            return self._compiled(observations, few)
        batch = self._batch()
        batch.end(np.flatnonzero(few), Status.IMPROPER_INPUT)
        errors = self._solve(batch)
        rows = _collect(batch, observations - self._free(), self.covariance)
        rows["x"][few] = np.nan
        factor = Factor(*batch.factor(0)) if self.factor and rows["njev"][0] else None
        return Outcome(rows, observations, errors, factor, batch.limits(0) if self.factor else {})

    def _free(self) -> int:
        """Return how many parameters are not fixed, each of which takes a degree of freedom."""
        n: int = self.x0.shape[1]
        return n if self.bounds is None else n - int(np.isnan(self.bounds[0]).sum())

    def residual(self, x: Array) -> Array:
        """Return the residual of the first fit at x, (n,)."""
        values = self.chunk.values(np.zeros(1, dtype=np.intp), x[None])[0] - self.chunk.y[0]
        if self.chunk.weights is not None:
            weights = self.chunk.weights[0]
            values = np.where(weights == 0.0, 0.0, values * weights)
        return np.array(values)

    def _options(self) -> Any:
        """Return m and the options as the compiled classes take them."""
        solver, n = self.solver, self.x0.shape[1]
        strategy: Any = solver.jacobian or ForwardDifference()
        maxfev = 1000 * (n + 1) if solver.maxfev is None else min(solver.maxfev, 2**62)
        return (
            self.chunk.m, solver.ftol, solver.xtol, solver.gtol, solver.factor, maxfev, _ACCURATE,
            strategy.epsfcn, isinstance(strategy, CentralDifference),
            getattr(strategy, "refine", False), self.bounds,
        )  # fmt: skip

    def _batch(self) -> Batch:
        chunk = self.chunk
        own = chunk.model.jac is not None
        return Batch(*(self.x0, *self._options(), own, chunk.y, chunk.weights))

    def _compiled(self, observations: NDArray[np.int64], few: NDArray[np.bool_]) -> Outcome:
        """Solve a chunk of compiled problems, without Python."""
        chunk, (k, n) = self.chunk, self.x0.shape
        own = self.solver.jacobian is None
        degrees = observations - self._free()
        rows: dict[str, NDArray[Any]] = {
            "x": np.full((k, n), np.nan),
            "stderr": np.full((k, n), np.inf),
            "cost": np.full(k, np.nan),
            "status": np.full(k, int(Status.IMPROPER_INPUT), dtype=np.int64),
        }
        if self.covariance:
            rows["covariance"] = np.full((k, n, n), np.inf)
        fnorm, counts = np.full(k, np.nan), np.zeros((k, 3), dtype=np.int64)
        codes, singular = np.zeros(k, dtype=np.int32), np.zeros(k, dtype=np.uint8)

        def solve(part: slice, *out: Any) -> SlotFits:
            x0 = self.x0[part]
            fits = chunk.fleet(part, x0[:_SLOTS], *self._options(), own, x0)
            fits.run(few[part].view(np.uint8), degrees[part].astype(np.float64), *out)
            return fits

        full = rows.get("covariance")
        out = (rows["x"], fnorm, rows["status"], counts, rows["stderr"], full, codes, singular)
        if k:
            solve(slice(0, k), *out)
        factor, limits = None, {}
        for i in [*np.flatnonzero(singular).tolist(), *([0] if self.factor else [])]:
            # Once more, by itself, so that it leaves its factor behind.
            one = tuple(None if array is None else array[i : i + 1].copy() for array in out)
            fits = solve(slice(i, i + 1), *one)
            limits = fits.limits(0)
            if counts[i, 1]:
                factor = Factor(*fits.factor(0))
            if singular[i] and factor is not None:
                deviation = fnorm[i] / np.sqrt(degrees[i])
                rows["stderr"][i] = factor.deviations(deviation)
                if full is not None:
                    full[i] = factor.covariance(deviation)
        with np.errstate(all="ignore"):
            solved = counts[:, 1] > 0
            rows["cost"][solved] = 0.5 * fnorm[solved] * fnorm[solved]
        rows |= {"nfev": counts[:, 0], "njev": counts[:, 1], "nit": counts[:, 2]}
        errors: dict[int, Exception] = {}
        for i in np.flatnonzero(codes).tolist():
            rows["status"][i] = int(Status.RAISED)
            errors[i] = EvaluationError(f"the compiled function returned {codes[i]}")
        last = (factor, limits) if self.factor else (None, {})
        return Outcome(rows, observations, errors, *last)

    def _solve(self, batch: Batch) -> dict[int, Exception]:
        """Answer what the fits ask for until all have ended; return what models raised."""
        chunk = self.chunk
        errors: dict[int, Exception] = {}
        for jacobians in itertools.cycle((False, True) if chunk.model.jac else (False,)):
            who, x = batch.wanted(jacobians, max(_ROUND_BYTES // (8 * chunk.m), 1))
            if who.size:
                evaluate = chunk.derivatives if jacobians else chunk.values
                values, raised = chunk.tracked_down(evaluate, who, x)
                for row, error in raised.items():
                    errors.setdefault(int(who[row]), error)
                    batch.end(who[row : row + 1], Status.RAISED)
                if raised and not self.record:
                    break
                (batch.answer_jacobians if jacobians else batch.answer)(who, values)
            elif batch.done:
                break
        return errors


def _collect(batch: Batch, degrees: NDArray[np.int64], covariance: bool) -> dict[str, NDArray[Any]]:
    """Return what came of the fits."""
    k, n = batch.count, batch.n
    x, fnorm = np.empty((k, n)), np.empty(k)
    status, counts = np.empty(k, dtype=np.int64), np.empty((k, 3), dtype=np.int64)
    batch.collect(x, fnorm, status, counts)
    with np.errstate(all="ignore"):
        cost = 0.5 * fnorm * fnorm
        deviation = np.where(degrees > 0, fnorm / np.sqrt(np.maximum(degrees, 1)), np.inf)
    cost[counts[:, 1] == 0] = np.nan
    stderr = np.empty((k, n))
    full = np.empty((k, n, n)) if covariance else None
    for i in batch.uncertainty(deviation, stderr, full):
        # What is left of them where J is singular takes more than a triangle's inverse.
        factor = Factor(*batch.factor(i))
        stderr[i] = factor.deviations(deviation[i])
        if full is not None:
            full[i] = factor.covariance(deviation[i])
    rows: dict[str, NDArray[Any]] = {
        "x": x, "stderr": stderr, "cost": cost, "status": status, "nfev": counts[:, 0],
        "njev": counts[:, 1], "nit": counts[:, 2],
    }  # fmt: skip
    if full is not None:
        rows["covariance"] = full
    return rows


# ---- who does it ----------------------------------------------------------------------------


def outcomes(
    jobs: Iterable[Job], threads: int, executor: Executor | None
) -> Iterator[tuple[Job, Outcome]]:
    """Do the jobs, in any order, and yield what comes of them in theirs."""
    if executor is None and threads == 1:
        for job in jobs:
            yield job, job()
    elif executor is None:
        with ThreadPoolExecutor(threads) as pool:
            yield from _submitted(jobs, pool, threads)
    else:
        workers = getattr(executor, "_max_workers", None) or cpu_count() or 1
        yield from _submitted(jobs, executor, workers)


def _submitted(
    jobs: Iterable[Job], executor: Executor, workers: int
) -> Iterator[tuple[Job, Outcome]]:
    """Do the jobs on an executor, with no more than two a worker under way."""
    under_way: deque[tuple[Job, Future[Outcome] | None]] = deque()
    try:
        for job in jobs:
            under_way.append((job, _submit(executor, job)))
            if len(under_way) >= 2 * workers:
                yield _taken(under_way)
        while under_way:
            yield _taken(under_way)
    finally:
        # Nothing of this is to run when the caller has gone.
        futures = [future for _, future in under_way if future is not None]
        for future in futures:
            future.cancel()
        wait(futures)


def _submit(executor: Executor, job: Job) -> "Future[Outcome] | None":
    """Return the job's future; None where the executor's workers have died."""
    try:
        return executor.submit(job)
    except BrokenExecutor:
        return None


def _taken(under_way: "deque[tuple[Job, Future[Outcome] | None]]") -> tuple[Job, Outcome]:
    """Return the next outcome; of a job whose worker died, by doing it again, here."""
    job, future = under_way.popleft()
    if future is None:
        return job, job()
    try:
        return job, future.result()
    except BrokenExecutor:
        return job, job()
    except BaseException:
        under_way.appendleft((job, future))
        raise
