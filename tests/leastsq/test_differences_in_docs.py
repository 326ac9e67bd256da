"""The page of the differences from scipy names each of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
SOURCES = {".rst", ".md", ".txt"}
HEADING = re.compile(r"differences from scipy", re.IGNORECASE)


@pytest.mark.skipif(not DOCS.is_dir(), reason="installed without the docs")
@pytest.mark.parametrize(
    "subject", ["keep", "buffer", "finite", "diag", "check_jacobian", "evaluation", "compiled"]
)
def test_the_docs_have_a_line_on_each_difference(subject: str) -> None:
    texts = [p.read_text(encoding="utf-8") for p in sorted(DOCS.rglob("*")) if p.suffix in SOURCES]
    sections = [text[m.start() :] for text in texts for m in HEADING.finditer(text)]
    assert any(subject in section for section in sections)
