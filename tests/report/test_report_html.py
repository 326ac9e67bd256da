"""The report for notebooks."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_cases import NAMES, NASTY, Checked, case, fitted, linear

from lmoo.results.report.colours import correlation_colours


def parsed(name: str) -> Checked:
    return Checked(case(name)._repr_html_())


@pytest.mark.parametrize("name", NAMES)
def test_it_is_well_formed_and_says_what_the_text_says(name: str) -> None:
    words = set(" ".join(parsed(name).text).split())
    lines = case(name).report(details=True).replace("+-", "\u00b1").splitlines()
    begin = next((k for k, line in enumerate(lines) if "correlations above" in line), 0)
    if begin:
        # Correlations are cells of the matrix here.
        end = next((k for k in range(begin, len(lines)) if not lines[k]), len(lines))
        del lines[begin:end]
    assert set(" ".join(lines).split()) <= words


def test_names_are_escaped() -> None:
    found = parsed("names")
    assert "script" not in {tag for tag, _ in found.tags}
    for name in NASTY:
        assert name in found.text
    assert "<script>" not in case("names")._repr_html_()


def test_every_colour_is_mixed_from_the_text_or_has_its_ground() -> None:
    for tag, attributes in parsed("curve").tags:
        style = attributes.get("style") or ""
        colours = [part.strip() for part in style.split(";")]
        fixed = [part for part in colours if re.match(r"color: #", part)]
        grounds = [part for part in colours if re.match(r"background: #", part)]
        assert len(fixed) == len(grounds), (tag, style)


def luminance(colour: str) -> float:
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


@given(st.floats(-1.0, 1.0))
def test_correlations_are_legible(r: float) -> None:
    ground, text = map(luminance, correlation_colours(r))
    assert (max(ground, text) + 0.05) / (min(ground, text) + 0.05) >= 4.5


def test_colours_with_a_ground_are_legible() -> None:
    styles = [attributes.get("style") or "" for _, attributes in parsed("ties").tags]
    styles += [attributes.get("style") or "" for _, attributes in parsed("maxfev").tags]
    found = [re.search(r"background: (#\w{6}); color: (#\w{6})", style) for style in styles]
    pairs = {match.groups() for match in found if match}
    assert len(pairs) > 4
    for colours in pairs:
        low, high = sorted(map(luminance, colours))
        assert (high + 0.05) / (low + 0.05) >= 4.5


def test_the_matrix_has_names_values_and_a_legend() -> None:
    result = fitted()
    html = result._repr_html_()
    assert html.count('scope="row"') >= 3
    for r in result.correlation[np.triu_indices(3, 1)]:
        digits = 4 if abs(r) >= 0.995 else 2
        assert html.count(f">{r:.{digits}f}<".replace("-", "&minus;")) >= 2
    for end in (">&minus;1<", ">+1<", "Correlation:"):
        assert end in html


def test_a_large_matrix_has_the_strongest_correlations() -> None:
    html = case("hundred")._repr_html_()
    assert "The 12 parameters with the strongest correlations; 88 others are left out." in html


def test_long_names_have_numbers_as_columns() -> None:
    result = linear(4, [f"a_long_name_of_a_parameter_{j}" for j in range(4)])
    text = Checked(result._repr_html_()).text
    assert {"1", "2", "3", "4", "1 a_long_name_of_a_parameter_0"} <= set(text)


def test_details_are_folded() -> None:
    html = fitted()._repr_html_()
    assert Checked(html).all("details")
    folded = html[html.index("<summary style", html.index("Details") - 60) :]
    assert "evaluations" in folded
    assert "evaluations" not in html[: html.index("<details")]
    assert "<details open" not in html
