"""`curve_fit`: the model f, its signature, and p0."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pandas as pd
import pytest
from curve_fit_cases import T, Y, check, decay, line
from ids import stable

from lmoo import curve_fit


class Instance:
    def __call__(self, t: Any, a: float, b: float, c: float) -> Any:
        return decay(t, a, b, c)

    def method(self, t: Any, a: float, b: float, c: float) -> Any:
        return decay(t, a, b, c)

    @classmethod
    def of_the_class(cls, t: Any, a: float, b: float, c: float) -> Any:
        return decay(t, a, b, c)

    @staticmethod
    def static(t: Any, a: float, b: float, c: float) -> Any:
        return decay(t, a, b, c)


@pytest.mark.parametrize(
    "f",
    [
        decay,
        lambda t, a, b, c: decay(t, a, b, c),
        Instance(),
        Instance().method,
        Instance.of_the_class,
        Instance.static,
        functools.partial(decay),
        functools.partial(lambda t, a, b, c, k: decay(t, a, b, k * c), k=1.0),
    ],
)
def test_the_number_of_parameters_comes_from_the_signature(f: Any) -> None:
    check(curve_fit(f, T, Y))


@pytest.mark.parametrize("f", [lambda t, *p: decay(t, *p), np.arctan2, lambda t: t])
def test_without_a_signature_p0_must_be_given(f: Any) -> None:
    with pytest.raises(ValueError, match=r"^Unable to determine number of fit parameters"):
        curve_fit(f, T, Y)


def test_p0_stands_in_for_a_signature() -> None:
    check(curve_fit(lambda t, *p: decay(t, *p), T, Y, p0=[1, 1, 0]))
    popt, _ = curve_fit(np.arctan2, T, np.arctan2(T, 2.0), [1.0])
    np.testing.assert_allclose(popt, [2.0])


def test_parameters_start_at_one() -> None:
    first: list[Any] = []

    def watched(t: Any, a: float, b: float, c: float) -> Any:
        first.append((a, b, c))
        return decay(t, a, b, c)

    curve_fit(watched, T, Y)
    assert first[0] == (1.0, 1.0, 1.0)


def test_parameters_with_a_default_may_be_left_out() -> None:
    def scaled(t: Any, a: float, b: float, unit: float = 2.0) -> Any:
        return unit * (a * t + b)

    y = line(T, 4.0, 6.0)
    popt, _ = curve_fit(scaled, T, y, p0=[1, 1])
    np.testing.assert_allclose(popt, [2.0, 3.0])


@pytest.mark.parametrize(
    "p0",
    [[1, 1, 0], (1, 1, 0), np.array([1, 1, 0]), [[1.0, 1, 0]], pd.Series([1, 1, 0])],
    ids=stable,
)
def test_p0_of_any_kind(p0: Any) -> None:
    check(curve_fit(decay, T, Y, p0))


def test_p0_may_be_a_number() -> None:
    popt, _ = curve_fit(lambda t, a: a * t, T, 2 * T, 5)
    np.testing.assert_allclose(popt, [2.0])
