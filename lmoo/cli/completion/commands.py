"""Commands, options and values, as the parser of the command line has them."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lmoo.cli.values import file, page, picture

# The types of values that are names of files.
_FILES: tuple[Callable[..., Any], ...] = (file, page, picture)


@dataclass(frozen=True)
class Argument:
    """An option, or an argument without a name.

    Attributes
    ----------
    names : tuple of str
        Its names, such as ``("--fix", "--fixed")``; none for an argument by position.
    help : str
    label : str
        What the value is; "" for an option without a value.
    values : tuple of str
        All values; empty if there are others.
    files : bool
        Whether the value is the name of a file.
    repeated : bool
        Whether it may be given several times.
    """

    names: tuple[str, ...]
    help: str
    label: str
    values: tuple[str, ...]
    files: bool
    repeated: bool


@dataclass(frozen=True)
class Command:
    """A command, ``fit`` for example, or ``lmoo`` itself with an empty name."""

    name: str
    help: str
    options: tuple[Argument, ...]
    positions: tuple[Argument, ...]


def commands_of(parser: argparse.ArgumentParser) -> tuple[Command, ...]:
    """Return the command itself and its subcommands.

    Examples
    --------
    >>> from lmoo.cli.completion.commands import commands_of
    >>> from lmoo.cli.parser import command_parser
    >>> [command.name for command in commands_of(command_parser())]
    ['', 'fit', 'watch', 'nist', 'demo', 'completion']
    """
    found = [_command("", parser.description or "", parser)]
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {one.dest: one.help or "" for one in action._choices_actions}
            found += [_command(name, helps[name], sub) for name, sub in action.choices.items()]
    return tuple(found)


def _command(name: str, summary: str, parser: argparse.ArgumentParser) -> Command:
    actions = [one for one in parser._actions if not isinstance(one, argparse._SubParsersAction)]
    arguments = [_argument(action) for action in actions]
    return Command(
        name,
        summary,
        tuple(one for one in arguments if one.names),
        tuple(one for one in arguments if not one.names),
    )


def _argument(action: argparse.Action) -> Argument:
    label = "" if action.nargs == 0 else str(action.metavar or action.dest)
    return Argument(
        tuple(action.option_strings),
        (action.help or "").replace("%%", "%"),
        label,
        tuple(map(str, action.choices or ())),
        action.type in _FILES,
        isinstance(action, argparse._AppendAction) or action.nargs == "*",
    )
