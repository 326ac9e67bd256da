"""The strategies for the Jacobian: what they evaluate, how good it is, what they refuse."""

from __future__ import annotations

import itertools
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from ids import stable
from samples import START, T, Y, decay, decay_jacobian, rosenbrock, rosenbrock_jacobian

import lmoo
from lmoo import EvaluationError, FunctionProblem, Problem, Solver, Status

EPS = 2.0**-52


class Recorder:
    """Calls what it wraps and keeps a copy of each x."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.points: list[np.ndarray] = []

    def __call__(self, x: np.ndarray, *args: Any) -> Any:
        self.points.append(np.array(x))
        return self.function(x, *args)


class Sparse(lmoo.Jacobian):
    """One evaluation gives all columns where each residual has a parameter of its own."""

    relative_error = 1e-7

    def evaluate(self, problem: Any, x: np.ndarray, f: np.ndarray, out: np.ndarray) -> int:
        h = 1e-7
        out[:] = np.diag((problem.residual(x + h) - f) / h)
        return 1


class Delegating(lmoo.Jacobian):
    """The problem's own, written in Python."""

    def evaluate(self, problem: Any, x: np.ndarray, f: np.ndarray, out: np.ndarray) -> None:
        out[:] = problem.jacobian(x)


NUMERIC = {
    "forward": lmoo.ForwardDifference(),
    "unrefined": lmoo.ForwardDifference(refine=False),
    "central": lmoo.CentralDifference(),
    "complex": lmoo.ComplexStep(),
}
EVERY_NUMERIC = pytest.mark.parametrize("strategy", NUMERIC.values(), ids=NUMERIC)


# ============================================================================ all of them


def columns_of(problem: Problem) -> FunctionProblem:
    return FunctionProblem(problem.residual, lambda x: np.asarray(problem.jacobian(x)).T)


@pytest.mark.parametrize(
    ("strategy", "rtol"),
    [
        (lmoo.Analytic(), 1e-12),
        (lmoo.ColumnMajor(), 1e-12),
        (Delegating(), 1e-12),
        (lmoo.ComplexStep(), 1e-12),
        (lmoo.ComplexStep(typical=1e5), 1e-12),
        (lmoo.CentralDifference(), 1e-7),
        (lmoo.CentralDifference(typical=2.0), 1e-7),
        (lmoo.ForwardDifference(), 1e-6),
        (lmoo.ForwardDifference(refine=False), 1e-5),
        (lmoo.ForwardDifference(epsfcn=1e-14), 1e-6),
        (lmoo.ForwardDifference(typical=[1.0, 2.0]), 1e-6),
    ],
    ids=stable,
)
def test_the_derivatives_are_right(strategy: lmoo.Jacobian, rtol: float) -> None:
    # The first record's gradient and the covariance are made of the Jacobian, and of it alone.
    problem = FunctionProblem(decay, decay_jacobian)
    given = columns_of(problem) if isinstance(strategy, lmoo.ColumnMajor) else problem
    steps: list[lmoo.IterationRecord] = []
    result = Solver(jacobian=strategy).solve(given, START, callback=steps.append)
    assert result.success
    start = np.array(START)
    np.testing.assert_allclose(
        steps[0].gradient, decay_jacobian(start).T @ decay(start), rtol=100 * rtol
    )
    J = decay_jacobian(result.x)
    np.testing.assert_allclose(
        result.covariance(scaled=False), np.linalg.inv(J.T @ J), rtol=max(10 * rtol, 1e-8)
    )
    minimum = Solver().solve(problem, START)
    np.testing.assert_allclose(result.x, minimum.x, rtol=1e-8)


def test_a_problem_with_a_jacobian_takes_analytic_one_without_forward_differences() -> None:
    for problem, strategy in (
        (FunctionProblem(decay, decay_jacobian), lmoo.Analytic()),
        (FunctionProblem(decay), lmoo.ForwardDifference()),
    ):
        chosen = Solver().solve(problem, START)
        named = Solver(jacobian=strategy).solve(problem, START)
        assert chosen.x.tobytes() == named.x.tobytes()
        assert (chosen.nfev, chosen.njev) == (named.nfev, named.njev)


@EVERY_NUMERIC
def test_a_numeric_strategy_leaves_the_problems_jacobian_alone(strategy: Any) -> None:
    record = Recorder(decay_jacobian)
    assert Solver(jacobian=strategy).solve(FunctionProblem(decay, record), START).success
    assert record.points == []


@EVERY_NUMERIC
def test_nfev_counts_what_the_differences_cost(strategy: Any) -> None:
    record = Recorder(rosenbrock)
    result = Solver(jacobian=strategy).solve(FunctionProblem(record), [-1.2, 1.0])
    assert result.success
    assert result.nfev == len(record.points)


@pytest.mark.parametrize(
    ("strategy", "columns"),
    [
        (lmoo.ForwardDifference(refine=False), 2),
        (lmoo.CentralDifference(), 4),
        (lmoo.ComplexStep(), 2),
        (lmoo.Analytic(), 0),
        (Delegating(), 0),
    ],
    ids=stable,
)
def test_what_a_jacobian_costs(strategy: Any, columns: int) -> None:
    problem = FunctionProblem(decay, decay_jacobian)
    result = Solver(jacobian=strategy).solve(problem, (1.5, 1.0))
    # The start, one for each trial point, and the columns.
    assert result.nfev == 1 + result.nit + columns * result.njev


@pytest.mark.parametrize(
    "strategy",
    [
        lmoo.Analytic(),
        lmoo.ColumnMajor(),
        lmoo.ForwardDifference(epsfcn=1e-10, typical=[1.0, 2.0], refine=False),
        lmoo.CentralDifference(epsfcn=1e-10, typical=3.0),
        lmoo.ComplexStep(typical=4.0),
        Sparse(),
    ],
    ids=lambda s: type(s).__name__,
)
def test_a_strategy_can_be_pickled(strategy: lmoo.Jacobian) -> None:
    twin = pickle.loads(pickle.dumps(strategy))
    assert type(twin) is type(strategy)
    if not isinstance(strategy, Sparse):
        assert repr(twin) == repr(strategy)
    given = FunctionProblem(lambda x: x**2 - np.array([1.0, 4.0]), lambda x: np.diag(2.0 * x))
    a, b = (Solver(jacobian=s).solve(given, [3.0, 3.0]) for s in (strategy, twin))
    assert a.x.tobytes() == b.x.tobytes()
    assert a.nfev == b.nfev


@pytest.mark.parametrize(
    ("strategy", "parts"),
    [
        (lmoo.Analytic(), ["Analytic()"]),
        (lmoo.ColumnMajor(), ["ColumnMajor()"]),
        (
            lmoo.ForwardDifference(epsfcn=1e-4, typical=3.0, refine=False),
            ["ForwardDifference(", "epsfcn=0.0001", "3.", "refine=False"],
        ),
        (
            lmoo.CentralDifference(epsfcn=1e-4, typical=[1.5, 2.5]),
            ["CentralDifference(", "epsfcn=0.0001", "1.5", "2.5"],
        ),
        (lmoo.ComplexStep(typical=7.5), ["ComplexStep(", "7.5"]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_repr_of_a_strategy_shows_its_options(strategy: Any, parts: list[str]) -> None:
    for part in parts:
        assert part in repr(strategy)


def test_a_strategy_serves_problems_of_different_sizes() -> None:
    strategy = lmoo.ForwardDifference(typical=1.0)
    solver = Solver(jacobian=strategy)
    for n in (1, 2, 5):
        goal = np.arange(1.0, n + 1.0)
        result = solver.solve(FunctionProblem(lambda x, goal: x - goal, args=(goal,)), np.zeros(n))
        np.testing.assert_allclose(result.x, goal, rtol=1e-9)


# ============================================================================ the problem's own


def test_analytic_needs_a_jacobian() -> None:
    for strategy in (lmoo.Analytic(), lmoo.ColumnMajor()):
        name = type(strategy).__name__
        with pytest.raises(TypeError, match=rf"problem must define jacobian\(x\) .* {name}"):
            Solver(jacobian=strategy).solve(FunctionProblem(decay), START)


SHAPES: dict[str, tuple[Callable[[np.ndarray], Any], str]] = {
    "transposed": (lambda J: J.T, r"shape \(2, 9\); it is transposed"),
    "a row short": (lambda J: J[1:], r"shape \(8, 2\)"),
    "a column short": (lambda J: J[:, :1], r"shape \(9, 1\)"),
    "a column more": (lambda J: np.column_stack([J, J[:, 0]]), r"shape \(9, 3\)"),
    "flat": (lambda J: J.ravel(), r"shape \(18,\)"),
    "three axes": (lambda J: J[None], r"shape \(1, 9, 2\)"),
    "scalar": (lambda J: 1.0, r"shape \(\)"),
    "empty": (lambda J: [], r"shape \(0,\)"),
    "None": (lambda J: None, r"dtype object"),
    "complex": (lambda J: J * 1j, r"dtype complex128"),
    "text": (lambda J: J.astype(str), r"dtype <U"),
    "ragged": (lambda J: [[1.0], [1.0, 2.0]], r"no array"),
}


@pytest.mark.parametrize(("spoil", "says"), SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("at", [1, 2])
@pytest.mark.parametrize("columns", [False, True])
def test_a_jacobian_of_the_wrong_shape_or_type_is_a_type_error(
    spoil: Any, says: str, at: int, columns: bool
) -> None:
    calls = itertools.count(1)

    def jacobian(x: np.ndarray) -> Any:
        J = decay_jacobian(x)
        value = spoil(J) if next(calls) == at else J
        return np.asarray(value).T if columns and isinstance(value, np.ndarray) else value

    if columns:
        # What is seen is the transpose of what the parameters say.
        says = says.replace(r"\(2, 9\)", r"\(9, 2\)").replace(r"\(8, 2\)", r"\(2, 8\)")
        says = says.replace(r"\(9, 1\)", r"\(1, 9\)").replace(r"\(9, 3\)", r"\(3, 9\)")
        says = says.replace(r"\(1, 9, 2\)", r"\(2, 9, 1\)")
    shape = r"\(2, 9\)" if columns else r"\(9, 2\)"
    strategy = lmoo.ColumnMajor() if columns else lmoo.Analytic()
    with pytest.raises(TypeError, match=rf"^jacobian .*must return .* shape {shape}; .*{says}"):
        Solver(jacobian=strategy).solve(FunctionProblem(decay, jacobian), START)


LAYOUTS: dict[str, Callable[[np.ndarray], Any]] = {
    "C": np.ascontiguousarray,
    "Fortran": np.asfortranarray,
    "strided": lambda J: np.repeat(np.repeat(J, 2, axis=0), 3, axis=1)[::2, ::3],
    "backwards": lambda J: J[::-1, ::-1].copy()[::-1, ::-1],
    "swapped": lambda J: J.astype(J.dtype.newbyteorder()),
    "list": lambda J: J.tolist(),
    "tuples": lambda J: tuple(map(tuple, J)),
    "longdouble": lambda J: J.astype(np.longdouble),
    "matrix of rows": lambda J: [np.array(row) for row in J],
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("columns", [False, True])
def test_a_jacobian_may_come_in_any_layout(layout: Any, columns: bool) -> None:
    def jacobian(x: np.ndarray) -> Any:
        J = decay_jacobian(x)
        return layout(J.T if columns else J)

    right = Solver().solve(FunctionProblem(decay, decay_jacobian), START)
    strategy = lmoo.ColumnMajor() if columns else lmoo.Analytic()
    result = Solver(jacobian=strategy).solve(FunctionProblem(decay, jacobian), START)
    assert result.x.tobytes() == right.x.tobytes()
    assert (result.nfev, result.njev) == (right.nfev, right.njev)


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("columns", [False, True])
def test_the_jacobian_for_one_parameter_may_be_flat(flat: bool, columns: bool) -> None:
    def jacobian(x: np.ndarray) -> np.ndarray:
        column = np.exp(-1.3 * T)
        return column if flat else column[None] if columns else column[:, None]

    problem = FunctionProblem(lambda x: x[0] * np.exp(-1.3 * T) - Y, jacobian)
    strategy = lmoo.ColumnMajor() if columns else lmoo.Analytic()
    e = np.exp(-1.3 * T)
    result = Solver(jacobian=strategy).solve(problem, [1.0])
    np.testing.assert_allclose(result.x, [e @ Y / (e @ e)], rtol=1e-12)


def test_the_jacobian_is_asked_for_at_x0_and_accepted_points() -> None:
    record, points = Recorder(rosenbrock_jacobian), [(-1.2, 1.0)]
    Solver().solve(
        FunctionProblem(rosenbrock, record),
        [-1.2, 1.0],
        callback=lambda step: points.append(tuple(step.x)) if step.accepted else None,
    )
    asked = [tuple(x) for x in record.points]
    # At the last point nobody may want one any more.
    assert asked in (points, points[:-1])


def test_integer_jacobians_are_numbers() -> None:
    A = np.array([[1, 2], [3, 4], [5, 7]])
    problem = FunctionProblem(lambda x: A @ x - np.array([1.0, 2.0, 3.0]), lambda x: A)
    result = Solver().solve(problem, [0.0, 0.0])
    right = np.linalg.lstsq(A, np.array([1.0, 2.0, 3.0]))[0]
    np.testing.assert_allclose(result.x, right, atol=1e-13)


# ============================================================================ differences


def steps_of(strategy: lmoo.Jacobian, x0: Any, residual: Any = None) -> np.ndarray:
    """The points of the first Jacobian less x0, a row an evaluation."""
    record = Recorder(residual or (lambda x: np.concatenate([x - 7.0, np.ones(1)])))
    Solver(jacobian=strategy, maxfev=1).solve(FunctionProblem(record), x0)
    x0 = np.array(x0, dtype=float)
    rows = [x - x0 for x in record.points[1:]]
    # A column may be taken again with another interval: those that each begins with.
    points = 2 if isinstance(strategy, lmoo.CentralDifference) else 1
    first: dict[int, list[np.ndarray]] = {}
    for row in rows:
        if np.count_nonzero(row) == 1:
            first.setdefault(int(np.flatnonzero(row)[0]), []).append(row)
    return np.array([row for j in sorted(first) for row in first[j][:points]])


@pytest.mark.parametrize("epsfcn", [None, 1e-14, 1e-10, 1e-6, 1e-3])
def test_the_step_of_forward_differences_is_root_epsfcn_times_x(epsfcn: float | None) -> None:
    x0 = [2.0, -3.0, 1e5]
    steps = steps_of(lmoo.ForwardDifference(epsfcn=epsfcn), x0)
    expected = np.diag(np.sqrt(epsfcn or EPS) * np.abs(x0))
    np.testing.assert_allclose(np.abs(steps), expected, rtol=1e-6)


@pytest.mark.parametrize("epsfcn", [None, 1e-12, 1e-6])
def test_the_step_of_central_differences_is_cube_root_epsfcn_times_x(
    epsfcn: float | None,
) -> None:
    x0 = [2.0, -3.0]
    steps = steps_of(lmoo.CentralDifference(epsfcn=epsfcn), x0)
    h = np.cbrt(epsfcn or EPS) * np.abs(x0)
    expected = np.array([[h[0], 0.0], [-h[0], 0.0], [0.0, h[1]], [0.0, -h[1]]])
    np.testing.assert_allclose(steps, expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("typical", "sizes"),
    [(0.5, [2.0, 3.0, 0.5]), ([1e6, 1.0, 1e-3], [1e6, 3.0, 1e-3]), (10, [10.0, 10.0, 10.0])],
    ids=stable,
)
@pytest.mark.parametrize("kind", [lmoo.ForwardDifference, lmoo.CentralDifference])
def test_typical_is_the_least_size_of_a_parameter(kind: Any, typical: Any, sizes: Any) -> None:
    steps = steps_of(kind(typical=typical), [2.0, -3.0, 1e-9])
    central = kind is lmoo.CentralDifference
    h = (np.cbrt(EPS) if central else np.sqrt(EPS)) * np.array(sizes)
    expected = np.diag(h)
    if central:
        expected = np.repeat(expected, 2, axis=0) * np.array([1.0, -1.0] * 3)[:, None]
    np.testing.assert_allclose(steps, expected, rtol=1e-6, atol=1e-20)


BAD_OPTIONS = [
    ({"typical": 0.0}, ValueError),
    ({"typical": -1.0}, ValueError),
    ({"typical": np.nan}, ValueError),
    ({"typical": np.inf}, ValueError),
    ({"typical": [1.0, 0.0]}, ValueError),
    ({"typical": [[1.0, 1.0]]}, ValueError),
    ({"typical": "a"}, (TypeError, ValueError)),
    ({"typical": 1j}, (TypeError, ValueError)),
    ({"typical": [1.0, None]}, (TypeError, ValueError)),
]
BAD_EPSFCN = [
    ({"epsfcn": 0.0}, ValueError),
    ({"epsfcn": -1e-9}, ValueError),
    ({"epsfcn": 1.0}, ValueError),
    ({"epsfcn": np.nan}, ValueError),
    ({"epsfcn": "small"}, (TypeError, ValueError)),
    ({"epsfcn": 1j}, (TypeError, ValueError)),
    ({"epsfcn": [1e-9]}, (TypeError, ValueError)),
]


@pytest.mark.parametrize(("options", "error"), BAD_OPTIONS, ids=stable)
@pytest.mark.parametrize("kind", [lmoo.ForwardDifference, lmoo.CentralDifference, lmoo.ComplexStep])
def test_bad_typical_is_named(kind: Any, options: Any, error: Any) -> None:
    with pytest.raises(error, match=r"^typical must be .*; it is "):
        kind(**options)


@pytest.mark.parametrize(("options", "error"), BAD_EPSFCN, ids=stable)
@pytest.mark.parametrize("kind", [lmoo.ForwardDifference, lmoo.CentralDifference])
def test_bad_epsfcn_is_named(kind: Any, options: Any, error: Any) -> None:
    with pytest.raises(error, match=r"^epsfcn must be .*; it is "):
        kind(**options)


@pytest.mark.parametrize("n", [1, 3])
@EVERY_NUMERIC
def test_typical_of_a_wrong_length_is_refused_with_both_lengths(strategy: Any, n: int) -> None:
    solver = Solver(jacobian=type(strategy)(typical=np.ones(n)))
    with pytest.raises(ValueError, match=rf"typical must have one entry .*, 2; it has {n}"):
        solver.solve(FunctionProblem(decay), START)


@pytest.mark.parametrize("side", [1.0, -1.0], ids=["above", "below"])
@pytest.mark.parametrize("x0", [2.0, -2.0])
def test_central_differences_use_the_side_that_is_good(side: float, x0: float) -> None:
    def residual(x: np.ndarray) -> np.ndarray:
        if side * (x[0] - x0) > 0.0:
            raise EvaluationError("the bad side")
        return np.array([np.exp(x[0] / 2.0), 1.0])

    steps: list[lmoo.IterationRecord] = []
    record = Recorder(residual)
    solver = Solver(jacobian=lmoo.CentralDifference(), maxfev=12)
    result = solver.solve(FunctionProblem(record), [x0], callback=steps.append)
    e = np.exp(x0 / 2.0)
    np.testing.assert_allclose(steps[0].gradient, [e * e / 2.0], rtol=1e-4)
    assert result.nfev == len(record.points)


def test_forward_differences_are_refined_before_the_end() -> None:
    # Exact to about eps^(2/3) then, where forward differences are wrong by eps^(1/2).
    J = decay_jacobian(Solver().solve(FunctionProblem(decay, decay_jacobian), START).x)
    right = np.linalg.inv(J.T @ J)

    def error(strategy: lmoo.Jacobian) -> float:
        result = Solver(jacobian=strategy).solve(FunctionProblem(decay), START)
        return float(np.abs(result.covariance(scaled=False) / right - 1.0).max())

    assert error(lmoo.ForwardDifference()) < 1e-8
    assert error(lmoo.ForwardDifference(refine=False)) < 1e-5


# ------------------------------------------------------------- parameters at and near zero

TINY = [1e-9, -1e-9, 1e-15, 1e-30, 1e-300, 5e-324, 0.0, -0.0]


@pytest.mark.parametrize("x0", TINY)
@pytest.mark.parametrize(
    "strategy",
    [
        None,
        lmoo.ForwardDifference(typical=1.0),
        lmoo.ForwardDifference(refine=False),
        lmoo.CentralDifference(),
        lmoo.CentralDifference(typical=[3.0]),
        lmoo.ComplexStep(),
    ],
    ids=stable,
)
def test_a_parameter_that_starts_near_zero_moves(x0: float, strategy: Any) -> None:
    result = Solver(jacobian=strategy).solve(FunctionProblem(lambda x: x - 3.0), [x0])
    assert result.success
    np.testing.assert_allclose(result.x, [3.0], rtol=1e-9)
    assert result.nfev <= 40


@pytest.mark.parametrize("x0", TINY)
@pytest.mark.parametrize("strategy", [None, lmoo.CentralDifference()], ids=stable)
def test_it_moves_in_company_too(x0: float, strategy: Any) -> None:
    result = Solver(jacobian=strategy).solve(FunctionProblem(decay), [1.5, x0])
    right = Solver().solve(FunctionProblem(decay, decay_jacobian), START)
    assert result.success
    np.testing.assert_allclose(result.x, right.x, rtol=1e-8)


def stationary(x: np.ndarray, seed: int) -> Callable[..., Any]:
    """A fit whose minimum is x to the last bits: its noise is orthogonal to the Jacobian there.

    y = x0 exp(-x1 t) + x2 + x3 t, and the noise has a standard deviation of 0.01.
    """
    t = np.linspace(0.0, 3.0, 30)

    def model(p: np.ndarray) -> np.ndarray:
        return p[0] * np.exp(-p[1] * t) + p[2] + p[3] * t

    e = np.exp(-x[1] * t)
    J = np.column_stack([e, -x[0] * t * e, np.ones_like(t), t])
    Q = np.linalg.qr(J)[0]
    noise = 0.01 * np.random.default_rng(seed).normal(size=t.size)
    noise -= Q @ (Q.T @ noise)
    y = model(x) - (noise - Q @ (Q.T @ noise))
    return lambda p: model(p) - y


def stationary_jacobian(p: np.ndarray) -> np.ndarray:
    t = np.linspace(0.0, 3.0, 30)
    e = np.exp(-p[1] * t)
    return np.column_stack([e, -p[0] * t * e, np.ones_like(t), t])


@pytest.mark.parametrize("end", [0.0, 1e-12, -1e-12, 1e-9, 1e-200], ids=stable)
@pytest.mark.parametrize("start", ["near", "zero", "far"])
@pytest.mark.parametrize(
    ("strategy", "rtol"),
    [
        (None, 1e-6),
        (lmoo.ForwardDifference(typical=1.0), 1e-6),
        (lmoo.ForwardDifference(refine=False), 1e-5),
        (lmoo.CentralDifference(), 1e-6),
        (lmoo.CentralDifference(typical=[2.0, 1.0, 1.0, 1.0]), 1e-6),
        (lmoo.ComplexStep(), 1e-6),
    ],
    ids=stable,
)
def test_a_parameter_that_ends_at_zero_has_the_right_standard_error(
    end: float, start: str, strategy: Any, rtol: float
) -> None:
    goal = np.array([2.0, 1.3, end, 0.5])
    residual = stationary(goal, 1)
    third = {"near": end, "zero": 0.0, "far": 0.7}[start]
    x0 = [1.7, 1.0, third, 0.4]
    right = Solver().solve(FunctionProblem(residual, stationary_jacobian), x0)
    np.testing.assert_allclose(right.x, goal, atol=1e-9)
    result = Solver(jacobian=strategy).solve(FunctionProblem(residual), x0)
    assert result.success
    assert (np.abs(result.x - goal) <= 1e-4 * right.standard_errors).all()
    np.testing.assert_allclose(result.standard_errors, right.standard_errors, rtol=rtol)
    assert result.rank == 4


@pytest.mark.parametrize("strategy", [None, lmoo.CentralDifference()], ids=stable)
def test_a_linear_parameter_that_is_exactly_zero_all_the_way(strategy: Any) -> None:
    # Symmetric data: the offset is 0 at the start, at every step and at the end.
    t = np.arange(-4.0, 5.0)
    noise = 0.1 * np.array([1.0, -2.0, 0.5, 1.5, -2.0, 1.5, 0.5, -2.0, 1.0])
    y = 2.0 * t + noise

    def residual(x: np.ndarray) -> np.ndarray:
        return x[0] + x[1] * t - y

    A = np.column_stack([np.ones_like(t), t])
    result = Solver(jacobian=strategy).solve(FunctionProblem(residual), [0.0, 1.0])
    right = Solver().solve(FunctionProblem(residual, lambda x: A), [0.0, 1.0])
    assert abs(result.x[0]) < 1e-8
    np.testing.assert_allclose(result.standard_errors, right.standard_errors, rtol=1e-7)


@pytest.mark.parametrize("unit", [1e-12, 1e-6, 1e6, 1e12], ids=stable)
@pytest.mark.parametrize("kind", [lmoo.ForwardDifference, lmoo.CentralDifference])
@pytest.mark.parametrize("start", [0.0, 1e-9, 1.0], ids=stable)
def test_typical_makes_any_unit_work_from_zero_on(unit: float, kind: Any, start: float) -> None:
    # The rate is of the order of unit; from 0 nobody could tell.
    def residual(p: np.ndarray) -> np.ndarray:
        return decay(np.array([p[0], p[1] / unit]))

    right = Solver().solve(FunctionProblem(decay, decay_jacobian), START)
    result = Solver(jacobian=kind(typical=[1.0, unit])).solve(
        FunctionProblem(residual), [1.0, start * unit]
    )
    assert result.success
    np.testing.assert_allclose(result.x, right.x * [1.0, unit], rtol=1e-7)
    np.testing.assert_allclose(
        result.standard_errors, right.standard_errors * [1.0, unit], rtol=1e-5
    )


@pytest.mark.parametrize("unit", [1e6, 1e12, 1e18], ids=stable)
@pytest.mark.parametrize("strategy", [None, lmoo.CentralDifference()], ids=stable)
def test_a_large_unit_without_typical_is_found_or_owned_up_to(unit: float, strategy: Any) -> None:
    # From 0, a step of 1e-8 is nothing to a parameter that ends at 3 units.
    def residual(p: np.ndarray) -> np.ndarray:
        return np.array([p[0] - 1.0, p[1] / unit - 3.0, p[0] + p[1] / unit - 4.5])

    result = Solver(jacobian=strategy).solve(FunctionProblem(residual), [0.5, 0.0])
    if "x[1]" in result.undetermined:
        assert result.rank == 1
        assert np.isinf(result.standard_errors[1])
    else:
        assert result.success
        np.testing.assert_allclose(result.x, [7.0 / 6.0, 19.0 / 6.0 * unit], rtol=1e-7)


# ============================================================================ complex steps


def test_complex_steps_are_tiny_and_otherwise_x_is_real() -> None:
    seen: list[np.ndarray] = []

    def residual(x: np.ndarray) -> np.ndarray:
        seen.append(x.copy())
        return decay(x)

    result = Solver(jacobian=lmoo.ComplexStep()).solve(FunctionProblem(residual), START)
    kinds = {x.dtype for x in seen}
    assert kinds == {np.dtype(np.float64), np.dtype(np.complex128)}
    for x in seen:
        if x.dtype.kind == "c":
            assert np.count_nonzero(x.imag) == 1
            assert 0.0 < x.imag.max() <= 1e-15
    assert sum(x.dtype.kind == "c" for x in seen) == 2 * result.njev


def test_complex_steps_are_exact_where_differences_cannot_be() -> None:
    # Beside 1e12 the parameter's share of the residual has four digits left; its slope has all.
    def residual(x: np.ndarray) -> np.ndarray:
        return np.array([1e12 + np.exp(x[0]) - 1e12, np.exp(x[0]) - 2.0])

    steps: list[lmoo.IterationRecord] = []
    problem = FunctionProblem(residual)
    Solver(jacobian=lmoo.ComplexStep()).solve(problem, [0.3], callback=steps.append)
    e, f = np.exp(0.3), residual(np.array([0.3]))
    np.testing.assert_allclose(steps[0].gradient, [e * (f[0] + f[1])], rtol=1e-13)


@pytest.mark.parametrize("typical", [1e-12, 1e12, [1e-12, 1e12]], ids=stable)
def test_typical_of_complex_steps_is_their_size(typical: Any) -> None:
    seen: list[np.ndarray] = []

    def residual(x: np.ndarray) -> np.ndarray:
        if x.dtype.kind == "c":
            seen.append(x.imag.copy())
        return decay(x)

    strategy = lmoo.ComplexStep(typical=typical)
    assert Solver(jacobian=strategy).solve(FunctionProblem(residual), START).success
    np.testing.assert_allclose(seen[0], [1e-20 * np.broadcast_to(typical, 2)[0], 0.0])
    np.testing.assert_allclose(seen[1], [0.0, 1e-20 * np.broadcast_to(typical, 2)[1]])


@pytest.mark.parametrize(
    "spoil",
    [np.real, np.abs, lambda f: f[:-1], lambda f: f[:, None], lambda f: None, lambda f: f[0]],
    ids=["real", "abs", "short", "2-D", "None", "scalar"],
)
def test_a_residual_that_is_no_complex_function_is_a_type_error(spoil: Any) -> None:
    def residual(x: np.ndarray) -> Any:
        return spoil(decay(x)) if x.dtype.kind == "c" else decay(x)

    with pytest.raises(TypeError, match=r"residual must return 9 complex numbers .*ComplexStep"):
        Solver(jacobian=lmoo.ComplexStep()).solve(FunctionProblem(residual), START)


def test_evaluations_that_refuse_a_complex_point_are_counted() -> None:
    calls = itertools.count(1)

    def residual(x: np.ndarray) -> np.ndarray:
        number = next(calls)
        if x.dtype.kind == "c" and 8 < number < 20:
            raise EvaluationError("not here")
        return rosenbrock(x)

    result = Solver(jacobian=lmoo.ComplexStep()).solve(FunctionProblem(residual), [-1.2, 1.0])
    assert result.success
    assert result.nfev == next(calls) - 1


# ============================================================================ one's own


def test_a_strategy_of_ones_own() -> None:
    record = Recorder(lambda x: x**2 - np.array([1.0, 4.0]))
    result = Solver(jacobian=Sparse()).solve(FunctionProblem(record), [3.0, 3.0])
    assert result.success
    np.testing.assert_allclose(result.x, [1.0, 2.0], rtol=1e-9)
    # One evaluation a Jacobian, one a trial point, one for the start.
    assert result.nfev == len(record.points) == 1 + result.nit + result.njev


def test_a_strategy_gets_the_problem_and_arrays_of_its_own() -> None:
    problem = FunctionProblem(decay, decay_jacobian)

    class Spoiling(lmoo.Jacobian):
        def evaluate(self, given: Any, x: np.ndarray, f: np.ndarray, out: np.ndarray) -> None:
            assert given is problem
            assert (x.dtype, x.shape, f.dtype, f.shape) == (np.float64, (2,), np.float64, (9,))
            assert (out.dtype, out.shape) == (np.float64, (9, 2))
            assert out.flags.f_contiguous
            assert out.flags.writeable
            np.testing.assert_array_equal(f, decay(x))
            out[:] = decay_jacobian(x)
            x.fill(np.nan)
            f.fill(np.nan)

    result = Solver(jacobian=Spoiling()).solve(problem, START)
    right = Solver().solve(problem, START)
    assert result.x.tobytes() == right.x.tobytes()
    assert result.residual.tobytes() == right.residual.tobytes()
    assert result.nfev == right.nfev


@pytest.mark.parametrize("cost", [None, 0, 1, 7, np.int64(7)], ids=stable)
def test_the_cost_that_a_strategy_returns_is_added_to_nfev(cost: Any) -> None:
    class Costly(Delegating):
        def evaluate(self, problem: Any, x: Any, f: Any, out: Any) -> Any:
            super().evaluate(problem, x, f, out)
            return cost

    problem = FunctionProblem(decay, decay_jacobian)
    result = Solver(jacobian=Costly()).solve(problem, START)
    assert result.nfev == 1 + result.nit + int(cost or 0) * result.njev


def test_the_cost_counts_against_maxfev() -> None:
    class Costly(Delegating):
        def evaluate(self, problem: Any, x: Any, f: Any, out: Any) -> int:
            super().evaluate(problem, x, f, out)
            return 100

    problem = FunctionProblem(rosenbrock, rosenbrock_jacobian)
    result = Solver(jacobian=Costly(), maxfev=300).solve(problem, [-1.2, 1.0])
    assert result.status is Status.MAXFEV


@pytest.mark.parametrize("cost", ["many", [1], 1j, object()], ids=lambda c: type(c).__name__)
def test_a_cost_that_is_no_number_is_an_error(cost: Any) -> None:
    class Odd(Delegating):
        def evaluate(self, problem: Any, x: Any, f: Any, out: Any) -> Any:
            super().evaluate(problem, x, f, out)
            return cost

    with pytest.raises((TypeError, ValueError)):
        Solver(jacobian=Odd()).solve(FunctionProblem(decay, decay_jacobian), START)


def test_an_entry_forgotten_at_x0_is_named() -> None:
    class Forgetful(lmoo.Jacobian):
        def evaluate(self, problem: Any, x: Any, f: Any, out: np.ndarray) -> None:
            J = decay_jacobian(x)
            out[:7] = J[:7]
            out[8] = J[8]
            out[7, 0] = J[7, 0]

    with pytest.raises(EvaluationError, match=r"Jacobian at x0 .* entry \(7, 1\) is nan"):
        Solver(jacobian=Forgetful()).solve(FunctionProblem(decay), START)


def test_an_entry_forgotten_later_is_not_the_one_of_the_call_before() -> None:
    calls = itertools.count(1)

    class Forgetful(lmoo.Jacobian):
        def evaluate(self, problem: Any, x: Any, f: Any, out: np.ndarray) -> None:
            assert np.isnan(out).all(), "out still holds the Jacobian before this one"
            out[:] = decay_jacobian(x)
            if next(calls) == 3:
                out[4, 1] = np.nan

    result = Solver(jacobian=Forgetful()).solve(FunctionProblem(decay), START)
    assert next(calls) > 4
    assert result.success
    np.testing.assert_array_equal(result.residual, decay(result.x))


def test_a_strategy_that_writes_nothing_later_ends_without_success() -> None:
    calls = itertools.count(1)

    class Lazy(lmoo.Jacobian):
        def evaluate(self, problem: Any, x: Any, f: Any, out: np.ndarray) -> None:
            if next(calls) == 1:
                out[:] = decay_jacobian(x)

    result = Solver(jacobian=Lazy()).solve(FunctionProblem(decay), START)
    assert result.status is Status.DOMAIN
    np.testing.assert_array_equal(result.x, START)
    np.testing.assert_array_equal(result.residual, decay(np.array(START)))


def test_a_strategy_may_refuse_a_point() -> None:
    refused: list[np.ndarray] = []
    calls = itertools.count(1)

    class Refusing(Delegating):
        def evaluate(self, problem: Any, x: Any, f: Any, out: Any) -> None:
            if next(calls) in (2, 3):
                refused.append(x)
                raise EvaluationError("not here")
            super().evaluate(problem, x, f, out)

    result = Solver(jacobian=Refusing()).solve(FunctionProblem(decay, decay_jacobian), START)
    assert len(refused) == 2
    assert not np.array_equal(refused[0], refused[1])
    assert result.success
    right = Solver().solve(FunctionProblem(decay, decay_jacobian), START)
    np.testing.assert_allclose(result.x, right.x, rtol=1e-9)


@pytest.mark.parametrize("kind", [ValueError, StopIteration, KeyboardInterrupt, SystemExit])
def test_other_exceptions_of_a_strategy_come_out(kind: type[BaseException]) -> None:
    mine = kind("mine")

    class Raising(lmoo.Jacobian):
        def evaluate(self, problem: Any, x: Any, f: Any, out: Any) -> None:
            raise mine

    with pytest.raises(kind) as caught:
        Solver(jacobian=Raising()).solve(FunctionProblem(decay), START)
    assert caught.value is mine


def test_out_may_be_kept_and_written_to_after_the_solve() -> None:
    kept: list[np.ndarray] = []

    class Keeping(Delegating):
        def evaluate(self, problem: Any, x: Any, f: Any, out: np.ndarray) -> None:
            super().evaluate(problem, x, f, out)
            kept.append(out)

    def solve() -> lmoo.Result:
        return Solver(jacobian=Keeping()).solve(FunctionProblem(decay, decay_jacobian), START)

    result = solve()
    x, covariance = result.x.copy(), result.covariance()
    first = list(kept)
    # Other solves want memory meanwhile.
    for _ in range(20):
        solve()
    for out in first:
        out.fill(7.0)
        assert (out == 7.0).all()
    np.testing.assert_array_equal(result.x, x)
    np.testing.assert_array_equal(result.covariance(), covariance)
    np.testing.assert_array_equal(solve().x, x)


def test_a_base_strategy_says_what_is_missing() -> None:
    class Empty(lmoo.Jacobian):
        pass

    with pytest.raises(NotImplementedError, match="Empty must define evaluate"):
        Solver(jacobian=Empty()).solve(FunctionProblem(decay), START)


def test_a_strategy_may_solve_another_problem() -> None:
    class Nested(Delegating):
        def evaluate(self, problem: Any, x: Any, f: Any, out: np.ndarray) -> None:
            inner = Solver().solve(FunctionProblem(rosenbrock), [-1.2, 1.0])
            assert inner.success
            super().evaluate(problem, x, f, out)

    problem = FunctionProblem(decay, decay_jacobian)
    result = Solver(jacobian=Nested()).solve(problem, START)
    assert result.x.tobytes() == Solver().solve(problem, START).x.tobytes()


def test_complex_step_can_be_subclassed() -> None:
    class Counting(lmoo.ComplexStep):
        calls = 0

        def evaluate(self, problem: Any, x: Any, f: Any, out: Any) -> int:
            Counting.calls += 1
            return super().evaluate(problem, x, f, out)

    result = Solver(jacobian=Counting()).solve(FunctionProblem(decay), START)
    assert result.success
    assert Counting.calls == result.njev


@pytest.mark.parametrize("m", [9, 300_000], ids=["small", "large"])
def test_strategies_agree_on_problems_of_either_size(m: int) -> None:
    # From a million m n^2 on another factorisation is used, which lets go of the GIL.
    t = np.linspace(0.0, 2.0, m)
    y = 2.0 * np.exp(-1.3 * t) + 0.01 * np.cos(7.0 * t)

    def residual(p: np.ndarray) -> np.ndarray:
        return p[0] * np.exp(-p[1] * t) - y

    def rows(p: np.ndarray) -> np.ndarray:
        e = np.exp(-p[1] * t)
        return np.column_stack([e, -p[0] * t * e])

    right = Solver().solve(FunctionProblem(residual, rows), START)
    assert right.success
    for strategy, dfun in (
        (lmoo.ColumnMajor(), lambda p: rows(p).T),
        (lmoo.ForwardDifference(), None),
        (lmoo.ComplexStep(), None),
        (Delegating(), rows),
    ):
        result = Solver(jacobian=strategy).solve(FunctionProblem(residual, dfun), START)
        assert result.success
        np.testing.assert_allclose(result.x, right.x, rtol=1e-9)
        np.testing.assert_allclose(result.standard_errors, right.standard_errors, rtol=1e-6)


class Counting(lmoo.Jacobian):
    """Tells another number of evaluations than it made."""

    def __init__(self, told: Any, refuse: bool = False) -> None:
        self.told, self.refuse = told, refuse

    def evaluate(self, problem: Any, x: Any, f: Any, out: Any) -> Any:
        if self.refuse:
            error = lmoo.EvaluationError()
            error.evaluations = self.told
            raise error
        out[:] = np.eye(2)
        return self.told


@pytest.mark.parametrize("refuse", [False, True])
@pytest.mark.parametrize("told", [-1, -(2**60), 2**62, 10**30, -0.5 - 1.0])
def test_a_strategy_that_tells_no_number_of_evaluations_is_refused(told: Any, refuse: bool) -> None:
    problem = lmoo.FunctionProblem(lambda x: x - 3.0)
    blocks = type("Rows", (lmoo.RowBlockProblem,), {"residual": lambda self, x, block: x - 3.0})
    for solved in (problem, blocks([0])):
        with pytest.raises(
            ValueError, match=r"evaluate must return the number of evaluations .* told"
        ):
            lmoo.Solver(jacobian=Counting(told, refuse)).solve(solved, [1.0, 1.0])


@pytest.mark.parametrize("told", [None, 0, 7, np.int64(3)])
def test_what_a_strategy_tells_is_counted(told: Any) -> None:
    problem = lmoo.FunctionProblem(lambda x: x - 3.0)
    result = lmoo.Solver(jacobian=Counting(told)).solve(problem, [1.0, 1.0])
    own = lmoo.Solver(jacobian=Counting(0)).solve(problem, [1.0, 1.0]).nfev
    assert result.nfev == own + result.njev * int(told or 0)
