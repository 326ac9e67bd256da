"""Exceptions of user code: they arrive unchanged, with the best point found."""

from __future__ import annotations

import itertools
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from samples import START, T, Y, decay
from solver_problems import MineError, assert_same_bits, solve_decay

import lmoo
from lmoo import FunctionProblem, Solver, Status


def test_a_solver_and_a_problem_serve_again_after_an_exception() -> None:
    calls = itertools.count(1)

    def residual(x: np.ndarray) -> np.ndarray:
        if next(calls) == 5:
            raise MineError
        return decay(x)

    problem, solver = FunctionProblem(residual), Solver()
    with pytest.raises(MineError):
        solver.solve(problem, START)
    assert_same_bits(solver.solve(problem, START), solve_decay())


class EndedError(Exception):
    """What user code raises."""


def raising(at: int, kind: type[BaseException]) -> tuple[Callable[..., Any], list[np.ndarray]]:
    """A residual that raises at one of its calls; the points it was called at."""
    points: list[np.ndarray] = []

    def residual(x: np.ndarray) -> np.ndarray:
        points.append(x.copy())
        if len(points) == at:
            raise kind
        return decay(x)

    return residual, points


@pytest.mark.parametrize("kind", [EndedError, KeyboardInterrupt, StopIteration, SystemExit])
@pytest.mark.parametrize("at", [1, 2, 4, 7, 9])
def test_an_exception_has_the_best_point_so_far(at: int, kind: type[BaseException]) -> None:
    residual, points = raising(at, kind)
    with pytest.raises(kind) as caught:
        Solver().solve(FunctionProblem(residual, parameter_names="ab"), START)
    found = caught.value.lmoo_result  # type: ignore[attr-defined]
    assert type(found) is lmoo.Result
    assert found.status is Status.UNFINISHED
    assert found.parameter_names == ("a", "b")
    assert found.problem is None
    assert found.seconds > 0.0
    if at == 1:
        assert found.observations == 0
        np.testing.assert_array_equal(found.x, START)
    else:
        np.testing.assert_array_equal(found.residual, decay(found.x))
        costs = [0.5 * float(np.sum(decay(x) ** 2)) for x in points[: at - 1]]
        assert found.cost <= costs[0]
        assert any(np.array_equal(found.x, x) for x in points[: at - 1])
    str(found)
    pickle.loads(pickle.dumps(found))


def test_an_exception_of_the_callback_and_of_curve_fit_and_blocks_has_it_too() -> None:
    def end(record: Any) -> None:
        if record.iteration == 3:
            raise EndedError

    with pytest.raises(EndedError) as caught:
        Solver().solve(FunctionProblem(decay), START, callback=end, history=True)
    found = caught.value.lmoo_result  # type: ignore[attr-defined]
    assert found.nit == len(found.history) == 3
    np.testing.assert_array_equal(found.history.x[-1], found.x)

    residual, _ = raising(6, EndedError)
    with pytest.raises(EndedError) as caught:
        lmoo.curve_fit(lambda t, a, b: residual(np.array([a, b])) + Y, T, Y, START)
    assert caught.value.lmoo_result.cost < 10.0  # type: ignore[attr-defined]

    class Block(lmoo.RowBlockProblem):
        def residual(self, x: np.ndarray, block: Any) -> Any:
            return residual(x)

    residual, points = raising(6, EndedError)
    with pytest.raises(EndedError) as caught:
        Solver().solve(Block([0]), START)
    assert any(np.array_equal(caught.value.lmoo_result.x, x) for x in points)  # type: ignore[attr-defined]


def test_a_fit_that_found_no_minimum_has_its_best_point() -> None:
    with pytest.raises(RuntimeError, match="maxfev") as caught:
        lmoo.curve_fit(lambda t, a, b: decay(np.array([a, b])) + Y, T, Y, START, maxfev=4)
    found = caught.value.lmoo_result  # type: ignore[attr-defined]
    assert found.status is Status.MAXFEV
    assert found.nfev >= 4


def test_an_exception_without_a_place_for_it_comes_out_as_it_is() -> None:
    class NarrowError(Exception):
        def __setattr__(self, name: str, value: Any) -> None:
            raise TypeError(name)

    residual, _ = raising(3, NarrowError)
    with pytest.raises(NarrowError):
        Solver().solve(FunctionProblem(residual), START)


def test_the_result_says_what_ended_the_solve() -> None:
    def model(t: Any, a: Any, b: Any) -> Any:
        if b < 0.8:
            raise RuntimeError("no table\nfor b (below 0.8)")
        return a * np.exp(-b * t)

    t = np.linspace(0.0, 4.0, 20)
    y = 3.0 * np.exp(-0.5 * t)
    calls: list[Callable[[], Any]] = [
        lambda: lmoo.curve_fit(model, t, y, [1, 1]),
        lambda: lmoo.fit(model, t, y, [1, 1]),
        lambda: Solver().solve(lmoo.CurveProblem(model, t, y), [1, 1]),
        lambda: lmoo.least_squares(lambda x: model(t, *x) - y, [1, 1]),
    ]
    for call in calls:
        with pytest.raises(RuntimeError) as caught:
            call()
        found = caught.value.lmoo_result  # type: ignore[attr-defined]
        reason = "not finished: the solve was ended by RuntimeError: no table for b (below 0.8)"
        assert found.message.startswith(f"{reason} (ftol = ")
        assert found.report().splitlines()[1].strip() == reason


def test_values_that_are_not_finite_have_no_cost() -> None:
    t = np.linspace(0.0, 4.0, 20)
    with pytest.raises(ValueError, match="not finite") as caught:
        lmoo.curve_fit(lambda t, a, b: a * t + b * np.nan, t, t, [1, 1])
    found = caught.value.lmoo_result  # type: ignore[attr-defined]
    assert found.status is Status.NOT_FINITE
    assert np.isnan(found.cost)
    assert np.isnan(found.fnorm)
