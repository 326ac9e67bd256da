"""Malformed expressions and files, at random."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from cli_cases import ATTACKS, Call, refused


def bad_expression(chance: random.Random) -> str:
    """An expression with something in it that no expression has."""
    good = "a*exp(-b*t) + c*sin(w*t)/max(t, 1) - where(t > 2, a, b)**2"
    wrong = [
        *ATTACKS,
        *"[]{}.'\"$@!?&|~:;\\`%#\x00\x1b\x7f\u202e\n\U0001f600",
        "**/",
        "(",
        ")",
        ",,",
        "<>",
    ]
    place = chance.randrange(len(good))
    kind = chance.randrange(4)
    if kind == 0:
        return good[:place] + chance.choice(wrong) + "((" + good[place:]
    if kind == 1:
        return chance.choice(ATTACKS) + chance.choice(["", "+a*t", ")"])
    if kind == 2:
        return chance.choice("+-*/(") * chance.randrange(1, 400)
    return "".join(chance.choice("()*/.,'[]=") for _ in range(chance.randrange(1, 60))) + "("


def bad_file(chance: random.Random) -> bytes:
    """A data file that is malformed somewhere."""
    lines = [b"t,y"] + [b"%d,%d.5" % (k, 3 * k) for k in range(8)]
    at = chance.randrange(1, len(lines))
    junk = bytes(chance.randrange(256) for _ in range(chance.randrange(1, 30)))
    lines[at] = chance.choice(
        [
            lines[at] + b",1",
            b"1",
            b"1,,",
            b",",
            b"1,\xff\xfe",
            b'1,"2',
            b"1,2;3",
            b"1,__import__('os').system('touch touched')",
            b"1,inf",
            b"1,--2",
            b"x" * 300 + b",2",
            b"1,\xc3\xa9" + b"9" * 200,
            b"1,2"
            + junk.replace(b"#", b"\x01").replace(b"\n", b"\x01").replace(b"\r", b"\x01")
            + b"z",
        ]
    )
    whole = b"\n".join(lines)
    return chance.choice(
        [whole, whole, whole, whole, b"\x1f\x8b" + whole, junk[:1] + b"\x00\xff", b""]
    )


@pytest.mark.parametrize("seed", range(200))
def test_malformed_input_gives_one_clear_line_and_nothing_is_executed(
    call: Call, seed: int
) -> None:
    chance = random.Random(seed)
    expression = "a*t + b"
    if seed % 2:
        expression = bad_expression(chance)
    else:
        Path("bad.csv").write_bytes(bad_file(chance))
    before = sorted(os.listdir())
    run = call("fit", "decay.csv" if seed % 2 else "bad.csv", expression)
    message = refused(run)
    assert 10 < len(message) < 400
    assert message.isprintable()
    assert ("at character" in message) == bool(seed % 2)
    assert sorted(os.listdir()) == before


def test_options_are_not_executed_either(call: Call) -> None:
    before = sorted(os.listdir())
    for attack in ATTACKS:
        for option in ("--start", "--bounds", "--fix", "--sigma", "--x", "--y", "--level"):
            refused(call("fit", "decay.csv", "a*t", option, attack))
    assert sorted(os.listdir()) == before


# What a terminal obeys: colours, titles, cursors, bells, other directions of writing.
CONTROLS = [
    "\x1b[31mX",
    "a\x1b]0;t\x07",
    "b\x9b2J",
    "\u202eabc",
    "c\rd",
    "e\nf",
    "g\x7f",
    "h\u2028i",
    "\x08",
]

PLACES = [
    ["d.csv", "a*t", "NAME"],
    ["d.csv", "NAME"],
    ["d.csv", "a*NAME"],
    ["NAME", "a*t"],
    ["d.csv", "a*t", "--NAME"],
    ["d.csv", "a*t", "--json", "no/NAME"],
    ["d.csv", "a*t", "--json", "d.csv", "--plot", "NAME.png"],
    ["d.csv", "a*t", "--plot", "no/NAME.png"],
    ["d.csv", "a*t", "--sigma", "3"],
    ["d.csv", "a*t", "--y", "NAME"],
    ["d.csv", "a*t", "--y", "none"],
    ["d.csv", "a*t", "--y", "1", "--sigma", "1"],
    ["d.csv", "a*u", "--x", "3"],
    ["LINK", "a*t", "--json", "d.csv"],
    ["LINK", "a*t", "--y", "none"],
    *[
        ["d.csv", "a*t", option, value]
        for option in ("--x", "--start", "--bounds", "--fix", "--level", "--nan-policy", "--sigma")
        for value in ("NAME", "NAME=1", "a=NAME")
    ],
    *[
        ["d.csv", "a*t", option, value]
        for option in ("--tie", "--prior", "--derived", "--constraint", "--sigma-x", "--report")
        for value in ("NAME", "q=NAME")
    ],
    ["d.csv", "a*t", "--report", "no/NAME.html"],
]


@pytest.mark.parametrize("name", CONTROLS)
def test_no_control_character_reaches_the_terminal(
    call: Call, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Plots take most of the time of a page; that of --plot is drawn.
    monkeypatch.setattr("lmoo.results.report.page.pictures_of", lambda result: ([], ""))
    quoted = f'"{name}"' if not set(name) & set("\r\n") else "plain"
    rows = [f"{k},{2 * k + k % 2},-1" for k in range(9)]
    Path("d.csv").write_text("\n".join([f"t,y,{quoted}", *rows]), encoding="utf-8")
    os.link("d.csv", f"{name}.csv")
    for place in PLACES:
        argv = [part.replace("LINK", f"{name}.csv").replace("NAME", name) for part in place]
        run = call("fit", *argv)
        # A column of this name may do as the variable.
        assert run.code == 0 or refused(run._replace(out="")), argv
        assert all(char.isprintable() or char == "\n" for char in run.out + run.err), argv
    run = call("fit", f"{name}.csv", "a*t", "--json", "f.json", "--plot", "f.svg")
    assert (run.code, run.err) == (0, "")
    assert all(char.isprintable() or char == "\n" for char in run.out)
    assert Path("f.json").read_text(encoding="utf-8").isascii()
    commands = ([name], ["nist", name], ["demo", f"--{name}"], ["completion", name])
    for command in (*commands, ["watch", "-", name]):
        run = call(*command)
        assert refused(run)
        assert all(char.isprintable() or char == "\n" for char in run.err)
