"""`lmoo.fit`: a curve in one call, with or without starting values."""

from typing import Any

import numpy as np
import pytest

import lmoo

T = np.linspace(0.0, 4.0, 60)
NOISE = 0.005 * np.random.default_rng(3).standard_normal(T.size)


def decay(t: Any, a: Any, b: Any, c: Any) -> Any:
    return a * np.exp(-b * t) + c


Y = decay(T, 3.0, 0.7, 0.5) + NOISE
RIGHT = lmoo.Solver().solve(lmoo.CurveProblem(decay, T, Y), [3.0, 0.7, 0.5])

MODELS = {
    "text": "a*exp(-b*t) + c",
    "expression": lmoo.Expression("a*exp(-b*t) + c"),
    "function": decay,
    "lambda": lambda t, a, b, c: decay(t, a, b, c),
    "trace": lmoo.trace(decay),
    "built-in": lmoo.models.Exponential(),
}


@pytest.mark.parametrize("model", MODELS.values(), ids=list(MODELS))
@pytest.mark.parametrize("p0", [None, [3.0, 0.7, 0.5]], ids=["searched", "given"])
def test_any_kind_of_model(model: Any, p0: Any) -> None:
    result = lmoo.fit(model, T, Y, p0)
    assert result.success
    np.testing.assert_allclose(result.x, RIGHT.x, rtol=1e-7)
    np.testing.assert_allclose(result.stderr, RIGHT.stderr, rtol=1e-5)


@pytest.mark.parametrize("unit", [1e-12, 1.0, 1e9])
def test_starts_are_found_in_any_units(unit: float) -> None:
    result = lmoo.fit(decay, T * unit, Y / unit)
    assert result.success
    np.testing.assert_allclose(result.x * [unit, unit, unit], RIGHT.x, rtol=1e-7)


def test_a_sum_of_models() -> None:
    model = lmoo.models.Gaussian(prefix="g_") + lmoo.models.Lorentzian(prefix="l_")
    true = [2.0, 1.0, 0.2, 0.0, 1.0, 3.0, 0.15, 0.3]
    y = model(T, *true) + NOISE
    result = lmoo.fit(model, T, y, fixed={"g_offset": 0.0})
    assert result.success
    np.testing.assert_allclose(result.cost, 0.5 * np.sum(NOISE**2), rtol=0.3)


def test_several_variables() -> None:
    u, v = np.meshgrid(np.linspace(0, 1, 9), np.linspace(0, 2, 9))
    t = (u.ravel(), v.ravel())

    def plane(t: Any, a: Any, b: Any, c: Any) -> Any:
        return a * np.exp(-b * t[0]) + c * t[1]

    y = plane(t, 2.0, 1.5, 0.4)
    np.testing.assert_allclose(lmoo.fit(plane, t, y).x, [2.0, 1.5, 0.4], rtol=1e-8)


def test_some_starting_values_by_name() -> None:
    result = lmoo.fit(decay, T, Y, {"b": 0.5})
    np.testing.assert_allclose(result.x, RIGHT.x, rtol=1e-7)
    built_in = lmoo.fit(lmoo.models.Exponential(), T, Y, {"rate": 0.5})
    np.testing.assert_allclose(built_in.x, RIGHT.x, rtol=1e-7)


def test_bounds_fixed_and_sigma() -> None:
    result = lmoo.fit(decay, T, Y, bounds={"c": (0.6, np.inf)})
    assert result.active_mask.tolist() == [0, 0, -1]
    held = lmoo.fit(decay, T, Y, fixed={"c": 0.5})
    assert held.x[2] == 0.5
    weighted = lmoo.fit(decay, T, Y, sigma=np.linspace(1, 2, T.size))
    problem = lmoo.CurveProblem(decay, T, Y, np.linspace(1, 2, T.size))
    expected = lmoo.Solver().solve(problem, RIGHT.x)
    np.testing.assert_allclose(weighted.x, expected.x, rtol=1e-7)


def test_a_loss() -> None:
    y = Y.copy()
    y[::7] += 3.0
    result = lmoo.fit(decay, T, y, loss="cauchy", f_scale=0.01)
    assert result.success
    np.testing.assert_allclose(result.x, RIGHT.x, rtol=0.02)
    assert result.loss_weights is not None
    assert result.loss_weights[::7].max() < 0.01


def test_points_without_a_value_are_left_out() -> None:
    y = Y.copy()
    y[3] = np.nan
    with pytest.raises(ValueError, match="nan"):
        lmoo.fit(decay, T, y)
    assert lmoo.fit(decay, T, y, nan_policy="omit").observations == T.size - 1


def branching(t: Any, a: float, b: float) -> Any:
    return a * t if a != 0 else b * t


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((3, T, Y), TypeError, r"^model must .*; it is 3: the order is fit\(model, t, y\)$"),
        ((decay, T, Y, {"d": 1.0}), ValueError, r"^p0 has 'd', .* its parameters are a, b, c$"),
        ((decay, T, Y, [1.0, 2.0]), ValueError, r"^p0 must have one value for each of the 3"),
        ((decay, T, Y, {"a": np.nan}), ValueError, r"^p0 must be finite; that of a is nan"),
        ((branching, T, Y), ValueError, r"^p0 must be given, .* cannot be traced"),
        ((lambda t, *p: p[0] * t, T, Y), ValueError, r"^p0 must be an array"),
        (("a*", T, Y), lmoo.ExpressionError, "a*"),
    ],
)
def test_bad_arguments(arguments: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        lmoo.fit(*arguments)


@pytest.mark.parametrize("p0", [None, [3.0, 0.7, 0.5]], ids=["searched", "given"])
def test_the_loss_of_a_solver_is_used(p0: Any) -> None:
    y = Y.copy()
    y[::7] += 3.0
    solver = lmoo.Solver(loss="cauchy", f_scale=0.01)
    result = lmoo.fit(decay, T, y, p0, solver=solver)
    np.testing.assert_allclose(result.x, RIGHT.x, rtol=0.02)
    with pytest.raises(ValueError, match=r"^loss must be given once"):
        lmoo.fit(decay, T, y, p0, loss="huber", solver=solver)


def test_a_fixed_parameter_needs_a_value() -> None:
    with pytest.raises(ValueError, match=r"^fixed must have a value for c, or p0 must have it$"):
        lmoo.fit(decay, T, Y, fixed=["c"])
    assert lmoo.fit(decay, T, Y, {"c": 0.5}, fixed=["c"]).x[2] == 0.5


def test_options_are_given_once() -> None:
    with pytest.raises(ValueError, match=r"^bounds must be given once"):
        lmoo.fit(decay, T, Y, bounds=(0, 9), solver=lmoo.Solver(bounds=(0, 8)))
    with pytest.raises(TypeError, match=r"^solver must be a Solver or None; it is 3"):
        lmoo.fit(decay, T, Y, solver=3)  # type: ignore[arg-type]


def test_a_function_of_which_no_trace_can_be_made_is_fitted_from_p0() -> None:
    result = lmoo.fit(branching, T, 2.0 * T, [1.0, 1.0])
    np.testing.assert_allclose(result.x[0], 2.0)
    assert result.evaluation.startswith("called, because")


def test_missing_linear_parameters_of_a_function_that_is_called() -> None:
    t = np.linspace(0, 4, 40)
    y = model_of_decay(t, 2.5, 1.3, 0.5) + 0.02 * np.random.default_rng(0).standard_normal(40)
    covariance = np.diag(np.full(40, 0.04)) + 0.01
    found = lmoo.fit(model_of_decay, t, y, {"b": 1.0}, sigma=covariance)
    full = lmoo.fit(model_of_decay, t, y, [2.0, 1.0, 0.4], sigma=covariance)
    np.testing.assert_allclose(found.x, full.x, rtol=1e-7)


def model_of_decay(t, a, b, c):
    return a * np.exp(-b * t) + c


def impedance(w, s, p, tau):
    return s + p / (1 + 1j * w * tau)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [10.0, 50.0, 0.3]),
        ({"ties": {"s": "p/5"}}, [10.0, 50.0, 0.3]),
        ({"priors": {"s": (10, 0.1)}}, [10.0, 50.0, 0.3]),
        ({"derived": {"q": "s/p"}}, [10.0, 50.0, 0.3]),
        ({"bounds": {"s": (0, 20)}}, [10.0, 50.0, 0.3]),
    ],
)
def test_missing_linear_parameters_of_complex_curves(options, expected) -> None:
    w = np.geomspace(0.1, 100, 40)
    found = lmoo.fit(impedance, w, impedance(w, 10.0, 50.0, 0.3), {"tau": 1.0}, **options)
    np.testing.assert_allclose(found.x, expected, rtol=1e-6)


def test_a_complex_curve_whose_parameters_are_all_linear() -> None:
    t = np.linspace(0, 4, 40)
    found = lmoo.fit(lambda t, a, b: a * np.exp(1j * t) + b, t, 3 * np.exp(1j * t) + 2)
    np.testing.assert_allclose(found.x, [3.0, 2.0], rtol=1e-9)
