"""Tall problems: their rows come in blocks, and are folded as they come."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, wait
from functools import partial
from os import cpu_count
from typing import Any, NamedTuple, Protocol

import copy
import sys

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lmoo._core.residual import Residual
from lmoo._core.rows import (
    Refused,
    RowSource,
    block_norm,
    block_triangle,
    merge_norms,
    merge_triangles,
)
from lmoo.errors import EvaluationError
from lmoo.problem import Problem

__all__ = ["RowBlockProblem"]

# Parts that are merged at once.  The tree that this makes over the blocks is part of the result:
# with another one, other last digits.
FAN = 8


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
    The step strategy `GeodesicAcceleration` does without its second derivatives here.

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
            One of `blocks`.

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
    base_fnorm: float
    acnorm: NDArray[np.float64]


class Part(NamedTuple):
    """What came of a block, or of several in a row.

    Attributes
    ----------
    rows, blocks : int
    norm : float
        That of the residual.
    precision : float
        The worst in which the residual comes.
    triangle : (n, n + 1) float64 array or None
        None where only the residual was asked for.
    evaluations : int
        What the Jacobian cost: the most that any block took.
    relative_error : float
        Of the Jacobian's entries, the largest.
    refusal : EvaluationError or None
        Why the first block that could not be evaluated could not; the rest then means nothing.
    """

    rows: int
    blocks: int
    norm: float
    precision: float
    triangle: NDArray[np.float64] | None = None
    evaluations: int = 0
    relative_error: float = 0.0
    refusal: EvaluationError | None = None


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


def evaluate(task: Task, x: NDArray[np.float64], model: Model | None, index: int, block: Any) -> Part:
    """Return what comes of one block at x: a triangle where the iteration wants a model."""
    view = BlockView(task.problem, block)
    fun = Residual(view.residual, (), {}, "residual", False, EvaluationError)
    try:
        if model is None:
            rows, norm, precision = block_norm(fun, x)
            return Part(rows, 1, norm, precision)
        derivatives = task.strategy._bind(view, x.size)
        rows, norm, precision, *rest = block_triangle(fun, derivatives, x, *model)
        return Part(rows, 1, norm, precision, *rest)
    except Refused as refused:
        return Part(0, 1, 0.0, 0.0, None, refused.evaluations, 0.0, _refusal(refused, index))
    except Exception as error:
        error.add_note(f"in block {index} of the problem's blocks")
        raise


def _refusal(refused: Refused, index: int) -> EvaluationError:
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
    return EvaluationError(f"the Jacobian at x0 cannot be evaluated for block {index}")


# ---- the tree -------------------------------------------------------------------------------


def merge(parts: Sequence[Part]) -> Part:
    """Return the parts as one, in their order; up to the first that was refused."""
    for k, part in enumerate(parts):
        if part.refusal is not None:
            worst = max(p.evaluations for p in parts[: k + 1])
            return part._replace(evaluations=worst)
    triangles = [part.triangle for part in parts if part.triangle is not None]
    return Part(
        rows=sum(part.rows for part in parts),
        blocks=sum(part.blocks for part in parts),
        norm=merge_norms([part.norm for part in parts]),
        precision=max(part.precision for part in parts),
        triangle=merge_triangles(triangles) if triangles else None,
        evaluations=max(part.evaluations for part in parts),
        relative_error=max(part.relative_error for part in parts),
    )


class Tree:
    """The fixed tree over the parts: `FAN` in a row are merged, of the merged ones `FAN`, and so on.

    It holds FAN - 1 parts a level at the most, whatever the number of blocks.
    """

    def __init__(self) -> None:
        self.levels: list[list[Part]] = []

    def add(self, part: Part) -> None:
        """Take the next part in."""
        for level in self.levels:
            level.append(part)
            if len(level) < FAN:
                return
            part = merge(level)
            level.clear()
        self.levels.append([part])

    def root(self) -> Part | None:
        """Return all parts as one; None where there were none."""
        carried: list[Part] = []
        for level in self.levels:
            row = level + carried
            carried = [merge(row)] if len(row) > 1 else row
        return carried[0] if carried else None


# ---- passes over the blocks -----------------------------------------------------------------

Leaf = Callable[[int, Any], Part]


class Engine(Protocol):
    """Who evaluates the blocks of a problem."""

    def __call__(
        self, task: Task, x: NDArray[np.float64], model: Model | None
    ) -> Part | None:
        """Evaluate every block and merge what comes of them; None where there is no block."""


def blocks_of(problem: RowBlockProblem) -> Any:
    """Return the problem's blocks, whether it has them as an attribute or as a method."""
    blocks = problem.blocks
    return blocks() if callable(blocks) else blocks


def _start(problem: RowBlockProblem) -> Iterator[Any]:
    """Return an iterator over the blocks, which starts anew at each call."""
    blocks = blocks_of(problem)
    expected = "blocks must be an iterable that starts anew each time, or a method that returns one"
    try:
        iterator = iter(blocks)
    except TypeError:
        raise TypeError(f"{expected}; it is {blocks!r}") from None
    if iterator is blocks and not callable(problem.blocks):
        raise TypeError(f"{expected}; it is {blocks!r}, which ends after one pass")
    return iterator


def _local(block: Any) -> Any:
    """Return a block that is here; TypeError where it is but the promise of one."""
    for part in block if isinstance(block, tuple) else (block,):
        if hasattr(part, "__dask_graph__") or type(part).__module__.startswith("distributed"):
            raise TypeError(f"executor must be a Dask client where blocks are Dask's; one is {part!r}")
    return block


class _Serial:
    """The calling thread, block after block."""

    def __init__(self, problem: RowBlockProblem) -> None:
        self.problem = problem

    def __call__(self, task: Task, x: NDArray[np.float64], model: Model | None) -> Part | None:
        tree = Tree()
        for index, block in enumerate(_start(self.problem)):
            part = evaluate(task, x, model, index, _local(block))
            tree.add(part)
            if part.refusal is not None:
                break
        return tree.root()


class _Pool:
    """An executor of concurrent.futures; no more than two blocks a worker are under way."""

    def __init__(self, problem: RowBlockProblem, executor: Executor) -> None:
        self.problem, self.executor = problem, executor
        self.window = 2 * (getattr(executor, "_max_workers", None) or cpu_count() or 1)

    def __call__(self, task: Task, x: NDArray[np.float64], model: Model | None) -> Part | None:
        tree, leaf = Tree(), partial(evaluate, task, x, model)
        under_way: deque[Future[Part]] = deque()
        try:
            for index, block in enumerate(_start(self.problem)):
                under_way.append(self.executor.submit(leaf, index, _local(block)))
                if len(under_way) >= self.window and self._take(under_way, tree):
                    return tree.root()
            while under_way and not self._take(under_way, tree):
                pass
            return tree.root()
        finally:
            # Nothing of this solve is to run when it has ended.
            for future in under_way:
                future.cancel()
            wait(under_way)

    def _take(self, under_way: deque[Future[Part]], tree: Tree) -> bool:
        """Take the next part into the tree; whether it was refused."""
        part = under_way[0].result()
        under_way.popleft()
        tree.add(part)
        return part.refusal is not None


def _engine(problem: RowBlockProblem) -> Engine:
    """Return who evaluates the blocks."""
    executor = problem.executor
    if executor is None:
        return _Serial(problem)
    if isinstance(executor, Executor):
        return _Pool(problem, executor)
    # Whoever has a client has imported this.
    distributed = sys.modules.get("distributed")
    if distributed is not None and isinstance(executor, distributed.Client):
        from lmoo.cluster import Cluster

        return Cluster(problem, executor)
    raise TypeError(
        "executor must be a concurrent.futures.Executor, a Dask client or None; it is "
        f"{executor!r}"
    )


class Passes:
    """What `RowLoop` asks of a problem: passes over all of its blocks."""

    def __init__(self, problem: RowBlockProblem, strategy: Any) -> None:
        self.engine, self.task = _engine(problem), Task(problem, strategy)

    def residual(self, x: NDArray[np.float64]) -> Part:
        """Return rows and norm of the residual at x."""
        return self._run(x, None)

    def linearize(
        self,
        x: NDArray[np.float64],
        better: bool,
        models: int,
        base_fnorm: float,
        acnorm: NDArray[np.float64],
    ) -> Part:
        """Return the triangle of the Jacobian at x."""
        return self._run(x, Model(better, models, base_fnorm, acnorm))

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
