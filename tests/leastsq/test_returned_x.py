"""`leastsq`: the x that it returns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from leastsq_cases import FAILURES, SUCCESSES, Ending


@pytest.mark.parametrize(
    "x0",
    [2.0, np.float32(2.0), [2.0], [[2.0, 3.0], [4.0, 5.0]], np.ones((1, 2, 1))],
    ids=["scalar", "float32", "list", "2-D", "3-D"],
)
def test_x_is_float64_and_one_dimensional(leastsq: Callable[..., Any], x0: Any) -> None:
    x, ier = leastsq(lambda p: np.asarray(p, float) - np.arange(p.size), x0)
    assert ier in (1, 2, 3, 4)
    assert (x.dtype, x.shape) == (np.dtype(float), (np.size(x0),))
    np.testing.assert_allclose(x, np.arange(x.size), atol=1e-7)


@pytest.mark.parametrize("case", SUCCESSES + FAILURES)
def test_x_is_a_fresh_array(leastsq: Callable[..., Any], case: Ending) -> None:
    x0 = np.array(case.x0, dtype=float, ndmin=1)
    x = leastsq(case.func, x0, full_output=True, **case.options)[0]
    again = leastsq(case.func, x0, full_output=True, **case.options)[0]
    assert x.flags.writeable
    assert not np.shares_memory(x, x0)
    assert not np.shares_memory(x, again)


@pytest.mark.parametrize("Dfun", [None, lambda p: np.diag([3.0, 2.0, 1.0, 7.0, 5.0])])
def test_exact_start_is_returned_bit_for_bit(leastsq: Callable[..., Any], Dfun: Any) -> None:
    x0 = np.array([0.1, -1e-300, 1e200, -0.0, 5e-324])
    x, _, info, _, ier = leastsq(
        lambda p: np.array([3.0, 2.0, 1.0, 7.0, 5.0]) * (p - x0), x0.copy(), Dfun=Dfun,
        full_output=True,
    )  # fmt: skip
    assert x.tobytes() == x0.tobytes()
    assert ier == 4
    assert not info["fvec"].any()
