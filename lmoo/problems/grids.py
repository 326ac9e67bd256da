"""Images: data on grids, as one row of points."""

from typing import Any

import numpy as np

from lmoo._core.masks import separated


def shape_of(value: Any) -> tuple[int, ...]:
    """Return the shape of an array or of nested lists; () for lists of different lengths."""
    try:
        return np.shape(value)
    except ValueError:
        return ()


def flat(t: Any, y: Any, sigma: Any, sigma_x: Any) -> tuple[Any, Any, Any, Any]:
    """Return the data of an image in one row; those of a curve as they are."""
    shape = shape_of(y)
    if len(shape) < 2:
        return t, y, sigma, sigma_x
    found = flat_points(t, shape)
    if found is None:
        return t, y, sigma, sigma_x
    y = row(y)
    sigma = row(sigma) if shape_of(sigma) == shape else sigma
    if isinstance(sigma_x, tuple):
        sigma_x = tuple(row(part) if np.shape(part) == shape else part for part in sigma_x)
    elif np.shape(sigma_x)[-len(shape) :] == shape:
        sigma_x = flat_points(sigma_x, shape)
    return found, y, sigma, sigma_x


def flat_points(t: Any, shape: tuple[int, ...]) -> Any:
    """Return the variables of an image in rows; None if they have other shapes."""
    if isinstance(t, tuple):
        if not all(np.ndim(part) == len(shape) for part in t):
            return None
        try:
            return tuple(row(_broadcast(part, shape)) for part in t)
        except ValueError:
            return None
    if np.shape(t) == shape:
        return row(t)
    if np.shape(t)[1:] != shape:
        return None
    plain, mask = separated(t)
    rows = np.asarray(plain).reshape(len(t), -1)
    return rows if mask is None else np.ma.array(rows, mask=mask.reshape(len(t), -1))


def _broadcast(part: Any, shape: tuple[int, ...]) -> Any:
    """Return a variable for each pixel: those of an open grid are repeated."""
    return part if np.shape(part) == shape else np.broadcast_to(part, shape, subok=True)


def row(value: Any) -> Any:
    """Return an image as one row of points, with its mask."""
    plain, mask = separated(value)
    row = np.asarray(plain).reshape(-1)
    return row if mask is None else np.ma.array(row, mask=mask.reshape(-1))
