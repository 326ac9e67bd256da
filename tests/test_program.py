"""lmoo.models.program: operations, lowering, blocks, instruction sets, tables."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import scipy.special
from case_tables import each
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import lmoo
from lmoo._core.models import BLOCK, CODES, CONSTANTS
from lmoo.models.compiled import program_of
from lmoo.models.graph import special
from lmoo.models.library import CompiledModel
from lmoo.models.program import Program
from lmoo.models.program.lowering import lower
from lmoo.models.program.operations import ARITY

Array = NDArray[np.float64]


def available(target: str) -> bool:
    try:
        Program([("variable", (), 0)], 0, n=0, target=target)
    except ValueError:
        return False
    return True


TARGETS = [target for target in ("plain", "avx2", "avx512") if available(target)]
SPECIAL = np.array(
    [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.0, -2.5, 3.0, 20.0, -20.0, 710.0, -745.5, 1e5, -1e7,
     1e22, 1e300, -1e300, 5e-324, -1e-310, 1e-20, 2.0**53 + 2, np.inf, -np.inf, np.nan]
)  # fmt: skip
# scipy's values at infinity are not always the limits; tests/test_elementary.py has wofz.
FROM_SCIPY = ["digamma", "gamma", "gammaln", "i0", "i1", "j0", "j1", "trigamma"]
GAUSSIAN_X = [2.0, 0.3, 0.7, 0.1]


REFERENCES: dict[str, Callable[..., Any]] = {
    "erf": scipy.special.erf,
    "erfc": scipy.special.erfc,
    "erfcx": scipy.special.erfcx,
    "gamma": scipy.special.gamma,
    "gammaln": scipy.special.gammaln,
    "digamma": scipy.special.digamma,
    "trigamma": lambda x: scipy.special.polygamma(1, x),
    "expit": scipy.special.expit,
    "i0": scipy.special.i0,
    "i1": scipy.special.i1,
    "j0": scipy.special.j0,
    "j1": scipy.special.j1,
    "wofz_real": lambda x, y: scipy.special.wofz(x + 1j * y).real,
    "wofz_imag": lambda x, y: scipy.special.wofz(x + 1j * y).imag,
}


def reference(name: str) -> Callable[..., Any]:
    return REFERENCES.get(name) or getattr(np, name)


def operation(name: str, target: str | None = None) -> Callable[..., Array]:
    arity = ARITY[name]
    steps = [("variable", (), j) for j in range(arity)] + [(name, tuple(range(arity)), None)]
    program = Program(steps, arity, n=0, variables=arity, target=target)
    return lambda *arguments: program.values(np.array(arguments), [])


def gaussian(**options: Any) -> Program:
    """a exp(-(t - b)^2 / (2 s^2)) + c, with derivatives."""
    steps: list[Any] = [("parameter", (), j) for j in range(4)] + [("variable", (), 0)]

    def put(name: str, *arguments: int, value: float | None = None) -> int:
        steps.append((name, arguments, value))
        return len(steps) - 1

    a, b, s, c, t = range(5)
    z, variance = put("subtract", t, b), put("square", s)
    twice = put("multiply", put("constant", value=2.0), variance)
    e = put("exp", put("divide", put("negative", put("square", z)), twice))
    height = put("multiply", a, e)
    y = put("add", height, c)
    by_b = put("multiply", height, put("divide", z, variance))
    columns = [e, by_b, put("divide", put("multiply", by_b, z), s), put("constant", value=1.0)]
    return Program(steps, y, columns, n=4, **options)


@pytest.mark.parametrize("target", TARGETS)
@each("name", sorted(set(ARITY) - {*FROM_SCIPY, "wofz_real", "wofz_imag"}))
def test_special_values_are_those_of_numpy(name: str, target: str) -> None:
    arguments = [part.ravel() for part in np.meshgrid(*[SPECIAL] * ARITY[name])]
    found = operation(name, target)(*arguments)
    with np.errstate(all="ignore"):
        expected = np.array(
            reference(name)(
                *(a != 0 if name == "where" and i == 0 else a for i, a in enumerate(arguments))
            ),
            float,
        )
    np.testing.assert_allclose(found, expected, rtol=3e-15, atol=0.0)
    if name not in ("minimum", "maximum", "fmin", "fmax"):
        same = ~np.isnan(expected)
        np.testing.assert_array_equal(np.signbit(found)[same], np.signbit(expected)[same])


@pytest.mark.parametrize("name", FROM_SCIPY)
def test_special_functions_are_those_of_scipy(name: str) -> None:
    x = np.concatenate([np.linspace(-4.9, 30.1, 301), [0.0, -1.0, 600.0, np.nan]])
    expected = reference(name)(x)
    np.testing.assert_allclose(operation(name)(x), expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", ["digamma", "trigamma", "gamma"])
def test_poles_of_special_functions(name: str) -> None:
    """Next to 0 they are powers of it; compiled and called models agree at the poles."""
    x = np.array([1e-20, -1e-20, 1e-300, -1e-300, -1e-310, 5e-324, -5e-324, 0.0, -0.0, -1.0])
    with np.errstate(all="ignore"):
        expected = {"digamma": -1.0 / x, "trigamma": 1.0 / x**2, "gamma": 1.0 / x}[name]
        called = getattr(special, name)(x)
    expected[-1] = np.inf if name == "trigamma" else np.nan
    np.testing.assert_allclose(operation(name)(x), expected, rtol=1e-12)
    np.testing.assert_allclose(called, expected, rtol=1e-12)


@pytest.mark.parametrize("divisor", [5e-324, 2.0**-1030, 1e-310, 2.0**1023, 1.7e308])
def test_divisors_without_a_reciprocal(divisor: float) -> None:
    """Reciprocals of the smallest numbers are infinite, and those of the largest lose digits."""
    model = lmoo.Expression(f"a*(t/{divisor!r}) + b*((2*t)/{divisor!r})")
    program = program_of(model)
    t = np.array([0.0, 3.0, 1.0]) * min(divisor, 1.7e307)
    values, columns = program.both(t, [2.0, 0.0])
    np.testing.assert_array_equal(values, 2.0 * (t / divisor))
    np.testing.assert_array_equal(columns[:, 0], t / divisor)


def test_instruction_sets_give_the_same_bits() -> None:
    rng = np.random.default_rng(0)
    for name, arity in ARITY.items():
        arguments = [
            np.concatenate([rng.normal(0, 3, 500), SPECIAL, rng.permutation(SPECIAL)])
            for _ in range(arity)
        ]
        first, *others = [operation(name, target)(*arguments) for target in TARGETS]
        for other in others:
            np.testing.assert_array_equal(first, other, err_msg=name)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("m", [1, 2, 3, 7, 8, 9, 20, BLOCK - 1, BLOCK, BLOCK + 1, 5 * BLOCK + 3])
def test_any_number_of_points(m: int, target: str) -> None:
    t = np.linspace(-2.0, 3.0, m)
    program = gaussian(target=target)
    everywhere = program.both(np.linspace(-2.0, 3.0, m).repeat(3), GAUSSIAN_X)
    values, derivatives = program.both(t, GAUSSIAN_X)
    a, b, s, c = GAUSSIAN_X
    np.testing.assert_allclose(values, a * np.exp(-((t - b) ** 2) / (2 * s**2)) + c, rtol=1e-14)
    np.testing.assert_array_equal(values, program.values(t, GAUSSIAN_X))
    np.testing.assert_array_equal(derivatives, program.derivatives(t, GAUSSIAN_X))
    np.testing.assert_array_equal(values, everywhere[0][::3])
    np.testing.assert_array_equal(derivatives, everywhere[1][::3])


def test_its_table_runs_as_a_compiled_model() -> None:
    t, ours = np.linspace(-3, 3, 41), CompiledModel(gaussian().capsule)
    theirs = lmoo.models.Gaussian()
    np.testing.assert_allclose(ours(t, *GAUSSIAN_X), theirs(t, *GAUSSIAN_X), rtol=1e-14)
    np.testing.assert_allclose(
        ours.jacobian(t, *GAUSSIAN_X), theirs.jacobian(t, *GAUSSIAN_X), rtol=1e-13
    )
    y = theirs(t, *GAUSSIAN_X)
    found = lmoo.curve_fit_many(ours, t, np.stack([y, 2 * y]), p0=[1.0, 0.0, 1.0, 0.0])
    np.testing.assert_allclose(found.x, [GAUSSIAN_X, [4.0, 0.3, 0.7, 0.2]], rtol=1e-8)


TOGETHER = [
    "a*exp(-b*x0) + c",
    "hypot(a*x0, b) + arctan2(x1, c) + sqrt(abs(a*b*c))",
    "where(x0 < a, b*x1, c) + floor(x0/b) + tanh(x1/c)*erf(b)",
    "a*sin(b*x0) + c*cos(b*x0) + x1",
    "a + b*c",
    "c/(1 + ((x0 - a)/b)**2) + a/(b + x1**2)",
]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("text", TOGETHER)
@pytest.mark.parametrize("m", [1, 3, 4, 5, 8, 20, 47, 48, 100, 101, 300])
def test_fits_at_once_have_the_bits_of_each(m: int, text: str, target: str) -> None:
    rng = np.random.default_rng(m)
    program = program_of(lmoo.Expression(text, ["x0", "x1"], parameters=["a", "b", "c"]))
    again = Program(*program._graph, n=3, variables=2, target=target)
    model: Any = CompiledModel(again.capsule)._model
    x = rng.uniform(0.5, 3.0, (29, 3))
    own = rng.uniform(-2.0, 3.0, (29, 2, m))
    for points in (own[:1], own):
        for derivatives in (False, True):
            together, codes = model.evaluate(points, x, derivatives)
            assert not codes.any()
            for i, found in enumerate(together):
                t = points[i % len(points)][None]
                alone = model.evaluate(t, x[i : i + 1], derivatives)[0][0]
                np.testing.assert_array_equal(found, alone)


@pytest.mark.parametrize("count", [1, 3, 4, 7, 8, 9, 64, 131])
@pytest.mark.parametrize("sigma", [None, np.linspace(0.1, 0.3, 21)], ids=["plain", "weighted"])
@pytest.mark.parametrize("loss", ["linear", "cauchy"])
def test_fits_of_stacks_are_those_alone(count: int, sigma: Any, loss: Any) -> None:
    rng = np.random.default_rng(count)
    model = CompiledModel(program_of(lmoo.Expression("a*exp(-b*t) + c")).capsule)
    t = np.linspace(0.0, 4.0, 21)
    y = 2.5 * np.exp(-rng.uniform(0.3, 3.0, (count, 1)) * t)
    y += 0.3 * rng.standard_normal(y.shape)
    solver = lmoo.Solver(loss=loss)
    many = lmoo.curve_fit_many(model, t, y, [1.0, 1.0, 0.0], sigma=sigma, solver=solver, threads=1)
    for i in range(count):
        one = lmoo.curve_fit_many(
            model, t, y[i : i + 1], [1.0, 1.0, 0.0], sigma=sigma, solver=solver, threads=1
        )
        np.testing.assert_array_equal(many.x[i], one.x[0])
        np.testing.assert_array_equal(many.stderr[i], one.stderr[0])
        assert (many.nfev[i], many.njev[i]) == (one.nfev[0], one.njev[0])


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


def test_threads_run_the_same_program() -> None:
    t, program = np.linspace(-3, 3, 20001), gaussian()
    heights = np.linspace(1.0, 2.0, 40)
    alone = [program.both(t, [height, 0.3, 0.7, 0.1]) for height in heights]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda height: program.both(t, [height, 0.3, 0.7, 0.1]), heights))
    for (value, columns), (value2, columns2) in zip(alone, together, strict=True):
        np.testing.assert_array_equal(value, value2)
        np.testing.assert_array_equal(columns, columns2)


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
    ends, instructions, uniforms = lower(steps, [slopes], 4, 1)[0][:3]
    # The column of ones is not computed, and one instruction is 1 / (z z + 1).
    assert (ends[:, 0] == CONSTANTS).sum() == 1
    codes = instructions[uniforms + 1 :, 0].tolist()
    assert CODES["square_add_s_under_s"] in codes
    assert len(codes) == 7


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
