"""Spots on images, of two variables."""

from collections.abc import Iterable
from itertools import product
from typing import ClassVar

import numpy as np

from lmoo.models.builtin.base import BuiltIn, Candidate
from lmoo.models.builtin.features import Features

__all__ = ["EllipticalGaussian2D", "Lorentzian2D"]


class Spot(BuiltIn):
    """A spot at (x, y)."""

    variables_of_formula = ("u", "v")

    def spots(self, data: Features) -> Iterable[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Return the locations of the brightest and the darkest pixel, and the length of a side."""
        u, v = (np.broadcast_to(data.points[:, i], data.y.shape) for i in (0, 1))
        rows = np.arange(len(data.y))
        side = np.maximum(np.ptp(u, axis=1), np.ptp(v, axis=1))
        for top in (data.y.argmax(axis=1), data.y.argmin(axis=1)):
            yield u[rows, top], v[rows, top], side


class EllipticalGaussian2D(Spot):
    """A Gaussian spot with two widths, rotated.

    ``amplitude exp(-(p / sigma_x)^2 / 2 - (q / sigma_y)^2 / 2) + offset``, t = (u, v), with
    ``p = (u - x) cos(angle) + (v - y) sin(angle)`` and
    ``q = (v - y) cos(angle) - (u - x) sin(angle)``.  amplitude and offset in the unit of the
    values; x, y, sigma_x, sigma_y in that of u and v; angle in radians.
    """

    formula = (
        "amplitude*exp(-((u - x)*cos(angle) + (v - y)*sin(angle))**2/(2*sigma_x**2)"
        " - ((v - y)*cos(angle) - (u - x)*sin(angle))**2/(2*sigma_y**2)) + offset"
    )
    names = ("amplitude", "x", "y", "sigma_x", "sigma_y", "angle", "offset")
    derived: ClassVar[dict[str, str]] = {
        "volume": "2*pi*amplitude*abs(sigma_x*sigma_y)",
        "fwhm_x": "2*sqrt(2*log(2))*abs(sigma_x)", "fwhm_y": "2*sqrt(2*log(2))*abs(sigma_y)",
    }  # fmt: skip

    def candidates(self, data: Features) -> Iterable[Candidate]:
        """Return widths, and directions of the longer one."""
        for x, y, side in self.spots(data):
            # The widths differ, because the angle of a round spot has no effect.
            for width, ratio, angle in product(
                (0.05, 0.09, 0.15), (1.4, 2.2), np.arange(4) * np.pi / 4
            ):
                yield {
                    "x": x,
                    "y": y,
                    "sigma_x": width * side * ratio,
                    "sigma_y": width * side,
                    "angle": angle,
                }


class Lorentzian2D(Spot):
    """``amplitude / (1 + ((u - x)^2 + (v - y)^2) / width^2) + offset``, t = (u, v).

    amplitude and offset in the unit of the values; x, y and width (half of it at half height) in
    that of u and v.
    """

    formula = "amplitude/(1 + ((u - x)**2 + (v - y)**2)/width**2) + offset"
    names = ("amplitude", "x", "y", "width", "offset")
    derived: ClassVar[dict[str, str]] = {"fwhm": "2*abs(width)", "height": "amplitude"}

    def candidates(self, data: Features) -> Iterable[Candidate]:
        """Return widths."""
        for x, y, side in self.spots(data):
            for width in (0.03, 0.08, 0.15, 0.3):
                yield {"x": x, "y": y, "width": width * side}
