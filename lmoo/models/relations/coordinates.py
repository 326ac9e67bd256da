"""The coordinates of a fit: what is varied where parameters are tied or constrained.

    x = X(z),      lower <= z <= upper

x are all n parameters of the problem, z the q coordinates.  A tied parameter, and one that a linear
equation determines, is no coordinate.  A linear inequality is: its left side takes the place of a
parameter, as a slack variable with bounds, so that the active set of bounds serves constraints as
well.  Where there are more constraints than parameters, those that find no place are watched (see
`Coordinates.violated`), and one that is reached takes the place of another, as in the simplex
method for bounded variables.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo.models.graph.derivatives import derivatives
from lmoo.models.graph.evaluation import evaluate
from lmoo.models.graph.nodes import Graph, Step, extracted
from lmoo.models.relations.expressions import Row, affine, in_order, linear_rows, parsed
from lmoo.models.relations.linear import (
    eliminated,
    independent,
    nearest_feasible,
    nonnegative,
    replaced,
)
from lmoo.problems.bounds import limits
from lmoo.problems.parameters import LinearForm, Relations, known_name

__all__ = ["Coordinates", "coordinates_of"]

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

# How far, relative to the sizes of its terms, a point may be beyond a constraint by rounding.
_ROUNDING = 1e-12
_SNAP = 1e-13


class Functions:
    """Several functions of the coordinates, from one graph, with their derivatives.

    Parameters
    ----------
    graph : Graph
    nodes : sequence of int
        One for each function.
    q : int
        Number of coordinates.
    """

    def __init__(self, graph: Graph, nodes: Sequence[int], q: int) -> None:
        self.q, self.count = q, len(nodes)
        self.steps, self.roots = extracted(graph.steps, nodes)

    def __call__(self, z: Any) -> list[Any]:
        """Return the values; z: q numbers or arrays, real or complex."""
        return evaluate(self.steps, self.roots, [], z)

    @cached_property
    def _slopes(self) -> tuple[tuple[Step, ...], tuple[int, ...], list[tuple[int, int]]]:
        graph = Graph(self.steps)
        nodes, places = [], []
        for i, root in enumerate(self.roots):
            for k, node in enumerate(derivatives(graph, root, self.q)):
                if node is not None:
                    nodes.append(node)
                    places.append((i, k))
        return (*extracted(graph.steps, nodes), places)

    def jacobian(self, z: Any) -> Array:
        """Return the derivatives, (..., count, q)."""
        steps, roots, places = self._slopes
        shape = np.broadcast_shapes(*(np.shape(value) for value in z))
        out = np.zeros((*shape, self.count, self.q))
        for (i, k), value in zip(places, evaluate(steps, roots, [], z), strict=True):
            out[..., i, k] = value
        return out


class Coordinates:
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
        self, base: "_Base", relations: Relations, basis: Sequence[int] | None = None
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
        self.graph, self._nodes = graph, named
        self.functions = Functions(graph, nodes, q)
        self.derived_functions = Functions(graph, [named[n] for n in self.derived], q)
        self._prior_values = Functions(graph, [named[n] for n in relations.priors], q)
        self._means = np.array([prior.mean for prior in relations.priors.values()])
        self._sigmas = np.array([prior.sigma for prior in relations.priors.values()])

    def __reduce__(self) -> Any:
        return Coordinates, (self._base, self._relations, self._basis)

    def _choose(self, basis: Sequence[int] | None) -> None:
        """Choose the rows that are coordinates, and those that are watched."""
        base = self._base
        q = base.size.size
        if basis is None:
            units = [k for k in range(q) if base.fixed[k]]
            general = list(range(q, len(base.rows)))
            bounded = [k for k in range(q) if not base.fixed[k] and base.has_bound[k]]
            free = [k for k in range(q) if not base.fixed[k] and not base.has_bound[k]]
            order = units + general + bounded + free
            basis = sorted(order[k] for k in independent(base.rows[order], base.size))
        self._basis = tuple(basis)
        chosen = base.rows[list(basis)]
        # Scaled by powers of two, so that the inverse does not depend on units.
        columns = 2.0 ** np.round(np.log2(np.abs(chosen).max(axis=0, initial=1e-300)))
        self._inverse = np.linalg.inv(chosen / columns) / columns[:, None] if q else chosen
        self._inverse[np.abs(self._inverse * columns[:, None]) < 1e-14] = 0.0
        self._forward = chosen
        self.lower, self.upper = base.lower[list(basis)], base.upper[list(basis)]
        self.fixed = np.array([k < q and bool(base.fixed[k]) for k in basis], dtype=bool)
        self.labels = tuple(base.texts[k] for k in basis)
        self.place = np.full(len(self.names), -1)
        for k, row in enumerate(basis):
            if row < q:
                self.place[base.members[row]] = k
        self._watched = [
            k
            for k in range(len(base.rows))
            if k not in basis and (np.isfinite(base.lower[k]) or np.isfinite(base.upper[k]))
        ]
        self._weights = base.rows[self._watched] @ self._inverse

    def _graph(self) -> tuple[Graph, list[int]]:
        """Return a graph of z, and the node of each parameter."""
        graph = Graph()
        base = self._base
        given = [graph.parameter(k) for k in range(len(self._basis))]
        members = [_combination(graph, row, 0.0, given) for row in self._inverse]
        return graph, base.nodes(graph, members)

    # ---- values -------------------------------------------------------------------------------

    @property
    def ties(self) -> dict[str, str]:
        """What determines each parameter that follows from others."""
        return self._base.ties

    @property
    def bounds(self) -> Array:
        """Bounds of the parameters, (2, n)."""
        return self._base.bounds

    def x(self, z: Any) -> Array:
        """Return all parameters, (n,), for coordinates (q,), or (n, k) for (q, k)."""
        # With a coordinate, as a function may be constant.
        return np.array(np.broadcast_arrays(*self.functions(z), z[0])[:-1])

    def slopes(self, z: Array) -> Array:
        """Return the derivatives of all parameters by the coordinates, (n, q)."""
        return self.functions.jacobian(z)

    def z(self, x: Array) -> Array:
        """Return the coordinates of a point, (q,); entries of tied parameters are not used.

        x: (n,), or (k, n) for (k, q)
        """
        return np.asarray(x[..., self._base.members] @ self._forward.T)

    def sizes(self, x: Array) -> Array:
        """Return typical sizes of the coordinates, (q,), from those of the parameters, (n,)."""
        return np.asarray(np.abs(self._forward) @ x[self._base.members])

    def prior_rows(self, z: Any) -> Array:
        """Return ``(value - mean) / sigma`` of each prior, (k,), or (k, ...) for arrays."""
        values = self._prior_values(z)
        if not values:
            return np.empty(0)
        rows = [(v - m) / s for v, m, s in zip(values, self._means, self._sigmas, strict=True)]
        return np.array(np.broadcast_arrays(*rows, z[0])[:-1])

    def prior_values(self, z: Any) -> Array:
        """Return the values that have priors, (k,), or (k, ...) for arrays."""
        values = self._prior_values(z)
        return np.array(np.broadcast_arrays(*values, *z[:1])[:-1]) if values else np.empty(0)

    def prior_value_slopes(self, z: Any) -> Array:
        """Return the derivatives of `prior_values`, (..., k, q)."""
        return self._prior_values.jacobian(z)

    def prior_slopes(self, z: Any) -> Array:
        """Return the derivatives of `prior_rows`, (..., k, q)."""
        return np.asarray(self._prior_values.jacobian(z) / self._sigmas[:, None])

    def node(self, name: str) -> int:
        """Return the node of a parameter or a derived quantity in `graph`."""
        return self._nodes[name]

    # ---- constraints --------------------------------------------------------------------------

    def violated(self, z: Array) -> int | None:
        """Return the constraint beyond which a point is farthest, of those that are watched."""
        if not self._watched:
            return None
        value = self._weights @ z
        size = np.abs(self._weights) @ np.abs(z)
        base = self._base
        over = np.maximum(base.lower[self._watched] - value, value - base.upper[self._watched])
        share = np.where(over > _ROUNDING * size, over / np.where(size > 0, size, 1.0), 0.0)
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
        """Return coordinates for a point where more constraints meet than there are parameters.

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
    def texts(self) -> tuple[str, ...]:
        """The expressions of the derived quantities."""
        return tuple(self._relations.derived.values())

    @property
    def is_watched(self) -> bool:
        """Whether some constraints are no coordinates."""
        return bool(self._watched)

    def inside(self, z: Array, name: str) -> Array:
        """Return a starting point, with rounding beyond constraints removed.

        Raises
        ------
        ValueError
            It violates bounds or constraints; or no point satisfies them.
        """
        base = self._base
        members = self._inverse @ z
        value = base.rows @ members
        size = np.abs(base.rows) @ np.abs(members)
        over = np.maximum(base.lower - value, value - base.upper)
        over[: base.size.size][base.fixed] = 0.0
        over[~np.isfinite(over)] = 0.0
        wrong = over > _ROUNDING * size
        if wrong.any():
            k = int(np.argmax(np.where(wrong, over, -np.inf)))
            self._check_feasible(members)
            if k < base.size.size:
                raise ValueError(
                    f"{name} must lie within the bounds; {base.texts[k]} starts at {value[k]}, its "
                    f"bounds are {base.lower[k]} and {base.upper[k]}"
                )
            raise ValueError(
                f"{name} must satisfy the constraints; it violates {base.texts[k]!r} by "
                f"{over[k]:.6g}"
            )
        held = self.fixed & ~(self.lower == self.upper)
        return np.where(held, z, np.clip(z, self.lower, self.upper))

    def moved(self, z: Array) -> Array:
        """Return points moved into the bounds of the coordinates, (q,) or (k, q).

        What is on a bound but for rounding is put there.
        """
        near = _SNAP * (np.abs(z @ self._inverse.T) @ np.abs(self._forward.T))
        inside = np.where(z - self.lower <= near, self.lower, np.minimum(z, self.upper))
        inside = np.where(self.upper - z <= near, self.upper, inside)
        return np.where(self.fixed, z, inside)

    def _check_feasible(self, members: Array) -> None:
        if self.nearest(members) is None:
            raise ValueError(
                "constraints must have a point in common, within the bounds; they have none: "
                + ", ".join(map(repr, self._base.texts[self._base.size.size :]))
            )

    def nearest(self, members: Array) -> Array | None:
        """Return the nearest point that satisfies all constraints, as members of x; or None."""
        base = self._base
        lower, upper = base.lower.copy(), base.upper.copy()
        held = np.flatnonzero(base.fixed)
        lower[held] = upper[held] = members[held]
        return nearest_feasible(members, base.rows, lower, upper, base.size)

    def feasible(self, x: Array) -> Array:
        """Return a point of all parameters, moved into the constraints if it violates them.

        Raises
        ------
        ValueError
            No point satisfies the constraints.
        """
        members = x[self._base.members]
        found = self.nearest(members)
        if found is None:
            self._check_feasible(members)
        assert found is not None
        out = x.copy()
        out[self._base.members] = found
        return out

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


def _combination(graph: Graph, row: Array, constant: float, nodes: Sequence[int]) -> int:
    """Return the node of a linear function of nodes."""
    total: int | None = None
    for weight, node in zip(row.tolist(), nodes, strict=True):
        if weight == 0.0:
            continue
        term = node if weight == 1.0 else graph.apply("multiply", graph.constant(weight), node)
        total = term if total is None else graph.apply("add", total, term)
    if total is None:
        return graph.constant(constant)
    return total if constant == 0.0 else graph.apply("add", total, graph.constant(constant))


class _Base:
    """Ties, equations and constraints of the parameters, before coordinates are chosen.

    The members are the parameters that neither a tie nor an equation determines.
    """

    def __init__(
        self, names: Sequence[str], relations: Relations, bounds: Any, fixed: Any, x0: Array
    ) -> None:
        n = len(names)
        self.names = tuple(names)
        lower, upper, is_fixed = limits(bounds, fixed, self.names, n)
        self.ties = dict(relations.ties)
        self._trees = self._checked_ties(relations, is_fixed)
        given = is_fixed & (lower == upper)
        self.bounds = np.array([lower, upper])
        start = np.where(given, lower, x0)
        free = [j for j, name in enumerate(self.names) if name not in self._trees]
        self._free = free
        graph = Graph()
        nodes = self._with_ties(
            graph, dict(zip(free, map(graph.parameter, range(len(free))), strict=False))
        )
        rows = self._all_rows(relations.constraints, graph, nodes, lower, upper)
        size = np.abs(start[free])
        size = np.where(size > 0.0, size, 1.0)
        equations = [row for row in rows if row.lower == row.upper]
        bounded = np.isfinite(lower[free]) | np.isfinite(upper[free])
        solved, matrix, constant = eliminated(equations, size, ~is_fixed[free], bounded)
        self._solved, self._matrix, self._constant = solved, matrix, constant
        kept = [k for k in range(len(free)) if k not in solved]
        self._kept = kept
        self.members = np.array([free[k] for k in kept], dtype=np.intp)
        for k, p in enumerate(solved):
            used = {free[i]: matrix[k, i] for i in kept if matrix[k, i]}
            text = " ".join(f"{w:+.10g}*{self.names[j]}" for j, w in used.items())
            self.ties[self.names[free[p]]] = f"{text} {constant[k]:+.10g}".strip()
        self.size, self.fixed = size[kept], is_fixed[free][kept]
        self._set_rows(rows, lower, upper)

    def _checked_ties(self, relations: Relations, is_fixed: Mask) -> dict[str, Any]:
        """Return the graph of each tie, in an order in which they can be evaluated."""
        trees, uses = {}, {}
        for name, text in relations.ties.items():
            known_name("ties", name, self.names)
            if is_fixed[self.names.index(name)]:
                raise ValueError(f"ties must not be of fixed parameters; {name} is fixed")
            steps, used = parsed("ties", name, text, self.names)
            trees[name] = steps
            uses[name] = [self.names[j] for j in used]
        return {name: trees[name] for name in in_order(uses)}

    def _with_ties(self, graph: Graph, known: Mapping[int, int]) -> list[int]:
        """Return the node of each parameter, from those of the free ones."""
        nodes = dict(known)
        for name, steps in self._trees.items():
            nodes[self.names.index(name)] = graph.include(steps, nodes.__getitem__)[-1]
        return [nodes[j] for j in range(len(self.names))]

    def _all_rows(
        self,
        constraints: Sequence[Any],
        graph: Graph,
        nodes: Sequence[int],
        lower: Array,
        upper: Array,
    ) -> list[Row]:
        """Return all constraints as rows of the free parameters, bounds of tied ones among them."""
        rows = []
        q = len(self._free)
        for one in constraints:
            if isinstance(one, str):
                rows.append(linear_rows(one, graph, nodes, self.names))
                continue
            rows += self._of_matrix(one, graph, nodes)
        for name in self._trees:
            j = self.names.index(name)
            if np.isfinite(lower[j]) or np.isfinite(upper[j]):
                try:
                    weights, constant = affine(graph, nodes[j], name, q)
                except ValueError:
                    raise ValueError(
                        f"bounds must not be of parameters that are tied by an expression which is "
                        f"not linear; {name} is tied to {self.ties[name]!r}"
                    ) from None
                rows.append(Row(weights, lower[j] - constant, upper[j] - constant, name))
        return [row._replace(coefficients=_padded(row.coefficients, q)) for row in rows]

    def _of_matrix(self, form: LinearForm, graph: Graph, nodes: Sequence[int]) -> list[Row]:
        n, rows = len(self.names), []
        for weights, low, high in zip(*form, strict=True):
            if len(weights) != n:
                raise ValueError(
                    f"A of constraints must have a column for each of the {n} parameters; it has "
                    f"{len(weights)}"
                )
            if low > high:
                raise ValueError(f"constraints must have lower <= upper; they have {low}, {high}")
            text = " ".join(
                f"{w:+.6g}*{name}" for w, name in zip(weights, self.names, strict=True) if w
            )
            text = f"{text} <= {high:.6g}" if np.isfinite(high) else f"{text} >= {low:.6g}"
            node = _combination(graph, np.array(weights), 0.0, nodes)
            coefficients, constant = affine(graph, node, text, len(self._free))
            rows.append(Row(coefficients, low - constant, high - constant, text))
        return rows

    def _set_rows(self, rows: Sequence[Row], lower: Array, upper: Array) -> None:
        """Set all rows over the members: first their own bounds, then the general constraints."""
        kept, free = self._kept, self._free
        q = len(kept)
        low, high = lower[self.members].copy(), upper[self.members].copy()
        self.owner = {k: int(j) for k, j in enumerate(self.members)}
        general: list[tuple[Row, int | None]] = []
        for row in rows:
            if row.lower != row.upper:
                owner = self.names.index(row.text) if row.text in self.names else None
                general.append((self._reduced(row.coefficients, row), owner))
        for p in self._solved:
            j = free[p]
            if np.isfinite(lower[j]) or np.isfinite(upper[j]):
                weights = np.zeros(len(free))
                weights[p] = 1.0
                row = Row(weights, lower[j], upper[j], self.names[j])
                general.append((self._reduced(weights, row), j))
        matrix, texts = [np.eye(q)], [self.names[j] for j in self.members]
        lows, highs = [low], [high]
        for row, owner in general:
            there = np.flatnonzero(np.abs(row.coefficients) * self.size > 0.0)
            if there.size == 0:
                if not row.lower <= 1e-12 or not row.upper >= -1e-12:
                    raise ValueError(
                        f"constraints must not contradict each other; {row.text!r} cannot hold"
                    )
            elif there.size == 1 and not self.fixed[there[0]]:
                k, weight = int(there[0]), float(row.coefficients[there[0]])
                ends = sorted((row.lower / weight, row.upper / weight))
                low[k], high[k] = max(low[k], ends[0]), min(high[k], ends[1])
                if low[k] > high[k]:
                    raise ValueError(
                        f"constraints must not contradict each other; with {row.text!r} "
                        f"{texts[k]} must be at least {low[k]} and at most {high[k]}"
                    )
            else:
                if owner is not None:
                    self.owner[len(texts)] = owner
                matrix.append(row.coefficients[None])
                lows.append(np.array([row.lower]))
                highs.append(np.array([row.upper]))
                texts.append(row.text)
        self.rows, self.texts = np.concatenate(matrix), texts
        self.lower, self.upper = np.concatenate(lows), np.concatenate(highs)
        self.has_bound = np.isfinite(low) | np.isfinite(high)
        # Bounds that a constraint makes equal fix the parameter there.
        self.fixed = self.fixed | (low == high)

    def _reduced(self, weights: Array, row: Row) -> Row:
        """Return a row of the free parameters as one of the members."""
        constant = float(weights[self._solved] @ self._constant) if self._solved else 0.0
        whole = weights + weights[self._solved] @ self._matrix if self._solved else weights
        return row._replace(
            coefficients=whole[self._kept], lower=row.lower - constant, upper=row.upper - constant
        )

    def nodes(self, graph: Graph, members: Sequence[int]) -> list[int]:
        """Return the node of each parameter, from those of the members."""
        known = dict(zip(self.members.tolist(), members, strict=True))
        for k, p in enumerate(self._solved):
            weights = self._matrix[k][self._kept]
            node = _combination(graph, weights, float(self._constant[k]), members)
            known[self._free[p]] = node
        return self._with_ties(graph, known)


def _padded(row: Array, q: int) -> Array:
    return np.concatenate([row, np.zeros(q - row.size)])


def coordinates_of(
    names: Sequence[str] | None, relations: Relations, bounds: Any, fixed: Any, x0: Array
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
    base = _Base(tuple(map(str, names)), relations, bounds, fixed, x0)
    if base.fixed.all():
        raise ValueError("ties, constraints and fixed must leave a parameter to be fitted")
    return Coordinates(base, relations)
