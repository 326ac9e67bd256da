"""`lmoo fit`: what it fits and prints."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_cases import EXPRESSION, Call, T, Y, fitted, nist_arguments, refused, write

import lmoo
from lmoo.cli.commands.nist import digits
from lmoo.datasets import nist, nist_names


def test_the_report(call: Call) -> None:
    run = call("fit", "decay.csv", EXPRESSION)
    assert run.code == 0
    assert run.err == ""
    assert "a minimum was found" in run.out
    problem = lmoo.CurveProblem(lmoo.Expression(EXPRESSION), T, Y)
    result = lmoo.Solver().solve(problem, [1, 1, 0])
    for name, value, error in zip("abc", result.x, result.stderr, strict=True):
        (row,) = [line for line in run.out.split("\n") if line.startswith(f"  {name}  ")]
        # Rounded to two digits of the error.
        assert float(row.split()[1]) == pytest.approx(value, abs=0.05 * error)


@pytest.mark.parametrize("name", nist_names())
def test_nist_from_the_near_start(call: Call, name: str) -> None:
    data = nist(name)
    run = call(*nist_arguments(data))
    assert run.code == 0
    found = fitted(run)
    x = np.array([found[parameter] for parameter in data.parameter_names])
    assert digits(x, data.certified) >= 6


# What no start is needed for; two of the spectra, and what has several names for one solution.
GUESSED = [name for name in nist_names() if name[:5] not in ("Gauss", "ENSO", "Lancz", "MGH17")]


@pytest.mark.parametrize("name", GUESSED)
def test_nist_from_no_start(call: Call, name: str) -> None:
    data = nist(name)
    arguments = nist_arguments(data)
    at = arguments.index("--start")
    run = call(*arguments[:at], *arguments[at + 2 :])
    assert run.code == 0
    rss = 2 * json.loads(run.out)["cost"]
    assert rss == pytest.approx(data.residual_sum_of_squares, rel=1e-6)


def test_guesses_are_the_same_every_time(call: Call) -> None:
    runs = {call("fit", "decay.csv", "a*exp(-b*t) + c*sin(d*t)", "--json", "-").out for _ in "12"}
    parts = [json.loads(text) for text in runs]
    assert len({tuple(part["x"]) for part in parts}) == 1


def test_some_starts_guessed(call: Call) -> None:
    run = call("fit", "decay.csv", EXPRESSION, "--start", "b=1", "--json", "-")
    assert fitted(run)["b"] == pytest.approx(1.3, abs=0.05)


def test_bounds_and_fixed(call: Call) -> None:
    arguments = ["fit", "decay.csv", EXPRESSION, "--json", "-"]
    found = fitted(call(*arguments, "--bounds", "b=0:1,a=:9", "--bounds", "c=-1:"))
    assert found["b"] == 1.0
    assert fitted(call(*arguments, "--fix", "c=0.4"))["c"] == 0.4
    assert fitted(call(*arguments, "--fix", "c", "--start", "c=0.3,a=1"))["c"] == 0.3
    text = call("fit", "decay.csv", EXPRESSION, "--fix", "c=0.4").out
    assert "fixed" in text


def test_sigma(call: Call) -> None:
    errors = {}
    for sigma in ("err", "3", "0.02", "0*y + 0.02", "err + 0"):
        run = call("fit", "decay.csv", EXPRESSION, "--sigma", sigma, "--json", "-")
        assert fitted(run)["b"] == pytest.approx(1.3, abs=0.05)
        errors[sigma] = json.loads(run.out)["standard_errors"]
    for value in errors.values():
        assert value == pytest.approx(errors["err"], rel=1e-9)
    plain = json.loads(call("fit", "decay.csv", EXPRESSION, "--json", "-").out)
    assert plain["standard_errors"] == pytest.approx(errors["err"], rel=1e-6)


def test_absolute_sigma_and_level(call: Call) -> None:
    arguments = ["fit", "decay.csv", EXPRESSION, "--sigma", "err", "--absolute-sigma"]
    run = call(*arguments, "--level", "0.9", "--json", "-")
    model = lmoo.Expression(EXPRESSION)
    problem = lmoo.CurveProblem(model, T, Y, 0.02, jac=model.jacobian)
    result = lmoo.Solver().solve(problem, [1, 1, 0])
    part = json.loads(run.out)["fit"]
    expected = np.sqrt(np.diag(result.covariance(scaled=False)))
    np.testing.assert_allclose(part["standard_errors"], expected, rtol=1e-6)
    half = np.diff(part["confidence_interval"]).ravel() / 2
    np.testing.assert_allclose(half, 1.6448536 * expected, rtol=1e-6)
    text = call(*arguments, "--level", "0.9").out
    assert "90 % confidence intervals with sigma as given, not scaled" in text
    assert f"{expected[0]:.4g}" in text


def test_columns(call: Call) -> None:
    write("more.csv", "name,u,v,response", T, T**2, np.sin(T), 3 * T**2 - 2 * np.sin(T))
    arguments = ["fit", "more.csv", "a*u + b*v", "--json", "-"]
    expected = {"a": pytest.approx(3.0), "b": pytest.approx(-2.0)}
    assert fitted(call(*arguments, "--y", "response")) == expected
    assert fitted(call(*arguments, "--y", "4")) == expected
    arguments[2] = "a*p + b*q"
    assert fitted(call(*arguments, "--y", "4", "--x", "p=u,q=3")) == expected
    write("bare.csv", "", T, 3 * T + 1)
    for expression, more in {
        "a*t + c": [],
        "a*x + c": [],
        "(t - c)*a ": ["--x", "2", "--y", "1"],
        "a*x + c + 0*t*d": ["--start", "t=1", "--fix", "t,d=0"],
        "a*w + c": ["--x", "w=1"],
    }.items():
        assert call("fit", "bare.csv", expression, *more).code == 0, expression


def test_constants_can_be_parameters(call: Call) -> None:
    run = call("fit", "decay.csv", "a*exp(-b*t) + e*pi", "--start", "e=1", "--json", "-")
    assert fitted(run)["e"] == pytest.approx(0.5 / np.pi, rel=0.02)


def test_an_expression_may_begin_with_a_minus(call: Call) -> None:
    assert fitted(call("fit", "decay.csv", "-a*exp(-b*t)+c", "--json", "-"))["a"] < -2


def test_gaps(call: Call) -> None:
    with open("decay.csv", "a") as file:
        file.write("5,,0.02\n6,nan,0.02\n")
    arguments = ["fit", "decay.csv", EXPRESSION, "--json", "-"]
    assert refused(call(*arguments)).startswith("decay.csv, line 22: column 'y' is empty")
    run = call(*arguments, "--nan-policy", "omit")
    assert json.loads(run.out)["observations"] == 20


def test_files(call: Call) -> None:
    run = call("fit", "decay.csv", EXPRESSION, "--json", "f.json", "--plot", "f.png")
    assert run.code == 0
    assert "a minimum was found" in run.out
    stored = json.loads(Path("f.json").read_text())
    assert stored["fit"]["expression"] == EXPRESSION
    assert lmoo.Result.from_dict(stored).x.tolist() == stored["x"]
    # Width and height of the picture, in its header.
    header = Path("f.png").read_bytes()[16:24]
    assert [int.from_bytes(part, "big") for part in (header[:4], header[4:])] == [1600, 1200]


@pytest.mark.parametrize(
    ("name", "head"), [("f.PNG", b"\x89PNG"), ("f.svg", b"<?xml"), ("f.pdf", b"%PDF")]
)
def test_formats_of_pictures_none_of_which_starts_a_program(
    call: Call, monkeypatch: pytest.MonkeyPatch, name: str, head: bytes
) -> None:
    def start(*arguments: Any, **_: Any) -> None:
        raise AssertionError(f"started {arguments}")

    from matplotlib import rc_context

    monkeypatch.setattr(subprocess, "Popen", start)
    with rc_context({"text.usetex": True}):
        assert call("fit", "decay.csv", EXPRESSION, "--plot", name).code == 0
    assert Path(name).read_bytes().startswith(head)


def test_names_of_files_may_begin_with_a_minus(call: Call) -> None:
    Path("decay.csv").rename("-decay.csv")
    run = call("fit", "-decay.csv", EXPRESSION, "--plot", "-f.png", "--json", "-f.json")
    assert (run.code, run.err) == (0, "")
    assert sorted(os.listdir()) == ["-decay.csv", "-f.json", "-f.png"]


def test_names_of_columns_are_no_formulas(call: Call) -> None:
    names = ["t $\\frac$", "x^{$ $"]
    write("dollars.csv", ",".join(names), T, Y)
    for name in ("f.svg", "f.png"):
        run = call("fit", "dollars.csv", EXPRESSION, "--plot", name)
        assert (run.code, run.err) == (0, "")
    drawn = Path("f.svg").read_text()
    assert all(f"<!-- {name} -->" in drawn for name in names)


def test_a_label_of_a_picture_is_a_short_line(call: Call) -> None:
    write("long.csv", f'"a\x1b\x01b",{"y" * 20_000}', T, Y)
    run = call("fit", "long.csv", EXPRESSION, "--plot", "f.svg")
    assert (run.code, run.err) == (0, "")
    drawn = Path("f.svg").read_text()
    assert "<!-- a  b -->" in drawn
    assert f"<!-- {'y' * 60}... -->" in drawn


def test_no_minimum_is_code_1_with_a_report(call: Call) -> None:
    run = call("fit", "decay.csv", "floor(a)*t", "--start", "a=2.5")
    assert run.code == 1
    assert "NO minimum was found" in run.out
    assert run.err == ""


def test_a_fit_goes_on_where_the_linear_parameters_can_do_better(call: Call) -> None:
    # stats.stackexchange.com/questions/160552: a step along b leaves a and c without any effect.
    x = np.arange(50.0, 100.0, 5.0)
    y = [45.0, 55.0, 62.0, 70.0, 80.0, 90.0, 100.0, 200.0, 375.0, 600.0]
    write("growth.csv", "x,y", x, y)
    start = "--start", "a=1,b=1,c=0"
    run = call("fit", "growth.csv", "a*exp(b*x) + c", *start, "--json", "-")
    assert run.code == 0
    assert json.loads(run.out)["cost"] == pytest.approx(1121.58, abs=0.01)


def test_what_was_found_is_said(call: Call) -> None:
    rows = [f"{t:.3f};{y:.5f}".replace(".", ",") for t, y in zip(T, Y, strict=True)]
    text = "\n".join(["Messung 7", "t;U\x1b", "s;mV", *rows])
    Path("d.txt").write_text(text, encoding="utf-16")
    run = call("fit", "d.txt", EXPRESSION, "--json", "-")
    assert run.err == (
        "lmoo: note: d.txt: separated by semicolons, UTF-16, decimal commas, names in line 2, "
        "units s mV, data from line 4\n"
    )
    document = json.loads(run.out)
    assert document["fit"]["reading"] in run.err
    assert document["x"] == pytest.approx([2.5, 1.3, 0.5], abs=0.05)
    plain = json.loads(call("fit", "decay.csv", EXPRESSION, "--json", "-").out)
    assert plain["fit"]["reading"] == "separated by commas"


def test_what_is_found_can_be_overridden(call: Call) -> None:
    Path("d.txt").write_text("5;6\n" + "\n".join(f"{k}:{2 * k},5: $ c" for k in range(9)))
    options = ["--sep", ":", "--decimal", "comma", "--comment", "$", "--skip", "1"]
    run = call("fit", "d.txt", "a*t + c", *options, "--encoding", "latin-1", "--json", "-")
    assert json.loads(run.out)["x"] == pytest.approx([2, 0.5])
    message = refused(call("fit", "d.txt", "a*t", "--skip", "x"))
    assert message == "--skip must be a number of lines, 0 or more; it is 'x'"


def test_starting_values_may_have_their_name_in_python(call: Call) -> None:
    outputs = [
        call("fit", "decay.csv", EXPRESSION, o, "a=1,b=1,c=0").out for o in ("--start", "--p0")
    ]
    assert outputs[0] == outputs[1]
