"""A curve with outliers, for the tests of losses."""

from __future__ import annotations

from typing import Any

import numpy as np

import lmoo

Array = np.ndarray
NAMES = ("huber", "soft_l1", "cauchy", "arctan", "tukey")
IN_SCIPY = NAMES[:-1]
T = np.linspace(0.0, 4.0, 60)
# Near enough for tukey, to which far points are nothing.
START = (2.3, 1.2, 0.45)
SCALE = 0.1


def decay(t: Any, a: Any, b: Any, c: Any) -> Any:
    return a * np.exp(-b * t) + c


def derivatives(t: Any, a: Any, b: Any, c: Any) -> Any:
    e = np.exp(-b * t)
    return np.stack(np.broadcast_arrays(e, -a * t * e, np.ones_like(e)), axis=-1)


def with_outliers(seed: int = 1, m: int = T.size) -> Array:
    rng = np.random.default_rng(seed)
    t = np.linspace(0.0, 4.0, m)
    y = decay(t, 2.5, 1.3, 0.5) + 0.02 * rng.standard_normal(m)
    y[rng.choice(m, m // 5, replace=False)] += 1.0
    return np.asarray(y)


Y = with_outliers()


def residual(x: Array) -> Array:
    return np.asarray(decay(T, *x) - Y)


def jacobian(x: Array) -> Array:
    return np.asarray(derivatives(T, *x))


def cost_of(name: str, scale: float, f: Array) -> float:
    rho = getattr(lmoo.losses, name)((f / scale) ** 2)[0]
    return float(0.5 * scale**2 * rho.sum())


def geman_mcclure(z: Array) -> Any:
    w = 1.0 / (1.0 + z)
    return z * w, w**2, -2.0 * w**3
