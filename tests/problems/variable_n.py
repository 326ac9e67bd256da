"""Problems 15 and 16: a variable number of unknowns."""

# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import numpy as np

from problems.arithmetic import Array, ordered_product, ordered_sum


def chebyquad(x: Array, m: int) -> Array:
    """f_i = (1/n) sum_j T_i(x_j) - int_0^1 T_i, T_i Chebyshev's polynomial on [0, 1].

    The integral is 0 for odd i and -1 / (i^2 - 1) for even i.
    """
    f = np.empty(m)
    y = 2.0 * x - 1.0
    before, now = np.ones_like(x), y
    for i in range(1, m + 1):
        f[i - 1] = 1.0 / x.size * ordered_sum(now)
        if i % 2 == 0:
            f[i - 1] += 1.0 / (i * i - 1.0)
        before, now = now, 2.0 * y * now - before
    return f


def chebyquad_jac(x: Array, m: int) -> Array:
    """T'_{i+1} = 4 T_i + 2 y T'_i - T'_{i-1} for y = 2 x - 1."""
    jac = np.empty((m, x.size))
    y = 2.0 * x - 1.0
    before, now = np.ones_like(x), y
    d_before, d_now = np.zeros_like(x), np.full_like(x, 2.0)
    for i in range(m):
        jac[i] = 1.0 / x.size * d_now
        d_before, d_now = d_now, 4.0 * now + 2.0 * y * d_now - d_before
        before, now = now, 2.0 * y * now - before
    return jac


def brown_almost_linear(x: Array, m: int) -> Array:
    """f_i = x_i + sum_j x_j - (n + 1) for i < n; f_n = prod_j x_j - 1."""
    f = x + ordered_sum(np.append(-(x.size + 1.0), x))
    f[-1] = ordered_product(x) - 1.0
    return f


def brown_almost_linear_jac(x: Array, m: int) -> Array:
    jac = 1.0 + np.eye(x.size)
    for j, xj in enumerate(x):
        jac[-1, j] = (
            ordered_product(x) / xj
            if xj != 0.0
            else ordered_product(np.append(1.0, np.delete(x, j)))
        )
    return jac
