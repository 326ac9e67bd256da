"""The script for zsh."""

from collections.abc import Sequence
from shlex import quote

from lmoo.cli.completion.commands import Argument, Command

_HEAD = """\
#compdef lmoo
# Completion of lmoo for zsh: eval "$(lmoo completion zsh)", after compinit
_lmoo() {
    local curcontext="$curcontext" state line
    typeset -A opt_args
"""

_TAIL = """\
    esac
}

# As a file of fpath it is called by its name.
if [[ "${funcstack[1]}" == _lmoo ]]; then
    _lmoo "$@"
else
    compdef _lmoo lmoo
fi
"""


def zsh_script(commands: Sequence[Command]) -> str:
    """Return the script.

    Examples
    --------
    >>> from lmoo.cli.completion.commands import commands_of
    >>> from lmoo.cli.completion.zsh import zsh_script
    >>> from lmoo.cli.parser import command_parser
    >>> zsh_script(commands_of(command_parser())).split(chr(10))[0]
    '#compdef lmoo'
    """
    main, *others = commands
    listed = " ".join(quote(f"{one.name}:{one.help}") for one in others)
    lines = [_HEAD.rstrip("\n"), "    _arguments -C \\"]
    lines += [f"        {quote(text)} \\" for option in main.options for text in _option(option)]
    lines += ["        '1: :->command' '*:: :->arguments'", '    case "$state" in']
    lines += [f"        command) local -a commands=({listed})"]
    lines += ["            _describe -t commands command commands ;;"]
    lines += ['        arguments) case "${words[1]}" in']
    for command in others:
        texts = [text for option in command.options for text in _option(option)]
        texts += [_position(k, one) for k, one in enumerate(command.positions, 1)]
        lines.append(f"            {command.name}) _arguments \\")
        lines += [f"                {quote(text)} \\" for text in texts]
        lines.append("                ;;")
    return "\n".join([*lines, "        esac ;;"]) + "\n" + _TAIL


def _option(option: Argument) -> list[str]:
    """Return the specifications of an option, one for each of its names."""
    others = " ".join(option.names)
    exclusive = "*" if option.repeated else f"({others})"
    return [
        f"{exclusive}{name}{'=' if option.label and name.startswith('--') else ''}"
        f"[{_text(option.help)}]{_value(option)}"
        for name in option.names
    ]


def _position(k: int, position: Argument) -> str:
    return f"{'*' if position.repeated else k}{_value(position)}"


def _value(argument: Argument) -> str:
    """Return the part of a specification for the value; "" if there is none."""
    if not argument.label:
        return ""
    # A blank is no message: what the value is.
    action = "_files" if argument.files else " "
    if argument.values:
        action = f"({' '.join(argument.values)})"
    return f":{_text(argument.label)}:{action}"


def _text(text: str) -> str:
    """Return a text with backslashes before what separates the parts of a specification."""
    return "".join(f"\\{char}" if char in "[]:\\" else char for char in text)
