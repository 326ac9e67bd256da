"""Warnings of the report."""

from __future__ import annotations

import numpy as np
import pytest
from report_cases import NAMES, T, Y, case, fitted, linear

import lmoo
from lmoo import FunctionProblem, Result, Solver
from lmoo.results.outliers import outliers

ENZYME = np.repeat([0.02, 0.06, 0.11], 2), np.array([76, 47, 97, 107, 123, 139.0])


def warnings(result: Result) -> list[str]:
    found = [line.strip() for line in str(result).splitlines()]
    return [line.removeprefix("Warning: ") for line in found if line.startswith("Warning: ")]


def test_a_good_fit_has_none() -> None:
    assert warnings(fitted()) == []
    t = np.linspace(0.0, 4.0, 50)
    assert warnings(lmoo.fit("a*exp(-b*t)", t, np.exp(-t) + 0.01 * np.cos(9 * t))) == []


@pytest.mark.parametrize("name", NAMES)
def test_they_are_in_every_form(name: str) -> None:
    result = case(name)
    found = warnings(result)
    assert len(found) == result.to_markdown().count("**Warning:**")
    assert len(found) == result._repr_html_().count("<strong>Warning:</strong>")
    assert (result.to_dict()["warnings"] if not result.is_part else found) == found


def test_few_degrees_of_freedom() -> None:
    few = linear(3, m=5)
    assert "Only 2 degrees of freedom: the standard errors have errors of about 50 %" in str(few)
    assert "Only 1 degree of freedom:" in str(linear(3, m=4))
    assert "Only" not in str(linear(3, m=9))


def test_no_degree_of_freedom() -> None:
    (line,) = warnings(case("no freedom"))
    assert line.startswith("There are as many parameters as observations, or more")


def test_undetermined_parameters() -> None:
    A = np.random.default_rng(0).normal(size=(12, 3))
    A[:, 2] = A[:, 1]
    problem = FunctionProblem(lambda x: A @ x - T, parameter_names=["a", "b", "c"])
    result = Solver().solve(problem, np.ones(3))
    assert warnings(result) == ["The Jacobian has rank 2 of 3: the data do not determine b, c."]


def test_a_failed_fit_says_which_parameters_have_no_effect() -> None:
    result = case("flat")
    assert warnings(result) == [
        "The Jacobian has rank 0 of 2: the data do not determine x[0], x[1]."
    ]


def test_active_bounds() -> None:
    (line,) = warnings(case("bounds"))
    assert line.startswith("Active bounds: offset;")


def test_strong_correlations() -> None:
    t = 100.0 + np.linspace(0.0, 1.0, 20)
    result = lmoo.fit("a + b*t", t, 3.0 + 2.0 * t + 0.1 * np.cos(50 * t))
    (line,) = warnings(result)
    assert line.startswith("Strong correlations: a and b (-1.0000)")


def test_outliers_are_counted_and_named() -> None:
    t = np.linspace(0.0, 6.0, 60)
    y = 3 * np.exp(-t) + 0.5 + 0.05 * np.cos(40 * t)
    y[[5, 41]] += [2.0, -1.5]
    result = lmoo.fit("a*exp(-b*t) + c", t, y)
    (line,) = (line for line in warnings(result) if "larger than" in line)
    assert line.startswith("2 of 60 residuals are larger than 3.8 standard deviations")
    assert "residual[5], residual[41]" in line
    assert outliers(result).nonzero()[0].tolist() == [5, 41]


def test_good_points_are_no_outliers() -> None:
    random = np.random.default_rng(0)
    t = np.linspace(0.0, 1.0, 50)
    found = sum(outliers(lmoo.fit("a + b*t", t, random.normal(size=50))).any() for _ in range(200))
    # 1 in 100 is expected; 8 or more of 200 have a probability of 1e-3.
    assert found < 8


def test_a_loss_counts_outliers_instead() -> None:
    result = case("robust")
    assert "points of weight below 1/2  2 of 12" in str(result)
    assert not any("larger than" in line for line in warnings(result))


def test_strong_nonlinearity_is_found_for_models_that_are_data() -> None:
    result = lmoo.fit("vmax*t/(k + t)", *ENZYME)
    (line,) = (line for line in warnings(result) if "curvature" in line)
    assert line.startswith(str(result.nonlinearity()))
    assert "confidence_interval(method='profile')" in line


def test_no_function_of_the_user_is_called_for_a_report() -> None:
    calls = []

    def model(t: np.ndarray, vmax: float, k: float) -> np.ndarray:
        calls.append(1)
        return vmax * t / (k + t)

    problem = lmoo.CurveProblem(model, *ENZYME)
    result = Solver().solve(problem, [200.0, 0.1])
    calls.clear()
    for _ in range(2):
        str(result), result._repr_html_(), result.to_latex(), result.to_markdown()
        result.to_dict()
    assert calls == []


def test_the_sentence_on_nonlinearity_comes_when_asked_for() -> None:
    result = fitted()
    assert "curvature" not in str(result)
    assert result.report(nonlinearity=True) == f"{result}\n\n  Warning: {result.nonlinearity()}"
    strong = lmoo.fit("vmax*t/(k + t)", *ENZYME)
    # Once, not twice.
    assert strong.report(nonlinearity=True).count("curvature") == 1


def test_stored_results_keep_the_warnings() -> None:
    result = lmoo.fit("vmax*t/(k + t)", *ENZYME)
    again = Result.from_dict(result.to_dict())
    assert warnings(again) == warnings(result)
    assert again.to_json() == result.to_json()
    assert Y.size == 12
