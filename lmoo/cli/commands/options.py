"""Parse the values of options: a=1,b=2 and a=0:10 and c=a/2."""

import math
import re
from collections.abc import Iterator, Sequence

from lmoo.cli.reading import number

# The option of each argument of a solver.
_OPTIONS = {
    "ties": "--tie",
    "priors": "--prior",
    "constraints": "--constraint",
    "derived": "--derived",
    "fixed": "--fix",
    "bounds": "--bounds",
    "x0": "--start",
}
_ARGUMENT = re.compile(rf"({'|'.join(_OPTIONS)})(?:\[(['\"])(.*?)\2\])?(?=:| must )", re.DOTALL)


class UsageError(ValueError):
    """An invalid option, or options that contradict each other."""


class UnsuitableDataError(UsageError):
    """The fit cannot be made with these data; it may be with more of them."""


def in_terms_of_options(message: str) -> str:
    """Return the message of an error in an argument of a solver with the name of the option.

    Examples
    --------
    >>> from lmoo.cli.commands.options import in_terms_of_options
    >>> in_terms_of_options("ties['c']: unknown name 'q'")
    "--tie c: unknown name 'q'"
    """
    match = _ARGUMENT.match(message)
    if match is None:
        return message
    name, _, key = match.groups()
    entry = "" if key is None else f" {key}"
    return f"{_OPTIONS[name]}{entry}{message[match.end() :]}"


def numbers(option: str, texts: Sequence[str]) -> dict[str, float]:
    """Return the numbers of ``name=number,...``.

    Examples
    --------
    >>> from lmoo.cli.commands.options import numbers
    >>> numbers("--start", ["a=1,b=-2e3", "c=0"])
    {'a': 1.0, 'b': -2000.0, 'c': 0.0}
    """
    return {name: _number(option, name, text) for name, text in _pairs(option, texts)}


def optional_numbers(option: str, texts: Sequence[str]) -> dict[str, float | None]:
    """Return the numbers of ``name=number,...``; None for a name without a number."""
    return {
        name: None if text is None else _number(option, name, text)
        for name, text in _pairs(option, texts)
    }


def bounds(option: str, texts: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Return the intervals of ``name=lower:upper,...``; either end may be left out.

    Examples
    --------
    >>> from lmoo.cli.commands.options import bounds
    >>> bounds("--bounds", ["a=0:,b=-1:1"])
    {'a': (0.0, inf), 'b': (-1.0, 1.0)}
    """
    return {name: _interval(option, name, text) for name, text in _pairs(option, texts)}


def expressions(option: str, texts: Sequence[str]) -> dict[str, str]:
    """Return the expressions of ``name=expression``, one for each text.

    Examples
    --------
    >>> from lmoo.cli.commands.options import expressions
    >>> expressions("--tie", ["c=max(a, b)"])
    {'c': 'max(a, b)'}
    """
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = (piece.strip() for piece in text.partition("="))
        if not name or not equals or not value:
            raise UsageError(f"{option}: expected name=expression, found {text!r}")
        if name in found:
            raise UsageError(f"{option} gives {name!r} twice")
        found[name] = value
    return found


def priors(option: str, texts: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Return the pairs of ``name=mean:sigma,...``.

    Examples
    --------
    >>> from lmoo.cli.commands.options import priors
    >>> priors("--prior", ["tau=3.1:0.2"])
    {'tau': (3.1, 0.2)}
    """
    found = {}
    for name, text in _pairs(option, texts):
        mean, colon, sigma = (piece.strip() for piece in (text or "").partition(":"))
        if not colon:
            raise UsageError(
                f"{option}: {name} must be mean:sigma, {name}=3.1:0.2 for example; it is {text!r}"
            )
        found[name] = _number(option, name, mean), _number(option, name, sigma)
    return found


def bindings(option: str, texts: Sequence[str]) -> list[tuple[str | None, str]]:
    """Return the pairs (name or None, column) of ``name=column`` or ``column``, ..."""
    out: list[tuple[str | None, str]] = []
    for text in _parts(option, texts):
        name, equals, column = text.partition("=")
        out.append((name.strip(), column.strip()) if equals else (None, text))
    return out


def _parts(option: str, texts: Sequence[str]) -> Iterator[str]:
    for text in texts:
        for part in text.split(","):
            if not part.strip():
                raise UsageError(f"{option} {text!r} has nothing before or after a comma")
            yield part.strip()


def _pairs(option: str, texts: Sequence[str]) -> Iterator[tuple[str, str | None]]:
    """Yield names and the text after "=", None without "="; UsageError if a name occurs twice."""
    seen = set()
    for part in _parts(option, texts):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not name or not (name[0].isidentifier() or equals):
            hint = "; decimals have a point, a=1.5" if part[0].isdecimal() else ""
            raise UsageError(f"{option}: expected name=value, found {part!r}{hint}")
        if name in seen:
            raise UsageError(f"{option} gives {name!r} twice")
        seen.add(name)
        yield name, value if equals else None


def _number(option: str, name: str, text: str | None) -> float:
    value = number(text or "")
    if value is None or not math.isfinite(value):
        raise UsageError(f"{option}: {name} must be a number, {name}=1.5; it is {text!r}")
    return value


def _interval(option: str, name: str, text: str | None) -> tuple[float, float]:
    lower, colon, upper = (piece.strip() for piece in (text or "").partition(":"))
    if not colon:
        raise UsageError(
            f"{option}: {name} must be lower:upper, with either end left out where it is open, "
            f"{name}=0: for example; it is {text!r}"
        )
    low = _number(option, name, lower) if lower else -math.inf
    high = _number(option, name, upper) if upper else math.inf
    if not low < high:
        raise UsageError(
            f"{option}: the lower bound of {name} must be below its upper; it is {text!r}"
        )
    return low, high
