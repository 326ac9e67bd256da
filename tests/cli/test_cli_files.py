"""Files that the command line writes."""

from __future__ import annotations

import io
import os
import shlex
from pathlib import Path

import pytest
from cli_cases import EXPRESSION, Call, refused, shell


@pytest.mark.parametrize("option", ["--json", "--plot"])
@pytest.mark.parametrize(
    "name", ["d.png", "./d.png", "sub/../d.png", "absolute", "soft.png", "hard.png", "loop/d.png"]
)
def test_the_data_are_never_written_over(call: Call, option: str, name: str) -> None:
    Path("decay.csv").rename("d.png")
    content = Path("d.png").read_bytes()
    Path("sub").mkdir()
    Path("loop").symlink_to(".")
    Path("soft.png").symlink_to("d.png")
    os.link("d.png", "hard.png")
    output = str(Path("d.png").resolve()) if name == "absolute" else name
    before = sorted(os.listdir())
    for data, written in [("d.png", output), (output, "d.png")]:
        message = refused(call("fit", data, EXPRESSION, option, written))
        assert message == (
            f"{option} {written} is the same file as the data, {data}; choose another name"
        )
    assert Path("d.png").read_bytes() == content
    assert sorted(os.listdir()) == before


@pytest.mark.parametrize("name", ["f.png", "./f.png", "loop/f.png", "soft.png"])
@pytest.mark.parametrize("exists", [False, True])
def test_two_outputs_are_never_one_file(call: Call, name: str, exists: bool) -> None:
    Path("loop").symlink_to(".")
    Path("soft.png").symlink_to("f.png")
    if exists:
        Path("f.png").write_text("kept")
    message = refused(call("fit", "decay.csv", EXPRESSION, "--json", "f.png", "--plot", name))
    assert message == f"--plot {name} is the same file as --json f.png; choose another name"
    assert Path("f.png").exists() == exists
    if exists:
        assert Path("f.png").read_text() == "kept"


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (
            "lmoo fit - MODEL --json d.csv <d.csv",
            "--json d.csv is the same file as the data, -",
        ),
        (
            "lmoo fit d.csv MODEL >>d.csv",
            "the report on standard output is the same file as the data, d.csv",
        ),
        ("lmoo fit d.csv MODEL --json - >>d.csv", "--json - is the same file as the data, d.csv"),
        ("lmoo fit - MODEL <d.csv >>d.csv", "the report on standard output is the same file as"),
        (
            "lmoo fit d.csv MODEL --json f.json >f.json",
            "--json f.json is the same file as the report on standard output",
        ),
        (
            "lmoo fit d.csv MODEL --json - --plot f.png >f.png",
            "--plot f.png is the same file as --json -",
        ),
        (
            "lmoo fit /dev/stdin MODEL --json d.csv <d.csv",
            "--json d.csv is the same file as the data, /dev/stdin",
        ),
    ],
)
def test_redirected_streams_are_files_too(call: Call, script: str, message: str) -> None:
    Path("decay.csv").rename("d.csv")
    content = Path("d.csv").read_bytes()
    run = shell(script.replace("MODEL", shlex.quote(EXPRESSION)) + "; echo $? >&2")
    error, code = run.stderr.removesuffix("\n").split("\n")
    assert error.startswith(f"lmoo: error: {message}")
    assert code == "2"
    assert Path("d.csv").read_bytes() == content
    assert all(
        Path(name).stat().st_size == 0
        for name in ("f.json", "f.png")
        if name in script and Path(name).exists()
    )


def test_what_is_no_file_may_be_named_twice(call: Call) -> None:
    run = call("fit", "decay.csv", EXPRESSION, "--json", os.devnull)
    assert (run.code, run.err) == (0, "")
    run = shell(f"lmoo fit decay.csv {shlex.quote(EXPRESSION)} --json /dev/null >/dev/null")
    assert (run.returncode, run.stderr) == (0, "")


def test_other_files_are_overwritten_by_force_alone(call: Call) -> None:
    Path("f.json").write_text("kept")
    message = refused(call("fit", "decay.csv", EXPRESSION, "--json", "f.json"))
    assert message == "--json f.json exists; --force overwrites it"
    assert Path("f.json").read_text() == "kept"
    assert call("fit", "decay.csv", EXPRESSION, "--json", "f.json", "--force").code == 0
    assert Path("f.json").read_text() != "kept"
    message = refused(call("fit", "decay.csv", EXPRESSION, "--json", "decay.csv", "--force"))
    assert "is the same file as the data" in message


def test_at_a_terminal_the_user_is_asked(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    Path("f.json").write_text("kept")
    errors = Terminal()
    monkeypatch.setattr("sys.stderr", errors)
    for answer, code in {"n": 2, "": 2, "y": 0}.items():
        monkeypatch.setattr("sys.stdin", Terminal(answer + "\n"))
        assert call("fit", "decay.csv", EXPRESSION, "--json", "f.json").code == code
        assert (Path("f.json").read_text() == "kept") == bool(code)
    assert "lmoo: --json f.json exists; overwrite it? [y/N] " in errors.getvalue()
