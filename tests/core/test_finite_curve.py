"""`finite_curve`: data that need no conversion, which are taken as they are."""

from typing import Any

import numpy as np
import pytest

import lmoo
from lmoo._core.solve import finite_curve

T = np.linspace(0.0, 1.0, 6)
Y = 2.0 * T + 0.1 * np.cos(9.0 * T)
SIGMA = np.linspace(0.1, 0.2, 6)


@pytest.mark.parametrize("sigma", [None, SIGMA])
def test_vectors_of_finite_numbers_are_copied(sigma: Any) -> None:
    found = finite_curve(T, Y, sigma)
    assert found is not None
    np.testing.assert_array_equal(found[0], Y)
    assert not np.shares_memory(found[0], Y)
    if sigma is None:
        assert found[1] is None
    else:
        np.testing.assert_array_equal(found[1], sigma)
        assert not np.shares_memory(found[1], sigma)


@pytest.mark.parametrize(
    "change",
    [
        lambda a: a.tolist(),
        lambda a: a.astype(np.float32),
        lambda a: a.astype(">f8"),
        lambda a: np.repeat(a, 2)[::2],
        lambda a: np.where(a == a[2], np.nan, a),
        lambda a: np.where(a == a[2], np.inf, a),
        lambda a: np.ma.array(a),
        lambda a: a[None],
        lambda a: a[:-1],
        lambda a: a[:1],
    ],
)
@pytest.mark.parametrize("which", [0, 1, 2])
def test_other_data_are_left_to_the_conversions(change: Any, which: int) -> None:
    data: list[Any] = [T, Y, SIGMA]
    data[which] = change(data[which])
    assert finite_curve(*data) is None


@pytest.mark.parametrize("bad", [0.0, -1.0, 5e-324, 1e-308])
def test_errors_that_are_not_positive_are_refused(bad: float) -> None:
    sigma = SIGMA.copy()
    sigma[3] = bad
    assert finite_curve(T, Y, sigma) is None
    with pytest.raises(ValueError, match="sigma must be positive"):
        lmoo.CurveProblem(lambda t, a: a * t, T, Y, sigma)
    with pytest.raises(ValueError, match="sigma must be positive"):
        lmoo.curve_fit(lambda t, a: a * t, T, Y, [1.0], sigma)


def test_the_fits_are_the_same_ones() -> None:
    def line(t: Any, a: Any, b: Any) -> Any:
        return a * t + b

    popt, pcov = lmoo.curve_fit(line, T, Y, [1.0, 0.0], SIGMA)
    other, covariance = lmoo.curve_fit(line, T.tolist(), Y.tolist(), [1.0, 0.0], SIGMA.tolist())
    np.testing.assert_array_equal(popt, other)
    np.testing.assert_array_equal(pcov, covariance)
    with pytest.raises(ValueError, match="nan_policy must be"):
        lmoo.CurveProblem(line, T, Y, nan_policy="drop")  # type: ignore[arg-type]


@pytest.mark.parametrize("which", [0, 1, 2])
@pytest.mark.parametrize("trace", [True, False])
def test_numbers_at_odd_addresses(which: int, trace: bool) -> None:
    """Such as those of a file behind a header."""

    def line(t: Any, a: Any, b: Any) -> Any:
        return a * t + b

    data: list[Any] = [T, Y, SIGMA]
    bytes_ = np.frombuffer(b"0" + data[which].tobytes(), dtype=np.uint8)
    data[which] = bytes_[1:].view(np.float64)
    assert not data[which].flags.aligned
    popt, _ = lmoo.curve_fit(line, data[0], data[1], [1.0, 0.0], data[2], trace=trace)
    np.testing.assert_array_equal(
        popt, lmoo.curve_fit(line, T, Y, [1.0, 0.0], SIGMA, trace=trace)[0]
    )
    some = [data[0], data[1][None], data[2]]
    fits = lmoo.curve_fit_many(line, *some[:2], [1.0, 0.0], sigma=some[2], trace=trace)
    np.testing.assert_allclose(fits.x[0], popt, rtol=1e-10)
