"""A value and its error, rounded together."""

from decimal import Context, Decimal
from math import isfinite
from typing import NamedTuple

# Numbers between these are written without an exponent.
_SMALL, _LARGE = 1e-4, 1e7
# Significant digits of an error, of a number without one, and the most that a double has.
_OF_ERROR, _ALONE, _MOST = 2, 6, 17
_CONTEXT = Context(prec=40)


class Digits(NamedTuple):
    """The digits with which a value, its error and the ends of its interval are written.

    Attributes
    ----------
    place : int or None
        Exponent of 10 of the last digit; None: six significant digits, for a value whose error is
        0 or is not known.
    exponent : int
        Exponent of 10 that follows the numbers; 0: none does.

    Examples
    --------
    >>> from lmoo.results.rounding import Digits
    >>> Digits(-3, 0).number(2.5), Digits(-9, -7).number(1.25e-7), Digits(2, 0).number(1234.0)
    ('2.500', '1.25e-07', '1200')
    """

    place: int | None
    exponent: int

    def mantissa(self, number: float) -> str:
        """Return a number as text, without the exponent."""
        if self.place is None or not isfinite(number):
            return f"{number:.{_ALONE}g}"
        shown = _quantized(number, self.place).scaleb(-self.exponent, context=_CONTEXT)
        # No minus before a zero.
        return f"{shown if shown else abs(shown):f}"

    def number(self, number: float) -> str:
        """Return a number as text that ``float`` reads."""
        has_end = self.exponent and isfinite(number)
        return f"{self.mantissa(number)}e{self.exponent:+03d}" if has_end else self.mantissa(number)

    def error(self, error: float) -> str:
        """Return a standard error as text; that below the precision of its value by itself."""
        if self.place is not None and isfinite(error) and not _quantized(error, self.place):
            return f"{error:.{_OF_ERROR - 1}e}"
        return self.number(error)


def digits_of(value: float, error: float) -> Digits:
    """Return the digits with which a value and its error are written: two of the error.

    Examples
    --------
    >>> from lmoo.results.rounding import digits_of
    >>> digits_of(1.29731, 0.0059), digits_of(1.29731e-9, 5.9e-12), digits_of(1.29731, 0.0)
    (Digits(place=-4, exponent=0), Digits(place=-13, exponent=-9), Digits(place=None, exponent=0))
    """
    if not (isfinite(error) and error > 0.0):
        return Digits(None, 0)
    size = max(abs(value) if isfinite(value) else 0.0, error)
    # Rounding may add a digit: the last one of 0.0996 is that of 0.10.
    place = max(_exponent(error, _OF_ERROR) - _OF_ERROR + 1, _exponent(size, _MOST) - _MOST + 1)
    leading = _quantized(size, place).adjusted()
    return Digits(place, 0 if _SMALL <= size < _LARGE else leading)


def rounded(value: float, error: float) -> str:
    """Return a value and its error, both rounded to two digits of the error.

    Examples
    --------
    >>> from lmoo.results.rounding import rounded
    >>> rounded(1.29731, 0.0059), rounded(1.29731e-9, 5.9e-12)
    ('1.2973 +- 0.0059', '(1.2973 +- 0.0059)e-09')
    """
    digits = digits_of(value, error)
    error_text = digits.error(error)
    if digits.exponent == 0 or not isfinite(value) or error_text != digits.number(error):
        return f"{digits.number(value)} +- {error_text}"
    return f"({digits.mantissa(value)} +- {digits.mantissa(error)})e{digits.exponent:+03d}"


def _quantized(number: float, place: int) -> Decimal:
    """Return a number rounded to a last digit."""
    return Decimal(number).quantize(Decimal((0, (1,), place)), context=_CONTEXT)


def _exponent(number: float, digits: int) -> int:
    """Return the exponent of the first digit of a positive number that is rounded to digits."""
    return int(f"{number:.{digits - 1}e}".partition("e")[2])
