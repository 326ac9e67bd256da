"""Kinetics, oscillations and distributions of energy."""

from collections.abc import Iterable
from itertools import product
from typing import Any, ClassVar

import numpy as np

from lmoo.models.builtin.base import BuiltIn, Candidate
from lmoo.models.builtin.features import Features

__all__ = ["Arrhenius", "Hill", "MichaelisMenten", "Sine", "ThermalDistribution", "Weibull"]


class Sine(BuiltIn):
    """``amplitude sin(frequency t + shift)``.

    amplitude in y; frequency in radians per t; shift in radians.

    Examples
    --------
    >>> import lmoo
    >>> round(lmoo.models.Sine().derive([1.0, 3.14159265, 0.0])["period"], 6)
    2.0
    """

    formula = "amplitude*sin(frequency*t + shift)"
    names = ("amplitude", "frequency", "shift")
    derived: ClassVar[dict[str, str]] = {"period": "2*pi/abs(frequency)"}

    def candidates(self, data: Features) -> Iterable[Candidate]:
        """Return frequencies up to the Nyquist limit, each with the shift that fits best."""
        middle = data.at(0.5)
        for cycles in np.arange(0.25, 0.5 * data.y.shape[1], 0.25):
            frequency = 2 * np.pi * cycles / data.span
            angle = frequency[:, None] * (data.t - middle[:, None])
            s, c = self._phases(np.sin(angle), np.cos(angle), data.y)
            yield {"frequency": frequency, "shift": np.arctan2(c, s) - frequency * middle}

    @staticmethod
    def _phases(sine: Any, cosine: Any, y: Any) -> tuple[Any, Any]:
        """Return the least-squares coefficients of sine and cosine."""
        ss, cc, sc = (
            (a * b).sum(axis=1) for a, b in ((sine, sine), (cosine, cosine), (sine, cosine))
        )
        sy, cy = (sine * y).sum(axis=1), (cosine * y).sum(axis=1)
        determinant = np.maximum(ss * cc - sc**2, 1e-300)
        return (cc * sy - sc * cy) / determinant, (ss * cy - sc * sy) / determinant


class MichaelisMenten(BuiltIn):
    """``v_max t / (k_m + t)``: rate of an enzyme; v_max in y, k_m in t, the concentration."""

    formula = "v_max*t/(k_m + t)"
    names = ("v_max", "k_m")
    derived: ClassVar[dict[str, str]] = {"initial_slope": "v_max/k_m"}

    def candidates(self, data: Features) -> Iterable[Candidate]:
        """Return constants from a thousandth of the largest t to a hundred times the largest t."""
        for share in np.geomspace(1e-3, 100.0, 31):
            yield {"k_m": share * np.abs(data.t).max(axis=1)}


class Hill(BuiltIn):
    """``v_max t^n / (k^n + t^n)``, t >= 0; v_max in y, k in t, n without unit."""

    formula = "v_max*where(t > 0, expit(n*log(where(t > 0, t, 1)/k)), where(t < 0, 0/0, n < 0))"
    names = ("v_max", "k", "n")
    derived: ClassVar[dict[str, str]] = {"half": "v_max/2"}

    def candidates(self, data: Features) -> Iterable[Candidate]:
        """Return constants over the range of t, and exponents."""
        for share, n in product(np.geomspace(1e-3, 10.0, 25), (0.5, 1.0, 2.0, 4.0, 8.0)):
            yield {"k": share * np.abs(data.t).max(axis=1), "n": n}


class Arrhenius(BuiltIn):
    """``amplitude exp(-energy / (8.314462618 t))``: rate of a reaction at the temperature t.

    amplitude in y; energy in J/mol with t in K.
    """

    formula = "amplitude*exp(-energy/(8.314462618*t))"
    names = ("amplitude", "energy")
    derived: ClassVar[dict[str, str]] = {"kelvin": "energy/8.314462618"}

    def candidates(self, data: Features) -> Iterable[Candidate]:
        """Return energies up to some hundred times the thermal energy."""
        middle = 8.314462618 * np.median(np.abs(data.t), axis=1)
        for multiple in np.concatenate([[0.1, 0.3], np.arange(1.0, 120.0, 1.5)]):
            yield {"energy": multiple * middle}


class Weibull(BuiltIn):
    """``amplitude shape / scale (t / scale)^(shape - 1) exp(-(t / scale)^shape)``, t > 0.

    amplitude (the area) in y times t; scale in t; shape has no unit.
    """

    formula = "amplitude*shape/scale*(t/scale)**(shape - 1)*exp(-(t/scale)**shape)"
    names = ("amplitude", "scale", "shape")
    derived: ClassVar[dict[str, str]] = {"median": "scale*log(2)**(1/shape)", "area": "amplitude"}

    def candidates(self, data: Features) -> Iterable[Candidate]:
        """Return scales over the range of t, and shapes."""
        for share, shape in product(np.linspace(0.05, 1.5, 25), (0.7, 1.2, 2.0, 3.5, 6.0)):
            yield {"scale": share * np.abs(data.t).max(axis=1), "shape": shape}


class ThermalDistribution(BuiltIn):
    """Occupation of states at the energy t: ``1 / (amplitude exp((t - center) / kt) + s)``.

    Parameters
    ----------
    form : str, default "bose"
        ``bose``, s = -1; ``maxwell``, s = 0; ``fermi``, s = 1.
    prefix : str, default ""

    Raises
    ------
    ValueError
        Another form.

    Notes
    -----
    amplitude has no unit, center and kt are in t.  amplitude and center are not independent: fix
    one of them.
    """

    names = ("amplitude", "center", "kt")
    signs: ClassVar[dict[str, str]] = {"bose": " - 1", "maxwell": "", "fermi": " + 1"}

    def __init__(self, *, form: str = "bose", prefix: str = "") -> None:
        if form not in self.signs:
            raise ValueError(f"form must be one of {', '.join(self.signs)}; it is {form!r}")
        text = f"1/(amplitude*exp((t - center)/kt){self.signs[form]})"
        self._setup(text, self.names, prefix, {"form": form})

    def candidates(self, data: Features) -> Iterable[Candidate]:
        """Return locations and widths for an amplitude of 1."""
        for share, width in product(np.linspace(-0.5, 1.0, 25), (0.01, 0.03, 0.1, 0.3, 1.0)):
            yield {"amplitude": 1.0, "center": data.at(share), "kt": width * data.span}
