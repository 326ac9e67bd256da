"""Residuals and models written in JAX."""

from __future__ import annotations

import copy
import doctest
import importlib
import os
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import lmoo

# XLA takes most of the time of these tests, and half of it to optimize functions that run once.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")
jax = pytest.importorskip("jax")

import jax.numpy as jnp  # noqa: E402

from lmoo.integrations.jax import (  # noqa: E402
    JaxBatchProblem,
    JaxCurve,
    JaxModel,
    JaxProblem,
)
from lmoo.integrations.jaxtrees import ParameterTree  # noqa: E402

T = np.linspace(0.0, 4.0, 30)
Y = 2.5 * np.exp(-1.3 * T) + 0.5 + 0.01 * np.cos(37 * np.arange(30.0))
EXPECTED = lmoo.Solver().solve(
    lmoo.CurveProblem(lmoo.Expression("a*exp(-b*t) + c"), T, Y), [1, 1, 0]
)
START = {"line": {"a": 1.0, "b": 1.0}, "c": 0.0}


class Peak(NamedTuple):
    height: Any
    at: Any


def model(t: Any, a: Any, b: Any, c: Any) -> Any:
    return a * jnp.exp(-b * t) + c


def nested(t: Any, p: Any) -> Any:
    return p["line"]["a"] * jnp.exp(-p["line"]["b"] * t) + p["c"]


def residual(x: Any, t: Any, y: Any) -> Any:
    return model(t, *x) - y


@pytest.fixture(autouse=True)
def unchanged() -> Iterator[None]:
    """The option of JAX is that of its user."""
    before = jax.config.jax_enable_x64
    yield
    assert jax.config.jax_enable_x64 == before


@pytest.fixture
def double() -> Iterator[None]:
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", False)


def counted(function: Any) -> tuple[Any, list[int]]:
    """A function, and the number of times that JAX traces it."""
    calls = [0]

    def wrapped(*args: Any) -> Any:
        calls[0] += 1
        return function(*args)

    return wrapped, calls


# ---------------------------------------------------------------------------- one problem


def test_a_residual() -> None:
    problem = JaxProblem(residual, args=(T, Y))
    result = lmoo.Solver().solve(problem, [1, 1, 0])
    np.testing.assert_allclose(result.x, EXPECTED.x, rtol=1e-9)
    np.testing.assert_allclose(result.stderr, EXPECTED.stderr, rtol=1e-6)
    assert result.residual.dtype == np.float64
    # Derivatives are exact: none are differences.
    assert result.nfev <= EXPECTED.nfev + 2
    J = problem.jacobian(result.x)
    exact = np.stack([np.exp(-result.x[1] * T), -result.x[0] * T * np.exp(-result.x[1] * T)], 1)
    np.testing.assert_allclose(J[:, :2], exact, rtol=1e-14)


def test_a_curve() -> None:
    problem = JaxCurve(model, T, Y, sigma=0.01)
    assert problem.parameter_names == ("a", "b", "c")
    result = lmoo.Solver().solve(problem, [1, 1, 0])
    np.testing.assert_allclose(result.x, EXPECTED.x, rtol=1e-9)
    at = np.array([0.5, 1.0])
    expected = EXPECTED.x[0] * np.exp(-EXPECTED.x[1] * at) + EXPECTED.x[2]
    np.testing.assert_allclose(result.predict(at), expected, rtol=1e-9)
    assert "called" in result.evaluation


def test_a_pytree_of_parameters() -> None:
    problem = JaxCurve(nested, T, Y, params=START, bounds={"c": (0, 1)})
    assert problem.parameter_names == ("c", "line_a", "line_b")
    np.testing.assert_array_equal(problem.start, [0.0, 1.0, 1.0])
    result = lmoo.Solver(ties={"line_b": "c*2.6"}).solve(problem, problem.start)
    assert result.success
    found = problem.params(result.x)
    assert found["line"]["b"] == pytest.approx(2.6 * found["c"])
    result = lmoo.Solver().solve(problem, problem.start)
    found = problem.params(result.x)
    np.testing.assert_allclose([found["line"]["a"], found["c"]], EXPECTED.x[[0, 2]], rtol=1e-9)
    assert result["line_a"].value == result.x[1]


def test_arrays_and_named_tuples_as_parameters() -> None:
    start = Peak(np.array([[1.0, 2.0]]), [3, np.float32(4)])
    problem = JaxProblem(lambda p: {"h": p.height - 5.0, "a": p.at[0] + p.at[1]}, start)
    assert problem.parameter_names == ("height_0_0", "height_0_1", "at_0", "at_1")
    result = lmoo.Solver(fixed=["at_0"]).solve(problem, problem.start)
    found = problem.params(result.x)
    assert isinstance(found, Peak)
    np.testing.assert_allclose(found.height, [[5.0, 5.0]])
    np.testing.assert_allclose(found.at, [3.0, -3.0])


def test_complex_curves() -> None:
    def wave(t: Any, a: Any, w: Any) -> Any:
        return a * jnp.exp(1j * w * t)

    y = 2.0 * np.exp(1.5j * T)
    result = lmoo.Solver().solve(JaxCurve(wave, T, y), [1.0, 1.4])
    np.testing.assert_allclose(result.x, [2.0, 1.5], rtol=1e-9)
    assert result.njev > 0


def test_least_squares_and_curve_fit() -> None:
    problem = JaxProblem(residual, args=(T, Y))
    found = lmoo.least_squares(problem.residual, [1, 1, 0], jac=problem.jacobian)
    np.testing.assert_allclose(found.x, EXPECTED.x, rtol=1e-6)
    decay = JaxModel(model)
    popt, pcov = lmoo.curve_fit(decay, T, Y, jac=decay.jac)
    np.testing.assert_allclose(popt, EXPECTED.x, rtol=1e-9)
    np.testing.assert_allclose(np.sqrt(np.diag(pcov)), EXPECTED.stderr, rtol=1e-6)
    bounded = lmoo.curve_fit(decay, T, Y, bounds={"c": (0.6, None)}, jac=decay.jac)[0]
    assert bounded[2] == pytest.approx(0.6)


def test_a_loss_and_priors() -> None:
    spoiled = Y.copy()
    spoiled[5] = 30.0
    problem = JaxCurve(model, T, spoiled)
    result = lmoo.Solver(loss="huber", f_scale="mad").solve(problem, [1, 1, 0])
    np.testing.assert_allclose(result.x, EXPECTED.x, atol=0.03)
    result = lmoo.Solver(priors={"c": (0.0, 1e-6)}).solve(JaxCurve(model, T, Y), [1, 1, 0])
    assert result["c"].value == pytest.approx(0.0, abs=1e-3)


# ---------------------------------------------------------------------------- many problems


def test_stacks_of_curves() -> None:
    rates = np.linspace(0.5, 2.0, 37)
    y = 2.5 * np.exp(-rates[:, None] * T) + 0.5
    f, traced = counted(model)
    decay = JaxModel(f, None)
    decay.parameter_names = ("a", "b", "c")
    fits = lmoo.curve_fit_many(decay, T, y, p0=[1, 1, 0], jac=decay.jac)
    assert fits.success.all()
    np.testing.assert_allclose(fits.x[:, 1], rates, rtol=1e-8)
    # Numbers of curves are rounded up, so that few of them are compiled: 1, 2, 4, ..., 64.
    assert traced[0] <= 2 * 9


def test_a_model_that_does_not_broadcast() -> None:
    def stepwise(t: Any, rate: Any) -> Any:
        """Euler's method, along t."""

        def step(y: Any, dt: Any) -> tuple[Any, Any]:
            y = y - rate * y * dt
            return y, y

        return jax.lax.scan(step, jnp.ones(()), jnp.diff(t, prepend=0.0))[1]

    decay = JaxModel(stepwise)
    rates = np.array([0.3, 0.5, 0.9])
    y = np.stack([decay(T, rate) for rate in rates])
    fits = lmoo.curve_fit_many(decay, T, y, p0=[0.4], jac=decay.jac)
    np.testing.assert_allclose(fits.x[:, 0], rates, rtol=1e-8)
    fits = lmoo.curve_fit_many(decay, np.stack([T] * 3), y, p0=[0.4], jac=decay.jac)
    np.testing.assert_allclose(fits.x[:, 0], rates, rtol=1e-8)


def test_several_variables_in_a_stack() -> None:
    plane = JaxModel(lambda t, a, b: a * t[0] + jnp.sin(b * t[1]))
    u = np.stack([T, 2 * T])
    y = np.stack([2 * T + np.sin(0.3 * T), 4 * T + np.sin(0.4 * T)])
    fits = lmoo.curve_fit_many(plane, (u, T), y, p0=[1, 0.2], jac=plane.jac)
    np.testing.assert_allclose(fits.x, [[2, 0.3], [2, 0.4]], rtol=1e-8)


def test_a_batch_of_problems() -> None:
    rates = np.linspace(0.5, 2.0, 21)
    data = np.exp(-rates[:, None] * T)
    problems = JaxBatchProblem(
        lambda p, y, t: p["a"] * jnp.exp(-p["b"] * t) - y,
        data,
        np.broadcast_to(T, data.shape),
        params={"a": 0.5, "b": 1.0},
    )
    fits = lmoo.solve_many(problems, np.tile(problems.start, (21, 1)))
    assert fits.success.all()
    np.testing.assert_allclose(fits.x, np.stack([np.ones(21), rates], 1), rtol=1e-8)
    assert tuple(problems.parameter_names) == ("a", "b")


def test_joint_fits_and_errors_in_x() -> None:
    curves = [JaxCurve(model, T, Y), JaxCurve(model, T, 2 * Y)]
    result = lmoo.Solver().solve(lmoo.JointProblem(curves, shared=["b"]), [1, 1, 0, 1, 0])
    assert result["b"].value == pytest.approx(EXPECTED.x[1], rel=1e-9)
    decay = JaxModel(model)
    fits = lmoo.curve_fit_many(
        decay, T, np.stack([Y, 2 * Y]), p0=[1, 1, 0], jac=decay.jac, shared=["b"]
    )
    np.testing.assert_allclose(fits.x[:, 1], EXPECTED.x[1], rtol=1e-9)
    exact = lmoo.CurveProblem(lmoo.Expression("a*exp(-b*t) + c"), T, Y, 0.01, sigma_x=0.05)
    expected = lmoo.Solver().solve(exact, [2, 1, 0.4])
    found = lmoo.Solver().solve(JaxCurve(model, T, Y, 0.01, sigma_x=0.05), [2, 1, 0.4])
    np.testing.assert_allclose(found.x, expected.x, rtol=1e-8)


# ---------------------------------------------------------------------------- precision


def test_arrays_of_single_precision_are_refused() -> None:
    rounded = jnp.asarray(T)
    assert rounded.dtype == np.float32
    hint = "single precision, float32 of shape .30,.: make it with numpy, or call jax.config.update"
    with pytest.raises(ValueError, match=f"residual uses an array of JAX in {hint}"):
        JaxProblem(lambda x: model(rounded, *x) - Y).residual(np.ones(3))
    with pytest.raises(ValueError, match=f"f uses an array of JAX in {hint}"):
        JaxModel(lambda t, a: a * rounded)(T, 1.0)
    with pytest.raises(ValueError, match=f"args have an array of JAX in {hint}"):
        JaxProblem(residual, args=(rounded, Y))
    with pytest.raises(ValueError, match=f"t and y have an array of JAX in {hint}"):
        JaxCurve(model, rounded, Y)
    with pytest.raises(ValueError, match=f"data have an array of JAX in {hint}"):
        JaxBatchProblem(residual, rounded)


def test_single_precision_of_the_function_is_refused() -> None:
    problem = JaxProblem(lambda x: (x - 1.0).astype(jnp.float32))
    with pytest.raises(TypeError, match="residual must return double precision; it returned float"):
        lmoo.Solver().solve(problem, [0.0])


def test_data_of_numpy_may_have_single_precision() -> None:
    problem = JaxProblem(residual, args=(T, Y.astype(np.float32)))
    assert lmoo.Solver().solve(problem, [1, 1, 0]).success


@pytest.mark.usefixtures("double")
def test_arrays_of_jax_in_double_precision() -> None:
    t = jnp.asarray(T)
    result = lmoo.Solver().solve(JaxProblem(lambda x: model(t, *x) - Y), [1, 1, 0])
    np.testing.assert_allclose(result.x, EXPECTED.x, rtol=1e-9)
    explicit = jnp.asarray(T, dtype=jnp.float32)
    assert JaxModel(lambda t, a: a * explicit)(T, 1.0).dtype == np.float64


# ---------------------------------------------------------------------------- arguments


def test_wrong_arguments() -> None:
    with pytest.raises(TypeError, match="residual must be callable; it is 3"):
        JaxProblem(3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="f must be callable; it is 3"):
        JaxCurve(3, T, Y)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"params\['a'\] must be real numbers; it is 'x'"):
        JaxProblem(residual, {"a": "x"})
    with pytest.raises(TypeError, match=r"params\['a'\] must be real numbers; it is 1j"):
        JaxProblem(residual, {"a": 1j})
    with pytest.raises(ValueError, match="params must have an entry for each parameter"):
        JaxProblem(residual, {})
    with pytest.raises(ValueError, match="different names; 'a_b' is there twice"):
        ParameterTree({"a": {"b": 1.0}, "a_b": 2.0})
    with pytest.raises(ValueError, match="parameter_names must be of printable characters"):
        ParameterTree({"a\x1b": 1.0})
    with pytest.raises(TypeError, match="residual must return real numbers; it returned complex"):
        lmoo.Solver().solve(JaxProblem(lambda x: x * 1j), [1.0])
    with pytest.raises(ValueError, match="data must be arrays with a row for each problem, all of"):
        JaxBatchProblem(residual, T, Y[:4])
    with pytest.raises(ValueError, match="data must be arrays with a row for each problem"):
        JaxBatchProblem(residual)
    with pytest.raises(ValueError, match="params must be given to have parameters as a pytree"):
        print(JaxProblem(residual).start)


def test_a_function_that_jax_cannot_trace() -> None:
    problem = JaxProblem(lambda x: np.sin(np.asarray(x)))
    with pytest.raises(jax.errors.TracerArrayConversionError):
        lmoo.Solver().solve(problem, [1.0])


def test_copies_and_pickles_compile_anew() -> None:
    for problem in (JaxProblem(residual, args=(T, Y)), JaxCurve(nested, T, Y, params=START)):
        x = np.array([1.0, 1.0, 0.5])
        before = problem.residual(x)
        for other in (pickle.loads(pickle.dumps(problem)), copy.deepcopy(problem)):
            np.testing.assert_array_equal(other.residual(x), before)


# ---------------------------------------------------------------------------- documentation


@pytest.mark.parametrize("name", ["jaxcurves", "jaxproblems", "jaxfunctions", "jaxtrees"])
def test_examples_of_the_modules(name: str) -> None:
    module = importlib.import_module(f"lmoo.integrations.{name}")
    failed, tried = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    assert failed == 0
    assert tried > 0


def test_examples_of_the_page() -> None:
    page = Path(__file__).parents[2] / "docs" / "jax.rst"
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    failed, tried = doctest.testfile(str(page), module_relative=False, optionflags=flags)
    assert failed == 0
    assert tried > 15
