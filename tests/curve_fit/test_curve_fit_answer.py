"""`curve_fit`: signature, and the tuple that it returns."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import scipy.optimize
from curve_fit_cases import SIGMA, T, Y, check, decay

from lmoo import curve_fit

OURS = ("fixed", "trace", "ties", "priors", "constraints", "sigma_x")


def test_the_signature_is_scipys_and_our_keywords_more() -> None:
    ours = inspect.signature(curve_fit).parameters
    theirs = inspect.signature(scipy.optimize.curve_fit).parameters
    assert [name for name in ours if name not in OURS] == list(theirs)
    for name, parameter in theirs.items():
        assert ours[name].kind is parameter.kind
        assert ours[name].default == parameter.default


def test_popt_and_pcov() -> None:
    answer = curve_fit(decay, T, Y)
    assert len(answer) == 2
    popt, pcov = answer
    assert popt.shape == (3,)
    assert pcov.shape == (3, 3)
    assert popt.dtype == pcov.dtype == np.float64
    np.testing.assert_array_equal(pcov, pcov.T)
    check(answer)


def test_full_output() -> None:
    popt, pcov, infodict, mesg, ier = curve_fit(decay, T, Y, full_output=True)
    check((popt, pcov))
    assert ier in (1, 2, 3, 4)
    assert type(ier) is int
    assert isinstance(mesg, str)
    assert set(infodict) == {"fvec", "nfev", "fjac", "ipvt", "qtf"}
    np.testing.assert_allclose(infodict["fvec"], decay(T, *popt) - Y, atol=1e-12)
    assert infodict["fjac"].shape == (3, 20)
    assert infodict["ipvt"].shape == infodict["qtf"].shape == (3,)
    R = np.triu(infodict["fjac"].T[:3])
    inverse = np.linalg.inv(R.T @ R)
    order = np.argsort(infodict["ipvt"])
    variance = infodict["fvec"] @ infodict["fvec"] / 17
    np.testing.assert_allclose(inverse[np.ix_(order, order)] * variance, pcov, rtol=1e-6)


def test_fvec_is_divided_by_sigma() -> None:
    popt, _, infodict, _, _ = curve_fit(decay, T, Y, sigma=SIGMA, full_output=True)
    np.testing.assert_allclose(infodict["fvec"], (decay(T, *popt) - Y) / SIGMA, atol=1e-10)


def test_nfev_counts_the_calls() -> None:
    calls = []

    def counting(t: Any, a: float, b: float, c: float) -> Any:
        calls.append((a, b, c))
        return decay(t, a, b, c)

    *_, infodict, _, _ = curve_fit(counting, T, Y, full_output=True)
    assert infodict["nfev"] == len(calls)


def test_a_single_parameter() -> None:
    popt, pcov = curve_fit(lambda t, a: a * t, T, 2 * T + np.cos(9 * T))
    assert popt.shape == (1,)
    assert pcov.shape == (1, 1)
