"""Straight lines and polynomials."""

from typing import ClassVar

from lmoo.models.builtin.base import BuiltIn
from lmoo.problems.arguments import integer

__all__ = ["Constant", "Linear", "Polynomial", "Quadratic"]


class Constant(BuiltIn):
    """``c``, in the unit of y.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> lmoo.models.Constant()(np.arange(3.0), 2.0)
    array([2., 2., 2.])
    """

    formula = "c"
    names = ("c",)


class Linear(BuiltIn):
    """``slope t + intercept``; slope in y per t, intercept in y.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> line = lmoo.models.Linear()
    >>> line.guess(np.arange(4.0), [1.0, 3.0, 5.0, 7.0]).round(6)
    array([2., 1.])
    """

    formula = "slope*t + intercept"
    names = ("slope", "intercept")
    derived: ClassVar[dict[str, str]] = {"root": "-intercept/slope"}


class Quadratic(BuiltIn):
    """``a t^2 + b t + c``; a in y per t squared, b in y per t, c in y."""

    formula = "(a*t + b)*t + c"
    names = ("a", "b", "c")
    derived: ClassVar[dict[str, str]] = {"vertex": "-b/(2*a)", "extremum": "c - b**2/(4*a)"}


class Polynomial(BuiltIn):
    """``c0 + c1 t + c2 t^2 + ...``; ck in y per t to the k.

    Parameters
    ----------
    degree : int, default 3
        From 0 to 20.
    prefix : str, default ""

    Raises
    ------
    ValueError
        Another degree.

    Examples
    --------
    >>> import lmoo
    >>> lmoo.models.Polynomial(degree=2).parameter_names
    ('c0', 'c1', 'c2')
    """

    def __init__(self, *, degree: int = 3, prefix: str = "") -> None:
        degree = integer("degree", degree)
        if not 0 <= degree <= 20:
            raise ValueError(f"degree must be from 0 to 20; it is {degree}")
        names = [f"c{k}" for k in range(degree + 1)]
        text = names[-1]
        for name in names[-2::-1]:
            text = f"({text})*t + {name}"
        self._setup(text, names, prefix, {"degree": degree})
