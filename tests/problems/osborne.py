"""Problems 17 and 18: Osborne's data fitting."""

# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import numpy as np

from problems.arithmetic import Array, exp, indices, numbers

_OSBORNE_1_Y = (
    numbers(
        """844 908 932 936 925 908 881 850 818 784 751
        718 685 658 628 603 580 558 538 522 506 490
        478 467 457 448 438 431 424 420 414 411 406"""
    )
    / 1000.0
)
_OSBORNE_2_Y = (
    numbers(
        """1366 1191 1112 1013 991 885 831 847 786 725 746 679 608
        655 616 606 602 626 651 724 649 649 694 644 624 661
        612 558 533 495 500 423 395 375 372 391 396 405 428
        429 523 562 607 653 672 708 633 668 645 632 591 559
        597 625 739 710 729 720 636 581 428 292 162 98 54"""
    )
    / 1000.0
)


def _osborne_1_terms(x: Array) -> tuple[Array, Array, Array]:
    t = 10.0 * (indices(33) - 1.0)
    return t, exp(-x[3] * t), exp(-x[4] * t)


def osborne_1(x: Array, m: int) -> Array:
    """f_i = y_i - (x1 + x2 exp(-t x4) + x3 exp(-t x5)), t = 10 (i - 1)."""
    _, e, g = _osborne_1_terms(x)
    return _OSBORNE_1_Y - (x[0] + x[1] * e + x[2] * g)


def osborne_1_jac(x: Array, m: int) -> Array:
    t, e, g = _osborne_1_terms(x)
    return np.column_stack([np.full(m, -1.0), -e, -g, t * x[1] * e, t * x[2] * g])


def _osborne_2_terms(x: Array) -> tuple[Array, Array, list[Array], list[Array]]:
    """t, exp(-t x5), and the offsets t - x_k and bells exp(-(t - x_k)^2 x_l) of the peaks."""
    t = (indices(65) - 1.0) / 10.0
    offsets = [t - c for c in x[8:11]]
    bells = [exp(-w * (d * d)) for w, d in zip(x[5:8], offsets, strict=True)]
    return t, exp(-x[4] * t), offsets, bells


def osborne_2(x: Array, m: int) -> Array:
    """f_i = y_i - (x1 exp(-t x5) + sum_k x_k exp(-(t - x_{k+7})^2 x_{k+4})), t = (i - 1)/10.

    The sum is over the peaks k = 2, 3, 4.
    """
    _, e, _, (g1, g2, g3) = _osborne_2_terms(x)
    return _OSBORNE_2_Y - (x[0] * e + x[1] * g1 + x[2] * g2 + x[3] * g3)


def osborne_2_jac(x: Array, m: int) -> Array:
    t, e, offsets, bells = _osborne_2_terms(x)
    peaks = list(zip(x[1:4], x[5:8], offsets, bells, strict=True))
    return np.column_stack(
        [-e]
        + [-g for g in bells]
        + [t * x[0] * e]
        + [a * (d * d) * g for a, _, d, g in peaks]
        + [-2.0 * a * w * d * g for a, w, d, g in peaks]
    )
