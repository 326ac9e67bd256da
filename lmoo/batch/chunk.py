"""A stack of curves and the model that is fitted to each: its evaluation for many fits at once."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.masks import refuse_masked
from lmoo._core.modelfits import ModelFits, SlotFits
from lmoo.errors import EvaluationError
from lmoo.models.library import CompiledModel

__all__ = ["Chunk", "Model", "check_vectorized"]

Array = NDArray[np.float64]

_REMEDY = "return a number for each point, or mask the points of t and y that are to be left out"


class Model:
    """A model as `curve_fit_many` is given it.

    Parameters
    ----------
    f : callable
        ``f(t, *parameters)``.
    jac : callable or None
        ``jac(t, *parameters)``.
    vectorized : bool
        They take columns of parameters, (k, 1).
    """

    def __init__(self, f: Callable[..., Any], jac: Callable[..., Any] | None, vectorized: bool):
        self.f, self.jac, self.vectorized = f, jac, vectorized

    def values(self, t: Any, x: Array, m: int) -> Array:
        """Return the model of k fits, (k, m); x is (k, n)."""
        with np.errstate(all="ignore"):
            if self.vectorized:
                return _shaped("f", self.f(t, *x.T[:, :, None]), (len(x), m))
            rows = [_shaped("f", self.f(_row(t, i), *p), (m,)) for i, p in enumerate(x)]
            return np.stack(rows)

    def single_jacobian(self) -> Callable[..., Array] | None:
        """Return the derivatives of one curve by numbers, (m, n); None where there are none."""
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
    """Return what one fit is measured against."""
    if isinstance(t, tuple):
        return tuple(_row(part, i) for part in t)
    return t if t.ndim == 1 else t[i]


def _shaped(name: str, value: Any, shape: tuple[int, ...]) -> Array:
    """Return what the model returned in the shape that it stands for."""
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
    """Return a Jacobian, a sequence of n arrays or one with n last, as (..., n, m)."""
    if isinstance(value, (tuple, list)):
        if len(value) != n:
            raise ValueError(f"jac must return {n} arrays; it returned {len(value)}")
        return np.stack([_shaped("jac", column, shape) for column in value], axis=-2)
    return np.swapaxes(_shaped("jac", value, (*shape, n)), -1, -2)


class Chunk:
    """Some fits of a stack, with their data.

    Parameters
    ----------
    model : Model or CompiledModel
    t : list of (1, m) or (k, m) arrays
        What the curves are measured against; more than one where the model takes a tuple.
    many : bool
        It does.
    y : (k, m) array, contiguous
    weights : (1, m) or (k, m) array, contiguous, or None
        By which residuals are multiplied; 0 for a point that is missing.
    """

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

    def points(self, who: NDArray[np.intp]) -> Any:
        """Return what these fits are measured against, as the model takes it."""
        rows = tuple(part[0] if len(part) == 1 else part[who] for part in self.t)
        return rows if self.many else rows[0]

    @property
    def compiled(self) -> bool:
        """Whether it is solved without Python, by its `fleet`."""
        return isinstance(self.model, CompiledModel)

    def fleet(self, part: slice, *options: Any) -> SlotFits:
        """Return the compiled solves of some of the fits; options: those of `SlotFits`."""
        t = np.ascontiguousarray(np.stack(np.broadcast_arrays(*self.t), axis=1))
        return ModelFits(
            *options, self.model._model, _part(t, part), self.y[part], _part(self.weights, part)
        )

    def values(self, who: NDArray[np.intp], x: Array) -> Array:
        """Return the models of these fits at x, (len(who), m)."""
        model = self.model
        if isinstance(model, CompiledModel):
            return model(self.points(who), *x.T[:, :, None])
        return np.asarray(model.values(self.points(who), x, self.m))

    def derivatives(self, who: NDArray[np.intp], x: Array) -> Array:
        """Return their derivatives, (len(who), n, m)."""
        return np.asarray(self.model.derivatives(self.points(who), x, self.m))

    def tracked_down(
        self, function: Callable[..., Array], who: NDArray[np.intp], x: Array
    ) -> tuple[Array, dict[int, Exception]]:
        """Return function(who, x), with NaN for bad points, and what others raised.

        Where one raises, each is evaluated for itself, so that it is the only one to be refused.
        """
        try:
            return function(who, x), {}
        except Exception:
            pass
        raised: dict[int, Exception] = {}
        rows: list[Array | None] = []
        for i in range(len(who)):
            row = None
            try:
                row = function(who[i : i + 1], x[i : i + 1])[0]
            except EvaluationError:
                pass
            except Exception as error:
                raised[i] = error
            rows.append(row)
        jacobian = function == self.derivatives
        bad = np.full((x.shape[1], self.m) if jacobian else (self.m,), np.nan)
        return np.stack([bad if row is None else row for row in rows]), raised


def _part(array: Array | None, part: slice) -> Array | None:
    """Return the rows of some fits, or the one that is that of all."""
    return array if array is None or len(array) == 1 else array[part]


def _shifted(x: Array, shift: Array, edges: Array) -> Array:
    """Return x + shift, or x - shift, as far as the bounds allow; what is fixed stays."""
    lower, upper = edges
    inside = (lower <= x + shift) & (x + shift <= upper)
    points = np.clip(np.where(inside, x + shift, x - shift), lower, upper)
    return np.where(np.isnan(lower), x, points)


def check_vectorized(chunk: Chunk, x: Array, edges: Array | None = None) -> None:
    """Raise ValueError where a few fits come out differently alone and together.

    x: (k, n), as many points as the chunk has fits; edges: as `lmoo.bounds.box` returns them.
    """
    model = chunk.model
    who = np.unique(np.linspace(0, len(x) - 1, 3).astype(np.intp))
    # Fits that start from one point would not show that the model mixes them.
    scale = np.where(x[who] == 0, 1.0, x[who])
    shift = (0.01 * np.arange(len(who))[:, None] * scale).astype(np.float64)
    points = x[who] + shift if edges is None else _shifted(x[who], shift, edges)
    alone = Model(model.f, model.jac, vectorized=False)
    _compare("f", chunk, who, points, alone.values, model.values)
    if model.jac is not None:
        _compare("jac", chunk, who, points, alone.derivatives, model.derivatives)


def _compare(
    name: str,
    chunk: Chunk,
    who: NDArray[np.intp],
    x: Array,
    alone: Callable[..., Array],
    together: Callable[..., Array],
) -> None:
    hint = (
        f"{name} must take parameters as columns of shape (k, 1) that broadcast against t, each "
        "row of what it returns depending on its own parameters alone"
    )
    remedy = "write it elementwise, or pass vectorized=False, which evaluates fit by fit"
    t = chunk.points(who)
    try:
        expected = alone(t, x, chunk.m)
    except EvaluationError:
        return
    try:
        found = together(t, x, chunk.m)
    except Exception as error:
        raise ValueError(f"{hint}; for {len(who)} fits it raised {error!r}: {remedy}") from error
    size = np.abs(np.where(np.isfinite(expected), expected, 0.0)).max(initial=0.0)
    if not np.allclose(found, expected, rtol=1e-9, atol=1e-12 * size, equal_nan=True):
        raise ValueError(
            f"{hint}; for {len(who)} fits together it gives other numbers than for each alone: "
            f"{remedy}"
        )
