"""`lmoo watch`: fits of a file that grows."""

from __future__ import annotations

import gzip
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from cli_cases import EXPRESSION, Call, Run, T, Y, environment, refused

LINES = [f"{t!r},{y!r}\n" for t, y in zip(T.tolist(), Y.tolist(), strict=True)]
NAME = "run.csv"
HEADER = "t,y\n"
LINE = re.compile(r"\d\d:\d\d:\d\d  rows (\d+)  (.*)")

Watch = Callable[..., Run]


def rows(out: str) -> list[int]:
    """The numbers of rows of the fits that were printed."""
    found = [LINE.fullmatch(line) for line in out.splitlines()]
    assert all(found)
    return [int(match.group(1)) for match in found if match is not None]


def text(count: int) -> str:
    return HEADER + "".join(LINES[:count])


def append(content: str, encoding: str = "utf-8") -> None:
    with open(NAME, "ab") as file:
        file.write(content.encode(encoding))


def write(content: str | bytes) -> None:
    Path(NAME).write_bytes(content if isinstance(content, bytes) else content.encode())


@pytest.fixture
def watch(call: Call, monkeypatch: pytest.MonkeyPatch) -> Watch:
    """Watch run.csv; each pause makes the next of the changes, and Ctrl-C comes after the last."""

    def run(*argv: str, changes: list[Callable[[], Any]], model: str = EXPRESSION) -> Run:
        left = iter(changes)

        def pause(seconds: float) -> None:
            assert seconds == 0.01
            change = next(left, None)
            if change is None:
                raise KeyboardInterrupt
            change()

        clock = SimpleNamespace(sleep=pause, strftime=time.strftime)
        monkeypatch.setattr("lmoo.cli.commands.watch.time", clock)
        return call("watch", NAME, model, "--interval", "0.01", *argv)

    return run


def test_a_line_for_each_fit(watch: Watch) -> None:
    write(text(8))
    run = watch(changes=[lambda: append(LINES[8]), lambda: None, lambda: append(LINES[9])])
    assert (run.code, run.err) == (130, "lmoo: note: ended after 3 fits\n")
    assert rows(run.out) == [8, 9, 10]
    for name, value in (("a", 2.5), ("b", 1.3), ("c", 0.5)):
        shown = re.search(rf"  {name} ([-.0-9]+) \+- ([.0-9]+)  ", run.out.splitlines()[-1])
        assert shown is not None
        assert abs(float(shown.group(1)) - value) < 6 * float(shown.group(2))


def test_an_incomplete_line_is_left_out(watch: Watch) -> None:
    write(text(8) + LINES[8][:-3])
    run = watch(changes=[lambda: append(LINES[8][-3:]), lambda: append(LINES[9].rstrip("\n"))])
    assert rows(run.out) == [8, 9]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "cp1252", "utf-32"])
def test_half_a_character_at_the_end(watch: Watch, encoding: str) -> None:
    content = ("t,y,µ\n" + "".join(f"{line.strip()},µ\n" for line in LINES[:8])).encode(encoding)
    write(content)
    tail = f"{LINES[8].strip()},µ\n".encode(encoding.removesuffix("-sig"))
    if encoding in ("utf-16", "utf-32"):
        tail = tail[int(encoding[-2:]) // 8 :]
    changes = [lambda byte=byte: append_bytes(byte) for byte in tail]
    run = watch(changes=changes)
    assert rows(run.out) == [8, 9]
    assert "waiting" not in run.err


def append_bytes(byte: int) -> None:
    with open(NAME, "ab") as file:
        file.write(bytes([byte]))


def test_what_comes_before_the_data_is_waited_for(watch: Watch) -> None:
    changes: list[Callable[[], Any]] = [
        lambda: write("# a run"),
        lambda: append("\n"),
        lambda: append("t,y"),
        lambda: append("\n"),
        lambda: append(LINES[0]),
        lambda: append(LINES[1]),
        lambda: append(LINES[2]),
    ]
    run = watch(changes=changes)
    assert rows(run.out) == [3]
    notes = run.err.splitlines()
    assert notes[0] == f"lmoo: note: waiting: cannot read {NAME}: No such file or directory"
    few = "lmoo: note: waiting: 3 parameters need as many rows of data or more; there are 2"
    assert few in notes
    # Nothing is said twice.
    assert len(set(notes)) == len(notes)


def test_a_file_that_is_cut_off_or_replaced_is_another_one(watch: Watch) -> None:
    def replaced() -> None:
        Path("new.csv").write_text("t,y\n" + "".join(f"{k},{5 * k + 1}\n" for k in range(6)))
        os.replace("new.csv", NAME)

    write(text(20))
    run = watch(changes=[lambda: write(text(10)), replaced], model="a*t + c")
    assert rows(run.out) == [20, 10, 6]
    found = re.search(r"  a (\S+) .*  c (\S+) ", run.out.splitlines()[-1])
    assert found
    # The data are exact, so that rounding errors decide how many digits there are.
    assert list(map(float, found.groups())) == pytest.approx([5.0, 1.0], rel=1e-14)


def test_a_file_that_is_gone_for_a_while(watch: Watch) -> None:
    write(text(9))
    changes = [Path(NAME).unlink, lambda: None, lambda: write(text(9)), lambda: append(LINES[9])]
    run = watch(changes=changes)
    # The same data are not fitted again.
    assert rows(run.out) == [9, 10]
    assert run.err.count("No such file") == 1


def test_other_columns_after_the_first_fit(watch: Watch) -> None:
    write(text(9).replace("t,y", "time,y"))
    changes = [lambda: write(text(9)), lambda: write(text(10).replace("t,y", "time,y"))]
    run = watch(changes=changes, model="a*exp(-b*time) + c")
    assert rows(run.out) == [9, 10]
    assert "waiting: the expression has no variable: none of a, b, time, c is t, x" in run.err


def test_a_line_that_is_no_number_is_waited_for(watch: Watch) -> None:
    write(text(9))
    run = watch(changes=[lambda: append("5,error\n"), lambda: write(text(10))])
    assert rows(run.out) == [9, 10]
    assert "waiting: run.csv, line 11: column 'y' must be a number; it is 'error'" in run.err


def test_the_start_is_the_last_solution(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    from lmoo.cli.commands import request

    counts: list[bool] = []
    original = request.best_result

    def counted(search: Any, solver: Any) -> Any:
        counts.append(bool(np.isnan(search.given.values).any()))
        return original(search, solver)

    monkeypatch.setattr(request, "best_result", counted)
    write(text(8))
    run = watch(changes=[lambda k=k: append(LINES[k]) for k in range(8, 18)])
    assert rows(run.out) == list(range(8, 19))
    # A search at first, and one more where there are twice as many rows.
    assert counts == [True] + [False] * 8 + [True] + [False] * 2


def test_a_wrong_minimum_is_left(watch: Watch) -> None:
    """A slow sine looks like a line at first."""
    t = np.linspace(0.0, 12.0, 60)
    pairs = zip(t.tolist(), np.sin(2 * t).tolist(), strict=True)
    lines = [f"{x!r},{y!r}\n" for x, y in pairs]
    write(HEADER + "".join(lines[:5]))
    changes = [lambda k=k: append("".join(lines[k : k + 5])) for k in range(5, 60, 5)]
    run = watch("--json", "-", changes=changes, model="a*sin(w*t)")
    last = json.loads(run.out.splitlines()[-1])
    assert abs(last["x"][1]) == pytest.approx(2.0, rel=1e-6)
    assert last["observations"] == 60


def test_count_and_once(watch: Watch) -> None:
    write(text(8))
    run = watch("--count", "2", changes=[lambda: append(LINES[8]), lambda: append(LINES[9])])
    assert (run.code, rows(run.out)) == (0, [8, 9])
    run = watch("--once", changes=[])
    assert (run.code, rows(run.out)) == (0, [9])
    run = watch("--once", "--full", changes=[])
    assert run.code == 0
    assert "95 % interval" in run.out


def test_a_fit_that_fails(watch: Watch) -> None:
    # The sum of squares decreases for ever as a grows.
    write("t,y\n" + "".join(f"{k},0\n" for k in range(1, 6)))
    start = ("--start", "a=1")
    run = watch("--count", "2", *start, changes=[lambda: append("6,0\n")], model="1/(a*t)")
    assert run.code == 1
    assert run.out.count("  NO minimum was found: MAXFEV") == 2
    assert "+-" not in run.out


def test_files_are_written_again(watch: Watch) -> None:
    write(text(8))
    seen = []
    run = watch(
        "--json",
        "f.json",
        "--plot",
        "f.svg",
        changes=[
            lambda: seen.append(json.loads(Path("f.json").read_text())["observations"]),
            lambda: append(LINES[8]),
        ],
    )
    assert rows(run.out) == [8, 9]
    assert seen == [8]
    assert json.loads(Path("f.json").read_text())["observations"] == 9
    assert Path("f.svg").exists()
    message = refused(watch("--json", "f.json", changes=[]))
    assert message == "--json f.json exists; --force overwrites it"
    message = refused(watch("--json", NAME, "--force", changes=[]))
    assert message == f"--json {NAME} is the same file as the data, {NAME}; choose another name"


def test_compressed_files(watch: Watch) -> None:
    whole = gzip.compress(text(9).encode())
    write(gzip.compress(text(8).encode()))
    run = watch(changes=[lambda: write(whole[:-12]), lambda: write(whole)])
    assert rows(run.out) == [8, 9]
    assert "waiting: cannot decompress run.csv" in run.err


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (("watch", "-", "a*t"), "DATA must be the name of a file, which can be read again; it is"),
        (
            ("watch", NAME, "a*t", "--interval", "0"),
            "--interval: must be a number of seconds",
        ),
        (("watch", NAME, "a*t", "--interval", "-1"), "--interval: must be a number of seconds"),
        (("watch", NAME, "a*t", "--count", "0"), "--count: must be a whole number, 1 or more; it"),
        (("watch", NAME, "a*("), "expected a number, a name or '(', found the end"),
        (
            ("watch", NAME, "a*t", "--start", "b=1"),
            "--start: 'b' is not a parameter of",
        ),
    ],
)
def test_errors_before_the_first_fit(call: Call, argv: tuple[str, ...], message: str) -> None:
    write(text(8))
    assert refused(call(*argv)).startswith(message)


def test_names_are_never_obeyed(watch: Watch) -> None:
    name = "\x1b[31mred\x1b]0;x\x07"
    write(f"t,{name}\n" + "".join(LINES[:8]) + "bad\n")
    run = watch("--y", "z", changes=[lambda: write(f"t,{name}\n" + "".join(LINES[:8]))])
    assert r"its columns are 't, \x1b[31mred\x1b]0;x\x07'" in run.err
    assert run.err.isprintable() or set(filter(lambda c: not c.isprintable(), run.err)) == {"\n"}


@pytest.mark.slow
@pytest.mark.usefixtures("interruptible")
def test_a_process_that_another_one_feeds(call: Call) -> None:
    """A thread appends in small pieces; the process ends by Ctrl-C."""
    write(text(5))

    def feed() -> None:
        for piece in range(0, len(tail), 7):
            append(tail[piece : piece + 7])
            time.sleep(0.005)

    tail = "".join(LINES[5:])
    command = [sys.executable, "-m", "lmoo", "watch", NAME, EXPRESSION, "--interval", "0.02"]
    process = subprocess.Popen(
        command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    feeder = threading.Thread(target=feed)
    try:
        assert process.stdout is not None
        found = [process.stdout.readline()]
        feeder.start()
        while rows(found[-1]) != [20]:
            found.append(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
        feeder.join()
    counts = rows("".join(found) + out)
    assert counts == sorted(set(counts))
    assert (process.returncode, err) == (130, f"lmoo: note: ended after {len(counts)} fits\n")
