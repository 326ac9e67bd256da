"""The parts of a report as HTML, with every text in it escaped.

Colours are mixed from the text colour of the page around, so that they suit light and dark themes.
"""

from collections.abc import Iterable, Sequence

from lmoo.results.report.colours import correlation_colours
from lmoo.results.report.content import Content
from lmoo.results.report.correlations import Correlations
from lmoo.results.report.escaping import html_text
from lmoo.results.report.goodness import Fact

_RULE = "1px solid color-mix(in srgb, currentColor 25%, transparent)"
_CELL = "padding: 0.25em 0.7em; background: transparent; color: inherit; white-space: nowrap;"
_LEFT, _RIGHT = "text-align: left;", "font-variant-numeric: tabular-nums; text-align: right;"
_TABLE = "border-collapse: collapse; border: none; margin: 0.5em 0; color: inherit;"
_ROW = '<tr style="background: transparent;">'
# A wide table scrolls by itself.
_SCROLLED = '<div style="overflow-x: auto; max-width: 100%;" tabindex="0" role="region" {}>{}</div>'
_FAINT = "color: color-mix(in srgb, currentColor 75%, transparent);"


# Columns of a matrix whose names have more characters than this have numbers instead.
_WIDTH = 40


def fragment(content: Content) -> str:
    """Return the report for notebooks."""
    parts = [
        verdict_line(content),
        facts_table(content.subject),
        parameter_table(content),
        warning_list(content),
        facts_table(content.goodness),
    ]
    if content.correlations is not None:
        matrix = correlation_matrix(content.correlations)
        parts.append(folded("Correlations", matrix))
    parts.append(folded("Details", facts_table(content.details)))
    return f'<div style="color: inherit;">{"".join(parts)}</div>'


def verdict_line(content: Content) -> str:
    """Return the verdict with its reason."""
    return (
        mark(content.success, content.verdict)
        + f'<div style="{_FAINT} font-size: 90%;">{html_text(content.reason)}</div>'
    )


def mark(success: bool, verdict: str) -> str:
    """Return a verdict with a sign before it."""
    sign, colour = ("&#10003;", "#1b7837") if success else ("&#10007;", "#c0392b")
    shown = (
        f'<span aria-hidden="true" style="display: inline-block; background: {colour}; '
        f'color: #ffffff; border-radius: 0.2em; padding: 0 0.35em;">{sign}</span>'
    )
    return f"<div>{shown} <strong>{html_text(verdict)}</strong></div>"


def parameter_table(content: Content) -> str:
    """Return the table of the parameters, with what the errors follow from below."""
    kept, last = content.columns, len(content.header) - 1
    head = "".join(_cell("th", content.header[k], k in (0, last), True) for k in kept)
    body = "".join(
        f"{_ROW}{''.join(_cell('td', row[k], k in (0, last), k == 0) for k in kept)}</tr>"
        for row in content.rows
    )
    table = f'<table style="{_TABLE}"><thead>{_ROW}{head}</tr></thead><tbody>{body}</tbody></table>'
    notes = [line for line in (content.note, content.errors) if line]
    below = "".join(f'<div style="{_FAINT}">{html_text(line)}</div>' for line in notes)
    return _SCROLLED.format('aria-label="Parameters"', table) + below


def _cell(tag: str, value: str, is_left: bool, is_bold: bool) -> str:
    align, weight = _LEFT if is_left else _RIGHT, "600" if is_bold else "400"
    # Only headings may have several lines.
    rule = " white-space: normal;" if tag == "th" else f" border-top: {_RULE};"
    scope = ' scope="col"' if tag == "th" else ""
    shown = html_text(value).replace("+- ", "&plusmn; ")
    return f'<{tag}{scope} style="{_CELL} {align} font-weight: {weight};{rule}">{shown}</{tag}>'


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table whose first column has names; "" without rows."""
    if not rows:
        return ""
    head = "".join(_cell("th", value, k == 0, True) for k, value in enumerate(header))
    body = "".join(
        f"{_ROW}{''.join(_cell('td', value, k == 0, k == 0) for k, value in enumerate(row))}</tr>"
        for row in rows
    )
    made = f'<table style="{_TABLE}"><thead>{_ROW}{head}</tr></thead><tbody>{body}</tbody></table>'
    return _SCROLLED.format('aria-label="Parameters"', made)


def facts_table(facts: Sequence[Fact]) -> str:
    """Return labels with their values; "" without any."""
    if not facts:
        return ""
    wrapped = "white-space: normal; overflow-wrap: anywhere;"
    lines = "".join(
        f'{_ROW}<th scope="row" style="{_CELL} {_LEFT} {_FAINT} font-weight: 400; '
        f'vertical-align: top; white-space: normal;">{html_text(label)}</th>'
        f'<td style="{_CELL} {_LEFT} {wrapped}">{html_text(value)}</td></tr>'
        for label, value in facts
    )
    return f'<table style="{_TABLE} font-size: 90%;"><tbody>{lines}</tbody></table>'


def warning_list(content: Content) -> str:
    """Return the warnings, each with a bar at its left side."""
    style = "border-left: 4px solid #d55e00; padding-left: 0.6em; margin: 0.4em 0;"
    return "".join(
        f'<div style="{style}"><strong>Warning:</strong> {html_text(line)}</div>'
        for line in content.warnings
    )


def correlation_matrix(found: Correlations) -> str:
    """Return the correlations as a table with colours, and a legend below."""
    rows, columns = found.names, found.names
    if sum(map(len, columns)) > _WIDTH:
        columns = tuple(str(k) for k in range(1, len(rows) + 1))
        rows = tuple(f"{k} {name}" for k, name in zip(columns, rows, strict=True))
    head = "".join(_name("col", name) for name in columns)
    lines = (
        f"{_ROW}{_name('row', name)}{''.join(_coloured(r) for r in row)}</tr>"
        for name, row in zip(rows, found.matrix.tolist(), strict=True)
    )
    corner = f'<td style="{_CELL}"></td>'
    table = (
        f'<table style="{_TABLE} font-size: 90%;"><thead>{_ROW}{corner}{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table>"
    )
    legend = f"<div>{' '.join(_swatches())}</div>"
    more = ""
    if found.left_out:
        more = (
            f'<div style="{_FAINT}">The {len(found.names)} parameters with the strongest '
            f"correlations; {found.left_out} others are left out.</div>"
        )
    return _SCROLLED.format('aria-label="Correlations"', table) + legend + more


def _name(scope: str, name: str) -> str:
    align = _LEFT if scope == "row" else "text-align: center;"
    return f'<th scope="{scope}" style="{_CELL} {align} font-weight: 600;">{html_text(name)}</th>'


def _coloured(r: float) -> str:
    ground, text = correlation_colours(r)
    style = f"{_CELL} text-align: center; background: {ground}; color: {text};"
    return f'<td style="{style}">{_shown(r)}</td>'


def _shown(r: float) -> str:
    """Return a correlation; more digits where it is nearly 1."""
    digits = 4 if 0.995 <= abs(r) < 1.0 else 2
    return f"{r:.{digits}f}".replace("-", "&minus;") if r == r else "&ndash;"


def _swatches() -> Iterable[str]:
    """Yield the legend of the colours."""
    yield "Correlation:"
    for r in (-1.0, -0.5, 0.0, 0.5, 1.0):
        ground, text = correlation_colours(r)
        sign = "+" if r > 0 else ""
        yield (
            f'<span style="background: {ground}; color: {text}; padding: 0.1em 0.5em;">'
            f"{sign}{r:g}</span>".replace(">-", ">&minus;")
        )


def folded(title: str, body: str) -> str:
    """Return a part that opens on a click; "" if it is empty."""
    if not body:
        return ""
    summary = f'<summary style="cursor: pointer;">{html_text(title)}</summary>'
    return f"<details>{summary}{body}</details>"
