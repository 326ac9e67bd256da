"""The command line: what it fits, what it prints, and how it refuses."""

from __future__ import annotations

import doctest
import json
import os
import random
import re
import shlex
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import lmoo
from lmoo.cli import main
from lmoo.cli.commands.nist import digits
from lmoo.datasets import NistDataset, nist, nist_names

DOCS = Path(__file__).parents[1] / "docs"

T = np.linspace(0.0, 4.0, 20)
NOISE = 0.01 * np.cos(37.0 * np.arange(20.0))
Y = 2.5 * np.exp(-1.3 * T) + 0.5 + NOISE
EXPRESSION = "a*exp(-b*t) + c"


class Run(NamedTuple):
    code: int
    out: str
    err: str


Call = Callable[..., Run]


@pytest.fixture
def call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Call:
    """Run a command in a folder of its own, which has decay.csv with the columns time, y, err."""
    monkeypatch.chdir(tmp_path)
    write("decay.csv", "time,y,err", T, Y, np.full(20, 0.02))

    def run(*argv: str) -> Run:
        code = main(argv)
        return Run(code, *capsys.readouterr())

    return run


def write(name: str, header: str, *columns: Any) -> None:
    rows = [header] if header else []
    rows += [",".join(map(repr, row)) for row in np.transpose(columns).tolist()]
    Path(name).write_text("\n".join(rows) + "\n")


def fitted(run: Run) -> dict[str, float]:
    """The parameters of a run with --json -."""
    assert run.err == ""
    found = json.loads(run.out)
    return dict(zip(found["parameter_names"], found["x"], strict=True))


def refused(run: Run) -> str:
    """The message of a run that was refused, as all must be: one line, and two with a mark."""
    assert run.code == 2
    assert run.out == ""
    lines = run.err.removesuffix("\n").split("\n")
    assert lines[0].startswith("lmoo: error: ")
    assert len(lines) == 1 or (len(lines) == 3 and lines[2].strip() == "^")
    assert "Traceback" not in run.err
    return lines[0].removeprefix("lmoo: error: ")


# ============================================================================ fits


def test_the_report(call: Call) -> None:
    run = call("fit", "decay.csv", EXPRESSION)
    assert run.code == 0
    assert run.err == ""
    assert "a minimum was found" in run.out
    problem = lmoo.CurveProblem(lmoo.Expression(EXPRESSION), T, Y)
    x = lmoo.Solver().solve(problem, [1, 1, 0]).x
    for name, value in zip("abc", x, strict=True):
        (row,) = [line for line in run.out.split("\n") if line.startswith(f"  {name}  ")]
        assert float(row.split()[1]) == pytest.approx(value, rel=1e-8)


def formula(data: NistDataset) -> str:
    return data.formula.split("=")[1].strip()


def nist_arguments(data: NistDataset) -> list[str]:
    """Write a data set as CSV, raw, and return the arguments that fit it from its near start."""
    columns = ["x1", "x2", "y"] if data.x.ndim == 2 else ["x", "y"]
    write("nist.csv", ",".join(columns), *data.x.T.reshape(-1, data.y.size), data.y)
    start = ",".join(
        f"{name}={value!r}"
        for name, value in zip(data.parameter_names, data.starts[1].tolist(), strict=True)
    )
    y = ["--y", "log(y)"] if data.name == "Nelson" else []
    return ["fit", "nist.csv", formula(data), "--start", start, "--json", "-", *y]


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
    assert [int.from_bytes(part, "big") for part in (header[:4], header[4:])] == [800, 600]


@pytest.mark.parametrize(
    ("name", "head"), [("f.PNG", b"\x89PNG"), ("f.svg", b"<?xml"), ("f.pdf", b"%PDF")]
)
def test_formats_of_pictures(call: Call, name: str, head: bytes) -> None:
    assert call("fit", "decay.csv", EXPRESSION, "--plot", name).code == 0
    assert Path(name).read_bytes().startswith(head)


def test_a_picture_starts_no_program(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def start(*arguments: Any, **_: Any) -> None:
        raise AssertionError(f"started {arguments}")

    from matplotlib import rc_context

    monkeypatch.setattr(subprocess, "Popen", start)
    with rc_context({"text.usetex": True}):
        for name in ("f.png", "f.svg", "f.pdf"):
            assert call("fit", "decay.csv", EXPRESSION, "--plot", name).code == 0


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


# ============================================================================ files written


@pytest.mark.parametrize("option", ["--json", "--plot"])
@pytest.mark.parametrize(
    "name", ["d.png", "./d.png", "sub/../d.png", "absolute", "soft.png", "hard.png", "loop/d.png"]
)
def test_the_data_are_never_written_over(call: Call, option: str, name: str) -> None:
    Path("decay.csv").rename("d.png")
    content = Path("d.png").read_bytes()
    Path("sub").mkdir()
    Path("loop").symlink_to(".")
    Path("soft.png").symlink_to("d.png")
    os.link("d.png", "hard.png")
    output = str(Path("d.png").resolve()) if name == "absolute" else name
    before = sorted(os.listdir())
    for data, written in [("d.png", output), (output, "d.png")]:
        message = refused(call("fit", data, EXPRESSION, option, written))
        assert message == (
            f"{option} {written} is the same file as the data, {data}; choose another name"
        )
    assert Path("d.png").read_bytes() == content
    assert sorted(os.listdir()) == before


@pytest.mark.parametrize("name", ["f.png", "./f.png", "loop/f.png", "soft.png"])
@pytest.mark.parametrize("exists", [False, True])
def test_two_outputs_are_never_one_file(call: Call, name: str, exists: bool) -> None:
    Path("loop").symlink_to(".")
    Path("soft.png").symlink_to("f.png")
    if exists:
        Path("f.png").write_text("kept")
    message = refused(call("fit", "decay.csv", EXPRESSION, "--json", "f.png", "--plot", name))
    assert message == f"--plot {name} is the same file as --json f.png; choose another name"
    assert Path("f.png").exists() == exists
    assert not exists or Path("f.png").read_text() == "kept"


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (
            "lmoo fit - MODEL --json d.csv <d.csv",
            "--json d.csv is the same file as the data, -",
        ),
        (
            "lmoo fit d.csv MODEL >>d.csv",
            "the report on standard output is the same file as the data, d.csv",
        ),
        ("lmoo fit d.csv MODEL --json - >>d.csv", "--json - is the same file as the data, d.csv"),
        ("lmoo fit - MODEL <d.csv >>d.csv", "the report on standard output is the same file as"),
        (
            "lmoo fit d.csv MODEL --json f.json >f.json",
            "--json f.json is the same file as the report on standard output",
        ),
        (
            "lmoo fit d.csv MODEL --json - --plot f.png >f.png",
            "--plot f.png is the same file as --json -",
        ),
        (
            "lmoo fit /dev/stdin MODEL --json d.csv <d.csv",
            "--json d.csv is the same file as the data, /dev/stdin",
        ),
    ],
)
def test_redirected_streams_are_files_too(call: Call, script: str, message: str) -> None:
    Path("decay.csv").rename("d.csv")
    content = Path("d.csv").read_bytes()
    run = shell(script.replace("MODEL", shlex.quote(EXPRESSION)) + "; echo $? >&2")
    error, code = run.stderr.removesuffix("\n").split("\n")
    assert error.startswith(f"lmoo: error: {message}")
    assert code == "2"
    assert Path("d.csv").read_bytes() == content
    assert all(
        Path(name).stat().st_size == 0
        for name in ("f.json", "f.png")
        if name in script and Path(name).exists()
    )


def test_what_is_no_file_may_be_named_twice(call: Call) -> None:
    run = call("fit", "decay.csv", EXPRESSION, "--json", os.devnull)
    assert (run.code, run.err) == (0, "")
    run = shell(f"lmoo fit decay.csv {shlex.quote(EXPRESSION)} --json /dev/null >/dev/null")
    assert (run.returncode, run.stderr) == (0, "")


# ============================================================================ other commands


def test_nist_table(call: Call) -> None:
    run = call("nist")
    assert run.code == 0
    lines = run.out.split("\n")
    assert [line.split()[0] for line in lines[4:31]] == list(nist_names())
    assert "54 of 54 fits reach 6 digits" in run.out


def test_demo(call: Call) -> None:
    run = call("demo")
    assert run.code == 0
    assert "NIST certifies" in run.out
    assert Path("demo/Misra1a.png").exists()


def test_version_and_help(call: Call) -> None:
    assert call("--version") == (0, f"lmoo {lmoo.__version__}\n", "")
    for argv in (["--help"], ["fit", "--help"], ["nist", "-h"]):
        run = call(*argv)
        assert run.code == 0
        assert run.out.startswith("usage: lmoo")
    assert "examples:" in call("fit", "--help").out


# ============================================================================ refusals

REFUSED = {
    "": "the following arguments are required: COMMAND",
    "fot": "argument COMMAND: invalid choice: 'fot'",
    "fit": "the following arguments are required: DATA, EXPRESSION",
    "fit decay.csv": "the following arguments are required: EXPRESSION",
    "fit decay.csv a*t --stort a=1": "unrecognized arguments: --stort a=1",
    "fit decay.csv a*t --star a=1": "unrecognized arguments: --star a=1",
    "fit none.csv a*t": "cannot read none.csv: No such file or directory",
    "fit . a*t": "cannot read .: Is a directory",
    "fit decay.csv a*t+": "expected a number, a name or '(', found the end, at character 5",
    "fit decay.csv a*u": "the expression has no variable: none of a, u is t, x or a column of",
    "fit decay.csv 1": "the expression has no variable: use t, x or the name of a column",
    "fit decay.csv t+1": "the expression has no parameters to fit",
    "fit decay.csv a*x+b*t": "'t' and 'x' in the expression: which column? --x t=COLUMN",
    "fit decay.csv a*time+b*t": "'t' in the expression: which column? --x t=COLUMN selects it",
    "fit decay.csv a*t --x z": "decay.csv has no column 'z'; its columns are 'time, y, err'",
    "fit decay.csv a*u --x time": "--x: the expression has no variable for column 'time'",
    "fit decay.csv a*t --x 1,": "--x '1,' has nothing before or after a comma",
    "fit decay.csv a*t --y z": "decay.csv has no column 'z'",
    "fit decay.csv a*t --y 4": "decay.csv has 3 columns; there is no column 4",
    "fit decay.csv a*t --y log(z)": "unknown name 'z', at character 5 of the expression",
    "fit decay.csv a*t --y log(y-9)": "decay.csv, line 2: --y log(y-9) must be finite; it is nan",
    "fit decay.csv a*y --y y": "'y' in the expression is a column that --y or --sigma uses",
    "fit decay.csv a*t --sigma 2": "--sigma 2 is column 'y', which is the variable or what is "
    "fitted; a constant is written with a point, 2.0",
    "fit decay.csv a*t --sigma time": "--sigma time is column 'time', which is the variable",
    "fit decay.csv a*t --sigma 0.0": "decay.csv, line 2: --sigma 0.0 must be positive; it is 0",
    "fit decay.csv a*t --sigma -y": "decay.csv, line 2: --sigma -y must be positive; it is -3",
    "fit decay.csv a*t --start a": "--start: a must be a number, a=1.5; it is None",
    "fit decay.csv a*t --start a=b": "--start: a must be a number, a=1.5; it is 'b'",
    "fit decay.csv a*t --start a=nan": "--start: a must be a number, a=1.5; it is 'nan'",
    "fit decay.csv a*t --start a=1_0": "--start: a must be a number, a=1.5; it is '1_0'",
    "fit decay.csv a*t --bounds a=:1_0": "--bounds: a must be a number, a=1.5; it is '1_0'",
    "fit decay.csv a*t --level 0.9_5": "argument --level: must be between 0 and 1; it is '0.9_5'",
    "fit decay.csv a*t --start =1": "--start: expected name=value, found '=1'",
    "fit decay.csv a*t --start a=1,a=2": "--start gives 'a' twice",
    "fit decay.csv a*t --start b=1": "--start: 'b' is no parameter of the expression; its "
    "parameters are a",
    "fit decay.csv a*t --bounds a=1": "--bounds: a must be lower:upper, with either end left out",
    "fit decay.csv a*t --bounds a=2:1": "--bounds: the lower bound of a must be below its upper",
    "fit decay.csv a*t --bounds a=0:x": "--bounds: a must be a number, a=1.5; it is 'x'",
    "fit decay.csv a*t --bounds a=0: --start a=-1": "--start a=-1 is outside its bounds, 0 to inf",
    "fit decay.csv a*t+b --bounds a=0: --fix a=-1": "fixed must have values within the bounds",
    "fit decay.csv a*t --fix a": "--fix a needs a value: a=1.5, or one in --start",
    "fit decay.csv a*t --fix a=1": "--fix leaves no parameter to be fitted",
    "fit decay.csv a*t --level 95": "argument --level: must be between 0 and 1; it is '95'",
    "fit decay.csv a*t --nan-policy no": "argument --nan-policy: invalid choice: 'no'",
    **{
        f"fit decay.csv a*t --plot {name}": "argument --plot: must be a file name that ends in "
        ".png, .svg or .pdf; it is "
        for name in ("x.pgf", "x.ps", "x.eps", "x.tex", "fit", "-", ".png", "x.png/", "x.")
    },
    "fit decay.csv a*t --json ''": "argument --json: must be the name of a file; it is ''",
    "fit decay.csv a*t --plot ''": "argument --plot: must be the name of a file; it is ''",
    "fit '' a*t": "argument DATA: must be the name of a file; it is ''",
    "fit decay.csv a*t --json no/f": "cannot write no/f: No such file or directory",
    "fit decay.csv log(a*t) --start a=1": "the model cannot be evaluated at the starting values: ",
    "fit decay.csv a*t+log(t-99)": "no starting values were found at which the model is finite",
}


@pytest.mark.parametrize("command", REFUSED)
def test_refused_with_one_clear_line(call: Call, command: str) -> None:
    run = call(*shlex.split(command))
    if "--json no" in command:  # The report is there already.
        run = run._replace(out="")
    assert refused(run).startswith(REFUSED[command])


def test_too_few_rows(call: Call) -> None:
    write("short.csv", "t,y", T[:2], Y[:2])
    message = "3 parameters need as many rows of data or more; there are 2"
    assert refused(call("fit", "short.csv", EXPRESSION)) == message
    message = "3 parameters, 1 of them fixed, need as many rows of data or more; there are 2"
    assert refused(call("fit", "short.csv", EXPRESSION, "--fix", "c=0")) == message
    assert call("fit", "short.csv", "a*exp(-b*t)").code == 0


def test_no_search_in_hundreds_of_dimensions(call: Call) -> None:
    # Hours, if it were tried.
    names = [chr(0x4E00 + k) for k in range(2000)]
    write("long.csv", "t,y", np.arange(2001), np.arange(2001))
    message = refused(call("fit", "long.csv", "*".join(["t", *names])))
    assert message == (
        "starting values are found for at most 50 parameters that the model is not linear in; "
        "there are 1999: give --start"
    )
    assert call("fit", "decay.csv", EXPRESSION).code == 0


def test_thousands_of_columns(call: Call) -> None:
    # Half a billion comparisons, if each name were looked for among all.
    header = [f"c{k}" for k in range(200_000)]
    Path("wide.csv").write_text(",".join(header) + "\n" + ",".join("1" * len(header)) + "\n")
    terms = "+".join(reversed(header[-1200:]))
    run = call("fit", "wide.csv", f"a*({terms})", "--y", "c0", "--json", "-")
    assert fitted(run)["a"] == pytest.approx(1 / 1200)


def test_an_error_names_its_line(call: Call) -> None:
    Path("bad.csv").write_text("t,y\n0,1\n1,2\n2,3.4.5\n")
    message = "bad.csv, line 4: column 'y' must be a number; it is '3.4.5'"
    assert refused(call("fit", "bad.csv", "a*t")) == message


# ---------------------------------------------------------------------------- malformed, at random

ATTACKS = [
    "__import__('os').system('touch touched')",
    "exec(\"open('touched', 'w')\")",
    "open('touched', 'w')",
    "(lambda: open('touched', 'w'))()",
    "a.__class__.__mro__[1]",
    "[a for a in t]",
    'f\'{open("touched", "w")}\'',
    "`touch touched`",
    "$(touch touched)",
    "a*t; import os",
    "eval(a)",
    "globals()",
    "a*t\n__import__('os')",
    "a if t else open('touched')",
    "(a := t)",
    "a@t",
    "~a",
    "a and t",
    "{a: t}",
    "\\x41",
]


def bad_expression(chance: random.Random) -> str:
    """An expression with something in it that no expression has."""
    good = "a*exp(-b*t) + c*sin(w*t)/max(t, 1) - where(t > 2, a, b)**2"
    wrong = [
        *ATTACKS,
        *"[]{}.'\"$@!?&|~:;\\`%#\x00\x1b\x7f\u202e\n\U0001f600",
        "**/",
        "(",
        ")",
        ",,",
        "<>",
    ]
    place = chance.randrange(len(good))
    kind = chance.randrange(4)
    if kind == 0:
        return good[:place] + chance.choice(wrong) + "((" + good[place:]
    if kind == 1:
        return chance.choice(ATTACKS) + chance.choice(["", "+a*t", ")"])
    if kind == 2:
        return chance.choice("+-*/(") * chance.randrange(1, 400)
    return "".join(chance.choice("()*/.,'[]=") for _ in range(chance.randrange(1, 60))) + "("


def bad_file(chance: random.Random) -> bytes:
    """A data file that is broken somewhere."""
    lines = [b"t,y"] + [b"%d,%d.5" % (k, 3 * k) for k in range(8)]
    at = chance.randrange(1, len(lines))
    junk = bytes(chance.randrange(256) for _ in range(chance.randrange(1, 30)))
    lines[at] = chance.choice(
        [
            lines[at] + b",1",
            b"1",
            b"1,,",
            b",",
            b"1,\xff\xfe",
            b'1,"2',
            b"1,2;3",
            b"1,__import__('os').system('touch touched')",
            b"1,inf",
            b"1,--2",
            b"x" * 300 + b",2",
            b"1,\xc3\xa9" + b"9" * 200,
            b"1,2"
            + junk.replace(b"#", b"\x01").replace(b"\n", b"\x01").replace(b"\r", b"\x01")
            + b"z",
        ]
    )
    whole = b"\n".join(lines)
    return chance.choice(
        [whole, whole, whole, whole, b"\x1f\x8b" + whole, junk[:1] + b"\x00\xff", b""]
    )


@pytest.mark.parametrize("seed", range(200))
def test_malformed_input_gives_one_clear_line_and_nothing_is_executed(
    call: Call, seed: int
) -> None:
    chance = random.Random(seed)
    expression = "a*t + b"
    if seed % 2:
        expression = bad_expression(chance)
    else:
        Path("bad.csv").write_bytes(bad_file(chance))
    before = sorted(os.listdir())
    run = call("fit", "decay.csv" if seed % 2 else "bad.csv", expression)
    message = refused(run)
    assert 10 < len(message) < 400
    assert message.isprintable()
    assert ("at character" in message) == bool(seed % 2)
    assert sorted(os.listdir()) == before


def test_options_are_not_executed_either(call: Call) -> None:
    before = sorted(os.listdir())
    for attack in ATTACKS:
        for option in ("--start", "--bounds", "--fix", "--sigma", "--x", "--y", "--level"):
            refused(call("fit", "decay.csv", "a*t", option, attack))
    assert sorted(os.listdir()) == before


# What a terminal obeys: colours, titles, cursors, bells, other directions of writing.
CONTROLS = [
    "\x1b[31mX",
    "a\x1b]0;t\x07",
    "b\x9b2J",
    "\u202eabc",
    "c\rd",
    "e\nf",
    "g\x7f",
    "h\u2028i",
    "\x08",
]

PLACES = [
    ["d.csv", "a*t", "NAME"],
    ["d.csv", "NAME"],
    ["d.csv", "a*NAME"],
    ["NAME", "a*t"],
    ["d.csv", "a*t", "--NAME"],
    ["d.csv", "a*t", "--json", "no/NAME"],
    ["d.csv", "a*t", "--json", "d.csv", "--plot", "NAME.png"],
    ["d.csv", "a*t", "--plot", "no/NAME.png"],
    ["d.csv", "a*t", "--sigma", "3"],
    ["d.csv", "a*t", "--y", "NAME"],
    ["d.csv", "a*t", "--y", "none"],
    ["d.csv", "a*t", "--y", "1", "--sigma", "1"],
    ["d.csv", "a*u", "--x", "3"],
    ["LINK", "a*t", "--json", "d.csv"],
    ["LINK", "a*t", "--y", "none"],
    *[
        ["d.csv", "a*t", option, value]
        for option in ("--x", "--start", "--bounds", "--fix", "--level", "--nan-policy", "--sigma")
        for value in ("NAME", "NAME=1", "a=NAME")
    ],
]


@pytest.mark.parametrize("name", CONTROLS)
def test_no_control_character_reaches_the_terminal(call: Call, name: str) -> None:
    quoted = f'"{name}"' if not set(name) & set("\r\n") else "plain"
    rows = [f"{k},{2 * k + k % 2},-1" for k in range(9)]
    Path("d.csv").write_text("\n".join([f"t,y,{quoted}", *rows]), encoding="utf-8")
    os.link("d.csv", f"{name}.csv")
    for place in PLACES:
        argv = [part.replace("LINK", f"{name}.csv").replace("NAME", name) for part in place]
        run = call("fit", *argv)
        # A column of this name may do as the variable.
        assert run.code == 0 or refused(run._replace(out="")), argv
        assert all(char.isprintable() or char == "\n" for char in run.out + run.err), argv
    run = call("fit", f"{name}.csv", "a*t", "--json", "f.json", "--plot", "f.svg")
    assert (run.code, run.err) == (0, "")
    assert all(char.isprintable() or char == "\n" for char in run.out)
    assert Path("f.json").read_text(encoding="utf-8").isascii()
    for command in ([name], ["nist", name], ["demo", f"--{name}"]):
        run = call(*command)
        assert refused(run)
        assert all(char.isprintable() or char == "\n" for char in run.err)


# ============================================================================ as a process


def environment() -> dict[str, str]:
    path = os.pathsep.join(filter(None, [str(Path(lmoo.__file__).parents[1]), *sys.path]))
    return os.environ | {"PYTHONPATH": path}


def process(*argv: str, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lmoo", *argv]
    return subprocess.run(command, env=environment(), capture_output=True, text=True, **options)


def shell(script: str) -> subprocess.CompletedProcess[str]:
    """Run a script in which lmoo and python are those of this process."""
    python = shlex.quote(sys.executable)
    head = f'lmoo() {{ {python} -m lmoo "$@"; }}; python() {{ {python} "$@"; }}; '
    command = ["bash", "-c", head + script]
    return subprocess.run(command, env=environment(), capture_output=True, text=True)


def test_a_process_reads_standard_input(call: Call) -> None:
    data = nist("Misra1a")
    arguments = nist_arguments(data)
    content = Path("nist.csv").read_text()
    arguments[1] = "-"
    run = process(*arguments, input=content)
    assert (run.returncode, run.stderr) == (0, "")
    assert digits(np.array(json.loads(run.stdout)["x"]), data.certified) >= 6


def test_a_process_refuses_as_a_call_does(call: Call) -> None:
    run = process("fit", "decay.csv", ATTACKS[0])
    assert refused(Run(run.returncode, run.stdout, run.stderr)).startswith("the name '__import__'")
    assert not Path("touched").exists()


# argparse itself says nothing of a reader that has gone, and ends with 0.
@pytest.mark.parametrize(("command", "codes"), [("nist", {141}), ("fit --help", {0, 141})])
def test_a_reader_that_has_gone_is_no_error(call: Call, command: str, codes: set[int]) -> None:
    # What writes waits until the reader has gone.
    run = shell(f"(sleep 0.3; lmoo {command}) | true; echo ${{PIPESTATUS[0]}}")
    assert int(run.stdout) in codes
    assert run.stderr == ""


def test_an_interruption_is_130(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("lmoo.cli.commands.fit.read_table", interrupt)
    run = call("fit", "decay.csv", "a*t")
    assert run == (130, "", "lmoo: error: interrupted\n")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (RuntimeError("no\nfonts"), "RuntimeError: no fonts"),
        (RecursionError(), "RecursionError"),
        (KeyError("x"), "KeyError: 'x'"),
        (MemoryError(), "not enough memory"),
        (MemoryError("Unable to allocate 9 GiB"), "not enough memory: Unable to allocate 9 GiB"),
        (AssertionError("a"), "AssertionError: a"),
        (UserWarning("odd"), "UserWarning: odd"),
        (ValueError(), "ValueError"),
        (OSError(28, "No space left on device", "f.png"), "cannot write f.png: No space left on"),
        (UnicodeEncodeError("ascii", "\xe9", 0, 1, "no"), "'ascii' codec can't encode character"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("where", ["lmoo.cli.commands.fit._best", "lmoo.cli.commands.output.draw"])
def test_whatever_goes_wrong_is_one_line(
    call: Call, monkeypatch: pytest.MonkeyPatch, where: str, error: Exception, message: str
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(where, fail)
    run = call("fit", "decay.csv", EXPRESSION, "--plot", "f.png")
    assert refused(run._replace(out="")).startswith(message)


def test_what_a_terminal_cannot_show_is_spelled_out(call: Call) -> None:
    code = "import sys; from lmoo.cli import main; sys.exit(main(['fit', 'decay.csv', '\\xe9*t']))"
    run = subprocess.run(
        [sys.executable, "-c", code],
        env=environment() | {"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert "\n  \\xe9  " in run.stdout


def test_streams_that_are_closed(call: Call) -> None:
    run = shell("lmoo fit decay.csv a*t >&-; echo $? >&2; lmoo fit - a*t <&-; echo $?")
    assert run.stderr == "0\nlmoo: error: cannot read standard input: it is closed\n"
    assert run.stdout == "2\n"


def test_warnings_are_lines(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def warn(*_: Any) -> int:
        warnings.simplefilter("always")
        warnings.warn("two\nlines", stacklevel=1)
        return 0

    monkeypatch.setattr("lmoo.cli.commands.nist.run", warn)
    assert call("nist") == (0, "", "lmoo: warning: two lines\n")


def test_without_matplotlib(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("matplotlib", "matplotlib.figure", "matplotlib.backends.backend_agg"):
        monkeypatch.setitem(sys.modules, name, None)
    run = call("fit", "decay.csv", EXPRESSION, "--plot", "f.png")
    assert refused(run._replace(out="")) == "pictures need matplotlib: pip install lmoo[plot]"


# ============================================================================ the documentation


def documented() -> list[tuple[str, str]]:
    """The commands of the documentation and what they print."""
    text = (DOCS / "cli.rst").read_text(encoding="utf-8")
    blocks = re.findall(r"code-block:: console\n\n((?:   .*\n|\n)+)", text)
    lines = [line[3:] for block in blocks for line in block.rstrip().split("\n")]
    starts = [k for k, line in enumerate(lines) if line.startswith("$ ")]
    ends = [*starts[1:], len(lines)]
    return [
        (lines[k][2:], "\n".join(lines[k + 1 : end]).strip() + "\n")
        for k, end in zip(starts, ends, strict=True)
    ]


@pytest.mark.parametrize(("command", "output"), documented())
def test_commands_of_the_documentation(call: Call, command: str, output: str) -> None:
    Path("decay.csv").write_bytes((DOCS / "data" / "decay.csv").read_bytes())
    run = shell(command)
    found = run.stdout + run.stderr
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    assert doctest.OutputChecker().check_output(output, found, flags), found
