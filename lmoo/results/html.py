"""The report of a solve for notebooks."""

from html import escape

from lmoo.results.fit import Fit
from lmoo.results.report import correlations, facts, rows, verdict, warnings

__all__ = ["html"]

# Colours are mixed from the notebook's text colour, so that they suit light and dark themes.
_RULE = "1px solid color-mix(in srgb, currentColor 25%, transparent)"
_CELL = "padding: 0.25em 0.9em; background: transparent; color: inherit; white-space: nowrap;"
_NUMBER = "font-variant-numeric: tabular-nums; text-align: right;"
_TABLE = "border-collapse: collapse; border: none; margin: 0.5em 0; color: inherit;"


def html(result: Fit) -> str:
    """Return the report as HTML, with every text in it escaped."""
    mark, colour = ("&#10003;", "#2a9d4a") if result.success else ("&#10007;", "#d1493f")
    parts = [
        f'<span style="color: {colour}; font-weight: 600;">{mark}</span> '
        f"<strong>{escape(verdict(result))}</strong>",
        f'<div style="opacity: 0.7; font-size: 90%;">{escape(result.message)}</div>',
        _parameters(result),
        _facts(result),
    ]
    parts += [
        f'<div style="border-left: 3px solid #d1913f; padding-left: 0.6em;">{escape(line)}</div>'
        for line in warnings(result)
    ]
    return f'<div style="color: inherit;">{"".join(parts)}</div>'


def _parameters(result: Fit) -> str:
    header, *body = rows(result)
    kept = [k for k in range(len(header)) if any(row[k] for row in body)]
    head = "".join(_cell("th", header[k], k == 0, "font-weight: 600;") for k in kept)
    lines = [
        "".join(_cell("td", row[k], k == 0, f"border-top: {_RULE};") for k in kept) for row in body
    ]
    table = "".join(f'<tr style="background: transparent;">{line}</tr>' for line in lines)
    return f'<table style="{_TABLE}"><thead><tr>{head}</tr></thead><tbody>{table}</tbody></table>'


def _cell(tag: str, value: str, first: bool, style: str) -> str:
    align = "text-align: left; font-weight: 600;" if first else _NUMBER
    shown = escape(value).replace("+- ", "&plusmn; ")
    return f'<{tag} style="{_CELL} {align} {style}">{shown}</{tag}>'


def _facts(result: Fit) -> str:
    found = facts(result)
    pairs = "; ".join(f"{a}, {b}: {r:.3f}" for a, b, r in correlations(result))
    if pairs:
        found.append(("correlations", pairs))
    lines = "".join(
        f'<tr style="background: transparent;">'
        f'<td style="{_CELL} text-align: left; opacity: 0.7;">{escape(label)}</td>'
        f'<td style="{_CELL} text-align: left; white-space: normal;">{escape(value)}</td></tr>'
        for label, value in found
    )
    return f'<table style="{_TABLE} font-size: 90%;"><tbody>{lines}</tbody></table>'
