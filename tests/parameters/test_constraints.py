"""Linear equations and inequalities."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.optimize
from hypothesis import given, settings
from hypothesis import strategies as st
from relation_cases import PROBLEMS, T, data, model

import lmoo

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from constraints import random_problem, violation

X0 = [3.0, 0.5, 1.5, 1.5]


@pytest.mark.parametrize("seed", range(60))
def test_ends_satisfy_karush_kuhn_tucker(seed: int) -> None:
    problem, A, u, bounds, start = random_problem(1000 + seed)
    result = lmoo.Solver(xtol=1e-13).solve(problem, start)
    assert result.success
    beyond, rest = violation(problem, A, u, bounds, result.x)
    assert beyond < 1e-12
    assert rest < 1e-8


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("derivatives", [True, False])
def test_no_point_outside_is_evaluated(seed: int, derivatives: bool) -> None:
    problem, A, u, bounds, start = random_problem(5000 + seed)
    seen: list[Any] = []

    def residual(x: Any) -> Any:
        seen.append(x.copy())
        return problem.residual(x)

    watched = lmoo.FunctionProblem(
        residual,
        problem.jacobian if derivatives else None,
        parameter_names=problem.parameter_names,
    )
    solver = lmoo.Solver(constraints=problem.constraints, bounds=problem.bounds)
    result = solver.solve(watched, start)
    points = np.array(seen)
    size = np.abs(A) @ np.abs(points.T) + np.abs(u)[:, None]
    # In a corner without room for a difference its interval may be outside.
    share = 1e-11 if derivatives else 1e-5
    assert (A @ points.T - u[:, None] <= share * size).all()
    assert (points >= bounds[0] - share * np.abs(bounds[0])).all()
    assert (points <= bounds[1] + share * np.abs(bounds[1])).all()
    expected = lmoo.Solver().solve(problem, start)
    np.testing.assert_allclose(result.cost, expected.cost, rtol=1e-9)


@pytest.mark.parametrize("kind", PROBLEMS)
def test_an_inequality_in_every_driver(kind: str) -> None:
    y = data(2)
    # The data want c = a / 2.
    problem = PROBLEMS[kind](y)
    problem.constraints = ["3*c <= a", "d >= 2*b"]
    found = lmoo.Solver().solve(problem, [3.0, 0.5, 0.9, 1.5])
    by_hand = lmoo.FunctionProblem(
        lambda x: (model(T, 3 * x[1], x[0], x[1], x[2]) - y) / 0.02,
        parameter_names=("b", "c", "d"),
    )
    expected = lmoo.Solver(jacobian=lmoo.ComplexStep()).solve(by_hand, [0.5, 0.9, 1.5])
    b, c, d = expected.x
    np.testing.assert_allclose(found.x, [3 * c, b, c, d], rtol=1e-8)
    # An active constraint still counts for the degrees of freedom, as an active bound does.
    slopes = np.array([[0, 3, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1.0]])
    covariance = slopes @ expected.covariance(False) @ slopes.T
    np.testing.assert_allclose(found.covariance(False), covariance, rtol=2e-6, atol=1e-18)
    assert found.related.active == ("3*c <= a",)
    assert "Active constraints: 3*c <= a" in str(found)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_equations(seed: int) -> None:
    y = data(seed)
    rng = np.random.default_rng(seed)
    # Nearly what the data have: otherwise both solutions are uncertain by rounding.
    a = rng.uniform(2.0, 5.0)
    w, e = np.round(rng.uniform(0.5, 2.0), 2), np.round(rng.uniform(2.8, 3.2), 2)
    total = np.round(a + w * a / 2, 2)
    by_hand = lmoo.FunctionProblem(
        lambda x: model(T, total - w * x[1], x[0], x[1], e * x[0]) - y,
        parameter_names=("b", "c"),
    )
    expected = lmoo.Solver(jacobian=lmoo.ComplexStep(), xtol=1e-13).solve(by_hand, [0.5, 1.5])
    b, c = expected.x
    slopes = np.array([[0, -w], [1, 0], [0, 1], [e, 0]])
    texts = [f"a + {w}*c == {total}", f"d == {e}*b"]
    matrix = (np.array([[1, 0, w, 0], [0, -e, 0, 1.0]]), [total, 0.0], [total, 0.0])
    for constraints in (texts, matrix):
        solver = lmoo.Solver(constraints=constraints, xtol=1e-13)
        found = solver.solve(lmoo.CurveProblem(model, T, y), X0)
        np.testing.assert_allclose(found.x, [total - w * c, b, c, e * b], rtol=1e-10)
        np.testing.assert_allclose(
            found.covariance(), slopes @ expected.covariance() @ slopes.T, rtol=1e-6, atol=1e-18
        )
        assert found.degrees_of_freedom == T.size - 2


def test_forms() -> None:
    y = data(4)
    problem = lmoo.CurveProblem(model, T, y)
    expected = lmoo.Solver(constraints="3*c <= a").solve(problem, [3, 0.5, 0.9, 1.5])
    A = np.array([[-1.0, 0.0, 3.0, 0.0]])
    for form in (
        ["3*c <= a"],
        ("3*c <= a",),
        "a >= 3*c",
        "a - 3*c > 0",
        (A, [0.0]),
        (A, 0.0),
        (A, -np.inf, 0.0),
        [(A, 0.0)],
        scipy.optimize.LinearConstraint(A, -np.inf, 0.0),
        [scipy.optimize.LinearConstraint(A, -np.inf, 0.0), "b >= 0"],
    ):
        found = lmoo.Solver(constraints=form).solve(problem, [3, 0.5, 0.9, 1.5])
        np.testing.assert_allclose(found.x, expected.x, rtol=1e-12)


def test_one_parameter_is_a_bound() -> None:
    problem = lmoo.CurveProblem(model, T, data(4))
    found = lmoo.Solver(constraints=["2*c <= 3"]).solve(problem, [3, 0.5, 0.9, 1.5])
    expected = lmoo.Solver(bounds={"c": (None, 1.5)}).solve(problem, [3, 0.5, 0.9, 1.5])
    np.testing.assert_allclose(found.x, expected.x, rtol=1e-10)
    np.testing.assert_allclose(found.stderr, expected.stderr, rtol=1e-7)


def test_bounds_of_tied_parameters() -> None:
    y = data(4)
    found = lmoo.Solver(ties={"c": "a/2", "d": "3*b"}, bounds={"c": (None, 1.2)}).solve(
        lmoo.CurveProblem(model, T, y), {"a": 2.0, "b": 0.5}
    )
    assert found.x[0] == 2.4
    assert found.x[2] == 1.2
    assert found.stderr[0] == 0.0
    assert found.stderr[2] == 0.0


@pytest.mark.parametrize("shift", [-30, -3, 5, 20])
def test_units(shift: int) -> None:
    y = data(8)

    def counts(factor: float) -> tuple[Any, ...]:
        problem = lmoo.CurveProblem(lambda t, a, b, c, d: model(t, a / factor, b, c, d), T, y)
        problem.ties = {"d": "3*b"}
        problem.priors = {"a": (4.0 * factor, 0.2 * factor)}
        problem.constraints = [f"3*c*{factor!r} <= a", f"a <= 9*{factor!r}"]
        result = lmoo.Solver().solve(problem, [3.0 * factor, 0.5, 0.9, 1.5])
        return result.status, result.nfev, result.njev, result.nit, result.x[0] / factor

    assert counts(2.0**shift) == counts(1.0)


def test_iteration_goes_on_from_its_pickle() -> None:
    import pickle

    problem, _, _, _, start = random_problem(7)
    y = data(3)
    curve = lmoo.CurveProblem(model, T, y)
    solver = lmoo.Solver(ties={"d": "3*b"}, constraints=["2*c <= a"], priors={"a": (4.0, 1.0)})
    steps = solver.iterate(curve, [3.0, 0.5, 0.9, 0.0])
    first = next(steps)
    assert first.x.shape == first.gradient.shape == (4,)
    assert first.x[3] == 3 * first.x[1]
    again = pickle.loads(pickle.dumps(steps))
    assert [s.cost for s in again] == [s.cost for s in steps]
    assert (again.result.x == steps.result.x).all()
    history = solver.solve(curve, [3.0, 0.5, 0.9, 0.0], history=True).history
    assert history is not None
    assert history.x.shape[1] == 4
    assert problem is not None
    assert start is not None


@pytest.mark.parametrize("text", ["floor(2.5)*a <= 4", "where(2 > 1, a, b) <= 2", "a**1 <= 2"])
def test_operations_on_constants_are_linear(text: str) -> None:
    problem = lmoo.CurveProblem(model, T, data(1))
    found = lmoo.Solver(constraints=[text]).solve(problem, [1.5, 0.5, 1.5, 1.5])
    expected = lmoo.Solver(constraints=["a <= 2"]).solve(problem, [1.5, 0.5, 1.5, 1.5])
    np.testing.assert_allclose(found.x, expected.x, rtol=1e-6)
