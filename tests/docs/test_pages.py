"""docs/check_pages.py finds what is wrong on pages."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).parents[2] / "docs"
GOOD = '<html lang="en"><body><h1 id="top">T</h1><h2>S</h2><img src="a.png" alt="A curve"></body>'
CSS = "body{--color-foreground-primary:#000;--color-background-primary:var(--color-white)}"


@pytest.fixture
def check_pages(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(DOCS)
    monkeypatch.delitem(sys.modules, "check_pages", raising=False)
    import check_pages

    return check_pages


def problems(checks: ModuleType, folder: Path, page: str) -> list[str]:
    path = folder / "page.html"
    path.write_text(page, encoding="utf-8")
    (folder / "a.png").touch()
    return list(checks.wrong(path))


def test_a_good_page(check_pages: ModuleType, tmp_path: Path) -> None:
    assert problems(check_pages, tmp_path, GOOD) == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("<h2>", '<div class="system-message x">', "message of the builder (system-message)"),
        ("<h2>", '<a class="problematic">', "message of the builder (problematic)"),
        ("<h2>", '<ol class="upperalpha simple">', "an initial became a list"),
        ("<h2>", "<h3>", "a heading of level 3 follows one of level 1"),
        ("<h2>", "<h1>", "2 headings of level 1"),
        (' alt="A curve"', "", "image a.png has no alternative text"),
        ("A curve", "data/a.png", "image a.png has no alternative text"),
        ("<h2>", '<a href="no.html"><h2>', "link to no.html, which does not exist"),
        ("<h2>", '<a href="#no"><h2>', "link to #no: there is no such place"),
        ("<h2>", '<script src="https://x.org/a.js"><h2>', "from another machine"),
        ("<h2>", '<script src="no.js"><h2>', "loads no.js, which does not exist"),
        (' lang="en"', "", "no language"),
    ],
)
def test_what_is_wrong_is_found(
    check_pages: ModuleType, tmp_path: Path, old: str, new: str, message: str
) -> None:
    found = problems(check_pages, tmp_path, GOOD.replace(old, new))
    assert any(message in text for text in found), found


def test_links_within_a_page(check_pages: ModuleType, tmp_path: Path) -> None:
    page = GOOD.replace(
        "<h2>", '<a href="#top"><a href="page.html#top"><a href="https://x.org"><h2>'
    )
    assert problems(check_pages, tmp_path, page) == []


def test_contrast(check_pages: ModuleType) -> None:
    assert check_pages.contrast("#000", "#ffffff") == pytest.approx(21)
    # An example of WCAG: #777 on white fails level AA.
    assert check_pages.contrast("#777777", "#fff") == pytest.approx(4.48, abs=0.01)
    css = CSS + ":root{--color-white:#fff}body[data-theme=dark]{--color-foreground-primary:#ccc}"
    colours = check_pages.themes(css)
    assert colours["light"]["background-primary"] == "#fff"
    assert colours["dark"]["foreground-primary"] == "#ccc"


def test_words_that_the_search_finds(check_pages: ModuleType, tmp_path: Path) -> None:
    terms = ",".join(f'"{word}":1' for word in check_pages.SEARCHED[1:])
    index = f'Search.setIndex({{"terms":{{{terms}}},"titleterms":{{}}}})'
    (tmp_path / "searchindex.js").write_text(index, encoding="utf-8")
    assert list(check_pages.not_found(tmp_path)) == ["searchindex.js: 'robust' is not found"]
