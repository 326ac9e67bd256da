"""Solves of a `JointProblem`: the compiled loop with the arrow linear model."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array
from lmoo._core.arrow import (
    ArrowLinear,
    ArrowLoop,
    Groups,
    Member,
    MemberGroups,
)
from lmoo._core.evaluate import LossKernel
from lmoo.problems.paired import paired
from lmoo.problems.problem import source
from lmoo.results.arrowfactor import ArrowFactor
from lmoo.solver.grouploop import group_loop


def joint_groups(options: Any, problem: Any, evaluation: Any) -> Groups:
    """Return the evaluator of a joint problem, each member by its own best way."""
    members = []
    for k, (part, index) in enumerate(zip(problem.problems, problem.indices, strict=True)):
        compiled = None if evaluation is None else evaluation.members[k]
        if compiled is not None and compiled.problem is not None:
            part = compiled.problem
        part = paired(part)
        strategy = options._strategy(part)
        try:
            derivatives = options._derivatives(part, index.size)
        except (TypeError, ValueError) as error:
            error.add_note(f"for problems[{k}] of the joint problem")
            raise
        exact = strategy._by_problem
        priors = getattr(part, "_priors", 0)
        members.append(
            Member(source(part, index.size), derivatives, index, exact, f"problems[{k}]", priors)
        )
    return MemberGroups(members, len(problem.shared), getattr(problem, "guard", None))


def arrow_loop(
    options: Any,
    groups: Groups,
    arrow: ArrowLinear,
    x0: Array,
    bounds: Array | None,
    kernel: LossKernel | None,
) -> ArrowLoop:
    """Return the compiled loop of one solve with an arrow linear model."""
    if options.linear is not None:
        raise ValueError(
            "linear must be None for a problem with shared parameters, which has a linear model of "
            f"its own; it is {options.linear!r}"
        )
    return group_loop(ArrowLoop, options, groups, arrow, x0, x0.size, bounds, kernel)


def arrow_factor(loop: Any, own: NDArray[np.intp]) -> ArrowFactor:
    """Return the factor of the last Jacobian."""
    first = np.concatenate([[0], np.cumsum(own)]).astype(np.intp)
    excluded = None if loop.bounds is None else loop.fixed_or_active != 0
    blocks, order, ranks, t, torder, trank, norms = loop.factor()
    span, columns = loop.touched
    return ArrowFactor(
        first, blocks, order, ranks, t, torder, trank, norms, loop.jacobian_error, excluded, span,
        columns,
    )  # fmt: skip
