"""Models with errors in stacks: columns that are computed again begin at their own points."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lmoo

Array = Any
T = np.linspace(0.0, 4.0, 30)

MODELS: dict[str, tuple[Callable[..., Array], tuple[float, ...]]] = {
    "decay": (lambda t, a, b: a * np.exp(-b * t), (2.5, 1.3)),
    "decay and offset": (lambda t, a, b, c: a * np.exp(-b * t) + c, (2.5, 1.3, 0.5)),
    "peak": (lambda t, a, m, s: a * np.exp(-0.5 * ((t - m) / s) ** 2), (2.5, 1.5, 0.8)),
}
ERRORS: dict[str, Callable[[Array, Array], Array]] = {
    "none": lambda value, _: value,
    "1 digit": lambda value, _: np.round(value, 1),
    "2 digits": lambda value, _: np.round(value, 2),
    "4 digits": lambda value, _: np.round(value, 4),
    "1e-6": lambda value, total: value * (1 + 1e-6 * np.sin(1e11 * total * (T + 1))),
    "1e-9": lambda value, total: value * (1 + 1e-9 * np.sin(1e11 * total * (T + 1))),
}


@pytest.mark.parametrize("bounded", [False, True])
@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("name", MODELS)
def test_a_stack_is_its_single_fits(name: str, error: str, bounded: bool) -> None:
    model, true = MODELS[name]

    def f(t: Array, *p: Array) -> Array:
        return ERRORS[error](model(t, *p), sum(p))

    names = ["a", "b", "c"][: len(true)]
    solver = lmoo.Solver(bounds=(-5.0, 20.0) if bounded else None)
    for seed in range(4):
        rng = np.random.default_rng(100 + seed)
        y = model(T, *true) + 0.02 * rng.normal(size=(3, T.size))
        x0 = np.array(true) * np.exp(0.5 * rng.normal(size=len(true)))
        stack = lmoo.curve_fit_many(f, T, y, x0, solver=solver, trace=False)
        for k in range(3):
            problem = lmoo.CurveProblem(f, T, y[k], trace=False, parameter_names=names)
            single = solver.solve(problem, x0)
            assert lmoo.Status(int(stack.status[k])) is single.status
            np.testing.assert_array_equal(stack.x[k], single.x)
            assert stack.nfev[k] == single.nfev


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e12])
def test_two_digits_are_enough(scale: float) -> None:
    rng = np.random.default_rng(0)
    y = 2.5 * np.exp(-1.3 * T) + 0.02 * rng.normal(size=(50, T.size))
    fits = lmoo.curve_fit_many(
        lambda t, a, b: scale * np.round(a * np.exp(-b * t), 2), T, scale * y, [1.0, 1.0]
    )
    assert fits.success.all()
    np.testing.assert_allclose(fits.x, np.broadcast_to([2.5, 1.3], (50, 2)), atol=0.1)
