"""Decide whether a solve eliminates linear parameters, and which of them."""

from typing import TYPE_CHECKING, Any

import numpy as np

from lmoo._core.arrays import Array
from lmoo.jacobians.strategies import is_transposed
from lmoo.problems.kinds import in_blocks
from lmoo.problems.names import names_of
from lmoo.problems.separation import linear_positions, parts_of
from lmoo.solver.rowprojection import is_tall
from lmoo.solver.twostage import SeparableLoop

if TYPE_CHECKING:
    from lmoo.models.tracing.evaluation import Evaluation


def model_of(problem: Any, evaluation: "Evaluation | None" = None) -> Any:
    """Return the graph of a problem's model; None if there is none.

    Parameters
    ----------
    problem : Problem
    evaluation : Evaluation, optional
        How the model is evaluated, where it was traced.
    """
    if evaluation is not None and evaluation.model is not None:
        return evaluation.model.model
    f = getattr(problem, "f", None)
    residual = getattr(problem, "_overrides_residual", None)
    if f is None or (residual is not None and residual()):
        return None
    found = getattr(f, "model", f)
    return found if hasattr(found, "linear") and hasattr(found, "steps") else None


def separable_loop(
    options: Any, problem: Any, x0: Array, evaluation: "Evaluation | None"
) -> "SeparableLoop | None":
    """Return the loop of a solve with linear parameters eliminated; None to solve for all.

    Raises
    ------
    ValueError
        ``separable`` is True, and this is not possible.
    """
    n = x0.size
    traced = None if evaluation is None else evaluation.problem
    if options.separable == "auto" and is_tall(problem if traced is None else traced):
        # A full solve, which does not store the Jacobian either, takes less time.
        return None
    reason = _refusal(options, problem)
    linear: tuple[int, ...] = ()
    if reason is None:
        linear = linear_positions(problem, n, model_of(problem, evaluation))
        if not linear:
            names = names_of(getattr(problem, "parameter_names", None), n)
            reason = (
                f"none of the parameters {', '.join(names)} is known to be linear; "
                "linear_parameters of the problem can name those that are"
            )
    if reason is not None:
        if options.separable is True:
            raise ValueError(f"separable must be False here: {reason}")
        return None
    x0, bounds = options._box(problem, x0)
    parts = parts_of(linear, n, bounds)
    varies = [j for j in parts.other if bounds is None or not np.isnan(bounds[0, j])]
    if not parts.linear or not varies:
        return None
    return SeparableLoop(options, problem, x0, bounds, parts, evaluation)


def _refusal(options: Any, problem: Any) -> str | None:
    """Return why the options do not allow a reduced problem; None if they do."""
    if options.loss != "linear":
        return f"the loss is {options.loss!r}, and linear parameters are found by least squares"
    if options.linear is not None:
        return "the solver has a linear model of its own"
    strategy = options.jacobian
    if strategy is not None and not (strategy._by_problem or strategy._by_differences):
        return f"the solver takes derivatives by {strategy!r}"
    if getattr(strategy, "typical", None) is not None:
        return "the solver's typical sizes are those of all parameters"
    if in_blocks(problem) and is_transposed(options.jacobian, problem):
        return "the solver takes derivatives of blocks by ColumnMajor"
    return None
