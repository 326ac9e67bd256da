"""Memory: nothing is lost and nothing is kept, whichever way a solve ends."""

from __future__ import annotations

import gc
import itertools
import os
import pickle
import sys
import tracemalloc
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from samples import decay, decay_jacobian

import lmoo
from lmoo import EvaluationError, FunctionProblem, Problem, Solver

STATM = Path("/proc/self/statm")
LINUX = pytest.mark.skipif(not STATM.exists(), reason="resident memory is read from /proc")
COUNTED = pytest.mark.skipif(
    not hasattr(sys, "getrefcount") or getattr(sys, "_is_gil_enabled", lambda: True)() is False,
    reason="counts of references mean nothing here",
)

START = np.array([1.0, 1.0])


class MineError(Exception):
    pass


# ============================================================================ nothing is lost


def resident() -> int:
    """Bytes of memory of this process that are there."""
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def growth(action: Callable[[], Any], times: int) -> int:
    """By how much memory grows over so many calls, once it has settled."""
    for _ in range(times // 10):
        action()
    gc.collect()
    before = resident()
    for _ in range(times):
        action()
    gc.collect()
    return resident() - before


# With residuals of 200 numbers any array, state or Jacobian that is lost is a kilobyte at least:
# twenty megabytes and more over these many solves.
M, TIMES, ALLOWED = 200, 20_000, 4_000_000
DATA = np.linspace(1.0, 2.0, M)
IDENTITY = np.ones((M, 1))


def quick(x: np.ndarray) -> np.ndarray:
    return x - DATA


def quick_jacobian(x: np.ndarray) -> np.ndarray:
    return IDENTITY


@LINUX
def test_twenty_thousand_solves() -> None:
    solver, problem = Solver(), FunctionProblem(quick, quick_jacobian)
    assert growth(lambda: solver.solve(problem, [1.4]), TIMES) < ALLOWED


@LINUX
def test_twenty_thousand_solves_whose_residual_raises() -> None:
    calls = itertools.count()

    def residual(x: np.ndarray) -> np.ndarray:
        # At the second evaluation: the memory for m residuals is there.
        if next(calls) % 2:
            raise MineError
        return quick(x)

    problem, solver = FunctionProblem(residual, quick_jacobian), Solver()

    def action() -> None:
        with suppress(MineError):
            solver.solve(problem, [1.4])

    assert growth(action, TIMES) < ALLOWED


def bad_jacobian(x: np.ndarray) -> np.ndarray:
    raise MineError


def refuse(x: np.ndarray) -> np.ndarray:
    raise EvaluationError


ENDS: dict[str, Callable[[], Any]] = {
    "differences": lambda: Solver().solve(FunctionProblem(quick), [1.4]),
    "central": lambda: Solver(jacobian=lmoo.CentralDifference()).solve(
        FunctionProblem(quick), [1.4]
    ),
    "complex": lambda: Solver(jacobian=lmoo.ComplexStep()).solve(FunctionProblem(quick), [1.4]),
    "list": lambda: Solver().solve(FunctionProblem(lambda x: quick(x).tolist()), [1.4]),
    "float32": lambda: Solver().solve(
        FunctionProblem(lambda x: quick(x).astype(np.float32), quick_jacobian), [1.4]
    ),
    "jacobian raises": lambda: Solver().solve(FunctionProblem(quick, bad_jacobian), [1.4]),
    "jacobian of the wrong shape": lambda: Solver().solve(
        FunctionProblem(quick, lambda x: IDENTITY.T), [1.4]
    ),
    "start refused": lambda: Solver().solve(FunctionProblem(refuse), [1.4]),
    "start not finite": lambda: Solver().solve(
        FunctionProblem(lambda x: np.full(M, np.nan)), [1.4]
    ),
    "too few residuals": lambda: Solver().solve(FunctionProblem(quick), np.ones(M + 1)),
    "no vector": lambda: Solver().solve(FunctionProblem(lambda x: [[1.0], [1.0, 2.0]]), [1.4]),
    "length changes": lambda: Solver().solve(
        FunctionProblem(lambda x: quick(x)[: 200 if x[0] == 1.4 else 100]), [1.4]
    ),
    "callback raises": lambda: Solver().solve(
        FunctionProblem(quick, quick_jacobian), [1.4], callback=bad_jacobian
    ),
    "abandoned": lambda: next(Solver().iterate(FunctionProblem(quick, quick_jacobian), [1.4])),
    "never begun": lambda: Solver().iterate(FunctionProblem(quick), np.ones(100)),
    "everything asked for": lambda: str(
        Solver().solve(FunctionProblem(quick, quick_jacobian), [1.4])
    ),
    "checked": lambda: lmoo.check_jacobian(FunctionProblem(quick, quick_jacobian), [1.4]),
}


@LINUX
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_no_end_loses_memory(end: Callable[[], Any]) -> None:
    def action() -> None:
        with suppress(MineError, TypeError, ValueError, EvaluationError):
            end()

    # A lost array of 200 numbers would be 1.6 MB over a thousand.
    assert growth(action, 1000) < 1_000_000


class Stored(Problem):
    def residual(self, x: np.ndarray) -> np.ndarray:
        return quick(x)


@LINUX
def test_storing_and_restoring_loses_no_memory() -> None:
    steps = Solver().iterate(Stored(), [1.4])
    next(steps)
    function, arguments = steps.__reduce__()  # type: ignore[misc]

    def action() -> None:
        list(pickle.loads(pickle.dumps(function(*arguments))))  # type: ignore[operator]

    assert growth(action, 1000) < 1_000_000


@LINUX
def test_a_residual_that_advances_its_own_iteration_loses_no_memory() -> None:
    def action() -> None:
        steps: list[lmoo.Iteration] = []
        inside: list[int] = []

        def residual(x: np.ndarray) -> np.ndarray:
            if not inside:
                inside.append(1)
                with suppress(RuntimeError, ValueError):
                    next(steps[0])
            return quick(x)

        steps.append(Solver().iterate(FunctionProblem(residual, quick_jacobian), [1.4]))
        next(steps[0])

    assert growth(action, 1000) < 1_000_000


def test_numpys_own_books_balance() -> None:
    # NumPy tells tracemalloc of every array: none is left of a thousand solves.
    solver, problem = Solver(), FunctionProblem(quick, quick_jacobian)
    for _ in range(100):
        solver.solve(problem, [1.4])
    tracemalloc.start()
    try:
        for _ in range(10):
            solver.solve(problem, [1.4])
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(1000):
            solver.solve(problem, [1.4])
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] - before < 20_000
    finally:
        tracemalloc.stop()


# ============================================================================ nothing is kept


class Function:
    """A callable that counts of references can be taken of."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)


@contextmanager
def no_collector() -> Iterator[None]:
    """What follows must be freed by counts of references alone."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def counts(*things: Any) -> list[int]:
    return [sys.getrefcount(thing) for thing in things]


STRATEGIES: dict[str, Callable[[], lmoo.Jacobian | None]] = {
    "default": lambda: None,
    "analytic": lmoo.Analytic,
    "forward": lambda: lmoo.ForwardDifference(typical=[1.0, 1.0]),
    "central": lmoo.CentralDifference,
    "complex": lmoo.ComplexStep,
}
EVERY_STRATEGY = pytest.mark.parametrize("make", STRATEGIES.values(), ids=STRATEGIES)


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
