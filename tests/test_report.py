"""The report of a result, as text and for notebooks."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

import lmoo
from lmoo import CurveProblem, FunctionProblem, Result, Solver

T = np.linspace(0.0, 2.0, 12)
Y = 2.0 * np.exp(-1.3 * T) + 0.3 + 0.05 * np.cos(7.0 * T)


def decay(t: Any, amplitude: float, rate: float, offset: float) -> Any:
    return amplitude * np.exp(-rate * t) + offset


def fitted(**options: Any) -> Result:
    return Solver(**options).solve(CurveProblem(decay, T, Y), [1.0, 1.0, 0.2])


def row(result: Result, name: str) -> str:
    """The line of the table for a parameter."""
    table = str(result).split("\n\n")[1].splitlines()
    (line,) = (line for line in table if line.split()[:1] == [name])
    return line


def fact(result: Result, label: str) -> str:
    (line,) = (line for line in str(result).splitlines() if line.strip().startswith(label))
    return line.strip()[len(label) :].strip()


# ============================================================================ text


def test_a_row_has_value_error_and_interval() -> None:
    result = fitted()
    for j, name in enumerate(result.parameter_names):
        value, error = result.x[j], result.stderr[j]
        low, high = result.confidence_interval()[j]
        line = row(result, name)
        assert line.split()[1] == f"{value:.10g}"
        assert f"+- {error:.4g}" in line
        assert f"{100 * error / value:.2g} %" in line
        ends = [float(end) for end in line.split("%")[1].split("..")]
        np.testing.assert_allclose(ends, [low, high], rtol=1e-3)


def test_the_interval_has_the_digits_that_tell_its_ends_apart() -> None:
    random = np.random.default_rng(0)
    y = 1e6 + 1e-3 * random.normal(size=20)
    result = Solver().solve(CurveProblem(lambda t, a: a + 0 * t, np.arange(20.0), y), [1.0])
    low, high = (float(end) for end in row(result, "a").split("%")[1].split(".. "))
    np.testing.assert_allclose([low, high], result.confidence_interval()[0], rtol=1e-11)
    assert high - low > 0


def test_fixed_parameters_and_bounds_are_said() -> None:
    low = float(fitted().x[1]) + 0.5
    problem = CurveProblem(decay, T, Y, bounds={"rate": (low, None), "offset": (0, 5)})
    result = Solver(fixed=["amplitude"]).solve(problem, [2.0, low + 1, 0.2])
    assert row(result, "amplitude").split() == ["amplitude", "2", "fixed", "-", "-"]
    assert row(result, "rate").split()[2:] == ["at", "lower", "bound", "-", "-", f"{low:.6g}", ".."]
    assert row(result, "offset").endswith("0 .. 5")
    assert "Active bounds: rate; the standard errors of the other parameters" in str(result)
    assert fact(result, "rank of the Jacobian") == "1 of 1"


def test_an_upper_bound_is_called_so() -> None:
    free = fitted()
    result = fitted(bounds={"offset": (None, free.x[2] - 0.1)})
    assert "at upper bound" in row(result, "offset")
    assert row(result, "offset").endswith(f".. {free.x[2] - 0.1:.6g}")


def test_bounds_have_no_column_where_there_are_none() -> None:
    assert "bounds" not in str(fitted()).splitlines()[3]
    assert "bounds" in str(fitted(bounds=(-5, 5))).splitlines()[3]


def test_no_line_ends_in_blanks() -> None:
    for result in (fitted(), fitted(bounds={"rate": (0, None)}, fixed=["offset"])):
        assert all(line == line.rstrip() for line in str(result).splitlines())


def test_the_facts() -> None:
    result = fitted()
    assert fact(result, "reduced chi-square") == f"{result.reduced_chi_square:.6g}"
    assert fact(result, "R squared") == f"{result.r_squared:.6g}"
    assert fact(result, "AIC, BIC") == f"{result.aic:.6g}, {result.bic:.6g}"
    assert fact(result, "rank of the Jacobian") == "3 of 3"
    assert fact(result, "time").split()[1] in ("us", "ms", "s")


def test_what_is_not_known_is_not_said() -> None:
    result = Solver().iterate(FunctionProblem(lambda x: x), [1.0, 2.0]).result
    labels = str(result)
    assert "R squared" not in labels
    assert "time" not in labels
    assert "correlations" not in labels


@pytest.mark.parametrize(
    ("seconds", "text"), [(2.5e-5, "25 us"), (0.0125, "12.5 ms"), (3.0, "3 s")]
)
def test_the_time_has_a_unit(seconds: float, text: str) -> None:
    import dataclasses

    assert fact(dataclasses.replace(fitted(), seconds=seconds), "time") == text


def linear(A: np.ndarray, names: list[str]) -> Result:
    y = np.arange(len(A), dtype=float) ** 1.5
    problem = FunctionProblem(lambda x: A @ x - y, parameter_names=names)
    return Solver().solve(problem, np.ones(A.shape[1]))


def test_correlations_above_a_tenth_are_listed_the_strongest_first() -> None:
    A = np.linalg.qr(np.random.default_rng(1).normal(size=(12, 3)))[0]
    A[:, 1] += 0.5 * A[:, 0]
    A[:, 2] += 0.02 * A[:, 0]
    result = linear(A, ["a", "b", "c"])
    r = result.correlation
    assert abs(r[0, 2]) < 0.1 < abs(r[0, 1])
    assert fact(result, "correlations above 0.1") == f"a, b  {r[0, 1]:.4f}"


def test_of_many_correlations_the_rest_is_counted() -> None:
    random = np.random.default_rng(2)
    A = random.normal(size=(12, 6)) + 3.0
    result = linear(A, list("abcdef"))
    lines = str(result).splitlines()
    begin = next(k for k, line in enumerate(lines) if "correlations above" in line)
    listed = [abs(float(line.split()[-1])) for line in lines[begin : begin + 12]]
    assert listed == sorted(listed, reverse=True)
    count = int((np.abs(np.triu(result.correlation, 1)) > 0.1).sum())
    assert count > 12
    assert lines[begin + 12].strip() == f"and {count - 12} more"


def test_the_sentence_on_nonlinearity_comes_when_asked_for() -> None:
    result = fitted()
    assert "curvature" not in str(result)
    assert result.report(nonlinearity=True) == f"{result}\n  {result.nonlinearity()}"


# ============================================================================ notebooks


class Checked(HTMLParser):
    """Every tag that opens closes, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.open.append(tag)
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def parsed(result: Result) -> Checked:
    found = Checked()
    found.feed(result._repr_html_())
    found.close()
    assert found.open == []
    return found


@pytest.mark.parametrize(
    "result",
    [
        fitted(),
        fitted(bounds={"offset": (0.1, 0.25)}, fixed=["rate"]),
        Solver().solve(FunctionProblem(lambda x: np.ones(3)), [1.0, 2.0]),
        Solver().iterate(FunctionProblem(lambda x: x), [1.0, 2.0]).result,
    ],
    ids=["plain", "held", "flat", "unfinished"],
)
def test_html_is_well_formed_and_says_what_the_text_says(result: Result) -> None:
    words = "|".join(parsed(result).text)
    for line in str(result).split("\n\n")[1].splitlines()[1:]:
        for word in line.replace("+- ", "\u00b1 ").split("  "):
            assert word.strip() in words
    assert str(result).splitlines()[0] in words
    assert f"{result.nfev} residuals" in words


def test_html_escapes_names() -> None:
    names = ["<script>alert(1)</script>", "a & b"]
    result = linear(np.random.default_rng(0).normal(size=(6, 2)) + 2.0, names)
    found = parsed(result)
    assert "script" not in found.tags
    assert found.text.count(names[0]) == 1
    assert found.text.count(names[1]) == 1
    assert "<script>" not in result._repr_html_()


def test_html_has_no_colours_that_a_dark_page_would_swallow() -> None:
    html = fitted()._repr_html_()
    assert "background: transparent" in html
    for colour in (": white", ": black", "#fff", "#000", "#333"):
        assert colour not in html


def test_the_report_of_a_problem_in_blocks() -> None:
    class InBlocks(lmoo.RowBlockProblem):
        def residual(self, x: np.ndarray, block: Any) -> np.ndarray:
            return decay(block[0], *x) - block[1]

    result = Solver().solve(InBlocks([(T, Y)]), [1.0, 1.0, 0.2])
    assert "a minimum was found" in str(result)
    assert parsed(result).text
