"""Residuals and models written in JAX, with exact derivatives, compiled by XLA."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import jax
import numpy as np
from numpy.typing import ArrayLike, NDArray

from lmoo.integrations.jaxfunctions import DoubleFunction, refuse_single
from lmoo.integrations.jaxtrees import ParameterTree
from lmoo.problems.batch import BatchProblem
from lmoo.problems.curveproblem import CurveProblem, check_callable
from lmoo.problems.names import parameter_names_of
from lmoo.problems.problem import Problem

__all__ = ["JaxBatchProblem", "JaxCurve", "JaxModel", "JaxProblem"]

Array = NDArray[np.float64]


class _Parameters:
    """Base class of problems whose parameters may be a pytree."""

    _tree: ParameterTree | None

    @property
    def start(self) -> Array:
        """The parameters of the pytree that was given as a vector, (n,): the starting point."""
        return self._with_tree().start.copy()

    def params(self, x: ArrayLike) -> Any:
        """Return the parameters of a vector, ``result.x`` for example, as a pytree of arrays."""
        return self._with_tree().unflattened(np.asarray(x, dtype=np.float64))

    def _with_tree(self) -> ParameterTree:
        if self._tree is None:
            raise ValueError("params must be given to have parameters as a pytree; it is None")
        return self._tree


class JaxModel(_Parameters):
    """A model ``f(t, *parameters)`` written in JAX, as a function of numpy arrays.

    Its values and its derivatives, by ``jax.jacfwd``, are compiled by ``jax.jit`` and computed in
    double precision, whether ``jax_enable_x64`` is set or not.  Parameters may be columns, (k, 1),
    for k curves at once: `f` is then mapped over the curves by ``jax.vmap``.

    Parameters
    ----------
    f : callable
        ``f(t, *parameters)``, or with `params` ``f(t, params)``, written with ``jax.numpy``.
    params : pytree, optional
        Parameters as a pytree of numbers and arrays: nested dicts, tuples, dataclasses, ...

    Attributes
    ----------
    f : callable
    parameter_names : tuple of str or None
        From the signature of `f`, or from the paths of `params`.

    Raises
    ------
    TypeError
        `f` is not callable; an entry of `params` is not real.  When it is called: `f` returns
        single precision.
    ValueError
        When it is called: `f` uses arrays of single precision that were made while
        ``jax_enable_x64`` was off.

    Examples
    --------
    >>> import numpy as np, jax.numpy as jnp, lmoo
    >>> from lmoo.integrations.jax import JaxModel
    >>> decay = JaxModel(lambda t, a, b: a * jnp.exp(-b * t))
    >>> t = np.linspace(0, 4, 20)
    >>> popt, pcov = lmoo.curve_fit(decay, t, decay(t, 2.5, 1.3), jac=decay.jac)
    >>> popt.round(6)
    array([2.5, 1.3])
    """

    def __init__(self, f: Callable[..., Any], params: Any = None) -> None:
        check_callable(f, None)
        self.f = f
        self._tree = None if params is None else ParameterTree(params)
        self.parameter_names = parameter_names_of(f) if self._tree is None else self._tree.names

    @cached_property
    def _function(self) -> DoubleFunction:
        f, tree = self.f, self._tree

        def value(x: Any, t: Any) -> Any:
            return f(t, *x) if tree is None else f(t, tree.unflattened(x))

        return DoubleFunction("f", value)

    def __getstate__(self) -> dict[str, Any]:
        return _without_compiled(self)

    def __call__(self, t: Any, *parameters: Any) -> NDArray[Any]:
        """Return the values of the model, (m,), or (k, m) for columns of parameters."""
        return self._evaluated(t, parameters, False)

    def jac(self, t: Any, *parameters: Any) -> NDArray[Any]:
        """Return the derivatives by the parameters, (m, n), or (k, m, n) for columns of them."""
        return self._evaluated(t, parameters, True)

    def _evaluated(self, t: Any, parameters: Sequence[Any], slopes: bool) -> NDArray[Any]:
        columns = [np.asarray(one, dtype=np.float64) for one in parameters]
        if all(column.ndim == 0 for column in columns):
            return self._function.at(np.array(columns), (t,), slopes)
        x = np.concatenate(np.broadcast_arrays(*columns), axis=1)
        mapped = tuple(np.ndim(part) > 1 for part in (t if isinstance(t, tuple) else (t,)))
        axes = mapped if isinstance(t, tuple) else mapped[0]
        return self._function.at_rows(x, (t,), slopes, (axes,))


class JaxCurve(_Parameters, CurveProblem):
    """Fit a model written in JAX to one curve.

    Parameters
    ----------
    f : callable or JaxModel
        As for `JaxModel`.
    t, y, sigma
        As for `lmoo.CurveProblem`; a `t` that is not an array of numpy is passed to `f` as it is.
    params : pytree, optional
        Starting values as a pytree, which `f` takes instead of numbers.
    **options
        Options of `lmoo.CurveProblem`, except ``jac`` and ``trace``.

    Raises
    ------
    TypeError, ValueError
        As `JaxModel` and `lmoo.CurveProblem`.

    Examples
    --------
    >>> import numpy as np, jax.numpy as jnp, lmoo
    >>> from lmoo.integrations.jax import JaxCurve
    >>> def peak(t, p):
    ...     return p["height"] * jnp.exp(-(((t - p["at"]) / p["width"]) ** 2))
    >>> t = np.linspace(0, 4, 30)
    >>> y = 2 * np.exp(-(((t - 1.5) / 0.4) ** 2))
    >>> problem = JaxCurve(peak, t, y, params={"height": 1.0, "at": 1.0, "width": 1.0})
    >>> result = lmoo.Solver().solve(problem, problem.start)
    >>> {name: round(float(value), 6) for name, value in problem.params(result.x).items()}
    {'at': 1.5, 'height': 2.0, 'width': 0.4}
    """

    def __init__(
        self,
        f: Callable[..., Any],
        t: Any,
        y: ArrayLike,
        sigma: ArrayLike | None = None,
        *,
        params: Any = None,
        **options: Any,
    ) -> None:
        model = f if isinstance(f, JaxModel) and params is None else JaxModel(f, params)
        refuse_single("t and y have", (t, y))
        self._tree = model._tree
        super().__init__(model, t, y, sigma, model.jac, trace=False, **options)


class JaxProblem(_Parameters, Problem):
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
        self._given = _checked("residual", residual)
        self._tree = None if params is None else ParameterTree(params)
        self.args = args if isinstance(args, tuple) else (args,)
        refuse_single("args have", self.args)
        self.parameter_names = parameter_names
        if parameter_names is None and self._tree is not None:
            self.parameter_names = self._tree.names
        self.bounds, self.fixed = bounds, fixed
        self.ties, self.priors, self.derived, self.constraints = ties, priors, derived, constraints
        self.linear_parameters = linear_parameters

    @cached_property
    def _function(self) -> DoubleFunction:
        return _flat_function(self._given, self._tree)

    def __getstate__(self) -> dict[str, Any]:
        return _without_compiled(self)

    def residual(self, x: Array) -> NDArray[Any]:
        """Return the residual at x, (m,)."""
        return self._function.at(x, self.args, False)

    def jacobian(self, x: Array) -> NDArray[Any]:
        """Return the derivatives of the residual, (m, n)."""
        return self._function.at(x, self.args, True)


class JaxBatchProblem(_Parameters, BatchProblem):
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
        self._given = _checked("residual", residual)
        self._tree = None if params is None else ParameterTree(params)
        refuse_single("data have", data)
        self.data = tuple(np.asarray(part) for part in data)
        lengths = {part.shape[:1] for part in self.data}
        if len(lengths) != 1 or lengths == {()}:
            raise ValueError(
                "data must be arrays with a row for each problem, all of one length; their shapes "
                f"are {[part.shape for part in self.data]}"
            )
        self.parameter_names = parameter_names
        if parameter_names is None and self._tree is not None:
            self.parameter_names = self._tree.names
        self.bounds, self.fixed = bounds, fixed

    @cached_property
    def _function(self) -> DoubleFunction:
        return _flat_function(self._given, self._tree)

    def __getstate__(self) -> dict[str, Any]:
        return _without_compiled(self)

    def residual(self, x: Array, which: NDArray[np.intp]) -> NDArray[Any]:
        """Return the residuals of some of the problems, (r, m)."""
        return self._rows(x, which, False)

    def jacobian(self, x: Array, which: NDArray[np.intp]) -> NDArray[Any]:
        """Return their derivatives, (r, m, n)."""
        return self._rows(x, which, True)

    def _rows(self, x: Array, which: NDArray[np.intp], slopes: bool) -> NDArray[Any]:
        rows = tuple(part[which] for part in self.data)
        return self._function.at_rows(x, rows, slopes, (True,) * len(rows))


def _checked(name: str, function: Any) -> Callable[..., Any]:
    if not callable(function):
        raise TypeError(f"{name} must be callable; it is {function!r}")
    found: Callable[..., Any] = function
    return found


def _flat_function(residual: Callable[..., Any], tree: ParameterTree | None) -> DoubleFunction:
    """Return the residual as a vector, from a vector of parameters."""

    def value(x: Any, *args: Any) -> Any:
        found = residual(x if tree is None else tree.unflattened(x), *args)
        leaves = [jax.numpy.ravel(leaf) for leaf in jax.tree_util.tree_leaves(found)]
        return leaves[0] if len(leaves) == 1 else jax.numpy.concatenate(leaves)

    return DoubleFunction("residual", value, real=True)


def _without_compiled(problem: Any) -> dict[str, Any]:
    """Return the attributes for a pickle: compiled code is not stored."""
    return {name: value for name, value in vars(problem).items() if name != "_function"}
