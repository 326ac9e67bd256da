"""The report as text."""

from collections.abc import Iterator

from lmoo.results.report.content import Content
from lmoo.results.report.correlations import SMALLEST
from lmoo.results.report.escaping import visible
from lmoo.results.report.goodness import Fact

# Alignment of the columns: names and limits left, numbers right.
_ALIGNED = "<>><>>><"
# Correlations that are listed.
_PAIRS = 12


def text(content: Content, details: bool = False) -> str:
    """Return the report as lines of text; details: with how the solution was computed."""
    parts = [
        [content.verdict, f"  {content.reason}"],
        _facts(content.subject),
        [*_table(content), *([f"  {content.note}"] if content.note else [])],
        [f"  {content.errors}"],
        [*_facts(content.goodness), *_correlations(content)],
        [f"  Warning: {line}" for line in content.warnings],
        _facts(content.details) if details else [],
    ]
    blocks = ["\n".join(visible(line).rstrip() for line in part) for part in parts if part]
    return "\n\n".join(blocks)


def _facts(facts: list[Fact]) -> list[str]:
    return [f"  {label:<28}{value}" for label, value in facts]


def _table(content: Content) -> list[str]:
    """Return the lines of the table; columns that are empty for all parameters are left out."""
    lines = [tuple(map(visible, row)) for row in (content.header, *content.rows)]
    kept = content.columns
    widths = {k: max(len(line[k]) for line in lines) for k in kept}
    return ["  " + "  ".join(f"{line[k]:{_ALIGNED[k]}{widths[k]}}" for k in kept) for line in lines]


def _correlations(content: Content) -> list[str]:
    """Return the lines of the strongest correlations."""
    found = content.correlations
    if found is None or not found.pairs:
        return []
    pairs = [f"{a}, {b}  {r:.4f}" for a, b, r in found.pairs[:_PAIRS]]
    more = len(found.pairs) - _PAIRS
    pairs += [f"and {more} more"] if more > 0 else []
    return _facts(list(zip(_labels(len(pairs)), pairs, strict=True)))


def _labels(count: int) -> Iterator[str]:
    yield f"correlations above {SMALLEST}"
    yield from [""] * (count - 1)
