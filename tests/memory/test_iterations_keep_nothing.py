"""Abandoned iterations and reference cycles are collected."""

from __future__ import annotations

import gc
import itertools
import weakref
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from memory_cases import COUNTED, EVERY_STRATEGY, START, Function, MineError, counts, no_collector
from samples import decay, decay_jacobian

import lmoo
from lmoo import EvaluationError, FunctionProblem, Problem, Solver


@COUNTED
@pytest.mark.parametrize("steps", [0, 1, 3, 1000])
@EVERY_STRATEGY
def test_an_abandoned_iteration_keeps_nothing(make: Any, steps: int) -> None:
    residual, jacobian, a = Function(lambda p, a: decay(p)), Function(decay_jacobian), object()
    problem = FunctionProblem(
        residual, None if make is not lmoo.Analytic else lambda p, a: jacobian(p), (a,)
    )
    solver, x0 = Solver(jacobian=make()), START.copy()
    things = (residual, jacobian, a, problem, solver, x0)
    with no_collector():
        before = counts(*things)
        iteration = solver.iterate(problem, x0)
        for _ in itertools.islice(iteration, steps):
            pass
        del iteration
        assert counts(*things) == before


@COUNTED
def test_an_iteration_abandoned_by_an_exception_keeps_nothing() -> None:
    error = MineError("mine")
    number = itertools.count(1)

    def failing(p: np.ndarray) -> np.ndarray:
        if next(number) == 5:
            raise error
        return decay(p)

    residual = Function(failing)
    problem = FunctionProblem(residual)
    with no_collector():
        before = counts(residual, problem, error)
        iteration = Solver().iterate(problem, START)
        with suppress(MineError):
            for _ in iteration:
                pass
        error.__traceback__ = None
        del iteration
        assert counts(residual, problem, error) == before


@COUNTED
def test_a_snapshot_keeps_no_reference_to_the_iteration() -> None:
    class Cheap(Problem):
        def residual(self, x: np.ndarray) -> np.ndarray:
            return decay(x)

    problem = Cheap()
    iteration = Solver().iterate(problem, START)
    next(iteration)
    reference = weakref.ref(iteration)
    with no_collector():
        snapshot = iteration._loop.snapshot()
        del iteration
        assert reference() is None
        assert snapshot["vectors"] is not None


def test_a_problem_that_stores_its_own_iteration_is_collected() -> None:
    class Circular(Problem):
        def residual(self, x: np.ndarray) -> np.ndarray:
            return decay(x)

    def make(steps: int) -> tuple[weakref.ref[Any], weakref.ref[Any]]:
        problem = Circular()
        problem.iteration = Solver().iterate(problem, START)  # type: ignore[attr-defined]
        for _ in itertools.islice(problem.iteration, steps):  # type: ignore[attr-defined]
            pass
        return weakref.ref(problem), weakref.ref(problem.iteration)  # type: ignore[attr-defined]

    for steps in (0, 1, 3, 1000):
        references = make(steps)
        gc.collect()
        assert [reference() for reference in references] == [None, None]


@EVERY_STRATEGY
def test_a_function_that_holds_its_own_iteration_is_collected(make: Any) -> None:
    def cycle() -> list[weakref.ref[Any]]:
        residual = Function(decay)
        jacobian = Function(decay_jacobian)
        problem = FunctionProblem(residual, jacobian)
        iteration = Solver(jacobian=make()).iterate(problem, START)
        next(iteration)
        residual.iteration = jacobian.iteration = iteration  # type: ignore[attr-defined]
        return [weakref.ref(thing) for thing in (residual, jacobian, problem, iteration)]

    references = cycle()
    gc.collect()
    assert [reference() for reference in references] == [None] * 4


def test_arguments_that_hold_their_own_iteration_are_collected() -> None:
    def cycle() -> list[weakref.ref[Any]]:
        class Box:
            pass

        box, other = Box(), Box()
        problem = FunctionProblem(lambda p, box, *, other: decay(p), None, (box,), {"other": other})
        box.iteration = other.iteration = iteration = Solver().iterate(problem, START)  # type: ignore[attr-defined]
        next(iteration)
        return [weakref.ref(thing) for thing in (box, other, problem, iteration)]

    references = cycle()
    gc.collect()
    assert [reference() for reference in references] == [None] * 4


def test_a_refused_start_that_forms_a_cycle_is_collected() -> None:
    def cycle() -> weakref.ref[Any]:
        class Box:
            pass

        box = Box()

        def residual(x: np.ndarray, box: Any) -> np.ndarray:
            raise EvaluationError("mine")

        problem = FunctionProblem(residual, args=(box,))
        iteration = Solver().iterate(problem, START)
        with suppress(EvaluationError):
            next(iteration)
        box.iteration = iteration  # type: ignore[attr-defined]
        return weakref.ref(box)

    reference = cycle()
    gc.collect()
    assert reference() is None


@COUNTED
def test_out_of_a_strategy_is_freed_with_its_last_holder() -> None:
    kept: list[np.ndarray] = []

    class Keeping(lmoo.Jacobian):
        def evaluate(self, problem: Any, x: Any, f: Any, out: np.ndarray) -> None:
            out[:] = decay_jacobian(x)
            kept.append(out)

    with no_collector():
        assert Solver(jacobian=Keeping()).solve(FunctionProblem(decay), START).success
        memory = weakref.ref(kept[0].base if kept[0].base is not None else kept[0])
        assert memory() is not None
        kept.clear()
        assert memory() is None
