"""`Problem`, `FunctionProblem`, `Solver.solve`: what user code may do, and what success means."""

from __future__ import annotations

import _thread
import copy
import ctypes
import dataclasses
import functools
import itertools
import math
import operator
import pickle
import signal
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from ids import stable
from samples import START, T, Y, decay, decay_jacobian, rosenbrock

import lmoo
from lmoo import EvaluationError, FunctionProblem, Problem, Solver, Status


def decay_columns(p: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(decay_jacobian(p).T)


class Decay(Problem):
    parameter_names = ("amplitude", "rate")

    def __init__(self, t: np.ndarray = T, y: np.ndarray = Y) -> None:
        self.t, self.y = t, y

    def residual(self, x: np.ndarray) -> np.ndarray:
        return x[0] * np.exp(-x[1] * self.t) - self.y


class DecayWithJacobian(Decay):
    def jacobian(self, x: np.ndarray) -> np.ndarray:
        e = np.exp(-x[1] * self.t)
        return np.column_stack([e, -x[0] * self.t * e])


class Recorder:
    """Calls what it wraps; keeps a copy of each x, and what it raised or returned."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.points: list[np.ndarray] = []

    def __call__(self, x: np.ndarray, *args: Any, **kwargs: Any) -> Any:
        self.points.append(np.array(x))
        return self.function(x, *args, **kwargs)


STRATEGIES: dict[str, tuple[Callable[..., Any] | None, lmoo.Jacobian | None]] = {
    "default": (None, None),
    "forward": (None, lmoo.ForwardDifference(refine=False)),
    "central": (None, lmoo.CentralDifference()),
    "complex": (None, lmoo.ComplexStep()),
    "analytic": (decay_jacobian, lmoo.Analytic()),
    "columns": (decay_columns, lmoo.ColumnMajor()),
}
EVERY_STRATEGY = pytest.mark.parametrize(("dfun", "strategy"), STRATEGIES.values(), ids=STRATEGIES)


def solve_decay(
    function: Callable[..., Any] = decay,
    dfun: Callable[..., Any] | None = None,
    strategy: lmoo.Jacobian | None = None,
) -> lmoo.Result:
    return Solver(jacobian=strategy).solve(FunctionProblem(function, dfun), START)


def assert_same_bits(ours: lmoo.Result, right: lmoo.Result) -> None:
    assert ours.x.tobytes() == right.x.tobytes()
    assert ours.residual.tobytes() == right.residual.tobytes()
    assert ours.cost == right.cost
    assert ours.status is right.status
    assert (ours.nfev, ours.njev, ours.nit) == (right.nfev, right.njev, right.nit)
    np.testing.assert_array_equal(ours.covariance(), right.covariance())


# ============================================================================ problems


def test_a_subclass_of_problem_is_solved_with_its_data() -> None:
    result = Solver().solve(Decay(), START)
    assert result.success
    np.testing.assert_allclose(result.x, [2.0, 1.3], atol=0.02)
    np.testing.assert_array_equal(result.residual, decay(result.x))


def test_a_jacobian_that_the_subclass_defines_is_used_unasked() -> None:
    problem = DecayWithJacobian()
    result = Solver().solve(problem, START)
    assert result.njev > 1
    # With differences each Jacobian would cost two residuals more.
    assert result.nfev <= result.nit + 1
    np.testing.assert_allclose(result.x, Solver().solve(Decay(), START).x, rtol=1e-9)


def test_a_problem_may_be_anything_with_a_method_residual() -> None:
    class Duck:
        def residual(self, x: np.ndarray) -> list[float]:
            return [x[0] - 1.0, x[1] + 2.0]

    np.testing.assert_allclose(Solver().solve(Duck(), [5.0, 5.0]).x, [1.0, -2.0], rtol=1e-12)


def test_a_duck_with_a_jacobian_is_not_differentiated() -> None:
    class Duck:
        def residual(self, x: np.ndarray) -> list[float]:
            return [x[0] - 1.0, x[1] + 2.0]

        def jacobian(self, x: np.ndarray) -> np.ndarray:
            return np.eye(2)

    result = Solver().solve(Duck(), [5.0, 5.0])
    assert result.success
    assert result.nfev <= result.nit + 1


def test_a_jacobian_set_on_the_instance_is_used_too() -> None:
    class Wrapped(Problem):
        def __init__(self) -> None:
            self.jacobian = Recorder(decay_jacobian)  # type: ignore[method-assign]

        def residual(self, x: np.ndarray) -> np.ndarray:
            return decay(x)

    problem = Wrapped()
    assert Solver().solve(problem, START).success
    assert problem.jacobian.points


def test_a_residual_set_on_the_instance_is_the_residual() -> None:
    problem = FunctionProblem(decay)
    problem.residual = Recorder(problem.residual)  # type: ignore[method-assign]
    result = Solver().solve(problem, START)
    assert len(problem.residual.points) == result.nfev


def test_problem_without_residual_says_so() -> None:
    with pytest.raises(NotImplementedError, match=r"Empty must define residual"):
        Solver().solve(type("Empty", (Problem,), {})(), [1.0])


@pytest.mark.parametrize("problem", [None, 3, decay, object()], ids=["None", "int", "func", "obj"])
def test_what_is_no_problem_is_a_type_error(problem: Any) -> None:
    with pytest.raises(TypeError, match=r"problem must .*residual\(x\)"):
        Solver().solve(problem, [1.0])


def test_subclass_of_function_problem_may_override_its_residual() -> None:
    class Weighted(FunctionProblem):
        def residual(self, x: np.ndarray) -> np.ndarray:
            return 3.0 * np.asarray(super().residual(x))

    class Grandchild(Weighted):
        pass

    plain = Solver().solve(FunctionProblem(decay), START)
    for kind in (Weighted, Grandchild):
        result = Solver().solve(kind(decay), START)
        np.testing.assert_allclose(result.cost, 9.0 * plain.cost, rtol=1e-12)


def test_subclass_of_function_problem_may_override_its_jacobian() -> None:
    class Known(FunctionProblem):
        def jacobian(self, x: np.ndarray) -> np.ndarray:
            return decay_jacobian(x)

    result = Solver().solve(Known(decay), START)
    assert result.nfev <= result.nit + 1


def test_args_and_kwargs_reach_residual_and_jacobian() -> None:
    seen: list[tuple[Any, ...]] = []

    def residual(x: np.ndarray, a: float, b: float, *, shift: float, **more: Any) -> np.ndarray:
        seen.append((a, b, shift, more))
        return np.array([a * x[0] - b, x[0] - shift])

    def jacobian(x: np.ndarray, a: float, b: float, *, shift: float, **more: Any) -> np.ndarray:
        seen.append((a, b, shift, more))
        return np.array([[a], [1.0]])

    problem = FunctionProblem(residual, jacobian, (2.0, 6.0), {"shift": 3.0, "extra": "é"})
    result = Solver().solve(problem, [0.0])
    np.testing.assert_allclose(result.x, [3.0], rtol=1e-12)
    assert len(seen) == result.nfev + result.njev
    assert all(entry == (2.0, 6.0, 3.0, {"extra": "é"}) for entry in seen)


@pytest.mark.parametrize("args", [3.0, [3.0], {"a": 1}, None], ids=stable)
def test_args_not_a_tuple_is_one_argument(args: Any) -> None:
    seen: list[Any] = []

    def residual(x: np.ndarray, arg: Any) -> np.ndarray:
        seen.append(arg)
        return x - 3.0

    assert Solver().solve(FunctionProblem(residual, args=args), [1.0]).success
    assert all(arg is args for arg in seen)


def test_kwargs_of_the_caller_may_change_later_without_effect() -> None:
    kwargs = {"by": 2.0}
    problem = FunctionProblem(lambda x, by: x - by, kwargs=kwargs)
    kwargs["by"] = 7.0
    np.testing.assert_allclose(Solver().solve(problem, [1.0]).x, [2.0], rtol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ((1,), "residual"),
        ((None,), "residual"),
        ((decay, 3), "jacobian"),
        ((decay, None, (), 5), "kwargs"),
        ((decay, None, (), [("a", 1)]), "kwargs"),
    ],
    ids=stable,
)
def test_bad_arguments_of_function_problem_are_named(arguments: Any, name: str) -> None:
    with pytest.raises(TypeError, match=rf"^{name} must be .*; it is "):
        FunctionProblem(*arguments)


@pytest.mark.parametrize(
    "residual",
    [
        functools.partial(lambda shift, x: x - shift, 0.5),
        Decay().residual,
        np.cos,
        np.array([[2.0, 1.0], [1.0, 3.0]]).dot,
    ],
    ids=["partial", "method", "ufunc", "builtin method"],
)
def test_residual_may_be_any_callable(residual: Any) -> None:
    result = Solver().solve(FunctionProblem(residual), START)
    assert result.success
    np.testing.assert_array_equal(result.residual, residual(result.x))


def test_parameter_names_must_be_as_many_as_parameters() -> None:
    problem = FunctionProblem(decay, parameter_names=("a", "b", "c"))
    with pytest.raises(ValueError, match=r"parameter_names .* 2: \('a', 'b', 'c'\)"):
        Solver().solve(problem, START)


# ============================================================================ the solver itself


def test_a_solver_cannot_be_changed() -> None:
    solver = Solver(diag=[1.0, 2.0])
    for field in dataclasses.fields(solver):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(solver, field.name, 1.0)
    with pytest.raises((TypeError, ValueError)):
        solver.diag[0] = 5.0


def test_diag_is_copied() -> None:
    diag = np.array([1.0, 2.0])
    solver = Solver(diag=diag)
    diag[:] = -1.0
    np.testing.assert_array_equal(solver.diag, [1.0, 2.0])
    assert diag.flags.writeable


def test_typical_is_copied() -> None:
    typical = np.array([1.0, 2.0])
    strategy = lmoo.ForwardDifference(typical=typical)
    typical[:] = -1.0
    np.testing.assert_array_equal(strategy.typical, [1.0, 2.0])


COPIES = pytest.mark.parametrize(
    "again",
    [lambda s: pickle.loads(pickle.dumps(s)), copy.deepcopy, copy.copy],
    ids=["pickle", "deepcopy", "copy"],
)


@COPIES
def test_a_copied_solver_is_the_same_solver(again: Callable[[Any], Any]) -> None:
    solver = Solver(
        xtol=1e-9, maxfev=77, diag=[1.0, 3.0], jacobian=lmoo.ForwardDifference(1e-12, [1.0, 2.0])
    )
    twin = again(solver)
    assert repr(twin) == repr(solver)
    problem = FunctionProblem(decay)
    assert_same_bits(twin.solve(problem, START), solver.solve(problem, START))


@COPIES
def test_a_copied_solver_cannot_be_changed_either(again: Callable[[Any], Any]) -> None:
    twin = again(Solver(diag=[1.0, 2.0]))
    with pytest.raises((TypeError, ValueError)):
        twin.diag[0] = -5.0


def test_solvers_with_equal_options_are_equal() -> None:
    assert Solver() == Solver()
    assert Solver(xtol=1e-9, maxfev=5) == Solver(xtol=1e-9, maxfev=5)
    assert Solver() != Solver(xtol=1e-9)
    assert Solver() != "a solver"


def test_solvers_with_a_diag_can_be_compared() -> None:
    assert Solver(diag=[1.0, 2.0]) == Solver(diag=np.array([1.0, 2.0]))
    assert Solver(diag=[1.0, 2.0]) != Solver(diag=[1.0, 3.0])
    assert Solver(diag=[1.0, 2.0]) != Solver(diag=[1.0])
    assert Solver(diag=[1.0, 2.0]) != Solver()


def test_solvers_with_equal_strategies_are_equal() -> None:
    def solver(typical: float) -> Solver:
        return Solver(jacobian=lmoo.CentralDifference(typical=[typical, 1.0]))

    assert solver(2.0) == solver(2.0)
    assert solver(2.0) != solver(3.0)


def test_repr_shows_every_option() -> None:
    text = repr(Solver(ftol=1e-3, xtol=2e-3, gtol=3e-3, maxfev=77, factor=5.0, diag=[8.0, 9.0]))
    for part in ("ftol=0.001", "xtol=0.002", "gtol=0.003", "maxfev=77", "factor=5.0", "diag="):
        assert part in text


@pytest.mark.parametrize("name", ["ftol", "xtol", "gtol"])
@pytest.mark.parametrize("value", [-1e-9, float("nan"), -float("inf")], ids=stable)
def test_negative_and_nan_tolerances_are_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=rf"^{name} must not be negative; it is {value}"):
        Solver(**{name: value})


@pytest.mark.parametrize("name", ["ftol", "xtol", "gtol", "factor"])
@pytest.mark.parametrize("value", ["1", None, 1j, [1.0], True, np.True_], ids=stable)
def test_options_of_the_wrong_type_are_refused(name: str, value: Any) -> None:
    with pytest.raises(TypeError, match=rf"^{name} must be a real number; it is"):
        Solver(**{name: value})


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")], ids=stable)
def test_factor_must_be_positive_and_finite(value: float) -> None:
    with pytest.raises(ValueError, match=rf"^factor must be positive and finite; it is {value}"):
        Solver(factor=value)


@pytest.mark.parametrize(
    ("value", "error"),
    [(0, ValueError), (-5, ValueError), (1.0, TypeError), (True, TypeError), ("9", TypeError)],
    ids=stable,
)
def test_maxfev_must_be_a_positive_integer(value: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=rf"^maxfev must be .*; it is {value!r}"):
        Solver(maxfev=value)


def test_maxfev_beyond_any_counter_is_named_or_taken() -> None:
    problem = FunctionProblem(decay)
    try:
        result = Solver(maxfev=10**30).solve(problem, START)
    except (ValueError, TypeError) as error:
        assert str(error).startswith("maxfev must")  # noqa: PT017  (either answer will do)
    else:
        assert result.success


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ([1.0, 0.0], ValueError),
        ([1.0, -1.0], ValueError),
        ([1.0, np.nan], ValueError),
        ([1.0, np.inf], ValueError),
        ([[1.0, 1.0]], ValueError),
        (1.0, ValueError),
        ([1.0, 1j], TypeError),
        ("ab", TypeError),
        ([None, 1.0], TypeError),
    ],
    ids=stable,
)
def test_diag_must_be_positive_and_finite(value: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"^diag must be .*; it is "):
        Solver(diag=value)


@pytest.mark.parametrize("n", [1, 3])
def test_diag_of_a_wrong_length_is_refused_with_both_lengths(n: int) -> None:
    with pytest.raises(ValueError, match=rf"diag must have one entry per parameter, 2; it has {n}"):
        Solver(diag=np.ones(n)).solve(FunctionProblem(decay), START)


@pytest.mark.parametrize("value", [decay_jacobian, "analytic", lmoo.Analytic, 3], ids=stable)
def test_jacobian_must_be_a_jacobian(value: Any) -> None:
    with pytest.raises(TypeError, match=r"^jacobian must be a Jacobian or None; it is "):
        Solver(jacobian=value)


def test_numpy_numbers_are_numbers() -> None:
    solver = Solver(ftol=np.float32(1e-12), xtol=np.float64(1e-10), maxfev=np.int64(500), gtol=0)
    assert solver.solve(FunctionProblem(decay), START).success


def test_diag_is_the_scaling_of_the_trust_region() -> None:
    problem = FunctionProblem(decay)
    plain = Solver(factor=0.01).solve(problem, START)
    scaled = Solver(factor=0.01, diag=[1.0, 1e6]).solve(problem, START)
    assert scaled.success
    np.testing.assert_allclose(scaled.x, plain.x, rtol=1e-8)
    assert scaled.nfev != plain.nfev


# ============================================================================ x0


@pytest.mark.parametrize(
    "x0",
    [
        (1, 1),
        [1, 1],
        np.array([1, 1], dtype=np.int8),
        np.array([1, 1], dtype=np.uint64),
        np.array([1, 1], dtype=np.float16),
        np.array([1, 1], dtype=np.float32),
        np.array([1, 1], dtype=np.longdouble),
        np.array([1, 1], dtype=">f8"),
        np.array([True, True]),
        np.ones(6)[::3],
    ],
    ids=lambda x0: getattr(getattr(x0, "dtype", None), "name", type(x0).__name__),
)
def test_any_real_x0_is_cast_to_float64(x0: Any) -> None:
    before = np.array(x0)
    record = Recorder(decay)
    kinds: set[Any] = set()

    def residual(x: np.ndarray) -> np.ndarray:
        kinds.add((type(x), x.dtype, x.shape, x.flags.c_contiguous, x.flags.writeable))
        return record(x)

    result = Solver().solve(FunctionProblem(residual), x0)
    assert_same_bits(result, Solver().solve(FunctionProblem(decay), [1.0, 1.0]))
    assert kinds == {(np.ndarray, np.dtype("f8"), (2,), True, True)}
    np.testing.assert_array_equal(np.array(x0), before)


@pytest.mark.parametrize(
    ("x0", "error", "says"),
    [
        ([], ValueError, r"1-D and not empty; its shape is \(0,\)"),
        (1.0, ValueError, r"1-D .*\(\)"),
        ([[1.0, 2.0]], ValueError, r"1-D .*\(1, 2\)"),
        ([1j, 1.0], TypeError, r"real numbers; .*complex"),
        ("12", TypeError, r"real numbers; .*'12'"),
        (["1", "2"], TypeError, r"real numbers; .*'1'"),
        (None, TypeError, r"real numbers; .*None"),
        ([None, 1.0], TypeError, r"real numbers; .*None"),
        ([object()], TypeError, r"real numbers; .*object"),
        (np.array(["2020-01-01"], dtype="M8[D]"), TypeError, r"real numbers; .*datetime"),
        ([1.0, np.nan], ValueError, r"finite; its entry 1 is nan"),
        ([-np.inf, 1.0], ValueError, r"finite; its entry 0 is -inf"),
        ([[1.0], [1.0, 2.0]], (TypeError, ValueError), r""),
        ({1.0, 2.0}, TypeError, r"real numbers"),
    ],
    ids=stable,
)
def test_bad_x0_is_named_and_nothing_is_evaluated(x0: Any, error: Any, says: str) -> None:
    record = Recorder(decay)
    with pytest.raises(error, match=rf"^x0 must be {says}"):
        Solver().solve(FunctionProblem(record), x0)
    assert record.points == []


def test_a_float_x0_that_overflows_float64_is_not_finite() -> None:
    big = np.array([1.0, np.finfo(np.longdouble).max], dtype=np.longdouble)
    if np.finfo(np.longdouble).max <= np.finfo(np.float64).max:
        pytest.skip("long double is double here")
    with (
        np.errstate(over="ignore"),
        pytest.raises(ValueError, match="x0 must be finite; its entry 1"),
    ):
        Solver().solve(FunctionProblem(decay), big)


# ===================================================================== what a residual returns


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (None, "returned None"),
        (1.0, "a scalar"),
        (np.float64(1.0), "a scalar"),
        (np.zeros((3, 1)), r"shape \(3, 1\)"),
        (np.zeros(3) * 1j, "complex"),
        (np.array([1.0, None, 2.0]), "objects"),
        (["1", "2", "3"], "str"),
        ([[1.0], [1.0, 2.0]], "no array"),
        (np.zeros(3, dtype="M8[s]"), "datetime"),
    ],
    ids=["None", "float", "float64", "2-D", "complex", "object", "str", "ragged", "datetime"],
)
@pytest.mark.parametrize("at", [1, 2, 5])
@EVERY_STRATEGY
def test_residual_that_is_no_real_vector_is_a_type_error(
    value: Any, says: str, at: int, dfun: Any, strategy: Any
) -> None:
    calls = itertools.count(1)

    def residual(x: np.ndarray) -> Any:
        return value if next(calls) >= at and x.dtype == np.float64 else decay(x)

    with pytest.raises(TypeError, match=rf"^residual must return a 1-D array .*{says}"):
        solve_decay(residual, dfun, strategy)


def test_no_residuals_are_a_type_error() -> None:
    with pytest.raises(TypeError, match=r"residual .*N=2 exceeds .* M=0"):
        Solver().solve(FunctionProblem(lambda x: x[:0]), START)


@pytest.mark.parametrize("analytic", [False, True])
@pytest.mark.parametrize(
    "strategy", [None, lmoo.CentralDifference(), lmoo.ComplexStep(), lmoo.ForwardDifference()]
)
def test_fewer_residuals_than_parameters_are_solved(strategy: Any, analytic: bool) -> None:
    def residual(x: np.ndarray) -> np.ndarray:
        return np.array([x[0] + 2 * x[1] - 3 * x[2] - 4, x[0] * x[1] - 1])

    def jacobian(x: np.ndarray) -> np.ndarray:
        return np.array([[1.0, 2.0, -3.0], [x[1], x[0], 0.0]])

    problem = FunctionProblem(residual, jacobian if analytic else None)
    for bounds in (None, (0, None)):
        result = Solver(jacobian=strategy, bounds=bounds).solve(problem, [1.0, 2.0, 3.0])
        assert result.success
        np.testing.assert_allclose(residual(result.x), 0.0, atol=1e-12)
        assert result.residual.shape == (2,)
        assert result.jacobian().shape == (2, 3)
        assert result.rank == 2
        assert len(result.undetermined) == 3
        assert "0 degrees of freedom" in str(result)


def test_a_fixed_parameter_does_not_count_against_few_residuals() -> None:
    problem = FunctionProblem(lambda x: np.array([x[0] + x[1] - 3.0, x[0] * x[2] - 2.0]))
    result = Solver(fixed={2: 1.0}).solve(problem, [1.0, 1.0, 5.0])
    assert result.success
    np.testing.assert_allclose(result.x, [2.0, 1.0, 1.0])
    assert result.undetermined == ()


@pytest.mark.parametrize("length", [0, 2, 8, 10, 1000])
@pytest.mark.parametrize("at", [2, 3, 4, 6])
def test_residual_that_changes_its_length_is_a_value_error(length: int, at: int) -> None:
    calls = itertools.count(1)

    def residual(x: np.ndarray) -> np.ndarray:
        return decay(x) if next(calls) < at else np.zeros(length)

    with pytest.raises(ValueError, match=rf"residual must return .*: 9 at the first, now {length}"):
        solve_decay(residual)


@pytest.mark.parametrize(
    "kind",
    [
        list,
        tuple,
        np.array,
        lambda f: f.astype(">f8"),
        lambda f: np.repeat(f, 2)[::2],
        memoryview,
        lambda f: np.asfortranarray(f[:, None])[:, 0],
        lambda f: f.view(np.ma.MaskedArray),
    ],
    ids=["list", "tuple", "array", "swapped", "strided", "memoryview", "column", "masked"],
)
def test_residual_may_be_any_sequence_of_floats(kind: Callable[..., Any]) -> None:
    assert_same_bits(solve_decay(lambda x: kind(decay(x))), solve_decay())


def test_residual_may_return_a_list_of_rows_of_itself_unaligned() -> None:
    # One byte off any boundary: it can only be copied.
    store = np.zeros(9 * 8 + 1, dtype=np.uint8)
    view = store[1:].view(np.float64)

    def residual(x: np.ndarray) -> np.ndarray:
        view[:] = decay(x)
        return view

    assert not view.flags.aligned
    assert_same_bits(solve_decay(residual), solve_decay())


def test_integer_residuals_are_numbers() -> None:
    result = Solver().solve(FunctionProblem(lambda x: [0, 0, 0]), START)
    assert result.cost == 0.0
    np.testing.assert_array_equal(result.x, START)


# ------------------------------------------------------------------- float32, and its precision


def float32_decay(p: np.ndarray) -> np.ndarray:
    t = T.astype(np.float32)
    q = p.astype(np.float32)
    return q[0] * np.exp(-q[1] * t) - Y.astype(np.float32)


@pytest.mark.parametrize(
    "strategy", [None, lmoo.CentralDifference(), lmoo.ForwardDifference(typical=1.0)], ids=stable
)
@pytest.mark.parametrize("x0", [(1.0, 1.0), (3.0, 0.2), (0.5, 3.0)], ids=stable)
def test_float32_residual_converges_to_float32_accuracy(x0: Any, strategy: Any) -> None:
    exact = Solver().solve(FunctionProblem(decay, decay_jacobian), START)
    result = Solver(jacobian=strategy).solve(FunctionProblem(float32_decay), x0)
    assert result.success
    # Rounding the residual moves x by eps |J x| / |J|, some hundred units here at the most.
    np.testing.assert_allclose(result.x, exact.x, rtol=100 * np.finfo(np.float32).eps)
    np.testing.assert_allclose(result.standard_errors, exact.standard_errors, rtol=1e-2)
    assert result.nfev <= 100


def test_float32_residual_is_differenced_with_steps_that_it_can_see() -> None:
    record = Recorder(float32_decay)
    Solver().solve(FunctionProblem(record), START)
    first = record.points[1][0] / record.points[0][0] - 1.0
    assert first == pytest.approx(np.sqrt(np.finfo(np.float32).eps), rel=0.5)


def test_float32_residual_with_its_jacobian() -> None:
    exact = Solver().solve(FunctionProblem(decay, decay_jacobian), START)
    result = Solver().solve(FunctionProblem(float32_decay, decay_jacobian), START)
    assert result.success
    np.testing.assert_allclose(result.x, exact.x, rtol=100 * np.finfo(np.float32).eps)
    assert result.nfev <= 50


# ============================================================================ Status


def test_status_is_an_int_enum_of_minpacks_values() -> None:
    assert issubclass(Status, int)
    names = ["IMPROPER_INPUT", "FTOL", "XTOL", "FTOL_XTOL", "GTOL", "MAXFEV"]
    names += ["FTOL_TOO_SMALL", "XTOL_TOO_SMALL", "GTOL_TOO_SMALL"]
    assert [Status(ier).name for ier in range(9)] == names
    assert {status for status in Status if status.success} == {1, 2, 3, 4}
    assert all(status < 0 for status in Status if status.name not in names)


@pytest.mark.parametrize("status", Status, ids=lambda s: s.name)
def test_every_status_has_a_reason_of_its_own(status: Status) -> None:
    assert status.reason
    assert [other for other in Status if other.reason == status.reason] == [status]
    assert pickle.loads(pickle.dumps(status)) is status


@pytest.mark.parametrize("maxfev", [1, 2, 5, 9])
def test_maxfev_ends_a_solve(maxfev: int) -> None:
    record = Recorder(rosenbrock)
    result = Solver(maxfev=maxfev).solve(FunctionProblem(record), [-1.2, 1.0])
    assert result.status is Status.MAXFEV
    assert not result.success
    assert result.nfev == len(record.points)
    # The Jacobian that has begun is ended, and its step judged.
    assert maxfev <= result.nfev <= maxfev + 4
    np.testing.assert_array_equal(result.residual, rosenbrock(result.x))


@pytest.mark.parametrize(
    "residual",
    [
        lambda x: np.array([1.0, 2.0, 3.0]),
        lambda x: np.array([np.tanh(x[0]) - 2.0, np.tanh(x[1]), 1.0]),
        lambda x: np.array([np.exp(-x[0]) - 1.0, np.exp(-x[1]), 2.0]),
        lambda x: np.array([np.floor(x[0]), np.floor(x[1]), 1.0]),
    ],
    ids=["constant", "tanh", "exp", "floor"],
)
@pytest.mark.parametrize(
    "strategy", [None, lmoo.CentralDifference(), lmoo.ForwardDifference(typical=1.0)], ids=stable
)
def test_a_plateau_is_flat_and_no_success(residual: Any, strategy: Any) -> None:
    result = Solver(jacobian=strategy).solve(FunctionProblem(residual), [900.5, 950.5])
    assert result.status is Status.FLAT
    assert not result.success


def test_a_zero_jacobian_of_the_users_is_flat() -> None:
    problem = FunctionProblem(decay, lambda x: np.zeros((9, 2)))
    result = Solver().solve(problem, START)
    assert result.status is Status.FLAT
    assert not result.success


def test_a_residual_of_zero_is_a_minimum_even_where_flat() -> None:
    result = Solver().solve(FunctionProblem(lambda x: np.zeros(3)), START)
    assert result.success
    assert result.cost == 0.0


@pytest.mark.parametrize("x0", [(1.0, 1.0), (3.0, 0.5), (0.1, 4.0), (-1.0, 0.3)], ids=stable)
@pytest.mark.parametrize("scale", [-1.0, -1e-3, -1e3], ids=stable)
def test_a_jacobian_of_the_wrong_sign_is_never_success(x0: Any, scale: float) -> None:
    problem = FunctionProblem(decay, lambda x: scale * decay_jacobian(x))
    result = Solver().solve(problem, x0)
    assert not result.success
    assert result.status in (Status.NO_PROGRESS, Status.MAXFEV)
    # Nothing to be gained in any number of evaluations, and nothing to be lost.
    assert result.nfev <= 1000
    f = decay(np.array(x0))
    assert result.cost <= 0.5 * (f @ f) * (1.0 + 1e-15)


def test_a_jacobian_of_the_wrong_sign_at_the_minimum_does_no_harm() -> None:
    minimum = Solver().solve(FunctionProblem(decay, decay_jacobian), START).x
    problem = FunctionProblem(decay, lambda x: -decay_jacobian(x))
    result = Solver().solve(problem, minimum)
    np.testing.assert_allclose(result.x, minimum, rtol=1e-7)


def test_a_transposed_square_jacobian_is_no_success() -> None:
    def transposed(p: np.ndarray) -> np.ndarray:
        return np.array([[-20.0 * p[0], 10.0], [-1.0, 0.0]]).T

    result = Solver(maxfev=500).solve(FunctionProblem(rosenbrock, transposed), [-1.2, 1.0])
    if result.success:  # It may get there all the same.
        np.testing.assert_allclose(result.x, [1.0, 1.0], rtol=1e-6)


# ============================================================================ points that are bad


def log_model(p: np.ndarray) -> np.ndarray:
    """Not defined for p[0] <= 0; the first Gauss-Newton step from far off goes there."""
    with np.errstate(all="ignore"):
        return np.log(p[0] + T) - np.log(0.1 + T) + 0.01 * np.cos(5.0 * T)


def log_jacobian(p: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        return 1.0 / (p[0] + T)[:, None]


def log_bad(p: np.ndarray, f: np.ndarray, kind: str) -> Any:
    """The answer where there is none, in one of the ways to say so."""
    if p[0].real > 0.0:
        return f
    if kind == "raises":
        raise EvaluationError("p[0] must be positive")
    return np.full_like(f, {"nan": np.nan, "inf": np.inf, "-inf": -np.inf}[kind])


KINDS = pytest.mark.parametrize("kind", ["nan", "inf", "-inf", "raises"])
LOG_STRATEGIES = pytest.mark.parametrize(
    ("dfun", "strategy"),
    [
        (None, None),
        (None, lmoo.CentralDifference()),
        (None, lmoo.ComplexStep()),
        (log_jacobian, None),
        (lambda p: log_jacobian(p).T, lmoo.ColumnMajor()),
    ],
    ids=["forward", "central", "complex", "analytic", "columns"],
)


@KINDS
@LOG_STRATEGIES
def test_a_bad_trial_is_refused_and_the_domain_found_again(
    kind: str, dfun: Any, strategy: Any
) -> None:
    record = Recorder(lambda p: log_bad(p, log_model(p), kind))
    problem = FunctionProblem(record, dfun)
    result = Solver(factor=100.0, jacobian=strategy).solve(problem, [30.0])
    assert any(x[0].real <= 0.0 for x in record.points), "the test must lead out of the domain"
    assert result.success
    right = Solver().solve(FunctionProblem(log_model, log_jacobian), [0.1])
    np.testing.assert_allclose(result.x, right.x, rtol=1e-7)
    assert result.nfev == len(record.points)


def test_the_ways_to_refuse_are_the_same_to_the_bit() -> None:
    def solve(kind: str) -> lmoo.Result:
        problem = FunctionProblem(lambda p: log_bad(p, log_model(p), kind), log_jacobian)
        return Solver(factor=100.0).solve(problem, [30.0])

    first = solve("nan")
    for kind in ("inf", "-inf", "raises"):
        assert_same_bits(solve(kind), first)


def test_one_bad_entry_is_enough() -> None:
    def residual(p: np.ndarray) -> np.ndarray:
        f = log_model(np.maximum(p, 1e-3))
        f[4] = f[4] if p[0] > 0.0 else np.nan
        return f

    record = Recorder(residual)
    result = Solver(factor=100.0).solve(FunctionProblem(record), [30.0])
    assert any(x[0] <= 0.0 for x in record.points)
    assert result.success
    assert np.isfinite(result.residual).all()


def test_a_subclass_of_evaluation_error_is_one() -> None:
    class MineError(EvaluationError):
        pass

    def residual(p: np.ndarray) -> np.ndarray:
        if p[0] <= 0.0:
            raise MineError
        return log_model(p)

    assert Solver(factor=100.0).solve(FunctionProblem(residual), [30.0]).success


@pytest.mark.parametrize("bad", [np.nan, np.inf, None], ids=stable)
@pytest.mark.parametrize("columns", [False, True])
def test_a_bad_jacobian_of_an_accepted_point_goes_back_to_the_last_good_one(
    bad: float | None, columns: bool
) -> None:
    asked: list[float] = []
    refused: list[float] = []

    def jacobian(p: np.ndarray) -> np.ndarray:
        asked.append(p[0])
        out = log_jacobian(p)
        # Bad in a ring round the solution, which steps from outside fall into.
        if 0.5 < p[0] < 2.0:
            refused.append(p[0])
            if bad is None:
                raise EvaluationError("no derivative here")
            out[3, 0] = bad
        return out.T if columns else out

    strategy = lmoo.ColumnMajor() if columns else lmoo.Analytic()
    result = Solver(jacobian=strategy, factor=0.9).solve(
        FunctionProblem(log_model, jacobian), [30.0]
    )
    assert refused, "the test must meet the ring"
    np.testing.assert_array_equal(result.residual, log_model(result.x))
    assert np.isfinite(result.x).all()
    assert result.njev == len(asked)
    if result.success:
        np.testing.assert_allclose(result.x, [0.1], rtol=0.1)
    else:
        # Every step from the last good point led into the ring.
        assert result.status is Status.DOMAIN
        assert result.x[0] >= 2.0


def test_no_success_where_nothing_can_be_evaluated_round_the_start() -> None:
    def residual(x: np.ndarray) -> np.ndarray:
        if not np.array_equal(x, START):
            raise EvaluationError("only at the start")
        return decay(x)

    result = Solver().solve(FunctionProblem(residual, decay_jacobian), START)
    assert result.status is Status.DOMAIN
    assert not result.success
    np.testing.assert_array_equal(result.x, START)


@pytest.mark.parametrize("width", [1e-2, 1e-5, 1e-8, 1e-11], ids=stable)
@pytest.mark.parametrize("dfun", [None, decay_jacobian], ids=["differences", "analytic"])
def test_a_trust_region_that_collapses_on_an_edge_is_no_success(width: float, dfun: Any) -> None:
    # The way to the minimum leads through a wall near the start.
    def residual(x: np.ndarray) -> np.ndarray:
        if x[0] > START[0] * (1.0 + width):
            raise EvaluationError("beyond the wall")
        return decay(x)

    result = Solver(maxfev=3000).solve(FunctionProblem(residual, dfun), START)
    gradient = decay_jacobian(result.x).T @ decay(result.x)
    assert abs(gradient).max() > 1e-3, "the minimum is behind the wall"
    assert not result.success


def test_refined_derivatives_that_cannot_be_had_do_not_end_the_solve() -> None:
    # Central differences step further than forward ones, here over both edges of the domain.
    def residual(x: np.ndarray) -> np.ndarray:
        if abs(x[0] - 1.0) > 3e-6:
            raise EvaluationError("outside")
        away = x[0] - 1.000001
        return np.array([away + 1e3 * away**2, 0.1])

    result = Solver(factor=100.0).solve(FunctionProblem(residual), [1.0 + 2.9e-6])
    assert result.status is not Status.IMPROPER_INPUT
    assert result.success
    assert result.x[0] - 1.000001 == pytest.approx(0.0, abs=1e-10)


# A start that is bad ---------------------------------------------------------------------------


@EVERY_STRATEGY
def test_evaluation_error_of_the_residual_at_x0_is_the_users_own(dfun: Any, strategy: Any) -> None:
    mine = EvaluationError("my words", 5)

    def residual(x: np.ndarray) -> np.ndarray:
        raise mine

    with pytest.raises(EvaluationError) as caught:
        solve_decay(residual, dfun, strategy)
    assert caught.value is mine


@pytest.mark.parametrize("columns", [False, True])
def test_evaluation_error_of_the_jacobian_at_x0_is_the_users_own(columns: bool) -> None:
    mine = EvaluationError("my words", 5)

    def jacobian(x: np.ndarray) -> np.ndarray:
        raise mine

    strategy = lmoo.ColumnMajor() if columns else lmoo.Analytic()
    with pytest.raises(EvaluationError) as caught:
        solve_decay(decay, jacobian, strategy)
    assert caught.value is mine


def test_evaluation_error_of_a_strategy_at_x0_is_the_users_own() -> None:
    mine = EvaluationError("my words", 5)

    class Raising(lmoo.Jacobian):
        def evaluate(self, problem: Any, x: Any, f: Any, out: Any) -> int:
            raise mine

    with pytest.raises(EvaluationError) as caught:
        solve_decay(strategy=Raising())
    assert caught.value is mine


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf], ids=stable)
@EVERY_STRATEGY
def test_residual_not_finite_at_x0_names_the_entry(bad: float, dfun: Any, strategy: Any) -> None:
    def residual(x: np.ndarray) -> np.ndarray:
        f = decay(x)
        f[4] = bad
        return f

    with pytest.raises(EvaluationError, match=rf"residual\(x0\) .* entry 4 is {bad}$"):
        solve_decay(residual, dfun, strategy)


@pytest.mark.parametrize("bad", [np.nan, np.inf], ids=stable)
@pytest.mark.parametrize("columns", [False, True])
@pytest.mark.parametrize("m", [9, 300_000], ids=["small", "large"])
def test_jacobian_not_finite_at_x0_names_the_entry(bad: float, columns: bool, m: int) -> None:
    # From a million m n^2 on it is another factorisation that meets the entry.
    t = np.linspace(0.0, 1.0, m)

    def jacobian(x: np.ndarray) -> np.ndarray:
        out = np.column_stack([np.ones(m), t])
        out[7, 1] = bad
        return out.T if columns else out

    problem = FunctionProblem(lambda x: x[0] + x[1] * t - 1.0, jacobian)
    strategy = lmoo.ColumnMajor() if columns else lmoo.Analytic()
    with pytest.raises(EvaluationError, match=rf"Jacobian at x0 .* entry \(7, 1\) is {bad}$"):
        Solver(jacobian=strategy).solve(problem, [0.0, 0.0])


@KINDS
@pytest.mark.parametrize("strategy", [None, lmoo.CentralDifference()], ids=stable)
def test_a_start_that_nothing_round_can_be_evaluated_is_an_evaluation_error(
    kind: str, strategy: Any
) -> None:
    def residual(x: np.ndarray) -> np.ndarray:
        if np.array_equal(x, START):
            return decay(x)
        return log_bad(np.array([-1.0]), decay(x), kind)

    with pytest.raises(EvaluationError, match="Jacobian at x0"):
        solve_decay(residual, strategy=strategy)


@KINDS
def test_where_x_plus_h_is_bad_x_minus_h_is_taken_and_counted(kind: str) -> None:
    # The start sits on the upper edge of the domain of x[0].
    def residual(x: np.ndarray) -> np.ndarray:
        return log_bad(np.array([3.0 - x[0] + 1e-300]), decay(x), kind)

    record = Recorder(residual)
    result = Solver().solve(FunctionProblem(record), [3.0, 1.0])
    h = record.points[1][0] - 3.0
    assert h > 0.0
    np.testing.assert_allclose(record.points[2], [3.0 - h, 1.0], rtol=1e-15)
    assert result.success
    assert result.nfev == len(record.points)
    np.testing.assert_allclose(result.x, solve_decay().x, rtol=1e-8)


def test_a_norm_that_overflows_is_no_success() -> None:
    # Every entry is finite; the sum of squares is not, even as a norm.
    def residual(x: np.ndarray) -> np.ndarray:
        return 1.5e308 * np.array([x[0] / 3.0, x[0] / 3.0 - 0.1, 1.0 - x[0] / 9.0])

    try:
        result = Solver().solve(FunctionProblem(residual), [3.0])
    except EvaluationError:
        return
    assert not result.success or np.isfinite(result.fnorm)


# ============================================================================ callbacks


def test_the_callback_gets_a_record_after_each_iteration() -> None:
    steps: list[lmoo.IterationRecord] = []
    result = Solver().solve(FunctionProblem(rosenbrock), [-1.2, 1.0], callback=steps.append)
    assert [step.iteration for step in steps] == list(range(1, result.nit + 1))
    costs = [step.cost for step in steps]
    assert costs == sorted(costs, reverse=True)
    assert any(not step.accepted for step in steps)
    assert any(step.lambda_ > 0.0 for step in steps)
    for step, later in itertools.pairwise(steps):
        assert step.nfev < later.nfev
        assert step.njev <= later.njev
        if not later.accepted:
            np.testing.assert_array_equal(later.x, step.x)
    assert all(step.delta > 0.0 for step in steps)
    assert all(0.0 <= step.optimality <= 1.0 + 1e-12 for step in steps)
    np.testing.assert_array_equal(steps[-1].x, result.x)
    assert steps[-1].cost == result.cost


def test_the_gradient_of_a_record_is_that_of_where_the_step_came_from() -> None:
    steps: list[lmoo.IterationRecord] = []
    problem = FunctionProblem(decay, decay_jacobian)
    Solver().solve(problem, START, callback=steps.append)
    x = np.array(START)
    for step in steps:
        np.testing.assert_allclose(step.gradient, decay_jacobian(x).T @ decay(x), atol=1e-12)
        x = step.x


def test_a_callback_does_not_change_the_solve() -> None:
    def spoil(step: lmoo.IterationRecord) -> None:
        step.x[:] = np.nan
        step.gradient[:] = np.nan

    watched = Solver().solve(FunctionProblem(decay), START, callback=spoil)
    assert_same_bits(watched, solve_decay())


@pytest.mark.parametrize("answer", [True, 1, np.True_, "yes"], ids=stable)
def test_a_true_answer_of_the_callback_stops(answer: Any) -> None:
    steps: list[lmoo.IterationRecord] = []

    def callback(step: lmoo.IterationRecord) -> Any:
        steps.append(step)
        return answer if step.iteration == 3 else None

    result = Solver().solve(FunctionProblem(rosenbrock), [-1.2, 1.0], callback=callback)
    assert result.status is Status.STOPPED
    assert not result.success
    assert result.nit == len(steps) == 3
    np.testing.assert_array_equal(result.x, steps[-1].x)
    np.testing.assert_array_equal(result.residual, rosenbrock(result.x))
    assert result.nfev == steps[-1].nfev


@pytest.mark.parametrize("answer", [None, False, 0, np.False_, ""], ids=stable)
def test_a_false_answer_goes_on(answer: Any) -> None:
    result = Solver().solve(FunctionProblem(decay), START, callback=lambda step: answer)
    assert_same_bits(result, solve_decay())


def test_stop_iteration_of_the_callback_stops() -> None:
    def callback(step: lmoo.IterationRecord) -> None:
        if step.iteration == 2:
            raise StopIteration

    result = Solver().solve(FunctionProblem(rosenbrock), [-1.2, 1.0], callback=callback)
    assert result.status is Status.STOPPED
    assert result.nit == 2


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, SystemExit, EvaluationError])
def test_other_exceptions_of_the_callback_come_out(kind: type[BaseException]) -> None:
    mine = kind("mine")

    def callback(step: lmoo.IterationRecord) -> None:
        raise mine

    with pytest.raises(kind) as caught:
        Solver().solve(FunctionProblem(decay), START, callback=callback)
    assert caught.value is mine


@pytest.mark.parametrize("callback", [3, "print", [print]], ids=stable)
def test_a_callback_must_be_callable(callback: Any) -> None:
    record = Recorder(decay)
    with pytest.raises(TypeError, match=r"^callback must be callable or None; it is "):
        Solver().solve(FunctionProblem(record), START, callback=callback)
    assert record.points == []


@pytest.mark.parametrize("scale", [1e155, 1e200, 1e300], ids=stable)
def test_a_watched_solve_of_huge_residuals_goes_like_one_that_is_not(scale: float) -> None:
    # The gradient J.T @ f overflows; that is no reason to warn, which is an error here.
    problem = FunctionProblem(lambda x: scale * decay(x))
    watched = Solver().solve(problem, START, callback=lambda step: None)
    assert_same_bits(watched, Solver().solve(problem, START))


# ============================================================================ exceptions


class MineError(Exception):
    pass


EXCEPTIONS = pytest.mark.parametrize(
    "kind",
    [
        MineError,
        ValueError,
        StopIteration,
        KeyboardInterrupt,
        SystemExit,
        GeneratorExit,
        MemoryError,
        ArithmeticError,
        FloatingPointError,
    ],
)


@EXCEPTIONS
@pytest.mark.parametrize("at", [1, 2, 4, 7])
@pytest.mark.parametrize("watched", [False, True])
def test_exceptions_of_the_residual_come_out_unchanged(
    kind: type[BaseException], at: int, watched: bool
) -> None:
    mine = kind("mine")
    calls = itertools.count(1)

    def residual(x: np.ndarray) -> np.ndarray:
        if next(calls) == at:
            raise mine
        return decay(x)

    with pytest.raises(kind) as caught:
        Solver().solve(
            FunctionProblem(residual), START, callback=(lambda step: None) if watched else None
        )
    assert caught.value is mine
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@EXCEPTIONS
@pytest.mark.parametrize("at", [1, 3])
@pytest.mark.parametrize("columns", [False, True])
def test_exceptions_of_the_jacobian_come_out_unchanged(
    kind: type[BaseException], at: int, columns: bool
) -> None:
    mine = kind("mine")
    calls = itertools.count(1)

    def jacobian(x: np.ndarray) -> np.ndarray:
        if next(calls) == at:
            raise mine
        return decay_columns(x) if columns else decay_jacobian(x)

    with pytest.raises(kind) as caught:
        solve_decay(decay, jacobian, lmoo.ColumnMajor() if columns else None)
    assert caught.value is mine
    assert caught.value.__cause__ is None


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


# ============================================================================ Ctrl-C


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Make SIGINT a KeyboardInterrupt, as in a program of one's own, whatever pytest does."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("at", [1, 2, 4])
@EVERY_STRATEGY
def test_ctrl_c_inside_a_residual(at: int, dfun: Any, strategy: Any) -> None:
    calls = itertools.count(1)

    def residual(x: np.ndarray) -> np.ndarray:
        if next(calls) == at:
            signal.raise_signal(signal.SIGINT)
        return decay(x)

    with pytest.raises(KeyboardInterrupt):
        solve_decay(residual, dfun, strategy)
    # Clean: the next solve knows nothing of it.
    assert_same_bits(solve_decay(residual, dfun, strategy), solve_decay(decay, dfun, strategy))


@contextmanager
def ctrl_c_after(seconds: float) -> Iterator[list[float]]:
    """Interrupt the main thread once, from a timer; the list gets the moment."""
    moment: list[float] = []

    def interrupt() -> None:
        moment.append(time.perf_counter())
        _thread.interrupt_main()

    timer = threading.Timer(seconds, interrupt)
    timer.start()
    try:
        yield moment
    finally:
        timer.cancel()
        timer.join()


def endless() -> FunctionProblem:
    """A solve of hundreds of thousands of iterations without a line of Python.

    Each residual and each Jacobian is the next item of an iterator written in C, whatever x is.
    Each residual is shorter than the last one by half of what the model promises.
    """
    shrinking = itertools.accumulate(itertools.repeat(0.9997), operator.mul, initial=1.0)
    residuals = map(np.array([0.03, 1.0]).__mul__, shrinking)
    jacobians = itertools.repeat(np.array([[1.0], [0.0]]))
    return FunctionProblem(functools.partial(next, residuals), functools.partial(next, jacobians))


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("watched", [False, True])
def test_ctrl_c_in_a_long_solve_without_python_bytecode(watched: bool) -> None:
    # min(0, record, key=bool) is a callback in C, whose answer is 0.
    callback = functools.partial(min, 0, key=bool) if watched else None
    with ctrl_c_after(0.05) as moment, pytest.raises(KeyboardInterrupt):
        Solver(xtol=0.0, ftol=0.0, maxfev=10**9).solve(endless(), [1.0], callback=callback)
    assert time.perf_counter() - moment[0] < 0.5


@pytest.mark.usefixtures("interruptible")
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no interval timers here")
def test_an_alarm_in_a_long_solve_without_python_bytecode() -> None:
    class AlarmError(Exception):
        pass

    def ring(number: int, frame: Any) -> None:
        raise AlarmError

    before = signal.signal(signal.SIGALRM, ring)
    try:
        began = time.perf_counter()
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(AlarmError):
            Solver(xtol=0.0, ftol=0.0, maxfev=10**9).solve(endless(), [1.0])
        assert time.perf_counter() - began < 0.5
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_in_one_long_jacobian_without_python_bytecode() -> None:
    # Each evaluation sleeps for 5 ms in C, the Jacobian for 200 parameters for 1 s in all.
    n = 200
    pause = map(time.sleep, itertools.repeat(0.005))
    residual = map(operator.itemgetter(0), zip(itertools.repeat(np.ones(n)), pause, strict=False))
    with ctrl_c_after(0.1) as moment, pytest.raises(KeyboardInterrupt):
        Solver().solve(FunctionProblem(functools.partial(next, residual)), np.ones(n))
    assert time.perf_counter() - moment[0] < 0.5


# ===================================================================== what x is to user code


@pytest.mark.parametrize("dtype", [np.float64, np.int64, np.float32], ids=lambda d: d.__name__)
@pytest.mark.parametrize(
    ("dfun", "strategy"),
    [value for name, value in STRATEGIES.items() if name != "complex"],
    ids=[name for name in STRATEGIES if name != "complex"],
)
def test_user_code_gets_float64_and_nothing_else(dtype: Any, dfun: Any, strategy: Any) -> None:
    kinds: set[Any] = set()

    def spying(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(x: np.ndarray) -> Any:
            kinds.add((type(x), x.dtype.str, x.shape))
            return function(x)

        return call

    problem = FunctionProblem(spying(decay), spying(dfun) if dfun else None)
    assert Solver(jacobian=strategy).solve(problem, np.ones(2, dtype=dtype)).success
    assert kinds == {(np.ndarray, np.dtype(np.float64).str, (2,))}


def spoiling(function: Callable[..., Any], spoil: Callable[[np.ndarray], Any]) -> Any:
    """Compute first, then do to x what must do no harm."""

    def call(x: np.ndarray) -> Any:
        value = function(x)
        spoil(x)
        return value

    return call


def reshape(x: np.ndarray) -> None:
    x.shape = (1, x.size)


def retype(x: np.ndarray) -> None:
    x.dtype = np.dtype(np.int64)


def swap(x: np.ndarray) -> None:
    x.dtype = x.dtype.newbyteorder()


SPOILERS: dict[str, Callable[[np.ndarray], Any]] = {
    "fill": lambda x: x.fill(np.nan),
    "resize": lambda x: x.resize(100, refcheck=False),
    "shrink": lambda x: x.resize(1, refcheck=False),
    "empty": lambda x: x.resize(0, refcheck=False),
    "shape": reshape,
    "dtype": retype,
    "byte order": swap,
    "read-only": lambda x: x.setflags(write=False),
    "sort": lambda x: x.sort(),
}
# NumPy has begun to deprecate in-place changes of shape and dtype; what they do is still there.
DEPRECATED = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@DEPRECATED
@pytest.mark.parametrize("spoil", SPOILERS.values(), ids=SPOILERS)
@EVERY_STRATEGY
def test_user_code_may_do_anything_to_its_x(spoil: Any, dfun: Any, strategy: Any) -> None:
    function = spoiling(decay, spoil)
    result = solve_decay(function, dfun and spoiling(dfun, spoil), strategy)
    assert_same_bits(result, solve_decay(decay, dfun, strategy))


KEEPERS: dict[str, Callable[[np.ndarray], Any]] = {
    "itself": lambda x: x,
    "view": lambda x: x[:],
    "part": lambda x: x[1:],
    "reversed": lambda x: x[::-1],
    "bytes view": lambda x: x.view(np.uint8),
    "memoryview": memoryview,
    "cast memoryview": lambda x: memoryview(x).cast("B"),
    "ctypes": lambda x: np.ctypeslib.as_array((ctypes.c_double * 2).from_buffer(x)),
    "dlpack": np.from_dlpack,
    "flat": lambda x: x.flat,
    "nditer": lambda x: np.nditer(x, order="C"),
    "in a tuple": lambda x: (x,),
    "method": lambda x: x.copy,
    "closure": lambda x: lambda: x,
}


def numbers(kept: Any) -> list[float]:
    """What somebody who kept this sees in it."""
    if isinstance(kept, tuple):
        return numbers(kept[0])
    if isinstance(kept, np.nditer):
        kept.reset()
        return [float(entry) for entry in kept]
    if isinstance(kept, np.flatiter):
        return kept[:].tolist()
    if callable(kept):
        return numbers(kept())
    return np.array(kept).view(np.float64).tolist()


@pytest.mark.parametrize("keep", KEEPERS.values(), ids=KEEPERS)
@EVERY_STRATEGY
def test_what_user_code_keeps_of_x_never_changes(keep: Any, dfun: Any, strategy: Any) -> None:
    kept: list[tuple[Any, Any]] = []

    def keeping(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(x: np.ndarray) -> Any:
            value = function(x)
            if x.dtype == np.float64:
                held = keep(x)
                kept.append((held, numbers(held)))
            return value

        return call

    result = solve_decay(keeping(decay), dfun and keeping(dfun), strategy)
    assert len(kept) > 5
    assert_same_bits(result, solve_decay(decay, dfun, strategy))
    for held, then in kept:
        np.testing.assert_array_equal(numbers(held), then)


def test_a_weak_reference_to_x_never_shows_another_point() -> None:
    watched: list[tuple[weakref.ref[np.ndarray], list[float]]] = []

    def residual(x: np.ndarray) -> np.ndarray:
        for reference, then in watched:
            array = reference()
            assert array is None or array.tolist() == then
        watched.append((weakref.ref(x), x.tolist()))
        return decay(x)

    assert solve_decay(residual).success
    assert len(watched) > 5


def test_changing_a_kept_x_does_not_change_the_solve() -> None:
    kept: list[np.ndarray] = []

    def residual(x: np.ndarray) -> np.ndarray:
        for array in kept:
            array.fill(np.nan)
        kept.append(x)
        return decay(x)

    assert_same_bits(solve_decay(residual), solve_decay())


def test_the_caller_may_change_x0_from_within() -> None:
    x0 = np.array(START)

    def residual(x: np.ndarray) -> np.ndarray:
        x0[:] = np.nan
        return decay(x)

    assert_same_bits(Solver().solve(FunctionProblem(residual), x0), solve_decay())


def test_the_users_x0_is_not_what_user_code_gets() -> None:
    x0 = np.array(START)
    seen: list[bool] = []

    def residual(x: np.ndarray) -> np.ndarray:
        seen.append(np.shares_memory(x, x0))
        return decay(x)

    result = Solver().solve(FunctionProblem(residual), x0)
    assert not any(seen)
    assert not np.shares_memory(result.x, x0)
    np.testing.assert_array_equal(x0, START)


# What it returns -------------------------------------------------------------------------------


def into(buffer: np.ndarray, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the one buffer at every call."""

    def call(x: np.ndarray) -> np.ndarray:
        if x.dtype.kind == "c":
            return function(x)
        buffer[...] = function(x)
        return buffer

    return call


@EVERY_STRATEGY
def test_an_output_buffer_may_be_used_again_at_every_call(dfun: Any, strategy: Any) -> None:
    function = into(np.empty(9), decay)
    jacobian = dfun and into(np.empty(dfun(np.array(START)).shape), dfun)
    result = solve_decay(function, jacobian, strategy)
    assert_same_bits(result, solve_decay(decay, dfun, strategy))


@pytest.mark.parametrize("view", [slice(None), slice(None, None, -1)], ids=["x", "x reversed"])
def test_a_residual_may_return_x_itself(view: slice) -> None:
    kept: list[np.ndarray] = []

    def residual(x: np.ndarray) -> np.ndarray:
        return x[view] if view.step else x

    def keeping(x: np.ndarray) -> np.ndarray:
        kept.append(x)
        return x

    for function in (residual, keeping):
        result = Solver().solve(FunctionProblem(function), [3.0, -2.0])
        assert result.success
        np.testing.assert_allclose(result.x, [0.0, 0.0], atol=1e-9)
        np.testing.assert_array_equal(np.sort(result.residual), np.sort(result.x))


def test_a_residual_may_return_x_changed_in_place() -> None:
    def residual(x: np.ndarray) -> np.ndarray:
        x -= [3.0, 4.0]
        return x

    np.testing.assert_allclose(
        Solver().solve(FunctionProblem(residual), [1.0, 1.0]).x, [3.0, 4.0], rtol=1e-12
    )


def test_what_user_code_returned_is_left_alone() -> None:
    returned: list[tuple[np.ndarray, np.ndarray]] = []

    def keeping(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(x: np.ndarray) -> np.ndarray:
            value = function(x)
            returned.append((value, value.copy()))
            return value

        return call

    result = solve_decay(keeping(decay), keeping(decay_jacobian))
    assert result.success
    for value, then in returned:
        np.testing.assert_array_equal(value, then)
        assert not np.shares_memory(value, result.residual)


def test_result_shares_no_memory_with_what_user_code_holds() -> None:
    held: list[np.ndarray] = []
    buffer = np.empty(9)

    def residual(x: np.ndarray) -> np.ndarray:
        held.append(x)
        buffer[:] = decay(x)
        return buffer

    result = solve_decay(residual)
    x, f = result.x.copy(), result.residual.copy()
    buffer.fill(np.nan)
    for array in held:
        array.fill(np.nan)
    np.testing.assert_array_equal(result.x, x)
    np.testing.assert_array_equal(result.residual, f)


# ============================================================================ nested and threaded


def test_a_residual_may_solve_and_may_call_leastsq() -> None:
    def best_amplitude(rate: float, facade: bool) -> np.ndarray:
        def inner(a: np.ndarray) -> np.ndarray:
            return a[0] * np.exp(-rate * T) - Y

        if facade:
            return lmoo.leastsq(inner, [1.0])[0]
        return Solver().solve(FunctionProblem(inner), [1.0]).x

    for facade in (False, True):

        def outer(x: np.ndarray, facade: bool = facade) -> np.ndarray:
            return decay(np.array([best_amplitude(x[0], facade)[0], x[0]]))

        result = Solver(jacobian=lmoo.ForwardDifference(1e-12)).solve(FunctionProblem(outer), [0.7])
        assert result.success
        np.testing.assert_allclose(result.x, solve_decay().x[1:], rtol=1e-5)


def test_a_residual_may_solve_its_own_problem_with_its_own_solver() -> None:
    solver = Solver()

    class Deep(Problem):
        depth = 0

        def residual(self, x: np.ndarray) -> np.ndarray:
            if self.depth < 3:
                self.depth += 1
                try:
                    assert solver.solve(self, START).success
                finally:
                    self.depth -= 1
            return decay(x)

    deep = Deep()
    # Only the innermost of three levels is cheap.
    deep.depth = 1
    assert_same_bits(solver.solve(deep, START), solve_decay())


@pytest.fixture
def switching() -> Iterator[None]:
    """Let threads take turns as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def test_a_solve_leaves_no_trace_in_any_module() -> None:
    def state() -> dict[tuple[str, str], Any]:
        names = [name for name in sys.modules if name == "lmoo" or name.startswith("lmoo.")]
        return {
            (name, key): (id(value), copy.copy(value) if type(value) in (dict, list, set) else None)
            for name in names
            for key, value in vars(sys.modules[name]).items()
            if key != "__builtins__"
        }

    # The first solve may import what it needs.
    str(solve_decay())
    before = state()
    for dfun, strategy in STRATEGIES.values():
        str(solve_decay(decay, dfun, strategy))
    with pytest.raises(ZeroDivisionError):
        solve_decay(lambda x: [1 / 0])
    assert state() == before


@pytest.mark.usefixtures("switching")
@EVERY_STRATEGY
def test_threads_may_share_a_solver_and_a_problem(dfun: Any, strategy: Any) -> None:
    solver, problem = Solver(jacobian=strategy), FunctionProblem(decay, dfun)
    starts = [(1.0 + 0.1 * k, 1.0 + 0.05 * k) for k in range(16)]
    right = [solver.solve(problem, x0) for x0 in starts]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda x0: solver.solve(problem, x0), starts * 2))
    for answer, expected in zip(answers, right * 2, strict=True):
        assert_same_bits(answer, expected)


def test_eight_solves_are_under_way_at_once_and_know_nothing_of_each_other() -> None:
    # Everybody waits for everybody at several evaluations: the solves overlap for certain.
    barrier = threading.Barrier(8, timeout=30.0)
    solver = Solver()

    def solve(k: int, meet: bool) -> lmoo.Result:
        calls = itertools.count(1)

        def residual(x: np.ndarray) -> np.ndarray:
            if next(calls) in (1, 3, 4) and meet:
                barrier.wait()
            return (1.0 + k) * decay(x)

        return solver.solve(FunctionProblem(residual), (1.0 + 0.1 * k, 1.0))

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(functools.partial(solve, meet=True), range(8)))
    for k, answer in enumerate(answers):
        assert_same_bits(answer, solve(k, False))


def test_large_solves_in_threads_which_let_go_of_the_gil() -> None:
    # m n^2 is above a million: the factorisation runs without the GIL.
    t = np.linspace(0.0, 2.0, 300_000)

    def solve(k: int) -> lmoo.Result:
        y = (1.0 + k) * np.exp(-1.3 * t)
        return Solver().solve(FunctionProblem(lambda p: p[0] * np.exp(-p[1] * t) - y), START)

    right = [solve(k) for k in range(3)]
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(solve, range(3)))
    for answer, expected in zip(answers, right, strict=True):
        assert_same_bits(answer, expected)


# ============================================================================ noise


@pytest.mark.parametrize("strategy", [lmoo.ForwardDifference, lmoo.CentralDifference])
@pytest.mark.parametrize("x0", [(1.0, 1.0), (3.0, 0.3), (0.5, 2.5)], ids=stable)
@pytest.mark.parametrize("digits", [6, 4])
def test_a_noisy_residual_ends_soon_with_epsfcn(strategy: Any, x0: Any, digits: int) -> None:
    def residual(p: np.ndarray) -> np.ndarray:
        # Every number is rounded to so many digits, like the output of another program.
        model = p[0] * np.exp(-p[1] * T)
        return np.array([float(f"{value:.{digits - 1}e}") for value in model]) - Y

    exact = solve_decay()
    solver = Solver(jacobian=strategy(epsfcn=10.0**-digits))
    result = solver.solve(FunctionProblem(residual), x0)
    assert result.status is not Status.MAXFEV
    assert result.nfev <= 300
    # The noise moves the minimum by about itself times the condition number, which is about 10.
    np.testing.assert_allclose(result.x, exact.x, atol=100 * 10.0**-digits)


# ============================================================================ success is a minimum


class Family:
    """Random small problems of one kind, with their exact Jacobians."""

    def __init__(self, n: int, model: Callable[..., Any], derivatives: Callable[..., Any]) -> None:
        self.n, self.model, self.derivatives = n, model, derivatives


def _exponential(x: Any, t: np.ndarray) -> Any:
    return x[0] * np.exp(x[1] * t) + x[2]


def _exponential_columns(x: Any, t: np.ndarray) -> list[Any]:
    e = np.exp(x[1] * t)
    return [e, x[0] * t * e, np.ones_like(t)]


def _rational(x: Any, t: np.ndarray) -> Any:
    return (x[0] + x[1] * t) / (1.0 + x[2] * t)


def _rational_columns(x: Any, t: np.ndarray) -> list[Any]:
    d = 1.0 + x[2] * t
    return [1.0 / d, t / d, -(x[0] + x[1] * t) * t / d**2]


def _polynomial(x: Any, t: np.ndarray) -> Any:
    return x[0] + x[1] * t + x[0] * x[1] * t**2 + x[1] ** 3 * t**3


def _polynomial_columns(x: Any, t: np.ndarray) -> list[Any]:
    return [1.0 + x[1] * t**2, t + x[0] * t**2 + 3.0 * x[1] ** 2 * t**3]


def _log(x: Any, t: np.ndarray) -> Any:
    return x[1] * np.log(x[0] + t)


def _log_columns(x: Any, t: np.ndarray) -> list[Any]:
    return [x[1] / (x[0] + t), np.log(x[0] + t)]


def _root(x: Any, t: np.ndarray) -> Any:
    return x[0] * np.sqrt(x[1] - t)


def _root_columns(x: Any, t: np.ndarray) -> list[Any]:
    root = np.sqrt(x[1] - t)
    return [root, 0.5 * x[0] / root]


def _sine(x: Any, t: np.ndarray) -> Any:
    return x[0] * np.sin(x[1] * t)


def _sine_columns(x: Any, t: np.ndarray) -> list[Any]:
    return [np.sin(x[1] * t), x[0] * t * np.cos(x[1] * t)]


FAMILIES = {
    "exponential": Family(3, _exponential, _exponential_columns),
    "rational": Family(3, _rational, _rational_columns),
    "polynomial": Family(2, _polynomial, _polynomial_columns),
    "log": Family(2, _log, _log_columns),
    "root": Family(2, _root, _root_columns),
    "sine": Family(2, _sine, _sine_columns),
}
PROPERTY_STRATEGIES: dict[str, lmoo.Jacobian] = {
    "analytic": lmoo.Analytic(),
    "columns": lmoo.ColumnMajor(),
    "forward": lmoo.ForwardDifference(),
    "unrefined": lmoo.ForwardDifference(refine=False),
    "central": lmoo.CentralDifference(),
    "complex": lmoo.ComplexStep(),
}


class Sample(Problem):
    """One of a family, with data; it counts its evaluations."""

    def __init__(self, family: Family, t: np.ndarray, y: np.ndarray, columns: bool) -> None:
        self.family, self.t, self.y, self.columns = family, t, y, columns
        self.calls = 0

    def __repr__(self) -> str:
        return f"Sample({self.family.model.__name__}, {self.t.tolist()}, {self.y.tolist()})"

    def residual(self, x: np.ndarray) -> Any:
        self.calls += 1
        with np.errstate(all="ignore"):
            return self.family.model(x, self.t) - self.y

    def jacobian(self, x: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            out = np.column_stack(self.family.derivatives(x, self.t))
        return out.T if self.columns else out


def cosine(J: np.ndarray, f: np.ndarray) -> float:
    """Largest cosine between f and a column of J; columns of zeros do not count."""
    norms = np.linalg.norm(J, axis=0)
    J = J[:, norms > 0.0] / norms[norms > 0.0]
    return float(np.abs(J.T @ (f / np.linalg.norm(f))).max(initial=0.0))


def is_minimum(result: lmoo.Result, problem: Sample) -> bool:
    """Whether the gradient is zero, or the residual beside the numbers that it is made of."""
    problem.columns = False
    J, f = problem.jacobian(result.x), result.residual
    size = float(np.linalg.norm(f))
    largest = float(np.abs(J * result.x).max())
    # The data are about 1.
    if size <= 1e-10 * (1.0 + np.linalg.norm(problem.y) + largest):
        return True
    # A column that changes f by less than its rounding is none, where the result says so.
    names = problem.parameter_names or [f"x[{j}]" for j in range(J.shape[1])]
    lost = np.array([name in result.undetermined for name in names])
    J[:, lost & (np.linalg.norm(J, axis=0) * np.abs(result.x) < 1e-16 * size)] = 0.0
    # Next to a pole the last digits of x, to xtol, are worth more than f.
    return cosine(J, f) <= max(1e-4, 1e-10 * largest / size)


values = st.floats(-5.0, 5.0, allow_subnormal=False).map(lambda v: round(v, 4))


# Without shrinking: there is little to shrink, and the example says it all.
PHASES = (Phase.explicit, Phase.generate)


@st.composite
def samples(draw: st.DrawFn) -> tuple[Sample, list[float], str]:
    family = FAMILIES[draw(st.sampled_from(sorted(FAMILIES)))]
    name = draw(st.sampled_from(sorted(PROPERTY_STRATEGIES)))
    if name == "complex" and family.model is _root:
        # No analytic function where it begins: its infinite slope there comes out finite.
        name = "analytic"
    m = draw(st.integers(family.n, 8))
    t = np.linspace(0.1, draw(st.sampled_from([1.0, 3.0])), m)
    if draw(st.booleans()):
        y = np.array(draw(st.lists(values, min_size=m, max_size=m)))
    else:
        # Data that the model can follow, with noise or without.
        right = np.abs(draw(st.lists(values, min_size=family.n, max_size=family.n))) + 3.1
        with np.errstate(all="ignore"):
            y = family.model(right, t) + draw(st.sampled_from([0.0, 1e-6, 1e-2])) * np.cos(31 * t)
    x0 = draw(st.lists(values, min_size=family.n, max_size=family.n))
    return Sample(family, t, y, name == "columns"), x0, name


@settings(max_examples=500, deadline=None, derandomize=True, phases=PHASES)
@given(samples())
def test_success_is_a_minimum_and_the_numbers_belong_together(
    sample: tuple[Sample, list[float], str],
) -> None:
    problem, x0, name = sample
    f0 = problem.residual(np.array(x0))
    if not np.isfinite(f0).all():
        with pytest.raises(EvaluationError, match=r"residual\(x0\) must be finite"):
            Solver(jacobian=PROPERTY_STRATEGIES[name]).solve(problem, x0)
        return
    problem.calls = 0
    try:
        result = Solver(jacobian=PROPERTY_STRATEGIES[name]).solve(problem, x0)
    except EvaluationError:
        # On the edge of the domain: the derivative there must be infinite or nan.
        assert not np.isfinite(problem.jacobian(np.array(x0))).all()
        return
    assert result.nfev == problem.calls
    assert np.isfinite(result.x).all()
    np.testing.assert_array_equal(result.residual, problem.residual(result.x))
    assert np.isfinite(result.residual).all()
    np.testing.assert_allclose(result.cost, 0.5 * (result.residual @ result.residual), rtol=1e-13)
    assert result.cost <= 0.5 * (f0 @ f0) * (1.0 + 1e-12)
    assert result.status in set(Status) - {Status.IMPROPER_INPUT, Status.UNFINISHED}
    assert not result.success or is_minimum(result, problem)


@settings(max_examples=150, deadline=None, derandomize=True, phases=PHASES)
@given(samples())
def test_a_jacobian_of_the_wrong_sign_is_no_success_but_at_a_minimum(
    sample: tuple[Sample, list[float], str],
) -> None:
    problem, x0, _ = sample
    problem.columns = False
    flipped = FunctionProblem(problem.residual, lambda x: -problem.jacobian(x))
    try:
        result = Solver().solve(flipped, x0)
    except EvaluationError:
        return
    assert not result.success or is_minimum(result, problem)


# Steps into the pole of a rational function, where the columns of the Jacobian are huge: rounding
# errors of f, which is finite and of order 1, must not be told by the size of J x there.
POLE = [
    (1.0, (0.0, 2.0, 0.0), 1e-9),
    (3.0, (0.0, 4.0, 0.0), 1e-9),
    (3.0, (0.0, -4.0, 0.0), 1e-9),
    (3.0, (-4.0, 3.0, -4.0), 1e-9),
]


@pytest.mark.parametrize(("end", "y", "least"), POLE, ids=stable)
def test_a_step_that_raises_the_cost_is_not_taken(
    end: float, y: tuple[float, ...], least: float
) -> None:
    problem = Sample(FAMILIES["rational"], np.linspace(0.1, end, 3), np.array(y), False)
    f0 = problem.residual(np.array([0.0, 0.0, -4.0]))
    costs = [0.5 * float(f0 @ f0)]
    result = Solver().solve(
        problem, [0.0, 0.0, -4.0], callback=lambda step: costs.append(step.cost)
    )
    for cost, later in itertools.pairwise(costs):
        assert later <= cost * (1.0 + 1e-9) + 1e-25
    assert result.cost <= min(costs) * (1.0 + 1e-9) + 1e-25
    assert result.success <= (result.cost <= least)


@pytest.mark.parametrize("exponent", [-900, -500, -150, -20, 20, 150, 500, 900])
@pytest.mark.parametrize("dfun", [None, decay_jacobian], ids=["differences", "analytic"])
@pytest.mark.parametrize("x0", [(1.0, 1.0), (3.0, 0.3), (0.5, 2.5)], ids=stable)
def test_the_unit_of_the_residual_does_not_matter(exponent: int, dfun: Any, x0: Any) -> None:
    scale = 2.0**exponent
    right = Solver().solve(FunctionProblem(decay, dfun), x0)
    scaled = FunctionProblem(lambda x: scale * decay(x), dfun and (lambda x: scale * dfun(x)))
    result = Solver().solve(scaled, x0)
    assert result.success
    assert abs(result.nfev - right.nfev) <= 4
    np.testing.assert_allclose(result.x, right.x, rtol=1e-9)
    np.testing.assert_allclose(result.residual, scale * right.residual, rtol=1e-5)
    np.testing.assert_allclose(result.standard_errors, right.standard_errors, rtol=1e-5)


LINEAR_STRATEGIES = {
    "default": None,
    "unrefined": lmoo.ForwardDifference(refine=False),
    "typical": lmoo.ForwardDifference(typical=1.0),
    "central": lmoo.CentralDifference(),
    "analytic": lmoo.Analytic(),
}


@pytest.mark.parametrize("strategy", LINEAR_STRATEGIES.values(), ids=LINEAR_STRATEGIES)
def test_linear_problems_are_solved_as_by_lstsq_in_a_few_evaluations(strategy: Any) -> None:
    # The simplest there is: one step would do.  None of 400 may wander about in the rounding.
    failures = []
    for seed in range(400):
        random = np.random.default_rng(seed)
        n = int(random.integers(1, 6))
        m = n + int(random.integers(0, 5))
        A, b = random.normal(size=(m, n)), random.normal(size=m)
        if np.linalg.cond(A) > 1e3:
            continue
        problem = FunctionProblem(lambda x, A, b: A @ x - b, lambda x, A, b: A, (A, b))
        if strategy is None:
            problem = FunctionProblem(lambda x, A, b: A @ x - b, args=(A, b))
        result = Solver(jacobian=strategy, maxfev=2000).solve(problem, random.normal(size=n))
        right = np.linalg.lstsq(A, b)[0]
        error = np.abs(result.x - right).max() / np.abs(right).max()
        if not result.success or result.nfev > 40 * (n + 1) or error > 1e-6:
            failures.append((seed, result.status.name, result.nfev, error))
    assert not failures


# ================================================= an exception, or the time, ends a solve early


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


@pytest.mark.parametrize("value", [0, -1.0, math.nan])
def test_a_time_limit_is_positive(value: Any) -> None:
    with pytest.raises(
        ValueError, match=r"^time_limit must be a positive number of seconds, or None"
    ):
        Solver(time_limit=value)


@pytest.mark.parametrize("value", ["1", True, [1.0], 1j])
def test_a_time_limit_is_a_number(value: Any) -> None:
    with pytest.raises(TypeError, match="time_limit must be a real number"):
        Solver(time_limit=value)


class TimedBlock(lmoo.RowBlockProblem):
    def residual(self, x: np.ndarray, block: Any) -> Any:
        return rosenbrock(x)


@pytest.mark.parametrize(
    "problem", [FunctionProblem(rosenbrock), TimedBlock([0])], ids=["whole", "blocks"]
)
@pytest.mark.parametrize("history", [False, True])
def test_the_time_limit_ends_a_solve_after_the_iteration_that_passes_it(
    problem: Any, history: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A clock by which each iteration takes 1 s.
    clock = itertools.count()
    monkeypatch.setattr(lmoo.solver.solver.time, "perf_counter", lambda: float(next(clock)))
    start = [-1.2, 1.0]
    result = Solver(time_limit=2.5).solve(problem, start, history=history)
    assert result.status is Status.STOPPED
    assert not result.success
    assert result.nit == 3
    assert result.message.startswith("stopped by the time limit, time_limit = 2.5 s (")
    steps = Solver(time_limit=2.5).iterate(problem, start)
    records = list(steps)
    assert len(records) == 3
    assert steps.result.status is Status.STOPPED
    np.testing.assert_array_equal(steps.result.x, result.x)
    assert steps.result.message == result.message
    free = Solver().iterate(problem, start)
    assert [next(free).cost for _ in range(3)] == [record.cost for record in records]
    # Where the solve ends by itself before, the limit changes nothing.
    for limit in (1e9, math.inf):
        long, plain = (Solver(time_limit=v).solve(problem, start) for v in (limit, None))
        np.testing.assert_array_equal(long.x, plain.x)
        assert (long.status, long.nfev) == (plain.status, plain.nfev)


def test_time_between_two_steps_does_not_count() -> None:
    steps = Solver(time_limit=0.5).iterate(FunctionProblem(rosenbrock), [-1.2, 1.0])
    next(steps)
    time.sleep(0.6)
    next(steps)
    assert steps.result.status is Status.UNFINISHED


def test_a_model_in_compiled_code_has_a_time_limit_too() -> None:
    model = lmoo.models.Exponential()
    t = np.linspace(0.0, 4.0, 20)
    problem = model.problem(t, model(t, 2.5, 1.3, 0.5))
    result = Solver(time_limit=1e-9).solve(problem, [1.0, 1.0, 0.0])
    assert (result.status, result.nit) == (Status.STOPPED, 1)


def test_stacks_refuse_a_time_limit_by_name() -> None:
    with pytest.raises(
        ValueError, match=r"solver must have time_limit=None for many fits; it is 3"
    ):
        lmoo.curve_fit_many(
            lambda t, a: a * t, T, np.ones((2, T.size)), [1.0], solver=Solver(time_limit=3)
        )


HUGE = 10**400


@pytest.mark.parametrize("name", ["ftol", "xtol", "gtol", "factor", "time_limit"])
@pytest.mark.parametrize("sign", [1, -1])
def test_an_integer_beyond_double_precision_is_named(name: str, sign: int) -> None:
    match = rf"^{name} must be within the range of double precision; it is about .?10\*\*400$"
    with pytest.raises(ValueError, match=match):
        Solver(**{name: sign * HUGE})


@pytest.mark.parametrize("name", ["ftol", "xtol", "gtol", "factor", "epsfcn"])
def test_an_integer_beyond_double_precision_is_named_by_the_facades(name: str) -> None:
    match = f"{name} must be within the range of double precision"
    with pytest.raises(ValueError, match=match):
        lmoo.leastsq(decay, START, **{name: HUGE})
    with pytest.raises(ValueError, match=match):
        lmoo.curve_fit(lambda t, a, b: a * t + b, T, Y, **{name: HUGE})


def test_a_count_beyond_double_precision_is_no_limit() -> None:
    assert Solver(maxfev=HUGE).solve(FunctionProblem(decay), START).success
    assert lmoo.leastsq(decay, START, maxfev=HUGE)[1] in (1, 2, 3)
    with pytest.raises(ValueError, match="ydata must be within the range of double precision"):
        lmoo.curve_fit(lambda t, a: a * t, T, [HUGE] * T.size)
