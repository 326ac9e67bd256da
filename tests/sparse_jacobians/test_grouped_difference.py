"""`GroupedDifference`: counts, accuracy, bounds, losses, and patterns that are wrong."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from sparse_cases import Array, Counting, chained, chained_jacobian, chained_pattern

import lmoo
from lmoo import GroupedDifference, Solver

N = 40
START = np.linspace(0.4, 1.6, N)


def kinds() -> list[Any]:
    """Return a pattern as an array and, where scipy is installed, as a sparse one."""
    found: list[Any] = [chained_pattern(N)]
    try:
        from scipy.sparse import csr_array
    except ImportError:
        return found
    return [*found, csr_array(chained_pattern(N))]


@pytest.mark.parametrize("pattern", kinds(), ids=["dense", "sparse"][: len(kinds())])
@pytest.mark.parametrize("central", [False, True])
def test_a_jacobian_takes_one_call_for_each_group(pattern: Any, central: bool) -> None:
    calls = 0

    def residual(x: Array) -> Array:
        nonlocal calls
        calls += 1
        return chained(x)

    strategy = GroupedDifference(pattern, central, refine=False, check=False)
    result = Solver(jacobian=strategy).solve(lmoo.FunctionProblem(residual), START)
    assert result.success
    np.testing.assert_allclose(result.x, 1.0, rtol=1e-7)
    assert calls == result.nfev
    assert len(strategy.groups) == 2
    each = 2 * len(strategy.groups) if central else len(strategy.groups)
    # Each iteration evaluates a trial point; intervals are measured again in a few Jacobians.
    assert result.nfev <= 1 + result.nit + (each + 2) * result.njev


@pytest.mark.parametrize("loss", ["linear", "huber", "cauchy"])
@pytest.mark.parametrize(
    "options", [{}, {"bounds": (-np.inf, 0.9)}, {"fixed": {3: 0.7}}], ids=["", "bounds", "fixed"]
)
@pytest.mark.parametrize("pattern", kinds(), ids=["dense", "sparse"][: len(kinds())])
def test_it_gives_the_solutions_of_exact_derivatives(
    pattern: Any, options: dict[str, Any], loss: str
) -> None:
    start = np.minimum(START, 0.9)
    options = {"loss": loss, "f_scale": 0.5, **options}
    exact = Solver(**options).solve(lmoo.FunctionProblem(chained, chained_jacobian), start)
    found = Solver(jacobian=GroupedDifference(pattern), **options).solve(
        lmoo.FunctionProblem(chained), start
    )
    assert found.success
    np.testing.assert_allclose(found.x, exact.x, rtol=1e-6)
    np.testing.assert_allclose(found.cost, exact.cost, rtol=1e-9, atol=1e-18)
    np.testing.assert_allclose(found.standard_errors, exact.standard_errors, rtol=1e-4, atol=1e-12)


@pytest.mark.parametrize("kind", ["csr_array", "array"])
@pytest.mark.parametrize("options", [{}, {"loss": "huber", "f_scale": 0.01}])
def test_a_compiled_problem(kind: str, options: dict[str, Any]) -> None:
    sparse = pytest.importorskip("scipy.sparse")
    t = np.linspace(0.0, 4.0, 30)
    y = 2.5 * np.exp(-1.3 * t) + 0.5 + 0.01 * np.cos(9.0 * t)
    problem = lmoo.models.Exponential().problem(t, y)
    pattern = np.ones((30, 3)) if kind == "array" else sparse.csr_array(np.ones((30, 3)))
    found = Solver(jacobian=GroupedDifference(pattern), **options).solve(problem, [2.0, 1.0, 0.4])
    wanted = Solver(**options).solve(problem, [2.0, 1.0, 0.4])
    assert found.success
    np.testing.assert_allclose(found.x, wanted.x, rtol=1e-7)
    np.testing.assert_allclose(found.standard_errors, wanted.standard_errors, rtol=1e-5)


@pytest.mark.parametrize("central", [False, True])
def test_all_points_are_within_the_bounds(central: bool) -> None:
    lower, upper = np.full(N, 0.2), np.linspace(0.7, 1.4, N)

    def residual(x: Array) -> Array:
        assert (x >= lower).all()
        assert (x <= upper).all()
        return chained(x)

    strategy = GroupedDifference(chained_pattern(N), central)
    start = np.where(np.arange(N) % 2 == 0, lower, upper)
    result = Solver(jacobian=strategy, bounds=(lower, upper)).solve(
        lmoo.FunctionProblem(residual), start
    )
    assert result.success


def test_the_jacobian_is_as_accurate_as_that_of_forward_differences() -> None:
    scales = 10.0 ** np.linspace(-4, 4, N)

    def residual(x: Array) -> Array:
        return chained(x / scales)

    found = {}
    for name, strategy in {
        "grouped": GroupedDifference(chained_pattern(N), refine=False),
        "forward": lmoo.ForwardDifference(refine=False),
    }.items():
        steps = Solver(jacobian=strategy).iterate(lmoo.FunctionProblem(residual), START * scales)
        for _ in range(3):
            next(steps)
        exact = chained_jacobian(steps.result.x / scales) / scales
        jacobian = steps._loop.rows_at_end()[0]
        found[name] = float(
            (np.linalg.norm(jacobian - exact, axis=0) / np.linalg.norm(exact, axis=0)).max()
        )
    assert found["grouped"] < 1e-6
    assert found["grouped"] <= 10.0 * found["forward"]


@pytest.mark.parametrize("pattern", kinds(), ids=["dense", "sparse"][: len(kinds())])
@pytest.mark.parametrize("place", [(7, 7), (7, 8), (N - 1 + 5, 5), (0, 0)])
def test_a_missing_entry_is_named(pattern: Any, place: tuple[int, int]) -> None:
    pattern = pattern.copy()
    pattern[place] = 0
    problem = lmoo.FunctionProblem(chained)
    message = rf"pattern has no entry \({place[0]}, {place[1]}\).* x\[{place[1]}\]$"
    with pytest.raises(ValueError, match=message):
        Solver(jacobian=GroupedDifference(pattern)).solve(problem, START)
    # Which can be left out on purpose.
    Solver(jacobian=GroupedDifference(pattern, check=False), maxfev=20).solve(problem, START)


def test_curvature_kinks_and_noise_are_no_missing_entries() -> None:
    rng = np.random.default_rng(0)

    def kinks(x: Array) -> Array:
        return np.append(np.abs(x[1:] - x[:-1]) + np.maximum(x[1:], x[:-1]), 0.1 * x)

    def curved(x: Array) -> Array:
        with np.errstate(over="ignore"):
            return np.append(np.exp(5.0 * x[1:] * x[:-1]) - 2.0, 0.1 * x)

    def noisy(x: Array) -> Array:
        f = curved(x)
        return np.asarray(f * (1.0 + 1e-9 * rng.standard_normal(f.size)))

    pattern = np.concatenate([np.eye(9, 10) + np.eye(9, 10, k=1), np.eye(10)])
    for function in (kinks, curved, noisy):
        for start in (np.ones(10), np.zeros(10), np.linspace(-1, 1, 10)):
            Solver(jacobian=GroupedDifference(pattern), maxfev=60).solve(
                lmoo.FunctionProblem(function), start
            )


def test_a_bad_point_is_avoided() -> None:
    def residual(x: Array) -> Array:
        if (x > 3.0).any():
            raise lmoo.EvaluationError("outside")
        return np.asarray(x**2 - np.arange(1.0, 9.0))

    result = Solver(jacobian=GroupedDifference(np.eye(8))).solve(
        lmoo.FunctionProblem(residual), np.full(8, 3.0)
    )
    assert result.success
    np.testing.assert_allclose(result.x, np.sqrt(np.arange(1.0, 9.0)), rtol=1e-9)


def test_more_entries_than_needed_change_nothing_but_the_count() -> None:
    problem = Counting(6)
    pattern = problem.dense(problem.start) != 0
    tight = Solver(jacobian=GroupedDifference(pattern)).solve(problem, problem.start)
    full = Solver(jacobian=GroupedDifference(np.ones_like(pattern))).solve(problem, problem.start)
    np.testing.assert_allclose(full.x, tight.x, rtol=1e-8)
    assert tight.nfev < full.nfev


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((2 * N - 2, N + 1), r"a column for each of the 40 parameters; its shape is \(78, 41\)"),
        ((N, N), r"pattern must have shape \(78, 40\), residuals by parameters; it has \(40, 40\)"),
    ],
)
def test_the_shape_is_checked(shape: tuple[int, int], message: str) -> None:
    solver = Solver(jacobian=GroupedDifference(np.ones(shape)))
    with pytest.raises(ValueError, match=message):
        solver.solve(lmoo.FunctionProblem(chained), START)


def test_relations_of_parameters_refuse_it() -> None:
    problem = Counting(2)
    solver = Solver(
        jacobian=GroupedDifference(problem.dense(problem.start) != 0), ties={"a1": "2*a0"}
    )
    with pytest.raises(ValueError, match="jacobian must not be a GroupedDifference with ties"):
        solver.solve(problem, dict(zip(problem.parameter_names or (), problem.start, strict=True)))


def test_strategies_are_compared_hashed_and_pickled() -> None:
    one = GroupedDifference(chained_pattern(4))
    other = pickle.loads(pickle.dumps(one))
    assert one == other
    assert hash(one) == hash(other)
    assert one != GroupedDifference(chained_pattern(5))
    assert one != GroupedDifference(chained_pattern(4), central=True)
    assert "9 entries in 6 rows and 4 columns" in repr(one)


@pytest.mark.parametrize("options", [{"epsfcn": 2.0}, {"typical": -1.0}])
def test_bad_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        GroupedDifference(chained_pattern(4), **options)


@pytest.mark.parametrize("empty", [0, 1, 2])
def test_a_column_without_entries_is_noticed(empty: int) -> None:
    def residual(x: Array) -> Array:
        return np.append(x - np.array([1.0, 2.0, 3.0]), x[1] * x[2] - 5.0)

    pattern = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 1, 1]])
    pattern[:, empty] = 0
    with pytest.raises(ValueError, match="pattern has no entry"):
        Solver(jacobian=GroupedDifference(pattern)).solve(
            lmoo.FunctionProblem(residual), [0.5, 0.7, 0.9]
        )
