"""Files other than tables of text: which reader they need, or why they are not read."""

from lmoo.cli.reading.errors import DataError

_BINARY = (
    (b"PAR1", "parquet"),
    (b"\x89HDF\r\n\x1a\n", "hdf5"),
    (b"SIMPLE  =", "fits"),
    (b"XTENSION=", "fits"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "excel"),
)
_ZIP = b"PK\x03\x04"

# What to do with formats that are not read.
_REFUSED = (
    (b"\x93NUMPY", "a file of numpy.save; numpy.savetxt writes columns as text"),
    (b"%PDF", "a PDF document; save the table as CSV"),
    (b"MATLAB 5.0 MAT-file", "a MAT-file; writetable or writematrix save a table as CSV"),
    (b"\x89PNG", "a picture; save the measured numbers as CSV"),
    (b"\xff\xd8\xff", "a picture; save the measured numbers as CSV"),
    (b"GIF8", "a picture; save the measured numbers as CSV"),
    (b"ARROW1", "an Arrow file; save it as parquet or CSV"),
    (b"TDSm", "a TDMS file of LabVIEW; export it as text"),
    (b"CDF", "a NetCDF file; lmoo.integrations.xarray fits its variables"),
    (b"{\\rtf", "a document of a word processor; save it as plain text"),
)
_MARKUP = (b"<!doctype", b"<html", b"<?xml", b"<table")


def binary_format(content: bytes) -> str | None:
    """Return "excel", "parquet", "hdf5" or "fits" for files of these formats, else None.

    Examples
    --------
    >>> from lmoo.cli.reading.signatures import binary_format
    >>> binary_format(b"PAR1..."), binary_format(b"t,y")
    ('parquet', None)
    """
    for signature, found in _BINARY:
        if content.startswith(signature):
            return found
    if content.startswith(_ZIP):
        # Workbooks of Excel and LibreOffice are archives with these members.
        return "excel" if b"xl/" in content or b"opendocument.spreadsheet" in content else None
    return None


def refuse_other_formats(name: str, content: bytes) -> None:
    """Raise DataError for a format that is known and is no table of text."""
    for signature, what in _REFUSED:
        if content.startswith(signature):
            raise DataError(f"{name} is {what}")
    if content.startswith(_ZIP):
        raise DataError(f"{name} is an archive (zip); unpack it first")
    start = content[:200].lstrip().lower()
    if start.startswith(_MARKUP):
        raise DataError(f"{name} is a page of HTML or XML, no table of text; save it as CSV")
