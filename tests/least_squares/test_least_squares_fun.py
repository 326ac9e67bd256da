"""`fun` and `x0` of `least_squares`: forms, bad input, exceptions, values that are not finite."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import scipy.optimize
from least_squares_cases import START, Array, rosenbrock, rosenbrock_jacobian
from scipy.sparse import csr_array
from scipy.sparse.linalg import aslinearoperator

from lmoo import least_squares


@pytest.mark.parametrize("x0", [3.0, 3, [3.0], np.float32(3.0), np.array(3)])
def test_x0_may_be_a_number_and_fun_sees_a_vector(x0: Any) -> None:
    def fun(x: Array) -> float:
        assert x.shape == (1,)
        assert x.dtype == np.float64
        return float(x[0] - 5.0)

    result = least_squares(fun, x0)
    assert result.x.shape == result.fun.shape == (1,)
    np.testing.assert_allclose(result.x, [5.0])


def test_fun_may_return_lists() -> None:
    assert least_squares(lambda x: list(rosenbrock(x)), [2, 2]).success


def test_complex_problems_are_to_be_wrapped() -> None:
    def wrapped(x: Array) -> Array:
        z = x[0] + 1j * x[1] - (0.5 + 0.5j)
        return np.array([z.real, z.imag])

    result = least_squares(wrapped, (0.1, 0.1), bounds=([0, 0], [1, 1]))
    np.testing.assert_allclose(result.x, [0.5, 0.5], atol=1e-9)
    with pytest.raises(ValueError, match="`x0` must be real"):
        least_squares(rosenbrock, [1j, 2.0])
    with pytest.raises(TypeError, match="fun must return a 1-D array of real numbers"):
        least_squares(lambda x: x + 1j, [1.0, 2.0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x0": [[1.0, 2.0]]}, "`x0` must have at most 1 dimension"),
        ({"x0": []}, "`x0` must have at least one entry"),
        ({"x0": [np.nan, 1.0]}, "`x0` must be finite"),
        ({"fun": lambda x: x[:, None] * x}, "`fun` must return at most 1-d array_like"),
        ({"fun": lambda x: x[:0]}, "`fun` must return a number at least"),
        ({"bounds": (None, 5.0)}, "each lower bound must be less"),
        ({"bounds": ("a", 5.0)}, "`bounds` must be real numbers; it is 'a'"),
        ({"fun": lambda x: x / 0.0 * 0.0}, "Residuals are not finite in the initial point"),
        ({"jac": "4-point"}, "`jac` must be '2-point', '3-point', 'cs' or callable"),
        ({"jac": lambda x: np.eye(3)}, r"wrong shape: expected \(2, 2\), actual \(3, 3\)"),
        ({"method": "foo"}, "`method` must be 'trf', 'dogbox' or 'lm'"),
        ({"bounds": (1, 2, 3)}, "`bounds` must contain 2 elements"),
        ({"bounds": ([0.0] * 3, 5.0)}, "`bounds` must have the shape of `x0`"),
        ({"bounds": (5.0, -5.0)}, "each lower bound must be less"),
        ({"bounds": (0.0, 0.5)}, "`x0` is outside of `bounds`"),
        ({"method": "lm", "bounds": (-5.0, 5.0)}, "method='lm' does not support bounds"),
        ({"method": "lm", "loss": "huber"}, "method='lm' supports only the loss 'linear'"),
        ({"method": "lm", "fun": lambda x: x[:1]}, "method='lm' needs as many residuals"),
        ({"method": "lm", "jac_sparsity": np.eye(2)}, "does not support `jac_sparsity`"),
        ({"method": "lm", "ftol": None}, "ftol must be at least"),
        ({"ftol": None, "xtol": None, "gtol": None}, "one of ftol, xtol and gtol"),
        ({"x_scale": "auto"}, "`x_scale` must be 'jac' or positive numbers"),
        ({"x_scale": -1.0}, "`x_scale` must be 'jac' or positive numbers"),
        ({"x_scale": [1.0, 2.0, 3.0]}, "`x_scale` must have the shape of `x0`"),
        ({"loss": "hubert"}, "`loss` must be one of linear, huber"),
        ({"loss": lambda z: z, "f_scale": 2.0}, r"shape \(3, 2\)"),
        ({"loss": "huber", "f_scale": 0.0}, "f_scale must be positive"),
        ({"diff_step": [1.0, 2.0, 3.0]}, "`diff_step` must be a number or have shape"),
        ({"tr_solver": "best"}, "`tr_solver` must be None, 'exact' or 'lsmr'"),
        ({"jac_sparsity": np.eye(3)}, r"`jac_sparsity` must have shape \(2, 2\)"),
        ({"jac_sparsity": np.eye(2), "tr_solver": "exact"}, "is incompatible with `jac_sparsity`"),
        ({"max_nfev": 0}, "`max_nfev` must be None or a positive integer"),
        ({"verbose": 3}, "`verbose` must be 0, 1 or 2"),
        (
            {"jac": lambda x: csr_array(rosenbrock_jacobian(x)), "tr_solver": "exact"},
            "works only with dense",
        ),
        (
            {"jac": lambda x: csr_array(rosenbrock_jacobian(x)), "method": "lm"},
            "works only with dense",
        ),
        (
            {"jac": lambda x: aslinearoperator(rosenbrock_jacobian(x)), "x_scale": "jac"},
            "x_scale='jac' cannot be used",
        ),
    ],
    ids=lambda value: ", ".join(value) if isinstance(value, dict) else "",
)
@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
def test_bad_input_gets_scipys_class_of_error(change: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"fun": rosenbrock, "x0": [2.0, 2.0], **change}
    with pytest.raises(ValueError, match=message):
        least_squares(**arguments)
    if change.get("x0") == [] or change.get("f_scale") == 0.0 or "a number at least" in message:
        # Which scipy lets pass, or fails at by accident.
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises((ValueError, IndexError)):
            scipy.optimize.least_squares(**arguments)


@pytest.mark.parametrize(
    "name", ["x0", "bounds", "ftol", "diff_step", "jac_sparsity", "max_nfev", "args", "kwargs"]
)
def test_objects_that_are_no_numbers_are_named(name: str) -> None:
    """With scipy's class of error, or its base."""
    wrong = 5 if name in ("bounds", "args", "kwargs") else "a"
    arguments: dict[str, Any] = {"fun": rosenbrock, "x0": [2.0, 2.0], name: wrong}
    with pytest.raises((TypeError, ValueError)) as theirs:
        scipy.optimize.least_squares(**arguments)
    with pytest.raises(
        (TypeError, ValueError), match=f"^`{name}` must be .*; it is {wrong!r}$"
    ) as ours:
        least_squares(**arguments)
    assert issubclass(theirs.type, ours.type)


def test_exceptions_come_out_with_the_best_point() -> None:
    calls = 0

    def failing(x: Array) -> Array:
        nonlocal calls
        calls += 1
        if calls > 12:
            raise KeyError("mine")
        return rosenbrock(x)

    with pytest.raises(KeyError, match="mine") as caught:
        least_squares(failing, START)
    assert caught.value.lmoo_result.cost < 12.1  # type: ignore[attr-defined]


def test_fun_is_called_as_often_as_is_told() -> None:
    calls = 0

    def counted(x: Array) -> Array:
        nonlocal calls
        calls += 1
        return rosenbrock(x)

    result = least_squares(counted, START, rosenbrock_jacobian)
    assert result.nfev == calls
    calls = 0
    result = least_squares(counted, START)
    # Each Jacobian takes two more, which do not count.
    assert result.nfev == calls - 2 * result.njev


def test_points_that_are_not_finite_are_refused() -> None:
    def fun(x: Array) -> Array:
        with np.errstate(all="ignore"):
            return np.array([np.log(x[0]) + 2.0, x[1] - 1.0])

    result = least_squares(fun, [5.0, 0.0])
    assert result.success
    np.testing.assert_allclose(result.x, [np.exp(-2.0), 1.0], rtol=1e-6)
