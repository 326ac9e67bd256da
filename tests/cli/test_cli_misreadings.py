"""Files that were read as other numbers than those that were written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cli_cases import Call

from lmoo.cli.reading import DataError, FileFormat, Table, read_table
from lmoo.cli.reading.times import seconds

DAY = 86400.0


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def read(content: str | bytes, name: str = "f.txt") -> Table:
    Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(name)


def columns(table: Table) -> list[list[float]]:
    return [table.numbers(column).tolist() for column in range(table.width)]


@pytest.mark.parametrize(
    "dates",
    [
        ["23-01-01", "24-01-01", "25-01-01"],
        ["23/01/01", "24/01/01", "25/01/01"],
        ["23-01-31", "23-03-31", "24-05-31"],
        ["13/02/24", "14/02/24"],
    ],
)
def test_years_of_two_digits_that_may_come_first_are_refused(dates: list[str]) -> None:
    with pytest.raises(DataError, match=r"has a year of two digits; write dates as 2024-01-31$"):
        seconds("column 1", dates, [1, 2, 3][: len(dates)])
    table = read("".join(f"{date},{k}\n" for k, date in enumerate(dates)))
    with pytest.raises(DataError, match=r"^f\.txt: column 1: '.*' has a year of two digits"):
        table.numbers(0)


@pytest.mark.parametrize(
    ("dates", "days"),
    [
        (["13/02/99", "14/02/99"], [0, 1]),
        (["02/13/24", "02/14/24"], [0, 1]),
        (["1/2/99", "13/2/99"], [0, 12]),
        (["23.01.24", "24.01.24"], [0, 1]),
        (["13-02-2024", "14-02-2024"], [0, 1]),
        (["23-01-01", "23-01-01"], [0, 0]),
    ],
)
def test_years_of_two_digits_that_come_last_are_read(dates: list[str], days: list[int]) -> None:
    assert seconds("column 1", dates, [1, 2]).tolist() == [DAY * day for day in days]


def test_null_values_of_fits_are_missing() -> None:
    fits = pytest.importorskip("astropy.io.fits")
    unsigned = np.array([1, 0, 3], np.uint16)
    hdu = fits.BinTableHDU.from_columns(
        [
            fits.Column("t", "E", array=[0.0, 1.0, 2.0]),
            fits.Column("n", "I", null=-99, array=np.array([1, -99, 3], np.int16)),
            fits.Column("u", "I", bzero=32768, null=-32768, array=unsigned),
            fits.Column("s", "J", null=-1, array=np.array([10, -1, -99], np.int32)),
            fits.Column("l", "L", array=np.array([True, False, True])),
        ]
    )
    hdu.header["TSCAL4"] = 0.5
    hdu.header["TZERO4"] = 4.0
    hdu.writeto("a.fits")
    content = Path("a.fits").read_bytes()
    # The logical value of the second row is a byte of zero, which is none.
    start = content.index(b"\x3f\x80\x00\x00\xff\x9d")
    content = content[: start + 12] + b"\0" + content[start + 13 :]
    Path("a.fits").write_bytes(content)
    table = read_table("a.fits")
    for column in (1, 2, 3, 4):
        with pytest.raises(DataError, match=r"^a\.fits, row 2: column '.' is 'nan'; --nan-policy"):
            table.numbers(column)
    assert table.complete([1]).numbers(1).tolist() == [1, 3]
    assert table.complete([2]).numbers(2).tolist() == [1, 3]
    assert table.complete([3]).numbers(3).tolist() == [9, -45.5]
    assert table.complete([4]).numbers(4).tolist() == [1, 1]
    assert table.numbers(0).tolist() == [0, 1, 2]


def test_null_values_of_ascii_tables_of_fits_are_missing() -> None:
    fits = pytest.importorskip("astropy.io.fits")
    counts = fits.Column("n", "I5", null="-99", array=np.array([1, -99, 0, 7]))
    labels = fits.Column("label", "A3", array=["a", "", "b", "c"])
    fits.TableHDU.from_columns([counts, labels]).writeto("a.fits")
    content = Path("a.fits").read_bytes()
    assert content.count(b"    7") == 1
    Path("a.fits").write_bytes(content.replace(b"    7", b"     "))
    table = read_table("a.fits")
    with pytest.raises(DataError, match=r"^a\.fits, row 2: column 'n' is 'nan'"):
        table.numbers(0)
    assert table.complete([0]).numbers(0).tolist() == [1, 0]
    assert table.rows.cells(1) == ["a", "", "b", "c"]


def test_fill_values_of_netcdf_are_missing_and_scales_are_applied() -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File("a.nc", "w") as file:
        file["t"] = [0.0, 1.0, 2.0]
        file["packed"] = np.array([10, -999, 30], np.int16)
        file["packed"].attrs.update(_FillValue=np.int16(-999), scale_factor=0.5, add_offset=100.0)
        file["single"] = np.array([1.5, -999.9, 2.5], np.float32)
        file["single"].attrs["missing_value"] = -999.9
        file["two"] = [1.0, -1.0, -2.0]
        file["two"].attrs["missing_value"] = [-1.0, -2.0]
        file["unpacked"] = np.array([1, 2, 3], np.int16)
        file["unpacked"].attrs.update(missing_value=-98.0, scale_factor=1.0, add_offset=-100.0)
        file["valid"] = [1, 200, 3]
        file["valid"].attrs["valid_range"] = [0, 100]
        file["bytes"] = np.array([1, -1, 3], np.int8)
        file["bytes"].attrs["_Unsigned"] = "true"
        fill = np.float32(9.969209968386869e36)
        file.create_dataset("default", data=np.array([1, fill, 3], "f4"), fillvalue=fill)
        file.create_dataset("zero", data=[0, 1, 2])
        file["text"] = [b"1", b"none given", b"3"]
        file["text"].attrs["_FillValue"] = "none given"
    table = read_table("a.nc")
    read = {
        name: table.complete([table.column(name)]).numbers(table.column(name)).tolist()
        for name in table.header or ()
    }
    assert read == {
        "t": [0, 1, 2],
        "packed": [105, 115],
        "single": [1.5, 2.5],
        "two": [1],
        "unpacked": [-99, -97],
        "valid": [1, 3],
        "bytes": [1, 255, 3],
        "default": [1, 3],
        "zero": [0, 1, 2],
        "text": [1, 3],
    }
    with pytest.raises(DataError, match=r"^a\.nc, row 2: column 'packed' is 'nan'; --nan-policy"):
        table.numbers(table.column("packed"))


def test_fill_values_of_matrices_and_of_data_sets_with_columns() -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File("a.h5", "w") as file:
        file["matrix"] = np.array([[0, 1], [1, -9], [2, 3]])
        file["matrix"].attrs.update(_FillValue=-9, scale_factor=[2.0])
    table = read_table("a.h5")
    assert table.complete([1]).numbers(1).tolist() == [2, 6]
    assert table.complete([1]).numbers(0).tolist() == [0, 4]
    with h5py.File("b.h5", "w") as file:
        file["rows"] = np.array([(0.0, 1.0)], [("t", "f8"), ("y", "f8")])
    assert columns(read_table("b.h5")) == [[0], [1]]
    with h5py.File("b.h5", "a") as file:
        file["rows"].attrs["missing_value"] = 1.0
    with pytest.raises(DataError, match=r"^b\.h5: /rows has columns and the attribute missing_val"):
        read_table("b.h5")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("scale_factor", [1.0, 2.0], "the attribute scale_factor must be one number; it has 2"),
        ("add_offset", "2", "the attribute add_offset must be a number; it is"),
        ("_FillValue", "-9", "the attribute _FillValue must be a number; it is"),
        ("valid_range", [1, 2, 3], "has a valid range of 3 numbers"),
    ],
)
def test_attributes_that_cannot_be_applied_are_refused(
    key: str, value: object, message: str
) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File("a.h5", "w") as file:
        file["y"] = [1.0, 2.0]
        file["y"].attrs[key] = value
    with pytest.raises(DataError, match=rf"^a\.h5: /y:? {message}"):
        read_table("a.h5")


SPACES = ["\u00a0", "\u2009", "\u202f"]


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("quote", ["", '"'])
def test_narrow_spaces_between_thousands_do_not_split_columns(space: str, quote: str) -> None:
    large = f"{quote}1{space}234{space}567,5{quote}"
    for header in ("", "t y\n"):
        content = f"{header}0 {large}\n1\t12{space}345\n2  7\n3 NaN\n"
        table = read(content).complete([1])
        assert columns(table) == [[0, 1, 2], [1234567.5, 12345, 7]]


def test_no_break_spaces_of_latin_1_do_not_split_columns() -> None:
    assert columns(read(b"t y\n0 1\xa0234\n1 2\xa0345\n")) == [[0, 1], [1234, 2345]]
    assert columns(read(b"1\xa0234\n2\xa0345\n")) == [[1234, 2345]]


@pytest.mark.parametrize("space", [*SPACES, "\u2007", "\u3000", "\u2003"])
def test_other_spaces_between_numbers_are_refused(space: str) -> None:
    for content in (f"0 1{space}23\n1 2{space}34\n", f"0 1{space}{space}234\n", f"1{space}2.5\n"):
        with pytest.raises(DataError, match=r"^f\.txt"):
            columns(read(content))


def test_wide_spaces_at_the_ends_of_lines_are_no_cells() -> None:
    assert columns(read("\u00a00 1\u00a0234 \u00a0\n1 2\u00a0\n")) == [[0, 1], [1234, 2]]


@pytest.mark.parametrize("separator", [" ", ",", "\t"])
def test_minus_signs_of_typesetting(separator: str) -> None:
    table = read(f"0{separator}\u22121.5\n1{separator}2e\u22123\n")
    assert columns(table) == [[0, 1], [-1.5, 0.002]]
    for dash in ("\u2010", "\u2012", "\u2013", "\u2014", "\ufe63", "\uff0d"):
        with pytest.raises(DataError, match=r"^f\.txt"):
            columns(read(f"0{separator}1.5\n1{separator}{dash}2.5\n"))


def r_table(numbers: list[int], header: str = '"t" "y"') -> str:
    return f"{header}\n" + "".join(f'"{n}" {0.5 * k} {k + 3}\n' for k, n in enumerate(numbers))


@pytest.mark.parametrize("quote", ['"', ""])
def test_row_numbers_of_r_are_no_column(quote: str) -> None:
    header, rows = r_table([1, 2, 3]).split("\n", 1)
    table = read(f"{header}\n" + rows.replace('"', quote))
    assert table.header == ("t", "y")
    assert columns(table) == [[0, 0.5, 1], [3, 4, 5]]
    assert "without the row numbers in the first column" in table.reading
    assert not table.plain


def test_row_numbers_of_a_long_table_of_r() -> None:
    table = read(r_table(list(range(1, 5001))))
    assert table.numbers(table.column("t"))[-1] == 2499.5
    assert table.width == 2


@pytest.mark.parametrize(
    ("content", "above", "width"),
    [
        ("t y\n1 0.0 3\n2 0.5 4\n", 2, 3),
        ("t y\n0.5 0.0 3\n1 0.5 4\n", 2, 3),
        (r_table([2, 3, 5]), 2, 3),
        (r_table([1, 2, 2]), 2, 3),
        (r_table([0, 1, 2]), 2, 3),
        (r_table([1, 2, 3], '"t" "y" "z" "w"'), 4, 3),
        ("t y err\n0 1\n1 2\n", 3, 2),
        ("t 400 410\n1 0.0 3 4\n2 0.5 4 5\n", 3, 4),
        ("t y err w\n0 1\n1 2\n", 4, 2),
        ("time signal error\n0 1\n1 2\n", 3, 2),
        ("Time (s) Voltage (mV)\n0 1\n1 2\n", 4, 2),
        ("t,y\n0 1\n1 2\n", 1, 2),
        ("y\n1 5.5\n2 7\n", 1, 2),
        ('"signal"\n2 5.5\n5 7\n', 1, 2),
        ("Run of July\nt y\n1 0.0 3\n2 0.5 4\n", 2, 3),
    ],
)
def test_names_of_another_number_than_columns_are_refused(
    content: str, above: int, width: int
) -> None:
    with pytest.raises(DataError, match=rf": found {above} columns where line \d has {width}; --s"):
        read(content)


@pytest.mark.parametrize(
    "prose",
    [
        "Measured today by me",
        "Decay of iodine",
        "Run 7",
        "Operator: Smith",
        "gain=2 offset=3 fast",
        "Nothing was changed.",
        "Measurement",
        "Iodine decay measured yesterday evening",
        "Decay (iodine), measured yesterday, second run",
    ],
)
def test_prose_above_columns_of_white_space_is_left_out(prose: str) -> None:
    width = 3 if len(prose.split()) == 2 else 2
    rows = "1 0.5 7\n2 0.25 8\n" if width == 3 else "1 0.5\n2 0.25\n"
    table = read(f"{prose}\n{rows}")
    assert table.header is None
    assert columns(table)[:2] == [[1, 2], [0.5, 0.25]]
    names = ("t", "y", "err")[:width]
    assert read(f"{prose}\n{' '.join(names)}\n{rows}").header == names


def test_the_index_of_a_parquet_file_is_a_column() -> None:
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    index = pandas.Index([0.1, 0.2], name="t")
    pandas.DataFrame({"y": [1.0, 2.0]}, index=index).to_parquet("a.parquet")
    table = read_table("a.parquet")
    assert table.numbers(table.column("t")).tolist() == [0.1, 0.2]
    assert table.numbers(table.column("y")).tolist() == [1, 2]
    pandas.DataFrame({"y": [1.0, 2.0]}, index=[5, 7]).to_parquet("b.parquet")
    assert read_table("b.parquet").header == ("y",)


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_nanoseconds_of_dates_are_kept(zone: str | None) -> None:
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    moments = pandas.to_datetime([999_999_999, 1_000_000_001, 1_000_000_250]).tz_localize(zone)
    pandas.DataFrame({"t": moments, "y": [1, 2, 3]}).to_parquet("a.parquet")
    expected = pytest.approx([0, 2e-9, 251e-9], abs=1e-15)
    assert read_table("a.parquet").numbers(0).tolist() == expected


def test_decimals_of_seconds_are_kept() -> None:
    dates = ["2024-01-31 23:59:59.9999999", "2024-02-01 00:00:00,0000001", "2024-02-01T00:00:01"]
    assert seconds("t", dates, [1, 2, 3]).tolist() == pytest.approx([0, 2e-7, 1.0000001], abs=1e-15)


def test_another_group_is_not_taken_for_one_of_several_lengths() -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File("a.h5", "w") as file:
        file["t"] = [0.0, 1.0, 2.0]
        file["y"] = [5.0, 6.0, 7.0]
        file["gains"] = [1.0, 2.0]
        file["calibration/t"] = [3.0, 4.0]
    with pytest.raises(DataError, match=r"^a\.h5 has the groups '/calibration, /'; --sheet says w"):
        read_table("a.h5")
    assert columns(read_table("a.h5", FileFormat.parse(sheet="calibration"))) == [[3, 4]]
    with pytest.raises(DataError, match=r"^a\.h5: the data sets of / must have one length to be "):
        read_table("a.h5", FileFormat.parse(sheet="2"))


def test_data_sets_without_an_order_must_be_named(call: Call) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File("a.h5", "w") as file:
        for name, values in (("energy", [0.0, 1.0, 2.0]), ("counts", [1.0, 3.0, 5.0])):
            file[f"entry/{name}"] = values
    assert "--x must name a column of a.h5, whose data sets have no order: counts, energy" in (
        call("fit", "a.h5", "a*t + b").err
    )
    # One of two is left.
    for options in (["a*energy + b"], ["a*t + b", "--x", "energy"], ["a*t + b", "--y", "counts"]):
        run = call("fit", "a.h5", *options)
        assert run.code == 0
        assert "counts against energy" in run.out
    with h5py.File("a.h5", "a") as file:
        file["entry/error"] = [0.1, 0.1, 0.1]
    assert "--y must name a column" in call("fit", "a.h5", "a*energy + b").err
    assert call("fit", "a.h5", "a*energy + b", "--sigma", "error").code == 0
