"""Models as expression graphs: y = f(t, parameters), with names."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lmoo._core.arrays import Array
from lmoo.models.expression.algebra import joined, replaced
from lmoo.models.expression.graphs import graph_of
from lmoo.models.expression.named import NamedGraph
from lmoo.models.expression.tokens import is_name
from lmoo.models.graph.nodes import Step
from lmoo.models.graph.operators import Operators


class Model(NamedGraph, Operators["Model"]):
    """A model of curves, y = f(t, parameters), as an expression graph.

    Models come from text (`lmoo.Expression`), from functions (`lmoo.trace`) and from arithmetic
    on models: ``+ - * / **`` with models and numbers, and the functions of `lmoo.models`, such as
    ``lmoo.models.exp(model)``.  A model never changes; it can be pickled and compared.

    Parameters
    ----------
    steps : sequence of Step
        A graph, whose last step is the value.
    variables : sequence of str
        Names of the independent variables.
    parameter_names : sequence of str
        Names of the parameters, in their order.
    label : str, optional
        Name of the model among the `components` of a sum; by default its text.
    components : mapping of str to Model, optional
        The terms of a sum.

    Attributes
    ----------
    variables : tuple of str
    parameter_names : tuple of str

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> decay = lmoo.Expression("a*exp(-b*t)")
    >>> model = decay + lmoo.Expression("c + d*t")
    >>> print(model)
    a*exp(-b*t) + (c + d*t)
    >>> model.parameter_names, model.linear
    (('a', 'b', 'c', 'd'), ('a', 'c', 'd'))
    >>> model.substitute(d=0.5, b="1/tau").parameter_names
    ('a', 'tau', 'c')
    >>> model == decay + lmoo.Expression("c+d*t")
    True
    """

    # numpy's numbers and arrays leave arithmetic with a model to this class.
    __array_ufunc__ = None

    def __init__(
        self,
        steps: Sequence[Step],
        variables: Sequence[str],
        parameter_names: Sequence[str],
        label: str | None = None,
        components: "Mapping[str, Model] | None" = None,
    ) -> None:
        super().__init__(steps, variables, parameter_names)
        self._label = label
        self._components = dict(components or {})

    # ---- other models of it -------------------------------------------------------------------

    @property
    def label(self) -> str:
        """Name of the model among the components of a sum."""
        return self.text if self._label is None else self._label

    @property
    def components(self) -> "dict[str, Model]":
        """The terms of a sum of models, by their labels; a model that is no sum is its own term.

        Each is a model of those parameters that it depends on.

        Examples
        --------
        >>> import lmoo
        >>> peak = lmoo.Expression("a*exp(-t**2/w)", prefix="peak_")
        >>> list((peak + lmoo.Expression("c")).components)
        ['peak', 'c']
        """
        return dict(self._components) or {self.label: self}

    def evaluate_components(self, t: Any, *parameters: ArrayLike) -> dict[str, Array]:
        """Return the values of each of the `components`, by their labels.

        Parameters
        ----------
        t, *parameters
            As for a call of the model.

        Examples
        --------
        >>> import lmoo
        >>> model = lmoo.Expression("a*t") + lmoo.Expression("c")
        >>> model.evaluate_components([0, 1], 2.0, 3.0)
        {'a*t': array([0., 2.]), 'c': array([3., 3.])}
        """
        _, points, shape = self._arguments(t, parameters)
        place = dict(zip(self.parameter_names, points, strict=True))
        return {
            label: np.array(
                np.broadcast_to(part(t, *[place[name] for name in part.parameter_names]), shape)
            )
            for label, part in self.components.items()
        }

    def prefixed(self, prefix: str) -> "Model":
        """Return the model with a prefix to the name of each parameter.

        Parameters
        ----------
        prefix : str
            Without a final "_", it is the label of the model among the components of a sum.

        Raises
        ------
        ValueError
            A name with the prefix is invalid, or is the name of a variable.

        Examples
        --------
        >>> import lmoo
        >>> lmoo.Expression("a*t + b").prefixed("first_").parameter_names
        ('first_a', 'first_b')
        """
        if not isinstance(prefix, str):
            raise TypeError(f"prefix must be a string; it is {prefix!r}")
        names = tuple(f"{prefix}{name}" for name in self.parameter_names)
        for name in names:
            if not is_name(name) or name in self.variables:
                raise ValueError(
                    f"prefix must make names of parameters, other than those of variables; "
                    f"{prefix!r} makes {name!r}"
                )
        parts: dict[str, Model] = {}
        for label, part in self._components.items():
            own = [f"{prefix}{name}" for name in part.parameter_names]
            new = Model(part.steps, part.variables, own)
            # A label is a prefix, or a text, which may be that of the part before it was scaled.
            named = f"{prefix}{label}" if is_name(label) else label
            _add_part(parts, new, new.text if label == part.text else named)
        return Model(self._steps, self.variables, names, prefix.rstrip("_") or self._label, parts)

    def substitute(
        self, replacements: "Mapping[str, float | str | Model] | None" = None, /, **others: Any
    ) -> "Model":
        """Return the model with some of its parameters replaced, all at once.

        Parameters
        ----------
        replacements : mapping of str, optional
            For names of parameters their replacements: a number; a text, such as the name of
            another parameter or an expression of parameters and variables; or a model.  New names
            become parameters.
        **others
            The same, as keyword arguments.

        Returns
        -------
        Model

        Raises
        ------
        ValueError
            A name is not that of a parameter, or a model has other variables.
        ExpressionError
            A text is invalid.

        Examples
        --------
        >>> import lmoo
        >>> model = lmoo.Expression("a*exp(-b*t) + c")
        >>> print(model.substitute(a="c", b="2*k", c=1.0))
        c*exp(-(2*k*t)) + 1
        """
        given = {**(replacements or {}), **others}
        unknown = [name for name in given if name not in self.parameter_names]
        if unknown:
            raise ValueError(
                f"{unknown[0]!r} is not a parameter of the model; its parameters are "
                f"{', '.join(self.parameter_names)}"
            )
        found = {name: self._replacement(name, value) for name, value in given.items()}
        names: list[str] = []
        for name in self.parameter_names:
            more = found[name].parameter_names if name in found else (name,)
            names.extend(new for new in more if new not in names)
        parts = {
            label: Model(*replaced(part, found, names)) for label, part in self._components.items()
        }
        return Model(*replaced(self, found, names), self._label, parts)

    def _replacement(self, name: str, value: Any) -> "Model":
        """Return the replacement of a parameter as a model."""
        value = graph_or_value(value)
        if isinstance(value, Model):
            if value.variables != self.variables:
                raise ValueError(
                    f"{name} must be replaced by a model of {', '.join(self.variables)}; it is one "
                    f"of {', '.join(value.variables)}"
                )
            return value
        if isinstance(value, str):
            steps, names = graph_of(value, self.variables, None)
            return Model(steps, self.variables, names)
        return constant(value, self.variables, name)

    # ---- arithmetic ---------------------------------------------------------------------------

    def _operate(self, operation: str, *operands: Any) -> "Model":
        return operated(operation, *operands)

    def __pos__(self) -> "Model":
        return self

    # ---- identity -----------------------------------------------------------------------------

    @cached_property
    def _key(self) -> tuple[Any, ...]:
        """The data that define equality of models; constants are compared by their bits."""
        steps = tuple(
            value.hex() if operation == "constant" else (operation, arguments, value)  # type: ignore[union-attr]
            for operation, arguments, value in self._steps
        )
        return steps, self.variables, self.parameter_names

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Model):
            return NotImplemented
        return self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Model({self.text!r})"

    def __reduce__(self) -> Any:
        return Model, (
            self._steps, self.variables, self.parameter_names, self._label, self._components
        )  # fmt: skip


def constant(value: Any, variables: Sequence[str], name: str = "an operand") -> Model:
    """Return the model with a constant value."""
    if not isinstance(value, (Real, np.bool_)):
        raise TypeError(f"{name} must be a number or a model; it is {value!r}")
    try:
        number = float(value)
    except OverflowError:
        raise ValueError(f"{name} is a number too large for double precision") from None
    return Model([("constant", (), number)], variables, ())


def graph_or_value(value: Any) -> Any:
    """Return the graph of a built-in model; other values as they are."""
    model = getattr(value, "model", None)
    return model if isinstance(model, Model) else value


def combined(operation: str, *operands: Any) -> Model:
    """Return the value of an operation for models and numbers, with at least one model.

    Raises
    ------
    ValueError
        Two models have parameters of the same name, or different numbers of variables.
    TypeError
        An operand is neither a model nor a number.
    """
    operands = tuple(graph_or_value(operand) for operand in operands)
    variables = next(o for o in operands if isinstance(o, Model)).variables
    parts = [o if isinstance(o, Model) else constant(o, variables) for o in operands]
    return Model(*joined(operation, parts))


def operated(operation: str, *operands: Any) -> Model:
    """Return the value of an operator; sums have components, which linear operators keep."""
    operands = tuple(graph_or_value(operand) for operand in operands)
    if operation == "power":
        return combined(operation, *operands)
    known = (Model, Real, np.bool_, np.ndarray)
    if not all(isinstance(operand, known) for operand in operands):
        return NotImplemented  # type: ignore[no-any-return]
    if operation in ("add", "subtract"):
        return _sum(operation, *operands)
    if operation in ("multiply", "divide"):
        return _scaled(operation, *operands)
    if operation == "negative":
        return _termwise(operands[0], lambda part: combined(operation, part))
    return combined(operation, *operands)


def _sum(operation: str, a: Any, b: Any) -> Model:
    """Return a + b or a - b, with its terms as components."""
    model = combined(operation, a, b)
    for operand, negated in ((a, False), (b, operation == "subtract")):
        if not isinstance(operand, Model) and operand == 0:
            continue  # sum(models) begins with 0.
        part = operand if isinstance(operand, Model) else constant(operand, model.variables)
        for label, term in part.components.items():
            _add_part(model._components, combined("negative", term) if negated else term, label)
    return model


def _add_part(parts: dict[str, Model], part: Model, label: str | None = None) -> None:
    """Add a term of a sum, with a number behind its label if that is taken."""
    label = free = part.label if label is None else label
    count = 1
    while free in parts:
        count += 1
        free = f"{label} ({count})"
    parts[free] = part


def _scaled(operation: str, a: Any, b: Any) -> Model:
    """Return a product or a quotient; that with a number keeps the terms of a sum."""
    if not isinstance(b, Model):
        return _termwise(a, lambda part: combined(operation, part, b))
    if isinstance(a, Model) or operation == "divide":
        return combined(operation, a, b)
    return _termwise(b, lambda part: combined(operation, a, part))


def _termwise(model: Model, function: Callable[[Model], Model]) -> Model:
    """Return a linear function of a model, and of each of its terms."""
    out = function(model)
    out._components = {label: function(part) for label, part in model._components.items()}
    out._label = model._label
    return out
