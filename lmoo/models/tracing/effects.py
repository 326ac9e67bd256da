"""What a function does besides computing a value, as far as its code tells.

A function that draws random numbers, keeps state, prints or looks at the types of its arguments
must be called each time: a graph of one call would compute something else, or lose the effect.
Placeholders do not see these things, so the code is read before it is run.  Where it is not clear
what an object does, the function is not traced.
"""

import builtins
import dis
import inspect
import linecache
import os
import types
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from lmoo.errors import TraceError

__all__ = ["Uses", "examined"]

# Those that return a value of their arguments and do nothing else.
_BUILTINS = frozenset(
    [
        "abs",
        "all",
        "any",
        "bool",
        "complex",
        "dict",
        "divmod",
        "enumerate",
        "filter",
        "float",
        "frozenset",
        "int",
        "len",
        "list",
        "map",
        "max",
        "min",
        "pow",
        "range",
        "reversed",
        "round",
        "set",
        "slice",
        "sorted",
        "sum",
        "tuple",
        "zip",
    ]
)
# Methods that change the object, or something outside.
_CHANGING = frozenset(
    [
        "add",
        "append",
        "appendleft",
        "at",
        "byteswap",
        "clear",
        "copyto",
        "discard",
        "extend",
        "fill",
        "fill_diagonal",
        "insert",
        "itemset",
        "partition",
        "place",
        "pop",
        "popitem",
        "popleft",
        "put",
        "put_along_axis",
        "putmask",
        "read",
        "readline",
        "remove",
        "resize",
        "reverse",
        "seek",
        "send",
        "setdefault",
        "setfield",
        "setflags",
        "sort",
        "update",
        "write",
        "writelines",
    ]
)
_MODULES = ("numpy", "math", "cmath", "scipy.special", "lmoo")
_NUMBERS = (
    bool, int, float, complex, str, bytes, type(None), type(Ellipsis), slice, range, np.generic,
    np.dtype,
)  # fmt: skip
_DEEPEST = 20
_GENERATORS = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
_HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE
# What makes a new object, which the function may change.
_BUILDING = ("BUILD_LIST", "BUILD_MAP", "BUILD_SET", "LIST_EXTEND", "BINARY_OP", "COMPARE_OP")
_CREATING = frozenset(
    [
        "zeros_like",
        "empty_like",
        "ones_like",
        "full_like",
        "zeros",
        "ones",
        "empty",
        "full",
        "copy",
        "list",
        "dict",
        "set",
    ]
)


@dataclass
class Uses:
    """What a function depends on besides its arguments.

    Attributes
    ----------
    found : list of (holder, name, object)
        Where each object stood: a namespace of globals, a cell, or None for defaults.
    changing : TraceError or None
        The first call that may change an object outside of the function.
    mutable : object or None
        The first object outside of the function that can be changed.
    """

    found: list[tuple[Any, str, Any]] = field(default_factory=list)
    changing: TraceError | None = None
    mutable: Any = None
    _seen: set[int] = field(default_factory=set)


def examined(f: Any) -> Uses:
    """Return what a function depends on.

    Raises
    ------
    TraceError
        It does, or may do, something besides computing a value of its arguments.

    Examples
    --------
    >>> from lmoo.models.tracing.effects import examined
    >>> examined(lambda t, a: a * t).found
    []
    """
    uses = Uses()
    _callable(f, uses, 0, TraceError(f"{f!r} has no code that could be read"))
    if uses.changing is not None and uses.mutable is not None:
        raise uses.changing
    return uses


def _callable(f: Any, uses: Uses, depth: int, refusal: TraceError) -> None:
    """Examine what a call of an object does."""
    if id(f) in uses._seen:
        return
    uses._seen.add(id(f))
    if depth > _DEEPEST:
        raise refusal
    if isinstance(f, np.vectorize):
        raise refusal
    if isinstance(f, types.FunctionType):
        _function(f, uses, depth, None)
    elif isinstance(f, types.MethodType):
        uses.mutable = f.__self__
        if not isinstance(f.__func__, types.FunctionType):
            raise refusal
        _function(f.__func__, uses, depth, f.__self__)
    elif isinstance(f, partial):
        _callable(f.func, uses, depth + 1, refusal)
        for value in (*f.args, *f.keywords.values()):
            _object(value, uses, depth + 1, refusal)
    elif _is_ours(f):
        return
    elif isinstance(
        called := inspect.getattr_static(type(f), "__call__", None), types.FunctionType
    ):
        uses.mutable = f
        _function(called, uses, depth, f)
    else:
        raise refusal


def _is_ours(f: Any) -> bool:
    """Whether a call of the object is known to compute a value and to do nothing else."""
    if isinstance(f, np.ufunc):
        return True
    module = getattr(f, "__module__", None) or ""
    if "random" in module or inspect.ismodule(f):
        return False
    if isinstance(f, types.BuiltinFunctionType) and module == "builtins":
        return f.__name__ in _BUILTINS
    if isinstance(f, type):
        return f.__name__ in _BUILTINS or issubclass(f, (np.generic, BaseException, np.errstate))
    if type(f).__module__.startswith("lmoo."):
        return hasattr(f, "parameter_names")
    return module.startswith(_MODULES) and (callable(f) and not isinstance(f, types.MethodType))


def _function(f: types.FunctionType, uses: Uses, depth: int, owner: Any) -> None:
    if (
        f.__module__
        and f.__module__.startswith(("numpy", "scipy", "lmoo"))
        and "random" not in (f.__module__)
    ):
        return
    for value in (*(f.__defaults__ or ()), *(f.__kwdefaults__ or {}).values()):
        uses.found.append((None, "a default", value))
        _object(value, uses, depth + 1, _refusal(f.__code__, None, "has a default that is unknown"))
    names = f.__code__.co_freevars
    cells = dict(zip(names, f.__closure__ or (), strict=True))
    _Code(f.__code__, f.__globals__, cells, uses, depth, owner).read()


def _object(value: Any, uses: Uses, depth: int, refusal: TraceError) -> None:
    """Examine an object that a function reads."""
    if isinstance(value, _NUMBERS):
        return
    if isinstance(value, np.ndarray):
        if value.dtype == object:
            raise refusal
        uses.mutable = value if uses.mutable is None else uses.mutable
    elif isinstance(value, (tuple, frozenset)) and depth < _DEEPEST:
        for part in value:
            _object(part, uses, depth + 1, refusal)
    elif isinstance(value, (list, set, dict)) and depth < _DEEPEST:
        uses.mutable = value if uses.mutable is None else uses.mutable
        for part in value.values() if isinstance(value, dict) else value:
            _object(part, uses, depth + 1, refusal)
    elif inspect.ismodule(value):
        if "random" in value.__name__:
            raise refusal
    elif callable(value):
        _callable(value, uses, depth + 1, refusal)
    else:
        raise refusal


def _is_plain(value: Any) -> bool:
    """Whether the object is one of a Python class that finds attributes in the usual way."""
    kind = type(value)
    return (
        bool(kind.__flags__ & _HEAP_TYPE)
        and not isinstance(value, (type, types.FunctionType, types.MethodType, np.ndarray))
        and not kind.__module__.startswith(("numpy", "scipy", "random"))
        and inspect.getattr_static(kind, "__getattribute__") is object.__getattribute__
        and not hasattr(kind, "__getattr__")
    )


def _refusal(code: types.CodeType, line: int | None, reason: str) -> TraceError:
    line = code.co_firstlineno if line is None else line
    source = linecache.getline(code.co_filename, line).strip() or None
    return TraceError(reason, f"{os.path.basename(code.co_filename)}:{line}", source)


class _Code:
    """A code object, with the names that it can see."""

    def __init__(
        self,
        code: types.CodeType,
        namespace: dict[str, Any],
        cells: dict[str, Any],
        uses: Uses,
        depth: int,
        owner: Any,
    ) -> None:
        self.code, self.namespace, self.cells = code, namespace, cells
        self.uses, self.depth, self.owner = uses, depth, owner
        self.line: int | None = code.co_firstlineno
        self.fresh: set[str] = set()

    def refuse(self, reason: str) -> TraceError:
        return _refusal(self.code, self.line, reason)

    def read(self) -> None:
        """Examine the instructions, and the functions inside."""
        code = self.code
        # Generators in expressions, as sum(... for ...), are read where they stand.
        if code.co_flags & _GENERATORS and code.co_name != "<genexpr>":
            raise self.refuse("a generator or a coroutine is no model")
        handlers = withs = 0
        instructions = list(dis.get_instructions(code))
        self.fresh = _fresh(code, instructions)
        for place, instruction in enumerate(instructions):
            if instruction.positions is not None and instruction.positions.lineno is not None:
                self.line = instruction.positions.lineno
            handlers += instruction.opname == "PUSH_EXC_INFO"
            withs += instruction.opname == "WITH_EXCEPT_START"
            if handlers > withs and instruction.opname in ("CHECK_EXC_MATCH", "POP_EXCEPT"):
                raise self.refuse("an exception is caught, which tells the values apart")
            self._instruction(instruction, instructions[:place], instructions[place + 1 :])
        for constant in code.co_consts:
            if isinstance(constant, tuple) and "out" in constant:
                self._changes("a function of numpy writes into an array (out=)")
            if isinstance(constant, types.CodeType):
                inner = {name: self.cells.get(name) for name in constant.co_freevars}
                _Code(constant, self.namespace, inner, self.uses, self.depth + 1, self.owner).read()

    def _changes(self, reason: str) -> None:
        if self.uses.changing is None:
            self.uses.changing = self.refuse(reason)

    def _is_fresh(self, before: list[dis.Instruction], items: int) -> bool:
        """Whether the lowest of the last items on the stack is an object made in this function."""
        for instruction in reversed(before):
            if instruction.opname in ("CACHE", "PRECALL", "PUSH_NULL"):
                continue
            if instruction.is_jump_target or instruction.opcode in (*dis.hasjrel, *dis.hasjabs):
                return False
            items -= dis.stack_effect(instruction.opcode, instruction.arg)
            if items <= 0:
                return instruction.opname == "LOAD_FAST" and instruction.argval in self.fresh
        return False

    def _instruction(
        self,
        instruction: dis.Instruction,
        before: list[dis.Instruction],
        rest: list[dis.Instruction],
    ) -> None:
        name, value = instruction.opname, instruction.argval
        if name in ("STORE_GLOBAL", "DELETE_GLOBAL"):
            raise self.refuse(f"the global variable {value} is set")
        if name in ("STORE_ATTR", "DELETE_ATTR"):
            raise self.refuse(f"the attribute {value} of an object is set")
        if name in ("STORE_DEREF", "DELETE_DEREF") and value in self.cells:
            raise self.refuse(f"the variable {value} of the enclosing function is set")
        if name in ("STORE_SUBSCR", "DELETE_SUBSCR") and not self._is_fresh(before, 2):
            self._changes("an entry of an object is set")
        in_place = name == "BINARY_OP" and instruction.argrepr.endswith("=")
        if in_place and not self._is_fresh(before, 2):
            self._changes("an object is changed in place")
        if name == "IMPORT_NAME" and value not in ("numpy", "math", "cmath", "scipy.special"):
            raise self.refuse(f"{value} is imported")
        if name in ("LOAD_ATTR", "LOAD_METHOD"):
            if value in _CHANGING and not self._is_fresh(before, 1):
                self._changes(f"{value}() changes an object")
            if "random" in value:
                raise self.refuse("random numbers are drawn")
        if name in ("LOAD_GLOBAL", "LOAD_NAME"):
            self._global(value, rest)
        elif name in ("LOAD_DEREF", "LOAD_CLASSDEREF") and self.cells.get(value) is not None:
            self._cell(value, rest)
        elif (
            self.owner is not None
            and name.startswith("LOAD_FAST")
            and value == self.code.co_varnames[0]
            and not (rest and rest[0].opname == "STORE_ATTR")
        ):
            self._chain(self.owner, list(_attributes(rest)), value)

    def _global(self, name: str, rest: list[dis.Instruction]) -> None:
        if name in self.namespace:
            value = self.namespace[name]
            self.uses.found.append((self.namespace, name, value))
        elif hasattr(builtins, name):
            value = getattr(builtins, name)
            known = name in _BUILTINS or name in ("AssertionError", "NotImplemented")
            if not known and not (isinstance(value, type) and issubclass(value, BaseException)):
                raise self.refuse(f"{name}() is called, which has an effect or looks at types")
            return
        else:
            return  # The call will raise NameError.
        self._chain(value, list(_attributes(rest)), name)

    def _cell(self, name: str, rest: list[dis.Instruction]) -> None:
        cell = self.cells[name]
        try:
            value = cell.cell_contents
        except ValueError:
            return
        self.uses.found.append((cell, name, value))
        self._chain(value, list(_attributes(rest)), name)

    def _chain(self, value: Any, attributes: list[str], name: str) -> None:
        """Examine an object and those attributes of it that are read next."""
        shown = name
        for attribute in attributes:
            if not (inspect.ismodule(value) or _is_plain(value)):
                break
            shown = f"{shown}.{attribute}"
            if inspect.ismodule(value):
                value = getattr(value, attribute, None)
                continue
            found = inspect.getattr_static(value, attribute, None)
            if isinstance(found, property):
                found = found.fget
            if isinstance(found, (staticmethod, classmethod)):
                found = found.__func__
            if isinstance(found, types.FunctionType):
                if id(found) not in self.uses._seen:
                    self.uses._seen.add(id(found))
                    _function(found, self.uses, self.depth + 1, value)
                return
            self.uses.mutable = value
            self.uses.found.append((value, attribute, found))
            value = found
        refusal = self.refuse(f"{shown} is used, and what it does cannot be told")
        _object(value, self.uses, self.depth + 1, refusal)


def _fresh(code: types.CodeType, instructions: list[dis.Instruction]) -> set[str]:
    """Return the local names that only ever stand for objects that the function has made."""
    made: set[str] = set()
    others = set(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])
    last, called = "", ""
    for instruction in instructions:
        name = instruction.opname
        if name in ("CACHE", "PRECALL", "PUSH_NULL"):
            continue
        if name in ("LOAD_METHOD", "LOAD_ATTR", "LOAD_GLOBAL"):
            called = instruction.argval
        if name == "STORE_FAST":
            fresh = last in _BUILDING or last == "LOAD_CONST" or last.startswith("UNARY")
            fresh |= last.startswith("CALL") and called in _CREATING
            (made if fresh else others).add(instruction.argval)
        last = name
    return made - others


def _attributes(instructions: list[dis.Instruction]) -> Iterator[str]:
    """Yield the attributes that are read one after the other, as in ``np.random.normal``."""
    for instruction in instructions:
        if instruction.opname in ("LOAD_ATTR", "LOAD_METHOD"):
            yield instruction.argval
        elif instruction.opname not in ("CACHE", "PRECALL", "PUSH_NULL", "COPY"):
            return
