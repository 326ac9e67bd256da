"""Tables of Excel, parquet, HDF5 and FITS, and compressed text."""

from __future__ import annotations

import bz2
import io
import lzma
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lmoo.cli.reading import DataError, FileFormat, Table, read_table
from lmoo.cli.reading.rows import ArrayRows


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def sheet(**options: str) -> FileFormat:
    return FileFormat.parse(**options)


def workbook(name: str, **sheets: list[list[Any]]) -> None:
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("openpyxl")
    with pandas.ExcelWriter(name) as writer:
        for title, rows in sheets.items():
            frame = pandas.DataFrame(rows)
            frame.to_excel(writer, sheet_name=title, header=False, index=False)


def test_excel_with_a_preamble_and_units() -> None:
    rows = [["Run 7", None], ["t", "U"], ["s", "mV"], [0, 0.1], [0.5, 1.23456789012345]]
    workbook("a.xlsx", first=rows, second=[["x"], [7]])
    table = read_table("a.xlsx")
    assert (table.header, table.units) == (("t", "U"), ("s", "mV"))
    assert table.numbers(1).tolist() == [0.1, 1.23456789012345]
    assert "sheet first" in table.reading
    assert read_table("a.xlsx", sheet(sheet="second")).numbers(0).tolist() == [7]
    assert read_table("a.xlsx", sheet(sheet="2")).numbers(0).tolist() == [7]
    with pytest.raises(DataError, match=r"^a\.xlsx has the sheets 'first, second'; there is no"):
        read_table("a.xlsx", sheet(sheet="third"))


def test_excel_cells_are_not_guessed_at() -> None:
    workbook("a.xlsx", s=[["#1", "y"], [1, "1,5"], [2, None]])
    table = read_table("a.xlsx")
    assert table.header == ("#1", "y")
    with pytest.raises(DataError, match=r"^a\.xlsx, line 2: column 'y' must be a number; it is"):
        table.numbers(1)
    workbook("a.xlsx", s=[["t", "y"], [1, 1.5], [2, None]])
    with pytest.raises(DataError, match=r"^a\.xlsx, line 3: column 'y' is empty"):
        read_table("a.xlsx").numbers(1)


def test_dates_of_excel() -> None:
    pandas = pytest.importorskip("pandas")
    times = pandas.to_datetime(["2024-01-31 23:59:30", "2024-02-01 00:00:00.5"], format="ISO8601")
    workbook("a.xlsx", s=[["t", "y"], [times[0], 1], [times[1], 2]])
    assert read_table("a.xlsx").numbers(0).tolist() == [0, 30.5]


def test_a_workbook_that_expands_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LMOO_DECOMPRESSED_MIB", "1")
    pytest.importorskip("pandas")
    with zipfile.ZipFile("a.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", bytes(3 << 20))
    with pytest.raises(DataError, match=r"^a\.xlsx has more than 1 MiB of decompressed text"):
        read_table("a.xlsx")


def test_parquet(monkeypatch: pytest.MonkeyPatch) -> None:
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    frame = pandas.DataFrame({"t": [0, 1, 2], "y": [0.5, np.nan, 2.5], "name": list("abc")})
    frame.to_parquet("a.parquet")
    table = read_table("a.parquet")
    assert table.header == ("t", "y", "name")
    assert table.complete([0, 1]).numbers(1).tolist() == [0.5, 2.5]
    with pytest.raises(DataError, match=r"^a\.parquet, row 2: column 'y' is 'nan'"):
        table.numbers(1)
    with pytest.raises(DataError, match=r"^a\.parquet, row 1: column 'name' must be a number"):
        table.numbers(2)
    monkeypatch.setenv("LMOO_DECOMPRESSED_MIB", "1")
    pandas.DataFrame({"t": np.zeros(1_000_000)}).to_parquet("b.parquet")
    with pytest.raises(DataError, match=r"^b\.parquet has more than 1 MiB"):
        read_table("b.parquet")


def test_fits() -> None:
    table_of = pytest.importorskip("astropy.table").Table
    units = pytest.importorskip("astropy.units")
    fits = pytest.importorskip("astropy.io.fits")
    columns = table_of({"t": [0.0, 1.0], "flux": np.array([1, 2], np.int16)})
    columns["flux"].unit = units.Jy
    columns.write("a.fits")
    table = read_table("a.fits")
    assert (table.header, table.units) == (("t", "flux"), ("", "Jy"))
    assert table.numbers(1).tolist() == [1, 2]
    hdus = [fits.PrimaryHDU(), *(fits.BinTableHDU(columns, name=name) for name in ("A", "B"))]
    fits.HDUList(hdus).writeto("b.fits")
    with pytest.raises(DataError, match=r"^b\.fits has the extensions '1, 2'; --sheet says which"):
        read_table("b.fits")
    assert read_table("b.fits", sheet(sheet="B")).width == 2
    fits.PrimaryHDU(np.zeros((3, 3))).writeto("c.fits")
    with pytest.raises(DataError, match=r"^c\.fits has no table: FITS images have no columns"):
        read_table("c.fits")


def test_hdf5() -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File("a.h5", "w") as file:
        file["scan/t"] = [0.0, 1.0]
        file["scan/y"] = [0.5, 1.5]
        file["scan/y"].attrs["units"] = "mV"
    table = read_table("a.h5")
    assert (table.header, table.units) == (("t", "y"), ("", "mV"))
    assert table.numbers(1).tolist() == [0.5, 1.5]
    with h5py.File("a.h5", "a") as file:
        file["matrix"] = np.arange(6.0).reshape(3, 2)
    with pytest.raises(DataError, match=r"^a\.h5 has the groups '/matrix, /scan'; --sheet says"):
        read_table("a.h5")
    assert read_table("a.h5", sheet(sheet="matrix")).numbers(1).tolist() == [1, 3, 5]
    with h5py.File("b.h5", "w") as file:
        file.create_dataset("huge", (1 << 40,), dtype="f4", compression="gzip")
    with pytest.raises(DataError, match=r"^b\.h5 has more than 64 MiB"):
        read_table("b.h5")


@pytest.mark.parametrize(
    ("content", "package"),
    [(b"PAR1....", "pyarrow"), (b"SIMPLE  = T", "astropy"), (b"\x89HDF\r\n\x1a\n", "h5py")],
)
def test_a_package_that_is_not_installed(
    content: bytes, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in list(sys.modules):
        if name.partition(".")[0] == package:
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    Path("a.dat").write_bytes(content)
    with pytest.raises(DataError, match=f"^a.dat needs the package {package} to be read: pip"):
        read_table("a.dat")


@pytest.mark.parametrize("content", [b"PAR1....", b"SIMPLE  = T", b"PK\x03\x04 xl/ damaged"])
def test_damaged_files(content: bytes) -> None:
    pytest.importorskip("astropy")
    pytest.importorskip("pyarrow")
    Path("a.dat").write_bytes(content)
    with pytest.raises(DataError, match=r"^(cannot read a\.dat: |a\.dat has no table)"):
        read_table("a.dat")


@pytest.mark.parametrize("compress", [bz2.compress, lzma.compress])
def test_other_compressions(compress: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("a").write_bytes(compress(b"t,y\n0,1.5\n"))
    assert read_table("a").numbers(1).tolist() == [1.5]
    monkeypatch.setenv("LMOO_DECOMPRESSED_MIB", "1")
    Path("a").write_bytes(compress(bytes(2 << 20)))
    with pytest.raises(DataError, match=r"^a has more than 1 MiB of decompressed text"):
        read_table("a")
    Path("a").write_bytes(compress(b"t,y\n0,1.5\n" * 99)[:-20])
    with pytest.raises(DataError, match=r"^cannot decompress a: "):
        read_table("a")


def test_columns_whose_names_are_numbers() -> None:
    table = Table("a", ("t", "1", "2"), ArrayRows([[0], [1], [2]]))
    assert table.column("#2") == 1
    assert table.column("3") == 2
    with pytest.raises(DataError, match=r"^a: '1' is the name of column 2 and the number of an"):
        table.column("1")


@pytest.mark.parametrize(
    ("option", "value", "match"),
    [
        ("separator", "ab", "--sep must be one character"),
        ("separator", "1", "--sep must be one character"),
        ("decimal", ";", "--decimal must be point or comma; it is ';'"),
        ("comment", "x", "--comment must be a character"),
        ("skip", "-1", "--skip must be a number of lines"),
        ("encoding", "utf-99", "--encoding must be an encoding"),
        ("encoding", "base64", "--encoding must be an encoding"),
    ],
)
def test_options_that_are_no_format(option: str, value: str, match: str) -> None:
    with pytest.raises(DataError, match=match):
        FileFormat.parse(**{option: value})


def test_values_that_stand_for_missing() -> None:
    content = b"t,y,z\n0,1,--\n1,-999,2\n2,?,3\n3,-999.0,4\n4,5,6\n"
    given = FileFormat.parse(missing=("-999",))
    Path("a").write_bytes(content)
    table = read_table("a", given)
    assert table.complete([1]).numbers(0).tolist() == [0, 4]
    assert table.complete([0, 2]).numbers(0).tolist() == [1, 2, 3, 4]
    assert read_table("a").complete([1, 2]).numbers(1).tolist() == [-999, -999, 5]


def test_a_late_bad_line_is_named_in_a_long_file() -> None:
    lines = ["t,y", *[f"{k},{k}.5" for k in range(20_000)]]
    lines[15_000] = "14999,x"
    Path("a").write_text("\n".join(lines))
    with pytest.raises(DataError, match=r"^a, line 15001: column 'y' must be a number; it is 'x'$"):
        read_table("a").numbers(1)
    lines[15_000] = "14999,1,2"
    Path("a").write_text("\n".join(lines))
    with pytest.raises(
        DataError, match=r"^a, line 15001: found 3 columns where line 1 has 2; a file"
    ):
        read_table("a")


def test_the_sample_is_not_all(monkeypatch: pytest.MonkeyPatch) -> None:
    # What only the middle of a long file shows is an error, and is not read otherwise.
    lines = ["t;y", *[f"{k};{k}.5" for k in range(20_000)]]
    lines[10_000] = "9999;1,234"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("\n".join(lines).encode())))
    with pytest.raises(DataError, match=r"line 10001: column 'y' must be a number; it is '1,234'"):
        read_table("-").numbers(1)


def test_a_preamble_longer_than_the_sample() -> None:
    lines = (
        [f"setting {k}: on" for k in range(2500)] + ["t,y"] + [f"{k},{k}.5" for k in range(2000)]
    )
    Path("a").write_text("\n".join(lines))
    table = read_table("a")
    assert table.header == ("t", "y")
    assert table.numbers(0).tolist() == list(range(2000))


def test_few_rows_of_very_many_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    # Twice as many characters as the sample has, which are 2,000,000 otherwise.
    monkeypatch.setattr("lmoo.cli.reading.texttable._CHARACTERS", 200_000)
    row = ",".join(["1.5"] * 5_000)
    Path("a").write_text("\n".join([row] * 20))
    table = read_table("a")
    assert (table.width, len(table.rows)) == (5_000, 20)
    assert table.numbers(4_999).tolist() == [1.5] * 20
