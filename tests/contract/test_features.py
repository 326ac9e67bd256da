"""The table of docs/features.rst: what works does, and what does not is refused by name."""

from __future__ import annotations

import csv
import re
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from case_tables import each
from feature_cases import DRIVERS, FEATURES

PAGE = Path(__file__).parents[2] / "docs" / "features.rst"


def rows() -> list[list[str]]:
    """Return the rows of the table."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    found = [line for line in lines if line.startswith('   "``')]
    return list(csv.reader(found, skipinitialspace=True))


def header() -> list[str]:
    """Return what the columns stand for, from the list above the table."""
    found = re.findall(r"^\* \*\*[A-J]\*\*: (.+?) --", PAGE.read_text(encoding="utf-8"), re.M)
    return [str(name) for name in found]


def cells() -> Iterator[tuple[str, str, str]]:
    for name, *row in rows():
        for driver, cell in zip(header(), row, strict=True):
            yield name.strip().strip("`"), driver, cell


def test_the_table_is_complete() -> None:
    assert header() == list(DRIVERS)
    assert [name.strip("`") for name, *_ in rows()] == list(FEATURES)


@each(("feature", "driver", "cell"), list(cells()))
def test_a_cell(feature: str, driver: str, cell: str) -> None:
    options, holds = FEATURES[feature]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if cell == "yes":
            assert holds(DRIVERS[driver](**options))
            return
        assert cell == "no"
        with pytest.raises(ValueError, match="|".join(options)):
            DRIVERS[driver](**options)
