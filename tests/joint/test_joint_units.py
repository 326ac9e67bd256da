"""Shared parameters of data with units: a parameter has the same unit in all problems."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lmoo

units = pytest.importorskip("astropy.units")
T = np.linspace(0.0, 4.0, 20)
Y = 3.0 * np.exp(-0.7 * T) + 0.5 + 0.01 * np.cos(9.0 * T)
START = {"a": 2.0, "b": 1.0, "c": 0.4}


def decay(t: Any, a: Any, b: Any, c: Any) -> Any:
    return a * np.exp(-b * t) + c


def untraced(t: Any, a: Any, b: Any, c: Any) -> Any:
    return np.tile(decay(t, a, b, c), 1)


def curve(t: str | None, y: str | None, f: Any = decay, scale: complex = 1.0) -> Any:
    one, other = (
        values if unit is None else units.Quantity(values, unit)
        for values, unit in ((T, t), (Y * scale, y))
    )
    return lmoo.CurveProblem(f, one, other)


def text(t: str, y: str) -> Any:
    xarray = pytest.importorskip("xarray")
    return lmoo.CurveProblem(
        decay, *(xarray.DataArray(v, dims="t", attrs={"units": u}) for v, u in ((T, t), (Y, y)))
    )


def of_fit(t: str, y: str) -> Any:
    return lmoo.fit(decay, units.Quantity(T, t), units.Quantity(Y, y), START).problem


def solve(shared: list[str], *problems: Any) -> lmoo.Result:
    return lmoo.Solver().solve(lmoo.JointProblem(problems, shared), START)


@pytest.mark.parametrize("make", [curve, text, of_fit])
def test_another_unit_is_refused(make: Callable[..., Any]) -> None:
    with pytest.raises(
        ValueError, match=r"b is shared, but is in 1 / s in problems\[0\] and in 1 / ms in .*\[2\]"
    ):
        solve(["b"], make("s", "V"), make("s", "V"), make("ms", "V"))
    # The rate does not depend on the unit of y.
    found = solve(["b"], make("s", "V"), make("s", "mV"), make("s", "A"))
    expected = solve(["b"], *[lmoo.CurveProblem(decay, T, Y)] * 3)
    np.testing.assert_allclose(found.x, expected.x, rtol=1e-6)
    with pytest.raises(ValueError, match=r"c is shared, but is in V .* and in mV in problems\[1\]"):
        solve(["b", "c"], make("s", "V"), make("s", "mV"))


def test_units_of_complex_curves() -> None:
    one, other = (curve("s", unit, scale=1 + 0.5j) for unit in ("V", "mV"))
    assert solve(["b"], one, other).success
    with pytest.raises(ValueError, match="a is shared, but is in V"):
        solve(["a"], one, other)


def test_units_that_do_not_follow_from_the_model() -> None:
    same = curve("s", "V", untraced)
    assert solve(["b", "c"], same, same).success
    with pytest.raises(
        ValueError,
        match=r"b is shared by problems\[0\] with t in s and y in V and problems\[1\] with t in s "
        r"and y in mV, and its unit does not follow from their models",
    ):
        solve(["b"], same, curve("s", "mV", untraced))


def test_problems_without_a_model() -> None:
    class Own(lmoo.Problem):
        parameter_names = ("a", "b", "c")

        def residual(self, x: np.ndarray) -> np.ndarray:
            return decay(T, *x) - Y

    own = Own()
    own.t_units, own.y_unit = (units.s,), units.V
    assert solve(["b"], own, curve("s", "V")).success
    with pytest.raises(ValueError, match="its unit does not follow from their models"):
        solve(["b"], own, curve("ms", "V"))


def test_numbers_are_in_the_unit_of_the_others() -> None:
    assert solve(["b", "c"], curve("s", "V"), curve(None, None)).success
