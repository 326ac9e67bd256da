"""Problems 1 to 3: linear functions."""

# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import numpy as np

from problems.arithmetic import Array, indices, ordered_sum


def linear_full_rank(x: Array, m: int) -> Array:
    """f_i = x_i [i <= n] - (2/m) sum_j x_j - 1."""
    f = np.full(m, -(2.0 * ordered_sum(x) / m + 1.0))
    f[: x.size] += x
    return f


def linear_full_rank_jac(x: Array, m: int) -> Array:
    return np.eye(m, x.size) - 2.0 / m


def linear_rank_1(x: Array, m: int) -> Array:
    """f_i = i sum_j j x_j - 1."""
    return indices(m) * ordered_sum(indices(x.size) * x) - 1.0


def linear_rank_1_jac(x: Array, m: int) -> Array:
    return np.outer(indices(m), indices(x.size))


def linear_rank_1_zero(x: Array, m: int) -> Array:
    """f_i = (i - 1) sum_{j=2}^{n-1} j x_j - 1 for i < m; f_m = -1."""
    f = (indices(m) - 1.0) * ordered_sum((indices(x.size) * x)[1:-1]) - 1.0
    f[-1] = -1.0
    return f


def linear_rank_1_zero_jac(x: Array, m: int) -> Array:
    jac = np.outer(indices(m) - 1.0, indices(x.size))
    jac[-1, :] = jac[:, 0] = jac[:, -1] = 0.0
    return jac
