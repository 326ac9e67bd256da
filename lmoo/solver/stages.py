"""Results of a solve with linear parameters eliminated, from the loops of its two stages."""

from typing import Any

import numpy as np

from lmoo._core.arrays import Array
from lmoo._core.solve import Loop
from lmoo.problems.separation import Parts


def _of_full(name: str) -> Any:
    """Return a property: that of the loop of the full problem."""

    def value(self: "Stages") -> Any:
        return getattr(self._idle() if self._last is None else self._last, name)

    return property(value, doc=f"`Loop.{name}` of the full problem.")


def _of_current(name: str) -> Any:
    """Return a property: that of the loop that is running."""

    def value(self: "Stages") -> Any:
        return getattr(self._current, name)

    return property(value, doc=f"`Loop.{name}` of the stage that is running.")


class Stages:
    """Properties and results of `Loop` for all parameters: base of `SeparableLoop`.

    `_first` is the loop of the reduced problem; `_last` that of the full one, None before it.
    """

    # The full problem is linearised by a dense model.
    sparse = False
    _first: Loop
    _last: Loop | None
    _status: int | None
    _shown: Any
    _reduced: Any
    _x0: Array
    _point: Array
    _other: list[int]
    _parts: Parts
    _blocks: bool
    _in_rows: bool
    _steps: int
    _evaluated: tuple[int, int]

    def _full(self, x: Array) -> Loop:
        raise NotImplementedError

    def _counts(self) -> tuple[int, int]:
        nfev, njev = self._reduced.counts
        return nfev + self._evaluated[0], njev + self._evaluated[1]

    @property
    def nfev(self) -> int:
        """Residuals of the full problem that were evaluated."""
        return self._counts()[0] + (0 if self._last is None else self._last.nfev)

    @property
    def njev(self) -> int:
        """Jacobians of the full problem that were evaluated."""
        return self._counts()[1] + (0 if self._last is None else self._last.njev)

    @property
    def nit(self) -> int:
        """Trial points of both stages."""
        return self._first.nit + self._steps + (0 if self._last is None else self._last.nit)

    @property
    def done(self) -> bool:
        """Whether the solve has ended."""
        return self._status is not None or (self._last is not None and self._last.done)

    @property
    def status(self) -> int:
        """Why it ended."""
        if self._status is not None:
            return self._status
        return self._first.status if self._last is None else self._last.status

    @property
    def x(self) -> Array:
        """The current point."""
        return self._point_of(self._first if self._last is None else self._last)

    def _keep_point(self) -> None:
        """Keep all parameters where the reduced problem is, for results that evaluate nothing."""
        z = self._first.x
        if self._first.observations and not np.array_equal(z, self._point[self._other]):
            found = self._reduced.full(z)
            if found is not None:
                self._point = found

    def _point_of(self, loop: Any) -> Array:
        """Return all parameters where a loop is."""
        if loop is not self._first:
            return np.asarray(loop.x)
        z = loop.x
        if np.array_equal(z, self._point[self._other]):
            return self._point.copy()
        found = self._reduced.full(z, False)
        if found is None:
            # Without an evaluation, the linear ones are those of the last point.
            found = self._point.copy()
            found[self._other] = z
        return np.asarray(found)

    def record(self) -> tuple[Any, ...]:
        """Return the last iteration: the fields of an iteration record, in its order."""
        loop = self._shown
        nit, _, cost, delta, lambda_, gradient, *rest = loop.record()
        if loop is self._first:
            full = np.zeros(self._x0.size)
            full[self._other] = gradient
            gradient = full
        else:
            nit += self._first.nit + self._steps
        return (nit, self._point_of(loop), cost, delta, lambda_, gradient, *rest[:-2], self.nfev,
                self.njev)  # fmt: skip

    @property
    def eliminated(self) -> tuple[int, ...]:
        """Positions of the parameters that are eliminated."""
        return self._parts.linear

    @property
    def linearized(self) -> bool:
        """Whether there is a model of all parameters."""
        return self._last is not None and self._last.linearized

    @property
    def _current(self) -> Any:
        return self._first if self._last is None else self._last

    def _idle(self) -> Loop:
        """Return a loop of the full problem that has evaluated nothing."""
        return self._full(self._x0)

    bounds, fixed_or_active = _of_full("bounds"), _of_full("fixed_or_active")
    gradient, acnorm = _of_full("gradient"), _of_full("acnorm")
    r, ipvt, qtf = _of_full("r"), _of_full("ipvt"), _of_full("qtf")
    jacobian_error, sums = _of_full("jacobian_error"), _of_full("sums")
    fnorm, gnorm = _of_current("fnorm"), _of_current("gnorm")
    relative_offset, noise = _of_current("relative_offset"), _of_current("noise")
    measured = _of_current("measured")
    scale, has_jacobian = _of_current("scale"), _of_current("has_jacobian")

    @property
    def observations(self) -> int:
        """Entries of the residual; 0 where there is none."""
        if self._in_rows and self._last is None:
            return 0
        return int(self._current.observations)

    @property
    def residual(self) -> Array:
        """The residual at x; empty if there is none."""
        if self._blocks or (self._in_rows and self._last is None):
            return np.empty(0)
        return np.asarray(self._current.residual)

    def take_refusal(self) -> BaseException | None:
        """Return the exception that refused the starting point, or None."""
        return self._current.take_refusal()  # type: ignore[no-any-return]

    def out_of_jacobian(self) -> Array:
        """Return the Jacobian as it was evaluated last."""
        return np.asarray(self._current.out_of_jacobian())
