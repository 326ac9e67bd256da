"""Trial points without a value are refused alike, at every entry point."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from edges import EDGES, Edge, S
from entry_points import EVERY_ENTRY_POINT, Answer, assert_same, by_short_leastsq

import lmoo

EVERY_EDGE = pytest.mark.parametrize("edge", EDGES.values(), ids=EDGES)
ANALYTIC = pytest.mark.parametrize("analytic", [False, True], ids=["differences", "Jacobian"])
# How a function says that it has no value; None is for an EvaluationError.
REFUSALS = (math.nan, math.inf, -math.inf, None)


class Refusing:
    """Calls a function; where its value is not finite, refuses in one of the ways."""

    def __init__(self, function: Callable[..., Any], refusal: float | None) -> None:
        self.function, self.refusal = function, refusal
        self.points: list[list[float]] = []
        self.refused = 0

    def __call__(self, x: np.ndarray) -> np.ndarray:
        self.points.append(x.tolist())
        with np.errstate(all="ignore"):
            value = self.function(x)
        if np.isfinite(value).all():
            return value
        self.refused += 1
        if self.refusal is None:
            raise lmoo.EvaluationError("outside the domain")
        return np.full_like(value, self.refusal)


def solve(entry: Any, edge: Edge, analytic: bool, refusal: float | None) -> tuple[Refusing, Answer]:
    function = Refusing(edge.function, refusal)
    answer = entry(function, edge.jacobian if analytic else None, edge.x0, None)
    return function, answer


@ANALYTIC
@EVERY_EDGE
@EVERY_ENTRY_POINT
def test_all_refusals_are_the_same_and_shorten_the_step(
    entry: Any, edge: Edge, analytic: bool
) -> None:
    function, answer = solve(entry, edge, analytic, math.nan)
    assert function.refused, "the step must leave the domain"
    assert answer.success
    np.testing.assert_allclose(answer.x, edge.solution, rtol=1e-5)
    assert np.isfinite(answer.residual).all()
    for array in answer.more:
        # As many residuals as parameters have no variance.
        assert not np.isnan(array).any()
    # A refused trial is an evaluation like any other; leastsq's short form tells no counts.
    assert answer.nfev == (0 if entry is by_short_leastsq else len(function.points))
    for refusal in REFUSALS[1:]:
        other, again = solve(entry, edge, analytic, refusal)
        assert other.points == function.points
        assert_same(again, answer)


@pytest.mark.parametrize("refusal", [math.nan, math.inf, -math.inf])
@EVERY_ENTRY_POINT
def test_one_entry_without_a_value_is_enough(entry: Any, refusal: float) -> None:
    edge, refused = EDGES["log-model"], 0

    # The other residuals of a refused trial would be better than those of the start.
    def residual(p: np.ndarray) -> np.ndarray:
        nonlocal refused
        if p[1] > 0.0:
            return edge.function(p)
        refused += 1
        value = np.zeros_like(S)
        value[4] = refusal
        return value

    answer = entry(residual, edge.jacobian, edge.x0, None)
    assert refused
    assert answer.success
    np.testing.assert_allclose(answer.x, edge.solution, rtol=1e-6)
    assert np.isfinite(answer.residual).all()


@EVERY_ENTRY_POINT
def test_a_subclass_of_evaluation_error_is_a_refusal(entry: Any) -> None:
    class OutsideError(lmoo.EvaluationError):
        pass

    refused = 0

    def residual(p: np.ndarray) -> np.ndarray:
        nonlocal refused
        if p[0] <= 0.0:
            refused += 1
            raise OutsideError("outside the domain")
        return np.log(p) + 3.0

    answer = entry(residual, None, [5.0], None)
    assert refused
    assert answer.success
    np.testing.assert_allclose(answer.x, [math.exp(-3.0)], rtol=1e-6)


@pytest.mark.parametrize("raises", [False, True], ids=["nan", "EvaluationError"])
@EVERY_ENTRY_POINT
def test_a_jacobian_without_a_value_at_a_bad_trial_does_not_end_the_solve(
    entry: Any, raises: bool
) -> None:
    # Below 0 the residual is finite, and smaller than at the start; only the Jacobian is not.
    refused = 0

    def residual(p: np.ndarray) -> np.ndarray:
        return np.where(p > 0.0, np.abs(p) ** 0.25 - 0.3, 0.5)

    def jacobian(p: np.ndarray) -> np.ndarray:
        nonlocal refused
        if p[0] > 0.0:
            return np.diag(0.25 * p**-0.75)
        refused += 1
        if raises:
            raise lmoo.EvaluationError("outside the domain")
        return np.array([[math.nan]])

    answer = entry(residual, jacobian, [5.0], None)
    assert refused
    assert answer.success
    np.testing.assert_allclose(answer.x, [0.3**4], rtol=1e-6)
