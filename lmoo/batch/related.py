"""Stacks of fits whose parameters are tied, constrained, or have priors.

The coordinates of all fits are solved for as a stack of its own; priors are further points of each
curve.  `RelatedFits` has all parameters, with errors that are propagated to them.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from lmoo._core.arrays import Array
from lmoo.batch.data import Dataset
from lmoo.batch.guesses import InitialGuesses
from lmoo.batch.priordata import PriorDataset
from lmoo.batch.relatedmodel import model_of_coordinates
from lmoo.batch.tasks import BatchData
from lmoo.models.relations.coordinates import Coordinates, coordinates_of
from lmoo.problems.parameters import OPTIONS, Relations, refuse_separable
from lmoo.results.pickles import with_optional
from lmoo.solver.solver import Solver


def batch_coordinates(
    names: Any,
    relations: Relations,
    solver: Solver,
    guesses: InitialGuesses,
    shared: Sequence[str] = (),
) -> Coordinates:
    """Return the coordinates of a stack of fits; ValueError if a stack does not support them."""
    count = min(1, guesses.dataset.count)
    x = guesses.of(slice(0, count))[0] if count else np.ones(guesses.n)
    coordinates = coordinates_of(names, relations, solver.bounds, solver.fixed, x, shared)
    if coordinates.is_watched:
        raise ValueError(
            "constraints and bounds must be linearly independent for many fits; too many are: "
            f"{', '.join(coordinates.watched)}; solve fit by fit with lmoo.Solver"
        )
    if coordinates.priors and solver.loss != "linear":
        raise ValueError(
            "priors and a loss together are not supported for many fits; solve fit by fit with "
            "lmoo.Solver"
        )
    return coordinates


def plain_solver(solver: Solver) -> Solver:
    """Return the solver of the coordinates."""
    refuse_separable(solver.separable)
    nothing: dict[str, Any] = dict.fromkeys(("bounds", "fixed", *OPTIONS))
    return replace(solver, **nothing, separable=False)


def related_batch(
    dataset: Dataset,
    model: Any,
    graph: Any,
    guesses: InitialGuesses,
    solver: Solver,
    coordinates: Coordinates,
    record: bool,
    evaluation: str,
    absolute_sigma: bool = False,
    dataset_of: type[PriorDataset] = PriorDataset,
) -> BatchData:
    """Return the batch of the coordinates.

    Parameters
    ----------
    dataset : Dataset
        The curves.
    model : Model or CompiledModel
        The user's.
    graph : lmoo.models.Model or None
        Its graph, with which the stack is solved without Python.
    guesses : InitialGuesses
        Of all parameters.
    solver, coordinates, record, evaluation, absolute_sigma
    dataset_of : type
        The class of the data with points for the priors.
    """
    marked = graph is not None
    inner = model_of_coordinates(model, graph, coordinates)
    data = dataset_of(dataset, coordinates, model, marked)
    start: Any = _Guesses(guesses, coordinates, guesses.function is not None)
    # The errors of priors are known as they are: the covariance of both is made of H^-1.
    return BatchData(
        data, inner, start, plain_solver(solver), record, coordinates.labels, evaluation,
        absolute_sigma=absolute_sigma or bool(coordinates.priors),
    )  # fmt: skip


class _Guesses:
    """Starting coordinates, from those of the parameters, with the interface of InitialGuesses."""

    def __init__(self, guesses: InitialGuesses, coordinates: Coordinates, clip: bool) -> None:
        self.guesses, self.coordinates, self.clip = guesses, coordinates, clip
        self.n = len(coordinates.labels)
        self.edges = None
        lower, upper, fixed = coordinates.lower, coordinates.upper, coordinates.fixed
        if fixed.any() or np.isfinite(lower).any() or np.isfinite(upper).any():
            self.edges = np.where(fixed, np.nan, np.stack([lower, upper]))

    def to_pickle(self, dataset: PriorDataset) -> "_Guesses":
        """Return a copy to pickle with a stack."""
        return with_optional(self, guesses=self.guesses.to_pickle(dataset.base))

    def edges_of(self, fits: slice) -> Array | None:
        """Return the bounds of some fits."""
        return self.edges

    def of(self, fits: slice) -> Array:
        """Return the starting coordinates of some fits, (k, q)."""
        coordinates = self.coordinates
        x = self.guesses.of(fits)
        if not self.clip and len(x) and (x == x[0]).all():
            return np.tile(coordinates.inside(x[0], "p0"), (len(x), 1))
        if not self.clip and len(x):
            return np.stack([coordinates.inside(row, "p0") for row in x])
        return np.ascontiguousarray(coordinates.moved(coordinates.z(x)))
