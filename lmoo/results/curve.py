"""The model and the data of a result, and the derivatives of the model."""

from typing import Any

import numpy as np

from lmoo._core.arrays import Array
from lmoo._core.masks import refuse_masked
from lmoo.problems.curve import UNKNOWN, Curve
from lmoo.results.fit import Fit
from lmoo.results.linearization import differences, problem_of


def curve_of(result: Fit, what: str, needed: tuple[str, ...] = ("f", "t", "y")) -> Curve:
    """Return the model and the data of a result.

    Parameters
    ----------
    result : Fit
    what : str
        The method that needs the curve, for messages.
    needed : tuple of str
        The fields of the curve that the method needs.

    Raises
    ------
    TypeError
        The problem has a residual, but does not define its model and data.
    ValueError
        The result has no problem.
    """
    problem = problem_of(result, what)
    curve = _curve(problem)
    missing = [name for name in needed if getattr(curve, name) is None]
    if missing:
        raise TypeError(
            f"{what} needs a problem that defines its curve, such as a CurveProblem or the "
            f"problem of a compiled model; {type(problem).__name__} has no {', '.join(missing)}: "
            "a method as_curve() that returns an lmoo.curve.Curve defines them"
        )
    return curve


def known_curve(result: Fit) -> Curve | None:
    """Return the model and the data of a result; None if it has none.

    A report must not fail because of a problem's as_curve().
    """
    try:
        return curve_of(result, "the report")
    except Exception:
        return None


def _curve(problem: Any) -> Curve:
    """Return the problem's `Curve`; without a method as_curve(), its model f alone."""
    as_curve = getattr(problem, "as_curve", None)
    if as_curve is None:
        # The model can be evaluated at any t; the weights of the residual are not known.
        f = getattr(problem, "f", None)
        return Curve(f if callable(f) else None, getattr(problem, "t", None), sigma=UNKNOWN)
    curve = as_curve()
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
    """Return the derivatives of the model by the parameters at t, (k, n)."""
    x = result.x
    if curve.jac is not None:
        try:
            found = np.asarray(curve.jac(t, *x), dtype=np.float64)
            return np.where(result.fixed, 0.0, found.reshape(-1, x.size))
        except NotImplementedError:
            # Compiled models without derivatives raise this.
            pass
    return differences(lambda point: curve.values(t, point), x, result)
