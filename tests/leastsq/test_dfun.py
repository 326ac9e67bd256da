"""`leastsq`: the arguments Dfun and col_deriv."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from leastsq_cases import Recorder, rate, rate_jacobian, read_only
from samples import (
    START,
    decay,
    decay_jacobian,
    decay_jacobian_t,
    rosenbrock,
    rosenbrock_jacobian,
)

import lmoo


def test_dfun_is_m_by_n(leastsq: Callable[..., Any]) -> None:
    x, _, info, _, ier = leastsq(decay, START, Dfun=decay_jacobian, full_output=True)
    assert (ier, info["nfev"]) == (1, 6)
    np.testing.assert_allclose(x, leastsq(decay, START)[0], rtol=1e-6)


def test_dfun_with_col_deriv_is_n_by_m(leastsq: Callable[..., Any]) -> None:
    rows = leastsq(decay, START, Dfun=decay_jacobian, full_output=True)
    columns = leastsq(decay, START, Dfun=decay_jacobian_t, col_deriv=True, full_output=True)
    np.testing.assert_array_equal(rows[0], columns[0])
    np.testing.assert_array_equal(rows[2]["fjac"], columns[2]["fjac"])


def test_square_dfun_is_not_mixed_up(leastsq: Callable[..., Any]) -> None:
    start = [-1.2, 1.0]
    rows = leastsq(rosenbrock, start, Dfun=rosenbrock_jacobian)
    columns = leastsq(rosenbrock, start, Dfun=lambda p: rosenbrock_jacobian(p).T, col_deriv=True)
    np.testing.assert_allclose(rows[0], [1.0, 1.0], rtol=1e-12)
    np.testing.assert_array_equal(rows[0], columns[0])


@pytest.mark.parametrize(
    "kind",
    [np.asfortranarray, lambda J: J.tolist(), lambda J: np.repeat(J, 2, axis=0)[::2], read_only],
    ids=["Fortran", "lists", "strided", "read-only"],
)
@pytest.mark.parametrize("col_deriv", [False, True])
def test_dfun_may_return_any_layout(
    leastsq: Callable[..., Any], kind: Any, col_deriv: bool
) -> None:
    jacobian = decay_jacobian_t if col_deriv else decay_jacobian
    x, _ = leastsq(decay, START, Dfun=lambda p: kind(jacobian(p)), col_deriv=col_deriv)
    np.testing.assert_array_equal(x, leastsq(decay, START, Dfun=decay_jacobian)[0])


@pytest.mark.parametrize("col_deriv", [False, True])
@pytest.mark.parametrize(
    "spoil",
    [np.transpose, np.ravel, lambda J: J[:-1], lambda J: J[:, :-1], lambda J: J[..., None], np.sum],
    ids=["transposed", "flat", "row less", "column less", "3-D", "scalar"],
)
def test_dfun_of_wrong_shape_is_a_type_error_with_both_shapes_and_its_name(
    leastsq: Callable[..., Any], spoil: Any, col_deriv: bool
) -> None:
    right = decay_jacobian_t if col_deriv else decay_jacobian

    def spoilt_jacobian(p: np.ndarray) -> Any:
        return spoil(right(p))

    with pytest.raises(TypeError, match="spoilt_jacobian") as caught:
        leastsq(decay, START, Dfun=spoilt_jacobian, col_deriv=col_deriv)
    got = np.shape(spoilt_jacobian(np.ones(2))) or (1,)  # scipy shows a scalar as (1,)
    assert str((2, 9) if col_deriv else (9, 2)) in str(caught.value)
    if got != (1,):
        assert str(got) in str(caught.value)


def test_dfun_without_a_name_is_the_same_type_error(leastsq: Callable[..., Any]) -> None:
    nameless = functools.partial(decay_jacobian_t)
    with pytest.raises(TypeError, match=r"\(9, 2\).*\(2, 9\)|\(2, 9\).*\(9, 2\)"):
        leastsq(decay, START, Dfun=nameless)


@pytest.mark.parametrize("col_deriv", [False, True])
@pytest.mark.parametrize("flat", [False, True], ids=["2-D", "flat"])
def test_dfun_for_n_1_may_be_flat(leastsq: Callable[..., Any], flat: bool, col_deriv: bool) -> None:
    def jacobian(p: np.ndarray) -> np.ndarray:
        J = rate_jacobian(p)
        return J.ravel() if flat else J.T if col_deriv else J

    x, _, info, _, ier = leastsq(rate, 1.0, Dfun=jacobian, col_deriv=col_deriv, full_output=True)
    np.testing.assert_allclose(x, leastsq(rate, 1.0)[0], rtol=1e-6)
    assert ier in (1, 2, 3)
    assert info["fjac"].shape == (1, 9)


# scipy looks at the first call's shape only, and at the size for n = 1.
def test_dfun_for_n_1_of_another_length_is_a_type_error() -> None:
    def short_jacobian(p: np.ndarray) -> np.ndarray:
        return rate_jacobian(p)[:4, 0]

    with pytest.raises(TypeError, match="short_jacobian") as caught:
        lmoo.leastsq(rate, 1.0, Dfun=short_jacobian)
    assert "(9, 1)" in str(caught.value)
    assert "(4,)" in str(caught.value)


@pytest.mark.parametrize("at", [2, 3, 5])
@pytest.mark.parametrize("spoil", [np.transpose, np.ravel, lambda J: J[:-1]])
def test_shape_of_dfun_is_checked_at_every_call(spoil: Any, at: int) -> None:
    calls: list[int] = []

    def moody_jacobian(p: np.ndarray) -> np.ndarray:
        calls.append(1)
        return decay_jacobian(p) if len(calls) < at else spoil(decay_jacobian(p))

    with pytest.raises(TypeError, match="moody_jacobian") as caught:
        lmoo.leastsq(decay, START, Dfun=moody_jacobian)
    assert len(calls) == at
    assert "(9, 2)" in str(caught.value)
    assert str(spoil(np.ones((9, 2))).shape) in str(caught.value)


@pytest.mark.parametrize("col_deriv", [True, 1])
def test_col_deriv_without_dfun_means_nothing(leastsq: Callable[..., Any], col_deriv: Any) -> None:
    plain, with_flag = Recorder(decay), Recorder(decay)
    leastsq(plain, START)
    leastsq(with_flag, START, col_deriv=col_deriv)
    np.testing.assert_array_equal(plain.points, with_flag.points)
