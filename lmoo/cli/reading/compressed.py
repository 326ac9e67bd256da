"""Decompress files, up to a limit: a few kB may contain GB of text."""

import bz2
import gzip
import io
import lzma
import os
import zlib
from collections.abc import Callable
from typing import Any

from lmoo.cli.reading.errors import DataError, cut

_DEFAULT_MIB = 64
_VARIABLE = "LMOO_DECOMPRESSED_MIB"
# Files of columns with numbers become this many times as large at most, by experience.
_USUAL_RATIO = 30

_OPENERS: tuple[tuple[bytes, Callable[[Any], Any]], ...] = (
    (b"\x1f\x8b", lambda file: gzip.GzipFile(fileobj=file)),
    (b"BZh", bz2.BZ2File),
    (b"\xfd7zXZ\x00", lzma.LZMAFile),
)


def decompressed(name: str, content: bytes) -> bytes:
    """Return the content of a file, decompressed if it is one of gzip, bzip2 or xz.

    Parameters
    ----------
    name : str
        Name of the file, for messages.
    content : bytes

    Raises
    ------
    DataError
        The content is damaged, or has more than the limit of decompressed text.

    Examples
    --------
    >>> import gzip
    >>> from lmoo.cli.reading.compressed import decompressed
    >>> decompressed("a.gz", gzip.compress(b"1 2"))
    b'1 2'
    """
    for signature, opener in _OPENERS:
        if content.startswith(signature):
            return _limited(name, opener, content)
    return content


def check_expanded(name: str, expanded: int, stored: int) -> None:
    """Raise DataError if a file of another format becomes too large in memory.

    Parameters
    ----------
    name : str
        Name of the file, for messages.
    expanded, stored : int
        Bytes in memory, and bytes of the file.
    """
    limit = limit_in_mebibytes()
    if expanded > max(limit << 20, _USUAL_RATIO * stored):
        raise _too_long(name, limit)


def limit_in_mebibytes() -> int:
    """Return the limit of decompressed text in MiB.

    Raises
    ------
    DataError
        The environment variable is no whole number.
    """
    text = os.environ.get(_VARIABLE, "").strip()
    if not text:
        return _DEFAULT_MIB
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and int(text) > 0):
        raise DataError(
            f"the environment variable {_VARIABLE} must be a whole number of MiB, 1 or more; "
            f"it is {cut(text)}"
        )
    return int(text)


def _limited(name: str, opener: Callable[[Any], Any], content: bytes) -> bytes:
    limit = limit_in_mebibytes()
    try:
        # Reading one byte beyond the limit shows whether the text is longer.
        with opener(io.BytesIO(content)) as file:
            text: bytes = file.read((limit << 20) + 1)
    except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
        raise DataError(f"cannot decompress {name}: {error}") from error
    if len(text) > limit << 20:
        raise _too_long(name, limit)
    return text


def _too_long(name: str, limit: int) -> DataError:
    return DataError(
        f"{name} has more than {limit} MiB of decompressed text; decompress it to a file, or "
        f"set {_VARIABLE} to a larger number of MiB"
    )
