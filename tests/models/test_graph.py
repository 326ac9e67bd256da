"""Expression graphs: sharing, derivatives, text, and models made of models."""

from __future__ import annotations

import math
import pickle
import re
from typing import Any

import mpmath
import numpy as np
import pytest
import scipy.special
from hypothesis import given, settings
from hypothesis import strategies as st
from tables import each

import lmoo
from lmoo import Expression
from lmoo.models import Model
from lmoo.models.expression.functions import FUNCTIONS
from lmoo.models.graph import special
from lmoo.models.graph.derivatives import derivatives, directional, second_derivative
from lmoo.models.graph.evaluation import evaluate
from lmoo.models.graph.nodes import Graph, extracted
from lmoo.models.graph.operations import OPERATIONS
from lmoo.models.graph.partials import FLAT, PARTIALS, SELECTIONS

T = np.linspace(0.1, 3.0, 7)

NUMBERS = st.floats(-20.0, 20.0).map(lambda x: repr(round(x, 3)))
LEAVES = NUMBERS | st.sampled_from(["t", "a", "b", "c", "pi", "e", "2", "0", "1"])
SMOOTH = ("exp", "log", "sqrt", "sin", "cos", "tanh", "arctan", "square", "erf", "expit")
ALL = (*SMOOTH, "abs", "floor", "isnan", "logical_not", "reciprocal", "lgamma", "sinc", "sign")


def grown(inner: st.SearchStrategy[str], functions: tuple[str, ...]) -> st.SearchStrategy[str]:
    signs = ["+", "-", "*", "/", "**"] + (["<", "==", ">="] if functions is ALL else [])
    pair = st.tuples(inner, st.sampled_from(signs), inner)
    both = st.sampled_from(["min", "hypot", "copysign"]) if functions is ALL else st.just("hypot")
    return st.one_of(
        pair.map(lambda p: f"({p[0]}){p[1]}({p[2]})"),
        inner.map("-({})".format),
        st.tuples(st.sampled_from(functions), inner).map(lambda p: f"{p[0]}({p[1]})"),
        st.tuples(both, inner, inner).map(lambda p: f"{p[0]}({p[1]}, {p[2]})"),
        st.tuples(inner, inner, inner).map(lambda p: f"where(({p[0]}) < 1, {p[1]}, {p[2]})"),
    )


def expressions(functions: tuple[str, ...]) -> st.SearchStrategy[str]:
    return st.recursive(LEAVES, lambda inner: grown(inner, functions), max_leaves=10)


# ============================================================================ nodes


def test_equal_steps_stand_once() -> None:
    model = Expression("exp(-b*t) + a*exp(-(t*b))*sin(t) + sin(t)")
    assert [step[0] for step in model.steps].count("exp") == 1
    assert [step[0] for step in model.steps].count("sin") == 1
    assert [step[0] for step in model.steps].count("multiply") == 3


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("a*1", "a"),
        ("a/1", "a"),
        ("a**1", "a"),
        ("a**2", "square(a)"),
        ("a**-1", "1/a"),
        ("a - -t", "a + t"),
        ("a + -t", "a - t"),
        ("-(-a)", "a"),
        ("-a*t", "-(a*t)"),
        ("(-t)**2", "t**2"),
        ("a*(2*3 + 1)", "a*7"),
        ("where(1 < 2, a, t)", "a"),
        ("0 + a", "a"),
    ],
)
def test_steps_that_are_equal_for_all_arguments_become_one(text: str, same: str) -> None:
    assert Expression(text).steps == Expression(same).steps


@pytest.mark.parametrize("text", ["0*a", "a - a", "a/a", "(a*0.1)*0.2", "sqrt(a**2)", "a*t/t"])
def test_what_would_change_a_result_is_left_as_it_is(text: str) -> None:
    assert len(Expression(text).steps) > 1
    assert Expression(text).parameter_names == ("a",)


def test_constants_are_told_apart_by_their_bits() -> None:
    graph = Graph()
    zeros = {graph.constant(0.0), graph.constant(-0.0)}
    nans = {graph.constant(math.nan), graph.constant(math.nan)}
    assert (len(zeros), len(nans)) == (2, 1)
    assert Expression("copysign(a, 0)") != Expression("copysign(a, -0)")
    assert Expression("a*(0/0)") == Expression("a*(0/0)")


def test_extracted_steps_are_those_that_are_needed() -> None:
    graph = Graph(Expression("a*t").steps)
    graph.apply("exp", 0)
    steps, roots = extracted(graph.steps, [2, 2])
    assert steps == Expression("a*t").steps
    assert roots == (2, 2)


def test_deep_graphs_need_no_recursion() -> None:
    graph = Graph()
    node, t = graph.parameter(0), graph.variable(0)
    for _ in range(20_000):
        node = graph.apply("sin", graph.apply("add", node, t))
    model = Model(graph.steps, ("t",), ("a",))
    value, slope = 0.3, 1.0
    for _ in range(20_000):
        slope *= math.cos(value + 0.2)
        value = math.sin(value + 0.2)
    assert model([0.2], 0.3)[0] == pytest.approx(value, rel=1e-12)
    assert model.jacobian([0.2], 0.3)[0, 0] == pytest.approx(slope, rel=1e-9, abs=1e-300)
    assert pickle.loads(pickle.dumps(model)) == model
    assert model.linear == ()
    del model, graph


def test_shared_parts_are_written_once_where_the_text_would_be_long() -> None:
    model = Expression("a + t")
    for _ in range(20):
        model = lmoo.models.sin(Model((model * 2).steps, ("t",), ("a",)))
        model = Model(
            [*model.steps, ("multiply", (len(model.steps) - 1,) * 2, None)], ("t",), ("a",)
        )
    lines = str(model).split("\n")
    assert len(lines) == 21
    assert lines[0] == "_0 = sin((a + t)*2)"
    assert lines[-1] == "_19*_19"


# ============================================================================ derivatives


def test_every_operation_has_a_rule() -> None:
    known = {*PARTIALS, *SELECTIONS, *FLAT}
    assert set(OPERATIONS) - known == {"trigamma"}
    for name, rules in PARTIALS.items():
        assert len(rules) == OPERATIONS[name].arity
    with pytest.raises(NotImplementedError, match="derivative of trigamma is not implemented"):
        derivatives(graph := Graph(), graph.apply("trigamma", graph.parameter(0)), 1)


MP = {
    "exp": mpmath.exp, "log": mpmath.log, "sqrt": mpmath.sqrt, "sin": mpmath.sin,
    "cos": mpmath.cos, "tanh": mpmath.tanh, "arctan": mpmath.atan, "square": lambda x: x * x,
    "erf": mpmath.erf, "expit": lambda x: 1 / (1 + mpmath.exp(-x)), "hypot": mpmath.hypot,
    "where": lambda c, a, b: a if c else b, "pi": mpmath.mpf(np.pi), "e": mpmath.mpf(np.e),
}  # fmt: skip


def in_high_precision(text: str, **names: float) -> Any:
    """The value by mpmath, of a text that Python reads as well; numbers as mpmath's."""
    text = re.sub(r"(?<![\w.])(\d+\.?\d*(?:e-?\d+)?)", r"N('\1')", text)
    scope = {**MP, "N": mpmath.mpf, **{k: mpmath.mpf(v) for k, v in names.items()}}
    return eval(text, {"__builtins__": {}}, scope)


@given(expressions(SMOOTH), st.tuples(*[st.floats(0.2, 2.0)] * 4))
@settings(max_examples=250, deadline=None)
def test_derivatives_are_those_of_high_precision(text: str, at: tuple[float, ...]) -> None:
    model = Expression(text)
    names = dict(zip("tabc", at, strict=True))
    J = model.jacobian(at[0], *[names[name] for name in model.parameter_names])
    with mpmath.workdps(60):
        for j, name in enumerate(model.parameter_names):
            try:
                h = mpmath.mpf(10) ** -25
                up, down, middle = (
                    in_high_precision(text, **{**names, name: mpmath.mpf(names[name]) + s * h})
                    for s in (1, -1, 0)
                )
                expected, wide = (up - down) / (2 * h), abs(middle)
                bend = abs(up - 2 * middle + down) / h
            except (ZeroDivisionError, ValueError, OverflowError, TypeError, AttributeError):
                return
            if isinstance(expected, mpmath.mpc) or not mpmath.isfinite(expected):
                return
            if max(abs(expected), wide) > 1e6 or bend > 1e-6 or not np.isfinite(J[j]):
                return  # a corner, an overflow, a branch cut
            assert abs(J[j] - float(expected)) <= 1e-7 * (1 + abs(float(expected)) + float(wide))


def test_directional_second_derivatives() -> None:
    for text in (
        "a*exp(-b*t) + c", "a/(1 + ((t - b)/c)**2)", "where(t < b, a*t**c, b*log(a*t))*c",
        "a*wofz_real(t - b, c) + j1(a*t) + i0(b) + lgamma(c)", "hypot(a*t, b)*tanh(c*t)*a**b",
    ):  # fmt: skip
        model = Expression(text, parameters=("a", "b", "c"))
        graph = Graph(model.steps)
        second = second_derivative(graph, len(model.steps) - 1, 3)
        steps, roots = extracted(graph.steps, [second])
        x, v = np.array([1.3, 0.8, 0.6]), np.array([0.3, -0.7, 0.4])
        (found,) = evaluate(steps, roots, [T], [np.float64(p) for p in (*x, *v)])
        h = 1e-5
        slopes = [model.jacobian(T, *(x + s * h * v)) @ v for s in (1, -1)]
        expected = (slopes[0] - slopes[1]) / (2 * h)
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7 * np.abs(expected).max())


def test_a_directional_derivative_is_the_jacobian_times_the_direction() -> None:
    model = Expression("a*exp(-b*t)*sin(a*t)")
    graph = Graph(model.steps)
    node = directional(graph, len(model.steps) - 1, 2)
    (found,) = evaluate(graph.steps, [node], [T], [np.float64(p) for p in (1.2, 0.4, 2.0, -3.0)])
    np.testing.assert_allclose(found, model.jacobian(T, 1.2, 0.4) @ [2.0, -3.0], rtol=1e-14)


@pytest.mark.parametrize(
    ("text", "x", "expected"),
    [
        # A branch that is not taken adds neither nan nor infinity.
        ("where(t > 0, log(t*a), b*t)", (2.0, 3.0), [[0.5, 0], [0.5, 0], [0, -1], [0, 0]]),
        ("where(t > 0, a*t**b, 0)", (2.0, 0.5), None),
        ("max(a*sqrt(t), b)", (2.0, 0.5), None),
        # Flat where the inner function overflows.
        ("a/(1 + exp(b*t*1000))", (1.0, 3.0), None),
        ("a/(1 + exp(b*t*1000)**2)", (1.0, 3.0), None),
        ("a*expit(b*t*1e6)", (1.0, 3.0), None),
        ("a/(1 + (t/b)**(a*900))", (1.0, 1e-3), None),
        ("a/cosh(b*t*1000)", (1.0, 3.0), None),
    ],
)
def test_no_nan_from_products_with_zero(text: str, x: tuple[float, ...], expected: Any) -> None:
    model = Expression(text, parameters=("a", "b"))
    t = np.array([1.0, 4.0, -1.0, 0.0])
    J = model.jacobian(t, *x)
    valued = np.isfinite(model(t, *x))
    assert valued.any()
    assert np.isfinite(J[valued]).all()
    if expected is not None:
        np.testing.assert_allclose(J, expected)


def test_derivatives_share_the_steps_of_the_values() -> None:
    model = Expression("a*exp(-b*t) + c")
    graph = Graph(model.steps)
    nodes = derivatives(graph, len(model.steps) - 1, 3)
    assert [step[0] for step in graph.steps].count("exp") == 1
    steps, _ = extracted(graph.steps, [len(model.steps) - 1, *nodes])
    # -a*exp(-b*t)*t and 1
    assert len(steps) == len(model.steps) + 3


# ============================================================================ text


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


# ============================================================================ models


def test_equality_pickling_and_hashes() -> None:
    model, same = Expression("a*exp(-b*t)"), Expression("a * exp( -(b*t))")
    assert model == same
    assert hash(model) == hash(same)
    assert len({model, same}) == 1
    assert model != Expression("a*exp(b*t)")
    assert model != Expression("a*exp(-b*t)", parameters=("b", "a"))
    assert model != Expression("a*exp(-b*x)", variables="x")
    assert model != "a*exp(-b*t)"
    both = model + Expression("c", prefix="end_")
    again = pickle.loads(pickle.dumps(both))
    assert again == both
    assert again.components == both.components
    assert list(again.components) == ["a*exp(-b*t)", "end"]


def test_arithmetic_is_that_of_the_values() -> None:
    f, g = Expression("a*t + 1"), Expression("exp(-b*t)")
    u, v = f(T, 2.0), g(T, 0.5)
    for model, expected in {
        f + g: u + v,
        f - g: u - v,
        f * g: u * v,
        f / g: u / v,
        f**g: u**v,
        g**2: v**2,
        2**g: 2**v,
        1 - g: 1 - v,
        3 / g: 3 / v,
        -f + np.float64(2): 2 - u,
        np.float64(3) * f: 3 * u,
        np.int64(3) - f: 3 - u,
        abs(-f): u,
        +f: u,
        lmoo.models.exp(f): np.exp(u),
        lmoo.models.where(f, f.prefixed("q_"), 2.0) * 1.0: None,
        lmoo.models.minimum(f, g): np.minimum(u, v),
        lmoo.models.absolute(lmoo.models.rad2deg(f)): np.rad2deg(u),
    }.items():
        if expected is None:
            assert model.parameter_names == ("a", "q_a")
            continue
        x = {"a": 2.0, "b": 0.5}
        found = model(T, *[x[name] for name in model.parameter_names])
        np.testing.assert_allclose(found, expected, rtol=1e-15)


def test_functions_of_numbers_and_arrays_are_numpys() -> None:
    np.testing.assert_array_equal(lmoo.models.exp(T), np.exp(T))
    assert lmoo.models.hypot(3, 4) == 5.0
    assert lmoo.models.erfc(0.0) == 1.0
    with pytest.raises(TypeError, match="exp takes 1 arguments; 2 were given"):
        lmoo.models.exp(T, T)
    for name in lmoo.models._FUNCTIONS:
        assert callable(getattr(lmoo.models, name))


def test_models_that_do_not_go_together() -> None:
    f = Expression("a*t")
    with pytest.raises(ValueError, match=r"both models have parameters called a: .*prefix"):
        f + f
    with pytest.raises(ValueError, match="models must have the same variables; these have t and u"):
        f + Expression("b*u + v", variables=("u", "v"))
    with pytest.raises(ValueError, match="'x' is a variable of one model"):
        Expression("a*x", variables="x") + Expression("x*t")
    with pytest.raises(TypeError, match="unsupported operand"):
        f + "b"
    with pytest.raises(TypeError, match="must be a number or a model; it is 'b'"):
        f ** "b"
    with pytest.raises(ValueError, match="prefix must make names"):
        f.prefixed("2")
    with pytest.raises(TypeError, match="prefix must be a string"):
        f.prefixed(2)  # type: ignore[arg-type]


def test_components_keep_their_identity() -> None:
    peak = Expression("a*exp(-(t - m)**2)", prefix="one_")
    line = Expression("a + b*t", prefix="line_")
    model = 2.0 * (peak + line - 1.0)
    assert list(model.components) == ["one", "line", "1"]
    x = (3.0, 1.0, 0.5, 0.25)
    values = model.evaluate_components(T, *x)
    np.testing.assert_allclose(sum(values.values()), model(T, *x), rtol=1e-14)
    np.testing.assert_allclose(values["line"], 2 * line(T, 0.5, 0.25))
    assert values["1"].shape == T.shape
    assert list((peak * line).components) == [(peak * line).text]
    twice = peak + peak.prefixed("two_").prefixed("") + Expression("c")
    assert len(twice.components) == 3
    assert list((Expression("a") + Expression("a", prefix="a_")).components) == ["a", "a (2)"]
    with_prefix = model.prefixed("s_")
    assert with_prefix.components["line"].parameter_names == ("s_line_a", "s_line_b")
    replaced = model.substitute(line_b=0.25, one_m="line_a")
    assert replaced.parameter_names == ("one_a", "line_a")
    found = replaced.evaluate_components(T, 3.0, 0.5)
    np.testing.assert_allclose(sum(found.values()), replaced(T, 3.0, 0.5), rtol=1e-14)


def test_substitution_is_simultaneous() -> None:
    model = Expression("a*exp(-b*t) + c")
    assert model.substitute(a="b", b="a") == Expression("b*exp(-a*t) + c")
    assert model.substitute({"c": 2}) == Expression("a*exp(-b*t) + 2")
    assert model.substitute(b="1/tau", c="a/2") == Expression("a*exp(-(1/tau)*t) + a/2")
    assert model.substitute(a=Expression("d + t")).parameter_names == ("d", "b", "c")
    assert model.substitute() == model
    with pytest.raises(ValueError, match=r"'x' is not a parameter of the model; .* a, b, c"):
        model.substitute(x=1)
    with pytest.raises(lmoo.ExpressionError, match="unknown function"):
        model.substitute(a="foo(b)")
    with pytest.raises(TypeError, match="a must be a number or a model"):
        model.substitute(a=None)
    with pytest.raises(ValueError, match="a must be replaced by a model of t; it is one of u, v"):
        model.substitute(a=Expression("u*v", variables=("u", "v")))


def test_prefixes_of_expressions() -> None:
    model = Expression("a*t + b", prefix="p_")
    assert model.parameter_names == ("p_a", "p_b")
    assert model.text == "p_a*t + p_b"
    assert repr(model) == "Expression('a*t + b', prefix='p_')"
    assert pickle.loads(pickle.dumps(model)) == model
    assert model == Expression("p_a*t + p_b")
    assert (model + Expression("a*t + b")).linear == ("p_a", "p_b", "a", "b")


# ============================================================================ special functions


def test_special_functions_of_the_graph_are_scipys() -> None:
    rng = np.random.default_rng(5)
    x = np.concatenate([rng.uniform(-40, 40, 2000), rng.uniform(-1, 1, 200), [0.0]])
    for name, scale in {"expit": 0.0, "j0": 0.1, "j1": 0.1, "erfcx": 0.0}.items():
        expected = getattr(scipy.special, name)(x)
        ok = np.isfinite(expected)
        np.testing.assert_allclose(
            getattr(special, name)(x)[ok], expected[ok], rtol=1e-12, atol=1e-13 * scale
        )
    away = x[np.abs(x - np.round(x)) > 0.01]
    expected = np.array([float(mpmath.psi(1, value)) for value in away[:200]])
    np.testing.assert_allclose(special.trigamma(away[:200]), expected, rtol=1e-11)
    x, y = rng.uniform(-30, 30, 3000), rng.uniform(-4, 12, 3000)
    w = scipy.special.wofz(x + 1j * y)
    ok = np.isfinite(w)
    np.testing.assert_allclose(special.wofz_real(x, y)[ok], w.real[ok], rtol=1e-11)
    np.testing.assert_allclose(special.wofz_imag(x, y)[ok], w.imag[ok], rtol=1e-11)
    assert (special.wofz_real(0.0, 0.0), special.wofz_imag(0.0, 0.0)) == (1.0, 0.0)
    assert special.wofz_real(3.0, 0.0) == pytest.approx(math.exp(-9), rel=1e-15)
    assert special.wofz_real(np.inf, 1.0) == 0.0


@each("name", sorted({f.operation for f in FUNCTIONS.values() if f.operation}))
def test_functions_take_arrays_and_numbers(name: str) -> None:
    arity = OPERATIONS[name].arity
    with np.errstate(all="ignore"):
        array = OPERATIONS[name].value(*[T] * arity)
        number = OPERATIONS[name].value(*[np.float64(T[0])] * arity)
    assert array.shape == T.shape
    assert np.shape(number) == ()
    np.testing.assert_allclose(array[0], number, rtol=1e-14)
