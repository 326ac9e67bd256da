"""Linear constraints: elimination, independent rows, the nearest feasible point."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array
from lmoo.models.relations.expressions import ROUNDING, Row, without_rounding

# Of a row: how much of it must be independent of the others, so that it is preferred to later ones.
_CLEAR = 1e-2
# Of the largest possible pivot: how small another may be that is preferred for other reasons.
_PIVOT = 0.1


class Elimination(NamedTuple):
    """Parameters that follow from others: ``x[solved] = matrix @ x + constant``.

    solved : list of k parameters
    matrix, constant : (k, q) array, (k,) array; columns of `solved` are 0
    sizes, scales : the sums of the absolute values of the terms of `matrix` and `constant`
    """

    solved: list[int]
    matrix: Array
    constant: Array
    sizes: Array
    scales: Array


def eliminated(
    equations: Sequence[Row], size: Array, movable: NDArray[np.bool_], bounded: NDArray[np.bool_]
) -> Elimination:
    """Solve linear equations for as many parameters, by Gauss-Jordan elimination.

    Parameters
    ----------
    equations : sequence of Row
        With equal sides.
    size : (q,) array
        Typical sizes of the parameters, by which the choice of pivots does not depend on units.
    movable : (q,) bool array
        Parameters that may be solved for.
    bounded : (q,) bool array
        Parameters that are solved for only if no other can be.

    Raises
    ------
    ValueError
        The equations contradict each other, or the fixed parameters.
    """
    solved: list[int] = []
    # Rows, and the sums of the absolute values of their terms.
    done: list[tuple[Array, Array]] = []
    for equation in equations:
        row = np.append(equation.coefficients, equation.upper)
        terms = np.abs(row)
        terms[-1] += equation.scale
        for p, other in zip(solved, done, strict=True):
            row, terms = _less((row, terms), row[p], other)
        share = np.where(movable, np.abs(row[:-1]) * size, 0.0)
        share[solved] = 0.0
        most = share.max(initial=0.0)
        if most == 0.0:
            if row[:-1].any() or abs(row[-1]) > ROUNDING * terms[-1]:
                raise ValueError(
                    f"constraints must not contradict each other, or fix what is fixed already; "
                    f"{equation.text!r} does"
                )
            continue
        good = share >= _PIVOT * most
        free = good & ~bounded
        p = int(np.flatnonzero(free if free.any() else good)[-1])
        unit = row / row[p], terms / abs(row[p])
        done = [_less(other, other[0][p], unit) for other in done]
        done.append(unit)
        solved.append(p)
    table = np.array([row for row, _ in done]).reshape(len(done), size.size + 1)
    sizes = np.array([terms for _, terms in done]).reshape(len(done), size.size + 1)
    table[:, solved] = 0.0
    return Elimination(solved, -table[:, :-1], table[:, -1], sizes[:, :-1], sizes[:, -1])


def _less(row: tuple[Array, Array], weight: float, other: tuple[Array, Array]) -> Any:
    """Return a row less another one times a weight, both with the sizes of their terms."""
    terms = row[1] + abs(weight) * other[1]
    return without_rounding(row[0] - weight * other[0], terms), terms


def independent(rows: Array, size: Array) -> list[int]:
    """Return q rows of a matrix that are linearly independent, (k, q), as indices.

    Rows that come first are preferred, unless they nearly depend on those before.

    size : (q,) typical sizes of the parameters
    """
    kept: list[int] = []
    pivots: list[tuple[int, Array]] = []
    for least in (_CLEAR, 1e-9):
        for k, row in enumerate(rows * size):
            if k in kept or len(kept) == size.size:
                continue
            rest = row.copy()
            for p, other in pivots:
                rest = rest - rest[p] * other
            if np.abs(rest).max() > least * np.abs(row).max():
                p = int(np.argmax(np.abs(rest)))
                kept.append(k)
                pivots.append((p, rest / rest[p]))
    return kept


def nearest_feasible(
    x: Array, rows: Array, lower: Array, upper: Array, size: Array, near: Array
) -> Array | None:
    """Return the point with ``lower <= rows @ x <= upper`` that is nearest to x; None if none is.

    Distances are in units of `size`.  A side that x is beyond by at most `near` is not violated:
    for x that violates none the result is x.  Least distance programming by nonnegative least
    squares (Lawson, Hanson 1974, "Solving least squares problems", chapter 23).
    """
    # G p >= h for p = (new x - x) / size.
    at, scaled = rows @ x, rows * size
    below, above = np.isfinite(lower), np.isfinite(upper)
    G = np.concatenate([scaled[below], -scaled[above]])
    h = np.concatenate([(lower - at)[below], (at - upper)[above]])
    h[(h > 0.0) & (h <= np.concatenate([near[below], near[above]]))] = 0.0
    if not (h > 0.0).any():
        return x.copy()
    norms = np.linalg.norm(G, axis=1)
    norms[norms == 0.0] = 1.0
    G, h = G / norms[:, None], h / norms
    unit = max(float(np.abs(h).max(initial=0.0)), 1e-300)
    E = np.concatenate([G.T, h[None] / unit])
    f = np.zeros(len(E))
    f[-1] = 1.0
    residual = E @ nonnegative(E, f) - f
    if abs(residual[-1]) < 1e-9:
        return None
    return np.asarray(x - residual[:-1] / residual[-1] * unit * size)


def nonnegative(E: Array, f: Array) -> Array:
    """Return the minimiser of ``|E u - f|`` over u >= 0."""
    k = E.shape[1]
    u, passive = np.zeros(k), np.zeros(k, dtype=bool)
    for _ in range(10 * k + 10):
        w = E.T @ (f - E @ u)
        w[passive] = 0.0
        if passive.all() or w.max(initial=0.0) <= 1e-12:
            break
        passive[int(np.argmax(w))] = True
        while True:
            trial = np.zeros(k)
            trial[passive] = np.linalg.lstsq(E[:, passive], f, rcond=None)[0]
            wrong = passive & (trial <= 0.0)
            if not wrong.any():
                break
            step = float(np.min(u[wrong] / (u[wrong] - trial[wrong] + 1e-300)))
            u = u + step * (trial - u)
            passive &= u > 1e-15
            u[~passive] = 0.0
        u = trial
    return u


def replaced(
    weights: Array, room: Callable[[int], float], moves: Array, movable: NDArray[np.bool_]
) -> int | None:
    """Return the coordinate that leaves for a constraint that has been reached; None if none can.

    Parameters
    ----------
    weights : (q,) array
        The constraint as a combination of the coordinates.
    room : callable
        Distance of a coordinate from its nearest bound; inf without bounds.
    moves : (q,) array
        The step that has reached the constraint.
    movable : (q,) bool array
        Coordinates that are not fixed.
    """
    size = np.abs(weights)
    for least in (_CLEAR, 1e-9):
        candidates = np.flatnonzero(movable & (size > least * size.max()))
        if not candidates.size:
            return None
        rooms = np.array([room(int(k)) * size[k] for k in candidates])
        if rooms.max() > 0.0:
            return int(candidates[int(np.argmax(rooms))])
    # A vertex where more constraints meet than parameters: one that the step leaves.
    leaving = np.abs(moves[candidates]) * size[candidates]
    return int(candidates[int(np.argmax(leaving))]) if leaving.max() > 0.0 else None
