"""The report as text."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from report_cases import FAILED, NAMES, T, Y, case, decay, fitted, linear

import lmoo
from lmoo import CurveProblem, FunctionProblem, Result, Solver, Status


def row(result: Result, name: str) -> str:
    """The line of the table for a parameter."""
    (line,) = (line for line in str(result).splitlines() if line.split()[:1] == [name])
    return line


def fact(result: Result, label: str) -> str:
    """The value behind a label, of the report with details."""
    lines = result.report(details=True).splitlines()
    (line,) = (line for line in lines if line.strip().startswith(label))
    return line.strip()[len(label) :].strip()


# ============================================================================ every kind of fit


@pytest.mark.parametrize("name", NAMES)
def test_the_report_begins_with_the_verdict(name: str) -> None:
    result = case(name)
    lines = result.report(details=True).splitlines()
    status = f"(status {int(result.status)}, {result.status.name})"
    good = name not in FAILED
    assert bool(result) == result.success == good
    verdict = "Converged: a minimum was found" if good else "Not converged: NO minimum was found"
    assert lines[0] == f"{verdict} {status}"
    assert lines[1].strip() == result.message.split(" (ftol")[0]
    assert all(line == line.rstrip() for line in lines)
    assert max(map(len, lines)) < 400
    assert len(lines) < 260


@pytest.mark.parametrize("name", FAILED)
def test_a_failed_fit_has_neither_errors_nor_intervals(name: str) -> None:
    result = case(name)
    for text in (str(result), result._repr_html_(), result.to_latex(), result.to_markdown()):
        assert "NO minimum was found" in text
        assert "No standard errors and no intervals, as no minimum was found" in text
        for word in ("+-", "±", "plusmn", r"\pm", "interval</th>", "correlations above", "AIC"):
            assert word not in text
    assert "+-" not in repr(result.params)
    assert "no minimum was found: the values have no standard errors" in repr(result.params)


def test_print_prints_the_report(capsys: pytest.CaptureFixture[str]) -> None:
    result = fitted()
    print(result)
    assert capsys.readouterr().out == f"{result}\n"
    assert repr(result).startswith("Result(x=array(")


# ============================================================================ the table


def test_a_row_has_value_error_interval_and_start() -> None:
    result = fitted()
    for j, name in enumerate(result.parameter_names):
        value, error = result.x[j], result.stderr[j]
        low, high = result.confidence_interval()[j]
        words = row(result, name).split()
        assert words[2] == "+-"
        found = [float(words[k]) for k in (1, 3, 6, 8)]
        # All end at the second digit of the error.
        np.testing.assert_allclose(found, [value, error, low, high], rtol=0, atol=0.05 * error)
        assert words[4:6] == f"{100 * error / value:.2g} %".split()
        assert float(words[9]) == [1.0, 1.0, 0.2][j]


def test_the_interval_has_the_digits_that_tell_its_ends_apart() -> None:
    random = np.random.default_rng(0)
    y = 1e6 + 1e-3 * random.normal(size=20)
    result = Solver().solve(CurveProblem(lambda t, a: a + 0 * t, np.arange(20.0), y), [1.0])
    low, _, high = row(result, "a").split("%")[1].split()[:3]
    ends = [float(low), float(high)]
    np.testing.assert_allclose(ends, result.confidence_interval()[0], rtol=0, atol=1e-5)
    assert ends[1] - ends[0] > 0


def test_fixed_parameters_and_bounds_are_said() -> None:
    low = float(fitted().x[1]) + 0.5
    problem = CurveProblem(decay, T, Y, bounds={"rate": (low, None), "offset": (0, 5)})
    result = Solver(fixed=["amplitude"]).solve(problem, [2.0, low + 1, 0.2])
    assert row(result, "amplitude").split() == ["amplitude", "2", "fixed", "-", "-"]
    words = row(result, "rate").split()
    assert words[2:] == ["at", "lower", "bound", "-", "-", f"{low + 1:.6g}", f"{low:.6g}", ".."]
    assert row(result, "offset").endswith("0 .. 5")
    assert "Warning: Active bounds: rate; the standard errors of the other" in str(result)
    assert fact(result, "rank of the Jacobian") == "1 of 1"
    upper = fitted(bounds={"offset": (None, fitted().x[2] - 0.1)})
    assert "at upper bound" in row(upper, "offset")


def test_ties_priors_and_derived_quantities_are_said() -> None:
    result = case("ties")
    assert row(result, "c").endswith("= a/6")
    assert row(result, "b").endswith("prior 1.3 +- 0.5")
    assert row(result, "tau").endswith("= 1/b")
    assert "bounds, ties, priors" in str(result)
    # A tied parameter is correlated by its tie.
    assert "a, c" not in str(result)


def test_columns_without_entries_are_left_out() -> None:
    assert "bounds" not in str(fitted())
    assert "bounds" in str(fitted(bounds=(-5, 5)))
    assert "start" in str(fitted())
    assert "start" not in str(dataclasses.replace(fitted(), x0=None))


def test_the_start_of_an_eliminated_parameter_is_not_said() -> None:
    result = case("separable")
    assert np.isnan(result.x0).tolist() == [True, False, True]
    assert row(result, "rate").split()[-1] == "1"
    assert len(row(result, "offset").split()) == len(row(result, "rate").split()) - 1


def test_names_of_any_length_and_numbers_of_any_size_are_aligned() -> None:
    names = ("a", "a very long name of a parameter indeed", "é")
    units = np.array([1e-12, 1.0, 1e12])
    random = np.random.default_rng(1)
    A, y = random.normal(size=(10, 3)), random.normal(size=10)
    problem = FunctionProblem(
        lambda x: A / units @ x - y, lambda x: A / units, parameter_names=names
    )
    lines = str(Solver().solve(problem, units)).splitlines()
    begin = next(k for k, line in enumerate(lines) if "standard error" in line)
    table = lines[begin : begin + 4]
    assert len({len(line) for line in table}) == 1
    assert [line[2:].split("  ")[0] for line in table[1:]] == list(names)


def test_a_parameter_of_zero_has_no_relative_error() -> None:
    ones = np.ones((2, 1))
    problem = FunctionProblem(lambda x: ones @ x - np.array([1.0, -1.0]), lambda x: ones)
    result = Solver().solve(problem, [0.0])
    assert result.x[0] == 0.0
    assert row(result, "x[0]").split()[4] == "-"


def test_a_large_relative_error_is_limited() -> None:
    y = np.array([1.0, -1.0, 1.0, -1.0 + 1e-6])
    result = Solver().solve(FunctionProblem(lambda x: x[0] * np.ones(4) - y), [0.0])
    assert "> 1000 %" in row(result, "x[0]")


def test_of_many_parameters_the_first_have_rows() -> None:
    text = str(case("many"))
    assert "The table has the first 200 of 210 parameters." in text
    rows = [line.split() for line in text.splitlines() if line.startswith("  p") and "+-" in line]
    assert [row[0] for row in rows] == [f"p{j}" for j in range(200)]
    assert "The table has" not in str(case("hundred"))


def test_own_parameters_of_a_large_joint_fit_are_summarised() -> None:
    result = case("large joint")
    lines = str(result).splitlines()
    assert any(line.startswith("  slope ") for line in lines)
    (own,) = (line for line in lines if line.startswith("  offset, median of 250"))
    assert "values 0.00" in own
    assert ".. 249" in own
    assert "Of the 250 parameters that belong to one problem each" in str(result)
    assert "250 problems with shared parameters: slope" in str(result)
    assert "offset[2]" in str(case("joint"))


# ============================================================================ model, data, errors


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("curve", ["model decay(t, amplitude, rate, offset)", "data 12 points, y against t"]),
        ("text", ["model a*exp(-b*t) + c"]),
        ("sigma", ["data 12 points, y against t, with sigma"]),
        ("covariance", ["data 12 points, y against t, with a covariance matrix"]),
        ("complex", ["model _complex(w, r, tau)", "data 12 complex points, y against w"]),
        ("errors in x", ["data 12 points, y against t, both with errors"]),
        ("plain", ["problem FunctionProblem"]),
        ("joint", ["problem 3 problems with shared parameters: slope"]),
        ("part", ["model line(t, slope, offset)"]),
        ("blocks", ["problem _InBlocks"]),
        ("stored", ["model decay(t, amplitude, rate, offset)", "data 12 points, y against t"]),
    ],
)
def test_what_was_fitted_is_said(name: str, lines: list[str]) -> None:
    text = [" ".join(line.split()) for line in str(case(name)).splitlines()]
    assert set(lines) <= set(text)


def test_labels_of_the_problem_are_used() -> None:
    problem = CurveProblem(decay, T, Y)
    problem.labels = ("time (s)", None)
    result = Solver().solve(problem, [1.0, 1.0, 0.2])
    assert "12 points, y against time (s)" in str(result)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("curve", "scaled by the scatter of the residuals; no sigma was given."),
        ("sigma", "scaled by the scatter of the residuals; sigma is relative."),
        ("plain", "scaled by the scatter of the residuals."),
        ("robust", "by the sandwich formula of the loss; sigma is relative."),
    ],
)
def test_what_the_errors_follow_from_is_said_in_every_form(name: str, sentence: str) -> None:
    result = case(name)
    assert sentence in str(result)
    assert sentence in result._repr_html_()
    assert sentence.removesuffix(".") in result.to_latex()
    assert sentence in result.to_markdown()


def test_absolute_errors_are_said() -> None:
    problem = CurveProblem(decay, T, Y, sigma=1.0, absolute_sigma=True)
    result = Solver().solve(problem, [1.0, 1.0, 0.2])
    sentence = "Standard errors follow from sigma, which is absolute; they are not scaled."
    assert sentence in str(result)
    assert sentence in result._repr_html_()
    assert "The residuals scatter less than sigma, which is absolute, allows" in str(result)
    assert row(result, "rate").split()[3] == f"{result.stderr[1]:.2g}"
    assert result.to_dict()["absolute_sigma"] is True


def test_units_have_a_column() -> None:
    units = pytest.importorskip("astropy.units")
    result = lmoo.fit("a*exp(-b*t)", T * units.s, Y * units.V)
    assert " 1 / s " in row(result, "b")
    assert "V" in row(result, "a").split()
    assert "unit" in str(result)
    assert "unit" not in str(fitted())
    assert "12 points, y (V) against t (s)" in str(result)


# ============================================================================ numbers


def test_the_facts() -> None:
    result = fitted()
    assert fact(result, "reduced chi-square") == f"{result.reduced_chi_square:.6g}"
    assert fact(result, "R squared") == f"{result.r_squared:.6g}"
    assert fact(result, "AIC, BIC") == f"{result.aic:.6g}, {result.bic:.6g}"
    assert fact(result, "observations, parameters") == "12, 3 (9 degrees of freedom)"


def test_estimates_of_the_true_t_are_summarised() -> None:
    result = case("errors in x")
    largest = np.abs(result.estimated_t - T).max()
    expected = f"12 estimated, the largest correction is {largest:.3g}"
    assert fact(result, "true values of t") == expected
    two = CurveProblem(
        lambda t, a, b: a * t[0] + b * t[1], (T, T**2), Y, sigma=0.1, sigma_x=(0.1, 0.2)
    )
    found = Solver().solve(two, [1.0, 1.0])
    assert fact(found, "true values of t").startswith("24 estimated, the largest correction is ")


def test_details_are_added_on_request() -> None:
    result = fitted()
    short, full = str(result), result.report(details=True)
    assert full.startswith(short)
    assert "evaluations" not in short
    counts = f"{result.nfev} residuals, {result.njev} Jacobians, {result.nit} iterations"
    assert fact(result, "evaluations") == counts
    assert fact(result, "limits") == "ftol = 1e-20, xtol = 1e-10, gtol = 0, maxfev = 4000"
    assert fact(result, "model is") == result.evaluation
    assert fact(result, "rank of the Jacobian") == "3 of 3"
    assert fact(result, "norm of the residual") == f"{result.fnorm:.10g}"
    assert float(fact(result, "largest cosine of J and f")) < 1e-6


@pytest.mark.parametrize(
    ("problem", "jacobian", "text"),
    [
        (CurveProblem(decay, T, Y), None, "exact, of the compiled model"),
        (CurveProblem(decay, T, Y, trace=False), None, "differences"),
        (CurveProblem(decay, T, Y), lmoo.CentralDifference(), "CentralDifference("),
        (
            FunctionProblem(lambda x: decay(T, *x) - Y, lambda x: np.stack(
                [np.exp(-x[1] * T), -x[0] * T * np.exp(-x[1] * T), np.ones(12)], axis=1)),
            None,
            "given by the problem",
        ),
    ],
    ids=["compiled", "differences", "strategy", "own"],
)  # fmt: skip
def test_the_details_say_how_derivatives_were_evaluated(
    problem: Any, jacobian: Any, text: str
) -> None:
    result = Solver(jacobian=jacobian).solve(problem, [1.0, 1.0, 0.2])
    assert fact(result, "derivatives").startswith(text)


def test_what_is_not_known_is_not_said() -> None:
    labels = case("unfinished").report(details=True)
    for word in ("R squared", "time", "correlations"):
        assert word not in labels


@pytest.mark.parametrize(
    ("seconds", "text"), [(2.5e-5, "25 us"), (0.0125, "12.5 ms"), (3.0, "3 s")]
)
def test_the_time_has_a_unit(seconds: float, text: str) -> None:
    assert fact(dataclasses.replace(fitted(), seconds=seconds), "time") == text


# ============================================================================ correlations


def related(A: np.ndarray) -> Result:
    y = np.arange(len(A), dtype=float) ** 1.5
    names = list("abcdefgh")[: A.shape[1]]
    problem = FunctionProblem(lambda x: A @ x - y, parameter_names=names)
    return Solver().solve(problem, np.ones(A.shape[1]))


def test_correlations_above_a_tenth_are_listed_the_strongest_first() -> None:
    A = np.linalg.qr(np.random.default_rng(1).normal(size=(12, 3)))[0]
    A[:, 1] += 0.5 * A[:, 0]
    A[:, 2] += 0.02 * A[:, 0]
    result = related(A)
    r = result.correlation
    assert abs(r[0, 2]) < 0.1 < abs(r[0, 1])
    assert fact(result, "correlations above 0.1") == f"a, b  {r[0, 1]:.4f}"


def test_of_many_correlations_the_rest_is_counted() -> None:
    result = related(np.random.default_rng(2).normal(size=(12, 6)) + 3.0)
    lines = str(result).splitlines()
    begin = next(k for k, line in enumerate(lines) if "correlations above" in line)
    listed = [abs(float(line.split()[-1])) for line in lines[begin : begin + 12]]
    assert listed == sorted(listed, reverse=True)
    count = int((np.abs(np.triu(result.correlation, 1)) > 0.1).sum())
    assert count > 12
    assert lines[begin + 12].strip() == f"and {count - 12} more"


def test_correlations_of_fixed_and_undetermined_parameters_are_left_out() -> None:
    A = np.random.default_rng(3).normal(size=(12, 4)) + 3.0
    A[:, 1] += A[:, 0]
    A[:, 3] = A[:, 2]
    result = related(A)
    assert result.undetermined == ("c", "d")
    assert fact(result, "correlations above 0.1").startswith("a, b  ")


# ============================================================================ terminals


def test_characters_that_a_terminal_obeys_are_shown_as_escapes() -> None:
    def model(t: Any, a: float) -> Any:
        return a * t

    model.__qualname__ = "\x1b[31mmodel\n"
    result = Solver().solve(CurveProblem(model, T, Y), [1.0])
    for text in (str(result), result.to_markdown(), result.to_latex(), result._repr_html_()):
        assert "\x1b" not in text
    assert r"\x1b[31mmodel\n(t, a)" in str(result)


def test_a_report_survives_a_problem_whose_curve_fails() -> None:
    class Broken(FunctionProblem):
        def as_curve(self) -> Any:
            raise RuntimeError("no curve")

    result = Solver().solve(Broken(lambda x: np.append(x - 1.0, 0.5)), [0.0])
    assert "Broken" in str(result)
    assert Status.XTOL.success


def test_one_degree_of_freedom_is_singular() -> None:
    assert "(1 degree of freedom)" in str(linear(3, m=4))
