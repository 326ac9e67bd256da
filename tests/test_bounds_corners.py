"""Corners of boxes and of double precision: a solve must neither fail nor succeed falsely."""

import numpy as np
import pytest

import lmoo
from lmoo import FunctionProblem, Solver
from lmoo._core import kernels


@pytest.mark.parametrize("ulps", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("rows", [1, 4])
def test_a_start_next_to_its_bound(rows: int, ulps: int) -> None:
    t = np.arange(1.0, rows + 1.0)
    problem = FunctionProblem(lambda x: x[0] * t + 3.0 * np.cos(9.0 * t) - 9.0 * t)
    result = Solver(bounds=(0, 1)).solve(problem, [1.0 - ulps * 2**-53])
    assert result.success
    assert result.active_mask.tolist() == [1]


@pytest.mark.parametrize("step", [lmoo.More(), lmoo.Nielsen()], ids=repr)
def test_a_rate_that_runs_away_beside_a_bound_is_undetermined(step: lmoo.Step) -> None:
    # The first point alone is above the bound of the offset: the faster the decay the better.
    t = np.linspace(0, 4, 14)
    y = -np.ones(14)
    y[0] = 0.3

    def f(x: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore"):
            return np.asarray(x[0] * np.exp(-x[1] * t) + x[2] - y)

    problem = FunctionProblem(f)
    for options in ({"fixed": {2: -0.8}}, {"bounds": {2: (-0.8, None)}}):
        result = Solver(step=step, **options).solve(problem, [1, 1, -0.5])
        np.testing.assert_allclose(result.cost, 0.5 * 13 * 0.2**2, rtol=1e-9)
        assert result.success
        assert "x[1]" in result.undetermined


@pytest.mark.parametrize("k", [1.0, 1.005, 1.05, 1.2, 1.5])
def test_steps_on_word_that_do_not_contract(k: float) -> None:
    problem = FunctionProblem(
        lambda x: np.array([x[0] - 1.0, 1.0 + k * (x[0] - 1.0) ** 2 / 2]),
        lambda x: np.array([[1.0], [k * (x[0] - 1.0)]]),
    )
    result = Solver().solve(problem, [0.5])
    assert result.success
    assert result.nfev < 200
    np.testing.assert_allclose(result.x, 1.0, rtol=1e-7)


@pytest.mark.parametrize("analytic", [False, True])
@pytest.mark.parametrize("t0", [1e3, 2.45e6, 1e9])
def test_a_fixed_parameter_does_not_loosen_the_tests(t0: float, analytic: bool) -> None:
    t = np.linspace(0, 4, 20) + t0
    y = 2.5 * np.exp(-1.3 * (t - t0)) + 0.5 + 0.01 * np.random.default_rng(0).normal(size=20)

    def f(x: np.ndarray) -> np.ndarray:
        return x[0] * np.exp(-x[1] * (t - x[3])) + x[2] - y

    def jacobian(x: np.ndarray) -> np.ndarray:
        e = np.exp(-x[1] * (t - x[3]))
        return np.column_stack([e, -x[0] * (t - x[3]) * e, np.ones(20), x[0] * x[1] * e])

    alone = Solver().solve(FunctionProblem(lambda x: f(np.array([*x, t0]))), [1, 1, 0])
    held = Solver(fixed=[3]).solve(
        FunctionProblem(f, jacobian if analytic else None), [1, 1, 0, t0]
    )
    assert held.success
    np.testing.assert_allclose(held.x[:3], alone.x, rtol=1e-8)


@pytest.mark.parametrize("step", [lmoo.More(), lmoo.Nielsen()], ids=repr)
def test_a_bound_with_a_value_and_no_slope(step: lmoo.Step) -> None:
    def slope(x: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            return np.array([0.5 / np.sqrt(x), [0.0]])

    problem = FunctionProblem(
        lambda x: np.array([np.sqrt(x[0]) - 1e-3, 0.0]), slope, bounds=(0.0, 1.0)
    )
    result = Solver(step=step).solve(problem, [0.1])
    assert result.success
    np.testing.assert_allclose(result.x, 1e-6, rtol=1e-6)


@pytest.mark.parametrize("strategy", [None, lmoo.CentralDifference()], ids=repr)
@pytest.mark.parametrize("phase", range(8))
def test_a_parameter_without_a_slope_at_its_bound_by_differences(
    phase: int, strategy: object
) -> None:
    t = np.linspace(0.0, 2.0, 12)
    y = 1.0 - 0.5 * t + 0.01 * np.cos(9.0 * t + phase)
    problem = FunctionProblem(lambda x: x[0] + x[1] ** 2 * t - y)
    result = Solver(bounds={1: (0.0, None)}, jacobian=strategy).solve(problem, [1.0, 0.5])
    assert result.success
    assert result.x[1] == 0.0


@pytest.mark.parametrize("start", [1.0, 1.0 + 2**-52])
def test_central_differences_in_the_narrowest_box(start: float) -> None:
    problem = FunctionProblem(lambda x: np.array([x[0] - 2.0, 1.0]))
    solver = Solver(bounds=(1.0, 1.0 + 2**-52), jacobian=lmoo.CentralDifference())
    # One rounding error wide: differences show nothing but rounding, and x stays.
    result = solver.solve(problem, [start])
    assert result.success
    assert 1.0 <= result.x[0] <= 1.0 + 2**-52


def test_no_point_that_is_not_finite_is_asked_for() -> None:
    t = np.linspace(0, 4, 16)
    rng = np.random.default_rng(0)
    for _ in range(40):
        y = rng.normal() * np.exp(-rng.uniform(0.2, 3) * t) + 0.05 * rng.normal(size=16)
        y[0] += rng.normal()
        x0 = np.array(
            [rng.normal() * 3, rng.normal() * 3, rng.uniform(0.2, 3), 10 ** rng.uniform(0, 3)]
        )
        seen = []

        def f(x: np.ndarray, seen: list = seen, y: np.ndarray = y) -> np.ndarray:
            seen.append(x.copy())
            return x[0] * np.exp(-x[2] * t) + x[1] * np.exp(-x[3] * t) - y

        def jacobian(x: np.ndarray) -> np.ndarray:
            a, b = np.exp(-x[2] * t), np.exp(-x[3] * t)
            return np.column_stack([a, b, -x[0] * t * a, -x[1] * t * b])

        with np.errstate(all="ignore"):
            Solver().solve(FunctionProblem(f, jacobian), x0)
        assert np.isfinite(seen).all()


def test_lmpar_near_underflow() -> None:
    par, x = kernels.lmpar(
        np.array([[1, 0.3], [0, 1e-310]]), np.array([0, 1]), np.ones(2), np.full(2, 1e-3), 1e-5, 0.0
    )
    assert np.isfinite(par)
    assert np.isfinite(x).all()
