"""`leastsq`: ier, and when it warns or raises."""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from leastsq_cases import (
    FAILURES,
    INFO_KEYS,
    SUCCESSES,
    Ending,
    Recorder,
    ending,
    line_after_this,
    slow,
)
from samples import (
    START,
    T,
    Y,
    decay,
    decay_jacobian,
)

import lmoo

IMPROPER = [
    ending(0, lambda x: T - Y, [], "n=0"),
    ending(0, lambda x: T - Y, [], "n=0-Dfun", Dfun=lambda x: np.zeros((9, 0))),
    ending(0, decay, START, "ftol", ftol=-1e-9),
    ending(0, decay, START, "xtol", xtol=-1e-9),
    ending(0, decay, START, "gtol", gtol=-1e-9),
    ending(0, decay, START, "factor=0", factor=0),
    ending(0, decay, START, "factor<0", factor=-100.0),
    ending(0, decay, START, "diag=0", diag=[1.0, 0.0]),
    ending(0, decay, START, "diag<0", diag=[-1.0, 1.0]),
    ending(0, decay, START, "diag<0-Dfun", Dfun=decay_jacobian, diag=[1.0, -1.0]),
]


@pytest.mark.parametrize("case", SUCCESSES + FAILURES + IMPROPER)
def test_ier_says_why_it_stopped(leastsq: Callable[..., Any], case: Ending) -> None:
    mesg, ier = case.run(leastsq, full_output=True)[3:]
    assert ier == case.ier
    assert type(mesg) is str
    assert mesg.strip()


# One inner step at which two or more tests hold at once.
TIES = [
    (6, FAILURES[1], {"maxfev": 1}),
    (7, FAILURES[2], {"maxfev": 1, "factor": 1e-17}),  # the very first region is below rounding
    (8, FAILURES[3], {"maxfev": 1}),
]


@pytest.mark.parametrize(("ier", "case", "more"), [(i, *c.values, m) for i, c, m in TIES])
def test_of_5_to_8_the_last_true_one_wins(
    leastsq: Callable[..., Any], ier: int, case: Ending, more: dict[str, Any]
) -> None:
    _, _, info, _, got = case.run(leastsq, full_output=True, **more)
    assert info["nfev"] >= more["maxfev"]  # so 5 was true too
    assert got == ier


@pytest.mark.parametrize(
    ("ier", "tolerances"),
    [
        (1, {"ftol": 1.0, "xtol": 0.0}),
        (2, {"ftol": 0.0, "xtol": 1e9}),
        (3, {"ftol": 1.0, "xtol": 1e9}),
    ],
)
@pytest.mark.parametrize("case", [FAILURES[0], FAILURES[1], FAILURES[3]])
def test_1_to_3_come_before_5_to_8(
    leastsq: Callable[..., Any], case: Ending, ier: int, tolerances: dict[str, Any]
) -> None:
    # The start is moved off 0, where no xtol could be met.
    options = {**case.options, "maxfev": 1, **tolerances}
    func = functools.partial(lambda shift, x: case.func(x - shift), 1.0)
    _, _, info, _, got = leastsq(func, np.add(case.x0, 1.0), full_output=True, **options)
    assert info["nfev"] >= 1
    assert got == ier


def test_maxfev_is_looked_at_after_a_whole_inner_step(leastsq: Callable[..., Any]) -> None:
    # 3 unknowns: the residual at x0, then 3 differences and a trial, over and over.
    counts = [
        leastsq(slow, np.zeros(3), full_output=True, maxfev=limit)[2]["nfev"]
        for limit in (1, 4, 5, 6, 9, 10)
    ]
    assert counts == [5, 5, 5, 9, 9, 13]


def test_convergence_at_the_step_that_passes_maxfev_counts(leastsq: Callable[..., Any]) -> None:
    nfev = leastsq(decay, START, full_output=True)[2]["nfev"]
    # The last outer iteration made 2 differences and one trial: before it, nfev was 3 less.
    endings = [leastsq(decay, START, full_output=True, maxfev=nfev - k)[4] for k in (0, 1, 2, 3)]
    assert endings == [1, 1, 1, 5]


@pytest.mark.parametrize("case", FAILURES)
def test_short_form_warns_of_5_to_8_at_the_callers_line_and_returns(
    leastsq: Callable[..., Any], case: Ending
) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        line = line_after_this()
        x, ier = leastsq(case.func, case.x0, **case.options)
    assert ier == case.ier
    np.testing.assert_array_equal(x, case.run(leastsq, full_output=True)[0])
    assert [w.category for w in caught] == [RuntimeWarning]
    assert (caught[0].filename, caught[0].lineno) == (__file__, line)


@pytest.mark.parametrize("case", FAILURES)
def test_full_output_neither_warns_nor_raises(leastsq: Callable[..., Any], case: Ending) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert case.run(leastsq, full_output=True)[4] == case.ier


@pytest.mark.parametrize("case", SUCCESSES)
def test_success_does_not_warn(leastsq: Callable[..., Any], case: Ending) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert case.run(leastsq)[1] == case.ier


@pytest.mark.parametrize("case", IMPROPER)
def test_ier_0_is_a_type_error_in_short_form(leastsq: Callable[..., Any], case: Ending) -> None:
    with pytest.raises(TypeError):
        case.run(leastsq)


@pytest.mark.parametrize("case", IMPROPER)
def test_ier_0_with_full_output_returns_x0(leastsq: Callable[..., Any], case: Ending) -> None:
    x0 = np.array(case.x0, dtype=float)
    x, cov_x, info, _, ier = leastsq(case.func, x0, full_output=True, **case.options)
    np.testing.assert_array_equal(x, x0)
    assert x.dtype == float
    assert x is not x0
    assert cov_x is None
    assert info["nfev"] == 0
    assert ier == 0


@pytest.mark.parametrize("case", IMPROPER)
def test_ier_0_keeps_the_keys_that_exist_in_order(
    leastsq: Callable[..., Any], case: Ending
) -> None:
    info = case.run(leastsq, full_output=True)[2]
    assert list(info) == [key for key in INFO_KEYS if key in info]
    assert info["nfev"] == 0
    assert info.get("njev", 0) == 0
    if "Dfun" not in case.options:
        assert "njev" not in info


@pytest.mark.parametrize("option", [{"factor": math.nan}, {"diag": [1.0, math.nan]}])
def test_nan_is_not_positive_either(option: dict[str, Any]) -> None:
    # scipy iterates to maxfev on it; the contract's "not positive" is taken by its word.
    assert lmoo.leastsq(decay, START, full_output=True, **option)[4] == 0


def test_n_0_hundreds_of_times(leastsq: Callable[..., Any]) -> None:
    for _ in range(500):
        x, cov_x, info, _, ier = leastsq(lambda p: T - Y, np.array([]), full_output=1)
        assert (x.shape, cov_x, info["nfev"], ier) == ((0,), None, 0, 0)


SIZES: dict[str, dict[str, Any]] = {
    "n=0": {"x0": []},
    "n=0, Dfun": {"x0": [], "Dfun": lambda x: np.zeros((T.size, 0))},
    "ftol": {"x0": START, "ftol": -1.0},
    "factor, Dfun": {"x0": START, "factor": 0.0, "Dfun": decay_jacobian},
    "diag": {"x0": START, "diag": [1.0, 0.0]},
}


@pytest.mark.parametrize("options", SIZES.values(), ids=SIZES.keys())
def test_ier_0_has_the_residual_at_x0_and_zeros(options: dict[str, Any]) -> None:
    func = Recorder(lambda x: decay(x) if x.size else Y - 1.0)
    x0 = np.array(options["x0"], dtype=float)
    x, cov_x, info, _, ier = lmoo.leastsq(func, full_output=True, **options)
    n, m = x0.size, T.size
    assert (ier, cov_x) == (0, None)
    assert len(func.points) == 1
    assert list(info) == [key for key in INFO_KEYS if key != "njev" or "Dfun" in options]
    np.testing.assert_array_equal(info["fvec"], func.function(x0))
    assert info["fjac"].shape == (n, m)
    assert info["fjac"].flags.c_contiguous
    assert info["fjac"].dtype == info["qtf"].dtype == float
    assert not info["fjac"].any()
    assert not info["qtf"].any()
    assert info["qtf"].shape == (n,)
    np.testing.assert_array_equal(info["ipvt"], np.arange(n))
    assert info["ipvt"].dtype == np.int32
    assert (info["nfev"], info.get("njev", 0)) == (0, 0)
    np.testing.assert_array_equal(x, x0)


def test_ier_0_of_a_function_that_refuses_x0_and_of_one_too_short() -> None:
    def refuse(x: np.ndarray) -> np.ndarray:
        raise lmoo.EvaluationError

    assert lmoo.leastsq(refuse, START, full_output=True, ftol=-1.0)[2] == {"nfev": 0}
    with pytest.raises(TypeError, match=r"^Improper input: func input vector length N=2 exceeds"):
        lmoo.leastsq(lambda x: x[:1], START, full_output=True, ftol=-1.0)
