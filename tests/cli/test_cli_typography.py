"""Numbers as word processors and instruments with decimal commas write them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cli_cases import Call

import lmoo
from lmoo.cli.reading import DataError, FileFormat
from lmoo.cli.reading.numbers import Notation, looks_numeric, typed
from lmoo.cli.reading.texttable import table_of_text

COMMAS = "t;y\n0,5;1,5\n1,5;2,5\n2,5;-99,9\n3,5;9\n4,5;5,25\n"
POINTS = "t,y\n0.5,1.5\n1.5,-99\n2.5,9\n3.5,-99.9\n4.5,5.25\n"


def left(text: str, *missing: str, decimal: str | None = None) -> list[float]:
    table = table_of_text("a", text, FileFormat.parse(missing=missing, decimal=decimal))
    return table.complete([0, 1]).numbers(1).tolist()


@pytest.mark.parametrize("decimal", [None, "comma"])
def test_a_missing_value_with_a_decimal_comma(decimal: str | None) -> None:
    rest = [1.5, 2.5, 9.0, 5.25]
    for missing in (("-99,9",), ("-99.9",), ("NA,x", "-99,9"), ("-99,9", "1,75")):
        assert left(COMMAS, *missing, decimal=decimal) == rest
    assert left(COMMAS, "9,NA", "-99,9", decimal=decimal) == [1.5, 2.5, 5.25]
    with pytest.raises(DataError, match="--missing 'NA,-99,9' may have the number -99,9"):
        left(COMMAS, "NA,-99,9", decimal=decimal)


def test_a_list_of_missing_values() -> None:
    """In a file with decimal points a comma is between two values."""
    assert left(POINTS, "-99,9") == [1.5, -99.9, 5.25]
    assert left(POINTS, "-99.9") == [1.5, -99.0, 9.0, 5.25]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("\u22121.5", -1.5),
        ("\uff0b\uff11\uff0e\uff15", 1.5),
        ("2e\u22123", 2e-3),
        ("1.5\u00d710\u207b\u00b3", 1.5e-3),
        ("1.5 \u00d7 10^-3", 1.5e-3),
        ("1.5\u00b710\u00b2", 150.0),
        ("1.5x10-3", 1.5e-3),
        ("1.5*10^4", 1.5e4),
    ],
)
def test_typographic_numbers(cell: str, value: float) -> None:
    assert Notation().value(cell) == value
    assert looks_numeric(cell)
    assert Notation(",").value(cell.replace(".", ",").replace("\uff0e", ",")) == value
    assert left(f"t;y\n1;{cell}\n2;3.25\n", decimal="point") == [value, 3.25]


@pytest.mark.parametrize(
    "cell", ["1.5x103", "1\u20135", "\u20135", "\u00bd", "10^3", "x10^3", "1.5\u00d7"]
)
def test_what_is_no_number(cell: str) -> None:
    assert Notation().value(cell) is None
    assert typed("plain") == "plain"


@pytest.mark.parametrize("dash", ["\u2212", "\u2013", "\u2014", "\u2026"])
def test_dashes_are_missing(dash: str) -> None:
    assert left(f"t;y\n1;2\n2;{dash}\n3;4\n") == [2.0, 4.0]


def test_expressions_with_typographic_operators() -> None:
    found = lmoo.Expression("2\u00d7a \u2212 1e\u22123\u22c5t \u2212 b")
    expected = lmoo.Expression("2*a - 1e-3*t - b")
    assert found(2.0, 3.0, 4.0) == expected(2.0, 3.0, 4.0)
    assert found.parameter_names == expected.parameter_names


def test_options_with_typographic_numbers(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("t,y\n" + "".join(f"{t},{3 - 2 * t}\n" for t in range(5)))
    run = call(
        "fit", str(path), "a\u2212b*t", "--start", "a=\u22121,b=1", "--bounds", "b=\u22121:9"
    )
    assert (run.code, run.err) == (0, "")
    for option, text, match in (
        ("--start", "a=1,5", "found '5'; decimals have a point, a=1.5"),
        ("--level", "0,9", "it is '0,9'; decimals have a point"),
        ("--f-scale", "1,5", "it is '1,5'; decimals have a point"),
    ):
        run = call("fit", str(path), "a-b*t", option, text)
        assert run.code == 2
        assert match in run.err


@pytest.mark.parametrize(
    "options", [("fit",), ("fit", "--json", "-"), ("watch", "--once", "--full")]
)
def test_files_are_written_though_the_pipe_is_closed(
    options: tuple[str, ...], tmp_path: Path
) -> None:
    """As with ``lmoo fit ... | head -1``, whatever the buffer of the pipe holds."""
    data, page, result = (tmp_path / name for name in ("a.csv", "page.html", "result.json"))
    t = np.linspace(0.0, 1.0, 200)
    data.write_text("t,y\n" + "".join(f"{v},{2 * v + 0.1 * np.cos(9 * v)}\n" for v in t))
    command, *more = options
    outputs = ["--report", str(page)] + ([] if "-" in more else ["--json", str(result)])
    # Without plots, which take most of the time of a page.
    (tmp_path / "matplotlib.py").write_text("raise ImportError")
    read, write = os.pipe()
    os.close(read)
    places = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": places}
    run = subprocess.run(
        [sys.executable, "-m", "lmoo", command, str(data), "a*t+b", *outputs, *more],
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        check=False,
    )
    os.close(write)
    assert (run.returncode, run.stderr) == (141, "")
    assert page.stat().st_size > 1000
    assert "-" in more or result.stat().st_size > 1000
