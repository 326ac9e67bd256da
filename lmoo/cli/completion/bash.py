"""The script for bash; it runs in bash 3.2, the one of macOS, too."""

from collections.abc import Sequence
from shlex import quote

from lmoo.cli.completion.commands import Argument, Command

_HEAD = """\
# Completion of lmoo for bash: eval "$(lmoo completion bash)"
_lmoo_files() {
    local name
    while IFS= read -r name; do COMPREPLY+=("$name"); done < <(compgen -f -- "$1")
    # Names with blanks are quoted, and folders get a slash.
    compopt -o filenames 2>/dev/null || true
}

_lmoo_words() {
    COMPREPLY=($(compgen -W "$1" -- "$2"))
}

_lmoo() {
    local current="${COMP_WORDS[COMP_CWORD]}" before="" command="" word place=0 skip=0 k
    COMPREPLY=()
    ((COMP_CWORD > 0)) && before="${COMP_WORDS[COMP_CWORD - 1]}"
    # bash splits --loss=huber into three words.
    if [[ "$current" == "=" ]]; then
        current=""
    elif [[ "$before" == "=" ]] && ((COMP_CWORD > 1)); then
        before="${COMP_WORDS[COMP_CWORD - 2]}"
    fi
    # The command, and the number of its arguments before this one.
    for ((k = 1; k < COMP_CWORD; k++)); do
        word="${COMP_WORDS[k]}"
        if [[ "$word" == [=:]* ]]; then
            # A part of the word before it, as bash splits a=1 too.
            skip=0
            [[ "${COMP_WORDS[k + 1]}" == --* ]] || k=$((k + 1))
        elif ((skip)); then
            skip=0
        elif [[ -z "$command" ]]; then
            [[ "$word" == -* ]] || command="$word"
        elif [[ "$word" == -?* ]]; then
            _lmoo_takes_value "$command" "$word" && skip=1
        else
            place=$((place + 1))
        fi
    done
    case "$command" in
"""

_TAIL = """\
    esac
}

complete -F _lmoo lmoo
"""


def bash_script(commands: Sequence[Command]) -> str:
    """Return the script.

    Examples
    --------
    >>> from lmoo.cli.completion.bash import bash_script
    >>> from lmoo.cli.completion.commands import commands_of
    >>> from lmoo.cli.parser import command_parser
    >>> bash_script(commands_of(command_parser())).split(chr(10))[-2]
    'complete -F _lmoo lmoo'
    """
    main, *others = commands
    names = [command.name for command in others]
    lines = [*_takes_value(others), _HEAD.rstrip("\n")]
    lines += [f"        {quote('')}) {_words([*_names(main.options), *names])} ;;"]
    for command in others:
        lines += [f"        {command.name})", *_command(command), "            ;;"]
    return "\n".join(lines) + "\n" + _TAIL


def _takes_value(commands: Sequence[Command]) -> list[str]:
    """Return a function that says whether an option is followed by a value."""
    lines = ["_lmoo_takes_value() {", '    case "$1 $2" in']
    for command in commands:
        names = [f'"{command.name} {name}"' for name in _names(command.options, with_value=True)]
        if names:
            lines.append(f"        {' | '.join(names)}) return 0 ;;")
    return [*lines, "    esac", "    return 1", "}", ""]


def _command(command: Command) -> list[str]:
    """Return the statements that complete the values, the options and the arguments."""
    lines = ['            case "$before" in']
    for option in command.options:
        if option.label:
            lines.append(f"                {' | '.join(option.names)}) {_value(option)}; return ;;")
    lines += ["            esac", '            if [[ "$current" == -* ]]; then']
    lines += [f"                {_words(_names(command.options))}", "                return"]
    lines += ["            fi", '            case "$place" in']
    for k, position in enumerate(command.positions):
        pattern = "*" if position.repeated else str(k)
        lines.append(f"                {pattern}) {_value(position)} ;;")
    return [*lines, "            esac"]


def _value(argument: Argument) -> str:
    if argument.values:
        return _words(argument.values)
    return '_lmoo_files "$current"' if argument.files else ":"


def _words(words: Sequence[str]) -> str:
    return f'_lmoo_words {quote(" ".join(words))} "$current"'


def _names(options: Sequence[Argument], with_value: bool = False) -> list[str]:
    return [name for one in options if one.label or not with_value for name in one.names]
