"""Signature of `leastsq`, form of its answer, and its texts."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from leastsq_cases import FAILURES, SUCCESSES, Ending
from samples import (
    START,
    decay,
    decay_jacobian,
    decay_jacobian_t,
)

import lmoo

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
