"""Functions, solves with a known ending, and recorders that the tests of `leastsq` share."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from samples import (
    START,
    T,
    Y,
    decay,
    decay_jacobian,
    rosenbrock,
    rosenbrock_jacobian,
)

EPS = float(np.finfo(float).eps)


# ------------------------------------------------------------------------------------ problems


def rate(p: np.ndarray) -> np.ndarray:
    """Leave one residual per time for a single unknown, p[0]."""
    return np.exp(-p[0] * (T + 0.5)) - 0.25 * Y


def rate_jacobian(p: np.ndarray) -> np.ndarray:
    return (-(T + 0.5) * np.exp(-p[0] * (T + 0.5)))[:, None]


def slow(p: np.ndarray) -> np.ndarray:
    """Every Gauss-Newton step is +1 in each component, for ever: only maxfev ends it."""
    return np.exp(-p)


def slow_jacobian(p: np.ndarray) -> np.ndarray:
    return -np.diag(np.exp(-p))


@dataclass
class Recorder:
    """Calls what it wraps and keeps a copy of every x it was handed."""

    function: Callable[..., Any]
    points: list[np.ndarray] = field(default_factory=list)
    seen: list[tuple[Any, ...]] = field(default_factory=list)

    def __call__(self, x: np.ndarray, *args: Any) -> Any:
        self.points.append(np.array(x, copy=True))
        self.seen.append((type(x), x.dtype, x.shape))
        return self.function(x, *args)


@dataclass(frozen=True)
class Ending:
    """A solve and the `ier` it ends with."""

    ier: int
    func: Callable[..., Any]
    x0: Any
    options: dict[str, Any]
    label: str

    def run(self, leastsq: Callable[..., Any], **more: Any) -> Any:
        return leastsq(self.func, self.x0, **{**self.options, **more})


def ending(ier: int, func: Callable[..., Any], x0: Any, label: str, **options: Any) -> Any:
    return pytest.param(Ending(ier, func, x0, options, label), id=f"{ier}-{label}")


def cliff(x: np.ndarray) -> list[float]:
    """Go up wherever one steps, so that the trust region shrinks to nothing."""
    return [1.0] if x[0] == 1.0 else [2.0]


NO_TOLERANCE: dict[str, Any] = {"ftol": 0.0, "xtol": 0.0}

# The constant residual 1 hides from |f| what the other one still has to gain: 1e-9 leaves the
# cosine above machine precision (6, not 8), 1e-20 does not.
BESIDE_1: dict[str, Any] = {"Dfun": lambda x: [[1.0], [0.0]], **NO_TOLERANCE}
FAILURES = [
    ending(5, slow, [0.0, 0.0], "maxfev", maxfev=9),
    ending(6, lambda x: [x[0] - (3.0 + 1e-9), 1.0], 3.0, "ftol-too-small", **BESIDE_1),
    ending(7, cliff, 1.0, "xtol-too-small", Dfun=lambda x: [[1.0]], **NO_TOLERANCE),
    ending(8, lambda x: [x[0] + 1e-20, 1.0], 0.0, "gtol-too-small", **BESIDE_1),
]
SUCCESSES = [
    ending(1, decay, START, "ftol"),
    ending(2, lambda x: x * x - 2.0, 1.0, "xtol"),
    ending(3, decay, START, "both", ftol=1e-2, xtol=3e-3),
    ending(4, decay, START, "gtol", gtol=1e-3),
    ending(4, lambda x: x - 0.1, 0.1, "exact-start"),
]


INFO_KEYS = ["fvec", "nfev", "njev", "fjac", "ipvt", "qtf"]


def line_after_this() -> int:
    return sys._getframe(1).f_lineno + 1


@dataclass
class LastModel:
    """What a solve with an analytic Jacobian left behind, and where it was linearised last."""

    x: np.ndarray
    J: np.ndarray
    f: np.ndarray
    fjac: np.ndarray
    ipvt: np.ndarray
    qtf: np.ndarray
    cov_x: np.ndarray | None
    moved_on: bool

    @property
    def R(self) -> np.ndarray:  # noqa: N802  (a matrix)
        return np.triu(self.fjac.T[: len(self.x)])


def last_model(
    leastsq: Callable[..., Any],
    func: Callable[..., Any],
    Dfun: Callable[..., Any],
    x0: Any,
    **options: Any,
) -> LastModel:
    jacobian = Recorder(Dfun)
    x, cov_x, info, _, _ = leastsq(func, x0, Dfun=jacobian, full_output=True, **options)
    at = jacobian.points[-1]
    return LastModel(
        x, np.asarray(Dfun(at)), np.asarray(func(at)), info["fjac"], info["ipvt"], info["qtf"],
        cov_x, not np.array_equal(at, x),
    )  # fmt: skip


U = np.linspace(-1.0, 1.0, 31)


def bump(p: np.ndarray) -> np.ndarray:
    """Fit four parameters of very different size: pivoting has something to do."""
    model = 1e-2 * p[0] + p[1] * U + 50.0 * np.exp(-((U - p[2]) ** 2)) * p[3]
    return model - (0.3 + 0.7 * U + 30.0 * np.exp(-((U - 0.2) ** 2)) + 0.1 * np.sin(11.0 * U))


def bump_jacobian(p: np.ndarray) -> np.ndarray:
    e = 50.0 * np.exp(-((U - p[2]) ** 2))
    one = np.full_like(U, 1e-2)
    return np.column_stack([one, U, 2.0 * (U - p[2]) * e * p[3], e])


BUMP_START = (1.0, 0.5, 0.1, 0.4)

MODELS = [
    pytest.param(decay, decay_jacobian, START, id="decay"),
    pytest.param(bump, bump_jacobian, BUMP_START, id="bump"),
    pytest.param(rate, rate_jacobian, (1.0,), id="n=1"),
    pytest.param(rosenbrock, rosenbrock_jacobian, (-1.2, 1.0), id="m=n"),
]


def reflections(fjac: np.ndarray) -> np.ndarray:
    """Rebuild Q from the Householder vectors that MINPACK leaves below R.

    MINPACK scales v so that H = I - v v' / v_j annihilates and v'v = 2 v_j with v_j in [1, 2], and
    then writes R's diagonal over v_j. From s = sum of squares below it, v_j = 1 + sqrt(1 - s).
    """
    n, m = fjac.shape
    Q = np.eye(m)
    for j in range(n):
        if fjac[j, j] == 0.0:  # a column of zeros is left alone
            continue
        v = np.zeros(m)
        v[j + 1 :] = fjac[j, j + 1 :]
        v[j] = 1.0 + math.sqrt(max(0.0, 1.0 - v @ v))
        Q = Q @ (np.eye(m) - np.outer(v, v) / v[j])
    return Q


# ============================================================================ What it takes: x0


def read_only(x: Any) -> np.ndarray:
    x = np.array(x)
    x.setflags(write=False)
    return x


def unused(p: np.ndarray) -> np.ndarray:
    """Do not depend on p[2]: its column is zero, by differences too."""
    return decay(p[:2])
