"""The output of ``lmoo fit``: the report, the JSON file and the plot."""

import argparse
import contextlib
import json
import os
import stat
import sys
from pathlib import Path
from typing import Any

import numpy as np

from lmoo.cli.commands.options import UsageError
from lmoo.cli.commands.picture import draw
from lmoo.cli.terminal import one_line
from lmoo.results.result import Result
from lmoo.results.storage import plain

__all__ = ["check_files", "deliver"]

# The level of the intervals in the report.
_USUAL_LEVEL = 0.95


def check_files(arguments: argparse.Namespace) -> None:
    """Raise UsageError if an output would overwrite the data, another output or another file.

    A file that exists is overwritten with ``--force``, or after a question at a terminal.

    Parameters
    ----------
    arguments : argparse.Namespace
        The options of the command.

    Raises
    ------
    UsageError
        Two of the data, the report, the JSON and the plot are the same file (links and redirected
        streams are resolved), or an output exists.
    """
    uses = [(f"the data, {arguments.data}", _identity(arguments.data, sys.stdin))]
    uses.append(("the report on standard output", _identity("-", sys.stdout)))
    if arguments.json == "-":
        uses[-1] = ("--json -", uses[-1][1])
    elif arguments.json is not None:
        uses.append((f"--json {arguments.json}", _identity(arguments.json, None)))
    if arguments.plot is not None:
        uses.append((f"--plot {arguments.plot}", _identity(arguments.plot, None)))
    for k, (use, identity) in enumerate(uses):
        for other, same in uses[:k]:
            if identity is not None and identity == same:
                raise UsageError(f"{use} is the same file as {other}; choose another name")
    if not arguments.force:
        for option, path in (("--json", arguments.json), ("--plot", arguments.plot)):
            if path is not None and path != "-" and Path(path).is_file():
                _confirm(f"{option} {path}")


def _confirm(use: str) -> None:
    """Ask whether a file may be overwritten; UsageError if there is no terminal or no yes."""
    terminals = [stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr)]
    if all(terminals):
        print(f"lmoo: {one_line(use)} exists; overwrite it? [y/N] ", end="", file=sys.stderr)
        sys.stderr.flush()
        if sys.stdin.readline().strip().lower() in ("y", "yes"):
            return
    raise UsageError(f"{use} exists; --force overwrites it")


def _identity(path: str, stream: Any) -> tuple[Any, ...] | None:
    """Return a value that is equal for all names of a file; None if it is not a regular file.

    Parameters
    ----------
    path : str
        Name of the file; "-" stands for `stream`.
    stream : file or None
    """
    with contextlib.suppress(OSError, ValueError, AttributeError):
        found = os.fstat(stream.fileno()) if path == "-" and stream is not None else os.stat(path)
        # Terminals, pipes and /dev/null cannot be overwritten.
        return (found.st_dev, found.st_ino) if stat.S_ISREG(found.st_mode) else None
    if path == "-" and stream is not None:
        return None
    with contextlib.suppress(OSError, ValueError):
        # A file that does not exist yet; two links may point to it.
        return (os.path.normcase(os.path.realpath(path)),)
    return None


def deliver(
    result: Result, arguments: argparse.Namespace, labels: tuple[str, str], reading: str
) -> None:
    """Print the report and write the files that the options request.

    Parameters
    ----------
    result : Result
    arguments : argparse.Namespace
        The options of the command.
    labels : (str, str)
        Labels of the axes of the plot.
    reading : str
        How the data were read.
    """
    if arguments.json == "-":
        print(_json(result, arguments, reading))
    else:
        print(result)
        if arguments.absolute_sigma or arguments.level != _USUAL_LEVEL:
            print(_intervals(result, arguments))
        if arguments.json is not None:
            text = _json(result, arguments, reading) + "\n"
            Path(arguments.json).write_text(text, encoding="utf-8")
    if arguments.plot is not None:
        scaled = not arguments.absolute_sigma
        draw(result, arguments.plot, arguments.level, scaled, labels)


def _errors(result: Result, arguments: argparse.Namespace) -> tuple[Any, Any]:
    """Return standard errors, (n,), and confidence intervals, (n, 2), for the options."""
    scaled = not arguments.absolute_sigma
    errors = np.sqrt(np.diag(result.covariance(scaled)))
    return errors, result.confidence_interval(arguments.level, scaled=scaled)


def _intervals(result: Result, arguments: argparse.Namespace) -> str:
    """Return the table of intervals for another level or for known standard deviations."""
    known = " with sigma as given, not scaled" if arguments.absolute_sigma else ""
    width = max(map(len, result.parameter_names))
    lines = ["", f"  {100 * arguments.level:g} % confidence intervals{known}"]
    for name, error, (low, high) in zip(
        result.parameter_names, *_errors(result, arguments), strict=True
    ):
        lines.append(f"  {name:<{width}}  +- {error:<10.4g}  {low:.6g} .. {high:.6g}")
    return "\n".join(lines)


def _json(result: Result, arguments: argparse.Namespace, reading: str) -> str:
    """Return the result as JSON, with the options and their intervals under "fit"."""
    errors, intervals = _errors(result, arguments)
    document = result.to_dict()
    document["fit"] = {
        "data": arguments.data,
        "reading": reading,
        "expression": arguments.expression,
        "absolute_sigma": arguments.absolute_sigma,
        "level": arguments.level,
        "standard_errors": errors.tolist(),
        "confidence_interval": intervals.tolist(),
    }
    return json.dumps(plain(document), indent=2, allow_nan=False)
