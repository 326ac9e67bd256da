"""Commands of the documentation run as written."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest
from cli_cases import Call, shell

DOCS = Path(__file__).parents[2] / "docs"


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
