"""The bytes of a file or of standard input."""

import sys
from pathlib import Path

from lmoo.cli.reading.errors import DataError


def name_of(path: str) -> str:
    """Return the name of a file for messages, without characters that a terminal obeys.

    Examples
    --------
    >>> from lmoo.cli.reading.source import name_of
    >>> name_of("-"), name_of("a" + chr(27) + "b")
    ('standard input', 'a?b')
    """
    name = "standard input" if path == "-" else path
    return "".join(char if char.isprintable() else "?" for char in name)


def content_of(path: str) -> bytes:
    """Return the bytes of a file; ``-`` is standard input.

    Raises
    ------
    DataError
        The file cannot be read.
    """
    if path == "-" and sys.stdin is None:
        raise DataError("cannot read standard input: it is closed")
    try:
        return sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"cannot read {name_of(path)}: {reason}") from error
