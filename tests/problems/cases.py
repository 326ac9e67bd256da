"""The table of the problems, and the runs of the MINPACK test programs."""

# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from problems.arithmetic import Array, indices
from problems.equations import (
    freudenstein_roth,
    freudenstein_roth_jac,
    helical_valley,
    helical_valley_jac,
    powell_singular,
    powell_singular_jac,
    rosenbrock,
    rosenbrock_jac,
)
from problems.fitting import bard, bard_jac, kowalik_osborne, kowalik_osborne_jac, meyer, meyer_jac
from problems.linear import (
    linear_full_rank,
    linear_full_rank_jac,
    linear_rank_1,
    linear_rank_1_jac,
    linear_rank_1_zero,
    linear_rank_1_zero_jac,
)
from problems.osborne import osborne_1, osborne_1_jac, osborne_2, osborne_2_jac
from problems.variable_m import (
    box_3d,
    box_3d_jac,
    brown_dennis,
    brown_dennis_jac,
    jennrich_sampson,
    jennrich_sampson_jac,
    watson,
    watson_jac,
)
from problems.variable_n import (
    brown_almost_linear,
    brown_almost_linear_jac,
    chebyquad,
    chebyquad_jac,
)

__all__ = ["CASES", "MghCase", "MghProblem"]


def ones(n: int) -> Array:
    return np.ones(n)


def at(*x: float) -> Callable[[int], Array]:
    return lambda n: np.array(x)


@dataclass(frozen=True)
class _Entry:
    name: str
    residual: Callable[[Array, int], Array]
    jacobian: Callable[[Array, int], Array]
    start: Callable[[int], Array]


_ENTRIES: dict[int, _Entry] = {
    1: _Entry("linear-full-rank", linear_full_rank, linear_full_rank_jac, ones),
    2: _Entry("linear-rank-1", linear_rank_1, linear_rank_1_jac, ones),
    3: _Entry("linear-rank-1-zero", linear_rank_1_zero, linear_rank_1_zero_jac, ones),
    4: _Entry("rosenbrock", rosenbrock, rosenbrock_jac, at(-1.2, 1.0)),
    5: _Entry("helical-valley", helical_valley, helical_valley_jac, at(-1.0, 0.0, 0.0)),
    6: _Entry("powell-singular", powell_singular, powell_singular_jac, at(3.0, -1.0, 0.0, 1.0)),
    7: _Entry("freudenstein-roth", freudenstein_roth, freudenstein_roth_jac, at(0.5, -2.0)),
    8: _Entry("bard", bard, bard_jac, at(1.0, 1.0, 1.0)),
    9: _Entry("kowalik-osborne", kowalik_osborne, kowalik_osborne_jac, at(0.25, 0.39, 0.415, 0.39)),
    10: _Entry("meyer", meyer, meyer_jac, at(0.02, 4000.0, 250.0)),
    11: _Entry("watson", watson, watson_jac, np.zeros),
    12: _Entry("box-3d", box_3d, box_3d_jac, at(0.0, 10.0, 20.0)),
    13: _Entry("jennrich-sampson", jennrich_sampson, jennrich_sampson_jac, at(0.3, 0.4)),
    14: _Entry("brown-dennis", brown_dennis, brown_dennis_jac, at(25.0, 5.0, -5.0, -1.0)),
    15: _Entry("chebyquad", chebyquad, chebyquad_jac, lambda n: indices(n) * (1.0 / (n + 1.0))),
    16: _Entry(
        "brown-almost-linear",
        brown_almost_linear,
        brown_almost_linear_jac,
        lambda n: np.full(n, 0.5),
    ),
    17: _Entry("osborne-1", osborne_1, osborne_1_jac, at(0.5, 1.5, -1.0, 0.01, 0.02)),
    18: _Entry(
        "osborne-2",
        osborne_2,
        osborne_2_jac,
        at(1.3, 0.65, 0.65, 0.7, 0.6, 3.0, 5.0, 7.0, 2.0, 4.5, 5.5),
    ),
}


@dataclass(frozen=True)
class MghProblem:
    """One test function at one size: m residuals in n unknowns.

    Far from the solution values may be infinite or nan; no warning is raised.
    """

    number: int
    name: str
    n: int
    m: int

    def residual(self, x: Array) -> Array:
        """The residuals at x, shape (m,)."""
        with np.errstate(all="ignore"):
            return _ENTRIES[self.number].residual(np.asarray(x, dtype=np.float64), self.m)

    def jacobian(self, x: Array) -> Array:
        """The derivatives of the residuals at x, shape (m, n)."""
        with np.errstate(all="ignore"):
            return _ENTRIES[self.number].jacobian(np.asarray(x, dtype=np.float64), self.m)

    def start(self, factor: float = 1.0) -> Array:
        """Factor times the standard start; (factor, ..., factor) where that is zero."""
        if factor != 1.0 and self.number == 11:
            return np.full(self.n, factor)
        return factor * _ENTRIES[self.number].start(self.n)


@dataclass(frozen=True)
class MghCase:
    """A problem with a multiple of its standard start."""

    problem: MghProblem
    factor: float

    @property
    def id(self) -> str:
        """A readable name, e.g. "meyer-3x16-f10" (n x m, factor)."""
        return f"{self.problem.name}-{self.problem.n}x{self.problem.m}-f{self.factor:g}"

    def start(self) -> Array:
        """The starting point of this run."""
        return self.problem.start(self.factor)


# (number, n, m, starts): the input of MINPACK's test programs.
_RUNS = (
    (1, 5, 10, 1), (1, 5, 50, 1), (2, 5, 10, 1), (2, 5, 50, 1), (3, 5, 10, 1), (3, 5, 50, 1),
    (4, 2, 2, 3), (5, 3, 3, 3), (6, 4, 4, 3), (7, 2, 2, 3), (8, 3, 15, 3), (9, 4, 11, 3),
    (10, 3, 16, 2), (11, 6, 31, 3), (11, 9, 31, 3), (11, 12, 31, 3), (12, 3, 10, 1),
    (13, 2, 10, 1), (14, 4, 20, 3), (15, 1, 8, 3), (15, 8, 8, 1), (15, 9, 9, 1),
    (15, 10, 10, 1), (16, 10, 10, 3), (16, 30, 30, 1), (16, 40, 40, 1), (17, 5, 33, 1),
    (18, 11, 65, 1),
)  # fmt: skip


def _cases() -> Iterator[MghCase]:
    for number, n, m, starts in _RUNS:
        problem = MghProblem(number, _ENTRIES[number].name, n, m)
        for k in range(starts):
            yield MghCase(problem, 10.0**k)


CASES: tuple[MghCase, ...] = tuple(_cases())
