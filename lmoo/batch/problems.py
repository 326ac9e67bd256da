"""`solve_many`: solve many problems of one kind."""

import inspect
import math
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lmoo._core.abi1 import CompiledProblem
from lmoo._core.arrays import Array
from lmoo._core.batch import ProblemFits
from lmoo._core.evaluate import thread_count
from lmoo._core.masks import refuse_masked
from lmoo._core.solve import Pointers
from lmoo.batch.chunk import Chunk
from lmoo.batch.fits import Fits
from lmoo.batch.guesses import InitialGuesses
from lmoo.batch.run import checked_solver, solve_batch
from lmoo.batch.tasks import BatchData
from lmoo.errors import EvaluationError
from lmoo.problems.arguments import real_array, shortened
from lmoo.problems.batch import BatchProblem
from lmoo.problems.kinds import has_jacobian, hide_jacobian, in_blocks, is_compiled
from lmoo.problems.parameters import relations_of
from lmoo.problems.problem import Problem
from lmoo.results.pickles import with_optional
from lmoo.solver.solver import Solver


class _Model:
    """A `BatchProblem` in place of the model of a chunk."""

    vectorized = False  # so that no check compares it with single evaluations

    def __init__(self, problem: Any) -> None:
        self.problem = problem
        self.jac = problem.jacobian if has_jacobian(problem) else None


class _Chunk(Chunk):
    """Some of the problems, beginning with number `first`."""

    def __init__(self, model: _Model, first: int, count: int, m: int) -> None:
        super().__init__(model, [], False, np.zeros((count, m)), None)
        self.first = first

    def values(self, which: NDArray[np.intp], x: Array) -> Array:
        """Return the residuals of these problems."""
        return _evaluated(self.model.problem, "residual", x, self.first + which, (self.m,))

    def derivatives(self, which: NDArray[np.intp], x: Array) -> Array:
        """Return their derivatives, (len(which), n, m)."""
        shape = (self.m, x.shape[1])
        found = _evaluated(self.model.problem, "jacobian", x, self.first + which, shape)
        return np.swapaxes(found, 1, 2)


def _evaluated(
    problem: Any, name: str, x: Array, which: NDArray[np.intp], shape: tuple[int, ...] | None
) -> Array:
    with np.errstate(all="ignore"):
        value = getattr(problem, name)(x.copy(), which.copy())
    value = np.asarray(refuse_masked(f"what {name} returns", value, "return a number for each"))
    if value.dtype.kind not in "biuf":
        raise TypeError(f"{name} must return real numbers; it returned dtype {value.dtype}")
    if value.ndim < 2 or len(value) != len(x) or (shape is not None and value.shape[1:] != shape):
        wanted = "(r, m)" if shape is None else str((len(x), *shape))
        raise ValueError(
            f"{name} must return shape {wanted} for r = {len(x)} points; it returned {value.shape}"
        )
    return np.asarray(value, dtype=np.float64)


class _CompiledChunk(Chunk):
    """Some compiled problems, with the bytes of their data."""

    compiled = True

    def __init__(self, problem: Any, count: int, data: NDArray[np.uint8] | None) -> None:
        super().__init__(problem, [], False, np.zeros((count, problem.m)), None)
        self.data = data

    def solve_batch(self, rows: slice, *options: Any) -> ProblemFits:
        """Return the compiled solves of some of the problems; options: those of `SlotFits`."""
        return ProblemFits(*options, self.model, None if self.data is None else self.data[rows])

    def values(self, which: NDArray[np.intp], x: Array) -> Array:
        """Return the residuals of these problems."""
        options = (self.m, 0.0, 0.0, 0.0, 1.0, 1, 1, 0.0, False, False, None, None, True)
        fits = self.solve_batch(slice(None), x[:1], *options, x)
        return np.stack([fits.residual(int(k), row) for k, row in zip(which, x, strict=True)])


class _One(Problem):
    """One problem of a `BatchProblem`."""

    def __init__(self, batch: BatchProblem, which: int) -> None:
        self.batch, self.which = batch, np.array([which])
        self.parameter_names = getattr(batch, "parameter_names", None)
        self.bounds, self.fixed = getattr(batch, "bounds", None), getattr(batch, "fixed", None)
        if not _Model(batch).jac:
            hide_jacobian(self)

    def residual(self, x: Array) -> Any:
        """Return the residual of this problem."""
        return np.asarray(self.batch.residual(x[None], self.which.copy()))[0]

    def jacobian(self, x: Array) -> Any:
        """Return the derivatives of this problem."""
        return np.asarray(self.batch.jacobian(x[None], self.which.copy()))[0]


class _OneCompiled(Problem):
    """One compiled problem with the bytes of its data."""

    def __init__(self, problem: CompiledProblem, data: NDArray[np.uint8]) -> None:
        self.problem, self.data = problem, data
        self.parameter_names = getattr(problem, "parameter_names", None)
        self.bounds, self.fixed = getattr(problem, "bounds", None), getattr(problem, "fixed", None)
        # The compiled derivatives cannot be called from Python.
        hide_jacobian(self)

    def residual(self, x: Array) -> Any:
        """Return the residual of this problem."""
        chunk = _CompiledChunk(self.problem, 1, self.data)
        return chunk.values(np.zeros(1, dtype=np.intp), x[None])[0]


class _Problems:
    """A stack of problems, with the interface of `Dataset` that `BatchData` uses."""

    def __init__(
        self, problem: Any, shape: tuple[int, ...], m: int, data: NDArray[np.uint8] | None = None
    ) -> None:
        self.problem_of_all, self.shape, self.m, self.data = problem, shape, m, data
        self.count = math.prod(shape)

    def compiled(self, model: Any) -> bool:
        """Return whether the problems are solved without Python."""
        return is_compiled(model)

    def chunk(self, model: Any, fits: slice) -> Chunk:
        """Return some of the problems."""
        if is_compiled(model):
            data = None if self.data is None else self.data[fits]
            return _CompiledChunk(model, fits.stop - fits.start, data)
        return _Chunk(model, fits.start, fits.stop - fits.start, self.m)

    def problem(self, model: Any, which: int) -> Any:
        """Return one problem as a `Problem`; None if it is not known, as it cannot be pickled."""
        if model is None:
            return None
        if is_compiled(model):
            if self.data is None:
                return self.problem_of_all
            return _OneCompiled(model, self.data[which : which + 1].copy())
        return _One(model.problem, which)

    def to_pickle(self) -> "_Problems":
        """Return a copy to pickle."""
        return with_optional(self, "problem_of_all")

    def index(self, which: int) -> Any:
        """Return the index of a problem in the stack."""
        index = tuple(int(i) for i in np.unravel_index(which, self.shape))
        return index if len(index) > 1 else index[0]


def solve_many(
    problem: BatchProblem | CompiledProblem,
    x0: ArrayLike,
    *,
    data: ArrayLike | None = None,
    solver: Solver | None = None,
    errors: Literal["raise", "record"] = "raise",
    threads: int | None = None,
    executor: Executor | None = None,
    out: Mapping[str, Any] | None = None,
    progress: bool | Callable[[int, int], Any] | None = None,
) -> Fits:
    """Solve many problems of one kind.

    Each problem has its own iteration; the residual is called once for all problems that are not
    yet solved.

    Parameters
    ----------
    problem : BatchProblem or CompiledProblem
        Compiled problems are solved without Python, on all processors.
    x0 : (..., n) array_like
        A starting point for each problem; its leading dimensions are the shape of the stack.
    data : (..., p) array_like, optional
        For a `CFunctionProblem`: its functions get the address of row k as user_data for problem
        k.  None: the problem's user_data for all, so that only the starting points differ.
    solver, errors, threads, executor, out, progress
        As for `lmoo.curve_fit_many`.

    Returns
    -------
    Fits

    Raises
    ------
    TypeError, ValueError
        An argument of the wrong type or value; a number of residuals that differs between
        problems.
    EvaluationError
        The residual raised an exception, with ``errors="raise"``.

    See Also
    --------
    curve_fit_many : Fit a model y = f(t, x) to a stack of curves.

    Examples
    --------
    See `BatchProblem`.
    """
    compiled = is_compiled(problem)
    if threads is None:
        threads = thread_count() if compiled else 1
    options = checked_solver(solver, errors, threads, executor)
    if options.separable is True:
        raise ValueError(
            "solver must have separable=False for many problems, whose linear parameters are not "
            "known; it is True"
        )
    if not compiled:
        _check_many(problem)
    points = real_array("x0", x0)
    if points.ndim < 2 or points.shape[-1] == 0:
        raise ValueError(f"x0 must have a row for each problem, (..., n); it has {points.shape}")
    shape, n = points.shape[:-1], points.shape[-1]
    rows = _rows_of(problem, data, shape)
    model: Any = problem if compiled else _Model(problem)
    if is_compiled(problem):
        m = problem.m
        if problem.n != n:
            raise ValueError(f"x0 must have the problem's {problem.n} parameters; it has {n}")
    else:
        m = _checked(model, points.reshape(-1, n)) if points.size else n
    problems = _Problems(problem, shape, m, rows)
    guesses = InitialGuesses(points, problems, "x0")
    names = getattr(problem, "parameter_names", None)
    if relations_of(options, problem) is not None:
        raise ValueError(
            "solve_many has no ties, priors, derived quantities and constraints; solve problem by "
            "problem with lmoo.Solver, or curves with lmoo.curve_fit_many"
        )
    bounds, fixed = (
        getattr(problem, name, None) if option is None else option
        for name, option in (("bounds", options.bounds), ("fixed", options.fixed))
    )
    guesses.set_bounds(bounds, fixed, names)
    batch = BatchData(
        problems, model, guesses, options, errors == "record", names,
        absolute_sigma=bool(getattr(problem, "absolute_sigma", None)),
    )  # fmt: skip
    return solve_batch(batch, threads, executor, out, progress)


def _check_many(problem: Any) -> None:
    """Raise TypeError if an object is not many problems, but a single one or none."""
    residual = getattr(problem, "residual", None)
    if not callable(residual):
        what = f"it is {shortened(problem)}"
    elif in_blocks(problem) or not _takes_two(residual):
        what = (
            f"a {type(problem).__name__} is a single problem: lmoo.Solver solves one, "
            "lmoo.curve_fit_many fits many curves, and lmoo.JointProblem has shared parameters"
        )
    else:
        return
    raise TypeError(
        "problem must be a BatchProblem, whose method residual(x, which) returns the residuals of "
        f"many problems; {what}"
    )


def _takes_two(function: Callable[..., Any]) -> bool:
    try:
        inspect.signature(function).bind(None, None)
    except TypeError:
        return False
    except ValueError:
        # Its signature is not known.
        return True
    return True


def _checked(model: _Model, x0: Array) -> int:
    """Return the number of residuals per problem.

    ValueError if the values for three problems depend on whether they are evaluated together.
    """
    which = np.unique(np.linspace(0, len(x0) - 1, 3).astype(np.intp))
    m = -1
    for name in ("residual", "jacobian") if model.jac else ("residual",):
        try:
            rows = [_evaluated(model.problem, name, x0[k][None], k[None], None) for k in which]
        except EvaluationError:
            continue
        together = _evaluated(model.problem, name, x0[which], which, rows[0].shape[1:])
        alone = np.concatenate(rows)
        size = np.abs(np.where(np.isfinite(alone), alone, 0.0)).max(initial=0.0)
        if not np.allclose(together, alone, rtol=1e-9, atol=1e-12 * size, equal_nan=True):
            raise ValueError(
                f"{name} must return rows that depend on their own point and problem alone; for "
                f"{len(which)} problems together the values differ from those for each alone"
            )
        m = alone.shape[1]
    if m < 0:
        raise EvaluationError("residual must have a value at x0 for the problems that are tried")
    return m


def _rows_of(problem: Any, data: Any, shape: tuple[int, ...]) -> NDArray[np.uint8] | None:
    """Return the data as bytes, one row per problem."""
    if data is None:
        return None
    if not isinstance(problem, Pointers):
        raise TypeError(
            f"data must be None but for a CFunctionProblem; problem is a {type(problem).__name__}"
        )
    array = np.ascontiguousarray(refuse_masked("data", data))
    if array.dtype.hasobject or array.shape[: len(shape)] != shape or array.size == 0:
        raise ValueError(
            f"data must be numbers with a row for each problem, shape {shape} + (p,); it has dtype "
            f"{array.dtype}, shape {array.shape}"
        )
    return array.reshape(math.prod(shape), -1).view(np.uint8)
