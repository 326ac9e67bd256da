"""`curve_fit`: the signature, the tuple, the warnings and the errors of scipy's curve_fit."""

# Names of types, not unions of many, are shown by help().
from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from lmoo._core.arrays import Array
from lmoo.models.tracing.evaluation import evaluation_of
from lmoo.problems.arguments import checked_trace
from lmoo.problems.bounds import box
from lmoo.problems.curveproblem import CurveProblem
from lmoo.problems.kinds import has_jacobian, is_compiled
from lmoo.problems.sigma import checked_absolute_sigma
from lmoo.problems.typed import Bounds, Constraints, Expressions, Fixed, NanPolicy, Priors, Trace
from lmoo.scipy_api.curve_fit_covariance import covariance_of
from lmoo.scipy_api.curve_fit_data import curve_fit_problem
from lmoo.scipy_api.initial_guess import NO_BOUNDS, starting_point
from lmoo.scipy_api.leastsq import _infodict
from lmoo.scipy_api.options import curve_solver
from lmoo.solver.iteration import Iteration, keep_result
from lmoo.solver.startingpoint import bad_start
from lmoo.status import Status


class OptimizeWarning(UserWarning):
    """The covariance of the parameters could not be estimated.

    If scipy.optimize is imported, the warning is also an instance of its `OptimizeWarning`, so that
    filters for either class apply.
    """

    def __init__(self, *args: object) -> None:
        super().__init__(*args)


def curve_fit(
    f: Callable[..., Any],
    xdata: Any,
    ydata: ArrayLike,
    p0: ArrayLike | Mapping[str, float] | None = None,
    sigma: ArrayLike | None = None,
    absolute_sigma: bool = False,
    check_finite: bool | None = None,
    bounds: Bounds | None = NO_BOUNDS,
    method: Literal["lm", "trf", "dogbox"] | None = None,
    jac: Callable[..., Any] | Literal["2-point", "3-point", "cs"] | None = None,
    *,
    full_output: bool = False,
    nan_policy: NanPolicy | None = None,
    fixed: Fixed | None = None,
    trace: Trace = "auto",
    ties: Expressions | None = None,
    priors: Priors | None = None,
    constraints: Constraints | None = None,
    sigma_x: Any = None,
    **kwargs: Any,
) -> tuple[Any, ...]:
    """Fit ``ydata = f(xdata, *parameters)`` by least squares.

    The arguments and the return values are those of ``scipy.optimize.curve_fit``.  The fit is made
    by `Solver`, with its default tolerances.

    Parameters
    ----------
    f : callable
        ``f(xdata, *parameters)``, m values; or one of `lmoo.models`, which runs compiled.
    xdata : object
        The independent variable.  Lists, tuples and arrays are converted to float64 arrays, (m,)
        or (k, m); other objects are passed to f as they are.
    ydata : (m,) array_like
        The dependent variable; a number stands for m equal values.
    p0 : (n,) array_like or mapping, optional
        The starting point.  None: the guess of a compiled model; for other models, for each
        parameter in the signature of f, 1, the middle of its bounds, or 1 inside its only bound.
        A mapping has values by name; those that it leaves out are found in the same way.
    sigma : float, (m,) array_like or (m, m) array_like, optional
        Standard deviations of ydata, or its covariance matrix.  Points that are masked
        (``numpy.ma``) in xdata, ydata or sigma, or on the diagonal of the matrix, are left out.
    absolute_sigma : bool, default False
        Use sigma as it is.  False: only its relative size counts, and `pcov` is scaled by the
        variance of the residual.  True without sigma assumes errors of 1, and warns.
    check_finite : bool, optional
        Whether xdata must be finite; None: yes, unless `nan_policy` is given.  False passes
        infinities to f, and without `nan_policy` also NaN.  ydata must always be finite.
    bounds : pair, object or mapping, optional
        (lower, upper), ``scipy.optimize.Bounds``, or a mapping {name or position: (lower, upper)}.
    method : {"lm", "trf", "dogbox"}, optional
        All values select the same method.  With bounds, "lm" raises ValueError as in scipy.
    jac : callable or {"2-point", "3-point", "cs"}, optional
        ``jac(xdata, *parameters)``, the derivatives of f, (m, n); or a difference scheme.
    full_output : bool, default False
        Return `infodict`, `mesg` and `ier` as well.
    nan_policy : {"raise", "omit"}, optional
        What to do with NaN in xdata, ydata, sigma and sigma_x, and infinite ydata; "omit" leaves
        these points out.
    fixed : sequence or mapping, optional
        Names or positions of parameters that are fixed at their starting values, or a mapping from
        them to values.  Not in scipy.
    trace : {"auto", True, False}
        Whether f is traced (see `lmoo.trace`) and runs compiled, with exact derivatives.  "auto":
        where that is possible and `jac`, ``epsfcn`` and ``diff_step`` are not given; f is called at
        the start and at the solution, where its values are compared with those of the trace.  True:
        it must be possible.  False: f itself is called throughout.  Not in scipy.
    ties, priors, constraints : optional
        Relations of the parameters, as for `Solver`.  Without p0 the starting point is moved into
        the constraints.  Not in scipy.
    sigma_x : float, array_like or tuple, optional
        Standard deviations of xdata, or its covariances, as for `CurveProblem`: the distances of
        the points from the curve are fitted.  As with sigma only the relative size counts, together
        with that of sigma, unless `absolute_sigma` is true.  `jac` must be None or callable;
        ``epsfcn`` and ``diff_step`` are refused, and there is no loss.  Not in scipy.
    **kwargs
        Options of scipy's ``leastsq`` and ``least_squares``: ``ftol``, ``xtol``, ``gtol``;
        ``maxfev`` or ``max_nfev``; ``factor``; ``diag`` or ``x_scale``; ``epsfcn`` or
        ``diff_step``; ``loss``, a loss of `lmoo.losses` or a function, by which outliers count
        less, with ``f_scale``, a number or "mad" (not with method "lm", as in scipy).  Other
        options are refused unless they have their default value.

    Returns
    -------
    popt : (n,) float64 array
        The parameters.
    pcov : (n, n) float64 array
        Their covariance.  Rows and columns of parameters that are fixed or at an active bound are
        0.  All entries are inf if the covariance cannot be estimated.
    infodict : dict
        ``fvec``, the residual; ``nfev``; ``njev``, if the problem has derivatives; ``fjac``,
        ``ipvt``, ``qtf`` as for `leastsq`.  With `full_output` only.
    mesg : str
        Why the fit stopped.  With `full_output` only.
    ier : int
        A value of `Status`, 1 to 4.  With `full_output` only.

    Raises
    ------
    RuntimeError
        No minimum was found; the message gives the reason.
    ValueError
        Data that are empty, not finite, or of shapes that do not match; a model that is not finite
        at p0; p0 missing or outside the bounds; an option out of range.
    TypeError
        An argument of the wrong type, an unknown option, fewer points than parameters with
        ``method="lm"``.
    TraceError
        `trace` is True, and f cannot be traced.

    Warns
    -----
    UserWarning
        `absolute_sigma` is true and there is no sigma.
    OptimizeWarning
        The covariance cannot be estimated: the data do not determine all parameters, or there are
        as many parameters as points and `absolute_sigma` is false.
    TraceWarning
        At the solution the trace of f differs from f; the fit was made again with f.

    Notes
    -----
    With a loss `pcov` is that of the sandwich formula, whatever `absolute_sigma` is.

    Exceptions, including those of f and KeyboardInterrupt, have an attribute ``lmoo_result``, the
    `Result` with the best point so far.

    If both ``ftol`` and ``xtol`` are 1e-8 or more, all derivatives are forward differences.
    Otherwise the last steps use central differences, which give the last digits.

    See Also
    --------
    CurveProblem, Solver : The same fit with a `Result` instead of a tuple.
    curve_fit_many : Fit many curves at once.

    Examples
    --------
    >>> import numpy as np
    >>> from lmoo import curve_fit
    >>> def decay(t, a, b, c):
    ...     return a * np.exp(-b * t) + c
    >>> t = np.linspace(0, 4, 20)
    >>> y = decay(t, 2.5, 1.3, 0.5) + 0.01 * np.cos(9 * t)
    >>> popt, pcov = curve_fit(decay, t, y)
    >>> popt.round(3), np.sqrt(np.diag(pcov)).round(3)
    (array([2.505, 1.304, 0.5  ]), array([0.006, 0.007, 0.003]))
    >>> curve_fit(decay, t, y, bounds={"c": (0.6, None)})[0].round(3)
    array([2.45 , 1.485, 0.6  ])
    """
    related = not (ties is None and priors is None and constraints is None)
    problem = curve_fit_problem(f, xdata, ydata, sigma, jac, check_finite, nan_policy, sigma_x)
    problem.absolute_sigma = checked_absolute_sigma(bool(absolute_sigma), problem.sigma, "ydata")
    x = starting_point(problem, p0, bounds, fixed, method, related)
    coordinates = None
    if related:
        problem.ties, problem.priors, problem.constraints = ties, priors, constraints
        x, coordinates = _related_start(problem, x, p0)
    if sigma_x is not None:
        x = _checked_start(problem, x, p0, coordinates, method, jac, kwargs, checked_trace(trace))
    iteration = _iteration(problem, x, method, jac, kwargs, checked_trace(trace), coordinates)
    try:
        iteration._run()
        if not iteration._settled():
            # With differences, as from a call with trace=False.
            iteration = _iteration(problem, x, method, jac, kwargs, False, coordinates)
            iteration._run()
        loop = iteration._loop
        if not 1 <= loop.status <= 4:
            raise _failure(iteration)
    except BaseException as error:
        keep_result(error, iteration)
        raise
    pcov = covariance_of(iteration, absolute_sigma)
    if pcov is None:
        pcov = np.full((x.size, x.size), np.inf)
        warnings.warn(
            "Covariance of the parameters could not be estimated", _category(), stacklevel=2
        )
    if not full_output:
        return iteration._x, pcov
    status = Status(loop.status)
    residual = iteration.result.residual if related else iteration._residual
    infodict = _infodict(loop, has_jacobian(problem), residual)
    return iteration._x, pcov, infodict, iteration._message(status), int(status)


def _related_start(problem: Any, x: Array, p0: Any) -> tuple[Array, Any]:
    """Return the starting point and the coordinates of parameters that are related."""
    # Not at the top, as most fits have no relations.
    from lmoo.models.relations.coordinates import coordinates_of
    from lmoo.problems.parameters import Relations, relations_of

    relations = relations_of(None, problem) or Relations()
    names = problem.parameter_names
    coordinates = coordinates_of(names, relations, problem.bounds, problem.fixed, x)
    if p0 is None:
        x = coordinates.feasible(x)
    return coordinates.x(coordinates.inside(x, "p0")), coordinates


def _checked_start(
    problem: CurveProblem,
    x: Array,
    p0: Any,
    coordinates: Any,
    method: Any,
    jac: Any,
    options: dict[str, Any],
    trace: Any,
) -> Array:
    """Return where a fit with errors in x starts: without p0 at the fit that takes x as exact."""
    for name in ("epsfcn", "diff_step"):
        if options.get(name) is not None:
            raise ValueError(
                f"{name} must be left out with sigma_x, where the steps of differences follow from "
                f"the model and the data; it is {options[name]!r}"
            )
    if p0 is not None:
        return x
    exact = CurveProblem._of(problem.f, problem.jac, problem.t, problem.y, problem.sigma)
    exact.parameter_names = problem.parameter_names
    exact.bounds, exact.fixed = problem.bounds, problem.fixed
    iteration = _iteration(exact, x, method, jac, options, trace, coordinates)
    iteration._run()
    return iteration._x if 1 <= iteration._loop.status <= 4 else x


def _iteration(
    problem: Any,
    x: Array,
    method: Any,
    jac: Any,
    options: dict[str, Any],
    trace: Any,
    coordinates: Any = None,
) -> Iteration:
    """Return the iteration, with the model compiled from its function if possible."""
    evaluation = None
    if not is_compiled(problem):
        problem.trace = trace
        because = None
        if isinstance(jac, str):
            because = f"jac is {jac!r}"
        elif options.get("epsfcn") is not None or options.get("diff_step") is not None:
            because = "steps of differences are given"
        # Of related parameters other values may be forbidden.
        start, edges = (x, np.stack([x, x])) if coordinates is not None else _within(problem, x)
        evaluation = evaluation_of(problem, start, because, edges=edges)
    differentiated = (
        (evaluation is not None and evaluation.problem is not None)
        # With errors in x the solve takes its own differences where there are no derivatives.
        or getattr(problem, "sigma_x", None) is not None
        or has_jacobian(problem)
    )
    names = problem.parameter_names
    solver = curve_solver(x.size, method, jac, differentiated, options, names)
    if coordinates is None:
        return Iteration(solver, problem, x, evaluation)
    from lmoo.solver.related import RelatedIteration

    return RelatedIteration(solver, problem, x, evaluation, coordinates=coordinates)


def _within(problem: Any, x: Array) -> tuple[Array, Array | None]:
    """Return the starting point of the iteration, and the bounds."""
    if problem.bounds is None and problem.fixed is None:
        return x, None
    return box(problem.bounds, problem.fixed, problem.parameter_names, x)


def _failure(iteration: Iteration) -> Exception:
    """Return the exception for a solve that has found no minimum."""
    loop = iteration._loop
    if loop.status == Status.NOT_FINITE:
        cause = bad_start(loop)
        error = ValueError(f"Residuals are not finite in the initial point: {cause}")
        error.__cause__ = cause
        return error
    return RuntimeError(f"Optimal parameters not found: {iteration._message(Status(loop.status))}")


@cache
def _category_with(theirs: type[Warning]) -> type[Warning]:
    return type("OptimizeWarning", (OptimizeWarning, theirs), {"__doc__": OptimizeWarning.__doc__})


def _category() -> type[Warning]:
    """Return the class of the warning, which is also scipy's if scipy.optimize is imported."""
    scipy = sys.modules.get("scipy.optimize")
    theirs = getattr(scipy, "OptimizeWarning", None)
    return OptimizeWarning if theirs is None else _category_with(theirs)
