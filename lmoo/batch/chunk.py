"""Evaluate the model for a chunk of fits at once."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array
from lmoo._core.batch import CurveModel, ModelFits, Separation, SlotFits
from lmoo._core.masks import refuse_masked
from lmoo.errors import EvaluationError
from lmoo.models.problem import is_compiled_model

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
    if type(value) is np.ndarray and value.dtype == np.float64 and value.shape == shape:
        return value
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
        return ModelFits(
            *options,
            model,
            _rows(stacked(self.t), rows),
            self.y[rows],
            _rows(self.weights, rows),
            *more,
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


def stacked(t: list[Array]) -> Array:
    """Return independent variables, (1, m) or (k, m) each, as one array (1 or k, variables, m)."""
    if len(t) == 1:
        return np.ascontiguousarray(t[0][:, None])
    return np.ascontiguousarray(np.stack(np.broadcast_arrays(*t), axis=1))


def _rows(array: Array | None, rows: slice) -> Array | None:
    """Return the rows of some fits; a single row belongs to all fits."""
    return array if array is None or len(array) == 1 else array[rows]


def with_zeros(array: Array, columns: int) -> Array:
    """Return an array with zeros after its last axis, which has at least this length then."""
    more = max(columns - array.shape[-1], 0)
    return np.pad(array, [(0, 0)] * (array.ndim - 1) + [(0, more)]) if more else array
