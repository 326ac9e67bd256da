"""Programs on blocks of points, instruction sets, threads, many fits at once: the same bits."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from programs import GAUSSIAN_X, SPECIAL, TARGETS, gaussian, operation

import lmoo
from lmoo._core.graphs import ARITY, BLOCK
from lmoo.models.compiled import program_of
from lmoo.models.library import CompiledModel
from lmoo.models.program import Program


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


def test_threads_run_the_same_program() -> None:
    t, program = np.linspace(-3, 3, 20001), gaussian()
    heights = np.linspace(1.0, 2.0, 40)
    alone = [program.both(t, [height, 0.3, 0.7, 0.1]) for height in heights]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda height: program.both(t, [height, 0.3, 0.7, 0.1]), heights))
    for (value, columns), (value2, columns2) in zip(alone, together, strict=True):
        np.testing.assert_array_equal(value, value2)
        np.testing.assert_array_equal(columns, columns2)
