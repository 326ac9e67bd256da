"""Conversion of graphs to tapes: operations are selected, rewritten, fused and given registers."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lmoo._core.models import (
    BLOCK,
    CACHE,
    CODES,
    CONSTANTS,
    FIRST_DATA,
    REGISTERS,
    ROW,
    UNIFORM,
)
from lmoo.models.program.operations import ARITHMETIC, LEAVES, Step, has_jumps
from lmoo.models.program.rewriting import RewrittenGraph

# Arguments of CompiledTapes for a tape: places of the outputs, instructions, number of uniform
# instructions, constants, rows, registers, points in a block.
Lowered = tuple[Any, Any, int, Any, int, int, int]

# Instructions with two results: name, and the names of both results.
PAIRS = {
    "sin": ("sincos", "sin", "cos"),
    "cos": ("sincos", "sin", "cos"),
    "wofz_real": ("wofz", "wofz_real", "wofz_imag"),
    "wofz_imag": ("wofz", "wofz_real", "wofz_imag"),
}
NOTHING = (CONSTANTS, 0)


def lower(
    steps: Sequence[Step], outputs: Sequence[Sequence[int]], n: int, variables: int
) -> list[Lowered]:
    """Return tapes of a graph.

    Parameters
    ----------
    steps : sequence of (str, tuple of int, value)
        In topological order, checked by `operations.check`.
    outputs : sequence of sequences of int
        Indices of steps: the outputs of each tape.
    n, variables : int
        Numbers of parameters and of variables.
    """
    graph = RewrittenGraph(not has_jumps(steps))
    nodes = graph.include(steps)
    return [_Tape(graph, [nodes[i] for i in ends], n, variables).assemble() for ends in outputs]


class _Tape:
    """The instructions of a rewritten graph."""

    def __init__(self, graph: RewrittenGraph, ends: Sequence[int], n: int, variables: int) -> None:
        self.graph, self.ends, self.n, self.variables = graph, list(ends), n, variables
        self.order = self._needed()
        self.uses = self._counts()
        # Nodes that are parts of another's instruction, and operations with such parts.
        self.absorbed: set[int] = set()
        self.merged: set[int] = set()
        self.plans: dict[int, tuple[str, tuple[int, ...]]] = {}
        # The second result of an instruction, by the first one.
        self.seconds: dict[int, int] = {}
        self.place: dict[int, tuple[int, int]] = {}
        self.constants: list[float] = []

    def assemble(self) -> Lowered:
        """Return the arguments of CompiledTapes."""
        graph = self.graph
        self._plan()
        kept = [i for i in self.order if i not in self.absorbed and graph.names[i] not in LEAVES]
        rows = self._place_leaves()
        uniform = []
        for i in kept:
            if graph.uniform[i]:
                self.place[i] = (UNIFORM, ROW * rows)
                rows += 1
                uniform.append(self._instruction(i, self.place[i]))
        block, registers, points = self._allocate([i for i in kept if not graph.uniform[i]])
        ends = [
            self.place[end] if graph.uniform[end] else (FIRST_DATA + self.variables + j, 0)
            for j, end in enumerate(self.ends)
        ]
        constants = np.array(self.constants or [0.0]).repeat(ROW).reshape(-1, ROW)
        instructions = [*uniform, [CODES["points"], 0, *NOTHING * 5], *block]
        array = np.array(instructions, dtype=np.int32)
        places = np.array(ends, dtype=np.int32)
        return places, array, len(uniform), constants, rows, registers, points

    def _needed(self) -> list[int]:
        needed: set[int] = set()
        stack = list(self.ends)
        while stack:
            node = stack.pop()
            if node not in needed:
                needed.add(node)
                stack.extend(self.graph.arguments[node])
        return sorted(needed)

    def _counts(self) -> dict[int, int]:
        uses = dict.fromkeys(self.order, 0)
        for node in self.order:
            for argument in set(self.graph.arguments[node]):
                uses[argument] += 1
        for end in self.ends:
            uses[end] += 2  # an output is never merged into another instruction
        return uses

    def _place_leaves(self) -> int:
        """Assign places to constants, parameters and variables; return the rows of parameters."""
        for node in self.order:
            name, payload = self.graph.names[node], self.graph.payloads[node]
            if name == "constant":
                self.place[node] = (CONSTANTS, ROW * len(self.constants))
                self.constants.append(payload)
            elif name == "parameter":
                self.place[node] = (UNIFORM, ROW * payload)
            elif name == "variable":
                self.place[node] = (FIRST_DATA + payload, 0)
        return self.n

    # ---- operations merged into one instruction ----

    def _operation(self, node: int) -> tuple[str, tuple[int, ...]] | None:
        """Return name and operands of an arithmetic operation that may be merged into another."""
        name, arguments = self.graph.names[node], self.graph.arguments[node]
        if name == "negative":
            return "multiply", (arguments[0], self._minus_one)
        return (name, arguments) if name in ARITHMETIC else None

    def _alone(self, node: int, uniform: bool) -> bool:
        """Return whether a node is an operation with one user, not yet merged with others."""
        return (
            self.uses[node] == 1
            and node not in self.absorbed
            and node not in self.merged
            and self.graph.uniform[node] == uniform
            and self._operation(node) is not None
        )

    def _plan(self) -> None:
        graph = self.graph
        self._minus_one = graph.constant(-1.0)
        if self._minus_one not in self.uses and any(
            graph.names[i] == "negative" for i in self.order
        ):
            self.order.append(self._minus_one)
            self.uses[self._minus_one] = 1
        for node in self.order:
            if graph.names[node] == "exp" and not graph.uniform[node]:
                self._plan_exp(node)
            elif graph.names[node] == "divide" and not graph.uniform[node]:
                self._plan_divide(node)
        for node in list(self.order):
            if graph.names[node] == "negative" and node not in self.absorbed:
                self._plan_negative(node)
        for node in self.order:
            operation = self._operation(node)
            if operation is None or node in self.absorbed or node in self.merged:
                continue
            twice = operation[1][0] == operation[1][1] and operation[0] != "multiply"
            for inner in () if twice else operation[1]:
                if self._alone(inner, graph.uniform[node]):
                    self._merge(node, operation, inner)
                    self.merged.add(node)
                    break
            else:
                self.plans[node] = self._first(*operation, self._kinds(operation[1]), "nothing", ())
        self._plan_decays()

    def _plan_exp(self, node: int) -> None:
        """Make exp(a u) and exp(a a u), with a uniform u, one instruction."""
        graph = self.graph
        (inner,) = graph.arguments[node]
        operation = self._operation(inner)
        if operation is None or operation[0] != "multiply" or not self._alone(inner, False):
            return
        a, factor = operation[1]
        if not graph.uniform[factor]:
            return
        self.absorbed.add(inner)
        if self._is_square(a):
            self.absorbed.add(a)
            self.plans[node] = "exp_square_multiply_s", (graph.arguments[a][0], factor)
        else:
            self.plans[node] = "exp_multiply_vs", (a, factor)

    def _plan_divide(self, node: int) -> None:
        """Make u / (a a + w), with uniform u and w, one instruction."""
        graph = self.graph
        u, below = graph.arguments[node]
        if not graph.uniform[u] or graph.names[below] != "add" or not self._alone(below, False):
            return
        a, w = graph.arguments[below]
        if graph.uniform[w] and self._is_square(a):
            self.absorbed.update((below, a))
            self.merged.add(node)
            self.plans[node] = "square_add_s_under_s", (graph.arguments[a][0], w, u)

    def _plan_negative(self, node: int) -> None:
        """Make -((a u) b), with a uniform u, the one instruction (a (-u)) b."""
        graph = self.graph
        (product,) = graph.arguments[node]
        if graph.names[product] != "multiply" or self.uses[product] != 1:
            return
        left, right = graph.arguments[product]
        for scaled, b in ((left, right), (right, left)):
            if graph.names[scaled] != "multiply" or left == right or scaled in self.absorbed:
                continue
            a, u = graph.arguments[scaled]
            if graph.uniform[scaled] or not graph.uniform[u]:
                continue
            minus = graph.apply("negative", [u])
            if minus not in self.uses:
                self.order.append(minus)
                self.uses[minus] = 0
                for argument in graph.arguments[minus]:
                    self.uses[argument] += 1
            self.uses[minus] += 1
            self.uses[scaled] -= 1
            self.uses[a] += 1
            self._drop(scaled)
            self.absorbed.add(product)
            self.merged.add(node)
            self.plans[node] = "multiply_vs+multiply_v", (a, minus, b)
            return

    def _drop(self, node: int) -> None:
        """Leave out a node, and those that only it needs, if nothing uses it any more."""
        if self.uses[node] == 0 and self.graph.names[node] not in LEAVES:
            self.absorbed.add(node)
            for argument in set(self.graph.arguments[node]):
                self.uses[argument] -= 1
                self._drop(argument)

    def _plan_decays(self) -> None:
        """Make e = exp(a u) and (e w) a, with uniform u and w, one instruction."""
        for node, (name, arguments) in list(self.plans.items()):
            if name != "multiply_vs+multiply_v" or node in self.absorbed:
                continue
            e, w, a = arguments
            plan = self.plans.get(e)
            if plan is None or plan[0] != "exp_multiply_vs" or plan[1][0] != a:
                continue
            self.seconds[e] = node
            self.plans[e] = "decay", (*plan[1], w)

    def _is_square(self, node: int) -> bool:
        """Return whether a node is a square with one user, not yet merged with others."""
        graph = self.graph
        return (
            graph.names[node] == "multiply"
            and len(set(graph.arguments[node])) == 1
            and self._alone(node, False)
        )

    def _kinds(self, arguments: Sequence[int]) -> str:
        uniform = [self.graph.uniform[a] for a in arguments]
        # In uniform operations, all operands are of one kind.
        return "vv" if all(uniform) else "".join("s" if u else "v" for u in uniform)

    def _first(
        self, name: str, arguments: tuple[int, ...], kinds: str, second: str, rest: tuple[int, ...]
    ) -> tuple[str, tuple[int, ...]]:
        if kinds == "sv" and name in ("add", "multiply"):
            arguments, kinds = arguments[::-1], "vs"
        return f"{name}_{kinds}+{second}", (*arguments, *rest)

    def _merge(self, node: int, operation: tuple[str, tuple[int, ...]], inner: int) -> None:
        """Merge an operation and one of its operands, which has no other user."""
        name, arguments = operation
        first = self._operation(inner)
        assert first is not None
        self.absorbed.add(inner)
        second = "squared"
        rest: tuple[int, ...] = ()
        if arguments != (inner, inner):
            other = arguments[1] if arguments[0] == inner else arguments[0]
            swapped = arguments[1] == inner
            verb = {"subtract": "from", "divide": "under"}.get(name, name) if swapped else name
            uniform = self.graph.uniform[other] and not self.graph.uniform[node]
            second, rest = f"{verb}_{'s' if uniform else 'v'}", (other,)
        self.plans[node] = self._first(*first, self._kinds(first[1]), second, rest)

    # ---- instructions and registers ----

    def _allocate(self, nodes: list[int]) -> tuple[list[list[int]], int, int]:
        """Return the instructions of a block, its number of registers, and its number of points."""
        graph = self.graph
        output_of: dict[int, int] = {}
        for j, end in enumerate(self.ends):
            if graph.names[end] not in LEAVES and not graph.uniform[end]:
                output_of.setdefault(end, FIRST_DATA + self.variables + j)
        last = self._last_uses(nodes)
        free: list[int] = []
        count = 0
        emitted: list[tuple[int, int | None]] = []
        register: dict[int, int] = {}
        for i, node in enumerate(nodes):
            partner = self._partner(node)
            for argument in sorted(set(self._operands(node))):
                if last.get(argument) == i and argument in register:
                    free.append(register.pop(argument))
            if node in self.place:
                continue  # computed with its partner
            for result in (node, partner):
                if result is None:
                    continue
                if result in output_of:
                    self.place[result] = (output_of[result], 0)
                    continue
                if not free:
                    free.append(count)
                    count += 1
                register[result] = free.pop()
                self.place[result] = (REGISTERS, register[result])
            emitted.append((node, partner))
        points = _points(count + self.variables + len(self.ends))
        for node, (area, offset) in self.place.items():
            if area == REGISTERS:
                self.place[node] = (area, offset * points)
        block = [self._instruction(node, self.place[node], partner) for node, partner in emitted]
        block += self._outputs(output_of)
        return block, count, points

    def _last_uses(self, nodes: list[int]) -> dict[int, int]:
        """Return the position at which each node is last an operand."""
        last: dict[int, int] = {}
        for i, node in enumerate(nodes):
            for argument in self._operands(node):
                last[argument] = i
        return last

    def _operands(self, node: int) -> tuple[int, ...]:
        plan = self.plans.get(node)
        return plan[1] if plan is not None else self.graph.arguments[node]

    def _partner(self, node: int) -> int | None:
        """Return the other result of an instruction with two (sine and cosine), if it is needed."""
        graph = self.graph
        pair = PAIRS.get(graph.names[node])
        if pair is None:
            return self.seconds.get(node)
        other = pair[2] if graph.names[node] == pair[1] else pair[1]
        found = graph._known.get((other, graph.arguments[node], None))
        return found if found is not None and found in self.uses else None

    def _instruction(
        self, node: int, out: tuple[int, int], partner: int | None = None
    ) -> list[int]:
        graph = self.graph
        name = graph.names[node]
        second = NOTHING
        if node in self.plans:
            name, arguments = self.plans[node]
        else:
            arguments = graph.arguments[node]
        if partner is not None:
            second = self.place[partner]
            pair = PAIRS.get(name)
            if pair is not None:
                if name == pair[2]:
                    out, second = second, out
                name = pair[0]
        operands = [self.place[a] for a in arguments] + [NOTHING] * (3 - len(arguments))
        return [CODES[name], 0, *out, *second, *(part for place in operands for part in place)]

    def _outputs(self, output_of: dict[int, int]) -> list[list[int]]:
        """Return instructions for outputs that are variables or equal to other outputs."""
        out = []
        for j, end in enumerate(self.ends):
            area = FIRST_DATA + self.variables + j
            if output_of.get(end) != area and not self.graph.uniform[end]:
                name = CODES["copy_v+nothing"]
                out.append([name, 0, area, 0, *NOTHING, *self.place[end], *NOTHING, *NOTHING])
        return out


def _points(arrays: int) -> int:
    """Return the number of points of a block whose arrays fit into the first-level cache."""
    return int(min(BLOCK, max(ROW, CACHE // max(arrays, 1) // ROW * ROW)))
