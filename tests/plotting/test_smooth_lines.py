"""Smooth lines through points."""

from __future__ import annotations

import numpy as np
import pytest

from lmoo.results.smooth import closed_line, smooth_line


def test_a_smooth_line_keeps_the_points_and_adds_no_extrema() -> None:
    random = np.random.default_rng(0)
    for _ in range(50):
        x = np.cumsum(random.uniform(0.01, 1.0, size=9))
        y = np.cumsum(random.uniform(0.0, 1.0, size=9))
        fine = smooth_line(x, y)
        np.testing.assert_array_equal(np.stack(fine)[:, ::12], [x, y])
        assert (np.diff(fine[0]) > 0).all()
        assert (np.diff(fine[1]) >= -1e-12).all()


def test_a_smooth_line_is_close_to_a_function() -> None:
    x = np.linspace(0.0, 1.0, 12)
    fine = smooth_line(x, np.exp(x))
    # The polygon deviates by 2.7e-3.
    assert np.abs(fine[1] - np.exp(fine[0])).max() < 1e-4


def test_a_closed_line_is_close_to_a_circle() -> None:
    angle = np.linspace(0.0, 2 * np.pi, 33)
    x, y = closed_line(np.cos(angle), np.sin(angle))
    np.testing.assert_allclose([x[0], y[0]], [x[-1], y[-1]], atol=1e-15)
    assert np.abs(np.hypot(x, y) - 1.0).max() < 1.5e-3
    # The polygon deviates by 5e-3.
    assert max(np.abs(x).max(), np.abs(y).max()) <= 1.0 + 1e-15


@pytest.mark.parametrize("size", [1, 2])
def test_few_points_stay_as_they_are(size: int) -> None:
    x = np.arange(float(size))
    assert smooth_line(x, x)[0] is x
    assert closed_line(x, x)[0] is x


def test_a_contour_with_points_at_infinity_stays_as_it_is() -> None:
    x = np.array([0.0, 1.0, np.inf, 0.0, 0.0])
    assert closed_line(x, x)[0] is x
