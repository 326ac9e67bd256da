"""Bounds and fixed parameters: nothing outside is evaluated, and what is found is a minimum."""

from __future__ import annotations

import ctypes
import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from bounded import KINDS, Bounded, draw, is_stationary, projected_cosines
from hypothesis import given, settings
from hypothesis import strategies as st

import lmoo
from lmoo import FunctionProblem, Solver, Status

INF = float("inf")
T = np.linspace(0.0, 2.0, 12)
Y = 2.0 * np.exp(-1.3 * T) + 0.3 + 0.05 * np.cos(7.0 * T)
NAMES = ("amplitude", "rate", "offset")
START = (1.0, 1.0, 0.0)


def decay(t: Any, a: Any, b: Any, c: Any) -> Any:
    return a * np.exp(-b * t) + c


class Decay(lmoo.Problem):
    """A decay that keeps every point at which it was evaluated."""

    parameter_names = NAMES

    def __init__(self, y: np.ndarray = Y) -> None:
        self.y = y
        self.points: list[np.ndarray] = []

    def residual(self, x: np.ndarray) -> np.ndarray:
        self.points.append(x.copy())
        return decay(T, *x) - self.y

    def seen(self) -> np.ndarray:
        """The points, those of complex steps without their imaginary parts."""
        return np.real(np.array(self.points))


class WithJacobian(Decay):
    def jacobian(self, x: np.ndarray) -> np.ndarray:
        self.points.append(x.copy())
        e = np.exp(-x[1] * T)
        return np.column_stack([e, -x[0] * T * e, np.ones(T.size)])


class Own(lmoo.Jacobian):
    """A strategy of the user's."""

    def evaluate(self, problem: Any, x: Any, f: Any, out: Any) -> None:
        out[:] = problem.jacobian(x)


class Marquardt(lmoo.Step):
    """A step strategy that knows of no bounds."""

    def propose(self, model: Any) -> Any:
        last = model.memory.get("lambda", 0.01)
        lambda_ = last / 10 if model.accepted else last * 10
        model.memory["lambda"] = lambda_
        return model.damped(lambda_), lambda_


STEPS = [lmoo.More(), lmoo.Nielsen(), lmoo.GeodesicAcceleration(), Marquardt()]
JACOBIANS = [
    lmoo.Analytic(),
    lmoo.ForwardDifference(),
    lmoo.ForwardDifference(typical=1.0),
    lmoo.CentralDifference(),
    lmoo.ComplexStep(),
    Own(),
]
BOXES = {
    "offset cut off": {"offset": (None, 0.1)},
    "rate cut off": {"rate": (0.2, 1.2)},
    "two cut off": {"rate": (0.5, 1.2), "offset": (-1.0, 0.1)},
    "all cut off": ([0.9, 0.9, -0.1], [1.5, 1.2, 0.1]),
    "a start at a bound": {"amplitude": (1.0, 3.0), "rate": (None, 1.0), "offset": (0.0, 0.2)},
    "thin": ([0.99, 0.99, -0.01], [1.01, 1.01, 0.01]),
    "half open": ([-INF, 0.0, -INF], [INF, INF, 0.1]),
}
STEP = pytest.mark.parametrize("step", STEPS, ids=lambda s: type(s).__name__)
JACOBIAN = pytest.mark.parametrize("jacobian", JACOBIANS, ids=lambda s: type(s).__name__)
BOX = pytest.mark.parametrize("bounds", BOXES.values(), ids=BOXES)


def box(bounds: Any) -> tuple[np.ndarray, np.ndarray]:
    lower, upper, _ = lmoo.bounds.limits(bounds, None, NAMES, 3)
    return lower, upper


def is_inside(points: np.ndarray, bounds: Any) -> bool:
    lower, upper = box(bounds)
    return bool(((lower <= points) & (points <= upper)).all())


def as_bounded(bounds: Any) -> Bounded:
    problem = WithJacobian()
    return Bounded(problem.residual, problem.jacobian, box(bounds), np.array(START))


def solved(bounds: Any = None, fixed: Any = None, problem: Any = None, **options: Any) -> Any:
    problem = WithJacobian() if problem is None else problem
    return Solver(bounds=bounds, fixed=fixed, **options).solve(problem, START)


# ============================================================================ never outside


@BOX
@STEP
@JACOBIAN
def test_nothing_outside_is_evaluated_and_a_minimum_is_found(
    jacobian: Any, step: Any, bounds: Any
) -> None:
    problem = WithJacobian()
    result = solved(bounds, problem=problem, jacobian=jacobian, step=step)
    assert is_inside(problem.seen(), bounds)
    assert result.success
    assert is_stationary(as_bounded(bounds), result.x)
    assert result.cost == pytest.approx(solved(bounds).cost, rel=1e-12)


@BOX
@JACOBIAN
def test_iterates_stay_inside(jacobian: Any, bounds: Any) -> None:
    steps = Solver(bounds=bounds, jacobian=jacobian).iterate(WithJacobian(), START)
    costs = []
    for record in steps:
        assert is_inside(record.x, bounds)
        costs.append(record.cost)
    # Steps that are taken on the model's word may gain less than rounding hides.
    assert (np.diff(costs) <= 1e-13 * costs[-1]).all()


@BOX
def test_callbacks_see_what_stays_inside_and_may_stop(bounds: Any) -> None:
    seen: list[np.ndarray] = []

    def watch(record: Any) -> bool:
        seen.append(record.x)
        return True

    result = Solver(bounds=bounds).solve(WithJacobian(), START, callback=watch)
    assert result.status is Status.STOPPED
    assert result.x.tolist() == seen[0].tolist()
    assert is_inside(np.array(seen), bounds)


FUNCTION = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_ssize_t, ctypes.c_ssize_t, ctypes.POINTER(ctypes.c_double),
    ctypes.POINTER(ctypes.c_double), ctypes.c_void_p,
)  # fmt: skip


@BOX
@pytest.mark.parametrize("given_jacobian", [False, True])
@STEP
def test_compiled_problems_stay_inside(step: Any, given_jacobian: bool, bounds: Any) -> None:
    points = []

    def residual(m: int, n: int, x: Any, f: Any, _: Any) -> int:
        points.append(x[:n])
        np.ctypeslib.as_array(f, (m,))[:] = decay(T, *x[:n]) - Y
        return 0

    def jacobian(m: int, n: int, x: Any, out: Any, _: Any) -> int:
        points.append(x[:n])
        np.ctypeslib.as_array(out, (n, m))[:] = WithJacobian().jacobian(np.array(x[:n])).T
        return 0

    problem = lmoo.CFunctionProblem(
        FUNCTION(residual), T.size, 3, jacobian=FUNCTION(jacobian) if given_jacobian else None
    )
    by_position = {NAMES.index(k): v for k, v in bounds.items()} if type(bounds) is dict else bounds
    result = Solver(bounds=by_position, step=step).solve(problem, START)
    assert is_inside(np.array(points), bounds)
    assert result.success
    assert result.cost == pytest.approx(solved(bounds).cost, rel=1e-12)


@BOX
@pytest.mark.parametrize(
    "jacobian", [None, lmoo.CentralDifference(), lmoo.ForwardDifference()], ids=repr
)
def test_a_stack_stays_inside(jacobian: Any, bounds: Any) -> None:
    seen: list[np.ndarray] = []
    names = dict(zip(NAMES, "abc", strict=True))
    bounds = {names[k]: v for k, v in bounds.items()} if type(bounds) is dict else bounds

    def model(t: Any, a: Any, b: Any, c: Any) -> Any:
        seen.append(np.stack([a, b, c], axis=-1).reshape(-1, 3))
        return decay(t, a, b, c)

    curves = Y + 0.02 * np.random.default_rng(0).normal(size=(7, T.size))
    solver = Solver(bounds=bounds, jacobian=jacobian)
    fits = lmoo.curve_fit_many(model, T, curves, START, solver=solver)
    lower, upper, _ = lmoo.bounds.limits(bounds, None, "abc", 3)
    points = np.concatenate(seen)
    assert ((lower <= points) & (points <= upper)).all()
    assert fits.success.all()
    for k in range(7):
        problem = FunctionProblem(lambda x, y: decay(T, *x) - y, args=(curves[k],),
                                  parameter_names="abc")  # fmt: skip
        single = solver.solve(problem, START)
        assert single.success
        free = single.stderr > 0.0
        off = np.abs(fits.x[k] - single.x)
        assert (off[free] <= 1e-4 * single.stderr[free]).all()
        assert (off[~free] == 0.0).all()
        np.testing.assert_allclose(fits.stderr[k], single.stderr, rtol=1e-4)


class Rows(lmoo.RowBlockProblem):
    parameter_names = NAMES

    def __init__(self, blocks: Any) -> None:
        super().__init__(blocks)
        self.points: list[np.ndarray] = []

    def residual(self, x: np.ndarray, block: Any) -> np.ndarray:
        self.points.append(x.copy())
        t, y = block
        return decay(t, *x) - y


class RowsWithJacobian(Rows):
    def jacobian(self, x: np.ndarray, block: Any) -> np.ndarray:
        self.points.append(x.copy())
        e = np.exp(-x[1] * block[0])
        return np.column_stack([e, -x[0] * block[0] * e, np.ones(e.size)])


@BOX
@pytest.mark.parametrize("kind", [Rows, RowsWithJacobian])
@pytest.mark.parametrize("step", STEPS[:3], ids=lambda s: type(s).__name__)
def test_blocks_of_rows_give_the_whole(step: Any, kind: Any, bounds: Any) -> None:
    problem = kind([(T[k::5], Y[k::5]) for k in range(5)])
    result = Solver(bounds=bounds, step=step).solve(problem, START)
    assert is_inside(np.array(problem.points), bounds)
    whole = solved(bounds)
    assert result.success
    np.testing.assert_allclose(result.x, whole.x, rtol=1e-9, atol=1e-10)
    np.testing.assert_array_equal(result.active_mask, whole.active_mask)


def test_blocks_take_bounds_and_fixed_parameters_from_their_class() -> None:
    class Own(Rows):
        bounds = {"offset": (None, 0.1)}  # noqa: RUF012
        fixed = ("rate",)

    for strategy in (None, lmoo.CentralDifference()):
        problem = Own([(T[:5], Y[:5]), (T[5:], Y[5:])])
        result = Solver(jacobian=strategy).solve(problem, [1.0, 1.2, 0.0])
        points = np.array(problem.points)
        assert (points[:, 1] == 1.2).all()
        assert points[:, 2].max() <= 0.1
        assert result.success
        assert result.active_mask.tolist() == [0, 0, 1]
        whole = Solver(bounds=Own.bounds, fixed=Own.fixed).solve(Decay(), [1.0, 1.2, 0.0])
        np.testing.assert_allclose(result.x, whole.x, rtol=1e-9)
        np.testing.assert_allclose(result.stderr, whole.stderr, rtol=1e-6)


@pytest.mark.parametrize("step", STEPS[:3], ids=lambda s: type(s).__name__)
def test_tall_problems_that_are_folded(step: Any) -> None:
    """Above m n^2 = 1e6 the triangle comes from one pass over the rows."""
    random = np.random.default_rng(0)
    A, true = random.normal(size=(11_000, 10)), random.normal(size=10)
    y = np.tanh(A @ true) + 0.1 * random.normal(size=11_000)
    bounds = (np.full(10, -0.5), np.full(10, 0.5))
    problem = Bounded(
        lambda x: np.tanh(A @ x) - y,
        lambda x: (1.0 - np.tanh(A @ x) ** 2)[:, None] * A,
        bounds,
        np.zeros(10),
    )
    result = Solver(step=step).solve(problem, problem.start)
    assert result.success
    assert problem.outside == 0
    assert np.count_nonzero(result.active_mask) > 2
    assert np.abs(projected_cosines(problem, result.x)).max() < 1e-8


class Many(lmoo.BatchProblem):
    bounds = ([0.9, 0.9, -0.1], [1.5, 1.2, 0.1])

    def __init__(self, curves: np.ndarray) -> None:
        self.curves, self.points = curves, [np.empty((0, 3))]

    def residual(self, x: np.ndarray, which: np.ndarray) -> np.ndarray:
        self.points.append(x.copy())
        return decay(T, *(x[:, j, None] for j in range(3))) - self.curves[which]


def test_many_problems_stay_inside_the_bounds_of_their_class() -> None:
    curves = Y + 0.02 * np.random.default_rng(0).normal(size=(5, T.size))
    problem = Many(curves)
    fits = lmoo.solve_many(problem, np.tile(START, (5, 1)))
    assert is_inside(np.concatenate(problem.points), problem.bounds)
    assert fits.success.all()
    for k, x in enumerate(fits.x):
        single = solved(problem.bounds, problem=Decay(curves[k]))
        np.testing.assert_allclose(x, single.x, rtol=1e-7, atol=1e-9)


# ============================================================= bounds without a value


@STEP
@pytest.mark.parametrize("jacobian", [*JACOBIANS[:4], lmoo.ComplexStep()], ids=repr)
@pytest.mark.parametrize(
    ("f", "slope", "solution"),
    [
        (np.log, lambda x: 1.0 / x, 1e-3),
        (lambda x: 1.0 / x, lambda x: -1.0 / x**2, 1e-3),
        (lambda x: x * np.log(x), lambda x: np.log(x) + 1.0, 1e-3),
    ],
    ids=["log", "reciprocal", "x log x"],
)
@pytest.mark.parametrize("start", [0.1, 0.3])
def test_a_bound_without_a_value_is_not_the_end(
    start: float, f: Any, slope: Any, solution: float, jacobian: Any, step: Any
) -> None:
    """A solve that steps onto the bound finds the solution in the interior all the same."""
    seen: list[float] = []

    def residual(x: np.ndarray) -> np.ndarray:
        seen.append(float(np.real(x[0])))
        with np.errstate(all="ignore"):
            return np.array([f(x[0]) - f(solution), 0.0])

    def jacobian_of(x: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            return np.array([[slope(x[0])], [0.0]])

    problem = FunctionProblem(residual, jacobian_of, bounds=(0.0, 1.0))
    result = Solver(jacobian=jacobian, step=step).solve(problem, [start])
    assert result.success
    assert min(seen) >= 0.0
    np.testing.assert_allclose(result.x, solution, rtol=1e-6)
    assert result.active_mask[0] == 0


@pytest.mark.parametrize("step", [lmoo.More(), lmoo.GeodesicAcceleration()], ids=repr)
@pytest.mark.parametrize("jacobian", JACOBIANS[:4], ids=repr)
@pytest.mark.parametrize("start", [0.1, 0.3, 1.0])
def test_a_bound_without_a_slope_is_not_the_end(start: float, jacobian: Any, step: Any) -> None:
    def slope(x: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            return np.array([0.5 / np.sqrt(x), [0.0]])

    problem = FunctionProblem(
        lambda x: np.array([np.sqrt(x[0]) - 1e-3, 0.0]), slope, bounds=(0.0, 1.0)
    )
    result = Solver(jacobian=jacobian, step=step).solve(problem, [start])
    assert result.success
    np.testing.assert_allclose(result.x, 1e-6, rtol=1e-6)


# ===================================================================== starts, good and bad


@pytest.mark.parametrize(
    ("bounds", "match"),
    [
        ({"rate": (1.5, 2.0)}, r"^x0 must lie within the bounds; rate starts at 1\.0, .* 1\.5 and"),
        ({2: (None, -1.0)}, r"offset starts at 0\.0, its bounds are -inf and -1\.0$"),
        ((0.5, 3.0), r"offset starts at 0\.0, its bounds are 0\.5 and 3\.0$"),
        (([0, 0], [1, 1]), r"^bounds must have one lower bound per parameter, 3"),
        ({"speed": (0, 1)}, r"^bounds must name one of \('amplitude', 'rate', 'offset'\)"),
    ],
    ids=repr,
)
def test_a_start_outside_is_named(bounds: Any, match: str) -> None:
    problem = WithJacobian()
    with pytest.raises(ValueError, match=match):
        Solver(bounds=bounds).solve(problem, START)
    problem.bounds = bounds
    with pytest.raises(ValueError, match=match):
        Solver().iterate(problem, START)
    assert problem.points == []


def test_parameters_without_names_are_called_by_their_position() -> None:
    with pytest.raises(ValueError, match=r"^x0 .*; parameter 0 starts at 4\.0, its bounds are"):
        Solver(bounds=(0, 1)).solve(FunctionProblem(lambda x: x), [4.0])


@pytest.mark.parametrize(
    ("fixed", "error", "match"),
    [
        (["speed"], ValueError, r"^fixed must name one of"),
        ({"rate": 9.0}, ValueError, r"rate is fixed at 9\.0, and its bounds are 0\.0 and 5\.0$"),
        ([3], ValueError, r"^fixed must give positions from 0 to 2; it has 3$"),
        ("rate", TypeError, r"^fixed must be a sequence"),
    ],
    ids=repr,
)
def test_what_cannot_be_fixed(fixed: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        solved({"rate": (0, 5)}, fixed)


def test_the_solver_comes_before_the_problem() -> None:
    problem = WithJacobian()
    problem.bounds, problem.fixed = {"offset": (None, 0.1)}, ["rate"]
    own = Solver().solve(problem, START)
    assert own.active_mask.tolist() == [0, 0, 1]
    assert own.fixed.tolist() == [False, True, False]
    other = Solver(bounds={"offset": (None, 0.2)}, fixed=()).solve(problem, START)
    assert other.x[2] == 0.2
    assert not other.fixed.any()


# ========================================================================= fixed parameters


@pytest.mark.parametrize(
    ("fixed", "values"),
    [
        (["rate"], {1: 1.0}),
        ([1], {1: 1.0}),
        ({"rate": 1.25}, {1: 1.25}),
        ({2: 0.25, "amplitude": 1.5}, {0: 1.5, 2: 0.25}),
        (("offset", 0), {0: 1.0, 2: 0.0}),
    ],
    ids=repr,
)
@STEP
@JACOBIAN
def test_fixed_parameters_never_move(jacobian: Any, step: Any, fixed: Any, values: Any) -> None:
    problem = WithJacobian()
    result = solved(None, fixed, problem, jacobian=jacobian, step=step)
    assert result.success
    points = problem.seen()
    for j, value in values.items():
        assert (points[:, j] == value).all()
        assert result.lower[j] == result.upper[j] == value
        assert result.stderr[j] == 0.0
    assert np.flatnonzero(result.fixed).tolist() == sorted(values)
    assert not result.active_mask.any()
    assert result.degrees_of_freedom == T.size - 3 + len(values)


@pytest.mark.parametrize(
    ("strategy", "cost"), [(lmoo.ForwardDifference(refine=False), 2), (lmoo.CentralDifference(), 4)]
)
def test_fixed_parameters_are_not_differentiated(strategy: Any, cost: int) -> None:
    problem = Decay()
    result = solved(None, {"rate": 1.25}, problem, jacobian=strategy)
    assert len(problem.points) == result.nfev == 1 + result.nit + cost * result.njev
    alone = Solver(jacobian=strategy).solve(
        FunctionProblem(lambda x: decay(T, x[0], 1.25, x[1]) - Y), [1.0, 0.0]
    )
    np.testing.assert_allclose(result.x[[0, 2]], alone.x, rtol=1e-7)


@pytest.mark.parametrize("problem", [Decay(), WithJacobian()], ids=["differences", "Jacobian"])
@pytest.mark.parametrize("fixed", [range(3), {"amplitude": 2, "rate": 1, "offset": 0.5}], ids=repr)
def test_with_all_fixed_one_evaluation_is_the_solve(fixed: Any, problem: Any) -> None:
    result = solved(None, fixed, problem)
    assert result.success
    assert result.nfev == 1
    assert result.x.tolist() == (list(fixed.values()) if type(fixed) is dict else list(START))
    assert result.degrees_of_freedom == T.size
    assert (result.stderr == 0.0).all()
    assert (result.covariance() == 0.0).all()
    problem.points.clear()


def test_equal_bounds_hold_a_parameter() -> None:
    expected = solved(None, {"rate": 1.0})
    for fixed in (None, ["rate"]):
        result = solved({"rate": (1.0, 1.0)}, fixed)
        np.testing.assert_array_equal(result.x, expected.x)
        np.testing.assert_array_equal(result.covariance(), expected.covariance())
        assert result.fixed.tolist() == [False, True, False]


# ==================================================================== a solution at a bound


@pytest.mark.parametrize("problem", [Decay, WithJacobian])
@pytest.mark.parametrize(
    ("bounds", "value", "side"),
    [({"offset": (None, 0.1)}, 0.1, 1), ({"offset": (None, 0.2), "rate": (0, 9)}, 0.2, 1)],
)
def test_a_solution_at_a_bound(bounds: Any, value: float, side: int, problem: Any) -> None:
    result = solved(bounds, problem=problem())
    assert result.success
    assert result.x[2] == value
    assert result.active_mask.tolist() == [0, 0, side]
    assert result.active_mask.dtype == np.int8
    assert "with offset at its upper bound" in result.message
    assert "offset" in str(result)
    # The multiplier: more of the offset would lower the cost.
    assert result.gradient[2] * side < 0.0
    # At x, where no Jacobian was evaluated any more.
    np.testing.assert_allclose((result.jacobian().T @ result.residual)[:2], 0.0, atol=1e-7)
    # The others are those of a fit without.
    alone = Solver().solve(
        FunctionProblem(
            lambda x: decay(T, *x, value) - Y,
            lambda x: WithJacobian().jacobian(np.array([*x, value]))[:, :2],
        ),
        START[:2],
    )
    np.testing.assert_allclose(result.x[:2], alone.x, rtol=1e-8)
    assert result.stderr[2] == 0.0
    assert result.degrees_of_freedom == T.size - 3
    assert alone.degrees_of_freedom == T.size - 2
    # That of the last Jacobian, which belongs to the point before the last step.
    np.testing.assert_allclose(
        result.covariance(scaled=False)[:2, :2], alone.covariance(scaled=False), rtol=1e-6
    )
    assert (result.covariance()[2] == 0.0).all()
    assert (result.covariance()[:, 2] == 0.0).all()
    np.testing.assert_allclose(
        result.stderr[:2] * np.sqrt((T.size - 3) / (T.size - 2)), alone.stderr, rtol=1e-6
    )
    assert result.undetermined == ()
    assert result.rank == 2


def test_lower_bounds_mirror_upper_ones() -> None:
    up = solved({"offset": (None, 0.1)})
    mirrored = FunctionProblem(
        lambda x: decay(T, x[0], x[1], -x[2]) - Y, parameter_names=NAMES,
        jacobian=lambda x: WithJacobian().jacobian(x) * [1.0, 1.0, -1.0],
        bounds={"offset": (-0.1, None)},
    )  # fmt: skip
    down = Solver().solve(mirrored, START)
    assert down.active_mask.tolist() == [0, 0, -1]
    assert "with offset at its lower bound" in down.message
    assert down.gradient[2] > 0.0
    assert down.x.tolist() == [up.x[0], up.x[1], -up.x[2]]
    assert (down.nfev, down.status) == (up.nfev, up.status)


def test_all_at_bounds() -> None:
    result = solved(([0.9, 0.9, -0.1], [1.5, 1.2, 0.1]))
    assert result.x.tolist() == [1.5, 0.9, 0.1]
    assert result.active_mask.tolist() == [1, -1, 1]
    assert result.success
    assert (result.stderr == 0.0).all()
    assert "amplitude at its upper bound, rate at its lower bound, offset at its upper bound" in (
        result.message
    )


def test_a_failure_names_no_bounds() -> None:
    result = solved({"offset": (None, 0.1)}, maxfev=5)
    assert result.status is Status.MAXFEV
    assert "bound" not in result.message


# ============================================================ bounds that hold the solution


@pytest.mark.parametrize(
    "bounds", [(-10, 10), ([0, 0, -1], [5, 5, 5]), {"rate": (0.5, None)}, (-INF, INF), {}], ids=repr
)
@STEP
@JACOBIAN
def test_bounds_far_away_change_nothing(jacobian: Any, step: Any, bounds: Any) -> None:
    free = solved(jacobian=jacobian, step=step)
    bounded = solved(bounds, jacobian=jacobian, step=step)
    assert bounded.x.tolist() == free.x.tolist()
    assert (bounded.nfev, bounded.njev, bounded.status) == (free.nfev, free.njev, free.status)
    assert bounded.message == free.message
    np.testing.assert_allclose(bounded.covariance(), free.covariance(), rtol=1e-14)
    np.testing.assert_allclose(bounded.gradient, free.gradient, atol=1e-14)
    assert not bounded.active_mask.any()


@JACOBIAN
def test_bounds_near_the_solution_cost_little(jacobian: Any) -> None:
    free = solved(jacobian=jacobian)
    bounded = solved(([0.9, 0.9, -0.1], [2.0, 1.5, 0.4]), jacobian=jacobian)
    np.testing.assert_allclose(bounded.x, free.x, rtol=1e-8)
    assert bounded.nfev <= 1.3 * free.nfev
    assert not bounded.active_mask.any()


# ================================================================================ one by one

ONE = FunctionProblem(lambda x: np.array([x[0] - 2.0, 1.0]), lambda x: np.array([[1.0], [0.0]]))


@pytest.mark.parametrize("analytic", [False, True])
@pytest.mark.parametrize(
    ("bounds", "start", "x", "active"),
    [
        ((0, 1), 0.5, 1.0, 1),
        ((0, 1), 1.0, 1.0, 1),
        ((0, 1), 0.0, 1.0, 1),
        ((3, 5), 4.0, 3.0, -1),
        ((3, 5), 3.0, 3.0, -1),
        ((3, INF), 1e6, 3.0, -1),
        ((-INF, 1), -1e6, 1.0, 1),
        ((0, 5), 0.0, 2.0, 0),
        ((0, 5), 5.0, 2.0, 0),
        ((2, 5), 5.0, 2.0, 0),
        ((2, 5), 2.0, 2.0, 0),
        ((1.0, 1.0 + 1e-12), 1.0, 1.0 + 1e-12, 1),
        ((1.0, 1.0 + 2**-52), 1.0, 1.0 + 2**-52, 1),
        ((2.0 - 1e-12, 2.0 + 1e-12), 2.0 - 1e-12, 2.0, 0),
    ],
    ids=repr,
)
def test_one_parameter(bounds: Any, start: float, x: float, active: int, analytic: bool) -> None:
    problem = ONE if analytic else FunctionProblem(ONE.residual)
    result = Solver(bounds=bounds).solve(problem, [start])
    assert result.success
    assert bounds[0] <= result.x[0] <= bounds[1]
    if not analytic and bounds[1] - bounds[0] < 1e-11:
        # Differences show little but rounding here.
        return
    np.testing.assert_allclose(result.x, x, rtol=1e-15 if active else 1e-8)
    if x not in bounds or active:
        assert result.active_mask.tolist() == [active]


def test_a_very_narrow_box() -> None:
    """1e-12 of the parameters, which differences have to make do with."""
    start = np.array([1.9, 1.3, 0.3])
    bounds = (start * (1 - 1e-12), start * (1 + 1e-12))
    for problem in (Decay(), WithJacobian()):
        result = Solver(bounds=bounds).solve(problem, start)
        assert is_inside(problem.seen(), bounds)
        assert result.success
        # All are pushed against a side: the solution is outside.
        corner = np.where(solved().x > start, bounds[1], bounds[0])
        if isinstance(problem, WithJacobian):
            assert is_stationary(as_bounded(bounds), result.x)
        assert np.abs(result.x / corner - 1).max() < 3e-12


@pytest.mark.parametrize("strategy", JACOBIANS[1:4], ids=repr)
@pytest.mark.parametrize("width", [1e-14, 1e-12, 1e-9, 1e-6])
def test_differences_in_what_room_there_is(width: float, strategy: Any) -> None:
    seen = []

    def residual(x: np.ndarray) -> np.ndarray:
        seen.append(x[0])
        return np.array([x[0] - 2.0, 1.0])

    for start in (1.0, 1.0 + width):
        result = Solver(bounds=(1.0, 1.0 + width), jacobian=strategy).solve(
            FunctionProblem(residual), [start]
        )
        assert result.x[0] == 1.0 + width
        assert result.success
        np.testing.assert_allclose(result.gradient, -1.0, rtol=1e-6)
    assert min(seen) >= 1.0
    assert max(seen) <= 1.0 + width


@STEP
def test_a_parameter_without_a_slope_at_its_bound(step: Any) -> None:
    """The square of a parameter, where the data want a negative one: it ends at 0."""
    y = 1.0 - 0.5 * T + 0.01 * np.cos(9.0 * T)
    problem = FunctionProblem(
        lambda x: x[0] + x[1] ** 2 * T - y,
        lambda x: np.column_stack([np.ones(T.size), 2.0 * x[1] * T]),
    )
    result = Solver(bounds={1: (0.0, None)}, step=step).solve(problem, [1.0, 0.5])
    assert result.success
    assert result.x[1] == 0.0
    np.testing.assert_allclose(result.x[0], y.mean(), rtol=1e-9)


def test_two_bounds_in_one_step_and_the_minimum_of_the_face() -> None:
    """A linear problem: steps that stop short of each bound, then the minimum itself."""
    random = np.random.default_rng(3)
    A, b = random.normal(size=(9, 4)), random.normal(size=9)
    free = np.linalg.lstsq(A, b, rcond=None)[0]
    bounds = (free - np.array([9.0, -0.3, 9.0, 9.0]), free + np.array([-0.3, 9.0, 9.0, 9.0]))
    start = np.clip(free + np.array([-3.0, 3.0, 1.0, 1.0]), *bounds)
    problem = FunctionProblem(lambda x: A @ x - b, lambda x: A)
    result = Solver(bounds=bounds, factor=100.0).solve(problem, start)
    assert result.active_mask.tolist() == [1, -1, 0, 0]
    assert result.success
    assert result.njev <= 4
    rest = np.linalg.lstsq(A[:, 2:], b - A[:, :2] @ result.x[:2], rcond=None)[0]
    np.testing.assert_allclose(result.x[2:], rest, rtol=1e-10)


def test_a_bound_that_was_met_on_the_way_is_let_go() -> None:
    """Rosenbrock's valley, cut by a bound that the solution is not at."""
    problem = FunctionProblem(
        lambda x: np.array([10.0 * (x[1] - x[0] ** 2), 1.0 - x[0]]),
        lambda x: np.array([[-20.0 * x[0], 10.0], [-1.0, 0.0]]),
    )
    met = False
    steps = Solver(bounds={1: (0.0, None)}).iterate(problem, [-1.2, 1.0])
    for record in steps:
        met |= record.x[1] == 0.0
    assert met
    assert steps.result.success
    np.testing.assert_allclose(steps.result.x, 1.0, rtol=1e-9)
    assert not steps.result.active_mask.any()


@STEP
def test_a_start_in_the_wrong_corner_is_left(step: Any) -> None:
    problem = FunctionProblem(lambda x: x - np.array([0.5, 0.25, 2.0]), lambda x: np.eye(3))
    result = Solver(bounds=(0, 1), step=step).solve(problem, [0.0, 1.0, 0.0])
    assert result.success
    np.testing.assert_allclose(result.x, [0.5, 0.25, 1.0], rtol=1e-7)
    assert result.active_mask.tolist() == [0, 0, 1]


def test_a_box_with_a_rank_deficient_model() -> None:
    """Only x + y is determined: any such point of the box is a minimum."""
    problem = FunctionProblem(
        lambda x: np.array([x.sum() - 3.0, 1.0]), lambda x: np.array([[1.0, 1.0], [0.0, 0.0]])
    )
    result = Solver(bounds=(0, [1, 9])).solve(problem, [0.5, 0.5])
    assert result.success
    np.testing.assert_allclose(result.x.sum(), 3.0, rtol=1e-10)
    cut = Solver(bounds=(0, 1)).solve(problem, [0.5, 0.5])
    assert cut.success
    assert cut.x.tolist() == [1.0, 1.0]


def test_user_scaling() -> None:
    for diag in ([1.0, 1.0, 1.0], [1e-3, 1.0, 1e3]):
        result = solved({"offset": (None, 0.1)}, diag=diag)
        assert result.success
        np.testing.assert_allclose(result.x, solved({"offset": (None, 0.1)}).x, rtol=1e-8)


# ============================================================================= the same bits


def compiled_curves() -> tuple[np.ndarray, Any]:
    random = np.random.default_rng(4)
    rates = random.uniform(0.8, 2.0, (37, 1))
    return decay(T, 2.0, rates, 0.3) + 0.05 * random.normal(size=(37, T.size)), {
        "offset": (0.0, 0.25),
        1: (0.0, 1.5),
    }


@pytest.mark.parametrize("threads", [1, 3])
def test_a_compiled_stack_has_the_bits_of_single_solves(threads: int) -> None:
    curves, _ = compiled_curves()
    model = lmoo.models.Exponential()
    names = model.parameter_names
    assert names is not None
    solver = Solver(bounds={names[2]: (0.0, 0.25), 1: (0.0, 1.5)})
    fits = lmoo.curve_fit_many(model, T, curves, p0=START, solver=solver, threads=threads)
    active = 0
    for k, y in enumerate(curves):
        single = solver.solve(model.problem(T, y), START)
        assert fits.x[k].tolist() == single.x.tolist()
        assert fits.status[k] == single.status
        assert fits.nfev[k] == single.nfev
        np.testing.assert_allclose(fits.stderr[k], single.stderr, rtol=1e-13)
        active += int(np.count_nonzero(single.active_mask))
    assert active > 10
    assert fits.success.all()


def test_a_fixed_parameter_in_stacks() -> None:
    curves, _ = compiled_curves()
    solver = Solver(fixed={2: 0.3})
    compiled = lmoo.curve_fit_many(lmoo.models.Exponential(), T, curves, p0=START, solver=solver)
    plain = lmoo.curve_fit_many(decay, T, curves, p0=START, solver=solver)
    for fits in (compiled, plain):
        assert fits.success.all()
        assert (fits.x[:, 2] == 0.3).all()
        assert (fits.stderr[:, 2] == 0.0).all()
    np.testing.assert_allclose(compiled.x, plain.x, rtol=1e-6)
    np.testing.assert_allclose(compiled.stderr, plain.stderr, rtol=1e-4)


@BOX
@STEP
@pytest.mark.parametrize("stop", [0, 1, 3, 6])
def test_pickled_in_the_middle_it_goes_on_with_the_same_bits(
    stop: int, step: Any, bounds: Any
) -> None:
    fixed = ["amplitude"] if stop == 3 else None
    steps = Solver(bounds=bounds, fixed=fixed, step=step).iterate(Decay(), START)
    for _ in range(stop):
        next(steps, None)
    again = pickle.loads(pickle.dumps(steps))
    rest = [(r.x.tolist(), r.cost, r.delta, r.nfev) for r in steps]
    assert [(r.x.tolist(), r.cost, r.delta, r.nfev) for r in again] == rest
    assert again.result.x.tolist() == steps.result.x.tolist()
    assert again.result.message == steps.result.message
    assert again.result.active_mask.tolist() == steps.result.active_mask.tolist()


def test_a_result_is_pickled_with_its_bounds() -> None:
    result = solved({"offset": (None, 0.1)}, ["rate"])
    again = pickle.loads(pickle.dumps(result))
    for name in ("lower", "upper", "fixed", "active_mask", "stderr", "gradient"):
        np.testing.assert_array_equal(getattr(again, name), getattr(result, name))


def test_threads_share_a_solver_with_bounds() -> None:
    solver, alone = Solver(bounds=BOXES["two cut off"]), solved(BOXES["two cut off"])
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: solver.solve(WithJacobian(), START), range(64)))
    assert all(r.x.tolist() == alone.x.tolist() and r.nfev == alone.nfev for r in results)


# ================================================================================ at random


def holds(problem: Bounded, result: Any) -> None:
    """What must hold of any solve, whatever its end."""
    lower, upper = problem.bounds
    assert problem.outside == 0
    assert problem.calls == result.nfev
    assert ((lower <= result.x) & (result.x <= upper)).all()
    first = problem.f(problem.start)
    assert result.cost <= 0.5 * (first @ first) * (1 + 1e-14)
    # The sign of a slope is known but for the error of differences.
    x = result.x
    lengths = np.linalg.norm(problem.jacobian(x), axis=0)
    error = 1e-6 * lengths * np.linalg.norm(problem.f(x))
    gradient, active = result.gradient, result.active_mask
    assert (result.x[active < 0] == lower[active < 0]).all()
    assert (result.x[active > 0] == upper[active > 0]).all()
    assert (gradient >= -error)[active < 0].all()
    assert (gradient <= error)[active > 0].all()
    if result.success:
        assert is_stationary(problem, result.x), projected_cosines(problem, result.x)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(
    kind=st.sampled_from(sorted(KINDS)),
    seed=st.integers(0, 5_000_000),
    jacobian=st.sampled_from([None, lmoo.ForwardDifference(), lmoo.CentralDifference()]),
    step=st.sampled_from(STEPS[:3]),
)
def test_any_box(kind: str, seed: int, jacobian: Any, step: Any) -> None:
    problem = draw(kind, seed)
    holds(problem, Solver(jacobian=jacobian, step=step).solve(problem, problem.start))
