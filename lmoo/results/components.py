"""The curves of the parts of a model that is composed of several."""

from typing import Any

from lmoo._core.arrays import Array
from lmoo.results.curve import curve_of
from lmoo.results.fit import Fit
from lmoo.results.statistics import points_of


def model_with_parts(f: Any) -> Any:
    """Return the graph of a model, which knows its parts; None for a function.

    Parameters
    ----------
    f : callable
        The model of a curve.
    """
    # A compiled model has its graph as `model`, whose variables have names.
    for model in (getattr(f, "model", None), f):
        if hasattr(model, "evaluate_components"):
            return model
    return None


def components(result: Fit, t: Any) -> dict[str, Array]:
    """Return the values of each part of the model at t, by the names of the parts."""
    curve = curve_of(result, "components", ("f", "t") if t is None else ("f",))
    model = model_with_parts(curve.f)
    if model is None:
        raise TypeError(
            "components needs a model that knows its parts: one of lmoo.models, an "
            f"lmoo.Expression, or a sum of these; the model of this fit is {curve.f!r}"
        )
    where = curve.t if t is None else points_of(t)
    found: dict[str, Array] = model.evaluate_components(where, *result.x)
    return found
