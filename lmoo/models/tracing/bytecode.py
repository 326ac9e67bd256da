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
from lmoo.models.tracing.instructions import (
    IN_PLACE,
    JUMPS,
    LOAD_FAST,
    READ,
    Instruction,
    effect,
    instructions_of,
    jump_targets,
    line_of,
    value_of,
)
from lmoo.models.tracing.purity import BUILTINS, CREATING, MUTATING

# Modules whose functions are not expected to be replaced.
_LIBRARIES = ("numpy", "scipy", "math", "cmath", "lmoo")
_GENERATORS = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
_HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE
# Instructions of try and with.
_HANDLING = ("PUSH_EXC_INFO", "WITH_EXCEPT_START", "CHECK_EXC_MATCH", "POP_EXCEPT")
# Those that read a method of ``super()``.
_INHERITED = ("LOAD_METHOD", "LOAD_ATTR", "LOAD_SUPER_ATTR", "LOAD_SUPER_METHOD")
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
        self.instructions: Sequence[Instruction] = ()
        self.place = -1  # of the current one

    def refuse(self, reason: str) -> TraceError:
        """Return the error for the current line."""
        return refusal(self.code, line_of(self.code, self.instructions, self.place), reason)

    def read(self) -> None:
        """Examine the instructions, and those of the functions inside."""
        code = self.code
        # Generator expressions, as sum(... for ...), are part of the function that contains them.
        if code.co_flags & _GENERATORS and code.co_name != "<genexpr>":
            raise self.refuse("a generator or a coroutine cannot be traced")
        handlers = withs = 0
        self.instructions = instructions_of(code)
        for place, (opcode, arg, _) in enumerate(self.instructions):
            name = READ[opcode]
            if name is None:
                continue
            self.place = place
            if name == "LOAD_FAST":
                self._local(arg)
            elif name == "BINARY_OP":
                if arg in IN_PLACE and not self._is_new(2):
                    self._note_change("an object is changed in place")
            elif name in _HANDLING:
                handlers += name == "PUSH_EXC_INFO"
                withs += name == "WITH_EXCEPT_START"
                caught = handlers > withs and name in ("CHECK_EXC_MATCH", "POP_EXCEPT")
                if caught and not _tries_lengths(code):
                    raise self.refuse("an exception is caught, which may depend on values")
            else:
                self._instruction(name, value_of(code, opcode, arg))
        self.place = len(self.instructions) - 1
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

    def _is_new(self, items: int) -> bool:
        """Return whether the first of the last items on the stack was created in this function."""
        targets = jump_targets(self.code)
        for opcode, arg, offset in reversed(self.instructions[: self.place]):
            if offset in targets or opcode in JUMPS:
                return False
            items -= effect(opcode, arg)
            if items <= 0:
                new = _new_objects(self.code)
                return dis.opname[opcode] == "LOAD_FAST" and value_of(self.code, opcode, arg) in new
        return False

    def _is_of_new(self) -> bool:
        """Return whether an attribute is set in the constructor of an object of a plain class."""
        code, first = self.code, self.code.co_varnames[0] if self.code.co_varnames else ""
        opcode, arg, _ = self.instructions[self.place - 1]
        return (
            isinstance(self.owner, type)
            and code.co_name in ("__init__", "__post_init__")
            and READ[opcode] == "LOAD_FAST"
            and value_of(code, opcode, arg) == first
            and not any(
                dis.opname[opcode].startswith("STORE_FAST") and value_of(code, opcode, arg) == first
                for opcode, arg, _ in self.instructions
            )
        )

    def _instruction(self, name: str, value: str) -> None:
        if name in ("STORE_GLOBAL", "DELETE_GLOBAL"):
            raise self.refuse(f"the global variable {value} is set")
        if name in ("STORE_ATTR", "DELETE_ATTR") and not self._is_of_new():
            raise self.refuse(f"the attribute {value} of an object is set")
        if name in ("STORE_DEREF", "DELETE_DEREF"):
            if value in self.cells:
                raise self.refuse(f"the variable {value} of the enclosing function is set")
        elif name in ("STORE_SUBSCR", "DELETE_SUBSCR", "STORE_SLICE"):
            # Above the object there are an index, or the two ends of a slice.
            if not self._is_new(3 if name == "STORE_SLICE" else 2):
                self._note_change("an entry of an object is set")
        elif name == "IMPORT_NAME":
            if value not in ("numpy", "math", "cmath", "scipy.special"):
                raise self.refuse(f"{value} is imported")
        elif name in ("LOAD_ATTR", "LOAD_METHOD"):
            if value in MUTATING and not self._is_new(1):
                self._note_change(f"{value}() changes an object")
            if "random" in value:
                raise self.refuse("random numbers are drawn")
        elif name in ("LOAD_GLOBAL", "LOAD_NAME"):
            self._global(value)
        elif self.cells.get(value) is not None and not self._is_of_super():
            self._cell(value)

    def _is_of_super(self) -> bool:
        """Return whether a variable is the class in ``super().f``, one instruction since 3.12."""
        after = self.instructions[self.place + 1 : self.place + 3]
        return any(dis.opname[opcode].startswith("LOAD_SUPER") for opcode, _, _ in after)

    def _local(self, arg: int) -> None:
        """Examine the object of a method, if this is what is read."""
        if self.owner is None or value_of(self.code, LOAD_FAST, arg) != self.code.co_varnames[0]:
            return
        after = dis.opname[self.instructions[self.place + 1][0]]
        # The object of ``super().f`` is that of the method, which `_inherited` examines.
        if after != "STORE_ATTR" and not after.startswith("LOAD_SUPER"):
            self._chain(self.owner, self.code.co_varnames[0])

    def _global(self, name: str) -> None:
        if name in self.namespace:
            value = self.namespace[name]
            self.examiner.note_use(self.namespace, name, value)
        elif name == "super" and self.owner is not None and "__class__" in self.cells:
            self._inherited()
            return
        elif hasattr(builtins, name):
            value = getattr(builtins, name)
            known = name in BUILTINS or name in ("AssertionError", "NotImplemented")
            if not known and not (isinstance(value, type) and issubclass(value, BaseException)):
                raise self.refuse(f"{name}() is called, which has an effect or depends on types")
            # A global variable of this name may be made later.
            self.examiner.note_use(self.namespace, name, None)
            return
        else:
            return  # The function will raise NameError.
        self._chain(value, name)

    def _inherited(self) -> None:
        """Examine the method that ``super()`` finds."""
        after = self.instructions[self.place + 1 : self.place + 9]
        read = [(op, arg) for op, arg, _ in after if dis.opname[op] in _INHERITED]
        name = value_of(self.code, *read[0]) if read else ""
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

    def _cell(self, name: str) -> None:
        cell = self.cells[name]
        try:
            value = cell.cell_contents
        except ValueError:
            return
        self.examiner.note_use(cell, name, value)
        self._chain(value, name)

    def _chain(self, value: Any, name: str) -> None:
        """Examine an object, and those of its attributes that are read next."""
        shown = name
        for attribute in self._attributes():
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

    def _attributes(self) -> Iterator[str]:
        """Yield the attributes that are read next, as in ``np.random.normal``."""
        for opcode, arg, _ in self.instructions[self.place + 1 :]:
            name = dis.opname[opcode]
            if name in ("LOAD_ATTR", "LOAD_METHOD"):
                yield value_of(self.code, opcode, arg)
            elif name not in ("PRECALL", "PUSH_NULL", "COPY"):
                return


# Functions that are defined anew for each fit have equal code.
@lru_cache(maxsize=256)
def _new_objects(code: types.CodeType) -> frozenset[str]:
    """Return the local names that refer only to objects created in the function."""
    made: set[str] = set()
    others = set(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])
    last, called, depth = "", "", 0
    names: list[tuple[int, str]] = []  # What was loaded, and the depth of the stack then.
    for opcode, arg, _ in instructions_of(code):
        name = dis.opname[opcode]
        depth += effect(opcode, arg)
        if name in ("PRECALL", "PUSH_NULL"):
            continue
        if name in ("LOAD_METHOD", "LOAD_ATTR", "LOAD_GLOBAL"):
            names.append((depth, value_of(code, opcode, arg)))
        if name.startswith("CALL"):
            # The function and a second object are below its arguments; the value takes their place.
            while names and names[-1][0] > depth + 1:
                names.pop()
            called = names[-1][1] if names else ""
        if name == "STORE_FAST":
            fresh = last in _BUILDING or last == "LOAD_CONST" or last.startswith("UNARY")
            fresh |= last.startswith("CALL") and called in CREATING
            (made if fresh else others).add(value_of(code, opcode, arg))
            names.clear()
        last = name
    return frozenset(made - others)
