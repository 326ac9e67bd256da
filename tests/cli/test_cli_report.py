"""`lmoo fit --report`, and what is printed of a fit that failed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from cli_cases import EXPRESSION, Call, T, Y, fitted, refused, write


@pytest.fixture
def unrendered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages whose plots are made but not rendered, which takes most of their time."""
    monkeypatch.setattr("lmoo.results.report.pictures.png_of", lambda figure: b"\x89PNG")


def test_a_page(call: Call) -> None:
    run = call("fit", "decay.csv", EXPRESSION, "--report", "fit.html")
    assert (run.code, run.err) == (0, "")
    assert "a minimum was found" in run.out
    page = Path("fit.html").read_text(encoding="utf-8")
    assert "a minimum was found" in page
    assert "decay.csv: a*exp(-b*t) + c" in page


@pytest.mark.usefixtures("unrendered")
def test_names_in_a_page_are_text(call: Call) -> None:
    name = "\x1b[31m<script>alert(1)</script>"
    Path("decay.csv").rename(f"{name.replace('/', ':')}.csv")
    write("odd.csv", f"t,{name}", T, Y)
    data = f"{name.replace('/', ':')}.csv"
    assert call("fit", data, EXPRESSION, "--report", "a.html").code == 0
    assert call("fit", "odd.csv", EXPRESSION, "--report", "b.html").code == 0
    for page in ("a.html", "b.html"):
        text = Path(page).read_text(encoding="utf-8")
        assert "\x1b" not in text
        assert "<script>alert" not in text


def test_a_page_never_overwrites_the_data(call: Call) -> None:
    Path("decay.csv").rename("d.html")
    content = Path("d.html").read_bytes()
    message = refused(call("fit", "d.html", EXPRESSION, "--report", "./d.html", "--force"))
    assert message == "--report ./d.html is the same file as the data, d.html; choose another name"
    assert Path("d.html").read_bytes() == content
    Path("kept.html").write_text("kept")
    message = refused(call("fit", "d.html", EXPRESSION, "--report", "kept.html"))
    assert message == "--report kept.html exists; --force overwrites it"
    both = ("--report", "f.html", "--json", "f.html")
    message = refused(call("fit", "d.html", EXPRESSION, *both))
    assert message == "--report f.html is the same file as --json f.html; choose another name"


@pytest.mark.usefixtures("unrendered")
def test_force_overwrites_a_page(call: Call) -> None:
    Path("kept.html").write_text("kept")
    assert call("fit", "decay.csv", EXPRESSION, "--report", "kept.html", "--force").code == 0
    assert Path("kept.html").read_text(encoding="utf-8") != "kept"


@pytest.mark.parametrize("name", ["fit.pdf", "fit", "-"])
def test_a_page_is_html(call: Call, name: str) -> None:
    message = refused(call("fit", "decay.csv", EXPRESSION, "--report", name))
    assert message.startswith(f"--report: must be a file name that ends in .html; it is '{name}'")


def test_no_intervals_of_a_fit_that_failed(call: Call) -> None:
    # The sum of squares decreases for ever as a grows.
    write("zero.csv", "t,y", np.arange(1.0, 6.0), np.zeros(5))
    options = ("--start", "a=1", "--level", "0.9", "--sigma", "1.0", "--absolute-sigma")
    run = call("fit", "zero.csv", "1/(a*t)", *options)
    assert run.code == 1
    assert "NO minimum was found" in run.out.split("\n")[0]
    assert "90 %" not in run.out
    run = call("fit", "zero.csv", "1/(a*t)", *options, "--json", "-", "--plot", "f.svg")
    assert run.code == 1
    drawn = Path("f.svg").read_text()
    assert "<!-- last point, not converged -->" in drawn
    assert "90 %" not in drawn
    found = json.loads(run.out)
    assert not found["success"]
    assert found["fit"]["standard_errors"] is None
    assert found["fit"]["confidence_interval"] is None
    assert found["standard_errors"] is None
    assert found["correlation"] is None
    assert [row["stderr"] for row in found["params"]] == [None]


def test_fixed_is_another_name_of_fix(call: Call) -> None:
    assert (
        fitted(call("fit", "decay.csv", EXPRESSION, "--fixed", "c=0.4", "--json", "-"))["c"] == 0.4
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--tie", "z=a/2"], "--tie must have names of a, b, c; it has 'z'"),
        (["--tie", "a=a"], "--tie must not form a circle; they do: a -> a"),
        (["--tie", "c=q"], "--tie c: unknown name 'q', at character 1 of the expression"),
        (["--tie", "c=a+"], "--tie c: expected a number, a name or '(', found the end"),
        (["--tie", "c=a", "--fix", "c=1"], "--tie must not be of fixed parameters; c is fixed"),
        (["--prior", "z=1:2"], "--prior must have names of a, b, c; it has 'z'"),
        (["--prior", "a=1:-2"], "--prior a must have a sigma that is positive and finite"),
        (["--constraint", "q<=1"], "--constraint q<=1: unknown name 'q', at character 1"),
        (["--constraint", "a<=b*b"], "--constraint must be linear in the parameters"),
        (["--constraint", "a"], "--constraint must be inequalities or equations, with <=, >="),
        (["--derived", "a=b"], "--derived must have names that no parameter has; it has 'a'"),
        (["--derived", "q=zz+1"], "--derived q: unknown name 'zz', at character 1"),
        (["--fix", "c=1", "--bounds", "c=2:4"], "--fix must have values within the bounds"),
        (["--f-scale", "2"], "--f-scale is the scale of a loss: give --loss, such as --loss huber"),
        (["--absolute-sigma"], "--absolute-sigma needs --sigma; --sigma 1.0 says that all errors"),
    ],
    ids=" ".join,
)
def test_messages_name_the_option(call: Call, options: list[str], message: str) -> None:
    assert refused(call("fit", "decay.csv", EXPRESSION, "--y", "y", *options)).startswith(message)
