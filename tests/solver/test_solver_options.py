"""Options of `Solver`: checks of their values, copies, comparison."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from ids import stable
from samples import START, T, Y, decay, decay_jacobian
from solver_problems import assert_same_bits

import lmoo
from lmoo import FunctionProblem, Solver


def test_a_solver_cannot_be_changed() -> None:
    solver = Solver(diag=[1.0, 2.0])
    for field in dataclasses.fields(solver):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(solver, field.name, 1.0)
    with pytest.raises(TypeError, match="does not support item assignment"):
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
    with pytest.raises(TypeError, match="does not support item assignment"):
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


def test_maxfev_beyond_any_counter_is_no_limit() -> None:
    problem = FunctionProblem(decay)
    result = Solver(maxfev=10**30).solve(problem, START)
    assert result.success
    assert result.nfev == Solver().solve(problem, START).nfev


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
