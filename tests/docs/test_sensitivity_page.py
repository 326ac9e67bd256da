"""docs/sensitivity.rst has a row, or a reason for having none, for each constant of the engine."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = ROOT / "lmoo" / "_core"
PAGE = (ROOT / "docs" / "sensitivity.rst").read_text(encoding="utf-8")
TITLE = "Constants without rows\n----------------------\n"
FILES = [
    path
    for name in ("iteration", "evaluate")
    for path in (*(CORE / name).glob("*.pxi"), CORE / f"{name}.pyx", CORE / f"{name}.pxd")
]
SOURCES = [path.read_text(encoding="utf-8") for path in FILES]
# Those of lmoo.h are options of its functions too.
HEADER = (ROOT / "lmoo" / "include" / "lmoo.h").read_text(encoding="utf-8")

CONSTANT = re.compile(
    r"^ *(?:cdef (?:double|int|ptrdiff_t) )?([A-Z][A-Z_0-9]+) = ([-\d][-+*.\w]*) *(?:#.*)?$"
    r"|^cdef double\[\d+\] ([A-Z_]+)$",
    re.MULTILINE,
)
DEFINED = re.compile(r"^#define (LM_[A-Z]+) +([-+.\w]+)", re.MULTILINE)
ROW = re.compile(r"^   \* - ``([A-Z_]+)``\n     - (\S+)", re.MULTILINE)
# Members of enumerations with these values are names of states, answers or phases.
NUMBERED = {"-1", "0", "1", "2"}


def constants(text: str) -> dict[str, str]:
    """Return the value of each constant; "" for an array."""
    found = {match[1] or match[3]: match[2] or "" for match in CONSTANT.finditer(text)}
    return {name: value for name, value in found.items() if value not in NUMBERED}


def test_constants_are_found() -> None:
    text = "cdef double ONE = 1e-4  # why\ncdef enum:\n    LOW = 0\n    TEN = 10\n"
    text += "cdef double[5] FIVE\n"
    assert constants(text) == {"ONE": "1e-4", "TEN": "10", "FIVE": ""}
    assert constants("    cdef double x = 1.0\n    LOW = 0\n    HIGH\n    THIS = THAT\n") == {}
    assert len({name for text in SOURCES for name in constants(text)}) > 50


@pytest.mark.parametrize("index", range(len(FILES)), ids=[path.name for path in FILES])
def test_each_constant_has_a_row_or_a_reason(index: int) -> None:
    measured = {name for name, _ in ROW.findall(PAGE)}
    reasons = PAGE[PAGE.index(TITLE) :]
    without = [
        name
        for name in constants(SOURCES[index])
        if name not in measured and f"``{name}``" not in reasons
    ]
    assert not without, f"measure these with benchmarks/sensitivity.py: {without}"


def test_each_name_is_that_of_one_constant() -> None:
    names = [name for text in SOURCES for name in constants(text)]
    assert {name for name in names if names.count(name) > 1} == {"EPSMCH"}


def test_rows_are_those_of_present_values() -> None:
    known: dict[str, set[str]] = {}
    for text in SOURCES:
        for name, value in constants(text).items():
            known.setdefault(name, set()).add(value)
    for name, value in DEFINED.findall(HEADER):
        known.setdefault(name, set()).add(value)
    # The last row of a constant is the newest.
    rows = dict(ROW.findall(PAGE))
    stale = [
        name
        for name, value in rows.items()
        if not any(float(value) == float(other) for other in known.get(name, ()))
    ]
    assert not stale, f"these constants have other values now, or are gone: {stale}"


def test_reasons_are_those_of_present_constants() -> None:
    known = {name for text in SOURCES for name in constants(text)}
    reasons = set(re.findall(r"``([A-Z_]+)``", PAGE[PAGE.index(TITLE) :]))
    assert reasons <= known, reasons - known
