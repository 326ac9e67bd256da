"""Functions of single numbers that np.vectorize applies to each point."""

from typing import Any

import numpy as np

from lmoo.models.tracing.applied import common_mask
from lmoo.models.tracing.paths import of_paths
from lmoo.models.tracing.placeholder import Placeholder, as_placeholder
from lmoo.models.tracing.recorder import Recorder

_INTEGERS = (bool, int, np.bool_, np.integer)


def each_point(
    recorder: Recorder, vectorized: Any, f: Any, args: Any, named: dict[str, Any]
) -> Placeholder:
    """Return the value of a function that is called for each point.

    In the function the points are numbers: it may branch on them.

    Parameters
    ----------
    recorder : Recorder
    vectorized : np.vectorize
    f : callable
        The function, with substitutes.
    args, named
        The arguments of the call.
    """
    # The reason why this is refused tells more than that of a call without substitutes.
    recorder.converts = True
    otypes = vectorized.otypes
    if vectorized.signature is not None or (otypes and [*map(np.dtype, otypes)] != [np.float64]):
        recorder.refuse("np.vectorize with a signature, or of other numbers than float")
    keys = [*range(len(args)), *named]
    given = {
        key: value if key in vectorized.excluded else _of_points(recorder, value)
        for key, value in zip(keys, [*args, *named.values()], strict=True)
    }
    parts = [value for value in given.values() if isinstance(value, Placeholder)]
    mask = common_mask(recorder, parts)
    numbers = {
        key: value._like(points=False, mask=None)
        if isinstance(value, Placeholder) and key not in vectorized.excluded
        else value
        for key, value in given.items()
    }
    ordered = [numbers[k] for k in range(len(args))]

    def run() -> Placeholder:
        value = f(*ordered, **{key: numbers[key] for key in named})
        if isinstance(value, _INTEGERS) and not otypes:
            recorder.refuse(
                "np.vectorize makes integers of all values if that of the first point is one; give "
                "it otypes=[float]"
            )
        return as_placeholder(recorder, value)._like(points=True, mask=mask)

    outer = recorder.decisions, recorder.path, recorder.each
    recorder.decisions, recorder.each = [], True
    try:
        return of_paths(recorder, run)
    finally:
        recorder.decisions, recorder.path, recorder.each = outer


def _of_points(recorder: Recorder, value: Any) -> Any:
    """Return an argument with the placeholder of an array that has a number for each point."""
    if isinstance(value, np.ndarray) and value.ndim > 0:
        return as_placeholder(recorder, value)
    return value
