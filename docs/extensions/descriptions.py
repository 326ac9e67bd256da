"""Alternative texts of the pictures of the gallery, from docs/examples/descriptions.json.

sphinx-gallery names its pictures after the scripts, and has no place for other texts.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.typing import ExtensionMetadata

logger = logging.getLogger(__name__)
PICTURE = re.compile(r"sphx_glr_(\w+?)_(\d{3}|thumb)\.png$")


@cache
def descriptions(folder: str) -> dict[str, list[str]]:
    """Return the texts of each script, in the order of its pictures."""
    file = Path(folder) / "examples" / "descriptions.json"
    texts: dict[str, list[str]] = json.loads(file.read_text(encoding="utf-8"))
    return texts


def describe(app: Sphinx, tree: nodes.document) -> None:
    """Set the texts of the pictures of a page."""
    for node in tree.findall(lambda node: isinstance(node, nodes.Element) and "uri" in node):
        assert isinstance(node, nodes.Element)
        picture = PICTURE.search(node["uri"])
        if picture is None:
            continue
        script, number = picture.groups()
        texts = descriptions(app.srcdir.as_posix()).get(script, [])
        k = 0 if number == "thumb" else int(number) - 1
        if k < len(texts):
            node["alt"] = texts[k]
        else:
            logger.warning("%s has no text in descriptions.json", picture.group(), location=node)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Connect it."""
    app.connect("doctree-read", describe)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
