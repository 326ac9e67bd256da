"""`enorm` against exact sums."""

from __future__ import annotations

import math
import sys

import numpy as np
import pytest
from case_tables import each
from hypothesis import example, given
from hypothesis import strategies as st
from kernel_cases import EPS, EXAMPLES, Array, random

from lmoo._core import kernels

TINY = 5e-324  # the smallest number there is
HUGE = sys.float_info.max


def exact_norm(x: Array) -> float:
    """The norm to the last digit or two: a sum of squares without rounding, scaled exactly."""
    largest = float(np.abs(x).max(initial=0.0))
    if largest == 0.0:
        return 0.0
    _, exponent = math.frexp(largest)
    scaled = [math.ldexp(v, -exponent) for v in x.tolist()]
    return math.ldexp(math.sqrt(math.fsum(v * v for v in scaled)), exponent)


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        ([], 0.0),
        ([0.0], 0.0),
        ([-0.0, 0.0], 0.0),
        ([-3.0], 3.0),
        ([3.0, -4.0], 5.0),
        ([3e170, -4e170], 5e170),
        ([3e-170, 4e-170], 5e-170),
        ([3e-320, 4e-320], 5e-320),
        ([TINY], TINY),
        ([TINY] * 4, 2 * TINY),
        ([1.0, 1e-200], 1.0),
        ([1e200, 1.0, 1e-200], 1e200),
        ([HUGE], HUGE),
        ([-HUGE, 1.0], HUGE),
        ([3e307, 4e307], 5e307),
        ([HUGE, HUGE], math.inf),
        ([math.inf], math.inf),
        ([1.0, -math.inf, 1e300], math.inf),
        ([math.nan], math.nan),
        ([1.0, math.nan], math.nan),
        ([math.nan, math.inf], math.nan),
        ([math.inf, math.nan], math.nan),
        ([1e200, math.nan], math.nan),
        ([0.0, math.nan], math.nan),
    ],
)
def test_enorm(x: list[float], expected: float) -> None:
    value = kernels.enorm(np.array(x))
    assert isinstance(value, float)
    assert value == pytest.approx(expected, rel=4 * EPS, abs=TINY, nan_ok=True)


@each("scale", [1e-320, 1e-310, 1e-170, 1e-140, 1.0, 1e149, 1e151, 1e170, 1e306])
@each("n", [1, 2, 7, 64, 101])
def test_enorm_has_all_digits_at_every_scale(n: int, scale: float) -> None:
    x = np.clip(random(n), -2.0, 2.0) * scale
    # Entries that are subnormal have lost digits already, not the norm of what is left.
    assert kernels.enorm(x) == pytest.approx(exact_norm(x), rel=2 * n * EPS, abs=2 * TINY)


@EXAMPLES
@given(
    st.lists(st.floats(-1e300, 1e300), max_size=12),
    st.lists(st.floats(-1.0, 1.0), max_size=12),
    st.floats(0.0, 1e-150),
)
@example([1e-140, 1e-170], [], 0.0)
@example([1e150], [1.0], 1e-160)
def test_enorm_of_anything_finite(large: list[float], unit: list[float], scale: float) -> None:
    x = np.array([*large, *(scale * v for v in unit)])
    assert kernels.enorm(x) == pytest.approx(exact_norm(x), rel=30 * EPS, abs=2 * TINY)


@pytest.mark.parametrize("n", [1, 3, 8, 1000])
def test_enorm_agrees_with_numpy(n: int) -> None:
    x = random(n)
    assert kernels.enorm(x) == pytest.approx(float(np.linalg.norm(x)), rel=n * EPS)
