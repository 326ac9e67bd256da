"""Problems in compiled code: the same answers as in Python, and return codes."""

import ctypes
from typing import Any

import numpy as np
import pytest
from compiled_cases import FUNCTION, START, T, Y, decay, logarithm

import lmoo


class Decay(lmoo.Problem):
    """The same in Python, evaluated by the same functions."""

    def __init__(self, library: ctypes.CDLL, jacobian: bool) -> None:
        self.compiled = decay(library, jacobian)
        if jacobian:
            self.jacobian = self.compiled.jacobian  # type: ignore[method-assign]

    def residual(self, x: np.ndarray) -> np.ndarray:
        return self.compiled.residual(x)


@pytest.mark.parametrize("jacobian", [False, True])
def test_a_compiled_solve_is_that_of_the_same_problem_in_python(
    library: ctypes.CDLL, jacobian: bool
) -> None:
    mine = lmoo.Solver().solve(decay(library, jacobian), START)
    other = lmoo.Solver().solve(Decay(library, jacobian), START)
    np.testing.assert_array_equal(mine.x, other.x)
    np.testing.assert_array_equal(mine.residual, other.residual)
    np.testing.assert_array_equal(mine.covariance(), other.covariance())
    assert (mine.status, mine.nfev, mine.njev) == (other.status, other.nfev, other.njev)
    assert mine.success


@pytest.mark.parametrize("jacobian", [False, True])
def test_leastsq_on_a_compiled_problem(library: ctypes.CDLL, jacobian: bool) -> None:
    problem = decay(library, jacobian)
    mine = lmoo.leastsq(problem, START, full_output=True)
    dfun = problem.jacobian if jacobian else None
    other = lmoo.leastsq(problem.residual, START, Dfun=dfun, full_output=True)
    np.testing.assert_array_equal(mine[0], other[0])
    np.testing.assert_array_equal(mine[1], other[1])
    assert mine[2].keys() == other[2].keys()
    for key, value in other[2].items():
        np.testing.assert_array_equal(mine[2][key], value)
    assert mine[3:] == other[3:]
    x, ier = lmoo.leastsq(problem, START)
    np.testing.assert_array_equal(x, mine[0])
    assert ier == mine[4]


STRATEGIES = [
    lmoo.Analytic(),
    lmoo.ColumnMajor(),
    lmoo.ForwardDifference(),
    lmoo.ForwardDifference(typical=1.0, refine=False),
    lmoo.CentralDifference(),
]


@pytest.mark.parametrize("strategy", STRATEGIES, ids=repr)
def test_every_strategy_takes_compiled_problems(
    library: ctypes.CDLL, strategy: lmoo.Jacobian
) -> None:
    best = lmoo.Solver().solve(decay(library, True), START).x
    result = lmoo.Solver(jacobian=strategy).solve(decay(library, True), START)
    assert result.success
    np.testing.assert_allclose(result.x, best, rtol=1e-7)


def test_a_strategy_in_python_takes_compiled_problems(library: ctypes.CDLL) -> None:
    class Mine(lmoo.Jacobian):
        def evaluate(self, problem: Any, x: Any, f: Any, out: Any) -> int:
            assert np.array_equal(f, problem.residual(x))
            out[:] = problem.jacobian(x)
            return 2

    result = lmoo.Solver(jacobian=Mine()).solve(decay(library, True), START)
    assert result.success
    assert result.nfev == 1 + result.nit + 2 * result.njev


def test_a_strategy_in_python_that_raises_ends_a_compiled_solve(library: ctypes.CDLL) -> None:
    class Mine(lmoo.Jacobian):
        def evaluate(self, problem: Any, x: Any, f: Any, out: Any) -> int:
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        lmoo.Solver(jacobian=Mine()).solve(decay(library), START)


def test_complex_steps_are_refused(library: ctypes.CDLL) -> None:
    with pytest.raises(TypeError, match=r"ComplexStep .* complex x; .* CFunctionProblem"):
        lmoo.Solver(jacobian=lmoo.ComplexStep()).solve(decay(library), START)


def test_analytic_needs_a_jacobian(library: ctypes.CDLL) -> None:
    with pytest.raises(TypeError, match="must define jacobian"):
        lmoo.Solver(jacobian=lmoo.Analytic()).solve(decay(library), START)


def test_callbacks_iterations_and_check_jacobian(library: ctypes.CDLL) -> None:
    problem = decay(library, True)
    costs: list[float] = []
    result = lmoo.Solver().solve(problem, START, callback=lambda step: costs.append(step.cost))
    assert len(costs) == result.nit
    assert [step.cost for step in lmoo.Solver().iterate(problem, START)] == costs
    stopped = lmoo.Solver().solve(problem, START, callback=lambda step: step.iteration == 2)
    assert (stopped.status, stopped.nit) == (lmoo.Status.STOPPED, 2)
    assert lmoo.check_jacobian(problem, START)


def test_the_python_view_of_a_problem(library: ctypes.CDLL) -> None:
    problem = decay(library, True)
    x = np.array(START)
    np.testing.assert_allclose(problem.residual(x), np.exp(-T) - Y, rtol=1e-12, atol=1e-15)
    assert problem.jacobian(x).shape == (20, 3)
    assert (problem.m, problem.n, problem.provides_jacobian) == (20, 3, True)
    with pytest.raises(NotImplementedError, match="provides no jacobian"):
        decay(library).jacobian(x)
    with pytest.raises(ValueError, match=r"x must have shape \(3,\); it has \(2,\)"):
        problem.residual([1.0, 2.0])


def test_a_positive_code_refuses_the_step(library: ctypes.CDLL) -> None:
    # The Gauss-Newton step from 50 leads below zero.
    problem = logarithm(library, 3)
    result = lmoo.Solver(factor=100.0).solve(problem, [50.0])
    assert result.success
    assert result.x[0] == pytest.approx(np.e, rel=1e-9)
    x, ier = lmoo.leastsq(problem, [50.0])
    assert x[0] == pytest.approx(np.e, rel=1e-7)
    assert 1 <= ier <= 4


def test_a_negative_code_ends_the_solve(library: ctypes.CDLL) -> None:
    problem = logarithm(library, -7)
    with pytest.raises(lmoo.EvaluationError, match="returned -7") as caught:
        lmoo.Solver(factor=100.0).solve(problem, [50.0])
    assert caught.value.code == -7
    with pytest.raises(lmoo.EvaluationError, match="returned -7"):
        lmoo.leastsq(problem, [50.0])
    steps = lmoo.Solver(factor=100.0).iterate(problem, [50.0])
    with pytest.raises(lmoo.EvaluationError):
        list(steps)
    assert steps.result.x[0] == 50.0


def test_a_bad_starting_point(library: ctypes.CDLL) -> None:
    problem = logarithm(library, 1)
    with pytest.raises(lmoo.EvaluationError, match="the residual at x0 cannot be evaluated"):
        lmoo.Solver().solve(problem, [-1.0])
    x, cov_x, info, mesg, ier = lmoo.leastsq(problem, [-1.0], full_output=True)
    assert (x[0], cov_x, info["nfev"], ier) == (-1.0, None, 1, -1)
    assert "func cannot be evaluated at x0" in mesg
    with pytest.raises(lmoo.EvaluationError) as caught:
        problem.residual([-1.0])
    assert caught.value.code == 1


def test_values_that_are_not_finite_at_the_start(library: ctypes.CDLL) -> None:
    problem = lmoo.CFunctionProblem(FUNCTION(("not_finite", library)), 1, 1)
    with pytest.raises(lmoo.EvaluationError, match="entry 0 is -inf"):
        lmoo.Solver().solve(problem, [0.0])


def test_compiled_problems_that_share_a_parameter(library: ctypes.CDLL) -> None:
    """A C function with derivatives, one without, and a curve, with one rate."""
    parts = [decay(library, jacobian=True), decay(library), lmoo.models.Exponential().problem(T, Y)]
    for part in parts[:2]:
        part.parameter_names = ("a", "rate", "c")
    joint = lmoo.JointProblem(parts, ["rate"])
    result = lmoo.Solver().solve(
        joint, {"rate": 1.0, "a": 1.0, "c": 0.0, "amplitude": 1.0, "offset": 0.0}
    )
    single = lmoo.Solver().solve(parts[2], [1.0, 1.0, 0.0])
    # All three are the same data.
    np.testing.assert_allclose(result.x[0], single.x[1], rtol=1e-9)
    np.testing.assert_allclose(result.cost, 3 * single.cost, rtol=1e-12)
    for k in range(3):
        np.testing.assert_allclose(result.x[joint.indices[k]][0], single.x[0], rtol=1e-9)
        assert result.part(k).observations == 20
    np.testing.assert_allclose(joint.residual(result.x), result.residual, atol=1e-14)
