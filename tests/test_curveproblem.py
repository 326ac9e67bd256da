"""`CurveProblem`: a model and a curve as a problem, names from the model, and what is refused."""

from __future__ import annotations

import functools
import pickle
import sys
import types
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ids import stable

import lmoo
from lmoo import CurveProblem, Solver, models
from lmoo.models.problem import curve_problem
from lmoo.problems.names import parameter_names_of

T = np.linspace(0.0, 4.0, 12)
X = np.array([2.5, 1.3, 0.5])


def decay(t: Any, a: float, b: float, c: float) -> Any:
    return a * np.exp(-b * t) + c


def slopes(t: Any, a: float, b: float, c: float) -> Any:
    e = np.exp(-b * t)
    return np.stack([e, -a * t * e, np.ones_like(t)], axis=1)


Y = decay(T, *X) + 0.01 * np.cos(9.0 * T)
SIGMA = 0.1 + 0.05 * T


# ------------------------------------------------------------------------------- the residual


def test_residual_and_attributes() -> None:
    problem = CurveProblem(decay, T, Y, bounds=(0, 5), fixed=["c"])
    assert isinstance(problem, lmoo.Problem)
    assert problem.f is decay
    assert problem.jac is None
    assert problem.parameter_names == ("a", "b", "c")
    assert (problem.bounds, problem.fixed) == ((0, 5), ["c"])
    assert problem.sigma is None
    np.testing.assert_array_equal(problem.t, T)
    np.testing.assert_array_equal(problem.y, Y)
    assert problem.y is not Y
    np.testing.assert_array_equal(problem.residual(X + 1), decay(T, *(X + 1)) - Y)


@pytest.mark.parametrize("sigma", [0.1, np.float32(0.25), np.array([2.0])], ids=stable)
def test_one_standard_deviation_for_all(sigma: Any) -> None:
    problem = CurveProblem(decay, T, Y, sigma)
    np.testing.assert_array_equal(problem.sigma, np.full(12, float(np.squeeze(sigma))))
    np.testing.assert_allclose(problem.residual(X), (decay(T, *X) - Y) / np.squeeze(sigma))


def test_standard_deviations() -> None:
    sigma = np.linspace(0.1, 0.3, 12)
    problem = CurveProblem(decay, T, Y, list(sigma), slopes)
    np.testing.assert_array_equal(problem.sigma, sigma)
    np.testing.assert_allclose(problem.residual(X), (decay(T, *X) - Y) / sigma, rtol=1e-14)
    np.testing.assert_allclose(problem.jacobian(X), slopes(T, *X) / sigma[:, None], rtol=1e-14)


def test_a_covariance_matrix() -> None:
    distance = np.abs(T[:, None] - T)
    covariance = 0.04 * np.exp(-distance)
    problem = CurveProblem(decay, T, Y, covariance, slopes)
    np.testing.assert_array_equal(problem.sigma, covariance)
    difference = decay(T, *X) - Y
    residual, J = problem.residual(X), problem.jacobian(X)
    np.testing.assert_allclose(
        residual @ residual, difference @ np.linalg.solve(covariance, difference), rtol=1e-12
    )
    D = slopes(T, *X)
    np.testing.assert_allclose(J.T @ J, D.T @ np.linalg.solve(covariance, D), rtol=1e-11)
    np.testing.assert_allclose(
        J.T @ residual, D.T @ np.linalg.solve(covariance, difference), rtol=1e-11
    )


def test_a_diagonal_covariance_matrix_is_that_of_standard_deviations() -> None:
    sigma = np.linspace(0.1, 0.3, 12)
    one = Solver().solve(CurveProblem(decay, T, Y, sigma), [1, 1, 0])
    two = Solver().solve(CurveProblem(decay, T, Y, np.diag(sigma**2)), [1, 1, 0])
    np.testing.assert_allclose(one.x, two.x, rtol=1e-10)
    np.testing.assert_allclose(one.cost, two.cost, rtol=1e-12)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.integers(1, 20))
def test_whitened_sums_of_squares_are_mahalanobis_distances(seed: int, m: int) -> None:
    random = np.random.default_rng(seed)
    A = random.normal(size=(m, m)) + 3.0 * np.eye(m)
    y = random.normal(size=m)
    problem = CurveProblem(lambda t, a: a + 0.0 * t, np.zeros(m), y, A @ A.T)
    f = problem.residual(np.array([2.0]))
    assert f @ f == pytest.approx(float(np.sum(np.linalg.solve(A, 2.0 - y) ** 2)), rel=1e-6)


def test_with_jac_derivatives_are_analytic() -> None:
    with_jac = Solver().solve(CurveProblem(decay, T, Y, jac=slopes), [1, 1, 0])
    without = Solver().solve(CurveProblem(decay, T, Y, trace=False), [1, 1, 0])
    assert with_jac.success
    assert without.success
    assert with_jac.nfev < without.nfev
    np.testing.assert_allclose(with_jac.x, without.x, rtol=1e-9)
    assert lmoo.check_jacobian(CurveProblem(decay, T, Y, 0.1, slopes), X)
    with pytest.raises(TypeError, match="must define jacobian"):
        Solver(jacobian=lmoo.Analytic()).solve(CurveProblem(decay, T, Y), [1, 1, 0])


def test_a_subclass_may_have_the_jacobian() -> None:
    class Mine(CurveProblem):
        def jacobian(self, x: np.ndarray) -> np.ndarray:
            return slopes(self.t, *x)

    result = Solver().solve(Mine(decay, T, Y), [1, 1, 0])
    assert result.success
    assert result.nfev < 3 * result.njev + 5


def test_complex_steps_pass_through() -> None:
    covariance = np.diag(np.linspace(1, 2, 12)) + 0.1
    solver = Solver(jacobian=lmoo.ComplexStep())
    for sigma in (None, 0.1, covariance):
        result = solver.solve(CurveProblem(decay, T, Y, sigma), [1, 1, 0])
        plain = Solver().solve(CurveProblem(decay, T, Y, sigma), [1, 1, 0])
        np.testing.assert_allclose(result.x, plain.x, rtol=1e-9)


def test_parameters_reach_the_model_as_numpy_numbers() -> None:
    # Python's own raise where these overflow, or turn complex.
    seen: list[type] = []

    def model(t: Any, a: Any) -> Any:
        seen.append(type(a))
        return a * t

    CurveProblem(model, T, Y).residual(np.array([1.0]))
    assert seen == [np.float64]


def test_a_refused_point_shortens_the_step() -> None:
    def bounded(t: Any, a: float, b: float, c: float) -> Any:
        if b < 0:
            raise lmoo.EvaluationError
        return decay(t, a, b, c)

    assert Solver().solve(CurveProblem(bounded, T, Y), [1, 0.1, 0]).success


def test_it_can_be_pickled() -> None:
    problem = pickle.loads(pickle.dumps(CurveProblem(decay, T, Y, 0.1, slopes)))
    np.testing.assert_array_equal(
        problem.residual(X), CurveProblem(decay, T, Y, 0.1, slopes).residual(X)
    )
    without = pickle.loads(pickle.dumps(CurveProblem(decay, T, Y)))
    assert Solver().solve(without, [1, 1, 0]).success


# ------------------------------------------------------------------------------------- points


def test_points_may_be_anything_that_the_model_takes() -> None:
    u, v = np.linspace(0, 1, 10), np.cos(np.arange(10.0))
    y = 2.0 * u + 3.0 * v

    def plane(t: Any, a: float, b: float) -> Any:
        first, second = t
        return a * first + b * second

    def table(t: Any, a: float, b: float) -> Any:
        return a * t["u"] + b * t["v"]

    points = types.SimpleNamespace(u=u, v=v)
    cases = [
        (plane, (u, v)),
        (plane, (list(u), list(v))),
        (plane, np.stack([u, v])),
        (plane, [list(u), list(v)]),
        (table, pd.DataFrame({"u": u, "v": v})),
        (table, {"u": u, "v": v}),
        (lambda t, a, b: a * t.u + b * t.v, points),
        (lambda t, a, b: a * u + b * v, None),
    ]
    for f, t in cases:
        result = Solver().solve(CurveProblem(f, t, y), [1, 1])
        np.testing.assert_allclose(result.x, [2, 3], rtol=1e-9)


@pytest.mark.parametrize(
    "t",
    [[0, 1, 2], np.arange(3), np.arange(3, dtype=np.float32), np.array([False, True, True])],
    ids=stable,
)
def test_real_points_are_double_precision(t: Any) -> None:
    problem = CurveProblem(lambda t, a: a * t, t, [0, 1, 2])
    assert problem.t.dtype == np.float64
    (part,) = CurveProblem(lambda t, a: a * t[0], (t,), [0, 1, 2]).t
    assert part.dtype == np.float64


def test_double_precision_is_not_copied() -> None:
    assert CurveProblem(decay, T, Y).t is T


def test_complex_points_are_left_alone() -> None:
    z = np.exp(1j * T)
    y = np.abs(2.0 + 3.0 * z)
    result = Solver().solve(CurveProblem(lambda z, a, b: np.abs(a + b * z), z, y), [1, 5])
    np.testing.assert_allclose(result.x, [2, 3], rtol=1e-8)


def test_data_of_any_real_kind() -> None:
    for y in ([1, 2, 3], np.array([1, 2, 3], dtype=np.int8), pd.Series([1, 2, 3]), (1.0, 2, 3)):
        problem = CurveProblem(lambda t, a: a * t, [1, 2, 3], y)
        assert problem.y.dtype == np.float64
        assert Solver().solve(problem, [0.5]).x == pytest.approx(1.0)


def test_a_model_may_return_a_number_or_a_list() -> None:
    constant = CurveProblem(lambda t, a: a, T, Y)
    np.testing.assert_array_equal(constant.residual(np.array([2.0])), 2.0 - Y)
    listed = CurveProblem(lambda t, a: [a * v for v in t], T, Y)
    np.testing.assert_array_equal(listed.residual(np.array([2.0])), 2.0 * T - Y)


# --------------------------------------------------------------------------------------- names


class Callable:
    def __call__(self, t: Any, height: float, width: float) -> Any:
        return height * t + width

    def method(self, t: Any, height: float, width: float) -> Any:
        return height * t + width

    @staticmethod
    def static(t: Any, height: float, width: float) -> Any:
        return height * t + width

    @classmethod
    def of_the_class(cls, t: Any, height: float, width: float) -> Any:
        return height * t + width


class Named:
    parameter_names = ["height", "width"]  # noqa: RUF012

    def __call__(self, t: Any, *parameters: float) -> Any:
        return parameters[0] * t + parameters[1]


def three(t: Any, height: float, width: float, unit: float) -> Any:
    return unit * (height * t + width)


@functools.wraps(three)
def wrapped(*args: Any) -> Any:
    return three(*args)


def keywords(t: Any, height: float, width: float = 1.0, *, unit: float = 1.0, **rest: Any) -> Any:
    return height * t + width * unit


def positional(t: Any, height: float, /, width: float) -> Any:
    local = height * t
    return local + width


@pytest.mark.parametrize(
    ("f", "names"),
    [
        (decay, ("a", "b", "c")),
        (lambda t, p: t, ("p",)),
        (keywords, ("height", "width")),
        (positional, ("height", "width")),
        (wrapped, ("height", "width", "unit")),
        (Callable(), ("height", "width")),
        (Callable().method, ("height", "width")),
        (Callable.static, ("height", "width")),
        (Callable.of_the_class, ("height", "width")),
        (Named(), ("height", "width")),
        (models.Exponential(), ("amplitude", "rate", "offset")),
        (functools.partial(three, unit=2.0), ("height", "width")),
        (functools.partial(three, T), ("width", "unit")),
        (functools.lru_cache(three), ("height", "width", "unit")),
        (lambda t, *p: t, None),
        (lambda t, a, *p: t, None),
        (lambda *p: p[0], None),
        (lambda t: t, None),
        (np.arctan2, None),
        (np.vectorize(three), None),
        (max, None),
        (dict, None),
    ],
    ids=stable,
)
def test_names_of_parameters(f: Any, names: Any) -> None:
    assert parameter_names_of(f) == names


def test_names_that_are_given_come_first() -> None:
    problem = CurveProblem(decay, T, Y, parameter_names=["x", "y", "z"])
    assert problem.parameter_names == ("x", "y", "z")
    assert Solver().solve(problem, [1, 1, 0]).parameter_names == ("x", "y", "z")


def test_a_ufunc_is_fitted_without_names() -> None:
    y = np.arctan2(T, 2.0)
    result = Solver().solve(CurveProblem(np.arctan2, T, y), [1.0])
    np.testing.assert_allclose(result.x, [2.0])
    assert result.parameter_names == ("x[0]",)


# ------------------------------------------------------------------------------ missing points


def test_nan_is_refused() -> None:
    y, t = Y.copy(), T.copy()
    y[3] = t[5] = np.nan
    with pytest.raises(ValueError, match=r"^y must be finite, or nan_policy 'omit'; y\[3\] is nan"):
        CurveProblem(decay, T, y)
    with pytest.raises(ValueError, match=r"^t must not be nan, or nan_policy 'omit'; .* index 5$"):
        CurveProblem(decay, t, Y)
    with pytest.raises(ValueError, match=r"^t must not be nan"):
        CurveProblem(lambda t, a: t[0], (T, t), Y)
    with pytest.raises(ValueError, match=r"^t must not be nan, .* index 5$"):
        CurveProblem(lambda t, a: t[0], np.stack([T, t]), Y)


def test_infinite_points_are_the_models_affair() -> None:
    t = np.append(T, np.inf)
    result = Solver().solve(CurveProblem(decay, t, decay(t, *X)), [1, 1, 0])
    np.testing.assert_allclose(result.x, X, rtol=1e-8)


@pytest.mark.parametrize("policy", ["raise", "omit"])
def test_infinite_data_are_refused(policy: str) -> None:
    y = Y.copy()
    y[4] = -np.inf
    with pytest.raises(ValueError, match=r"y\[4\] is -inf"):
        CurveProblem(decay, T, y, nan_policy=policy)


def test_nan_is_left_out_with_its_points_and_its_sigma() -> None:
    y, t = Y.copy(), T.copy()
    y[3] = t[5] = np.nan
    keep = np.delete(np.arange(12), [3, 5])
    sigma = np.linspace(0.1, 0.3, 12)
    covariance = np.diag(sigma) + 0.01
    problem = CurveProblem(decay, t, y, sigma, nan_policy="omit")
    np.testing.assert_array_equal(problem.t, T[keep])
    np.testing.assert_array_equal(problem.y, Y[keep])
    np.testing.assert_array_equal(problem.sigma, sigma[keep])
    problem = CurveProblem(decay, t, y, covariance, nan_policy="omit")
    np.testing.assert_array_equal(problem.sigma, covariance[keep][:, keep])
    expected = CurveProblem(decay, T[keep], Y[keep], covariance[keep][:, keep])
    np.testing.assert_array_equal(problem.residual(X), expected.residual(X))


def test_nan_in_several_variables_is_left_out() -> None:
    u, v = T.copy(), T**2
    u[1] = v[2] = np.nan
    keep = np.delete(np.arange(12), [1, 2])

    def plane(t: Any, a: float, b: float) -> Any:
        return a * t[0] + b * t[1]

    for t in ((u, v), np.stack([u, v])):
        problem = CurveProblem(plane, t, Y, nan_policy="omit")
        np.testing.assert_array_equal(problem.t, np.stack([T, T**2])[:, keep])
        assert isinstance(problem.t, type(t))
    frame = pd.DataFrame({"u": u, "v": v})
    problem = CurveProblem(lambda t, a: a * t["u"], frame, Y, nan_policy="omit")
    np.testing.assert_array_equal(problem.t["u"], T[keep])
    np.testing.assert_array_equal(problem.y, Y[keep])
    problem = CurveProblem(lambda t, a: a * t, frame["u"], Y, nan_policy="omit")
    np.testing.assert_array_equal(problem.t, np.delete(T, 1))


def test_without_nan_nothing_is_left_out() -> None:
    problem = CurveProblem(decay, T, Y, nan_policy="omit")
    assert problem.t is T
    np.testing.assert_array_equal(problem.y, Y)


@pytest.mark.parametrize("policy", ["raise", "omit"])
def test_a_masked_entry_is_a_missing_one(policy: str) -> None:
    y = np.ma.masked_array(Y, mask=np.arange(12) == 7)
    problem = CurveProblem(decay, T, y, nan_policy=policy)
    np.testing.assert_array_equal(problem.y, np.delete(Y, 7))


# ----------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("changes", "error", "match"),
    [
        ({"f": 5}, TypeError, r"^f must be callable; it is 5$"),
        ({"jac": 5}, TypeError, r"^jac must be callable or None; it is 5$"),
        ({"y": Y + 1j}, TypeError, r"^y must be real numbers"),
        ({"y": list("abcdefghijkl")}, TypeError, r"^y must be real numbers"),
        ({"y": [1.0, [2.0, 3.0]]}, TypeError, r"^y must be an array of real numbers"),
        ({"y": None}, TypeError, r"^y must be real numbers; it is None$"),
        ({"y": np.array(["a"], dtype=object)}, TypeError, r"^y must be real numbers"),
        ({"y": 1.0}, ValueError, r"^y must be 1-D; its shape is \(\)$"),
        ({"y": Y.reshape(3, 4)}, ValueError, r"^y must be 1-D; its shape is \(3, 4\)$"),
        ({"y": [], "t": []}, ValueError, r"^y must not be empty$"),
        ({"y": [np.nan], "t": [1.0], "nan_policy": "omit"}, ValueError, r"^y must not be empty$"),
        ({"t": [1.0, [2.0, 3.0]]}, TypeError, r"^t must be an array of real numbers"),
        ({"t": ["a"] * 12}, TypeError, r"^t must be real numbers"),
        ({"t": ([1j] * 12, T)}, TypeError, r"^t must be real numbers"),
        ({"sigma": 0.0}, ValueError, r"^sigma must be positive and finite"),
        ({"sigma": -Y}, ValueError, r"^sigma must be positive and finite"),
        ({"sigma": np.nan}, ValueError, r"^sigma must be positive and finite"),
        ({"sigma": np.ones(11)}, ValueError, r"^sigma .*\(12,\) or \(12, 12\).* is \(11,\)$"),
        ({"sigma": [[4.0]]}, ValueError, r"its shape is \(1, 1\)$"),
        ({"sigma": np.ones((12, 1))}, ValueError, r"its shape is \(12, 1\)$"),
        ({"sigma": "a"}, TypeError, r"^sigma must be real numbers; it is 'a'$"),
        ({"sigma": 1j}, TypeError, r"^sigma must be real numbers"),
        ({"sigma": -np.eye(12)}, ValueError, r"^`sigma` must be positive definite\.$"),
        ({"sigma": np.ones((12, 12))}, ValueError, r"^`sigma` must be positive definite\.$"),
        ({"sigma": np.full((12, 12), np.nan)}, ValueError, r"^sigma must be finite"),
        ({"sigma": np.eye(12) + np.eye(12, k=1)}, ValueError, r"^sigma must be symmetric"),
        ({"nan_policy": "ignore"}, ValueError, r"^nan_policy must be 'raise' or 'omit'"),
        ({"t": T[:5], "nan_policy": "omit"}, ValueError, r"^t must have its 12 points along"),
        ({"t": 1.0, "nan_policy": "omit"}, ValueError, r"^t must have its 12 points along"),
        ({"t": {}, "nan_policy": "omit"}, ValueError, r"^t must have its 12 points along"),
    ],
    ids=stable,
)
def test_what_is_refused(changes: Any, error: type[Exception], match: str) -> None:
    arguments = {"f": decay, "t": T, "y": Y, **changes}
    with pytest.raises(error, match=match):
        CurveProblem(**arguments)


@pytest.mark.parametrize(
    ("value", "error", "match"),
    [
        (None, TypeError, r"^f must return 12 real numbers, one for each point; it returned None$"),
        ("text", TypeError, r"it returned 'text'$"),
        ([1.0, [2.0]], TypeError, r"what it returned is no array"),
        (np.ones(11), ValueError, r"it returned an array of shape \(11,\)$"),
        (np.ones((12, 1)), ValueError, r"it returned an array of shape \(12, 1\)$"),
        (np.ones((2, 12)), ValueError, r"it returned an array of shape \(2, 12\)$"),
        (np.empty((12, 0)), ValueError, r"it returned an array of shape \(12, 0\)$"),
    ],
    ids=stable,
)
def test_values_that_are_refused(value: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        Solver().solve(CurveProblem(lambda t, a: value, T, Y), [1.0])


def test_complex_values_are_refused() -> None:
    with pytest.raises(TypeError, match="complex"):
        Solver().solve(CurveProblem(lambda t, a: a * t + 1j, T, Y), [1.0])


def test_derivatives_of_the_wrong_shape_are_refused() -> None:
    problem = CurveProblem(decay, T, Y, jac=lambda t, *p: slopes(t, *p).T)
    with pytest.raises(ValueError, match=r"^jac must return 3 derivatives for each of 12 points"):
        Solver().solve(problem, [1, 1, 0])


def test_what_the_model_raises_comes_out() -> None:
    def broken(t: Any, a: float) -> Any:
        raise TypeError("mine")

    with pytest.raises(TypeError, match=r"^mine$"):
        Solver().solve(CurveProblem(broken, T, Y), [1.0])


# ------------------------------------------------------------------------------ compiled models


def test_a_compiled_model_makes_a_compiled_problem_that_knows_its_data() -> None:
    model = models.Exponential()
    sigma = np.linspace(0.1, 0.3, 12)
    problem = curve_problem(model, T, Y, sigma, bounds=(0, 9), fixed=["rate"])
    assert isinstance(problem, lmoo.CompiledProblem)
    assert problem.f is model
    np.testing.assert_array_equal(problem.t, T)
    np.testing.assert_array_equal(problem.y, Y)
    np.testing.assert_array_equal(problem.sigma, sigma)
    assert (problem.bounds, problem.fixed) == ((0, 9), ["rate"])
    plain = CurveProblem(decay, T, Y, sigma)
    np.testing.assert_allclose(problem.residual(X), plain.residual(X), rtol=1e-12)
    again = pickle.loads(pickle.dumps(problem))
    np.testing.assert_array_equal(again.residual(X), problem.residual(X))
    assert (again.bounds, again.fixed) == ((0, 9), ["rate"])


def test_a_compiled_model_of_two_variables_knows_its_data() -> None:
    u, v = (part.ravel() for part in np.meshgrid(np.arange(5.0), np.arange(4.0)))
    model = models.Gaussian2D()
    y = model((u, v), 10.0, 2.1, 1.4, 1.2, 0.5)
    problem = curve_problem(model, (u, v), y)
    assert isinstance(problem.t, tuple)
    np.testing.assert_array_equal(problem.t, (u, v))
    np.testing.assert_allclose(problem.f(problem.t, 10.0, 2.1, 1.4, 1.2, 0.5), problem.y)
    again = pickle.loads(pickle.dumps(problem))
    np.testing.assert_array_equal(again.t, problem.t)


def test_a_compiled_model_leaves_missing_points_out() -> None:
    y = Y.copy()
    y[2] = np.nan
    problem = curve_problem(models.Exponential(), T, y, nan_policy="omit")
    assert problem.m == 11
    np.testing.assert_array_equal(problem.t, np.delete(T, 2))
    with pytest.raises(ValueError, match=r"y\[2\] is nan"):
        curve_problem(models.Exponential(), T, y)


def test_what_compiled_problems_do_not_know_is_evaluated_from_python() -> None:
    model = models.Exponential()
    covariance = 0.01 * np.exp(-np.abs(T[:, None] - T))
    problem = curve_problem(model, T, Y, covariance)
    assert isinstance(problem, CurveProblem)
    assert problem.parameter_names == ("amplitude", "rate", "offset")
    plain = CurveProblem(decay, T, Y, covariance, slopes)
    np.testing.assert_allclose(problem.residual(X), plain.residual(X), rtol=1e-10)
    np.testing.assert_allclose(problem.jacobian(X), plain.jacobian(X), rtol=1e-10, atol=1e-10)
    assert isinstance(curve_problem(model, T, Y, jac=slopes), CurveProblem)
    named = curve_problem(model, T, Y, parameter_names="abc")
    assert isinstance(named, lmoo.CompiledProblem)
    assert named.parameter_names == ("a", "b", "c")
    assert isinstance(curve_problem(decay, T, Y), CurveProblem)


def test_function_problems_have_bounds_too() -> None:
    problem = lmoo.FunctionProblem(lambda x: x - 1.0, bounds=(0, 1), fixed=[0])
    assert (problem.bounds, problem.fixed) == ((0, 1), [0])
    assert (lmoo.Problem().bounds, lmoo.Problem().fixed) == (None, None)


# ------------------------------------------------------------------- called from the compiled loop


class Recorded(CurveProblem):
    """The same by way of Python: a residual of its own."""

    def residual(self, x: np.ndarray) -> Any:
        return super().residual(x)


@pytest.mark.parametrize(
    "sigma", [None, 0.1, np.linspace(0.1, 0.3, 12), np.diag(np.linspace(1, 2, 12))], ids=stable
)
@pytest.mark.parametrize("jac", [None, slopes])
def test_the_compiled_loop_evaluates_the_same(sigma: Any, jac: Any) -> None:
    for kind in (lmoo.ForwardDifference(), lmoo.CentralDifference(), None):
        plain = CurveProblem(decay, T, Y, sigma, jac, trace=False)
        one = Solver(jacobian=kind).solve(plain, [1, 1, 0])
        two = Solver(jacobian=kind).solve(Recorded(decay, T, Y, sigma, jac), [1, 1, 0])
        np.testing.assert_array_equal(one.x, two.x)
        np.testing.assert_array_equal(one.residual, two.residual)
        assert (one.nfev, one.njev, one.status) == (two.nfev, two.njev, two.status)


@pytest.mark.parametrize(
    "form",
    [
        list,
        pd.Series,
        np.ma.masked_array,
        lambda v: v[::-1][::-1],
        lambda v: np.repeat(v, 2)[::2],
        lambda v: v.astype(">f8"),
        lambda v: v.view(type("Sub", (np.ndarray,), {})),
        lambda v: v.astype(np.longdouble),
    ],
)
def test_values_of_any_form(form: Any) -> None:
    result = Solver().solve(CurveProblem(lambda t, *p: form(decay(t, *p)), T, Y), [1, 1, 0])
    expected = Solver().solve(CurveProblem(decay, T, Y), [1, 1, 0])
    np.testing.assert_allclose(result.x, expected.x, rtol=1e-9)


def test_single_precision_of_the_model_is_that_of_the_residual() -> None:
    def single(t: Any, *p: float) -> Any:
        return decay(t, *p).astype(np.float32)

    for kind in (CurveProblem, Recorded):
        problem = kind(single, T, Y)
        assert problem.residual(X).dtype == np.float32
        result = Solver(ftol=1e-7, xtol=1e-5).solve(problem, [1, 1, 0])
        assert result.success
        np.testing.assert_allclose(result.x, Solver().solve(CurveProblem(decay, T, Y), X).x, 1e-3)


def test_the_model_may_keep_and_change_what_it_got_and_what_it_returned() -> None:
    kept: list[Any] = []
    buffer = np.empty(12)

    def model(t: Any, a: Any, b: Any, c: Any) -> Any:
        kept.append((a, b, c))
        buffer[:] = decay(t, a, b, c)
        return buffer

    result = Solver().solve(CurveProblem(model, T, Y), [1, 1, 0])
    expected = Solver().solve(CurveProblem(decay, T, Y, trace=False), [1, 1, 0])
    np.testing.assert_array_equal(result.x, expected.x)
    assert kept[0] == (1.0, 1.0, 0.0)
    assert len(kept) == result.nfev
    assert all(type(p) is np.float64 for point in kept for p in point)


def test_exceptions_of_the_model_come_out_with_their_traceback() -> None:
    def broken(t: Any, a: float) -> Any:
        if a != 1.0:
            raise KeyError("mine")
        return a * t

    with pytest.raises(KeyError, match="mine") as caught:
        Solver().solve(CurveProblem(broken, T, Y), [1.0])
    assert caught.traceback[-1].name == "broken"


def test_a_value_that_turns_bad_is_refused_with_its_cause() -> None:
    values = iter([np.ones(12), np.ones(12), "text"])
    with pytest.raises(TypeError, match=r"it returned 'text'$") as caught:
        Solver().solve(CurveProblem(lambda t, a: next(values), T, Y), [1.0])
    assert caught.traceback[-1].name == "_refuse"


def test_a_solve_can_be_stored_and_gone_on_with() -> None:
    steps = Solver().iterate(CurveProblem(decay, T, Y), [1, 1, 0])
    next(steps)
    again = pickle.loads(pickle.dumps(steps))
    assert [s.cost for s in steps] == [s.cost for s in again]
    np.testing.assert_array_equal(steps.result.x, again.result.x)


def test_threads_may_share_a_problem() -> None:
    problem = CurveProblem(decay, T, Y)
    starts = [[1, 0.5 + 0.1 * k, 0] for k in range(8)]
    expected = [Solver().solve(problem, start).x for start in starts]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda start: Solver().solve(problem, start).x, starts))
    np.testing.assert_array_equal(found, expected)


def test_nothing_leaks() -> None:
    def model(t: Any, a: float, b: float, c: float) -> Any:
        return decay(t, a, b, c)

    problem = CurveProblem(model, T, Y)
    for value in (None, "text"):
        with pytest.raises(TypeError):
            Solver().solve(CurveProblem(lambda t, a, *, value=value: value, T, Y), [1.0])
    Solver().solve(problem, [1, 1, 0])
    before = [sys.getrefcount(thing) for thing in (model, problem.t, problem.y)]
    for _ in range(20):
        Solver().solve(problem, [1, 1, 0])
    assert [sys.getrefcount(thing) for thing in (model, problem.t, problem.y)] == before


@pytest.mark.parametrize(
    "y", [np.arange(12), Y[:5].reshape(1, 5), np.repeat(Y, 2)[::2]], ids=stable
)
def test_data_that_were_replaced_by_others_are_looked_at(y: Any) -> None:
    problem = CurveProblem(decay, T, Y)
    problem.y = y
    with pytest.raises(TypeError, match=r"^y and sigma must be float64 vectors"):
        Solver().solve(problem, [1, 1, 0])


def test_sigma_that_is_set_weighs() -> None:
    problem = CurveProblem(decay, T, Y)
    x = np.array([1.0, 1.0, 0.0])
    plain = problem.residual(x)
    for sigma in (0.5, SIGMA, np.diag(SIGMA**2)):
        problem.sigma = sigma
        right = CurveProblem(decay, T, Y, sigma)
        np.testing.assert_array_equal(problem.residual(x), right.residual(x))
        np.testing.assert_array_equal(problem.sigma, right.sigma)
        result, other = (Solver().solve(each, [1, 1, 0]) for each in (problem, right))
        np.testing.assert_array_equal(result.x, other.x)
        assert result.r_squared == other.r_squared
    problem.sigma = None
    np.testing.assert_array_equal(problem.residual(x), plain)


def test_sigma_that_is_set_is_checked() -> None:
    problem = CurveProblem(decay, T, Y, sigma=0.5)
    with pytest.raises(ValueError, match="sigma must be positive and finite"):
        problem.sigma = -1.0
    with pytest.raises(ValueError, match="sigma must be a number, or have shape"):
        problem.sigma = [1.0, 2.0]
    with pytest.raises(ValueError, match="read-only"):
        problem.sigma[:] = 1.0
    np.testing.assert_array_equal(problem.sigma, np.full(T.size, 0.5))


def test_the_data_of_a_compiled_problem_cannot_be_changed() -> None:
    problem = lmoo.models.Exponential().problem(T, Y, 0.5)
    for name in ("f", "t", "y", "sigma"):
        with pytest.raises(AttributeError, match=f"^{name} is compiled into the problem"):
            setattr(problem, name, 0.1)
    problem.bounds = {"rate": (0.0, 1.0)}
    assert Solver().solve(problem, [1.0, 1.0, 0.0]).upper[1] == 1.0


@pytest.mark.parametrize("sigma", [None, SIGMA, np.diag(SIGMA**2)], ids=["none", "1-D", "2-D"])
def test_the_derivatives_of_one_parameter_may_be_a_vector(sigma: Any) -> None:
    def f(t: Any, rate: Any) -> Any:
        return np.exp(-rate * t)

    def slopes(t: Any, rate: Any) -> Any:
        return -t * np.exp(-rate * t)

    problem = CurveProblem(f, T, Y, sigma, slopes)
    right = CurveProblem(f, T, Y, sigma, lambda t, rate: slopes(t, rate)[:, None])
    x = np.array([0.7])
    np.testing.assert_array_equal(problem.jacobian(x), right.jacobian(x))
    popt, pcov = lmoo.curve_fit(f, T, Y, [1.0], sigma, jac=slopes)
    result = Solver().solve(right, [1.0])
    np.testing.assert_allclose(popt, result.x, rtol=1e-12)
    np.testing.assert_allclose(pcov, result.covariance(), rtol=1e-10)
