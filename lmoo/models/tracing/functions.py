"""Functions of numpy that are not ufuncs, for placeholders: those that work point by point."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lmoo.models.tracing.applied import applied, clipped, included
from lmoo.models.tracing.indices import Indices
from lmoo.models.tracing.objects import Joined, Objects
from lmoo.models.tracing.placeholder import Placeholder, as_placeholder
from lmoo.models.tracing.recorder import Recorder
from lmoo.models.tracing.tables import interpolated
from lmoo.models.tracing.ufuncs import operation_of


def _where(recorder: Recorder, condition: Any, *choices: Any) -> Any:
    if not choices:
        return (Indices(condition),)
    return applied(recorder, "where", condition, *choices)


def _clip(recorder: Recorder, a: Any, *bounds: Any, **named: Any) -> Any:
    least, greatest = (*bounds, None, None)[:2]
    least = named.get("a_min", named.get("min", least))
    greatest = named.get("a_max", named.get("max", greatest))
    return clipped(recorder, a, least, greatest)


def _select(recorder: Recorder, conditions: Any, choices: Any, default: Any = 0) -> Any:
    found = as_placeholder(recorder, default)
    for condition, choice in reversed(list(zip(conditions, choices, strict=True))):
        found = applied(recorder, "where", condition, choice, found)
    return found


def _piecewise(
    recorder: Recorder, x: Any, conditions: Any, pieces: Sequence[Any], *args: Any, **kwargs: Any
) -> Any:
    if isinstance(conditions, Placeholder):
        conditions = [conditions]
    conditions, pieces = list(conditions), list(pieces)
    values = [piece(x, *args, **kwargs) if callable(piece) else piece for piece in pieces]
    # A last piece without a condition is for all other points.
    found = values.pop() if len(values) == len(conditions) + 1 else 0.0
    found = _full_like(recorder, x, found)
    for condition, value in zip(conditions, values, strict=True):
        found = applied(recorder, "where", condition, value, found)
    return found


def _full_like(recorder: Recorder, x: Any, value: Any, dtype: Any = None, **options: Any) -> Any:
    if dtype is not None and np.dtype(dtype) not in (np.dtype(float), np.dtype(complex)):
        recorder.refuse(f"an array of {np.dtype(dtype)} is made")
    like, value = as_placeholder(recorder, x), as_placeholder(recorder, value)
    imag = value.imaginary
    if dtype is not None and np.dtype(dtype) == np.dtype(complex) and imag is None:
        imag = recorder.graph.constant(0.0)
    return Placeholder(
        recorder, value.node, imag, points=like.points or value.points, mask=like.mask
    )


def _filled(value: float) -> Callable[..., Any]:
    return lambda recorder, x, dtype=None, **options: _full_like(recorder, x, value, dtype)


def _same(recorder: Recorder, x: Any, *args: Any, **kwargs: Any) -> Any:
    return x


def _copy(recorder: Recorder, x: Any, **options: Any) -> Any:
    return +x


def _polyval(recorder: Recorder, coefficients: Any, x: Any) -> Any:
    first, *others = coefficients
    value = _full_like(recorder, x, first)
    for coefficient in others:
        value = value * x + coefficient
    return value


def _angle(recorder: Recorder, z: Any, deg: bool = False) -> Any:
    angle = applied(recorder, "arctan2", as_placeholder(recorder, z).imag, z.real)
    return angle * (180.0 / np.pi) if deg else angle


def _column(recorder: Recorder, value: Any) -> Any:
    """Return an argument with arrays of objects for the arrays of points in it."""
    if isinstance(value, (list, tuple)):
        return type(value)([_column(recorder, part) for part in value])
    is_array = isinstance(value, np.ndarray) and value.dtype != object
    if is_array and value.shape == (recorder.points,):
        value = as_placeholder(recorder, value)
    return value.__array__() if isinstance(value, Placeholder) else value


def _of_columns(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of numpy for arrays of objects, whose axis of points has the length 1."""

    def applied_to_columns(recorder: Recorder, *args: Any, **kwargs: Any) -> Any:
        return function(*[_column(recorder, a) for a in args], **kwargs)

    return applied_to_columns


def _joined(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of numpy that joins arrays, as `pieces.joined` does at the end."""
    columns = _of_columns(function)

    def applied_to_arrays(recorder: Recorder, *args: Any, axis: Any = None, **options: Any) -> Any:
        if options:
            recorder.refuse(f"np.{function.__name__} is called with {min(options)}")
        found = columns(recorder, *args, **({} if axis is None else {"axis": axis}))
        of_points = found.ndim == 1 and any(getattr(part, "points", False) for part in found)
        return found.view(Joined if of_points else Objects)

    return applied_to_arrays


def _split(recorder: Recorder, x: Any, sections: Any, axis: Any = 0) -> list[Any]:
    rows = np.array_split(np.arange(x.size), sections)
    return [x[row[0] : row[-1] + 1] if row.size else x[:0] for row in rows]


def _sinc(recorder: Recorder, x: Any) -> Any:
    return applied(recorder, "sinc", x)


def _nan_to_num(
    recorder: Recorder,
    x: Any,
    copy: bool = True,
    nan: Any = 0.0,
    posinf: Any = None,
    neginf: Any = None,
) -> Any:
    if not copy:
        recorder.refuse("np.nan_to_num writes into an array (copy=False)")
    largest = np.finfo(np.float64).max
    found = np.where(x == np.inf, largest if posinf is None else posinf, x)
    found = np.where(x == -np.inf, -largest if neginf is None else neginf, found)
    return np.where(np.isnan(x), nan, found)


def _isclose(
    recorder: Recorder, a: Any, b: Any, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: bool = False
) -> Any:
    close = (abs(a - b) <= atol + rtol * abs(b)) & np.isfinite(b) | (a == b)
    return close | np.isnan(a) & np.isnan(b) if equal_nan else close


def _copyto(
    recorder: Recorder, target: Any, source: Any, casting: str = "", where: Any = True
) -> None:
    # np.full_like(np.asarray(t), a) calls np.copyto with an array of objects.
    if not isinstance(target, np.ndarray) or target.dtype != object or where is not True:
        recorder.refuse("np.copyto writes into an array")
    target[...] = source


FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.where: _where,
    np.nonzero: _where,
    np.flatnonzero: lambda recorder, condition: Indices(condition),
    np.clip: _clip,
    np.select: _select,
    np.piecewise: _piecewise,
    np.zeros_like: _filled(0.0),
    np.empty_like: _filled(0.0),
    np.ones_like: _filled(1.0),
    np.full_like: _full_like,
    np.real: lambda recorder, x: x.real,
    np.imag: lambda recorder, x: x.imag,
    np.angle: _angle,
    np.sinc: _sinc,
    np.i0: lambda recorder, x: applied(recorder, "i0", x),
    np.polyval: _polyval,
    np.interp: interpolated,
    **{function: _joined(function) for function in (np.concatenate, np.hstack, np.append)},
    **dict.fromkeys((np.split, np.array_split), _split),
    np.copy: _copy,
    np.isclose: _isclose,
    np.nan_to_num: _nan_to_num,
    np.copyto: _copyto,
    np.ufunc.outer: lambda recorder, ufunc, *xs: ufunc.outer(*[_column(recorder, x) for x in xs]),
    np.ndim: lambda recorder, x: x.ndim,
    np.shape: lambda recorder, x: x.shape,
    np.size: lambda recorder, x: x.size,
    np.reshape: lambda recorder, x, *shape, **options: x.reshape(*shape, **options),
    **{
        function: _of_columns(function)
        for function in (
            np.stack,
            np.vstack,
            np.column_stack,
            np.vander,
            np.outer,
            np.expand_dims,
        )
    },
    **dict.fromkeys((np.ravel, np.squeeze, np.atleast_1d, np.transpose), _same),
}


def start(variables: int, points: int | None = None, data: Any = None) -> Recorder:
    """Return a recorder with the functions of numpy; the arguments are those of `Recorder`."""
    recorder = Recorder(variables, points, data)
    recorder.operation_of, recorder.functions = operation_of, FUNCTIONS
    recorder.applied, recorder.included = applied, included
    return recorder
