"""Arrays of placeholders: of parameters, of points with further axes, and of single points."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from lmoo.models.tracing.arraylike import ArrayLike
from lmoo.models.tracing.recorder import Recorder

# Functions that numpy would compute from comparisons, or from the types of the numbers.
_ELEMENTWISE = (
    np.where, np.clip, np.select, np.sinc, np.i0, np.isclose, np.nan_to_num,
)  # fmt: skip
_OPTIONS = frozenset(["axis", "keepdims", "initial"])


def placeholders_of(values: Iterable[Any]) -> Iterable[ArrayLike]:
    """Yield the placeholders in arguments of a function."""
    for value in values:
        if isinstance(value, ArrayLike):
            yield value
        elif isinstance(value, np.ndarray) and value.dtype == object:
            yield from placeholders_of(value.flat)
        elif isinstance(value, (list, tuple)):
            yield from placeholders_of(value)


def recorder_of(values: Iterable[Any]) -> Recorder | None:
    """Return the recorder of the first placeholder in arguments of a function; None without one."""
    first = next(iter(placeholders_of(values)), None)
    return None if first is None else first.recorder


def as_objects(value: Any) -> Any:
    """Return an array of objects as `Objects`; other values as they are."""
    return value.view(Objects) if type(value) is np.ndarray and value.dtype == object else value


class Objects(np.ndarray[Any, Any]):
    """An array of placeholders and numbers, to which operations are applied one by one.

    numpy alone would compute comparisons of its elements as truth values.
    """

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if method != "__call__":
            inputs = tuple(map(_expanded, inputs))
        recorder, targets = recorder_of(inputs), options.pop("out", None)
        plain = [x.view(np.ndarray) if isinstance(x, Objects) else x for x in inputs]
        if recorder is None:
            found = getattr(ufunc, method)(*plain, **options)
        else:
            found = _applied(recorder, ufunc, method, plain, options)
        found = as_objects(found)
        if any(isinstance(x, Joined) for x in inputs) and isinstance(found, Objects):
            found = found.view(Joined)
        if targets is None:
            return found
        targets[0][...] = found
        return targets[0]

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        recorder = recorder_of((*args, *kwargs.values()))
        if recorder is not None and function in _ELEMENTWISE:
            return recorder.functions[function](recorder, *args, **kwargs)
        args = tuple(map(_expanded, args))
        if function in (np.real, np.imag):
            return getattr(args[0], function.__name__)
        if function is np.angle:
            return np.arctan2(args[0].imag, args[0].real)
        return as_objects(function._implementation(*args, **kwargs))

    @property  # type: ignore[misc]
    def real(self) -> Any:
        """The real parts."""
        return self._each(lambda x: x.real)

    @property  # type: ignore[misc]
    def imag(self) -> Any:
        """The imaginary parts."""
        return self._each(lambda x: x.imag)

    def _each(self, function: Callable[[Any], Any]) -> Any:
        found = np.frompyfunc(function, 1, 1)(self.view(np.ndarray))
        return as_objects(found)


class Joined(Objects):
    """Arrays of points that are joined with others: one placeholder stands for all points of one.

    Where single values are wanted, it is replaced by the array of all values.
    """

    def expanded(self) -> Any:
        """Return the array of the values at each point."""
        parts: list[Any] = []
        for part in self.view(np.ndarray):
            rows = part._rows() if getattr(part, "points", False) else [part]
            if rows is None:
                part.recorder.refuse("single values of arrays that are joined are used")
            parts.extend(rows)
        found: Any = np.empty(len(parts), dtype=object)
        found[:] = parts
        return found.view(Objects)

    def __getitem__(self, key: Any) -> Any:
        return self.expanded()[key]

    def __iter__(self) -> Any:
        return iter(self.expanded())

    def __len__(self) -> int:
        return len(self.expanded())

    @property  # type: ignore[misc]
    def shape(self) -> Any:
        """The number of values."""
        return self.expanded().shape

    @property
    def size(self) -> int:
        """The number of values."""
        return len(self)


def _expanded(value: Any) -> Any:
    return value.expanded() if isinstance(value, Joined) else value


def _applied(
    recorder: Recorder, ufunc: Any, method: str, inputs: Any, options: dict[str, Any]
) -> Any:
    """Return the value of a ufunc, or of its reduction."""
    if options.pop("where", True) is not True:
        recorder.refuse(f"np.{ufunc.__name__} with where= of an array")
    kinds = (
        None,
        float,
        np.float64,
        np.dtype(object),
        *[bool] * ufunc.__name__.startswith("logical"),
    )
    if options.pop("dtype", None) not in kinds:
        recorder.refuse(f"np.{ufunc.__name__} is asked for other numbers than float64")
    kept = {key: value for key, value in options.items() if key in _OPTIONS}
    if ufunc.signature is not None:
        # np.matmul.
        return ufunc(*[x.__array__() if isinstance(x, ArrayLike) else x for x in inputs], **kept)
    if all(set(kind) <= set("O->") for kind in ufunc.types):
        return getattr(ufunc, method)(*inputs)  # Made by np.frompyfunc.
    operation = recorder.operation_of(ufunc, recorder)
    if method == "__call__":
        return operation(recorder, *inputs)
    if method not in ("reduce", "accumulate", "outer"):
        recorder.refuse(f"np.{ufunc.__name__}.{method} of an array of parameters")
    array = inputs[0]
    if method != "outer" and _combines_points(array, kept.get("axis", 0)):
        recorder.refuse(
            f"np.{ufunc.__name__}.{method} combines points; a model must be evaluated point by "
            "point"
        )
    if method == "reduce" and np.size(array) == 0:
        return ufunc.reduce(array, **kept)
    both = np.frompyfunc(lambda a, b: operation(recorder, a, b), 2, 1)
    return getattr(both, method)(*inputs, **kept)


def _combines_points(array: Any, axis: Any) -> bool:
    """Return whether a reduction is one over the axis of the points, whose length is 1 here."""
    if not any(getattr(x, "points", False) for x in array.flat):
        return False
    if axis is None:
        return True
    axes = axis if isinstance(axis, tuple) else (axis,)
    return array.size > 1 and any(array.shape[k] == 1 for k in axes)
