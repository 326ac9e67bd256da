"""Products in which a factor is repeated: ``s*s`` becomes ``s**2``."""

from collections.abc import Sequence

import numpy as np

from lmoo.models.expression.functions import BINARY, FUNCTIONS, UNARY
from lmoo.models.expression.parser import Apply, Constant, Step

_TIMES, _OVER, _POWER = BINARY["*"], BINARY["/"], BINARY["**"]
_SQUARE, _MINUS = FUNCTIONS["square"], UNARY["-"]

# The sign of a product, and the exponent of each of its factors.
_Product = tuple[int, dict[int, float]]


def collected(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Return the steps of an expression in which no factor of a product is repeated.

    Quotients and integer powers are products as well.  A product without a repeated factor stays as
    it is, also one in which a factor cancels.

    Parameters
    ----------
    steps : sequence of Step
        In postfix order.

    Examples
    --------
    >>> from lmoo.models.expression.parser import parse
    >>> from lmoo.models.expression.products import collected
    >>> once, _ = parse("-(x - m)**2/(2*s**2)", ["x"], ["m", "s"])
    >>> twice, _ = parse("-(x - m)*(x - m)/2/s/s", ["x"], ["m", "s"])
    >>> len(collected(twice)) < len(twice), collected(once) == once
    (True, True)
    """
    return _Products().steps_of(steps)


class _Products:
    """Nodes of an expression, equal ones once, and what they are as products."""

    def __init__(self) -> None:
        self._nodes: list[tuple[Step, tuple[int, ...]]] = []
        self._places: dict[tuple[Step, tuple[int, ...]], int] = {}
        self._products: dict[int, _Product] = {}

    def steps_of(self, steps: Sequence[Step]) -> tuple[Step, ...]:
        """Return the steps with repeated factors collected."""
        stack: list[int] = []
        for step in steps:
            arity = step.function.arity if isinstance(step, Apply) else 0
            arguments = tuple(stack[len(stack) - arity :])
            del stack[len(stack) - arity :]
            stack.append(self._collected(step, arguments))
        # The steps of the nodes from the last one to the first.
        out: list[Step] = []
        while stack:
            step, arguments = self._nodes[stack.pop()]
            out.append(step)
            stack.extend(arguments)
        return tuple(out[::-1])

    def _node(self, step: Step, *arguments: int) -> int:
        key = step, arguments
        if key not in self._places:
            self._places[key] = len(self._nodes)
            self._nodes.append(key)
        return self._places[key]

    def _collected(self, step: Step, arguments: tuple[int, ...]) -> int:
        """Return the node of a step, in which no factor is repeated."""
        node = self._node(step, *arguments)
        if node in self._products:
            return node
        sign, exponents = self._product(step, arguments)
        if not exponents or not all(0.0 < abs(e) < np.inf for e in exponents.values()):
            sign, exponents = 1, {node: 1.0}
        elif isinstance(step, Apply) and step.function in (_TIMES, _OVER):
            factors = sum(len(self._products[argument][1]) for argument in arguments)
            if len(exponents) < factors:
                node = self._built(sign, exponents)
        self._products[node] = sign, exponents
        return node

    def _product(self, step: Step, arguments: tuple[int, ...]) -> _Product:
        """Return a step as a product; without factors if it is not a product."""
        function = step.function if isinstance(step, Apply) else None
        if function is _MINUS:
            sign, exponents = self._products[arguments[0]]
            return -sign, exponents
        if function is _SQUARE:
            return 1, {arguments[0]: 2.0}
        if function is _POWER:
            power, _ = self._nodes[arguments[1]]
            if isinstance(power, Constant) and float(power.value).is_integer():
                return 1, {arguments[0]: float(power.value)}
        if function not in (_TIMES, _OVER):
            return 1, {}
        (sign, left), (other, right) = (self._products[argument] for argument in arguments)
        exponents = dict(left)
        for base, exponent in right.items():
            change = exponent if function is _TIMES else -exponent
            exponents[base] = exponents.get(base, 0.0) + change
        return sign * other, exponents

    def _built(self, sign: int, exponents: dict[int, float]) -> int:
        """Return the node of a product."""
        above = {base: exponent for base, exponent in exponents.items() if exponent > 0.0}
        below = {base: -exponent for base, exponent in exponents.items() if exponent < 0.0}
        node = self._powers(above)
        if below:
            node = self._node(Apply(_OVER), node, self._powers(below))
        return node if sign > 0 else self._node(Apply(_MINUS), node)

    def _powers(self, exponents: dict[int, float]) -> int:
        """Return the node of a product of powers with positive exponents."""
        node = None
        for base, exponent in exponents.items():
            power = base
            if exponent != 1.0:
                power = self._node(Apply(_POWER), base, self._node(Constant(np.float64(exponent))))
            node = power if node is None else self._node(Apply(_TIMES), node, power)
        return self._node(Constant(np.float64(1.0))) if node is None else node
