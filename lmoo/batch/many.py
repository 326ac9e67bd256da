"""One model fitted to many curves at once."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lmoo._core.threads import thread_count
from lmoo.batch.chunk import Model, check_vectorized
from lmoo.batch.data import Curves, Starts
from lmoo.batch.tasks import Job, Outcome, outcomes
from lmoo.batch.tracing import checked_solutions, stack_evaluation
from lmoo.errors import EvaluationError
from lmoo.jacobians.strategies import CentralDifference, ForwardDifference
from lmoo.models.library import CompiledModel
from lmoo.models.tracing.evaluation import Evaluation
from lmoo.problems.arguments import integer
from lmoo.problems.curveproblem import checked_trace
from lmoo.problems.names import names_of, parameter_names_of
from lmoo.results.result import Result
from lmoo.solver.solver import Solver, reason
from lmoo.status import Status

__all__ = ["Fits", "curve_fit_many"]

Array = NDArray[np.float64]
Progress = Callable[[int, int], Any]

_MOST_COMPILED, _LEAST = 8192, 512  # compiled fits in a chunk
_CHUNK_BYTES = 2**23  # of states and buffers: calls of the model are to be few, and long


def curve_fit_many(
    f: Callable[..., Any],
    t: ArrayLike,
    y: ArrayLike,
    p0: ArrayLike | Callable[..., Any] | None = None,
    *,
    sigma: ArrayLike | None = None,
    jac: Callable[..., Any] | None = None,
    solver: Solver | None = None,
    vectorized: bool = True,
    nan_policy: str = "raise",
    errors: str = "raise",
    threads: int | None = None,
    executor: Executor | None = None,
    out: Mapping[str, Any] | None = None,
    progress: bool | Callable[[int, int], Any] | None = None,
    trace: bool | str = "auto",
) -> "Fits":
    """Fit one model to each of many curves: one solve a curve, one call of the model for all.

    Each curve has an iteration of its own, that of `Solver`; curves that are done drop out.  The
    model is evaluated for all the others together, with parameters as columns that broadcast
    against t, so most models written for ``scipy.optimize.curve_fit`` can be used as they are.

    Parameters
    ----------
    f : callable or CompiledModel
        ``f(t, *parameters)``, the model: one of `lmoo.models`, which is solved without Python, or
        a function.  Each parameter is a column of shape (k, 1), one row a
        fit; returns an array that broadcasts to (k, m).
    t : (m,) or (..., m) array_like, or tuple of them
        The independent variable, one for all or one a curve; several of them in a tuple, which is
        what f then gets.
    y : (..., m) array_like
        The curves: any stack of them.  A memmap, an HDF5 or zarr data set, anything with shape,
        dtype and slicing, is read chunk by chunk.
    p0 : (n,) or (..., n) array_like, or callable, optional
        Starting values, one set for all or one a curve; or ``p0(t, y)`` that returns them for a
        chunk of curves, y (k, m), missing points as their neighbours.  None: the model's own
        ``guess``.
    sigma : (m,) or (..., m) array_like, optional
        Standard deviations of y, by which residuals are divided; of their relative size alone, as
        in ``curve_fit`` with ``absolute_sigma=False``.  Points that are masked (``numpy.ma``) in
        t, y or sigma are left out, curve by curve.
    jac : callable, optional
        ``jac(t, *parameters)``: n arrays that broadcast to (k, m), or one that broadcasts to
        (k, m, n).  None: forward differences, and central ones before the end.
    solver : Solver, optional
        Tolerances, ``factor`` and ``maxfev``; ``bounds`` and ``fixed``, the same for all curves;
        and ``jacobian`` where it is `ForwardDifference` or `CentralDifference` without typical
        sizes.  Its other options are to be None.
    vectorized : bool, default True
        False: f and jac are called fit by fit, with numbers for the parameters.
    nan_policy : {"raise", "omit"}
        What to do where y is not finite: ValueError, or take the point as missing.
    errors : {"raise", "record"}
        What to do where f raises: EvaluationError that names the curve, or go on with the others,
        with `Status.RAISED` for this one and the exception in `Fits.errors`.  An EvaluationError
        out of f means a bad point, as everywhere: the step is shortened.
    threads : int, optional
        Chunks that are worked on at the same time.  None: 1 for a function that is called, which
        may not allow more, and all processors for a compiled model.
    executor : concurrent.futures.Executor, optional
        Who works on the chunks: a pool of processes, Dask's ``Client.get_executor()``, the pool of
        mpi4py.futures.  A chunk whose worker died is solved again, here if need be.
    out : dict, optional
        Arrays for the results, by the names of the attributes of `Fits`; memmaps, say.  None for
        one that is not to be kept, which may be ``"covariance"``.
    progress : bool or callable, optional
        True: a bar (``pip install lmoo[progress]``).  Or ``progress(done, total)``, called after
        each chunk of curves.
    trace : {"auto", True, False}
        Whether f is traced (see `lmoo.trace`) and the stack solved without Python, with exact
        derivatives.  "auto": where that is possible and there is no `jac`; f is called at the start
        of three curves and at the solutions, where its values are compared with those of the
        trace.  True: it must be possible.  False: f itself is called throughout.

    Returns
    -------
    Fits
        Arrays of the shape of the stack: x, stderr, cost, status, ...

    Raises
    ------
    ValueError
        f mixes the fits: three of them evaluated alone and together disagree; shapes that do not
        go together; y not finite; an unknown policy.
    TypeError
        Arguments of the wrong type.
    EvaluationError
        f raised, with ``errors="raise"``.
    TraceError
        `trace` is True, and f cannot be traced.

    Warns
    -----
    TraceWarning
        At a solution the trace of f differs from f; the fits were made again with f.

    Notes
    -----
    A curve with fewer points than parameters gets `Status.IMPROPER_INPUT` and NaN; one whose
    residual is not finite at its start gets `Status.NOT_FINITE` and its start.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> def decay(t, a, b, c):
    ...     return a * np.exp(-b * t) + c
    >>> t = np.linspace(0, 4, 20)
    >>> rates = np.linspace(0.5, 2.0, 1000)
    >>> y = decay(t, 2.5, rates[:, None], 0.5)
    >>> fits = lmoo.curve_fit_many(decay, t, y, p0=[1, 1, 0])
    >>> fits.x.shape, bool(fits.success.all())
    ((1000, 3), True)
    >>> bool(np.allclose(fits.x[:, 1], rates))
    True
    """
    curves = Curves(t, y, sigma, nan_policy)
    checked_trace(trace)
    solver = checked_call(solver, errors, 1 if threads is None else threads, executor)
    for name, function in (("f", f), ("jac", jac)):
        if not callable(function) and (name == "f" or function is not None):
            raise TypeError(f"{name} must be callable; it is {function!r}")
    model: Model | CompiledModel
    if isinstance(f, CompiledModel):
        model = _checked(f, jac, curves)
        p0 = f.guess if p0 is None else p0
    else:
        model = Model(f, jac, bool(vectorized))
    if p0 is None:
        raise TypeError("p0 must be given, as f is a function")
    starts = Starts(p0, curves)
    starts.keep_within(solver.bounds, solver.fixed, parameter_names_of(f))
    if isinstance(model, CompiledModel) and curves.count and starts.n != model.n:
        raise ValueError(f"p0 must have {model.n} parameters, as f has; it has {starts.n}")

    def fits_of(model: Any, evaluation: str, function: Any = None) -> Fits:
        return fitted(
            Work(
                curves, model, starts, solver, errors == "record", parameter_names_of(f),
                evaluation, function,
            ),
            (1 if isinstance(model, Model) else thread_count()) if threads is None else threads,
            executor, out, progress,
        )  # fmt: skip

    if isinstance(model, CompiledModel):
        return fits_of(model, "compiled")
    if curves.count and model.vectorized:
        few = [starts.of(slice(k, k + 1)) for k in curves.samples()]
        check_vectorized(curves.few(model), np.concatenate(few), starts.edges)
    evaluation = stack_evaluation(model, curves, starts, solver, trace)
    if evaluation.model is not None:
        fits = fits_of(evaluation.model, evaluation.text, model)
        reason = checked_solutions(model, evaluation.model, curves, fits._points(), trace)
        if reason is None:
            return fits
        evaluation = Evaluation(f, reason)
    return fits_of(model, evaluation.text)


def checked_call(
    solver: Solver | None, errors: str, threads: int, executor: Executor | None
) -> Solver:
    """Return the solver, if the options that all calls share are what they should be."""
    solver = _plain(solver)
    if errors not in ("raise", "record"):
        raise ValueError(f"errors must be 'raise' or 'record'; it is {errors!r}")
    if integer("threads", threads) < 1:
        raise ValueError(f"threads must be at least 1; it is {threads!r}")
    if executor is not None and not isinstance(executor, Executor):
        raise TypeError(
            f"executor must be a concurrent.futures.Executor or None; it is {executor!r}"
        )
    return solver


def fitted(
    work: "Work",
    threads: int,
    executor: Executor | None,
    out: Mapping[str, Any] | None,
    progress: bool | Progress | None,
) -> "Fits":
    """Do the work and return what comes of it."""
    fits = Fits._empty(work, out)
    with _shown(progress) as show:
        for job, outcome in outcomes(fits._jobs(threads), threads, executor):
            fits._take(job.part, outcome)
            show(job.part.stop, work.curves.count)
    return fits


def _checked(model: CompiledModel, jac: Any, curves: Curves) -> CompiledModel:
    """Return the model, if it is one for these curves."""
    if jac is not None:
        raise ValueError(f"jac must be None for a compiled model, which has its own; it is {jac!r}")
    if model.variables != len(curves.t):
        raise ValueError(
            f"t must be {model.variables} arrays for {type(model).__name__}; it has {len(curves.t)}"
        )
    return model


def _plain(solver: Solver | None) -> Solver:
    """Return the solver, if it has nothing that a stack of fits cannot take."""
    if solver is None:
        return Solver()
    if not isinstance(solver, Solver):
        raise TypeError(f"solver must be a Solver or None; it is {solver!r}")
    for name in ("diag", "step", "time_limit"):
        if getattr(solver, name) is not None:
            raise ValueError(
                f"solver must have {name}=None for many fits; it is {getattr(solver, name)!r}"
            )
    strategy = solver.jacobian
    if strategy is not None and (
        type(strategy) not in (ForwardDifference, CentralDifference)
        or getattr(strategy, "typical", None) is not None
    ):
        raise ValueError(
            "solver must have jacobian=None, or ForwardDifference or CentralDifference without "
            f"typical sizes, for many fits; it is {strategy!r}"
        )
    return solver


@contextmanager
def _shown(progress: bool | Progress | None) -> Iterator[Progress]:
    """Return what shows the progress."""
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


@dataclass(frozen=True)
class Work:
    """What is to be fitted to what: curves and a model, or whatever makes chunks as those do."""

    curves: Any
    model: Any
    starts: Starts
    solver: Solver
    record: bool
    names: Sequence[str] | None
    evaluation: str = "called"
    # The model as a function, where it has been compiled from that.
    function: Any = None

    def job(self, part: slice, covariance: bool = True, factor: bool = False) -> Job:
        """Return the job of some curves."""
        return Job(
            part, self.curves.chunk(self.model, part), self.starts.of(part), self.solver,
            self.record, covariance, factor, self.starts.edges,
        )  # fmt: skip

    def parts(self, threads: int) -> Iterator[slice]:
        """Cut the stack into chunks."""
        n, m, count = self.starts.n, self.curves.m, self.curves.count
        if self.curves.compiled(self.model):
            # Solved a few at a time: as many chunks for one thread as for another, and few for the
            # interpreter.
            rounds = max(-(-count // (threads * _MOST_COMPILED)), 1)
            size = max(-(-count // (threads * rounds)), _LEAST)
        else:
            size = min(max(_CHUNK_BYTES // (8 * (n * n + m * (n + 6) + 150)), 64), 4096)
        for start in range(0, count, size):
            yield slice(start, min(start + size, count))


@dataclass(frozen=True, eq=False)
class Fits:
    """What `curve_fit_many` came to: arrays over the stack of curves, whose shape is ``shape``.

    Attributes
    ----------
    shape : tuple of int
        That of the stack.
    x : shape + (n,) float64 array
        The parameters.
    stderr : shape + (n,) float64 array
        Their standard errors, scaled by the residual variance; inf for those that the curve
        does not determine.
    cost : float64 array
        ``1/2 sum(residual**2)``.
    status : int64 array
        Values of `Status`.
    success : bool array
        Whether a minimum was found.
    nfev, njev, nit : int64 array
        Evaluations of the model (those for numeric derivatives included), Jacobians, iterations.
    covariance : shape + (n, n) float64 array
        Scaled as the standard errors are; inf and nan for what the curve does not determine.
    errors : dict
        The exceptions of curves with `Status.RAISED`, by index.
    evaluation : str
        How the model was evaluated: "compiled", "compiled from <function>", or "called, because
        <reason>"; see `Result`.

    Notes
    -----
    ``fits[i]``, with as many indices as the stack has dimensions, is the `Result` of one curve: it
    is solved once more, to the same bits.  It knows its curve, so that intervals, predictions and
    pictures are to be had.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> t = np.arange(6.0)
    >>> y = np.array([[1.0], [2.0]]) * t + 0.01 * np.cos(3 * t)
    >>> fits = lmoo.curve_fit_many(lambda t, slope: slope * t, t, y, p0=[0.5])
    >>> fits.x.round(2).ravel(), fits[1].success
    (array([1., 2.]), True)
    """

    shape: tuple[int, ...]
    x: Array
    stderr: Array
    cost: Array
    status: NDArray[np.int64]
    nfev: NDArray[np.int64]
    njev: NDArray[np.int64]
    nit: NDArray[np.int64]
    covariance: Array | None
    errors: dict[Any, Exception]
    _work: Work

    @classmethod
    def _empty(cls, work: Work, out: Mapping[str, Any] | None) -> "Fits":
        shape, n = work.curves.shape, work.starts.n
        given = dict(out or {})
        arrays: dict[str, Any] = {}
        for name, extra in _EXTRA.items():
            wanted = shape + (n,) * extra
            array = given.pop(name, _MISSING)
            if array is _MISSING:
                kind = np.int64 if name in _INTEGERS else np.float64
                array = np.zeros(wanted, dtype=kind)
            elif array is None and name == "covariance":
                pass
            elif getattr(array, "shape", None) != wanted:
                raise ValueError(
                    f"out[{name!r}] must be an array of shape {wanted}; it is {array!r}"
                )
            arrays[name] = array
        if given:
            raise ValueError(
                f"out must have names of {', '.join(_EXTRA)} only; it has {', '.join(given)}"
            )
        return cls(shape=shape, errors={}, _work=work, **arrays)

    def _jobs(self, threads: int) -> Iterator[Job]:
        for part in self._work.parts(threads):
            yield self._work.job(part, self.covariance is not None)

    def _take(self, part: slice, outcome: Outcome) -> None:
        """Write a chunk's fits."""
        curves = self._work.curves
        for row, error in sorted(outcome.errors.items()):
            index = curves.index(part.start + row)
            if not self._work.record:
                raise EvaluationError(f"f raised {error!r} for curve {index}") from error
            self.errors[index] = error
        for name, values in outcome.rows.items():
            _write(getattr(self, name), len(self.shape), part, values)

    def _points(self) -> Array:
        """Return the parameters as (count, n)."""
        return np.asarray(self.x).reshape(-1, self._work.starts.n)

    @property
    def evaluation(self) -> str:
        """How the model was evaluated, as `Result.evaluation`."""
        return self._work.evaluation

    @property
    def success(self) -> NDArray[np.bool_]:
        """Whether a minimum was found."""
        status = np.asarray(self.status)
        return (status >= 1) & (status <= 4)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> Result:
        where = index if isinstance(index, tuple) else (index,)
        if len(where) != len(self.shape):
            raise IndexError(
                f"index must have one number for each of the {len(self.shape)} dimensions of the "
                f"stack; it is {index!r}"
            )
        which = int(np.ravel_multi_index(_positive(where, self.shape), self.shape))
        work = self._work
        job = work.job(slice(which, which + 1), factor=True)
        job.record = True
        outcome = job()
        row = {name: values[0] for name, values in outcome.rows.items()}
        status = Status(int(row["status"]))
        names = names_of(work.names, work.starts.n)
        problem = work.curves.problem(work.function or work.model, which)
        residual = np.empty(0)
        if not outcome.errors and np.isfinite(row["cost"]):
            own = work.function is not None
            residual = problem.residual(row["x"]) if own else job.residual(row["x"])
        return Result(
            x=row["x"],
            cost=float(row["cost"]),
            residual=residual,
            observations=int(outcome.observations[0]),
            status=status,
            message=reason(status, names, outcome.limits.get("active_mask")),
            nfev=int(row["nfev"]),
            njev=int(row["njev"]),
            nit=int(row["nit"]),
            parameter_names=names,
            fnorm=float(np.sqrt(2.0 * row["cost"])),
            factor=outcome.factor,
            problem=problem,
            solver=work.solver,
            evaluation=work.evaluation,
            **outcome.limits,
        )  # fmt: skip


# The results, with how often n follows the shape of the stack.
_EXTRA = {
    "x": 1, "stderr": 1, "cost": 0, "status": 0, "nfev": 0, "njev": 0, "nit": 0, "covariance": 2,
}  # fmt: skip
_INTEGERS = ("status", "nfev", "njev", "nit")
_MISSING = object()


def _positive(where: tuple[Any, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return indices counted from the start; IndexError where they are beyond the end."""
    for i, size in zip(where, shape, strict=True):
        if isinstance(i, bool) or not isinstance(i, (int, np.integer)) or not -size <= i < size:
            raise IndexError(f"index must be integers within {shape}; it is {where}")
    return tuple(int(i) % size for i, size in zip(where, shape, strict=True))


def _write(array: Any, dimensions: int, part: slice, values: NDArray[Any]) -> None:
    """Write rows into an array whose leading dimensions are those of the stack."""
    if dimensions == 1:
        array[part] = values
        return
    if isinstance(array, np.ndarray) and array.flags.c_contiguous:
        array.reshape(-1, *array.shape[dimensions:])[part] = values
        return
    where = np.unravel_index(np.arange(part.start, part.stop), array.shape[:dimensions])
    for row, index in enumerate(zip(*where, strict=True)):
        array[index] = values[row]
