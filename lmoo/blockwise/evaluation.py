"""Evaluate one block of rows: its residual, and the QR factor of its Jacobian."""

import copy
from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lmoo._core.evaluate import LossKernel
from lmoo._core.solve import RefusedError, Residual, block_norm, block_triangle
from lmoo.blockwise.reduction import PartialQR
from lmoo.errors import EvaluationError
from lmoo.losses.loss import Loss, kernel_of
from lmoo.problems.kinds import has_jacobian, is_paired
from lmoo.problems.paired import paired
from lmoo.problems.problem import Problem, evaluated, residual_name
from lmoo.problems.rows import RowBlockProblem


class Linearization(NamedTuple):
    """The state of the iteration that a Jacobian strategy needs; see ``block_triangle``."""

    high_accuracy: bool
    models: int
    fnorm: float
    start_fnorm: float
    rows: int
    least_noise: float
    acnorm: NDArray[np.float64]
    length: NDArray[np.float64]
    diag: NDArray[np.float64]
    bounds: NDArray[np.float64] | None
    with_sizes: bool = False


class WorkerProblem:
    """A problem, its Jacobian strategy and its loss as workers receive them: without the blocks."""

    def __init__(
        self, problem: RowBlockProblem, strategy: Any, loss: tuple[Loss, float] | None = None
    ) -> None:
        self.problem, self.strategy, self.loss = problem, strategy, loss

    def kernel(self) -> LossKernel | None:
        """Return the loss for one block; None for the sum of squares."""
        return None if self.loss is None else kernel_of(*self.loss)

    def __getstate__(self) -> dict[str, Any]:
        problem = copy.copy(self.problem)
        vars(problem).pop("blocks", None)
        return {"problem": problem, "strategy": self.strategy, "loss": self.loss}


class _Method:
    """A method of the problem for one block, as a function of x."""

    def __init__(self, method: Callable[..., ArrayLike], block: Any) -> None:
        self.method, self.block = method, block
        self.__qualname__ = getattr(method, "__qualname__", type(method).__name__)

    def __call__(self, x: NDArray[np.float64]) -> ArrayLike:
        return self.method(x, self.block)


class BlockView(Problem):
    """One block as a `Problem`, which Jacobian strategies receive in place of the whole.

    Attributes
    ----------
    problem : RowBlockProblem
    block : object
    """

    def __init__(self, problem: RowBlockProblem, block: Any) -> None:
        self.problem, self.block = problem, block
        if is_paired(problem, "blocks"):
            self._is_paired = True
            self._qualname = getattr(problem, "_qualname", type(problem).__qualname__)
        elif has_jacobian(problem):
            self.jacobian = _Method(problem.jacobian, block)  # type: ignore[method-assign]

    def residual(self, x: NDArray[np.float64]) -> ArrayLike:
        """Return the block's residuals at x."""
        return self.problem.residual(x, self.block)

    def evaluate(self, x: NDArray[np.float64], want: Literal["residual", "both"]) -> Any:
        """Return the block's residuals and Jacobian at x, of a problem that defines `evaluate`."""
        return evaluated(self.problem, x, self.block, want)


def evaluate(
    worker: WorkerProblem,
    x: NDArray[np.float64],
    at: Linearization | None,
    index: int,
    block: Any,
) -> PartialQR:
    """Evaluate one block at x.

    Parameters
    ----------
    worker : WorkerProblem
    x : (n,) float64 array
    at : Linearization or None
        None: only the norm of the residual.  Otherwise also the factor of the Jacobian.
    index : int
        Number of the block, for messages.
    block : object
    """
    view = paired(BlockView(worker.problem, block))
    fun = Residual(view.residual, (), {}, residual_name(view), False, EvaluationError)
    try:
        if at is None:
            rows, norm, precision = block_norm(fun, x, worker.kernel())
            return PartialQR(rows, 1, norm, precision)
        # Before the residual: it tells a problem with `evaluate` that derivatives are wanted too.
        derivatives = worker.strategy._bind(view, x.size)
        found = block_triangle(fun, derivatives, x, *at, worker.kernel())
        return PartialQR(found[0], 1, *found[1:])
    except RefusedError as refused:
        return PartialQR(
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


def blocks_of(problem: RowBlockProblem) -> Any:
    """Return the problem's blocks, which are an attribute or a method."""
    blocks = problem.blocks
    return blocks() if callable(blocks) else blocks


def iterator(problem: RowBlockProblem) -> Iterator[Any]:
    """Return an iterator over the blocks, from the first one at each call."""
    blocks = blocks_of(problem)
    expected = "blocks must be an iterable that starts anew each time, or a method that returns one"
    try:
        found: Iterator[Any] = iter(blocks)
    except TypeError:
        raise TypeError(f"{expected}; it is {blocks!r}") from None
    if found is blocks and not callable(problem.blocks):
        raise TypeError(f"{expected}; it is {blocks!r}, which ends after one pass")
    return found


def require_local(block: Any) -> Any:
    """Return a block; TypeError if it is a Dask collection or a future."""
    for part in block if isinstance(block, tuple) else (block,):
        if hasattr(part, "__dask_graph__") or type(part).__module__.startswith("distributed"):
            raise TypeError(
                f"executor must be a Dask client where blocks are Dask's; one is {part!r}"
            )
    return block
