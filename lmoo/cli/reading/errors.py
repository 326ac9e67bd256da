"""The error of data files, and texts cut to the length of a message."""


class DataError(ValueError):
    """A data file that cannot be read as columns of numbers."""


def cut(text: str, length: int = 40) -> str:
    """Return the text for a message: quoted, on one line, and cut off if it is long.

    Examples
    --------
    >>> from lmoo.cli.reading.errors import cut
    >>> cut("a" * 50, 5)
    "'aaaaa...'"
    """
    return repr(text if len(text) <= length else text[:length] + "...")
