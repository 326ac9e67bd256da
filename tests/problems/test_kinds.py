"""Problems of third parties' kinds: asked for what they provide, not for their class."""

from typing import Any

import numpy as np
import pytest

import lmoo
from lmoo.problems.kinds import form_of, has_jacobian

T = np.linspace(0.0, 4.0, 60)
Y = 3.0 * np.exp(-0.5 * T)


class Batches:
    """Rows in blocks, of a class that inherits nothing."""

    residual_form = "blocks"
    executor = None
    parameter_names = ("amplitude", "rate")

    def __init__(self) -> None:
        self.blocks = list(zip(T.reshape(6, 10), Y.reshape(6, 10), strict=True))

    def residual(self, x: Any, block: Any) -> Any:
        t, y = block
        return x[0] * np.exp(-x[1] * t) - y

    def jacobian(self, x: Any, block: Any) -> Any:
        e = np.exp(-x[1] * block[0])
        return np.stack([e, -x[0] * block[0] * e], axis=1)


class Whole:
    """The same rows in one piece."""

    parameter_names = ("amplitude", "rate")

    def residual(self, x: Any) -> Any:
        return x[0] * np.exp(-x[1] * T) - Y


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"loss": "huber"},
        {"bounds": ([0, 0], [9, 9])},
        {"priors": {"rate": (0.5, 1.0)}},
        {"jacobian": lmoo.CentralDifference()},
    ],
)
def test_blocks_of_a_class_of_its_own_are_solved_as_blocks(options: dict[str, Any]) -> None:
    result = lmoo.Solver(**options).solve(Batches(), [1.0, 1.0])
    np.testing.assert_allclose(result.x, [3.0, 0.5], rtol=1e-7)
    assert result.residual.size == 0
    assert result.observations == 60
    assert (result.standard_errors >= 0.0).all()
    with pytest.raises(TypeError, match="never in memory"):
        result.leverage  # noqa: B018


def test_its_jacobian_is_used() -> None:
    assert has_jacobian(Batches())
    assert lmoo.Solver().solve(Batches(), [1.0, 1.0]).nfev < 20


def test_problems_in_one_piece_need_say_nothing() -> None:
    assert form_of(Whole()) == "whole"
    np.testing.assert_allclose(lmoo.Solver().solve(Whole(), [1.0, 1.0]).x, [3.0, 0.5], rtol=1e-9)


def test_an_unknown_form_is_named() -> None:
    class Wrong(Whole):
        residual_form = "block"

    message = "residual_form of a problem must be one of 'whole', 'blocks'.*Wrong is 'block'"
    with pytest.raises(ValueError, match=message):
        lmoo.Solver().solve(Wrong(), [1.0, 1.0])


def test_a_joint_problem_refuses_blocks_of_any_class() -> None:
    with pytest.raises(TypeError, match=r"problems\[0\] must have its residual in one piece"):
        lmoo.JointProblem([Batches()], ["rate"])


def test_provides_jacobian_is_asked_first() -> None:
    class Undecided(Whole):
        provides_jacobian = False

        def jacobian(self, x: Any) -> Any:
            raise AssertionError("it must not be called")

    assert lmoo.Solver().solve(Undecided(), [1.0, 1.0]).success


def test_base_classes_provide_no_jacobian() -> None:
    for problem in (lmoo.Problem(), lmoo.RowBlockProblem(), lmoo.BatchProblem()):
        assert not has_jacobian(problem)


def test_a_subclass_of_function_problem_may_define_its_jacobian() -> None:
    class Own(lmoo.FunctionProblem):
        def jacobian(self, x: Any) -> Any:
            return np.diag(2 * x)

    assert has_jacobian(Own(np.square))
    assert not has_jacobian(lmoo.FunctionProblem(np.square))


def test_built_in_models_have_all_operators_of_expressions() -> None:
    model, t = lmoo.models.Linear(), np.linspace(-2.0, 2.0, 9)
    values = model(t, 0.5, -1.0)
    np.testing.assert_allclose(abs(model)(t, 0.5, -1.0), np.abs(values))
    np.testing.assert_allclose((2**model)(t, 0.5, -1.0), 2.0**values)
