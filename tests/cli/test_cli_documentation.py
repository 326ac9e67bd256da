"""Commands of the documentation run as written."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest
from cli_cases import Call, T, Y, shell, write

from lmoo.datasets import nist

DOCS = Path(__file__).parents[2] / "docs"
PAGES = [*DOCS.glob("*.rst"), *DOCS.glob("howto/*.rst"), DOCS.parent / "README.md"]


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


def commands() -> list[str]:
    """The calls of lmoo on the other pages, in blocks and in the text."""
    texts = [page.read_text(encoding="utf-8") for page in PAGES if page.name != "cli.rst"]
    lines = [line for text in texts for line in re.findall(r"(?m)^   (lmoo .*)$", text)]
    quoted = [one for text in texts for one in re.findall(r"`(lmoo fit \w+\.\w+ [^`]*)`", text)]
    return [one for one in dict.fromkeys(lines + quoted) if "FORMULA" not in one]


def test_there_are_commands_on_other_pages() -> None:
    assert len(commands()) >= 3


@pytest.mark.parametrize("command", commands())
def test_commands_of_other_pages_run(call: Call, command: str) -> None:
    write("decay.csv", "t,y,err", T, Y, 0.01 + 0.0 * T)
    data = nist("Misra1a")
    rows = zip(data.x.tolist(), data.y.tolist(), strict=True)
    Path("misra1a.dat").write_text("# x y\n" + "".join(f"{x} {y}\n" for x, y in rows))
    run = shell(command)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "Converged" in run.stdout
