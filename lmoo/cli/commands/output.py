"""The output of a fit: the report, the JSON file, the plot and the page."""

import argparse
import contextlib
import json
import os
import stat
import sys
from pathlib import Path
from typing import Any

from lmoo.cli.commands.options import UsageError
from lmoo.cli.picture import draw
from lmoo.cli.reading.source import name_of
from lmoo.cli.terminal import one_line
from lmoo.results.result import Result
from lmoo.results.storage import for_json, plain

# The options that name a file to be written.
_OUTPUTS = ("json", "plot", "report")
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
        Two of the data, the report, the JSON, the plot and the page are the same file (links and
        redirected streams are resolved), or an output exists, or its folder does not.
    """
    uses = [(f"the data, {arguments.data}", _identity(arguments.data, sys.stdin))]
    uses.append(("the report on standard output", _identity("-", sys.stdout)))
    if arguments.json == "-":
        uses[-1] = ("--json -", uses[-1][1])
    outputs = {f"--{name} {path}": path for name, path in _files(arguments).items()}
    uses += [(use, _identity(path, None)) for use, path in outputs.items()]
    for k, (use, identity) in enumerate(uses):
        for other, same in uses[:k]:
            if identity is not None and identity == same:
                raise UsageError(f"{use} is the same file as {other}; choose another name")
    for use, path in outputs.items():
        folder = Path(path).absolute().parent
        if not folder.is_dir():
            raise UsageError(f"{use} cannot be written: there is no folder {name_of(str(folder))}")
        if Path(path).is_dir():
            raise UsageError(f"{use} is a folder; give the name of a file")
        if not arguments.force and Path(path).is_file():
            _confirm(use)


def _files(arguments: argparse.Namespace) -> dict[str, str]:
    """Return the files to be written by the options that name them."""
    found = {name: getattr(arguments, name) for name in _OUTPUTS}
    return {name: path for name, path in found.items() if path not in (None, "-")}


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
    """Print the report, or JSON, and write the files that the options request.

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
    try:
        if arguments.json == "-":
            print(json.dumps(document(result, arguments, reading), indent=2, allow_nan=False))
        else:
            print_report(result, arguments)
    finally:
        # Also where standard output is a pipe that was closed, as by ``head``.
        write_files(result, arguments, labels, reading)


def print_report(result: Result, arguments: argparse.Namespace) -> None:
    """Print the report, with a table of intervals if the options request other ones."""
    print(result)
    other = arguments.absolute_sigma or arguments.level != _USUAL_LEVEL
    if other and result.success:
        print(_intervals(result, arguments))


def write_files(
    result: Result, arguments: argparse.Namespace, labels: tuple[str, str], reading: str
) -> None:
    """Write the files that the options request; the arguments are those of `deliver`."""
    files = _files(arguments)
    if "json" in files:
        text = json.dumps(document(result, arguments, reading), indent=2, allow_nan=False)
        Path(files["json"]).write_text(text + "\n", encoding="utf-8")
    if "plot" in files:
        draw(result, files["plot"], arguments.level, labels)
    if "report" in files:
        title = f"{name_of(arguments.data)}: {one_line(arguments.expression)}"
        # `check_files` has asked whether a file that exists may be overwritten.
        result.to_html(files["report"], title=title, overwrite=True)


def document(result: Result, arguments: argparse.Namespace, reading: str) -> Any:
    """Return the result as JSON can store it, with the options and intervals under "fit".

    A fit that failed has no errors and intervals.
    """
    errors, intervals = _errors(result, arguments) if result.success else (None, None)
    found = for_json(result)
    found["fit"] = {
        "data": arguments.data,
        "reading": reading,
        "expression": arguments.expression,
        "absolute_sigma": arguments.absolute_sigma,
        "level": arguments.level,
        "standard_errors": None if errors is None else plain(errors.tolist()),
        "confidence_interval": None if intervals is None else plain(intervals.tolist()),
    }
    return found


def _errors(result: Result, arguments: argparse.Namespace) -> tuple[Any, Any]:
    """Return standard errors, (n,), and confidence intervals, (n, 2), for the options."""
    return result.standard_errors, result.confidence_interval(arguments.level)


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
