"""Constraints that follow from others, or contradict them, but for rounding."""

from typing import Any

import numpy as np
import pytest
from constrained_decay import solve


@pytest.mark.parametrize(
    ("equation", "implied", "x0"),
    [
        ("0.2*a + 0.4*b + 0.5*c == 1.35", "1.2*a + 2.4*b + 3.0*c <= 8.1", [2.5, 1.5, 0.5]),
        ("0.1*a + 0.3*c == 0.35", "0.3*a + 0.9*c <= 1.0499999999999998", [2, 1, 0.5]),
    ],
)
def test_implied_inequalities_change_nothing(equation: str, implied: str, x0: Any) -> None:
    expected = solve(x0, constraints=[equation])
    found = solve(x0, constraints=[equation, implied])
    assert found.success
    np.testing.assert_allclose(found.cost, expected.cost, rtol=1e-9)
    np.testing.assert_allclose(found.x, expected.x, rtol=1e-6)


def test_terms_of_a_tie_that_cancel_leave_no_bound() -> None:
    # 0.1 + 0.2 - 0.3 is not 0.
    tie = {"c": "0.1*a + 0.2*a - 0.3*a + 0.5"}
    expected = solve([2.5, 1.5, 0.5], ties=tie)
    found = solve([2.5, 1.5, 0.5], ties=tie, bounds={"c": (0.0, 0.5)})
    np.testing.assert_allclose(found.x, expected.x, rtol=1e-7)
    assert found.x[0] > 2.0


def test_bounds_that_are_equal_but_for_rounding() -> None:
    found = solve([2.5, 1.0, 0.3], constraints=["c <= 0.3", "c >= 0.1 + 0.2"])
    np.testing.assert_allclose(found.x[2], 0.3, rtol=1e-15)


@pytest.mark.parametrize("start", [1e8, 1.0, 1e-8])
@pytest.mark.parametrize("other", ["a + c == 3.05", "a + c <= 2.95", "2*a + 2*c >= 6.000001"])
def test_contradictions_do_not_depend_on_the_start(start: float, other: str) -> None:
    with pytest.raises(ValueError, match="constraints must not contradict each other"):
        solve([start, 1.0, 1.0], constraints=["a + c == 3", other])


@pytest.mark.parametrize("unit", [1e-15, 1.0, 1e15])
def test_contradictions_do_not_depend_on_units(unit: float) -> None:
    equation = f"{0.1 * unit!r}*a + {0.3 * unit!r}*c == {0.35 * unit!r}"
    with pytest.raises(ValueError, match="constraints must not contradict each other"):
        solve(
            [2, 1, 0.5],
            constraints=[equation, f"{0.3 * unit!r}*a + {0.9 * unit!r}*c <= {1.04 * unit!r}"],
        )
    implied = f"{0.3 * unit!r}*a + {0.9 * unit!r}*c <= {1.05 * unit!r}"
    expected = solve([2, 1, 0.5], constraints=[equation])
    found = solve([2, 1, 0.5], constraints=[equation, implied])
    np.testing.assert_allclose(found.cost, expected.cost, rtol=1e-9)


def test_equations_of_small_parameters_are_no_remainders() -> None:
    # b has a place in the second equation, however large a starts.
    found = solve([1e8, 1.0, 1.0], constraints=["a + c == 3", "a + 1e-3*b + c == 3.0013"])
    np.testing.assert_allclose(found.x[1], 1.3, rtol=1e-9)
