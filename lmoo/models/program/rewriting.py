"""Graphs rewritten for the instructions of the compiled evaluation."""

import math
import operator
import sys
from collections.abc import Callable, Sequence
from typing import Any

from lmoo.models.program.operations import LEAVES, Step, shared_divisors

_SMALLEST = sys.float_info.min

# Operations of constants that are computed here.
FOLDED: dict[str, Callable[..., float]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
}


class RewrittenGraph:
    """A graph of the operations of the compiled evaluation, without duplicates.

    Parameters
    ----------
    reciprocals : bool
        Whether divisions by numbers that do not depend on variables become multiplications.
    """

    def __init__(self, reciprocals: bool) -> None:
        self.reciprocals = reciprocals
        self.names: list[str] = []
        self.arguments: list[tuple[int, ...]] = []
        # Values of constants, indices of parameters and variables, None for operations.
        self.payloads: list[Any] = []
        self.uniform: list[bool] = []
        self._known: dict[Any, int] = {}

    def include(self, steps: Sequence[Step]) -> list[int]:
        """Add the steps of a graph; return their nodes."""
        nodes: list[int] = []
        shared = shared_divisors(steps) if self.reciprocals else [False] * len(steps)
        for name, arguments, value in steps:
            if name == "constant":
                found = self.constant(value)  # type: ignore[arg-type]
            elif name in LEAVES:
                found = self.node(name, (), value)
            elif name == "divide" and shared[arguments[1]] and self._inverts(nodes[arguments[1]]):
                inverse = self.apply("reciprocal", [nodes[arguments[1]]])
                found = self.apply("multiply", [nodes[arguments[0]], inverse])
            else:
                found = self.apply(name, [nodes[a] for a in arguments])
            nodes.append(found)
        return nodes

    def node(self, name: str, arguments: tuple[int, ...], payload: Any = None) -> int:
        """Return the node of an operation with these arguments, which is unique."""
        names, payloads = self.names, self.payloads
        fold = FOLDED.get(name)
        if fold is not None and all(names[a] == "constant" for a in arguments):
            return self.constant(fold(*[payloads[a] for a in arguments]))
        key = (name, arguments, payload)
        found = self._known.get(key)
        return self._new(key, key) if found is None else found

    def _new(self, key: Any, step: tuple[str, tuple[int, ...], Any]) -> int:
        """Add a node."""
        name, arguments, payload = step
        found = self._known[key] = len(self.names)
        self.names.append(name)
        self.arguments.append(arguments)
        self.payloads.append(payload)
        uniform = self.uniform
        uniform.append(name != "variable" and all(uniform[a] for a in arguments))
        return found

    def constant(self, value: float) -> int:
        """Return the node of a number; numbers with different bits are different nodes."""
        value = float(value)
        key = value.hex()
        found = self._known.get(key)
        return self._new(key, ("constant", (), value)) if found is None else found

    def number(self, node: int) -> float | None:
        """Return the value of a constant; None for other nodes."""
        return self.payloads[node] if self.names[node] == "constant" else None

    def opposite(self, node: int) -> int | None:
        """Return the argument of a negation; None for other nodes."""
        return self.arguments[node][0] if self.names[node] == "negative" else None

    def apply(self, name: str, arguments: Sequence[int]) -> int:
        """Return the node of an operation, simplified by the rule for it if there is one."""
        rule = getattr(self, f"_{name}", None)
        return rule(*arguments) if rule is not None else self.node(name, tuple(arguments))

    # Signs are moved outwards and become part of a factor or of a sum.  This is exact except for
    # the signs of zeros.

    def _negative(self, a: int) -> int:
        number, inner = self.number(a), self.opposite(a)
        if number is not None:
            return self.constant(-number)
        if inner is not None:
            return inner
        name, arguments = self.names[a], self.arguments[a]
        if name in ("multiply", "divide") and not self.uniform[a]:
            left, right = arguments
            if self.uniform[right]:
                return self.node(name, (left, self._negative(right)))
            if self.uniform[left]:
                return self.node(name, (self._negative(left), right))
        return self.node("negative", (a,))

    def _add(self, a: int, b: int) -> int:
        if (inner := self.opposite(b)) is not None:
            return self._subtract(a, inner)
        if (inner := self.opposite(a)) is not None:
            return self._subtract(b, inner)
        # The operand that is not uniform comes first.
        return self.node("add", (b, a) if self.uniform[a] else (a, b))

    def _subtract(self, a: int, b: int) -> int:
        if (inner := self.opposite(b)) is not None:
            return self._add(a, inner)
        if (inner := self.opposite(a)) is not None:
            return self._negative(self._add(inner, b))
        return self.node("subtract", (a, b))

    def _multiply(self, a: int, b: int) -> int:
        for one, other in ((a, b), (b, a)):
            if self.number(one) == 1.0:
                return other
            if self.number(one) == -1.0 or (inner := self.opposite(one)) is None:
                continue
            return self._negative(self._multiply(inner, other))
        if self.uniform[a]:
            a, b = b, a
        if self.uniform[b] and not self.uniform[a] and self.names[a] == "multiply":
            left, right = self.arguments[a]
            if self.uniform[right] and (self._only_scales(right) or self._only_scales(b)):
                return self._multiply(left, self._multiply(right, b))
        return self.node("multiply", (a, b))

    def _inverts(self, node: int) -> bool:
        """Return whether a node is no constant whose reciprocal is out of range, or inaccurate.

        A quotient by the smallest numbers may be finite where their reciprocals are not.
        """
        number = self.number(node)
        return number is None or _SMALLEST <= abs(number) <= 1.0 / _SMALLEST

    def _only_scales(self, node: int) -> bool:
        """Return whether a node is plus or minus a power of two, so that products are exact."""
        number = self.number(node)
        return number is not None and abs(math.frexp(number)[0]) == 0.5

    def _divide(self, a: int, b: int) -> int:
        if self.number(b) == 1.0:
            return a
        if (inner := self.opposite(a)) is not None and not self.uniform[a]:
            return self._negative(self._divide(inner, b))
        if (inner := self.opposite(b)) is not None and not self.uniform[b]:
            return self._negative(self._divide(a, inner))
        number = self.number(b)
        if self.uniform[b] and not self.uniform[a] and self._inverts(b):
            if number is not None and self._only_scales(b):
                return self._multiply(a, self.constant(1.0 / number))
            if self.reciprocals:
                return self._multiply(a, self.node("divide", (self.constant(1.0), b)))
        return self.node("divide", (a, b))

    def _square(self, a: int) -> int:
        inner = self.opposite(a)
        return self._square(inner) if inner is not None else self.node("multiply", (a, a))

    def _reciprocal(self, a: int) -> int:
        return self._divide(self.constant(1.0), a)

    def _absolute(self, a: int) -> int:
        inner = self.opposite(a)
        return self.node("absolute", (a if inner is None else inner,))

    def _remainder(self, a: int, b: int) -> int:
        return self.node("mod", (a, b))

    def _power(self, a: int, b: int) -> int:
        """Return a power; small integer exponents become multiplications."""
        number = self.number(b)
        if number == 1.0:
            return a
        if number == 2.0:
            return self._square(a)
        if number == 3.0:
            return self._multiply(self._square(a), a)
        if number == 4.0:
            return self._square(self._square(a))
        if number == -1.0:
            return self._reciprocal(a)
        if number == -2.0:
            return self._square(self._reciprocal(a))
        return self.node("power", (a, b))
