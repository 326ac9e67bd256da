"""`Expression`: texts that are refused, with the place marked."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from expression_cases import T, value
from hypothesis import given, settings
from hypothesis import strategies as st

from lmoo import Expression, ExpressionError
from lmoo.models.expression.tokens import LONGEST

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
    "lambda t": ("'lambda' is a keyword of Python", 0),
    "a if t else b": ("'if' is a keyword of Python", 2),
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
    with pytest.raises(TypeError, match=r"^Expression\('a\*t'\) takes 1 parameters; 2 were given$"):
        model(T, 1, 2)
    with pytest.raises(TypeError, match=r"^a must be real numbers; it is 1j$"):
        model(T, 1j)
    with pytest.raises(TypeError, match=r"^t must be real numbers"):
        model.jacobian(["x"], 1)


@given(st.text(max_size=40))
@settings(max_examples=300, deadline=None)
@pytest.mark.slow
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
