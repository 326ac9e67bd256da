"""Look at the built pages in a browser: no page wider than the window, and pictures of all pages.

    pip install playwright
    python docs/check_browser.py docs/_build/html [PICTURES] [--chromium /usr/bin/chromium]

Each page is opened 390 and 1280 pixels wide, without a network.  A page is too wide if it scrolls
horizontally; tables, code and formulas may scroll in themselves.  Prints what is wrong and exits
with 1 if there is anything.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

WIDTHS = (390, 1280)
TOO_WIDE = """() => {
    const root = document.documentElement, excess = root.scrollWidth - window.innerWidth;
    if (excess <= 0) return null;
    const found = [...document.querySelectorAll('body *')]
        .filter(e => e.getBoundingClientRect().right > window.innerWidth + 1)
        .slice(0, 3).map(e => e.tagName.toLowerCase() + '.' + e.className);
    return excess + ' px: ' + found.join(', ');
}"""


def problems(page: Any, folder: Path, pictures: Path | None) -> Iterator[str]:
    """Yield what is wrong on the pages of a folder, and store their pictures."""
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        for path in sorted(folder.rglob("*.html")):
            name = path.relative_to(folder).as_posix()
            if name.startswith(("_static", "_downloads")):
                continue
            page.goto(path.resolve().as_uri())
            excess = page.evaluate(TOO_WIDE)
            if excess:
                yield f"{name} at {width}: too wide by {excess}"
            yield from (f"{name}: {error}" for error in errors)
            errors.clear()
            if pictures is not None:
                file = pictures / str(width) / f"{name.replace('/', '_')}.png"
                page.screenshot(path=file, full_page=True)


def main() -> int:
    """Open all pages, and print what is wrong."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description="Look at the built pages in a browser.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("pictures", type=Path, nargs="?")
    parser.add_argument("--chromium", help="path of the browser, if playwright has none")
    given = parser.parse_args()
    with sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path=given.chromium, args=["--no-sandbox"])
        context = browser.new_context(offline=True)
        found = list(problems(context.new_page(), given.folder, given.pictures))
        browser.close()
    print("\n".join(found) or "nothing wrong")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
