"""Problems and solvers inside pickled results, which may be impossible to pickle."""

import pickle
from typing import Any

__all__ = ["frozen", "thawed"]


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
