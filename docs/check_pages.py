"""Check the built pages: messages of the builder, headings, images, links, search and colours.

    python docs/check_pages.py docs/_build/html

Prints what is wrong, one line each, and exits with 1 if there is anything.  It needs the standard
library alone; `check_browser.py` looks at the pages in a browser.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# What readers search for, as the stems in the index.
SEARCHED = ("robust", "jax", "panda", "weight", "bound", "outlier", "imag", "lmfit")
# Written by the theme and by Sphinx: pages without text of ours.
GENERATED = {"genindex.html", "py-modindex.html", "search.html"}
MESSAGES = {"system-message", "problematic"}
# "A. Author" at the start of a paragraph is a list of one item for docutils; "\\A. Author" is not.
INITIAL = "upperalpha"
# Text and background of the theme, as the names of its variables.
COLOURS = [
    ("foreground-primary", "background-primary"),
    ("foreground-secondary", "background-primary"),
    ("foreground-muted", "background-primary"),
    ("foreground-primary", "background-secondary"),
    ("foreground-secondary", "background-secondary"),
    ("brand-primary", "background-secondary"),
    ("brand-content", "background-primary"),
    ("brand-visited", "background-primary"),
]
LEAST_CONTRAST = 4.5  # WCAG 2.2, 1.4.3, level AA


@dataclass
class Page(HTMLParser):
    """Tags of a page that the checks need."""

    headings: list[int] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    resources: list[str] = field(default_factory=list)
    images: list[tuple[str, str | None]] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    language: str | None = None

    def __post_init__(self) -> None:
        """Set up the parser."""
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Store what the checks need of a tag."""
        given = dict(attrs)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        self.ids |= {value for name in ("id", "name") if (value := given.get(name))}
        classes = set((given.get("class") or "").split())
        self.messages += sorted(classes & MESSAGES) + (["merror"] if tag == "merror" else [])
        if tag == "ol" and INITIAL in classes:
            self.messages.append("an initial became a list")
        if tag == "html":
            self.language = given.get("lang")
        elif tag == "a" and given.get("href"):
            self.links.append(given["href"] or "")
        elif tag == "img":
            self.images.append((given.get("src") or "", given.get("alt")))
        if tag in ("img", "script", "source", "iframe") and given.get("src"):
            self.resources.append(given["src"] or "")
        if tag == "link" and given.get("rel") in ("stylesheet", "preload", "icon"):
            self.resources.append(given.get("href") or "")


@cache
def parsed(path: Path) -> Page:
    """Return the tags of a page."""
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def wrong_headings(page: Page) -> Iterator[str]:
    """Yield what is wrong with the order of the headings."""
    if page.headings.count(1) != 1:
        yield f"{page.headings.count(1)} headings of level 1"
    for before, after in zip(page.headings, page.headings[1:], strict=False):
        if after > before + 1:
            yield f"a heading of level {after} follows one of level {before}"


def wrong_images(page: Page) -> Iterator[str]:
    """Yield the images without a text in their place."""
    for source, alt in page.images:
        if not alt or Path(source).name in alt or alt.endswith((".png", ".svg")):
            yield f"image {source} has no alternative text"


def has_place(file: Path, fragment: str) -> bool:
    """Return whether a page has the place that a link names, if it names one."""
    return not fragment or unquote(fragment) in parsed(file).ids


def wrong_links(path: Path, page: Page) -> Iterator[str]:
    """Yield links to files or places that do not exist, and resources from other machines."""
    for link in page.links:
        target = urlsplit(link)
        if target.scheme or target.netloc:
            continue
        file = (path.parent / unquote(target.path)).resolve() if target.path else path
        if file.is_dir():
            file /= "index.html"
        if not file.exists():
            yield f"link to {link}, which does not exist"
        elif file.suffix == ".html" and not has_place(file, target.fragment):
            yield f"link to {link}: there is no such place"
    for resource in page.resources:
        target = urlsplit(resource)
        if target.scheme in ("http", "https") or target.netloc:
            yield f"loads {resource} from another machine"
        elif (
            target.scheme != "data"
            and target.path
            and not (path.parent / unquote(target.path)).exists()
        ):
            yield f"loads {resource}, which does not exist"


def wrong(path: Path) -> Iterator[str]:
    """Yield everything that is wrong on a page."""
    page = parsed(path)
    yield from (f"message of the builder ({name})" for name in page.messages)
    if not page.language:
        yield "no language"
    if path.name not in GENERATED:
        yield from wrong_headings(page)
        yield from wrong_images(page)
    yield from wrong_links(path, page)


def not_found(folder: Path) -> Iterator[str]:
    """Yield words that the search of the pages does not find."""
    text = (folder / "searchindex.js").read_text(encoding="utf-8")
    index = json.loads(text[text.index("{") : text.rindex("}") + 1])
    for word in SEARCHED:
        if word not in index["terms"] and word not in index["titleterms"]:
            yield f"searchindex.js: {word!r} is not found"


def luminance(colour: str) -> float:
    """Return the relative luminance of #rgb or #rrggbb (WCAG 2.2)."""
    digits = colour.lstrip("#")
    if len(digits) == 3:
        digits = "".join(2 * digit for digit in digits)
    shares = [int(digits[k : k + 2], 16) / 255 for k in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def themes(css: str) -> dict[str, dict[str, str]]:
    """Return the colours of the light and the dark theme, by the names of their variables."""
    found: dict[str, dict[str, str]] = {"light": {}, "dark": {}}
    variable = re.compile(r"--color-([\w-]+):\s*(#[0-9a-fA-F]{3,6}\b|var\(--color-[\w-]+\))")
    for selector, block in re.findall(r"([^{}]+)\{([^{}]*)\}", css):
        # Dark colours are those of body[data-theme="dark"] and body:not([data-theme="light"]).
        theme = "dark" if "data-theme" in selector else "light"
        for name, value in variable.findall(block):
            found[theme].setdefault(name, value)
    found["dark"] = found["light"] | found["dark"]
    return {name: {key: resolved(key, theme) for key in theme} for name, theme in found.items()}


def resolved(name: str, theme: dict[str, str]) -> str:
    """Return the colour of a variable, which may be that of another variable."""
    value = theme[name]
    while value.startswith("var("):
        value = theme.get(value[len("var(--color-") : -1], "#000")
    return value


def pale(folder: Path) -> Iterator[str]:
    """Yield pairs of colours with too little contrast."""
    css = (folder / "_static" / "styles" / "furo.css").read_text(encoding="utf-8")
    for theme, colours in themes(css).items():
        for text, background in COLOURS:
            ratio = contrast(colours[text], colours[background])
            if ratio < LEAST_CONTRAST:
                yield f"{theme} theme: {text} on {background} has a contrast of {ratio:.2f}"


def main(arguments: list[str]) -> int:
    """Check the pages of a folder, and print what is wrong."""
    folder = Path(arguments[0]).resolve()
    pages = [path for path in sorted(folder.rglob("*.html")) if "_static" not in path.parts]
    found = [f"{path.relative_to(folder)}: {text}" for path in pages for text in wrong(path)]
    found += [*not_found(folder), *pale(folder)]
    print("\n".join(dict.fromkeys(found)) or f"{len(pages)} pages: nothing wrong")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
