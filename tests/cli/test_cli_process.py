"""The command line as a process."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_cases import ATTACKS, EXPRESSION, Call, Run, environment, nist_arguments, refused, shell

from lmoo.cli.commands.nist import digits
from lmoo.datasets import nist


def process(*argv: str, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lmoo", *argv]
    return subprocess.run(command, env=environment(), capture_output=True, text=True, **options)


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

    monkeypatch.setattr("lmoo.cli.commands.request.read_table", interrupt)
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
@pytest.mark.parametrize(
    "where", ["lmoo.cli.commands.request.best_result", "lmoo.cli.commands.output.draw"]
)
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
