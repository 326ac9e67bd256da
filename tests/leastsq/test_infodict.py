"""`leastsq`: fvec, fjac, ipvt and qtf of infodict."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from leastsq_cases import (
    FAILURES,
    INFO_KEYS,
    MODELS,
    SUCCESSES,
    Ending,
    Recorder,
    last_model,
    reflections,
)
from samples import (
    START,
    decay,
    decay_jacobian,
    decay_jacobian_t,
)

import lmoo


def test_infodict_order_without_dfun(leastsq: Callable[..., Any]) -> None:
    info = leastsq(decay, START, full_output=True)[2]
    assert type(info) is dict
    assert list(info) == ["fvec", "nfev", "fjac", "ipvt", "qtf"]


def test_infodict_order_with_dfun(leastsq: Callable[..., Any]) -> None:
    info = leastsq(decay, START, Dfun=decay_jacobian, full_output=True)[2]
    assert list(info) == INFO_KEYS


@pytest.mark.parametrize("case", SUCCESSES + FAILURES)
def test_fvec_is_at_the_returned_x_exactly(leastsq: Callable[..., Any], case: Ending) -> None:
    x, _, info, _, _ = case.run(leastsq, full_output=True)
    assert info["fvec"].dtype == float
    np.testing.assert_array_equal(info["fvec"], case.func(x.copy()))


def test_fvec_is_at_the_returned_x_when_the_last_trial_was_refused(
    leastsq: Callable[..., Any],
) -> None:
    func = Recorder(lambda p: np.array([10.0 * (p[1] - p[0] ** 2), 1.0 - p[0]]))
    for maxfev in range(1, 25):
        x, _, info, _, _ = leastsq(func, [-1.2, 1.0], full_output=True, maxfev=maxfev)
        if not np.array_equal(func.points[-1], x):
            break
    else:
        pytest.fail("no maxfev ended on a refused trial: this test lost its point")
    np.testing.assert_array_equal(info["fvec"], func(x.copy()))


def test_fjac_is_float64_n_by_m_c_contiguous(leastsq: Callable[..., Any]) -> None:
    for Dfun in (None, decay_jacobian):
        fjac = leastsq(decay, START, Dfun=Dfun, full_output=True)[2]["fjac"]
        assert (fjac.dtype, fjac.shape) == (np.dtype(float), (2, 9))
        assert fjac.flags.c_contiguous


def test_fjac_is_its_own_memory(leastsq: Callable[..., Any]) -> None:
    handed_out: list[np.ndarray] = []

    def jacobian(p: np.ndarray) -> np.ndarray:
        handed_out.append(decay_jacobian_t(p))
        return handed_out[-1]

    def solve() -> tuple[Any, ...]:
        return leastsq(decay, START, Dfun=jacobian, col_deriv=True, full_output=True)

    (x, cov_x, info, _, _), second = solve(), solve()
    fjac = info["fjac"]
    assert fjac.flags.owndata
    assert fjac.flags.writeable
    others = [x, cov_x, info["fvec"], info["qtf"], second[2]["fjac"], *handed_out]
    assert not any(np.shares_memory(fjac, other) for other in others)
    before = second[2]["fjac"].copy()
    fjac[:] = np.nan
    np.testing.assert_array_equal(second[2]["fjac"], before)


@pytest.mark.parametrize(("func", "Dfun", "x0"), MODELS)
def test_r_is_of_the_last_jacobian_evaluated(
    leastsq: Callable[..., Any], func: Any, Dfun: Any, x0: Any
) -> None:
    # maxfev stops it before the last step is too small to tell one Jacobian from the next.
    model = last_model(leastsq, func, Dfun, x0, maxfev=3)
    assert model.moved_on  # the Jacobian at the returned x is another one
    JP = model.J[:, model.ipvt]
    scale = np.abs(JP.T @ JP).max()
    np.testing.assert_allclose(model.R.T @ model.R, JP.T @ JP, rtol=0, atol=1e-13 * scale)
    elsewhere = Dfun(model.x)[:, model.ipvt]
    assert np.abs(model.R.T @ model.R - elsewhere.T @ elsewhere).max() > 1e-6 * scale


# Solved to the end, the last steps are Gauss-Newton's. Before that lmpar's qrsolv needs room, which
# MINPACK takes from the vectors within the first n rows; see the next test but one.
@pytest.mark.parametrize(("func", "Dfun", "x0"), MODELS)
def test_below_r_are_minpacks_householder_vectors(
    leastsq: Callable[..., Any], func: Any, Dfun: Any, x0: Any
) -> None:
    model = last_model(leastsq, func, Dfun, x0)
    Q = reflections(model.fjac)
    QR = Q[:, : len(model.x)] @ model.R
    scale = np.abs(model.J).max()
    np.testing.assert_allclose(QR, model.J[:, model.ipvt], rtol=0, atol=1e-12 * scale)
    head = (Q.T @ model.f)[: len(model.x)]
    np.testing.assert_allclose(model.qtf, head, rtol=0, atol=1e-12 * np.linalg.norm(model.f))


@pytest.mark.parametrize("maxfev", [2, 3, 4, 5])
@pytest.mark.parametrize(("func", "Dfun", "x0"), MODELS)
def test_the_householder_vectors_are_whole_wherever_it_stops(
    func: Any, Dfun: Any, x0: Any, maxfev: int
) -> None:
    # scipy's are written over by lmpar where the last step was not Gauss-Newton's.
    model = last_model(lmoo.leastsq, func, Dfun, x0, maxfev=maxfev, factor=0.1)
    QR = reflections(model.fjac)[:, : len(model.x)] @ model.R
    scale = np.abs(model.J).max()
    np.testing.assert_allclose(QR, model.J[:, model.ipvt], rtol=0, atol=1e-12 * scale)


@pytest.mark.parametrize(("func", "Dfun", "x0"), MODELS)
def test_signs_are_minpacks(leastsq: Callable[..., Any], func: Any, Dfun: Any, x0: Any) -> None:
    model = last_model(leastsq, func, Dfun, x0)
    # Each diagonal entry of R has the sign opposite to the entry its reflection was built from.
    column = model.J[:, model.ipvt[0]]
    np.testing.assert_allclose(
        model.R[0, 0], -math.copysign(np.linalg.norm(column), column[0]), rtol=1e-13
    )


@pytest.mark.parametrize(("func", "Dfun", "x0"), MODELS)
def test_qtf_is_the_head_of_q_transposed_f(
    leastsq: Callable[..., Any], func: Any, Dfun: Any, x0: Any
) -> None:
    model = last_model(leastsq, func, Dfun, x0, maxfev=3)
    assert (model.qtf.dtype, model.qtf.shape) == (np.dtype(float), (len(model.x),))
    # J P = Q R, so that R' (Q'f) is (J P)'f; still far from 0 after three evaluations.
    gradient = (model.J.T @ model.f)[model.ipvt]
    scale = np.abs(gradient).max()
    np.testing.assert_allclose(model.R.T @ model.qtf, gradient, rtol=0, atol=1e-12 * scale)
    assert np.abs(model.qtf).max() > 1e-3 * np.linalg.norm(model.f)


@pytest.mark.parametrize(("func", "Dfun", "x0"), MODELS)
def test_ipvt_is_an_int32_permutation_from_0(
    leastsq: Callable[..., Any], func: Any, Dfun: Any, x0: Any
) -> None:
    ipvt = last_model(leastsq, func, Dfun, x0).ipvt
    assert ipvt.dtype == np.int32
    assert sorted(ipvt.tolist()) == list(range(len(x0)))


def test_ipvt_moves_the_longest_column_to_the_front(leastsq: Callable[..., Any]) -> None:
    A = np.vander(np.arange(1.0, 8.0), 4, increasing=True)
    info = leastsq(lambda p: A @ p - 1.0, np.ones(4), Dfun=lambda p: A, full_output=True)[2]
    assert info["ipvt"][0] == 3


@pytest.mark.parametrize(("func", "Dfun", "x0"), MODELS)
def test_diagonal_of_r_is_nonincreasing(
    leastsq: Callable[..., Any], func: Any, Dfun: Any, x0: Any
) -> None:
    diagonal = np.abs(np.diag(last_model(leastsq, func, Dfun, x0).R))
    assert (diagonal[1:] <= diagonal[:-1] * (1.0 + 1e-12)).all()


def test_above_a_million_there_are_zeros_below_r() -> None:
    m, n = 120_000, 3  # m n^2 = 1.08e6: large enough for the fold
    s = np.linspace(0.0, 1.0, m)
    A = np.column_stack([np.ones(m), s, np.cos(5.0 * s)])
    b = A @ [1.0, -2.0, 3.0] + np.sin(40.0 * s)
    x, cov_x, info, _, ier = lmoo.leastsq(
        lambda p: A @ p - b, np.ones(3), Dfun=lambda p: A, full_output=True
    )
    R, JP = np.triu(info["fjac"].T[:n]), A[:, info["ipvt"]]
    assert ier in (1, 2, 3)
    assert info["fjac"].shape == (n, m)
    assert not np.tril(info["fjac"].T, -1).any()
    np.testing.assert_allclose(R.T @ R, JP.T @ JP, atol=1e-11 * m)
    assert (np.diff(np.abs(np.diag(R))) <= 0).all()
    assert cov_x is not None
    np.testing.assert_allclose(cov_x, np.linalg.inv(A.T @ A), rtol=1e-9)
    np.testing.assert_allclose(x, np.linalg.lstsq(A, b, rcond=None)[0], rtol=1e-9)
