"""Blocks whose residual and Jacobian are evaluated together."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import lmoo

T = np.linspace(0.0, 4.0, 60).reshape(5, 12)
Y = 3.0 * np.exp(-0.5 * T) + 0.01 * np.cos(40.0 * T)
BLOCKS = list(zip(T, Y, strict=True))
START = [1.0, 1.0]


def both(x: Any, block: Any) -> tuple[np.ndarray, np.ndarray]:
    t, y = block
    e = np.exp(-x[1] * t)
    return x[0] * e - y, np.stack([e, -x[0] * t * e], axis=1)


class Together(lmoo.RowBlockProblem):
    """Counts its calls; a Jacobian is returned only where it is wanted."""

    parameter_names = ("a", "b")

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.calls: list[str] = []

    def evaluate(self, x: np.ndarray, block: Any, want: str) -> Any:
        self.calls.append(want)
        f, J = both(x, block)
        return f, J if want == "both" else None


class Apart(lmoo.RowBlockProblem):
    parameter_names = ("a", "b")

    def residual(self, x: np.ndarray, block: Any) -> np.ndarray:
        return both(x, block)[0]

    def jacobian(self, x: np.ndarray, block: Any) -> np.ndarray:
        return both(x, block)[1]


RELATED: list[dict[str, Any]] = [
    {},
    {"ties": {"b": "a/6"}},
    {"priors": {"a": (2.9, 0.01)}},
    {"loss": "huber", "f_scale": 0.01},
    {"bounds": ([0.0, 0.6], [5.0, 2.0])},
    {"jacobian": lmoo.CentralDifference()},
]


@pytest.mark.parametrize("options", RELATED, ids=lambda options: next(iter(options), "plain"))
def test_it_has_the_bits_of_two_methods(options: dict[str, Any]) -> None:
    expected = lmoo.Solver(**options).solve(Apart(BLOCKS), START)
    found = lmoo.Solver(**options).solve(Together(BLOCKS), START)
    assert found.success
    np.testing.assert_array_equal(found.x, expected.x)
    np.testing.assert_array_equal(found.standard_errors, expected.standard_errors)
    assert (found.nfev, found.njev) == (expected.nfev, expected.njev)


@pytest.mark.parametrize("options", RELATED[:4], ids=lambda options: next(iter(options), "plain"))
def test_each_block_is_evaluated_once_in_a_pass(options: dict[str, Any]) -> None:
    problem = Together(BLOCKS)
    result = lmoo.Solver(**options).solve(problem, START)
    assert problem.calls.count("residual") == len(BLOCKS) * result.nfev
    assert problem.calls.count("both") == len(BLOCKS) * result.njev


def test_with_threads() -> None:
    expected = lmoo.Solver().solve(Apart(BLOCKS), START)
    with ThreadPoolExecutor(2) as executor:
        found = lmoo.Solver().solve(Together(BLOCKS, executor), START)
    np.testing.assert_array_equal(found.x, expected.x)


def test_its_methods_return_the_parts() -> None:
    problem = Together(BLOCKS)
    for value, expected in zip(
        (problem.residual(START, BLOCKS[1]), problem.jacobian(START, BLOCKS[1])),
        both(START, BLOCKS[1]),
        strict=True,
    ):
        np.testing.assert_array_equal(value, expected)
    with pytest.raises(NotImplementedError, match=r"defines no evaluate\(self, x, block, want\)"):
        Apart(BLOCKS).evaluate(np.ones(2), BLOCKS[0], "both")


def test_the_more_derived_method_is_used() -> None:
    class Doubled(Apart):
        def evaluate(self, x: np.ndarray, block: Any, want: str) -> Any:
            f, J = both(2.0 * x, block)
            return f, 2.0 * J

    found = lmoo.Solver().solve(Doubled(BLOCKS), START)
    expected = lmoo.Solver().solve(Apart(BLOCKS), START)
    np.testing.assert_allclose(2.0 * found.x, expected.x, rtol=1e-8)


def test_a_curve_in_blocks_with_its_own_evaluate_is_not_traced() -> None:
    class Shifted(lmoo.CurveBlocks):
        def evaluate(self, x: np.ndarray, block: Any, want: str) -> Any:
            t, y, _ = block
            return both(x, (t, y - 1.0))

    problem = Shifted(lambda t, a, b: a * np.exp(-b * t), T.ravel(), Y.ravel(), block_size=20)
    found = lmoo.Solver().solve(problem, START)
    assert found.evaluation.startswith("called"), found.evaluation
    expected = lmoo.Solver().solve(Apart([(t, y - 1.0) for t, y in BLOCKS]), START)
    np.testing.assert_allclose(found.x, expected.x, rtol=1e-8)


@pytest.mark.parametrize("ties", [None, {"b": "a/6"}])
@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            [1.0, 2.0],
            r"Wrong\.evaluate must return a pair \(residual, jacobian\); it returned a li",
        ),
        ((np.ones(12), None), r'Wrong\.evaluate must .* for want = "both"; .* it returned is None'),
        ((None, np.ones((12, 2))), r"Wrong\.evaluate, for its residual,.* returned None"),
        ((np.ones(12), np.ones((3, 2))), r"Wrong\.evaluate, for its Jacobian,.* shape \(3, "),
    ],
)
def test_wrong_values_are_refused_by_name(value: Any, message: str, ties: Any) -> None:
    class Wrong(Together):
        def evaluate(self, x: np.ndarray, block: Any, want: str) -> Any:
            return value

    with pytest.raises((TypeError, ValueError), match=message) as caught:
        lmoo.Solver(ties=ties).solve(Wrong(BLOCKS), START)
    assert "in block 0" in caught.value.__notes__[0]
