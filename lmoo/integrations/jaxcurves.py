"""Models of curves written in JAX."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lmoo.integrations.jaxfunctions import DoubleFunction, refuse_single, without_compiled
from lmoo.integrations.jaxtrees import ParameterTree, TreeParameters
from lmoo.problems.arguments import check_callable
from lmoo.problems.curveproblem import CurveProblem
from lmoo.problems.names import parameter_names_of


class JaxModel(TreeParameters):
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
        return without_compiled(self)

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


class JaxCurve(TreeParameters, CurveProblem):
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
