"""The report of a result."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from result_cases import START, Decay, linear, solved

from lmoo import FunctionProblem, Solver, Status


def test_the_report_has_it_all() -> None:
    result = Solver().solve(Decay(), START)
    text = str(result)
    assert "a minimum was found" in text
    assert f"(status {int(result.status)}, {result.status.name})" in text
    assert result.message in text
    for name, value, error in zip(
        ("amplitude", "rate"), result.x, result.standard_errors, strict=True
    ):
        (line,) = (line for line in text.splitlines() if line.split()[:1] == [name])
        assert f"{value:.6g}"[:6] in line
        assert f"+- {error:.4g}" in line
    assert f"{result.cost:.6g}"[:6] in text
    assert f"{result.nfev} residuals, {result.njev} Jacobians, {result.nit} iterations" in text
    assert "12, 2 (10 degrees of freedom)" in text


def test_print_prints_the_report(capsys: pytest.CaptureFixture[str]) -> None:
    result = Solver().solve(Decay(), START)
    print(result)
    assert capsys.readouterr().out == f"{result}\n"


@pytest.mark.parametrize(
    ("problem", "options", "status"),
    [
        (Decay(), {"maxfev": 2}, Status.MAXFEV),
        (FunctionProblem(lambda x: np.ones(3)), {}, Status.FLAT),
        (FunctionProblem(Decay().residual, lambda x: -Decay().jacobian(x)), {}, Status.NO_PROGRESS),
    ],
    ids=["maxfev", "flat", "wrong sign"],
)
def test_the_report_of_a_failure_says_no(problem: Any, options: Any, status: Any) -> None:
    result = Solver(**options).solve(problem, START)
    text = str(result)
    assert text.startswith("Nonlinear least squares: NO minimum was found")
    assert result.status.reason in text
    assert result.status is status


def test_the_report_aligns_long_names_and_any_number() -> None:
    names = ("a", "a very long name of a parameter indeed", "é")
    A, y, _ = solved(1)
    units = np.array([1e-12, 1.0, 1e12])
    problem = FunctionProblem(
        lambda x: A / units @ x - y, lambda x: A / units, parameter_names=names
    )
    lines = str(Solver().solve(problem, units)).splitlines()
    begin = next(k for k, line in enumerate(lines) if "standard error" in line)
    table = lines[begin : begin + 4]
    assert len({len(line) for line in table}) == 1
    assert [line[2:].split("  ")[0] for line in table[1:]] == list(names)


def test_a_parameter_of_zero_has_no_relative_error() -> None:
    A = np.array([[1.0], [1.0]])
    result = Solver().solve(linear(A, np.array([1.0, -1.0])), [0.0])
    assert result.x[0] == 0.0
    (line,) = (line for line in str(result).splitlines() if line.strip().startswith("x[0]"))
    # Name, value, error with its sign, and this.
    assert line.split()[4] == "-"


def test_repr_is_short_and_str_is_the_report() -> None:
    result = Solver().solve(Decay(), START)
    assert repr(result).startswith("Result(x=array(")
    assert str(result) != repr(result)
