"""The report as LaTeX and as Markdown, and as a dict."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from report_cases import FAILED, NAMES, NASTY, case, fitted, linear

import lmoo
from lmoo import Result
from lmoo.results.report.escaping import latex_text, markdown_text, visible

LINE = lmoo.fit("a + b*t", np.arange(12.0), 1e-9 * (1 + 2 * np.arange(12.0) + np.cos(range(12))))


@pytest.mark.parametrize("name", NAMES)
def test_latex_has_as_many_cells_in_each_row(name: str) -> None:
    lines = case(name).to_latex().splitlines()
    (begin,) = (line for line in lines if r"\begin{tabular}" in line)
    columns = len(re.search(r"\{([lr]+)\}$", begin)[1])
    rows = [line for line in lines if line.endswith(r" \\")]
    for line in rows:
        assert len(re.findall(r"(?<!\\)&", line)) == columns - 1
        assert line.count("$") % 2 == line.count(r"\$") % 2
    assert lines[0] == r"\begin{table}[htbp]"
    assert lines[-1] == r"\end{table}"
    for environment in ("table", "tabular"):
        assert len([x for x in lines if rf"\begin{{{environment}}}" in x]) == 1
        assert len([x for x in lines if rf"\end{{{environment}}}" in x]) == 1
    # Braces are balanced, apart from those that are escaped.
    plain = re.sub(r"\\[{}]", "", "\n".join(lines))
    assert plain.count("{") == plain.count("}")
    assert "toprule" not in plain


def test_latex_writes_exponents_as_powers() -> None:
    text = LINE.to_latex(caption="C", label="tab:line")
    (row,) = (line for line in text.splitlines() if line.strip().startswith("b &"))
    power = r"\\times 10\^\{-9\}"
    assert re.search(rf"\$1\.938 {power}\$ & \$\\pm 0\.06\d* {power}\$", row)
    assert r"  \caption{C}" in text
    assert r"  \label{tab:line}" in text
    assert r"\infty" in case("no freedom").to_latex()


def test_latex_says_the_verdict_and_the_errors_in_the_caption() -> None:
    (caption,) = (line for line in fitted().to_latex().splitlines() if r"\caption" in line)
    assert "Converged: a minimum was found" in caption
    assert "12, 3 (9 degrees of freedom)" in caption
    assert "no sigma was given." in caption


def test_names_are_escaped_for_latex() -> None:
    assert latex_text("a_b{c}$%#&~^\\<") == (
        r"a\_b\{c\}\$\%\#\&\textasciitilde{}\textasciicircum{}\textbackslash{}\textless{}"
    )
    text = case("names").to_latex()
    assert latex_text(NASTY[2]) in text
    assert r"a \& b\_1" in text


@pytest.mark.parametrize("name", NAMES)
def test_markdown_has_as_many_cells_in_each_row(name: str) -> None:
    text = case(name).to_markdown(details=True)
    assert text.startswith("**Not conv" if name in FAILED else "**Converged: a minimum was found")
    for block in text.split("\n\n"):
        rows = [line for line in block.splitlines() if line.startswith("|")]
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in rows}) <= 1
        if rows:
            assert re.fullmatch(r"\| [-:| ]+ \|", rows[1])
    assert "| derivatives |" in text or case(name).problem is None
    assert "| evaluations |" in text
    assert "| evaluations |" not in case(name).to_markdown()


def test_names_are_escaped_for_markdown() -> None:
    assert markdown_text("a_b|*c*<d>") == r"a\_b\|\*c\*\<d\>"
    text = case("names").to_markdown()
    assert markdown_text(NASTY[0]) in text
    assert "<script>" not in text


def test_unprintable_characters_are_escaped_everywhere() -> None:
    for escape in (visible, latex_text, markdown_text):
        assert "\x1b" not in escape("\x1b[31m\u202e")


# ============================================================================ the dict

KEYS = {
    "parameter_names", "status", "success", "absolute_sigma", "subject", "warnings", "nonlinearity",
    "degrees_of_freedom", "rank", "undetermined", "reduced_chi_square", "aic", "bic",
    "standard_errors", "covariance", "correlation", "confidence_interval", "evaluation", "cost",
    "observations", "message", "nfev", "njev", "nit", "fnorm", "seconds", "x", "residual", "lower",
    "upper", "fixed", "active_mask", "gradient", "x0", "estimated_t", "robust", "factor", "related",
    "params", "derived", "units", "units_of", "r_squared",
}  # fmt: skip


@pytest.mark.parametrize("name", [name for name in NAMES if name != "part"])
def test_the_dict_has_its_keys_and_comes_back(name: str) -> None:
    result = case(name)
    stored = result.to_dict()
    assert set(stored) == KEYS
    json.dumps(stored)
    again = Result.from_dict(json.loads(result.to_json()))
    assert again.to_json() == result.to_json()
    assert again.evaluation == result.evaluation
    # The report of a stored result has what the problem has told.
    assert str(again).splitlines()[:5] == str(result).splitlines()[:5]
    (origin,) = (x for x in str(result).splitlines() if x.startswith(("  Standard", "  No st")))
    assert origin in str(again).splitlines()


def test_the_documentation_lists_the_keys() -> None:
    from pathlib import Path

    text = (Path(__file__).parents[2] / "docs" / "report.rst").read_text(encoding="utf-8")
    assert {f"``{key}``" for key in KEYS} <= set(re.findall(r"``\w+``", text))


@pytest.mark.parametrize("name", ["evaluation", "subject", "nonlinearity", "x0"])
def test_bad_entries_are_refused(name: str) -> None:
    stored = fitted().to_dict()
    for wrong in (17, {"a": 1}, [1.0]):
        if name == "nonlinearity" or wrong != {"a": 1}:
            with pytest.raises(ValueError, match="stored must be what"):
                Result.from_dict({**stored, name: wrong})
    # What earlier versions have stored has none of these.
    stored.pop(name)
    assert Result.from_dict(stored).parameter_names == fitted().parameter_names


def test_start_values_are_kept() -> None:
    result = fitted()
    assert result.x0.tolist() == [1.0, 1.0, 0.2]
    assert Result.from_dict(result.to_dict()).x0.tolist() == [1.0, 1.0, 0.2]
    assert case("part").x0.tolist() == [1.0, 0.0]
    assert case("ties").x0.tolist() == [2.0, 1.0, pytest.approx(1 / 3)]
    assert linear(2).x0.tolist() == [1.0, 1.0]
