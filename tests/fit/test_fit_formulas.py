"""Texts as models: the name of the variable, and what is refused with a hint."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lmoo

T = np.linspace(0.0, 4.0, 20)
Y = 2.5 * np.exp(-1.3 * T) + 0.5 + 0.01 * np.cos(9 * T)


def test_x_is_the_variable_of_a_text_without_t() -> None:
    result = lmoo.fit("a*exp(-b*x) + c", T, Y)
    assert result.parameter_names == ("a", "b", "c")
    np.testing.assert_array_equal(result.x, lmoo.fit("a*exp(-b*t) + c", T, Y).x)
    assert "y against x" in str(result)


def test_x_is_a_parameter_of_a_text_with_t() -> None:
    assert lmoo.fit("a*exp(-x*t) + c", T, Y).parameter_names == ("a", "x", "c")


def test_a_constant_needs_no_variable() -> None:
    assert lmoo.fit("c", T, Y)["c"].value == pytest.approx(Y.mean())
    assert lmoo.fit("2*pi*c", T, Y).success


def test_a_text_without_its_variable_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"t or x as its variable; 'a\*exp\(-b\*time\)' has a, b, time"
    ):
        lmoo.fit("a*exp(-b*time)", T, Y)
    model = lmoo.Expression("a*exp(-b*time) + c", variables="time")
    assert lmoo.fit(model, T, Y).success


def test_several_variables_must_be_named() -> None:
    with pytest.raises(ValueError, match=r"must name its 2 variables: .*variables="):
        lmoo.fit("a + b*t", (T, T**2), Y)
    model = lmoo.Expression("a + b*u + c*v", variables=("u", "v"))
    assert lmoo.fit(model, (T, T**2), Y).success


@pytest.mark.parametrize("text", ["1 - d*exp(1j*p)*t", "a*t + 2j", "a*(t + 2.j)", "a*(t + 3i)"])
def test_imaginary_numbers_have_a_hint(text: str) -> None:
    with pytest.raises(lmoo.ExpressionError, match="write a complex model as a function"):
        lmoo.fit(text, T, Y)


def test_other_names_after_a_number_have_none() -> None:
    with pytest.raises(lmoo.ExpressionError) as caught:
        lmoo.fit("a*t + 2k", T, Y)
    assert "complex" not in str(caught.value)


def test_a_stack_takes_a_text() -> None:
    stack = np.stack([Y, 2.0 * Y])
    for text in ("a*exp(-b*t) + c", "a*exp(-b*x) + c"):
        fits = lmoo.curve_fit_many(text, T, stack, p0=[1.0, 1.0, 0.0])
        assert fits.parameter_names == ("a", "b", "c")
        assert fits.success.all()
    with pytest.raises(ValueError, match="t or x as its variable"):
        lmoo.curve_fit_many("a*exp(-b*time)", T, stack, p0=[1.0, 1.0, 1.0])


def test_grids_of_a_stack_of_images_have_a_hint() -> None:
    grids = tuple(np.meshgrid(np.arange(4.0), np.arange(5.0)))
    images = np.ones((6, 5, 4))
    with pytest.raises(ValueError, match=r"pixels in one axis: y\.reshape\(\.\.\., -1\)"):
        lmoo.curve_fit_many(lmoo.models.Gaussian2D(), grids, images)
    with pytest.raises(ValueError, match="that of y; it has") as caught:
        lmoo.curve_fit_many(lmoo.models.Exponential(), np.ones((3, 3)), np.ones((6, 4)))
    assert "pixels" not in str(caught.value)


@pytest.mark.parametrize("p0", [None, [1.0, 1.0]])
@pytest.mark.parametrize("trace", [False, True])
def test_lengths_that_differ_are_said(p0: list[float] | None, trace: bool) -> None:
    def decay(t: np.ndarray, a: float, b: float) -> np.ndarray:
        return a * np.exp(-b * t)

    model = decay if trace else "a*exp(-b*t)"
    with pytest.raises(ValueError, match=r"\b20\b.*\b19\b") as caught:
        lmoo.fit(model, T, Y[1:], p0)
    assert "y" in str(caught.value)


def test_a_text_is_no_function_of_curve_fit() -> None:
    with pytest.raises(TypeError, match=r"it is 'a\*t': a formula is lmoo.Expression\('a\*t'\)"):
        lmoo.curve_fit("a*t", T, Y)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("formula", "p0", "undetermined"),
    [
        ("a*c*exp(-b*t)", {"a": 1, "b": 1, "c": 1}, {"a", "c"}),
        ("a*exp(-b*t+c)", {"b": 1, "c": 0}, {"a", "c"}),
        ("a*exp(-b*(t-c))", {"a": 1, "b": 1, "c": 0.5}, {"a", "c"}),
        ("a*exp(-b*t)*d+c", {"a": 1, "b": 1, "c": 1, "d": 1}, {"a", "d"}),
        ("a/(c*(1+b*t))", {"a": 1, "b": 1, "c": 1}, {"a", "c"}),
        ("a*b*t", {"a": 1, "b": 1}, {"a", "b"}),
        ("a*b*exp(-rate*t)+c", None, {"a", "b"}),
    ],
)
def test_too_many_parameters_are_named(
    formula: str, p0: dict[str, float] | None, undetermined: set[str]
) -> None:
    t = np.linspace(0.0, 4.0, 20)
    y = 2.0 * np.exp(-0.5 * t) + 0.01 * np.cos(9.0 * t)
    found = lmoo.fit(formula, t, y, p0=p0)
    full = lmoo.fit(formula, t, y, p0=p0, solver=lmoo.Solver())
    assert found.success, found.message
    assert set(found.undetermined) == undetermined
    np.testing.assert_allclose(found.cost, full.cost, rtol=1e-9)
    assert np.abs(found.x).max() < 10.0


def test_parameters_of_a_function_may_have_any_name() -> None:
    # Names of Python that are none of an expression, or are functions there.
    def two(t: Any, a__x: float, exp: float, p0: float) -> Any:
        return a__x * np.exp(-exp * t) + p0

    found = lmoo.fit(two, T, Y)
    assert found.parameter_names == ("a__x", "exp", "p0")
    np.testing.assert_allclose(found.x, lmoo.fit("a*exp(-b*t) + c", T, Y).x, rtol=1e-9)
    tied = lmoo.fit(two, T, Y, ties={"exp": "2.6*p0"}, bounds={"a__x": (0, None)})
    assert tied.x[1] == pytest.approx(2.6 * tied.x[2], rel=1e-12)
    assert tied.success


def test_starting_values_that_are_found_are_within_the_bounds_of_ties() -> None:
    found = lmoo.fit("a*exp(-b*t) + c", T, Y, ties={"c": "a/5"}, bounds={"c": (0, 0.4)})
    assert found.success
    np.testing.assert_allclose(found.x[[0, 2]], [2.0, 0.4])


REFUSED: dict[str, tuple[Any, str]] = {
    "p0 outside": (
        lambda: lmoo.fit("a*exp(-b*t)", T, Y, {"b": 7}, bounds={"b": (0, 5)}),
        r"p0 must lie within the bounds; b starts at 7\.0, its bounds are 0\.0 and 5\.0",
    ),
    "no parameters": (
        lambda: lmoo.fit("t", T, Y),
        r"the model must have a parameter to fit; Expression\('t'\) has none",
    ),
    "no names": (
        lambda: lmoo.fit(lambda t, *p: p[0] * t, T, Y),
        "p0 must be an array, as the function names no parameters after its first argument",
    ),
    "order": (
        lambda: lmoo.fit(T, Y, "a*t"),  # type: ignore[arg-type]
        r"model must be a text, a model or a function; it is array\(\[.{40,80}: the order is fit\(",
    ),
    "order of curve_fit": (
        lambda: lmoo.curve_fit(T, lambda t, a: a * t, Y),  # type: ignore[arg-type]
        r"f must be callable; it is array\(\[.{40,80}$",
    ),
    "never finite": (
        lambda: lmoo.fit("a*t + log(-1 - b*b)", T, Y),
        "no starting values were found: at none that were tried is the model finite at all points",
    ),
    "one place": (
        lambda: lmoo.fit("a*exp(-b*t) + c", 0.0 * T, Y),
        "no starting values can be found from points that are all at one place; give p0",
    ),
    "equation": (
        lambda: lmoo.fit("y = a*t", T, Y),
        "unexpected '=', at character 3 of the expression; write the right-hand side alone",
    ),
    "attribute": (
        lambda: lmoo.fit("a*np.exp(-b*t)", T, Y),
        r"unexpected '\.', .* there are no attributes: write exp for np\.exp",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_messages_name_the_argument_and_the_remedy(case: str) -> None:
    call, match = REFUSED[case]
    with pytest.raises((TypeError, ValueError), match=match):
        call()


def test_a_tuple_of_as_many_numbers_as_points_is_one_variable() -> None:
    expected = lmoo.fit("a*exp(-b*t) + c", T, Y).x
    numbers = tuple(T.tolist())

    def f(t: Any, a: float, b: float, c: float) -> Any:
        return a * np.exp(-b * t) + c

    np.testing.assert_allclose(lmoo.fit(f, numbers, tuple(Y.tolist())).x, expected)
    stack = lmoo.curve_fit_many(f, numbers, [Y, Y], [1, 1, 0])
    np.testing.assert_allclose(stack.x[1], expected, rtol=1e-7)
    pairs = lmoo.fit("a + b*t", (1.0, 2.0), (3.0, 5.0))
    np.testing.assert_allclose(pairs.x, [1.0, 2.0])


def test_curves_in_the_columns_have_a_hint() -> None:
    with pytest.raises(ValueError, match=r"t must have shape \(3,\) or \(20, 3\).*give y\.T if"):
        lmoo.curve_fit_many("a*exp(-b*t) + c", T, np.array([Y, Y, Y]).T, p0=[1, 1, 0])
