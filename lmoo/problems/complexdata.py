"""Complex curves: real and imaginary parts as residuals of their own.

A curve y of m complex points has 2 m residuals, the m real parts first.  A function that returns
complex values becomes one that returns these 2 m numbers.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array
from lmoo._core.masks import refuse_masked, separated
from lmoo.problems.arguments import check_positive, entry
from lmoo.problems.data import curve_data, not_finite
from lmoo.problems.missing import missing_of
from lmoo.problems.names import parameter_names_of

ComplexArray = NDArray[np.complex128]

_REMEDY = "return a number for each point, or leave points out of the data, t and y, by a mask"


def is_complex(y: Any) -> bool:
    """Return whether y has complex numbers.

    Parameters
    ----------
    y : array_like

    Examples
    --------
    >>> from lmoo.problems.complexdata import is_complex
    >>> is_complex([1.0, 2.0]), is_complex([1.0, 2j])
    (False, True)
    """
    kind = getattr(getattr(y, "dtype", None), "kind", None)
    if kind is not None:
        return bool(kind == "c")
    try:
        # Without the mask, of which np.asarray would warn.
        return bool(np.asarray(separated(y)[0]).dtype.kind == "c")
    except (TypeError, ValueError):
        return False


def has_complex(f: Any) -> bool:
    """Return whether f is a function of the parts of a complex model."""
    return isinstance(f, (ComplexParts, ComplexRows))


def joined(parts: Array) -> ComplexArray:
    """Return real and imaginary parts, (..., 2 k), as complex numbers, (..., k)."""
    k = parts.shape[-1] // 2
    return np.asarray(parts[..., :k] + 1j * parts[..., k:])


def separate(values: Any) -> Array:
    """Return the parts of complex numbers one after the other; real numbers as they are."""
    array = np.asarray(values)
    return np.concatenate([array.real, array.imag], axis=-1) if array.dtype.kind == "c" else array


class ComplexParts:
    """A model of complex values as a function of their parts, ``[f.real, f.imag]``.

    Parameters
    ----------
    f : callable
        ``f(t, *parameters)`` returns m complex or real numbers; or the derivatives, (m, n).

    Attributes
    ----------
    f : callable
    parameter_names : tuple of str or None
    """

    def __init__(self, f: Callable[..., Any]) -> None:
        if not callable(f):
            raise TypeError(f"f must be callable; it is {f!r}")
        self.f = f
        self.parameter_names = parameter_names_of(f)
        self.__name__ = getattr(f, "__name__", type(f).__name__)
        self.__qualname__ = getattr(f, "__qualname__", self.__name__)

    def __call__(self, t: Any, *parameters: Any) -> Array:
        """Return the parts, (2 m,), or those of derivatives, (2 m, n)."""
        return _stacked(self.f(t, *parameters), 0)

    def __repr__(self) -> str:
        return f"ComplexParts({self.f!r})"


class ComplexRows:
    """A model of complex values as a function of the parts of a stack of curves.

    Its variables are those of f for both parts of all points, (m real and m imaginary ones), and
    last a variable that is 0 and 1 for these.

    Parameters
    ----------
    f : callable
        ``f(t, *columns)`` returns complex or real numbers that broadcast to (k, m).
    variables : int
        Variables of f.
    several : bool
        Whether f takes its variables as a tuple.
    """

    def __init__(self, f: Callable[..., Any], variables: int, several: bool) -> None:
        if not callable(f):
            raise TypeError(f"f must be callable; it is {f!r}")
        self.f, self.variables, self.several = f, variables, several
        self.parameter_names = parameter_names_of(f)
        self.__name__ = getattr(f, "__name__", type(f).__name__)
        self.__qualname__ = getattr(f, "__qualname__", self.__name__)

    def __call__(self, t: Any, *columns: Any) -> Any:
        """Return the parts, (..., 2 m); of new points, t as f takes it, those of these."""
        if isinstance(t, tuple) and len(t) == self.variables + 1:
            half = tuple(part[..., : part.shape[-1] // 2] for part in t[:-1])
            t = half if self.several else half[0]
        shape = np.shape(t[0] if isinstance(t, tuple) else t)
        return self._parts(self.f(t, *columns), shape)

    def _parts(self, value: Any, shape: tuple[int, ...]) -> Any:
        value = np.asarray(value)
        # A model that is the same at all points must still have their number.
        full = np.broadcast_shapes(value.shape, shape[-1:])
        return _stacked(np.broadcast_to(value, full), -1)


class ComplexSlopes(ComplexRows):
    """Derivatives: n arrays that broadcast to (k, m), or one that does to (k, m, n)."""

    def _parts(self, value: Any, shape: tuple[int, ...]) -> Any:
        if isinstance(value, (tuple, list)):
            return [super(ComplexSlopes, self)._parts(column, shape) for column in value]
        return _stacked(np.asarray(value), -2)


def _stacked(value: Any, axis: int) -> Array:
    """Return the real parts of an array and the imaginary ones, one after the other."""
    array = np.asarray(refuse_masked("f", value, _REMEDY))
    if array.dtype.kind not in "biufc":
        raise TypeError(f"f must return complex or real numbers; it returned {value!r}")
    if array.ndim == 0:
        raise ValueError("f must return a number for each point; it returned a single one")
    return np.concatenate([array.real, array.imag], axis=axis).astype(np.float64, copy=False)


def complex_curve(
    t: Any,
    y: Any,
    sigma: Any,
    nan_policy: str,
    called: tuple[str, str] = ("t", "y"),
    check: str | None = "nan",
) -> tuple[Any, Array, Array | None]:
    """Return the data of a complex curve: t of the points, and y and sigma of their parts.

    Parameters
    ----------
    t, nan_policy, called, check
        As for `lmoo.problems.data.curve_data`.
    y : (m,) array_like of complex numbers
    sigma : None, number, (m,) or (2 m, 2 m) array_like
        Real: the standard deviation of the real part and that of the imaginary part, which are
        equal.  Complex: its real part is the former, its imaginary part the latter.  A matrix is
        the covariance of the real parts followed by the imaginary ones.

    Returns
    -------
    t : object
    y : (2 m,) float64 array
    sigma : None, (2 m,) or (2 m, 2 m) float64 array
    """
    plain, mask = separated(y)
    values = np.asarray(plain)
    if values.ndim != 1:
        raise ValueError(f"{called[1]} must be 1-D; its shape is {values.shape}")
    m = values.size
    # The places of the points, with the marks of y: what is left out is found as for real curves.
    place = np.arange(m, dtype=np.float64)
    omit = nan_policy == "omit"
    place[~np.isfinite(values) if omit else np.isnan(values)] = np.nan
    infinite = np.isinf(values) & (True if mask is None else ~mask)
    if infinite.any() and not omit:
        raise not_finite(called[1], entry(values, infinite))
    marked = place if mask is None else np.ma.array(place, mask=mask)
    sigma, of_sigma = missing_of(sigma, omit)
    deviations = None if sigma is None else _deviations(sigma, m)
    weights: Any = None
    if of_sigma is not None and of_sigma.shape == (m,):
        weights = np.ma.array(np.ones(m), mask=of_sigma)
    elif of_sigma is not None:
        raise ValueError(
            "sigma must have a number for each part of a complex curve, or be of shape (m,), where "
            "points may be missing"
        )
    t, kept, _ = curve_data(t, marked, weights, nan_policy, called, check)
    which = kept.astype(np.intp)
    both = np.concatenate([which, m + which])
    parts = np.concatenate([values.real, values.imag]).astype(np.float64)[both]
    if deviations is None:
        return t, parts, None
    chosen = deviations[both] if deviations.ndim == 1 else deviations[np.ix_(both, both)]
    return t, *curve_data(None, parts, chosen, "raise", called, None)[1:]


def _deviations(sigma: Any, m: int) -> Array:
    """Return the standard deviations of the parts of m points, (2 m,), or their covariance."""
    array = np.asarray(sigma)
    if array.dtype.kind not in "biufc":
        raise TypeError(f"sigma must be real or complex numbers; it is {sigma!r}")
    if array.ndim < 2 and array.size == 1:
        array = np.full(m, array.item())
    if array.shape == (m,):
        imaginary = array.imag if array.dtype.kind == "c" else array
        # What is NaN here may be missing.
        there = ~np.isnan(array)
        check_positive("sigma", np.where(there, array.real, 1.0))
        check_positive("sigma", np.where(there, imaginary, 1.0), " of its imaginary part")
        return np.concatenate([array.real, imaginary]).astype(np.float64)
    if array.shape == (2 * m, 2 * m) and array.dtype.kind != "c":
        return array.astype(np.float64)
    raise ValueError(
        f"sigma must be a number, or have shape {(m,)}, or be a real covariance of shape "
        f"{(2 * m, 2 * m)} of the parts, as y has {m} complex points; its shape is {array.shape}"
        + (" and it is complex" if array.ndim > 1 and array.dtype.kind == "c" else "")
    )


def complex_rows(t: Any, y: Any, sigma: Any) -> tuple[tuple[Any, ...], Any, Any]:
    """Return the data of a stack of complex curves, as those of real ones of twice as many points.

    Parameters
    ----------
    t : (m,) or (..., m) array_like, or a tuple of them
    y : (..., m) array_like of complex numbers
    sigma : None, (m,) or (..., m) array_like, real or complex
        As for `complex_curve`.

    Returns
    -------
    t : tuple of (..., 2 m) arrays
        And last a variable that is 0 for real parts and 1 for imaginary ones.
    y, sigma : (..., 2 m) arrays, or None
        Masked where they were.
    """
    variables = t if isinstance(t, tuple) else (t,)
    plain, mask = separated(y)
    values = np.asarray(plain)
    if values.ndim == 0:
        raise ValueError("y must have the points of the curves along its last axis; it is 0-D")
    # A point is missing with both of its parts.
    missing = np.isnan(values)
    halves = [np.where(missing, np.nan, part) for part in (values.real, values.imag)]
    both = _masked(np.concatenate(halves, axis=-1), mask)
    which = np.repeat([0.0, 1.0], values.shape[-1])
    twice = (*(_twice(part) for part in variables), which)
    if sigma is None:
        return twice, both, None
    plain, mask = separated(sigma)
    array = np.asarray(plain)
    if array.dtype.kind not in "biufc":
        raise TypeError(f"sigma must be real or complex numbers; it is {sigma!r}")
    if array.ndim == 0:
        array = np.full(values.shape[-1], array.item())
    # A point is missing with both of its parts.
    real = np.where(np.isnan(array), np.nan, array.real)
    imaginary = np.where(np.isnan(array), np.nan, array.imag) if array.dtype.kind == "c" else real
    return twice, both, _masked(np.concatenate([real, imaginary], axis=-1), mask)


def _twice(part: Any) -> Any:
    """Return a variable for both parts of its points."""
    plain, mask = separated(part)
    array = np.asarray(plain)
    return array if array.ndim == 0 else _masked(np.concatenate([array, array], axis=-1), mask)


def _masked(both: Any, mask: Any) -> Any:
    """Return an array of both parts with the mask of the points, if there is one."""
    return both if mask is None else np.ma.array(both, mask=np.concatenate([mask, mask], axis=-1))
