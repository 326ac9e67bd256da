"""Signatures of compiled classes, for `inspect.signature`."""

from inspect import Parameter, Signature
from typing import Any


class ClassSignature:
    """The signature of a class that has none, as compiled classes; subclasses have their own.

    Parameters
    ----------
    *names : str
        Names of the arguments.

    Examples
    --------
    >>> import inspect
    >>> from lmoo._core.signatures import ClassSignature
    >>> class Point:
    ...     __signature__ = ClassSignature("x", "y")
    >>> inspect.signature(Point)
    <Signature (x, y)>
    """

    def __init__(self, *names: str) -> None:
        kind = Parameter.POSITIONAL_OR_KEYWORD
        self._signature: Signature = Signature([Parameter(name, kind) for name in names])

    def __get__(self, instance: Any, owner: type) -> Signature:
        if instance is not None or owner.__dict__.get("__signature__") is not self:
            raise AttributeError("__signature__")
        found: Signature = self._signature
        return found
