"""Solves of a `JointProblem`: the compiled loop with the arrow linear model."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrow import (
    ArrowLinear,
    ArrowLoop,
    GroupDerivatives,
    Groups,
    GroupSource,
    Member,
    MemberGroups,
)
from lmoo._core.evaluate import LossKernel
from lmoo.errors import EvaluationError
from lmoo.jacobians.strategies import Analytic
from lmoo.problems.problem import source
from lmoo.results.arrowfactor import ArrowFactor

__all__ = ["arrow_factor", "arrow_loop", "joint_groups"]

Array = NDArray[np.float64]

_ACCURATE = 1  # the stopping tests


def joint_groups(options: Any, problem: Any, evaluation: Any) -> Groups:
    """Return the evaluator of a joint problem, each member by its own best way."""
    members = []
    for k, (part, index) in enumerate(zip(problem.problems, problem.indices, strict=True)):
        compiled = None if evaluation is None else evaluation.members[k]
        if compiled is not None and compiled.problem is not None:
            part = compiled.problem
        strategy = options._strategy(part)
        try:
            derivatives = options._derivatives(part, index.size)
        except (TypeError, ValueError) as error:
            error.add_note(f"for problems[{k}] of the joint problem")
            raise
        exact = isinstance(strategy, Analytic)
        members.append(
            Member(source(part, index.size), derivatives, index, exact, f"problems[{k}]")
        )
    return MemberGroups(members, len(problem.shared))


def arrow_loop(
    options: Any,
    groups: Groups,
    arrow: ArrowLinear,
    x0: Array,
    bounds: Array | None,
    kernel: LossKernel | None,
) -> ArrowLoop:
    """Return the compiled loop of one solve with an arrow linear model."""
    n = x0.size
    if options.separable is True:
        raise ValueError(
            "separable must be False or 'auto' with shared parameters or sigma_x, where linear "
            "parameters are not eliminated; it is True"
        )
    if options.linear is not None:
        raise ValueError(
            "linear must be None for a problem with shared parameters, which has a linear model of "
            f"its own; it is {options.linear!r}"
        )
    if options.diag is not None and np.shape(options.diag) != (n,):
        raise ValueError(
            f"diag must have one entry per parameter, {n}; it has {np.size(options.diag)}"
        )
    return ArrowLoop(
        GroupSource(groups),
        GroupDerivatives(groups),
        x0,
        None if options.diag is None else np.array(options.diag),
        options.ftol,
        options.xtol,
        options.gtol,
        options.factor,
        1000 * (n + 1) if options.maxfev is None else min(options.maxfev, 2**62),
        _ACCURATE,
        None if options.step is None else options.step._bind(),
        bounds,
        arrow,
        EvaluationError,
        kernel,
    )


def arrow_factor(loop: Any, own: NDArray[np.intp]) -> ArrowFactor:
    """Return the factor of the last Jacobian."""
    first = np.concatenate([[0], np.cumsum(own)]).astype(np.intp)
    excluded = None if loop.bounds is None else loop.fixed_or_active != 0
    blocks, order, ranks, t, torder, trank, norms = loop.factor()
    return ArrowFactor(
        first, blocks, order, ranks, t, torder, trank, norms, loop.jacobian_error, excluded
    )
