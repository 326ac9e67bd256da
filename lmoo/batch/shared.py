"""A stack of curves fitted together, with some of the parameters in common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrow import ArrowLinear, ArrowLoop, CurveGroups, Groups
from lmoo.batch.chunk import Chunk, stacked
from lmoo.batch.data import Dataset
from lmoo.batch.fits import Fits
from lmoo.batch.guesses import InitialGuesses
from lmoo.batch.remoteshared import checked_executor, remote_groups
from lmoo.batch.tasks import BatchData
from lmoo.losses.loss import kernel_of, loss_of
from lmoo.models.problem import is_compiled_model
from lmoo.problems.arguments import integer
from lmoo.problems.joint import JointProblem
from lmoo.problems.names import names_of
from lmoo.results.arrowfactor import ArrowFactor
from lmoo.results.fit import Fit
from lmoo.results.parts import part_of
from lmoo.results.result import PartResult
from lmoo.results.robust import Robust
from lmoo.solver.iterationresult import reason
from lmoo.solver.joint import arrow_factor, arrow_loop, joint_groups
from lmoo.solver.solver import Solver
from lmoo.solver.startingpoint import bad_start
from lmoo.status import Status

__all__ = ["JointFits", "checked_options", "joint_fits", "joint_loop", "shared_parameters"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class JointFits(Fits):
    """Results of `curve_fit_many` with shared parameters: arrays with one entry per curve.

    They are those of `Fits`, with these differences: x, stderr and covariance have the shared
    parameters, which are the same for all curves, in the places that the model gives them; cost is
    the part of each curve; status, nfev, njev and nit are those of the one fit of all curves.
    Standard errors and covariances are those of the joint fit.  ``fits[i]`` is the result of one
    curve, a `PartResult`, without solving again.

    Attributes
    ----------
    shared : tuple of str
        The names of the shared parameters.
    is_shared : (n,) bool array
        Which of the model's parameters these are.
    joint_cost : float
        The cost of all curves.
    degrees_of_freedom : int
        Points that are not missing, minus the parameters that they determine.
    residual_deviation : float
        Standard deviation of the residual, by which the standard errors are scaled unless
        ``absolute_sigma`` is true.
    message : str
        Why the fit stopped.
    """

    shared: tuple[str, ...] = ()
    is_shared: Any = None
    joint_cost: float = float("nan")
    degrees_of_freedom: int = 0
    residual_deviation: float = float("nan")
    message: str = ""
    _solved: Any = None

    def _reduced_chi_square(self) -> Array:
        return np.full(self.shape, self.residual_deviation**2)

    def _tasks(self, threads: int) -> Any:
        raise TypeError("curves with shared parameters are not solved in chunks")

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, str):
            return self._named(index)
        which = self._number(index)
        solved: _Solved = self._solved
        batch, names = self._batch, names_of(self._batch.names, self._batch.guesses.n)
        places = solved.places(which)
        problem = batch.dataset.problem(batch.source, which)
        if problem is not None:
            problem.parameter_names = names
        rows = which * solved.m + np.arange(solved.m)
        if solved.weights is not None:
            # Missing points have no weight.
            rows = rows[solved.weights[which if len(solved.weights) > 1 else 0] != 0.0]
        return part_of(PartResult, solved.fit, problem, places, rows, names)


@dataclass(frozen=True, eq=False)
class _Solved:
    """The joint fit, with its parameters in the order of the arrow model."""

    fit: Fit
    where: NDArray[np.intp]
    shared: int
    m: int
    weights: Array | None

    def places(self, which: int) -> NDArray[np.intp]:
        """Return the places of the parameters of a curve."""
        own = self.where.size - self.shared
        return np.where(self.where < self.shared, self.where, self.where + which * own)


def shared_parameters(shared: Any, names: Sequence[str] | None, n: int) -> NDArray[np.intp]:
    """Return where each parameter of the model is: shared ones from 0, own ones behind these.

    Parameters
    ----------
    shared : sequence of str or int
        Names or positions.
    names : sequence of str or None
    n : int

    Raises
    ------
    TypeError, ValueError
        `shared` is not a sequence, is empty, or has a name or a position that the model does not
        have.
    """
    if isinstance(shared, str) or not isinstance(shared, Sequence):
        raise TypeError(f'shared must be a sequence of names, such as ["tau"]; it is {shared!r}')
    found: list[int] = []
    for name in shared:
        if isinstance(name, str):
            if names is None or name not in names:
                known = "none that are known" if names is None else ", ".join(names)
                raise ValueError(
                    f"shared has {name!r}, which is not a parameter of f; these are {known}"
                )
            j = list(names).index(name)
        else:
            j = integer("shared", name)
            if not 0 <= j < n:
                raise ValueError(f"shared must have positions from 0 to {n - 1}; it has {name!r}")
        if j in found:
            raise ValueError(f"shared must name a parameter once; {name!r} is there twice")
        found.append(j)
    if not found:
        raise ValueError("shared must name a parameter at least; it is empty, None shares none")
    rest = [j for j in range(n) if j not in found]
    where = np.empty(n, dtype=np.intp)
    where[found + rest] = np.arange(n)
    return where


def checked_options(executor: Any, errors: str, threads: Any, progress: Any) -> None:
    """Raise ValueError for options that a joint fit of all curves does not have."""
    if executor is not None:
        checked_executor(executor)
    for name, value, good in (
        ("errors", errors, errors == "raise"),
        ("threads", threads, threads is None),
        ("progress", progress, progress is None or progress is False),
    ):
        if not good:
            hint = " (LMOO_NUM_THREADS sets the threads)" if name == "threads" else ""
            raise ValueError(
                f"{name} must be left out with shared parameters, as all curves are one fit"
                f"{hint}; it is {value!r}"
            )


def joint_fits(
    model: Any,
    dataset: Dataset,
    guesses: InitialGuesses,
    solver: Solver,
    where: NDArray[np.intp],
    shared: int,
    names: tuple[str, ...] | None,
    evaluation: str,
    function: Any,
    out: Mapping[str, Any] | None,
    absolute_sigma: bool,
    executor: Any = None,
) -> JointFits:
    """Fit all curves together.

    Parameters
    ----------
    model : CompiledModel or Model
    dataset : Dataset
    guesses : InitialGuesses
    solver : Solver
    where : (n,) intp array
        As `shared_parameters` returns it.
    shared : int
        The number of shared parameters.
    names : tuple of str or None
    evaluation : str
    function : Model or None
        From which the model is compiled.
    out : mapping or None
        As for `lmoo.curve_fit_many`.
    absolute_sigma : bool
    executor : concurrent.futures.Executor or distributed.Client, optional
        Where curves are evaluated.
    """
    if dataset.count == 0:
        raise ValueError("y must have a curve at least with shared parameters; it has none")
    x0, bounds = _start(guesses, where, shared, dataset.count)
    chunk = dataset.chunk(model, slice(0, dataset.count))
    if not points_of_each(chunk.weights, getattr(dataset, "base", dataset).m, dataset.count).any():
        raise ValueError("y must have a point at least with shared parameters; all are missing")
    loop, groups = joint_loop(
        model, dataset, chunk, solver, where, shared, names, x0, bounds, evaluation, executor
    )
    loop.run()
    if loop.status == Status.NOT_FINITE:
        raise bad_start(loop)
    solved = _Solved(
        _fit(loop, groups, solver, chunk, x0, evaluation, absolute_sigma),
        where, shared, dataset.m, chunk.weights,
    )  # fmt: skip
    batch = BatchData(
        dataset, model, guesses, solver, False, names, evaluation, function,
        absolute_sigma=absolute_sigma,
    )  # fmt: skip
    return _results(batch, solved, names_of(names, where.size), out)


def joint_loop(
    model: Any,
    dataset: Dataset,
    chunk: Chunk,
    solver: Solver,
    where: NDArray[np.intp],
    shared: int,
    names: tuple[str, ...] | None,
    x0: Array,
    bounds: Array | None,
    evaluation: str = "",
    executor: Any = None,
) -> tuple[ArrowLoop, Groups]:
    """Return the loop of the joint fit, and what evaluates the curves.

    Parameters
    ----------
    model, dataset, solver, where, shared, names, evaluation, executor
        As for `joint_fits`.
    chunk : Chunk
        All curves.
    x0 : (N,) float64 array
    bounds : (2, N) float64 array or None
    """
    arrow = ArrowLinear(shared, np.full(dataset.count, where.size - shared))
    groups: Groups
    if is_compiled_model(model) and model.provides_jacobian:
        groups = _curves(chunk, where, shared, arrow, solver, executor)
    elif executor is not None:
        raise ValueError(
            "executor must be left out with shared parameters if the model does not run compiled: "
            f"it is called curve by curve here ({evaluation})"
        )
    else:
        groups = _members(model, dataset, names, where, shared, solver)
    kernel = None
    if solver.loss != "linear":
        kernel = kernel_of(loss_of(solver.loss), solver.f_scale)
    return arrow_loop(solver, groups, arrow, x0, bounds, kernel), groups


def _start(
    guesses: InitialGuesses, where: NDArray[np.intp], shared: int, count: int
) -> tuple[Array, Array | None]:
    """Return the starting point, and the bounds: medians of the curves' for shared parameters."""
    rows = guesses.of(slice(0, count))
    order = np.argsort(where)
    common = rows[:, order[:shared]]
    edges = guesses.edges
    if edges is not None and edges.ndim > 2:
        raise ValueError(
            "bounds and fixed must be the same for all curves with shared parameters; they are "
            "arrays with a value for each curve"
        )
    if edges is not None:
        held = np.isnan(edges[0])[order[:shared]]
        if held.any() and np.ptp(common[:, held], axis=0).any():
            raise ValueError(
                f"{guesses.name} must be the same for all curves where a shared parameter is fixed"
            )
    x0 = np.concatenate([_medians(common), rows[:, order[shared:]].reshape(-1)])
    if edges is None:
        return x0, None
    own = np.tile(edges[:, order[shared:]], (1, count))
    return x0, np.ascontiguousarray(np.concatenate([edges[:, order[:shared]], own], axis=1))


def _medians(rows: Array) -> Array:
    """Return the medians of columns of finite numbers."""
    ordered, count = np.sort(rows, axis=0), len(rows)
    return np.asarray(0.5 * ordered[(count - 1) // 2] + 0.5 * ordered[count // 2])


def _curves(
    chunk: Chunk,
    where: NDArray[np.intp],
    shared: int,
    arrow: ArrowLinear,
    solver: Solver,
    executor: Any,
) -> Groups:
    """Return the groups of a compiled model."""
    t, weights = stacked(chunk.t), chunk.weights
    if weights is not None:
        # A loss wants the weight of each row.
        rows = len(chunk.y) if solver.loss != "linear" else len(weights)
        weights = np.ascontiguousarray(np.broadcast_to(weights, (rows, chunk.m)))
    if executor is not None:
        return remote_groups(chunk, t, weights, where, shared, executor)
    groups = CurveGroups(chunk.model._model, t, chunk.y, weights, shared, where, arrow.parts)
    groups.attach(arrow)
    return groups


def _members(
    model: Any,
    dataset: Dataset,
    names: tuple[str, ...] | None,
    where: NDArray[np.intp],
    shared: int,
    solver: Solver,
) -> Groups:
    """Return the groups of a model that is called, curve by curve."""
    labels = names_of(names, where.size)
    problems = []
    for k in range(dataset.count):
        problem = dataset.problem(model, k)
        if problem is None:
            problem = dataset.without_points(k)
        problem.parameter_names, problem.trace = labels, False
        # The rows of a curve stay together: stacks have no priors together with a loss.
        problem._priors = 0
        problems.append(problem)
    order = np.argsort(where)
    joint = JointProblem(problems, [labels[j] for j in order[:shared]])
    return joint_groups(solver, joint, None)


def _fit(
    loop: ArrowLoop,
    groups: Groups,
    solver: Solver,
    chunk: Chunk,
    x0: Array,
    evaluation: str,
    absolute_sigma: bool,
) -> Fit:
    """Return the joint fit; its residual has zeros for missing points."""
    status, bounds = Status(loop.status), loop.bounds
    residual = loop.residual
    missing = np.zeros(residual.size, dtype=bool)
    if chunk.weights is not None and residual.size == chunk.y.size:
        missing = np.broadcast_to(chunk.weights == 0.0, chunk.y.shape).reshape(-1)
    elif chunk.weights is not None:
        # Members have no missing points; here all curves have as many.
        residual = np.zeros(chunk.y.size)
        missing = np.broadcast_to(chunk.weights == 0.0, chunk.y.shape).reshape(-1)
        residual[~missing] = loop.residual
    points = int(residual.size - missing.sum())
    factor: ArrowFactor | None = arrow_factor(loop, groups.own) if loop.linearized else None
    robust = None
    if loop.scale is not None:
        loss = loss_of(solver.loss)
        kernel = kernel_of(loss, loop.scale)
        assert kernel is not None
        weights = np.where(missing, 0.0, kernel.weights(residual))
        robust = Robust(loss.name, loop.scale, weights, kernel.sums(residual[~missing]))
        if factor is not None:
            factor = robust.reduced(factor, points)
    limits: dict[str, Any] = {}
    if bounds is not None:
        fixed = bounds[0] == bounds[1]
        active = np.where(fixed, 0, loop.fixed_or_active).astype(np.int8)
        limits = {"lower": bounds[0], "upper": bounds[1], "fixed": fixed, "active_mask": active}
    return Fit(
        x=loop.x,
        cost=0.5 * loop.fnorm * loop.fnorm,
        residual=residual,
        observations=points,
        status=status,
        message=reason(status, (), None),
        nfev=loop.nfev,
        njev=loop.njev,
        nit=loop.nit,
        parameter_names=(),
        fnorm=loop.fnorm,
        factor=factor,  # type: ignore[arg-type]
        solver=solver,
        evaluation=evaluation,
        robust=robust,
        x0=x0,
        absolute_sigma=absolute_sigma,
        _gradient=loop.gradient if loop.linearized else None,
        **limits,
    )


def _results(
    batch: BatchData, solved: _Solved, names: tuple[str, ...], out: Mapping[str, Any] | None
) -> JointFits:
    """Return the joint fit as arrays with one row for each curve."""
    fit, where, shared = solved.fit, solved.where, solved.shared
    empty = JointFits._empty(batch, out)
    count, n = batch.dataset.count, where.size
    places = np.where(where < shared, where, where + np.arange(count)[:, None] * (n - shared))
    values: dict[str, Any] = {
        "x": fit.x[places],
        "stderr": fit.standard_errors[places],
        "cost": _costs(fit, count, batch.solver),
        "observations": points_of_each(solved.weights, solved.m, count),
    }
    if empty.covariance is not None:
        values["covariance"] = _covariances(fit, where, shared, count)
    for name, value in values.items():
        array = getattr(empty, name)
        array[...] = value.reshape(array.shape)
    for name in ("status", "nfev", "njev", "nit"):
        getattr(empty, name)[...] = int(getattr(fit, name))
    order = np.argsort(where)
    return replace(
        empty,
        shared=tuple(names[j] for j in order[:shared]),
        is_shared=where < shared,
        joint_cost=fit.cost,
        degrees_of_freedom=fit.degrees_of_freedom,
        residual_deviation=fit.residual_deviation,
        message=fit.message,
        _solved=solved,
    )


def points_of_each(weights: Array | None, m: int, count: int) -> NDArray[np.int64]:
    """Return the number of points of each curve that are not missing, of its first m, (count,)."""
    if weights is None:
        return np.full(count, m, dtype=np.int64)
    found = np.count_nonzero(weights[:, :m], axis=1).astype(np.int64)
    return np.array(np.broadcast_to(found, (count,)))


def _costs(fit: Fit, count: int, solver: Solver) -> Array:
    """Return the part of each curve of the cost, (count,)."""
    rows = fit.residual.reshape(count, -1)
    if fit.robust is None:
        squares: Array = np.einsum("ij,ij->i", rows, rows)
        return 0.5 * squares
    kernel = kernel_of(loss_of(solver.loss), fit.robust.scale)
    assert kernel is not None
    norms = np.array([kernel.norm(row) for row in rows])
    # inf where the square overflows.
    with np.errstate(over="ignore"):
        return np.asarray(0.5 * norms * norms)


def without_scale(fit: Fit, where: NDArray[np.intp], shared: int, count: int) -> Array:
    """Return covariances where the data have no scale: inf, 0 for parameters that are held."""
    own = np.arange(count)[:, None] * (where.size - shared)
    free = ~fit.fixed_or_active[np.where(where < shared, where, where + own)]
    return np.where(free[:, :, None] & free[:, None, :], np.inf, 0.0)


def _covariances(fit: Fit, where: NDArray[np.intp], shared: int, count: int) -> Array:
    """Return the covariance of the parameters of each curve, (count, n, n)."""
    n, deviation = where.size, fit.scale_of_errors()
    if not fit.success:
        return np.full((count, n, n), np.nan)
    if fit.factor is None or deviation == np.inf:
        return without_scale(fit, where, shared, count)
    whole: Any = fit._linear
    found: Array = whole.group_covariances(deviation, where)
    return found
