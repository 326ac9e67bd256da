"""Problems 8 to 10: data fitting."""

# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import numpy as np

from problems.arithmetic import Array, exp, indices, numbers

_BARD_Y = numbers(".14 .18 .22 .25 .29 .32 .35 .39 .37 .58 .73 .96 1.34 2.10 4.39")
_KOWALIK_Y = numbers(".1957 .1947 .1735 .1600 .0844 .0627 .0456 .0342 .0323 .0235 .0246")
_KOWALIK_U = numbers("4 2 1 .5 .25 .167 .125 .1 .0833 .0714 .0625")
_MEYER_Y = numbers(
    """34780 28610 23650 19630 16370 13720 11540 9744
    8261 7030 6005 5147 4427 3820 3307 2872"""
)


def _bard_terms(x: Array) -> tuple[Array, Array, Array, Array]:
    u = indices(15)
    v = 16.0 - u
    w = np.minimum(u, v)
    return u, v, w, x[1] * v + x[2] * w


def bard(x: Array, m: int) -> Array:
    """f_i = y_i - (x1 + u / (v x2 + w x3)), u = i, v = 16 - i, w = min(u, v)."""
    u, _, _, d = _bard_terms(x)
    return _BARD_Y - (x[0] + u / d)


def bard_jac(x: Array, m: int) -> Array:
    u, v, w, d = _bard_terms(x)
    return np.column_stack([np.full(m, -1.0), u * v / (d * d), u * w / (d * d)])


def kowalik_osborne(x: Array, m: int) -> Array:
    """f_i = y_i - x1 u (u + x2) / (u (u + x3) + x4), u = u_i."""
    u = _KOWALIK_U
    return _KOWALIK_Y - x[0] * (u * (u + x[1])) / (u * (u + x[2]) + x[3])


def kowalik_osborne_jac(x: Array, m: int) -> Array:
    u = _KOWALIK_U
    d = u * (u + x[2]) + x[3]
    j1 = -(u * (u + x[1])) / d
    j2 = -u * x[0] / d
    j3 = j1 * j2
    return np.column_stack([j1, j2, j3, j3 / u])


def _meyer_terms(x: Array) -> tuple[Array, Array, Array]:
    d = 5.0 * indices(16) + 45.0 + x[2]
    q = x[1] / d
    return d, q, exp(q)


def meyer(x: Array, m: int) -> Array:
    """f_i = x1 exp(x2 / (t + x3)) - y_i, t = 45 + 5 i."""
    return x[0] * _meyer_terms(x)[2] - _MEYER_Y


def meyer_jac(x: Array, m: int) -> Array:
    d, q, e = _meyer_terms(x)
    j2 = x[0] * e / d
    return np.column_stack([e, j2, -q * j2])
