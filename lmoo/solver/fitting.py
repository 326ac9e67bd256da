"""`fit`: one curve, one call, with or without starting values."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lmoo.errors import TraceError
from lmoo.losses.loss import Loss
from lmoo.models.expression import Expression
from lmoo.models.expression.base import Model
from lmoo.models.library import CompiledModel
from lmoo.models.problem import curve_problem
from lmoo.models.starts.given import GivenParameters
from lmoo.models.tracing.cache import Kind
from lmoo.models.tracing.cache import traced as kept_trace
from lmoo.models.tracing.trace import trace as traced
from lmoo.problems.arguments import real_array
from lmoo.problems.bounds import limits
from lmoo.problems.complexdata import ComplexParts
from lmoo.problems.curveproblem import CurveProblem
from lmoo.problems.names import parameter_names_of
from lmoo.problems.parameters import OPTIONS as RELATIONS
from lmoo.problems.parameters import relations_of
from lmoo.results.result import Result
from lmoo.solver.multistart import (
    Search,
    best_result,
    feasible,
    related_result,
    robust_result,
)
from lmoo.solver.separable import model_of
from lmoo.solver.solver import Solver

__all__ = ["fit"]

Array = NDArray[np.float64]

_OPTIONS = ("bounds", "fixed", "loss", "f_scale", *RELATIONS)


def fit(
    model: str | Callable[..., Any],
    t: Any,
    y: ArrayLike,
    p0: ArrayLike | Mapping[str, float] | None = None,
    sigma: ArrayLike | None = None,
    *,
    bounds: Any = None,
    fixed: Any = None,
    loss: str | Loss | Callable[..., Any] = "linear",
    f_scale: float | str = 1.0,
    nan_policy: str = "raise",
    solver: Solver | None = None,
    ties: Any = None,
    priors: Any = None,
    derived: Any = None,
    constraints: Any = None,
    sigma_x: Any = None,
) -> Result:
    """Fit a model to one curve, with or without starting values.

    Parameters
    ----------
    model : str, Model, CompiledModel or callable
        The text of an `lmoo.Expression` in t; one of `lmoo.models`; what arithmetic on models or
        `lmoo.trace` returns; or a function ``f(t, *parameters)``.
    t : (m,) array_like, or a tuple of them
        The independent variable, or several.
    y : (m,) array_like
        The curve; real, or complex as for `lmoo.CurveProblem`.
    p0 : (n,) array_like or mapping, optional
        Starting values, one per parameter, or by name.  Values that a mapping leaves out are
        found; None: all are.  A model of `lmoo.models` guesses them.  Those of parameters in which
        the model is linear (`lmoo.models.Model.linear` tells which) are not needed, and not used,
        as these are eliminated; for other models than those of `lmoo.models` the rest are searched
        for in the units of the data.
    sigma : (m,) or (m, m) array_like, optional
        Standard deviations of y, or their covariance, as for `lmoo.CurveProblem`.
    bounds, fixed : optional
        Bounds of the parameters, and parameters that are fixed: a mapping from names to values, or
        names whose values p0 has; as for `lmoo.Solver`.
    loss, f_scale : optional
        As for `lmoo.Solver`.  With a loss, starting values are found by least squares.
    nan_policy : {"raise", "omit"}
        What to do with NaN in y or t: raise ValueError, or leave these points out.
    solver : Solver, optional
        Tolerances and strategies.  None: ``Solver(separable="auto")``, which eliminates the
        parameters that the model is linear in where this is possible.
    ties, priors, derived, constraints : optional
        Relations of the parameters, as for `lmoo.Solver`.  Starting values that are missing are
        found without them, and moved into the constraints.
    sigma_x : float, array_like or tuple, optional
        Standard deviations of t, or its covariances, as for `lmoo.CurveProblem`.  Starting values
        are found without.

    Returns
    -------
    Result
        Of all solutions that were found, the one with the lowest cost; among equal ones, that with
        the slowest oscillation.

    Raises
    ------
    TypeError, ValueError
        An argument of the wrong type or shape; a name that is none of the parameters; starting
        values are missing and cannot be found, as the function cannot be traced (see
        `lmoo.trace`), or as the model is finite nowhere.
    EvaluationError
        The model has no finite value at p0.

    See Also
    --------
    curve_fit : scipy's arguments and its tuple.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> t = np.linspace(0, 4, 40)
    >>> y = 3.0 * np.exp(-0.7 * t) + 0.5 + 0.01 * np.cos(9 * t)
    >>> lmoo.fit("a*exp(-b*t) + c", t, y).x.round(2)
    array([3. , 0.7, 0.5])

    A sum of models, and starting values for some parameters:

    >>> peak = lmoo.models.Lorentzian(prefix="p_") + lmoo.models.Linear(prefix="l_")
    >>> y = peak(t, *range(1, 1 + len(peak.parameter_names)))
    >>> lmoo.fit(peak, t, y, p0={"p_center": 1.9}).success
    True
    """
    if isinstance(model, str):
        model = Expression(model)
    if not callable(model):
        raise TypeError(f"model must be a text, a model or a function; it is {model!r}")
    given = (bounds, fixed, loss, f_scale, ties, priors, derived, constraints)
    robust = _solver(solver, dict(zip(_OPTIONS, given, strict=True)))
    relations = relations_of(robust, None)
    if sigma_x is not None:
        return _with_errors_in_x(model, t, y, p0, sigma, nan_policy, robust, sigma_x)
    plain: dict[str, Any] = dict.fromkeys(RELATIONS)
    squares = replace(robust, loss="linear", f_scale=1.0, **plain)
    problem = curve_problem(model, t, y, sigma, nan_policy=nan_policy)
    names = _names(model, p0)
    problem.parameter_names = names
    start = _given(p0, names)
    edges = limits(squares.bounds, squares.fixed, names, start.size)
    start = np.where(edges[2] & np.isnan(start), edges[0], start)
    for name, without in zip(names, edges[2] & ~np.isfinite(start), strict=True):
        if without:
            raise ValueError(f"fixed must have a value for {name}, or p0 must have it")
    if relations is not None:
        unused = [name in relations.ties for name in names]
        if not (np.isnan(start) & ~np.array(unused)).any():
            pairs = zip(names, start.tolist(), strict=True)
            return robust.solve(problem, {k: v for k, v in pairs if v == v})
    else:
        found = _without_linear(model, problem, start, edges)
        if found is not None:
            solved = _solved_without_linear(problem, found, squares)
            return solved if robust.loss == "linear" else robust.solve(problem, solved.x)
    if np.isnan(start).any() and isinstance(model, CompiledModel):
        start = np.where(np.isnan(start), np.clip(_guess(model, problem), *edges[:2]), start)
    if not np.isnan(start).any():
        return robust.solve(problem, feasible(robust, problem, start))
    if isinstance(problem.f, ComplexParts):
        free = replace(squares, bounds=None)
        found = _without_linear(model, problem, start, limits(None, free.fixed, names, start.size))
        if found is not None:
            start = np.clip(_solved_without_linear(problem, found, free).x, *edges[:2])
            return robust.solve(problem, feasible(robust, problem, start))
        missing = [name for name, value in zip(names, start, strict=True) if np.isnan(value)]
        raise ValueError(
            "p0 must have starting values for complex y, of all parameters that the model is not "
            f"linear in; it has none for {', '.join(missing)}"
        )
    curve = problem.as_curve()
    points = np.stack([np.asarray(v) for v in curve.t]) if isinstance(curve.t, tuple) else curve.t
    search = Search(
        problem,
        _expression(model, names, len(curve.t) if isinstance(curve.t, tuple) else 1),
        np.asarray(points, dtype=np.float64),
        curve.y,
        curve.standard_deviations(),
        GivenParameters(start, *edges),
    )
    # Not all points of a search are where the function has a value.
    with np.errstate(all="ignore"):
        if relations is not None:
            return related_result(search, squares, robust)
        if robust.loss == "linear":
            return best_result(search, squares)
        return robust_result(search, squares, robust)


def _with_errors_in_x(
    model: Any,
    t: Any,
    y: Any,
    p0: Any,
    sigma: Any,
    nan_policy: str,
    solver: Solver,
    sigma_x: Any,
) -> Result:
    """Fit with errors in x, from the fit without if starting values are missing."""
    problem = CurveProblem(model, t, y, sigma, sigma_x=sigma_x, nan_policy=nan_policy)
    problem.parameter_names = _names(model, p0)
    start = _given(p0, problem.parameter_names)
    relations = relations_of(solver, None)
    tied = () if relations is None else relations.ties
    # Values of tied parameters are not used.
    start[[name in tied for name in problem.parameter_names]] = 1.0
    if np.isnan(start).any():
        start = fit(model, t, y, p0, sigma, nan_policy=nan_policy, solver=solver).x
    return solver.solve(problem, start)


def _solver(solver: Solver | None, given: Mapping[str, Any]) -> Solver:
    """Return the solver with the options of this call, each given once."""
    if solver is None:
        solver = Solver(separable="auto")
    if not isinstance(solver, Solver):
        raise TypeError(f"solver must be a Solver or None; it is {solver!r}")
    defaults = Solver()
    options: dict[str, Any] = {}
    for name, value in given.items():
        default = getattr(defaults, name)
        if value is None or (isinstance(value, (str, float, int)) and value == default):
            continue
        if getattr(solver, name) != default:
            raise ValueError(f"{name} must be given once, in the call or in solver")
        options[name] = value
    return replace(solver, **options)


def _names(model: Any, p0: Any) -> tuple[str, ...]:
    """Return the names of the parameters."""
    names = parameter_names_of(model)
    if names is not None:
        return tuple(names)
    if p0 is None or isinstance(p0, Mapping):
        raise ValueError(
            "p0 must be an array, as the names of the function's parameters are unknown; it is "
            f"{p0!r}"
        )
    return tuple(f"x[{j}]" for j in range(np.size(p0)))


def _given(p0: Any, names: Sequence[str]) -> Array:
    """Return the starting values that are given, nan for the others."""
    if p0 is None:
        return np.full(len(names), np.nan)
    if isinstance(p0, Mapping):
        unknown = [name for name in p0 if name not in names]
        if unknown:
            raise ValueError(
                f"p0 has {unknown[0]!r}, which is not a parameter of the model; its parameters "
                f"are {', '.join(names)}"
            )
        x = np.array([p0.get(name, np.nan) for name in names], dtype=np.float64)
        bad = [name for name in p0 if not np.isfinite(x[names.index(name)])]
    else:
        x = np.array(real_array("p0", p0), dtype=np.float64).reshape(-1)
        if x.size != len(names):
            raise ValueError(
                f"p0 must have one value for each of the {len(names)} parameters, "
                f"{', '.join(names)}; it has {x.size}"
            )
        bad = [name for name, value in zip(names, x, strict=True) if not np.isfinite(value)]
    if bad:
        raise ValueError(f"p0 must be finite; that of {bad[0]} is {x[names.index(bad[0])]}")
    return x


def _without_linear(
    model: Any, problem: Any, start: Array, edges: tuple[Array, Array, NDArray[np.bool_]]
) -> tuple[Array, tuple[int, ...]] | None:
    """Return a starting point, and the linear parameters, if those missing are linear and free.

    These are found by linear least squares, whatever they start at; None if others are missing, or
    none is.
    """
    missing = np.isnan(start)
    lower, upper, held = edges
    needed = held | np.isfinite(lower) | np.isfinite(upper)
    if not missing.any() or (missing & needed).any():
        return None
    graph = model_of(problem)
    if graph is None:
        t = problem.as_curve().t
        kind = Kind(
            start.size,
            len(t) if isinstance(t, tuple) else 1,
            points=problem.y.size,
            parts=isinstance(problem.f, ComplexParts),
        )
        try:
            graph = kept_trace(model, kind).model.model
        except TraceError:
            return None
    linear = np.isin(graph.parameter_names, graph.linear)
    if (missing & ~linear).any():
        return None
    return np.where(missing, 1.0, start), tuple(np.flatnonzero(linear).tolist())


def _solved_without_linear(
    problem: Any, found: tuple[Array, tuple[int, ...]], squares: Solver
) -> Result:
    """Return the result from a point whose linear parameters are not starting values."""
    start, linear = found
    if isinstance(problem, CurveProblem):
        # Known from the function, also where the problem does not run compiled.
        problem.linear_parameters = linear
    sure = squares.jacobian is None and squares.linear is None
    return replace(squares, separable=sure or "auto").solve(problem, start)


def _guess(model: CompiledModel, problem: Any) -> Array:
    """Return the model's own guess."""
    curve = problem.as_curve()
    rows = tuple(v[None] for v in curve.t) if isinstance(curve.t, tuple) else curve.t[None]
    try:
        return np.asarray(model.guess(rows, curve.y[None])[0])
    except NotImplementedError as error:
        raise ValueError(f"p0 must be given: {error}") from error


def _expression(model: Any, names: tuple[str, ...], variables: int) -> Expression:
    """Return the model as an expression, whose form tells where to search."""
    if isinstance(model, Expression):
        return model
    try:
        graph = model if isinstance(model, Model) else traced(model, names, variables)
    except TraceError as error:
        raise ValueError(
            f"p0 must be given, as the function cannot be traced to find it: {error}"
        ) from error
    return Expression(graph.text, variables=graph.variables, parameters=names)
