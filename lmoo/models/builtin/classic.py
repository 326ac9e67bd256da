"""Decays, peaks with an offset, spots and dose-response curves.

Some have a handwritten implementation, `by_hand`, that is faster than the generated one: for short
curves, or because its powers are not accurate to the last digit.
"""

from typing import Any, ClassVar

import numpy as np

from lmoo._core.arrays import Array
from lmoo.models.builtin.base import BuiltIn
from lmoo.models.builtin.measures import best_pair, decay, full, length_of, peak, project

__all__ = [
    "BiExponential",
    "DampedSine",
    "Exponential",
    "Gaussian",
    "Gaussian2D",
    "Logistic4",
    "Lorentzian",
    "PowerLaw",
    "PseudoVoigt",
    "StretchedExponential",
]


# Shares of the points of a curve.  Those of neighbours, and so the rates for even points, differ by
# a factor of 2 at most.
SHARES = (0.02, 0.04, 0.08, 0.15, 0.25, 0.4, 0.6, 0.8, 1.0)

# The mean of a spot over a pixel of side 1.
PIXELS = (
    "amplitude*(pi/2)*sigma**2"
    "*(erf((u - x + 0.5)/(sigma*sqrt(2))) - erf((u - x - 0.5)/(sigma*sqrt(2))))"
    "*(erf((v - y + 0.5)/(sigma*sqrt(2))) - erf((v - y - 0.5)/(sigma*sqrt(2)))) + offset"
)


class Exponential(BuiltIn):
    """``amplitude exp(-rate t) + offset``.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> model = lmoo.models.Exponential()
    >>> t = np.linspace(0, 4, 20)
    >>> y = model(t, 2.5, np.array([[0.5], [1.5]]), 0.5)
    >>> lmoo.curve_fit_many(model, t, y).x.round(6)
    array([[2.5, 0.5, 0.5],
           [2.5, 1.5, 0.5]])
    """

    formula = "amplitude*exp(-rate*t) + offset"
    derived: ClassVar[dict[str, str]] = {
        "half_life": "log(2)/rate",
        "time_constant": "1/rate",
    }
    by_hand = "Exponential"
    names = ("amplitude", "rate", "offset")

    def _guess(self, t: Any, y: Array) -> Array:
        """Return starting values for some curves, (k, 3)."""
        _, rate = decay(t, y)
        t = full(t, y)
        start = t.min(axis=1, keepdims=True)
        e = np.exp(-rate[:, None] * (t - start))
        amplitude, offset = project([e, np.ones_like(e)], y).T
        with np.errstate(over="ignore"):
            amplitude = amplitude * np.exp(np.clip(rate * start[:, 0], -600, 600))
        return np.stack([amplitude, rate, offset], axis=1)


class BiExponential(BuiltIn):
    """``amplitude1 exp(-rate1 t) + amplitude2 exp(-rate2 t) + offset``."""

    formula = "amplitude1*exp(-rate1*t) + amplitude2*exp(-rate2*t) + offset"
    derived: ClassVar[dict[str, str]] = {
        "half_life1": "log(2)/rate1",
        "half_life2": "log(2)/rate2",
    }
    names = ("amplitude1", "rate1", "amplitude2", "rate2", "offset")

    def _guess(self, t: Any, y: Array) -> Array:
        """Return starting values for some curves, (k, 5): the pair of rates that fits best.

        The rates are those for which an exponential decays while a share of the points passes, and
        some around that of a single exponential.
        """
        _, rate = decay(t, y)
        t = full(t, y)
        start = t.min(axis=1, keepdims=True)
        later = t - start
        length = length_of(t)
        times = [*np.quantile(later, SHARES, axis=1), 5.0 * length]
        rates = [2.0 / np.where(time > 0, time, length) for time in times]
        rates += [2.5 * rate, 0.4 * rate]
        columns = [np.exp(np.clip(-r[:, None] * later, -600, 600)) for r in rates]
        first, second, factors = best_pair(columns, y)
        rows = np.arange(len(y))
        fast, slow = (np.stack(rates)[chosen, rows] for chosen in (first, second))
        with np.errstate(over="ignore"):
            one, two = (
                factor * np.exp(np.clip(r * start[:, 0], -600, 600))
                for factor, r in zip(factors.T, (fast, slow), strict=False)
            )
        return np.stack([one, fast, two, slow, factors[:, 2]], axis=1)


class Gaussian(BuiltIn):
    """``amplitude exp(-(t - center)^2 / (2 sigma^2)) + offset``."""

    formula = "amplitude*exp(-((t - center)/sigma)**2/2) + offset"
    derived: ClassVar[dict[str, str]] = {
        "fwhm": "2*sqrt(2*log(2))*abs(sigma)",
        "height": "amplitude",
        "area": "amplitude*abs(sigma)*sqrt(2*pi)",
    }
    by_hand = "Gaussian"
    names = ("amplitude", "center", "sigma", "offset")

    def _guess(self, t: Any, y: Array) -> Array:
        """Return starting values for some curves, (k, 4)."""
        return np.stack(peak(t, y, np.sqrt(2 * np.pi)), axis=1)


class Lorentzian(BuiltIn):
    """``amplitude / (1 + ((t - center) / width)^2) + offset``, half as high at center + width."""

    formula = "amplitude/(1 + ((t - center)/width)**2) + offset"
    derived: ClassVar[dict[str, str]] = {
        "fwhm": "2*abs(width)",
        "height": "amplitude",
        "area": "pi*amplitude*abs(width)",
    }
    by_hand = "Lorentzian"
    names = ("amplitude", "center", "width", "offset")

    def _guess(self, t: Any, y: Array) -> Array:
        """Return starting values for some curves, (k, 4)."""
        return np.stack(peak(t, y, np.pi), axis=1)


class PseudoVoigt(BuiltIn):
    """``amplitude (fraction L(z) + (1 - fraction) G(z)) + offset``, z = (t - center) / width.

    ``L = 1 / (1 + z^2)`` and ``G = exp(-ln(2) z^2)`` have the same width, half of it at half the
    height.
    """

    formula = (
        "amplitude*(fraction/(1 + ((t - center)/width)**2)"
        " + (1 - fraction)*exp(-log(2)*((t - center)/width)**2)) + offset"
    )
    derived: ClassVar[dict[str, str]] = {
        "fwhm": "2*abs(width)",
        "height": "amplitude",
        "area": "amplitude*abs(width)*(fraction*pi + (1 - fraction)*sqrt(pi/log(2)))",
    }
    by_hand = "PseudoVoigt"
    names = ("amplitude", "center", "width", "fraction", "offset")

    def _guess(self, t: Any, y: Array) -> Array:
        """Return starting values for some curves, (k, 5)."""
        height, place, width, floor = peak(t, y, 2.6)
        return np.stack([height, place, width, np.full_like(height, 0.5), floor], axis=1)


class Gaussian2D(BuiltIn):
    """``amplitude exp(-((u - x)^2 + (v - y)^2) / (2 sigma^2)) + offset``, t = (u, v).

    Parameters
    ----------
    integrated : bool, default False
        The mean over a pixel of side 1 round (u, v), instead of the value at its centre.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> model = lmoo.models.Gaussian2D(integrated=True)
    >>> u, v = np.meshgrid(np.arange(7.0), np.arange(7.0))
    >>> grid = (u.ravel(), v.ravel())
    >>> spots = model(grid, 100.0, np.array([[2.8], [3.1]]), 3.0, 1.2, 10.0)
    >>> lmoo.curve_fit_many(model, grid, spots).x[:, 1].round(6)
    array([2.8, 3.1])
    """

    formula = "amplitude*exp(-(((u - x)/sigma)**2 + ((v - y)/sigma)**2)/2) + offset"
    derived: ClassVar[dict[str, str]] = {
        "fwhm": "2*sqrt(2*log(2))*abs(sigma)",
        "volume": "2*pi*amplitude*sigma**2",
    }
    by_hand = "Gaussian2D"
    variables_of_formula = ("u", "v")
    names = ("amplitude", "x", "y", "sigma", "offset")

    def __init__(self, integrated: bool = False, *, prefix: str = "") -> None:
        self.integrated = bool(integrated)
        formula = PIXELS if integrated else self.formula
        options = {"integrated": self.integrated}
        self._setup(formula, self.names, prefix, options, None if integrated else self.by_hand)

    def _guess(self, t: Any, y: Array) -> Array:
        """Return starting values for some spots, bright or dark, (k, 5), from their moments."""
        u, v = (full(part, y) for part in t)
        middle = np.median(y, axis=1)
        up = y.max(axis=1) - middle >= middle - y.min(axis=1)
        sign = np.where(up, 1.0, -1.0)
        floor = np.where(up, np.percentile(y, 20, axis=1), np.percentile(y, 80, axis=1))
        above = np.clip(sign[:, None] * (y - floor[:, None]), 0.0, None)
        total = above.sum(axis=1)
        total = np.where(total > 0, total, 1.0)
        x, z = (above * u).sum(axis=1) / total, (above * v).sum(axis=1) / total
        squares = (u - x[:, None]) ** 2 + (v - z[:, None]) ** 2
        sigma = np.sqrt(0.5 * (above * squares).sum(axis=1) / total)
        # If a spot fills its window, the estimate of the offset makes it too wide.
        sigma = np.clip(0.8 * sigma, 0.05 * length_of(np.array(u)), None)
        return np.stack([sign * above.max(axis=1), x, z, sigma, floor], axis=1)


class Logistic4(BuiltIn):
    """Dose and response: ``bottom + (top - bottom) / (1 + (t / ec50)^slope)``, t >= 0.

    ``top`` is the response at t = 0 for a positive slope.
    """

    formula = (
        "bottom + (top - bottom)"
        "*where(t > 0, expit(-slope*log(where(t > 0, t, 1)/ec50)),"
        " where(t < 0, 0/0, slope > 0))"
    )
    derived: ClassVar[dict[str, str]] = {
        "half": "(top + bottom)/2",
    }
    by_hand = "Logistic4"
    names = ("top", "slope", "ec50", "bottom")

    def _guess(self, t: Any, y: Array) -> Array:
        """Return starting values for some curves, (k, 4)."""
        t = np.array(full(t, y))
        rows = np.arange(len(y))
        top, bottom = y[rows, t.argmin(axis=1)], y[rows, t.argmax(axis=1)]
        half = np.abs(y - 0.5 * (top + bottom)[:, None]) + np.where(t > 0, 0.0, np.inf)
        ec50 = t[rows, half.argmin(axis=1)]
        ec50 = np.where(ec50 > 0, ec50, 1.0)
        return np.stack([top, np.ones_like(top), ec50, bottom], axis=1)


class PowerLaw(BuiltIn):
    """``amplitude t^exponent + offset``, t >= 0."""

    formula = "amplitude*t**exponent + offset"
    by_hand = "PowerLaw"
    names = ("amplitude", "exponent", "offset")

    def _guess(self, t: Any, y: Array) -> Array:
        """Return starting values for some curves, (k, 3): the exponent of seven that fits best."""
        t = full(t, y)
        best = np.full(len(y), np.inf)
        out = np.zeros((len(y), 3))
        positive_t = np.where(t > 0, t, np.nan)
        for exponent in (-2.0, -1.0, -0.5, 0.5, 1.0, 2.0, 3.0):
            power = np.nan_to_num(positive_t**exponent)
            found = project([power, np.ones_like(power)], y)
            misfit = ((found[:, :1] * power + found[:, 1:] - y) ** 2).sum(axis=1)
            better = misfit < best
            best[better] = misfit[better]
            out[better] = np.stack([found[:, 0], np.full(len(y), exponent), found[:, 1]], axis=1)[
                better
            ]
        return out


class StretchedExponential(BuiltIn):
    """``amplitude exp(-(t / tau)^beta) + offset``, t >= 0."""

    formula = "amplitude*exp(-(t/tau)**beta) + offset"
    derived: ClassVar[dict[str, str]] = {
        "half_life": "tau*log(2)**(1/beta)",
        "mean_time": "tau*exp(gammaln(1 + 1/beta))",
    }
    by_hand = "StretchedExponential"
    names = ("amplitude", "tau", "beta", "offset")

    def _guess(self, t: Any, y: Array) -> Array:
        """Return starting values for some curves, (k, 4)."""
        amplitude, rate, offset = Exponential()._guess(t, y).T
        return np.stack([amplitude, 1.0 / np.abs(rate), np.ones_like(rate), offset], axis=1)


class DampedSine(BuiltIn):
    """``amplitude exp(-rate t) sin(frequency t + phase) + offset``, frequency in radians per t."""

    formula = "amplitude*exp(-rate*t)*sin(frequency*t + phase) + offset"
    derived: ClassVar[dict[str, str]] = {
        "period": "2*pi/abs(frequency)",
        "half_life": "log(2)/rate",
    }
    names = ("amplitude", "rate", "frequency", "phase", "offset")

    def _guess(self, t: Any, y: Array) -> Array:
        """Return starting values for some curves, (k, 5): the best of a grid of frequencies."""
        t = np.array(full(t, y))
        length = length_of(t)
        best = np.full(len(y), np.inf)
        out = np.zeros((len(y), 5))
        rate = 1.0 / length
        for cycles in np.arange(0.5, 0.5 * y.shape[1], 0.25):
            frequency = 2 * np.pi * cycles / length
            decay = np.exp(-rate[:, None] * (t - t.min(axis=1, keepdims=True)))
            angle = frequency[:, None] * t
            waves = (
                decay * np.where(_is_rounding(w), 0.0, w) for w in (np.sin(angle), np.cos(angle))
            )
            columns = [*waves, np.ones_like(t)]
            s, c, offset = project(columns, y).T
            found = s[:, None] * columns[0] + c[:, None] * columns[1] + offset[:, None]
            misfit = ((found - y) ** 2).sum(axis=1)
            better = misfit < best
            best[better] = misfit[better]
            amplitude = np.hypot(s, c) * np.exp(np.clip(rate * t.min(axis=1), -600, 600))
            row = np.stack([amplitude, rate, frequency, np.arctan2(c, s), offset], axis=1)
            out[better] = row[better]
        return out


def _is_rounding(wave: Array) -> Array:
    """Return whether a sine of each curve is 0 at all points, but for rounding."""
    return np.asarray(np.abs(wave).max(axis=1, keepdims=True) < 1e-9)
