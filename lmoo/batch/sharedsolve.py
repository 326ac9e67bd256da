"""A stack of curves fitted together, with some of the parameters in common."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array
from lmoo._core.arrow import ArrowLinear, ArrowLoop, CurveGroups, Groups
from lmoo.batch.chunk import Chunk, stacked
from lmoo.batch.data import Dataset
from lmoo.batch.guesses import InitialGuesses
from lmoo.batch.remoteshared import checked_executor, remote_groups
from lmoo.batch.shared import JointFits, Solved, joint_results, points_of_each
from lmoo.batch.tasks import BatchData
from lmoo.losses.loss import kernel_of, loss_of
from lmoo.models.problem import is_compiled_model
from lmoo.problems.arguments import integer
from lmoo.problems.joint import JointProblem
from lmoo.problems.names import names_of
from lmoo.results.arrowfactor import ArrowFactor
from lmoo.results.fit import Fit
from lmoo.results.robust import Robust
from lmoo.solver.iterationresult import reason
from lmoo.solver.joint import arrow_factor, arrow_loop, joint_groups
from lmoo.solver.solver import Solver
from lmoo.solver.startingpoint import bad_start
from lmoo.status import Status


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
    solved = Solved(
        _fit(loop, groups, solver, chunk, x0, evaluation, absolute_sigma),
        where, shared, dataset.m, chunk.weights,
    )  # fmt: skip
    batch = BatchData(
        dataset, model, guesses, solver, False, names, evaluation, function,
        absolute_sigma=absolute_sigma,
    )  # fmt: skip
    return joint_results(batch, solved, names_of(names, where.size), out)


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
