"""Operations of programs at special values."""

from __future__ import annotations

import numpy as np
import pytest
from case_tables import each
from programs import SPECIAL, TARGETS, operation, reference

import lmoo
from lmoo._core.graphs import ARITY
from lmoo.models.compiled import program_of
from lmoo.models.graph import special
from lmoo.models.graph.scipyfunctions import VALUES

# scipy's values at infinity are not always the limits; tests/test_elementary.py has wofz.
FROM_SCIPY = ["digamma", "gamma", "gammaln", "i0", "i1", "j0", "j1", "trigamma"]


@pytest.mark.parametrize("target", TARGETS)
@each("name", sorted(set(ARITY) - {*FROM_SCIPY, *VALUES, "wofz_real", "wofz_imag"}))
def test_special_values_are_those_of_numpy(name: str, target: str) -> None:
    arguments = [part.ravel() for part in np.meshgrid(*[SPECIAL] * ARITY[name])]
    found = operation(name, target)(*arguments)
    with np.errstate(all="ignore"):
        expected = np.array(
            reference(name)(
                *(a != 0 if name == "where" and i == 0 else a for i, a in enumerate(arguments))
            ),
            float,
        )
    np.testing.assert_allclose(found, expected, rtol=3e-15, atol=0.0)
    if name not in ("minimum", "maximum", "fmin", "fmax"):
        same = ~np.isnan(expected)
        np.testing.assert_array_equal(np.signbit(found)[same], np.signbit(expected)[same])


@pytest.mark.parametrize("name", FROM_SCIPY)
def test_special_functions_are_those_of_scipy(name: str) -> None:
    x = np.concatenate([np.linspace(-4.9, 30.1, 301), [0.0, -1.0, 600.0, np.nan]])
    expected = reference(name)(x)
    np.testing.assert_allclose(operation(name)(x), expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", VALUES)
def test_functions_that_scipy_evaluates(name: str) -> None:
    arguments = [part.ravel() for part in np.meshgrid(*[SPECIAL] * ARITY[name])]
    found, expected = operation(name)(*arguments), VALUES[name](*arguments)
    tolerance = 2e-15 if name == "lambertw" else 0.0
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", ["digamma", "trigamma", "gamma"])
def test_poles_of_special_functions(name: str) -> None:
    """Next to 0 they are powers of it; compiled and called models agree at the poles."""
    x = np.array([1e-20, -1e-20, 1e-300, -1e-300, -1e-310, 5e-324, -5e-324, 0.0, -0.0, -1.0])
    with np.errstate(all="ignore"):
        expected = {"digamma": -1.0 / x, "trigamma": 1.0 / x**2, "gamma": 1.0 / x}[name]
        called = getattr(special, name)(x)
    expected[-1] = np.inf if name == "trigamma" else np.nan
    np.testing.assert_allclose(operation(name)(x), expected, rtol=1e-12)
    np.testing.assert_allclose(called, expected, rtol=1e-12)


@pytest.mark.parametrize("divisor", [5e-324, 2.0**-1030, 1e-310, 2.0**1023, 1.7e308])
def test_divisors_without_a_reciprocal(divisor: float) -> None:
    """Reciprocals of the smallest numbers are infinite, and those of the largest lose digits."""
    model = lmoo.Expression(f"a*(t/{divisor!r}) + b*((2*t)/{divisor!r})")
    program = program_of(model)
    t = np.array([0.0, 3.0, 1.0]) * min(divisor, 1.7e307)
    values, columns = program.both(t, [2.0, 0.0])
    np.testing.assert_array_equal(values, 2.0 * (t / divisor))
    np.testing.assert_array_equal(columns[:, 0], t / divisor)
