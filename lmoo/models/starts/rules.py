"""How a parameter is drawn: its magnitude from the place at which it stands in the model.

No value is absolute: what is added to other terms, or is an argument of a function, must be of a
size with them, and that gives the parameter's size in the units of the data.  In ``exp(-(x-m)/w)``
m is among the values of x, and w such that the argument changes by about 1 between the first point
and the last, or between two neighbours, or in between.

On the way from a parameter p up the tree of the expression each value is ``A + B p^e``, where A and
B depend on the data and on other parameters, until a function ends that; the function says which
values of ``A + B p^e`` make a difference.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo.models.expression.functions import BINARY, FUNCTIONS, UNARY, Function
from lmoo.models.expression.tree import Node, Tree
from lmoo.models.starts.features import Features, fastest, frequencies, remaining

__all__ = ["PERIODIC", "Rule", "Values", "plan"]

Array = NDArray[np.float64]

PERIODIC = (FUNCTIONS["sin"], FUNCTIONS["cos"], FUNCTIONS["tan"])
# A constant that is added to their argument is a factor of the value.
_EXPONENTIAL = (FUNCTIONS["exp"], FUNCTIONS["exp2"])
_PLUS, _MINUS, _TIMES, _OVER, _POWER = (BINARY[sign] for sign in ("+", "-", "*", "/", "**"))
_COMPARED = (
    *(BINARY[sign] for sign in ("<", "<=", ">", ">=", "==", "!=")),
    FUNCTIONS["minimum"],
    FUNCTIONS["maximum"],
)
# Their arguments are of the same size.
_SIZED = (FUNCTIONS["mod"], FUNCTIONS["hypot"], FUNCTIONS["arctan2"])
_POWERS = {FUNCTIONS["square"]: 2.0, FUNCTIONS["sqrt"]: 0.5, FUNCTIONS["cbrt"]: 1.0 / 3.0}
_LOGARITHMS = tuple(FUNCTIONS[name] for name in ("log", "log2", "log10"))
_SCALE_FREE = (_POWER, *_POWERS, *_LOGARITHMS, FUNCTIONS["abs"], FUNCTIONS["sign"])
_ARITHMETIC = (_PLUS, _MINUS, _TIMES, _OVER)
_FACTORS = (FUNCTIONS["deg2rad"], FUNCTIONS["rad2deg"])

_INVERSES: dict[Function | None, Callable[[Any], Any]] = {
    FUNCTIONS["exp"]: np.log,
    FUNCTIONS["exp2"]: np.log2,
    FUNCTIONS["expm1"]: np.log1p,
    FUNCTIONS["log"]: np.exp,
    FUNCTIONS["log2"]: np.exp2,
    FUNCTIONS["log10"]: lambda v: np.power(10.0, v),
    FUNCTIONS["log1p"]: np.expm1,
    FUNCTIONS["sqrt"]: np.square,
    FUNCTIONS["square"]: np.sqrt,
    FUNCTIONS["cbrt"]: lambda v: v**3,
    FUNCTIONS["abs"]: np.abs,
    FUNCTIONS["sin"]: np.arcsin,
    FUNCTIONS["cos"]: np.arccos,
    FUNCTIONS["tan"]: np.arctan,
    FUNCTIONS["arcsin"]: np.sin,
    FUNCTIONS["arccos"]: np.cos,
    FUNCTIONS["arctan"]: np.tan,
    FUNCTIONS["sinh"]: np.arcsinh,
    FUNCTIONS["cosh"]: np.arccosh,
    FUNCTIONS["tanh"]: np.arctanh,
    FUNCTIONS["deg2rad"]: np.rad2deg,
    FUNCTIONS["rad2deg"]: np.deg2rad,
}

# Rules by what they say, the one that says most first.
_FREQUENCY, _PHASE, _PLACE, _ARGUMENT, _EXPONENT, _MATCH, _LEVEL, _OPEN = range(8)


class Values:
    """Values of nodes for some draws.

    Parameters
    ----------
    tree : Tree
    data : Features
        The rows that are looked at.
    every : Features
        All rows.
    points : list of (k, 1) float64 array
        For each parameter its value in each draw.
    """

    def __init__(self, tree: Tree, data: Features, every: Features, points: list[Any]) -> None:
        self._tree, self.data, self.every, self.points = tree, data, every, points

    def __call__(self, node: Node, factor: bool = False) -> Any:
        """Return the value, (k, m) or what broadcasts to it; `factor` makes no difference."""
        return self._tree.value(node, list(self.data.t), self.points)

    def of_first(self, node: Node, factor: bool = False) -> Any:
        """Return the value in the first draw, at all rows, (m,) or a number."""
        first = [point[0, 0] for point in self.points]
        return self._tree.value(node, list(self.every.t), first)


@dataclass
class _Climb:
    """What is known of ``A + B p^e`` on the way up, without numbers.

    Attributes
    ----------
    leaf : Node
        Where p stands.
    top : Node
        The value that is ``A + B p^e``.
    added : bool
        Whether there is an A.
    added_varies, factor_varies : bool
        Whether A and B depend on variables.
    added_needs, factor_needs : int
        Parameters that A and B depend on, as bits.
    scaled : bool
        Whether B is anything but 1 or -1.
    even : bool
        Whether B is a multiple of a variable itself, if it varies.
    """

    leaf: Node
    top: Node
    added: bool = False
    added_varies: bool = False
    factor_varies: bool = False
    added_needs: int = 0
    factor_needs: int = 0
    scaled: bool = False
    even: bool = True

    @property
    def function(self) -> Function | None:
        """What the value is an argument of; None for the value of the model."""
        return None if self.top.parent is None else self.top.parent.function

    def up(self) -> "_Climb | None":
        """Return what is known of the value above; None where it is of another form."""
        parent = self.top.parent
        if parent is None:
            return None
        function, others = parent.function, self.top.others()
        needs, varies = 0, False
        for node in others:
            needs |= node.parameters
            varies |= node.varies
        if needs & self.leaf.parameters:
            return None
        made = _Climb(**vars(self))
        made.top = parent
        if function in UNARY.values():
            return made
        if function in (_PLUS, _MINUS):
            made.added = True
            made.added_varies |= varies
            made.added_needs |= needs
            return made
        linear = function is _TIMES or function in _FACTORS
        linear |= function is _OVER and self.top.side == 0
        # A sum has no simple reciprocal and power.
        alone = not self.added and (
            function is _OVER
            or function in _POWERS
            or (function is _POWER and self.top.side == 0 and not varies)
        )
        if not (linear or alone):
            return None
        made.scaled = True
        made.factor_varies |= varies
        made.factor_needs |= needs
        made.even &= all(node.function is None for node in others if node.varies)
        if self.added:
            made.added_varies |= varies
            made.added_needs |= needs
        return made


def _form(leaf: Node, top: Node, value: Callable[[Node, bool], Any]) -> tuple[Any, Any, Any]:
    """Return A, B and e as numbers, from the values of nodes that are added, or are factors."""
    added: Any = 0.0
    factor: Any = 1.0
    exponent: Any = 1.0
    for node in leaf.path():
        if node is top or node.parent is None:
            break
        function = node.parent.function
        others = [value(other, function not in (_PLUS, _MINUS)) for other in node.others()]
        if function is UNARY["-"]:
            added, factor = -added, -factor
        elif function is _PLUS:
            added = added + others[0]
        elif function is _MINUS and node.side == 0:
            added = added - others[0]
        elif function is _MINUS:
            added, factor = others[0] - added, -factor
        elif function is _TIMES:
            added, factor = added * others[0], factor * others[0]
        elif function is _OVER and node.side == 0:
            added, factor = added / others[0], factor / others[0]
        elif function is _OVER:
            factor, exponent = others[0] / factor, -exponent
        elif function is _POWER:
            factor, exponent = np.power(factor, others[0]), exponent * others[0]
        elif function in _POWERS:
            factor = np.power(factor, _POWERS[function])
            exponent = exponent * _POWERS[function]
        elif function in _FACTORS:
            added, factor = function.value(added), function.value(factor)
    return added, factor, exponent


@dataclass(eq=False)
class Rule:
    """How one parameter is drawn.

    Attributes
    ----------
    parameter : int
        Its index.
    kind : int
    leaf : Node
        Where the parameter stands.
    climb : _Climb
        From the leaf, or from a value that depends on it and on no variable.
    needs : int
        Parameters whose values must be known, as bits.
    known : int
        Parameters whose values are known when this one is drawn; set by `plan`.
    phase : Rule or None
        The rule by which the parameter is the phase of a periodic function, if it is one.
    rank : int
        How many rules of the same kind come before this one; set by `plan`.
    """

    parameter: int
    kind: int
    leaf: Node
    climb: _Climb
    needs: int
    known: int = 0
    phase: "Rule | None" = None
    rank: int = 0
    _listed: Array | None = None

    @property
    def is_phase(self) -> bool:
        """Whether the parameter itself is added in the argument of a periodic function."""
        return self.kind == _PHASE and self.climb.leaf is self.leaf

    @property
    def listed(self) -> bool:
        """Whether the parameter is drawn from candidates, places or frequencies."""
        return self.kind in (_PLACE, _FREQUENCY)

    def draw(self, u: Array, ranked: Any, data: Features, value: Values) -> tuple[Array, Array]:
        """Return values of the parameter.

        Parameters
        ----------
        u : (k, 1) float64 array, in (0, 1)
        ranked : (k, 1) bool array
            Where the first parameter of a kind is to have the first candidate, and so on.
        data : Features
        value : Values

        Returns
        -------
        values : (k, 1) float64 array
            Not finite where the parameter can have no such value.
        choices : (k, 1) int array
            Which of several candidates was taken; -1 for none.
        """
        with np.errstate(all="ignore"):
            added, factor, exponent = self._numbers(value)
            draw = (
                self._frequency,
                self._phase,
                self._place,
                self._argument,
                self._exponent,
                self._match,
                self._level,
                self._open,
            )[self.kind]
            if self.listed:
                # Candidates come first in `_split`, and `_index` knows what is negative.
                u = np.where(ranked, -u, u)
            found, choices = draw(u, data, added, factor, exponent, value)
            found = self._inverted(found, value)
        values = np.broadcast_to(np.asarray(found, dtype=np.float64), u.shape).copy()
        return values, np.broadcast_to(choices, u.shape)

    def _inverted(self, found: Any, value: Values) -> Any:
        """Return the parameter for which what is drawn, a function of it, has some values."""
        path = list(self.leaf.path())
        inner = path[: path.index(self.climb.leaf) + 1][::-1]
        for parent, node in pairwise(inner):
            found = _inverse(parent.function, node.side, found, node.others(), value)
            if found is None:
                return np.nan
        return found

    def turn(self, value: Values) -> Any:
        """Return the change of a phase that is a full turn, (k, 1) or a number."""
        return 2.0 * np.pi / np.abs(_narrow(_form(self.climb.leaf, self.climb.top, value)[1]))

    def middle(self, value: Values) -> Any:
        """Return where a phase is to be within half a turn: 0, or for a place amid the data."""
        if not self.climb.scaled:
            return 0.0
        added, factor, _ = _form(self.climb.leaf, self.climb.top, value)
        return _amid(-added / factor)

    def _numbers(self, value: Values) -> tuple[Any, Any, Any]:
        """Return A, B and e, with A as far as it is known."""

        def known(node: Node, factor: bool) -> Any:
            if not node.parameters & ~self.known:
                return value(node)
            if not factor:
                # An unknown phase makes no difference to a frequency.
                return 0.0 if self.kind == _FREQUENCY and not node.varies else np.nan
            # What is not known yet is 0 here, which leaves (x - m) as x.
            rough = value(node)
            return rough if np.any(rough) and np.isfinite(rough).any() else 1.0

        return _form(self.climb.leaf, self.climb.top, known)

    # ---- one method per kind

    def _frequency(
        self, u: Array, data: Features, added: Any, factor: Any, exponent: Any, value: Values
    ) -> tuple[Any, Any]:
        """Draw what an oscillation depends on: in its argument B p^e, p^e is a frequency."""
        limit = _limit(factor) * data.thinning
        chirp = self.climb.added_varies
        (listed, rest), chosen = _split(u, 0.2, 0.8) if chirp else _split(u, 0.75, 0.25)
        low, high = _ends(np.atleast_2d(factor))
        slow = 0.02 * np.pi / (high - low)
        omega = np.where(
            rest < 0.5, _log(2.0 * rest, slow, limit), slow + (2.0 * rest - 1.0) * (limit - slow)
        )
        candidates = self._candidates(np.atleast_2d(factor), value)
        if not candidates.size:
            return _root(omega, exponent), -1
        if chirp and np.isfinite(added).any() and np.any(added):
            # The argument has several terms, and this one is the last to be drawn.
            phases = np.broadcast_to(added, (u.size, data.y.size))
            c = np.atleast_2d(factor)[0]
            found = remaining(c, phases, data.y, data.weight)
            return _root(np.where(np.isfinite(found), found, omega), exponent), -1
        index = self._index(u, listed, candidates.size)
        omega = np.where(chosen == 0, candidates[index], omega)
        return _root(omega, exponent), np.where(chosen == 0, index, -1)

    def _index(self, u: Array, share: Array, count: int) -> Any:
        """Return which candidate is taken: that of the rule's rank where u is negative."""
        return np.where(
            u < 0.0, self.rank % count, np.minimum((share * count).astype(int), count - 1)
        )

    def _candidates(self, factor: Array, value: Values) -> Array:
        """Return the frequencies of the data in the coordinate B, if it is the same for all draws.

        Its offset does not matter.  Powers of an oscillation have multiples of its frequency,
        therefore halves of the frequencies are candidates too.
        """
        if self._listed is None:
            shape = factor[:, np.isfinite(factor).all(axis=0)]
            shape = shape - shape[:, :1]
            self._listed = np.empty(0)
            differs = np.abs(shape - shape[:1]).max(initial=0.0)
            if shape.size and differs <= 1e-6 * np.abs(shape).max():
                _, c, _ = _form(self.climb.leaf, self.climb.top, value.of_first)
                every = value.every
                found = frequencies(np.ravel(c), every.y, every.weight)
                self._listed = np.concatenate([found, 0.5 * found[:3]])
        return self._listed

    def _phase(
        self, u: Array, data: Features, added: Any, factor: Any, exponent: Any, value: Values
    ) -> tuple[Any, Any]:
        turns = (u - 0.5) * 2.0 * np.pi / np.abs(_narrow(factor))
        if not self.climb.scaled:
            return turns, -1
        middle = _amid(-added / factor)
        return turns + np.where(np.isfinite(middle), middle, 0.0), -1

    def _place(
        self, u: Array, data: Features, added: Any, factor: Any, exponent: Any, value: Values
    ) -> tuple[Any, Any]:
        """Draw where the sum A + B p^e changes its sign, or what is of the size of A."""
        target = None if self.climb.function in _COMPARED else self._wanted(data, value)
        if target is not None:
            added = added - target
        wanted = np.atleast_2d(-added / factor)
        low, high = _ends(wanted)
        (peak, between, alike, out), chosen = _split(u, 0.35, 0.15, 0.35, 0.15)
        choices: Any = -1
        size = np.abs(wanted)
        span = high - low
        least, most = _range(size)
        inside = low + between * span
        opposite = np.sign(_narrow(-wanted)) * _log(alike, least / 3.0, 3.0 * most)
        outside = np.where(
            out < 0.5,
            low - span * _log(2.0 * out, 0.003, 30.0),
            high + span * _log(2.0 * out - 1.0, 0.003, 30.0),
        )
        found = np.select([chosen == 1, chosen == 2, chosen == 3], [inside, opposite, outside])
        if len(data.t) == 1 and data.peaks and target is None:
            index = self._index(u, peak, len(data.peaks))
            rows = np.array([row for row, _ in data.peaks])[index]
            at = np.take_along_axis(np.broadcast_to(wanted, (u.size, data.y.size)), rows, axis=1)
            found = np.where(chosen == 0, at, found)
            choices = np.where(chosen == 0, index, -1)
        else:
            at = np.broadcast_to(wanted, (u.size, data.y.size))
            rows = np.minimum((peak * data.y.size).astype(int), data.y.size - 1)
            found = np.where(chosen == 0, np.take_along_axis(at, rows, axis=1), found)
        # An even power has no negative value: p is then of the size of A, whatever its sign.
        even = ~_odd(exponent) & (found <= 0.0)
        alike = self._width(np.abs(u), least / 3.0, 3.0 * most, 1.0 / size, size, data)
        found = np.where(even, alike, found)
        return _root(found, exponent), choices

    def _argument(
        self, u: Array, data: Features, added: Any, factor: Any, exponent: Any, value: Values
    ) -> tuple[Any, Any]:
        """Draw what makes the argument of a function change by 1 somewhere in the data."""
        change = np.atleast_2d(factor) - _nearest_to_zero(factor)
        least, most = _range(np.abs(change))
        both = _range(np.abs(np.atleast_2d(factor)))
        if self.climb.function not in _EXPONENTIAL:
            least, most = np.fmin(least, both[0]), np.fmax(most, both[1])
        # What does not change is of the size of 1 itself.
        least = np.where(np.isfinite(least), least, both[1])
        most = np.where(np.isfinite(most), most, both[1])
        (up, down), chosen = _split(u, 0.65, 0.35)
        share = np.where(chosen == 0, up, down)
        change = np.abs(change)
        size = self._width(share, 0.05 / most, 3.0 / least, change, change, data)
        return _signed(size, exponent, np.where(chosen == 0, 1.0, -1.0)), -1

    def _exponent(
        self, u: Array, data: Features, added: Any, factor: Any, exponent: Any, value: Values
    ) -> tuple[Any, Any]:
        """Draw an exponent: of the size of 1, or such that the power changes by about e."""
        (up, down), chosen = _split(u, 0.7, 0.3)
        share = np.where(chosen == 0, up, down)
        sign = np.where(chosen == 0, 1.0, -1.0)
        size = _log(share, 0.1, 10.0)
        parent = self.climb.top.parent
        assert parent is not None
        base = parent.children[0]
        if not base.parameters & ~self.known:
            low, high = _ends(np.atleast_2d(np.log(np.abs(value(base)))))
            (plain, wide), which = _split(share, 0.5, 0.5)
            spread = _log(wide, 0.05, 50.0) / (high - low)
            size = np.where((which == 1) & np.isfinite(spread), spread, _log(plain, 0.1, 10.0))
        return _signed(size / np.abs(_narrow(factor)), exponent, sign), -1

    def _match(
        self, u: Array, data: Features, added: Any, factor: Any, exponent: Any, value: Values
    ) -> tuple[Any, Any]:
        """Draw what makes the term B p^e as large as the others, somewhere in the data."""
        others = added
        if not np.isfinite(others).any() or (np.asarray(others) == 0.0).all():
            target = self._wanted(data, value)
            others = np.ones(1) if target is None else target
        ratio = np.atleast_2d(others / factor)
        least, most = _range(np.abs(ratio))
        (same, other), chosen = _split(u, 0.75, 0.25)
        share = np.where(chosen == 0, same, other)
        inverse = 1.0 / np.abs(ratio)
        size = self._width(share, least / 3.0, 3.0 * most, inverse, inverse, data)
        sign = np.sign(_narrow(ratio)) * np.where(chosen == 0, 1.0, -1.0)
        return _signed(size, exponent, sign), -1

    def _level(
        self, u: Array, data: Features, added: Any, factor: Any, exponent: Any, value: Values
    ) -> tuple[Any, Any]:
        """Draw a constant for which the value is what the data want, or of the size of 1."""
        target = self._wanted(data, value)
        if target is None:
            (up, down), chosen = _split(u, 0.7, 0.3)
            least, most = _range(np.abs(np.atleast_2d(factor)))
            size = _log(np.where(chosen == 0, up, down), 0.1 / most, 10.0 / least)
            return _signed(size, exponent, np.where(chosen == 0, 1.0, -1.0)), -1
        known = np.where(np.isfinite(added), added, 0.0)
        wanted = np.atleast_2d((target - known) / factor)
        low, high = _ends(wanted)
        least, most = _range(np.abs(wanted))
        (even, log), chosen = _split(u, 0.5, 0.5)
        sign = np.sign(_narrow(wanted))
        found = np.where(chosen == 0, low + even * (high - low), sign * _log(log, least, most))
        return _root(found, exponent), -1

    def _open(
        self, u: Array, data: Features, added: Any, factor: Any, exponent: Any, value: Values
    ) -> tuple[Any, Any]:
        """Draw by magnitude over the units of the data, as the model does not tell which it is."""
        units = [1.0]
        for column in (*data.t, data.y):
            sizes = [float(size[0, 0]) for size in _range(np.abs(np.atleast_2d(column)))]
            for unit in (*sizes, float(np.ptp(column))):
                units += [unit, 1.0 / unit] if unit > 0.0 and np.isfinite(unit) else []
        (up, down), chosen = _split(u, 0.7, 0.3)
        size = _log(np.where(chosen == 0, up, down), 0.1 * min(units), 10.0 * max(units))
        return np.where(chosen == 0, size, -size), -1

    def _width(
        self, share: Array, least: Any, most: Any, change: Any, distance: Any, data: Features
    ) -> Any:
        """Draw a size of p^e; for some draws such that `change` p^e is 1 at the edge of a peak.

        The peak is where `distance` is smallest.

        In ``(x - m)/w``, with m at a peak, w is then of the size of its half-width.
        """
        (peak, general), chosen = _split(share, 0.4, 0.6)
        size = _log(share, least, most)
        if len(data.t) != 1 or not data.peaks or change.shape[1] != data.y.size:
            return size
        centre = np.argmin(np.where(np.isfinite(distance), distance, np.inf), axis=1)
        rows = np.array([row for row, _ in data.peaks])
        widths = np.array([half for _, half in data.peaks])
        nearest = np.argmin(np.abs(centre[:, None] - rows), axis=1)
        half = widths[nearest]
        near = (np.abs(centre - rows[nearest]) <= half)[:, None]
        edge = np.where(centre + half < data.y.size, centre + half, np.maximum(centre - half, 0))
        at = np.take_along_axis(change, edge[:, None], axis=1)
        suits = near & (at > 0.0) & np.isfinite(at)
        size = np.where(suits, _log(general, least, most), size)
        return np.where(suits & (chosen == 0), _log(peak, 0.03, 30.0) / at, size)

    def _wanted(self, data: Features, value: Values) -> Any:
        """Return what `climb.top` should be for the model to have the values of the data."""
        return _target(self.climb.top, data, value, self.known)


def _target(top: Node, data: Features, value: Values, known: int) -> Any:
    """Return the values that a node should have; None where a free factor makes up for any."""
    path = list(top.path())[::-1]
    target: Any = data.y
    for parent, node in pairwise(path):
        others = node.others()
        free = any(other.parameters & ~known for other in others)
        target = _inverse(parent.function, node.side, target, [] if free else others, value)
        if target is None:
            return None
    return target


def _inverse(
    function: Function | None, side: int, target: Any, others: Sequence[Node], value: Values
) -> Any:
    """Return the argument for which a function has a value; None where nothing can be said."""
    if function in (_PLUS, _MINUS):
        if not others:
            # Another term is free, and may be anything: a constant most of the time.
            target = target - np.fmin.reduce(np.atleast_1d(target), axis=-1, keepdims=True)
            return -target if function is _MINUS and side == 1 else target
        other = value(others[0])
        if function is _PLUS:
            return target - other
        return target + other if side == 0 else other - target
    if function is UNARY["-"]:
        return -target
    if function is UNARY["+"]:
        return target
    if function in _INVERSES:
        return _INVERSES[function](target)
    if function is FUNCTIONS["hypot"] or function in _COMPARED[-2:]:
        return target
    if not others:
        return None
    other = value(others[0])
    if function is _TIMES:
        return target / other
    if function is _OVER:
        return target * other if side == 0 else other / target
    if function is _POWER and side == 0:
        return np.power(target, 1.0 / other)
    if function is _POWER:
        return np.log(target) / np.log(other)
    return None


# ---- which rule for which parameter


def plan(tree: Tree, drawn: Sequence[int], known: int) -> list[Rule]:
    """Return how parameters are drawn, each after those that its rule needs.

    Parameters
    ----------
    tree : Tree
    drawn : sequence of int
        Parameters to be drawn.
    known : int
        Parameters whose values are known, as bits.

    Returns
    -------
    list of Rule

    Examples
    --------
    >>> from lmoo.models.expression.parser import parse
    >>> from lmoo.models.expression.tree import Tree
    >>> steps, names = parse("h/(1 + ((x - m)/w)^2)", ["x"], None)
    >>> from lmoo.models.starts.rules import plan
    >>> [names[rule.parameter] for rule in plan(Tree(steps, 3), [1, 2], 0)]
    ['m', 'w']
    """
    waiting = {j: [rule for leaf in tree.leaves[j] for rule in _rules(j, leaf)] for j in drawn}
    out: list[Rule] = []
    while waiting:
        # Linear parameters are never known before the others are.
        unmet = sum(1 << j for j in waiting)
        ready = [
            rule
            for rules in waiting.values()
            for rule in rules
            if rule.kind < _OPEN and not rule.needs & unmet
        ]
        rule = _best(ready, waiting) if ready else _last_resort(waiting)
        rule.known = known
        phases = [one for one in waiting[rule.parameter] if one.is_phase]
        rule.phase = phases[0] if phases else None
        rule.rank = sum(other.kind == rule.kind for other in out)
        out.append(rule)
        known |= 1 << rule.parameter
        del waiting[rule.parameter]
    return out


def _best(ready: list[Rule], waiting: dict[int, list[Rule]]) -> Rule:
    """Return the rule that says most, of a parameter that does not wait for a better one."""

    def waits(rule: Rule) -> bool:
        return any(one.kind < rule.kind for one in waiting[rule.parameter] if one not in ready)

    # Places that need nothing come first, so that their ranks are those of the peaks.  Of the terms
    # of a chirp, the one whose frequency is constant comes last, and has it from a spectrum.
    return min(
        ready,
        key=lambda rule: (waits(rule), rule.kind, rule.needs != 0, rule.climb.even),
    )


def _last_resort(waiting: dict[int, list[Rule]]) -> Rule:
    """Return a rule where each parameter waits for another one."""
    for kind in (_MATCH, _FREQUENCY, _ARGUMENT, _LEVEL):
        for rules in waiting.values():
            for rule in rules:
                if rule.kind == kind:
                    return rule
    return next(iter(waiting.values()))[-1]


def _rules(j: int, leaf: Node) -> list[Rule]:
    """Return what one leaf of a parameter says of it; the last rule needs nothing."""
    climbs = _climbs(leaf)
    inner = 0
    top = climbs[-1].top
    if top.parent is not None and not top.parent.varies:
        # A function of parameters alone, as exp(k) in exp(k)*x: its value is drawn.
        constant = [node for node in leaf.path() if not node.varies][-1]
        inner = constant.parameters & ~(1 << j)
        climbs = _climbs(constant)
    rules = [Rule(j, kind, leaf, climb, needs | inner) for kind, climb, needs in _said(climbs)]
    if not rules:
        rules.append(_compared(j, leaf, climbs[-1], inner))
    rules.append(Rule(j, _OPEN, leaf, _Climb(leaf, leaf), 0))
    return rules


def _climbs(node: Node) -> list[_Climb]:
    """Return what is known of the values above a node, as far as they are ``A + B p^e``."""
    climbs = [_Climb(node, node)]
    while (above := climbs[-1].up()) is not None:
        climbs.append(above)
    return climbs


def _said(climbs: list[_Climb]) -> Iterator[tuple[int, _Climb, int]]:
    """Yield kinds of rules, the values that they are of, and the parameters that they need."""
    placed = matched = False
    for climb in climbs:
        needs = climb.added_needs | climb.factor_needs
        if climb.added and climb.added_varies and not climb.factor_varies and not placed:
            placed = True
            yield _PLACE, climb, needs
        if climb.added and (climb.factor_varies or not climb.added_varies) and not matched:
            matched = True
            yield _MATCH, climb, needs
    climb = climbs[-1]
    function = climb.function
    needs = climb.added_needs | climb.factor_needs
    if function in PERIODIC:
        if climb.factor_varies:
            yield _FREQUENCY, climb, climb.factor_needs
        else:
            yield _PHASE, climb, needs if climb.scaled else climb.factor_needs
    elif function is _POWER and climb.top.side == 1 and not climb.factor_varies:
        yield _EXPONENT, climb, climb.factor_needs
    elif _is_argument(climb):
        yield _ARGUMENT, climb, climb.factor_needs
    elif not placed and not matched and function not in (*_COMPARED, *_SIZED):
        yield _LEVEL, climb, needs


def _is_argument(climb: _Climb) -> bool:
    """Whether the value is an argument that varies, of a function with a scale of its own."""
    function = climb.function
    no_scale = (*_ARITHMETIC, *_COMPARED, *_SIZED)
    if function is None or not climb.factor_varies or function in no_scale:
        return False
    # What a sum has to be of a size with is added there, unless the function has a scale itself.
    return not (climb.added and function in _SCALE_FREE)


def _compared(j: int, leaf: Node, climb: _Climb, inner: int) -> Rule:
    """Return the rule for a parameter that is compared with something else."""
    needs = climb.added_needs | climb.factor_needs | inner
    for node in climb.top.others():
        needs |= node.parameters
    kind = _MATCH if climb.function in _SIZED or climb.factor_varies else _PLACE
    return _ComparedRule(j, kind, leaf, climb, needs)


class _ComparedRule(Rule):
    """The rule for a parameter in a comparison: the place where both sides are equal."""

    def _numbers(self, value: Values) -> tuple[Any, Any, Any]:
        added, factor, exponent = super()._numbers(value)
        (other,) = self.climb.top.others()
        unknown = other.parameters & ~self.known
        return added - (np.nan if unknown else value(other)), factor, exponent


# ---- numbers


def _split(u: Array, *weights: float) -> tuple[list[Array], Any]:
    """Divide (0, 1) in parts; return the place in each part, and in which part u is."""
    edges = np.concatenate([[0.0], np.cumsum(weights)])
    places = [np.clip((u - low) / (high - low), 0.0, 1.0) for low, high in pairwise(edges)]
    chosen = np.clip(np.searchsorted(edges, u, side="right") - 1, 0, len(weights) - 1)
    return places, chosen


def _log(share: Any, least: Any, most: Any) -> Any:
    """Return a magnitude; equal shares for equal ratios."""
    return least * (most / least) ** share


def _root(power: Any, exponent: Any) -> Any:
    """Return p for which p^exponent is `power`; nan where there is none."""
    e = _narrow(exponent)
    size = np.abs(power) ** (1.0 / e)
    return np.where(power >= 0.0, size, np.where(_odd(exponent), -size, np.nan))


def _signed(size: Any, exponent: Any, sign: Any) -> Any:
    """Return p for which p^exponent has a size, and a sign as far as it can have one."""
    return _root(np.where(_odd(exponent), sign * size, size), exponent)


def _odd(exponent: Any) -> Any:
    """Whether the power has a sign."""
    return np.abs(np.fmod(_narrow(exponent), 2.0)) == 1.0


def _narrow(values: Any) -> Any:
    """Return one value per draw of what may have one per row, that of the last row."""
    array = np.asarray(values)
    if array.ndim == 0:
        return array[()]
    return array[..., -1:] if array.ndim > 1 else array[-1:][None]


def _amid(places: Any) -> Any:
    """Return the value of each draw in the middle of the data."""
    array = np.atleast_2d(places)
    return array[:, [array.shape[1] // 2]]


def _ends(values: Any) -> tuple[Array, Array]:
    """Return the smallest and the largest finite value of each draw."""
    finite = np.isfinite(values)
    low = np.where(finite, values, np.inf).min(axis=1, keepdims=True)
    high = np.where(finite, values, -np.inf).max(axis=1, keepdims=True)
    return low, high


def _range(sizes: Any) -> tuple[Array, Array]:
    """Return a small size and the largest one of each draw; nan where all are zero.

    Not the smallest, which may be an accident: a place that a point of the data hits by rounding.
    """
    kept = np.where((sizes > 0.0) & np.isfinite(sizes), sizes, np.nan)
    ordered = np.sort(kept, axis=1)  # nan last
    count = np.sum(np.isfinite(ordered), axis=1, keepdims=True)
    small = np.minimum(np.where(count > 4, 1 + count // 50, 0), np.maximum(count - 1, 0))
    least = np.take_along_axis(ordered, small, axis=1)
    most = np.take_along_axis(ordered, np.maximum(count - 1, 0), axis=1)
    return least, most


def _nearest_to_zero(factor: Any) -> Array:
    """Return the value of each draw that is nearest to zero."""
    values = np.atleast_2d(factor)
    index = np.argmin(np.where(np.isfinite(values), np.abs(values), np.inf), axis=1)
    return np.take_along_axis(values, index[:, None], axis=1)


def _limit(factor: Any) -> Any:
    """Return the highest angular frequency that the sampling can tell, for each draw."""
    values = np.atleast_2d(factor)
    return np.array([[fastest(row[np.isfinite(row)])] for row in values])
