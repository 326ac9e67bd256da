"""`RowBlockProblem`: problems whose rows come in blocks, which are reduced one after another."""

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lmoo.problems.described import Described
from lmoo.problems.kinds import Form, Pairs, is_paired, optional
from lmoo.problems.problem import evaluated


class RowBlockProblem(Described, Pairs):
    """A least-squares problem whose rows come in blocks, which are evaluated one at a time.

    It is for problems with more rows than fit into memory, or with rows on several machines.
    Subclass it and define `residual`, and `jacobian` if the derivatives are known; or, if both
    share work, `evaluate` instead of the two.  `lmoo.Solver` solves it like any other problem.  The
    Jacobian of each block is reduced to a triangle, (n, n + 1), so the solve needs the memory of
    one block, or of two blocks per worker of an executor.

    Parameters
    ----------
    blocks : iterable, optional
        The blocks: objects that `residual` takes as its second argument, such as pairs of arrays,
        slices of a memmap, names of files.  Each ``iter(blocks)`` must yield the same blocks in
        the same order, so it can be a list but not a generator.  A subclass may define ``blocks``
        as a method instead, which may be a generator.  With a Dask client it may also be a
        dask.array that is chunked along its rows only, a dask.dataframe, whose partitions are the
        blocks (arrays or data frames), or an iterable of futures, of Delayed objects, or of tuples
        of these.
    executor : concurrent.futures.Executor or distributed.Client, optional
        Evaluates the blocks.  None (the default): the calling thread, one block after another.
        With a Dask client (``pip install lmoo[dask]``) the blocks stay on their workers.  A block
        whose worker died is evaluated again: by Dask on another worker, for a pool of processes in
        the calling thread.

    Attributes
    ----------
    parameter_names : sequence of str or None
        Names of the n parameters, for reports.
    bounds, fixed, ties, priors, derived, constraints, linear_parameters : optional
        As for `Problem`.

    See Also
    --------
    CurveBlocks : A model y = f(x) and data in arrays.

    Notes
    -----
    On one type of processor the result has the same bits with any executor and any number of
    workers.  A different division into blocks changes the last digits.

    ``nfev`` is the number of passes over all blocks for residuals.  Each of the ``njev``
    linearisations evaluates the residual of every block once more, which is not counted.
    `Result.residual` is empty; `Result.observations` is the number of rows.  Steps are not
    corrected for curvature, which would need another pass over the Jacobian:
    `GeodesicAcceleration` takes the steps of ``More(accelerate=False)``.

    A block may have no rows, or fewer than n.  All blocks together must have at least n rows.

    The executor is not pickled with the problem.

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

    residual_form: Form = "blocks"
    blocks: Any = None
    executor: Any = None

    def __init__(self, blocks: Any = None, executor: Any = None) -> None:
        if blocks is not None:
            self.blocks = blocks
        self.executor = executor

    def residual(self, x: NDArray[np.float64], block: Any) -> ArrayLike:
        """Return the residuals of one block at x.

        Apply weights and robust scaling of rows here.

        Parameters
        ----------
        x : (n,) float64 array
            A new array, which may be kept or changed.
        block : object
            One of the problem's blocks.

        Returns
        -------
        (rows,) array_like of real numbers
            The same number of rows for the same block at every call.

        Raises
        ------
        EvaluationError
            x is a bad point: the solver tries a shorter step.
        """
        if is_paired(self, "blocks"):
            found: ArrayLike = evaluated(self, x, block, "residual")[0]
            return found
        raise NotImplementedError(f"{type(self).__name__} must define residual(self, x, block)")

    @optional
    def jacobian(self, x: NDArray[np.float64], block: Any) -> ArrayLike:
        """Return the derivatives of one block's residuals at x, (rows, n).

        Optional; (n, rows) for the strategy `ColumnMajor`.
        """
        if is_paired(self, "blocks"):
            found: ArrayLike = evaluated(self, x, block, "both")[1]
            return found
        raise NotImplementedError(f"{type(self).__name__} defines no jacobian(self, x, block)")

    def evaluate(
        self, x: NDArray[np.float64], block: Any, want: Literal["residual", "both"]
    ) -> tuple[ArrayLike, ArrayLike | None]:
        """Return the residuals and the Jacobian of one block together, instead of the two methods.

        Optional.  It is called once for each block in a pass: with "residual" at a trial point,
        whose Jacobian may be None and is not kept; with "both" in a linearisation.  Otherwise as
        `Problem.evaluate`.

        Examples
        --------
        >>> import numpy as np, lmoo
        >>> class Decay(lmoo.RowBlockProblem):
        ...     def evaluate(self, x, block, want):
        ...         t, y = block
        ...         e = np.exp(-x[1] * t)
        ...         return x[0] * e - y, np.stack([e, -x[0] * t * e], axis=1)
        >>> times = np.linspace(0, 4, 1000).reshape(10, 100)
        >>> problem = Decay([(t, 3 * np.exp(-0.5 * t)) for t in times])
        >>> lmoo.Solver().solve(problem, x0=[1, 1]).x.round(6)
        array([3. , 0.5])
        """
        raise NotImplementedError(
            f"{type(self).__name__} defines no evaluate(self, x, block, want)"
        )

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "executor"}
