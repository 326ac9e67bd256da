"""Tables in files of Excel, parquet, HDF5 and FITS, through the packages that read them."""

import io
import re
import zipfile
from dataclasses import replace
from importlib import import_module
from typing import Any

import numpy as np

from lmoo.cli.reading.compressed import check_expanded
from lmoo.cli.reading.errors import DataError, cut
from lmoo.cli.reading.options import FileFormat
from lmoo.cli.reading.packed import PACKING, is_logical, is_packed, null_rows, unpacked
from lmoo.cli.reading.rows import ArrayRows
from lmoo.cli.reading.table import Table
from lmoo.cli.reading.texttable import table_of_text


def read_binary(name: str, kind: str, content: bytes, given: FileFormat) -> Table:
    """Return the table in a file of another format.

    Parameters
    ----------
    name : str
        Name of the file, for messages.
    kind : {"excel", "parquet", "hdf5", "fits"}
    content : bytes
    given : FileFormat
        `sheet` selects one of several tables.

    Raises
    ------
    DataError
        The package that reads it is not installed, there is no such table, or it has no columns.
    """
    read = {"excel": _excel, "parquet": _parquet, "hdf5": _hdf5, "fits": _fits}[kind]
    try:
        return read(name, content, given)
    except DataError:
        raise
    except ImportError as error:
        package = error.name or str(error)
        raise DataError(
            f"{name} needs the package {package.partition('.')[0]} to be read: pip install "
            f"{_PACKAGES[kind]}; or save it as CSV"
        ) from error
    except Exception as error:
        # Damaged files raise whatever the package raises.
        raise DataError(f"cannot read {name}: {type(error).__name__}: {error}") from error


_UNNAMED_INDEX = re.compile("__index_level_[0-9]+__")
_PACKAGES = {
    "excel": "pandas openpyxl",
    "parquet": "pandas pyarrow",
    "hdf5": "h5py",
    "fits": "astropy",
}


def _excel(name: str, content: bytes, given: FileFormat) -> Table:
    """Return a sheet, whose cells go the way of a text file: it has preambles and units too."""
    pandas: Any = import_module("pandas")
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            expanded = sum(member.file_size for member in archive.infolist())
        check_expanded(name, expanded, len(content))
    with pandas.ExcelFile(io.BytesIO(content)) as book:
        sheet = _choice(name, "sheet", list(book.sheet_names), given.sheet)
        frame = pandas.read_excel(book, sheet_name=sheet, header=None, dtype=object)
    lines = ["\t".join(_cell(value) for value in row) for row in frame.itertuples(index=False)]
    # A sheet has no comments: "#" is text.
    form = FileFormat("\t", ".", "\x00", given.skip, None, given.missing)
    note = f"sheet {sheet}"
    return table_of_text(name, "\n".join(lines), form, [note] if len(book.sheet_names) > 1 else [])


def _cell(value: Any) -> str:
    """Return a cell of a sheet as text, with all digits of a number."""
    if value is None or value != value:
        return ""
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    text = repr(float(value)) if isinstance(value, float) else str(value)
    return " ".join(text.replace('"', "'").split())


def _parquet(name: str, content: bytes, given: FileFormat) -> Table:
    parquet: Any = import_module("pyarrow.parquet")
    file = parquet.ParquetFile(io.BytesIO(content))
    found = file.metadata
    check_expanded(name, 8 * found.num_rows * found.num_columns, len(content))
    # An index with a name is a column of the file too; pandas gives these names to one without.
    data = file.read()
    kept = [key for key in data.column_names if not _UNNAMED_INDEX.fullmatch(key)]
    frame = data.select(kept).to_pandas(ignore_metadata=True)
    return _of_columns(name, kept, [frame[key] for key in kept])


def _fits(name: str, content: bytes, given: FileFormat) -> Table:
    fits: Any = import_module("astropy.io.fits")
    with fits.open(io.BytesIO(content)) as file:
        tables = {str(index): unit for index, unit in enumerate(file) if hasattr(unit, "columns")}
        named = {unit.name: index for index, unit in tables.items() if unit.name}
        if not tables:
            raise DataError(f"{name} has no table: FITS images have no columns")
        wanted = None if given.sheet is None else named.get(given.sheet, given.sheet)
        unit = tables[_choice(name, "extension", list(tables), wanted)]
        check_expanded(name, unit.columns.dtype.itemsize * unit.header["NAXIS2"], len(content))
        columns = [_of_fits(unit, key) for key in unit.columns.names]
        units = tuple(str(text or "") for text in unit.columns.units)
        return _of_columns(name, list(unit.columns.names), columns, units)


def _of_fits(unit: Any, key: str) -> Any:
    """Return a column with its scale and offset, and NaN for values that are missing."""
    # astropy applies TSCALn and TZEROn, but leaves TNULLn among the numbers or makes zeros of it.
    column, stored = unit.columns[key], np.asarray(unit.data)[key]
    gone = null_rows(column, stored)
    values = stored == ord("T") if is_logical(column) else unit.data[key]
    return values if gone is None or not gone.any() else np.where(gone, np.nan, values)


def _hdf5(name: str, content: bytes, given: FileFormat) -> Table:
    h5py: Any = import_module("h5py")
    with h5py.File(io.BytesIO(content), "r") as file:
        tables = _tables(h5py, file)
        if not tables:
            raise DataError(f"{name} has no data set with one or two dimensions")
        wanted = given.sheet
        if wanted is not None and not (wanted.isdecimal() and f"/{wanted}" not in tables):
            wanted = f"/{wanted.strip('/')}"
        path = _choice(name, "group", list(tables), wanted)
        sets = tables[path]
        lengths = sorted({item.shape[0] for item in sets.values()})
        if len(lengths) > 1:
            raise DataError(
                f"{name}: the data sets of {path} must have one length to be columns; they have "
                f"the lengths {cut(', '.join(map(str, lengths)))}"
            )
        expanded = sum(item.dtype.itemsize * item.size for item in sets.values())
        check_expanded(name, expanded, len(content))
        (first, *_) = sets.values()
        if first.dtype.names:
            if is_packed(first):
                packing = ", ".join(key for key in PACKING if key in first.attrs)
                raise DataError(
                    f"{name}: {first.name} has columns and the attribute {packing}, which does not "
                    "say to which column it belongs; export the columns as data sets of their own"
                )
            data = first[()]
            names = list(first.dtype.names)
            return _of_columns(name, names, [data[key] for key in names])
        if first.ndim == 2:
            return Table(
                name,
                None,
                ArrayRows(list(unpacked(name, first).T)),
                reading=first.name,
                plain=False,
            )
        units = tuple(str(item.attrs.get("units", "")) for item in sets.values())
        found = _of_columns(
            name, list(sets), [unpacked(name, item) for item in sets.values()], units
        )
        # HDF5 lists the data sets of a group by their names.
        return replace(found, ordered=len(sets) < 2)


def _tables(h5py: Any, file: Any) -> dict[str, dict[str, Any]]:
    """Return the tables by their path: a data set with columns, or the data sets of a group."""
    found: dict[str, dict[str, Any]] = {}

    def visit(path: str, item: Any) -> None:
        if not isinstance(item, h5py.Dataset) or item.size == 0:
            return
        if item.dtype.names or item.ndim == 2:
            found[f"/{path}"] = {path: item}
        elif item.ndim == 1:
            group, _, key = path.rpartition("/")
            found.setdefault(f"/{group}", {})[key] = item

    file.visititems(visit)
    return found


def _choice(name: str, what: str, available: list[str], wanted: str | None) -> str:
    """Return the table that is wanted, or the only one there is."""
    if wanted is None and (len(available) == 1 or what == "sheet"):
        return available[0]
    if wanted in available:
        return str(wanted)
    if wanted is not None and wanted.isdecimal() and 1 <= int(wanted) <= len(available):
        return available[int(wanted) - 1]
    has = f"{name} has the {what}s {cut(', '.join(available), 200)}"
    if wanted is None:
        raise DataError(f"{has}; --sheet says which")
    raise DataError(f"{has}; there is no {what} {cut(wanted)}")


def _of_columns(
    name: str, header: list[str], columns: list[Any], units: tuple[str, ...] | None = None
) -> Table:
    if not columns or not len(columns[0]):
        raise DataError(f"{name} has no data")
    rows = ArrayRows(columns)
    return Table(
        name,
        tuple(header),
        rows,
        units if units is not None and any(units) else None,
        reading=f"{rows.width} columns of {len(rows)} rows",
    )
