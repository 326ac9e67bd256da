"""The entry points of a solve, and the ways of theirs to get a Jacobian.

What user code may do is the same for all of them: the tests of it are written once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from case_tables import each
from samples import START, decay, decay_jacobian, decay_jacobian_t

import lmoo
from lmoo import FunctionProblem, Solver

Function = Callable[[np.ndarray], Any]


class Answer(NamedTuple):
    """What every entry point returns of a solve."""

    x: np.ndarray
    residual: np.ndarray
    success: bool
    nfev: int
    njev: int
    more: tuple[np.ndarray, ...]  # arrays that only some return


def by_solver(function: Function, jacobian: Any, x0: Any, strategy: Any, **options: Any) -> Answer:
    problem = FunctionProblem(function, jacobian)
    return _of_result(Solver(jacobian=strategy).solve(problem, x0, **options))


def by_watched_solver(function: Function, jacobian: Any, x0: Any, strategy: Any) -> Answer:
    return by_solver(function, jacobian, x0, strategy, callback=lambda step: None)


def by_iterate(function: Function, jacobian: Any, x0: Any, strategy: Any) -> Answer:
    steps = Solver(jacobian=strategy).iterate(FunctionProblem(function, jacobian), x0)
    for _ in steps:
        pass
    return _of_result(steps.result)


def by_leastsq(function: Function, jacobian: Any, x0: Any, strategy: Any) -> Answer:
    columns = isinstance(strategy, lmoo.ColumnMajor)
    x, covariance, info, _, ier = lmoo.leastsq(
        function, x0, Dfun=jacobian, col_deriv=columns, full_output=True
    )
    more = tuple(info[name] for name in ("fjac", "qtf", "ipvt"))
    if covariance is not None:
        more = (*more, covariance)
    return Answer(x, info["fvec"], ier in (1, 2, 3, 4), info["nfev"], info.get("njev", 0), more)


def by_short_leastsq(function: Function, jacobian: Any, x0: Any, strategy: Any) -> Answer:
    """Solve in leastsq's short form, which does not tell the counts."""
    columns = isinstance(strategy, lmoo.ColumnMajor)
    x, ier = lmoo.leastsq(function, x0, Dfun=jacobian, col_deriv=columns)
    return Answer(x, np.empty(0), ier in (1, 2, 3, 4), 0, 0, ())


def _of_result(result: lmoo.Result) -> Answer:
    more = (result.covariance(), result.gradient)
    return Answer(result.x, result.residual, result.success, result.nfev, result.njev, more)


@dataclass(frozen=True)
class Way:
    """An entry point and how it gets the Jacobian of `decay`."""

    entry: Callable[..., Answer]
    jacobian: Function | None = None
    strategy: lmoo.Jacobian | None = field(default=None)

    def solve(
        self,
        function: Function = decay,
        x0: Any = START,
        wrap: Callable[[Function], Function] | None = None,
    ) -> Answer:
        """Solve; `wrap` is put round the function and the Jacobian."""
        jacobian = self.jacobian
        if wrap is not None:
            function = wrap(function)
            jacobian = jacobian and wrap(jacobian)
        return self.entry(function, jacobian, x0, self.strategy)


STRATEGIES: dict[str, tuple[Function | None, lmoo.Jacobian | None]] = {
    "default": (None, None),
    "forward": (None, lmoo.ForwardDifference(refine=False)),
    "central": (None, lmoo.CentralDifference()),
    "complex": (None, lmoo.ComplexStep()),
    "analytic": (decay_jacobian, lmoo.Analytic()),
    "columns": (decay_jacobian_t, lmoo.ColumnMajor()),
}
# leastsq chooses the differences itself.
LEASTSQ = ("default", "analytic", "columns")
WAYS = {
    **{f"Solver-{name}": Way(by_solver, *how) for name, how in STRATEGIES.items()},
    **{f"leastsq-{name}": Way(by_leastsq, *STRATEGIES[name]) for name in LEASTSQ},
    "iterate-default": Way(by_iterate),
    "iterate-analytic": Way(by_iterate, *STRATEGIES["analytic"]),
}
EVERY_WAY = each("way", WAYS.values(), ids=WAYS)
EVERY_ENTRY_POINT = each(
    "entry",
    [by_solver, by_watched_solver, by_iterate, by_leastsq, by_short_leastsq],
    ids=["Solver", "Solver with callback", "iterate", "leastsq", "short leastsq"],
)


def assert_same(answer: Answer, expected: Answer) -> None:
    """Compare two solves to the last bit."""
    assert answer.x.tobytes() == expected.x.tobytes()
    assert answer.residual.tobytes() == expected.residual.tobytes()
    assert answer[2:5] == expected[2:5]
    for array, right in zip(answer.more, expected.more, strict=True):
        np.testing.assert_array_equal(array, right)
