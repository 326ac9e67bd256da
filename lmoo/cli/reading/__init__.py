"""Read tables from the files that instruments and programs write."""

from lmoo.cli.reading.errors import DataError
from lmoo.cli.reading.numbers import number
from lmoo.cli.reading.options import FileFormat
from lmoo.cli.reading.reader import read_table
from lmoo.cli.reading.rows import ArrayRows
from lmoo.cli.reading.table import Table

__all__ = ["ArrayRows", "DataError", "FileFormat", "Table", "number", "read_table"]
