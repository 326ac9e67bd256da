"""The data of one curve: t, y and sigma, their checks, and missing points."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.masks import plain, separated
from lmoo._core.solve import is_finite, start
from lmoo.problems.arguments import described, entry, positive, real_array

__all__ = [
    "checked_absolute_sigma",
    "checked_policy",
    "checked_sigma",
    "curve_data",
    "missing_of",
    "not_finite",
    "points",
    "refuse_masked_points",
    "whitened",
    "whitening",
    "without_masked",
]

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


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
    t, masks = _unmasked(t, omit)
    y, of_y = missing_of(y, omit, infinite=True)
    sigma, of_sigma = missing_of(sigma, omit)
    t, (values, bad) = points(t, called[0]), _vector(called[1], y)
    sigma = None if sigma is None else _sigma_array(sigma, values.size, called[1])
    count = values.size
    keep = _not_masked(masks, of_y, of_sigma, count, called[0])
    for part in (t if isinstance(t, tuple) else (t,)) if omit else ():
        _check_places(called[0], part, count, "for nan_policy 'omit'")
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
    sigma = None if sigma is None else _check_sigma(sigma)
    return (t, values, sigma) if keep is None else _selected(t, values, sigma, keep, called[0])


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


# ---- standard deviations ---------------------------------------------------------------------


def checked_absolute_sigma(value: Any, sigma: Any, y: str = "y", level: int = 3) -> bool | None:
    """Return the option `absolute_sigma`: whether sigma is known, None if that is not said.

    Parameters
    ----------
    value : None or bool
    sigma : object
        The sigma that it is about; with None and a true value there is a warning.
    y : str
        Name of the dependent variable in messages.
    level : int
        Number of frames from here to the caller's code.

    Raises
    ------
    TypeError
        The value is neither None nor a truth value.

    Warns
    -----
    UserWarning
        The value is true and there is no sigma.
    """
    if value is None:
        return None
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"absolute_sigma must be True, False or None; it is {value!r}")
    if value and sigma is None:
        warnings.warn(
            f"absolute_sigma=True without sigma: the errors of {y} are assumed to be 1, in its "
            "unit. Give sigma, or absolute_sigma=False, which estimates the errors from the "
            "residual",
            UserWarning,
            stacklevel=level,
        )
    return bool(value)


def checked_sigma(sigma: Any, m: int) -> Array | None:
    """Return sigma for m points as a new array, as `curve_data` does; None for None."""
    return None if sigma is None else _check_sigma(_sigma_array(sigma, m, "y"))


def _sigma_array(sigma: Any, m: int, y: str) -> Array:
    """Return sigma as an array (m,) or (m, m), without a check of its values."""
    array = real_array("sigma", sigma)
    if array.ndim < 2 and array.size == 1:
        array = np.full(m, array.item())
    if array.shape not in ((m,), (m, m)):
        raise ValueError(
            f"sigma must be a number, or have shape {(m,)} or {(m, m)}, as {y} has {m} points; "
            f"its shape is {array.shape}"
        )
    return array


def _check_sigma(sigma: Array) -> Array:
    """Return sigma; ValueError if it is not positive, or not a covariance matrix."""
    if sigma.ndim == 1:
        return positive("sigma", sigma)
    wrong = ~np.isfinite(sigma)
    if wrong.any():
        raise ValueError(f"sigma must be finite; {entry(sigma, wrong)}")
    if not np.allclose(sigma, sigma.T, rtol=1e-8, atol=1e-12 * float(np.abs(sigma).max())):
        raise ValueError("sigma must be symmetric where it is a covariance matrix; it is not")
    return sigma


def whitening(sigma: Array | None) -> Array | None:
    """Return the factors that give a residual unit variance: None, (m,) or (m, m).

    For a covariance ``sigma = L @ L.T`` it is the inverse of L.
    """
    if sigma is None:
        return None
    if sigma.ndim < 2:
        return np.atleast_1d(1.0 / sigma)
    try:
        factor = np.linalg.cholesky(sigma)
    except np.linalg.LinAlgError as error:
        raise ValueError("`sigma` must be positive definite.") from error
    # A product with the inverse takes m^2 multiplications, as many as a substitution.
    return np.tril(np.linalg.inv(factor))


def whitened(values: Any, by: Array | None) -> Any:
    """Return values, (m,) or (m, n), multiplied by the result of `whitening`."""
    if by is None:
        return values
    if by.ndim > 1:
        return by @ values
    return (by if values.ndim == 1 else by[:, None]) * values


# ---- missing points --------------------------------------------------------------------------


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


def missing_of(value: Any, omit: bool, infinite: bool = False) -> tuple[Any, Mask | None]:
    """Return an array without its mask, and which of its entries are missing.

    Parameters
    ----------
    value : object
        As for `lmoo._core.masks.separated`.
    omit : bool
        Whether NaN is missing too.
    infinite : bool
        Whether infinities are too, then.

    Returns
    -------
    value : object
    missing : bool array of its shape, or None
        None if no entry is; entries of a single number never are.

    Examples
    --------
    >>> import numpy as np
    >>> from lmoo.problems.data import missing_of
    >>> missing_of(np.array([1.0, np.nan]), omit=True)[1]
    array([False,  True])
    """
    if not omit or value is None:
        return separated(value)
    value, mask = separated(value)
    array = value if isinstance(value, np.ndarray) else np.asarray(plain(value))
    if array.ndim == 0 or array.dtype.kind not in "fc":
        return value, mask
    bad = ~np.isfinite(array) if infinite else np.isnan(array)
    if not bad.any():
        return value, mask
    return value, bad if mask is None else mask | bad


def _unmasked(t: Any, omit: bool = False) -> tuple[Any, list[Mask]]:
    """Return t without the masks of its arrays, and these masks; with omit also those of NaN."""
    if isinstance(t, tuple):
        found = [_unmasked(part, omit) for part in t]
        return tuple(part for part, _ in found), [mask for _, masks in found for mask in masks]
    if omit and hasattr(t, "iloc"):
        missing = np.asarray(t.isna()).T
        return t, [missing] if missing.any() else []
    t, mask = missing_of(t, omit)
    return t, [] if mask is None else [mask]


def _not_masked(
    masks: list[Mask], of_y: Mask | None, of_sigma: Mask | None, m: int, name: str
) -> Mask | None:
    """Return which of the m points are not masked; None if nothing is masked."""
    if not masks and of_y is None and of_sigma is None:
        return None
    keep = np.ones(m, dtype=bool) if of_y is None else ~of_y
    for mask in masks:
        keep &= ~_masked_points(name, mask, m)
    if of_sigma is not None:
        keep &= ~_masked_in_sigma(of_sigma, m, keep)
    return keep


def without_masked(t: Any, y: Any, sigma: Any, omit: bool = False) -> tuple[Any, Any, Any]:
    """Return the data without masks and without the points that are masked; with omit also NaN.

    If nothing is masked the data are returned as they are; otherwise as new float64 arrays, with
    sigma None, (m,) or (m, m).
    """
    t, masks = _unmasked(t, omit)
    y, of_y = missing_of(y, omit, infinite=True)
    sigma, of_sigma = missing_of(sigma, omit)
    if not masks and of_y is None and of_sigma is None:
        return t, y, sigma
    values = _vector("y", y)[0]
    sigma = None if sigma is None else _sigma_array(sigma, values.size, "y")
    keep = _not_masked(masks, of_y, of_sigma, values.size, "t")
    assert keep is not None
    return _selected(points(t), values, sigma, keep, "t")


def refuse_masked_points(t: Any) -> Any:
    """Return t without its masks; ValueError if entries are masked."""
    t, masks = _unmasked(t)
    if masks:
        raise ValueError(
            "t must not have masked entries: leave the points out, t.compressed() for one variable"
        )
    return t


def _masked_points(name: str, mask: Mask, m: int) -> Mask:
    """Return the points at which one of the variables is masked, (m,)."""
    if mask.shape[-1:] != (m,):
        raise ValueError(
            f"{name} must have its {m} points along its last axis where entries are masked; its "
            f"shape is {mask.shape}"
        )
    return np.asarray(mask.reshape(-1, m).any(axis=0))


def _masked_in_sigma(mask: Mask, m: int, keep: Mask) -> Mask:
    """Return the points that are masked in sigma, (m,)."""
    if mask.size == 1 and mask.ndim < 2 and m != 1:
        raise ValueError("sigma must be a number; it is masked: give one, or None")
    if mask.ndim < 2:
        return mask.reshape(m)
    points = mask.diagonal().copy()
    pairs = mask & np.outer(keep & ~points, keep & ~points)
    if pairs.any():
        i, j = np.argwhere(pairs)[0]
        raise ValueError(
            f"sigma must have the covariance of all points that are used; sigma[{i}, {j}] is "
            f"masked: mask the diagonal, sigma[{i}, {i}] or sigma[{j}, {j}], to leave a point out"
        )
    return points


def _selected(
    t: Any, y: Array, sigma: Array | None, keep: Mask, name: str
) -> tuple[Any, Array, Array | None]:
    """Return the data of some of the points."""
    if sigma is not None:
        sigma = sigma[keep] if sigma.ndim == 1 else sigma[np.ix_(keep, keep)]
    return _selected_of(t, keep, name), y[keep], sigma


def _selected_of(t: Any, keep: Mask, name: str) -> Any:
    if isinstance(t, tuple):
        return tuple(_selected_of(part, keep, name) for part in t)
    _check_places(name, t, keep.size, "where points are left out")
    return t.iloc[keep] if hasattr(t, "iloc") else t[..., keep]


def _check_places(name: str, part: Any, m: int, when: str) -> None:
    """Raise ValueError if the shape does not show which entries belong to a point."""
    frame = hasattr(part, "iloc")  # a data frame of pandas has one row per point
    array = part if isinstance(part, np.ndarray) else np.empty(0)
    if (part.shape[:1] if frame else array.shape[-1:]) != (m,):
        raise ValueError(
            f"{name} must have its {m} points along its last axis, or be a table of them, {when}; "
            f"it is {part!r}"
        )
