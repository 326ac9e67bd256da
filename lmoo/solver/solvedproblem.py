"""The problem that is solved where parameters are related: that of the coordinates."""

from typing import Any

import numpy as np

from lmoo.jacobians.strategies import is_transposed
from lmoo.models.compiled import kept_model
from lmoo.models.expression.base import Model
from lmoo.models.library import CompiledModel
from lmoo.models.relations.coordinates import Coordinates
from lmoo.models.relations.parts import PartValues, arranged, owners
from lmoo.models.relations.substitution import substituted
from lmoo.problems.kinds import form_of, is_joint
from lmoo.solver.reduced import ReducedBlocks, ReducedProblem, substituted_problem
from lmoo.solver.reducedjoint import PriorsAlone, ReducedJoint
from lmoo.solver.reducedpoints import ReducedPoints


def in_order_of(problem: Any, coordinates: Coordinates) -> Coordinates:
    """Return the coordinates in the order in which the problem's linear model has them."""
    if not is_joint(problem):
        return coordinates
    return arranged(coordinates, problem.indices)


def solved_problem(solver: Any, problem: Any, coordinates: Any, evaluation: Any) -> Any:
    """Return the problem of the coordinates: compiled where the model of the user's problem is."""
    form = form_of(problem)
    if form == "points":
        return ReducedPoints(problem, coordinates, evaluation)
    if form == "joint":
        return _joint_problem(solver, problem, coordinates, evaluation)
    compiled = evaluation is not None and evaluation.problem is not None
    strategy = solver.jacobian
    blocks = form == "blocks"
    rows = np.size(getattr(problem, "y", ())) + len(coordinates.priors)
    enough = blocks or rows >= len(coordinates.labels)
    by_graph = (
        enough and not coordinates.is_watched and (strategy is None or strategy._by_differences)
    )
    if compiled and by_graph:
        assert evaluation is not None
        assert evaluation.model is not None
        model = evaluation.model.model
        if blocks:
            direct = problem.compiled_from(_graph_model(model, coordinates))
            return ReducedBlocks(direct, coordinates, direct=True)
        weights = problem._whitening
        if weights is not None:
            weights = np.broadcast_to(weights, problem.y.shape)
        return substituted_problem(model, coordinates, evaluation.points, problem.y, weights)
    graph_data = getattr(problem, "graph_data", None)
    known = graph_data() if by_graph and graph_data is not None else None
    if known is not None:
        return substituted_problem(known[0], coordinates, *known[1:])
    inner = evaluation.problem if compiled and evaluation is not None else problem
    transposed = is_transposed(strategy, inner)
    if blocks:
        return ReducedBlocks(inner, coordinates, transposed)
    return ReducedProblem(inner, coordinates, transposed)


def _graph_model(model: Model, coordinates: Coordinates) -> CompiledModel:
    return kept_model(substituted(model, coordinates))


def _joint_problem(
    solver: Any, problem: Any, coordinates: Coordinates, evaluation: Any
) -> ReducedJoint:
    """Return the joint problem of the coordinates, from those of its problems."""
    owner, of_priors = owners(coordinates, problem.indices)
    priors = list(coordinates.priors)
    parts: list[Any] = []
    values: list[PartValues] = []
    for k, (part, index) in enumerate(zip(problem.problems, problem.indices, strict=True)):
        own = [name for name, group in zip(priors, of_priors, strict=True) if group == k]
        seen = PartValues(coordinates, problem._own_names[k], index, own)
        known = None if evaluation is None else evaluation.members[k]
        parts.append(solved_problem(solver, part, seen, known))
        values.append(seen)
    rest = [name for name, group in zip(priors, of_priors, strict=True) if group < 0]
    if rest:
        values.append(PartValues(coordinates, (), np.empty(0, dtype=np.intp), rest))
        parts.append(PriorsAlone(values[-1]))
    shared = int(np.count_nonzero(owner < 0))
    return ReducedJoint(problem, coordinates, parts, [seen.where for seen in values], shared)
