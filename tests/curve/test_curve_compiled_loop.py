"""`CurveProblem` as the compiled loop calls it."""

from __future__ import annotations

import pickle
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import pytest
from curve_cases import T, X, Y, decay, slopes
from ids import stable

import lmoo
from lmoo import CurveProblem, Solver

SIGMA = 0.1 + 0.05 * T


class Recorded(CurveProblem):
    """The same by way of Python: a residual of its own."""

    def residual(self, x: np.ndarray) -> Any:
        return super().residual(x)


@pytest.mark.parametrize(
    "sigma", [None, 0.1, np.linspace(0.1, 0.3, 12), np.diag(np.linspace(1, 2, 12))], ids=stable
)
@pytest.mark.parametrize("jac", [None, slopes])
def test_the_compiled_loop_evaluates_the_same(sigma: Any, jac: Any) -> None:
    for kind in (lmoo.ForwardDifference(), lmoo.CentralDifference(), None):
        plain = CurveProblem(decay, T, Y, sigma, jac, trace=False)
        one = Solver(jacobian=kind).solve(plain, [1, 1, 0])
        two = Solver(jacobian=kind).solve(Recorded(decay, T, Y, sigma, jac), [1, 1, 0])
        np.testing.assert_array_equal(one.x, two.x)
        np.testing.assert_array_equal(one.residual, two.residual)
        assert (one.nfev, one.njev, one.status) == (two.nfev, two.njev, two.status)


@pytest.mark.parametrize(
    "form",
    [
        list,
        pd.Series,
        np.ma.masked_array,
        lambda v: v[::-1][::-1],
        lambda v: np.repeat(v, 2)[::2],
        lambda v: v.astype(">f8"),
        lambda v: v.view(type("Sub", (np.ndarray,), {})),
        lambda v: v.astype(np.longdouble),
    ],
)
def test_values_of_any_form(form: Any) -> None:
    result = Solver().solve(CurveProblem(lambda t, *p: form(decay(t, *p)), T, Y), [1, 1, 0])
    expected = Solver().solve(CurveProblem(decay, T, Y), [1, 1, 0])
    np.testing.assert_allclose(result.x, expected.x, rtol=1e-9)


def test_single_precision_of_the_model_is_that_of_the_residual() -> None:
    def single(t: Any, *p: float) -> Any:
        return decay(t, *p).astype(np.float32)

    for kind in (CurveProblem, Recorded):
        problem = kind(single, T, Y)
        assert problem.residual(X).dtype == np.float32
        result = Solver(ftol=1e-7, xtol=1e-5).solve(problem, [1, 1, 0])
        assert result.success
        np.testing.assert_allclose(result.x, Solver().solve(CurveProblem(decay, T, Y), X).x, 1e-3)


def test_the_model_may_keep_and_change_what_it_got_and_what_it_returned() -> None:
    kept: list[Any] = []
    buffer = np.empty(12)

    def model(t: Any, a: Any, b: Any, c: Any) -> Any:
        kept.append((a, b, c))
        buffer[:] = decay(t, a, b, c)
        return buffer

    result = Solver().solve(CurveProblem(model, T, Y), [1, 1, 0])
    expected = Solver().solve(CurveProblem(decay, T, Y, trace=False), [1, 1, 0])
    np.testing.assert_array_equal(result.x, expected.x)
    assert kept[0] == (1.0, 1.0, 0.0)
    assert len(kept) == result.nfev
    assert all(type(p) is np.float64 for point in kept for p in point)


def test_exceptions_of_the_model_come_out_with_their_traceback() -> None:
    def broken(t: Any, a: float) -> Any:
        if a != 1.0:
            raise KeyError("mine")
        return a * t

    with pytest.raises(KeyError, match="mine") as caught:
        Solver().solve(CurveProblem(broken, T, Y), [1.0])
    assert caught.traceback[-1].name == "broken"


def test_a_value_that_turns_bad_is_refused_with_its_cause() -> None:
    values = iter([np.ones(12), np.ones(12), "text"])
    with pytest.raises(TypeError, match=r"it returned 'text'$") as caught:
        Solver().solve(CurveProblem(lambda t, a: next(values), T, Y), [1.0])
    assert caught.traceback[-1].name == "_refuse"


def test_a_solve_can_be_stored_and_gone_on_with() -> None:
    steps = Solver().iterate(CurveProblem(decay, T, Y), [1, 1, 0])
    next(steps)
    again = pickle.loads(pickle.dumps(steps))
    assert [s.cost for s in steps] == [s.cost for s in again]
    np.testing.assert_array_equal(steps.result.x, again.result.x)


def test_threads_may_share_a_problem() -> None:
    problem = CurveProblem(decay, T, Y)
    starts = [[1, 0.5 + 0.1 * k, 0] for k in range(8)]
    expected = [Solver().solve(problem, start).x for start in starts]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda start: Solver().solve(problem, start).x, starts))
    np.testing.assert_array_equal(found, expected)


def test_nothing_leaks() -> None:
    def model(t: Any, a: float, b: float, c: float) -> Any:
        return decay(t, a, b, c)

    problem = CurveProblem(model, T, Y)
    for value in (None, "text"):
        with pytest.raises(TypeError):
            Solver().solve(CurveProblem(lambda t, a, *, value=value: value, T, Y), [1.0])
    Solver().solve(problem, [1, 1, 0])
    before = [sys.getrefcount(thing) for thing in (model, problem.t, problem.y)]
    for _ in range(20):
        Solver().solve(problem, [1, 1, 0])
    assert [sys.getrefcount(thing) for thing in (model, problem.t, problem.y)] == before


@pytest.mark.parametrize(
    "y", [np.arange(12), Y[:5].reshape(1, 5), np.repeat(Y, 2)[::2]], ids=stable
)
def test_data_that_were_replaced_by_others_are_looked_at(y: Any) -> None:
    problem = CurveProblem(decay, T, Y)
    problem.y = y
    with pytest.raises(TypeError, match=r"^y and sigma must be float64 vectors"):
        Solver().solve(problem, [1, 1, 0])


def test_sigma_that_is_set_weighs() -> None:
    problem = CurveProblem(decay, T, Y)
    x = np.array([1.0, 1.0, 0.0])
    plain = problem.residual(x)
    for sigma in (0.5, SIGMA, np.diag(SIGMA**2)):
        problem.sigma = sigma
        right = CurveProblem(decay, T, Y, sigma)
        np.testing.assert_array_equal(problem.residual(x), right.residual(x))
        np.testing.assert_array_equal(problem.sigma, right.sigma)
        result, other = (Solver().solve(each, [1, 1, 0]) for each in (problem, right))
        np.testing.assert_array_equal(result.x, other.x)
        assert result.r_squared == other.r_squared
    problem.sigma = None
    np.testing.assert_array_equal(problem.residual(x), plain)


def test_sigma_that_is_set_is_checked() -> None:
    problem = CurveProblem(decay, T, Y, sigma=0.5)
    with pytest.raises(ValueError, match="sigma must be positive and finite"):
        problem.sigma = -1.0
    with pytest.raises(ValueError, match="sigma must be a number, or have shape"):
        problem.sigma = [1.0, 2.0]
    with pytest.raises(ValueError, match="read-only"):
        problem.sigma[:] = 1.0
    np.testing.assert_array_equal(problem.sigma, np.full(T.size, 0.5))


def test_the_data_of_a_compiled_problem_cannot_be_changed() -> None:
    problem = lmoo.models.Exponential().problem(T, Y, 0.5)
    for name in ("f", "t", "y", "sigma"):
        with pytest.raises(AttributeError, match=f"^{name} is compiled into the problem"):
            setattr(problem, name, 0.1)
    problem.bounds = {"rate": (0.0, 1.0)}
    assert Solver().solve(problem, [1.0, 1.0, 0.0]).upper[1] == 1.0


@pytest.mark.parametrize("sigma", [None, SIGMA, np.diag(SIGMA**2)], ids=["none", "1-D", "2-D"])
def test_the_derivatives_of_one_parameter_may_be_a_vector(sigma: Any) -> None:
    def f(t: Any, rate: Any) -> Any:
        return np.exp(-rate * t)

    def slopes(t: Any, rate: Any) -> Any:
        return -t * np.exp(-rate * t)

    problem = CurveProblem(f, T, Y, sigma, slopes)
    right = CurveProblem(f, T, Y, sigma, lambda t, rate: slopes(t, rate)[:, None])
    x = np.array([0.7])
    np.testing.assert_array_equal(problem.jacobian(x), right.jacobian(x))
    popt, pcov = lmoo.curve_fit(f, T, Y, [1.0], sigma, jac=slopes)
    result = Solver().solve(right, [1.0])
    np.testing.assert_allclose(popt, result.x, rtol=1e-12)
    np.testing.assert_allclose(pcov, result.covariance(), rtol=1e-10)
