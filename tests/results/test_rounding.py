"""A value and its error are rounded together."""

from __future__ import annotations

from math import inf, isfinite, isinf, isnan, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmoo.results.related import Value
from lmoo.results.rounding import digits_of, rounded

FINITE = st.floats(allow_nan=False, allow_infinity=False)
POSITIVE = st.floats(min_value=5e-324, allow_infinity=False)


@given(FINITE, POSITIVE)
def test_what_is_printed_is_within_half_a_unit_of_the_last_digit(
    value: float, error: float
) -> None:
    digits = digits_of(value, error)
    place = digits.place
    assert place is not None
    # Where the unit is subnormal, its half is below what a double holds.
    half = 0.5 * 10.0**place
    slack = 1e-15 * max(abs(value), error) + 5e-324
    for number in (value, -value, error):
        if isfinite(float(digits.number(number))):
            assert abs(float(digits.number(number)) - number) <= half * (1 + 1e-9) + slack


@given(FINITE, POSITIVE)
def test_value_and_error_end_at_the_same_digit(value: float, error: float) -> None:
    digits = digits_of(value, error)
    ends = {len(digits.mantissa(x).partition(".")[2]) for x in (value, error)}
    assert len(ends) == 1
    # Two digits of the error, unless the value has fewer digits than that in double precision.
    shown = digits.mantissa(error).replace(".", "").strip("0")
    assert len(shown) <= 2


@given(st.floats(1e-3, 1e6), st.floats(1e-9, 1.0))
def test_the_text_reads_back(value: float, share: float) -> None:
    error = value * share
    first, _, second = rounded(value, error).partition(" +- ")
    if first.startswith("("):
        second, _, power = second.partition(")e")
        first, second = f"{first[1:]}e{power}", f"{second}e{power}"
    assert float(second) == pytest.approx(error, rel=0.06)
    assert abs(float(first) - value) <= 0.06 * error


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (1.29731, 0.0059, "1.2973 +- 0.0059"),
        (1.29731, 0.0996, "1.30 +- 0.10"),
        (12345.0, 350.0, "12340 +- 350"),
        (-0.001, 1.0, "0.0 +- 1.0"),
        (0.0, 0.1, "0.00 +- 0.10"),
        (1.29731e-9, 5.9e-12, "(1.2973 +- 0.0059)e-09"),
        (9.9999999e-5, 1e-7, "(1.0000 +- 0.0010)e-04"),
        (1e300, 1e298, "(1.000 +- 0.010)e+300"),
        (3.0, 1e-20, "3.0000000000000000 +- 1.0e-20"),
        (1.5, inf, "1.5 +- inf"),
        (1.5, nan, "1.5 +- nan"),
        (2.0, 0.0, "2 +- 0"),
        (inf, 1.0, "inf +- 1.0"),
        (nan, nan, "nan +- nan"),
    ],
)
def test_examples(value: float, error: float, text: str) -> None:
    assert rounded(value, error) == text
    assert str(Value(value, error)) == text


@pytest.mark.parametrize("number", [inf, -inf, nan])
def test_numbers_that_are_not_finite_stay_so(number: float) -> None:
    shown = float(digits_of(1.0, 0.1).number(number))
    assert isnan(shown) if isnan(number) else (isinf(shown) and shown == number)


def test_a_format_is_that_of_value_and_error() -> None:
    value = Value(1.29731, 0.0059)
    assert f"{value:.3f}" == "1.297 +- 0.006"
    assert f"{value:10.1e}" == "   1.3e+00 +-    5.9e-03"
    assert f"{value}" == str(value)
    assert f"{value:>20}" == "    1.2973 +- 0.0059"
    with pytest.raises(ValueError, match="Unknown format code"):
        f"{value:q}"
