"""Placeholders: arguments of a traced function, which record the operations on them."""

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from lmoo.models.tracing.arithmetic import is_replaced
from lmoo.models.tracing.arraylike import ArrayLike, number_of
from lmoo.models.tracing.indices import adds_axes, condition_of
from lmoo.models.tracing.objects import Objects, placeholders_of
from lmoo.models.tracing.purity import OF_POINTS, OF_ROWS
from lmoo.models.tracing.recorder import OURS, Recorder, shown
from lmoo.models.tracing.rows import rolled, unrolled

_FLOAT, _COMPLEX = np.dtype(np.float64), np.dtype(np.complex128)


class Placeholder(ArrayLike):
    """A number, or an array with one number for each point, whose value is unknown.

    Parameters
    ----------
    recorder : Recorder
    node : int
        The node of the number, or of its real part, in the graph.
    imag : int, optional
        The imaginary part; None for real numbers.
    points : bool
        Whether it is an array with one number for each point; otherwise it is a number.
    truth : bool
        Whether it holds truth values.
    own : bool
        Whether it may be changed in place: it is not an argument of the function.
    mask : int, optional
        The node of the condition by which points were selected, as in ``t[t > 0]``.
    """

    __slots__ = ("_node", "imaginary", "mask", "own", "points", "recorder", "truth", "written")
    # numpy's arrays leave arithmetic to this class.
    __array_priority__ = 1e6

    def __init__(
        self,
        recorder: Recorder,
        node: int,
        imag: int | None = None,
        *,
        points: bool,
        truth: bool = False,
        own: bool = True,
        mask: int | None = None,
    ) -> None:
        self.recorder, self.node, self.imaginary = recorder, node, imag
        self.points, self.truth, self.own, self.mask = points, truth, own, mask

    @property
    def node(self) -> int:
        """The node of the number, or of its real part."""
        if self.written is not None:
            found = of_rows(self.recorder, self.written)
            if found is None or found.imaginary is not None:
                self.recorder.refuse("points of a real array are given other values than numbers")
            self.node = found.node
        return self._node

    @node.setter
    def node(self, node: int) -> None:
        self._node = node
        # The values at each point, if one of them was changed.
        self.written: Any = None

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        """The type of the argument in a fit, which isinstance asks for.

        For lmoo and numpy that of the placeholder, which they treat as such.
        """
        if sys._getframe(1).f_code.co_filename.startswith(OURS):
            return Placeholder
        return np.ndarray if self.points else np.float64

    # ---- numpy ---------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        name = ufunc.__name__
        if method == "outer" and not options:
            return self.recorder.functions[np.ufunc.outer](self.recorder, ufunc, *inputs)
        if ufunc.signature is not None and not options:
            rows = _by_rows(inputs)
            if not any(p.points for p in placeholders_of(rows)):
                return number_of(ufunc(*rows))  # As np.matmul.
        if method in ("reduce", "accumulate") and (rows := self._rows()) is not None:
            return getattr(ufunc, method)(rows, *inputs[1:], **options)
        if method != "__call__":
            self.recorder.refuse(
                f"np.{name}.{method} combines points; a model must be evaluated point by point"
            )
        if options:
            if options.get("where") not in (None, True) or not is_replaced(
                self.recorder, inputs, options
            ):
                self.recorder.refuse(f"np.{name} writes into an array (out= or where=)")
            if np.dtype(options.get("dtype") or np.float64) not in (_FLOAT, _COMPLEX):
                self.recorder.refuse(f"np.{name} is asked for numbers of {options['dtype']}")
        found = self.recorder.operation_of(ufunc, self.recorder)(self.recorder, *inputs)
        for array in options.get("out") or ():
            array.fill(np.nan)
        return found

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        found = self.recorder.functions.get(function)
        if found is None:
            name = getattr(function, "__name__", repr(function))
            module = getattr(function, "__module__", "numpy") or "numpy"
            if name in OF_POINTS and module.startswith("numpy"):
                known = [_numbers(a) for a in args]
                named = {key: _numbers(a) for key, a in kwargs.items()}
                if not any(isinstance(a, Placeholder) for a in (*known, *named.values())):
                    value = function(*known, **named)
                    if self._fits(value):
                        return value
            if name in OF_ROWS and module.startswith("numpy"):
                args, named = _by_rows(args), {k: _by_rows(a) for k, a in kwargs.items()}
                values = (*args, *named.values())
                if any(isinstance(a, Objects) for a in values) and not any(
                    p.points for p in placeholders_of(values)
                ):
                    return number_of(function(*args, **named))
            self.recorder.refuse(
                f"{module.replace('numpy', 'np', 1)}.{name} is not a function of single points "
                "that a model can hold"
            )
        return found(self.recorder, *args, **kwargs)

    def __array__(self, dtype: Any = None, **options: Any) -> Any:
        user = not sys._getframe(1).f_code.co_filename.startswith(OURS)
        if (dtype is not None and np.dtype(dtype) != np.dtype(object)) or (user and self.points):
            # np.asarray of a function without substitutes.
            self.recorder.converts = True
            self.recorder.refuse(
                "an array of numbers is made from a value that is unknown before the fit"
            )
        # numpy's functions apply an array of objects element by element.  The axis of the points
        # has the length 1 there, and broadcasts with arrays of other axes as a longer one does.
        out = np.empty((1,) if self.points else (), dtype=object)
        out[(0,) * self.points] = self
        return out.view(Objects)

    @classmethod
    def _apply_operation(cls, operation: str, arguments: Sequence[Any]) -> Any:
        """Record a function of `lmoo.models`."""
        recorder = next(a.recorder for a in arguments if isinstance(a, Placeholder))
        return recorder.applied(recorder, operation, *arguments)

    @classmethod
    def _include_model(cls, model: Any, t: Sequence[Any], parameters: Sequence[Any]) -> Any:
        """Record a call of a `Model`; the model is None if its graph is unknown."""
        recorder = next(a.recorder for a in (*t, *parameters) if isinstance(a, Placeholder))
        return recorder.included(recorder, model, t, parameters)

    def __pos__(self) -> Any:
        return self._like()

    # ---- changes in place ------------------------------------------------------------------------

    def _assign(self, value: Any) -> Any:
        """Store the value of ``self += ...``: numbers are replaced, arrays changed in place."""
        if not self.points:
            return value
        if not self.own:
            self.recorder.refuse("an argument of the function is changed in place")
        if value.imaginary is not None and self.imaginary is None:
            self.recorder.refuse("a real array is given complex values")
        self.node, self.imaginary, self.truth = value.node, value.imaginary, value.truth
        return self

    def __setitem__(self, key: Any, value: Any) -> None:
        if self.points and self.own and self.mask is None and self._is_of_rows(key, value):
            rows = self.written if self.written is not None else self._rows()
            if rows is not None:
                rows[key] = value
                self.written = rows
                return
        key = condition_of(key, self)
        if not self.points or not self.own:
            self.recorder.refuse("an argument of the function is changed in place")
        if not isinstance(key, Placeholder) or not key.truth or key.mask is not None:
            self.recorder.refuse(
                "points of an array selected by index are changed; select them by a condition"
            )
        value = as_placeholder(self.recorder, value)
        if value.mask not in (None, key.node) or (value.points and value.mask is None):
            self.recorder.refuse("points selected by one condition are given values of others")
        value = value._like(mask=None)
        self._assign(self._operate("where", key, value, self))

    def _is_of_rows(self, key: Any, value: Any) -> bool:
        """Return whether values are stored at points that are selected by their numbers."""
        if self.recorder.copies:
            return False
        one = isinstance(key, (int, np.integer)) and not isinstance(key, (bool, np.bool_))
        return one or (isinstance(value, np.ndarray) and value.ndim == 1 and _selects_rows(key))

    def _numbers(self) -> Any:
        """Return the numbers of an array that depends on the points alone; None for others."""
        if not self.points or self.imaginary is not None:
            return None
        found = self.recorder.numbers(self.node, self.mask)
        return found != 0.0 if found is not None and self.truth else found

    def _rows(self) -> Any:
        """Return the array of the values at each point; None if they cannot be known."""
        if not self.points or self.recorder.copies:
            return None
        return unrolled(self.recorder, self, self._of_row)

    def _of_row(self, node: int, imag: int | None = None) -> "Placeholder":
        return Placeholder(self.recorder, node, imag, points=False, truth=self.truth)

    def _fits(self, value: Any) -> bool:
        """Return whether a value of numpy is a number, or has one for each point."""
        return isinstance(value, np.generic) or np.shape(value) == (self.recorder.points,)

    def __getitem__(self, key: Any) -> Any:
        if self.written is not None and _selects_rows(key):
            return self.written[key]
        given, key = key, condition_of(key, self)
        if isinstance(key, (int, np.integer)) and not isinstance(key, bool):
            numbers = self._numbers()
            if numbers is not None:
                return numbers[key]
        if self.points and _selects_rows(key) and (rows := self._rows()) is not None:
            return rows[key]
        if isinstance(key, Placeholder) and key.truth and self.points and self.mask is None:
            copied = not isinstance(given, slice)
            # A change of a slice would change the array, and the reverse.
            self.own = self.own and copied
            return self._like(mask=key.node, own=copied)
        if key is Ellipsis or (isinstance(key, slice) and key == slice(None)):
            return self
        if self.points and self.mask is None and adds_axes(key):
            return self.__array__()[key]  # As t[:, None].
        self.recorder.refuse(
            "points are selected by index; a model must be evaluated point by point"
            if self.points
            else "a parameter is indexed as if it were an array"
        )

    def _like(self, **changes: Any) -> "Placeholder":
        """Return a copy with other attributes."""
        made = {
            "node": self.node, "imag": self.imaginary, "points": self.points, "truth": self.truth,
            "mask": self.mask,
        }  # fmt: skip
        return Placeholder(self.recorder, **{**made, **changes})


def _numbers(value: Any) -> Any:
    """Return an argument with the numbers of a placeholder that depends on the points alone."""
    if isinstance(value, (list, tuple)):
        return type(value)(map(_numbers, value)) if type(value) in (list, tuple) else value
    numbers = value._numbers() if isinstance(value, Placeholder) else None
    return value if numbers is None else numbers


def _by_rows(value: Any) -> Any:
    """Return an argument with the values at each point of an array of points."""
    if isinstance(value, (list, tuple)):
        return type(value)(map(_by_rows, value)) if type(value) in (list, tuple) else value
    rows = value._rows() if isinstance(value, Placeholder) else None
    return value if rows is None else rows


def _selects_rows(key: Any) -> bool:
    """Return whether an index selects points by their numbers."""
    if isinstance(key, (bool, np.bool_)):
        return False
    return (
        isinstance(key, (int, np.integer))
        or (isinstance(key, slice) and key != slice(None))
        or (isinstance(key, np.ndarray) and key.dtype.kind in "iu")
        or (type(key) is list and all(isinstance(k, int) for k in key))
    )


def of_rows(recorder: Recorder, value: Any) -> Placeholder | None:
    """Return an array of values at each point as a placeholder; None for other arrays."""
    if recorder.copies and value.shape == (recorder.copies,):
        return _of_copies(recorder, value)
    if value.shape != (recorder.points,) or recorder.data is None:
        return None
    parts = [as_placeholder(recorder, part) for part in value]
    if any(part.points for part in parts):
        return None
    node = rolled(recorder, [part.node for part in parts])
    imag = None
    if any(part.imaginary is not None for part in parts):
        zero = recorder.graph.constant(0.0)
        imag = rolled(recorder, [zero if p.imaginary is None else p.imaginary for p in parts])
    recorder.asked = recorder.reads_data = True
    return Placeholder(recorder, node, imag, points=True, truth=all(p.truth for p in parts))


def _of_copies(recorder: Recorder, value: Any) -> Placeholder | None:
    """Return the values of a loop over points, which is run some times, if they are the same."""
    values = [as_placeholder(recorder, part) for part in value]
    first, parts = values[0], [part for part in values if not part.points]
    same = {(part.node, part.imaginary) for part in parts}
    if len(parts) < value.size or len(same) > 1:
        return None
    return Placeholder(recorder, *same.pop(), points=True, truth=first.truth)


def as_placeholder(recorder: Recorder, value: Any) -> Placeholder:
    """Return a number or an array of numbers as a placeholder."""
    if isinstance(value, Placeholder):
        return value
    if isinstance(value, np.ndarray) and value.dtype == object:
        if value.size == 1:
            return as_placeholder(recorder, value.item())
        found = of_rows(recorder, value)
        if found is not None:
            return found
    if isinstance(value, (bool, np.bool_)):
        return Placeholder(
            recorder, recorder.graph.constant(float(value)), points=False, truth=True
        )
    if isinstance(value, (int, float, np.integer, np.floating)):
        return Placeholder(recorder, recorder.graph.constant(float(value)), points=False)
    if isinstance(value, (complex, np.complexfloating)):
        real, imag = (recorder.graph.constant(float(part)) for part in (value.real, value.imag))
        return Placeholder(recorder, real, imag, points=False)
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufc":
        return _array(recorder, value)
    recorder.refuse(f"{shown(value)} in arithmetic is neither a number nor an array of numbers")


def _array(recorder: Recorder, value: Any) -> Placeholder:
    if value.ndim == 0:
        return as_placeholder(recorder, value[()])
    if value.ndim > 1 or value.size != recorder.points:
        what = f"an array of shape {value.shape}"
        known = "" if recorder.points is None else f", where t has {recorder.points} points,"
        recorder.refuse(
            f"{what}{known} is not a single number; numbers that differ from point to point must "
            "be another variable of the model"
        )
    truth = value.dtype.kind == "b"
    if value.size and value.tobytes() == value[:1].tobytes() * value.size:
        # As np.zeros(t.size).
        return as_placeholder(recorder, value[0])._like(points=True)
    if value.dtype.kind == "c":
        return Placeholder(
            recorder, recorder.array(value.real), recorder.array(value.imag), points=True
        )
    return Placeholder(recorder, recorder.array(value), points=True, truth=truth)
