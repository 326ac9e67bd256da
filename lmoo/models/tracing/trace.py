"""`trace`: a model from a function."""

import inspect
from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any

import numpy as np

from lmoo.errors import EvaluationError, TraceError
from lmoo.models.expression.base import Model
from lmoo.models.graph.nodes import extracted
from lmoo.models.tracing import pieces
from lmoo.models.tracing.effects import examined
from lmoo.models.tracing.functions import start
from lmoo.models.tracing.paths import of_paths
from lmoo.models.tracing.placeholder import Placeholder, of_rows
from lmoo.models.tracing.recorder import MOST_OPERATIONS, Recorder, call
from lmoo.models.tracing.substitutes import substituted
from lmoo.problems.names import parameter_names_of


def trace(
    f: Callable[..., Any],
    parameters: int | Sequence[str] | None = None,
    variables: int | str | Sequence[str] = 1,
    *,
    prefix: str = "",
) -> Any:
    """Return the model that a function computes, as an expression graph.

    The function is called once, with placeholders for its arguments that record the operations on
    them.  It may use arithmetic, comparisons, the elementwise functions of numpy and scipy.special
    that models support, ``np.where``, ``np.clip``, ``np.select``, ``np.piecewise``, ``np.polyval``,
    ``np.vectorize``, tables, selections of points by conditions, complex numbers, loops over
    parameters, branches on parameters, and functions that use only these.

    Parameters
    ----------
    f : callable
        ``f(t, *parameters)``: a function, a method, a partial, or an object that can be called.
    parameters : int or sequence of str, optional
        Number of parameters, or their names; the default takes the names from f's signature.
    variables : int, str or sequence of str, default 1
        Number of independent variables, or their names.  If there are several, the first argument
        of f is a tuple of arrays.
    prefix : str, default ""
        Prefix of the name of each parameter.

    Returns
    -------
    Model
        `ComplexModel` if the values are complex.

    Raises
    ------
    TraceError
        The function cannot be traced; the message has the line and the reason.
    TypeError, ValueError
        `f` is not callable, its number of parameters is unknown, or a name is invalid.

    Notes
    -----
    Numbers from outside of the function, other than its arguments, are constants of the model.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> def decay(t, a, b, c=0.0):
    ...     return a * np.exp(-b * t) + c
    >>> model = lmoo.trace(decay)
    >>> print(model)
    a*exp(-b*t) + c
    >>> model.linear, lmoo.trace(decay, 2).parameter_names
    (('a', 'c'), ('a', 'b'))
    >>> print(lmoo.trace(lambda p, *x: sum(x) * p[0] / p[1], 2, ("u", "v")))
    (x0 + x1)*u/v
    """
    if not callable(f):
        raise TypeError(f"f must be callable; it is {f!r}")
    names = _parameters(f, parameters)
    known = _variables(f, variables, names)
    examined(f)
    recorder = start(len(known))
    recorder.decisions = []
    value = recorded(f, recorder, len(names))
    model = _model(value, known, names, getattr(f, "__name__", None))
    return model.prefixed(prefix) if prefix else model


class ComplexModel:
    """A model with complex values: two models with the same parameters.

    Attributes
    ----------
    real, imag : Model
        Real and imaginary part.

    Examples
    --------
    >>> import lmoo
    >>> model = lmoo.trace(lambda w, r, c: 1 / (1 / r + 1j * w * c))
    >>> complex(model(2.0, 1.0, 0.5))
    (0.5-0.5j)
    >>> model.imag.parameter_names
    ('r', 'c')
    """

    def __init__(self, real: Model, imag: Model) -> None:
        self.real, self.imag = real, imag

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """Names of the parameters."""
        return self.real.parameter_names

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the variables."""
        return self.real.variables

    def __call__(self, t: Any, *parameters: Any) -> Any:
        """Return the values, (m,) complex128."""
        return self.real(t, *parameters) + 1j * self.imag(t, *parameters)

    def jacobian(self, t: Any, *parameters: Any) -> Any:
        """Return the derivatives by the parameters, (m, n) complex128."""
        return self.real.jacobian(t, *parameters) + 1j * self.imag.jacobian(t, *parameters)

    def prefixed(self, prefix: str) -> "ComplexModel":
        """Return the model with a prefix to the name of each parameter."""
        return ComplexModel(self.real.prefixed(prefix), self.imag.prefixed(prefix))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ComplexModel):
            return NotImplemented
        return (self.real, self.imag) == (other.real, other.imag)

    def __hash__(self) -> int:
        return hash((self.real, self.imag))

    def __repr__(self) -> str:
        return f"ComplexModel({self.real.text!r}, {self.imag.text!r})"


def recorded(
    f: Callable[..., Any], recorder: Recorder, n: int, joined: bool = False
) -> Placeholder:
    """Return the value of a function for placeholders of its variables and n parameters.

    Several variables are passed as a tuple or, with `joined`, as one array.

    Raises
    ------
    TraceError
        The function cannot be traced.
    """
    try:
        return _of_paths(f, recorder, n, joined)
    except TraceError as error:
        first, converts = error, recorder.converts
        if recorder.operations > MOST_OPERATIONS:
            raise
    recorder.restart()
    try:
        return _of_paths(substituted(f, recorder), recorder, n, joined)
    except TraceError as error:
        if converts or recorder.converts:
            first = error
    exhausted = recorder.operations > MOST_OPERATIONS
    if recorder.iterated and recorder.decisions is not None and not exhausted:
        # A branch in a loop over points.
        recorder.copies = 2 if recorder.points == 3 else 3
        recorder.restart()
        try:
            return _of_paths(substituted(f, recorder), recorder, n, joined)
        except TraceError:
            recorder.copies = 0
    raise first


def _of_paths(f: Callable[..., Any], recorder: Recorder, n: int, joined: bool) -> Placeholder:
    return of_paths(recorder, lambda: _checked(_called(f, recorder, n, joined), recorder))


def _checked(value: Any, recorder: Recorder) -> Placeholder:
    """Return the value of a function if it is one number for each point."""
    if pieces.is_joined(value):
        return pieces.joined(recorder, value)
    if isinstance(value, np.ndarray) and value.dtype == object and value.size == 1:
        value = value.item()
    of_copies = recorder.copies and np.shape(value) == (recorder.copies,)
    if isinstance(value, np.ndarray) and (of_copies or (value.dtype == object and value.size > 1)):
        value = of_rows(recorder, value)
        if value is None:
            raise TraceError("the function returns an array that has not one value for each point")
    if not isinstance(value, Placeholder):
        raise TraceError(
            f"the function returns {type(value).__name__} that does not depend on its arguments "
            "point by point"
        )
    if value.mask is not None:
        raise TraceError("the function returns only the points that a condition selects")
    return value._like()  # With the node of values that were stored one by one.


def _called(f: Callable[..., Any], recorder: Recorder, n: int, joined: bool) -> Any:
    """Return the value of a function for placeholders."""
    graph = recorder.graph
    parts = [
        Placeholder(recorder, graph.variable(k), points=True, own=False)
        for k in range(recorder.variables)
    ]
    numbers = [Placeholder(recorder, graph.parameter(j), points=False) for j in range(n)]
    try:
        value = call(f, _together(parts, joined), *numbers)
    except TraceError:
        raise
    except Exception as error:
        if recorder.error is not None:
            raise recorder.error from error
        if isinstance(error, EvaluationError) and recorder.decisions:
            # As for the solver, which rejects a step to where a value is not finite.
            return Placeholder(recorder, graph.constant(np.nan), points=True)
        raise TraceError(f"a call with placeholders raised {error!r}") from error
    if recorder.error is not None:
        # The exception was caught in the function, or in a function that it calls.
        raise recorder.error
    return value


def _together(parts: list[Placeholder], joined: bool) -> Any:
    """Return the variables as the first argument of the function."""
    if not joined:
        return parts[0] if len(parts) == 1 else tuple(parts)
    out = np.empty(len(parts), dtype=object)
    for k, part in enumerate(parts):
        out[k] = part
    return out


def _model(value: Placeholder, variables: Any, names: Any, label: str | None) -> Any:
    steps = value.recorder.graph.steps
    label = label if label != "<lambda>" else None
    parts = [
        Model(extracted(steps, [node])[0], variables, names, label)
        for node in (value.node, value.imaginary)
        if node is not None
    ]
    return parts[0] if len(parts) == 1 else ComplexModel(*parts)


def _parameters(f: Any, given: int | Sequence[str] | None) -> tuple[str, ...]:
    """Return the names of the parameters."""
    found = parameter_names_of(f)
    if given is None:
        if found is None:
            raise ValueError(
                "parameters must be given, their number or their names, because the signature of f "
                "does not contain them"
            )
        return found
    if isinstance(given, (int, np.integer)) and not isinstance(given, bool):
        if given < 0:
            raise ValueError(f"parameters must be at least 0; it is {given!r}")
        if found is not None and len(found) >= given:
            return found[: int(given)]
        return tuple(f"x{j}" for j in range(int(given)))
    names = tuple(given)  # type: ignore[arg-type]
    _check_names("parameters", names)
    return names


def _variables(f: Any, given: int | str | Sequence[str], taken: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the variables."""
    if isinstance(given, str):
        given = (given,)
    if isinstance(given, (int, np.integer)) and not isinstance(given, bool):
        if given < 1:
            raise ValueError(f"variables must be at least 1; it is {given!r}")
        first = _first_argument(f)
        first = first if first not in taken and "__" not in first else "t_"
        names = (first,) if given == 1 else tuple(f"{first}{k}" for k in range(int(given)))
        return tuple(f"{name}_" if name in taken else name for name in names)
    names = tuple(given)  # type: ignore[arg-type]
    _check_names("variables", names)
    both = set(names) & set(taken)
    if both:
        raise ValueError(f"{min(both)!r} cannot be both a variable and a parameter")
    return names


def _first_argument(f: Any) -> str:
    """Return the name of f's first argument."""
    if isinstance(f, FunctionType):
        return f.__code__.co_varnames[0] if f.__code__.co_argcount else "t"
    try:
        return next(iter(inspect.signature(f).parameters), "t")
    except (TypeError, ValueError):
        return "t"


def _check_names(argument: str, names: Sequence[Any]) -> None:
    for name in names:
        if not isinstance(name, str) or not name.isidentifier():
            raise ValueError(f"{argument} must be names; one is {name!r}")
    if len(set(names)) < len(names):
        raise ValueError(f"{argument} must differ from each other; they are {tuple(names)!r}")
