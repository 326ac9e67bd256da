"""`Expression`: what it computes, its derivatives, and what it refuses, with the place marked."""

from __future__ import annotations

import inspect
import math
import pickle
from typing import Any

import numpy as np
import pytest
import scipy.special
from hypothesis import given, settings
from hypothesis import strategies as st

import lmoo
from lmoo import Expression, ExpressionError
from lmoo.datasets import nist, nist_names
from lmoo.models.expression.functions import FUNCTIONS
from lmoo.models.expression.tokens import LONGEST
from lmoo.models.graph import special

T = np.linspace(0.1, 3.0, 7)


def value(text: str, t: Any = 0.0, *parameters: float) -> Any:
    return Expression(text)(t, *parameters)


# ============================================================================ values

NUMBERS = st.floats(0.01, 50.0).map(lambda x: repr(round(x, 3)))
LEAVES = NUMBERS | st.sampled_from(["t", "a", "b", "c", "pi", "e", "3", ".5", "2.", "1e-2", "4E+1"])
ANALYTIC = ("exp", "log", "sqrt", "sin", "cos", "tanh", "arctan", "expm1", "log1p", "arcsinh")


def grown(inner: st.SearchStrategy[str], functions: tuple[str, ...]) -> st.SearchStrategy[str]:
    space = st.sampled_from(["", " "])
    binary = st.tuples(inner, space, st.sampled_from(["+", "-", "*", "/", "**"]), space, inner)
    signed = st.tuples(st.sampled_from("+-"), inner)
    return st.one_of(
        binary.map("".join),
        signed.map("".join),
        inner.map("({})".format),
        st.tuples(st.sampled_from(functions), inner).map(lambda parts: "{}({})".format(*parts)),
    )


def expressions(functions: tuple[str, ...]) -> st.SearchStrategy[str]:
    return st.recursive(LEAVES, lambda inner: grown(inner, functions), max_leaves=12)


def by_python(text: str, **names: Any) -> Any:
    """What Python itself makes of an expression, with numpy's functions."""
    scope = {name: getattr(np, name) for name in (*ANALYTIC, "pi", "e", "abs", "floor")}
    # Numbers as numpy's, whose division by zero and overflow are no exceptions.
    numbers = {name: np.asarray(number)[()] for name, number in names.items()}
    return eval(text, {"__builtins__": {}}, {**scope, **numbers})


@given(expressions((*ANALYTIC, "abs", "floor")), st.tuples(*[st.floats(-4, 4)] * 3))
@settings(max_examples=300, deadline=None)
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


# ============================================================================ derivatives


def complex_step(text: str, names: dict[str, float], by: str) -> Any:
    """The derivative of an analytic function, to the last digit (Squire, Trapp 1998)."""
    moved = {**names, by: names[by] + 1e-30j}
    return np.imag(np.broadcast_to(by_python(text, t=T, **moved), T.shape)) / 1e-30


@given(expressions(ANALYTIC), st.tuples(*[st.floats(0.1, 3)] * 3))
@settings(max_examples=300, deadline=None)
def test_derivatives_are_those_of_a_complex_step(
    text: str, point: tuple[float, float, float]
) -> None:
    model = Expression(text)
    names = dict(zip("abc", point, strict=True))
    x = [names[name] for name in model.parameter_names]
    f, J = model(T, *x), model.jacobian(T, *x)
    for j, name in enumerate(model.parameter_names):
        try:
            with np.errstate(all="ignore"):
                expected = complex_step(text, names, name)
        except (OverflowError, ZeroDivisionError):
            return
        # A branch cut or an overflow of one of the two is no error of the other.
        sane = np.isfinite(f) & np.isfinite(expected) & (np.abs(expected) < 1e100)
        sane &= np.isfinite(J[:, j])
        scale = 1.0 + np.abs(expected[sane]) + np.abs(f[sane])
        assert (np.abs(J[sane, j] - expected[sane]) <= 1e-8 * scale).all()


POINTS = {
    **dict.fromkeys(("arccosh", "acosh"), (1.3, 2.7)),
    **dict.fromkeys(("arctanh", "arcsin", "arccos", "atanh", "asin", "acos"), (-0.4, 0.7)),
    "sinc": (-2.3, -0.051, 0.01, 0.049, 0.3),
    "i0": (-3.0, 0.2, 29.0, 31.0),
    "gamma": (-1.3, 0.2, 4.4),
    "lgamma": (-1.3, 0.2, 14.4),
}
POSITIVE = ("log", "ln", "log2", "log10", "log1p", "sqrt", "cbrt")


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_the_derivative_of_every_function(name: str) -> None:
    arity = FUNCTIONS[name].arity
    default = (0.3, 2.2) if name in POSITIVE else (-1.3, 0.4, 2.2)
    others = [(0.7, -1.6)[:k] for k in range(3)][arity - 1]
    model = Expression(f"{name}({', '.join('abc'[:arity])})")
    for a in POINTS.get(name, default):
        point = np.array([a, *others])
        J = model.jacobian(0.0, *point)
        for j in range(arity):
            # Central differences and a step of Richardson's.
            d = [
                (model(0.0, *(point + h * e)) - model(0.0, *(point - h * e))) / (2 * h)
                for h in (1e-3, 2e-3)
                for e in [np.eye(arity)[j]]
            ]
            assert J[j] == pytest.approx((4 * d[0] - d[1]) / 3, rel=1e-8, abs=1e-9), (a, j)


@pytest.mark.parametrize(
    ("text", "point", "expected"),
    [
        ("a**b", (0.0, 2.0), (0.0, 0.0)),
        ("a**b", (0.0, 1.0), (1.0, 0.0)),
        ("a**0 + 0*b", (0.0, 1.0), (0.0, 0.0)),
        ("a**2 + 0*b", (-3.0, 1.0), (-6.0, 0.0)),
        ("1/(1 + exp(a*b))", (1.0, 2000.0), (0.0, 0.0)),
        ("b/(1 + exp(a))**(1/1.5)", (2000.0, 3.0), (0.0, 0.0)),
        ("where(a > 0, log(a), b)", (-1.0, 3.0), (0.0, 1.0)),
        ("max(a, log(b))", (1.0, 0.0), (1.0, 0.0)),
        ("tanh(a)*b", (30.0, 1.0), (4 * math.exp(-60), 1.0)),
    ],
)
def test_derivatives_where_the_rule_alone_has_no_value(
    text: str, point: tuple[float, float], expected: tuple[float, float]
) -> None:
    J = Expression(text, parameters=("a", "b") if "b" in text else ("a",)).jacobian(0.0, *point)
    np.testing.assert_allclose(J, expected, rtol=1e-12)


def test_a_derivative_that_does_not_exist_is_not_made_up() -> None:
    # d sqrt(a^2)/da at 0: both factors of the chain rule are there, and their product is not.
    assert not np.isfinite(Expression("sqrt(a**2)").jacobian(0.0, 0.0)).any()


@pytest.mark.parametrize("name", nist_names())
def test_nist_models_and_their_derivatives(name: str) -> None:
    data = nist(name)
    variables = ("x1", "x2") if name == "Nelson" else ("x",)
    model = Expression(data.formula.split("=")[1], variables, data.parameter_names)
    for b in (*data.starts, data.certified):
        expected, J = data.model(b), data.jacobian(b)
        scale = np.abs(expected).max()
        np.testing.assert_allclose(model(data.x.T, *b), expected, rtol=1e-11, atol=1e-14 * scale)
        mine = model.jacobian(data.x.T, *b)
        assert (np.abs(mine - J) <= 1e-11 * np.abs(J).max(axis=0)).all()


# ============================================================================ special functions


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
    assert math.isnan(special.digamma(0.0))


# ============================================================================ refusals

REFUSED = {
    "": ("the expression is empty", 0),
    "a +": ("expected a number, a name or '(', found the end", 3),
    "2a": ("expected an operator, found 'a'", 1),
    "sin t": ("expected an operator, found 't'", 4),
    "sin()": ("expected a number, a name or '(', found ')'", 4),
    "(a": ("'(' is not closed", 0),
    "a)": ("expected an operator, found ')'", 1),
    "exp(a b)": ("expected an operator or ')', found 'b'", 6),
    "a < t < b": ("comparisons cannot be chained", 6),
    "where(a, b)": ("where takes 3 arguments, found 2", 0),
    "exp(a, b)": ("exp takes 1 arguments, found 2", 0),
    "max(a)": ("max takes 2 or more arguments, found 1", 0),
    "a.real": ("unexpected '.'", 1),
    "a[0]": ("unexpected '['", 1),
    "'a'": ('unexpected "\'"', 0),
    "a = 1": ("unexpected '='", 2),
    "a;b": ("unexpected ';'", 1),
    "a, b": ("expected an operator, found ','", 1),
    "lambda t": ("'lambda' is a word of Python", 0),
    "a if t else b": ("'if' is a word of Python", 2),
    "__import__('os')": ("the name '__import__' has two underscores", 0),
    "eval(a)": ("unknown function 'eval'", 0),
    "a(t)": ("unknown function 'a'", 0),
    "1e999": ("a number too large", 0),
    "a + 1e999": ("a number too large", 4),
    "a # b": ("unexpected '#'", 2),
    "t\x00": ("unexpected '\\x00'", 1),
    "(" * 101 + "a" + ")" * 101: ("nested more than 100 deep", 100),
    "-" * 200 + "a": ("nested more than 100 deep", 100),
    "t" + "+t" * LONGEST: (f"the expression has {2 * LONGEST + 1} characters", LONGEST),
}


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: text[:20])
def test_refused_with_the_place_marked(text: str) -> None:
    reason, place = REFUSED[text]
    with pytest.raises(ExpressionError) as caught:
        Expression(text)
    error = caught.value
    assert error.reason.startswith(reason)
    assert error.place == place
    first, shown, caret = str(error).split("\n")
    assert f"at character {place + 1} of the expression" in first
    marked = shown[len(caret) - 1 :][:1]
    # What cannot be printed is shown as a space.
    assert marked == text[place : place + 1] or not text[place].isprintable()
    assert len(shown) < 100


def test_refusals_help() -> None:
    for text, hint in {
        "exq(t)": "did you mean 'exp'?",
        "a(t)": r"write a*(...)",
        "a < t < b": "write (a < t) * (t < b)",
        "lambda*t": "write lambda_",
    }.items():
        with pytest.raises(ExpressionError) as caught:
            Expression(text)
        assert hint in str(caught.value)


def test_long_and_flat_is_no_matter() -> None:
    assert value("+".join(["1"] * 5000)) == 5000
    assert value("*".join(["1"] * 5000)) == 1


def test_an_error_survives_pickling() -> None:
    with pytest.raises(ExpressionError) as caught:
        Expression("exq(t)")
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ((1,), TypeError, "text must be a string; it is 1"),
        (("t", ("t", "t")), ValueError, "variables must differ from each other"),
        (("t", ("2",)), ValueError, "variables must be names; one is '2'"),
        (("t", (None,)), ValueError, "variables must be names; one is None"),
        (("t", "t", ("t",)), ValueError, "'t' cannot be both a variable and a parameter"),
        (("a*t", "t", ("a", "b")), ValueError, "the parameter 'b' does not appear in 'a"),
        (("a*b*t", "t", ("a",)), ExpressionError, "unknown name 'b', at character 3 .* are t, a,"),
    ],
)
def test_bad_arguments(arguments: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=f"^{match}"):
        Expression(*arguments)


def test_bad_calls() -> None:
    model = Expression("a*t")
    with pytest.raises(TypeError, match=r"^Expression\('a\*t'\) takes 1 parameters; it got 2$"):
        model(T, 1, 2)
    with pytest.raises(TypeError, match=r"^a must be real numbers; it is 1j$"):
        model(T, 1j)
    with pytest.raises(TypeError, match=r"^t must be real numbers"):
        model.jacobian(["x"], 1)


@given(st.text(max_size=40))
@settings(max_examples=300, deadline=None)
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        Expression(text)
        return
    except ExpressionError as error:
        refusal = error
    assert 0 <= refusal.place <= len(text)
    assert len(str(refusal).split("\n")) == 3


@given(st.lists(st.sampled_from([*"tab()+-*/^,<= 1.", "**", "exp", "max(", "e", "2e3", "__"])))
@settings(max_examples=300, deadline=None)
def test_any_heap_of_tokens_is_parsed_or_refused(parts: list[str]) -> None:
    try:
        model = Expression("".join(parts))
    except ExpressionError:
        return
    n = len(model.parameter_names)
    assert model(T, *[0.5] * n).shape == T.shape
    assert model.jacobian(T, *[0.5] * n).shape == (7, n)
