"""Files that were read as other numbers than those that were written."""

from __future__ import annotations

from pathlib import Path

import pytest

from lmoo.cli.reading import DataError, Table, read_table
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
