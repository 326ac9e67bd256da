"""Programs for tests, and the instruction sets that there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special
from numpy.typing import NDArray

from lmoo._core.graphs import ARITY
from lmoo.models.program import Program

__all__ = [
    "GAUSSIAN_X",
    "REFERENCES",
    "SPECIAL",
    "TARGETS",
    "Array",
    "available",
    "gaussian",
    "operation",
    "reference",
]


Array = NDArray[np.float64]


def available(target: str) -> bool:
    try:
        Program([("variable", (), 0)], 0, n=0, target=target)
    except ValueError:
        return False
    return True


TARGETS = [target for target in ("plain", "avx2", "avx512") if available(target)]
SPECIAL = np.array(
    [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.0, -2.5, 3.0, 20.0, -20.0, 710.0, -745.5, 1e5, -1e7,
     1e22, 1e300, -1e300, 5e-324, -1e-310, 1e-20, 2.0**53 + 2, np.inf, -np.inf, np.nan]
)  # fmt: skip
GAUSSIAN_X = [2.0, 0.3, 0.7, 0.1]
REFERENCES: dict[str, Callable[..., Any]] = {
    "erf": scipy.special.erf,
    "erfc": scipy.special.erfc,
    "erfcx": scipy.special.erfcx,
    "gamma": scipy.special.gamma,
    "gammaln": scipy.special.gammaln,
    "digamma": scipy.special.digamma,
    "trigamma": lambda x: scipy.special.polygamma(1, x),
    "expit": scipy.special.expit,
    "i0": scipy.special.i0,
    "i1": scipy.special.i1,
    "j0": scipy.special.j0,
    "j1": scipy.special.j1,
    "wofz_real": lambda x, y: scipy.special.wofz(x + 1j * y).real,
    "wofz_imag": lambda x, y: scipy.special.wofz(x + 1j * y).imag,
}


def reference(name: str) -> Callable[..., Any]:
    return REFERENCES.get(name) or getattr(np, name)


def operation(name: str, target: str | None = None) -> Callable[..., Array]:
    arity = ARITY[name]
    steps = [("variable", (), j) for j in range(arity)] + [(name, tuple(range(arity)), None)]
    program = Program(steps, arity, n=0, variables=arity, target=target)
    return lambda *arguments: program.values(np.array(arguments), [])


def gaussian(**options: Any) -> Program:
    """a exp(-(t - b)^2 / (2 s^2)) + c, with derivatives."""
    steps: list[Any] = [("parameter", (), j) for j in range(4)] + [("variable", (), 0)]

    def put(name: str, *arguments: int, value: float | None = None) -> int:
        steps.append((name, arguments, value))
        return len(steps) - 1

    a, b, s, c, t = range(5)
    z, variance = put("subtract", t, b), put("square", s)
    twice = put("multiply", put("constant", value=2.0), variance)
    e = put("exp", put("divide", put("negative", put("square", z)), twice))
    height = put("multiply", a, e)
    y = put("add", height, c)
    by_b = put("multiply", height, put("divide", z, variance))
    columns = [e, by_b, put("divide", put("multiply", by_b, z), s), put("constant", value=1.0)]
    return Program(steps, y, columns, n=4, **options)
