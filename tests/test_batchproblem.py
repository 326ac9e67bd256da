"""solve_many: problems of one kind, the same as one by one."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from processes import processes

import lmoo

Array = NDArray[np.float64]

T = np.linspace(0.0, 3.0, 15)


class Decays(lmoo.BatchProblem):
    parameter_names = ("amplitude", "rate")

    def __init__(self, y: Array) -> None:
        self.y = y

    def residual(self, x: Array, which: NDArray[np.intp]) -> Array:
        return x[:, :1] * np.exp(-x[:, 1:] * T) - self.y[which]


class WithDerivatives(Decays):
    def jacobian(self, x: Array, which: NDArray[np.intp]) -> Array:
        e = np.exp(-x[:, 1:] * T)
        return np.stack([e, -x[:, :1] * T * e], axis=2)


def data(count: int) -> Array:
    rng = np.random.default_rng(count)
    clean = 2.0 * np.exp(-rng.uniform(0.5, 2.0, (count, 1)) * T)
    return np.asarray(clean + 0.01 * rng.standard_normal((count, T.size)))


@pytest.mark.parametrize("kind", [Decays, WithDerivatives])
def test_the_same_bits_as_one_by_one(kind: type[Decays]) -> None:
    problem = kind(data(60))
    fits = lmoo.solve_many(problem, np.ones((60, 2)))
    assert fits.success.all()
    none = np.zeros(1, dtype=np.intp)
    for k in range(0, 60, 7):
        jacobian = None
        if kind is WithDerivatives:
            jacobian = lambda x: WithDerivatives.jacobian(problem, x[None], none)[0]  # type: ignore  # noqa: E731
        single = lmoo.FunctionProblem(
            lambda x, k=k: problem.residual(x[None], none + k)[0], jacobian
        )
        one = lmoo.Solver().solve(single, [1.0, 1.0])
        np.testing.assert_array_equal(one.x, fits.x[k])
        assert (one.nfev, one.njev) == (fits.nfev[k], fits.njev[k])
        np.testing.assert_array_equal(fits[k].x, one.x)
        np.testing.assert_array_equal(fits[k].residual, one.residual)
    assert fits[0].parameter_names == ("amplitude", "rate")


def test_any_stack_threads_and_processes() -> None:
    problem = Decays(data(3000))
    expected = lmoo.solve_many(problem, np.ones((3000, 2)))
    stacked = lmoo.solve_many(problem, np.ones((30, 100, 2)), threads=2)
    np.testing.assert_array_equal(stacked.x.reshape(-1, 2), expected.x)
    with processes(1) as executor:
        there = lmoo.solve_many(problem, np.ones((3000, 2)), executor=executor)
    np.testing.assert_array_equal(there.x, expected.x)
    assert lmoo.solve_many(problem, np.ones((0, 2))).x.shape == (0, 2)


class Fails(Decays):
    def residual(self, x: Array, which: NDArray[np.intp]) -> Array:
        if 7 in which:
            raise FloatingPointError("seven")
        return super().residual(x, which)


def test_what_fails_is_named_and_spoils_no_other() -> None:
    problem = Fails(data(20))
    with pytest.raises(lmoo.EvaluationError, match=r"seven.* 7"):
        lmoo.solve_many(problem, np.ones((20, 2)))
    fits = lmoo.solve_many(problem, np.ones((20, 2)), errors="record")
    assert list(fits.errors) == [7]
    assert fits.status[7] == lmoo.Status.RAISED
    assert fits.success.sum() == 19


# ---- compiled problems ----------------------------------------------------------------------

DOUBLES = ctypes.POINTER(ctypes.c_double)
SIGNATURE = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_ssize_t, ctypes.c_ssize_t, DOUBLES, DOUBLES, ctypes.c_void_p
)


@SIGNATURE
def distances(m: int, n: int, x: Any, f: Any, data: int) -> int:
    """A line through the m numbers that are the data; a bad point where its slope is above 100."""
    y = ctypes.cast(data, DOUBLES)
    if x[1] > 100.0:
        return -3 if y[0] == 7.0 else 1
    for i in range(m):
        f[i] = x[0] + x[1] * i - y[i]
    return 0


def test_a_compiled_problem_with_data_of_each() -> None:
    rng = np.random.default_rng(3)
    y = rng.standard_normal((150, 6))
    problem = lmoo.CFunctionProblem(distances, m=6, n=2)
    # The last derivatives are then central differences.
    solver = lmoo.Solver(xtol=1e-13)
    fits = lmoo.solve_many(problem, np.ones((150, 2)), data=y, solver=solver)
    slopes = np.polyfit(np.arange(6.0), y.T, 1)
    np.testing.assert_allclose(fits.x, slopes[::-1].T, rtol=1e-9, atol=1e-10)
    for k in range(0, 150, 11):
        one = lmoo.CFunctionProblem(distances, m=6, n=2, user_data=y[k])
        single = solver.solve(one, [1.0, 1.0])
        np.testing.assert_array_equal(single.x, fits.x[k])
        np.testing.assert_array_equal(single.residual, fits[k].residual)
        assert (single.nfev, single.njev) == (fits.nfev[k], fits.njev[k])
    data = y.reshape(10, 15, 6)
    again = lmoo.solve_many(problem, np.ones((10, 15, 2)), data=data, solver=solver, threads=1)
    np.testing.assert_array_equal(again.x.reshape(-1, 2), fits.x)


def test_a_result_of_a_compiled_problem_with_data_of_each_knows_its_problem() -> None:
    y = np.random.default_rng(3).standard_normal((5, 6))
    problem = lmoo.CFunctionProblem(distances, m=6, n=2)
    fits = lmoo.solve_many(problem, np.ones((5, 2)), data=y)
    one = lmoo.CFunctionProblem(distances, m=6, n=2, user_data=y[3])
    right, result = lmoo.Solver().solve(one, [1.0, 1.0]), fits[3]
    np.testing.assert_allclose(result.jacobian(), right.jacobian(), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(result.leverage, right.leverage, rtol=1e-8)
    np.testing.assert_allclose(
        result.confidence_interval(method="profile"),
        right.confidence_interval(method="profile"),
        rtol=1e-6,
    )
    with pytest.raises(lmoo.EvaluationError, match="residual returned 1"):
        result.problem.residual(np.array([1.0, 101.0]))


def test_one_compiled_problem_from_many_starts() -> None:
    problem = lmoo.models.Exponential().problem(T, 2.0 * np.exp(-0.7 * T) + 0.1)
    starts = np.random.default_rng(1).uniform(0.5, 1.5, (20, 3))
    fits = lmoo.solve_many(problem, starts)
    np.testing.assert_allclose(fits.x, np.tile([2.0, 0.7, 0.1], (20, 1)), rtol=1e-7)


def test_compiled_functions_that_end_a_fit() -> None:
    y = np.random.default_rng(3).standard_normal((30, 6))
    y[4, 0] = 7.0
    start = np.ones((30, 2))
    start[4:6, 1] = 1000.0
    problem = lmoo.CFunctionProblem(distances, m=6, n=2)
    with pytest.raises(lmoo.EvaluationError, match=r"returned -3.* 4"):
        lmoo.solve_many(problem, start, data=y)
    fits = lmoo.solve_many(problem, start, data=y, errors="record")
    assert list(fits.errors) == [4]
    assert fits.status[4] == lmoo.Status.RAISED
    assert fits.status[5] == lmoo.Status.NOT_FINITE
    assert fits.success.sum() == 28


def test_bad_data_are_named() -> None:
    problem = lmoo.CFunctionProblem(distances, m=6, n=2)
    start = np.ones((4, 2))
    with pytest.raises(ValueError, match=r"data must be numbers with a row for each problem"):
        lmoo.solve_many(problem, start, data=np.ones((3, 6)))
    with pytest.raises(TypeError, match="data must be None but for a CFunctionProblem"):
        lmoo.solve_many(Decays(data(4)), start, data=np.ones((4, 6)))
    with pytest.raises(ValueError, match="x0 must have the problem's 2 parameters; it has 3"):
        lmoo.solve_many(problem, np.ones((4, 3)), data=np.ones((4, 6)))


class Shapes(Decays):
    def residual(self, x: Array, which: NDArray[np.intp]) -> Any:
        return super().residual(x, which)[: max(len(which) - 1, 1)]


class Mixes(Decays):
    def residual(self, x: Array, which: NDArray[np.intp]) -> Any:
        found = super().residual(x, which)
        return found - found.mean()


def test_bad_arguments_are_named() -> None:
    problem = Decays(data(4))
    start = np.ones((4, 2))
    with pytest.raises(TypeError, match=r"problem must be a BatchProblem.* it is None$"):
        lmoo.solve_many(None, start)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"x0 must have a row for each problem"):
        lmoo.solve_many(problem, [1.0, 1.0])
    with pytest.raises(ValueError, match="x0 must be finite"):
        lmoo.solve_many(problem, start * np.nan)
    with pytest.raises(ValueError, match="errors must be 'raise' or 'record'"):
        lmoo.solve_many(problem, start, errors="ignore")
    with pytest.raises(ValueError, match=r"residual must return shape \(3, 15\) for r = 3 points"):
        lmoo.solve_many(Shapes(data(4)), start)
    with pytest.raises(ValueError, match="residual must return rows that depend on their own"):
        lmoo.solve_many(Mixes(data(4)), start)
    with pytest.raises(NotImplementedError, match="BatchProblem must define residual"):
        lmoo.solve_many(lmoo.BatchProblem(), start)


def test_single_problems_are_not_many() -> None:
    t = np.arange(4.0)
    curve = lmoo.CurveProblem(lambda t, a, b: a + b * t, t, t)
    blocks = lmoo.CurveBlocks(lambda t, a, b: a + b * t, t, t)
    function = lmoo.FunctionProblem(lambda x: x)
    for problem in (curve, blocks, function, lmoo.JointProblem([curve, curve], ["b"])):
        kind = type(problem).__name__
        with pytest.raises(TypeError, match=rf"^problem must be .* a {kind} is a single problem: "):
            lmoo.solve_many(problem, np.ones((3, 2)))  # type: ignore[arg-type]


def test_many_problems_are_not_one() -> None:
    with pytest.raises(TypeError, match=r"^problem must be a single one, and a Decays has many: "):
        lmoo.Solver().solve(Decays(data(4)), [1.0, 1.0])
    with pytest.raises(TypeError, match="a Decays has many"):
        lmoo.JointProblem([Decays(data(4))], [])
