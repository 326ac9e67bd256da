"""The contract of `lmoo.leastsq`, clause by clause: signature, results, arguments.

What has to be as in scipy runs on both implementations, so that scipy 1.17, where it is installed,
vouches for the test; what is better on purpose is in test_leastsq_better.py.
"""

from __future__ import annotations

import functools
import inspect
import math
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from ids import stable
from samples import (
    START,
    T,
    Y,
    decay,
    decay_jacobian,
    decay_jacobian_t,
    rosenbrock,
    rosenbrock_jacobian,
)

import lmoo

EPS = float(np.finfo(float).eps)
ROOT = math.sqrt(EPS)


# The fixture is module-scoped so that hypothesis may draw many examples from one of it.
@pytest.fixture(scope="module", params=["lmoo", "scipy"])
def leastsq(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Whoever claims to be leastsq: ours, and the one we are measured by."""
    if request.param == "scipy":
        return pytest.importorskip("scipy.optimize").leastsq
    return lmoo.leastsq


@pytest.fixture
def scipy_leastsq() -> Callable[..., Any]:
    return pytest.importorskip("scipy.optimize").leastsq


# ------------------------------------------------------------------------------------ problems


def rate(p: np.ndarray) -> np.ndarray:
    """Leave one residual per time for a single unknown, p[0]."""
    return np.exp(-p[0] * (T + 0.5)) - 0.25 * Y


def rate_jacobian(p: np.ndarray) -> np.ndarray:
    return (-(T + 0.5) * np.exp(-p[0] * (T + 0.5)))[:, None]


def slow(p: np.ndarray) -> np.ndarray:
    """Every Gauss-Newton step is +1 in each component, for ever: only maxfev ends it."""
    return np.exp(-p)


def slow_jacobian(p: np.ndarray) -> np.ndarray:
    return -np.diag(np.exp(-p))


@dataclass
class Recorder:
    """Calls what it wraps and keeps a copy of every x it was handed."""

    function: Callable[..., Any]
    points: list[np.ndarray] = field(default_factory=list)
    seen: list[tuple[Any, ...]] = field(default_factory=list)

    def __call__(self, x: np.ndarray, *args: Any) -> Any:
        self.points.append(np.array(x, copy=True))
        self.seen.append((type(x), x.dtype, x.shape))
        return self.function(x, *args)


@dataclass(frozen=True)
class Ending:
    """A solve and the `ier` it ends with."""

    ier: int
    func: Callable[..., Any]
    x0: Any
    options: dict[str, Any]
    label: str

    def run(self, leastsq: Callable[..., Any], **more: Any) -> Any:
        return leastsq(self.func, self.x0, **{**self.options, **more})


def ending(ier: int, func: Callable[..., Any], x0: Any, label: str, **options: Any) -> Any:
    return pytest.param(Ending(ier, func, x0, options, label), id=f"{ier}-{label}")


def cliff(x: np.ndarray) -> list[float]:
    """Go up wherever one steps, so that the trust region shrinks to nothing."""
    return [1.0] if x[0] == 1.0 else [2.0]


NO_TOLERANCE: dict[str, Any] = {"ftol": 0.0, "xtol": 0.0}

# The constant residual 1 hides from |f| what the other one still has to gain: 1e-9 leaves the
# cosine above machine precision (6, not 8), 1e-20 does not.
BESIDE_1: dict[str, Any] = {"Dfun": lambda x: [[1.0], [0.0]], **NO_TOLERANCE}
FAILURES = [
    ending(5, slow, [0.0, 0.0], "maxfev", maxfev=9),
    ending(6, lambda x: [x[0] - (3.0 + 1e-9), 1.0], 3.0, "ftol-too-small", **BESIDE_1),
    ending(7, cliff, 1.0, "xtol-too-small", Dfun=lambda x: [[1.0]], **NO_TOLERANCE),
    ending(8, lambda x: [x[0] + 1e-20, 1.0], 0.0, "gtol-too-small", **BESIDE_1),
]
SUCCESSES = [
    ending(1, decay, START, "ftol"),
    ending(2, lambda x: x * x - 2.0, 1.0, "xtol"),
    ending(3, decay, START, "both", ftol=1e-2, xtol=3e-3),
    ending(4, decay, START, "gtol", gtol=1e-3),
    ending(4, lambda x: x - 0.1, 0.1, "exact-start"),
]
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
INFO_KEYS = ["fvec", "nfev", "njev", "fjac", "ipvt", "qtf"]


def line_after_this() -> int:
    return sys._getframe(1).f_lineno + 1


# =========================================================================== The first promise

SCRIPT = """
import numpy as np
from scipy.optimize import leastsq

def residuals(p, y, x):
    a, b, c = p
    return y - a / (1.0 + np.exp(-b * (x - c)))

x = np.linspace(-3.0, 3.0, 30)
y = 2.5 / (1.0 + np.exp(-1.7 * (x - 0.4))) + 0.02 * np.sin(9.0 * x)
plsq = leastsq(residuals, [1, 1, 0], args=(y, x))
best, cov, info, message, ier = leastsq(residuals, [1, 1, 0], (y, x), full_output=1)
s_sq = (info["fvec"] ** 2).sum() / (len(y) - len(best))
errors = np.sqrt(np.diag(cov * s_sq))
"""


def test_a_script_written_for_scipy_runs_unchanged(scipy_leastsq: Callable[..., Any]) -> None:
    theirs: dict[str, Any] = {}
    ours: dict[str, Any] = {}
    exec(SCRIPT, theirs)
    exec(SCRIPT.replace("from scipy.optimize", "from lmoo"), ours)
    assert ours["leastsq"] is lmoo.leastsq
    for name in ("best", "errors", "s_sq"):
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-6)
    assert ours["ier"] == theirs["ier"] == ours["plsq"][1]


def test_leastsq_is_public() -> None:
    assert "leastsq" in lmoo.__all__


def test_docstring_is_written_by_ourselves(scipy_leastsq: Callable[..., Any]) -> None:
    ours = inspect.getdoc(lmoo.leastsq) or ""
    theirs = {line.strip() for line in inspect.getdoc(scipy_leastsq).splitlines()}
    for parameter in inspect.signature(lmoo.leastsq).parameters:
        assert parameter in ours
    # Headings and "x : ndarray" may coincide; sentences may not.
    copied = [
        line for line in ours.splitlines() if len(line.split()) > 6 and line.strip() in theirs
    ]
    assert copied == []


@pytest.mark.parametrize("case", SUCCESSES + FAILURES)
def test_messages_are_written_by_ourselves(case: Ending, scipy_leastsq: Callable[..., Any]) -> None:
    ours = case.run(lmoo.leastsq, full_output=True)[3]
    assert " ".join(ours.split()) != " ".join(case.run(scipy_leastsq, full_output=True)[3].split())


# =================================================================================== Signature


def test_signature_names_order_and_defaults(leastsq: Callable[..., Any]) -> None:
    parameters = inspect.signature(leastsq).parameters
    nothing = inspect.Parameter.empty
    assert [(p.name, p.default) for p in parameters.values()] == [
        ("func", nothing),
        ("x0", nothing),
        ("args", ()),
        ("Dfun", None),
        ("full_output", False),
        ("col_deriv", False),
        ("ftol", 1.49012e-8),
        ("xtol", 1.49012e-8),
        ("gtol", 0.0),
        ("maxfev", 0),
        ("epsfcn", None),
        ("factor", 100),
        ("diag", None),
    ]


def test_every_parameter_is_positional_or_keyword(leastsq: Callable[..., Any]) -> None:
    kinds = {p.kind for p in inspect.signature(leastsq).parameters.values()}
    assert kinds == {inspect.Parameter.POSITIONAL_OR_KEYWORD}


def test_all_positional_means_the_same_as_all_keyword(leastsq: Callable[..., Any]) -> None:
    def func(p: np.ndarray, shift: float) -> np.ndarray:
        return decay(p) + shift

    def jacobian(p: np.ndarray, shift: float) -> np.ndarray:
        return decay_jacobian_t(p)

    values = (func, [1.0, 1.0], (0.5,), jacobian, 1, 1, 1e-3, 1e-4, 1e-9, 77, 1e-10, 0.5, [1, 3])
    by_position = leastsq(*values)
    names = list(inspect.signature(leastsq).parameters)
    by_name = leastsq(**dict(zip(names, values, strict=True)))
    assert by_position[4] == by_name[4]
    assert by_position[2]["nfev"] == by_name[2]["nfev"]
    np.testing.assert_array_equal(by_position[0], by_name[0])
    np.testing.assert_array_equal(by_position[2]["fjac"], by_name[2]["fjac"])


def test_short_form_is_a_plain_tuple_x_ier(leastsq: Callable[..., Any]) -> None:
    answer = leastsq(decay, START)
    assert type(answer) is tuple
    assert [type(part) for part in answer] == [np.ndarray, int]


def test_full_output_is_a_plain_tuple_of_five(leastsq: Callable[..., Any]) -> None:
    answer = leastsq(decay, START, full_output=True)
    assert type(answer) is tuple
    assert [type(part) for part in answer] == [np.ndarray, np.ndarray, dict, str, int]


@pytest.mark.parametrize("flag", [True, 1])
def test_full_output_may_be_a_bool_or_an_integer(leastsq: Callable[..., Any], flag: Any) -> None:
    assert len(leastsq(decay, START, full_output=flag)) == 5
    assert len(leastsq(decay, START, full_output=not flag)) == 2


def test_short_and_full_form_are_the_same_solve(leastsq: Callable[..., Any]) -> None:
    short, full = leastsq(decay, START), leastsq(decay, START, full_output=True)
    np.testing.assert_array_equal(short[0], full[0])
    assert short[1] == full[4]


def test_ier_nfev_njev_are_python_ints(leastsq: Callable[..., Any]) -> None:
    info, _, ier = leastsq(decay, START, Dfun=decay_jacobian, full_output=True)[2:]
    assert [type(v) for v in (ier, info["nfev"], info["njev"])] == [int, int, int]


# ===================================================================== What it returns: x


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


# ===================================================================== What it returns: ier


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
    assert "Dfun" in case.options or "njev" not in info


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


# ================================================================ What it returns: infodict


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


@dataclass
class LastModel:
    """What a solve with an analytic Jacobian left behind, and where it was linearised last."""

    x: np.ndarray
    J: np.ndarray
    f: np.ndarray
    fjac: np.ndarray
    ipvt: np.ndarray
    qtf: np.ndarray
    cov_x: np.ndarray | None
    moved_on: bool

    @property
    def R(self) -> np.ndarray:  # noqa: N802  (a matrix)
        return np.triu(self.fjac.T[: len(self.x)])


def last_model(
    leastsq: Callable[..., Any],
    func: Callable[..., Any],
    Dfun: Callable[..., Any],
    x0: Any,
    **options: Any,
) -> LastModel:
    jacobian = Recorder(Dfun)
    x, cov_x, info, _, _ = leastsq(func, x0, Dfun=jacobian, full_output=True, **options)
    at = jacobian.points[-1]
    return LastModel(
        x, np.asarray(Dfun(at)), np.asarray(func(at)), info["fjac"], info["ipvt"], info["qtf"],
        cov_x, not np.array_equal(at, x),
    )  # fmt: skip


U = np.linspace(-1.0, 1.0, 31)


def bump(p: np.ndarray) -> np.ndarray:
    """Fit four parameters of very different size: pivoting has something to do."""
    model = 1e-2 * p[0] + p[1] * U + 50.0 * np.exp(-((U - p[2]) ** 2)) * p[3]
    return model - (0.3 + 0.7 * U + 30.0 * np.exp(-((U - 0.2) ** 2)) + 0.1 * np.sin(11.0 * U))


def bump_jacobian(p: np.ndarray) -> np.ndarray:
    e = 50.0 * np.exp(-((U - p[2]) ** 2))
    one = np.full_like(U, 1e-2)
    return np.column_stack([one, U, 2.0 * (U - p[2]) * e * p[3], e])


BUMP_START = (1.0, 0.5, 0.1, 0.4)

MODELS = [
    pytest.param(decay, decay_jacobian, START, id="decay"),
    pytest.param(bump, bump_jacobian, BUMP_START, id="bump"),
    pytest.param(rate, rate_jacobian, (1.0,), id="n=1"),
    pytest.param(rosenbrock, rosenbrock_jacobian, (-1.2, 1.0), id="m=n"),
]


def reflections(fjac: np.ndarray) -> np.ndarray:
    """Rebuild Q from the Householder vectors that MINPACK leaves below R.

    MINPACK scales v so that H = I - v v' / v_j annihilates and v'v = 2 v_j with v_j in [1, 2], and
    then writes R's diagonal over v_j. From s = sum of squares below it, v_j = 1 + sqrt(1 - s).
    """
    n, m = fjac.shape
    Q = np.eye(m)
    for j in range(n):
        if fjac[j, j] == 0.0:  # a column of zeros is left alone
            continue
        v = np.zeros(m)
        v[j + 1 :] = fjac[j, j + 1 :]
        v[j] = 1.0 + math.sqrt(max(0.0, 1.0 - v @ v))
        Q = Q @ (np.eye(m) - np.outer(v, v) / v[j])
    return Q


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


# ============================================================ What it returns: nfev and njev


def test_nfev_counts_the_solvers_evaluations_and_the_differences(
    leastsq: Callable[..., Any],
) -> None:
    # From x0 each iteration is n differences and one trial: 1 + k (n + 1), nothing refused.
    for n in (1, 2, 5):
        info = leastsq(slow, np.zeros(n), full_output=True, maxfev=1 + 3 * (n + 1))[2]
        assert info["nfev"] == 1 + 3 * (n + 1)


def test_with_dfun_nfev_counts_no_differences_and_njev_the_jacobians(
    leastsq: Callable[..., Any],
) -> None:
    info = leastsq(slow, np.zeros(3), Dfun=slow_jacobian, full_output=True, maxfev=8)[2]
    assert (info["nfev"], info["njev"]) == (8, 7)


def test_njev_counts_calls_of_dfun(scipy_leastsq: Callable[..., Any]) -> None:
    for leastsq, hidden in ((lmoo.leastsq, 0), (scipy_leastsq, 1)):
        jacobian = Recorder(rosenbrock_jacobian)
        info = leastsq(rosenbrock, [-1.2, 1.0], Dfun=jacobian, full_output=True)[2]
        assert info["nfev"] > info["njev"]  # some trial was refused
        assert len(jacobian.points) == info["njev"] + hidden


def test_func_is_called_exactly_nfev_times(scipy_leastsq: Callable[..., Any]) -> None:
    for leastsq, hidden in ((lmoo.leastsq, 0), (scipy_leastsq, 2)):
        func = Recorder(decay)
        info = leastsq(func, START, full_output=True)[2]
        assert len(func.points) == info["nfev"] + hidden


# ================================================================== What it returns: cov_x


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


# ============================================================================ What it takes: x0


def read_only(x: Any) -> np.ndarray:
    x = np.array(x)
    x.setflags(write=False)
    return x


def target(p: np.ndarray) -> np.ndarray:
    """Leave float64 residuals whatever p is, so that steps depend on its value alone."""
    p = np.asarray(p, float)
    k = np.arange(1.0, p.size + 1.0)
    return np.concatenate([k * p - k**2 / 3.0, 0.1 * (p**2 - k)])


STARTS = {
    "scalar": 2.0,
    "int": 2,
    "True": True,
    "0-d": np.array(2.0),
    "numpy scalar": np.float64(2.0),
    "list": [1.0, 2.0],
    "tuple of ints": (1, 2),
    "nested list": [[1, 2], [3, 4]],
    "2-D": np.arange(1.0, 7.0).reshape(2, 3),
    "2-D Fortran": np.asfortranarray(np.arange(1.0, 7.0).reshape(2, 3)),
    "strided": np.arange(1.0, 9.0)[::-2],
    "integer": np.array([1, 2]),
    "uint8": np.array([1, 200], np.uint8),
    "bool": np.array([True, False]),
    "float16": np.array([1.0, 2.5], np.float16),
    "float32": np.array([1.1, 2.2], np.float32),
    "byte-swapped": np.array([1.1, 2.2], np.dtype(float).newbyteorder()),
    "read-only": read_only([1.1, 2.2]),
    "read-only int": read_only([1, 2]),
}


@pytest.mark.parametrize("x0", STARTS.values(), ids=STARTS)
def test_x0_is_flattened_and_cast(leastsq: Callable[..., Any], x0: Any) -> None:
    plain = np.array(np.ravel(x0), float)  # ravel is in C order, whatever the layout
    x, ier = leastsq(target, x0)
    expected, expected_ier = leastsq(target, plain)
    np.testing.assert_array_equal(x, expected)
    assert ier == expected_ier


@pytest.mark.parametrize("x0", STARTS.values(), ids=STARTS)
def test_func_always_sees_float64(x0: Any) -> None:
    func, jacobian = Recorder(target), Recorder(lambda p: np.ones((2 * p.size, p.size)))
    lmoo.leastsq(func, x0)
    lmoo.leastsq(target, x0, Dfun=jacobian, maxfev=3, full_output=True)
    assert set(func.seen + jacobian.seen) == {(np.ndarray, np.dtype(float), (np.size(x0),))}


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_real_x0_is_taken_and_left_alone(leastsq: Callable[..., Any], data: Any) -> None:
    dtype = data.draw(
        hnp.floating_dtypes(sizes=(16, 32, 64))
        | hnp.integer_dtypes()
        | hnp.unsigned_integer_dtypes()
        | hnp.boolean_dtypes()
    )
    value = st.booleans() if dtype.kind == "b" else st.integers(0 if dtype.kind == "u" else -90, 90)
    shape = data.draw(hnp.array_shapes(min_dims=0, max_dims=3, max_side=3))
    x0 = data.draw(hnp.arrays(dtype, shape, elements=value))
    if data.draw(st.booleans()):
        x0 = x0.T
    x0.setflags(write=data.draw(st.booleans()))
    before = x0.tobytes()
    x = leastsq(target, x0, full_output=True)[0]
    assert x0.tobytes() == before
    assert (x.dtype, x.shape) == (np.dtype(float), (x0.size,))
    np.testing.assert_array_equal(x, leastsq(target, x0.ravel().astype(float), full_output=True)[0])


@pytest.mark.parametrize("case", SUCCESSES + FAILURES)
def test_x0_is_never_modified(leastsq: Callable[..., Any], case: Ending) -> None:
    x0 = np.array(case.x0, dtype=float, ndmin=1)
    before = x0.tobytes()
    leastsq(case.func, x0, full_output=True, **case.options)
    assert x0.tobytes() == before


def test_x0_may_be_a_pandas_series_or_frame(leastsq: Callable[..., Any]) -> None:
    pd = pytest.importorskip("pandas")
    # Labels that are numbers in the wrong order: x0 has to be taken by position.
    series = pd.Series([1.0, 2.0, 3.0], index=[2, 0, 1])
    frame = pd.DataFrame({"a": [1, 3], "b": [2, 4]})
    for x0, plain in ((series, [1.0, 2.0, 3.0]), (frame, [1.0, 2.0, 3.0, 4.0])):
        before = x0.copy()
        x, _ = leastsq(target, x0)
        assert type(x) is np.ndarray
        np.testing.assert_array_equal(x, leastsq(target, plain)[0])
        assert x0.equals(before)


@pytest.mark.parametrize(
    "x0",
    [
        1j,
        np.array([1.0 + 0.0j, 2.0]),
        np.array([1.0, 2.0], dtype=object),
        [1.0, None],
        None,
        "1.0",
        ["1.0", "2.0"],
        [1.0, "2.0"],
    ],
    ids=stable,
)
@pytest.mark.parametrize("full_output", [False, True])
def test_x0_complex_object_str_none_is_a_type_error(
    leastsq: Callable[..., Any], x0: Any, full_output: bool
) -> None:
    with pytest.raises(TypeError):
        leastsq(lambda p: np.zeros(5), x0, full_output=full_output)


# ========================================================================== What it takes: args


def test_args_tuple_is_unpacked_for_func_and_dfun(leastsq: Callable[..., Any]) -> None:
    seen = set()

    def func(p: np.ndarray, *args: Any) -> np.ndarray:
        seen.add(("func", *args))
        return decay(p)

    def jacobian(p: np.ndarray, *args: Any) -> np.ndarray:
        seen.add(("Dfun", *args))
        return decay_jacobian(p)

    leastsq(func, START, args=(3, "b"), Dfun=jacobian)
    assert seen == {("func", 3, "b"), ("Dfun", 3, "b")}


@pytest.mark.parametrize(
    "args", [[1.0, 2.0], np.array([1.0, 2.0]), 5.0, "word", {"k": 1}, None], ids=stable
)
def test_args_not_a_tuple_is_one_single_argument(leastsq: Callable[..., Any], args: Any) -> None:
    seen: list[Any] = []

    def func(p: np.ndarray, *more: Any) -> np.ndarray:
        seen.append(more)
        return decay(p)

    def jacobian(p: np.ndarray, *more: Any) -> np.ndarray:
        seen.append(more)
        return decay_jacobian(p)

    leastsq(func, START, args, jacobian)
    assert seen
    assert all(len(more) == 1 and more[0] is args for more in seen)


# =================================================================== What it takes: func returns

RETURNS: dict[str, Callable[[np.ndarray], Any]] = {
    "list": lambda f: f.tolist(),
    "tuple": lambda f: tuple(f.tolist()),
    "list of numpy scalars": list,
    "every second": lambda f: np.repeat(f, 2)[::2],
    "backwards": lambda f: f[::-1].copy()[::-1],
    "column of a matrix": lambda f: np.column_stack([f, f])[:, 1],
    "byte-swapped": lambda f: f.astype(f.dtype.newbyteorder()),
    "read-only": read_only,
}


@pytest.mark.parametrize("kind", RETURNS.values(), ids=RETURNS)
@pytest.mark.parametrize("Dfun", [None, decay_jacobian], ids=["differences", "Dfun"])
def test_func_may_return_any_sequence(leastsq: Callable[..., Any], kind: Any, Dfun: Any) -> None:
    x, _, info, _, ier = leastsq(lambda p: kind(decay(p)), START, Dfun=Dfun, full_output=True)
    expected, _, expected_info, _, expected_ier = leastsq(decay, START, Dfun=Dfun, full_output=True)
    np.testing.assert_array_equal(x, expected)
    np.testing.assert_array_equal(info["fvec"], expected_info["fvec"])
    assert (ier, info["nfev"]) == (expected_ier, expected_info["nfev"])


@pytest.mark.parametrize("kind", [float, np.float64, np.array, lambda v: [v]], ids=stable)
def test_func_may_return_a_scalar(leastsq: Callable[..., Any], kind: Any) -> None:
    x, _, info, _, _ = leastsq(lambda p: kind(p[0] ** 2 - 2.0), 1.0, full_output=True)
    np.testing.assert_allclose(x, [math.sqrt(2.0)], rtol=1e-12)
    assert info["fvec"].size == 1
    assert info["fjac"].shape == (1, 1)


def test_fvec_of_a_scalar_has_one_dimension() -> None:
    # scipy's is 0-d.
    info = lmoo.leastsq(lambda p: p[0] ** 2 - 2.0, 1.0, full_output=True)[2]
    assert info["fvec"].shape == (1,)


@pytest.mark.parametrize(
    "kind", [list, tuple, np.array, lambda v: np.array(v, np.int16)], ids=stable
)
def test_func_may_return_integers(leastsq: Callable[..., Any], kind: Any) -> None:
    x, _, info, _, ier = leastsq(
        lambda p: kind([int(p[0]) - 6, 3 * int(p[0])]), 3.0, Dfun=lambda p: [[1], [3]],
        full_output=True,
    )  # fmt: skip
    # One step of the linear problem goes to 0.6, which int() makes a worse 0: back to the start.
    assert info["fvec"].dtype == float
    np.testing.assert_array_equal(info["fvec"], kind([int(x[0]) - 6, 3 * int(x[0])]))
    assert ier in (1, 2, 3)


def test_func_may_return_float32(leastsq: Callable[..., Any]) -> None:
    x, _, info, _, ier = leastsq(lambda p: decay(p).astype(np.float32), START, full_output=True)
    assert ier in (1, 2, 3)
    assert info["fvec"].dtype == float
    np.testing.assert_allclose(x, leastsq(decay, START)[0], rtol=1e-3)


BAD_RETURNS: list[Any] = [
    pytest.param(lambda p: np.ones((3, 3)), "2.?d|dimension|shape", id="2-D"),
    pytest.param(lambda p: np.ones((4, 1)) * p[0], "2.?d|dimension|shape", id="column"),
    pytest.param(lambda p: np.ones((1, 4)) * p[0], "2.?d|dimension|shape", id="row"),
    pytest.param(lambda p: [[p[0], 1.0], [2.0, 3.0]], "2.?d|dimension|shape", id="nested list"),
    pytest.param(lambda p: p[0] * np.array([1j, 1.0, 2.0]), "complex", id="complex"),
    pytest.param(lambda p: [1j, p[0], 1.0], "complex", id="list with a complex"),
    pytest.param(lambda p: [[p[0], 1.0], [2.0]], "ragged|inhomogeneous|sequence", id="ragged"),
    pytest.param(lambda p: None, "None", id="None"),
    pytest.param(lambda p: "3.0", "str", id="str"),
    pytest.param(lambda p: ["1", "2", "3"], "str|<U", id="list of str"),
    pytest.param(lambda p: [p[0], None, 1.0], "None|object", id="list with a None"),
]


# scipy raises its own minpack.error for some, and takes None for a nan: ours only.
@pytest.mark.parametrize("x0", [[2.0], [2.0, 3.0]], ids=["n=1", "n=2"])
@pytest.mark.parametrize(("func", "says"), BAD_RETURNS)
def test_func_that_returns_no_real_vector_is_an_error_that_says_so(
    func: Any, says: str, x0: list[float]
) -> None:
    with pytest.raises((TypeError, ValueError), match=f"(?i){says}"):
        lmoo.leastsq(func, x0)


@pytest.mark.parametrize(("func", "says"), BAD_RETURNS)
def test_func_that_turns_bad_later_is_the_same_error(func: Any, says: str) -> None:
    calls: list[int] = []

    def turncoat(p: np.ndarray) -> Any:
        calls.append(1)
        return [p[0] - 1.0, p[0] * p[0], 1.0] if len(calls) < 4 else func(p)

    with pytest.raises((TypeError, ValueError), match=f"(?i){says}|chang|length|size"):
        lmoo.leastsq(turncoat, [2.0])


@pytest.mark.parametrize("full_output", [False, True])
@pytest.mark.parametrize(
    ("func", "n"),
    [(lambda p: [1.0], 2), (lambda p: 1.0, 3), (lambda p: p[1:] - 1.0, 4), (lambda p: [], 1)],
    ids=["1<2", "scalar<3", "3<4", "0<1"],
)
def test_m_below_n_is_a_type_error_programs_match_on(
    leastsq: Callable[..., Any], func: Any, n: int, full_output: bool
) -> None:
    with pytest.raises(TypeError, match=rf"^Improper input: func input vector length N={n}\b"):
        leastsq(func, np.ones(n), full_output=full_output)


@pytest.mark.parametrize("Dfun", [None, decay_jacobian], ids=["differences", "Dfun"])
@pytest.mark.parametrize("change", [lambda f: f[:-1], lambda f: np.append(f, 0.0), lambda f: f[:1]])
@pytest.mark.parametrize("at", [3, 4, 5])  # scipy does not compare its first two, hidden calls
def test_length_that_changes_between_calls_is_a_value_error(
    leastsq: Callable[..., Any], change: Any, at: int, Dfun: Any
) -> None:
    calls: list[int] = []

    def func(p: np.ndarray) -> np.ndarray:
        calls.append(1)
        return decay(p) if len(calls) < at else change(decay(p))

    with pytest.raises(ValueError):
        leastsq(func, START, Dfun=Dfun)


def test_length_that_changes_at_the_second_call_is_a_value_error() -> None:
    lengths = iter([9, 8])
    with pytest.raises(ValueError):
        lmoo.leastsq(lambda p: decay(p)[: next(lengths)], START)


def test_length_is_fixed_for_one_solve_only(leastsq: Callable[..., Any]) -> None:
    for m in (4, 9, 2):
        fvec = leastsq(lambda p, m=m: decay(p)[:m], START, full_output=True)[2]["fvec"]
        assert fvec.shape == (m,)


# ======================================================================== What it takes: epsfcn


def difference_steps(leastsq: Callable[..., Any], x0: Any, kind: Any, **options: Any) -> np.ndarray:
    """Return the step of the first forward difference for each component."""
    x0 = np.asarray(x0, float)
    func = Recorder(lambda p: np.concatenate([p - 0.5, p * p]).astype(kind))
    leastsq(func, x0, full_output=True, maxfev=1, **options)
    moved = [p for p in func.points if not np.array_equal(p, x0)][: x0.size]
    steps = np.array([p[j] - x0[j] for j, p in enumerate(moved)])
    for j, p in enumerate(moved):  # one component at a time, in order
        np.testing.assert_array_equal(np.delete(p, j), np.delete(x0, j))
    return steps


# Powers of two, so that x + h - x is h.
@pytest.mark.parametrize(
    ("kind", "eps"),
    [
        (np.float64, EPS),
        (np.float32, float(np.finfo(np.float32).eps)),
        (np.float16, float(np.finfo(np.float16).eps)),
        (np.int64, EPS),
    ],
)
def test_epsfcn_none_is_the_epsilon_of_what_func_returns(
    leastsq: Callable[..., Any], kind: Any, eps: float
) -> None:
    steps = difference_steps(leastsq, [2.0, -4.0, 0.0], kind)
    np.testing.assert_allclose(steps, math.sqrt(eps) * np.array([2.0, 4.0, 1.0]), rtol=1e-7)


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.int64])
@pytest.mark.parametrize("epsfcn", [0.0, 0, -1.0, -1e-30])
def test_epsfcn_not_positive_is_the_epsilon_of_float64(
    leastsq: Callable[..., Any], kind: Any, epsfcn: float
) -> None:
    steps = difference_steps(leastsq, [2.0, -4.0, 0.0], kind, epsfcn=epsfcn)
    np.testing.assert_allclose(steps, ROOT * np.array([2.0, 4.0, 1.0]), rtol=1e-7)


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_epsfcn_below_epsilon_is_epsilon(leastsq: Callable[..., Any], kind: Any) -> None:
    steps = difference_steps(leastsq, [2.0, 0.0], kind, epsfcn=1e-20)
    np.testing.assert_allclose(steps, [2.0 * ROOT, ROOT], rtol=1e-7)


@settings(max_examples=50, deadline=None)
@given(
    x=st.lists(st.floats(1e-80, 1e80) | st.floats(-1e80, -1e-80), min_size=1, max_size=3),
    epsfcn=st.floats(1e-12, 0.25),
)
def test_difference_step_is_root_epsfcn_times_x(
    leastsq: Callable[..., Any], x: list[float], epsfcn: float
) -> None:
    size = np.abs(x)
    steps = difference_steps(leastsq, x, float, epsfcn=epsfcn)
    assert (np.abs(steps - math.sqrt(epsfcn) * size) <= 2.0 * EPS * size).all()


def test_difference_step_is_the_root_itself_at_0(leastsq: Callable[..., Any]) -> None:
    steps = difference_steps(leastsq, [0.0, -0.0], float, epsfcn=1e-4)
    np.testing.assert_allclose(steps, [1e-2, 1e-2], rtol=1e-15)


def test_epsfcn_is_not_used_with_dfun(leastsq: Callable[..., Any]) -> None:
    default, coarse = Recorder(decay), Recorder(decay)
    leastsq(default, START, Dfun=decay_jacobian)
    leastsq(coarse, START, Dfun=decay_jacobian, epsfcn=1e-2)
    np.testing.assert_array_equal(default.points, coarse.points)


# ========================================================================== What it takes: Dfun


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
    assert str(got) in str(caught.value) or got == (1,)


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


# =================================================================== What it takes: the options


@pytest.mark.parametrize("maxfev", [0, -1, -200])
@pytest.mark.parametrize("n", [1, 2])
def test_maxfev_0_or_negative_is_200_times_n_plus_1(
    leastsq: Callable[..., Any], n: int, maxfev: int
) -> None:
    info, _, ier = leastsq(slow, np.zeros(n), full_output=True, maxfev=maxfev)[2:]
    assert ier == 5
    limit = 200 * (n + 1)
    assert limit <= info["nfev"] < limit + n + 1
    assert info == info | {"nfev": 1 + math.ceil((limit - 1) / (n + 1)) * (n + 1)}


@pytest.mark.parametrize("maxfev", [0, -1, -200])
@pytest.mark.parametrize("n", [1, 2])
def test_maxfev_0_or_negative_with_dfun_is_100_times_n_plus_1(
    leastsq: Callable[..., Any], n: int, maxfev: int
) -> None:
    info, _, ier = leastsq(slow, np.zeros(n), Dfun=slow_jacobian, full_output=True, maxfev=maxfev)[
        2:
    ]
    assert (ier, info["nfev"]) == (5, 100 * (n + 1))


def test_maxfev_may_be_a_numpy_integer(leastsq: Callable[..., Any]) -> None:
    info, _, ier = leastsq(slow, [0.0], full_output=True, maxfev=np.int64(7))[2:]
    assert (ier, info["nfev"]) == (5, 7)


@pytest.mark.parametrize(
    "kind",
    [
        list,
        tuple,
        np.array,
        lambda d: np.array(d, np.float32),
        lambda d: np.array(d, int),
        read_only,
    ],
    ids=["list", "tuple", "float64", "float32", "int", "read-only"],
)
def test_diag_is_n_positive_numbers_and_not_modified(
    leastsq: Callable[..., Any], kind: Any
) -> None:
    diag = kind([2.0, 4.0])
    before = np.array(diag)
    func, expected = Recorder(decay), Recorder(decay)
    leastsq(func, START, diag=diag, factor=0.1)
    leastsq(expected, START, diag=np.array([2.0, 4.0]), factor=0.1)
    np.testing.assert_array_equal(func.points, expected.points)
    np.testing.assert_array_equal(diag, before)


def test_diag_scales_the_variables(leastsq: Callable[..., Any]) -> None:
    runs = []
    for diag in ([1.0, 4.0], [2.0, 8.0], [4.0, 1.0]):
        runs.append(Recorder(decay))
        leastsq(runs[-1], START, diag=diag, factor=0.1)
    # Only the ratios matter (powers of two: to the last bit), and they do matter.
    np.testing.assert_array_equal(runs[0].points, runs[1].points)
    assert np.abs(runs[0].points[6] - runs[2].points[6]).max() > 1e-3


# scipy reads beyond a diag that is too short.
@pytest.mark.parametrize(
    "diag",
    [[1.0], [1.0, 1.0, 1.0], [], 1.0, [[1.0, 1.0]], [[1.0], [1.0]], np.ones((1, 1, 2))],
    ids=stable,
)
@pytest.mark.parametrize("full_output", [False, True])
def test_diag_of_another_length_is_a_value_error(diag: Any, full_output: bool) -> None:
    with pytest.raises(ValueError, match="diag"):
        lmoo.leastsq(decay, START, diag=diag, full_output=full_output)


@pytest.mark.parametrize("value", [math.inf, -math.inf])
@pytest.mark.parametrize("full_output", [False, True])
def test_diag_that_is_infinite_is_a_value_error(value: float, full_output: bool) -> None:
    with pytest.raises(ValueError, match=r"^diag must be finite; it is -?inf at index 1$"):
        lmoo.leastsq(decay, START, diag=[1.0, value], full_output=full_output)


WRONG_TYPES = [
    *[(name, value) for name in ("ftol", "xtol", "gtol", "factor")
      for value in ("1e-3", None, [1e-3], 1j)],
    *[("epsfcn", value) for value in ("1e-3", [1e-3], 1j)],
    *[("maxfev", value) for value in ("9", None, 9.0, np.float64(9.0), [9])],
    ("func", None), ("func", 3.0), ("Dfun", 3.0), ("Dfun", "decay"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), WRONG_TYPES, ids=stable)
@pytest.mark.parametrize("full_output", [False, True])
def test_option_of_the_wrong_type_is_a_type_error(
    leastsq: Callable[..., Any], name: str, value: Any, full_output: bool
) -> None:
    arguments = {"func": decay, "x0": START, "full_output": full_output, name: value}
    with pytest.raises(TypeError):
        leastsq(**arguments)


@pytest.mark.parametrize("diag", [["1", "2"], [1j, 1.0], [None, 1.0], "ab"], ids=stable)
def test_diag_of_the_wrong_type_is_a_type_error(diag: Any) -> None:
    # scipy reads strings as numbers, None as nan.
    with pytest.raises(TypeError):
        lmoo.leastsq(decay, START, diag=diag)


# ===================================================================== What it takes: exceptions


class MineError(Exception):
    """An exception only the caller knows."""


@pytest.mark.parametrize(
    "kind",
    [MineError, TypeError, ValueError, KeyboardInterrupt, StopIteration, SystemExit, GeneratorExit],
)
@pytest.mark.parametrize("at", [1, 3, 5])
@pytest.mark.parametrize("where", ["func", "func with Dfun", "Dfun"])
def test_exceptions_of_callbacks_come_out_unchanged(
    leastsq: Callable[..., Any], kind: type[BaseException], at: int, where: str
) -> None:
    error = kind("as it was")
    calls: list[int] = []

    def failing(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(p: np.ndarray) -> Any:
            calls.append(1)
            if len(calls) == at:
                raise error
            return function(p)

        return call

    func = decay if where == "Dfun" else failing(decay)
    jacobian = None if where == "func" else decay_jacobian
    if where == "Dfun":
        jacobian = failing(decay_jacobian)
    with pytest.raises(kind) as caught:
        leastsq(func, START, Dfun=jacobian)
    assert caught.value is error
    assert error.args == ("as it was",)
    assert (error.__cause__, error.__context__) == (None, None)
    assert caught.traceback[-1].name == "call"  # the line of the user's code that raised
    assert len(calls) == at


def test_func_may_call_leastsq(leastsq: Callable[..., Any]) -> None:
    # The inner solve finds the amplitude for a given rate (variable projection); it is another
    # size, has its own Dfun and its own end.
    def amplitude(rate: float) -> float:
        e = np.exp(-rate * T)
        return float(leastsq(lambda a: a[0] * e - Y, 1.0, Dfun=lambda a: e[:, None])[0][0])

    (found,), ier = leastsq(lambda p: amplitude(p[0]) * np.exp(-p[0] * T) - Y, 1.0)
    assert ier in (1, 2, 3)
    np.testing.assert_allclose([amplitude(found), found], leastsq(decay, START)[0], rtol=1e-6)


def test_dfun_may_call_leastsq(leastsq: Callable[..., Any]) -> None:
    def jacobian(p: np.ndarray) -> np.ndarray:
        leastsq(rosenbrock, [-1.2, 1.0])
        return decay_jacobian(p)

    x, _, info, _, ier = leastsq(decay, START, Dfun=jacobian, full_output=True)
    expected, _, expected_info, _, expected_ier = leastsq(
        decay, START, Dfun=decay_jacobian, full_output=True
    )
    np.testing.assert_array_equal(x, expected)
    np.testing.assert_array_equal(info["fjac"], expected_info["fjac"])
    assert ier == expected_ier


def test_warnings_of_user_code_pass(leastsq: Callable[..., Any]) -> None:
    line = 0

    def func(p: np.ndarray) -> np.ndarray:
        nonlocal line
        line = line_after_this()
        warnings.warn("from the model", UserWarning, stacklevel=1)
        return decay(p)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        nfev = leastsq(func, START, full_output=True)[2]["nfev"]
    assert len(caught) >= nfev
    assert {w.category for w in caught} == {UserWarning}
    assert {(w.filename, w.lineno) for w in caught} == {(__file__, line)}


def test_warning_of_user_code_made_an_error_comes_out(leastsq: Callable[..., Any]) -> None:
    def func(p: np.ndarray) -> np.ndarray:
        warnings.warn("from the model", UserWarning, stacklevel=1)
        return decay(p)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="from the model"):
            leastsq(func, START)


# ========================================================================== Parity with scipy


@dataclass(frozen=True)
class Problem:
    """The same call for both; `noisy` if a rounding of x can be seen in the Jacobian."""

    func: Callable[..., Any]
    x0: Any
    options: dict[str, Any]

    @property
    def noisy(self) -> bool:
        return "Dfun" not in self.options and self.options.get("maxfev") != 1


def problem(label: str, func: Callable[..., Any], x0: Any, **options: Any) -> Any:
    return pytest.param(Problem(func, x0, options), id=label)


A_LINEAR = np.vander(np.linspace(-0.9, 1.0, 10), 3) + np.eye(10, 3)
B_LINEAR = np.sin(np.arange(10.0))


def linear(p: np.ndarray) -> np.ndarray:
    return A_LINEAR @ p - B_LINEAR


def linear_jacobian(p: np.ndarray) -> np.ndarray:
    return A_LINEAR


# Exactly of rank 1, in floating point too: the entries are powers of two. No two columns are left
# that vanish together: at such a tie scipy's own choice of pivot changes from call to call.
A_RANK = np.outer([1.0, 1.0, 1.0, 1.0], [1.0, 2.0])


def deficient(p: np.ndarray) -> np.ndarray:
    return A_RANK @ p - np.array([1.0, 2.0, 3.0, 5.0])


def unused(p: np.ndarray) -> np.ndarray:
    """Do not depend on p[2]: its column is zero, by differences too."""
    return decay(p[:2])


def unused_jacobian(p: np.ndarray) -> np.ndarray:
    return np.column_stack([decay_jacobian(p), np.zeros(T.size)])


def shifted(p: np.ndarray, by: float) -> np.ndarray:
    return decay(p) + by


def shifted_jacobian(p: np.ndarray, by: float) -> np.ndarray:
    return decay_jacobian(p)


SQUARE: dict[str, Any] = {"Dfun": rosenbrock_jacobian}
DECAY: dict[str, Any] = {"Dfun": decay_jacobian}

# No ending here hangs on roundings: those of scipy alone differ with the order of the rows and
# with the alignment of arrays. (A linear problem's does, unless gtol ends it.)
EXACT = [
    problem("exponential", decay, START, **DECAY),
    problem("exponential-col_deriv", decay, START, Dfun=decay_jacobian_t, col_deriv=True),
    problem("exponential-args", shifted, START, args=(0.25,), Dfun=shifted_jacobian),
    problem("exponential-diag", decay, START, diag=[3.0, 0.1], **DECAY),
    problem("exponential-small-factor", decay, START, factor=0.1, **DECAY),
    problem("exponential-tiny-factor-diag", decay, START, factor=0.01, diag=[0.2, 5.0], **DECAY),
    problem("exponential-maxfev", decay, (1.0, 4.0), maxfev=3, **DECAY),
    problem("exponential-loose", decay, START, ftol=1e-3, xtol=1e-3, **DECAY),
    problem("exponential-gtol", decay, START, gtol=1e-2, **DECAY),
    problem("exponential-from-0", decay, (0.0, 0.0), **DECAY),
    problem("bump", bump, BUMP_START, Dfun=bump_jacobian),
    problem("linear", linear, np.ones(3), gtol=1e-10, Dfun=linear_jacobian),
    problem(
        "linear-small-factor", linear, np.ones(3), gtol=1e-10, factor=0.1, Dfun=linear_jacobian
    ),
    problem("rank-deficient", deficient, (1.0, 1.0), Dfun=lambda p: A_RANK),
    problem("rank-deficient-small", deficient, (1.0, 1.0), factor=0.1, Dfun=lambda p: A_RANK),
    problem("unused", unused, (1.0, 1.0, 1.0), Dfun=unused_jacobian),
    problem("n=1", rate, (1.0,), Dfun=rate_jacobian),
    problem("n=1-flat", rate, (1.0,), Dfun=lambda p: rate_jacobian(p).ravel()),
    problem("n=m=1", lambda p: p * p - 2.0, (1.0,), Dfun=lambda p: 2.0 * p[:, None]),
    problem("m=n", rosenbrock, (-1.2, 1.0), **SQUARE),
    problem("m=n-maxfev", rosenbrock, (-1.2, 1.0), maxfev=9, **SQUARE),
    problem("m=n-far", rosenbrock, (-12.0, 10.0), **SQUARE),
    problem("one-step-by-differences", decay, START, maxfev=1),
    problem("one-step-by-differences-epsfcn", bump, BUMP_START, maxfev=1, epsfcn=1e-8),
    problem("one-step-by-differences-from-0", bump, np.zeros(4), maxfev=1),
]
NOISY = [
    problem("differences", decay, START),
    problem("differences-diag", decay, START, diag=[3.0, 0.1]),
    problem("differences-factor", decay, START, factor=0.1, ftol=1e-6),
    problem("differences-epsfcn", decay, START, epsfcn=1e-10),
    problem("differences-maxfev", decay, START, maxfev=6),
    problem("differences-linear", linear, np.ones(3), gtol=1e-6),
    problem("differences-unused", unused, (1.0, 1.0, 1.0)),
    problem("differences-n=1", rate, (1.0,)),
    problem("differences-m=n", rosenbrock, (-1.2, 1.0)),
    problem("differences-float32", lambda p: decay(p).astype(np.float32), START, maxfev=4),
]


@dataclass
class Outcome:
    """All that a caller can see of one solve."""

    x: np.ndarray
    cov_x: np.ndarray | None
    info: dict[str, Any]
    ier: int
    points: list[np.ndarray]
    J: np.ndarray | None


def outcome(leastsq: Callable[..., Any], p: Problem) -> Outcome:
    func, options = Recorder(p.func), dict(p.options)
    jacobian = options.pop("Dfun", None)
    if jacobian is not None:
        options["Dfun"] = jacobian = Recorder(jacobian)
    x, cov_x, info, _, ier = leastsq(func, p.x0, full_output=True, **options)
    J = None
    if jacobian is not None:
        J = np.asarray(jacobian.function(jacobian.points[-1], *options.get("args", ())))
        J = J.T if options.get("col_deriv") else J.reshape(-1, x.size)
    return Outcome(x, cov_x, info, ier, func.points, J)


@pytest.fixture
def pair(scipy_leastsq: Callable[..., Any]) -> Callable[[Problem], tuple[Outcome, Outcome]]:
    return lambda p: (outcome(lmoo.leastsq, p), outcome(scipy_leastsq, p))


def assert_close(ours: Any, theirs: Any, tolerance: float, scale: float | None = None) -> None:
    """Compare relative to the largest entry, or to the scale the entries were computed from."""
    scale = float(np.abs(theirs).max()) if scale is None else scale
    np.testing.assert_allclose(ours, theirs, rtol=0.0, atol=tolerance * scale)


@pytest.mark.parametrize("p", EXACT + NOISY)
def test_parity_of_the_counts(pair: Any, p: Problem) -> None:
    ours, theirs = pair(p)
    for key in ("nfev", "njev"):
        assert ours.info.get(key) == theirs.info.get(key)
    assert ours.ier == theirs.ier
    assert len(ours.points) == ours.info["nfev"] == len(theirs.points) - 2
    assert list(ours.info) == list(theirs.info)


# With Dfun, or at x0, roundings stay roundings; by differences one in x is 1e8 times as large in
# the Jacobian, which any other order of summation shows.
@pytest.mark.parametrize("p", EXACT + NOISY)
def test_parity_of_x_and_fvec(pair: Any, p: Problem) -> None:
    ours, theirs = pair(p)
    tolerance = 1e-7 if p.noisy else 1e-13
    assert_close(ours.x, theirs.x, tolerance)
    assert_close(ours.info["fvec"], theirs.info["fvec"], tolerance, np.linalg.norm(p_start(p)))


def p_start(p: Problem) -> np.ndarray:
    return np.asarray(p.func(np.array(p.x0, float), *p.options.get("args", ())))


@pytest.mark.parametrize("p", EXACT + NOISY)
def test_parity_of_the_points_visited(pair: Any, p: Problem) -> None:
    ours, theirs = pair(p)
    assert_close(ours.points, theirs.points[2:], 1e-5 if p.noisy else 1e-12)


@pytest.mark.parametrize("p", EXACT + NOISY)
def test_parity_of_r_and_ipvt(pair: Any, p: Problem) -> None:
    ours, theirs = pair(p)
    n = len(ours.x)
    np.testing.assert_array_equal(ours.info["ipvt"], theirs.info["ipvt"])
    R, expected = (np.triu(o.info["fjac"].T[:n]) for o in (ours, theirs))
    assert_close(R, expected, 1e-6 if p.noisy else 1e-12)


@pytest.mark.parametrize("p", EXACT + NOISY)
def test_parity_of_the_householder_vectors(pair: Any, p: Problem) -> None:
    ours, theirs = pair(p)
    n, m = theirs.info["fjac"].shape
    below = np.tri(m, n, -1, dtype=bool)
    R, J = np.triu(theirs.info["fjac"].T[:n]), theirs.J
    QR = reflections(theirs.info["fjac"])[:, :n] @ R
    if J is None or np.abs(QR - J[:, theirs.info["ipvt"]]).max() > 1e-9 * np.abs(J).max():
        below[:n] = False  # lmpar may have written over the first n rows: scipy's own do not fit J
    if not below.any():
        pytest.skip("scipy has none left")
    # The entries are up to 1, whatever the size of R.
    tolerance = 1e-6 if p.noisy else 1e-12
    assert_close(ours.info["fjac"].T[below], theirs.info["fjac"].T[below], tolerance, 1.0)


@pytest.mark.parametrize("p", EXACT + NOISY)
def test_parity_of_qtf(pair: Any, p: Problem) -> None:
    ours, theirs = pair(p)
    scale = float(np.linalg.norm(p_start(p)))
    assert_close(ours.info["qtf"], theirs.info["qtf"], 1e-6 if p.noisy else 1e-12, scale)


@pytest.mark.parametrize("p", EXACT + NOISY)
def test_parity_of_cov_x(pair: Any, p: Problem) -> None:
    ours, theirs = pair(p)
    if theirs.cov_x is None:
        assert ours.cov_x is None
    else:
        assert_close(ours.cov_x, theirs.cov_x, 1e-5 if p.noisy else 1e-12)


def test_parity_of_a_hundred_random_problems(scipy_leastsq: Callable[..., Any]) -> None:
    rng = np.random.default_rng(20240229)
    for _ in range(100):
        m, n = int(rng.integers(4, 30)), int(rng.integers(1, 5))
        A, b = rng.normal(size=(m, n)), rng.normal(size=m)
        p = Problem(
            lambda x, A=A, b=b: np.tanh(A @ x) + 0.5 * (A @ x) - b,
            rng.normal(size=n),
            {
                "Dfun": lambda x, A=A: (1.5 - np.tanh(A @ x) ** 2)[:, None] * A,
                "factor": 10.0 ** rng.integers(-2, 3),
                "diag": rng.uniform(0.1, 10.0, n) if rng.random() < 0.5 else None,
            },
        )
        ours, theirs = outcome(lmoo.leastsq, p), outcome(scipy_leastsq, p)
        assert (ours.ier, ours.info["nfev"]) == (theirs.ier, theirs.info["nfev"])
        R, expected = (np.triu(o.info["fjac"].T[:n]) for o in (ours, theirs))
        assert_close(ours.x, theirs.x, 1e-12)
        assert_close(R, expected, 1e-11)
