"""Peaks in lmfit's parametrisation: without offset; `amplitude` is the area if lmfit's is."""

from collections.abc import Iterable
from itertools import product
from typing import ClassVar

import numpy as np

from lmoo.models.builtin.base import BuiltIn, Candidate
from lmoo.models.builtin.features import Features

__all__ = [
    "BreitWigner",
    "DampedHarmonicOscillator",
    "DampedOscillator",
    "Doniach",
    "ExponentialGaussian",
    "LogNormal",
    "Moffat",
    "Pearson4",
    "Pearson7",
    "SkewedGaussian",
    "SkewedVoigt",
    "SplitLorentzian",
    "StudentsT",
    "Voigt",
]

FACTORS = (0.4, 0.7, 1.0, 1.6)
# Temperatures relative to the span of t.
GAMMAS = (0.02, 0.05, 0.1, 0.2, 0.4, 1.0)


class Peak(BuiltIn):
    """A peak at `center`, whose half width at half height is `sigma` times `width`.

    `shapes` are the candidates for the other parameters.
    """

    width: ClassVar[float] = 1.0
    shapes: ClassVar[tuple[dict[str, float], ...]] = ({},)
    shifts: ClassVar[tuple[float, ...]] = (0.0,)

    def candidates(self, data: Features) -> Iterable[Candidate]:
        """Return locations and widths of peaks and dips, with each of the shapes."""
        for (place, half), factor, shift, shape in product(
            data.peaks, FACTORS, self.shifts, self.shapes
        ):
            sigma = factor * half / self.width
            yield {"center": place + shift * sigma, "sigma": sigma, **shape}


class Voigt(Peak):
    """``amplitude V(t - center)``, the convolution of a Gaussian and a Lorentzian, of area 1.

    ``V = Re w(z) / (sigma sqrt(2 pi))``, ``z = (t - center + i gamma) / (sigma sqrt(2))``, w being
    the Faddeeva function.  amplitude (the area) in y times t; center, sigma (of the Gaussian) and
    gamma (half width of the Lorentzian) in t.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> voigt = lmoo.models.Voigt()
    >>> t = np.linspace(-5, 5, 101)
    >>> result = lmoo.curve_fit_many(voigt, t, voigt(t, 3.0, 0.5, 0.6, 0.4)[None])
    >>> np.abs(result.x[0]).round(6)
    array([3. , 0.5, 0.6, 0.4])
    """

    formula = (
        "amplitude/(sigma*sqrt(2*pi))"
        "*wofz_real((t - center)/(sigma*sqrt(2)), gamma/(sigma*sqrt(2)))"
    )
    names = ("amplitude", "center", "sigma", "gamma")
    derived: ClassVar[dict[str, str]] = {
        # Olivero, Longbothum (1977), J. Quant. Spectrosc. Radiat. Transfer 17: to 0.02 %.
        "fwhm": "1.0692*abs(gamma) + sqrt(0.8664*gamma**2 + 8*log(2)*sigma**2)",
        "height": "amplitude/(sigma*sqrt(2*pi))*erfcx(gamma/(sigma*sqrt(2)))",
        "area": "amplitude*sign(sigma)",
    }

    def candidates(self, data: Features) -> Iterable[Candidate]:
        """Return shares of the Gaussian and the Lorentzian in the width of the peak."""
        for (place, half), factor, share in product(data.peaks, FACTORS, (0.2, 0.5, 0.8)):
            width = factor * half
            yield {"center": place, "sigma": (1 - share) * width, "gamma": share * width}


class SkewedVoigt(Peak):
    """A Voigt profile times ``1 + erf(skew (t - center) / (sigma sqrt(2)))``.

    Units as for `Voigt`; skew has none.
    """

    formula = f"({Voigt.formula})*erfc(-skew*(t - center)/(sigma*sqrt(2)))"
    names = ("amplitude", "center", "sigma", "gamma", "skew")
    derived: ClassVar[dict[str, str]] = {"area": "amplitude*sign(sigma)"}

    def candidates(self, data: Features) -> Iterable[Candidate]:
        """Return shares of the width, and skews of both signs."""
        shapes = product(data.peaks, (0.7, 1.2, 2.0), (0.3, 0.6), (-3.0, -1.0, 0.0, 1.0, 3.0))
        for (place, half), factor, share, skew in shapes:
            width = factor * half
            yield {
                "center": place - 0.5 * np.sign(skew) * width,
                "sigma": (1 - share) * width,
                "gamma": share * width,
                "skew": skew,
            }


class SplitLorentzian(Peak):
    """A Lorentzian with another width on either side.

    ``2 amplitude / (pi (sigma + sigma_r)) s^2 / ((t - center)^2 + s^2)``, s = sigma to the left of
    the center, sigma_r to the right.  amplitude (the area) in y times t, the others in t.
    """

    formula = (
        "2*amplitude/(pi*(sigma + sigma_r))"
        "/(1 + ((t - center)/where(t < center, sigma, sigma_r))**2)"
    )
    names = ("amplitude", "center", "sigma", "sigma_r")
    derived: ClassVar[dict[str, str]] = {
        "fwhm": "abs(sigma) + abs(sigma_r)", "height": "2*amplitude/(pi*(sigma + sigma_r))",
        "area": "amplitude*(abs(sigma) + abs(sigma_r))/(sigma + sigma_r)",
    }  # fmt: skip

    def candidates(self, data: Features) -> Iterable[Candidate]:
        """Return widths of both sides."""
        for (place, half), left, right in product(data.peaks, FACTORS, FACTORS):
            yield {"center": place, "sigma": left * half, "sigma_r": right * half}


class Moffat(Peak):
    """``amplitude / (1 + ((t - center) / sigma)^2)^beta``.

    amplitude (the height) in y; center and sigma in t; beta has no unit.
    """

    formula = "amplitude*(1 + ((t - center)/sigma)**2)**(-beta)"
    names = ("amplitude", "center", "sigma", "beta")
    shapes = ({"beta": 0.8}, {"beta": 1.5}, {"beta": 4.0})
    derived: ClassVar[dict[str, str]] = {
        "fwhm": "2*abs(sigma)*sqrt(2**(1/beta) - 1)", "height": "amplitude",
        "area": "amplitude*abs(sigma)*sqrt(pi)*exp(gammaln(beta - 0.5) - gammaln(beta))",
    }  # fmt: skip

    def candidates(self, data: Features) -> Iterable[Candidate]:
        """Return widths for each of the shapes."""
        for (place, half), factor, shape in product(data.peaks, FACTORS, self.shapes):
            root = np.sqrt(2 ** (1 / shape["beta"]) - 1)
            yield {"center": place, "sigma": factor * half / root, **shape}


class Pearson4(Peak):
    """``amplitude (1 + z^2)^-expon exp(-skew arctan(z))``, z = (t - center) / sigma.

    amplitude in y (the value at the center; lmfit's is the area); center and sigma in t; expon and
    skew have no unit.
    """

    formula = (
        "amplitude*(1 + ((t - center)/sigma)**2)**(-expon)*exp(-skew*atan((t - center)/sigma))"
    )
    names = ("amplitude", "center", "sigma", "expon", "skew")
    shapes = tuple(
        {"expon": expon, "skew": skew} for expon in (1.0, 2.5) for skew in (-2.0, 0.0, 2.0)
    )
    derived: ClassVar[dict[str, str]] = {"position": "center - sigma*skew/(2*expon)"}

    def candidates(self, data: Features) -> Iterable[Candidate]:
        """Return widths for each of the shapes, with the top where the peak's is."""
        for (place, half), factor, shape in product(data.peaks, FACTORS, self.shapes):
            sigma = factor * half / np.sqrt(2 ** (1 / shape["expon"]) - 1)
            yield {
                "center": place + sigma * shape["skew"] / (2 * shape["expon"]),
                "sigma": sigma,
                **shape,
            }


class Pearson7(Peak):
    """``amplitude / (sigma B(expon - 1/2, 1/2)) (1 + ((t - center) / sigma)^2)^-expon``.

    B is the beta function; amplitude (the area) in y times t; center and sigma in t; expon > 1/2
    has no unit.
    """

    formula = (
        "amplitude/(sigma*sqrt(pi))*exp(gammaln(expon) - gammaln(expon - 0.5))"
        "*(1 + ((t - center)/sigma)**2)**(-expon)"
    )
    names = ("amplitude", "center", "sigma", "expon")
    derived: ClassVar[dict[str, str]] = {
        "fwhm": "2*abs(sigma)*sqrt(2**(1/expon) - 1)", "area": "amplitude*sign(sigma)",
        "height": "amplitude/(sigma*sqrt(pi))*exp(gammaln(expon) - gammaln(expon - 0.5))",
    }  # fmt: skip

    def candidates(self, data: Features) -> Iterable[Candidate]:
        """Return widths for each of three exponents."""
        for (place, half), factor, expon in product(data.peaks, FACTORS, (0.9, 1.5, 4.0)):
            root = np.sqrt(2 ** (1 / expon) - 1)
            yield {"center": place, "sigma": factor * half / root, "expon": expon}


class StudentsT(Peak):
    """Student's t: ``amplitude G (1 + (t - center)^2 / sigma)^(-(sigma + 1) / 2)``.

    ``G = gamma((sigma + 1) / 2) / (sqrt(sigma pi) gamma(sigma / 2))``; amplitude (the area) in y
    times t; center in t; sigma, the degrees of freedom, has no unit, so that t must have that of
    the distribution.
    """

    formula = (
        "amplitude/sqrt(sigma*pi)*exp(gammaln((sigma + 1)/2) - gammaln(sigma/2))"
        "*(1 + (t - center)**2/sigma)**(-(sigma + 1)/2)"
    )
    names = ("amplitude", "center", "sigma")
    derived: ClassVar[dict[str, str]] = {
        "fwhm": "2*sqrt(sigma*(2**(2/(sigma + 1)) - 1))", "area": "amplitude",
        "height": "amplitude/sqrt(sigma*pi)*exp(gammaln((sigma + 1)/2) - gammaln(sigma/2))",
    }  # fmt: skip

    def candidates(self, data: Features) -> Iterable[Candidate]:
        """Return some degrees of freedom."""
        for (place, _), sigma in product(data.peaks, (0.3, 0.7, 1.5, 3.0, 8.0)):
            yield {"center": place, "sigma": sigma}


class BreitWigner(Peak):
    """Breit-Wigner-Fano: ``amplitude (q sigma/2 + t - center)^2 / ((sigma/2)^2 + (t - center)^2)``.

    amplitude in y; center and sigma in t; q has no unit.
    """

    formula = "amplitude*(q*sigma/2 + t - center)**2/((sigma/2)**2 + (t - center)**2)"
    names = ("amplitude", "center", "sigma", "q")
    width = 0.5
    shapes = tuple({"q": q} for q in (-6.0, -2.0, -1.0, -0.3, 0.3, 1.0, 2.0, 6.0))
    derived: ClassVar[dict[str, str]] = {
        "fwhm": "abs(sigma)", "height": "amplitude*(q**2 + 1)",
        "position": "center + sigma/(2*q)",
    }  # fmt: skip
    shifts = (-0.5, 0.0, 0.5)


class LogNormal(Peak):
    """``amplitude / (sigma sqrt(2 pi)) exp(-(log t - center)^2 / (2 sigma^2)) / t``, t > 0.

    amplitude (the area) in y times t; center, the logarithm of the median, and sigma without unit.
    """

    formula = "amplitude/(sigma*sqrt(2*pi))*exp(-(log(t) - center)**2/(2*sigma**2))/t"
    names = ("amplitude", "center", "sigma")
    derived: ClassVar[dict[str, str]] = {
        "median": "exp(center)", "mode": "exp(center - sigma**2)",
        "area": "amplitude*sign(sigma)",
    }  # fmt: skip

    def candidates(self, data: Features) -> Iterable[Candidate]:
        """Return widths, with the top where the peak's is."""
        for (place, _), sigma in product(data.peaks, (0.1, 0.2, 0.4, 0.8, 1.3)):
            top = np.log(np.maximum(place, 1e-3 * data.span))
            yield {"center": top + sigma**2, "sigma": sigma}


class Doniach(Peak):
    """Doniach-Sunjic, an asymmetric line of photoemission.

    ``amplitude / sigma^(1 - gamma) cos(pi gamma / 2 + (1 - gamma) arctan(z)) / (1 + z^2)^((1 -
    gamma) / 2)``, z = (t - center) / sigma.  amplitude in y times t^(1 - gamma); center and sigma
    in t; gamma has no unit.
    """

    formula = (
        "amplitude/sigma**(1 - gamma)*cos(pi*gamma/2 + (1 - gamma)*atan((t - center)/sigma))"
        "/(1 + ((t - center)/sigma)**2)**((1 - gamma)/2)"
    )
    names = ("amplitude", "center", "sigma", "gamma")
    shapes = ({"gamma": 0.0}, {"gamma": 0.2}, {"gamma": 0.5})


class ExponentialGaussian(Peak):
    """The convolution of a Gaussian and a decay: a peak with a tail to larger t.

    ``amplitude gamma / 2 exp(gamma (center - t + gamma sigma^2 / 2)) erfc((center + gamma sigma^2 -
    t) / (sigma sqrt(2)))``.  amplitude (the area) in y times t; center and sigma in t; gamma per t,
    which goes to infinity for a Gaussian.
    """

    # With u = (center + gamma sigma^2 - t)/(sigma sqrt(2)) it is exp(-z^2/2) erfcx(u): to the left
    # the exponential overflows and erfc underflows.  erfcx(u) is 2 exp(u^2) - erfcx(-u).
    formula = (
        "amplitude*gamma/2*(where(t - center > gamma*sigma**2, -1, 1)"
        "*exp(-((t - center)/sigma)**2/2)"
        "*erfcx(where(t - center > gamma*sigma**2, -1, 1)"
        "*(gamma*sigma - (t - center)/sigma)/sqrt(2))"
        " + where(t - center > gamma*sigma**2, 2*exp(gamma*(center - t + gamma*sigma**2/2)), 0))"
    )
    names = ("amplitude", "center", "sigma", "gamma")
    derived: ClassVar[dict[str, str]] = {"mean": "center + 1/gamma", "area": "amplitude"}

    def candidates(self, data: Features) -> Iterable[Candidate]:
        """Return lengths of the tail relative to the width."""
        for (place, half), factor, tail in product(data.peaks, FACTORS, (0.3, 0.7, 1.5, 3.0)):
            sigma = factor * half
            yield {
                "center": place - 0.5 * min(tail, 1.5) * sigma,
                "sigma": sigma,
                "gamma": 1 / (tail * sigma),
            }


class SkewedGaussian(Peak):
    """``amplitude / (sigma sqrt(2 pi)) exp(-z^2 / 2) (1 + erf(gamma z / sqrt(2)))``.

    z = (t - center) / sigma; amplitude (the area) in y times t; center and sigma in t; gamma has no
    unit.
    """

    formula = (
        "amplitude/(sigma*sqrt(2*pi))*exp(-(t - center)**2/(2*sigma**2))"
        "*erfc(-gamma*(t - center)/(sigma*sqrt(2)))"
    )
    names = ("amplitude", "center", "sigma", "gamma")
    derived: ClassVar[dict[str, str]] = {
        "mean": "center + sigma*gamma*sqrt(2/pi)/sqrt(1 + gamma**2)",
        "area": "amplitude*sign(sigma)",
    }  # fmt: skip

    def candidates(self, data: Features) -> Iterable[Candidate]:
        """Return skews of both signs."""
        shapes = product(
            data.peaks, (0.7, 1.1, 1.6, 2.3), (0.3, 0.7, 1.2), (0.7, 2.0, 5.0), (-1, 1)
        )
        for (place, half), factor, shift, gamma, side in shapes:
            sigma = factor * half
            yield {"center": place - side * shift * sigma, "sigma": sigma, "gamma": side * gamma}


class DampedOscillator(Peak):
    """The amplitude of a driven oscillator.

    ``amplitude / sqrt((1 - (t / center)^2)^2 + (2 sigma t / center)^2)``; amplitude in y; center,
    the frequency of resonance, in t; sigma, the damping, has no unit.
    """

    formula = "amplitude/sqrt((1 - (t/center)**2)**2 + (2*sigma*t/center)**2)"
    names = ("amplitude", "center", "sigma")
    derived: ClassVar[dict[str, str]] = {
        "quality": "1/(2*abs(sigma))",
        # That at center sqrt(1 - 2 sigma^2), or at 0.
        "height": "where(2*sigma**2 < 1, amplitude/(2*abs(sigma)*sqrt(1 - sigma**2)), amplitude)",
    }

    def candidates(self, data: Features) -> Iterable[Candidate]:
        """Return dampings."""
        for (place, _), sigma in product(data.peaks, (0.01, 0.03, 0.1, 0.2, 0.5)):
            yield {"center": place, "sigma": sigma}


class DampedHarmonicOscillator(Peak):
    """The damped harmonic oscillator of inelastic scattering.

    ``amplitude sigma / pi (1 / ((t - center)^2 + sigma^2) - 1 / ((t + center)^2 + sigma^2)) / (1 -
    exp(-t / gamma))``, with its limit at t = 0.  amplitude in y times t; center, sigma and gamma
    (the temperature) in t.
    """

    # The difference of the two fractions as one, because it would cancel.
    formula = (
        "4*amplitude*sigma*center/pi*where(t == 0, gamma, -t/expm1(-t/gamma))"
        "/(((t - center)**2 + sigma**2)*((t + center)**2 + sigma**2))"
    )
    names = ("amplitude", "center", "sigma", "gamma")

    def candidates(self, data: Features) -> Iterable[Candidate]:
        """Return locations, widths and temperatures."""
        for (place, half), factor, gamma in product(data.peaks, FACTORS, GAMMAS):
            yield {
                "center": np.abs(place) + 1e-3 * data.span,
                "sigma": factor * half,
                "gamma": gamma * data.span,
            }
