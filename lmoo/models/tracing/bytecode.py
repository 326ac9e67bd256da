"""The instructions of a function: the objects that it reads, and the changes that it makes."""

import builtins
import dis
import inspect
import linecache
import os
import types
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from typing import Any, Protocol

import numpy as np

from lmoo.errors import TraceError
from lmoo.models.tracing.purity import BUILTINS, CREATING, MUTATING

# Modules whose functions are not expected to be replaced.
_LIBRARIES = ("numpy", "scipy", "math", "cmath", "lmoo")
_GENERATORS = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
_HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE
# Instructions that read and change nothing outside of the stack.
_INERT = frozenset(
    ["CACHE", "CALL", "LOAD_CONST", "PRECALL", "PUSH_NULL", "RESUME", "RETURN_VALUE"]
)
# Those that read a method of ``super()``.
_INHERITED = ("LOAD_METHOD", "LOAD_ATTR", "LOAD_SUPER_ATTR", "LOAD_SUPER_METHOD")
# Instructions from a place on.
_Rest = tuple[Sequence[dis.Instruction], int]
# Instructions that create an object, which the function may change.
_BUILDING = ("BUILD_LIST", "BUILD_MAP", "BUILD_SET", "LIST_EXTEND", "BINARY_OP", "COMPARE_OP")


class Examiner(Protocol):
    """Receives the objects and the changes that a `CodeReader` finds."""

    def examine_object(self, value: Any, depth: int, error: Callable[[], TraceError]) -> None:
        """Examine an object that the code reads; raise `error()` if its effects are unknown."""

    def examine_method(self, f: types.FunctionType, owner: Any, depth: int) -> None:
        """Examine a method of an object."""

    def note_use(self, holder: Any, name: str, value: Any) -> None:
        """Store that the code reads the name of a holder, and the object that it refers to."""

    def note_mutable(self, value: Any) -> None:
        """Store an object outside of the function that can be changed."""

    def note_change(self, error: TraceError) -> None:
        """Store the first instruction that may change an object outside of the function."""


def refusal(code: types.CodeType, line: int | None, reason: str) -> TraceError:
    """Return the error for a line of a code object; None for its first line."""
    line = code.co_firstlineno if line is None else line
    source = linecache.getline(code.co_filename, line).strip() or None
    return TraceError(reason, f"{os.path.basename(code.co_filename)}:{line}", source)


def _names(instruction: dis.Instruction) -> tuple[str, ...]:
    """Return the local names of an instruction; Python 3.13 has some for two names."""
    value = instruction.argval
    return value if isinstance(value, tuple) else (value,)


# What is done in a ``try`` block that asks whether an argument is an array, and nothing else.
_OF_LENGTHS = (
    "NOP", "LOAD_FAST", "LOAD_CONST", "LOAD_GLOBAL", "LOAD_ATTR", "PUSH_NULL", "PRECALL", "CALL",
    "CACHE", "STORE_FAST", "POP_TOP", "JUMP_FORWARD", "RETURN_VALUE",
)  # fmt: skip
_LENGTHS = frozenset(["len", "iter", "shape", "size", "ndim"])


def _tries_lengths(code: types.CodeType) -> bool:
    """Return whether all ``try`` blocks of a function only ask for the lengths of arguments.

    Whether they raise depends on types alone, which are those of a fit.
    """
    if not any(i.opname == "CHECK_EXC_MATCH" for i in dis.get_instructions(code)):
        return False
    entries = dis._parse_exception_table(code)  # type: ignore[attr-defined]
    handlers = min(entry.target for entry in entries)
    tried = [
        instruction
        for instruction in dis.get_instructions(code)
        for entry in entries
        if entry.start <= instruction.offset < min(entry.end, handlers)
    ]
    named = [i.argval for i in tried if i.opname in ("LOAD_GLOBAL", "LOAD_ATTR")]
    return all(i.opname in _OF_LENGTHS for i in tried) and _LENGTHS.issuperset(named)


def _is_plain(value: Any) -> bool:
    """Return whether the object has a Python class without attribute hooks."""
    return not isinstance(
        value, (type, types.FunctionType, types.MethodType, np.ndarray)
    ) and _is_plain_type(type(value))


def _is_plain_type(kind: type) -> bool:
    return (
        bool(kind.__flags__ & _HEAP_TYPE)
        and not kind.__module__.startswith(("numpy", "scipy", "random"))
        and inspect.getattr_static(kind, "__getattribute__") is object.__getattribute__
        and not hasattr(kind, "__getattr__")
    )


def is_plain_class(value: Any) -> bool:
    """Return whether the object is a Python class without a metaclass."""
    return type(value) is type and _is_plain_type(value)


class CodeReader:
    """Reads the instructions of a code object.

    Parameters
    ----------
    code : code object
    namespace : dict
        Global variables.
    cells : dict of str to cell
        Variables of enclosing functions.
    examiner : Examiner
        Receives what the code refers to.
    depth : int
        Depth of the nested examinations.
    owner : object
        The first argument of a method; None for functions.
    """

    def __init__(
        self,
        code: types.CodeType,
        namespace: dict[str, Any],
        cells: dict[str, Any],
        examiner: Examiner,
        depth: int,
        owner: Any,
    ) -> None:
        self.code, self.namespace, self.cells = code, namespace, cells
        self.examiner, self.depth, self.owner = examiner, depth, owner
        self.line: int | None = code.co_firstlineno
        self.new: frozenset[str] = frozenset()

    def refuse(self, reason: str) -> TraceError:
        """Return the error for the current line."""
        return refusal(self.code, self.line, reason)

    def read(self) -> None:
        """Examine the instructions, and those of the functions inside."""
        code = self.code
        # Generator expressions, as sum(... for ...), are part of the function that contains them.
        if code.co_flags & _GENERATORS and code.co_name != "<genexpr>":
            raise self.refuse("a generator or a coroutine cannot be traced")
        handlers = withs = 0
        instructions, self.new = _decoded(code)
        for place, instruction in enumerate(instructions):
            if instruction.opname in _INERT:
                continue
            if instruction.positions is not None and instruction.positions.lineno is not None:
                self.line = instruction.positions.lineno
            handlers += instruction.opname == "PUSH_EXC_INFO"
            withs += instruction.opname == "WITH_EXCEPT_START"
            caught = handlers > withs and instruction.opname in ("CHECK_EXC_MATCH", "POP_EXCEPT")
            if caught and not _tries_lengths(code):
                raise self.refuse("an exception is caught, which may depend on values")
            self._instruction(instruction, instructions, place)
        for constant in code.co_consts:
            if isinstance(constant, tuple) and "out" in constant:
                self._note_change("a function of numpy writes into an array (out=)")
            if isinstance(constant, types.CodeType):
                self._nested(constant)

    def _nested(self, code: types.CodeType) -> None:
        cells = {name: self.cells.get(name) for name in code.co_freevars}
        depth = self.depth + 1
        CodeReader(code, self.namespace, cells, self.examiner, depth, self.owner).read()

    def _note_change(self, reason: str) -> None:
        self.examiner.note_change(self.refuse(reason))

    def _is_new(self, instructions: Sequence[dis.Instruction], place: int, items: int) -> bool:
        """Return whether the first of the last items on the stack was created in this function."""
        for instruction in reversed(instructions[:place]):
            if instruction.is_jump_target or instruction.opcode in (*dis.hasjrel, *dis.hasjabs):
                return False
            items -= dis.stack_effect(instruction.opcode, instruction.arg)
            if items <= 0:
                return instruction.opname == "LOAD_FAST" and instruction.argval in self.new
        return False

    def _is_of_new(self, instructions: Sequence[dis.Instruction], place: int) -> bool:
        """Return whether an attribute is set in the constructor of an object of a plain class."""
        before, first = instructions[place - 1], self.code.co_varnames[:1]
        return (
            isinstance(self.owner, type)
            and self.code.co_name in ("__init__", "__post_init__")
            and before.opname.startswith("LOAD_FAST")
            and _names(before)[-1:] == first
            and not any(
                i.opname.startswith("STORE_FAST") and first[0] in _names(i) for i in instructions
            )
        )

    def _instruction(
        self, instruction: dis.Instruction, instructions: Sequence[dis.Instruction], place: int
    ) -> None:
        name, value = instruction.opname, instruction.argval
        if name in ("STORE_GLOBAL", "DELETE_GLOBAL"):
            raise self.refuse(f"the global variable {value} is set")
        if name in ("STORE_ATTR", "DELETE_ATTR") and not self._is_of_new(instructions, place):
            raise self.refuse(f"the attribute {value} of an object is set")
        if name in ("STORE_DEREF", "DELETE_DEREF") and value in self.cells:
            raise self.refuse(f"the variable {value} of the enclosing function is set")
        if name in ("STORE_SUBSCR", "DELETE_SUBSCR") and not self._is_new(instructions, place, 2):
            self._note_change("an entry of an object is set")
        in_place = name == "BINARY_OP" and instruction.argrepr.endswith("=")
        if in_place and not self._is_new(instructions, place, 2):
            self._note_change("an object is changed in place")
        if name == "IMPORT_NAME" and value not in ("numpy", "math", "cmath", "scipy.special"):
            raise self.refuse(f"{value} is imported")
        if name in ("LOAD_ATTR", "LOAD_METHOD"):
            if value in MUTATING and not self._is_new(instructions, place, 1):
                self._note_change(f"{value}() changes an object")
            if "random" in value:
                raise self.refuse("random numbers are drawn")
        rest = instructions, place + 1
        if name in ("LOAD_GLOBAL", "LOAD_NAME"):
            self._global(value, rest)
        elif name in ("LOAD_DEREF", "LOAD_CLASSDEREF") and self.cells.get(value) is not None:
            self._cell(value, rest)
        elif (
            self.owner is not None
            and name.startswith("LOAD_FAST")
            and value == self.code.co_varnames[0]
            and instructions[place + 1].opname != "STORE_ATTR"
        ):
            self._chain(self.owner, list(_attributes(*rest)), value)

    def _global(self, name: str, rest: _Rest) -> None:
        if name in self.namespace:
            value = self.namespace[name]
            self.examiner.note_use(self.namespace, name, value)
        elif name == "super" and self.owner is not None and "__class__" in self.cells:
            self._inherited(rest)
            return
        elif hasattr(builtins, name):
            value = getattr(builtins, name)
            known = name in BUILTINS or name in ("AssertionError", "NotImplemented")
            if not known and not (isinstance(value, type) and issubclass(value, BaseException)):
                raise self.refuse(f"{name}() is called, which has an effect or depends on types")
            return
        else:
            return  # The function will raise NameError.
        self._chain(value, list(_attributes(*rest)), name)

    def _inherited(self, rest: _Rest) -> None:
        """Examine the method that ``super()`` finds."""
        instructions, place = rest
        after = instructions[place : place + 8]
        name = next((i.argval for i in after if i.opname in _INHERITED), "")
        kind = self.owner if isinstance(self.owner, type) else type(self.owner)
        classes = kind.__mro__[kind.__mro__.index(self.cells["__class__"].cell_contents) + 1 :]
        holder = next((each for each in classes if name in vars(each)), None)
        found = None if holder is None else vars(holder)[name]
        if holder is object and name == "__init__":
            return
        if not isinstance(found, types.FunctionType):
            raise self.refuse(f"super().{name} is used, and its effects are unknown")
        self.examiner.note_use(holder, name, found)
        self.examiner.examine_method(found, self.owner, self.depth + 1)

    def _cell(self, name: str, rest: _Rest) -> None:
        cell = self.cells[name]
        try:
            value = cell.cell_contents
        except ValueError:
            return
        self.examiner.note_use(cell, name, value)
        self._chain(value, list(_attributes(*rest)), name)

    def _chain(self, value: Any, attributes: list[str], name: str) -> None:
        """Examine an object, and those of its attributes that are read next."""
        shown = name
        for attribute in attributes:
            held = isinstance(value, types.FunctionType) and attribute in vars(value)
            if not (held or inspect.ismodule(value) or _is_plain(value) or is_plain_class(value)):
                break
            shown = f"{shown}.{attribute}"
            if held or inspect.ismodule(value):
                found = getattr(value, attribute, None)
                if held:
                    self.examiner.note_mutable(value)
                if held or not value.__name__.startswith(_LIBRARIES):
                    self.examiner.note_use(vars(value), attribute, found)
                value = found
                continue
            found = inspect.getattr_static(value, attribute, None)
            self.examiner.note_use(value, attribute, found)
            owner: Any = None if isinstance(found, staticmethod) else value
            if isinstance(found, property):
                found = found.fget
            if isinstance(found, classmethod):
                owner = value if isinstance(value, type) else type(value)
            if isinstance(found, (staticmethod, classmethod)):
                found = found.__func__
            if isinstance(found, types.FunctionType):
                self.examiner.examine_method(found, owner, self.depth + 1)
                return
            if not isinstance(value, type):
                self.examiner.note_mutable(value)
            value = found
        error = partial(self.refuse, f"{shown} is used, and its effects are unknown")
        self.examiner.examine_object(value, self.depth + 1, error)


# Functions that are defined anew for each fit have equal code.
@lru_cache(maxsize=256)
def _decoded(code: types.CodeType) -> tuple[tuple[dis.Instruction, ...], frozenset[str]]:
    """Return the instructions of a code object, and the names of its `_new_objects`."""
    instructions = tuple(dis.get_instructions(code))
    return instructions, _new_objects(code, instructions)


def _new_objects(code: types.CodeType, instructions: Sequence[dis.Instruction]) -> frozenset[str]:
    """Return the local names that refer only to objects created in the function."""
    made: set[str] = set()
    others = set(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])
    last, called, depth = "", "", 0
    names: list[tuple[int, str]] = []  # What was loaded, and the depth of the stack then.
    for instruction in instructions:
        name = instruction.opname
        depth += dis.stack_effect(instruction.opcode, instruction.arg)
        if name in ("CACHE", "PRECALL", "PUSH_NULL"):
            continue
        if name in ("LOAD_METHOD", "LOAD_ATTR", "LOAD_GLOBAL"):
            names.append((depth, instruction.argval))
        if name.startswith("CALL"):
            # The function and a second object are below its arguments; the value takes their place.
            while names and names[-1][0] > depth + 1:
                names.pop()
            called = names[-1][1] if names else ""
        if name == "STORE_FAST":
            fresh = last in _BUILDING or last == "LOAD_CONST" or last.startswith("UNARY")
            fresh |= last.startswith("CALL") and called in CREATING
            (made if fresh else others).add(instruction.argval)
            names.clear()
        last = name
    return frozenset(made - others)


def _attributes(instructions: Sequence[dis.Instruction], place: int) -> Iterator[str]:
    """Yield the attributes that are read from a place on, as in ``np.random.normal``."""
    for instruction in instructions[place:]:
        if instruction.opname in ("LOAD_ATTR", "LOAD_METHOD"):
            yield instruction.argval
        elif instruction.opname not in ("CACHE", "PRECALL", "PUSH_NULL", "COPY"):
            return
