"""Read the table in a data file."""

from lmoo.cli.reading.binary import read_binary
from lmoo.cli.reading.compressed import decompressed
from lmoo.cli.reading.encodings import decode
from lmoo.cli.reading.errors import DataError
from lmoo.cli.reading.options import FileFormat
from lmoo.cli.reading.signatures import binary_format, refuse_other_formats
from lmoo.cli.reading.source import content_of, name_of
from lmoo.cli.reading.table import Table
from lmoo.cli.reading.texttable import table_of_text


def read_table(path: str, given: FileFormat | None = None, *, growing: bool = False) -> Table:
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
    growing : bool, default False
        Another program may be writing the file: a last line of text that does not end with a line
        feed is not complete, and left out.

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
        return read_binary(name, kind, content, given)
    if given.sheet is not None:
        raise DataError(
            f"--sheet selects a table of Excel, HDF5 or FITS; {name} is text, which has one table"
        )
    if given.encoding is None:
        refuse_other_formats(name, content)
    text, encoding = decode(name, content, given.encoding, growing)
    if growing:
        text = text[: text.rfind("\n") + 1]
    notes = [] if encoding == "UTF-8" or given.encoding is not None else [encoding]
    return table_of_text(name, text, given, notes)
