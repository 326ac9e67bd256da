"""The factor of a Jacobian with shared parameters and groups of own ones."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array
from lmoo._core.arrow import arrow_blocks, arrow_lifted, arrow_statistics, arrow_variances
from lmoo.results.scaledblocks import ScaledBlocks


class _Inverse(NamedTuple):
    """Parts of inv(S.T @ S), where S is J with columns of norm 1; see arrow/statistics.pxi.

    lift : of own parameters, those of one group after the other: a number for each shared parameter
        that the group touches.  With L these as rows, and unit vectors for shared parameters, it is
        L @ shared @ L.T, and for parameters of one group besides that their gram.
    gram : the (p, p) blocks of one group after the other
    shared : (s, s), the covariance of the shared parameters; 0 for excluded ones
    undetermined : (n,) bool
    """

    lift: Array
    gram: Array
    shared: Array
    undetermined: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class ArrowFactor(ScaledBlocks):
    """The factor of the last Jacobian of a problem with shared parameters; linear in its size.

    The s shared parameters come first, then the own ones of each group.  It has the methods of
    `lmoo.results.factor.Factor`.

    Attributes
    ----------
    first : (groups + 1,) intp array
        Own parameters of group k are s + first[k] and those that follow, to s + first[k + 1].
    blocks : float64 array
        [R_k | S_k | q_k] of one group after the other, (p, p + w + 1), column-major; w shared
        parameters that the group touches.
    order : (n - s,) int32 array
        Column i of R_k belongs to own parameter order[first[k] + i] of the group.
    ranks : (groups,) int32 array
    t : (s, s + 1) float64 array
        [T | q] of the shared parameters.
    torder : (s,) int32 array
    trank : int
    acnorm : (n,) float64 array, the norms of the columns of J
    error : float
        Relative error of the entries of J.
    excluded : (n,) bool array or None
        Parameters that were left out: fixed, or at an active bound.
    span, columns : (groups + 1,) intp array, int32 array; or None
        Group k touches the shared parameters ``columns[span[k]:span[k + 1]]``.  None: all.
    """

    first: NDArray[np.intp]
    blocks: Array
    order: NDArray[np.int32]
    ranks: NDArray[np.int32]
    t: Array
    torder: NDArray[np.int32]
    trank: int
    acnorm: Array
    error: float
    excluded: NDArray[np.bool_] | None = None
    span: NDArray[np.intp] | None = None
    columns: NDArray[np.int32] | None = None

    # Whether degrees of freedom are counted by the rank.
    counts_rank: ClassVar[bool] = True

    def check(self, n: int) -> None:
        """Raise ValueError if the arrays are not those of a factor of n parameters."""
        first, s = self.first, len(self.t)
        groups = first.size - 1
        good = groups >= 1 and first.dtype == np.intp and first[0] == 0 and s >= 1
        widths = np.diff(first)
        good = good and bool((widths >= 0).all()) and s + int(first[-1]) == n
        if not good:
            raise ValueError(f"first must be the places of groups of {n} parameters: {first}")
        self._check_touched(groups, s)
        self._check(
            n,
            blocks=(np.float64, (int((widths * (widths + self._touched + 1)).sum()),)),
            order=(np.int32, (n - s,)),
            ranks=(np.int32, (groups,)),
            t=(np.float64, (s, s + 1)),
            torder=(np.int32, (s,)),
        )
        inside = np.repeat(widths, widths)
        places = np.arange(n - s) - np.repeat(first[:-1], widths)
        sorted_order = np.sort(self.order + np.repeat(first[:-1], widths))
        if (
            (self.order < 0).any()
            or (self.order >= inside).any()
            or not np.array_equal(sorted_order, places + np.repeat(first[:-1], widths))
            or not np.array_equal(np.sort(self.torder), np.arange(s))
        ):
            raise ValueError("order and torder must be permutations")
        if (self.ranks < 0).any() or (self.ranks > widths).any() or not 0 <= self.trank <= s:
            raise ValueError("ranks must be those of triangles")

    def _check_touched(self, groups: int, s: int) -> None:
        """Raise ValueError if span and columns are not those of groups."""
        span, columns = self.span, self.columns
        if span is None and columns is None:
            return
        good = (
            span is not None
            and columns is not None
            and span.dtype == np.intp
            and columns.dtype == np.int32
            and span.shape == (groups + 1,)
            and columns.ndim == 1
            and span[0] == 0
            and span[-1] == columns.size
            and bool((np.diff(span) >= 0).all())
            and bool(((columns >= 0) & (columns < s)).all())
        )
        if not good:
            raise ValueError(f"span and columns must be shared parameters of {groups} groups")

    @property
    def _touched(self) -> NDArray[np.intp]:
        """The number of shared parameters that each group touches, (groups,)."""
        if self.span is None:
            return np.full(self.first.size - 1, self.shared)
        return np.diff(self.span)

    @cached_property
    def _places(self) -> NDArray[np.intp]:
        """The beginnings of the rows of each group in ``_inverse.lift``, (groups + 1,)."""
        ends = np.cumsum(np.diff(self.first) * self._touched)
        return np.concatenate([[0], ends]).astype(np.intp)

    def _rows(self, which: NDArray[np.intp]) -> Array:
        """Return rows of L, (len(which), s)."""
        found, s = self._inverse, self.shared
        out = np.zeros((which.size, s))
        common = which < s
        out[common, which[common]] = 1.0
        group = np.searchsorted(self.first, which - s, side="right") - 1
        for i in np.flatnonzero(~common).tolist():
            k, width = int(group[i]), int(self._touched[group[i]])
            begin = self._places[k] + (which[i] - s - self.first[k]) * width
            where = slice(None) if self.columns is None else self._columns(k)
            out[i, where] = found.lift[begin : begin + width]
        return out

    def _columns(self, k: int) -> NDArray[np.int32]:
        """Return the shared parameters that group k touches."""
        assert self.span is not None
        assert self.columns is not None
        return self.columns[self.span[k] : self.span[k + 1]]

    @property
    def shared(self) -> int:
        """The number of shared parameters."""
        return len(self.t)

    @cached_property
    def _inverse(self) -> _Inverse:
        excluded = np.zeros(self.acnorm.size, dtype=np.uint8)
        if self.excluded is not None:
            excluded[self.excluded] = 1
        # As in Factor: the limit 0.1 is for Jacobians that are mostly error.
        limit = min(float(np.sqrt(self.error)), 0.1)
        lift, gram, shared, undetermined = arrow_statistics(
            self.first, self.span, self.columns, self.blocks, self.order, self.ranks, self.t,
            self.torder, self.trank, self.acnorm, excluded, limit,
        )  # fmt: skip
        return _Inverse(lift, gram, shared, undetermined.astype(bool))

    @cached_property
    def rank(self) -> int:
        """Rank of the free columns of J."""
        return int(self.trank + self.ranks.sum())

    @property
    def undetermined(self) -> NDArray[np.bool_]:
        """Parameters that J does not determine, (n,) bool."""
        return self._inverse.undetermined

    def over(self, slope: float) -> "ArrowFactor":
        """Return the factor of J / slope, with f slope in place of f."""
        columns = np.full(self.blocks.size, 1.0 / slope)
        widths = np.diff(self.first)
        ends = np.cumsum(widths * (widths + self._touched + 1))
        for end, p in zip(ends.tolist(), widths.tolist(), strict=True):
            columns[end - p : end] = slope
        t = self.t / slope
        t[:, -1] = self.t[:, -1] * slope
        return replace(self, blocks=self.blocks * columns, t=t, acnorm=self.acnorm / slope)

    def _variances(self) -> Array:
        """Return the diagonal of inv(S.T @ S), (n,)."""
        found = self._inverse
        return arrow_variances(
            self.first, self.span, self.columns, found.lift, found.gram, found.shared
        )

    def _scaled_block(self, which: NDArray[np.intp]) -> Array:
        """Return the rows and columns of inv(S.T @ S) of some parameters."""
        found, s = self._inverse, self.shared
        rows = self._rows(which)
        out = np.asarray(rows @ found.shared @ rows.T)
        group = np.searchsorted(self.first, which - s, side="right") - 1
        widths = np.diff(self.first)
        starts = np.cumsum(widths**2) - widths**2
        own = np.flatnonzero(which >= s)
        for k in np.unique(group[own]).tolist():
            inside = own[group[own] == k]
            p = int(widths[k])
            gram = found.gram[starts[k] : starts[k] + p * p].reshape(p, p)
            places = which[inside] - s - self.first[k]
            out[np.ix_(inside, inside)] += gram[np.ix_(places, places)]
        return out

    def group_units(self) -> Array:
        """Return the units of the scaled blocks of each group, (groups, s + p): 1 / acnorm."""
        s, groups, unit = self.shared, self.first.size - 1, self._known_unit
        common = np.broadcast_to(unit[:s], (groups, s))
        return np.concatenate([common, unit[s:].reshape(groups, -1)], axis=1)

    @property
    def _known_unit(self) -> Array:
        """``1 / acnorm``; 1 for parameters without effect, 0 for excluded ones."""
        unit = self._unit
        return np.where(np.isfinite(unit), unit, 1.0)

    def group_covariances(self, sigma: float, where: NDArray[np.intp]) -> Array:
        """Return sigma^2 ``inv(J.T @ J)`` of the shared parameters with those of each group.

        All groups must have as many own parameters, p, and touch all shared ones.

        Parameters
        ----------
        sigma : float
        where : (s + p,) intp array
            The place of each parameter of a block: shared ones from 0, own ones behind these.

        Returns
        -------
        (groups, s + p, s + p) float64 array
        """
        with np.errstate(all="ignore"):
            return self._blocks(sigma * self._known_unit, where)

    def group_blocks(self) -> Array:
        """Return the blocks of `group_covariances` over their units, shared parameters first."""
        return self._blocks(np.ones(self.acnorm.size), np.arange(self.shared + int(self.first[1])))

    def _blocks(self, unit: Array, where: NDArray[np.intp]) -> Array:
        found = self._inverse
        return arrow_blocks(
            self.first, found.lift, found.gram, found.shared, unit,
            found.undetermined.view(np.uint8), where,
        )  # fmt: skip

    def group_products(self, rows: Array) -> Array:
        """Return H^-1 P H^-1 of the shared parameters with those of each group, over their units.

        H is J^T J.  All groups must have as many own parameters, p, and touch all shared ones.  P
        is the sum of the products of rows with themselves.

        Parameters
        ----------
        rows : (groups, k, s + p) float64 array
            The derivatives of k rows by the shared parameters and those of their group.

        Returns
        -------
        (groups, s + p, s + p) float64 array
        """
        found, s = self._inverse, self.shared
        groups, p = self.first.size - 1, int(self.first[1])
        scaled = rows * self.group_units()[:, None]
        common = np.broadcast_to(np.eye(s), (groups, s, s))
        lift = np.concatenate([common, found.lift.reshape(groups, p, s)], axis=1)
        # H^-1 r is lift @ moved, and for parameters of the group of r besides it alone.
        moved = scaled @ lift @ found.shared
        alone = np.zeros_like(scaled)
        alone[:, :, s:] = scaled[:, :, s:] @ found.gram.reshape(groups, p, p)
        crossed = lift @ np.swapaxes(moved, 1, 2) @ alone
        out = lift @ np.einsum("gki,gkj->ij", moved, moved) @ np.swapaxes(lift, 1, 2)
        out += crossed + np.swapaxes(crossed, 1, 2) + np.swapaxes(alone, 1, 2) @ alone
        return np.asarray(out)

    def covariance_column(self, j: int) -> Array:
        """Return column j of ``inv(J.T @ J)``, (n,), for a parameter that is determined."""
        found, s = self._inverse, self.shared
        moved = found.shared @ self._rows(np.array([j]))[0]
        own = arrow_lifted(self.first, self.span, self.columns, found.lift, moved)
        out = np.concatenate([moved, own])
        if j >= s:
            k = int(np.searchsorted(self.first, j - s, side="right")) - 1
            group = np.arange(s + self.first[k], s + self.first[k + 1])
            place = int(np.flatnonzero(group == j)[0])
            out[group] = self._scaled_block(group)[:, place]
        with np.errstate(all="ignore"):
            out = out * self._unit * self._unit[j]
        return np.where(self.undetermined, np.nan, out)
