"""`fit`: one curve, one call, with or without starting values."""

# Names of types, not unions of many, are shown by help().
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from lmoo._core.arrays import Array
from lmoo.losses.loss import Loss
from lmoo.models.problem import curve_problem, is_compiled_model
from lmoo.models.starts.given import GivenParameters
from lmoo.problems.bounds import box, limits
from lmoo.problems.boundsforms import bounds_of_table, by_parameter
from lmoo.problems.complexdata import ComplexParts
from lmoo.problems.curveproblem import CurveProblem
from lmoo.problems.kinds import is_compiled
from lmoo.problems.names import by_name, parameter_names_of
from lmoo.problems.parameters import OPTIONS as RELATIONS
from lmoo.problems.parameters import relations_of
from lmoo.problems.sigma import checked_absolute_sigma
from lmoo.problems.typed import (
    Bounds,
    Constraints,
    Expressions,
    Fixed,
    FScale,
    LossName,
    NanPolicy,
    Priors,
    Start,
)
from lmoo.results.result import Result
from lmoo.solver.fitdata import FitData, fit_data, with_units
from lmoo.solver.fitstart import (
    Edges,
    as_expression,
    fit_names,
    given_start,
    own_guess,
    without_linear,
)
from lmoo.solver.multistart import (
    Search,
    best_result,
    feasible,
    related_result,
    robust_result,
)
from lmoo.solver.quantities import Start as Given
from lmoo.solver.solver import Solver

_OPTIONS = ("bounds", "fixed", "loss", "f_scale", *RELATIONS)


def fit(
    model: str | Callable[..., Any],
    t: Any = None,
    y: Any = None,
    p0: Start | None = None,
    sigma: Any = None,
    *,
    data: Any = None,
    absolute_sigma: bool | None = None,
    bounds: Bounds | None = None,
    fixed: Fixed | None = None,
    ties: Expressions | None = None,
    priors: Priors | None = None,
    derived: Expressions | None = None,
    constraints: Constraints | None = None,
    loss: LossName | Loss | Callable[..., Any] = "linear",
    f_scale: FScale = 1.0,
    sigma_x: Any = None,
    nan_policy: NanPolicy = "raise",
    solver: Solver | None = None,
) -> Result:
    """Fit a model to one curve, with or without starting values.

    Parameters
    ----------
    model : str, Model, CompiledModel or callable
        The text of an `lmoo.Expression`, in t, in x if it has no t, or in the names of columns; one
        of `lmoo.models`; what arithmetic on models or `lmoo.trace` returns; or a function
        ``f(t, *parameters)``.
    t : (m,) array_like, or a tuple of them
        The independent variable, or several.  With `data` the name of a column, or a list of
        names; None: the columns that the model has as variables.
    y : (m,) array_like
        The curve; real, or complex as for `lmoo.CurveProblem`.  With `data` the name of a column.
    p0 : (n,) array_like or mapping, optional
        Starting values, one per parameter, or by name.  Values that a mapping leaves out are
        found; None: all are.  A model of `lmoo.models` guesses them.  Those of parameters in which
        the model is linear (`lmoo.models.Model.linear` tells which) are not needed, and not used,
        as these are eliminated; for other models than those of `lmoo.models` the rest are searched
        for in the units of the data.
    sigma : (m,) or (m, m) array_like, optional
        Standard deviations of y, or their covariance, as for `lmoo.CurveProblem`.  With `data` also
        the name of a column.
    data : table, optional
        A DataFrame, a mapping of names to arrays, an array with fields, a table of astropy or an
        xarray.Dataset, in which t, y, sigma and `sigma_x` are columns.
    absolute_sigma : bool, optional
        Whether sigma is known as it is: errors are then not scaled by the residual.  None, False:
        only its relative size counts.
    bounds, fixed : optional
        Bounds of the parameters, and parameters that are fixed: a mapping from names to values, or
        names whose values p0 has; as for `lmoo.Solver`.
    ties, priors, derived, constraints : optional
        Relations of the parameters, as for `lmoo.Solver`.  Starting values that are missing are
        found without them, and moved into the constraints.
    loss, f_scale : optional
        As for `lmoo.Solver`.  With a loss, starting values are found by least squares.
    sigma_x : float, array_like or tuple, optional
        Standard deviations of t, or its covariances, as for `lmoo.CurveProblem`.  Starting values
        are found without.
    nan_policy : {"raise", "omit"}
        What to do with NaN in t, y, sigma or sigma_x, and infinite y: raise ValueError, or leave
        these points out.
    solver : Solver, optional
        Tolerances and strategies.  None: ``Solver(separable="auto")``, which eliminates the
        parameters that the model is linear in where this is possible.

    Returns
    -------
    Result
        Of all solutions that were found, the one with the lowest cost; among equal ones, that with
        the slowest oscillation.  It is false if no minimum was found.

    Raises
    ------
    TypeError, ValueError
        An argument of the wrong type or shape; a name that is none of the parameters, or no column;
        units that contradict each other; starting values are missing and cannot be found, as the
        function cannot be traced (see `lmoo.trace`), or as the model is finite nowhere.
    EvaluationError
        The model has no finite value at p0.

    See Also
    --------
    curve_fit : scipy's arguments and its tuple.

    Notes
    -----
    With quantities of astropy or pint the parameters have units: those with which the model has
    the unit of y, from its graph.  The fit is made in these units, the result has numbers, and
    `Result.quantities` the values with their units.  See "Data as you have them" in the
    documentation.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> t = np.linspace(0, 4, 40)
    >>> y = 3.0 * np.exp(-0.7 * t) + 0.5 + 0.01 * np.cos(9 * t)
    >>> lmoo.fit("a*exp(-b*t) + c", t, y).x.round(2)
    array([3. , 0.7, 0.5])

    A table, whose columns the model names:

    >>> table = {"time": t, "counts": y}
    >>> lmoo.fit("a*exp(-b*time) + c", data=table, y="counts").x.round(2)
    array([3. , 0.7, 0.5])

    A sum of models, and starting values for some parameters:

    >>> peak = lmoo.models.Lorentzian(prefix="p_") + lmoo.models.Linear(prefix="l_")
    >>> y = peak(t, *range(1, 1 + len(peak.parameter_names)))
    >>> lmoo.fit(peak, t, y, p0={"p_center": 1.9}).success
    True
    """
    found = fit_data(model, t, y, sigma, sigma_x, data)
    p0 = by_name(p0, parameter_names_of(found.model))
    names = fit_names(found.model, p0)
    given_values = Given(p0, *map(by_parameter, (bounds_of_table(bounds), fixed, priors)))
    start, units = with_units(found, given_values, names)
    given = (start.bounds, start.fixed, loss, f_scale, ties, start.priors, derived, constraints)
    options = _solver(solver, dict(zip(_OPTIONS, given, strict=True)))
    problem = _problem(found, nan_policy, absolute_sigma)
    problem.parameter_names, problem.units = names, units
    found.axes.describe(problem)
    if found.columns:
        problem.columns = found.columns
    values = given_start(start.p0, names)
    _check_start(options, names, values)
    if found.sigma_x is not None:
        relations = relations_of(options, None)
        # Values of tied parameters are not used.
        values[[relations is not None and name in relations.ties for name in names]] = 1.0
        if np.isnan(values).any():
            exact = _problem(found._replace(sigma_x=None), nan_policy, None)
            exact.parameter_names = names
            values = _solved(found.model, exact, values, options).x
        return options.solve(problem, values)
    return _solved(found.model, problem, values, options)


def _problem(found: FitData, nan_policy: NanPolicy, absolute_sigma: bool | None) -> Any:
    """Return the problem of the data."""
    t, y, sigma, sigma_x = found.t, found.y, found.sigma, found.sigma_x
    if sigma_x is not None:
        problem: Any = CurveProblem(
            found.model, t, y, sigma, sigma_x=sigma_x, nan_policy=nan_policy
        )
    else:
        problem = curve_problem(found.model, t, y, sigma, nan_policy=nan_policy)
    problem.absolute_sigma = checked_absolute_sigma(absolute_sigma, problem.sigma, level=4)
    return problem


def _check_start(solver: Solver, names: tuple[str, ...], start: Array) -> None:
    """Raise ValueError for a starting value that is given and outside its bounds."""
    relations = relations_of(solver, None)
    used = [relations is None or name not in relations.ties for name in names]
    lower, upper, _ = limits(solver.bounds, solver.fixed, names, start.size)
    given = ~np.isnan(start) & used
    start = np.where(given, start, np.clip(0.0, lower, upper))
    box(solver.bounds, solver.fixed, names, start, "p0")


def _solved(model: Any, problem: Any, start: Array, robust: Solver) -> Result:
    """Return the best fit from starting values of which some may be nan."""
    names, relations = problem.parameter_names, relations_of(robust, None)
    plain: dict[str, Any] = dict.fromkeys(RELATIONS)
    squares = replace(robust, loss="linear", f_scale=1.0, **plain)
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
        solved = _without_linear(model, problem, start, edges, squares)
        if solved is not None:
            return solved if robust.loss == "linear" else robust.solve(problem, solved.x)
    if np.isnan(start).any() and is_compiled_model(model):
        guess = np.clip(own_guess(model, problem), *edges[:2])
        start = np.where(np.isnan(start), guess, start)
    if not np.isnan(start).any():
        return robust.solve(problem, feasible(robust, problem, start))
    if isinstance(problem.f, ComplexParts):
        return _complex_fit(model, problem, start, edges, squares, robust)
    search = _search(model, problem, GivenParameters(start, *edges))
    # Not all points of a search are where the function has a value.
    with np.errstate(all="ignore"):
        if relations is not None:
            return related_result(search, squares, robust)
        if robust.loss == "linear":
            return best_result(search, squares)
        return robust_result(search, squares, robust)


def _search(model: Any, problem: Any, given: GivenParameters) -> Search:
    """Return the search for starting values."""
    curve = problem.as_curve()
    points = np.stack([np.asarray(v) for v in curve.t]) if isinstance(curve.t, tuple) else curve.t
    count = len(curve.t) if isinstance(curve.t, tuple) else 1
    if np.shape(points)[-1:] != curve.y.shape and np.size(points) == count * curve.y.size:
        raise ValueError(
            f"t must have its points along its last axis; its shape is {np.shape(points)}: give "
            "t.T, or t.ravel() for one variable"
        )
    if np.shape(points)[-1:] != curve.y.shape:
        raise ValueError(
            f"t and y must have the same number of points; t has {np.size(points) // count} and y "
            f"has {curve.y.size}"
        )
    return Search(
        problem,
        as_expression(model, problem.parameter_names, count),
        np.asarray(points, dtype=np.float64),
        curve.y,
        curve.standard_deviations(),
        given,
    )


def _complex_fit(
    model: Any, problem: Any, start: Array, edges: Edges, squares: Solver, robust: Solver
) -> Result:
    """Return the fit of a complex curve, of which only linear parameters may have no start."""
    names = problem.parameter_names
    free = replace(squares, bounds=None)
    unbounded = limits(None, free.fixed, names, start.size)
    solved = _without_linear(model, problem, start, unbounded, free)
    if solved is None:
        missing = [name for name, value in zip(names, start, strict=True) if np.isnan(value)]
        raise ValueError(
            "p0 must have starting values for complex y, of all parameters that the model is not "
            f"linear in; it has none for {', '.join(missing)}"
        )
    return robust.solve(problem, feasible(robust, problem, np.clip(solved.x, *edges[:2])))


def _without_linear(
    model: Any, problem: Any, start: Array, edges: Edges, squares: Solver
) -> Result | None:
    """Return the fit if only linear parameters, which are eliminated, have no starting values."""
    found = without_linear(model, problem, start, edges)
    if found is None:
        return None
    start, linear = found
    if not is_compiled(problem):
        # Known from the function, also where the problem does not run compiled.
        problem.linear_parameters = linear
    sure = squares.jacobian is None and squares.linear is None
    return replace(squares, separable=sure or "auto").solve(problem, start)


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
