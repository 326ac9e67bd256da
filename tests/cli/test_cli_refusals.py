"""Command lines that are refused."""

from __future__ import annotations

import shlex
from pathlib import Path

import numpy as np
import pytest
from cli_cases import EXPRESSION, Call, T, Y, fitted, refused, write

REFUSED = {
    "": "the following arguments are required: COMMAND",
    "fot": "COMMAND: must be one of fit, watch, nist, demo, completion; it is 'fot'",
    "fit": "the following arguments are required: DATA, EXPRESSION",
    "fit decay.csv": "the following arguments are required: EXPRESSION",
    "fit decay.csv a*t --stort a=1": "unknown option --stort; did you mean --start? (lmoo fit --h",
    "fit decay.csv a*t --star a=1": "unknown option --star; did you mean --start?",
    "fit decay.csv a*t --zzzz=1": "unknown option --zzzz (lmoo fit --help",
    "fit decay.csv decay.csv a*t": "unexpected argument 'a*t': the order is lmoo fit DATA EXPR",
    "fit a*t decay.csv": "EXPRESSION must be a model, such as 'a*exp(-b*t) + c'; decay.csv is",
    "fit decay.csv a*t --sheet 2": "--sheet selects a table of Excel, HDF5 or FITS; decay.csv is",
    "fit decay.csv a*t --report no/f.html": "--report no/f.html cannot be written: there is no fol",
    "fit decay.csv a*t --json .": "--json . is a folder; give the name of a file",
    "watch . a*t": "DATA must be the name of a file; . is a folder",
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
    "fit decay.csv a*t --level 0.9_5": "--level: must be between 0 and 1; it is '0.9_5'",
    "fit decay.csv a*t --start =1": "--start: expected name=value, found '=1'",
    "fit decay.csv a*t --start a=1,a=2": "--start gives 'a' twice",
    "fit decay.csv a*t --start b=1": "--start: 'b' is not a parameter of the expression; its "
    "parameters are a",
    "fit decay.csv a*t --bounds a=1": "--bounds: a must be lower:upper, with either end left out",
    "fit decay.csv a*t --bounds a=2:1": "--bounds: the lower bound of a must be below its upper",
    "fit decay.csv a*t --bounds a=0:x": "--bounds: a must be a number, a=1.5; it is 'x'",
    "fit decay.csv a*t --bounds a=0: --start a=-1": "--start a=-1 is outside its bounds, 0 to inf",
    "fit decay.csv a*t+b --bounds a=0: --fix a=-1": "--fix must have values within the bounds",
    "fit decay.csv a*t --fix a": "--fix a needs a value: a=1.5, or one in --start",
    "fit decay.csv a*t --fix a=1": "--fix leaves no parameter to be fitted",
    "fit decay.csv a*t --level 95": "--level: must be between 0 and 1; it is '95'",
    "fit decay.csv a*t --nan-policy no": "--nan-policy: must be one of raise, omit; it is 'no'",
    **{
        f"fit decay.csv a*t --plot {name}": "--plot: must be a file name that ends in "
        ".png, .svg or .pdf; it is "
        for name in ("x.pgf", "x.ps", "x.eps", "x.tex", "fit", "-", ".png", "x.png/", "x.")
    },
    "fit decay.csv a*t --json ''": "--json: must be the name of a file; it is ''",
    "fit decay.csv a*t --plot ''": "--plot: must be the name of a file; it is ''",
    "fit '' a*t": "DATA: must be the name of a file; it is ''",
    "fit decay.csv log(a*t) --start a=1": "the model cannot be evaluated at the starting values: ",
    "fit decay.csv a*t+log(t-99)": "no starting values were found: at none that were tried",
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
