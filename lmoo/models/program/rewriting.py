"""Graphs rewritten for the instructions of the compiled evaluation."""

import math
import operator
import sys
from collections.abc import Callable, Sequence
from typing import Any

from lmoo.models.program.operations import LEAVES, Divisors

__all__ = ["RewrittenGraph"]

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
    divisors : Divisors or None
        Divisors to be replaced by reciprocals; None if divisions are not to be replaced.
    """

    def __init__(self, divisors: Divisors | None) -> None:
        self.divisors = divisors
        self.names: list[str] = []
        self.arguments: list[tuple[int, ...]] = []
        self.payloads: list[Any] = []
        self.uniform: list[bool] = []
        self._known: dict[Any, int] = {}

    def include(self, steps: Sequence[Any], outputs: Sequence[int]) -> list[int]:
        """Add the steps that outputs depend on; return the nodes of the outputs."""
        needed = [False] * len(steps)
        for output in outputs:
            needed[output] = True
        for i in range(len(steps) - 1, -1, -1):
            if needed[i]:
                for argument in steps[i][1]:
                    needed[argument] = True
        nodes = [-1] * len(steps)
        shared = [False] * len(steps)
        if self.divisors is not None:
            shared = [kind in self.divisors for kind in self.divisors.kinds(steps)]
        for i, (name, arguments, value) in enumerate(steps):
            if not needed[i]:
                continue
            if name in LEAVES:
                nodes[i] = (
                    self.constant(value) if name == "constant" else self.node(name, (), value)
                )
            elif name == "divide" and shared[arguments[1]] and self._inverts(nodes[arguments[1]]):
                nodes[i] = self.apply(
                    "multiply",
                    [nodes[arguments[0]], self.apply("reciprocal", [nodes[arguments[1]]])],
                )
            else:
                nodes[i] = self.apply(name, [nodes[argument] for argument in arguments])
        return [nodes[output] for output in outputs]

    def node(self, name: str, arguments: tuple[int, ...], payload: Any = None) -> int:
        """Return the node of an operation with these arguments, which is unique."""
        if name in FOLDED and None not in (numbers := [self.number(a) for a in arguments]):
            return self.constant(FOLDED[name](*numbers))
        key = (name, arguments, payload)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = len(self.names)
            self.names.append(name)
            self.arguments.append(arguments)
            self.payloads.append(payload)
            self.uniform.append(name != "variable" and all(self.uniform[a] for a in arguments))
        return found

    def constant(self, value: float) -> int:
        """Return the node of a number; numbers with different bits are different nodes."""
        return self.node("constant", (), float(value).hex())

    def number(self, node: int) -> float | None:
        """Return the value of a constant; None for other nodes."""
        if self.names[node] != "constant":
            return None
        return float.fromhex(self.payloads[node])

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
            if self.divisors is not None:
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
