"""The instructions of code objects, read from their bytes.

`dis.get_instructions` takes five times as long, most of it for places in the source, which only a
message needs.
"""

import dis
import sys
import types
from collections.abc import Sequence
from functools import lru_cache

# Operation code, argument, offset of the first byte.
Instruction = tuple[int, int, int]

_CACHE, _EXTENDED = dis.opmap["CACHE"], dis.opmap["EXTENDED_ARG"]
LOAD_FAST, _STORE_FAST = dis.opmap["LOAD_FAST"], dis.opmap["STORE_FAST"]
JUMPS = frozenset((*dis.hasjrel, *dis.hasjabs))
# Instructions that stand for two with half of the argument each, or for another one: the parts.
_PARTS: dict[int, tuple[int, ...]] = {
    dis.opmap[name]: parts
    for name, parts in {
        "LOAD_FAST_BORROW": (LOAD_FAST,),
        "LOAD_FAST_LOAD_FAST": (LOAD_FAST, LOAD_FAST),
        "LOAD_FAST_BORROW_LOAD_FAST_BORROW": (LOAD_FAST, LOAD_FAST),
        "STORE_FAST_LOAD_FAST": (_STORE_FAST, LOAD_FAST),
        "STORE_FAST_STORE_FAST": (_STORE_FAST, _STORE_FAST),
    }.items()
    if name in dis.opmap
}
_SPECIAL = frozenset((_EXTENDED, *_PARTS))
# Operations that change their first operand.
_EACH = "a+=a;a-=a;a*=a;a@=a;a/=a;a//=a;a%=a;a**=a;a<<=a;a>>=a;a&=a;a^=a;a|=a"
IN_PLACE = frozenset(
    instruction.arg
    for instruction in dis.get_instructions(compile(_EACH, "", "exec"))
    if instruction.opname == "BINARY_OP"
)
# Instructions of which more than the number of operands matters.
_READ = frozenset(
    [
        "BINARY_OP",
        "CHECK_EXC_MATCH",
        "DELETE_ATTR",
        "DELETE_DEREF",
        "DELETE_GLOBAL",
        "DELETE_SUBSCR",
        "IMPORT_NAME",
        "LOAD_ATTR",
        "LOAD_CLASSDEREF",
        "LOAD_DEREF",
        "LOAD_FROM_DICT_OR_DEREF",
        "LOAD_FROM_DICT_OR_GLOBALS",
        "LOAD_GLOBAL",
        "LOAD_METHOD",
        "LOAD_NAME",
        "POP_EXCEPT",
        "PUSH_EXC_INFO",
        "STORE_ATTR",
        "STORE_DEREF",
        "STORE_GLOBAL",
        "STORE_SLICE",
        "STORE_SUBSCR",
        "WITH_EXCEPT_START",
    ]
)
# Their names, by the operation codes; that of LOAD_FAST for all of its kinds; None for others.
READ = tuple(
    name if name in _READ else "LOAD_FAST" if name.startswith("LOAD_FAST") else None
    for name in dis.opname
)
# Below the index of a name in its argument an instruction may have flags: their number of bits.
_FLAGS = {
    dis.opmap[name]: bits
    for name, since, bits in (
        ("LOAD_GLOBAL", (3, 11), 1),
        ("LOAD_ATTR", (3, 12), 1),
        ("LOAD_SUPER_ATTR", (3, 12), 2),
    )
    if sys.version_info >= since
}
_WITH_NAMES, _WITH_LOCALS = frozenset(dis.hasname), frozenset((*dis.haslocal, *dis.hasfree))
_WITH_ARGUMENTS = frozenset(getattr(dis, "hasarg", range(dis.HAVE_ARGUMENT, 256)))
# Instructions whose line says nothing of what they do.
_INERT = frozenset(["CALL", "LOAD_CONST", "PRECALL", "PUSH_NULL", "RESUME", "RETURN_VALUE"])


def instructions_of(code: types.CodeType) -> list[Instruction]:
    """Return the instructions of a code object.

    Examples
    --------
    >>> import dis
    >>> from lmoo.models.tracing.instructions import instructions_of
    >>> [dis.opname[opcode] for opcode, _, _ in instructions_of((lambda t: -t).__code__)][1:3]
    ['LOAD_FAST', 'UNARY_NEGATIVE']
    """
    found: list[Instruction] = []
    # Without specialized instructions, and with zeros in their caches.
    data = code.co_code
    begin = high = 0
    for offset, opcode, arg in zip(range(0, len(data), 2), data[::2], data[1::2], strict=True):
        if opcode == _CACHE:
            continue
        if opcode not in _SPECIAL and not high:
            found.append((opcode, arg, offset))
            continue
        # The argument may have higher bits, and the offset is then that of the first ones.
        begin, arg = begin if high else offset, arg | high
        high = arg << 8 if opcode == _EXTENDED else 0
        if opcode == _EXTENDED:
            continue
        parts = _PARTS.get(opcode, (opcode,))
        if len(parts) == 2:
            found.append((parts[0], arg >> 4, begin))
            arg &= 15
        found.append((parts[-1], arg, begin))
    return found


def value_of(code: types.CodeType, opcode: int, arg: int) -> str:
    """Return the name that an instruction refers to; an empty text if there is none."""
    if opcode in _WITH_NAMES:
        return code.co_names[arg >> _FLAGS.get(opcode, 0)]
    if opcode in _WITH_LOCALS:
        return code._varname_from_oparg(arg)  # type: ignore[attr-defined,no-any-return]
    return ""


def effect(opcode: int, arg: int) -> int:
    """Return the change of the number of objects on the stack."""
    return dis.stack_effect(opcode, arg if opcode in _WITH_ARGUMENTS else None)


@lru_cache(maxsize=256)
def jump_targets(code: types.CodeType) -> frozenset[int]:
    """Return the offsets of the instructions that follow others than those before them."""
    return frozenset(i.offset for i in dis.get_instructions(code) if i.is_jump_target)


def line_of(code: types.CodeType, instructions: Sequence[Instruction], place: int) -> int | None:
    """Return the line of an instruction; None if there is none.

    Of those without a line, and of calls, it is that of the instruction before them.
    """
    lines = [position[0] for position in code.co_positions()]
    for opcode, _, offset in reversed(instructions[: place + 1]):
        line = lines[offset // 2]
        if line is not None and dis.opname[opcode] not in _INERT:
            return line
    return None
