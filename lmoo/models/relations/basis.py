"""The rows of bounds and constraints that are coordinates, and the points within all of them.

    z = B x,      lower <= z <= upper

B has a row of `Base` for each coordinate; the bounds of other rows are watched.
"""

from collections.abc import Sequence

import numpy as np

from lmoo._core.arrays import Array
from lmoo.models.relations.base import Base
from lmoo.models.relations.expressions import ROUNDING
from lmoo.models.relations.linear import independent, nearest_feasible
from lmoo.models.relations.values import ParameterValues

_SNAP = 1e-13


class Basis(ParameterValues):
    """The choice of coordinates, and points in the bounds and constraints; see `Coordinates`."""

    _base: Base

    def _choose(self, basis: Sequence[int] | None) -> None:
        """Choose the rows that are coordinates, and those that are watched."""
        base = self._base
        q = base.size.size
        if basis is None:
            units = [k for k in range(q) if base.fixed[k]]
            general = range(q, len(base.rows))
            bounded = [k for k in range(q) if not base.fixed[k] and base.has_bound[k]]
            free = [k for k in range(q) if not base.fixed[k] and not base.has_bound[k]]
            # Shared parameters must not follow from others, of which each problem has its own.
            rows = [*general, *bounded, *free]
            rest = [k for k in rows if base.rows[k][~base.shared].any()]
            order = units + [k for k in rows if k not in rest] + rest
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
        # Rounding of coordinates is as large as that of the terms they are computed from.
        there_and_back = np.abs(self._inverse) @ np.abs(self._forward) @ np.abs(self._inverse)
        self._terms = np.abs(base.rows[self._watched]) @ there_and_back
        values = base.lower[:q], base.upper[:q]
        self._given, self._values = base.fixed & (values[0] == values[1]), values[0]

    @property
    def bounds(self) -> Array:
        """Bounds of the parameters, (2, n)."""
        return self._base.bounds

    def z(self, x: Array) -> Array:
        """Return the coordinates of a point, (q,).

        Entries of tied parameters, and of those with fixed values, are not used.

        x: (n,), or (k, n) for (k, q)
        """
        return np.asarray(self._members(x) @ self._forward.T)

    def _members(self, x: Array) -> Array:
        """Return the members of x, (..., q), with the values of those that have fixed ones."""
        return np.where(self._given, self._values, x[..., self._base.members])

    def sizes(self, x: Array) -> Array:
        """Return typical sizes of the coordinates, (q,), from those of the parameters, (n,)."""
        return np.asarray(np.abs(self._forward) @ x[self._base.members])

    def inside(self, x: Array, name: str) -> Array:
        """Return the coordinates of a starting point, with rounding beyond constraints removed.

        Parameters
        ----------
        x : (n,) float64 array
            All parameters; entries of tied ones are not used.
        name : str
            How the caller calls it.

        Raises
        ------
        ValueError
            It violates bounds or constraints; or no point satisfies them.
        """
        base = self._base
        members = self._members(x)
        value = base.rows @ members
        over = self._over(members)
        wrong = over > 0.0
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
        z = self.z(x)
        held = self.fixed & ~(self.lower == self.upper)
        return np.where(held, z, np.clip(z, self.lower, self.upper))

    def moved(self, z: Array) -> Array:
        """Return points moved into the bounds of the coordinates, (q,) or (k, q).

        Coordinates that differ from a bound by rounding errors only become equal to it.
        """
        near = _SNAP * (np.abs(z @ self._inverse.T) @ np.abs(self._forward.T))
        inside = np.where(z - self.lower <= near, self.lower, np.minimum(z, self.upper))
        inside = np.where(self.upper - z <= near, self.upper, inside)
        return np.where(self.fixed, z, inside)

    def _over(self, members: Array) -> Array:
        """Return how far a point is beyond each row; 0 where that is rounding."""
        base = self._base
        value = base.rows @ members
        over = np.maximum(base.lower - value, value - base.upper)
        over[: base.size.size][base.fixed] = 0.0
        return np.where(np.isfinite(over) & (over > self._near(members)), over, 0.0)

    def _near(self, members: Array) -> Array:
        """Return how far a point may be beyond each row by rounding."""
        base = self._base
        return np.asarray(ROUNDING * (np.abs(base.rows) @ np.abs(members) + base.scales))

    def _check_feasible(self, members: Array) -> None:
        base = self._base
        of_fixed = np.where(base.rows[:, ~base.fixed].any(axis=1), 0.0, self._over(members))
        if of_fixed.any():
            k = int(np.argmax(of_fixed))
            raise ValueError(
                f"fixed parameters must satisfy the constraints; they violate {base.texts[k]!r} by "
                f"{of_fixed[k]:.6g}"
            )
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
        return nearest_feasible(members, base.rows, lower, upper, base.size, self._near(members))

    def feasible(self, x: Array) -> Array:
        """Return a point of all parameters, moved into the constraints if it violates them.

        Raises
        ------
        ValueError
            No point satisfies the constraints.
        """
        members = self._members(x)
        found = self.nearest(members)
        if found is None:
            self._check_feasible(members)
        assert found is not None
        out = x.copy()
        out[self._base.members] = found
        return out
