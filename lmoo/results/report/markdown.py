"""The report as Markdown, with tables of GitHub's form."""

from collections.abc import Sequence

from lmoo.results.report.content import Content
from lmoo.results.report.correlations import SMALLEST
from lmoo.results.report.escaping import markdown_text
from lmoo.results.report.goodness import Fact

_PAIRS = 12


def markdown(content: Content, details: bool = False) -> str:
    """Return the report as Markdown."""
    kept = content.columns
    last = len(content.header) - 1
    parts = [
        f"**{markdown_text(content.verdict)}**",
        markdown_text(content.reason),
        _facts(content.subject, ("fit", "")),
        _table(
            [
                [row[k].replace("+- ", "± ") for k in kept]
                for row in (content.header, *content.rows)
            ],
            ["---" if k in (0, last) else "--:" for k in kept],
        ),
        markdown_text(content.note),
        markdown_text(content.errors),
        _facts(content.goodness, ("quality", "")),
        _correlations(content),
        *(f"> **Warning:** {markdown_text(line)}" for line in content.warnings),
        _facts(content.details, ("details", "")) if details else "",
    ]
    return "\n\n".join(part for part in parts if part)


def _facts(facts: Sequence[Fact], header: Fact) -> str:
    return _table([header, *facts], ["---", "---"]) if facts else ""


def _correlations(content: Content) -> str:
    found = content.correlations
    if found is None or not found.pairs:
        return ""
    rows = [(f"{a}, {b}", f"{r:.4f}") for a, b, r in found.pairs[:_PAIRS]]
    more = len(found.pairs) - _PAIRS
    rows += [(f"and {more} more", "")] if more > 0 else []
    return _table([(f"correlations above {SMALLEST}", ""), *rows], ["---", "--:"])


def _table(lines: Sequence[Sequence[str]], rule: list[str]) -> str:
    """Return a table: the header, the rule below it, the rows."""
    head, *rows = (f"| {' | '.join(map(markdown_text, line))} |" for line in lines)
    return "\n".join([head, f"| {' | '.join(rule)} |", *rows])
