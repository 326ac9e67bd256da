"""Coordinates of a joint problem: which are shared, and what each of its problems sees of them.

A coordinate on which the parameters of one problem alone depend belongs to this problem; all others
are shared.  A prior belongs to the problem whose own coordinates it depends on; if they are those
of several problems, they become shared.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo.models.graph.nodes import Graph, Step, extracted
from lmoo.models.relations.coordinates import Coordinates
from lmoo.models.relations.values import ParameterValues

Indices = Sequence[NDArray[np.intp]]


def owners(coordinates: Coordinates, indices: Indices) -> tuple[NDArray[np.intp], list[int]]:
    """Return the problem that each coordinate and each prior belongs to; -1 for shared ones.

    Parameters
    ----------
    coordinates : Coordinates
        Of all parameters.
    indices : sequence of intp arrays
        The parameters of each problem among all.

    Returns
    -------
    (q,) intp array, list of int
    """
    uses = _used(coordinates.graph.steps, [coordinates.node(name) for name in coordinates.names])
    owner = np.full(len(coordinates.labels), -1, dtype=np.intp)
    seen = np.zeros(owner.size, dtype=bool)
    for k, index in enumerate(indices):
        for c in set().union(*(uses[j] for j in index.tolist())):
            owner[c] = -1 if seen[c] else k
            seen[c] = True
    of_priors = _used(
        coordinates.graph.steps, [coordinates.node(name) for name in coordinates.priors]
    )
    for used in of_priors:
        if len({int(owner[c]) for c in used} - {-1}) > 1:
            owner[list(used)] = -1
    if (owner >= 0).all():
        # An arrow model has a shared parameter at least.
        owner[0] = -1
    return owner, [max((int(owner[c]) for c in used), default=-1) for used in of_priors]


def _used(steps: Sequence[Step], roots: Sequence[int]) -> list[set[int]]:
    """Return the parameters of a graph that each of some nodes depends on."""
    found: list[int] = []
    for operation, arguments, value in steps:
        bits = 1 << int(value) if operation == "parameter" else 0  # type: ignore[arg-type]
        for i in arguments:
            bits |= found[i]
        found.append(bits)
    return [{c for c in range(found[root].bit_length()) if found[root] >> c & 1} for root in roots]


def arranged(coordinates: Coordinates, indices: Indices) -> Coordinates:
    """Return the coordinates with shared ones first, then those of each problem.

    Parameters
    ----------
    coordinates, indices
        As for `owners`.
    """
    order = np.argsort(owners(coordinates, indices)[0], kind="stable")
    if np.array_equal(order, np.arange(order.size)):
        return coordinates
    return coordinates.in_order(order.tolist())


class PartValues(ParameterValues):
    """The parameters of one problem, and its priors, as functions of the coordinates that it has.

    Parameters
    ----------
    coordinates : Coordinates
        Of all problems.
    names : sequence of str
        What the problem calls its parameters.
    index : (n,) intp array
        Its parameters among all.
    priors : sequence of str
        Its priors.
    """

    # No constraint is watched here: that is done for all problems at once.
    is_watched = False

    def __init__(
        self,
        coordinates: Coordinates,
        names: Sequence[str],
        index: NDArray[np.intp],
        priors: Sequence[str],
    ) -> None:
        made_of: Any = coordinates, tuple(names), index, tuple(priors)
        self._made_of = made_of
        self.names = tuple(names)
        # By names that no parameter of the problem has.
        self.priors = {f"prior of {name}": coordinates.priors[name] for name in priors}
        own = [coordinates.names[j] for j in index]
        steps, roots = extracted(
            coordinates.graph.steps, [coordinates.node(name) for name in (*own, *priors)]
        )
        # One at least, as functions of no coordinate have no shape.
        used = sorted({int(step[2]) for step in steps if step[0] == "parameter"}) or [0]  # type: ignore[arg-type]
        self.where = np.array(used, dtype=np.intp)
        self.labels = tuple(coordinates.labels[c] for c in used)
        self.lower, self.upper = coordinates.lower[used], coordinates.upper[used]
        self.fixed = coordinates.fixed[used]
        graph = Graph()
        given = {c: graph.parameter(i) for i, c in enumerate(used)}
        nodes = graph.include(steps, given.__getitem__)
        places = dict(
            zip((*self.names, *self.priors), (nodes[root] for root in roots), strict=True)
        )
        self._set_functions(graph, places, len(used))

    def __reduce__(self) -> Any:
        return PartValues, self._made_of

    def violated(self, z: NDArray[np.float64]) -> None:
        """Return None; see `is_watched`."""
        return None
