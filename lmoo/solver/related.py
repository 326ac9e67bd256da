"""A solve whose parameters are tied, constrained, or have priors: it varies their coordinates."""

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array
from lmoo._core.kernels import enorm
from lmoo._core.solve import Loop
from lmoo.models.relations.coordinates import Coordinates, coordinates_of
from lmoo.problems.kinds import is_joint
from lmoo.problems.parameters import OPTIONS, Relations, refuse_separable
from lmoo.results.factor import Factor
from lmoo.results.fit import Fit
from lmoo.results.related import Inner, Related, mapped
from lmoo.results.result import Result
from lmoo.solver.iteration import Iteration
from lmoo.solver.record import IterationRecord
from lmoo.solver.reduced import reduced_strategy
from lmoo.solver.solvedproblem import in_order_of, solved_problem
from lmoo.status import Status

if TYPE_CHECKING:
    from lmoo.models.tracing.evaluation import Evaluation
    from lmoo.solver.options import SolverOptions


# Exchanges of constraints for one another, per constraint and parameter, before a solve gives up.
_EXCHANGES = 20
# Largest number of searches for the constraints that hold a vertex, without a step.
_TURNS = 5
# A reduction of the residual that is relatively smaller counts as no reduction.
_REDUCED = 1e-6


class Progress(NamedTuple):
    """The progress of a solve, besides its coordinates and its loop.

    z0 : where the loop has started, in the present coordinates
    exchanges : how many exchanges of constraints are left
    before : nfev, njev and nit of earlier loops
    idle : exchanges since the residual was reduced
    turns : searches for the constraints that hold the vertex
    mark : norm of the residual at the last reduction
    last : the last iteration of earlier loops
    cornered : whether differences may leave constraints
    """

    z0: Array
    exchanges: int
    before: tuple[int, int, int] = (0, 0, 0)
    idle: int = 0
    turns: int = 0
    mark: float = np.inf
    last: IterationRecord | None = None
    cornered: bool = False


class RelatedIteration(Iteration):
    """A solve whose parameters are related, as an iterator over its iterations."""

    _is_related = True

    def __init__(
        self,
        solver: "SolverOptions",
        problem: Any,
        x0: Array,
        evaluation: "Evaluation | None" = None,
        checked: bool = False,
        relations: Relations | None = None,
        coordinates: Coordinates | None = None,
        progress: Progress | None = None,
    ) -> None:
        refuse_separable(solver.separable)
        if coordinates is None:
            assert relations is not None
            bounds = getattr(problem, "bounds", None) if solver.bounds is None else solver.bounds
            fixed = getattr(problem, "fixed", None) if solver.fixed is None else solver.fixed
            names = getattr(problem, "parameter_names", None)
            shared = getattr(problem, "shared", ())
            coordinates = coordinates_of(names, relations, bounds, fixed, x0, shared)
        coordinates = in_order_of(problem, coordinates)
        self._coordinates = coordinates
        self._priors = len(coordinates.priors)
        self._stepwise = coordinates.is_watched
        if progress is None:
            exchanges = _EXCHANGES * (len(coordinates.labels) + len(coordinates.watched))
            progress = Progress(coordinates.inside(x0, "x0"), exchanges)
            x0 = coordinates.x(progress.z0)
        (
            self._z0, self._exchanges, self._before, self._idle, self._turns, self._mark,
            self._last, self._cornered,
        ) = progress  # fmt: skip
        if evaluation is None:
            evaluation = solver._evaluation(problem, x0, checked, inside=True)
        super().__init__(solver, problem, x0, evaluation)
        if evaluation is None:
            # The parent has not seen x0 inside the coordinates' bounds.
            self._evaluation = None

    # ---- the loop -----------------------------------------------------------------------------

    def _new_loop(self) -> Loop:
        solver, coordinates = self.solver, self._coordinates
        self._solved = solved_problem(solver, self.problem, coordinates, self._evaluation)
        options = dict.fromkeys((*OPTIONS, "bounds", "fixed"))
        if solver.diag is not None:
            options["diag"] = _diag(np.array(solver.diag), coordinates)
        options["jacobian"] = reduced_strategy(solver.jacobian, self.problem, coordinates)
        options["separable"] = False
        maxfev = 1000 * (len(coordinates.labels) + 1) if solver.maxfev is None else solver.maxfev
        options["maxfev"] = max(maxfev - self._before[0], 1)
        used: Any = solver
        self._used = replace(used, **options)
        loop: Loop = self._used._loop(self._solved, self._z0, None, self._sparse)
        return loop

    @property
    def _x(self) -> Array:
        return self._coordinates.x(self._loop.x)

    @property
    def _start(self) -> tuple[tuple[str, ...], Array]:
        return self._coordinates.labels, self._z0

    def _record(self) -> IterationRecord:
        if self._last is not None and self._loop.nit == 0:
            return self._last
        record = super()._record()
        before = self._before
        return record._replace(
            iteration=record.iteration + before[2],
            x=self._coordinates.x(record.x),
            gradient=self._all(record.gradient),
            nfev=record.nfev + before[0],
            njev=record.njev + before[1],
        )

    def _all(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return values of the coordinates for all parameters, 0 for those that are none."""
        place = self._coordinates.place
        return np.asarray(np.where(place < 0, 0.0, values[place]))

    def _advance(self) -> bool:
        if self._cornered:
            self._solved.corner = self._loop.x
        more = super()._advance()
        if self._stepwise and not self._cornered and self._loop.status == Status.NOT_FINITE:
            # Constraints may leave no room for differences.
            self._cornered = True
            self._restart(self._coordinates, self._z0)
            return True
        blocked = getattr(self._solved, "blocked", None)
        if blocked is None:
            return more
        self._solved.blocked = None
        if self._loop.done and 1 <= self._loop.status <= 4:
            return more
        z = self._loop.x
        if not np.array_equal(z, self._z0):
            self._turns = 0
        elif self._turns > 0 and self._loop.done and self._loop.linearized:
            # No step is short enough: other constraints hold the point than was thought.
            return self._turn(z) or more
        elif self._turns > 0:
            return more
        which, trial = blocked
        if self._exchanges == 0 or self._used_up():
            return more
        self._exchanges -= 1
        # More exchanges than coordinates without a reduction: the point is near a vertex.
        fnorm = self._loop.fnorm
        if fnorm < self._mark * (1.0 - _REDUCED):
            self._mark, self._idle = fnorm, 0
        self._idle += 1
        if self._idle > z.size + 1 and self._loop.linearized and self._turn(z):
            return True
        found = self._coordinates.exchanged(which, z, trial)
        if found is not None:
            self._restart(found, z)
        return found is not None or more

    def _used_up(self) -> bool:
        used = self._loop.nfev + self._before[0]
        return self.solver.maxfev is not None and used >= self.solver.maxfev

    def _turn(self, z: Array) -> bool:
        """Take coordinates for the vertex z; return whether that is done."""
        if self._turns == _TURNS or self._used_up():
            return False
        self._turns += 1
        self._idle = 0
        loop = self._loop
        self._restart(self._coordinates.at_vertex(z, loop.gradient, loop.acnorm), z)
        return True

    def _restart(self, coordinates: Coordinates, z: Array) -> None:
        """Go on from a point with other coordinates."""
        loop, before = self._loop, self._before
        if loop.nit > 0:
            # What the step comes to that has led here: it was refused.
            self._last = self._record()
        self._before = (loop.nfev + before[0], loop.njev + before[1], loop.nit + before[2])
        x = self._coordinates.x(z)
        self._coordinates = coordinates = in_order_of(self.problem, coordinates)
        self._z0 = coordinates.moved(coordinates.z(x))
        self._loop = self._new_loop()

    def _factor(self, robust: Any) -> Any:
        """Return the factor of the coordinates, of a joint problem as a matrix of all of them."""
        loop: Any = self._loop
        if not loop.linearized or not is_joint(self.problem):
            return super()._factor(robust)
        r, ipvt, qtf = loop.dense_factor()
        factor = Factor(r, ipvt, qtf, loop.acnorm, loop.jacobian_error)
        if robust is None or self._priors:
            return factor
        return robust.reduced(factor, loop.observations)

    # ---- the result ---------------------------------------------------------------------------

    @property
    def result(self) -> Result:
        """The result with the best point so far; `Status.UNFINISHED` if the solve has not ended."""
        inner = self._plain_result()
        counts = zip((inner.nfev, inner.njev, inner.nit), self._before, strict=True)
        nfev, njev, nit = (now + before for now, before in counts)
        rows = inner.residual
        if self._residual is not None:
            rows = np.append(rows, self._coordinates.prior_rows(inner.x))
        inner = replace(
            inner, residual=rows, nfev=nfev, njev=njev, nit=nit, problem=self._solved,
            solver=self._used,
        )  # fmt: skip
        return expanded(inner, self._coordinates, self.problem, self.solver, self._x0.copy())

    def __reduce__(self) -> tuple[Any, ...]:
        kind, state = super().__reduce__()[:2]
        if isinstance(kind, type):
            # It has ended.
            return kind, state
        compiled = len(state) > 4
        progress = Progress(
            self._z0, self._exchanges, self._before, self._idle, self._turns, self._mark,
            self._last, self._cornered,
        )  # fmt: skip
        return _resume_related, (*state[:4], compiled, self._coordinates, progress)


def _resume_related(
    solver: Any,
    problem: Any,
    x0: Array,
    snapshot: Any,
    checked: bool,
    coordinates: Coordinates,
    progress: Progress,
) -> RelatedIteration:
    """Return an iteration that continues from a snapshot."""
    iteration = RelatedIteration(
        solver, problem, x0, None, checked, coordinates=coordinates, progress=progress
    )
    iteration._restore(snapshot)
    return iteration


def _diag(diag: Array, coordinates: Coordinates) -> Array:
    """Return the scale factors of the coordinates: the reciprocals of their sizes."""
    if diag.shape != (len(coordinates.names),):
        raise ValueError(
            f"diag must have one entry per parameter, {len(coordinates.names)}; it has {diag.size}"
        )
    return np.asarray(1.0 / coordinates.sizes(1.0 / diag))


def expanded(
    inner: Result, coordinates: Coordinates, problem: Any, solver: Any, x0: Array
) -> Result:
    """Return the result of all parameters from that of the coordinates.

    Parameters
    ----------
    inner : Result
        Of the coordinates; its rows include those of priors, and its factor is that of the linear
        model, not reduced for a loss, where there are priors.
    coordinates : Coordinates
    problem, solver
        The user's.
    x0 : (n,) float64 array
        The starting values of all parameters.
    """
    z, k = inner.x, len(coordinates.priors)
    lower, upper = coordinates.bounds
    place = coordinates.place
    x = coordinates.x(z)
    fixed = np.where(place < 0, False, inner.fixed[place])
    # Rounding of what follows from the coordinates.
    x = np.where(fixed, x, np.clip(x, lower, upper))
    lower, upper = np.where(fixed, x, lower), np.where(fixed, x, upper)
    rows = coordinates.prior_rows(z)
    slope = 1.0
    if inner.robust is not None and k:
        slope = inner.robust.slope(inner.observations - k) or 1.0
    factor = None
    if inner.factor is not None:
        assert isinstance(inner.factor, Factor)
        factor = mapped(inner.factor, coordinates, z, inner.fixed_or_active, slope)
    gradient = np.where(place < 0, 0.0, inner.gradient[place])
    robust = inner.robust
    fitted = _fitted(inner, problem) - (0 if factor is None else factor.by_priors)
    related = related_at(
        coordinates, z, inner.active_mask, fitted, _data_norm(inner, rows),
        Inner(coordinates, inner.problem, inner.solver, _plain_fit(inner)),
    )  # fmt: skip
    return replace(
        inner,
        x=x,
        residual=inner.residual[: max(inner.residual.size - k, 0)],
        observations=max(inner.observations - k, 0),
        parameter_names=coordinates.names,
        factor=factor,
        problem=problem,
        solver=solver,
        lower=lower,
        upper=upper,
        fixed=fixed,
        active_mask=coordinates.held_parameters(inner.active_mask),
        _gradient=gradient if inner.status != Status.NOT_FINITE else None,
        robust=robust,
        related=related,
        x0=x0,
    )


def related_at(
    coordinates: Coordinates,
    z: Array,
    active_mask: NDArray[np.signedinteger[Any]],
    fitted: int,
    norm: float,
    inner: Inner | None = None,
) -> Related:
    """Return the field `related` of a result: ties, priors, constraints and derived quantities."""
    return Related(
        ties=tuple(coordinates.ties.get(name, "") for name in coordinates.names),
        fitted=fitted,
        norm=norm,
        priors=tuple(coordinates.priors),
        means=np.array([prior.mean for prior in coordinates.priors.values()]),
        sigmas=np.array([prior.sigma for prior in coordinates.priors.values()]),
        rows=coordinates.prior_rows(z),
        active=tuple(coordinates.active(z, active_mask)),
        derived=coordinates.derived,
        texts=tuple(coordinates.texts),
        values=np.array([float(v) for v in coordinates.derived_functions(z)]),
        slopes=coordinates.derived_functions.jacobian(z),
        z=z,
        inner=inner,
    )


def _fitted(inner: Result, problem: Any) -> int:
    """Return the number of coordinates that data and priors determine.

    In a joint fit those do not count that are undetermined.
    """
    if is_joint(problem) and inner.factor is not None:
        return inner.rank + int(np.count_nonzero(inner.active_mask))
    return int(np.count_nonzero(~inner.fixed))


def _plain_fit(inner: Result) -> Fit:
    """Return the fit of the coordinates without its problem and solver."""
    kept = {part.name: getattr(inner, part.name) for part in fields(Fit)}
    return Fit(**{**kept, "problem": None, "solver": None, "history": None})


def _data_norm(inner: Result, priors: Array) -> float:
    """Return the norm of the rows of data.

    Rows of blocks are not kept: theirs follows from the norm of all rows.
    """
    if inner.robust is None and inner.residual.size:
        return enorm(np.ascontiguousarray(inner.residual[: inner.residual.size - priors.size]))
    norm, known = inner.fnorm, enorm(priors)
    if not known > 0.0:
        return norm
    ratio = min(known / norm, 1.0) if norm > 0.0 else 0.0
    return float(norm * np.sqrt((1.0 - ratio) * (1.0 + ratio)))
