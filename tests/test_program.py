"""lmoo.models.program: operations, lowering, blocks, instruction sets, tables."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import GAUSSIAN_X, gaussian, reference

import lmoo
from lmoo._core.graphs import ARITY, CODES, CONSTANTS, lower
from lmoo.models.compiled import program_of
from lmoo.models.library import CompiledModel
from lmoo.models.program import Program


def test_pickled() -> None:
    t, program = np.linspace(-3, 3, 41), gaussian()
    again = pickle.loads(pickle.dumps(program))
    np.testing.assert_array_equal(again.values(t, GAUSSIAN_X), program.values(t, GAUSSIAN_X))
    np.testing.assert_array_equal(
        again.derivatives(t, GAUSSIAN_X), program.derivatives(t, GAUSSIAN_X)
    )


def test_a_capsule_keeps_its_memory_alive() -> None:
    capsules = [gaussian().capsule for _ in range(100)]
    t = np.linspace(-3, 3, 41)
    values = [CompiledModel(capsule)(t, *GAUSSIAN_X) for capsule in capsules]
    assert all((value == values[0]).all() for value in values)


def test_sine_and_cosine_of_one_argument() -> None:
    steps: list[Any] = [
        ("variable", (), 0),
        ("parameter", (), 0),
        ("multiply", (0, 1), None),
        ("cos", (2,), None),
        ("sin", (2,), None),
        ("multiply", (3, 4), None),
        ("add", (5, 3), None),
    ]
    t = np.linspace(-9, 9, 300)
    found = Program(steps, 6, n=1).values(t, [1.7])
    np.testing.assert_allclose(
        found, np.cos(1.7 * t) * np.sin(1.7 * t) + np.cos(1.7 * t), rtol=1e-13, atol=1e-15
    )


def test_outputs_that_are_leaves_or_the_same() -> None:
    steps: list[Any] = [
        ("variable", (), 0),
        ("variable", (), 1),
        ("parameter", (), 0),
        ("parameter", (), 1),
        ("exp", (2,), None),
        ("multiply", (0, 1), None),
        ("constant", (), -0.0),
    ]
    t = np.arange(10.0).reshape(2, 5)
    found = Program(steps, 5, [5, 4], n=2, variables=2)
    np.testing.assert_array_equal(found.values(t, [1.0, 2.0]), t[0] * t[1])
    derivatives = found.derivatives(t, [1.0, 2.0])
    np.testing.assert_array_equal(derivatives[:, 0], t[0] * t[1])
    np.testing.assert_allclose(derivatives[:, 1], np.e, rtol=1e-15)
    found = Program(steps, 0, [6, 5], n=2, variables=2)
    first, (zero, product) = found.both(t, [1.0, 2.0])[0], found.both(t, [1.0, 2.0])[1].T
    np.testing.assert_array_equal(first, t[0])
    assert np.signbit(zero).all()
    np.testing.assert_array_equal(product, t[0] * t[1])


def test_constant_columns_are_no_instructions() -> None:
    program = program_of(lmoo.Expression("c + a/(1 + ((t - b)/w)**2)"))
    steps, _, slopes = program._graph
    assert slopes is not None
    places, instructions, uniforms = lower(steps, [slopes], 4, 1)[0].parts[:3]
    # The column of ones is not computed, and one instruction is 1 / (z z + 1).
    assert (np.frombuffer(places, np.int32)[::2] == CONSTANTS).sum() == 1
    codes = np.frombuffer(instructions, np.int32)[::12][uniforms + 1 :].tolist()
    assert CODES["square_add_s_under_s"] in codes
    assert len(codes) == 7


def test_decays_are_one_instruction() -> None:
    # a exp(-b t) + c with its derivatives: exp and the column of b together, and the values.
    program = program_of(lmoo.Expression("a*exp(-b*t) + c"))
    steps, value, slopes = program._graph
    assert slopes is not None
    counts = []
    for outputs in ([*slopes], [value, *slopes]):
        instructions, uniforms = lower(steps, [outputs], 3, 1)[0].parts[1:3]
        codes = np.frombuffer(instructions, np.int32)[::12][uniforms + 1 :].tolist()
        assert CODES["decay"] in codes
        counts.append(len(codes))
    assert counts == [1, 2]


def test_signs_of_products_with_any_other_outputs() -> None:
    steps: list[Any] = [
        ("parameter", (), 0),
        ("parameter", (), 1),
        ("variable", (), 0),
        ("multiply", (1, 2), None),
        ("negative", (3,), None),
        ("exp", (4,), None),
        ("multiply", (0, 5), None),
        ("multiply", (6, 2), None),
        ("negative", (7,), None),
        ("negative", (0,), None),
        ("divide", (5, 9), None),
        ("multiply", (5, 10), None),
        ("negative", (11,), None),
        ("multiply", (8, 12), None),
    ]
    t, (a, b) = np.linspace(-1.0, 2.0, 21), (1.3, 0.7)
    e = np.exp(-b * t)
    known = {5: e, 6: a * e, 7: a * e * t, 8: -a * e * t, 9: np.full(t.size, -a), 10: -e / a}
    known |= {11: -e * e / a, 12: e * e / a, 13: -e * e * e * t}
    alone = {i: Program(steps, i, n=2).values(t, [a, b]) for i in known}
    for i, values in alone.items():
        np.testing.assert_allclose(values, known[i], rtol=1e-14, err_msg=str(i))
        for j in known:
            for k in known:
                found = Program(steps, i, [j, k], n=2).both(t, [a, b])
                np.testing.assert_array_equal(found[0], values)
                np.testing.assert_array_equal(found[1].T, [alone[j], alone[k]])


def test_divisions_stay_where_values_jump() -> None:
    t = np.arange(1.0, 50.0)
    steps: list[Any] = [
        ("variable", (), 0),
        ("parameter", (), 0),
        ("divide", (0, 1), None),
        ("floor", (2,), None),
    ]
    for width in t:
        found = Program(steps, 3, n=1).values(t, [width])
        np.testing.assert_array_equal(found, np.floor(t / width))


def test_second_derivatives_along_a_direction() -> None:
    # y = exp(a t): v^T y'' v = (t v)^2 y.
    steps: list[Any] = [
        ("variable", (), 0),
        ("parameter", (), 0),
        ("multiply", (0, 1), None),
        ("exp", (2,), None),
    ]
    second = [
        *steps,
        ("parameter", (), 1),
        ("multiply", (0, 4), None),
        ("square", (5,), None),
        ("multiply", (6, 3), None),
    ]
    program = pickle.loads(pickle.dumps(Program(second, 7, n=2)))
    t = np.linspace(0, 1, 7)
    np.testing.assert_allclose(
        program.values(t, [0.5, 2.0]), (2 * t) ** 2 * np.exp(0.5 * t), rtol=1e-14
    )


UNARY = [
    "negative",
    "square",
    "absolute",
    "arctan",
    "tanh",
    "sin",
    "cos",
    "exp",
    "expit",
    "reciprocal",
]


BINARY = ["add", "subtract", "multiply", "divide", "maximum", "arctan2"]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_random_graphs(data: st.DataObject) -> None:
    steps: list[Any] = [
        ("parameter", (), 0),
        ("parameter", (), 1),
        ("variable", (), 0),
        ("constant", (), 2.0),
        ("constant", (), -0.75),
    ]
    x, t = np.array([1.3, -0.6]), np.linspace(-1.7, 2.1, 37)
    values: list[Any] = [x[0], x[1], t, 2.0, -0.75]
    for _ in range(data.draw(st.integers(1, 40))):
        name = data.draw(st.sampled_from(UNARY + 2 * BINARY))
        arguments = tuple(
            data.draw(st.integers(max(0, len(steps) - 8), len(steps) - 1))
            for _ in range(ARITY[name])
        )
        with np.errstate(all="ignore"):
            value = reference(name)(*(values[a] for a in arguments))
        # What rounding decides is not compared: huge arguments of sines, results of cancellation.
        if (
            not np.all(np.isfinite(value))
            or np.max(np.abs(value)) > 50
            or np.min(np.abs(value)) < 1e-3
        ):
            continue
        steps.append((name, arguments, None))
        values.append(value)
    outputs = data.draw(st.lists(st.integers(0, len(steps) - 1), min_size=2, max_size=2))
    program = Program(steps, len(steps) - 1, outputs, n=2)
    found, columns = program.both(t, x)
    np.testing.assert_allclose(found, np.broadcast_to(values[-1], t.shape), rtol=1e-9)
    for output, column in zip(outputs, columns.T, strict=True):
        np.testing.assert_allclose(column, np.broadcast_to(values[output], t.shape), rtol=1e-9)
    np.testing.assert_array_equal(columns, program.derivatives(t, x))
    np.testing.assert_array_equal(found, program.values(t, x))


@pytest.mark.parametrize(
    ("steps", "match"),
    [
        ([("variable", (), 0), ("besselk", (0,), None)], "unknown operation 'besselk'"),
        ([("variable", (), 0), ("fill", (0,), None)], "unknown operation 'fill'"),
        ([("variable", (), 0), ("add", (0,), None)], "step 1, add, must have 2 earlier steps"),
        ([("variable", (), 0), ("exp", (1,), None)], "step 1, exp, must have 1 earlier steps"),
        ([("parameter", (), 0), ("variable", (), 1)], "step 1 must be one of the variables"),
        ([("variable", (), 0), ("parameter", (), 2)], "step 1 must be one of the parameters"),
    ],
)
def test_graphs_that_are_none(steps: Any, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        Program(steps, len(steps) - 1, n=1)


def test_bad_arguments_are_named() -> None:
    program = gaussian()
    with pytest.raises(ValueError, match=r"t must have shape \(1, m\)"):
        program.values(np.zeros((2, 3)), GAUSSIAN_X)
    with pytest.raises(ValueError, match=r"x must have shape \(4,\); it has \(3,\)"):
        program.values(np.zeros(3), GAUSSIAN_X[:3])
    with pytest.raises(ValueError, match="target must be an instruction set of this processor"):
        gaussian(target="neon9")
    with pytest.raises(ValueError, match=r"slopes must have one step per parameter, 2; it has 1"):
        Program([("variable", (), 0)], 0, [0], n=2)
    plain = Program([("variable", (), 0)], 0, n=1)
    for call in (plain.derivatives, plain.both):
        with pytest.raises(NotImplementedError):
            call(np.zeros(3), [1.0])


def test_a_graph_too_large_for_its_work_space() -> None:
    steps: list[Any] = [("variable", (), 0), ("parameter", (), 0)]
    for _ in range(5000):
        steps.append(("arctan2", (0, len(steps) - 1), None))
    last = 2
    for i in range(3, len(steps)):
        steps.append(("hypot", (last, i), None))
        last = len(steps) - 1
    with pytest.raises(ValueError, match=r"the program needs .* numbers of work space"):
        Program(steps, last, n=1)


def test_no_points() -> None:
    assert gaussian().values(np.zeros(0), GAUSSIAN_X).shape == (0,)
