"""The starting point and the bounds of `curve_fit`."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array
from lmoo._core.solve import start
from lmoo.models.problem import is_compiled_model
from lmoo.problems.arguments import real_array
from lmoo.problems.bounds import limits
from lmoo.problems.boundsforms import frozen_bounds
from lmoo.problems.names import by_name, parameter_names_of
from lmoo.problems.parameters import named_start

NO_BOUNDS = (-np.inf, np.inf)
# Values without names, of which looking for these takes time.
_UNNAMED = frozenset([type(None), list, tuple, np.ndarray])


def starting_point(
    problem: Any, p0: Any, bounds: Any, fixed: Any, method: Any, related: bool = False
) -> Array:
    """Return the starting point, and set names and bounds of the problem.

    Parameters
    ----------
    problem : CurveProblem or ModelProblem
        Its attributes ``parameter_names``, ``bounds`` and ``fixed`` are set.
    p0, bounds, fixed, method
        As for `lmoo.curve_fit`.
    related : bool, default False
        Whether there are ties, priors or constraints, with which fewer points may be enough.

    Returns
    -------
    (n,) float64 array, new

    Raises
    ------
    TypeError, ValueError
        As for `lmoo.curve_fit`.
    """
    names = parameter_names_of(problem.f)
    named = False
    if type(p0) not in _UNNAMED:
        p0 = by_name(p0, names)
        named = isinstance(p0, Mapping)
    x = _default(problem, names) if p0 is None or named else _given(p0)
    n = x.size
    few = not related and problem.y.size < n and method in (None, "lm")
    # A shorter p0 leaves the last arguments of f at their defaults.
    problem.parameter_names = names = None if names is None or len(names) < n else names[:n]
    if (bounds is None or bounds is NO_BOUNDS) and fixed is None:
        if few:
            refuse_few(problem.y.size, n)
        return _with_named(x, p0, names) if named else x
    bounds = frozen_bounds(bounds, scipy=True)
    lower, upper, is_fixed = limits(bounds, fixed, names, n)
    if is_fixed.all():
        raise ValueError(
            f"fixed must leave a parameter to be fitted; it is {fixed!r}"
            + ("" if fixed is not None else ", and all bounds are equal")
        )
    bounded = (np.isfinite(lower) | np.isfinite(upper)) & ~is_fixed
    if few and not bounded.any():
        refuse_few(problem.y.size, n - int(np.count_nonzero(is_fixed)))
    if not bounded.any() and not is_fixed.any():
        return _with_named(x, p0, names) if named else x
    if bounded.any() and method == "lm":
        raise ValueError("method must be 'trf', 'dogbox' or None with bounds; it is 'lm'")
    problem.bounds, problem.fixed = bounds, fixed
    if p0 is None or named:
        x = np.clip(x, lower, upper) if is_compiled_model(problem.f) else _inside(lower, upper)
        x = _with_named(x, p0, names) if named else x
    if p0 is not None and not related:
        _refuse_outside(x, lower, upper, is_fixed)
    return x


def _with_named(x: Array, p0: Mapping[str, float], names: Sequence[str] | None) -> Array:
    """Return a starting point with the values that a mapping gives by name."""
    given = named_start("p0", p0, names, tuple(names or ()))
    return np.where(np.isnan(given), x, given)


def refuse_few(m: int, n: int) -> None:
    """Raise TypeError if there are fewer points than parameters."""
    if m < n:
        raise TypeError(
            f"The number of func parameters={n} must not exceed the number of data points={m}"
        )


def _default(problem: Any, names: Sequence[str] | None) -> Array:
    """Return the guess of a compiled model, or 1 for each parameter."""
    if is_compiled_model(problem.f):
        return _guess(problem)
    if names is None:
        raise ValueError(
            "Unable to determine number of fit parameters: p0 must be given, because the "
            "signature of f does not contain its parameters"
        )
    return np.ones(len(names))


def _guess(problem: Any) -> Array:
    try:
        return np.array(problem.f.guess(_one_row(problem.t), problem.y[None])[0])
    except NotImplementedError:
        return np.ones(problem.f.n)


def _one_row(t: Any) -> Any:
    """Return the points of a curve as a stack with one curve."""
    return tuple(part[None] for part in t) if isinstance(t, tuple) else t[None]


def _given(p0: Any) -> Array:
    """Return p0 as a new vector."""
    try:
        x, bad = start(p0, True)
    except TypeError:
        # The same check with the name of this argument in its message.
        real_array("p0", p0)
        raise
    if x.size == 0:
        raise ValueError("p0 must not be empty")
    if bad >= 0:
        raise ValueError(f"p0 must be finite; its entry {bad} is {x[bad]}")
    return x


def _inside(lower: Array, upper: Array) -> Array:
    """Return the middle of two bounds, 1 inside a single bound, or 1 without bounds."""
    with np.errstate(invalid="ignore"):
        middle = 0.5 * lower + 0.5 * upper
    x = np.where(np.isfinite(lower), lower + 1.0, np.where(np.isfinite(upper), upper - 1.0, 1.0))
    return np.where(np.isfinite(middle), middle, x)


def _refuse_outside(x: Array, lower: Array, upper: Array, fixed: NDArray[np.bool_]) -> None:
    outside = ~((lower <= x) & (x <= upper)) & ~(fixed & (lower == upper))
    if outside.any():
        j = int(np.argmax(outside))
        raise ValueError(
            f"Initial guess is outside of provided bounds: p0[{j}] is {x[j]}, and its bounds are "
            f"{lower[j]} and {upper[j]}"
        )
