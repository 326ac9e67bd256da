"""One solve of `least_squares`: its problem, its limits, its callback and its result."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array
from lmoo._core.solve import Residual
from lmoo.errors import EvaluationError
from lmoo.jacobians.strategies import Jacobian
from lmoo.losses.loss import kernel_of, loss_of
from lmoo.problems.problem import FunctionProblem
from lmoo.scipy_api.differences import Evaluation, PlainDifference
from lmoo.scipy_api.optimize_result import OptimizeResult
from lmoo.solver.iteration import Iteration
from lmoo.solver.startingpoint import bad_start
from lmoo.sparse.matrices import is_sparse
from lmoo.status import Status

# Numbers in the array that a LinearOperator is turned into: 800 MB.
LARGEST_OPERATOR = 10**8

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


class ScipyProblem(FunctionProblem):
    """A problem from `fun` and `jac`, with scipy's checks of their values."""

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
        self.is_operator = False
        if callable(jac):
            self._jacobian = self._derivatives

    def _residual_source(self, n: int) -> Residual:
        source = Residual(self._residual, self.args, self.kwargs, "fun", True, EvaluationError)
        source.offer(self.f0)
        return source

    def _derivatives(self, x: Array, *args: Any, **kwargs: Any) -> Any:
        """Return the caller's Jacobian, a sparse matrix or an array, (m, n)."""
        value = self.jac(x, *args, **kwargs)
        shape = (self.f0.size, x.size)
        if type(value) is not self.kind:
            self._check_kind(value)
            self.kind = type(value)
        if not is_sparse(value) and not _is_operator(value):
            value = np.atleast_2d(np.asarray(value))
        if value.shape != shape:
            raise ValueError(
                f"The return value of `jac` has wrong shape: expected {shape}, actual {value.shape}"
            )
        if _is_operator(value):
            if shape[0] * shape[1] > LARGEST_OPERATOR:
                raise ValueError(
                    f"a LinearOperator returned by `jac` is turned into an array, and one of shape "
                    f"{shape} is too large for that: return a sparse array instead"
                )
            value = np.asarray(value.matmat(np.eye(x.size)))
        return value

    def _check_kind(self, value: Any) -> None:
        """Raise ValueError if an argument is incompatible with the kind of Jacobian."""
        method, tr_solver, x_scale = self._rules
        operator = _is_operator(value)
        if not is_sparse(value) and not operator:
            return
        if method == "lm":
            raise ValueError("method='lm' works only with dense Jacobian matrices")
        if tr_solver == "exact":
            raise ValueError("tr_solver='exact' works only with dense Jacobian matrices")
        self.is_operator = operator
        if operator and isinstance(x_scale, str) and x_scale == "jac":
            raise ValueError("x_scale='jac' cannot be used when `jac` returns a LinearOperator")


def _is_operator(value: Any) -> bool:
    """Return whether value is a LinearOperator of scipy."""
    return hasattr(value, "matmat") and not is_sparse(value) and not isinstance(value, np.ndarray)


class Run:
    """One solve: limits, callback, printed lines, and the result."""

    def __init__(
        self, iteration: Iteration, method: str, callback: Callable[[OptimizeResult], Any] | None,
        verbose: int, strategy: Jacobian | None,
    ) -> None:  # fmt: skip
        self.iteration, self.method = iteration, method
        self.callback, self.verbose, self.strategy = callback, verbose, strategy
        self.first_cost = float("nan")

    @property
    def loop(self) -> Any:
        """The compiled loop; that of the iteration changes if the Jacobian is a sparse matrix."""
        return self.iteration._loop

    @property
    def nfev(self) -> int:
        """Evaluations of fun, without those for differences."""
        plain = isinstance(self.strategy, PlainDifference)
        differences = self.strategy.evaluations if plain else self.loop.differenced  # type: ignore
        return int(self.loop.nfev - differences)

    def to_the_end(self) -> None:
        """Iterate until a tolerance is met, the limit of evaluations is reached, or on request."""
        watched = self.callback is not None or self.verbose == 2
        before = None
        if watched or self.verbose:
            before = self._first()
        while True:
            # max_nfev does not count evaluations for differences.
            self.loop.count_jacobians_apart()
            # The loop for another kind of Jacobian has no iteration to report yet.
            if self.loop.advance():
                before = self._report(before) if watched else None
            elif self.iteration._settled():
                break
        loop = self.loop
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
            found = OptimizeResult(
                x=x, fun=self.loop.residual, nit=nit, nfev=self.nfev, cost=np.float64(cost)
            )
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
            if self.iteration.problem.is_operator:
                from scipy.sparse.linalg import aslinearoperator

                jac = aslinearoperator(jac)
        lower, upper = edges
        active = np.where(x == lower, -1, np.where(x == upper, 1, 0))
        numeric = self.method == "lm" and not callable(self.iteration.problem.jac)
        found = OptimizeResult(
            x=x,
            cost=np.float64(0.5 * loop.fnorm * loop.fnorm),
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
) -> np.float64:
    """Return scipy's measure of optimality: the largest entry of the gradient, scaled by bounds."""
    lower, upper = edges
    if method == "trf":
        # Distance to the bound in the direction of descent.
        away = np.where(grad < 0, upper - x, x - lower)
        scaled = grad * np.where(np.isfinite(away) & (grad != 0), away, 1.0)
        return np.float64(np.abs(scaled).max())
    free = (active == 0) | (active * grad > 0)
    return np.float64(np.abs(np.where(free, grad, 0.0)).max())
