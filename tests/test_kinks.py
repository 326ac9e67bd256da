"""Parameters that enter as |x|: where the least sum of squares is at the kink, it is found.

An amplitude |a| keeps a fit positive without a bound.  Where the data want a negative one, the
minimum is at a = 0, and the gradient on either side points to the other side.  The minimum of the
other parameters is that with a = 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.optimize
from drivers import DRIVERS, Array, fit

T = np.linspace(0.0, 10.0, 40)


def decay(t: Array, a: Any, k: Any, c: Any) -> Array:
    return np.abs(a) * np.exp(-np.abs(k) * t) + np.abs(c)


def decay_jacobian(t: Array, a: Any, k: Any, c: Any) -> Array:
    e = np.exp(-np.abs(k) * t)
    columns = np.sign(a) * e, -np.sign(k) * np.abs(a) * t * e, np.sign(c) * np.ones_like(t)
    return np.stack(np.broadcast_arrays(*columns), axis=-1)


def peaks(t: Array, a: Any, b: Any, c: Any) -> Array:
    return np.abs(a) * np.exp(-((t - 5) ** 2)) + np.abs(b) * np.exp(-((t - 6) ** 2)) + c


def peaks_jacobian(t: Array, a: Any, b: Any, c: Any) -> Array:
    columns = np.sign(a) * np.exp(-((t - 5) ** 2)), np.sign(b) * np.exp(-((t - 6) ** 2))
    return np.stack(np.broadcast_arrays(*columns, np.ones_like(t)), axis=-1)


MODELS = {
    "decay": (decay, decay_jacobian, (2.0, 0.5, -0.2), 2),
    "peaks": (peaks, peaks_jacobian, (2.0, -0.3, 1.0), 1),
}


def drawn(name: str, seed: int, negative: bool = True) -> tuple[Any, Any, Array, Array, int]:
    f, jac, true, k = MODELS[name]
    r = np.random.default_rng(seed)
    p = np.array(true) * r.uniform(0.8, 1.25, 3)
    if not negative:
        p[k] = -p[k]
    if name == "decay":
        y = p[0] * np.exp(-p[1] * T) + p[2]
    else:
        y = p[0] * np.exp(-((T - 5) ** 2)) + p[1] * np.exp(-((T - 6) ** 2)) + p[2]
    y = y + r.choice([0.0, 0.01, 0.05]) * r.standard_normal(T.size)
    return f, jac, y, r.uniform(0.8, 1.25, 3), k


@pytest.mark.parametrize("given", [False, True], ids=["differences", "Jacobian"])
@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("name", MODELS)
def test_the_least_value_is_at_the_kink(name: str, driver: str, given: bool) -> None:
    for seed in range(6):
        f, jac, y, start, k = drawn(name, seed)
        found = fit(driver, f, T, y, start, jac=jac if given else None, trace=False)
        assert found.success, (seed, found)
        assert found.nfev < 300, (seed, found)
        assert abs(found.x[k]) < 1e-8
        assert np.isinf(found.stderr[k])
        rest = scipy.optimize.least_squares(
            lambda p, y=y, f=f, k=k: f(T, *np.insert(p, k, 0.0)) - y,
            np.delete(start, k), xtol=1e-12, ftol=1e-12, gtol=1e-12,
        )  # fmt: skip
        assert 0.5 * np.sum((f(T, *found.x) - y) ** 2) <= rest.cost * (1.0 + 1e-8)
        np.testing.assert_allclose(np.abs(np.delete(found.x, k)), np.abs(rest.x), rtol=1e-5)


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("name", MODELS)
def test_a_positive_parameter_is_fitted(name: str, driver: str) -> None:
    # The start is on the other side of 0, or near it.
    for seed in range(6):
        f, _, y, start, k = drawn(name, seed, negative=False)
        for first in (-1.0, 0.01, -0.01):
            start[k] = first
            found = fit(driver, f, T, y, start, trace=False)
            assert found.success, (seed, found)
            assert np.isfinite(found.stderr).all()
            assert abs(abs(found.x[k]) / MODELS[name][2][k]) > 0.5


@pytest.mark.parametrize("factor", [1e-9, 1e9])
def test_kinks_in_other_units(factor: float) -> None:
    f, _, y, start, k = drawn("peaks", 1)
    found = fit("FunctionProblem", f, T, factor * y, factor * start)
    assert found.success
    assert abs(found.x[k]) < 1e-8 * factor


def test_smooth_minima_near_zero_are_not_kinks() -> None:
    # Steps from far cross 0; the minimum is near it, and f is smooth.
    for seed in range(20):
        r = np.random.default_rng(seed)
        true = np.array([2.0, 0.7, 1e-3 * r.uniform(-1, 1)])
        y = true[0] * np.exp(-true[1] * T) * np.cos(true[2] * T) + true[2]
        found = fit("FunctionProblem", smooth, T, y, true * r.uniform(0.5, 2.0, 3) + [0, 0, 0.3])
        assert found.success
        np.testing.assert_allclose(found.x[:2], true[:2], rtol=1e-6)
        assert np.isfinite(found.stderr).all()


def smooth(t: Array, a: Any, k: Any, c: Any) -> Array:
    return a * np.exp(-k * t) * np.cos(c * t) + c
