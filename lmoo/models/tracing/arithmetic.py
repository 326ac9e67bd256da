"""The operators of placeholders, which are recorded as operations."""

import sys
from collections.abc import Callable
from dis import opmap
from typing import Any

import numpy as np

from lmoo.models.graph.operators import Operators
from lmoo.models.tracing.recorder import Recorder

Method = Callable[..., Any]
# Instructions of operators such as ``+=``: NB_INPLACE_ADD is the first of CPython's.
_BINARY_OP, _FIRST_IN_PLACE = opmap["BINARY_OP"], 13


def is_replaced(recorder: Recorder, inputs: Any, options: Any) -> bool:
    """Return whether nothing is written but the first operand of ``array += x``.

    The result replaces the array under its name.  The array itself becomes nan, so that the
    trace differs from the function if that has other names for it.
    """
    out = options.get("out")
    if out is None:
        return True
    frame = sys._getframe(2)
    code, place = frame.f_code.co_code, frame.f_lasti
    found: bool = (
        code[place] == _BINARY_OP
        and code[place + 1] >= _FIRST_IN_PLACE
        and out[0] is inputs[0]
        and out[0].dtype == np.float64
        and out[0].shape == (recorder.points,)
        and all(getattr(x, "imaginary", None) is None for x in inputs)
    )
    return found


def _operator(operation: str, reflected: bool = False) -> Method:
    """Return the method of an operator: an operation with self, and with the other operand."""

    def recorded(self: Any, *others: Any) -> Any:
        return self._operate(operation, *((*others, self) if reflected else (self, *others)))

    return recorded


def _in_place(name: str) -> Method:
    """Return the method of an assignment such as ``+=``, by that of its operator."""

    def changed(self: Any, other: Any) -> Any:
        return self._assign(getattr(self, name)(other))

    return changed


class Arithmetic(Operators[Any]):
    """Operators, comparisons and changes in place of a `Placeholder`."""

    __slots__ = ()
    recorder: Recorder  # of `Placeholder`

    def _operate(self, operation: str, *operands: Any) -> Any:
        return self.recorder.applied(self.recorder, operation, *operands)

    __floordiv__, __rfloordiv__ = _operator("floor_divide"), _operator("floor_divide", True)
    __mod__, __rmod__ = _operator("mod"), _operator("mod", True)
    __lt__, __le__ = _operator("less"), _operator("less_equal")
    __gt__, __ge__ = _operator("greater"), _operator("greater_equal")
    __eq__, __ne__ = _operator("equal"), _operator("not_equal")
    __hash__ = None  # type: ignore[assignment]
    __and__ = __rand__ = _operator("bitwise_and")
    __or__ = __ror__ = _operator("bitwise_or")
    __xor__ = __rxor__ = _operator("bitwise_xor")
    __invert__ = _operator("invert")

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> Any:
        return other // self, other % self

    def __round__(self, digits: Any = None) -> Any:
        if digits is not None:
            self.recorder.refuse("round(x, digits) cannot be traced; np.rint(x) can")
        return self._operate("rint", self)

    __iadd__, __isub__ = _in_place("__add__"), _in_place("__sub__")
    __imul__, __itruediv__ = _in_place("__mul__"), _in_place("__truediv__")
    __ipow__ = _in_place("__pow__")
