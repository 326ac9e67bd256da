"""A solve that reports success has found a minimum."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from ids import stable
from samples import T, Y, decay, decay_jacobian
from solver_problems import solve_decay

import lmoo
from lmoo import EvaluationError, FunctionProblem, Problem, Solver, Status

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


def is_minimum(result: lmoo.Result, problem: Sample, name: str = "") -> bool:
    """Whether the gradient is zero, or the residual beside the numbers that it is made of."""
    problem.columns = False
    J, f = problem.jacobian(result.x), result.residual
    size = float(np.linalg.norm(f))
    largest = float(np.abs(J * result.x).max())
    # The data are about 1.
    if size <= 1e-10 * (1.0 + np.linalg.norm(problem.y) + largest):
        return True
    # A column that changes f by less than its rounding is none, where the result says so.  Without
    # measured intervals that is seen only of a change of x by the root of machine epsilon.
    hidden = 1e-8 if name == "unrefined" else 1e-16
    names = problem.parameter_names or [f"x[{j}]" for j in range(J.shape[1])]
    lost = np.array([name in result.undetermined for name in names])
    J[:, lost & (np.linalg.norm(J, axis=0) * np.abs(result.x) < hidden * size)] = 0.0
    # Towards infinity reductions of 4e-7 are no progress, and the result names these parameters.
    if lost.any() and cosine(J[:, lost], f) > 1e-3:
        return False
    # Next to a pole the last digits of x, to xtol, are worth more than f.
    return cosine(J[:, ~lost], f) <= max(1e-4, 1e-10 * largest / size)


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
@pytest.mark.slow
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
    assert not result.success or is_minimum(result, problem, name)


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
    if result.success:
        assert result.cost <= least


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
