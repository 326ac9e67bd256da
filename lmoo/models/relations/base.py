"""Ties, equations and inequalities of parameters as rows, before coordinates are chosen."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lmoo._core.arrays import Array, Mask
from lmoo.models.graph.nodes import Graph
from lmoo.models.relations.expressions import (
    ROUNDING,
    Row,
    affine,
    in_order,
    linear_rows,
    linear_text,
    parsed,
    without_rounding,
)
from lmoo.models.relations.functions import combination
from lmoo.models.relations.linear import eliminated
from lmoo.problems.bounds import limits
from lmoo.problems.parameters import LinearForm, Relations, known_name


class Base:
    """Ties, equations and constraints of the parameters, before coordinates are chosen.

    The members are the parameters that neither a tie nor an equation determines.  Equations
    determine shared parameters only if there are no others in them.
    """

    def __init__(
        self,
        names: Sequence[str],
        relations: Relations,
        bounds: Any,
        fixed: Any,
        x0: Array,
        shared: Sequence[str] = (),
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
        is_shared = np.array([self.names[j] in shared for j in free], dtype=bool)
        bounded = np.isfinite(lower[free]) | np.isfinite(upper[free]) | is_shared
        found = eliminated(equations, size, ~is_fixed[free], bounded)
        solved, matrix, constant = found[:3]
        self._solved, self._matrix, self._constant = solved, matrix, constant
        self._sizes, self._scales = found.sizes, found.scales
        kept = [k for k in range(len(free)) if k not in solved]
        self._kept = kept
        self.members = np.array([free[k] for k in kept], dtype=np.intp)
        self.shared = is_shared[kept]
        for k, p in enumerate(solved):
            used = [self.names[j] for j in free]
            self.ties[self.names[free[p]]] = linear_text(matrix[k], used, float(constant[k]))
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
                    weights, constant, scale = affine(graph, nodes[j], name, q)
                except ValueError:
                    raise ValueError(
                        f"bounds must not be of parameters that are tied by an expression which is "
                        f"not linear; {name} is tied to {self.ties[name]!r}"
                    ) from None
                rows.append(Row(weights, lower[j] - constant, upper[j] - constant, name, scale))
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
            text = linear_text(weights, self.names)
            text = f"{text} <= {high:.6g}" if np.isfinite(high) else f"{text} >= {low:.6g}"
            node = combination(graph, np.array(weights), 0.0, nodes)
            coefficients, constant, scale = affine(graph, node, text, len(self._free))
            rows.append(Row(coefficients, low - constant, high - constant, text, scale))
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
        own, scales = np.zeros(q), []
        for row, owner in general:
            there = np.flatnonzero(row.coefficients)
            if there.size == 0:
                near = ROUNDING * row.scale
                if not row.lower <= near or not row.upper >= -near:
                    raise ValueError(
                        f"constraints must not contradict each other; {row.text!r} cannot hold"
                    )
            elif there.size == 1 and not self.fixed[there[0]]:
                k, weight = int(there[0]), float(row.coefficients[there[0]])
                ends = sorted((row.lower / weight, row.upper / weight))
                low[k], high[k] = max(low[k], ends[0]), min(high[k], ends[1])
                own[k] = max(own[k], row.scale / abs(weight))
                near = ROUNDING * (own[k] + abs(high[k]))
                if high[k] < low[k] <= high[k] + near:
                    # They are equal but for rounding.
                    low[k] = high[k]
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
                scales.append(row.scale)
        self.rows, self.texts = np.concatenate(matrix), texts
        self.lower, self.upper = np.concatenate(lows), np.concatenate(highs)
        self.scales = np.append(own, scales)
        self.has_bound = np.isfinite(low) | np.isfinite(high)
        # Bounds that a constraint makes equal fix the parameter there.
        self.fixed = self.fixed | (low == high)

    def _reduced(self, weights: Array, row: Row) -> Row:
        """Return a row of the free parameters as one of the members."""
        if not self._solved:
            return row._replace(coefficients=weights[self._kept])
        own = weights[self._solved]
        constant = float(own @ self._constant)
        terms = np.abs(weights) + np.abs(own) @ self._sizes
        whole = without_rounding(weights + own @ self._matrix, terms)
        return row._replace(
            coefficients=whole[self._kept],
            lower=row.lower - constant,
            upper=row.upper - constant,
            scale=row.scale + float(np.abs(own) @ self._scales),
        )

    def nodes(self, graph: Graph, members: Sequence[int]) -> list[int]:
        """Return the node of each parameter, from those of the members."""
        known = dict(zip(self.members.tolist(), members, strict=True))
        for k, p in enumerate(self._solved):
            weights = self._matrix[k][self._kept]
            node = combination(graph, weights, float(self._constant[k]), members)
            known[self._free[p]] = node
        return self._with_ties(graph, known)


def _padded(row: Array, q: int) -> Array:
    return np.concatenate([row, np.zeros(q - row.size)])
