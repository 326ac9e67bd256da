"""Steps and rectangles in lmfit's parametrisation, and growth with saturation."""

from collections.abc import Iterable
from itertools import product
from typing import Any, ClassVar

import numpy as np

from lmoo.models.builtin.base import BuiltIn, Candidate
from lmoo.models.builtin.features import Features

__all__ = ["Gompertz", "Logistic", "Rectangle", "Step"]

# Steps from 0 to 1 with the middle at z = 0.
FORMS = {
    "linear": "min(1, max(0, {z} + 0.5))",
    "arctan": "(0.5 + atan({z})/pi)",
    "erf": "(0.5*erfc(-{z}))",
    "logistic": "expit({z})",
}
SHARES = np.linspace(0.04, 0.96, 24)
SHIFTS = np.linspace(-1.0, 1.0, 9)
WIDENINGS = (0.4, 0.6, 0.8, 1.0, 1.25, 1.7, 2.5)
WIDTHS = (0.01, 0.03, 0.1, 0.3)


def _checked(form: Any) -> str:
    if form not in FORMS:
        raise ValueError(f"form must be one of {', '.join(FORMS)}; it is {form!r}")
    return str(form)


class Step(BuiltIn):
    """A step of the height `amplitude` at `center`.

    Parameters
    ----------
    form : str, default "linear"
        With z = (t - center) / sigma: ``linear``, min(1, max(0, z + 1/2)); ``arctan``, 1/2 +
        arctan(z) / pi; ``erf``, (1 + erf(z)) / 2; ``logistic``, 1 / (1 + exp(-z)).
    prefix : str, default ""

    Raises
    ------
    ValueError
        Another form.

    Notes
    -----
    amplitude in y; center and sigma in t.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> step = lmoo.models.Step(form="logistic")
    >>> step(np.array([-1.0, 0.0, 1.0]), 2.0, 0.0, 0.1).round(3)
    array([0., 1., 2.])
    """

    names = ("amplitude", "center", "sigma")

    def __init__(self, *, form: str = "linear", prefix: str = "") -> None:
        z = "((t - center)/sigma)"
        self.stages = 2 if form == "linear" else 0
        self._setup(
            f"amplitude*{FORMS[_checked(form)].format(z=z)}", self.names, prefix, {"form": form}
        )

    def candidates(self, data: Features) -> Iterable[Candidate]:
        """Return locations over the whole curve, widths, and both directions."""
        for share, width, sign in product(SHARES, WIDTHS, (1.0, -1.0)):
            yield {"center": data.at(share), "sigma": sign * width * data.span}

    def closer(self, data: Features, best: Candidate, stage: int) -> Iterable[Candidate]:
        """Return locations and widths close to the best: a linear step has local minima."""
        for shift, factor in product(SHIFTS, WIDENINGS):
            yield {
                "center": best["center"] + shift * data.spacing / 2**stage,
                "sigma": best["sigma"] * factor ** (0.5**stage),
            }


class Rectangle(BuiltIn):
    """A step up at `center1` and one down at `center2`.

    Parameters
    ----------
    form : str, default "linear"
        As for `Step`, except that linear steps are (1 + min(1, max(-1, z))) / 2, as in lmfit.
    prefix : str, default ""

    Raises
    ------
    ValueError
        Another form.

    Notes
    -----
    ``amplitude (step((t - center1) / sigma1) - step((t - center2) / sigma2))``; amplitude in y,
    the others in t.
    """

    names = ("amplitude", "center1", "sigma1", "center2", "sigma2")
    derived: ClassVar[dict[str, str]] = {
        "midpoint": "(center1 + center2)/2",
        "length": "center2 - center1",
    }

    def __init__(self, *, form: str = "linear", prefix: str = "") -> None:
        shape = FORMS[_checked(form)] if form != "linear" else "(0.5 + 0.5*min(1, max(-1, {z})))"
        up, down = (shape.format(z=f"((t - center{i})/sigma{i})") for i in (1, 2))
        self.stages = 10 if form == "linear" else 0
        self._setup(f"amplitude*({up} - {down})", self.names, prefix, {"form": form})

    def candidates(self, data: Features) -> Iterable[Candidate]:
        """Return pairs of locations, and widths."""
        shares = np.linspace(0.05, 0.95, 19 if self.stages else 13)
        for (i, first), width in product(enumerate(shares), (0.015, 0.06)):
            for second in shares[i + 1 :]:
                sigma = width * data.span
                yield {
                    "center1": data.at(first),
                    "sigma1": sigma,
                    "center2": data.at(second),
                    "sigma2": sigma,
                }

    def closer(self, data: Features, best: Candidate, stage: int) -> Iterable[Candidate]:
        """Return locations and widths of one step close to the best, of both steps in turn."""
        number = 1 + stage % 2
        for shift, factor in product(SHIFTS, WIDENINGS):
            place = best[f"center{number}"] + shift * data.spacing * 3 / 2 ** (stage // 2)
            yield {
                **{name: best[name] for name in ("center1", "sigma1", "center2", "sigma2")},
                f"center{number}": place,
                f"sigma{number}": best[f"sigma{number}"] * factor ** (0.75 ** (stage // 2)),
            }


class Logistic(BuiltIn):
    """``height / (1 + exp(-rate (t - midpoint)))``; height in y, rate per t, midpoint in t.

    Examples
    --------
    >>> import lmoo
    >>> lmoo.models.Logistic().derive([2.0, 3.0, 1.0])
    {'steepest': 1.5}
    """

    formula = "height*expit(rate*(t - midpoint))"
    names = ("height", "rate", "midpoint")
    derived: ClassVar[dict[str, str]] = {"steepest": "height*rate/4"}

    def candidates(self, data: Features) -> Iterable[Candidate]:
        """Return locations over the whole curve and outside, and rates of both signs."""
        for share, rate, sign in product(
            np.linspace(-0.3, 1.3, 33), (2.0, 5.0, 12.0, 30.0, 80.0), (1.0, -1.0)
        ):
            yield {"midpoint": data.at(share), "rate": sign * rate / data.span}


class Gompertz(BuiltIn):
    """``height exp(-exp(-rate (t - midpoint)))``; height in y, rate per t, midpoint in t."""

    formula = "height*exp(-exp(-rate*(t - midpoint)))"
    names = ("height", "rate", "midpoint")
    derived: ClassVar[dict[str, str]] = {"steepest": "height*rate/exp(1)"}

    def candidates(self, data: Features) -> Iterable[Candidate]:
        """Return locations over the whole curve, and rates of both signs."""
        for share, rate, sign in product(
            np.linspace(-0.2, 1.2, 29), (2.0, 5.0, 12.0, 30.0), (1.0, -1.0)
        ):
            yield {"midpoint": data.at(share), "rate": sign * rate / data.span}
