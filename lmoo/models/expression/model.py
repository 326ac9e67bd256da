"""The model that an expression is."""

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lmoo.models.expression.evaluation import differentiate, evaluate
from lmoo.models.expression.linearity import linear_in
from lmoo.models.expression.parser import parse
from lmoo.models.expression.tokens import names

__all__ = ["Expression"]

Array = NDArray[np.float64]


class Expression:
    """A model of curves from text, y = f(t, parameters), with its derivatives.

    The text is parsed here and evaluated with numpy, never by Python: nothing in it can do
    anything but arithmetic, so it may come from anywhere.

    It knows numbers, ``+ - * / **`` (or ``^``), parentheses, the comparisons ``< <= > >= == !=``
    with the value 0 or 1, the constants ``pi`` and ``e``, and these functions: exp, exp2, expm1,
    log (ln), log2, log10, log1p, sqrt, cbrt, square, sin, cos, tan, arcsin, arccos, arctan,
    arctan2 (and asin, acos, ...), sinh, cosh, tanh, arcsinh, arccosh, arctanh, sinc (numpy's,
    ``sin(pi x)/(pi x)``), hypot, deg2rad (radians), rad2deg (degrees), abs, sign, floor, ceil,
    trunc, rint (round), mod, minimum (min), maximum (max), heaviside, ``where(condition, a, b)``,
    erf, erfc, gamma, lgamma (gammaln), i0.  All is computed in double precision.

    Parameters
    ----------
    text : str
        The expression, of at most 10,000 characters, nested at most 100 deep.
    variables : str or sequence of str, default ("t",)
        Names of the independent variables.
    parameters : sequence of str, optional
        Names of the parameters in their order, all of which must appear.  None: every name that
        is neither a variable nor ``pi`` or ``e``, by first appearance.  A variable or a parameter
        that is called ``pi`` or ``e`` here is no constant any more.

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
        The expression is not understood; the message marks the place.
    TypeError, ValueError
        `text` is no string; `variables` or `parameters` are no names, are doubled, or do not
        appear.

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
    ) -> None:
        if not isinstance(text, str):
            raise TypeError(f"text must be a string; it is {text!r}")
        self.text = text
        self.variables = _checked(
            "variables", (variables,) if isinstance(variables, str) else variables
        )
        given = None if parameters is None else _checked("parameters", parameters)
        both = set(self.variables) & set(given or ())
        if both:
            raise ValueError(f"{min(both)!r} cannot be both a variable and a parameter")
        self._steps, self.parameter_names = parse(text, self.variables, given)
        missing = set(given or ()) - set(names(text))
        if missing:
            raise ValueError(f"the parameter {min(missing)!r} does not appear in {text!r}")
        self._given = given

    @property
    def linear(self) -> tuple[str, ...]:
        """Parameters that the model is linear in, jointly."""
        found = linear_in(self._steps, len(self.parameter_names))
        return tuple(self.parameter_names[j] for j in found)

    def __call__(self, t: Any, *parameters: ArrayLike) -> Array:
        """Return the values.

        Parameters
        ----------
        t : (m,) array_like
            The variable; a sequence of as many arrays as there are variables, if not one.
        *parameters : float or array_like
            One per parameter, in the order of `parameter_names`; arrays broadcast against t.

        Returns
        -------
        (m,) float64 array
            Or of the shape to which t and the parameters broadcast; inf and nan, without a
            warning, where the model has no finite value.

        Raises
        ------
        TypeError, ValueError
            Not as many arguments as variables and parameters, or no real numbers.
        """
        values, points, shape = self._arguments(t, parameters)
        with np.errstate(all="ignore"):
            found = evaluate(self._steps, values, points)
        # Copied, as it may be t itself.
        return np.array(found if np.shape(found) == shape else np.broadcast_to(found, shape))

    def jacobian(self, t: Any, *parameters: ArrayLike) -> Array:
        """Return the derivatives by the parameters.

        Parameters
        ----------
        t, *parameters
            As for the values.

        Returns
        -------
        (m, n) float64 array
            ``J[i, j]`` is the derivative of value i by parameter j; for parameters that are
            arrays, the shape of the values and (n,).  Where a function has a corner or a jump,
            that of one side.

        Raises
        ------
        TypeError, ValueError
            As for the values.
        """
        values, points, shape = self._arguments(t, parameters)
        with np.errstate(all="ignore"):
            tangents = differentiate(self._steps, values, points)
        out = np.zeros((*shape, len(points)))
        for index, tangent in tangents.items():
            out[..., index] = tangent
        return out

    def _arguments(
        self, t: Any, parameters: Sequence[Any]
    ) -> tuple[list[Any], list[Any], tuple[int, ...]]:
        """Return variables and parameters as float64 arrays, and the shape of the values."""
        if len(parameters) != len(self.parameter_names):
            raise TypeError(
                f"{self!r} takes {len(self.parameter_names)} parameters; it got {len(parameters)}"
            )
        several = len(self.variables) != 1
        if several and len(t) != len(self.variables):
            raise ValueError(
                f"t must be {len(self.variables)} arrays, for {', '.join(self.variables)}; "
                f"it is {len(t)}"
            )
        values = [
            _reals(name, value)
            for name, value in zip(self.variables, t if several else (t,), strict=True)
        ]
        points = [
            _reals(name, value)
            for name, value in zip(self.parameter_names, parameters, strict=True)
        ]
        shapes = {np.shape(part) for part in values + points} - {()}
        # Numbers and one array, or arrays of one shape, need no broadcasting.
        shape = shapes.pop() if len(shapes) == 1 else np.broadcast_shapes(*shapes)
        return values, points, shape

    @property
    def __signature__(self) -> inspect.Signature:
        kind = inspect.Parameter.POSITIONAL_ONLY
        # One variable goes by its name; several by one that no parameter can have.
        first = self.variables[0] if len(self.variables) == 1 else "variables__"
        return inspect.Signature(
            [inspect.Parameter(name, kind) for name in (first, *self.parameter_names)]
        )

    def __repr__(self) -> str:
        others = "" if self.variables == ("t",) else f", variables={self.variables!r}"
        others += "" if self._given is None else f", parameters={self._given!r}"
        return f"Expression({self.text!r}{others})"

    def __reduce__(self) -> Any:
        return type(self), (self.text, self.variables, self._given)


def _checked(argument: str, given: Sequence[str]) -> tuple[str, ...]:
    """Return names, each of which can stand in an expression."""
    found = tuple(given)
    for name in found:
        if not isinstance(name, str) or not name.isidentifier() or names(name) != (name,):
            raise ValueError(f"{argument} must be names; one is {name!r}")
    if len(set(found)) < len(found):
        raise ValueError(f"{argument} must differ from each other; they are {found!r}")
    return found


def _reals(name: str, value: Any) -> Any:
    """Return value as float64, a copy only where it is something else."""
    if isinstance(value, float):  # As most parameters are, np.float64 included.
        return np.float64(value)
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must be real numbers; it is {value!r}")
    return array.astype(np.float64, copy=False)[()]
