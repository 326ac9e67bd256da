"""Dimensional analysis of graphs: the units that parameters must have."""

from __future__ import annotations

import numpy as np
import pytest

import lmoo
from lmoo.models.graph.dimensions import DimensionError, dimensions_of

SECOND, VOLT = np.eye(2)


def found(text: str) -> dict[str, list[float] | None]:
    """Return the exponents of second and volt of the parameters of y(t) in V, t in s."""
    model = lmoo.Expression(text)
    n = len(model.parameter_names)
    dimensions = dimensions_of(model.steps, n, [SECOND], VOLT, {})
    exponents = [dimensions.exponents(j) for j in range(n)]
    return {
        name: None if one is None else one.round(9).tolist()
        for name, one in zip(model.parameter_names, exponents, strict=True)
    }


CASES: dict[str, dict[str, list[float] | None]] = {
    "a*exp(-(t - m)**2/(2*w**2)) + b*t + c": {
        "a": [0, 1], "m": [1, 0], "w": [1, 0], "b": [-1, 1], "c": [0, 1],
    },
    "a*sin(2*pi*f*t + p)": {"a": [0, 1], "f": [-1, 0], "p": [0, 0]},
    "a*b*t": {"a": None, "b": None},
    "sqrt(a*t) + cbrt(b)": {"a": [-1, 2], "b": [0, 3]},
    "a*hypot(t, b) + c*maximum(t, 0)": {"a": [-1, 1], "b": [1, 0], "c": [-1, 1]},
    "where(t < x, a, a*exp(-(t - x)/k))": {"x": [1, 0], "a": [0, 1], "k": [1, 0]},
    "a*(t/x)**n": {"a": [0, 1], "x": [1, 0], "n": [0, 0]},
    "a*heaviside(t - x, h)": {"a": [0, 1], "x": [1, 0], "h": [0, 0]},
    "a*sign(t)*arctan2(t, x)*floor_divide(t, y)": {"a": [0, 1], "x": [1, 0], "y": [1, 0]},
    "copysign(a, t) + mod(b*t, c)": {"a": [0, 1], "b": [-1, 1], "c": [0, 1]},
    "a*log(b*t)/reciprocal(d)": {"a": None, "b": [-1, 0], "d": None},
    "(a + b*t)/(c + t)": {"a": [1, 1], "b": [0, 1], "c": [1, 0]},
    "a*(b + c)*t": {"a": None, "b": None, "c": None},
}  # fmt: skip


@pytest.mark.parametrize("text", CASES)
def test_units_of_parameters(text: str) -> None:
    assert found(text) == CASES[text]


@pytest.mark.parametrize(
    ("text", "operation", "exponents"),
    [
        ("a*exp(-t)", "exp", [1, 0]),
        ("a*t**p", "power", [1, 0]),
        ("a*(t + 2)", "add", [1, 0]),
        ("a + t", "value", [1, -1]),
        ("a*sin(t)/t", "sin", [1, 0]),
        ("maximum(t, t**2)*a", "maximum", [1, 0]),
        ("a*where(t > 1, t, 0)", "less", [1, 0]),
    ],
)
def test_contradictions(text: str, operation: str, exponents: list[float]) -> None:
    with pytest.raises(DimensionError) as caught:
        found(text)
    node, steps = caught.value.node, lmoo.Expression(text).steps
    assert (steps[node][0] if node < len(steps) else "value") in (operation, "greater")
    assert np.abs(caught.value.exponents).tolist() == np.abs(exponents).tolist()


def test_what_is_known_determines_the_rest() -> None:
    model = lmoo.Expression("a*b*t + c*b")
    dimensions = dimensions_of(model.steps, 3, [SECOND], VOLT, {1: VOLT})
    rows = [dimensions.exponents(j) for j in range(3)]
    assert [row.tolist() for row in rows if row is not None] == [[-1, 0], [0, 1], [0, 0]]
    with pytest.raises(DimensionError):
        dimensions_of(model.steps, 3, [SECOND], VOLT, {0: VOLT, 1: VOLT})


def built_in() -> list[str]:
    """Return the names of the built-in models with a formula."""
    made = {name: getattr(lmoo.models, name) for name in lmoo.models.__all__}
    return sorted(name for name, model in made.items() if getattr(model, "formula", ""))


@pytest.mark.parametrize("name", built_in())
def test_built_in_models_scale_as_their_units_say(name: str) -> None:
    """With t and y in other units, parameters in theirs give the same values."""
    graph = getattr(lmoo.models, name)().model
    n, count = len(graph.parameter_names), len(graph.variables)
    try:
        dimensions = dimensions_of(graph.steps, n, [SECOND] * count, VOLT, {})
    except DimensionError:
        assert name in {"Doniach", "LogNormal", "PowerLaw", "StudentsT", "ThermalDistribution"}
        return
    x = np.random.default_rng(len(name)).uniform(0.8, 1.4, n)
    t = np.linspace(0.3, 4.0, 25)
    exponents = [dimensions.exponents(j) for j in range(n)]
    assert all(one is not None for one in exponents)
    scaled = [v * 1e3 ** one[0] * 1e-2 ** one[1] for v, one in zip(x, exponents, strict=True)
              if one is not None]  # fmt: skip
    before = graph((t,) * count if count > 1 else t, *x)
    after = graph((1e3 * t,) * count if count > 1 else 1e3 * t, *scaled)
    np.testing.assert_allclose(after, 1e-2 * before, rtol=1e-7)
