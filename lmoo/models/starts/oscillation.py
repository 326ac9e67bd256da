"""The frequency of a model's oscillation, relative to the sampling of the data."""

import numpy as np

from lmoo._core.arrays import Array
from lmoo.models.expression import Expression
from lmoo.models.expression.tree import ExpressionTree
from lmoo.models.starts.features import fastest, spacing
from lmoo.models.starts.functions import PERIODIC


def most_oscillation(t: Array) -> float:
    """Return the largest `oscillation` that sampling at t can resolve: 1 for even sampling.

    Parameters
    ----------
    t : (m,) or (k, m) float64 array
    """
    if t.ndim > 1:
        return 1.0
    return fastest(t) * spacing(t) / np.pi or 1.0


def oscillation(model: Expression, t: Array, point: Array) -> float:
    """Return how fast a model oscillates between neighbouring points of the data.

    Parameters
    ----------
    model : Expression
    t : (m,) or (k, m) float64 array
    point : (n,) float64 array
        Values of the parameters.

    Returns
    -------
    float
        The median change of the argument of a periodic function between neighbouring points, in
        half turns; the largest one if there are several periodic functions.  0 for a model without
        a periodic function, or with several variables.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> from lmoo.models.starts.oscillation import oscillation
    >>> model = lmoo.Expression("a*sin(w*t)")
    >>> round(oscillation(model, np.arange(9.0), np.array([1.0, 2 * np.pi + 0.1])), 3)
    2.032
    """
    if t.ndim > 1:
        return 0.0
    tree = ExpressionTree.of(model.text, model.variables, model.parameter_names)
    points = np.unique(t)
    points = points[np.r_[True, np.diff(points) > 1e-9 * np.ptp(points)]]
    most = 0.0
    for node in tree.nodes:
        if node.function in PERIODIC and node.varies and points.size > 1:
            with np.errstate(all="ignore"):
                angle = tree.value(node.children[0], [points], list(point))
                most = max(most, float(np.median(np.abs(np.diff(angle)))) / np.pi)
    return most
