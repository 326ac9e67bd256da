"""Fixed parameters and active bounds of stacks without degrees of freedom, and other edges."""

from typing import Any

import numpy as np
import pytest

import lmoo

T = np.linspace(0.0, 4.0, 9)
OPTIONS: dict[str, dict[str, Any]] = {
    "fixed": {"fixed": {"c": 1.0}},
    "active bound": {"bounds": {"b": (0.0, 0.5)}},
    "fixed with a prior": {"fixed": {"c": 1.0}, "priors": {"a": (2.0, 0.1)}},
    "active constraint": {"constraints": ["b <= 0.5"], "fixed": {"c": 1.0}},
}


def decay(t: Any, a: Any, b: Any, c: Any) -> Any:
    return a * np.exp(-b * t) + c


def curves(m: int, count: int = 2) -> np.ndarray:
    return np.array([decay(T[:m], 2.0 + 0.1 * k, 0.7, 1.0) for k in range(count)]).reshape(count, m)


@pytest.mark.parametrize("trace", [True, False])
@pytest.mark.parametrize("shared", [None, ["b"]])
@pytest.mark.parametrize("m", [1, 2, 3, 9])
@pytest.mark.parametrize("name", OPTIONS)
def test_held_parameters_have_no_error(name: str, m: int, shared: Any, trace: bool) -> None:
    """Whether or not there are degrees of freedom."""
    if shared is None and name in ("fixed", "active bound"):
        # Stacks refuse curves with fewer points than parameters.
        m = max(m, 3)
    fits = lmoo.curve_fit_many(
        decay, T[:m], curves(m), [1.5, 0.4, 1.0], shared=shared,
        trace="auto" if trace else False, **OPTIONS[name],
    )  # fmt: skip
    for k in range(2):
        if fits.success[k]:
            np.testing.assert_allclose(fits[k].stderr, fits.stderr[k], rtol=1e-5, atol=1e-12)
            held = [j for j, n in enumerate("abc") if n == "c" and "fixed" in OPTIONS[name]]
            assert (fits.stderr[k, held] == 0.0).all()
            assert (np.diagonal(fits.covariance[k])[held] == 0.0).all()
            assert not np.isnan(fits.stderr[k]).any()


@pytest.mark.parametrize("name", OPTIONS)
def test_no_curves(name: str) -> None:
    fits = lmoo.curve_fit_many(decay, T, curves(9, 0), [1.5, 0.4, 1.0], **OPTIONS[name])
    assert fits.x.shape == (0, 3)
    assert len(fits) == 0


@pytest.mark.parametrize("trace", ["auto", False])
@pytest.mark.parametrize("options", [{}, {"priors": {"a": (2.0, 0.1)}}])
def test_no_points_at_all(options: dict[str, Any], trace: Any) -> None:
    y = np.full((2, 9), np.nan)
    with pytest.raises(ValueError, match="y must have a point at least with shared parameters"):
        lmoo.curve_fit_many(
            decay, T, y, [1.5, 0.4, 1.0], shared=["b"], nan_policy="omit", trace=trace, **options
        )
