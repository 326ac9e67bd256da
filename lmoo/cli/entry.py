"""The command line: its errors and its exit codes."""

import io
import os
import sys
import warnings
from collections.abc import Sequence
from typing import Any

from lmoo.cli.parser import USAGE_ERROR, parsed
from lmoo.cli.terminal import one_line, print_error

_BROKEN_PIPE, _INTERRUPTED = 141, 130

# Exceptions whose message is sufficient; for others the name of the class is shown as well.
_SELF_EXPLANATORY = (ValueError, ArithmeticError, OSError, ImportError)


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
            print_error("interrupted")
            return _INTERRUPTED
        except BrokenPipeError:
            _discard_output()
            return _BROKEN_PIPE
        except Exception as error:
            # A user of the shell should not see a traceback, whatever the exception.
            print_error(_described(error))
            return USAGE_ERROR


def _run(argv: Sequence[str]) -> int:
    """Run a command and return its exit code; for help and usage errors that of argparse."""
    try:
        arguments = parsed(argv)
    except SystemExit as end:
        return int(end.code or 0)
    code: int = arguments.run(arguments)
    return code


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
