"""The other commands: demo, models, version."""

from __future__ import annotations

from pathlib import Path

from cli_cases import Call

import lmoo
from lmoo.datasets import nist_names


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
