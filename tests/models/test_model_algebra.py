"""Models made of models: arithmetic, components, substitution, prefixes."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from graph_cases import T

import lmoo
from lmoo import Expression


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
    assert list(with_prefix.components) == ["s_one", "s_line", "1"]
    assert with_prefix.components["s_line"].parameter_names == ("s_line_a", "s_line_b")
    pair = model.prefixed("s_") + model.prefixed("u_")
    assert list(pair.components) == ["s_one", "s_line", "1", "u_one", "u_line", "1 (2)"]
    unnamed = (Expression("a*t") + Expression("b")).prefixed("s_")
    assert list(unnamed.components) == ["s_a*t", "s_b"]
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
