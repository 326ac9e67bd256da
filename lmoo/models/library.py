"""Models of curves in compiled code: with derivatives, starting values, and names of parameters."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lmoo._core.curvemodel import CurveModel, CurveModelProblem
from lmoo._core.models import TABLE_OF
from lmoo.errors import EvaluationError
from lmoo.problems.arguments import checked_capsule, positive, real_array
from lmoo.problems.curve import Curve
from lmoo.problems.data import without_masked

Array = NDArray[np.float64]


class CompiledModel:
    """A model of curves, y = f(t, x), in compiled code.

    It is called as ``f(t, *parameters)``, it makes problems for `lmoo.Solver`, and
    `lmoo.curve_fit_many` fits it to any number of curves without touching Python.

    Parameters
    ----------
    table : PyCapsule
        Of the name ``lmoo_model``, pointing to an ``lmoo_model`` of lmoo.h, the functions of
        which live as long as the capsule.
    parameter_names : sequence of str, optional
        One per parameter.

    Attributes
    ----------
    n : int
        Parameters.
    variables : int
        Independent variables; t is a tuple of as many arrays where there are several.
    parameter_names : tuple of str or None

    Raises
    ------
    TypeError
        `table` is no such capsule.
    ValueError
        A table without parameters or values; as many names as there are no parameters.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> model = lmoo.models.Exponential()
    >>> t = np.linspace(0, 4, 9)
    >>> model.parameter_names, model(t, 2.0, 0.5, 1.0)[:2].round(3)
    (('amplitude', 'rate', 'offset'), array([3.   , 2.558]))
    >>> problem = model.problem(t, model(t, 2.0, 0.5, 1.0))
    >>> lmoo.Solver().solve(problem, [1, 1, 0]).x.round(6)
    array([2. , 0.5, 1. ])
    """

    parameter_names: tuple[str, ...] | None = None

    def __init__(self, table: Any, parameter_names: Sequence[str] | None = None) -> None:
        self._model = CurveModel(checked_capsule(table, "lmoo_model"))
        if parameter_names is not None:
            self.parameter_names = tuple(str(name) for name in parameter_names)
        if self.parameter_names is not None and len(self.parameter_names) != self.n:
            raise ValueError(
                f"parameter_names must have one entry per parameter, {self.n}; it is "
                f"{self.parameter_names!r}"
            )

    @property
    def n(self) -> int:
        """Parameters."""
        return self._model.n

    @property
    def variables(self) -> int:
        """Independent variables."""
        return self._model.variables

    def __call__(self, t: Any, *parameters: ArrayLike) -> Array:
        """Return the values of the model, (m,), or (k, m) for parameters of shape (k, 1).

        Parameters
        ----------
        t : (m,) or (k, m) array_like, or a tuple of them
        *parameters : float or (k, 1) array_like
            n of them.

        Raises
        ------
        EvaluationError
            The model has no value there.
        """
        points, x, single = self._arguments(t, parameters)
        values = self._evaluate(points, x, False)
        return values[0] if single else values

    def jacobian(self, t: Any, *parameters: ArrayLike) -> Array:
        """Return the derivatives by the parameters, (m, n), or (k, m, n); NaN-free where defined.

        Parameters
        ----------
        t, *parameters
            As for a call of the model.

        Raises
        ------
        NotImplementedError
            The model knows none.
        """
        if not self.provides_jacobian:
            raise NotImplementedError(f"{type(self).__name__} has no derivatives")
        points, x, single = self._arguments(t, parameters)
        columns = np.swapaxes(self._evaluate(points, x, True), 1, 2)
        return columns[0] if single else columns

    def guess(self, t: Any, y: Array) -> Array:
        """Return starting values for some curves, (k, n).

        A model of one's own that writes this method is asked with y of shape (k, m); those of
        `lmoo.models` take one curve as well.

        Parameters
        ----------
        t : (m,) or (k, m) array, or a tuple of them
        y : (k, m) array
        """
        raise NotImplementedError(f"{type(self).__name__} has no guess; pass p0")

    @property
    def provides_jacobian(self) -> bool:
        """Whether the model knows its derivatives."""
        return self._model.has_derivatives

    def problem(
        self,
        t: Any,
        y: ArrayLike,
        sigma: ArrayLike | None = None,
        *,
        bounds: Any = None,
        fixed: Any = None,
    ) -> "ModelProblem":
        """Return the problem of fitting one curve, for `lmoo.Solver`.

        Parameters
        ----------
        t : (m,) array_like, or a tuple of them
        y : (m,) array_like
        sigma : float or (m,) array_like, optional
            Standard deviations, by which residuals are divided.  Points that are masked in t, y or
            sigma (``numpy.ma``) are left out.
        bounds, fixed : optional
            See `lmoo.bounds.limits`; they are looked at when the problem is solved.

        Returns
        -------
        ModelProblem
            A `CompiledProblem` that knows its data.
        """
        return ModelProblem(self, t, y, sigma, bounds, fixed)

    def _arguments(self, t: Any, parameters: Sequence[ArrayLike]) -> tuple[Array, Array, bool]:
        """Return t as (1 or k, variables, m), x as (k, n), and whether it is one curve."""
        if len(parameters) != self.n:
            raise TypeError(f"{type(self).__name__} takes {self.n} parameters: {len(parameters)}")
        parts = tuple(real_array("t", part) for part in (t if isinstance(t, tuple) else (t,)))
        if len(parts) != self.variables:
            raise ValueError(
                f"t must be {self.variables} arrays for {type(self).__name__}; it has {len(parts)}"
            )
        rows = [part if part.ndim == 2 else part.reshape(1, -1) for part in parts]
        points = np.ascontiguousarray(np.stack(np.broadcast_arrays(*rows), axis=1))
        columns = [real_array("parameters", p).reshape(-1) for p in parameters]
        x = np.ascontiguousarray(np.stack(np.broadcast_arrays(*columns), axis=1))
        single = len(x) == 1 and all(np.ndim(p) == 0 for p in parameters) and parts[0].ndim < 2
        if len(points) not in (1, len(x)):
            x = np.ascontiguousarray(np.broadcast_to(x, (len(points), self.n)))
        return points, x, single

    def _evaluate(self, points: Array, x: Array, derivatives: bool) -> Array:
        values, codes = self._model.evaluate(points, x, derivatives)
        if codes.any():
            raise EvaluationError(f"{type(self).__name__} returned {codes[codes != 0][0]}")
        return values


class ModelProblem(CurveModelProblem):
    """One curve and a compiled model of it, as a problem; made by `CompiledModel.problem`.

    Attributes
    ----------
    f : CompiledModel
    t : (m,) float64 array, or a tuple of them
    y : (m,) float64 array
    sigma : None or (m,) float64 array
    bounds, fixed
        As given.
    parameter_names : tuple of str or None
    """

    def __init__(
        self,
        f: CompiledModel,
        t: Any,
        y: ArrayLike,
        sigma: ArrayLike | None = None,
        bounds: Any = None,
        fixed: Any = None,
    ) -> None:
        t, y, sigma = without_masked(t, y, sigma)
        points, _, _ = f._arguments(t, (0.0,) * f.n)
        values = np.ascontiguousarray(real_array("y", y))
        if len(points) != 1 or values.shape != (points.shape[2],):
            raise ValueError(
                f"y must have one value for each of t, shape {points.shape[2:]}; it has "
                f"{values.shape}"
            )
        weights = None
        if sigma is not None:
            sigma = np.array(np.broadcast_to(positive("sigma", sigma), values.shape))
            weights = 1.0 / sigma
        super().__init__(f._model, points[0], values, weights, f.parameter_names)
        self.f, self.y, self.sigma = f, values, sigma
        self.t = tuple(points[0]) if f.variables > 1 else points[0, 0]
        self.bounds, self.fixed = bounds, fixed

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("f", "t", "y", "sigma") and name in vars(self):
            raise AttributeError(
                f"{name} is compiled into the problem and cannot be changed; model.problem(...) "
                "makes another problem"
            )
        super().__setattr__(name, value)

    def as_curve(self) -> Curve:
        """Return model and data."""
        return Curve(self.f, self.t, self.y, self.sigma, self.f.jacobian)

    def __reduce__(self) -> Any:
        # The pointers in it mean nothing elsewhere.
        return type(self), (self.f, self.t, self.y, self.sigma, self.bounds, self.fixed)


class _BuiltIn(CompiledModel):
    """A model of lmoo's own."""

    _table = ""

    def __init__(self) -> None:
        super().__init__(TABLE_OF[self._table or _name(type(self))])

    def guess(self, t: Any, y: ArrayLike) -> Array:
        """Return starting values for one curve, (n,), or for several, (k, n).

        Parameters
        ----------
        t : (m,) or (k, m) array_like, or a tuple of them
        y : (m,) or (k, m) array_like
            Masked points of one curve are left out.

        Examples
        --------
        >>> import numpy as np, lmoo
        >>> model = lmoo.models.Exponential()
        >>> t = np.linspace(0, 4, 50)
        >>> model.guess(t, model(t, 2.0, 0.5, 1.0)).round(2)
        array([2. , 0.5, 1. ])
        """
        if np.ndim(y) == 1:
            t, y, _ = without_masked(t, y, None)
        values = real_array("y", y)
        parts = [real_array("t", part) for part in (t if isinstance(t, tuple) else (t,))]
        if len(parts) != self.variables:
            raise ValueError(
                f"t must be {self.variables} arrays for {type(self).__name__}; it has {len(parts)}"
            )
        if values.ndim not in (1, 2) or values.size == 0:
            raise ValueError(f"y must have shape (m,) or (k, m), m > 0; it has {values.shape}")
        for part in parts:
            if part.shape not in (values.shape[-1:], values.shape):
                raise ValueError(
                    f"t must have shape {values.shape[-1:]} or {values.shape}, that of y; it has "
                    f"{part.shape}"
                )
        rows = values if values.ndim == 2 else values[None]
        found = self._guess(tuple(parts) if self.variables > 1 else parts[0], rows)
        return found if values.ndim == 2 else np.array(found[0])

    def _guess(self, t: Any, y: Array) -> Array:
        """Return starting values for some curves, (k, n)."""
        raise NotImplementedError(f"{type(self).__name__} has no guess; pass p0")

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def __reduce__(self) -> Any:
        # The table is a pointer, which means nothing elsewhere.
        return type(self), ()


def _name(cls: type) -> str:
    """Return the name of the model that a class is, or is derived from."""
    return next(base.__name__ for base in cls.__mro__ if base.__name__ in TABLE_OF)


# ---- starting values ------------------------------------------------------------------------


def _full(t: Any, y: Array) -> Array:
    return np.broadcast_to(t, y.shape)


def _area(t: Array, y: Array) -> Array:
    """Return the integral of each curve up to each point, by the trapezoidal rule."""
    steps = 0.5 * (y[:, 1:] + y[:, :-1]) * np.diff(t, axis=1)
    return np.concatenate([np.zeros((len(y), 1)), np.cumsum(steps, axis=1)], axis=1)


def _range(t: Array) -> Array:
    """Return the length of each curve; 1 where that is 0."""
    length = np.ptp(t, axis=1)
    return np.asarray(np.where(length > 0, length, 1.0))


def project(columns: Sequence[Array], y: Array) -> Array:
    """Return the coefficients of each curve's least-squares fit by columns of (k, m), (k, n).

    By normal equations of columns scaled to norm 1, a little damped: to start from, that is enough,
    and it is always there.
    """
    n = len(columns)
    norms = [np.sqrt(np.einsum("km,km->k", c, c)) for c in columns]
    norms = [np.where(norm > 0, norm, 1.0) for norm in norms]
    gram, right = np.empty((len(y), n, n)), np.empty((len(y), n, 1))
    for i in range(n):
        right[:, i, 0] = np.einsum("km,km->k", columns[i], y) / norms[i]
        for j in range(i + 1):
            gram[:, i, j] = np.einsum("km,km->k", columns[i], columns[j]) / (norms[i] * norms[j])
            gram[:, j, i] = gram[:, i, j]
        gram[:, i, i] += 1e-10
    return np.asarray(np.linalg.solve(gram, right)[:, :, 0] / np.stack(norms, axis=1))


def _decay(t: Any, y: Array) -> tuple[Array, Array]:
    """Return t sorted, and a rate of each curve, from the integral equation of the exponential.

    y' = -b (y - c), integrated:  y - y_0 = -b int y + b c (t - t_0)   (Jacquelin 2009, "Regressions
    et equations integrales").
    """
    t = np.array(_full(t, y))
    order = np.argsort(t, axis=1)
    t, y = np.take_along_axis(t, order, 1), np.take_along_axis(y, order, 1)
    rate = -project([_area(t, y), t - t[:, :1], np.ones_like(t)], y)[:, 0]
    # More than a few hundred e-foldings, or none, say nothing of where to start.
    length = _range(t)
    plain = 1.0 / length
    good = np.isfinite(rate) & (np.abs(rate) < 100 * plain) & (np.abs(rate) > 0.01 * plain)
    return t, np.where(good, rate, plain)


class Exponential(_BuiltIn):
    """``amplitude exp(-rate t) + offset``.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> model = lmoo.models.Exponential()
    >>> t = np.linspace(0, 4, 20)
    >>> y = model(t, 2.5, np.array([[0.5], [1.5]]), 0.5)
    >>> lmoo.curve_fit_many(model, t, y).x.round(6)
    array([[2.5, 0.5, 0.5],
           [2.5, 1.5, 0.5]])
    """

    parameter_names = ("amplitude", "rate", "offset")

    def _guess(self, t: Any, y: Array) -> Array:
        """Return starting values for some curves, (k, 3)."""
        _, rate = _decay(t, y)
        t = _full(t, y)
        start = t.min(axis=1, keepdims=True)
        e = np.exp(-rate[:, None] * (t - start))
        amplitude, offset = project([e, np.ones_like(e)], y).T
        with np.errstate(over="ignore"):
            amplitude = amplitude * np.exp(np.clip(rate * start[:, 0], -600, 600))
        return np.stack([amplitude, rate, offset], axis=1)


class BiExponential(_BuiltIn):
    """``amplitude1 exp(-rate1 t) + amplitude2 exp(-rate2 t) + offset``."""

    parameter_names = ("amplitude1", "rate1", "amplitude2", "rate2", "offset")

    def _guess(self, t: Any, y: Array) -> Array:
        """Return starting values for some curves, (k, 5): rates on both sides of a single one's."""
        _, rate = _decay(t, y)
        t = _full(t, y)
        fast, slow = 2.5 * rate, 0.4 * rate
        columns = [np.exp(np.clip(-r[:, None] * t, -600, 600)) for r in (fast, slow)]
        one, two, offset = project([*columns, np.ones_like(t)], y).T
        return np.stack([one, fast, two, slow, offset], axis=1)


def _peak(t: Any, y: Array, area: float) -> tuple[Array, Array, Array, Array]:
    """Return height, place, width and floor of each curve's peak, upwards or downwards.

    area: that of a peak of height and width 1.
    """
    t = np.array(_full(t, y))
    floor = np.median(y, axis=1)
    up = y.max(axis=1) - floor >= floor - y.min(axis=1)
    floor = np.where(up, np.percentile(y, 10, axis=1), np.percentile(y, 90, axis=1))
    above = (y - floor[:, None]) * np.where(up, 1.0, -1.0)[:, None]
    rows = np.arange(len(y))
    top = above.argmax(axis=1)
    height = above[rows, top]
    order = np.argsort(t, axis=1)
    total = _area(np.take_along_axis(t, order, 1), np.take_along_axis(above, order, 1))[:, -1]
    length = _range(t)
    with np.errstate(all="ignore"):
        width = total / (area * height)
    width = np.where(np.isfinite(width), width, length)
    width = np.clip(width, length / (2 * y.shape[1]), 0.5 * length)
    return np.where(up, height, -height), t[rows, top], width, floor


class Gaussian(_BuiltIn):
    """``amplitude exp(-(t - center)^2 / (2 sigma^2)) + offset``."""

    parameter_names = ("amplitude", "center", "sigma", "offset")

    def _guess(self, t: Any, y: Array) -> Array:
        """Return starting values for some curves, (k, 4)."""
        return np.stack(_peak(t, y, np.sqrt(2 * np.pi)), axis=1)


class Lorentzian(_BuiltIn):
    """``amplitude / (1 + ((t - center) / width)^2) + offset``, half as high at center + width."""

    parameter_names = ("amplitude", "center", "width", "offset")

    def _guess(self, t: Any, y: Array) -> Array:
        """Return starting values for some curves, (k, 4)."""
        return np.stack(_peak(t, y, np.pi), axis=1)


class PseudoVoigt(_BuiltIn):
    """``amplitude (fraction L(z) + (1 - fraction) G(z)) + offset``, z = (t - center) / width.

    ``L = 1 / (1 + z^2)`` and ``G = exp(-ln(2) z^2)`` have the same width, half of it at half the
    height.
    """

    parameter_names = ("amplitude", "center", "width", "fraction", "offset")

    def _guess(self, t: Any, y: Array) -> Array:
        """Return starting values for some curves, (k, 5)."""
        height, place, width, floor = _peak(t, y, 2.6)
        return np.stack([height, place, width, np.full_like(height, 0.5), floor], axis=1)


class Gaussian2D(_BuiltIn):
    """``amplitude exp(-((u - x)^2 + (v - y)^2) / (2 sigma^2)) + offset``, t = (u, v).

    Parameters
    ----------
    integrated : bool, default False
        The mean over a pixel of side 1 round (u, v), instead of the value at its centre.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> model = lmoo.models.Gaussian2D(integrated=True)
    >>> u, v = np.meshgrid(np.arange(7.0), np.arange(7.0))
    >>> grid = (u.ravel(), v.ravel())
    >>> spots = model(grid, 100.0, np.array([[2.8], [3.1]]), 3.0, 1.2, 10.0)
    >>> lmoo.curve_fit_many(model, grid, spots).x[:, 1].round(6)
    array([2.8, 3.1])
    """

    parameter_names = ("amplitude", "x", "y", "sigma", "offset")

    def __init__(self, integrated: bool = False) -> None:
        self.integrated = bool(integrated)
        self._table = "Gaussian2D integrated" if integrated else "Gaussian2D"
        super().__init__()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(integrated={self.integrated})"

    def __reduce__(self) -> Any:
        return type(self), (self.integrated,)

    def _guess(self, t: Any, y: Array) -> Array:
        """Return starting values for some spots, (k, 5), from their moments."""
        u, v = (_full(part, y) for part in t)
        floor = np.percentile(y, 20, axis=1)
        above = np.clip(y - floor[:, None], 0.0, None)
        total = above.sum(axis=1)
        total = np.where(total > 0, total, 1.0)
        x, z = (above * u).sum(axis=1) / total, (above * v).sum(axis=1) / total
        squares = (u - x[:, None]) ** 2 + (v - z[:, None]) ** 2
        sigma = np.sqrt(0.5 * (above * squares).sum(axis=1) / total)
        # The floor of a spot that fills its window makes it look wider than it is.
        sigma = np.clip(0.8 * sigma, 0.05 * _range(np.array(u)), None)
        return np.stack([y.max(axis=1) - floor, x, z, sigma, floor], axis=1)


class Logistic4(_BuiltIn):
    """Dose and response: ``bottom + (top - bottom) / (1 + (t / ec50)^slope)``, t >= 0.

    ``top`` is the response at t = 0 for a positive slope.
    """

    parameter_names = ("top", "slope", "ec50", "bottom")

    def _guess(self, t: Any, y: Array) -> Array:
        """Return starting values for some curves, (k, 4)."""
        t = np.array(_full(t, y))
        rows = np.arange(len(y))
        top, bottom = y[rows, t.argmin(axis=1)], y[rows, t.argmax(axis=1)]
        half = np.abs(y - 0.5 * (top + bottom)[:, None]) + np.where(t > 0, 0.0, np.inf)
        ec50 = t[rows, half.argmin(axis=1)]
        ec50 = np.where(ec50 > 0, ec50, 1.0)
        return np.stack([top, np.ones_like(top), ec50, bottom], axis=1)


class PowerLaw(_BuiltIn):
    """``amplitude t^exponent + offset``, t >= 0."""

    parameter_names = ("amplitude", "exponent", "offset")

    def _guess(self, t: Any, y: Array) -> Array:
        """Return starting values for some curves, (k, 3): the exponent of seven that fits best."""
        t = _full(t, y)
        best = np.full(len(y), np.inf)
        out = np.zeros((len(y), 3))
        positive_t = np.where(t > 0, t, np.nan)
        for exponent in (-2.0, -1.0, -0.5, 0.5, 1.0, 2.0, 3.0):
            power = np.nan_to_num(positive_t**exponent)
            found = project([power, np.ones_like(power)], y)
            misfit = ((found[:, :1] * power + found[:, 1:] - y) ** 2).sum(axis=1)
            better = misfit < best
            best[better] = misfit[better]
            out[better] = np.stack([found[:, 0], np.full(len(y), exponent), found[:, 1]], axis=1)[
                better
            ]
        return out


class StretchedExponential(_BuiltIn):
    """``amplitude exp(-(t / tau)^beta) + offset``, t >= 0."""

    parameter_names = ("amplitude", "tau", "beta", "offset")

    def _guess(self, t: Any, y: Array) -> Array:
        """Return starting values for some curves, (k, 4)."""
        amplitude, rate, offset = Exponential()._guess(t, y).T
        return np.stack([amplitude, 1.0 / np.abs(rate), np.ones_like(rate), offset], axis=1)


class DampedSine(_BuiltIn):
    """``amplitude exp(-rate t) sin(frequency t + phase) + offset``, frequency in radians per t."""

    parameter_names = ("amplitude", "rate", "frequency", "phase", "offset")

    def _guess(self, t: Any, y: Array) -> Array:
        """Return starting values for some curves, (k, 5): the best of a grid of frequencies."""
        t = np.array(_full(t, y))
        length = _range(t)
        best = np.full(len(y), np.inf)
        out = np.zeros((len(y), 5))
        rate = 1.0 / length
        for cycles in np.arange(0.5, 0.5 * y.shape[1], 0.25):
            frequency = 2 * np.pi * cycles / length
            decay = np.exp(-rate[:, None] * (t - t.min(axis=1, keepdims=True)))
            angle = frequency[:, None] * t
            columns = [decay * np.sin(angle), decay * np.cos(angle), np.ones_like(t)]
            s, c, offset = project(columns, y).T
            found = s[:, None] * columns[0] + c[:, None] * columns[1] + offset[:, None]
            misfit = ((found - y) ** 2).sum(axis=1)
            better = misfit < best
            best[better] = misfit[better]
            amplitude = np.hypot(s, c) * np.exp(np.clip(rate * t.min(axis=1), -600, 600))
            row = np.stack([amplitude, rate, frequency, np.arctan2(c, s), offset], axis=1)
            out[better] = row[better]
        return out
