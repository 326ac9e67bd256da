"""Text for a terminal."""

import sys

from lmoo.results.report.escaping import visible

__all__ = ["note", "one_line", "print_error", "visible"]


def one_line(text: str) -> str:
    """Return the text on one line, with escapes for characters that are not printable."""
    return visible(" ".join(text.split()))


def note(message: str) -> None:
    """Print a note on one line of standard error."""
    print(f"lmoo: note: {one_line(message)}", file=sys.stderr)


def print_error(message: str) -> None:
    """Print an error on standard error; a message of several lines marks a place in a text."""
    lines = [visible(line) for line in message.split("\n")]
    print("lmoo: error: " + "\n".join(lines), file=sys.stderr)
