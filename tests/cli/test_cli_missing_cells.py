"""Missing values in files of many rows, which numpy's parser reads."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lmoo.cli.reading import FileFormat, Table, read_table
from lmoo.cli.reading.missingcells import _pattern, with_nan
from lmoo.cli.reading.numbers import Notation
from lmoo.cli.reading.text import TextRows

CELLS = ["1", "-2.5", "3e5", "1E-07", ".5", "5.", "+1", "1.5e+3", "", "NA", "nan", "--", "-", "?"]
CELLS += ["...", "null", "n/a", " ", " 7 ", "e", "1-2", "x", "inf", "1.#QNAN", "µ", "-999"]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", " "])
@pytest.mark.parametrize("missing", [frozenset(), frozenset({"x", "-999"}), frozenset({"1-2"})])
def test_only_the_lines_that_need_it_are_changed(separator: str, missing: frozenset[str]) -> None:
    rng = random.Random(5)
    lines = [separator.join(rng.choices(CELLS, k=rng.randint(1, 4))) for _ in range(3000)]
    notation = Notation(missing=missing)
    fill = _pattern(set(notation.tokens), separator).sub
    assert with_nan(lines, separator, notation) == [fill("nan", line) for line in lines]


def read(text: str, *missing: str, decimal: str | None = None) -> Table:
    Path("f.txt").write_text(text)
    given = FileFormat.parse(None, decimal, None, None, None, missing, None)
    return read_table("f.txt", given)


@pytest.fixture(autouse=True)
def parsed_by_numpy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Cells of text are not read one by one."""

    def cells(*_: Any) -> Any:
        raise AssertionError("cells were read one by one")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(TextRows, "cells", cells)


def test_numbers_that_stand_for_missing_values() -> None:
    table = read("t,y\n1,-999\n2,5\n3,-999.0\n4,\n5,none\n6,7\n", "-999").complete([0, 1])
    assert table.numbers(0).tolist() == [2.0, 6.0]
    assert table.numbers(1).tolist() == [5.0, 7.0]


def test_decimal_commas() -> None:
    text = "t;y\n1,5;-999,0\n2,5;5\n3,5;x\n4,5;-999,50\n5,5;-\n"
    table = read(text, "-999", "x", decimal="comma").complete([0, 1])
    assert table.numbers(1).tolist() == [5.0, -999.5]


def test_columns_are_parsed_together(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = "".join(f"{k},{'NA' if k % 3 else k},{'' if k % 4 else k}\n" for k in range(200))
    counts = {"parsed": 0, "filled": 0}
    parsed = TextRows._parsed

    def counted(*args: Any) -> Any:
        counts["parsed"] += 1
        return parsed(*args)

    def filled(*args: Any) -> Any:
        counts["filled"] += 1
        return with_nan(*args)

    monkeypatch.setattr(TextRows, "_parsed", counted)
    monkeypatch.setattr("lmoo.cli.reading.text.with_nan", filled)
    table = read("t,y,z\n" + rows).complete([0, 1, 2])
    np.testing.assert_array_equal(table.numbers(1), np.arange(0.0, 200.0, 12.0))
    # With missing values they are parsed twice.
    assert counts == {"parsed": 2, "filled": 1}


@pytest.mark.parametrize("code", ["1.#QNAN", "-1.#IND", "#N/A", "#DIV/0!", "#VALUE!"])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_codes_with_a_hash_are_cells(code: str, place: int) -> None:
    rows = [["1", "2", "3"], ["4", "5", "6"], ["7", "8", "9"]]
    rows[1][place] = code
    table = read("t,x,y\n" + "".join(",".join(row) + "\n" for row in rows)).complete([0, 1, 2])
    for column in range(3):
        expected = [float(rows[0][column]), float(rows[2][column])]
        assert table.numbers(column).tolist() == expected
