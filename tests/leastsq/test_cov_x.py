"""`leastsq`: cov_x."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from leastsq_cases import FAILURES, MODELS, SUCCESSES, Ending, last_model


@pytest.mark.parametrize(("func", "Dfun", "x0"), MODELS)
def test_cov_x_is_the_inverse_of_jtj_of_the_last_r(
    leastsq: Callable[..., Any], func: Any, Dfun: Any, x0: Any
) -> None:
    model = last_model(leastsq, func, Dfun, x0)
    assert model.cov_x is not None
    JTJ = model.J.T @ model.J
    assert model.cov_x.dtype == float
    np.testing.assert_allclose(model.cov_x, np.linalg.inv(JTJ), rtol=1e-7)


def test_cov_x_is_not_scaled_by_the_residual_variance(leastsq: Callable[..., Any]) -> None:
    A = np.vander(np.linspace(-1.0, 1.0, 7), 3)
    b = np.cos(4.0 * A[:, 1])
    for size in (1.0, 1e3):  # the residuals grow a thousandfold, the Jacobian does not
        cov_x = leastsq(
            lambda p, size=size: A @ p - size * b, np.ones(3), Dfun=lambda p: A, full_output=True
        )[1]
        np.testing.assert_allclose(cov_x, np.linalg.inv(A.T @ A), rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize("case", SUCCESSES)
def test_cov_x_is_there_for_1_to_4(leastsq: Callable[..., Any], case: Ending) -> None:
    cov_x = case.run(leastsq, full_output=True)[1]
    n = np.size(case.x0)
    assert cov_x.shape == (n, n)


@pytest.mark.parametrize("case", FAILURES)
def test_cov_x_is_none_for_5_to_8(leastsq: Callable[..., Any], case: Ending) -> None:
    _, cov_x, info, _, ier = case.run(leastsq, full_output=True)
    assert ier >= 5
    assert np.diag(info["fjac"]).all()  # it could have been had
    assert cov_x is None


@pytest.mark.parametrize("gtol", [0.0, 1.0])
@pytest.mark.parametrize(
    ("func", "Dfun"),
    [
        # Exact arithmetic: four equal entries have norm 2, and the second column vanishes.
        (lambda p: np.full(4, p[0] + p[1]) - [1, 2, 3, 5], lambda p: np.ones((4, 2))),
        (lambda p: p[0] - np.array([1.0, 2.0, 4.0]), None),  # p[1] is not used
    ],
    ids=["equal-columns", "unused"],
)
def test_cov_x_is_none_where_r_is_exactly_singular(
    leastsq: Callable[..., Any], func: Any, Dfun: Any, gtol: float
) -> None:
    _, cov_x, info, _, ier = leastsq(func, [0.5, 0.25], Dfun=Dfun, gtol=gtol, full_output=True)
    assert ier in (1, 2, 3, 4)
    assert info["fjac"][1, 1] == 0.0
    assert cov_x is None


@settings(max_examples=60, deadline=None)
@given(
    A=hnp.arrays(float, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=6),
                 elements=st.integers(-32, 32).map(lambda k: k / 7.0)),
)  # fmt: skip
def test_cov_x_is_exactly_symmetric_with_positive_diagonal(
    leastsq: Callable[..., Any], A: np.ndarray
) -> None:
    A = A if A.shape[0] >= A.shape[1] else A.T
    m, n = A.shape
    _, cov_x, info, _, ier = leastsq(
        lambda p: A @ p - np.arange(1.0, m + 1.0), np.ones(n), Dfun=lambda p: A, full_output=True
    )
    if cov_x is None:
        assert ier > 4 or not np.diag(info["fjac"]).all()
    else:
        np.testing.assert_array_equal(cov_x, cov_x.T)
        assert (np.diag(cov_x) > 0).all()
