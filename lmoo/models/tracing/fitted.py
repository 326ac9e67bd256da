"""The functions that were fitted, for drivers that trace a function from its second fit on."""

import types
import weakref
from typing import Any

from lmoo.models.expression.base import Model
from lmoo.models.tracing.cache import holder_of, is_kept
from lmoo.models.tracing.trace import ComplexModel


class _Fitted:
    """Weak references to functions.

    Those to functions that are gone are removed when their number has doubled: a callback for each
    would take longer than all that a call of `is_new` does.
    """

    def __init__(self) -> None:
        self.references: dict[int, weakref.ref[Any]] = {}
        self.most = 1024

    def add(self, holder: Any) -> bool:
        """Add an object; return whether it was absent, False also if that cannot be known."""
        known = self.references.get(id(holder))
        if known is not None and known() is holder:
            return False
        if len(self.references) >= self.most:
            alive = {key: kept for key, kept in list(self.references.items()) if kept() is not None}
            self.references, self.most = alive, max(1024, 2 * len(alive))
        try:
            self.references[id(holder)] = weakref.ref(holder)
        except TypeError:
            return False
        return True


_fitted = _Fitted()


def is_new(f: Any) -> bool:
    """Return whether a function was not fitted before, so that a trace may be used only once.

    From this call on it is not new.

    Examples
    --------
    >>> from lmoo.models.tracing.fitted import is_new
    >>> def line(t, a, b):
    ...     return a * t + b
    >>> is_new(line), is_new(line)
    (True, False)
    """
    if isinstance(f, (Model, ComplexModel)):
        return False
    holder = holder_of(f)
    # A trace of a method is that of one object.
    owner = f.__self__ if isinstance(f, types.MethodType) else holder
    return _fitted.add(owner) and not (owner is holder and is_kept(holder))
