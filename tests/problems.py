"""The least-squares test problems of More', Garbow and Hillstrom.

The eighteen functions and 53 runs of the MINPACK test programs, after

    J. J. More', B. S. Garbow, K. E. Hillstrom, "Testing Unconstrained
    Optimization Software", ACM Trans. Math. Softw. 7 (1981), 17-41.

Counts of evaluations are compared between solvers, so the functions should give the
same bits everywhere: operations go in the order of MINPACK's ssqfcn and ssqjac (sums
from left to right, where numpy's own `sum` is pairwise), and exponentials come from the C
library (numpy's differ from one processor to another).

    x0 = CASES[0].start()
    CASES[0].problem.residual(x0), CASES[0].problem.jacobian(x0)
"""

# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["CASES", "MghCase", "MghProblem"]

Array = NDArray[np.float64]


# --- arithmetic in a fixed order --------------------------------------------------------


def _exp1(t: float) -> float:
    try:
        return math.exp(t)
    except OverflowError:
        return math.inf


def _exp(t: Array) -> Array:
    """exp of each element by the C library; infinite where it overflows."""
    return np.array([_exp1(v) for v in t.tolist()])


def _sum(t: Array) -> np.float64:
    """Sum from left to right."""
    return np.add.accumulate(t)[-1]


def _prod(t: Array) -> np.float64:
    """Product from left to right."""
    return np.multiply.accumulate(t)[-1]


def _numbers(text: str) -> Array:
    """The numbers in a text."""
    return np.array(text.split(), dtype=np.float64)


def _index(k: int) -> Array:
    """The numbers 1, 2, ..., k."""
    return np.arange(1.0, k + 1.0)


# --- 1 to 3: linear functions -----------------------------------------------------------


def _linear_full_rank(x: Array, m: int) -> Array:
    """f_i = x_i [i <= n] - (2/m) sum_j x_j - 1."""
    f = np.full(m, -(2.0 * _sum(x) / m + 1.0))
    f[: x.size] += x
    return f


def _linear_full_rank_jac(x: Array, m: int) -> Array:
    return np.eye(m, x.size) - 2.0 / m


def _linear_rank_1(x: Array, m: int) -> Array:
    """f_i = i sum_j j x_j - 1."""
    return _index(m) * _sum(_index(x.size) * x) - 1.0


def _linear_rank_1_jac(x: Array, m: int) -> Array:
    return np.outer(_index(m), _index(x.size))


def _linear_rank_1_zero(x: Array, m: int) -> Array:
    """f_i = (i - 1) sum_{j=2}^{n-1} j x_j - 1 for i < m; f_m = -1."""
    f = (_index(m) - 1.0) * _sum((_index(x.size) * x)[1:-1]) - 1.0
    f[-1] = -1.0
    return f


def _linear_rank_1_zero_jac(x: Array, m: int) -> Array:
    jac = np.outer(_index(m) - 1.0, _index(x.size))
    jac[-1, :] = jac[:, 0] = jac[:, -1] = 0.0
    return jac


# --- 4 to 7: small systems of equations -------------------------------------------------


def _rosenbrock(x: Array, m: int) -> Array:
    """f = (10 (x2 - x1^2), 1 - x1)."""
    return np.array([10.0 * (x[1] - x[0] * x[0]), 1.0 - x[0]])


def _rosenbrock_jac(x: Array, m: int) -> Array:
    return np.array([[-20.0 * x[0], 10.0], [-1.0, 0.0]])


def _helical_valley(x: Array, m: int) -> Array:
    """f = (10 (x3 - 10 theta), 10 (r - 1), x3), 2 pi theta and r polar in (x1, x2).

    theta lies in (-1/4, 3/4): its cut is the negative half of the x2 axis.
    """
    if x[0] == 0.0:
        theta = np.copysign(0.25, x[1])
    else:
        theta = math.atan(x[1] / x[0]) / (8.0 * math.atan(1.0)) + (0.5 if x[0] < 0.0 else 0.0)
    r = np.sqrt(x[0] * x[0] + x[1] * x[1])
    return np.array([10.0 * (x[2] - 10.0 * theta), 10.0 * (r - 1.0), x[2]])


def _helical_valley_jac(x: Array, m: int) -> Array:
    r2 = x[0] * x[0] + x[1] * x[1]
    a, r = 8.0 * math.atan(1.0) * r2, np.sqrt(r2)
    return np.array(
        [
            [100.0 * x[1] / a, -100.0 * x[0] / a, 10.0],
            [10.0 * x[0] / r, 10.0 * x[1] / r, 0.0],
            [0.0, 0.0, 1.0],
        ]
    )


def _powell_singular(x: Array, m: int) -> Array:
    """f = (x1 + 10 x2, sqrt(5) (x3 - x4), (x2 - 2 x3)^2, sqrt(10) (x1 - x4)^2)."""
    u, v = x[1] - 2.0 * x[2], x[0] - x[3]
    return np.array(
        [x[0] + 10.0 * x[1], math.sqrt(5.0) * (x[2] - x[3]), u * u, math.sqrt(10.0) * (v * v)]
    )


def _powell_singular_jac(x: Array, m: int) -> Array:
    u = 2.0 * (x[1] - 2.0 * x[2])
    v = 2.0 * math.sqrt(10.0) * (x[0] - x[3])
    s = math.sqrt(5.0)
    return np.array(
        [[1.0, 10.0, 0.0, 0.0], [0.0, 0.0, s, -s], [0.0, u, -2.0 * u, 0.0], [v, 0.0, 0.0, -v]]
    )


def _freudenstein_roth(x: Array, m: int) -> Array:
    """f = (-13 + x1 + ((5 - x2) x2 - 2) x2, -29 + x1 + ((1 + x2) x2 - 14) x2)."""
    return np.array(
        [
            -13.0 + x[0] + ((5.0 - x[1]) * x[1] - 2.0) * x[1],
            -29.0 + x[0] + ((1.0 + x[1]) * x[1] - 14.0) * x[1],
        ]
    )


def _freudenstein_roth_jac(x: Array, m: int) -> Array:
    return np.array(
        [
            [1.0, x[1] * (10.0 - 3.0 * x[1]) - 2.0],
            [1.0, x[1] * (2.0 + 3.0 * x[1]) - 14.0],
        ]
    )


# --- 8 to 10: data fitting --------------------------------------------------------------

_BARD_Y = _numbers(".14 .18 .22 .25 .29 .32 .35 .39 .37 .58 .73 .96 1.34 2.10 4.39")
_KOWALIK_Y = _numbers(".1957 .1947 .1735 .1600 .0844 .0627 .0456 .0342 .0323 .0235 .0246")
_KOWALIK_U = _numbers("4 2 1 .5 .25 .167 .125 .1 .0833 .0714 .0625")
_MEYER_Y = _numbers(
    """34780 28610 23650 19630 16370 13720 11540 9744
    8261 7030 6005 5147 4427 3820 3307 2872"""
)


def _bard_terms(x: Array) -> tuple[Array, Array, Array, Array]:
    u = _index(15)
    v = 16.0 - u
    w = np.minimum(u, v)
    return u, v, w, x[1] * v + x[2] * w


def _bard(x: Array, m: int) -> Array:
    """f_i = y_i - (x1 + u / (v x2 + w x3)), u = i, v = 16 - i, w = min(u, v)."""
    u, _, _, d = _bard_terms(x)
    return _BARD_Y - (x[0] + u / d)


def _bard_jac(x: Array, m: int) -> Array:
    u, v, w, d = _bard_terms(x)
    return np.column_stack([np.full(m, -1.0), u * v / (d * d), u * w / (d * d)])


def _kowalik_osborne(x: Array, m: int) -> Array:
    """f_i = y_i - x1 u (u + x2) / (u (u + x3) + x4), u = u_i."""
    u = _KOWALIK_U
    return _KOWALIK_Y - x[0] * (u * (u + x[1])) / (u * (u + x[2]) + x[3])


def _kowalik_osborne_jac(x: Array, m: int) -> Array:
    u = _KOWALIK_U
    d = u * (u + x[2]) + x[3]
    j1 = -(u * (u + x[1])) / d
    j2 = -u * x[0] / d
    j3 = j1 * j2
    return np.column_stack([j1, j2, j3, j3 / u])


def _meyer_terms(x: Array) -> tuple[Array, Array, Array]:
    d = 5.0 * _index(16) + 45.0 + x[2]
    q = x[1] / d
    return d, q, _exp(q)


def _meyer(x: Array, m: int) -> Array:
    """f_i = x1 exp(x2 / (t + x3)) - y_i, t = 45 + 5 i."""
    return x[0] * _meyer_terms(x)[2] - _MEYER_Y


def _meyer_jac(x: Array, m: int) -> Array:
    d, q, e = _meyer_terms(x)
    j2 = x[0] * e / d
    return np.column_stack([e, j2, -q * j2])


# --- 11 to 14: variable m ---------------------------------------------------------------


def _watson_terms(x: Array) -> tuple[Array, Array, Array]:
    """For t = i/29, i = 1..29: t, sum_j (j-1) t^(j-2) x_j and sum_j t^(j-1) x_j."""
    t = _index(29) / 29.0
    slope = np.zeros(29)
    value = np.zeros(29)
    power, below = np.ones(29), np.zeros(29)
    for j, xj in enumerate(x):
        slope += j * below * xj
        value += power * xj
        power, below = t * power, power
    return t, slope, value


def _watson(x: Array, m: int) -> Array:
    """f_i = sum_j (j-1) t^(j-2) x_j - (sum_j t^(j-1) x_j)^2 - 1, t = i/29, i <= 29.

    f_30 = x1, f_31 = x2 - x1^2 - 1.
    """
    _, slope, value = _watson_terms(x)
    return np.concatenate([slope - value * value - 1.0, [x[0], x[1] - x[0] * x[0] - 1.0]])


def _watson_jac(x: Array, m: int) -> Array:
    t, _, value = _watson_terms(x)
    jac = np.zeros((31, x.size))
    power = 1.0 / t
    for j in range(x.size):
        jac[:29, j] = power * (j - 2.0 * t * value)
        power = t * power
    jac[29, 0] = 1.0
    jac[30, :2] = -2.0 * x[0], 1.0
    return jac


def _box_3d(x: Array, m: int) -> Array:
    """f_i = exp(-t x1) - exp(-t x2) + x3 (exp(-10 t) - exp(-t)), t = i/10."""
    i = _index(m)
    t = i / 10.0
    return _exp(-t * x[0]) - _exp(-t * x[1]) + (_exp(-i) - _exp(-t)) * x[2]


def _box_3d_jac(x: Array, m: int) -> Array:
    i = _index(m)
    t = i / 10.0
    return np.column_stack([-t * _exp(-t * x[0]), t * _exp(-t * x[1]), _exp(-i) - _exp(-t)])


def _jennrich_sampson(x: Array, m: int) -> Array:
    """f_i = 2 + 2 i - (exp(i x1) + exp(i x2))."""
    i = _index(m)
    return 2.0 + 2.0 * i - _exp(i * x[0]) - _exp(i * x[1])


def _jennrich_sampson_jac(x: Array, m: int) -> Array:
    i = _index(m)
    return np.column_stack([-i * _exp(i * x[0]), -i * _exp(i * x[1])])


def _brown_dennis_terms(x: Array, m: int) -> tuple[Array, Array, Array, Array]:
    t = _index(m) / 5.0
    sin = np.array([math.sin(v) for v in t])
    cos = np.array([math.cos(v) for v in t])
    return t, sin, x[0] + t * x[1] - _exp(t), x[2] + sin * x[3] - cos


def _brown_dennis(x: Array, m: int) -> Array:
    """f_i = (x1 + t x2 - exp(t))^2 + (x3 + x4 sin(t) - cos(t))^2, t = i/5."""
    _, _, a, b = _brown_dennis_terms(x, m)
    return a * a + b * b


def _brown_dennis_jac(x: Array, m: int) -> Array:
    t, sin, a, b = _brown_dennis_terms(x, m)
    return np.column_stack([2.0 * a, t * (2.0 * a), 2.0 * b, sin * (2.0 * b)])


# --- 15 and 16: variable n --------------------------------------------------------------


def _chebyquad(x: Array, m: int) -> Array:
    """f_i = (1/n) sum_j T_i(x_j) - int_0^1 T_i, T_i Chebyshev's polynomial on [0, 1].

    The integral is 0 for odd i and -1 / (i^2 - 1) for even i.
    """
    f = np.empty(m)
    y = 2.0 * x - 1.0
    before, now = np.ones_like(x), y
    for i in range(1, m + 1):
        f[i - 1] = 1.0 / x.size * _sum(now)
        if i % 2 == 0:
            f[i - 1] += 1.0 / (i * i - 1.0)
        before, now = now, 2.0 * y * now - before
    return f


def _chebyquad_jac(x: Array, m: int) -> Array:
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


def _brown_almost_linear(x: Array, m: int) -> Array:
    """f_i = x_i + sum_j x_j - (n + 1) for i < n; f_n = prod_j x_j - 1."""
    f = x + _sum(np.append(-(x.size + 1.0), x))
    f[-1] = _prod(x) - 1.0
    return f


def _brown_almost_linear_jac(x: Array, m: int) -> Array:
    jac = 1.0 + np.eye(x.size)
    for j, xj in enumerate(x):
        jac[-1, j] = _prod(x) / xj if xj != 0.0 else _prod(np.append(1.0, np.delete(x, j)))
    return jac


# --- 17 and 18: Osborne's data fitting --------------------------------------------------

_OSBORNE_1_Y = (
    _numbers(
        """844 908 932 936 925 908 881 850 818 784 751
        718 685 658 628 603 580 558 538 522 506 490
        478 467 457 448 438 431 424 420 414 411 406"""
    )
    / 1000.0
)
_OSBORNE_2_Y = (
    _numbers(
        """1366 1191 1112 1013 991 885 831 847 786 725 746 679 608
        655 616 606 602 626 651 724 649 649 694 644 624 661
        612 558 533 495 500 423 395 375 372 391 396 405 428
        429 523 562 607 653 672 708 633 668 645 632 591 559
        597 625 739 710 729 720 636 581 428 292 162 98 54"""
    )
    / 1000.0
)


def _osborne_1_terms(x: Array) -> tuple[Array, Array, Array]:
    t = 10.0 * (_index(33) - 1.0)
    return t, _exp(-x[3] * t), _exp(-x[4] * t)


def _osborne_1(x: Array, m: int) -> Array:
    """f_i = y_i - (x1 + x2 exp(-t x4) + x3 exp(-t x5)), t = 10 (i - 1)."""
    _, e, g = _osborne_1_terms(x)
    return _OSBORNE_1_Y - (x[0] + x[1] * e + x[2] * g)


def _osborne_1_jac(x: Array, m: int) -> Array:
    t, e, g = _osborne_1_terms(x)
    return np.column_stack([np.full(m, -1.0), -e, -g, t * x[1] * e, t * x[2] * g])


def _osborne_2_terms(x: Array) -> tuple[Array, Array, list[Array], list[Array]]:
    """t, exp(-t x5), and the offsets t - x_k and bells exp(-(t - x_k)^2 x_l) of the peaks."""
    t = (_index(65) - 1.0) / 10.0
    offsets = [t - c for c in x[8:11]]
    bells = [_exp(-w * (d * d)) for w, d in zip(x[5:8], offsets, strict=True)]
    return t, _exp(-x[4] * t), offsets, bells


def _osborne_2(x: Array, m: int) -> Array:
    """f_i = y_i - (x1 exp(-t x5) + sum_k x_k exp(-(t - x_{k+7})^2 x_{k+4})), t = (i - 1)/10.

    The sum is over the peaks k = 2, 3, 4.
    """
    _, e, _, (g1, g2, g3) = _osborne_2_terms(x)
    return _OSBORNE_2_Y - (x[0] * e + x[1] * g1 + x[2] * g2 + x[3] * g3)


def _osborne_2_jac(x: Array, m: int) -> Array:
    t, e, offsets, bells = _osborne_2_terms(x)
    peaks = list(zip(x[1:4], x[5:8], offsets, bells, strict=True))
    return np.column_stack(
        [-e]
        + [-g for g in bells]
        + [t * x[0] * e]
        + [a * (d * d) * g for a, _, d, g in peaks]
        + [-2.0 * a * w * d * g for a, w, d, g in peaks]
    )


# --- the table --------------------------------------------------------------------------


def _ones(n: int) -> Array:
    return np.ones(n)


def _at(*x: float) -> Callable[[int], Array]:
    return lambda n: np.array(x)


@dataclass(frozen=True)
class _Entry:
    name: str
    residual: Callable[[Array, int], Array]
    jacobian: Callable[[Array, int], Array]
    start: Callable[[int], Array]


_ENTRIES: dict[int, _Entry] = {
    1: _Entry("linear-full-rank", _linear_full_rank, _linear_full_rank_jac, _ones),
    2: _Entry("linear-rank-1", _linear_rank_1, _linear_rank_1_jac, _ones),
    3: _Entry("linear-rank-1-zero", _linear_rank_1_zero, _linear_rank_1_zero_jac, _ones),
    4: _Entry("rosenbrock", _rosenbrock, _rosenbrock_jac, _at(-1.2, 1.0)),
    5: _Entry("helical-valley", _helical_valley, _helical_valley_jac, _at(-1.0, 0.0, 0.0)),
    6: _Entry("powell-singular", _powell_singular, _powell_singular_jac, _at(3.0, -1.0, 0.0, 1.0)),
    7: _Entry("freudenstein-roth", _freudenstein_roth, _freudenstein_roth_jac, _at(0.5, -2.0)),
    8: _Entry("bard", _bard, _bard_jac, _at(1.0, 1.0, 1.0)),
    9: _Entry(
        "kowalik-osborne", _kowalik_osborne, _kowalik_osborne_jac, _at(0.25, 0.39, 0.415, 0.39)
    ),
    10: _Entry("meyer", _meyer, _meyer_jac, _at(0.02, 4000.0, 250.0)),
    11: _Entry("watson", _watson, _watson_jac, np.zeros),
    12: _Entry("box-3d", _box_3d, _box_3d_jac, _at(0.0, 10.0, 20.0)),
    13: _Entry("jennrich-sampson", _jennrich_sampson, _jennrich_sampson_jac, _at(0.3, 0.4)),
    14: _Entry("brown-dennis", _brown_dennis, _brown_dennis_jac, _at(25.0, 5.0, -5.0, -1.0)),
    15: _Entry("chebyquad", _chebyquad, _chebyquad_jac, lambda n: _index(n) * (1.0 / (n + 1.0))),
    16: _Entry(
        "brown-almost-linear",
        _brown_almost_linear,
        _brown_almost_linear_jac,
        lambda n: np.full(n, 0.5),
    ),
    17: _Entry("osborne-1", _osborne_1, _osborne_1_jac, _at(0.5, 1.5, -1.0, 0.01, 0.02)),
    18: _Entry(
        "osborne-2",
        _osborne_2,
        _osborne_2_jac,
        _at(1.3, 0.65, 0.65, 0.7, 0.6, 3.0, 5.0, 7.0, 2.0, 4.5, 5.5),
    ),
}


@dataclass(frozen=True)
class MghProblem:
    """One test function at one size: m residuals in n unknowns.

    Far from the solution values may be infinite or nan; no warning is raised.
    """

    number: int
    name: str
    n: int
    m: int

    def residual(self, x: Array) -> Array:
        """The residuals at x, shape (m,)."""
        with np.errstate(all="ignore"):
            return _ENTRIES[self.number].residual(np.asarray(x, dtype=np.float64), self.m)

    def jacobian(self, x: Array) -> Array:
        """The derivatives of the residuals at x, shape (m, n)."""
        with np.errstate(all="ignore"):
            return _ENTRIES[self.number].jacobian(np.asarray(x, dtype=np.float64), self.m)

    def start(self, factor: float = 1.0) -> Array:
        """Factor times the standard start; (factor, ..., factor) where that is zero."""
        if factor != 1.0 and self.number == 11:
            return np.full(self.n, factor)
        return factor * _ENTRIES[self.number].start(self.n)


@dataclass(frozen=True)
class MghCase:
    """A problem with a multiple of its standard start."""

    problem: MghProblem
    factor: float

    @property
    def id(self) -> str:
        """A readable name, e.g. "meyer-3x16-f10" (n x m, factor)."""
        return f"{self.problem.name}-{self.problem.n}x{self.problem.m}-f{self.factor:g}"

    def start(self) -> Array:
        """The starting point of this run."""
        return self.problem.start(self.factor)


# (number, n, m, starts): the input of MINPACK's test programs.
_RUNS = (
    (1, 5, 10, 1), (1, 5, 50, 1), (2, 5, 10, 1), (2, 5, 50, 1), (3, 5, 10, 1), (3, 5, 50, 1),
    (4, 2, 2, 3), (5, 3, 3, 3), (6, 4, 4, 3), (7, 2, 2, 3), (8, 3, 15, 3), (9, 4, 11, 3),
    (10, 3, 16, 2), (11, 6, 31, 3), (11, 9, 31, 3), (11, 12, 31, 3), (12, 3, 10, 1),
    (13, 2, 10, 1), (14, 4, 20, 3), (15, 1, 8, 3), (15, 8, 8, 1), (15, 9, 9, 1),
    (15, 10, 10, 1), (16, 10, 10, 3), (16, 30, 30, 1), (16, 40, 40, 1), (17, 5, 33, 1),
    (18, 11, 65, 1),
)  # fmt: skip


def _cases() -> Iterator[MghCase]:
    for number, n, m, starts in _RUNS:
        problem = MghProblem(number, _ENTRIES[number].name, n, m)
        for k in range(starts):
            yield MghCase(problem, 10.0**k)


CASES: tuple[MghCase, ...] = tuple(_cases())
