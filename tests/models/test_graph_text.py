"""Models written as text and as LaTeX."""

from __future__ import annotations

import numpy as np
import pytest
from graph_cases import ALL, T, expressions
from hypothesis import given, settings

from lmoo import Expression
from lmoo.models import Model


@given(expressions(ALL))
@settings(max_examples=400, deadline=None)
def test_text_is_read_as_the_same_model(text: str) -> None:
    model = Expression(text)
    if len(model.text) > 9000:
        return
    again = Expression(Model(model.steps, model.variables, model.parameter_names).text)
    x = dict(zip("abc", (0.7, -1.3, 2.1), strict=True))
    np.testing.assert_array_equal(
        again(T, *[x[name] for name in again.parameter_names]),
        model(T, *[x[name] for name in model.parameter_names]),
    )
    if again.parameter_names == model.parameter_names:
        assert again == model


@pytest.mark.parametrize(
    ("text", "shown", "latex"),
    [
        ("a*exp(-b*t)+c", "a*exp(-b*t) + c", r"a\, e^{-b\, t} + c"),
        ("(a+b)*t/(c-2)", "(a + b)*t/(c - 2)", r"\frac{\left(a + b\right)\, t}{c - 2}"),
        ("-(2*a)**2", "-(2*a)**2", r"-\left(2\, a\right)^{2}"),
        ("a**b**c", "a**b**c", r"a^{b^{c}}"),
        ("(a**b)**c", "(a**b)**c", r"\left(a^{b}\right)^{c}"),
        ("1/(a*b)", "1/(a*b)", r"\frac{1}{a\, b}"),
        ("a - (b - c)", "a - (b - c)", r"a - \left(b - c\right)"),
        ("pi*tau_1 + 1e-30", "pi*tau_1 + 1e-30", r"\pi\, \tau_{1} + 1 \cdot 10^{-30}"),
        (
            "where(t <= k, a, sqrt(abs(b)))",
            "where(t <= k, a, sqrt(abs(b)))",
            r"\begin{cases} a & t \le k \\ \sqrt{\left|b\right|} & \text{otherwise} \end{cases}",
        ),
        (
            "lgamma(width)*log10(t)*2",
            "lgamma(width)*log10(t)*2",
            r"\ln\Gamma\left(\mathrm{width}\right)\, \log_{10}\left(t\right) \cdot 2",
        ),
    ],
)
def test_how_models_are_written(text: str, shown: str, latex: str) -> None:
    model = Expression(text)
    assert str(Model(model.steps, model.variables, model.parameter_names)) == shown
    assert model.latex() == latex
    assert str(model) == text


def test_infinite_constants_are_read_back() -> None:
    for text in ("min(a, 1/0)", "max(a, -1/0)", "a*(0/0)", "a**(-2)", "(-3)**a", "2 - -3*a"):
        model = Expression(text)
        plain = Model(model.steps, model.variables, model.parameter_names)
        assert Expression(plain.text) == model
