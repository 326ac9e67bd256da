"""The result of one curve of a stack has its own points alone, whatever the options."""

from __future__ import annotations

import json
import pickle
from typing import Any

import numpy as np
import pytest

import lmoo

T = np.linspace(0.0, 4.0, 25)


def model(t: Any, a: Any, b: Any, c: Any) -> Any:
    return a * np.exp(-b * t) + c


def stack() -> np.ndarray:
    rng = np.random.default_rng(0)
    y = model(T, 2.5, np.array([[1.2], [1.7]]), 0.5) + 0.05 * rng.standard_normal((2, 25))
    y[1, 8:] = np.nan
    return y


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"derived": {"lifetime": "1/b"}},
        {"ties": {"c": "a/5"}},
        {"priors": {"b": (1.5, 0.5)}},
        {"solver": lmoo.Solver(loss="huber", f_scale=0.05)},
    ],
)
@pytest.mark.parametrize("trace", [True, False])
def test_missing_points_are_none_of_one_result(options: dict[str, Any], trace: bool) -> None:
    fits = lmoo.curve_fit_many(
        model, T, stack(), [1.0, 1.0, 0.0], nan_policy="omit", trace=trace, **options
    )
    one = fits[1]
    assert one.residual.shape == one.standardized_residuals.shape == (8,)
    assert "8 points" in str(one)
    for twin in (lmoo.Result.from_dict(json.loads(one.to_json())), pickle.loads(pickle.dumps(one))):
        np.testing.assert_array_equal(twin.residual, one.residual)


def test_chi_square_has_no_priors() -> None:
    fits = lmoo.curve_fit_many(
        model, T, np.nan_to_num(stack(), nan=0.5), [1.0, 1.0, 0.0], sigma=np.full(25, 0.05),
        absolute_sigma=True, priors={"b": (3.0, 0.05)},
    )  # fmt: skip
    for k in range(2):
        np.testing.assert_allclose(fits.chi_square[k], (fits[k].residual ** 2).sum(), rtol=1e-10)
        np.testing.assert_allclose(
            fits.reduced_chi_square[k], fits[k].reduced_chi_square, rtol=1e-10
        )
