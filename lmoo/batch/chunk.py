"""Evaluate the model for a chunk of fits at once."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.batch import CurveModel, ModelFits, Separation, SlotFits
from lmoo._core.masks import refuse_masked
from lmoo.errors import EvaluationError
from lmoo.models.problem import is_compiled_model

__all__ = ["Chunk", "Model", "check_vectorized", "with_zeros"]

Array = NDArray[np.float64]

_REMEDY = "return a number for each point, or mask the points of t and y that are to be left out"


class Model:
    """A Python model: the arguments f, jac and vectorized of `curve_fit_many`.

    Parameters
    ----------
    f : callable
        ``f(t, *parameters)``.
    jac : callable or None
        ``jac(t, *parameters)``.
    vectorized : bool
        Whether f and jac take columns of parameters, (k, 1).
    """

    def __init__(self, f: Callable[..., Any], jac: Callable[..., Any] | None, vectorized: bool):
        self.f, self.jac, self.vectorized = f, jac, vectorized

    def values(self, t: Any, x: Array, m: int) -> Array:
        """Return the values of the model for k fits, (k, m); x is (k, n)."""
        with np.errstate(all="ignore"):
            if self.vectorized:
                return _shaped("f", self.f(t, *x.T[:, :, None]), (len(x), m))
            rows = [_shaped("f", self.f(_row(t, i), *p), (m,)) for i, p in enumerate(x)]
            return np.stack(rows)

    def of_one(self) -> tuple[Callable[..., Any], Callable[..., Array] | None]:
        """Return the functions of one curve: its values, and its derivatives or None."""
        return self.f, self.single_jacobian()

    def single_jacobian(self) -> Callable[..., Array] | None:
        """Return a function for the derivatives of one curve, (m, n); None without jac."""
        jac = self.jac
        if jac is None:
            return None

        def single(t: Any, *parameters: float) -> Array:
            m = (t[0] if isinstance(t, tuple) else t).size
            return _columns(jac(t, *parameters), (m,), len(parameters)).T

        return single

    def derivatives(self, t: Any, x: Array, m: int) -> Array:
        """Return the derivatives of k fits by their parameters, (k, n, m)."""
        assert self.jac is not None
        with np.errstate(all="ignore"):
            if self.vectorized:
                return _columns(self.jac(t, *x.T[:, :, None]), (len(x), m), x.shape[1])
            return np.stack(
                [_columns(self.jac(_row(t, i), *p), (m,), x.shape[1]) for i, p in enumerate(x)]
            )


def _row(t: Any, i: int) -> Any:
    """Return the independent variable of fit i."""
    if isinstance(t, tuple):
        return tuple(_row(part, i) for part in t)
    return t if t.ndim == 1 else t[i]


def _shaped(name: str, value: Any, shape: tuple[int, ...]) -> Array:
    """Return a value of the model, broadcast to the shape expected."""
    array = np.asarray(refuse_masked(f"what {name} returns", value, _REMEDY))
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must return real numbers; it returned dtype {array.dtype}")
    try:
        return np.broadcast_to(np.asarray(array, dtype=np.float64), shape)
    except ValueError:
        raise ValueError(
            f"{name} must return an array that broadcasts to {shape}; it returned shape "
            f"{array.shape}"
        ) from None


def _columns(value: Any, shape: tuple[int, ...], n: int) -> Array:
    """Return derivatives, n arrays or one array (..., m, n), as an array (..., n, m)."""
    if isinstance(value, (tuple, list)):
        if len(value) != n:
            raise ValueError(f"jac must return {n} arrays; it returned {len(value)}")
        return np.stack([_shaped("jac", column, shape) for column in value], axis=-2)
    return np.swapaxes(_shaped("jac", value, (*shape, n)), -1, -2)


class Chunk:
    """The data of k fits and their model.

    Parameters
    ----------
    model : Model or CompiledModel
    t : list of (1, m) or (k, m) arrays
        The independent variables.
    many : bool
        Whether the model takes the independent variables as a tuple.
    y : (k, m) array, contiguous
        The dependent variable.
    weights : (1, m) or (k, m) array, contiguous, or None
        Factors of the residuals; 0 for a missing point.

    Attributes
    ----------
    priors : int
        How many of the points, the last ones, are priors.
    """

    priors = 0

    def __init__(
        self,
        model: Any,
        t: list[Array],
        many: bool,
        y: Array,
        weights: Array | None,
    ) -> None:
        self.model, self.t, self.many, self.y, self.weights = model, t, many, y, weights
        self.m = y.shape[1]

    def padded(self, least: int) -> "Chunk":
        """Return the chunk with at least this number of points, the further ones of weight 0.

        The iteration needs as many rows as there are parameters; rows of zeros change no result.
        """
        more = max(least - self.m, 0)
        if more == 0:
            return self
        other = copy.copy(self)
        weights = np.ones((1, self.m)) if self.weights is None else self.weights
        other.y, other.weights = with_zeros(self.y, least), with_zeros(weights, least)
        other.t = [np.pad(part, ((0, 0), (0, more)), mode="edge") for part in self.t]
        other.m = least
        return other

    def points(self, which: NDArray[np.intp]) -> Any:
        """Return the independent variables of some fits, in the form that the model expects."""
        rows = tuple(part[0] if len(part) == 1 else part[which] for part in self.t)
        return rows if self.many else rows[0]

    @property
    def compiled(self) -> bool:
        """Whether the fits are solved without Python, by `solve_batch`."""
        return is_compiled_model(self.model)

    def solve_batch(self, rows: slice, *options: Any) -> SlotFits:
        """Return the compiled solves of some of the fits; options: those of `SlotFits`."""
        return self._fits(rows, options, self.model._model)

    def reduced_batch(
        self, separation: Separation, models: tuple[CurveModel, CurveModel], *options: Any
    ) -> ModelFits:
        """Return the compiled solves of all fits without the parameters that are eliminated.

        models: with derivatives by these, and by the others
        """
        return self._fits(slice(None), options, models[0], separation, models[1])

    def _fits(
        self, rows: slice, options: tuple[Any, ...], model: CurveModel, *more: Any
    ) -> ModelFits:
        t = np.ascontiguousarray(np.stack(np.broadcast_arrays(*self.t), axis=1))
        return ModelFits(
            *options, model, _rows(t, rows), self.y[rows], _rows(self.weights, rows), *more
        )

    def values(self, which: NDArray[np.intp], x: Array) -> Array:
        """Return the values of the model for some fits at x, (len(which), m)."""
        model = self.model
        if is_compiled_model(model):
            return model(self.points(which), *x.T[:, :, None])
        return np.asarray(model.values(self.points(which), x, self.m))

    def derivatives(self, which: NDArray[np.intp], x: Array) -> Array:
        """Return the derivatives of the model for some fits at x, (len(which), n, m)."""
        return np.asarray(self.model.derivatives(self.points(which), x, self.m))

    def evaluated(
        self, function: Callable[..., Array], which: NDArray[np.intp], x: Array
    ) -> tuple[Array, dict[int, Exception]]:
        """Return function(which, x), with NaN at bad points, and the other exceptions by row.

        If the call for all fits raises, each fit is evaluated alone, so that only those that raise
        are refused.
        """
        try:
            return function(which, x), {}
        except Exception:
            pass
        raised: dict[int, Exception] = {}
        rows: list[Array | None] = []
        for i in range(len(which)):
            row = None
            try:
                row = function(which[i : i + 1], x[i : i + 1])[0]
            except EvaluationError:
                pass
            except Exception as error:
                raised[i] = error
            rows.append(row)
        jacobian = function == self.derivatives
        bad = np.full((x.shape[1], self.m) if jacobian else (self.m,), np.nan)
        return np.stack([bad if row is None else row for row in rows]), raised


def _rows(array: Array | None, rows: slice) -> Array | None:
    """Return the rows of some fits; a single row belongs to all fits."""
    return array if array is None or len(array) == 1 else array[rows]


def with_zeros(array: Array, columns: int) -> Array:
    """Return an array with zeros after its last axis, which has at least this length then."""
    more = max(columns - array.shape[-1], 0)
    return np.pad(array, [(0, 0)] * (array.ndim - 1) + [(0, more)]) if more else array


def _shifted(x: Array, shift: Array, edges: Array) -> Array:
    """Return x + shift, or x - shift, clipped to the bounds; fixed parameters stay as they are."""
    lower, upper = edges
    inside = (lower <= x + shift) & (x + shift <= upper)
    points = np.clip(np.where(inside, x + shift, x - shift), lower, upper)
    return np.where(np.isnan(lower), x, points)


def check_vectorized(
    chunk: Chunk, x: Array, edges: Array | None = None, record: bool = False
) -> None:
    """Raise ValueError if the values for three fits depend on whether they are evaluated together.

    Parameters
    ----------
    chunk : Chunk
    x : (k, n) array
        A point for each fit of the chunk.
    edges : (2, n) array, optional
        Bounds as `box` returns them.
    record : bool, default False
        Whether the model may raise, which the solves record.
    """
    model = chunk.model
    bad: type[Exception] = Exception if record else EvaluationError
    which = np.unique(np.linspace(0, len(x) - 1, 3).astype(np.intp))
    # At equal points a model that mixes the fits would return equal values.
    scale = np.where(x[which] == 0, 1.0, x[which])
    shift = (0.01 * np.arange(len(which))[:, None] * scale).astype(np.float64)
    points = x[which] + shift if edges is None else _shifted(x[which], shift, edges)
    alone = Model(model.f, model.jac, vectorized=False)
    _compare("f", chunk, which, points, alone.values, model.values, bad)
    if model.jac is not None:
        _compare("jac", chunk, which, points, alone.derivatives, model.derivatives, bad)


def _compare(
    name: str,
    chunk: Chunk,
    which: NDArray[np.intp],
    x: Array,
    alone: Callable[..., Array],
    together: Callable[..., Array],
    bad: type[Exception],
) -> None:
    hint = (
        f"{name} must take parameters as columns of shape (k, 1) that broadcast against t, each "
        "row of what it returns depending on its own parameters alone"
    )
    remedy = "write it elementwise, or pass vectorized=False, which evaluates fit by fit"
    t = chunk.points(which)
    try:
        expected = alone(t, x, chunk.m)
    except bad:
        return
    try:
        found = together(t, x, chunk.m)
    except Exception as error:
        raise ValueError(f"{hint}; for {len(which)} fits it raised {error!r}: {remedy}") from error
    size = np.abs(np.where(np.isfinite(expected), expected, 0.0)).max(initial=0.0)
    if not np.allclose(found, expected, rtol=1e-9, atol=1e-12 * size, equal_nan=True):
        raise ValueError(
            f"{hint}; the values for {len(which)} fits together differ from those for each alone: "
            f"{remedy}"
        )
