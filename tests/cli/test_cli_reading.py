"""Data files: every way to write columns of numbers, and errors that name the line."""

from __future__ import annotations

import gzip
import io
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lmoo.cli.reading import DataError, Table, read_table

Write = Callable[[str | bytes], Table]


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write a file called f.csv and read it."""
    monkeypatch.chdir(tmp_path)

    def write(content: str | bytes) -> Table:
        Path("f.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_table("f.csv")

    return write


def numbers(table: Table) -> list[list[float]]:
    return [table.numbers(j).tolist() for j in range(table.width)]


WAYS = {
    "csv": "t,y\n0,1.5\n1,-2e3\n",
    "csv with spaces": "t, y\n0, 1.5\n 1 , -2e3 \n",
    "tsv": "t\ty\n0\t1.5\n1\t-2e3\n",
    "semicolons": "t;y\n0;1.5\n1;-2e3\n",
    "white space": "t y\n 0   1.5\n1\t-2e3  \n",
    "aligned with tabs": "t\ty\n0 \t 1.5\n1 \t -2e3\n",
    "CRLF": "t,y\r\n0,1.5\r\n1,-2e3\r\n",
    "CR": "t,y\r0,1.5\r1,-2e3\r",
    "no end of the last line": "t,y\n0,1.5\n1,-2e3",
    "byte order mark": "\ufefft,y\n0,1.5\n1,-2e3\n",
    "comments": "# made by\n\n#\nt,y # names\n0,1.5#\n  # more\n1,-2e3 # late\n\n",
    "quotes": '"t","y"\n"0","1.5"\n1,"-2e3"\n',
    "quotes and white space": '"t" "y"\n"0" 1.5\n1 -2e3\n',
    "Fortran": "t y\n0 1.5d0\n1 -2D+3\n",
    "signs": "t,y\n+0,+1.5\n1.,-2000.\n",
}


@pytest.mark.parametrize("way", WAYS)
def test_ways_of_writing_columns(table: Write, way: str) -> None:
    found = table(WAYS[way])
    assert found.header == ("t", "y")
    assert numbers(found) == [[0, 1], [1.5, -2000]]


def test_no_header(table: Write) -> None:
    found = table("0,1.5\n1,2\n")
    assert found.header is None
    assert numbers(found) == [[0, 1], [1.5, 2]]
    assert table("2020-01-01,1.5\n2020-01-02,2\n").numbers(1).tolist() == [1.5, 2]
    assert numbers(table("1\n2\n")) == [[1, 2]]
    assert table("nan,1\n2,3\n").header is None


def test_names_with_delimiters_spaces_and_signs(table: Write) -> None:
    found = table('"a, b";"say ""x""";n # 1\n1;2;3\n')
    assert found.header == ("a, b", 'say "x"', "n")
    assert found.column('say "x"') == 1
    assert table('"#1",y\n1,2\n').header == ("#1", "y")


def test_columns_by_name_and_number(table: Write) -> None:
    found = table("t,y,\n1,2,3\n")
    assert [found.column(key) for key in ("t", "y", "1", "3")] == [0, 1, 0, 2]
    assert found.title(1) == "column 'y'"
    assert found.title(2) == "column 3"
    for key, match in {
        "z": r"^f\.csv has no column 'z'; its columns are 't, y, '$",
        "": r"^f\.csv has no column ''",
        "0": r"^f\.csv has 3 columns; there is no column 0$",
        "4": r"^f\.csv has 3 columns; there is no column 4$",
        "-1": "no column '-1'",
        "9" * 20: "no column '9999",
        "²": "no column '²'",
    }.items():
        with pytest.raises(DataError, match=match):
            found.column(key)
    with pytest.raises(
        DataError, match=r"has no column 't'; it has no header, and columns 1 to 2$"
    ):
        table("1,2\n").column("t")


def test_compressed(table: Write, tmp_path: Path) -> None:
    assert numbers(table(gzip.compress(b"t,y\n1,2\n"))) == [[1], [2]]
    with pytest.raises(DataError, match=r"^cannot decompress f\.csv: "):
        table(gzip.compress(b"t,y\n1,2\n" * 99)[:-12])
    with pytest.raises(DataError, match=r"^cannot decompress f\.csv: "):
        table(b"\x1f\x8bnonsense")


def bomb(mebibytes: int) -> bytes:
    """Compressed text of so many MiB, in many members, which is made without all of it."""
    return gzip.compress(b"0,1\n" * (1 << 18)) * mebibytes


def test_a_decompression_bomb_ends_in_an_error(
    table: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LMOO_DECOMPRESSED_MIB", raising=False)
    content = bomb(2000)
    tracemalloc.start()
    try:
        with pytest.raises(
            DataError, match=r"^f\.csv has more than 64 MiB of decompressed text; .* LMOO_DECOMPRE"
        ):
            table(content)
        assert tracemalloc.get_traced_memory()[1] < 200 << 20
    finally:
        tracemalloc.stop()
    # All of it is one member, and the error comes from standard input too.
    one = gzip.compress(bytes(70 << 20))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(one)))
    with pytest.raises(DataError, match=r"^standard input has more than 64 MiB"):
        read_table("-")


def test_the_limit_of_decompression_can_be_set(
    table: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LMOO_DECOMPRESSED_MIB", "1")
    line = b"1," + b"2" * 1021 + b"\n"
    with pytest.raises(DataError, match=r"^f\.csv has more than 1 MiB of decompressed text"):
        table(gzip.compress(line * 1024) + gzip.compress(b"1,2\n"))
    assert len(table(gzip.compress(line * 1024)).rows) == 1024
    monkeypatch.setenv("LMOO_DECOMPRESSED_MIB", " 2 ")
    assert len(table(gzip.compress(line * 1024) + gzip.compress(b"1,2\n")).rows) == 1025
    for wrong in ("0", "-1", "many", "1.5", "9" * 30):
        monkeypatch.setenv("LMOO_DECOMPRESSED_MIB", wrong)
        with pytest.raises(DataError, match=r"LMOO_DECOMPRESSED_MIB must be a whole number of MiB"):
            table(gzip.compress(b"1,2\n"))
    # What is not compressed has no limit.
    assert table(b"1,2\n").width == 2


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"t,y\n1,x\n")))
    found = read_table("-")
    with pytest.raises(DataError, match=r"^standard input, line 2: column 'y' must be a number"):
        found.numbers(1)


def test_missing_values(table: Write) -> None:
    found = table("t,y,z\n0,1,\n1,,\n2,NaN,\n3,N/A,x\n4,5,6\n")
    with pytest.raises(DataError, match=r"^f\.csv, line 3: column 'y' is empty; --nan-policy"):
        found.numbers(1)
    with pytest.raises(DataError, match=r"^f\.csv, line 4: column 'y' is 'NaN'"):
        table("t,y\n0,1\n1,2\n2,NaN\n").numbers(1)
    left = found.complete([0, 1])
    assert left.numbers(0).tolist() == [0, 4]
    assert [left.rows.line(k) for k in range(2)] == [2, 6]
    with pytest.raises(DataError, match=r"^f\.csv: every row has an empty cell or a NaN$"):
        table("t,y\n0,\n1,nan\n").complete([1])


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("", "f.csv has no data"),
        ("\n \n# only comments\n", "f.csv has no data"),
        ("t,y\n", "f.csv has a header and no data"),
        ("t,y\n1,2\n1,2,3\n", "f.csv, line 3: found 3 columns where line 1 has 2"),
        ("t,y\n1,2\n\n1\n", "f.csv, line 4: found 1 columns where line 1 has 2"),
        ("t,t\n1,2\n", "f.csv, line 1: two columns are called 't'"),
        ("t,y\n1,abc\n", "f.csv, line 2: column 'y' must be a number; it is 'abc'"),
        ("1,2\n1,abc\n", "f.csv, line 2: column 2 must be a number; it is 'abc'"),
        ("t;y\n1.5;2\n1.5;2,5\n", "f.csv mixes decimal commas and points: '2,5' in line 3, '1.5'"),
        ("t,y\n1,1_000\n", "f.csv, line 2: column 'y' must be a number; it is '1_000'"),
        ("t,y\n1,0x10\n", "f.csv, line 2: column 'y' must be a number; it is '0x10'"),
        ("t,y\n1,inf\n", "f.csv, line 2: column 'y' must be finite; it is 'inf'"),
        ("t,y\n1,\u0131nf\n", "f.csv, line 2: column 'y' must be a number; it is '\u0131nf'"),
        ("t,y\n1,1e999\n", "f.csv, line 2: column 'y' must be finite; it is '1e999'"),
        ("t,y\n1,\u0661\n", "f.csv, line 2: column 'y' must be a number; it is '\u0661'"),
        ("t,y\n1," + "9" * 5000 + "x\n", "f.csv, line 2: column 'y' must be a number; it is '999"),
        ('t,y\n1,"2\n', "f.csv, line 2: the quotes are wrong: unexpected end of data"),
        ('t,y\n1,"2"3\n', "f.csv, line 2: the quotes are wrong: "),
        (b"t,y\n1,\xff\n", "f.csv, line 2: column 'y' must be a number; it is '\u00ff'"),
        (b"\xff\xfe1\x00,\x002", "f.csv, line 1: the byte 0x32 is not valid in utf-16; --encoding"),
        (b"t,y\n1,\x00\n", "f.csv, line 2: found a byte that is zero"),
    ],
)
def test_errors_name_the_line(table: Write, content: str | bytes, match: str) -> None:
    with pytest.raises(DataError) as caught:
        table(content).numbers(1)
    assert str(caught.value).startswith(match)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


def test_a_long_cell_that_is_no_number_is_known_at_once(table: Write) -> None:
    # Hours, if each way to split the digits were tried.
    digits = "1" * 1_000_000
    with pytest.raises(
        DataError, match=r"^f\.csv, line 2: column 'y' must be a number; it is '111"
    ):
        table(f"t y\n1 {digits}x\n").numbers(1)
    with pytest.raises(
        DataError, match=r"^f\.csv, line 2: column 'y' must be a number; it is '1\.1"
    ):
        table(f"t y\n1 1.{digits}e+{digits}e\n").numbers(1)


def test_a_wide_header_is_checked_at_once(table: Write) -> None:
    # Minutes, if each name were compared with all others.
    header = [f"c{k}" for k in range(150_000)]
    row = " ".join("1" * len(header))
    assert table(" ".join(header) + f"\n{row}\n").width == len(header)
    header[-1] = header[0]
    with pytest.raises(DataError, match=r"^f\.csv, line 1: two columns are called 'c0';"):
        table(" ".join(header) + f"\n{row}\n")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^cannot read .*none: No such file or directory$"):
        read_table(str(tmp_path / "none"))
    with pytest.raises(DataError, match=r"^cannot read .*: Is a directory$"):
        read_table(str(tmp_path))
    with pytest.raises(DataError, match=r"^cannot read a\?b: "):
        read_table("a\0b")


@given(
    st.lists(
        st.tuples(*[st.floats(allow_nan=False, allow_infinity=False)] * 3), min_size=1, max_size=8
    ),
    st.sampled_from([",", ";", "\t", " ", "   ", " , "]),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
@settings(max_examples=100, deadline=None)
def test_numbers_come_back_as_they_were_written(
    rows: list[tuple[float, ...]], delimiter: str, end: str, header: bool
) -> None:
    lines = [delimiter.join(["a", "b", "c"])] if header else []
    lines += [delimiter.join(map(repr, row)) for row in rows]
    with pytest.MonkeyPatch.context() as patch:
        content = io.BytesIO((end.join(lines) + end).encode())
        patch.setattr(sys, "stdin", io.TextIOWrapper(content))
        found = read_table("-")
    np.testing.assert_array_equal(np.transpose(numbers(found)), rows)
