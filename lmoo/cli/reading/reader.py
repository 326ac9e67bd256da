"""Read the table in a data file."""

from collections.abc import Sequence

from lmoo.cli.reading.candidates import Line
from lmoo.cli.reading.compressed import decompressed
from lmoo.cli.reading.encodings import decode
from lmoo.cli.reading.layout import Layout
from lmoo.cli.reading.options import FileFormat
from lmoo.cli.reading.signatures import binary_format, refuse_other_formats
from lmoo.cli.reading.sniffing import sniff
from lmoo.cli.reading.source import content_of, name_of
from lmoo.cli.reading.table import Table
from lmoo.cli.reading.text import content_lines

__all__ = ["read_table", "table_of_text"]

# Lines of the beginning and of the end that show the layout.
_SAMPLE = 1000
# Their characters, and the lines that are looked at though they have more.
_CHARACTERS = 2_000_000
_FEWEST = 5
_SEPARATORS = {"\t": "tabs", " ": "white space", ",": "commas", ";": "semicolons", "|": "bars"}


def read_table(path: str, given: FileFormat | None = None) -> Table:
    r"""Read the cells of a data file.

    The separator (tabs, semicolons, bars, commas, white space), the decimal mark, comments, lines
    above the data, names and units of the columns and the encoding are found from the file.  What
    may have two meanings is an error that says how to decide.  Files of Excel, parquet, HDF5 and
    FITS are read with pandas, h5py and astropy.  Text may be compressed by gzip, bzip2 or xz; it
    may have at most 64 MiB then, or the number of MiB in the environment variable
    ``LMOO_DECOMPRESSED_MIB``.

    Parameters
    ----------
    path : str
        ``-`` is standard input.
    given : FileFormat, optional
        What is known of the format; None finds all of it.

    Returns
    -------
    Table

    Raises
    ------
    DataError
        The file cannot be read, is no table, can be read in two ways, is too long when
        decompressed, has no data, or has a line whose number of cells differs from that of the
        others.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from lmoo.cli.reading import read_table
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "decay.csv")
    ...     _ = path.write_text('Run 7\ntime;"y (mV)"\n0; 2,5\n1; 0,9  # late\n')
    ...     table = read_table(str(path))
    >>> table.header, table.numbers(1)
    (('time', 'y (mV)'), array([2.5, 0.9]))
    >>> table.reading
    'separated by semicolons, decimal commas, names in line 2, data from line 3'
    """
    given = given or FileFormat()
    name = name_of(path)
    content = decompressed(name, content_of(path))
    kind = binary_format(content) if given.encoding is None else None
    if kind is not None:
        from lmoo.cli.reading.binary import read_binary

        return read_binary(name, kind, content, given)
    if given.encoding is None:
        refuse_other_formats(name, content)
    text, encoding = decode(name, content, given.encoding)
    notes = [] if encoding == "UTF-8" or given.encoding is not None else [encoding]
    return table_of_text(name, text, given, notes)


def table_of_text(name: str, text: str, given: FileFormat, notes: Sequence[str] = ()) -> Table:
    r"""Return the table in a text whose lines end with ``\n``."""
    lines = text.split("\n")
    offset = given.skip or 0
    lines = lines[offset:]
    layout = sniff(name, _sample(lines, offset), given)
    rows, more = content_lines(name, lines, offset, layout, given)
    found = [*notes, *layout.notes, *more]
    return Table(
        name,
        layout.header,
        rows,
        layout.units,
        layout.notation,
        ", ".join([*_separated(layout), *found]),
        not found,
    )


def _sample(lines: Sequence[str], offset: int) -> list[Line]:
    """Return lines of the beginning and of the end, with their numbers."""
    count = len(lines)
    if count <= 3 * _SAMPLE:
        chosen = _limited(range(count), lines)
    else:
        chosen = _limited(range(2 * _SAMPLE), lines)
        chosen += sorted(_limited(range(count - 1, count - _SAMPLE, -1), lines))
    return [Line(offset + index + 1, lines[index]) for index in chosen if lines[index].strip()]


def _limited(indices: range, lines: Sequence[str]) -> list[int]:
    """Return the first of the indices whose lines have a limited length together."""
    out: list[int] = []
    length = 0
    for index in indices:
        length += len(lines[index])
        if length > _CHARACTERS and len(out) >= _FEWEST:
            break
        out.append(index)
    return out


def _separated(layout: Layout) -> list[str]:
    if layout.width == 1:
        return ["one column"]
    return [f"separated by {_SEPARATORS.get(layout.separator, repr(layout.separator))}"]
