"""The result of a solve at any time: what it has found so far."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lmoo.losses.loss import kernel_of, loss_of
from lmoo.problems.kinds import evaluation_text, has_jacobian, in_blocks, is_joint
from lmoo.results.diagnosis import diagnosis
from lmoo.results.factor import Factor
from lmoo.results.result import Result
from lmoo.results.robust import Robust
from lmoo.solver.sparseswitch import LoopSwitch
from lmoo.status import Status

if TYPE_CHECKING:
    from lmoo.results.history import History

# Names in a message.
_NAMES = 20
# Reasons of the accurate tests, which differ from MINPACK's tests with the same status.
_REASONS = {
    Status.FTOL: "the relative reduction of the sum of squares that the model predicts for a "
    "Gauss-Newton step is at most ftol, or no more than the errors of f and J",
    Status.XTOL: "the Gauss-Newton steps that remain change no parameter by more than xtol, "
    "relative to itself, or f by more than 30 xtol |f|",
}


class IterationResult(LoopSwitch):
    """A solve with its result, at any time."""

    _names: tuple[str, ...]

    # Set by Solver.solve.
    _seconds = float("nan")
    _history: "History | None" = None
    # The exception that ended the solve, as a text.
    _exception: str | None = None
    # Whether the time limit ended the solve.
    _timed_out = False
    # The residual of the function at the end, for a model that is compiled from it.
    _residual: NDArray[np.float64] | None = None
    # Number of last rows that are priors.
    _priors = 0

    @property
    def _x(self) -> NDArray[np.float64]:
        """All parameters at the best point so far."""
        return self._loop.x

    @property
    def _start(self) -> tuple[tuple[str, ...], NDArray[np.float64]]:
        """Names and starting values of what the loop varies."""
        return self._names, self._x0

    @property
    def result(self) -> Result:
        """The result with the best point so far; `Status.UNFINISHED` if the solve has not ended."""
        return self._plain_result()

    def _plain_result(self) -> Result:
        """Return the result of what the loop varies."""
        loop = self._loop
        status = Status(loop.status) if loop.done else Status.UNFINISHED
        robust = self._robust()
        # No values, or some that are not finite.
        residual = loop.residual if self._residual is None else self._residual.copy()
        bad = status is Status.NOT_FINITE and not np.isfinite(residual).all()
        unknown = bad or not loop.observations
        fnorm = float("nan") if unknown else loop.fnorm
        return Result(
            x=loop.x,
            cost=0.5 * fnorm * fnorm,
            residual=residual,
            observations=loop.observations,
            status=status,
            message=self._message(status),
            nfev=loop.nfev,
            njev=loop.njev,
            nit=loop.nit,
            parameter_names=self._start[0],
            fnorm=fnorm,
            factor=self._factor(robust),
            robust=robust,
            problem=self.problem,
            solver=self.solver,
            seconds=self._seconds,
            history=self._history,
            evaluation=self._evaluated(),
            estimated_t=self._estimated_t(),
            x0=self._given_start(),
            absolute_sigma=bool(getattr(self.problem, "absolute_sigma", None)),
            **self._limits(),
        )

    def _evaluated(self) -> str:
        """Return the text of `Result.evaluation`."""
        evaluation = self._evaluation
        # A model of lmoo.models with errors in x.
        known = evaluation is not None and evaluation.problem is None
        if known and getattr(self._loop, "compiled", False):
            return "compiled"
        return evaluation_text(self.problem, evaluation)

    def _given_start(self) -> NDArray[np.float64]:
        """Return the field `x0` of the result: nan for parameters that are eliminated."""
        x0 = np.array(self._start[1], dtype=np.float64)
        eliminated = getattr(self._loop, "eliminated", ())
        if eliminated:
            x0[list(eliminated)] = np.nan
        return x0

    def _estimated_t(self) -> Any:
        """Return the estimates of t for a curve with errors in x; None for other problems."""
        if getattr(self.problem, "sigma_x", None) is None:
            return None
        from lmoo.problems.errorsinx import separate

        loop: Any = self._loop
        # Without the points of priors.
        return separate(loop.true_points()[:, : self.problem.y.size], self.problem.t)

    def _limits(self) -> dict[str, Any]:
        """Return the fields of `Result` that belong to bounds; {} without bounds."""
        bounds = self._loop.bounds
        if bounds is None:
            # Their factors have no gradient.
            others = is_joint(self.problem) or self._is_sparse
            known = others and self._loop.linearized
            return {"_gradient": self._loop.gradient} if known else {}
        fixed = bounds[0] == bounds[1]
        active = np.where(fixed, 0, self._loop.fixed_or_active).astype(np.int8)
        return {
            "lower": bounds[0],
            "upper": bounds[1],
            "fixed": fixed,
            "active_mask": active,
            "_gradient": self._loop.gradient if self._loop.linearized else None,
        }

    def _message(self, status: Status) -> str:
        solver = self.solver
        active = None if self._loop.bounds is None else self._loop.fixed_or_active
        limits = f"ftol = {solver.ftol:g}, xtol = {solver.xtol:g}, gtol = {solver.gtol:g}"
        names, start = self._start
        text = reason(status, names, active)
        if self._timed_out and status is Status.STOPPED:
            text = f"stopped by the time limit, time_limit = {solver.time_limit:g} s"
        if self._exception is not None and status is Status.UNFINISHED:
            text = f"not finished: the solve was ended by {self._exception}"
        details = diagnosis(self._loop, status, names, start, self._analytic)
        text = f"{text}: {details}" if details else text
        limits = f"{limits}, maxfev = {self._loop.maxfev}"
        eliminated = getattr(self._loop, "eliminated", ())
        if eliminated:
            limits += f"; eliminated: {', '.join(self._names[j] for j in eliminated)}"
        return f"{text} ({limits})"

    @property
    def _analytic(self) -> bool:
        """Whether the problem's Jacobian is used."""
        if self._evaluation is not None and self._evaluation.problem is not None:
            return True
        strategy = self.solver.jacobian
        return has_jacobian(self.problem) if strategy is None else strategy._by_problem

    def _factor(self, robust: Robust | None) -> Factor | None:
        """Return the factor of the last Jacobian; None if none was evaluated.

        The linear model of a loss has scaled rows; its factor is reduced to about that of J.
        """
        loop = self._loop
        if not loop.linearized:
            return None
        if is_joint(self.problem):
            from lmoo.solver.joint import arrow_factor

            found: Any = arrow_factor(loop, self.problem.own)
            if robust is not None:
                found = robust.reduced(found, loop.observations)
            return found  # type: ignore[no-any-return]
        if self._is_sparse:
            from lmoo.solver.sparse import sparse_factor

            excluded = None if loop.bounds is None else loop.fixed_or_active != 0
            found = sparse_factor(loop, excluded)
            if robust is not None and not self._priors:
                found = robust.reduced(found, loop.observations)
            return found  # type: ignore[no-any-return]
        factor = Factor(loop.r, loop.ipvt, loop.qtf, loop.acnorm, loop.jacobian_error)
        # Priors have no loss, so that the factor of all rows is not in proportion to that of J.
        if robust is None or self._priors:
            return factor
        return robust.reduced(factor, loop.observations)

    def _robust(self) -> Robust | None:
        """Return the field `robust` of the result; None without a loss."""
        loop: Any = self._loop
        if loop.scale is None or not loop.observations:
            return None
        loss = loss_of(self.solver.loss)
        if in_blocks(self.problem):
            sums = np.zeros(4) if loop.sums is None else loop.sums
            return Robust(loss.name, loop.scale, np.empty(0), sums)
        kernel = kernel_of(loss, loop.scale)
        assert kernel is not None
        f = self._residual
        if f is None:
            f = loop.residual
            f = f[: f.size - self._priors]
        return Robust(loss.name, loop.scale, kernel.weights(f), kernel.sums(f))


def reason(status: Status, names: tuple[str, ...], active: NDArray[Any] | None) -> str:
    """Return why the solve stopped, with the names of parameters at active bounds.

    active: (n,), -1 at the lower bound, 1 at the upper one; None without bounds
    """
    text = _REASONS.get(status, status.reason)
    if not status.success or active is None:
        return text
    sides = {-1: "lower", 1: "upper"}
    found = [
        f"{name} at its {sides[side]} bound"
        for name, side in zip(names, active.tolist(), strict=True)
        if side in sides
    ]
    more = f" and {len(found) - _NAMES} more" if len(found) > _NAMES else ""
    return f"{text}, with {', '.join(found[:_NAMES])}{more}" if found else text
