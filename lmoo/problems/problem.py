"""`Problem`, the base class of least-squares problems, and `FunctionProblem`."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lmoo._core.solve import Compiled, Residual, Source
from lmoo.errors import EvaluationError
from lmoo.problems.described import Described
from lmoo.problems.kinds import Form, Pairs, is_compiled, is_paired, optional


class Problem(Described, Pairs):
    """A nonlinear least-squares problem: minimise ``1/2 sum(residual(x)**2)``.

    Subclass it and define `residual`, and `jacobian` if the derivatives are known; or, if both
    share work, `evaluate` instead of the two.  The solver stores nothing in a problem, so threads
    may share one.

    Attributes
    ----------
    parameter_names : sequence of str or None
        Names of the n parameters, for reports; None (the default): x[0], x[1], ...
    bounds : pair, object, mapping or None
        Bounds of the parameters, see `lmoo.bounds.limits`.  Those of a `Solver` take precedence.
    fixed : sequence, mapping or None
        Fixed parameters, see `lmoo.bounds.limits`.  Those of a `Solver` take precedence.
    ties, priors, derived, constraints : optional
        Relations of the parameters, as for a `Solver`, whose options take precedence.
    linear_parameters : sequence of str or int, or None
        Names or positions of parameters that the residual is linear in, jointly: they can be
        eliminated, see the option ``separable`` of `Solver`.
    absolute_sigma : bool or None
        True: the residuals are divided by the known standard deviations of the data, so that
        errors are not scaled by the residual, see ``absolute_sigma`` of `Result`.
    labels : pair of str or None
        Labels of the independent variable and of the data, with their units, for plots and
        reports: ``("time (s)", "counts")``.
    t_units, y_unit
        Units of the independent variables (a tuple) and of the data, objects of astropy or pint.
    units : mapping
        Units of parameters by name, as objects of astropy or pint.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> class Decay(lmoo.Problem):
    ...     parameter_names = ("amplitude", "rate")
    ...     def __init__(self, t, y):
    ...         self.t, self.y = t, y
    ...     def residual(self, x):
    ...         return x[0] * np.exp(-x[1] * self.t) - self.y
    >>> t = np.linspace(0, 4, 9)
    >>> result = lmoo.Solver().solve(Decay(t, 3 * np.exp(-0.5 * t)), x0=[1, 1])
    >>> result.x.round(6)
    array([3. , 0.5])
    """

    residual_form: Form = "whole"

    def residual(self, x: NDArray[np.float64]) -> ArrayLike:
        """Return the m residuals at x.

        Parameters
        ----------
        x : (n,) float64 array
            A new array, which may be kept or changed.

        Returns
        -------
        (m,) array_like of real numbers, m >= n, the same m at every call
            It is copied before user code runs again, so an output buffer can be reused.

        Raises
        ------
        EvaluationError
            x is a bad point: the solver tries a shorter step.
        """
        if is_paired(self):
            found: ArrayLike = evaluated(self, x, "residual")[0]
            return found
        raise NotImplementedError(f"{type(self).__name__} must define residual(self, x)")

    @optional
    def jacobian(self, x: NDArray[np.float64]) -> ArrayLike:
        """Return the Jacobian at x: ``J[i, j]`` is the derivative of residual i by parameter j.

        Optional.  The shape is (m, n) for the strategy `Analytic`, (n, m) for `ColumnMajor`.  It
        may be a sparse matrix or array of scipy.
        """
        if is_paired(self):
            found: ArrayLike = evaluated(self, x, "both")[1]
            return found
        raise NotImplementedError(f"{type(self).__name__} defines no jacobian(self, x)")

    def evaluate(
        self, x: NDArray[np.float64], want: Literal["residual", "both"]
    ) -> tuple[ArrayLike, ArrayLike | None]:
        """Return residual and Jacobian at x together, instead of `residual` and `jacobian`.

        Optional, for models whose residual and Jacobian share work.  If a class and its base class
        define `evaluate` and `residual`, the method of the more derived class is used; `residual`
        if one class defines both.

        Parameters
        ----------
        x : (n,) float64 array
            A new array, which may be kept or changed.
        want : {"residual", "both"}
            "residual": x is a trial point, whose Jacobian is needed only if the point is accepted,
            as most are.  "both": the Jacobian is needed now.

        Returns
        -------
        residual : (m,) array_like
            As for `residual`.
        jacobian : array_like or None
            As for `jacobian`.  It may be None for "residual".  If it costs little more than the
            residual, return it always: it is kept for the next request, so that there is one call
            for each point.

        Raises
        ------
        EvaluationError
            x is a bad point: the solver tries a shorter step.

        Notes
        -----
        ``nfev`` counts all calls: those for "both" at an accepted point evaluate the residual once
        more.  ``njev`` counts the Jacobians that the solver used.  A pickled `Iteration` does not
        contain a Jacobian that is kept; it is evaluated again.

        Examples
        --------
        >>> import numpy as np, lmoo
        >>> class Decay(lmoo.Problem):
        ...     def __init__(self, t, y):
        ...         self.t, self.y, self.calls = t, y, 0
        ...     def evaluate(self, x, want):
        ...         self.calls += 1
        ...         e = np.exp(-x[1] * self.t)
        ...         return x[0] * e - self.y, np.stack([e, -x[0] * self.t * e], axis=1)
        >>> t = np.linspace(0, 4, 9)
        >>> problem = Decay(t, 3 * np.exp(-0.5 * t))
        >>> result = lmoo.Solver().solve(problem, x0=[1, 1])
        >>> result.x.round(6), problem.calls == result.nfev
        (array([3. , 0.5]), True)
        """
        raise NotImplementedError(f"{type(self).__name__} defines no evaluate(self, x, want)")

    def _residual_source(self, n: int) -> Source | None:
        """Return the residual for the compiled loop; None: the loop calls `residual`."""
        return None


def evaluated(problem: Any, *arguments: Any) -> Any:
    """Return the pair that a problem's `evaluate` returned; TypeError if it is none.

    arguments: x, a block if the problem has blocks, and what is wanted: "residual" or "both"
    """
    value = problem.evaluate(*arguments)
    expected = f"{type(problem).__name__}.evaluate must return a pair (residual, jacobian)"
    if not isinstance(value, tuple) or len(value) != 2:
        several = isinstance(value, (tuple, list))
        shown = f"a {type(value).__name__} of {len(value)}" if several else _shown(value)
        raise TypeError(f"{expected}; it returned {shown}")
    if value[1] is None and arguments[-1] == "both":
        raise TypeError(f'{expected} for want = "both"; the Jacobian it returned is None')
    return value


def _shown(value: Any) -> str:
    shape = getattr(value, "shape", None)
    return repr(value) if shape is None else f"an array of shape {shape}"


class FunctionProblem(Problem):
    """A problem from functions.

    Parameters
    ----------
    residual : callable
        ``residual(x, *args, **kwargs)``, returning m real numbers.
    jacobian : callable, optional
        ``jacobian(x, *args, **kwargs)``, (m, n), or (n, m) with the strategy `ColumnMajor`.
    args : tuple, default ()
        Further arguments of both functions; a value that is not a tuple is a single argument.
    kwargs : mapping of str, optional
        Keyword arguments of both functions.
    parameter_names : sequence of str, optional
        Names of the parameters, for reports.
    bounds : pair, object or mapping, optional
        Bounds of the parameters, see `lmoo.bounds.limits`.
    fixed : sequence or mapping, optional
        Fixed parameters, see `lmoo.bounds.limits`.
    ties, priors, derived, constraints : optional
        Relations of the parameters, as for `Solver`.
    linear_parameters : sequence of str or int, optional
        Names or positions of parameters that the residual is linear in, see `Problem`.

    Raises
    ------
    TypeError
        `residual` or `jacobian` is not callable, or `kwargs` is not a mapping.

    Examples
    --------
    >>> import lmoo
    >>> problem = lmoo.FunctionProblem(lambda x, y: x**2 - y, args=(2.0,))
    >>> lmoo.Solver().solve(problem, [1.0]).x.round(6)
    array([1.414214])
    """

    def __init__(
        self,
        residual: Callable[..., ArrayLike],
        jacobian: Callable[..., ArrayLike] | None = None,
        args: tuple[Any, ...] | Any = (),
        kwargs: Mapping[str, Any] | None = None,
        parameter_names: Sequence[str] | None = None,
        *,
        bounds: Any = None,
        fixed: Any = None,
        ties: Any = None,
        priors: Any = None,
        derived: Any = None,
        constraints: Any = None,
        linear_parameters: Sequence[str | int] | None = None,
    ) -> None:
        if not callable(residual):
            raise TypeError(f"residual must be callable; it is {residual!r}")
        if jacobian is not None and not callable(jacobian):
            raise TypeError(f"jacobian must be callable or None; it is {jacobian!r}")
        if kwargs is not None and not isinstance(kwargs, Mapping):
            raise TypeError(f"kwargs must be a mapping or None; it is {kwargs!r}")
        self._residual = residual
        self._jacobian = jacobian
        self.args = args if isinstance(args, tuple) else (args,)
        self.kwargs = dict(kwargs or {})
        self.parameter_names = parameter_names
        self.bounds, self.fixed = bounds, fixed
        self._relate(ties, priors, derived, constraints, linear_parameters)

    @property
    def provides_jacobian(self) -> bool:
        """Whether a function `jacobian` was given, or a subclass defines the method."""
        own = getattr(self.jacobian, "__func__", None) is not FunctionProblem.jacobian
        return callable(self.jacobian) if own else self._jacobian is not None

    def residual(self, x: NDArray[np.float64]) -> ArrayLike:
        """Return ``residual(x, *args, **kwargs)``."""
        return self._residual(x, *self.args, **self.kwargs)

    def jacobian(self, x: NDArray[np.float64]) -> ArrayLike:
        """Return ``jacobian(x, *args, **kwargs)``."""
        if self._jacobian is None:
            return super().jacobian(x)
        return self._jacobian(x, *self.args, **self.kwargs)


def residual_call(problem: Any) -> tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]:
    """Return function, args and kwargs that evaluate the residual most directly."""
    if is_paired(problem):
        return partial(_residual_of_pair, problem), (), {}
    # A subclass or an instance may override the residual.
    direct = (
        isinstance(problem, FunctionProblem)
        and type(problem).residual is FunctionProblem.residual
        and "residual" not in vars(problem)
    )
    if direct:
        return problem._residual, problem.args, problem.kwargs
    if not callable(getattr(problem, "residual", None)):
        raise TypeError(
            f"problem must be a Problem or have a method residual(x); it is {problem!r}"
        )
    return problem.residual, (), {}


def _residual_of_pair(problem: Any, x: NDArray[np.float64]) -> Any:
    return evaluated(problem, x, "residual")[0]


def evaluate_name(problem: Any) -> str:
    """Return the name of the user's method `evaluate`, for messages."""
    return f"{getattr(problem, '_qualname', type(problem).__qualname__)}.evaluate"


def residual_name(problem: Any) -> str:
    """Return the name of the method that returns the residual, for messages."""
    if is_paired(problem):
        return f"{evaluate_name(problem)}, for its residual,"
    name: str = getattr(problem, "_residual_name", "residual")
    return name


def source(problem: Any, n: int) -> Source:
    """Return the problem in its compiled form, for one solve with n parameters."""
    if is_compiled(problem):
        compiled = Compiled(problem)
        if n != problem.n:
            raise ValueError(
                f"x0 must have one entry per parameter of the compiled problem, {problem.n}; "
                f"it has {n}"
            )
        return compiled
    own = getattr(problem, "_residual_source", None)
    direct: Source | None = None if own is None else own(n)
    if direct is not None:
        return direct
    func, args, kwargs = residual_call(problem)
    return Residual(func, args, kwargs, residual_name(problem), False, EvaluationError)
