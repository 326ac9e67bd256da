"""Tall problems: their rows come in blocks, and are folded as they come."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

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
