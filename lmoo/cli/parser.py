"""The commands of ``lmoo`` and their options."""

import argparse
import re
from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches
from typing import Any, NoReturn

from lmoo.cli.fitoptions import add_fit_options
from lmoo.cli.terminal import one_line, print_error
from lmoo.cli.values import quoted, seconds, whole_number

USAGE_ERROR = 2

# "-" alone is standard input.
_OPTION = re.compile(r"--[a-z][a-z0-9-]*(=|$)|-h$|-$")

_FIT_EXAMPLES = """\
examples:
  lmoo fit decay.csv "a*exp(-b*t) + c"
  lmoo fit decay.csv "a*exp(-b*t) + c" --start a=1,b=1 --bounds b=0: --fix c=0
  lmoo fit peak.tsv "h/(1 + ((x-m)/w)^2) + u" --x energy --y counts --sigma "sqrt(counts)"
  lmoo fit decay.csv "a*exp(-b*t)" --sigma err --absolute-sigma --report fit.html --json fit.json
  zcat scan.gz | lmoo fit - "a*x^n" --y 3 --nan-policy omit

The variable is t, x or the name of a column of the file; every other name is a parameter.
exit codes: 0 a minimum was found; 1 none was; 2 an error in the options, the expression or the data
"""

_WATCH_EXAMPLES = """\
examples:
  lmoo watch run.csv "a*exp(-b*t) + c"
  lmoo watch run.csv "a*exp(-b*t) + c" --interval 10 --report run.html

A line is read when it is complete, that is, when it ends with a line feed.  Ctrl-C ends the
command.
exit codes: those of lmoo fit, for the last fit; 130 after Ctrl-C
"""

_COMPLETION = """\
to complete commands, options and file names with the tab key:
  bash: add to ~/.bashrc    eval "$(lmoo completion bash)"
  zsh:  add to ~/.zshrc     eval "$(lmoo completion zsh)"    after compinit
"""


class _Parser(argparse.ArgumentParser):
    """A parser of options with error messages of one line that begin with the option."""

    def error(self, message: str) -> NoReturn:
        message = message.removeprefix("argument ")
        print_error(one_line(f"{message} ({self.prog} --help lists the options)"))
        raise SystemExit(USAGE_ERROR)

    def refuse(self, text: str) -> NoReturn:
        """Exit with the message for an argument that the command does not have."""
        option = text.partition("=")[0]
        if not option.startswith("-"):
            places = " ".join(str(one.metavar) for one in self._get_positional_actions())
            self.error(f"unexpected argument {quoted(text)}: the order is {self.prog} {places}")
        near = get_close_matches(option, self._option_string_actions, n=1)
        self.error(f"unknown option {option}" + (f"; did you mean {near[0]}?" if near else ""))

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        # The messages of argparse differ between versions of Python; some check missing values.
        if action.choices is not None and value != [] and value not in action.choices:
            known = ", ".join(map(str, action.choices))
            raise argparse.ArgumentError(action, f"must be one of {known}; it is {quoted(value)}")


class _DataSetNames:
    """The names of NIST's problems, which are read from their file when they are needed."""

    def __iter__(self) -> Iterator[str]:
        from lmoo.datasets import nist_names

        return iter(nist_names())

    def __contains__(self, name: object) -> bool:
        return name in tuple(self)


def parsed(argv: Sequence[str]) -> argparse.Namespace:
    """Return the options of a command line; SystemExit for help, and after a message for errors."""
    parser = command_parser()
    found, unknown = parser.parse_known_args(_guarded(argv))
    if unknown:
        found.parser.refuse(unknown[0].strip())
    return found


def _guarded(argv: Sequence[str]) -> list[str]:
    """Return the arguments with a space before those that begin with a minus and are no options.

    argparse takes an argument with a leading space as a value, and expressions ignore the space.
    """
    return [
        f" {text}" if text.startswith("-") and not _OPTION.match(text) else text for text in argv
    ]


def command_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    from lmoo import __version__

    parser = _Parser(
        prog="lmoo", description="Nonlinear least squares.", allow_abbrev=False, epilog=None
    )
    parser.add_argument("--version", action="version", version=f"lmoo {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser)

    def add(name: str, summary: str, description: str = "", epilog: str = "") -> _Parser:
        command: _Parser = commands.add_parser(
            name,
            help=summary,
            description=description or f"{summary[0].upper()}{summary[1:]}.",
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        command.set_defaults(run=_command(f"lmoo.cli.commands.{name}"), parser=command)
        return command

    described = "Fit a model, written as an expression, to columns of a file."
    add_fit_options(add("fit", "fit a model to columns of a file", described, _FIT_EXAMPLES))
    watch = add("watch", "fit again whenever a file grows", "", _WATCH_EXAMPLES)
    _add_watch_options(watch)
    add_fit_options(watch)
    nist = add("nist", "certify this installation with NIST's 27 problems")
    nist.add_argument(
        "names",
        metavar="NAME",
        nargs="*",
        choices=_DataSetNames(),
        help="problems, such as Misra1a (default: all)",
    )
    add("demo", "fit real measurements, and draw them into demo/")
    completion = add("completion", "print a script that completes commands", "", _COMPLETION)
    completion.add_argument("shell", metavar="SHELL", choices=("bash", "zsh"), help="bash or zsh")
    return parser


def _add_watch_options(watch: argparse.ArgumentParser) -> None:
    group = watch.add_argument_group("watching")
    add = group.add_argument
    add(
        "--interval",
        metavar="SECONDS",
        type=seconds,
        default=1.0,
        help="time between two looks at the file (default: 1)",
    )
    add("--count", metavar="N", type=whole_number, help="end after this number of fits")
    add("--once", action="store_const", dest="count", const=1, help="end after the first fit")
    add("--full", action="store_true", help="print the whole report of each fit")


def _command(module: str) -> Callable[[argparse.Namespace], int]:
    """Return the function of a command, which imports its module when it is called."""

    def run(arguments: argparse.Namespace) -> int:
        from importlib import import_module

        code: int = import_module(module).run(arguments)
        return code

    return run
