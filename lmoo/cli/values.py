"""The types of values that options take: each returns the value or raises ArgumentTypeError."""

from argparse import ArgumentTypeError
from os.path import splitext

_PAGES = (".html", ".htm")


def quoted(text: str) -> str:
    """Return a value for a message, without the space that the parser adds before a minus.

    Examples
    --------
    >>> from lmoo.cli.values import quoted
    >>> quoted(" -3")
    "'-3'"
    """
    return repr(file(text) if text else text)


def file(text: str) -> str:
    """Return the name of a file, without the space that the parser adds before a minus."""
    if not text:
        raise ArgumentTypeError("must be the name of a file; it is ''")
    return text.removeprefix(" ") if text.startswith(" -") else text


def picture(text: str) -> str:
    """Return the name of a file for a picture."""
    from lmoo.cli.picture import format_of

    path = file(text)
    try:
        format_of(path)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from error
    return path


def page(text: str) -> str:
    """Return the name of a file for a page."""
    path = file(text)
    if splitext(path)[1].lower() not in _PAGES:
        raise ArgumentTypeError(f"must be a file name that ends in .html; it is {path!r}")
    return path


def level(text: str) -> float:
    """Return the level of an interval."""
    value = _number(text)
    if value is None or not 0.0 < value < 1.0:
        raise ArgumentTypeError(f"must be between 0 and 1; it is {quoted(text)}{_hint(text)}")
    return value


def scale(text: str) -> float | str:
    """Return the scale of a loss."""
    value = _number(text)
    if text != "mad" and (value is None or not 0.0 < value < float("inf")):
        raise ArgumentTypeError(
            f"must be a positive number, or mad; it is {quoted(text)}{_hint(text)}"
        )
    return "mad" if value is None else value


def seconds(text: str) -> float:
    """Return a time in seconds, at most a day."""
    value = _number(text)
    if value is None or not 0.0 < value <= 86400.0:
        raise ArgumentTypeError(
            f"must be a number of seconds above 0; it is {quoted(text)}{_hint(text)}"
        )
    return value


def whole_number(text: str) -> int:
    """Return a number of 1 or more."""
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and int(text) > 0):
        raise ArgumentTypeError(f"must be a whole number, 1 or more; it is {quoted(text)}")
    return int(text)


def _hint(text: str) -> str:
    """Return a hint for a number with a decimal comma."""
    return "" if _number(text.replace(",", ".")) is None else "; decimals have a point"


def _number(text: str) -> float | None:
    from lmoo.cli.reading import number

    return number(text)
