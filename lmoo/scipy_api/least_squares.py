"""`least_squares`: scipy's signature, result, warnings and errors."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lmoo.losses.loss import kernel_of, loss_of, scale_of
from lmoo.scipy_api.differences import Evaluation
from lmoo.scipy_api.least_squares_arguments import (
    check_choices,
    check_residual,
    checked_bounds,
    checked_loss,
    checked_tolerances,
    difference_strategy,
    further_arguments,
    scale_factors,
    sparsity_pattern,
    starting_vector,
    wrapped_callback,
)
from lmoo.scipy_api.least_squares_run import Run, ScipyProblem
from lmoo.scipy_api.optimize_result import OptimizeResult
from lmoo.solver.iteration import Iteration, keep_result
from lmoo.solver.solver import Solver

# Largest limit of evaluations, which no solve reaches.
_MOST = 2**62


def least_squares(
    fun: Callable[..., Any],
    x0: ArrayLike,
    jac: Callable[..., Any] | str = "2-point",
    bounds: Any = (-np.inf, np.inf),
    method: str = "trf",
    ftol: float | None = 1e-8,
    xtol: float | None = 1e-8,
    gtol: float | None = 1e-8,
    x_scale: Any = None,
    loss: Any = "linear",
    f_scale: Any = 1.0,
    diff_step: ArrayLike | None = None,
    tr_solver: str | None = None,
    tr_options: Mapping[str, Any] | None = None,
    jac_sparsity: Any = None,
    max_nfev: int | None = None,
    verbose: int = 0,
    args: tuple[Any, ...] = (),
    kwargs: Mapping[str, Any] | None = None,
    callback: Callable[..., Any] | None = None,
    workers: Callable[..., Any] | None = None,
) -> OptimizeResult:
    """Minimise ``1/2 sum(rho(f_i(x)**2))`` within bounds.

    The arguments and the result are those of ``scipy.optimize.least_squares``; "least_squares, line
    by line" in the documentation explains each of them.

    Parameters
    ----------
    fun : callable
        ``fun(x, *args, **kwargs)`` returns m numbers, or one; x is a new array, which may be kept
        or changed.
    x0 : (n,) array_like or float
        Starting point.
    jac : callable or {"2-point", "3-point", "cs"}
        ``jac(x, *args, **kwargs)``, the derivatives, (m, n): an array, a sparse matrix or array, or
        a LinearOperator, which becomes an array; or how to take differences.
    bounds : pair or object
        (lower, upper), each a number or (n,); or an object with ``lb`` and ``ub``.
    method : {"trf", "dogbox", "lm"}
        Checked as by scipy, without further effect: the method is that of `Solver`.
    ftol, xtol, gtol : float or None
        Tolerances as for `Solver`; None disables one.
    x_scale : None, float, (n,) array_like or "jac"
        Sizes of the parameters; None and "jac": from the columns of the Jacobian.
    loss : str, callable or Loss
        One of `lmoo.losses`, or ``loss(z)`` that returns rho, rho' and rho'', (3, m).
    f_scale : float or "mad"
        Scale of the loss; "mad" estimates it, which scipy does not.
    diff_step : None, float or (n,) array_like
        Steps of differences relative to x; by default chosen to minimise their errors.
    tr_solver : {None, "exact", "lsmr"}
        Checked; the linear problems are solved by a QR factorisation, or as by `SparseCholesky` if
        the Jacobian is a sparse matrix or `jac_sparsity` is given.
    tr_options : mapping, optional
        Without effect.
    jac_sparsity : None, array_like or sparse matrix, (m, n)
        Entries that are not 0 mark those of the Jacobian that may differ from 0.  Columns without
        common rows share an evaluation.
    max_nfev : int, optional
        Limit of the evaluations of fun, without those for differences; None: 100 n.
    verbose : {0, 1, 2}
        1: a report at the end; 2: a line for each iteration as well.
    args : tuple
    kwargs : mapping, optional
        Further arguments of fun and jac.
    callback : callable, optional
        ``callback(x)`` or ``callback(intermediate_result=...)`` after each step that is taken;
        StopIteration, or a return value of True, ends the solve.
    workers : callable, optional
        ``workers(function, points)``, as the built-in map, evaluates fun for differences.

    Returns
    -------
    OptimizeResult
        ``x``, ``cost``, ``fun``, ``jac``, ``grad``, ``optimality``, ``active_mask``, ``nfev``,
        ``njev``, ``status``, ``message``, ``success``.

    Raises
    ------
    ValueError
        An argument is out of range, has the wrong shape, or is incompatible with another one.
    TypeError
        The values of `fun` are not real numbers.

    Warns
    -----
    UserWarning
        A tolerance below machine epsilon; arguments that have no effect.

    See Also
    --------
    Solver : the same with a `Result`, which has standard errors and more.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> def rosenbrock(x):
    ...     return np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]])
    >>> result = lmoo.least_squares(rosenbrock, [2, 2], bounds=([-np.inf, 1.5], np.inf))
    >>> result.x.round(5), result.active_mask, result.success
    (array([1.22437, 1.5    ]), array([ 0, -1]), True)
    """
    check_choices(jac, method, tr_solver, loss, verbose, max_nfev)
    x = starting_vector(x0)
    edges = checked_bounds(bounds, x, x0, method)
    scale = scale_factors(x_scale, x, x0)
    tolerances = checked_tolerances(ftol, xtol, gtol, method)
    robust = checked_loss(loss)
    call = Evaluation(fun, *further_arguments(args, kwargs))
    f0 = np.atleast_1d(np.asarray(call.first(x)))
    check_residual(f0, x.size, method)
    problem = ScipyProblem(call, f0, jac, x, method, tr_solver, x_scale, edges)
    pattern = sparsity_pattern(jac_sparsity, f0.size, x.size, jac, method, tr_solver)
    strategy = difference_strategy(jac, call, diff_step, edges, workers, pattern, tolerances)
    solver = Solver(
        ftol=tolerances["ftol"],
        xtol=tolerances["xtol"],
        gtol=tolerances["gtol"],
        maxfev=100 * x.size if max_nfev is None else int(min(max_nfev, _MOST)),
        diag=scale,
        jacobian=strategy,
        loss=robust,
        f_scale=f_scale,
    )
    if robust != "linear":
        # An invalid loss raises before the solve starts.
        kernel = kernel_of(loss_of(robust), scale_of(loss_of(robust), f_scale))
        if kernel is not None:
            kernel.norm(f0)
    iteration = Iteration(solver, problem, x)
    run = Run(iteration, method, wrapped_callback(callback, method), verbose, strategy)
    try:
        run.to_the_end()
        return run.result(edges)
    except BaseException as error:
        keep_result(error, iteration)
        raise
