"""Texts as models: which name is the independent variable."""

from lmoo.models.expression.functions import CONSTANTS
from lmoo.models.expression.model import Expression
from lmoo.models.expression.tokens import names


def formula(text: str, count: int = 1) -> Expression:
    """Return the model of a text, whose variable is t, or x if it has no t.

    Parameters
    ----------
    text : str
    count : int
        Number of independent variables in the data.

    Raises
    ------
    ValueError
        It has several names, and none of them is the variable; there are several variables, which
        only an `lmoo.Expression` can name.

    Examples
    --------
    >>> from lmoo.models.expression.formula import formula
    >>> formula("a*x + b").parameter_names, formula("a*exp(-x*t)").parameter_names
    (('a', 'b'), ('a', 'x'))
    >>> formula("a*exp(-rate*time)")
    Traceback (most recent call last):
        ...
    ValueError: the model must have t or x as its variable; 'a*exp(-rate*time)' has a, rate, time: \
give it as lmoo.Expression(..., variables="time"), for example
    """
    used = [name for name in names(text) if name not in CONSTANTS]
    if count > 1:
        raise ValueError(
            f"the model must name its {count} variables: give it as lmoo.Expression({text!r}, "
            'variables=("u", "v")), for example'
        )
    if "t" not in used and "x" in used:
        return Expression(text, variables="x")
    # A constant has no variable; of several names the data would determine none.
    if "t" not in used and len(used) > 1:
        raise ValueError(
            f"the model must have t or x as its variable; {text!r} has {', '.join(used)}: give it "
            f'as lmoo.Expression(..., variables="{used[-1]}"), for example'
        )
    return Expression(text)
