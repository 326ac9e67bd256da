"""Linear algebra of a third party in place of the dense QR factorisation."""

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from nist_linear import both_solve_nist

import lmoo
from lmoo import LinearModel, Solver

Array = np.ndarray[Any, np.dtype[np.float64]]


class NormalEquations(LinearModel):
    """The normal equations of columns of norm 1, by Cholesky's factorisation."""

    def update(self, jac: Array, fun: Array) -> None:
        self.norms = np.where(jac.any(axis=0), np.linalg.norm(jac, axis=0), 1.0)
        scaled = jac / self.norms
        self.matrix, self.right = scaled.T @ scaled, scaled.T @ fun

    def gradient(self) -> Array:
        return self.norms * self.right

    def product(self, v: Array) -> Array:
        return self.norms * (self.matrix @ (self.norms * v))

    def solve(self, lambda_: float, diag: Array, free: Any, g: Array) -> Array:
        damping = np.diag(lambda_ * (diag / self.norms)[free] ** 2)
        factor = np.linalg.cholesky(self.matrix[np.ix_(free, free)] + damping)
        x = np.zeros(g.size)
        x[free] = np.linalg.solve(factor.T, np.linalg.solve(factor, (g / self.norms)[free]))
        return np.asarray(x / self.norms)


T = np.linspace(0.0, 4.0, 25)
Y = 2.0 * np.exp(-0.7 * T) + 0.5 + 0.01 * np.sin(9.0 * T)


def decay(x: Array) -> Array:
    return np.asarray(x[0] * np.exp(-x[1] * T) + x[2] - Y)


PROBLEM = lmoo.FunctionProblem(decay)
X0 = [1.0, 1.0, 0.0]


@pytest.mark.parametrize("name", lmoo.datasets.nist_names())
def test_normal_equations_solve_nist_within_two_digits_of_qr(name: str) -> None:
    assert len(list(both_solve_nist(name, NormalEquations, 2.0))) == 2


STEPS = [
    lmoo.More(),
    lmoo.More(accelerate=False),
    lmoo.Nielsen(),
    lmoo.GeodesicAcceleration(),
]


@pytest.mark.parametrize("step", STEPS, ids=repr)
@pytest.mark.parametrize("bounds", [None, ([0.0, 0.0, 0.6], [np.inf] * 3)], ids=["free", "bounds"])
def test_every_step_strategy_and_bounds_use_it(step: lmoo.Step, bounds: Any) -> None:
    dense = Solver(step=step, bounds=bounds).solve(PROBLEM, [1.0, 1.0, 0.7])
    other = Solver(step=step, bounds=bounds, linear=NormalEquations).solve(PROBLEM, [1.0, 1.0, 0.7])
    assert other.success
    np.testing.assert_allclose(other.x, dense.x, rtol=1e-8)
    np.testing.assert_allclose(other.stderr, dense.stderr, rtol=1e-6)
    assert other.active_mask.tolist() == dense.active_mask.tolist()


def test_fixed_parameters_are_left_out() -> None:
    result = Solver(fixed={2: 0.4}, linear=NormalEquations).solve(PROBLEM, X0)
    assert result.success
    assert result.x[2] == 0.4
    np.testing.assert_allclose(result.x, Solver(fixed={2: 0.4}).solve(PROBLEM, X0).x, rtol=1e-8)


def test_a_step_strategy_in_python_uses_it() -> None:
    class Halved(lmoo.Step):
        def propose(self, model: lmoo.StepModel) -> tuple[Array, float]:
            p, lambda_ = model.within(model.delta)
            assert model.predicted_reduction(p) > 0.0
            np.testing.assert_allclose(model.r.T @ model.r @ model.damped(0.0), -model.gradient)
            return p, lambda_

    result = Solver(step=Halved(), linear=NormalEquations).solve(PROBLEM, X0)
    np.testing.assert_allclose(result.x, Solver().solve(PROBLEM, X0).x, rtol=1e-8)


def test_rows_in_blocks_use_it() -> None:
    class Blocks(lmoo.RowBlockProblem):
        blocks = (slice(0, 10), slice(10, 25))

        def residual(self, x: Array, block: slice) -> Array:
            return decay(x)[block]

    dense = Solver().solve(Blocks(), X0)
    other = Solver(linear=NormalEquations).solve(Blocks(), X0)
    np.testing.assert_allclose(other.x, dense.x, rtol=1e-8)
    np.testing.assert_allclose(other.stderr, dense.stderr, rtol=1e-6)


def test_a_column_of_zeros_is_a_parameter_that_is_not_determined() -> None:
    problem = lmoo.FunctionProblem(lambda x: np.append(decay(x[:3]), 0.0))
    result = Solver(linear=NormalEquations).solve(problem, [*X0, 3.0])
    np.testing.assert_allclose(result.x[:3], Solver().solve(PROBLEM, X0).x, rtol=1e-7)
    assert np.isinf(result.stderr[3])
    assert np.isfinite(result.stderr[:3]).all()


def changed(name: str, method: Callable[..., Any]) -> type[NormalEquations]:
    return type("Changed", (NormalEquations,), {name: method})


@pytest.mark.parametrize("name", ["update", "gradient", "product", "solve"])
def test_an_exception_of_a_method_comes_out_as_it_was(name: str) -> None:
    error = OSError("no room")

    def method(*args: Any) -> Any:
        raise error

    with pytest.raises(OSError, match="no room") as caught:
        Solver(linear=changed(name, method)).solve(PROBLEM, X0)
    assert caught.value is error


@pytest.mark.parametrize("name", ["gradient", "product", "solve"])
def test_the_shape_of_what_a_method_returns_is_checked(name: str) -> None:
    with pytest.raises(
        ValueError, match=r"Changed must return 3 numbers; it returned shape \(2,\)$"
    ):
        Solver(linear=changed(name, lambda *args: np.zeros(2))).solve(PROBLEM, X0)


def test_each_solve_has_a_model_of_its_own() -> None:
    made: list[NormalEquations] = []

    def make() -> NormalEquations:
        made.append(NormalEquations())
        return made[-1]

    solver = Solver(linear=make)
    solver.solve(PROBLEM, X0)
    solver.solve(PROBLEM, X0)
    assert len(made) == 2
    with pytest.raises(ValueError, match="a new LinearModel for each solve"):
        Solver(linear=lambda: made[0]).solve(PROBLEM, X0)


@pytest.mark.parametrize("linear", [NormalEquations(), 3, "dense"])
def test_what_is_no_class_or_function_is_refused(linear: Any) -> None:
    with pytest.raises(TypeError, match=r"^linear must be a subclass of LinearModel"):
        Solver(linear=linear)


def test_a_function_that_returns_something_else_is_refused() -> None:
    with pytest.raises(TypeError, match=r"^linear must return a LinearModel; it returned 3"):
        Solver(linear=lambda: 3).solve(PROBLEM, X0)  # type: ignore[arg-type,return-value]


def test_a_solve_in_the_middle_is_not_stored() -> None:
    iteration = Solver(linear=NormalEquations).iterate(PROBLEM, X0)
    next(iteration)
    with pytest.raises(TypeError, match="cannot be stored before its end"):
        pickle.dumps(iteration)


def test_many_fits_refuse_it() -> None:
    with pytest.raises(ValueError, match="linear=None for many fits"):
        lmoo.curve_fit_many(
            lmoo.models.Exponential(), T, Y[None], solver=Solver(linear=NormalEquations)
        )


@pytest.mark.parametrize("loss", ["huber", "soft_l1", "cauchy", "arctan"])
def test_a_robust_loss_gives_the_model_its_scaled_rows(loss: str) -> None:
    t = np.linspace(0.0, 4.0, 60)
    y = 2.5 * np.exp(-1.3 * t) + 0.02 * np.cos(9.0 * t)
    y[::7] += 1.0
    problem = lmoo.CurveProblem(lambda t, a, b: a * np.exp(-b * t), t, y)
    dense = lmoo.Solver(loss=loss, f_scale=0.1).solve(problem, [2.0, 1.0])
    other = lmoo.Solver(loss=loss, f_scale=0.1, linear=NormalEquations).solve(problem, [2.0, 1.0])
    assert other.success
    np.testing.assert_allclose(other.x, dense.x, rtol=1e-7)
    np.testing.assert_allclose(other.standard_errors, dense.standard_errors, rtol=1e-4)
