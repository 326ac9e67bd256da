"""Rows of a large weight, as priors in small units: their rounding does not hide other rows."""

from __future__ import annotations

import numpy as np
import pytest
from drivers import Array

import lmoo

T = np.linspace(0.0, 5.0, 30)


def data(seed: int) -> Array:
    noise = 0.05 * np.random.default_rng(seed).standard_normal(T.size)
    return np.asarray(3.0 * np.exp(-1.2 * T) + 0.5 + noise)


class Rows(lmoo.RowBlockProblem):
    """Blocks of rows of a residual and its Jacobian."""

    def __init__(self, f: object, jac: object, m: int) -> None:
        super().__init__([np.arange(k, min(k + 8, m)) for k in range(0, m, 8)])
        self.f, self.jac = f, jac

    def residual(self, x: Array, block: Array) -> Array:
        return self.f(x)[block]

    def jacobian(self, x: Array, block: Array) -> Array:
        return self.jac(x)[block]


def expected(y: Array) -> Array:
    """Return b and c of the minimum where a is fixed at 3: a heavy prior does this."""
    return lmoo.fit("3*exp(-b*t)+c", T, y, [1.2, 0.5]).x


@pytest.mark.parametrize("k", [1e-12, 1e-8, 1e-4])
@pytest.mark.parametrize("seed", range(4))
def test_a_prior_in_small_units(k: float, seed: int) -> None:
    y = data(seed)
    found = lmoo.fit(
        "a*exp(-b*t)+c", T, k * y, [2 * k, 0.8, 0.3 * k], priors={"a": (3 * k, 0.1 * k)}
    )
    assert found.success
    error = np.abs(found.x - k ** np.array([1, 0, 1]) * [3.0, *expected(y)])[1:]
    assert (error < 1e-3 * found.standard_errors[1:]).all()


@pytest.mark.parametrize("kind", ["FunctionProblem", "RowBlockProblem", "SparseCholesky"])
@pytest.mark.parametrize("weight", [1e8, 1e10, 1e12])
@pytest.mark.parametrize("seed", range(4))
def test_a_heavy_row(kind: str, weight: float, seed: int) -> None:
    y = data(seed)

    def f(x: Array) -> Array:
        a, b, c = x
        return np.append(a * np.exp(-b * T) + c - y, weight * (a - 3.0))

    def jac(x: Array) -> Array:
        a, b, _ = x
        e = np.exp(-b * T)
        rows = np.stack([e, -a * T * e, np.ones_like(e)], axis=1)
        return np.vstack([rows, [[weight, 0.0, 0.0]]])

    solver = lmoo.Solver(linear=lmoo.SparseCholesky) if kind == "SparseCholesky" else lmoo.Solver()
    problem = Rows(f, jac, T.size + 1) if kind[0] == "R" else lmoo.FunctionProblem(f, jac)
    found = solver.solve(problem, [2.0, 0.7, 0.2])
    assert found.success
    error = np.abs(found.x[1:] - expected(y))
    assert (error < 1e-3 * found.standard_errors[1:]).all()
