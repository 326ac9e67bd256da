"""Step strategies: those that lmoo has, and those that others write in Python."""

import pickle
from typing import Any

import numpy as np
import pytest

import lmoo

NAMES = ["Misra1a", "Chwirut2", "DanWood", "Thurber", "Hahn1", "Gauss1", "Kirby2"]
STRATEGIES = [lmoo.More(), lmoo.Nielsen(), lmoo.GeodesicAcceleration()]


@pytest.mark.parametrize("step", STRATEGIES, ids=repr)
@pytest.mark.parametrize("name", NAMES)
def test_each_strategy_reaches_the_certified_values(name: str, step: lmoo.Step) -> None:
    problem = lmoo.datasets.nist(name)
    for start in problem.starts:
        result = lmoo.Solver(step=step).solve(problem, start)
        assert result.success
        np.testing.assert_allclose(result.x, problem.certified, rtol=1e-6)


@pytest.mark.parametrize("step", STRATEGIES, ids=repr)
def test_bad_points_are_no_minima(step: lmoo.Step) -> None:
    def residual(x: np.ndarray) -> np.ndarray:
        if x[0] <= 0:
            raise lmoo.EvaluationError("x[0] must be positive")
        return np.log(x) - 1.0

    result = lmoo.Solver(step=step).solve(lmoo.FunctionProblem(residual), [50.0])
    assert result.success
    assert result.x[0] == pytest.approx(np.e, rel=1e-9)
    shrinking = lmoo.Solver(step=step).solve(
        lmoo.FunctionProblem(lambda x: np.where(x == 1.0, 1.0, np.nan), lambda x: np.eye(1)), [1.0]
    )
    assert shrinking.status is lmoo.Status.DOMAIN
    assert not shrinking.success


def test_more_is_the_default() -> None:
    problem = lmoo.datasets.nist("Thurber")
    mine = list(lmoo.Solver(step=lmoo.More()).iterate(problem, problem.starts[0]))
    default = list(lmoo.Solver().iterate(problem, problem.starts[0]))
    assert [step.cost for step in mine] == [step.cost for step in default]


def test_acceleration_is_counted_and_bends_the_steps() -> None:
    evaluated: list[np.ndarray] = []

    def rosenbrock(x: np.ndarray) -> np.ndarray:
        evaluated.append(x.copy())
        return np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]])

    def jacobian(x: np.ndarray) -> np.ndarray:
        return np.array([[-20 * x[0], 10.0], [-1.0, 0.0]])

    problem = lmoo.FunctionProblem(rosenbrock, jacobian)
    result = lmoo.Solver(step=lmoo.GeodesicAcceleration()).solve(problem, [-1.2, 1.0])
    assert result.success
    assert result.nfev == len(evaluated)
    assert result.nfev > 1 + result.nit


@pytest.mark.parametrize("m", [40, 30_000])
def test_the_curvature_is_right_on_both_paths(m: int) -> None:
    # f is quadratic along every line, which acceleration sees and a linear model does not; with
    # m n^2 > 1e6 the model comes from the fold.
    rng = np.random.default_rng(0)
    a = rng.standard_normal((m, 6))

    def residual(x: np.ndarray) -> np.ndarray:
        z = a @ (x - 1.0)
        return z + 0.02 * z**2

    problem = lmoo.FunctionProblem(residual)
    plain = lmoo.Solver().solve(problem, np.full(6, 1.2))
    bent = lmoo.Solver(step=lmoo.GeodesicAcceleration()).solve(problem, np.full(6, 1.2))
    assert bent.success
    np.testing.assert_allclose(bent.x, 1.0, atol=1e-8)
    assert bent.njev <= plain.njev


class Marquardt(lmoo.Step):
    """Lambda down by ten after a good step, up by ten after a bad one."""

    def propose(self, model: lmoo.StepModel) -> tuple[Any, float]:
        last = model.memory.get("lambda", 0.01)
        lambda_ = last / 10 if model.accepted else last * 10
        model.memory["lambda"] = lambda_
        return model.damped(lambda_), lambda_


class Radius(lmoo.Step):
    """More's own, asked through Python."""

    def propose(self, model: lmoo.StepModel) -> tuple[Any, float]:
        return model.within(model.delta)


@pytest.mark.parametrize("step", [Marquardt(), Radius()], ids=["Marquardt", "Radius"])
@pytest.mark.parametrize("name", ["Misra1a", "Chwirut2", "DanWood"])
def test_strategies_in_python(name: str, step: lmoo.Step) -> None:
    problem = lmoo.datasets.nist(name)
    result = lmoo.Solver(step=step).solve(problem, problem.starts[1])
    assert result.success
    np.testing.assert_allclose(result.x, problem.certified, rtol=1e-6)


def test_what_a_strategy_is_told() -> None:
    seen: list[lmoo.StepModel] = []

    class Watching(Radius):
        def propose(self, model: lmoo.StepModel) -> tuple[Any, float]:
            seen.append(model)
            return super().propose(model)

    problem = lmoo.datasets.nist("DanWood")
    x0 = np.array(problem.starts[0])
    result = lmoo.Solver(step=Watching()).solve(problem, x0)
    first, second = seen[0], seen[1]
    # It may be kept: it is the strategy's own.
    np.testing.assert_array_equal(first.x, x0)
    f, jacobian = problem.residual(x0), problem.jacobian(x0)
    np.testing.assert_allclose(first.gradient, jacobian.T @ f, rtol=1e-10)
    assert first.fnorm == pytest.approx(np.linalg.norm(f))
    np.testing.assert_allclose(
        first.r.T @ first.r, (jacobian.T @ jacobian)[np.ix_(first.ipvt, first.ipvt)], rtol=1e-10
    )
    d = np.diag(first.diag)
    p = first.damped(0.3)
    np.testing.assert_allclose(
        (jacobian.T @ jacobian + 0.3 * d @ d) @ p, -jacobian.T @ f, rtol=1e-9
    )
    expected = 1 - np.sum((f + jacobian @ p) ** 2) / np.sum(f**2)
    assert first.predicted_reduction(p) == pytest.approx(expected, rel=1e-8)
    within, lambda_ = first.within(0.1 * first.delta)
    assert lambda_ > 0
    assert np.linalg.norm(d @ within) <= 1.1 * 0.1 * first.delta
    assert (first.iteration, first.accepted, first.refused) == (0, False, 0)
    assert (second.iteration, second.accepted) == (1, True)
    assert second.ratio > 0
    assert first.qtf.shape == (2,)
    assert first.lambda_ == 0.0
    assert result.success


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        (None, TypeError, "a step and its lambda; it returned None"),
        (([0.0, 0.0], 0.0, 1), TypeError, "a step and its lambda"),
        (([1.0], 0.0), ValueError, "a step of 2 finite numbers"),
        (([1.0, np.nan], 0.0), ValueError, "a step of 2 finite numbers"),
        (([1.0, 1.0], -1.0), ValueError, "a lambda that is not negative; it is -1.0"),
        (([1.0, 1.0], np.nan), ValueError, "a lambda that is not negative"),
        (([1.0, 1.0], "0"), ValueError, "a lambda that is not negative"),
    ],
)
def test_bad_answers(answer: Any, error: type, message: str) -> None:
    class Bad(lmoo.Step):
        def propose(self, model: lmoo.StepModel) -> Any:
            return answer

    problem = lmoo.datasets.nist("DanWood")
    with pytest.raises(error, match=message):
        lmoo.Solver(step=Bad()).solve(problem, problem.starts[0])


def test_bad_arguments_of_the_model() -> None:
    class Asking(lmoo.Step):
        def propose(self, model: lmoo.StepModel) -> Any:
            for call in (
                lambda: model.damped(-1.0),
                lambda: model.within(0.0),
                lambda: model.predicted_reduction([1.0]),
                lambda: setattr(model, "delta", -1.0),
            ):
                with pytest.raises(ValueError, match=r"delta|lambda_|step"):
                    call()
            raise KeyError("enough")

    problem = lmoo.datasets.nist("DanWood")
    with pytest.raises(KeyError, match="enough"):
        lmoo.Solver(step=Asking()).solve(problem, problem.starts[0])


def test_what_a_solver_takes_for_a_step() -> None:
    with pytest.raises(TypeError, match="step must be a Step or None"):
        lmoo.Solver(step="nielsen")  # type: ignore[arg-type]
    with pytest.raises(NotImplementedError, match="must define propose"):
        lmoo.Solver(step=lmoo.Step()).solve(lmoo.FunctionProblem(lambda x: x - 1.0), [3.0])
    for kind, name in ((lmoo.CompiledStep, "lmoo_step"), (lmoo.CompiledJacobian, "lmoo_jacobian")):
        with pytest.raises(TypeError, match=f"PyCapsule of the name '{name}'; it is 1"):
            kind(1)
        from lmoo._core.abi1 import _api

        with pytest.raises(TypeError, match="its name is 'lmoo"):
            kind(_api)
    assert lmoo.Solver(step=lmoo.Nielsen()) == lmoo.Solver(step=lmoo.Nielsen())
    assert lmoo.Nielsen() != lmoo.More()
    assert hash(lmoo.Nielsen()) == hash(lmoo.Nielsen())


@pytest.mark.parametrize(
    "step", [lmoo.Nielsen(), lmoo.GeodesicAcceleration(), Marquardt()], ids=["N", "G", "M"]
)
def test_a_solve_that_is_stored_goes_on_bit_for_bit(step: lmoo.Step) -> None:
    problem = lmoo.datasets.nist("Chwirut2")
    steps = lmoo.Solver(step=step).iterate(problem, problem.starts[0])
    for _ in range(3):
        next(steps)
    again = pickle.loads(pickle.dumps(steps))
    rest, other = list(steps), list(again)
    assert [record.cost for record in rest] == [record.cost for record in other]
    assert [record.nfev for record in rest] == [record.nfev for record in other]
    np.testing.assert_array_equal(steps.result.x, again.result.x)
