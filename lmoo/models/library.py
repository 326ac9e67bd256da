"""Compiled models of curves, with derivatives, starting values and names of parameters."""

# Names of types, not unions of many, are shown by help().
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lmoo._core.arrays import Array
from lmoo._core.batch import CurveModel, CurveModelProblem
from lmoo._core.solve import start
from lmoo.errors import EvaluationError
from lmoo.models.expression.base import Model
from lmoo.models.expression.recorded import recorded_call
from lmoo.problems.arguments import as_array, checked_capsule, positive, real_array
from lmoo.problems.curve import Curve
from lmoo.problems.curveproblem import CurveProblem
from lmoo.problems.data import checked_policy, not_finite, without_masked
from lmoo.problems.described import Described
from lmoo.problems.measured import measured
from lmoo.problems.parameters import OPTIONS
from lmoo.problems.sigma import checked_absolute_sigma
from lmoo.problems.typed import Bounds, Constraints, Expressions, Fixed, NanPolicy, Priors


class CompiledModel:
    """A model of curves, y = f(t, x), in compiled code.

    It is called as ``f(t, *parameters)``; its method `problem` returns a problem for `lmoo.Solver`;
    `lmoo.curve_fit_many` fits it to any number of curves without calls of Python code.

    Parameters
    ----------
    table : PyCapsule
        A capsule named ``lmoo_model`` that points to an ``lmoo_model`` of lmoo.h.  Its functions
        must exist as long as the capsule.
    parameter_names : sequence of str, optional
        One per parameter.

    Attributes
    ----------
    n : int
        Number of parameters.
    variables : int
        Number of independent variables; if there are several, t is a tuple of as many arrays.
    parameter_names : tuple of str or None

    Raises
    ------
    TypeError
        `table` is not such a capsule.
    ValueError
        The table has no parameters or no values, or the number of names is not n.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> model = lmoo.models.Exponential()
    >>> t = np.linspace(0, 4, 9)
    >>> model.parameter_names, model(t, 2.0, 0.5, 1.0)[:2].round(3)
    (('amplitude', 'rate', 'offset'), array([3.   , 2.558]))
    >>> problem = model.problem(t, model(t, 2.0, 0.5, 1.0))
    >>> lmoo.Solver().solve(problem, [1, 1, 0]).x.round(6)
    array([2. , 0.5, 1. ])
    """

    parameter_names: tuple[str, ...] | None = None

    def __init__(self, table: Any, parameter_names: Sequence[str] | None = None) -> None:
        self._model = CurveModel(checked_capsule(table, "lmoo_model"))
        if parameter_names is not None:
            self.parameter_names = tuple(str(name) for name in parameter_names)
        if self.parameter_names is not None and len(self.parameter_names) != self.n:
            raise ValueError(
                f"parameter_names must have one entry per parameter, {self.n}; it is "
                f"{self.parameter_names!r}"
            )

    @property
    def n(self) -> int:
        """Number of parameters."""
        return self._model.n

    @property
    def variables(self) -> int:
        """Number of independent variables."""
        return self._model.variables

    def __call__(self, t: Any, *parameters: ArrayLike) -> Array:
        """Return the values of the model, (m,), or (k, m) for parameters of shape (k, 1).

        Parameters
        ----------
        t : (m,) or (k, m) array_like, or a tuple of them
            Several variables may also be the rows of an array, (variables, m).
        *parameters : float or (k, 1) array_like
            One argument for each of the n parameters.

        Raises
        ------
        EvaluationError
            The model is not defined there.
        """
        recorded = recorded_call(self, getattr(self, "model", None), t, parameters)
        if recorded is not None:
            return recorded  # type: ignore[no-any-return]
        points, x, single = self._arguments(t, parameters)
        values = self._evaluate(points, x, False)
        return values[0] if single else values

    def jacobian(self, t: Any, *parameters: ArrayLike) -> Array:
        """Return the derivatives by the parameters, (m, n), or (k, m, n).

        Parameters
        ----------
        t, *parameters
            As for a call of the model.

        Raises
        ------
        NotImplementedError
            The model provides no derivatives.
        """
        if not self.provides_jacobian:
            raise NotImplementedError(f"{type(self).__name__} has no derivatives")
        points, x, single = self._arguments(t, parameters)
        columns = np.swapaxes(self._evaluate(points, x, True), 1, 2)
        return columns[0] if single else columns

    def guess(self, t: Any, y: Array) -> Array:
        """Return starting values for some curves, (k, n).

        lmoo calls this method with y of shape (k, m); the models of `lmoo.models` accept the data
        of one curve as well.

        Parameters
        ----------
        t : (m,) or (k, m) array, or a tuple of them
        y : (k, m) array
        """
        raise NotImplementedError(f"{type(self).__name__} has no guess; pass p0")

    @property
    def provides_jacobian(self) -> bool:
        """Whether the model provides its derivatives."""
        return self._model.has_derivatives

    def problem(
        self,
        t: Any,
        y: ArrayLike,
        sigma: ArrayLike | None = None,
        *,
        bounds: Bounds | None = None,
        fixed: Fixed | None = None,
        ties: Expressions | None = None,
        priors: Priors | None = None,
        derived: Expressions | None = None,
        constraints: Constraints | None = None,
        absolute_sigma: bool | None = None,
        nan_policy: NanPolicy = "raise",
    ) -> ModelProblem | CurveProblem:
        """Return the problem of fitting one curve, for `lmoo.Solver`.

        Parameters
        ----------
        t : (m,) array_like, or a tuple of them, or a (k, m) array of k variables
        y : (m,) array_like
            Series, labelled arrays, quantities and images are accepted as by `CurveProblem`.
        sigma : float or (m,) array_like, optional
            Standard deviations, by which residuals are divided.  Points that are masked in t, y or
            sigma (``numpy.ma``) are left out.
        bounds, fixed : optional
            See `lmoo.bounds.limits`; they are checked when the problem is solved.
        ties, priors, derived, constraints : optional
            Relations of the parameters, as for `Solver`.
        absolute_sigma, nan_policy : optional
            As for `CurveProblem`.

        Returns
        -------
        ModelProblem
            A `CompiledProblem` with the data as attributes; a `CurveProblem`, which calls the model
            from Python, for fewer points than parameters.
        """
        problem: ModelProblem | CurveProblem
        t, y, sigma, _, axes = measured(t, y, sigma)
        if self.variables > 1 and isinstance(t, np.ndarray) and t.ndim == 2:
            t = tuple(t)
        t, y, sigma = known = without_masked(t, y, sigma, checked_policy(nan_policy) == "omit")
        if np.size(as_array("y", known[1])) < self.n:
            jac = self.jacobian if self.provides_jacobian else None
            problem = CurveProblem(self, *known, jac, bounds=bounds, fixed=fixed)
        else:
            problem = ModelProblem(self, t, y, sigma, bounds, fixed)
        axes.describe(problem)
        problem.ties, problem.priors = ties, priors
        problem.derived, problem.constraints = derived, constraints
        problem.absolute_sigma = checked_absolute_sigma(absolute_sigma, sigma)
        return problem

    def _arguments(self, t: Any, parameters: Sequence[ArrayLike]) -> tuple[Array, Array, bool]:
        """Return t as (1 or k, variables, m), x as (k, n), and whether it is one curve."""
        if len(parameters) != self.n:
            raise TypeError(
                f"{type(self).__name__} takes {self.n} parameters; {len(parameters)} were given"
            )
        # Several variables may be the rows of an array.
        several = isinstance(t, tuple) or (self.variables > 1 and getattr(t, "ndim", 0) == 2)
        parts = tuple(real_array("t", part) for part in (t if several else (t,)))
        if len(parts) != self.variables:
            raise ValueError(
                f"t must be {self.variables} arrays for {type(self).__name__}; it has {len(parts)}"
            )
        rows = [part if part.ndim == 2 else part.reshape(1, -1) for part in parts]
        points = np.ascontiguousarray(np.stack(np.broadcast_arrays(*rows), axis=1))
        columns = [real_array("parameters", p).reshape(-1) for p in parameters]
        x = np.ascontiguousarray(np.stack(np.broadcast_arrays(*columns), axis=1))
        single = len(x) == 1 and all(np.ndim(p) == 0 for p in parameters) and parts[0].ndim < 2
        if len(points) not in (1, len(x)):
            x = np.ascontiguousarray(np.broadcast_to(x, (len(points), self.n)))
        return points, x, single

    def _evaluate(self, points: Array, x: Array, derivatives: bool) -> Array:
        values, codes = self._model.evaluate(points, x, derivatives)
        if codes.any():
            raise EvaluationError(f"{type(self).__name__} returned {codes[codes != 0][0]}")
        return values


class ModelProblem(CurveModelProblem, Described):
    """The problem of fitting a compiled model to one curve; made by `CompiledModel.problem`.

    Attributes
    ----------
    f : CompiledModel
    t : (m,) float64 array, or a tuple of them
    y : (m,) float64 array
    sigma : None or (m,) float64 array
    bounds, fixed, ties, priors, derived, constraints, absolute_sigma
        As given.
    parameter_names : tuple of str or None
    """

    def __init__(
        self,
        f: CompiledModel,
        t: Any,
        y: ArrayLike,
        sigma: ArrayLike | None = None,
        bounds: Bounds | None = None,
        fixed: Fixed | None = None,
    ) -> None:
        t, y, sigma = without_masked(t, y, sigma)
        points, _, _ = f._arguments(t, (0.0,) * f.n)
        values = np.ascontiguousarray(real_array("y", y))
        if len(points) != 1 or values.shape != (points.shape[2],):
            raise ValueError(
                f"y must have one value for each of t, shape {points.shape[2:]}; it has "
                f"{values.shape}"
            )
        bad = start(values, True)[1]
        if bad >= 0:
            raise not_finite("y", f"y[{bad}] is {values[bad]}")
        weights = None
        if sigma is not None:
            sigma = real_array("sigma", sigma)
            if sigma.size == 1 and sigma.ndim < 2:
                sigma = np.full(values.shape, sigma.item())
            if sigma.shape != values.shape:
                raise ValueError(
                    f"sigma must be a number, or have shape {values.shape}, as y; its shape is "
                    f"{sigma.shape}"
                )
            weights = 1.0 / positive("sigma", sigma)
        super().__init__(f._model, points[0], values, weights, f.parameter_names)
        self.f, self.y, self.sigma = f, values, sigma
        self.t = tuple(points[0]) if f.variables > 1 else points[0, 0]
        self.bounds, self.fixed = bounds, fixed

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("f", "t", "y", "sigma") and name in vars(self):
            raise AttributeError(
                f"{name} is compiled into the problem and cannot be changed; model.problem(...) "
                "makes another problem"
            )
        super().__setattr__(name, value)

    def as_curve(self) -> Curve:
        """Return the model and the data."""
        return Curve(self.f, self.t, self.y, self.sigma, self.f.jacobian)

    def graph_data(self) -> tuple[Model, Array, Array, Array | None] | None:
        """Return the graph that the model evaluates, with points, y and weights; None without one.

        Examples
        --------
        >>> import lmoo
        >>> graph, points, *_ = lmoo.models.Linear().problem([0, 1, 2], [1, 3, 5]).graph_data()
        >>> print(graph, points.shape)
        slope*t + intercept (1, 3)
        """
        graph = getattr(self.f, "model", None)
        if not isinstance(graph, Model) or type(self.f).__call__ is not CompiledModel.__call__:
            return None
        points = np.stack(self.t) if isinstance(self.t, tuple) else self.t[None]
        return graph, points, self.y, None if self.sigma is None else 1.0 / self.sigma

    def __reduce__(self) -> Any:
        # Its pointers are invalid in another process.
        parts = (self.f, self.t, self.y, self.sigma, self.bounds, self.fixed)
        kept = (*OPTIONS, "absolute_sigma", "labels", "t_units", "y_unit", "units")
        related = {name: vars(self)[name] for name in kept if vars(self).get(name) is not None}
        return (type(self), parts, related) if related else (type(self), parts)

    def __setstate__(self, state: dict[str, Any]) -> None:
        # That of the compiled base class refuses, because of its pointers.
        vars(self).update(state)
