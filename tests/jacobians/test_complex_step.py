"""`ComplexStep`."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from ids import stable
from samples import START, decay, rosenbrock

import lmoo
from lmoo import EvaluationError, FunctionProblem, Solver


def test_complex_steps_are_tiny_and_otherwise_x_is_real() -> None:
    seen: list[np.ndarray] = []

    def residual(x: np.ndarray) -> np.ndarray:
        seen.append(x.copy())
        return decay(x)

    result = Solver(jacobian=lmoo.ComplexStep()).solve(FunctionProblem(residual), START)
    kinds = {x.dtype for x in seen}
    assert kinds == {np.dtype(np.float64), np.dtype(np.complex128)}
    for x in seen:
        if x.dtype.kind == "c":
            assert np.count_nonzero(x.imag) == 1
            assert 0.0 < x.imag.max() <= 1e-15
    assert sum(x.dtype.kind == "c" for x in seen) == 2 * result.njev


def test_complex_steps_are_exact_where_differences_cannot_be() -> None:
    # Beside 1e12 the parameter's share of the residual has four digits left; its slope has all.
    def residual(x: np.ndarray) -> np.ndarray:
        return np.array([1e12 + np.exp(x[0]) - 1e12, np.exp(x[0]) - 2.0])

    steps: list[lmoo.IterationRecord] = []
    problem = FunctionProblem(residual)
    Solver(jacobian=lmoo.ComplexStep()).solve(problem, [0.3], callback=steps.append)
    e, f = np.exp(0.3), residual(np.array([0.3]))
    np.testing.assert_allclose(steps[0].gradient, [e * (f[0] + f[1])], rtol=1e-13)


@pytest.mark.parametrize("typical", [1e-12, 1e12, [1e-12, 1e12]], ids=stable)
def test_typical_of_complex_steps_is_their_size(typical: Any) -> None:
    seen: list[np.ndarray] = []

    def residual(x: np.ndarray) -> np.ndarray:
        if x.dtype.kind == "c":
            seen.append(x.imag.copy())
        return decay(x)

    strategy = lmoo.ComplexStep(typical=typical)
    assert Solver(jacobian=strategy).solve(FunctionProblem(residual), START).success
    np.testing.assert_allclose(seen[0], [1e-20 * np.broadcast_to(typical, 2)[0], 0.0])
    np.testing.assert_allclose(seen[1], [0.0, 1e-20 * np.broadcast_to(typical, 2)[1]])


@pytest.mark.parametrize(
    "spoil",
    [np.real, np.abs, lambda f: f[:-1], lambda f: f[:, None], lambda f: None, lambda f: f[0]],
    ids=["real", "abs", "short", "2-D", "None", "scalar"],
)
def test_a_residual_that_is_no_complex_function_is_a_type_error(spoil: Any) -> None:
    def residual(x: np.ndarray) -> Any:
        return spoil(decay(x)) if x.dtype.kind == "c" else decay(x)

    with pytest.raises(TypeError, match=r"residual must return 9 complex numbers .*ComplexStep"):
        Solver(jacobian=lmoo.ComplexStep()).solve(FunctionProblem(residual), START)


def test_evaluations_that_refuse_a_complex_point_are_counted() -> None:
    calls = itertools.count(1)

    def residual(x: np.ndarray) -> np.ndarray:
        number = next(calls)
        if x.dtype.kind == "c" and 8 < number < 20:
            raise EvaluationError("not here")
        return rosenbrock(x)

    result = Solver(jacobian=lmoo.ComplexStep()).solve(FunctionProblem(residual), [-1.2, 1.0])
    assert result.success
    assert result.nfev == next(calls) - 1
