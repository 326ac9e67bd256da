"""Files of instruments are read right, or refused with what to do; none is read wrongly."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import instrument_files
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from instrument_exports import READ_EXPORTS, REFUSED_EXPORTS

from lmoo.cli.reading import DataError, FileFormat, Table, read_table

READ = {**instrument_files.READ, **READ_EXPORTS}
REFUSED = {**instrument_files.REFUSED, **REFUSED_EXPORTS}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def read(content: str | bytes, options: dict[str, str]) -> Table:
    Path("f.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table("f.csv", FileFormat.parse(**options))


@pytest.mark.parametrize("name", READ)
def test_files_that_are_read(name: str) -> None:
    case = READ[name]
    table = read(case.content, case.options)
    assert table.header == case.header
    assert table.units == case.units
    for number, expected in case.columns.items():
        assert table.numbers(number - 1).tolist() == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("name", REFUSED)
def test_files_that_are_refused(name: str) -> None:
    case = REFUSED[name]
    with pytest.raises(DataError) as caught:
        read(case.content, case.options).numbers(case.column)
    assert str(caught.value).startswith(case.message)


def test_there_are_many_of_them() -> None:
    assert len(READ) >= 95
    assert len(READ) + len(REFUSED) >= 130


NUMBERS = st.one_of(
    st.integers(-2000, 20000).map(float),
    st.decimals(-2000, 20000, places=3).map(float),
    st.decimals(-20, 20, places=1).map(float),
)


def written(value: float, decimal: str, thousands: str) -> str:
    """A number as a program in some country writes it."""
    text = f"{value:,}" if thousands else repr(value)
    text = text.removesuffix(".0")
    return text.translate(str.maketrans({",": thousands, ".": decimal}))


@given(
    st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=1, max_size=6),
    st.sampled_from([",", ";", "\t", " ", "|", "; ", ", "]),
    st.sampled_from([(".", ""), (",", ""), (".", ","), (",", "."), (",", "'"), (".", "'")]),
    st.sampled_from(["", "Run 7\n", "Run;7\nGain,2,5\n", "x: 1\ny: 2.5\n", "# a b c\n", "5\n"]),
    st.booleans(),
    st.booleans(),
)
@settings(max_examples=400, deadline=None)
def test_no_table_is_read_wrongly(
    rows: list[tuple[float, ...]],
    separator: str,
    marks: tuple[str, str],
    preamble: str,
    header: bool,
    trailing: bool,
) -> None:
    lines = [separator.join(["t", "y", "err"])] if header else []
    lines += [separator.join(written(value, *marks) for value in row) for row in rows]
    if marks[0] == separator.strip() or marks[1] == separator.strip():
        # Such a file has another meaning, or none.
        return
    if marks[1] == "." and all(value.is_integer() for row in rows for value in row):
        # 1.234 is a fraction wherever no decimal comma says otherwise.
        return
    end = separator if trailing and separator.strip() else ""
    text = preamble + "".join(f"{line}{end}\n" for line in lines)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        try:
            table = read_table("-")
            found = [table.numbers(column).tolist() for column in range(table.width)]
        except DataError:
            return
    assert found == [list(column) for column in zip(*rows, strict=True)]
