"""The text of a file from its bytes."""

import codecs

from lmoo.cli.reading.errors import DataError

# UTF-32 before UTF-16: the mark of the one begins with that of the other.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
_SAMPLE = 4096


def decode(
    name: str, content: bytes, encoding: str | None = None, growing: bool = False
) -> tuple[str, str]:
    r"""Return the text of a file and the name of its encoding.

    Without `encoding` it is that of a byte order mark; UTF-16 if every other byte is zero; UTF-8 if
    the bytes are valid in it, and Windows-1252, a superset of the printable part of latin-1,
    otherwise.  Ends of lines become ``\n``.

    Parameters
    ----------
    name : str
        Name of the file, for messages.
    content : bytes
    encoding : str or None
    growing : bool, default False
        Leave out a last character of which only some bytes have been written.

    Raises
    ------
    DataError
        The bytes are not valid in the encoding, or are those of a binary file.

    Examples
    --------
    >>> from lmoo.cli.reading.encodings import decode
    >>> decode("a.csv", "µA\r\n1".encode("utf-16"))
    ('µA\n1', 'UTF-16')
    >>> decode("a.csv", b"\xb5A")
    ('µA', 'Windows-1252')
    """
    if encoding is not None:
        text, label = _strict(name, content, encoding, growing), encoding
    else:
        text, label = _found(name, content, growing)
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise DataError(
            f"{name}, line {line}: found a byte that is zero, as in binary files and in files that "
            "were cut off: export the data as text, or delete these bytes"
        )
    return text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff"), label


def _found(name: str, content: bytes, growing: bool) -> tuple[str, str]:
    for mark, codec, label in _MARKS:
        if content.startswith(mark):
            return _strict(name, content, codec, growing), label
    without_mark = _without_mark(content)
    if without_mark is not None:
        return _strict(name, content, without_mark, growing), "UTF-16"
    try:
        return _decoded(content, "utf-8", growing), "UTF-8"
    except UnicodeDecodeError:
        pass
    try:
        return content.decode("cp1252"), "Windows-1252"
    except UnicodeDecodeError:
        return content.decode("latin-1"), "latin-1"


def _without_mark(content: bytes) -> str | None:
    """Return the codec of UTF-16 without a mark, in which ASCII has a zero in every other byte."""
    sample = content[: min(_SAMPLE, len(content) // 2 * 2)]
    if len(sample) < 4:
        return None
    low, high = sample[0::2].count(0), sample[1::2].count(0)
    half = len(sample) // 2
    if high > 0.9 * half and low < 0.1 * half:
        return "utf-16-le"
    if low > 0.9 * half and high < 0.1 * half:
        return "utf-16-be"
    return None


def _decoded(content: bytes, codec: str, growing: bool) -> str:
    if growing:
        # A decoder that waits for the rest of a character.
        return codecs.getincrementaldecoder(codec)().decode(content)
    return content.decode(codec)


def _strict(name: str, content: bytes, codec: str, growing: bool) -> str:
    try:
        return _decoded(content, codec, growing)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{name}, line {line}: the byte {content[error.start]:#04x} is not valid in {codec}; "
            "--encoding names another encoding"
        ) from error
    except (UnicodeError, ValueError, LookupError) as error:
        raise DataError(f"{name} cannot be decoded by {codec}: {error}") from error
