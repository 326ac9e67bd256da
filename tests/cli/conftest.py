"""The fixture that runs the command line within a folder of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cli_cases import Call, Run, T, Y, write

from lmoo.cli import main


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
