"""Problems whose residuals are written in JAX."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import jax
import numpy as np
from numpy.typing import ArrayLike, NDArray

from lmoo._core.arrays import Array
from lmoo.integrations.jaxfunctions import DoubleFunction, refuse_single, without_compiled
from lmoo.integrations.jaxtrees import ParameterTree, TreeParameters
from lmoo.problems.batch import BatchProblem
from lmoo.problems.problem import Problem


class _Residual(TreeParameters):
    """A residual written in JAX, compiled when it is called first."""

    def _set_residual(
        self, residual: Any, params: Any, parameter_names: Sequence[str] | None
    ) -> None:
        if not callable(residual):
            raise TypeError(f"residual must be callable; it is {residual!r}")
        self._given = residual
        self._tree = None if params is None else ParameterTree(params)
        self.parameter_names = parameter_names
        if parameter_names is None and self._tree is not None:
            self.parameter_names = self._tree.names

    @cached_property
    def _function(self) -> DoubleFunction:
        return _flat_function(self._given, self._tree)

    def __getstate__(self) -> dict[str, Any]:
        return without_compiled(self)


class JaxProblem(_Residual, Problem):
    """A residual written in JAX.

    Parameters
    ----------
    residual : callable
        ``residual(x, *args)``, or with `params` ``residual(params, *args)``, written with
        ``jax.numpy``: an array of any shape, or a pytree of arrays.
    params : pytree, optional
        Starting values as a pytree of numbers and arrays, which `residual` takes; None: it takes a
        vector.
    args : tuple, default ()
        Further arguments: arrays, or pytrees of them.  Unlike arrays that the function uses by
        itself, they are no constants of the compiled code.
    parameter_names : sequence of str, optional
        None: from the paths of `params`, such as ``peak_height`` and ``weights_0_1``.
    bounds, fixed, ties, priors, derived, constraints, linear_parameters : optional
        As for `lmoo.FunctionProblem`.

    Attributes
    ----------
    start : (n,) float64 array
        The starting values of `params`.

    Raises
    ------
    TypeError
        `residual` is not callable; an entry of `params` is not real.  During the solve: `residual`
        returns single precision or complex numbers.
    ValueError
        During the solve: `residual` uses arrays of single precision that were made while
        ``jax_enable_x64`` was off.

    Examples
    --------
    >>> import jax.numpy as jnp, lmoo
    >>> from lmoo.integrations.jax import JaxProblem
    >>> problem = JaxProblem(lambda x: jnp.stack([10 * (x[1] - x[0] ** 2), 1 - x[0]]))
    >>> lmoo.Solver().solve(problem, [-1.2, 1]).x.round(6)
    array([1., 1.])
    """

    def __init__(
        self,
        residual: Callable[..., Any],
        params: Any = None,
        *,
        args: tuple[Any, ...] = (),
        parameter_names: Sequence[str] | None = None,
        bounds: Any = None,
        fixed: Any = None,
        ties: Any = None,
        priors: Any = None,
        derived: Any = None,
        constraints: Any = None,
        linear_parameters: Sequence[str | int] | None = None,
    ) -> None:
        self._set_residual(residual, params, parameter_names)
        self.args = args if isinstance(args, tuple) else (args,)
        refuse_single("args have", self.args)
        self.bounds, self.fixed = bounds, fixed
        self._relate(ties, priors, derived, constraints, linear_parameters)

    def residual(self, x: Array) -> NDArray[Any]:
        """Return the residual at x, (m,)."""
        return self._function.at(x, self.args, False)

    def jacobian(self, x: Array) -> NDArray[Any]:
        """Return the derivatives of the residual, (m, n)."""
        return self._function.at(x, self.args, True)


class JaxBatchProblem(_Residual, BatchProblem):
    """Many problems with one residual written in JAX, which ``jax.vmap`` maps over their data.

    Parameters
    ----------
    residual : callable
        ``residual(x, *row)``, or with `params` ``residual(params, *row)``, for one problem.
    *data : (count, ...) array_like
        Data of the problems: the rows of each array are arguments of `residual`.
    params : pytree, optional
        Parameters of one problem as a pytree.
    parameter_names, bounds, fixed : optional
        As for `lmoo.BatchProblem`.

    Raises
    ------
    TypeError
        `residual` is not callable.
    ValueError
        There are no data, or arrays of different lengths.

    Examples
    --------
    >>> import numpy as np, jax.numpy as jnp, lmoo
    >>> from lmoo.integrations.jax import JaxBatchProblem
    >>> problems = JaxBatchProblem(lambda x, number: x**2 - number, [4.0, 9.0, 2.0])
    >>> lmoo.solve_many(problems, np.ones((3, 1))).x[:, 0].round(6)
    array([2.      , 3.      , 1.414214])
    """

    def __init__(
        self,
        residual: Callable[..., Any],
        *data: ArrayLike,
        params: Any = None,
        parameter_names: Sequence[str] | None = None,
        bounds: Any = None,
        fixed: Any = None,
    ) -> None:
        self._set_residual(residual, params, parameter_names)
        refuse_single("data have", data)
        self.data = tuple(np.asarray(part) for part in data)
        lengths = {part.shape[:1] for part in self.data}
        if len(lengths) != 1 or lengths == {()}:
            raise ValueError(
                "data must be arrays with a row for each problem, all of one length; their shapes "
                f"are {[part.shape for part in self.data]}"
            )
        self.bounds, self.fixed = bounds, fixed

    def residual(self, x: Array, which: NDArray[np.intp]) -> NDArray[Any]:
        """Return the residuals of some of the problems, (r, m)."""
        return self._rows(x, which, False)

    def jacobian(self, x: Array, which: NDArray[np.intp]) -> NDArray[Any]:
        """Return their derivatives, (r, m, n)."""
        return self._rows(x, which, True)

    def _rows(self, x: Array, which: NDArray[np.intp], slopes: bool) -> NDArray[Any]:
        rows = tuple(part[which] for part in self.data)
        return self._function.at_rows(x, rows, slopes, (True,) * len(rows))


def _flat_function(residual: Callable[..., Any], tree: ParameterTree | None) -> DoubleFunction:
    """Return the residual as a vector, from a vector of parameters."""

    def value(x: Any, *args: Any) -> Any:
        found = residual(x if tree is None else tree.unflattened(x), *args)
        leaves = [jax.numpy.ravel(leaf) for leaf in jax.tree_util.tree_leaves(found)]
        return leaves[0] if len(leaves) == 1 else jax.numpy.concatenate(leaves)

    return DoubleFunction("residual", value, real=True)
