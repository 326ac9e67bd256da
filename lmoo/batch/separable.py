"""Stacks of fits with linear parameters eliminated: where the fits of all parameters start."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array
from lmoo._core.batch import Separation
from lmoo.batch.guesses import InitialGuesses
from lmoo.models.compiled import partial_of
from lmoo.models.problem import is_compiled_model
from lmoo.problems.separation import Parts, linear_positions, parts_of
from lmoo.solver.solver import Solver

_SLOTS = 64
# The fits of all parameters that follow end with the solver's tolerances.
_FTOL, _XTOL = 1e-14, 1e-7
# Places among the options of the compiled fits.
_OPTIONS = {"ftol": 1, "xtol": 2, "bounds": 10}


def batch_parts(model: Any, guesses: InitialGuesses, solver: Solver) -> Parts | None:
    """Return which parameters of a stack are eliminated; None to solve for all.

    Raises
    ------
    ValueError
        ``separable`` is True, and this is not possible.
    """
    if solver.separable is False:
        return None
    graph = getattr(model, "model", None)
    reason: str | None = None
    linear: tuple[int, ...] = ()
    if not is_compiled_model(model) or graph is None:
        reason = "the model is not compiled from a graph, which tells which parameters are linear"
    elif not model.provides_jacobian or solver.jacobian is not None:
        reason = "the fits have no exact derivatives"
    elif solver.loss != "linear":
        reason = f"the loss is {solver.loss!r}, and linear parameters are found by least squares"
    else:
        linear = linear_positions(None, guesses.n, graph)
        if not linear:
            reason = f"none of the parameters {', '.join(graph.parameter_names)} is linear"
    if reason is not None:
        if solver.separable is True:
            raise ValueError(f"solver must have separable=False here: {reason}")
        return None
    parts = parts_of(linear, guesses.n, guesses.edges)
    edges = guesses.edges
    varies = [j for j in parts.other if edges is None or not np.isnan(edges[0, j])]
    return parts if parts.linear and varies else None


def reduced_solutions(task: Any, few: NDArray[np.bool_]) -> tuple[Array, NDArray[np.int64]]:
    """Return solutions of the fits without their linear parameters, and the counts of these solves.

    Parameters
    ----------
    task : Task
    few : (k,) bool array
        Fits that are not solved.

    Returns
    -------
    x : (k, n) float64 array
        All parameters; the starting point of the task where no solution was found.
    counts : (k, 3) int64 array
        Evaluations of the model, of its derivatives, and iterations.
    """
    parts, x0 = task.parts, task.x0
    other = list(parts.other)
    z0 = np.ascontiguousarray(x0[:, other])
    k, n = z0.shape
    options = list(task._options())
    for name, least in (("ftol", _FTOL), ("xtol", _XTOL)):
        options[_OPTIONS[name]] = max(options[_OPTIONS[name]], least)
    bounds = options[_OPTIONS["bounds"]]
    if bounds is not None:
        options[_OPTIONS["bounds"]] = np.ascontiguousarray(bounds[:, other])
    separation = Separation(task.chunk.m, parts.linear, parts.other, min(k, _SLOTS))
    graph = task.chunk.model.model
    models = partial_of(graph, parts.linear), partial_of(graph, parts.other)
    fits = task.chunk.reduced_batch(separation, models, z0[:_SLOTS], *options, True, z0)
    z, status = np.full((k, n), np.nan), np.zeros(k, dtype=np.int64)
    counts, codes = np.zeros((k, 3), dtype=np.int64), np.zeros(k, dtype=np.int32)
    fits.run(
        few.view(np.uint8), np.ones(k), True, z, np.empty(k), status, counts, np.empty((k, n)),
        None, codes, np.zeros(k, dtype=np.uint8),
    )  # fmt: skip
    full = fits.full(z)
    good = np.isfinite(full).all(axis=1) & (status > 0) & (codes == 0) & ~few
    # Each residual of the reduced problem takes the derivatives as well.
    found = counts[:, 0] + 1, counts[:, 0] + counts[:, 1] + 1, counts[:, 2]
    return np.where(good[:, None], full, x0), np.where(few[:, None], 0, np.stack(found, axis=1))
