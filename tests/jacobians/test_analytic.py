"""Jacobians that the problem evaluates: `Analytic` and `ColumnMajor`."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from case_tables import each
from jacobian_cases import Recorder
from samples import START, T, Y, decay, decay_jacobian, rosenbrock, rosenbrock_jacobian

import lmoo
from lmoo import FunctionProblem, Solver


def test_analytic_needs_a_jacobian() -> None:
    for strategy in (lmoo.Analytic(), lmoo.ColumnMajor()):
        name = type(strategy).__name__
        with pytest.raises(TypeError, match=rf"problem must define jacobian\(x\) .* {name}"):
            Solver(jacobian=strategy).solve(FunctionProblem(decay), START)


SHAPES: dict[str, tuple[Callable[[np.ndarray], Any], str]] = {
    "transposed": (lambda J: J.T, r"shape \(2, 9\); it is transposed"),
    "a row short": (lambda J: J[1:], r"shape \(8, 2\)"),
    "a column short": (lambda J: J[:, :1], r"shape \(9, 1\)"),
    "a column more": (lambda J: np.column_stack([J, J[:, 0]]), r"shape \(9, 3\)"),
    "flat": (lambda J: J.ravel(), r"shape \(18,\)"),
    "three axes": (lambda J: J[None], r"shape \(1, 9, 2\)"),
    "scalar": (lambda J: 1.0, r"shape \(\)"),
    "empty": (lambda J: [], r"shape \(0,\)"),
    "None": (lambda J: None, r"dtype object"),
    "complex": (lambda J: J * 1j, r"dtype complex128"),
    "text": (lambda J: J.astype(str), r"dtype <U"),
    "ragged": (lambda J: [[1.0], [1.0, 2.0]], r"no array"),
}


@each(("spoil", "says"), SHAPES.values(), ids=SHAPES)
@each("at", [1, 2])
@pytest.mark.parametrize("columns", [False, True])
def test_a_jacobian_of_the_wrong_shape_or_type_is_a_type_error(
    spoil: Any, says: str, at: int, columns: bool
) -> None:
    calls = itertools.count(1)

    def jacobian(x: np.ndarray) -> Any:
        J = decay_jacobian(x)
        value = spoil(J) if next(calls) == at else J
        return np.asarray(value).T if columns and isinstance(value, np.ndarray) else value

    if columns:
        # What is seen is the transpose of what the parameters say.
        says = says.replace(r"\(2, 9\)", r"\(9, 2\)").replace(r"\(8, 2\)", r"\(2, 8\)")
        says = says.replace(r"\(9, 1\)", r"\(1, 9\)").replace(r"\(9, 3\)", r"\(3, 9\)")
        says = says.replace(r"\(1, 9, 2\)", r"\(2, 9, 1\)")
    shape = r"\(2, 9\)" if columns else r"\(9, 2\)"
    strategy = lmoo.ColumnMajor() if columns else lmoo.Analytic()
    with pytest.raises(TypeError, match=rf"^jacobian .*must return .* shape {shape}; .*{says}"):
        Solver(jacobian=strategy).solve(FunctionProblem(decay, jacobian), START)


LAYOUTS: dict[str, Callable[[np.ndarray], Any]] = {
    "C": np.ascontiguousarray,
    "Fortran": np.asfortranarray,
    "strided": lambda J: np.repeat(np.repeat(J, 2, axis=0), 3, axis=1)[::2, ::3],
    "backwards": lambda J: J[::-1, ::-1].copy()[::-1, ::-1],
    "swapped": lambda J: J.astype(J.dtype.newbyteorder()),
    "list": lambda J: J.tolist(),
    "tuples": lambda J: tuple(map(tuple, J)),
    "longdouble": lambda J: J.astype(np.longdouble),
    "matrix of rows": lambda J: [np.array(row) for row in J],
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("columns", [False, True])
def test_a_jacobian_may_come_in_any_layout(layout: Any, columns: bool) -> None:
    def jacobian(x: np.ndarray) -> Any:
        J = decay_jacobian(x)
        return layout(J.T if columns else J)

    right = Solver().solve(FunctionProblem(decay, decay_jacobian), START)
    strategy = lmoo.ColumnMajor() if columns else lmoo.Analytic()
    result = Solver(jacobian=strategy).solve(FunctionProblem(decay, jacobian), START)
    assert result.x.tobytes() == right.x.tobytes()
    assert (result.nfev, result.njev) == (right.nfev, right.njev)


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("columns", [False, True])
def test_the_jacobian_for_one_parameter_may_be_flat(flat: bool, columns: bool) -> None:
    def jacobian(x: np.ndarray) -> np.ndarray:
        column = np.exp(-1.3 * T)
        return column if flat else column[None] if columns else column[:, None]

    problem = FunctionProblem(lambda x: x[0] * np.exp(-1.3 * T) - Y, jacobian)
    strategy = lmoo.ColumnMajor() if columns else lmoo.Analytic()
    e = np.exp(-1.3 * T)
    result = Solver(jacobian=strategy).solve(problem, [1.0])
    np.testing.assert_allclose(result.x, [e @ Y / (e @ e)], rtol=1e-12)


def test_the_jacobian_is_asked_for_at_x0_and_accepted_points() -> None:
    record, points = Recorder(rosenbrock_jacobian), [(-1.2, 1.0)]
    Solver().solve(
        FunctionProblem(rosenbrock, record),
        [-1.2, 1.0],
        callback=lambda step: points.append(tuple(step.x)) if step.accepted else None,
    )
    asked = [tuple(x) for x in record.points]
    # At the last point none may be needed.
    assert asked in (points, points[:-1])


def test_integer_jacobians_are_numbers() -> None:
    A = np.array([[1, 2], [3, 4], [5, 7]])
    problem = FunctionProblem(lambda x: A @ x - np.array([1.0, 2.0, 3.0]), lambda x: A)
    result = Solver().solve(problem, [0.0, 0.0])
    right = np.linalg.lstsq(A, np.array([1.0, 2.0, 3.0]))[0]
    np.testing.assert_allclose(result.x, right, atol=1e-13)
