"""Expression graphs: sharing of steps, and special functions."""

from __future__ import annotations

import math
import pickle
from typing import Any

import mpmath
import numpy as np
import pytest
import scipy.special
from case_tables import each
from graph_cases import T

import lmoo
from lmoo import Expression
from lmoo.models import Model
from lmoo.models.expression.functions import FUNCTIONS
from lmoo.models.graph import special
from lmoo.models.graph.nodes import Graph, extracted
from lmoo.models.graph.operations import OPERATIONS

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


BAD_STEPS = {
    "too short": (("variable", ()), ValueError),
    "no step": (None, TypeError),
    "unknown": (("nonsense", (0,), None), KeyError),
    "too few arguments": (("add", (0,), None), TypeError),
    "too many arguments": (("exp", (0, 0, 0, 0), None), TypeError),
    "a later argument": (("exp", (7,), None), IndexError),
    "a negative argument": (("exp", (-1,), None), IndexError),
    "text": (("exp", ("a",), None), TypeError),
}


@pytest.mark.parametrize(("step", "error"), BAD_STEPS.values(), ids=BAD_STEPS)
def test_bad_steps(step: Any, error: type[Exception]) -> None:
    first = ("variable", (), 0)
    with pytest.raises(error):
        Graph([first, step])
    if step is not None and error is not ValueError:
        with pytest.raises(error):
            Graph([first]).apply(step[0], *step[1])


def test_extracted_steps_must_exist() -> None:
    steps: list[Any] = [("variable", (), 0), ("exp", (0,), None)]
    for roots in ([2], [-1], [10**9]):
        with pytest.raises(IndexError):
            extracted(steps, roots)
    for step, error in ((("variable", ()), ValueError), (("exp", (3,), None), IndexError)):
        with pytest.raises(error):
            extracted([*steps, step], [2])
    with pytest.raises(IndexError):
        extracted([], [0])
