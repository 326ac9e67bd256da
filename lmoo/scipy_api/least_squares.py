"""`least_squares`: scipy's signature, result, warnings and errors."""

import inspect
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lmoo._core.residual import Residual
from lmoo.errors import EvaluationError
from lmoo.jacobians.strategies import CentralDifference, ForwardDifference, Jacobian
from lmoo.losses.loss import LOSSES, Loss, kernel_of, loss_of, scale_of
from lmoo.problems.problem import FunctionProblem
from lmoo.scipy_api.differences import Evaluation, PlainDifference
from lmoo.scipy_api.optimize_result import OptimizeResult
from lmoo.solver.iteration import Iteration, bad_start, keep_result
from lmoo.solver.solver import Solver
from lmoo.status import Status

__all__ = ["least_squares"]

Array = NDArray[np.float64]

_EPS = 2.0**-52
# Tolerances that forward differences are good enough for.
_COARSE = 1e-8
_SCHEMES = ("2-point", "3-point", "cs")
# The iteration's own limit counts evaluations for differences too: at most so many a parameter.
_PER_JACOBIAN = 10

_STATUSES = {
    Status.GTOL: 1, Status.FTOL: 2, Status.XTOL: 3, Status.FTOL_XTOL: 4, Status.MAXFEV: 0,
    Status.STOPPED: -2,
}  # fmt: skip
_NO_MINIMUM = -3
_MESSAGES = {
    -2: "Stopped because `callback` raised StopIteration or returned True",
    0: "The maximum number of function evaluations is exceeded",
    1: "`gtol` termination condition is satisfied",
    2: "`ftol` termination condition is satisfied",
    3: "`xtol` termination condition is satisfied",
    4: "Both `ftol` and `xtol` termination conditions are satisfied",
    _NO_MINIMUM: "No minimum was found",
}


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
    by line" in the documentation says what each means here.

    Parameters
    ----------
    fun : callable
        ``fun(x, *args, **kwargs)``, m numbers or one; x is a new array, which may be kept or changed.
    x0 : (n,) array_like or float
        Where to start.
    jac : callable or {"2-point", "3-point", "cs"}
        ``jac(x, *args, **kwargs)``, the derivatives, (m, n): an array, a sparse matrix or array, or
        a LinearOperator, which become arrays; or how to take differences.
    bounds : pair or object
        (lower, upper), each a number or (n,); or an object with ``lb`` and ``ub``.
    method : {"trf", "dogbox", "lm"}
        Checked as by scipy; there is one method, that of `Solver`.
    ftol, xtol, gtol : float or None
        Tolerances of `Solver`, which see; None disables one.
    x_scale : None, float, (n,) array_like or "jac"
        Sizes of the parameters; None and "jac": from the columns of the Jacobian.
    loss : str, callable or Loss
        One of `lmoo.losses`, or ``loss(z)`` that returns rho, rho' and rho'', (3, m).
    f_scale : float or "mad"
        Scale of the loss; "mad" estimates it, which scipy does not.
    diff_step : None, float or (n,) array_like
        Steps of differences relative to x; None: chosen by the errors that they make.
    tr_solver : {None, "exact", "lsmr"}
        Checked; the linear problems are solved by a QR factorisation.
    tr_options : mapping, optional
        Without effect.
    jac_sparsity : None, array_like or sparse matrix, (m, n)
        Where the Jacobian may have entries: columns that share no row are differenced together.
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
        An argument out of range, of the wrong shape, or that does not go with another.
    TypeError
        What fun returns is not real numbers.

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
    _check_choices(jac, method, tr_solver, loss, verbose, max_nfev)
    x = _start(x0)
    edges = _bounds(bounds, x, method)
    scale = _x_scale(x_scale, x)
    tolerances = _tolerances(ftol, xtol, gtol, method)
    robust = _loss(loss)
    call = Evaluation(fun, args, dict(kwargs or {}))
    f0 = np.atleast_1d(np.asarray(call.first(x)))
    _check_residual(f0, x.size, method)
    problem = _Problem(call, f0, jac, x, method, tr_solver, x_scale, edges)
    pattern = _pattern(jac_sparsity, f0.size, x.size, jac, method, tr_solver)
    strategy = _strategy(jac, call, diff_step, edges, workers, pattern, tolerances)
    limit = 100 * x.size if max_nfev is None else int(max_nfev)
    solver = Solver(
        ftol=tolerances["ftol"],
        xtol=tolerances["xtol"],
        gtol=tolerances["gtol"],
        maxfev=limit * (1 if callable(jac) else 1 + _PER_JACOBIAN * x.size),
        diag=scale,
        jacobian=strategy,
        loss=robust,
        f_scale=f_scale,
    )
    if robust != "linear":
        # A loss that returns what is no loss is an error before anything is solved.
        kernel = kernel_of(loss_of(robust), scale_of(loss_of(robust), f_scale))
        if kernel is not None:
            kernel.norm(f0)
    iteration = Iteration(solver, problem, x)
    run = _Run(iteration, method, _callback(callback, method), verbose, strategy)
    try:
        run.to_the_end(limit)
        return run.result(edges)
    except BaseException as error:
        keep_result(error, iteration)
        raise


# ---- arguments ------------------------------------------------------------------------------


def _check_choices(
    jac: Any, method: Any, tr_solver: Any, loss: Any, verbose: Any, max_nfev: Any
) -> None:
    if method not in ("trf", "dogbox", "lm"):
        raise ValueError(f"`method` must be 'trf', 'dogbox' or 'lm'; it is {method!r}")
    if not callable(jac) and jac not in _SCHEMES:
        raise ValueError(f"`jac` must be '2-point', '3-point', 'cs' or callable; it is {jac!r}")
    if tr_solver not in (None, "exact", "lsmr"):
        raise ValueError(f"`tr_solver` must be None, 'exact' or 'lsmr'; it is {tr_solver!r}")
    if not callable(loss) and (not isinstance(loss, str) or loss not in LOSSES):
        raise ValueError(f"`loss` must be one of {', '.join(LOSSES)} or callable; it is {loss!r}")
    if method == "lm" and loss != "linear":
        raise ValueError(f"method='lm' supports only the loss 'linear'; it is {loss!r}")
    if isinstance(verbose, bool) or verbose not in (0, 1, 2):
        raise ValueError(f"`verbose` must be 0, 1 or 2; it is {verbose!r}")
    if max_nfev is not None and not max_nfev > 0:
        raise ValueError(f"`max_nfev` must be None or a positive integer; it is {max_nfev!r}")


def _start(x0: Any) -> Array:
    if np.iscomplexobj(x0):
        raise ValueError(f"`x0` must be real; it is {x0!r}")
    x = np.atleast_1d(np.array(x0)).astype(np.float64)
    if x.ndim > 1:
        raise ValueError(f"`x0` must have at most 1 dimension; its shape is {x.shape}")
    if x.size == 0:
        raise ValueError("`x0` must have at least one entry; it is empty")
    if not np.isfinite(x).all():
        raise ValueError(f"`x0` must be finite; it is {x}")
    return x


def _bounds(bounds: Any, x: Array, method: str) -> tuple[Array, Array]:
    """Return the lower and the upper bounds, (n,) each."""
    pair = (bounds.lb, bounds.ub) if hasattr(bounds, "lb") and hasattr(bounds, "ub") else bounds
    if len(pair) != 2:
        raise ValueError(f"`bounds` must contain 2 elements; it has {len(pair)}")
    lower, upper = (np.asarray(part, dtype=np.float64) for part in pair)
    lower, upper = (
        np.full(x.shape, b) if b.size == 1 and b.ndim < 2 else b for b in (lower, upper)
    )
    if lower.shape != x.shape or upper.shape != x.shape:
        raise ValueError(
            f"`bounds` must have the shape of `x0`, {x.shape}; they have {lower.shape} and "
            f"{upper.shape}"
        )
    if method == "lm" and not ((lower == -np.inf) & (upper == np.inf)).all():
        raise ValueError("method='lm' does not support bounds; use 'trf' or 'dogbox'")
    if not (lower < upper).all():
        raise ValueError("each lower bound must be less than its upper bound")
    if not ((lower <= x) & (x <= upper)).all():
        raise ValueError(f"`x0` is outside of `bounds`: {x}")
    return lower, upper


def _x_scale(x_scale: Any, x: Array) -> Array | None:
    """Return the scale factors D; None where they follow the columns of the Jacobian."""
    if x_scale is None or (isinstance(x_scale, str) and x_scale == "jac"):
        return None
    try:
        sizes = np.asarray(x_scale, dtype=np.float64)
        good = bool(np.isfinite(sizes).all() and (sizes > 0).all())
    except (TypeError, ValueError):
        good = False
    if not good:
        raise ValueError(f"`x_scale` must be 'jac' or positive numbers; it is {x_scale!r}")
    if sizes.ndim and sizes.shape != x.shape:
        raise ValueError(f"`x_scale` must have the shape of `x0`, {x.shape}; it has {sizes.shape}")
    return np.broadcast_to(1.0 / sizes, x.shape)


def _tolerances(ftol: Any, xtol: Any, gtol: Any, method: str) -> dict[str, float]:
    found = {}
    for name, value in (("ftol", ftol), ("xtol", xtol), ("gtol", gtol)):
        if value is not None and value < _EPS:
            warnings.warn(
                f"`{name}` = {value} is below machine epsilon, {_EPS:.2e}, and ends no solve",
                UserWarning,
                stacklevel=3,
            )
        found[name] = 0.0 if value is None else max(float(value), 0.0)
    small = [name for name, value in found.items() if value < _EPS]
    if method == "lm" and small:
        raise ValueError(f"{', '.join(small)} must be at least {_EPS:.2e} for method='lm'")
    if len(small) == 3:
        raise ValueError(f"one of ftol, xtol and gtol must be at least machine epsilon, {_EPS:.2e}")
    return found


def _loss(loss: Any) -> Any:
    """Return the loss; a function is checked at each call only, as by scipy."""
    if isinstance(loss, (str, Loss)):
        return loss
    return Loss(loss, tuning=getattr(loss, "tuning", None), checked=False)


def _check_residual(f0: NDArray[Any], n: int, method: str) -> None:
    if f0.ndim != 1:
        raise ValueError(f"`fun` must return at most 1-d array_like; its shape is {f0.shape}")
    if f0.dtype.kind in "biuf" and not np.isfinite(f0).all():
        k = int(np.flatnonzero(~np.isfinite(f0))[0])
        raise ValueError(
            f"Residuals are not finite in the initial point: entry {k} of fun(x0) is {f0[k]}"
        )
    if method == "lm" and f0.size < n:
        raise ValueError(
            f"method='lm' needs as many residuals as variables; there are {f0.size} and {n}"
        )


def _pattern(
    sparsity: Any, m: int, n: int, jac: Any, method: str, tr_solver: Any
) -> NDArray[np.bool_] | None:
    """Return where the Jacobian may have entries, (m, n); None where that is not known."""
    if sparsity is None or callable(jac):
        return None
    if method == "lm":
        raise ValueError("method='lm' does not support `jac_sparsity`")
    dense = sparsity.toarray() if hasattr(sparsity, "toarray") else sparsity
    pattern = np.atleast_2d(np.asarray(dense)) != 0
    if pattern.shape != (m, n):
        raise ValueError(f"`jac_sparsity` must have shape {(m, n)}; it has {pattern.shape}")
    if tr_solver == "exact":
        raise ValueError("tr_solver='exact' does not go with `jac_sparsity`")
    return np.asarray(pattern)


def _strategy(
    jac: Any,
    call: Evaluation,
    diff_step: Any,
    edges: tuple[Array, Array],
    workers: Any,
    pattern: NDArray[np.bool_] | None,
    tolerances: dict[str, float],
) -> Jacobian | None:
    """Return where derivatives come from; None for those of the caller."""
    if callable(jac):
        return None
    if jac != "cs" and diff_step is None and workers is None and pattern is None:
        if jac == "3-point":
            return CentralDifference()
        # Central differences in the end would be for digits that these tolerances do not ask for.
        coarse = min(tolerances["ftol"], tolerances["xtol"]) >= _COARSE
        return ForwardDifference(refine=not coarse)
    step = None
    if diff_step is not None:
        step = np.asarray(diff_step, dtype=np.float64)
        if step.ndim and step.shape != edges[0].shape:
            raise ValueError(
                f"`diff_step` must be a number or have shape {edges[0].shape}; it has {step.shape}"
            )
    if workers is not None and not callable(workers):
        raise TypeError(f"`workers` must be a callable such as map; it is {workers!r}")
    return PlainDifference(jac, call, step, edges, workers or map, pattern)


def _callback(callback: Any, method: str) -> Callable[[OptimizeResult], Any] | None:
    """Return what is called with the result so far."""
    if callback is None:
        return None
    if method == "lm":
        warnings.warn(
            "a callback is not supported with method='lm', and not called",
            UserWarning,
            stacklevel=3,
        )
        return None
    if not callable(callback):
        raise TypeError(f"`callback` must be callable or None; it is {callback!r}")
    try:
        named = set(inspect.signature(callback).parameters) == {"intermediate_result"}
    except (TypeError, ValueError):
        named = False
    if named:
        return lambda found: callback(intermediate_result=found)
    return lambda found: callback(found.x.copy())


# ---- the problem ----------------------------------------------------------------------------


class _Problem(FunctionProblem):
    """fun and jac, with scipy's checks of what they return."""

    def __init__(
        self, call: Evaluation, f0: NDArray[Any], jac: Any, x: Array, method: str, tr_solver: Any,
        x_scale: Any, edges: tuple[Array, Array],
    ) -> None:  # fmt: skip
        super().__init__(call.fun, None, call.args, call.kwargs)
        self.f0, self.jac = f0, jac
        self._rules = method, tr_solver, x_scale
        free = (np.isneginf(edges[0]) & np.isposinf(edges[1])).all()
        self.bounds = None if free else edges
        self.kind: type[Any] | None = None
        if callable(jac):
            self._jacobian = self._derivatives

    def _source(self, n: int) -> Residual:
        source = Residual(self._residual, self.args, self.kwargs, "fun", True, EvaluationError)
        source.offer(self.f0)
        return source

    def _derivatives(self, x: Array, *args: Any, **kwargs: Any) -> Array:
        """Return the caller's Jacobian as an array, (m, n)."""
        value = self.jac(x, *args, **kwargs)
        shape = (self.f0.size, x.size)
        if type(value) is not self.kind:
            self._check_kind(value)
            self.kind = type(value)
        if hasattr(value, "toarray"):
            value = value.toarray()
        elif hasattr(value, "matmat") and not isinstance(value, np.ndarray):
            value = value.matmat(np.eye(x.size)) if value.shape == shape else value
        found = value if hasattr(value, "matmat") else np.atleast_2d(np.asarray(value))
        if found.shape != shape:
            raise ValueError(
                f"The return value of `jac` has wrong shape: expected {shape}, actual {found.shape}"
            )
        return np.asarray(found)

    def _check_kind(self, value: Any) -> None:
        """Raise ValueError where an argument does not go with the kind of Jacobian."""
        method, tr_solver, x_scale = self._rules
        sparse = hasattr(value, "toarray")
        operator = hasattr(value, "matmat") and not sparse and not isinstance(value, np.ndarray)
        if not sparse and not operator:
            return
        if method == "lm":
            raise ValueError("method='lm' works only with dense Jacobian matrices")
        if tr_solver == "exact":
            raise ValueError("tr_solver='exact' works only with dense Jacobian matrices")
        if operator and isinstance(x_scale, str) and x_scale == "jac":
            raise ValueError("x_scale='jac' cannot be used when `jac` returns a LinearOperator")


# ---- the solve ------------------------------------------------------------------------------


class _Run:
    """One solve: limits, callback, printed lines, and the result."""

    def __init__(
        self, iteration: Iteration, method: str, callback: Callable[[OptimizeResult], Any] | None,
        verbose: int, strategy: Jacobian | None,
    ) -> None:  # fmt: skip
        self.iteration, self.loop, self.method = iteration, iteration._loop, method
        self.callback, self.verbose, self.strategy = callback, verbose, strategy
        self.first_cost = float("nan")

    @property
    def nfev(self) -> int:
        """Evaluations of fun, without those for differences."""
        plain = isinstance(self.strategy, PlainDifference)
        differences = self.strategy.evaluations if plain else self.loop.differenced  # type: ignore
        return int(self.loop.nfev - differences)

    def to_the_end(self, max_nfev: int) -> None:
        """Iterate until a tolerance is met, fun was called so often, or the callback stops it."""
        loop = self.loop
        watched = self.callback is not None or self.verbose == 2
        before = None
        if watched or self.verbose:
            before = self._first()
        while loop.advance():
            if watched:
                before = self._report(before)
            if not loop.done and self.nfev >= max_nfev:
                loop.stop(Status.MAXFEV)
        if loop.status == Status.NOT_FINITE:
            cause = bad_start(loop)
            raise ValueError(f"Residuals are not finite in the initial point: {cause}") from cause

    def _first(self) -> tuple[float, Array]:
        """Return cost and x at the start, and print the first lines of a table."""
        problem = self.iteration.problem
        solver = self.iteration.solver
        kernel = (
            None if solver.loss == "linear" else kernel_of(loss_of(solver.loss), solver.f_scale)
        )
        f0 = np.asarray(problem.f0, dtype=np.float64)
        norm = float(np.linalg.norm(f0)) if kernel is None else kernel.norm(f0)
        self.first_cost = 0.5 * norm * norm
        if self.verbose == 2:
            titles = (
                "Iteration",
                "Total nfev",
                "Cost",
                "Cost reduction",
                "Step norm",
                "Optimality",
            )
            print("".join(f"{title:^15}" for title in titles))
            print(f"{0:^15}{1:^15}{self.first_cost:^15.4e}")
        return self.first_cost, self.iteration._x0.copy()

    def _report(self, before: Any) -> Any:
        """Print a line and call the callback, where a step was taken."""
        record = self.loop.record()
        nit, x, cost, _, _, gradient, _, _, accepted = record[:9]
        if not accepted:
            return before
        if self.verbose == 2:
            step = float(np.linalg.norm(x - before[1]))
            numbers = (before[0] - cost, step, float(np.abs(gradient).max()))
            print(
                f"{nit:^15}{self.nfev:^15}{cost:^15.4e}" + "".join(f"{v:^15.2e}" for v in numbers)
            )
        if self.callback is not None:
            found = OptimizeResult(x=x, fun=self.loop.residual, nit=nit, nfev=self.nfev, cost=cost)
            try:
                stop = self.callback(found)
            except StopIteration:
                stop = True
            if stop and not self.loop.done:
                self.loop.stop(Status.STOPPED)
        return cost, x

    def result(self, edges: tuple[Array, Array]) -> OptimizeResult:
        """Return scipy's result, with the Jacobian at x."""
        loop, x = self.loop, self.loop.x
        status = Status(loop.status)
        code = _STATUSES.get(status, _NO_MINIMUM)
        message = f"{_MESSAGES[code]}: {self.iteration._message(status)}"
        nfev, njev = self.nfev, int(loop.njev)
        rows = loop.rows_at_end()
        if rows is None:
            jac, grad = np.full((loop.observations, x.size), np.nan), loop.gradient
        else:
            jac = rows[0]
            grad = jac.T @ rows[1]
        lower, upper = edges
        active = np.where(x == lower, -1, np.where(x == upper, 1, 0))
        numeric = self.method == "lm" and not callable(self.iteration.problem.jac)
        found = OptimizeResult(
            x=x,
            cost=0.5 * loop.fnorm * loop.fnorm,
            fun=loop.residual,
            jac=jac,
            grad=grad,
            optimality=_optimality(x, grad, edges, active, self.method),
            active_mask=active,
            nfev=nfev,
            njev=None if numeric else njev + 1,
            status=code,
            message=message,
            success=code > 0,
        )
        if self.verbose:
            print(message)
            print(
                f"Function evaluations {nfev}, initial cost {self.first_cost:.4e}, final cost "
                f"{found.cost:.4e}, first-order optimality {found.optimality:.2e}."
            )
        return found


def _optimality(
    x: Array, grad: Array, edges: tuple[Array, Array], active: NDArray[Any], method: str
) -> float:
    """Return scipy's measure of optimality: the largest entry of the gradient, scaled by bounds."""
    lower, upper = edges
    if method == "trf":
        # The distance to the bound that a step downhill leads to.
        away = np.where(grad < 0, upper - x, x - lower)
        scaled = grad * np.where(np.isfinite(away) & (grad != 0), away, 1.0)
        return float(np.abs(scaled).max())
    free = (active == 0) | (active * grad > 0)
    return float(np.abs(np.where(free, grad, 0.0)).max())
