"""A decay with an offset, which is fitted with constraints."""

from typing import Any

import numpy as np

import lmoo

T = np.linspace(0, 4, 40)


def model(t: Any, a: Any, b: Any, c: Any) -> Any:
    return a * np.exp(-b * t) + c


Y = model(T, 2.5, 1.3, 0.5) + 0.02 * np.random.default_rng(0).normal(size=40)


def solve(x0: Any, **options: Any) -> lmoo.Result:
    return lmoo.Solver(**options).solve(lmoo.CurveProblem(model, T, Y, sigma=0.02), x0)
