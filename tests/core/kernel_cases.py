"""Matrices and checks that the tests of the kernels share.

Sizes are odd on purpose (one column, square, one row more, primes, blocks not quite full).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from numpy.typing import NDArray

from lmoo._core import kernels

Array = NDArray[np.float64]

EPS = 2.0**-52


# Sanitizers and valgrind slow everything down: no deadlines.
EXAMPLES = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])

SHAPES = [
    (1, 1), (2, 1), (7, 1), (64, 1), (2, 2), (3, 2), (11, 2), (3, 3), (4, 3), (5, 5), (6, 5),
    (13, 5), (7, 7), (8, 7), (31, 11), (17, 17), (18, 17), (53, 19), (97, 23), (101, 41),
]  # fmt: skip

each_shape = pytest.mark.parametrize(("m", "n"), SHAPES)


def random(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng([seed, *shape]).standard_normal(shape)


def norm(x: Array) -> float:
    """|x| where numpy's own overflows or underflows."""
    largest = float(np.abs(x).max(initial=0.0))
    if largest == 0.0 or not math.isfinite(largest):
        return largest
    return largest * float(np.linalg.norm(x / largest))


def norms(a: Array) -> Array:
    return np.array([norm(column) for column in a.T])


def orthogonal(n: int, seed: int = 0) -> Array:
    return np.linalg.qr(random(n, n, seed=seed))[0]


def with_singular_values(m: int, values: Any, seed: int = 0) -> Array:
    n = len(values)
    return orthogonal(m, seed)[:, :n] @ np.diag(values) @ orthogonal(n, seed + 1)


def triangle(fjac: Array) -> Array:
    return np.triu(fjac[: fjac.shape[1]])


def factor(a: Array, f: Array | None = None) -> tuple[Array, Array, Array, Array]:
    """R, ipvt, acnorm, qtf."""
    fjac, ipvt, acnorm, qtf = kernels.qrfac(a, f)
    return triangle(fjac), ipvt, acnorm, qtf


def damped(r: Array, ipvt: Array, diag: Array) -> Array:
    """The stacked matrix [A; D], A with A P = R (its Q is the identity)."""
    n = len(ipvt)
    a = np.zeros((n, n))
    a[:, ipvt] = r
    return np.vstack([a, np.diag(diag)])


def assert_solves(stacked: Array, rhs: Array, x: Array) -> None:
    """The residual is orthogonal to the columns, as far as a stable method goes."""
    assert np.isfinite(x).all()
    lengths = norms(stacked)
    unit = stacked / np.where(lengths > 0.0, lengths, 1.0)
    size = norm(rhs) + (lengths * np.abs(x)).sum()
    n = len(x)
    assert np.abs(unit.T @ (stacked @ x - rhs)).max() <= 20.0 * n * n * EPS * size
