"""Functions of scipy.special that programs call where a traced function does.

scipy is imported when one of them is first evaluated.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

# Names of scipy.special, with one and with two arguments.
UNARY = (
    "exp1", "expi", "k0", "k1", "k0e", "k1e", "i0e", "i1e", "ellipk", "ellipe", "ndtri", "erfinv",
    "spence",
)  # fmt: skip
BINARY = ("gammainc", "gammaincc", "jv", "yv", "iv", "kv")


def _value(name: str) -> Callable[..., Any]:
    """Return a function that calls the one of scipy."""

    def called(*arguments: Any) -> Any:
        import scipy.special

        with np.errstate(all="ignore"):
            return getattr(scipy.special, name)(*arguments)

    return called


def _lambertw(x: Any) -> Any:
    """Return the principal branch where it is real, and nan elsewhere."""
    import scipy.special

    with np.errstate(all="ignore"):
        found = scipy.special.lambertw(x)
        return np.where(found.imag == 0.0, found.real, np.nan)[()]


VALUES: dict[str, Callable[..., Any]] = {
    **{name: _value(name) for name in (*UNARY, *BINARY)},
    "lambertw": _lambertw,
}
