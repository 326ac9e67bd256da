"""The command line: ``lmoo fit``, ``lmoo nist``, ``lmoo demo``."""

import argparse
import io
import os
import re
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from lmoo.cli.terminal import one_line, visible

__all__ = ["main"]

_USAGE_ERROR, _BROKEN_PIPE, _INTERRUPTED = 2, 141, 130

# Exceptions whose message is sufficient; for others the name of the class is shown as well.
_SELF_EXPLANATORY = (ValueError, ArithmeticError, OSError, ImportError)

# "-" alone is standard input.
_OPTION = re.compile(r"--[a-z][a-z-]*(=|$)|-h$|-$")

_EXAMPLES = """\
examples:
  lmoo fit decay.csv "a*exp(-b*t) + c"
  lmoo fit decay.csv "a*exp(-b*t) + c" --start a=1,b=1 --bounds b=0: --fix c=0
  lmoo fit peak.tsv "h/(1 + ((x-m)/w)^2) + u" --x energy --y counts --sigma "sqrt(counts)"
  lmoo fit decay.csv "a*exp(-b*t)" --sigma err --absolute-sigma --plot fit.png --json fit.json
  zcat scan.gz | lmoo fit - "a*x^n" --y 3 --nan-policy omit

The variable is t, x or the name of a column of the file; every other name is a parameter.
exit codes: 0 a minimum was found; 1 none was; 2 an error in the options, the expression or the data
"""


class _Parser(argparse.ArgumentParser):
    """A parser of options with error messages of one line."""

    def error(self, message: str) -> NoReturn:
        _print_error(one_line(f"{message} ({self.prog} --help lists the options)"))
        raise SystemExit(_USAGE_ERROR)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; None takes those of the process.

    Returns
    -------
    int
        The exit code: 0 success, 1 no minimum was found, 2 an error in options, expression or
        data, or while files are written, 130 interrupted, 141 standard output was closed.

    Notes
    -----
    Standard output is set to escape characters that its encoding does not have.

    Examples
    --------
    >>> from lmoo.cli import main
    >>> main(["--version"])  # doctest: +ELLIPSIS
    lmoo ...
    0
    """
    _escape_unencodable()
    with warnings.catch_warnings():
        warnings.showwarning = _warn
        try:
            code = _run(sys.argv[1:] if argv is None else argv)
            # An error of this flush could not be caught at the end of the interpreter.
            print(end="", flush=True)
            return code
        except KeyboardInterrupt:
            _print_error("interrupted")
            return _INTERRUPTED
        except BrokenPipeError:
            _discard_output()
            return _BROKEN_PIPE
        except Exception as error:
            # A user of the shell should not see a traceback, whatever the exception.
            _print_error(_described(error))
            return _USAGE_ERROR


def _run(argv: Sequence[str]) -> int:
    """Run a command and return its exit code; for help and usage errors that of argparse."""
    try:
        arguments = _parser().parse_args(_guarded(argv))
    except SystemExit as end:
        return int(end.code or 0)
    code: int = arguments.run(arguments)
    return code


def _guarded(argv: Sequence[str]) -> list[str]:
    """Return the arguments with a space before those that begin with a minus and are no options.

    argparse takes an argument with a leading space as a value, and expressions ignore the space.
    """
    return [
        f" {text}" if text.startswith("-") and not _OPTION.match(text) else text for text in argv
    ]


def _parser() -> argparse.ArgumentParser:
    from lmoo import __version__

    parser = _Parser(
        prog="lmoo", description="Nonlinear least squares.", allow_abbrev=False, epilog=None
    )
    parser.add_argument("--version", action="version", version=f"lmoo {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser)
    _add_fit(commands)
    nist = commands.add_parser("nist", help="certify this installation with NIST's 27 problems")
    nist.set_defaults(run=_command("lmoo.cli.commands.nist"))
    demo = commands.add_parser("demo", help="fit real measurements, and draw them into demo/")
    demo.set_defaults(run=_demo)
    return parser


def _add_fit(commands: Any) -> None:
    fit = commands.add_parser(
        "fit",
        help="fit a model to columns of a file",
        description="Fit a model, written as an expression, to columns of a file.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    fit.set_defaults(run=_command("lmoo.cli.commands.fit"))
    add = fit.add_argument
    add(
        "data",
        metavar="DATA",
        type=_file,
        help="a table: text, Excel, parquet, HDF5 or FITS; - is standard input",
    )
    add("expression", metavar="EXPRESSION", help='the model, such as "a*exp(-b*t) + c"')
    listed = {"action": "append", "default": []}
    add("--start", metavar="a=1,b=1", help="starting values; guessed where left out", **listed)
    add("--bounds", metavar="b=0:,c=-1:1", help="bounds, lower:upper", **listed)
    add(
        "--fix",
        metavar="c=0",
        help="fixed parameters; without a value, at their --start",
        **listed,
    )
    once = {"action": "append", "default": []}
    add("--tie", metavar="c=a/2", help="a parameter that follows from others; repeatable", **once)
    add("--prior", metavar="a=3.1:0.2", help="known before: mean:standard deviation", **listed)
    add("--derived", metavar="NAME=a/b", help="a further quantity; repeatable", **once)
    add("--constraint", metavar='"a <= b"', help="a linear constraint; repeatable", **once)
    add("--x", metavar="[NAME=]COLUMN", help="the variable (default: the first column)", **listed)
    add("--y", metavar="COLUMN", help='the data to fit: a column, or a formula as "log(y)"')
    add("--sigma", metavar="COLUMN", help="standard deviations of y: a column, a formula, or 0.1")
    add(
        "--sigma-x",
        metavar="COLUMN",
        help="standard deviations of the variable: distances from the curve are fitted",
    )
    add(
        "--absolute-sigma",
        action="store_true",
        help="sigma is known, and not scaled by the residual",
    )
    add(
        "--loss",
        choices=("linear", "huber", "soft_l1", "cauchy", "arctan", "tukey"),
        default="linear",
        help="a robust loss, by which outliers count less",
    )
    add(
        "--f-scale",
        metavar="C",
        type=_scale,
        default="mad",
        help="residual, over sigma, of an outlier, or mad to estimate it (default: mad)",
    )
    add(
        "--nan-policy",
        choices=("raise", "omit"),
        default="raise",
        help="rows with missing values: an error, or left out",
    )
    add("--level", type=_level, default=0.95, help="level of confidence intervals (default: 0.95)")
    add(
        "--plot",
        metavar="FILE",
        type=_picture,
        help="draw data and fit, as .png, .svg or .pdf (needs matplotlib)",
    )
    add(
        "--json",
        metavar="FILE",
        type=_file,
        help="write the result as JSON; - prints it, without the report",
    )
    add("--force", action="store_true", help="overwrite files that exist")
    _add_format(fit)


def _add_format(fit: argparse.ArgumentParser) -> None:
    """Add the options for the form of the data file."""
    group = fit.add_argument_group("form of the data", "found from the file where left out")
    add = group.add_argument
    add("--sep", metavar="CHAR", help="separator: tab, comma, semicolon, pipe, space, or another")
    add("--decimal", metavar="MARK", help="decimal mark: point or comma")
    add("--comment", metavar="MARK", help="what begins a comment, such as %% or //")
    add("--skip", metavar="LINES", help="number of lines at the top that are not read")
    add("--encoding", metavar="NAME", help="encoding of the text, such as utf-16 or latin-1")
    add(
        "--missing",
        metavar="TEXT",
        action="append",
        default=[],
        help="what stands for a missing value, besides NA, NaN, ?, -- and an empty cell",
    )
    add(
        "--sheet",
        metavar="NAME",
        help="sheet of a workbook, data set or group of HDF5, extension of FITS",
    )


def _level(text: str) -> float:
    from lmoo.cli.reading import number

    value = number(text)
    if value is None or not 0.0 < value < 1.0:
        raise argparse.ArgumentTypeError(f"must be between 0 and 1; it is {text!r}")
    return value


def _scale(text: str) -> float | str:
    from lmoo.cli.reading import number

    value = number(text)
    if text != "mad" and (value is None or not 0.0 < value < float("inf")):
        raise argparse.ArgumentTypeError(f"must be a positive number, or mad; it is {text!r}")
    return "mad" if value is None else value


def _picture(text: str) -> str:
    from lmoo.cli.commands.picture import format_of

    path = _file(text)
    try:
        format_of(path)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return path


def _file(text: str) -> str:
    """Return the name of a file without the space that `_guarded` may have added."""
    if not text:
        raise argparse.ArgumentTypeError("must be the name of a file; it is ''")
    return text.removeprefix(" ") if text.startswith(" -") else text


def _command(module: str) -> Callable[[argparse.Namespace], int]:
    """Return the function of a command, which imports its module when it is called."""

    def run(arguments: argparse.Namespace) -> int:
        from importlib import import_module

        code: int = import_module(module).run(arguments)
        return code

    return run


def _demo(arguments: argparse.Namespace) -> int:
    from lmoo.cli.demo import main as demo

    demo()
    return 0


def _described(error: BaseException) -> str:
    """Return the message of an exception on one line; ExpressionError has lines with the place."""
    from lmoo.models.expression import ExpressionError

    if isinstance(error, ExpressionError):
        return str(error)
    if isinstance(error, OSError) and error.filename is not None:
        return one_line(f"cannot write {error.filename}: {error.strerror}")
    if isinstance(error, ImportError) and (error.name or "").startswith("matplotlib"):
        return "pictures need matplotlib: pip install lmoo[plot]"
    if isinstance(error, MemoryError):
        return one_line(f"not enough memory: {error}").removesuffix(":")
    if isinstance(error, _SELF_EXPLANATORY) and str(error):
        return one_line(str(error))
    return one_line(f"{type(error).__name__}: {error}").removesuffix(":")


def _print_error(message: str) -> None:
    lines = [visible(line) for line in message.split("\n")]
    print("lmoo: error: " + "\n".join(lines), file=sys.stderr)


def _warn(message: Warning | str, *_: Any, **__: Any) -> None:
    """Print a warning on one line of standard error."""
    print(f"lmoo: warning: {one_line(str(message))}", file=sys.stderr)


def _escape_unencodable() -> None:
    """Set standard output to write escapes for characters that its encoding does not have."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _discard_output() -> None:
    """Discard buffered output, as the interpreter's flush of a closed pipe would print an error."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
