r"""The report as LaTeX: a table with a caption, without packages."""

import re

from lmoo.results.report.content import Content
from lmoo.results.report.escaping import latex_text

# A number with an exponent, which may end an interval.
_POWER = re.compile(r"(?<![\w.])(-?\d+(?:\.\d+)?)e([+-]\d+)(?![\w.])")


def latex(content: Content, caption: str | None = None, label: str | None = None) -> str:
    """Return a table of the parameters with a caption."""
    kept = content.columns
    # Names and limits are aligned left, numbers right.
    aligned = "".join("l" if k in (0, len(content.header) - 1) else "r" for k in kept)
    head = " & ".join(latex_text(content.header[k]).capitalize() for k in kept)
    lines = [" & ".join(_cell(row[k], k == 0) for k in kept) + r" \\" for row in content.rows]
    named = [rf"  \label{{{label}}}"] if label else []
    return "\n".join(
        [
            r"\begin{table}[htbp]",
            r"  \centering",
            rf"  \caption{{{_caption(content) if caption is None else caption}}}",
            *named,
            rf"  \begin{{tabular}}{{{aligned}}}",
            r"    \hline",
            rf"    {head} \\",
            r"    \hline",
            *(f"    {line}" for line in lines),
            r"    \hline",
            r"  \end{tabular}",
            r"\end{table}",
        ]
    )


def _caption(content: Content) -> str:
    """Return the verdict, model and data, the quality and the origin of the errors."""
    facts = dict(content.goodness)
    kept = ("observations, parameters", "reduced chi-square", "loss", "R squared")
    said = [f"{label} {value}" for label, value in content.subject]
    said += [f"{label} {facts[label]}" for label in kept if label in facts]
    sentences = [content.verdict, "; ".join(said), content.errors.removesuffix(".")]
    sentences += [line.removesuffix(".") for line in (content.note, *content.warnings) if line]
    return " ".join(f"{latex_text(sentence)}." for sentence in sentences if sentence)


def _cell(text: str, is_name: bool) -> str:
    """Return a cell: names as text, numbers as formulas."""
    if is_name:
        return latex_text(text)
    found = re.fullmatch(r"\+- (\S+)", text)
    if found:
        return rf"$\pm {_number(found[1])}$"
    ends = text.split(" .. ")
    if len(ends) == 2 and all(_is_number(end) for end in ends):
        return rf"${_number(ends[0])} \ldots {_number(ends[1])}$"
    return f"${_number(text)}$" if _is_number(text) else latex_text(text)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text


def _number(text: str) -> str:
    r"""Return a number in a formula: 1.5e-07 as 1.5 \times 10^{-7}."""
    shown = text.replace("inf", r"\infty").replace("nan", r"\mathrm{nan}")
    return _POWER.sub(lambda m: rf"{m[1]} \times 10^{{{int(m[2])}}}", shown)
