"""The data of one curve: t, y and sigma with their checks."""

from typing import Any

import numpy as np

from lmoo._core.arrays import Array, Mask
from lmoo._core.solve import is_finite, start
from lmoo.problems.arguments import described, real_array
from lmoo.problems.missing import check_places, missing_of, not_masked, selected, unmasked
from lmoo.problems.sigma import positive_sigma, sigma_array


def curve_data(
    t: Any,
    y: Any,
    sigma: Any,
    nan_policy: str,
    called: tuple[str, str] = ("t", "y"),
    check: str | None = "nan",
) -> tuple[Any, Array, Array | None]:
    """Return t, y and sigma as `CurveProblem` stores them.

    Parameters
    ----------
    t : object
        Lists and arrays of real numbers become float64 arrays, also those in a tuple; other objects
        are returned as they are.
    y : (m,) array_like
    sigma : None, float, (m,) or (m, m) array_like
        Points that are masked in t, y or sigma, or on the diagonal of a covariance matrix, are left
        out.
    nan_policy : {"raise", "omit"}
        "omit" leaves out the points at which t, y, sigma or the diagonal of a covariance is NaN,
        or y is infinite.
    called : tuple of str
        Names of t and y in messages.
    check : {"nan", "finite", None}
        Check the arrays of t for NaN, for NaN and infinities, or not at all.

    Returns
    -------
    t : object
    y : (m,) float64 array, new
    sigma : None, or (m,) or (m, m) float64 array, new

    Raises
    ------
    TypeError, ValueError
        As for `CurveProblem`.
    """
    omit = checked_policy(nan_policy) == "omit"
    t, masks = unmasked(t, omit)
    y, of_y = missing_of(y, omit, infinite=True)
    sigma, of_sigma = missing_of(sigma, omit)
    t, (values, bad) = points(t, called[0]), _vector(called[1], y)
    sigma = None if sigma is None else sigma_array(sigma, values.size, called[1])
    count = values.size
    keep = not_masked(masks, of_y, of_sigma, count, called[0])
    for part in (t if isinstance(t, tuple) else (t,)) if omit else ():
        check_places(called[0], part, count, "for nan_policy 'omit'")
    if keep is not None:
        # What is checked has the numbers of the data, and nothing in the place of missing points.
        values = np.where(keep, values, 0.0)
        bad = start(values, True)[1]
        if sigma is not None:
            there = keep if sigma.ndim == 1 else np.outer(keep, keep)
            sigma = np.where(there, sigma, 1.0 if sigma.ndim == 1 else np.eye(count))
    if check is not None:
        _check_points(called[0], t, keep, check == "finite")
    if not (count if keep is None else keep.any()):
        raise ValueError(
            f"{called[1]} must not be empty"
            + ("" if not count else f"; all of its {count} points are masked or missing")
        )
    if bad >= 0:
        raise not_finite(called[1], f"{called[1]}[{bad}] is {values[bad]}")
    sigma = None if sigma is None else positive_sigma(sigma)
    return (t, values, sigma) if keep is None else selected(t, values, sigma, keep, called[0])


def not_finite(name: str, where: str) -> ValueError:
    """Return the exception for an entry of y that is not finite.

    Parameters
    ----------
    name : str
        Name of y.
    where : str
        A clause about the entry.
    """
    return ValueError(f"{name} must be finite, or nan_policy 'omit'; {where}")


def checked_policy(nan_policy: Any) -> str:
    """Return the option `nan_policy`; ValueError if it is invalid."""
    if nan_policy not in ("raise", "omit"):
        raise ValueError(f"nan_policy must be 'raise' or 'omit'; it is {nan_policy!r}")
    return str(nan_policy)


def points(t: Any, name: str = "t") -> Any:
    """Return t with lists and arrays of real numbers as float64 arrays."""
    if isinstance(t, np.ndarray):
        if t.dtype == np.float64:
            return t
        # In integers or single precision the model would be computed with their precision.
        return t.astype(np.float64, copy=False) if t.dtype.kind in "biuf" else t
    if isinstance(t, tuple):
        return tuple(points(part, name) for part in t)
    if hasattr(t, "__next__"):
        raise TypeError(f"{name} must be an array or a list; it is {described(t)}")
    return real_array(name, t) if isinstance(t, (list, range)) or _is_buffer(t) else t


def _is_buffer(value: Any) -> bool:
    """Return whether an object, such as an array.array, has numbers in memory."""
    try:
        return bool(memoryview(value).ndim)
    except (TypeError, BufferError):
        return False


def _vector(name: str, value: Any) -> tuple[Array, int]:
    """Return value as a new float64 vector, and the index of the first entry that is not finite."""
    # float64 arrays need no conversion.
    if not (type(value) is np.ndarray and value.dtype == np.float64):
        value = real_array(name, value)
    if value.ndim != 1:
        raise ValueError(f"{name} must be 1-D; its shape is {value.shape}{_hint_of_shape(value)}")
    return start(value, True)


def _hint_of_shape(value: Array) -> str:
    """Return a hint for an array that is not 1-D; "" if there is none."""
    if value.ndim > 1 and value.size == max(value.shape):
        return ": take its row or column, as .ravel() does"
    if value.ndim == 2:
        return (
            ": for an image t has an array of this shape for each variable, (u, v) = numpy.meshgrid"
            "(...), and lmoo.curve_fit_many fits many curves"
        )
    return ""


def _check_points(name: str, t: Any, keep: Mask | None, check_finite: bool) -> None:
    """Raise ValueError if an array of t has NaN, or infinities if checked, at points that stay."""
    for part in t if isinstance(t, tuple) else (t,):
        if not isinstance(part, np.ndarray) or part.dtype != np.float64:
            continue
        if is_finite(part):
            continue
        wrong = np.isnan(part) | (np.isinf(part) & check_finite)
        if keep is not None:
            wrong &= keep
        bad = np.argwhere(wrong)
        if len(bad):
            index = tuple(bad[0])
            remedy = "nan_policy 'omit'" if np.isnan(part[index]) else "check_finite False"
            raise ValueError(
                f"{name} must {'be finite' if check_finite else 'not be nan'}, or {remedy}; it is "
                f"{part[index]} at index {int(index[-1]) if index else 0}"
            )


def without_masked(t: Any, y: Any, sigma: Any, omit: bool = False) -> tuple[Any, Any, Any]:
    """Return the data without masks and without the points that are masked; with omit also NaN.

    If nothing is masked the data are returned as they are; otherwise as new float64 arrays, with
    sigma None, (m,) or (m, m).
    """
    t, masks = unmasked(t, omit)
    y, of_y = missing_of(y, omit, infinite=True)
    sigma, of_sigma = missing_of(sigma, omit)
    if not masks and of_y is None and of_sigma is None:
        return t, y, sigma
    values = _vector("y", y)[0]
    sigma = None if sigma is None else sigma_array(sigma, values.size, "y")
    keep = not_masked(masks, of_y, of_sigma, values.size, "t")
    assert keep is not None
    return selected(points(t), values, sigma, keep, "t")
