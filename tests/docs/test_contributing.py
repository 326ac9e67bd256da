"""The walks in CONTRIBUTING.md name functions that there are."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
WALKS = TEXT.split("### Two walks through a solve")[1].split("\n## ")[0]
PLACED = re.compile(r"`([\w.]+)` \(`([\w/.]+)`")


def definition(name: str) -> re.Pattern[str]:
    """A definition of a function in Python or Cython, of a class, or of one of its methods."""
    return re.compile(rf"^ *(?:def|cdef|class|cpdef)\b[^=\n]*\b{name.split('.')[-1]}\b *[(:]", re.M)


def test_the_walks_take_at_most_ten_calls() -> None:
    steps = [int(number) for number in re.findall(r"^(\d+)\. ", WALKS, re.M)]
    assert steps.count(1) == 2
    assert max(steps) <= 10


def test_functions_are_where_the_walks_say() -> None:
    placed = PLACED.findall(WALKS)
    assert len(placed) >= 12
    for name, path in placed:
        source = (ROOT / "lmoo" / path).read_text(encoding="utf-8")
        assert definition(name).search(source), f"{name} is not defined in {path}"


def test_functions_without_a_place_are_somewhere() -> None:
    sources = "\n".join(
        path.read_text(encoding="utf-8")
        for end in ("py", "pxi", "pyx")
        for path in (ROOT / "lmoo").rglob(f"*.{end}")
    )
    names = set(re.findall(r"`(?:\w+\.)?(\w+)`", WALKS)) - {"trial", "f", "fjac", "x", "within"}
    for name in names:
        assert definition(name).search(sources), name
