"""Cut a batch into chunks of fits, and solve a chunk."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array
from lmoo._core.batch import Batch, SlotFits
from lmoo.batch.chunk import Chunk, with_zeros
from lmoo.batch.guesses import InitialGuesses
from lmoo.batch.separable import reduced_solutions
from lmoo.errors import EvaluationError
from lmoo.jacobians.numeric import ForwardDifference
from lmoo.losses.loss import kernel_of, loss_of
from lmoo.problems.separation import Parts
from lmoo.results.factor import Factor
from lmoo.results.pickles import Optional
from lmoo.solver.solver import Solver
from lmoo.status import Status

_ACCURATE = 1
# Fits of a compiled model that are iterated together: enough to fill vectors, most of the time.
_SLOTS = 32
# Size of the values of one call of the model: its temporaries should fit a second-level cache.
_CALL_BYTES = 2**20
_MOST_COMPILED, _LEAST_COMPILED = 8192, 512  # fits in a chunk of a compiled model
_CHUNK_BYTES = 2**23  # states and buffers of a chunk: long calls of the model, and few of them


@dataclass
class ChunkResult:
    """The results of a chunk.

    Attributes
    ----------
    rows : dict of arrays
        Results by name, with one row per fit.
    observations : (k,) int64 array
        Number of points of each fit that are not missing.
    errors : dict
        Exceptions of the model, by row.
    factor : Factor or None
        Factor of the first fit, if requested.
    limits : dict
        The fields of `Result` for the bounds of the first fit, if requested.
    scale : float or None
        Scale of the loss of the first fit, if there is a loss and it is requested.
    """

    rows: dict[str, NDArray[Any]]
    observations: NDArray[np.int64]
    errors: dict[int, Exception]
    factor: Factor | None = None
    limits: dict[str, Any] = field(default_factory=dict)
    scale: float | None = None


@dataclass
class Task:
    """A chunk of fits to solve.

    Attributes
    ----------
    fits : slice
        The fits of the chunk, as numbers in the batch.
    chunk : Chunk
    x0 : (k, n) array
    solver : Solver
    record : bool
        Continue with the other fits if the model raises for one.
    covariance : bool
        Whether to return covariances.
    factor : bool
        Whether to return the factor and the bounds of the first fit.
    bounds : (2, n) or (k, 2, n) array or None
        Bounds as `box` returns them, the same for all fits or one pair for each.
    parts : Parts or None
        The parameters that are eliminated first, for a compiled model.
    absolute_sigma : bool
        Whether errors are not scaled by the residual.
    """

    fits: slice
    chunk: Chunk
    x0: Array
    solver: Solver
    record: bool
    covariance: bool
    factor: bool = False
    bounds: Array | None = None
    parts: Parts | None = None
    absolute_sigma: bool = False

    def __call__(self) -> ChunkResult:
        """Solve the chunk."""
        chunk = self.chunk
        observations = np.full(len(self.x0), chunk.m, dtype=np.int64)
        if chunk.weights is not None:
            observations[:] = np.count_nonzero(chunk.weights, axis=1)
        empty = observations <= chunk.priors
        if chunk.compiled:
            return self._compiled(observations, empty)
        batch = self._batch()
        batch.end(np.flatnonzero(empty), Status.IMPROPER_INPUT)
        errors = self._solve(batch)
        degrees = observations - self._free()
        rows = _collect(batch, self._deviations(batch, degrees), self.covariance)
        rows["x"][empty] = np.nan
        _without_errors(rows)
        factor = Factor(*batch.factor(0)) if self.factor and rows["njev"][0] else None
        if not self.factor:
            return ChunkResult(rows, observations, errors)
        return ChunkResult(rows, observations, errors, factor, batch.limits(0), batch.scale(0))

    def _free(self) -> Any:
        """Return the number of parameters that are not fixed; with bounds for each fit, (k,)."""
        n: int = self.x0.shape[1]
        return n if self.bounds is None else n - np.isnan(self.bounds[..., 0, :]).sum(axis=-1)

    @property
    def _is_known(self) -> bool:
        """Whether the covariance is ``inv(J.T @ J)``; with a loss the scatter is estimated."""
        return self.absolute_sigma and self.solver.loss == "linear"

    def _deviations(self, fits: Any, degrees: NDArray[np.int64]) -> Array:
        """Return the factors of the standard errors, (k,); inf where they are not determined."""
        if self._is_known:
            return np.ones(degrees.shape)
        with np.errstate(all="ignore"):
            return np.asarray(fits.standard_deviations(degrees.astype(np.float64)))

    def residual(self, x: Array) -> Array:
        """Return the residual of the first fit at x, of the points that are not missing."""
        values = self.chunk.values(np.zeros(1, dtype=np.intp), x[None])[0] - self.chunk.y[0]
        if self.chunk.weights is not None:
            weights = self.chunk.weights[0]
            there = weights != 0.0
            values = values[there] * weights[there]
        return np.array(values)

    def _options(self, some: slice = slice(None)) -> Any:
        """Return m and the options in the order of the compiled classes' arguments."""
        bounds = self.bounds
        if bounds is not None and bounds.ndim == 3:
            bounds = np.ascontiguousarray(bounds[some]).reshape(-1, bounds.shape[2])
        solver, n = self.solver, self.x0.shape[1]
        strategy: Any = solver.jacobian or ForwardDifference()
        maxfev = 1000 * (n + 1) if solver.maxfev is None else min(solver.maxfev, 2**62)
        return (
            max(self.chunk.m, n), solver.ftol, solver.xtol, solver.gtol, solver.factor, maxfev,
            _ACCURATE, strategy.epsfcn, strategy._central,
            getattr(strategy, "refine", False), bounds,
            None if solver.loss == "linear" else kernel_of(loss_of(solver.loss), solver.f_scale),
        )  # fmt: skip

    def _batch(self) -> Batch:
        chunk = self.chunk.padded(self.x0.shape[1])
        has_jacobian = chunk.model.jac is not None
        return Batch(*(self.x0, *self._options(), has_jacobian, chunk.y, chunk.weights))

    def _compiled(self, observations: NDArray[np.int64], empty: NDArray[np.bool_]) -> ChunkResult:
        """Solve a chunk of compiled problems, without Python."""
        k, n = self.x0.shape
        chunk = self.chunk.padded(n)
        starts, before = self.x0, np.zeros((k, 3), dtype=np.int64)
        if self.parts is not None and k and n <= self.chunk.m:
            starts, before = reduced_solutions(self, observations < n)
        uses_jacobian = self.solver.jacobian is None
        degrees = np.broadcast_to(observations - self._free(), (k,))
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

        def solve(some: slice, *out: Any) -> SlotFits:
            x0 = starts[some]
            fits = chunk.solve_batch(some, x0[:_SLOTS], *self._options(some), uses_jacobian, x0)
            left = np.maximum(degrees[some], 0).astype(np.float64)
            fits.run(empty[some].view(np.uint8), left, self._is_known, *out)
            return fits

        covariance = rows.get("covariance")
        out = (
            rows["x"], fnorm, rows["status"], counts, rows["stderr"], covariance, codes, singular,
        )  # fmt: skip
        if k:
            solve(slice(0, k), *out)
        factor, limits, scale = None, {}, None
        for i in [*np.flatnonzero(singular).tolist(), *([0] if self.factor else [])]:
            # Solved again alone, because the next fit overwrites the factor.
            one = tuple(None if array is None else array[i : i + 1].copy() for array in out)
            fits = solve(slice(i, i + 1), *one)
            limits, scale = fits.limits(0), fits.scale(0)
            if counts[i, 1]:
                factor = Factor(*fits.factor(0))
            if singular[i] and factor is not None:
                sigma = self._deviations(fits, degrees[i : i + 1])[0]
                rows["stderr"][i] = factor.standard_errors(sigma)
                if covariance is not None:
                    covariance[i] = factor.covariance(sigma)
        with np.errstate(all="ignore"):
            solved = counts[:, 1] > 0
            rows["cost"][solved] = 0.5 * fnorm[solved] * fnorm[solved]
        counts += before
        rows |= {"nfev": counts[:, 0], "njev": counts[:, 1], "nit": counts[:, 2]}
        errors: dict[int, Exception] = {}
        for i in np.flatnonzero(codes).tolist():
            rows["status"][i] = int(Status.RAISED)
            errors[i] = EvaluationError(f"the compiled function returned {codes[i]}")
        _without_errors(rows)
        last = (factor, limits, scale) if self.factor else (None, {}, None)
        return ChunkResult(rows, observations, errors, *last)

    def _solve(self, batch: Batch) -> dict[int, Exception]:
        """Answer the requests of the fits until all have ended; return exceptions by fit."""
        chunk, n = self.chunk, self.x0.shape[1]
        errors: dict[int, Exception] = {}
        for jacobians in itertools.cycle((False, True) if chunk.model.jac else (False,)):
            which, x = batch.wanted(jacobians, max(_CALL_BYTES // (8 * chunk.m), 1))
            if which.size:
                evaluate = chunk.derivatives if jacobians else chunk.values
                values, raised = chunk.evaluated(evaluate, which, x)
                for row, error in raised.items():
                    errors.setdefault(int(which[row]), error)
                    batch.end(which[row : row + 1], Status.RAISED)
                if raised and not self.record:
                    break
                values = with_zeros(values, max(chunk.m, n))
                (batch.answer_jacobians if jacobians else batch.answer)(which, values)
            elif batch.done:
                break
        return errors


def _without_errors(rows: dict[str, NDArray[Any]]) -> None:
    """Set the errors of fits that have not converged to nan: their last points have none."""
    failed = (rows["status"] < 1) | (rows["status"] > 4)
    for name in ("stderr", "covariance"):
        if name in rows:
            rows[name][failed] = np.nan


def _collect(batch: Batch, sigma: Array, covariance: bool) -> dict[str, NDArray[Any]]:
    """Return the results of the fits by name."""
    k, n = batch.count, batch.n
    x, fnorm = np.empty((k, n)), np.empty(k)
    status, counts = np.empty(k, dtype=np.int64), np.empty((k, 3), dtype=np.int64)
    batch.collect(x, fnorm, status, counts)
    with np.errstate(all="ignore"):
        cost = 0.5 * fnorm * fnorm
    cost[counts[:, 1] == 0] = np.nan
    stderr = np.empty((k, n))
    matrices = np.empty((k, n, n)) if covariance else None
    for i in batch.uncertainty(sigma, stderr, matrices):
        # The compiled code inverts R; a singular Jacobian needs a generalised inverse.
        factor = Factor(*batch.factor(i))
        stderr[i] = factor.standard_errors(sigma[i])
        if matrices is not None:
            matrices[i] = factor.covariance(sigma[i])
    rows: dict[str, NDArray[Any]] = {
        "x": x, "stderr": stderr, "cost": cost, "status": status, "nfev": counts[:, 0],
        "njev": counts[:, 1], "nit": counts[:, 2],
    }  # fmt: skip
    if matrices is not None:
        rows["covariance"] = matrices
    return rows


@dataclass(frozen=True)
class BatchData:
    """A batch of fits: the data, the model, the initial guesses and the options.

    Attributes
    ----------
    dataset : Dataset
        Or another class with its attributes and its methods ``chunk``, ``problem``, ``compiled``
        and ``index``.
    model : object
        Argument of the methods of the dataset.
    guesses : InitialGuesses
    solver : Solver
    record : bool
        Record exceptions of the model instead of raising them.
    names : sequence of str or None
        Names of the parameters.
    evaluation : str
        How the model is evaluated, as in `Result`.
    function : Model or None
        The function that the model is compiled from.
    parts : Parts or None
        The parameters that are eliminated first.
    absolute_sigma : bool
        Whether errors are not scaled by the residual.
    subject : (str, str) or None
        What summaries say about the model; None if it is known.
    traced : bool
        Whether there was a function, which may have been lost in a pickle.
    """

    dataset: Any
    model: Any
    guesses: InitialGuesses
    solver: Solver
    record: bool
    names: Sequence[str] | None
    evaluation: str = "called"
    function: Any = None
    parts: Parts | None = None
    absolute_sigma: bool = False
    subject: tuple[str, str] | None = None
    traced: bool = False

    @property
    def source(self) -> Any:
        """Model or function of the problems of single curves; None if it was lost in a pickle."""
        has_function = self.traced or self.function is not None
        return self.function if has_function else self.model

    @property
    def lost(self) -> str | None:
        """Name of a part that a pickle has lost and single results need; None if there is none."""
        guesses = getattr(self.guesses, "guesses", self.guesses)
        if self.model is None:
            return "model"
        if getattr(self.dataset, "y", self.dataset) is None:
            return "data"
        return "starting values" if guesses.function is None and guesses.values is None else None

    def __getstate__(self) -> dict[str, Any]:
        """Return the state to pickle, without a model or data that cannot be pickled."""
        from lmoo.batch.summary import subject_of

        dataset = self.dataset.to_pickle()
        return {
            **vars(self), "dataset": dataset, "guesses": self.guesses.to_pickle(dataset),
            "model": Optional(self.model), "function": Optional(self.function),
            "subject": subject_of(self), "traced": self.traced or self.function is not None,
        }  # fmt: skip

    def __copy__(self) -> "BatchData":
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> "BatchData":
        # Inputs are shared with the copy.
        return self

    def task(self, fits: slice, covariance: bool = True, factor: bool = False) -> Task:
        """Return the task of some fits."""
        if self.lost is not None:
            raise ValueError(
                f"single results need the {self.lost}, which could not be pickled with these fits: "
                "fit again, or take the results before pickling"
            )
        return Task(
            fits, self.dataset.chunk(self.model, fits), self.guesses.of(fits), self.solver,
            self.record, covariance, factor, self.guesses.edges_of(fits), self.parts,
            self.absolute_sigma,
        )  # fmt: skip

    def chunks(self, threads: int) -> Iterator[slice]:
        """Yield the fits of each chunk."""
        n, m, count = self.guesses.n, self.dataset.m, self.dataset.count
        if self.dataset.compiled(self.model):
            # Each thread has the same number of chunks, and few, because a chunk runs Python code.
            rounds = max(-(-count // (threads * _MOST_COMPILED)), 1)
            size = max(-(-count // (threads * rounds)), _LEAST_COMPILED)
        else:
            size = min(max(_CHUNK_BYTES // (8 * (n * n + m * (n + 6) + 150)), 64), 4096)
        for start in range(0, count, size):
            yield slice(start, min(start + size, count))
