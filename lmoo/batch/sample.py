"""A sample of the curves of a stack: the first one, one from the middle and the last one."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array
from lmoo.batch.chunk import Model
from lmoo.batch.data import Dataset
from lmoo.batch.guesses import InitialGuesses
from lmoo.errors import EvaluationError


class Sample(NamedTuple):
    """Up to three curves, at which a model is checked.

    which : (k,) intp array, the numbers of the curves
    t : their independent variables, in the form that the model expects
    x : (k, n), their starting values
    edges : (2, n) or (2, k, n), their bounds, or None
    m : int, the number of points of a curve
    """

    which: NDArray[np.intp]
    t: Any
    x: Array
    edges: Array | None
    m: int


def sample_of(dataset: Dataset, guesses: InitialGuesses) -> Sample:
    """Return the sample of a stack with a curve at least."""
    last = dataset.count - 1
    which = np.array(sorted({0, dataset.count // 2, last}))
    edges = guesses.edges
    if edges is not None and edges.ndim == 3:
        edges = np.swapaxes(edges[which], 0, 1)
    return Sample(which, dataset.variables(which), guesses.of_each(which), edges, dataset.m)


def check_vectorized(model: Model, sample: Sample, record: bool = False) -> None:
    """Raise ValueError if the values for three fits depend on whether they are evaluated together.

    Parameters
    ----------
    model : Model
    sample : Sample
    record : bool, default False
        Whether the model may raise, which the solves record.
    """
    bad: type[Exception] = Exception if record else EvaluationError
    x, edges = sample.x, sample.edges
    # At equal points a model that mixes the fits would return equal values.
    shift: Array = 0.01 * np.arange(float(len(x)))[:, None] * np.where(x == 0.0, 1.0, x)
    points = x + shift if edges is None else _shifted(x, shift, edges)
    alone = Model(model.f, model.jac, vectorized=False)
    calls: list[tuple[str, Any, Any]] = [("f", alone.values, model.values)]
    if model.jac is not None:
        calls.append(("jac", alone.derivatives, model.derivatives))
    for name, single, together in calls:
        hint = (
            f"{name} must take parameters as columns of shape (k, 1) that broadcast against t, "
            "each row of what it returns depending on its own parameters alone"
        )
        remedy = "write it elementwise, or pass vectorized=False, which evaluates fit by fit"
        try:
            expected = single(sample.t, points, sample.m)
        except bad:
            continue
        try:
            found = together(sample.t, points, sample.m)
        except Exception as error:
            raise ValueError(f"{hint}; for {len(x)} fits it raised {error!r}: {remedy}") from error
        if not _agree(found, expected):
            raise ValueError(
                f"{hint}; the values for {len(x)} fits together differ from those for each alone: "
                f"{remedy}"
            )


def _agree(found: Array, expected: Array) -> bool:
    """Return whether values are equal but for rounding."""
    if (found == expected).all():
        return True
    size = np.abs(np.where(np.isfinite(expected), expected, 0.0)).max(initial=0.0)
    return np.allclose(found, expected, rtol=1e-9, atol=1e-12 * size, equal_nan=True)


def _shifted(x: Array, shift: Array, edges: Array) -> Array:
    """Return x + shift, or x - shift, clipped to the bounds; fixed parameters stay as they are."""
    lower, upper = edges
    inside = (lower <= x + shift) & (x + shift <= upper)
    points = np.clip(np.where(inside, x + shift, x - shift), lower, upper)
    return np.where(np.isnan(lower), x, points)
