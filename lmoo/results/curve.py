"""The curve behind a result, as its problem says it, and the derivatives of its model."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.masks import refuse_masked
from lmoo.problems.curve import UNKNOWN, Curve
from lmoo.results.fit import Fit
from lmoo.results.linearization import differences, problem_of

__all__ = ["curve_of", "slopes"]

Array = NDArray[np.float64]


def curve_of(result: Fit, what: str, needed: tuple[str, ...] = ("f", "t", "y")) -> Curve:
    """Return the curve of a result.

    Parameters
    ----------
    result : Fit
    what : str
        What it is needed for.
    needed : tuple of str
        What of it is needed.

    Raises
    ------
    TypeError
        The problem has none: it is a residual, of which only its author knows what it means.
    ValueError
        The result has no problem.
    """
    problem = problem_of(result, what)
    curve = _curve(problem)
    missing = [name for name in needed if getattr(curve, name) is None]
    if missing:
        raise TypeError(
            f"{what} needs a problem that says what curve it fits, such as a CurveProblem or the "
            f"problem of a compiled model; {type(problem).__name__} has no {', '.join(missing)}: "
            "a method as_curve() that returns an lmoo.curve.Curve tells them"
        )
    return curve


def _curve(problem: Any) -> Curve:
    """Return what the problem says of its curve, or its model alone."""
    say = getattr(problem, "as_curve", None)
    if say is None:
        # A model can be evaluated at any t; how the residual weighs its values is not known.
        f = getattr(problem, "f", None)
        return Curve(f if callable(f) else None, getattr(problem, "t", None), sigma=UNKNOWN)
    curve = say()
    if not isinstance(curve, Curve):
        raise TypeError(
            f"as_curve() of {type(problem).__name__} must return an lmoo.curve.Curve; it returned "
            f"{curve!r}"
        )
    for name in ("t", "y", "sigma"):
        value = getattr(curve, name)
        for part in value if isinstance(value, tuple) else (value,):
            refuse_masked(f"{name} of the Curve that as_curve() returns", part)
    return curve


def slopes(curve: Curve, t: Any, result: Fit) -> Array:
    """Return the derivatives of a curve's model by the parameters at t, (k, n)."""
    x = result.x
    if curve.jac is not None:
        try:
            found = np.asarray(curve.jac(t, *x), dtype=np.float64)
            return np.where(result.fixed, 0.0, found.reshape(-1, x.size))
        except NotImplementedError:
            # A compiled model without derivatives.
            pass
    return differences(lambda point: curve.values(t, point), x, result)
