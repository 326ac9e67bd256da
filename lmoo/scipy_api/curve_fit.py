"""`curve_fit`: the signature, the tuple, the warnings and the errors of scipy's curve_fit."""

# Names of types, not unions of many, are shown by help().
from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lmoo._core.abi1 import CompiledProblem
from lmoo._core.masks import plain, refuse_masked, separated
from lmoo._core.solve import Loop
from lmoo.models.problem import is_compiled, problem_of
from lmoo.models.tracing.evaluation import evaluation_of
from lmoo.problems.arguments import real_array, shortened
from lmoo.problems.bounds import box
from lmoo.problems.complexdata import ComplexParts, complex_curve, is_complex
from lmoo.problems.curveproblem import CurveProblem, check_callable, checked_trace
from lmoo.problems.data import checked_absolute_sigma, curve_data
from lmoo.problems.measured import measured
from lmoo.problems.problem import has_jacobian
from lmoo.problems.typed import Bounds, Constraints, Expressions, Fixed, NanPolicy, Priors, Trace
from lmoo.results.result import Result
from lmoo.scipy_api.initial_guess import NO_BOUNDS, starting_point
from lmoo.scipy_api.leastsq import _infodict
from lmoo.scipy_api.options import curve_solver
from lmoo.solver.iteration import Iteration, bad_start, keep_result
from lmoo.status import Status

__all__ = ["OptimizeWarning", "curve_fit"]

Array = NDArray[np.float64]

_NAMES = ("xdata", "ydata")
_FIXED = 2  # in Loop.fixed_or_active


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
        What to do with NaN in xdata, ydata, sigma and sigma_x; "omit" leaves these points out.
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
    problem = _problem(f, xdata, ydata, sigma, jac, check_finite, nan_policy, sigma_x)
    problem.absolute_sigma = checked_absolute_sigma(bool(absolute_sigma), problem.sigma, "ydata")
    x = starting_point(problem, p0, bounds, fixed, method, related)
    differentiated = has_jacobian(problem)
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
    pcov = _covariance(iteration, absolute_sigma)
    if pcov is None:
        pcov = np.full((x.size, x.size), np.inf)
        warnings.warn(
            "Covariance of the parameters could not be estimated", _category(), stacklevel=2
        )
    if not full_output:
        return iteration._x, pcov
    status = Status(loop.status)
    infodict = _infodict(loop, differentiated)
    if iteration._residual is not None:
        infodict["fvec"] = iteration._residual
    elif related:
        infodict["fvec"] = iteration.result.residual
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
    differentiated = has_jacobian(problem)
    evaluation = None
    if not isinstance(problem, CompiledProblem):
        problem.trace = trace
        because = None
        if isinstance(jac, str):
            because = f"jac is {jac!r}"
        elif options.get("epsfcn") is not None or options.get("diff_step") is not None:
            because = "steps of differences are given"
        start = x if coordinates is not None else _within(problem, x)
        evaluation = evaluation_of(problem, start, because)
        differentiated |= evaluation is not None and evaluation.problem is not None
        # With errors in x the solve takes its own differences where there are no derivatives.
        differentiated |= getattr(problem, "sigma_x", None) is not None
    solver = curve_solver(x.size, method, jac, differentiated, options)
    if coordinates is None:
        return Iteration(solver, problem, x, evaluation)
    from lmoo.solver.related import RelatedIteration

    return RelatedIteration(solver, problem, x, evaluation, coordinates=coordinates)


def _within(problem: Any, x: Array) -> Array:
    """Return the starting point of the iteration."""
    if problem.bounds is None and problem.fixed is None:
        return x
    return box(problem.bounds, problem.fixed, problem.parameter_names, x)[0]


# ---- data ------------------------------------------------------------------------------------


def _problem(
    f: Any,
    xdata: Any,
    ydata: Any,
    sigma: Any,
    jac: Any,
    check_finite: Any,
    nan_policy: Any,
    sigma_x: Any = None,
) -> Any:
    """Return the problem of the data, without names and bounds of its parameters."""
    if nan_policy not in (None, "raise", "omit"):
        raise ValueError(f"`nan_policy` must be 'raise', 'omit' or None; it is {nan_policy!r}")
    xdata, ydata, sigma, sigma_x, axes = measured(xdata, ydata, sigma, sigma_x, _NAMES)
    problem = _checked_problem(f, xdata, ydata, sigma, jac, check_finite, nan_policy, sigma_x)
    axes.describe(problem)
    problem.called = _NAMES
    return problem


def _checked_problem(
    f: Any,
    xdata: Any,
    ydata: Any,
    sigma: Any,
    jac: Any,
    check_finite: Any,
    nan_policy: Any,
    sigma_x: Any,
) -> Any:
    """Return the problem of data without units."""
    if isinstance(xdata, (np.ndarray, list, tuple)):
        xdata = _points(f, xdata)
    if is_complex(ydata):
        if sigma_x is not None:
            raise ValueError("sigma_x is for real curves; ydata is complex")
        return _complex_problem(
            f, xdata, ydata, sigma, jac, _check_of(check_finite, nan_policy), nan_policy
        )
    y = _real("ydata", ydata)
    if y.size == 1:
        y = _repeated(y, xdata)
    check = _check_of(check_finite, nan_policy)
    if sigma_x is not None:
        if isinstance(jac, str):
            raise ValueError(f"jac must be None or callable with sigma_x; it is {jac!r}")
        return CurveProblem(
            f, xdata, y, sigma, jac, sigma_x=sigma_x, nan_policy=nan_policy or "raise"
        )
    data = curve_data(xdata, y, sigma, nan_policy or "raise", _NAMES, check)
    return problem_of(f, jac if callable(jac) else None, *data)


def _complex_problem(
    f: Any, xdata: Any, ydata: Any, sigma: Any, jac: Any, check: str | None, nan_policy: Any
) -> Any:
    """Return the problem of complex data."""
    check_callable(f, jac if callable(jac) else None)
    data = complex_curve(xdata, ydata, sigma, nan_policy or "raise", _NAMES, check)
    return problem_of(ComplexParts(f), ComplexParts(jac) if callable(jac) else None, *data)


def _check_of(check_finite: bool | None, nan_policy: str | None) -> str | None:
    """Return the argument `check` of `curve_data`."""
    if check_finite or (check_finite is None and nan_policy is None):
        return "finite"
    return None if nan_policy is None else "nan"


def _repeated(y: Any, xdata: Any) -> Any:
    """Return y repeated for each point, as scipy broadcasts a single number."""
    points = xdata[0] if isinstance(xdata, tuple) else xdata
    y = refuse_masked("ydata", y)
    return np.full(points.shape[-1:], y.item()) if isinstance(points, np.ndarray) else y


def _points(f: Any, xdata: Any) -> Any:
    """Return xdata as an array; as a tuple of arrays for compiled models of several variables."""
    array = _real("xdata", xdata)
    return tuple(array) if array.ndim > 1 and is_compiled(f) else array


def _real(name: str, data: Any) -> Any:
    """Return data as a float64 array; objects are converted to float."""
    if type(data) is np.ndarray and data.dtype == np.float64:
        return data
    data, mask = separated(data)
    try:
        array = np.asarray(plain(data))
        if array.dtype.kind == "O" and array.ndim:
            array = array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"{name} must be an array of real numbers; it is {shortened(data)}: {error}"
        ) from error
    except OverflowError as error:
        raise ValueError(f"{name} must be within the range of double precision: {error}") from error
    array = real_array(name, array if array.ndim else data)
    return array if mask is None else np.ma.array(array, mask=mask)


# ---- result ----------------------------------------------------------------------------------


def _failure(iteration: Iteration) -> Exception:
    """Return the exception for a solve that has found no minimum."""
    loop = iteration._loop
    if loop.status == Status.NOT_FINITE:
        cause = bad_start(loop)
        error = ValueError(f"Residuals are not finite in the initial point: {cause}")
        error.__cause__ = cause
        return error
    return RuntimeError(f"Optimal parameters not found: {iteration._message(Status(loop.status))}")


def _covariance(iteration: Iteration, absolute: bool) -> Array | None:
    """Return the covariance; None if it cannot be estimated."""
    loop, problem = iteration._loop, iteration.problem
    arrow = getattr(problem, "arrow", None)
    if loop.scale is not None or iteration._is_related or arrow is not None:
        return _careful_covariance(iteration.result, absolute)
    inverse, dof = loop.covariance(), loop.observations - iteration._x0.size
    if problem.bounds is not None or problem.fixed is not None:
        inverse = _inverse_of_free(loop) if inverse is None else inverse
        dof += int(np.count_nonzero(loop.fixed_or_active == _FIXED))
    if inverse is None or (dof <= 0 and not absolute) or not loop.is_safe(inverse):
        return _careful_covariance(iteration.result, absolute)
    return inverse if absolute else inverse * (loop.fnorm * loop.fnorm / dof)


def _inverse_of_free(loop: Loop) -> Array | None:
    """Return ``inv(J.T @ J)`` of the free parameters; the others have zero columns in J."""
    excluded = loop.fixed_or_active
    free = excluded.size - np.count_nonzero(excluded)
    # Pivoting moves the zero columns to the end.
    leading, places = loop.r[:free, :free], loop.ipvt[:free]
    if excluded[places].any() or not leading.diagonal().all():
        return None
    roots = np.zeros((excluded.size, free))
    roots[places] = np.linalg.inv(leading)
    return np.asarray(roots @ roots.T)


def _careful_covariance(result: Result, absolute: bool) -> Array | None:
    known = absolute and result.robust is None
    if result.undetermined or (result.degrees_of_freedom <= 0 and not known):
        return None
    return result.covariance()


@cache
def _category_with(theirs: type[Warning]) -> type[Warning]:
    return type("OptimizeWarning", (OptimizeWarning, theirs), {"__doc__": OptimizeWarning.__doc__})


def _category() -> type[Warning]:
    """Return the class of the warning, which is also scipy's if scipy.optimize is imported."""
    scipy = sys.modules.get("scipy.optimize")
    theirs = getattr(scipy, "OptimizeWarning", None)
    return OptimizeWarning if theirs is None else _category_with(theirs)
