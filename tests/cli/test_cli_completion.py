"""`lmoo completion`: what bash and zsh offer."""

from __future__ import annotations

import os
import pty
import select
import shlex
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from cli_cases import Call, refused

from lmoo.cli.completion.commands import commands_of
from lmoo.cli.parser import command_parser
from lmoo.datasets import nist_names

ZSH = os.environ.get("LMOO_TEST_ZSH") or shutil.which("zsh")


def offered(script: str, line: str) -> list[str]:
    """What bash offers at the end of a line; words are split as bash does, also at "="."""
    words = shlex.split(line.replace("=", " = ")) + ([""] if line.endswith((" ", "=")) else [])
    # After a "=" the word is empty, and the "=" is one before it.
    listed = " ".join(map(shlex.quote, words))
    asked = f"COMP_WORDS=({listed}); COMP_CWORD={len(words) - 1}; _lmoo"
    shown = "((${#COMPREPLY[@]})) && printf '%s\\n' \"${COMPREPLY[@]}\"; true"
    run = subprocess.run(
        ["bash", "--norc", "-c", f"{script}\n{asked}\n{shown}"],
        capture_output=True,
        text=True,
        check=True,
    )
    # compopt has a meaning only while the shell completes.
    assert "syntax" not in run.stderr
    return run.stdout.splitlines()


@pytest.fixture
def script(call: Call) -> str:
    run = call("completion", "bash")
    assert (run.code, run.err) == (0, "")
    return run.out


def test_every_command_and_every_option(script: str) -> None:
    main, *others = commands_of(command_parser())
    assert sorted(offered(script, "lmoo ")) == sorted(
        [command.name for command in others] + [n for one in main.options for n in one.names]
    )
    assert len(others) == 5
    for command in others:
        names = [name for option in command.options for name in option.names]
        assert offered(script, f"lmoo {command.name} -") == names
    assert offered(script, "lmoo fi") == ["fit"]
    assert offered(script, "lmoo fit d.csv 'a*t' --absolute-") == ["--absolute-sigma"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("lmoo fit d.csv m --loss ", ["linear", "huber", "soft_l1", "cauchy", "arctan", "tukey"]),
        ("lmoo fit d.csv m --loss=", ["linear", "huber", "soft_l1", "cauchy", "arctan", "tukey"]),
        ("lmoo fit d.csv m --loss=hu", ["huber"]),
        ("lmoo watch d.csv m --nan-policy o", ["omit"]),
        ("lmoo nist Mis", ["Misra1a", "Misra1b", "Misra1c", "Misra1d"]),
        ("lmoo nist Misra1a Box", ["BoxBOD"]),
        ("lmoo completion ", ["bash", "zsh"]),
        ("lmoo completion bash ", []),
        ("lmoo fit d.csv m --start ", []),
        ("lmoo fit decay.csv ", []),
        ("lmoo fit --start a=1 dec", ["decay.csv"]),
        ("lmoo fit --loss=huber dec", ["decay.csv"]),
        ("lmoo fit --force dec", ["decay.csv"]),
        ("lmoo fit de", ["decay.csv"]),
        ("lmoo fit d.csv m --json dec", ["decay.csv"]),
        ("lmoo watch 'with b'", ["with blank.csv"]),
        ("lmoo fit '*'", ["*.csv"]),
        ("lmoo nothing ", []),
    ],
)
def test_values_and_files(script: str, line: str, expected: list[str]) -> None:
    for name in ("with blank.csv", "*.csv"):
        Path(name).touch()
    assert offered(script, line) == expected


def test_all_data_sets(script: str) -> None:
    assert offered(script, "lmoo nist ") == list(nist_names())


def test_names_of_files_are_not_run(script: str) -> None:
    for name in ("$(touch touched)", "`touch touched`.csv", "a;touch touched"):
        Path(name).touch()
    found = offered(script, "lmoo fit ")
    assert {"$(touch touched)", "`touch touched`.csv", "a;touch touched"} <= set(found)
    assert not Path("touched").exists()


def test_other_shells_are_refused(call: Call) -> None:
    message = refused(call("completion", "fish"))
    assert message.startswith("SHELL: must be one of bash, zsh; it is 'fish'")
    assert "the following arguments are required: SHELL" in refused(call("completion"))


TYPED = {
    "lmoo comp\t": "completion",
    "lmoo fit decay.csv m --absolute-\t": "fit decay.csv m --absolute-sigma",
    "lmoo fit decay.csv m --loss=hu\t": "fit decay.csv m --loss=huber",
    "lmoo fit decay.csv m --loss hu\t": "fit decay.csv m --loss huber",
    "lmoo fit dec\t": "fit decay.csv",
    "lmoo watch decay.csv m --json dec\t": "watch decay.csv m --json decay.csv",
    "lmoo nist Misra1a Box\t": "nist Misra1a BoxBOD",
}


@pytest.mark.skipif(ZSH is None, reason="zsh is not installed")
def test_zsh(call: Call) -> None:
    """Lines are typed into a zsh with a terminal, in which lmoo prints its arguments."""
    assert ZSH is not None
    Path("script.zsh").write_text(call("completion", "zsh").out)
    Path(".zshrc").write_text(
        "PS1='> '; autoload -U compinit; compinit -u -D; source ./script.zsh\n"
        'lmoo() { print -r -- "[$*]"; }; print ready\n'
    )
    master, terminal = pty.openpty()
    process = subprocess.Popen(
        [ZSH, "-i"],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env=os.environ | {"ZDOTDIR": os.getcwd(), "TERM": "dumb"},
        start_new_session=True,
    )
    os.close(terminal)
    try:
        assert "ready" in until(master, "ready")
        for typed, expected in TYPED.items():
            os.write(master, f"{typed}\n".encode())
            found = until(master, f"[{expected}]").replace(" ]", "]")
            assert f"[{expected}]" in found, typed
    finally:
        process.kill()
        process.wait()
        os.close(master)


def until(terminal: int, wanted: str) -> str:
    """Read until a text appears, or for ten seconds."""
    found = ""
    end = time.monotonic() + 10.0
    while wanted not in found.replace(" ]", "]") and time.monotonic() < end:
        if select.select([terminal], [], [], 0.1)[0]:
            found += os.read(terminal, 4096).decode(errors="replace")
    return found
