"""The models of the NIST StRD nonlinear regression problems.

Every model has two functions of the predictor ``x``, shape (m,), for Nelson's
data (m, 2), and the p parameters ``b1``, ``b2``, ...:

* the model, in the table at the end if it is one expression, returns the predicted
  response, shape (m,). It is analytic in the parameters and takes complex ones for
  complex-step derivatives (the annotations are those of the real case);
* its ``..._jacobian`` returns the p columns of the derivative with respect to the
  parameters, each of shape (m,) or a constant.

`lmoo.datasets.NistDataset`, which calls them, checks the arguments and silences
floating-point warnings.

The formulas are those of the NIST files,
https://www.itl.nist.gov/div898/strd/nls/nls_main.shtml.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.float64]
Columns: TypeAlias = tuple[Array | float, ...]


def saturation_jacobian(x: Array, b1: float, b2: float) -> Columns:
    """Differentiate ``b1 * (1 - exp(-b2 * x))``."""
    return -np.expm1(-b2 * x), b1 * x * np.exp(-b2 * x)


def misra1b_jacobian(x: Array, b1: float, b2: float) -> Columns:
    """Differentiate ``b1 * (1 - (1 + b2 * x / 2)**-2)``."""
    u = 1 + b2 * x / 2
    return 1 - u**-2, b1 * x * u**-3


def misra1c_jacobian(x: Array, b1: float, b2: float) -> Columns:
    """Differentiate ``b1 * (1 - (1 + 2 * b2 * x)**-0.5)``."""
    u = 1 + 2 * b2 * x
    return 1 - u**-0.5, b1 * x * u**-1.5


def misra1d_jacobian(x: Array, b1: float, b2: float) -> Columns:
    """Differentiate ``b1 * b2 * x / (1 + b2 * x)``."""
    u = 1 + b2 * x
    return b2 * x / u, b1 * x / u**2


def exponential_over_line_jacobian(x: Array, b1: float, b2: float, b3: float) -> Columns:
    """Differentiate ``exp(-b1 * x) / (b2 + b3 * x)``."""
    line = b2 + b3 * x
    y = np.exp(-b1 * x) / line
    return -x * y, -y / line, -x * y / line


def power_jacobian(x: Array, b1: float, b2: float) -> Columns:
    """Differentiate ``b1 * x**b2``."""
    q = x**b2
    return q, b1 * q * np.log(x)


def three_exponentials_jacobian(
    x: Array, b1: float, b2: float, b3: float, b4: float, b5: float, b6: float
) -> Columns:
    """Differentiate ``b1 * exp(-b2*x) + b3 * exp(-b4*x) + b5 * exp(-b6*x)``."""
    e1, e2, e3 = np.exp(-b2 * x), np.exp(-b4 * x), np.exp(-b6 * x)
    return e1, -b1 * x * e1, e2, -b3 * x * e2, e3, -b5 * x * e3


def two_gaussians(
    x: Array, b1: float, b2: float, b3: float, b4: float, b5: float, b6: float, b7: float, b8: float
) -> Array:
    """Evaluate two Gaussians on a decaying exponential (Gauss1 to 3).

    ``b1 * exp(-b2*x) + b3 * exp(-(x-b4)**2 / b5**2) + b6 * exp(-(x-b7)**2 / b8**2)``
    """
    first, second = np.exp(-(((x - b4) / b5) ** 2)), np.exp(-(((x - b7) / b8) ** 2))
    return b1 * np.exp(-b2 * x) + b3 * first + b6 * second


def two_gaussians_jacobian(
    x: Array, b1: float, b2: float, b3: float, b4: float, b5: float, b6: float, b7: float, b8: float
) -> Columns:
    """Differentiate two Gaussians on a decaying exponential."""
    decay = np.exp(-b2 * x)
    return decay, -b1 * x * decay, *_peak_columns(x, b3, b4, b5), *_peak_columns(x, b6, b7, b8)


def _peak_columns(x: Array, height: float, centre: float, width: float) -> Columns:
    """Differentiate ``height * exp(-(x - centre)**2 / width**2)``."""
    z = (x - centre) / width
    bell = np.exp(-(z**2))
    by_centre = 2 * height / width * z * bell
    return bell, by_centre, z * by_centre


def quadratic_over_quadratic(
    x: Array, b1: float, b2: float, b3: float, b4: float, b5: float
) -> Array:
    """Evaluate ``(b1 + b2*x + b3*x**2) / (1 + b4*x + b5*x**2)`` (Kirby2)."""
    return (b1 + x * (b2 + x * b3)) / (1 + x * (b4 + x * b5))


def quadratic_over_quadratic_jacobian(
    x: Array, b1: float, b2: float, b3: float, b4: float, b5: float
) -> Columns:
    """Differentiate ``(b1 + b2*x + b3*x**2) / (1 + b4*x + b5*x**2)``."""
    y = quadratic_over_quadratic(x, b1, b2, b3, b4, b5)
    inverse = 1 / (1 + x * (b4 + x * b5))
    return inverse, x * inverse, x**2 * inverse, -y * x * inverse, -y * x**2 * inverse


def cubic_over_cubic(
    x: Array, b1: float, b2: float, b3: float, b4: float, b5: float, b6: float, b7: float
) -> Array:
    """Evaluate a ratio of cubic polynomials (Hahn1, Thurber).

    ``(b1 + b2*x + b3*x**2 + b4*x**3) / (1 + b5*x + b6*x**2 + b7*x**3)``
    """
    return (b1 + x * (b2 + x * (b3 + x * b4))) / (1 + x * (b5 + x * (b6 + x * b7)))


def cubic_over_cubic_jacobian(
    x: Array, b1: float, b2: float, b3: float, b4: float, b5: float, b6: float, b7: float
) -> Columns:
    """Differentiate a ratio of cubic polynomials."""
    y = cubic_over_cubic(x, b1, b2, b3, b4, b5, b6, b7)
    q0 = 1 / (1 + x * (b5 + x * (b6 + x * b7)))
    q1, q2, q3 = x * q0, x**2 * q0, x**3 * q0
    return q0, q1, q2, q3, -y * q1, -y * q2, -y * q3


def mgh17_jacobian(x: Array, _b1: float, b2: float, b3: float, b4: float, b5: float) -> Columns:
    """Differentiate ``b1 + b2 * exp(-b4 * x) + b3 * exp(-b5 * x)``."""
    first, second = np.exp(-b4 * x), np.exp(-b5 * x)
    return 1.0, first, second, -b2 * x * first, -b3 * x * second


def nelson_jacobian(x: Array, _b1: float, b2: float, b3: float) -> Columns:
    """Differentiate ``b1 - b2 * x1 * exp(-b3 * x2)``."""
    ageing = x[:, 0] * np.exp(-b3 * x[:, 1])
    return 1.0, -ageing, b2 * x[:, 1] * ageing


def roszman1_jacobian(x: Array, _b1: float, _b2: float, b3: float, b4: float) -> Columns:
    """Differentiate ``b1 - b2 * x - arctan(b3 / (x - b4)) / pi``."""
    offset = x - b4
    scale = np.pi * (offset**2 + b3**2)
    return 1.0, -x, -offset / scale, -b3 / scale


def enso(
    x: Array,
    b1: float,
    b2: float,
    b3: float,
    b4: float,
    b5: float,
    b6: float,
    b7: float,
    b8: float,
    b9: float,
) -> Array:
    """Evaluate a constant, an annual cycle and two cycles of unknown period.

    ``b1 + b2 * cos(2*pi*x/12) + b3 * sin(2*pi*x/12)
    + b5 * cos(2*pi*x/b4) + b6 * sin(2*pi*x/b4)
    + b8 * cos(2*pi*x/b7) + b9 * sin(2*pi*x/b7)``
    """
    turn = 2 * np.pi * x
    annual = b2 * np.cos(turn / 12) + b3 * np.sin(turn / 12)
    first = b5 * np.cos(turn / b4) + b6 * np.sin(turn / b4)
    second = b8 * np.cos(turn / b7) + b9 * np.sin(turn / b7)
    return b1 + annual + first + second


def enso_jacobian(x: Array, *b: float) -> Columns:
    """Differentiate a constant, an annual cycle and two cycles of unknown period."""
    turn = 2 * np.pi * x
    first, second = _cycle_columns(turn, *b[3:6]), _cycle_columns(turn, *b[6:])
    return 1.0, np.cos(turn / 12), np.sin(turn / 12), *first, *second


def _cycle_columns(turn: Array, period: float, even: float, odd: float) -> Columns:
    """Differentiate ``even * cos(turn / period) + odd * sin(turn / period)``."""
    cosine, sine = np.cos(turn / period), np.sin(turn / period)
    return turn / period**2 * (even * sine - odd * cosine), cosine, sine


def mgh09_jacobian(x: Array, b1: float, b2: float, b3: float, b4: float) -> Columns:
    """Differentiate ``b1 * (x**2 + x * b2) / (x**2 + x * b3 + b4)``."""
    below = x**2 + x * b3 + b4
    ratio = (x**2 + x * b2) / below
    return ratio, b1 * x / below, -b1 * ratio * x / below, -b1 * ratio / below


def rat42_jacobian(x: Array, b1: float, b2: float, b3: float) -> Columns:
    """Differentiate ``b1 / (1 + exp(b2 - b3 * x))``."""
    t = b2 - b3 * x
    rising = 1 / (1 + np.exp(t))
    # exp(t) / (1 + exp(t)) written so: where exp(t) overflows the quotient would be nan.
    falling = 1 / (1 + np.exp(-t))
    slope = b1 * rising * falling
    return rising, -slope, x * slope


def rat43_jacobian(x: Array, b1: float, b2: float, b3: float, b4: float) -> Columns:
    """Differentiate ``b1 / (1 + exp(b2 - b3 * x))**(1 / b4)``."""
    t = b2 - b3 * x
    # The logarithm of 1 + exp(t) stays finite where exp(t) overflows.
    logarithm = np.logaddexp(0, t)
    growth = np.exp(-logarithm / b4)
    slope = b1 * growth / (b4 * (1 + np.exp(-t)))
    return growth, -slope, x * slope, b1 * growth * logarithm / b4**2


def mgh10_jacobian(x: Array, b1: float, b2: float, b3: float) -> Columns:
    """Differentiate ``b1 * exp(b2 / (x + b3))``."""
    shifted = x + b3
    e = np.exp(b2 / shifted)
    return e, b1 * e / shifted, -b1 * e * b2 / shifted**2


def eckerle4_jacobian(x: Array, b1: float, b2: float, b3: float) -> Columns:
    """Differentiate ``b1 / b2 * exp(-0.5 * ((x - b3) / b2)**2)``."""
    z = (x - b3) / b2
    bell = np.exp(-0.5 * z**2) / b2
    return bell, b1 / b2 * bell * (z**2 - 1), b1 / b2 * bell * z


def bennett5_jacobian(x: Array, b1: float, b2: float, b3: float) -> Columns:
    """Differentiate ``b1 * (b2 + x)**(-1 / b3)``."""
    base = b2 + x
    q = base ** (-1 / b3)
    return q, -b1 / b3 * q / base, b1 * q * np.log(base) / b3**2


def _as_given(y: Array) -> Array:
    return y


class Model(NamedTuple):
    """A model, its derivative, and what of the given ``y`` the model predicts."""

    value: Callable[..., Any]
    jacobian: Callable[..., Columns]
    response: Callable[[Array], Array] = _as_given


_SATURATION = Model(lambda x, b1, b2: -b1 * np.expm1(-b2 * x), saturation_jacobian)
_EXPONENTIAL_OVER_LINE = Model(
    lambda x, b1, b2, b3: np.exp(-b1 * x) / (b2 + b3 * x), exponential_over_line_jacobian
)
_THREE_EXPONENTIALS = Model(
    lambda x, b1, b2, b3, b4, b5, b6: (
        b1 * np.exp(-b2 * x) + b3 * np.exp(-b4 * x) + b5 * np.exp(-b6 * x)
    ),
    three_exponentials_jacobian,
)
_TWO_GAUSSIANS = Model(two_gaussians, two_gaussians_jacobian)
_CUBIC_OVER_CUBIC = Model(cubic_over_cubic, cubic_over_cubic_jacobian)

MODELS: dict[str, Model] = {
    "Bennett5": Model(lambda x, b1, b2, b3: b1 * (b2 + x) ** (-1 / b3), bennett5_jacobian),
    "BoxBOD": _SATURATION,
    "Chwirut1": _EXPONENTIAL_OVER_LINE,
    "Chwirut2": _EXPONENTIAL_OVER_LINE,
    "DanWood": Model(lambda x, b1, b2: b1 * x**b2, power_jacobian),
    "ENSO": Model(enso, enso_jacobian),
    "Eckerle4": Model(
        lambda x, b1, b2, b3: b1 / b2 * np.exp(-0.5 * ((x - b3) / b2) ** 2), eckerle4_jacobian
    ),
    "Gauss1": _TWO_GAUSSIANS,
    "Gauss2": _TWO_GAUSSIANS,
    "Gauss3": _TWO_GAUSSIANS,
    "Hahn1": _CUBIC_OVER_CUBIC,
    "Kirby2": Model(quadratic_over_quadratic, quadratic_over_quadratic_jacobian),
    "Lanczos1": _THREE_EXPONENTIALS,
    "Lanczos2": _THREE_EXPONENTIALS,
    "Lanczos3": _THREE_EXPONENTIALS,
    "MGH09": Model(
        lambda x, b1, b2, b3, b4: b1 * (x**2 + x * b2) / (x**2 + x * b3 + b4), mgh09_jacobian
    ),
    "MGH10": Model(lambda x, b1, b2, b3: b1 * np.exp(b2 / (x + b3)), mgh10_jacobian),
    "MGH17": Model(
        lambda x, b1, b2, b3, b4, b5: b1 + b2 * np.exp(-b4 * x) + b3 * np.exp(-b5 * x),
        mgh17_jacobian,
    ),
    "Misra1a": _SATURATION,
    "Misra1b": Model(lambda x, b1, b2: b1 * (1 - (1 + b2 * x / 2) ** -2), misra1b_jacobian),
    "Misra1c": Model(lambda x, b1, b2: b1 * (1 - (1 + 2 * b2 * x) ** -0.5), misra1c_jacobian),
    "Misra1d": Model(lambda x, b1, b2: b1 * b2 * x / (1 + b2 * x), misra1d_jacobian),
    "Nelson": Model(
        lambda x, b1, b2, b3: b1 - b2 * x[:, 0] * np.exp(-b3 * x[:, 1]), nelson_jacobian, np.log
    ),
    "Rat42": Model(lambda x, b1, b2, b3: b1 / (1 + np.exp(b2 - b3 * x)), rat42_jacobian),
    "Rat43": Model(
        lambda x, b1, b2, b3, b4: b1 * (1 + np.exp(b2 - b3 * x)) ** (-1 / b4), rat43_jacobian
    ),
    "Roszman1": Model(
        lambda x, b1, b2, b3, b4: b1 - b2 * x - np.arctan(b3 / (x - b4)) / np.pi, roszman1_jacobian
    ),
    "Thurber": _CUBIC_OVER_CUBIC,
}
