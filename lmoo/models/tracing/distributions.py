"""Densities of scipy.stats for placeholders."""

from collections.abc import Callable
from math import log, pi, sqrt
from typing import Any

import numpy as np

from lmoo.models.tracing.placeholder import Placeholder

_ROOT = sqrt(2.0 * pi)


def _special(operation: str, x: Any) -> Any:
    return x._operate(operation, x)


def _where_positive(z: Any, value: Callable[[Any], Any]) -> Any:
    """Return a value of z, 0 for z below 0."""
    inside = z > 0.0
    return np.where(inside, value(np.where(inside, z, 1.0)), 0.0)


# The standard densities, and distribution functions, of z = (x - loc)/scale and the shapes.
_DENSITIES: dict[str, Callable[..., Any]] = {
    "norm": lambda z: np.exp(-0.5 * z**2) / _ROOT,
    "cauchy": lambda z: 1.0 / (pi * (1.0 + z**2)),
    "logistic": lambda z: _special("expit", z) * _special("expit", -z),
    "laplace": lambda z: 0.5 * np.exp(-abs(z)),
    "expon": lambda z: np.where(z >= 0.0, np.exp(-z), 0.0),
    "rayleigh": lambda z: np.where(z >= 0.0, z * np.exp(-0.5 * z**2), 0.0),
    "lognorm": lambda z, s: _where_positive(
        z, lambda u: np.exp(-0.5 * (np.log(u) / s) ** 2) / (s * u * _ROOT)
    ),
    "gamma": lambda z, a: _where_positive(
        z, lambda u: np.exp((a - 1.0) * np.log(u) - u - _special("gammaln", a))
    ),
    "weibull_min": lambda z, c: _where_positive(z, lambda u: c * u ** (c - 1.0) * np.exp(-(u**c))),
}
_DISTRIBUTIONS: dict[str, Callable[..., Any]] = {
    "norm": lambda z: 0.5 * _special("erfc", z / -sqrt(2.0)),
    "cauchy": lambda z: 0.5 + np.arctan(z) / pi,
    "logistic": lambda z: _special("expit", z),
    "expon": lambda z: np.where(z > 0.0, -np.expm1(-z), 0.0),
}
_LOGARITHMS: dict[str, Callable[..., Any]] = {"norm": lambda z: -0.5 * z**2 - log(_ROOT)}
_FUNCTIONS = {"pdf": _DENSITIES, "cdf": _DISTRIBUTIONS, "logpdf": _LOGARITHMS}


class Distribution:
    """A distribution of scipy.stats whose functions can be traced.

    Parameters
    ----------
    distribution : rv_continuous
    """

    def __init__(self, distribution: Any) -> None:
        self._distribution = distribution

    def __getattr__(self, name: str) -> Any:
        theirs = getattr(self._distribution, name)
        ours = _FUNCTIONS.get(name, {}).get(self._distribution.name)
        if ours is None:
            return theirs

        def called(x: Any, *args: Any, **named: Any) -> Any:
            given = (x, *args, *named.values())
            if not any(isinstance(a, Placeholder) for a in given) or not {*named} <= {*_PLACES}:
                return theirs(x, *args, **named)
            n = self._distribution.numargs
            shapes, places = args[:n], dict(zip(_PLACES, args[n:], strict=False))
            places.update(named)
            loc, scale = places.get("loc", 0.0), places.get("scale", 1.0)
            value = ours((x - loc) / scale, *shapes)
            value = (
                value
                if name == "cdf"
                else value / scale
                if name == "pdf"
                else value - np.log(scale)
            )
            for positive in (scale, *shapes):
                if isinstance(positive, Placeholder):
                    value = np.where(positive > 0.0, value, np.nan)
            return value

        return called


_PLACES = ("loc", "scale")
