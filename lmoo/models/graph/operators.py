"""Arithmetic operators as operations of graphs."""

from typing import Any, Generic, TypeVar

Value = TypeVar("Value")


class Operators(Generic[Value]):
    """Base of what stands for an unknown value: each operator is an operation with a name.

    Examples
    --------
    >>> from lmoo.models.graph.operators import Operators
    >>> class Words(Operators[str]):
    ...     def _operate(self, operation, *operands):
    ...         return f"{operation} {' '.join(map(str, operands))}"
    ...     def __repr__(self):
    ...         return "it"
    >>> 2 - Words(), -Words()
    ('subtract 2 it', 'negative it')
    """

    __slots__ = ()

    def _operate(self, operation: str, *operands: Any) -> Value:
        """Return the value of an operation."""
        raise NotImplementedError(f"{type(self).__name__} must define _operate(self, ...)")

    def __add__(self, other: Any) -> Value:
        return self._operate("add", self, other)

    def __radd__(self, other: Any) -> Value:
        return self._operate("add", other, self)

    def __sub__(self, other: Any) -> Value:
        return self._operate("subtract", self, other)

    def __rsub__(self, other: Any) -> Value:
        return self._operate("subtract", other, self)

    def __mul__(self, other: Any) -> Value:
        return self._operate("multiply", self, other)

    def __rmul__(self, other: Any) -> Value:
        return self._operate("multiply", other, self)

    def __truediv__(self, other: Any) -> Value:
        return self._operate("divide", self, other)

    def __rtruediv__(self, other: Any) -> Value:
        return self._operate("divide", other, self)

    def __pow__(self, other: Any) -> Value:
        return self._operate("power", self, other)

    def __rpow__(self, other: Any) -> Value:
        return self._operate("power", other, self)

    def __neg__(self) -> Value:
        return self._operate("negative", self)

    def __abs__(self) -> Value:
        return self._operate("absolute", self)
