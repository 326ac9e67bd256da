"""Cached traces of functions, valid as long as a function and its dependencies are unchanged."""

import hashlib
import threading
import types
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from lmoo.errors import TraceError
from lmoo.models.compiled import GraphModel, kept_model
from lmoo.models.expression.base import Model
from lmoo.models.graph.nodes import extracted
from lmoo.models.graph.stepwise import stepwise
from lmoo.models.tracing.dependencies import Dependency, is_unchanged, stored_dependencies
from lmoo.models.tracing.effects import Dependencies, examined
from lmoo.models.tracing.functions import start
from lmoo.models.tracing.pieces import of_parts
from lmoo.models.tracing.trace import ComplexModel, recorded
from lmoo.problems.complexdata import ComplexRows


class Kind(NamedTuple):
    """The arguments that a function is called with.

    Attributes
    ----------
    n : int
        Number of parameters.
    variables : int
        Number of independent variables.
    joined : bool
        Whether several variables are the rows of one array; otherwise they are a tuple.
    points : int
        Number of points.
    parts : bool
        Whether real and imaginary parts of complex values are wanted: the model is then that of
        twice as many points, and its last variable is 0 for real parts and 1 for imaginary ones.
    known : bool
        Whether the points are known.
    branches : bool
        Whether the function may branch on its parameters.
    """

    n: int
    variables: int = 1
    joined: bool = False
    points: int = 0
    parts: bool = False
    known: bool = False
    branches: bool = False


@dataclass(eq=False)
class Traced:
    """A function as a compiled model.

    Attributes
    ----------
    model : GraphModel
    arrays : tuple of (points,) float64 array
        Arrays from outside of the function with one number for each point.  They are the last
        variables of the model.
    sized : bool
        Whether the trace is valid for one number of points only.
    branches : bool
        Whether the function branches on its parameters.
    pieces : list of arrays or None
        For each of several joined arrays the indices of its points, None for all of them.
    moved : bool
        Whether its values were compared near a starting point (`moved.moved_reason`).
    """

    model: GraphModel
    arrays: tuple[Any, ...] = ()
    sized: bool = False
    branches: bool = False
    pieces: list[Any] | None = None
    moved: bool = False


@dataclass(frozen=True, eq=False)
class _Entry:
    kind: Kind
    # Whether the trace is valid for one number of points only.
    sized: bool
    found: Traced | TraceError
    dependencies: tuple[Dependency, ...]
    # As of `_code`; None for an entry of a code object.
    code: tuple[Any, ...] | None
    owner: Any
    # Fingerprint of the points, if the trace is valid for these only.
    data: bytes | None

    def fits(self, f: Any, kind: Kind, data: Any) -> bool:
        """Return whether the trace is valid for a call of a function."""
        if self.kind != kind and (self.sized or self.kind._replace(points=kind.points) != kind):
            return False
        if self.owner is not None and self.owner() is not getattr(f, "__self__", None):
            return False
        if self.code is not None:
            # Identity, as comparisons of default arguments may return arrays, or raise.
            for part, known in zip(_code(f), self.code, strict=True):
                if part is not known:
                    return False
        for dependency in self.dependencies:
            if not is_unchanged(f, *dependency):
                return False
        return self.data is None or self.data == _fingerprint(data)


# Reentrant because a function may be collected, and its entry removed, while the lock is held.
_lock = threading.RLock()
_entries: "dict[int, tuple[weakref.ref[Any], list[_Entry]]]" = {}
_MOST_STORED = 8  # for one function
# Traces for different points of one function: each takes the time of some fits.
_MOST_POINTS = 3


def traced(f: Callable[..., Any], kind: Kind, data: Any = None) -> Traced:
    """Return a function as a compiled model, from the cache or from a new trace.

    Parameters
    ----------
    f : callable
        A function, or a `Model`.
    kind : Kind
    data : (variables, points) float64 array, optional
        The points, if they are known: `kind.known`.

    Raises
    ------
    TraceError
        The function cannot be traced, or the graph cannot be compiled.

    Examples
    --------
    >>> import numpy as np
    >>> from lmoo.models.tracing.cache import Kind, traced
    >>> def line(t, a, b):
    ...     return a * t + b
    >>> found = traced(line, Kind(2, points=5))
    >>> found.model(np.arange(3.0), 2.0, 1.0), found is traced(line, Kind(2, points=7))
    (array([1., 3., 5.]), True)
    """
    if isinstance(f, ComplexRows):
        inner = Kind(kind.n, kind.variables - 1, not f.several and f.variables > 1,
                     kind.points // 2, True)  # fmt: skip
        return traced(f.f, inner)
    holder = holder_of(f)
    entry = _stored(holder, f, kind, data)
    if entry is None and data is not None and _depends_on_points(holder):
        return traced(f, kind._replace(known=False))
    if entry is None:
        entry = _new_entry(f, kind, data)
        _store(holder, entry)
    if isinstance(entry.found, TraceError):
        # A new exception, because one that has been raised refers to frames.
        raise TraceError(*entry.found.args)
    return entry.found


def holder_of(f: Any) -> Any:
    """Return the object that the traces of a function are stored for.

    Functions that are defined anew for each fit, as lambdas in a loop, have the same code.  Those
    with closures or defaults are stored for themselves: their values must not outlive them.
    """
    function = f.__func__ if isinstance(f, types.MethodType) else f
    plain = type(function) is types.FunctionType and function.__closure__ is None
    if plain and function.__defaults__ is None and function.__kwdefaults__ is None:
        return function.__code__
    return function


def _stored(holder: Any, f: Any, kind: Kind, data: Any) -> _Entry | None:
    # Without the lock, as an item is replaced and never changed.
    found = _entries.get(id(holder))
    if found is not None and found[0]() is holder:
        for entry in found[1]:
            if entry.fits(f, kind, data):
                return entry
    return None


def _depends_on_points(holder: Any) -> bool:
    """Return whether a function has traces for several points, so that others would follow."""
    found = _entries.get(id(holder), (None, []))[1]
    return sum(entry.data is not None for entry in found) >= _MOST_POINTS


def _store(holder: Any, entry: _Entry) -> None:
    key = id(holder)

    # Default arguments, because globals may be gone when this is called at interpreter exit.
    def forget(reference: Any, lock: Any = _lock, entries: Any = _entries) -> None:
        with lock:
            if entries.get(key, (None,))[0] is reference:
                del entries[key]

    with _lock:
        reference, entries = _entries.get(key, (None, []))
        if reference is None or reference() is not holder:
            try:
                reference, entries = weakref.ref(holder, forget), []
            except TypeError:
                return
        _entries[key] = (reference, [entry, *entries][:_MOST_STORED])


def _new_entry(f: Any, kind: Kind, data: Any) -> _Entry:
    """Trace a function."""
    dependencies, sized, recorder = Dependencies(), False, None
    found: Traced | TraceError
    try:
        if isinstance(f, Model):
            found = Traced(_compiled(of_parts(f, f, None) if kind.parts else f), moved=True)
        elif isinstance(f, ComplexModel):
            if not kind.parts:
                raise TraceError("the model has complex values")
            found = Traced(_compiled(of_parts(f.real, f.real, f.imag)), moved=True)
        else:
            dependencies = examined(f)
            recorder = start(kind.variables, kind.points, data)
            recorder.decisions = [] if kind.branches else None
            recorder.joins = kind.branches
            value = recorded(f, recorder, kind.n, kind.joined)
            sized = recorder.asked or any(a is not None for a in recorder.arrays)
            if value.imaginary is not None and not kind.parts:
                raise TraceError("the function returns complex numbers")
            variables = [f"t{k}" for k in range(kind.variables + len(recorder.arrays))]
            names = [f"x{j}" for j in range(kind.n)]
            model, imaginary = (
                None if node is None
                else Model(extracted(recorder.graph.steps, [node])[0], variables, names)
                for node in (value.node, value.imaginary)
            )  # fmt: skip
            assert model is not None
            if kind.parts:
                model = of_parts(model, model, imaginary)
            # A function that is defined anew for each fit has the graph of the last one.
            found = Traced(_compiled(model, kept_model), tuple(recorder.arrays), sized,
                           bool(recorder.path or recorder.decisions), recorder.pieces)  # fmt: skip
    except TraceError as error:
        found = TraceError(*error.args)
        # The reason may be the number of points.
        sized = True
    owner = f.__self__ if isinstance(f, types.MethodType) else None
    return _Entry(
        kind,
        sized,
        found,
        stored_dependencies(f, dependencies),
        None if holder_of(f) is getattr(f, "__code__", f) else _code(f),
        None if owner is None else _reference(owner),
        _fingerprint(data) if recorder is not None and recorder.reads_data else None,
    )


def _fingerprint(data: Any) -> bytes:
    """Return a number that differs for other points."""
    return hashlib.blake2b(data, digest_size=16).digest()


def _compiled(model: Model, of: Callable[[Model], GraphModel] = GraphModel) -> GraphModel:
    place = stepwise(model.steps)
    if place is not None:
        raise TraceError(
            f"the model depends on {model.parameter_names[place]} by steps alone, whose exact "
            "derivative is 0; differences see them"
        )
    try:
        return of(model)
    except (ValueError, NotImplementedError) as error:
        raise TraceError(f"the model cannot be compiled: {error}") from error


def _reference(owner: Any) -> Callable[[], Any]:
    try:
        return weakref.ref(owner)
    except TypeError:
        return lambda: object()  # Differs from any owner.


def _code(f: Any) -> tuple[Any, ...]:
    """Return the parts by which functions differ: code and default arguments."""
    if type(f) is types.FunctionType:
        return f.__code__, f.__defaults__, f.__kwdefaults__
    function = f.__func__ if isinstance(f, types.MethodType) else f
    return tuple(
        getattr(function, name, None) for name in ("__code__", "__defaults__", "__kwdefaults__")
    )
