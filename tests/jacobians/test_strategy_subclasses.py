"""Subclasses of strategies are asked for what they give: they do all that their base class does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lmoo

T = np.linspace(0.0, 4.0, 20)
Y = 2.5 * np.exp(-1.3 * T) + 0.5 + 0.01 * np.cos(9 * T)


class Forward(lmoo.ForwardDifference):
    """A strategy of a user's, with a default of its own."""

    def __init__(self) -> None:
        super().__init__(epsfcn=1e-14)


class Central(lmoo.CentralDifference):
    pass


class Own(lmoo.Analytic):
    pass


class Mores(lmoo.More):
    pass


def decay(t: Any, a: Any, b: Any, c: Any) -> Any:
    return a * np.exp(-b * t) + c


def slopes(t: Any, a: Any, b: Any, c: Any) -> Any:
    e = np.exp(-b * t)
    return np.stack([e, -a * t * e, np.ones_like(e)], axis=-1)


KINDS = [(lmoo.ForwardDifference(epsfcn=1e-14), Forward()), (lmoo.CentralDifference(), Central())]


@pytest.mark.parametrize(("base", "own"), KINDS)
def test_a_stack_takes_a_subclass_of_differences(base: Any, own: Any) -> None:
    stack = np.stack([Y, Y + 0.1])
    found, expected = (
        lmoo.curve_fit_many(
            decay, T, stack, [1, 1, 0], trace=False, solver=lmoo.Solver(jacobian=strategy)
        )
        for strategy in (own, base)
    )
    np.testing.assert_array_equal(found.x, expected.x)
    np.testing.assert_array_equal(found.nfev, expected.nfev)


@pytest.mark.parametrize(("base", "own"), [*KINDS, (lmoo.Analytic(), Own())])
@pytest.mark.parametrize("options", [{"ties": {"c": "a/5"}}, {"separable": True}], ids=str)
def test_relations_and_eliminations_take_a_subclass(
    base: Any, own: Any, options: dict[str, Any]
) -> None:
    counts = []
    for strategy in (own, base):
        jac = slopes if isinstance(strategy, lmoo.Analytic) else None
        problem = lmoo.CurveProblem(
            decay, T, Y, jac=jac, trace=False,
            linear_parameters=["a", "c"] if "separable" in options else None,
        )  # fmt: skip
        result = lmoo.Solver(jacobian=strategy, **options).solve(problem, [1, 1, 0])
        assert result.success
        counts.append((result.nfev, result.njev, result.x.tobytes()))
    assert counts[0] == counts[1]


def test_blocks_with_eliminated_parameters_take_the_steps_of_more() -> None:
    class Blocks(lmoo.RowBlockProblem):
        parameter_names = ("a", "b", "c")
        linear_parameters = ("a", "c")

        def residual(self, x: np.ndarray, block: Any) -> Any:
            return decay(T[block], *x) - Y[block]

    problem = Blocks([slice(0, 10), slice(10, 20)])
    found, expected = (
        lmoo.Solver(step=step, separable=True).solve(problem, [1, 1, 0])
        for step in (Mores(), lmoo.More())
    )
    assert found.nfev == expected.nfev
    np.testing.assert_array_equal(found.x, expected.x)


class Kept(lmoo.GroupedDifference):
    pass


def test_a_pattern_of_all_rows_is_refused_for_blocks_and_relations() -> None:
    strategy = Kept(np.ones((20, 3)))
    with pytest.raises(ValueError, match="must not be a GroupedDifference with ties"):
        lmoo.Solver(jacobian=strategy, ties={"c": "a/5"}).solve(
            lmoo.CurveProblem(decay, T, Y, trace=False), [1, 1, 0]
        )
    blocks = lmoo.CurveBlocks(decay, T, Y, trace=False)
    with pytest.raises(ValueError, match="must not be a GroupedDifference for a RowBlockProblem"):
        lmoo.Solver(jacobian=strategy).solve(blocks, [1, 1, 0])
