"""`Problem` and `FunctionProblem`: what `Solver.solve` takes as a problem."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
from ids import stable
from samples import START, T, Y, decay, decay_jacobian
from solver_problems import Recorder

from lmoo import FunctionProblem, Problem, Solver


class Decay(Problem):
    parameter_names = ("amplitude", "rate")

    def __init__(self, t: np.ndarray = T, y: np.ndarray = Y) -> None:
        self.t, self.y = t, y

    def residual(self, x: np.ndarray) -> np.ndarray:
        return x[0] * np.exp(-x[1] * self.t) - self.y


class DecayWithJacobian(Decay):
    def jacobian(self, x: np.ndarray) -> np.ndarray:
        e = np.exp(-x[1] * self.t)
        return np.column_stack([e, -x[0] * self.t * e])


def test_a_subclass_of_problem_is_solved_with_its_data() -> None:
    result = Solver().solve(Decay(), START)
    assert result.success
    np.testing.assert_allclose(result.x, [2.0, 1.3], atol=0.02)
    np.testing.assert_array_equal(result.residual, decay(result.x))


def test_a_jacobian_that_the_subclass_defines_is_used_unasked() -> None:
    problem = DecayWithJacobian()
    result = Solver().solve(problem, START)
    assert result.njev > 1
    # With differences each Jacobian would cost two residuals more.
    assert result.nfev <= result.nit + 1
    np.testing.assert_allclose(result.x, Solver().solve(Decay(), START).x, rtol=1e-9)


def test_a_problem_may_be_anything_with_a_method_residual() -> None:
    class Duck:
        def residual(self, x: np.ndarray) -> list[float]:
            return [x[0] - 1.0, x[1] + 2.0]

    np.testing.assert_allclose(Solver().solve(Duck(), [5.0, 5.0]).x, [1.0, -2.0], rtol=1e-12)


def test_a_duck_with_a_jacobian_is_not_differentiated() -> None:
    class Duck:
        def residual(self, x: np.ndarray) -> list[float]:
            return [x[0] - 1.0, x[1] + 2.0]

        def jacobian(self, x: np.ndarray) -> np.ndarray:
            return np.eye(2)

    result = Solver().solve(Duck(), [5.0, 5.0])
    assert result.success
    assert result.nfev <= result.nit + 1


def test_a_jacobian_set_on_the_instance_is_used_too() -> None:
    class Wrapped(Problem):
        def __init__(self) -> None:
            self.jacobian = Recorder(decay_jacobian)  # type: ignore[method-assign]

        def residual(self, x: np.ndarray) -> np.ndarray:
            return decay(x)

    problem = Wrapped()
    assert Solver().solve(problem, START).success
    assert problem.jacobian.points


def test_a_residual_set_on_the_instance_is_the_residual() -> None:
    problem = FunctionProblem(decay)
    problem.residual = Recorder(problem.residual)  # type: ignore[method-assign]
    result = Solver().solve(problem, START)
    assert len(problem.residual.points) == result.nfev


def test_problem_without_residual_says_so() -> None:
    with pytest.raises(NotImplementedError, match=r"Empty must define residual"):
        Solver().solve(type("Empty", (Problem,), {})(), [1.0])


@pytest.mark.parametrize("problem", [None, 3, decay, object()], ids=["None", "int", "func", "obj"])
def test_what_is_no_problem_is_a_type_error(problem: Any) -> None:
    with pytest.raises(TypeError, match=r"problem must .*residual\(x\)"):
        Solver().solve(problem, [1.0])


def test_subclass_of_function_problem_may_override_its_residual() -> None:
    class Weighted(FunctionProblem):
        def residual(self, x: np.ndarray) -> np.ndarray:
            return 3.0 * np.asarray(super().residual(x))

    class Grandchild(Weighted):
        pass

    plain = Solver().solve(FunctionProblem(decay), START)
    for kind in (Weighted, Grandchild):
        result = Solver().solve(kind(decay), START)
        np.testing.assert_allclose(result.cost, 9.0 * plain.cost, rtol=1e-12)


def test_subclass_of_function_problem_may_override_its_jacobian() -> None:
    class Known(FunctionProblem):
        def jacobian(self, x: np.ndarray) -> np.ndarray:
            return decay_jacobian(x)

    result = Solver().solve(Known(decay), START)
    assert result.nfev <= result.nit + 1


def test_args_and_kwargs_reach_residual_and_jacobian() -> None:
    seen: list[tuple[Any, ...]] = []

    def residual(x: np.ndarray, a: float, b: float, *, shift: float, **more: Any) -> np.ndarray:
        seen.append((a, b, shift, more))
        return np.array([a * x[0] - b, x[0] - shift])

    def jacobian(x: np.ndarray, a: float, b: float, *, shift: float, **more: Any) -> np.ndarray:
        seen.append((a, b, shift, more))
        return np.array([[a], [1.0]])

    problem = FunctionProblem(residual, jacobian, (2.0, 6.0), {"shift": 3.0, "extra": "é"})
    result = Solver().solve(problem, [0.0])
    np.testing.assert_allclose(result.x, [3.0], rtol=1e-12)
    assert len(seen) == result.nfev + result.njev
    assert all(entry == (2.0, 6.0, 3.0, {"extra": "é"}) for entry in seen)


@pytest.mark.parametrize("args", [3.0, [3.0], {"a": 1}, None], ids=stable)
def test_args_not_a_tuple_is_one_argument(args: Any) -> None:
    seen: list[Any] = []

    def residual(x: np.ndarray, arg: Any) -> np.ndarray:
        seen.append(arg)
        return x - 3.0

    assert Solver().solve(FunctionProblem(residual, args=args), [1.0]).success
    assert all(arg is args for arg in seen)


def test_kwargs_of_the_caller_may_change_later_without_effect() -> None:
    kwargs = {"by": 2.0}
    problem = FunctionProblem(lambda x, by: x - by, kwargs=kwargs)
    kwargs["by"] = 7.0
    np.testing.assert_allclose(Solver().solve(problem, [1.0]).x, [2.0], rtol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ((1,), "residual"),
        ((None,), "residual"),
        ((decay, 3), "jacobian"),
        ((decay, None, (), 5), "kwargs"),
        ((decay, None, (), [("a", 1)]), "kwargs"),
    ],
    ids=stable,
)
def test_bad_arguments_of_function_problem_are_named(arguments: Any, name: str) -> None:
    with pytest.raises(TypeError, match=rf"^{name} must be .*; it is "):
        FunctionProblem(*arguments)


@pytest.mark.parametrize(
    "residual",
    [
        functools.partial(lambda shift, x: x - shift, 0.5),
        Decay().residual,
        np.cos,
        np.array([[2.0, 1.0], [1.0, 3.0]]).dot,
    ],
    ids=["partial", "method", "ufunc", "builtin method"],
)
def test_residual_may_be_any_callable(residual: Any) -> None:
    result = Solver().solve(FunctionProblem(residual), START)
    assert result.success
    np.testing.assert_array_equal(result.residual, residual(result.x))


def test_parameter_names_must_be_as_many_as_parameters() -> None:
    problem = FunctionProblem(decay, parameter_names=("a", "b", "c"))
    with pytest.raises(
        ValueError, match=r"^x0 must have one value .* 3 parameters, a, b, c; it has 2"
    ):
        Solver().solve(problem, START)
