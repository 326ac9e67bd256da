"""Loops over the arrow linear model, from the options of a solver."""

from typing import Any, TypeVar

import numpy as np

from lmoo._core.arrays import Array
from lmoo._core.arrow import ArrowLinear, ArrowLoop, GroupDerivatives, Groups, GroupSource
from lmoo._core.evaluate import LossKernel
from lmoo.errors import EvaluationError

LoopT = TypeVar("LoopT", bound=ArrowLoop)

_ACCURATE = 1  # the stopping tests


def group_loop(
    kind: type[LoopT],
    options: Any,
    groups: Groups,
    arrow: ArrowLinear,
    start: Array,
    n: int,
    bounds: Array | None,
    kernel: LossKernel | None = None,
) -> LoopT:
    """Return the compiled loop of one solve with an arrow linear model.

    Parameters
    ----------
    kind : type
        The class of the loop.
    options : SolverOptions
    groups, arrow
        What evaluates the groups, and their linear model.
    start : (N,) float64 array
        The starting point of all parameters.
    n : int
        The number of parameters that the user knows, the first ones; the others have the scale 1.
    bounds : (2, N) float64 array or None
    kernel : LossKernel, optional

    Raises
    ------
    ValueError
        ``separable`` is True, or ``diag`` has another size than n.
    """
    if options.separable is True:
        raise ValueError(
            "separable must be False or 'auto' with shared parameters or sigma_x, where linear "
            "parameters are not eliminated; it is True"
        )
    if options.diag is not None and np.shape(options.diag) != (n,):
        raise ValueError(
            f"diag must have one entry per parameter, {n}; it has {np.size(options.diag)}"
        )
    rest = np.ones(start.size - n)
    return kind(
        GroupSource(groups),
        GroupDerivatives(groups),
        start,
        None if options.diag is None else np.concatenate([np.array(options.diag), rest]),
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
