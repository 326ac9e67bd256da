"""The coordinates of a fit: what is varied where parameters are tied or constrained.

    x = X(z),      lower <= z <= upper

x are all n parameters of the problem, z the q coordinates.  A tied parameter, and one that a linear
equation determines, is no coordinate.  A linear inequality is: its left side takes the place of a
parameter, as a slack variable with bounds, so that the active set of bounds serves constraints as
well.  Where there are more constraints than parameters, those that find no place are watched (see
`Coordinates.violated`), and one that is reached takes the place of another, as in the simplex
method for bounded variables.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array
from lmoo.models.graph.nodes import Graph
from lmoo.models.relations.base import Base
from lmoo.models.relations.basis import Basis
from lmoo.models.relations.expressions import ROUNDING, parsed
from lmoo.models.relations.functions import Functions, combination
from lmoo.models.relations.linear import independent, nonnegative, replaced
from lmoo.problems.boundsforms import FrozenMapping
from lmoo.problems.parameters import Relations, known_name


class Coordinates(Basis):
    """Coordinates z, and the parameters x, priors and derived quantities as functions of them.

    Made by `coordinates_of`.

    Attributes
    ----------
    names : tuple of str
        Of all n parameters.
    labels : tuple of str
        Of the q coordinates: the name of a parameter, or the text of a constraint.
    place : (n,) int array
        The coordinate that each parameter is; -1 for others.
    ties : dict of str to str
        What determines each parameter that is tied.
    lower, upper : (q,) arrays
        Bounds of the coordinates; fixed coordinates: see `fixed`.
    fixed : (q,) bool array
    bounds : (2, n) array
        Bounds of the parameters, as the user has given them.
    """

    def __init__(
        self, base: Base, relations: Relations, basis: Sequence[int] | None = None
    ) -> None:
        self._base, self._relations = base, relations
        self.names, self.priors = base.names, relations.priors
        self._choose(basis)
        graph, nodes = self._graph()
        q = len(self.labels)
        named = dict(zip(self.names, nodes, strict=True))
        for name, text in relations.derived.items():
            if name in named:
                raise ValueError(f"derived must have names that no parameter has; it has {name!r}")
            steps, _ = parsed("derived", name, text, tuple(named))
            placed = list(named.values())
            named[name] = graph.include(steps, placed.__getitem__)[-1]
        self.derived = tuple(relations.derived)
        for name in relations.priors:
            known_name("priors", name, tuple(named))
        self._set_functions(graph, named, q)
        self.derived_functions = Functions(graph, [named[n] for n in self.derived], q)

    def __reduce__(self) -> Any:
        return Coordinates, (self._base, self._relations, self._basis)

    def in_order(self, order: Sequence[int]) -> "Coordinates":
        """Return the same coordinates in another order."""
        return Coordinates(self._base, self._relations, [self._basis[k] for k in order])

    def without_priors(self, names: Sequence[str]) -> "Coordinates":
        """Return the same coordinates without some of the priors."""
        kept = {name: prior for name, prior in self.priors.items() if name not in names}
        relations = self._relations._replace(priors=FrozenMapping(kept))
        return Coordinates(self._base, relations, self._basis)

    def _graph(self) -> tuple[Graph, list[int]]:
        """Return a graph of z, and the node of each parameter."""
        graph = Graph()
        base = self._base
        given = [graph.parameter(k) for k in range(len(self._basis))]
        members = [combination(graph, row, 0.0, given) for row in self._inverse]
        return graph, base.nodes(graph, members)

    @property
    def ties(self) -> dict[str, str]:
        """Expressions of the parameters that follow from others, by name."""
        return self._base.ties

    def violated(self, z: Array) -> int | None:
        """Return the constraint beyond which a point is farthest, of those that are watched."""
        if not self._watched:
            return None
        value = self._weights @ z
        base = self._base
        size = self._terms @ np.abs(z) + base.scales[self._watched]
        over = np.maximum(base.lower[self._watched] - value, value - base.upper[self._watched])
        share = np.where(over > ROUNDING * size, over / np.where(size > 0, size, 1.0), 0.0)
        worst = int(np.argmax(share))
        return worst if share[worst] > 0.0 else None

    def exchanged(self, which: int, z: Array, trial: Array) -> "Coordinates | None":
        """Return coordinates of which a watched constraint is one; None if it can have no place.

        Parameters
        ----------
        which : int
            What `violated` returned for `trial`.
        z, trial : (q,) arrays
            The last good point, and the one beyond the constraint.
        """

        def room(k: int) -> float:
            return float(min(z[k] - self.lower[k], self.upper[k] - z[k]))

        weights = self._weights[which]
        leaving = replaced(weights, room, trial - z, ~self.fixed)
        if leaving is None:
            return None
        basis = list(self._basis)
        basis[leaving] = self._watched[which]
        return Coordinates(self._base, self._relations, basis)

    def at_vertex(self, z: Array, gradient: Array, norms: Array) -> "Coordinates":
        """Return coordinates for a point where more constraints meet than parameters.

        The steepest descent direction d that all active constraints allow is the negative gradient
        less its projection on their normals, a nonnegative combination (Moreau's decomposition).
        The normals in it come first, then constraints that d leaves slowly.

        Parameters
        ----------
        z : (q,) array
            The point.
        gradient : (q,) array
            That of the cost.
        norms : (q,) array
            The unit of each coordinate is the reciprocal of its norm.
        """
        base = self._base
        q = base.size.size
        members = self._inverse @ z
        value = base.rows @ members
        slack = 1e-6 * (np.abs(base.rows) @ np.abs(members)) + 1e-300
        above = (value >= base.upper - slack).astype(float)
        sign = np.where(value <= base.lower + slack, -1.0, above)
        sign[:q][base.fixed] = 0.0
        active = np.flatnonzero(sign)
        unit = np.where(norms > 0.0, norms, 1.0)
        normals = sign[active, None] * (base.rows[active] @ self._inverse) / unit
        lengths = np.linalg.norm(normals, axis=1)
        normals = normals / lengths[:, None]
        free = ~self.fixed
        slopes = np.where(free, gradient / unit, 0.0)
        size = float(np.linalg.norm(slopes)) or 1.0
        weights = nonnegative(normals.T, -slopes / size)
        leaving = normals @ (slopes / size + normals.T @ weights)
        # Those that hold the point first, then those that it leaves slowest.
        order = np.lexsort((leaving, -weights, weights <= 1e-12))
        first = [k for k in range(q) if base.fixed[k]] + active[order].tolist()
        others = [k for k in self._basis if k not in first]
        rest = [k for k in range(len(base.rows)) if k not in first and k not in others]
        ranked = first + others + rest
        basis = [ranked[k] for k in independent(base.rows[ranked], base.size)]
        return Coordinates(base, self._relations, sorted(basis))

    @property
    def watched(self) -> tuple[str, ...]:
        """Constraints that are no coordinates."""
        return tuple(self._base.texts[k] for k in self._watched)

    @property
    def shared(self) -> NDArray[np.bool_]:
        """The coordinates of shared parameters alone, (q,) bool."""
        return np.asarray(~self._forward[:, ~self._base.shared].any(axis=1))

    @property
    def texts(self) -> tuple[str, ...]:
        """The expressions of the derived quantities."""
        return tuple(self._relations.derived.values())

    @property
    def is_watched(self) -> bool:
        """Whether some constraints are no coordinates."""
        return bool(self._watched)

    def active(self, z: Array, held: NDArray[Any]) -> list[str]:
        """Return the constraints that are active; held: (q,), not 0 for an active coordinate."""
        q = self._base.size.size
        return [self.labels[k] for k, row in enumerate(self._basis) if row >= q and held[k] != 0]

    def held_parameters(self, held: NDArray[Any]) -> NDArray[np.int8]:
        """Return the active bounds of parameters, (n,), from those of the coordinates."""
        out = np.zeros(len(self.names), dtype=np.int8)
        for k, row in enumerate(self._basis):
            if held[k] and not self.fixed[k]:
                j = self._base.owner.get(row)
                if j is not None:
                    out[j] = held[k]
        return out


def coordinates_of(
    names: Sequence[str] | None,
    relations: Relations,
    bounds: Any,
    fixed: Any,
    x0: Array,
    shared: Sequence[str] = (),
) -> Coordinates:
    """Return the coordinates of a fit.

    Parameters
    ----------
    names : sequence of str or None
        Names of the n parameters.
    relations : Relations
    bounds, fixed
        As for `lmoo.bounds.limits`.
    x0 : (n,) float64 array
        The starting point; entries of tied parameters are not used, and may be nan.
    shared : sequence of str
        Parameters that several problems have, which are coordinates if they can be.

    Raises
    ------
    ValueError
        Unknown names, circles, relations that contradict each other or that are not supported.
    ExpressionError
        An expression is not understood.

    Examples
    --------
    >>> import numpy as np
    >>> from lmoo.models.relations.coordinates import coordinates_of
    >>> from lmoo.problems.parameters import Relations
    >>> found = coordinates_of(("a", "b"), Relations(ties={"b": "2*a"}), None, None, np.ones(2))
    >>> found.labels, found.x(np.array([3.0])), found.slopes(np.array([3.0]))
    (('a',), array([3., 6.]), array([[1.],
           [2.]]))
    """
    if names is None:
        raise ValueError(
            "ties, priors, derived and constraints need names of the parameters: give the problem "
            "parameter_names"
        )
    if len(names) != x0.size:
        raise ValueError(
            f"parameter_names must have one entry per parameter, {x0.size}: {tuple(names)!r}"
        )
    base = Base(tuple(map(str, names)), relations, bounds, fixed, x0, shared)
    if base.fixed.all():
        raise ValueError("ties, constraints and fixed must leave a parameter to be fitted")
    return Coordinates(base, relations)
