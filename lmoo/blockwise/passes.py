"""Tall problems: their rows come in blocks, and are folded as they come."""

import copy
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lmoo._core.residual import Residual
from lmoo._core.rows import (
    RefusedError,
    RowSource,
    block_norm,
    block_triangle,
)
from lmoo.blockwise.tree import Part, Tree
from lmoo.errors import EvaluationError
from lmoo.problems.problem import Problem

__all__ = ["RowBlockProblem"]


class RowBlockProblem:
    """A least-squares problem whose rows come in blocks, of which one is looked at at a time.

    For more rows than memory holds, and for rows that are spread over machines.  Subclass it and
    write `residual`, and `jacobian` where the derivatives are known; `lmoo.Solver` solves it as
    any other problem.  Of each block's Jacobian a triangle is kept, (n, n + 1), so memory is that
    of one block at a time (of two per thread, with an executor), however many there are.

    Parameters
    ----------
    blocks : iterable, optional
        The blocks: whatever `residual` takes as its second argument, such as pairs of arrays,
        slices of a memmap, names of files.  Each ``iter(blocks)`` must start anew and give the
        same blocks in the same order, so a list will do, and a generator will not.  A subclass
        may write ``blocks`` as a method instead, which then may be a generator.  For a Dask
        client also: a dask.array, chunked along its rows only, or a dask.dataframe, whose
        partitions become the blocks (arrays, data frames), or an iterable of futures, Delayed
        objects, or tuples of them.
    executor : concurrent.futures.Executor or distributed.Client, optional
        Who evaluates the blocks; None (the default): the calling thread, one after another.
        With a Dask client (``pip install lmoo[dask]``) blocks stay on the workers that hold them.
        A block whose worker died is evaluated again: by Dask on another one, for a pool of
        processes in the calling thread.

    Attributes
    ----------
    parameter_names : sequence of str or None
        Names of the n parameters, for reports.

    See Also
    --------
    CurveBlocks : a model y = f(x), and data in arrays.

    Notes
    -----
    The result is the same bit for bit with any executor and any number of workers, on one type of
    processor.  Other blocks of the same rows give other last digits.

    ``nfev`` counts passes over all blocks as `lmoo.Solver` counts evaluations; each of the
    ``njev`` linearisations evaluates the residual of every block once more, uncounted.
    `Result.residual` is empty, as nobody holds all rows; `Result.observations` is their number.
    Steps are not corrected for curvature here, as that would take another pass over the Jacobian:
    `GeodesicAcceleration` takes the steps of ``More(accelerate=False)``.

    A block may have no rows, and fewer than n.  The rows of all must be n at least.

    An executor is not pickled along with a problem.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> class Decay(lmoo.RowBlockProblem):
    ...     def residual(self, x, block):
    ...         t, y = block
    ...         return x[0] * np.exp(-x[1] * t) - y
    >>> times = np.linspace(0, 4, 1000).reshape(10, 100)
    >>> problem = Decay([(t, 3 * np.exp(-0.5 * t)) for t in times])
    >>> result = lmoo.Solver().solve(problem, x0=[1, 1])
    >>> result.x.round(6), result.observations
    (array([3. , 0.5]), 1000)
    """

    parameter_names: Sequence[str] | None = None
    blocks: Any = None
    executor: Any = None

    def __init__(self, blocks: Any = None, executor: Any = None) -> None:
        if blocks is not None:
            self.blocks = blocks
        self.executor = executor

    def residual(self, x: NDArray[np.float64], block: Any) -> ArrayLike:
        """Return the residuals of one block at x.

        Weights and robust scaling of rows happen here.

        Parameters
        ----------
        x : (n,) float64 array
            The callee's own: it may be kept or changed.
        block : object
            One of the problem's blocks.

        Returns
        -------
        (rows,) array_like of real numbers
            As many for the same block at every call.

        Raises
        ------
        EvaluationError
            Where there is no value at x: the solver tries a shorter step.
        """
        raise NotImplementedError(f"{type(self).__name__} must define residual(self, x, block)")

    def jacobian(self, x: NDArray[np.float64], block: Any) -> ArrayLike:
        """Return the derivatives of one block's residuals at x, (rows, n).

        Optional; (n, rows) for the strategy `ColumnMajor`.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no jacobian(self, x, block)")

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "executor"}


# ---- what a worker gets, and what it gives back ---------------------------------------------


class Model(NamedTuple):
    """What a Jacobian strategy asks of the iteration; see ``block_triangle``."""

    better: bool
    models: int
    fnorm: float
    start_fnorm: float
    rows: int
    least_noise: float
    acnorm: NDArray[np.float64]
    length: NDArray[np.float64]
    diag: NDArray[np.float64]
    bounds: NDArray[np.float64] | None


class Task:
    """The problem and its strategy, as a worker needs them: pickled without the data."""

    def __init__(self, problem: RowBlockProblem, strategy: Any) -> None:
        self.problem, self.strategy = problem, strategy

    def __getstate__(self) -> dict[str, Any]:
        problem = copy.copy(self.problem)
        vars(problem).pop("blocks", None)
        return {"problem": problem, "strategy": self.strategy}


class _Method:
    """A problem's method for one block, as a function of x."""

    def __init__(self, method: Callable[..., ArrayLike], block: Any) -> None:
        self.method, self.block = method, block
        self.__qualname__ = getattr(method, "__qualname__", type(method).__name__)

    def __call__(self, x: NDArray[np.float64]) -> ArrayLike:
        return self.method(x, self.block)


class BlockView(Problem):
    """One block as a problem of its own, which is what Jacobian strategies get to see.

    Attributes
    ----------
    problem : RowBlockProblem
    block : object
    """

    def __init__(self, problem: RowBlockProblem, block: Any) -> None:
        self.problem, self.block = problem, block
        method = getattr(problem, "jacobian", None)
        if callable(method) and getattr(method, "__func__", None) is not RowBlockProblem.jacobian:
            self.jacobian = _Method(method, block)  # type: ignore[method-assign]

    def residual(self, x: NDArray[np.float64]) -> ArrayLike:
        """Return the block's residuals at x."""
        return self.problem.residual(x, self.block)


def evaluate(
    task: Task, x: NDArray[np.float64], model: Model | None, index: int, block: Any
) -> Part:
    """Return what comes of one block at x: a triangle where the iteration wants a model."""
    view = BlockView(task.problem, block)
    fun = Residual(view.residual, (), {}, "residual", False, EvaluationError)
    try:
        if model is None:
            rows, norm, precision = block_norm(fun, x)
            return Part(rows, 1, norm, precision)
        derivatives = task.strategy._bind(view, x.size)
        found = block_triangle(fun, derivatives, x, *model)
        return Part(found[0], 1, *found[1:])
    except RefusedError as refused:
        return Part(
            0, 1, 0.0, 0.0, evaluations=refused.evaluations, refusal=_refusal(refused, index)
        )
    except Exception as error:
        error.add_note(f"in block {index} of the problem's blocks")
        raise


def _refusal(refused: RefusedError, index: int) -> EvaluationError:
    """Return the exception that says why a block could not be evaluated."""
    if isinstance(refused.error, EvaluationError):
        return refused.error
    if refused.entry >= 0:
        return EvaluationError(
            f"residual(x0, block) must be finite; its entry {refused.entry} is {refused.value} for "
            f"block {index}"
        )
    if np.isinf(refused.value):
        return EvaluationError(f"the norm of the residual at x0 overflows for block {index}")
    return EvaluationError(f"the Jacobian at x0 must be finite; it is not for block {index}")


# ---- passes over the blocks -----------------------------------------------------------------

Leaf = Callable[[int, Any], Part]


class Engine(Protocol):
    """Who evaluates the blocks of a problem."""

    def __call__(self, task: Task, x: NDArray[np.float64], model: Model | None) -> Part | None:
        """Evaluate every block and merge what comes of them; None where there is no block."""


def blocks_of(problem: RowBlockProblem) -> Any:
    """Return the problem's blocks, whether it has them as an attribute or as a method."""
    blocks = problem.blocks
    return blocks() if callable(blocks) else blocks


def iterator(problem: RowBlockProblem) -> Iterator[Any]:
    """Return an iterator over the blocks, which starts anew at each call."""
    blocks = blocks_of(problem)
    expected = "blocks must be an iterable that starts anew each time, or a method that returns one"
    try:
        found: Iterator[Any] = iter(blocks)
    except TypeError:
        raise TypeError(f"{expected}; it is {blocks!r}") from None
    if found is blocks and not callable(problem.blocks):
        raise TypeError(f"{expected}; it is {blocks!r}, which ends after one pass")
    return found


def local(block: Any) -> Any:
    """Return a block that is here; TypeError where it is but the promise of one."""
    for part in block if isinstance(block, tuple) else (block,):
        if hasattr(part, "__dask_graph__") or type(part).__module__.startswith("distributed"):
            raise TypeError(
                f"executor must be a Dask client where blocks are Dask's; one is {part!r}"
            )
    return block


class _Serial:
    """The calling thread, block after block."""

    def __init__(self, problem: RowBlockProblem) -> None:
        self.problem = problem

    def __call__(self, task: Task, x: NDArray[np.float64], model: Model | None) -> Part | None:
        tree = Tree()
        for index, block in enumerate(iterator(self.problem)):
            part = evaluate(task, x, model, index, local(block))
            tree.add(part)
            if part.refusal is not None:
                break
        return tree.root()


def _engine(problem: RowBlockProblem) -> Engine:
    """Return who evaluates the blocks."""
    executor = problem.executor
    if executor is None:
        return _Serial(problem)
    # Whoever has one of these has imported its module; nobody else need.
    if _is_a(executor, "concurrent.futures", "Executor"):
        from lmoo.blockwise.pool import Pool

        return Pool(problem, executor)
    if _is_a(executor, "distributed", "Client"):
        from lmoo.blockwise.cluster import Cluster

        return Cluster(problem, executor)
    raise TypeError(
        f"executor must be a concurrent.futures.Executor, a Dask client or None; it is {executor!r}"
    )


def _is_a(value: Any, module: str, name: str) -> bool:
    """Whether value is an instance of a class of a module that may never have been imported."""
    found = sys.modules.get(module)
    return found is not None and isinstance(value, getattr(found, name))


class Passes:
    """What `RowLoop` asks of a problem: passes over all of its blocks."""

    def __init__(self, problem: RowBlockProblem, strategy: Any) -> None:
        self.engine, self.task = _engine(problem), Task(problem, strategy)

    def residual(self, x: NDArray[np.float64]) -> Part:
        """Return rows and norm of the residual at x."""
        return self._run(x, None)

    def linearize(self, x: NDArray[np.float64], *model: Any) -> Part:
        """Return the triangle of the Jacobian at x; model: the fields of a `Model`."""
        return self._run(x, Model(*model))

    def _run(self, x: NDArray[np.float64], model: Model | None) -> Part:
        part = self.engine(self.task, x, model)
        if part is None:
            raise ValueError("blocks must have at least one block; there is none")
        return part


def row_source(problem: RowBlockProblem, strategy: Any) -> RowSource:
    """Return the problem as the compiled loop takes it, for one solve."""
    if not callable(getattr(problem, "residual", None)):
        raise TypeError(f"problem must have a method residual(x, block); it is {problem!r}")
    return RowSource(Passes(problem, strategy))
