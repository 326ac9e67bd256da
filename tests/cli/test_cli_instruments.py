"""Files of instruments are read right, or refused with what to do; none is read wrongly."""

from __future__ import annotations

from pathlib import Path

import pytest
from instrument_files import READ, REFUSED

from lmoo.cli.reading import DataError, FileFormat, Table, read_table


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


def test_there_are_sixty_of_them() -> None:
    assert len(READ) >= 60
    assert len(READ) + len(REFUSED) >= 85
