"""Bounds, scales, tolerances and losses of `least_squares`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.optimize
from least_squares_cases import START, TIGHT, Array, T, curve, rosenbrock, rosenbrock_jacobian
from scipy.optimize import Bounds

from lmoo import least_squares


@pytest.mark.parametrize("method", ["trf", "dogbox"])
@pytest.mark.parametrize(
    "bounds",
    [
        ([-np.inf, 1.5], np.inf),
        Bounds([-np.inf, 1.5], [np.inf, np.inf]),
        ([-2.0, -1.5], [0.5, 3.0]),
        ((-1.0, -1.0), 0.8),
    ],
)
def test_bounds(method: str, bounds: Any) -> None:
    x0 = (
        np.array([0.4, 2.0])
        if not np.isscalar(bounds[1] if isinstance(bounds, tuple) else None) or bounds[1] == np.inf
        else np.array([0.1, 0.1])
    )
    ours = least_squares(rosenbrock, x0, rosenbrock_jacobian, bounds, method, **TIGHT)
    theirs = scipy.optimize.least_squares(
        rosenbrock, x0, rosenbrock_jacobian, bounds, method, **TIGHT
    )
    np.testing.assert_allclose(ours.x, theirs.x, rtol=1e-6)
    assert ours.cost == pytest.approx(theirs.cost, rel=1e-8)
    np.testing.assert_array_equal(ours.active_mask, theirs.active_mask)
    assert ours.success
    assert ours.optimality < 1e-6


def test_x0_may_lie_on_a_bound() -> None:
    result = least_squares(rosenbrock, [0.0, 0.0], bounds=(0.0, 0.5))
    assert result.success
    np.testing.assert_array_equal(result.active_mask, [1, 0])


@pytest.mark.parametrize("x_scale", [None, "jac", 1.0, [1.0, 2.0], np.array([0.1, 10.0])])
@pytest.mark.parametrize("method", ["trf", "dogbox", "lm"])
def test_x_scale(x_scale: Any, method: str) -> None:
    result = least_squares(rosenbrock, START, method=method, x_scale=x_scale)
    np.testing.assert_allclose(result.x, [1.0, 1.0], rtol=1e-7)


def test_tolerances_below_epsilon_warn() -> None:
    for name in ("ftol", "xtol", "gtol"):
        with pytest.warns(UserWarning, match=f"`{name}` = 0.0 is below machine epsilon") as caught:
            least_squares(rosenbrock, START, **{name: 0.0})
        assert caught[0].filename == __file__


def test_larger_tolerances_stop_sooner() -> None:
    for name in ("ftol", "xtol"):
        counts = []
        for value in (1e-1, 1e-12):
            options: dict[str, Any] = {"ftol": None, "xtol": None, "gtol": None, name: value}
            counts.append(least_squares(curve, [2, 1, 0.2], **options).nfev)
        assert counts[0] < counts[1]


def test_own_losses() -> None:
    def cauchy(z: Array) -> Any:
        assert z.shape == T.shape
        return np.array([np.log1p(z), 1 / (1 + z), -1 / (1 + z) ** 2])

    own = least_squares(curve, [2, 1, 0.2], loss=cauchy, f_scale=0.1, **TIGHT)
    named = least_squares(curve, [2, 1, 0.2], loss="cauchy", f_scale=0.1, **TIGHT)
    np.testing.assert_allclose(own.x, named.x, rtol=1e-9)
    assert own.cost == pytest.approx(named.cost, rel=1e-12)


def test_f_scale_has_no_effect_on_squares() -> None:
    one, other = (least_squares(curve, [2, 1, 0.2], f_scale=c) for c in (1.0, 7.0))
    np.testing.assert_array_equal(one.x, other.x)


def test_losses_that_scipy_does_not_have() -> None:
    tukey = least_squares(curve, [2.4, 1.2, 0.45], loss="tukey", f_scale="mad")
    np.testing.assert_allclose(tukey.x, [2.5, 1.3, 0.5], rtol=0.03)


def test_names_need_a_start_with_names() -> None:
    pandas = pytest.importorskip("pandas")
    sizes = {"b": 2.0, "a": 1.0}
    with pytest.raises(TypeError, match="`x_scale` is a dict, and x0 has no names: give numbers"):
        least_squares(rosenbrock, START, x_scale=sizes)
    with pytest.raises(TypeError, match=r"`x0` must be numbers; it is a dict: give list\(x0\.val"):
        least_squares(rosenbrock, {"a": 1.0, "b": 2.0})  # type: ignore[arg-type]
    with pytest.raises(
        TypeError, match=r"`bounds` must be a pair \(lower, upper\); it is a dict: p"
    ):
        least_squares(rosenbrock, START, bounds={"a": (0, 1), "b": (0, 1)})
    named = pandas.Series(dict(zip("ab", START, strict=True)))
    assert least_squares(rosenbrock, named, x_scale=sizes).success
    with pytest.raises(ValueError, match=r"`x_scale` must have the labels of x0, a, b; it has a$"):
        least_squares(rosenbrock, named, x_scale={"a": 1.0})
