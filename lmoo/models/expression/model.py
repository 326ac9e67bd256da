"""Models written as text."""

from collections.abc import Sequence
from typing import Any

from lmoo.models.expression.base import Model
from lmoo.models.expression.graphs import graph_of
from lmoo.models.expression.tokens import names


class Expression(Model):
    """A model of curves from text, y = f(t, parameters), with its derivatives.

    The text is parsed by lmoo and evaluated with numpy; it is never executed as Python code.  An
    expression can only do arithmetic, so text from an untrusted source is safe.

    An expression consists of numbers, ``+ - * / **`` (or ``^``), parentheses, the comparisons
    ``< <= > >= == !=`` with the value 0 or 1, the constants ``pi`` and ``e``, variables,
    parameters, and these functions: exp, exp2, expm1,
    log (ln), log2, log10, log1p, sqrt, cbrt, square, sin, cos, tan, arcsin, arccos, arctan,
    arctan2 (and asin, acos, ...), sinh, cosh, tanh, arcsinh, arccosh, arctanh, sinc (numpy's,
    ``sin(pi x)/(pi x)``), hypot, deg2rad (radians), rad2deg (degrees), abs, sign, floor, ceil,
    trunc, rint (round), mod, fmod, floor_divide, copysign, minimum (min), maximum (max), fmin,
    fmax, heaviside, ``where(condition, a, b)``, logical_and, logical_or, logical_xor, logical_not,
    isnan, isfinite, reciprocal, and of scipy.special erf, erfc, erfcx, expit, gamma, lgamma
    (gammaln), digamma, i0, i1, j0, j1, and the Faddeeva function's parts wofz_real(a, b)
    and wofz_imag(a, b) at a + ib.  Values are computed in double precision.

    Parameters
    ----------
    text : str
        The expression: at most 10,000 characters, with at most 100 levels of nesting.
    variables : str or sequence of str, default ("t",)
        Names of the independent variables.
    parameters : sequence of str, optional
        Names of the parameters in their order, all of which must appear.  By default every name
        that is neither a variable nor ``pi`` or ``e``, by first appearance.  ``pi`` and ``e`` may
        be names of variables or parameters; they are then not the constants.
    prefix : str, default ""
        Prefix of the name of each parameter, which distinguishes the models of a sum.

    Attributes
    ----------
    text : str
    variables : tuple of str
    parameter_names : tuple of str
    linear : tuple of str
        Parameters that the model is linear in, jointly.

    Raises
    ------
    ExpressionError
        The expression is invalid; the message marks a character.
    TypeError, ValueError
        ``text`` is not a string; a name in `variables` or `parameters` is invalid or occurs twice;
        a parameter does not appear in the text.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> model = lmoo.Expression("a*exp(-b*t) + c")
    >>> model.parameter_names, model.linear
    (('a', 'b', 'c'), ('a', 'c'))
    >>> t = np.linspace(0, 4, 5)
    >>> model(t, 2.0, 0.5, 1.0).round(3)
    array([3.   , 2.213, 1.736, 1.446, 1.271])
    >>> model.jacobian(t, 2.0, 0.5, 1.0).shape
    (5, 3)
    >>> lmoo.Expression("a*u + b*v", variables=("u", "v"))((t, t**2), 1.0, 2.0)
    array([ 0.,  3., 10., 21., 36.])
    """

    def __init__(
        self,
        text: str,
        variables: str | Sequence[str] = ("t",),
        parameters: Sequence[str] | None = None,
        prefix: str = "",
    ) -> None:
        if not isinstance(text, str):
            raise TypeError(f"text must be a string; it is {text!r}")
        self._source = text
        variables = _checked("variables", (variables,) if isinstance(variables, str) else variables)
        given = None if parameters is None else _checked("parameters", parameters)
        both = set(variables) & set(given or ())
        if both:
            raise ValueError(f"{min(both)!r} cannot be both a variable and a parameter")
        steps, found = graph_of(text, variables, given)
        missing = set(given or ()) - set(names(text))
        if missing:
            raise ValueError(f"the parameter {min(missing)!r} does not appear in {text!r}")
        self._given, self._prefix = given, prefix
        super().__init__(steps, variables, found)
        if prefix:
            named = self.prefixed(prefix)
            self.parameter_names, self._label = named.parameter_names, named._label

    @property
    def text(self) -> str:
        """The expression, with the prefix if there is one."""
        return super().text if self._prefix else self._source

    def __repr__(self) -> str:
        others = "" if self.variables == ("t",) else f", variables={self.variables!r}"
        others += "" if self._given is None else f", parameters={self._given!r}"
        others += f", prefix={self._prefix!r}" if self._prefix else ""
        return f"Expression({self._source!r}{others})"

    def __reduce__(self) -> Any:
        return type(self), (self._source, self.variables, self._given, self._prefix)


def _checked(argument: str, given: Sequence[str]) -> tuple[str, ...]:
    """Return names as a tuple if each is a valid name of an expression."""
    found = tuple(given)
    for name in found:
        if not isinstance(name, str) or not name.isidentifier() or names(name) != (name,):
            raise ValueError(f"{argument} must be names; one is {name!r}")
    if len(set(found)) < len(found):
        raise ValueError(f"{argument} must differ from each other; they are {found!r}")
    return found
