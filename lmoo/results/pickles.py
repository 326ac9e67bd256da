"""Problems, models and solvers inside pickled results, which may be impossible to pickle."""

import pickle
from copy import copy
from typing import Any, TypeVar

Owner = TypeVar("Owner")


def frozen(value: Any) -> bytes | None:
    """Return value as bytes; None if it cannot be pickled."""
    try:
        return pickle.dumps(value)
    except Exception:
        return None


def thawed(value: bytes | None) -> Any:
    """Return the value that `frozen` stored; None if it cannot be unpickled here."""
    try:
        return None if value is None else pickle.loads(value)
    except Exception:
        return None


class Optional:
    """Stands for a value in a state to pickle; None is unpickled if the value cannot be.

    Parameters
    ----------
    value : object

    Examples
    --------
    >>> import pickle
    >>> from lmoo.results.pickles import Optional
    >>> pickle.loads(pickle.dumps([Optional(len), Optional(lambda: 0)]))
    [<built-in function len>, None]
    """

    def __init__(self, value: Any) -> None:
        self.value = value

    def __reduce__(self) -> Any:
        return thawed, (frozen(self.value),)


def with_optional(owner: Owner, *names: str, **others: Any) -> Owner:
    """Return a copy to pickle, with `Optional` for some attributes, and others replaced."""
    twin = copy(owner)
    vars(twin).update({name: Optional(getattr(owner, name)) for name in names}, **others)
    return twin
