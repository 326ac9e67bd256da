"""Data and checks that the tests of the command line share."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import lmoo
from lmoo.datasets import NistDataset

T = np.linspace(0.0, 4.0, 20)
NOISE = 0.01 * np.cos(37.0 * np.arange(20.0))
Y = 2.5 * np.exp(-1.3 * T) + 0.5 + NOISE
EXPRESSION = "a*exp(-b*t) + c"


class Run(NamedTuple):
    code: int
    out: str
    err: str


Call = Callable[..., Run]


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


# ============================================================================ as a process


def environment() -> dict[str, str]:
    path = os.pathsep.join(filter(None, [str(Path(lmoo.__file__).parents[1]), *sys.path]))
    return os.environ | {"PYTHONPATH": path}


def shell(script: str) -> subprocess.CompletedProcess[str]:
    """Run a script in which lmoo and python are those of this process."""
    python = shlex.quote(sys.executable)
    head = f'lmoo() {{ {python} -m lmoo "$@"; }}; python() {{ {python} "$@"; }}; '
    command = ["bash", "-c", head + script]
    return subprocess.run(command, env=environment(), capture_output=True, text=True)
