"""Problems in blocks of rows, and the same problems as a whole."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pytest

import lmoo
from lmoo import RowBlockProblem

RNG = np.random.default_rng(20121)
T = np.linspace(0.0, 4.0, 1000)
Y = 3.0 * np.exp(-0.5 * T) + 0.1 + 0.01 * RNG.standard_normal(T.size)
X0 = (1.0, 1.0, 0.0)


def cut(rows: int, sizes: list[int]) -> list[slice]:
    """Slices of these sizes, and the rest."""
    ends = np.minimum(np.cumsum([0, *sizes]), rows)
    return [slice(a, b) for a, b in itertools.pairwise([*ends.tolist(), rows])]


class Decay(RowBlockProblem):
    """Blocks are slices."""

    parameter_names = ("amplitude", "rate", "offset")

    def residual(self, x: np.ndarray, block: slice) -> np.ndarray:
        return x[0] * np.exp(-x[1] * T[block]) + x[2] - Y[block]


class DecayWithJacobian(Decay):
    def jacobian(self, x: np.ndarray, block: slice) -> np.ndarray:
        t = T[block]
        e = np.exp(-x[1] * t)
        return np.column_stack([e, -x[0] * t * e, np.ones(t.size)])


class Whole(lmoo.Problem):
    """The same without blocks."""

    def residual(self, x: np.ndarray) -> np.ndarray:
        return Decay().residual(x, slice(None))


class WholeWithJacobian(Whole):
    def jacobian(self, x: np.ndarray) -> np.ndarray:
        return DecayWithJacobian().jacobian(x, slice(None))


TEN = cut(T.size, [100] * 9)
KINDS = pytest.mark.parametrize("kind", [Decay, DecayWithJacobian])


def assert_same_bits(ours: lmoo.Result, right: lmoo.Result) -> None:
    assert ours.x.tobytes() == right.x.tobytes()
    assert ours.cost == right.cost
    assert ours.status is right.status
    assert (ours.nfev, ours.njev, ours.nit) == (right.nfev, right.njev, right.nit)
    np.testing.assert_array_equal(ours.covariance(), right.covariance())


class Restartable:
    def __init__(self) -> None:
        self.passes = 0

    def __iter__(self) -> Iterator[slice]:
        self.passes += 1
        yield from TEN


def model(t: np.ndarray, a: float, b: float, c: float) -> np.ndarray:
    return a * np.exp(-b * t) + c
