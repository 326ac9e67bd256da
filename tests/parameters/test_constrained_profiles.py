"""Profile intervals of derived quantities where constraints are active."""

from typing import Any

import numpy as np
import pytest
import scipy.stats

import lmoo

T = np.linspace(0, 4, 40)


def model(t: Any, a: Any, b: Any, c: Any) -> Any:
    return a * np.exp(-b * t) + c


Y = model(T, 2.5, 1.3, 0.5) + 0.02 * np.random.default_rng(0).normal(size=40)


def profile(result: lmoo.Result, name: str) -> Any:
    return result.interval(name, method="profile")


def solve(**options: Any) -> lmoo.Result:
    problem = lmoo.CurveProblem(model, T, Y, sigma=0.02)
    return lmoo.Solver(**options).solve(problem, [1.5, 1.0, 0.5])


@pytest.mark.parametrize(
    "limit", [{"constraints": ["a <= 2"]}, {"bounds": {"a": (0, 2)}}, {"constraints": ["2*a <= 4"]}]
)
def test_intervals_end_at_active_constraints(limit: dict[str, Any]) -> None:
    result = solve(derived={"m": "a**2", "n": "3 - a"}, **limit)
    low, high = profile(result, "a")
    assert high == 2.0
    np.testing.assert_allclose(profile(result, "m"), (low**2, 4.0), rtol=1e-6)
    np.testing.assert_allclose(profile(result, "n"), (1.0, 3.0 - low), rtol=1e-6)


def test_intervals_of_combinations_that_a_constraint_holds() -> None:
    result = solve(constraints=["a + c <= 2.5"], derived={"s": "(a + c)**2", "u": "a + c"})
    low, high = profile(result, "u")
    assert high <= 2.5 * (1.0 + 1e-12)
    np.testing.assert_allclose(profile(result, "s"), (low**2, high**2), rtol=1e-6)


@pytest.mark.parametrize(
    ("options", "value"),
    [
        ({"derived": {"k": "3"}}, 3.0),
        ({"derived": {"k": "b + 1"}, "fixed": {"b": 1.3}}, 2.3),
        ({"derived": {"k": "b + 1"}, "ties": {"b": "1.3"}}, 2.3),
        ({"derived": {"k": "a + c"}, "constraints": ["a + c == 3"]}, 3.0),
    ],
)
def test_what_does_not_vary_has_no_width(options: dict[str, Any], value: float) -> None:
    result = solve(**options)
    np.testing.assert_allclose(profile(result, "k"), (value, value), rtol=1e-12)
    with pytest.raises(ValueError, match="k is"):
        result.profile("k")


def test_intervals_at_a_vertex_agree_with_solves_at_their_ends() -> None:
    limits = ["a + b <= 3", "a <= b + 1", "a - c <= 1.5", "b + c <= 1.6"]
    problem = lmoo.CurveProblem(model, T, Y, sigma=0.02)
    result = lmoo.Solver(constraints=limits).solve(problem, [1.1, 0.9, 0.4])
    assert result.related is not None
    assert len(result.related.active) == 3
    t = scipy.stats.t.ppf(0.975, result.degrees_of_freedom)
    variance = 2.0 * result.cost / result.degrees_of_freedom
    low, high = profile(result, "a")
    np.testing.assert_allclose(high, 2.0, rtol=1e-12)
    held = lmoo.Solver(constraints=limits, fixed={"a": low}).solve(problem, [low, 1.01, 0.5])
    np.testing.assert_allclose(2.0 * (held.cost - result.cost) / variance, t**2, rtol=1e-4)


@pytest.mark.parametrize("trace", [True, False])
def test_intervals_of_blocks_end_at_active_constraints(trace: bool) -> None:
    blocks = lmoo.CurveBlocks(model, T, Y, 16, 0.02, trace=trace)
    solver = lmoo.Solver(constraints=["a <= 2"], derived={"m": "a**2", "k": "3"})
    result = solver.solve(blocks, [1.5, 1.0, 0.5])
    low, high = profile(result, "a")
    assert profile(result, "k") == (3.0, 3.0)
    # The called function has no derivatives, and the row of m the weight of its size.
    near = 1e-6 if trace else 1e-4
    np.testing.assert_allclose(profile(result, "m"), (low**2, high**2), rtol=near)
