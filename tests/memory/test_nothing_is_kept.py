"""A solve keeps no reference to what it was given."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from memory_cases import COUNTED, EVERY_STRATEGY, START, Function, MineError, counts, no_collector
from samples import decay, decay_jacobian

import lmoo
from lmoo import EvaluationError, FunctionProblem, Solver


@COUNTED
@EVERY_STRATEGY
def test_a_solve_keeps_nothing_of_what_it_was_given(make: Any) -> None:
    residual, jacobian = (
        Function(lambda p, a, b: decay(p)),
        Function(lambda p, a, b: decay_jacobian(p)),
    )
    a, b, x0, callback = object(), object(), START.copy(), Function(lambda step: None)
    strategy = make()
    problem = FunctionProblem(residual, jacobian, (a,), {"b": b})
    solver = Solver(jacobian=strategy)
    things = (residual, jacobian, a, b, x0, callback, strategy or object(), problem, solver)
    with no_collector():
        before = counts(*things)
        for _ in range(3):
            result = solver.solve(problem, x0, callback=callback)
        assert result.success
        # A result knows its problem and its solver; the rest it has only through those.
        assert result.problem is problem
        assert result.solver is solver
        del result
        assert counts(*things) == before


@COUNTED
def test_a_solve_keeps_nothing_of_what_user_code_returned_or_got() -> None:
    got: list[weakref.ref[Any]] = []
    returned = np.empty(9)
    rows = np.empty((9, 2))

    def residual(x: np.ndarray) -> np.ndarray:
        got.append(weakref.ref(x))
        returned[:] = decay(x)
        return returned

    def jacobian(x: np.ndarray) -> np.ndarray:
        got.append(weakref.ref(x))
        rows[:] = decay_jacobian(x)
        return rows

    with no_collector():
        before = counts(returned, rows)
        result = Solver().solve(FunctionProblem(residual, jacobian), START)
        assert counts(returned, rows) == before
        assert result.success
        assert all(reference() is None for reference in got)


@COUNTED
def test_what_is_returned_is_let_go_of_before_the_next_call() -> None:
    alive: list[weakref.ref[Any]] = []

    def residual(x: np.ndarray) -> np.ndarray:
        # Of the first evaluation one copy may be about; of none of the others.
        assert sum(reference() is not None for reference in alive[1:]) == 0
        value = decay(x)
        alive.append(weakref.ref(value))
        return value

    with no_collector():
        assert Solver().solve(FunctionProblem(residual), START).success
        assert all(reference() is None for reference in alive)


@COUNTED
@pytest.mark.parametrize("at", [1, 2, 3, 6])
@pytest.mark.parametrize("watched", [False, True])
def test_an_exception_leaves_nothing_behind(at: int, watched: bool) -> None:
    error = MineError("mine")
    number = itertools.count(1)

    def failing(p: np.ndarray, a: Any) -> np.ndarray:
        if next(number) == at:
            raise error
        return decay(p)

    residual, a, x0 = Function(failing), object(), START.copy()
    callback = Function(lambda step: None) if watched else None
    problem, solver = FunctionProblem(residual, args=(a,)), Solver()
    things = (residual, a, x0, problem, solver, error)
    with no_collector():
        before = counts(*things)
        with suppress(MineError):
            solver.solve(problem, x0, callback=callback)
        # The traceback that the exception has now belongs to whoever holds the exception.
        error.__traceback__ = None
        assert counts(*things) == before


@COUNTED
@pytest.mark.parametrize("at", [1, 2, 4])
def test_an_exception_of_the_jacobian_leaves_nothing_behind(at: int) -> None:
    error = MineError("mine")
    number = itertools.count(1)

    def failing(p: np.ndarray) -> np.ndarray:
        if next(number) == at:
            raise error
        return decay_jacobian(p)

    jacobian = Function(failing)
    problem = FunctionProblem(decay, jacobian)
    with no_collector():
        before = counts(jacobian, problem, error)
        with suppress(MineError):
            Solver().solve(problem, START)
        error.__traceback__ = None
        assert counts(jacobian, problem, error) == before


@COUNTED
@pytest.mark.parametrize("of", ["residual", "jacobian"])
def test_a_refused_start_leaves_nothing_behind(of: str) -> None:
    error = EvaluationError("mine")

    def refusing(p: np.ndarray) -> np.ndarray:
        raise error

    function = Function(refusing)
    problem = FunctionProblem(function) if of == "residual" else FunctionProblem(decay, function)
    with no_collector():
        before = counts(function, problem, error)
        with suppress(EvaluationError):
            Solver().solve(problem, START)
        error.__traceback__ = None
        assert counts(function, problem, error) == before


@COUNTED
@pytest.mark.parametrize("of", ["residual", "jacobian"])
def test_a_refused_start_that_nobody_looks_at_keeps_nothing_alive(of: str) -> None:
    # A problem may hold gigabytes, which are not to wait for the collector.
    def refusing(p: np.ndarray) -> np.ndarray:
        raise EvaluationError("mine")

    function = Function(refusing)
    problem = FunctionProblem(function) if of == "residual" else FunctionProblem(decay, function)
    with no_collector():
        before = counts(function, problem)
        with suppress(EvaluationError):
            Solver().solve(problem, START)
        assert counts(function, problem) == before


@COUNTED
@pytest.mark.parametrize("kind", ["residual", "jacobian", "strategy"])
def test_refused_points_leave_nothing_behind(kind: str) -> None:
    error = EvaluationError("mine")
    number = itertools.count(1)

    def refusing(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            if next(number) in (2, 3):
                raise error
            return function(*args)

        return call

    class Strategy(lmoo.Jacobian):
        def evaluate(self, problem: Any, x: Any, f: Any, out: Any) -> None:
            out[:] = refusing(decay_jacobian)(x)

    residual = refusing(decay) if kind == "residual" else decay
    jacobian = refusing(decay_jacobian) if kind == "jacobian" else decay_jacobian
    strategy = Strategy() if kind == "strategy" else None
    problem = FunctionProblem(residual, jacobian)
    with no_collector():
        before = counts(problem, error)
        result = Solver(jacobian=strategy).solve(problem, START)
        assert result.success
        assert next(number) > 4
        del result  # which knows its problem
        error.__traceback__ = None
        assert counts(problem, error) == before
