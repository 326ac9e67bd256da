"""Text without characters that a terminal, HTML, LaTeX or Markdown obeys."""

import html
import re

_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#",
    "%": r"\%", "_": r"\_", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}",
}  # fmt: skip
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#+!|~&$^-])")


def visible(text: str) -> str:
    r"""Return the text with escapes for characters that are not printable.

    Names of files, columns and options may contain characters that a terminal obeys.

    Examples
    --------
    >>> from lmoo.results.report.escaping import visible
    >>> print(visible(chr(27) + "[31m"))
    \x1b[31m
    """
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def html_text(text: str) -> str:
    """Return the text for HTML.

    Examples
    --------
    >>> from lmoo.results.report.escaping import html_text
    >>> html_text('a < "b"')
    'a &lt; &quot;b&quot;'
    """
    return html.escape(visible(text))


def latex_text(text: str) -> str:
    r"""Return the text for LaTeX.

    Examples
    --------
    >>> from lmoo.results.report.escaping import latex_text
    >>> print(latex_text("a_1 & 50 %"))
    a\_1 \& 50 \%
    """
    return "".join(_LATEX.get(char, char) for char in visible(text))


def markdown_text(text: str) -> str:
    r"""Return the text for a table of Markdown.

    Examples
    --------
    >>> from lmoo.results.report.escaping import markdown_text
    >>> print(markdown_text("a_1 | *b*"))
    a\_1 \| \*b\*
    """
    return _MARKDOWN.sub(r"\\\1", visible(text))
