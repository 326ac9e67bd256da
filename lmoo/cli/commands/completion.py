"""``lmoo completion``: scripts by which bash and zsh complete commands."""

import argparse

from lmoo.cli.completion.bash import bash_script
from lmoo.cli.completion.commands import commands_of
from lmoo.cli.completion.zsh import zsh_script
from lmoo.cli.parser import command_parser

_SCRIPTS = {"bash": bash_script, "zsh": zsh_script}


def run(arguments: argparse.Namespace) -> int:
    """Print the script of a shell; return 0."""
    print(_SCRIPTS[arguments.shell](commands_of(command_parser())), end="")
    return 0
