"""leastsq at walls of points without a value, and at Jacobians of NaN or zeros."""

from __future__ import annotations

import numpy as np
import pytest
from drivers import Array

import lmoo


def rosenbrock(x: Array) -> Array:
    return np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]])


def rosenbrock_jacobian(x: Array) -> Array:
    return np.array([[-20 * x[0], 10], [-1, 0.0]])


def test_leastsq_at_a_wall_of_nan() -> None:
    def wall(x: Array) -> Array:
        return np.array([x[0] - 2, 0.1]) * (1.0 if x[0] < 1 else np.nan)

    x, _, _, message, ier = lmoo.leastsq(wall, [0.0], full_output=True)
    assert ier == -2, message
    assert x[0] < 1


def test_leastsq_at_a_wall_across_a_valley() -> None:
    def f(x: Array) -> Array:
        return rosenbrock(x) * (np.nan if x[0] > 0 else 1)

    _, _, _, message, ier = lmoo.leastsq(f, [-1.2, 1.0], Dfun=rosenbrock_jacobian, full_output=True)
    assert ier == -2, message


def test_leastsq_at_a_jacobian_of_nan() -> None:
    def jac(x: Array) -> Array:
        return rosenbrock_jacobian(x) * (np.nan if x[0] > 0 else 1)

    _, _, _, message, ier = lmoo.leastsq(rosenbrock, [-1.2, 1.0], Dfun=jac, full_output=True)
    assert ier == -2, message


def test_leastsq_at_a_start_that_is_not_finite() -> None:
    with pytest.warns(RuntimeWarning, match="not finite"):
        _, ier = lmoo.leastsq(lambda x: np.hstack([np.inf, x]), [3.0, 3.0])
    assert ier == -1


@pytest.mark.parametrize("exact", [False, True])
def test_leastsq_with_a_jacobian_of_zeros(exact: bool) -> None:
    jac = (lambda x: np.zeros((3, 1))) if exact else None
    start = np.array([7.5])
    x, _, _, message, ier = lmoo.leastsq(
        lambda x: np.floor(x[0]) - np.array([3.0, 4, 5]), start, Dfun=jac, full_output=True
    )
    assert ier == 4
    assert x[0] == 7.5
    assert message.startswith("No residual depends on a parameter at this point: all columns")
