"""`Expression`: its values."""

from __future__ import annotations

import inspect
import math
import pickle

import numpy as np
import pytest
import scipy.special
from expression_cases import ANALYTIC, T, by_python, expressions, value
from hypothesis import given, settings
from hypothesis import strategies as st

import lmoo
from lmoo import Expression
from lmoo.models.graph import special


@given(expressions((*ANALYTIC, "abs", "floor")), st.tuples(*[st.floats(-4, 4)] * 3))
@settings(max_examples=300, deadline=None)
@pytest.mark.slow
def test_it_computes_what_python_computes(text: str, point: tuple[float, float, float]) -> None:
    names = dict(zip("abc", point, strict=True))
    try:
        with np.errstate(all="ignore"):
            expected = np.broadcast_to(by_python(text, t=T, **names), T.shape)
    except (OverflowError, ZeroDivisionError):
        return  # Python's own numbers; ours give inf or nan
    if np.iscomplexobj(expected):
        return  # Python's own power of a negative number
    model = Expression(text)
    np.testing.assert_allclose(
        model(T, *(names[name] for name in model.parameter_names)), expected, rtol=1e-12
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-2**2", -4.0),
        ("2**-1", 0.5),
        ("2**3**2", 512.0),
        ("2^3^2", 512.0),
        ("-2^-2", -0.25),
        ("2*-3", -6.0),
        ("1 - 2 - 3", -4.0),
        ("8/4/2", 1.0),
        ("--3", 3.0),
        ("1+2*3 < 8", 1.0),
        ("(1 < 2) + (2 <= 2) + (3 > 4) + (4 >= 5) + (1 == 1) + (1 != 1)", 3.0),
        ("min(3, 1, 2) + max(1, 5, 2, 4)", 6.0),
        ("where(1 < 2, 10, 1/0)", 10.0),
        ("heaviside(0, 0.5)", 0.5),
        ("mod(-1, 3)", 2.0),
        ("ln(e) + sinc(0) + atan2(0, 1)", 2.0),
        ("gamma(5) + lgamma(1) + erf(0) + erfc(0) + i0(0)", 26.0),
        (" \t1\n+\r\n2 ", 3.0),
    ],
)
def test_precedence_and_functions(text: str, expected: float) -> None:
    assert value(text) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("text", ["9**9**9", "1/0", "exp(1e4)", "gamma(200)", "1e308*10"])
def test_what_overflows_is_infinite_at_once_and_without_a_warning(text: str) -> None:
    assert value(text) == np.inf


@pytest.mark.parametrize("text", ["sqrt(-1)", "log(-1)", "0/0", "gamma(-1)", "(-8)**(1/3)"])
def test_what_has_no_value_is_nan(text: str) -> None:
    assert math.isnan(value(text))


def test_shapes() -> None:
    model = Expression("a*exp(-b*t) + c")
    column = np.array([[1.0], [2.0]])
    assert model(T, 1, 1, 0).shape == (7,)
    assert model(T, column, column, column).shape == (2, 7)
    assert model.jacobian(T, column, 1.0, column).shape == (2, 7, 3)
    assert Expression("c + 0*a")(T, 1, 2).shape == (7,)
    assert Expression("c")(T, 1).flags.writeable
    assert model(T, 1, 1, 0).dtype == np.float64
    assert model([1, 2], 1, 1, 0).shape == (2,)


def test_several_variables() -> None:
    model = Expression("a*u + b*v", variables=("u", "v"))
    np.testing.assert_array_equal(model((T, T**2), 2.0, 3.0), 2 * T + 3 * T**2)
    np.testing.assert_array_equal(model(np.array([T, T**2]), 2.0, 3.0), 2 * T + 3 * T**2)
    with pytest.raises(ValueError, match=r"^t must be 2 arrays, for u, v; it is 7$"):
        model(T, 1.0, 2.0)


def test_names_are_parameters_by_first_appearance() -> None:
    assert Expression("c + b*a*b").parameter_names == ("c", "b", "a")
    assert Expression("a*t + b", parameters=("b", "a")).parameter_names == ("b", "a")
    assert Expression("a*t + b", variables="a").parameter_names == ("t", "b")
    assert Expression("ω*exp(-λ*t)").parameter_names == ("ω", "λ")
    # Constants, unless they are called otherwise; functions, where they are called.
    assert Expression("e*t + pi").parameter_names == ()
    assert Expression("e*t + pi", parameters=("e",))(2.0, 5.0) == pytest.approx(10 + math.pi)
    assert Expression("gamma*t").parameter_names == ("gamma",)


def test_linear_parameters() -> None:
    for text, linear in {
        "a*exp(-b*t) + c": ("a", "c"),
        "a*b*t/(1 + b*t)": ("a",),
        "a*(b + c*t)": ("a",),
        "a + b*t + c*t**2 - d/t": ("a", "b", "c", "d"),
        "where(t < k, a, b)": ("a", "b"),
        "a**2*t": (),
        "a*a": (),
        "-(a + 2)/b": ("a",),
        "a*b + b*c + c*d": ("a", "c"),
        "(a + b)*(c + d)*t + e1": ("a", "b", "e1"),
        "(a + b*t)*(b + c)": ("a",),
        "exp(a*b) + c*d*a": ("c",),
    }.items():
        assert Expression(text).linear == linear, text


def test_linear_parameters_of_the_longest_expressions() -> None:
    # Millions of pairs of factors, of which no list is made.
    names = [chr(0x4E00 + k) for k in range(5000)]
    assert Expression("*".join(names)).linear == (names[0],)
    products = [f"{a}*{b}" for a, b in zip(names[::2], names[1::2], strict=True)]
    assert Expression("+".join(products)).linear == tuple(names[::2])
    assert Expression("+".join(names)).linear == tuple(names)


def test_it_serves_the_rest_of_the_library() -> None:
    model = Expression("a*exp(-b*t) + c")
    y = model(T, 2.0, 1.5, 0.5)
    problem = lmoo.CurveProblem(model, T, y, jac=model.jacobian)
    result = lmoo.Solver().solve(problem, [1, 1, 0])
    assert result.parameter_names == ("a", "b", "c")
    np.testing.assert_allclose(result.x, [2.0, 1.5, 0.5], rtol=1e-9)
    many = lmoo.curve_fit_many(model, T, np.array([y, 2 * y]), p0=[1, 1, 0])
    np.testing.assert_allclose(many.x[1], [4.0, 1.5, 1.0], rtol=1e-8)
    assert list(inspect.signature(model).parameters) == ["t", "a", "b", "c"]
    both = Expression("a*u + _variables*v + variables_", variables=("u", "v"))
    assert list(inspect.signature(both).parameters)[1:] == list(both.parameter_names)
    again = pickle.loads(pickle.dumps(model))
    assert repr(again) == repr(model) == "Expression('a*exp(-b*t) + c')"
    np.testing.assert_array_equal(again(T, 1, 2, 3), model(T, 1, 2, 3))


def test_special_functions_are_scipys() -> None:
    x = np.concatenate([np.linspace(-20, 20, 801) + 1e-3, np.logspace(-10, 1, 50)])
    with np.errstate(all="ignore"):
        for name, reference in {
            "erf": scipy.special.erf,
            "erfc": scipy.special.erfc,
            "gamma": scipy.special.gamma,
            "gammaln": scipy.special.gammaln,
            "i0": scipy.special.i0,
            "i1": scipy.special.i1,
        }.items():
            np.testing.assert_allclose(
                getattr(special, name)(x), reference(x), rtol=2e-13, atol=1e-14, err_msg=name
            )
    far = np.linspace(20, 700, 500)
    np.testing.assert_allclose(special.i1(far), scipy.special.i1(far), rtol=2e-14)
    away = x[np.abs(x - np.round(x)) > 0.01]
    np.testing.assert_allclose(special.digamma(away), scipy.special.digamma(away), rtol=1e-12)
    assert math.isnan(special.digamma(-3.0))
    assert special.digamma(0.0) == scipy.special.digamma(0.0) == -math.inf
