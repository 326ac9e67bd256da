"""Quantities of astropy and pint, and a model whose parameters have units."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from fit_cases import SIGMA, T, Y

import lmoo

astropy = pytest.importorskip("astropy.units")
A, TAU, C = lmoo.fit("a*exp(-t/tau) + c", T, Y, sigma=SIGMA).x
TEXT = "a*exp(-t/tau) + c"


class Astropy:
    """Quantities of astropy."""

    def __call__(self, value: Any, unit: str) -> Any:
        return astropy.Quantity(value, unit)

    def numbers(self, value: Any, unit: str) -> Any:
        return value.to_value(unit)


@cache
def registry() -> Any:
    return pytest.importorskip("pint").UnitRegistry()


class Pint:
    """Quantities of pint."""

    def __call__(self, value: Any, unit: str) -> Any:
        return registry().Quantity(value, unit)

    def numbers(self, value: Any, unit: str) -> Any:
        return value.m_as(unit)


def model(t: Any, a: Any, tau: Any, c: Any) -> Any:
    return a * np.exp(-t / tau) + c


def untraced(t: Any, a: Any, tau: Any, c: Any) -> Any:
    """A function that cannot be traced, but can be called with quantities."""
    return np.tile(a * np.exp(-t / tau) + c, 1)


def assert_known(result: lmoo.Result) -> None:
    """Compare with the fit of numbers, whose errors depend on the unit of sigma."""
    expected = lmoo.fit(TEXT, T, Y, sigma=SIGMA, absolute_sigma=True)
    np.testing.assert_allclose(result.x, expected.x, rtol=1e-6)
    np.testing.assert_allclose(result.stderr, expected.stderr, rtol=1e-6)
