"""Data that cannot be used: the message names the argument, says what it is, and what to do."""

from __future__ import annotations

import datetime
import warnings
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from case_tables import each

import lmoo

T = np.linspace(0.0, 4.0, 24)
START = [2.0, 1.0, 0.4]


def decay(t: Any, amplitude: Any, rate: Any, offset: Any) -> Any:
    return amplitude * np.exp(-rate * t) + offset


Y = decay(T, 3.0, 0.7, 0.5)


def solved(problem: Any) -> Any:
    return lmoo.Solver().solve(problem, START)


# The names of t and y, and the call.
ENTRIES: dict[str, tuple[str, str, Callable[..., Any]]] = {
    "fit, text": ("t", "y", lambda t, y, s: lmoo.fit("a*exp(-b*t) + c", t, y, sigma=s)),
    "fit": ("t", "y", lambda t, y, s: lmoo.fit(decay, t, y, START, s)),
    "CurveProblem": ("t", "y", lambda t, y, s: solved(lmoo.CurveProblem(decay, t, y, s))),
    "curve_fit": ("xdata", "ydata", lambda t, y, s: lmoo.curve_fit(decay, t, y, START, s)),
    "model": ("t", "y", lambda t, y, s: lmoo.models.Exponential().problem(t, y, s)),
    "curve_fit_many": (
        "t",
        "y",
        lambda t, y, s: lmoo.curve_fit_many(decay, t, [y], START, sigma=s),
    ),
    "CurveBlocks": ("xdata", "ydata", lambda t, y, s: lmoo.CurveBlocks(decay, t, y, sigma=s)),
}
EVERY_ENTRY = pytest.mark.parametrize(("t", "y", "call"), ENTRIES.values(), ids=ENTRIES)


@EVERY_ENTRY
def test_lengths_that_differ(t: str, y: str, call: Callable[..., Any]) -> None:
    for one, other in ((T[:-1], Y), (T, Y[:-1]), (T[:0], Y)):
        with pytest.raises(ValueError, match=rf"^(?=.*\b{t}\b)(?=.*\b{y}\b)") as caught:
            call(one, other, None)
        assert str(one.size) in str(caught.value)
        assert str(other.size) in str(caught.value)
        assert "f must return" not in str(caught.value)


def test_a_function_that_returns_too_few_numbers_is_named() -> None:
    with pytest.raises(ValueError, match=r"^f must return 24 real numbers.* shape \(23,\)"):
        solved(lmoo.CurveProblem(lambda t, *x: decay(t, *x)[1:], T, Y))
    table = {"t": T[1:]}
    with pytest.raises(ValueError, match=r"^f must return 24 real numbers.* shape \(23,\)"):
        solved(lmoo.CurveProblem(lambda t, *x: decay(t["t"], *x), table, Y))


@EVERY_ENTRY
def test_empty_data(t: str, y: str, call: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match=rf"^{y} must (not be empty|have a row of points)"):
        call([], [], None)


DATES = [datetime.datetime(2020, 1, 1 + k) for k in range(T.size)]
NOT_NUMBERS: dict[str, tuple[Any, str]] = {
    "texts": (["1.0"] * T.size, r"array\.astype\(float\) makes numbers of texts"),
    "array of texts": (np.array(["1.0"] * T.size), r"dtype <U3: array\.astype\(float\)"),
    "bytes": (np.array([b"1.0"] * T.size), r"dtype \|S3: array\.astype\(float\)"),
    "dates": (DATES, "give numbers, such as the seconds since the first|datetime"),
    "datetimes": (np.array(DATES, dtype="M8[s]"), "give numbers, such as the seconds since"),
    "durations": (np.arange(T.size).astype("m8[s]"), r"such as t / numpy\.timedelta64"),
    "lists of different lengths": ([[1.0, 2.0], [3.0]], "inhomogeneous"),
    "uncertain numbers": (
        [type("Uncertain", (), {"nominal_value": v})() for v in Y],
        r"unumpy\.nominal_values\(y\) are the numbers|float\(\) argument",
    ),
    "records": (np.zeros(T.size, dtype=[("a", float)]), "a field, array|is of dtype|float"),
}


@each(("value", "match"), NOT_NUMBERS.values(), ids=NOT_NUMBERS)
@EVERY_ENTRY
def test_what_is_no_number(
    t: str, y: str, call: Callable[..., Any], value: Any, match: str
) -> None:
    arguments = [(y, (T, value, None)), ("sigma", (T, Y, value))]
    # The function of a CurveProblem may have any t.
    if isinstance(value, list) or call is not ENTRIES["CurveProblem"][2]:
        arguments.append((t, (value, Y, None)))
    for name, given in arguments:
        with pytest.raises(
            (TypeError, ValueError), match=rf"^{name} must be .*({match})"
        ) as caught:
            call(*given)
        # It can be read: long data are not shown in full.
        assert len(str(caught.value)) < 350


ONCE: dict[str, Callable[[], Any]] = {
    "generator": lambda: (v for v in Y),
    "map": lambda: map(float, Y),
    "set": lambda: set(Y),
    "dict": lambda: dict(enumerate(Y)),
    "values of a dict": lambda: dict(enumerate(Y)).values(),
}


@each("make", ONCE.values(), ids=ONCE)
@EVERY_ENTRY
def test_what_is_no_sequence(
    t: str, y: str, call: Callable[..., Any], make: Callable[[], Any]
) -> None:
    arguments = [("sigma", (T, Y, make()))]
    if call is not ENTRIES["curve_fit_many"][2]:
        arguments.append((y, (T, make(), None)))
    if hasattr(make(), "__next__"):
        arguments.append((t, (make(), Y, None)))
    for name, given in arguments:
        with pytest.raises(TypeError, match=rf"^{name} must be .*give (list|a list)"):
            call(*given)


def test_objects_that_are_numbers() -> None:
    """`curve_fit` converts them as scipy does; the others say how."""
    y = [Decimal(str(value)) for value in Y]
    popt, _ = lmoo.curve_fit(decay, T, y, START)
    np.testing.assert_allclose(popt, [3.0, 0.7, 0.5], rtol=1e-6)
    with pytest.raises(TypeError, match=r"array\.astype\(float\) of other objects"):
        lmoo.fit(decay, T, y, START)
    with pytest.raises(TypeError, match=r"^ydata must be real numbers; it is None$"):
        lmoo.curve_fit(decay, T, None, START)


@EVERY_ENTRY
def test_a_single_sigma(t: str, y: str, call: Callable[..., Any]) -> None:
    for sigma in (0.1, np.float32(0.1), np.array(0.1)):
        call(T, Y, sigma)
    for sigma in (0.0, -0.1, np.array(-0.1)):
        with pytest.raises(
            ValueError, match=r"^sigma must be positive and finite; it is -?0\.[01]"
        ):
            call(T, Y, sigma)
    with pytest.raises(ValueError, match=r"^sigma must (be a number, or )?have shape"):
        call(T, Y, np.ones(5))


def evaluated(call: Callable[..., Any], *data: Any) -> None:
    """Make the fit, or the problem and solve it: blocks are read when they are evaluated."""
    made = call(*data)
    if not isinstance(made, (tuple, lmoo.Result, lmoo.Fits)):
        solved(made)


@pytest.mark.parametrize("bad", [np.inf, np.nan, 0.0, -0.1, 1e-320])
@EVERY_ENTRY
def test_a_sigma_that_no_point_can_have(
    t: str, y: str, call: Callable[..., Any], bad: float
) -> None:
    """Points of infinite sigma would count in the degrees of freedom."""
    sigma = np.full(T.size, 0.1)
    sigma[3] = bad
    with pytest.raises(ValueError, match=r"^sigma must be positive and finite; .* index 3\b"):
        evaluated(call, T, Y, sigma)


@EVERY_ENTRY
def test_an_infinite_y(t: str, y: str, call: Callable[..., Any]) -> None:
    values = Y.copy()
    values[3] = np.inf
    with pytest.raises(ValueError, match=rf"^{y} must be finite, or nan_policy 'omit'; .* inf\b"):
        evaluated(call, T, values, None)


def test_covariances_of_x_and_y_have_the_errors_of_y() -> None:
    """No warning that sigma is missing."""
    known = np.tile(np.diag([1e-4, 1e-4]), (T.size, 1, 1))
    calls: list[Callable[..., Any]] = [
        lambda sigma_x: lmoo.fit(decay, T, Y, START, sigma_x=sigma_x, absolute_sigma=True),
        lambda sigma_x: lmoo.CurveProblem(decay, T, Y, sigma_x=sigma_x, absolute_sigma=True),
        lambda sigma_x: lmoo.curve_fit(decay, T, Y, START, sigma_x=sigma_x, absolute_sigma=True),
    ]
    for call in calls:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            call(known)
        with pytest.warns(UserWarning, match="absolute_sigma=True without sigma"):
            call(known[:, :1, :1])
