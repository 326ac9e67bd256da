"""Formulas as MathML, which browsers draw themselves: no script, no font and no network is needed.

The LaTeX of a formula is converted by the package latex2mathml while the pages are built.  What it
cannot convert is a warning of the build.
"""

from __future__ import annotations

import html
import re

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx.util.typing import ExtensionMetadata
from sphinx.writers.html5 import HTML5Translator

logger = logging.getLogger(__name__)
# A bar is a delimiter here, and no relation with space on both sides.
BAR, DELIMITER = (
    f'<mo stretchy="false"{space}>&#x0007C;' for space in ("", ' lspace="0" rspace="0"')
)
COMMAND = re.compile(r"\\[A-Za-z]+")
ALIGNED = re.compile(r"(?<!\\)&|\\\\")


def mathml(latex: str, node: nodes.Node, display: str) -> str:
    """Return the MathML of a formula, with its LaTeX as alternative text."""
    source = " ".join(latex.split())
    if display == "block" and ALIGNED.search(source) and r"\begin" not in source:
        source = rf"\begin{{aligned}}{source}\end{{aligned}}"
    try:
        converted: str = convert(source, display=display)
    except Exception as error:
        logger.warning("formula not converted (%r): %s", error, source, location=node)
        return f"<code>{html.escape(source)}</code>"
    unknown = COMMAND.findall(converted)
    if unknown:
        logger.warning("formula with unknown commands %s: %s", unknown, source, location=node)
    converted = converted.replace(BAR, DELIMITER)
    return converted.replace("<math ", f'<math alttext="{html.escape(source)}" ', 1)


def visit_inline(self: HTML5Translator, node: nodes.math) -> None:
    """Write a formula in a line of text."""
    self.body.append(mathml(node.astext(), node, "inline"))
    raise nodes.SkipNode


def visit_display(self: HTML5Translator, node: nodes.math_block) -> None:
    """Write a formula on lines of its own, with its number if it has one."""
    self.body.append(self.starttag(node, "div", CLASS="math-block"))
    for part in filter(str.strip, node.astext().split("\n\n")):
        self.body.append(mathml(part, node, "block"))
    if node.get("number"):
        number = get_node_equation_number(self, node)
        self.body.append(f'<span class="eqno">({number})</span>')
        self.add_permalink_ref(node, "Link to this formula")
    self.body.append("</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> ExtensionMetadata:
    """Make MathML the way in which HTML pages show formulas."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_display, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
