"""The type of scipy's results: a dict whose entries are attributes."""

from typing import Any


class OptimizeResult(dict[str, Any]):
    """Result of `least_squares`: a dict whose entries are attributes as well.

    Examples
    --------
    >>> import lmoo
    >>> result = lmoo.least_squares(lambda x: x - 3.0, 0.0)
    >>> result.x, result["status"] > 0
    (array([3.]), True)
    """

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(
                f"the result has no {name!r}; it has {', '.join(map(str, self))}"
            ) from None

    __setattr__ = dict.__setitem__
    __delattr__ = dict.__delitem__

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self})

    def __repr__(self) -> str:
        width = max(map(len, self), default=0)
        lines = []
        for name, value in self.items():
            shown = repr(value).replace("\n", "\n" + " " * (width + 2))
            lines.append(f"{name:>{width}}: {shown}")
        return "\n".join(lines)
