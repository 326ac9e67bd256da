"""Draw the plots of a page of the documentation.

    python docs/pictures.py        # all plots of docs/gallery.rst, into docs/data

The examples of the page are run from the top.  Each image of the page is the last plot of the
examples before it, so the plots always match the page.
"""

import doctest
import re
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import matplotlib as mpl

DOCS = Path(__file__).parent
SHOWN = re.compile(r"^\.\. image:: (\S+\.png)$", re.MULTILINE)


def pictures(page: Path) -> Iterator[tuple[str, bytes]]:
    """Yield each plot of a page: its path relative to the page, and the PNG file."""
    import matplotlib.pyplot as plt

    names: dict[str, Any] = {}
    for part in doctest.DocTestParser().parse(page.read_text(encoding="utf-8"), page.name):
        if isinstance(part, doctest.Example):
            with redirect_stdout(StringIO()):
                exec(compile(part.source, page.name, "exec"), names)
            continue
        for name in SHOWN.findall(part):
            yield name, png(plt.gcf())
            plt.close("all")


def png(figure: Any) -> bytes:
    """Return a figure of 8 x 6 inches as a file of 800 x 600 pixels, with a palette."""
    from PIL import Image

    full, small = BytesIO(), BytesIO()
    figure.savefig(full, dpi=100)
    # Small marks keep their colour.
    colours = (
        Image.open(full)
        .convert("RGB")
        .quantize(128, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    )
    colours.save(small, format="png", optimize=True)
    return small.getvalue()


def main() -> None:
    """Write the plots of the pages given, or of the gallery."""
    mpl.use("Agg")
    for page in [Path(name) for name in sys.argv[1:]] or [DOCS / "gallery.rst"]:
        for name, file in pictures(page):
            (page.parent / name).write_bytes(file)
            print(f"{name}: {len(file) / 1024:.0f} kB")


if __name__ == "__main__":
    main()
