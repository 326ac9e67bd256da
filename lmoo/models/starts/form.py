"""The form ``A + B p^e`` of the values between a parameter p and the first function above it.

A and B depend on the data and on other parameters.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from lmoo.models.expression.functions import UNARY, Function
from lmoo.models.expression.tree import Node
from lmoo.models.starts.functions import (
    MINUS,
    OVER,
    PLUS,
    POWER,
    POWERS,
    SIGNS,
    TIMES,
    UNIT_CONVERSIONS,
)


class Coefficients(NamedTuple):
    """A, B and e of ``A + B p^e`` as numbers or as arrays (k, m)."""

    offset: Any
    factor: Any
    exponent: Any


@dataclass(frozen=True)
class PowerForm:
    """A value of the form ``A + B p^e``, without numbers.

    Attributes
    ----------
    leaf : Node
        The node that is p.
    top : Node
        The node whose value is ``A + B p^e``.
    has_offset : bool
        Whether there is an A.
    offset_varies, factor_varies : bool
        Whether A and B depend on variables.
    offset_parameters, factor_parameters : int
        Parameters that A and B depend on, as bits.
    has_factor : bool
        Whether B is anything but 1 or -1.
    plain_factor : bool
        Whether B is constant or a multiple of a variable.
    """

    leaf: Node
    top: Node
    has_offset: bool = False
    offset_varies: bool = False
    factor_varies: bool = False
    offset_parameters: int = 0
    factor_parameters: int = 0
    has_factor: bool = False
    plain_factor: bool = True

    @property
    def function(self) -> Function | None:
        """The function that has the value as an argument; None for the value of the model."""
        return None if self.top.parent is None else self.top.parent.function

    @property
    def parameters(self) -> int:
        """Parameters that A or B depends on, as bits."""
        return self.offset_parameters | self.factor_parameters

    def parent(self) -> "PowerForm | None":
        """Return the form of the parent's value; None if it is not ``A + B p^e``."""
        parent = self.top.parent
        if parent is None:
            return None
        function, siblings = parent.function, self.top.others()
        parameters, varies = 0, False
        for node in siblings:
            parameters |= node.parameters
            varies |= node.varies
        if parameters & self.leaf.parameters:
            return None
        if function in SIGNS:
            return replace(self, top=parent)
        if function in (PLUS, MINUS):
            return replace(
                self,
                top=parent,
                has_offset=True,
                offset_varies=self.offset_varies | varies,
                offset_parameters=self.offset_parameters | parameters,
            )
        if not (self._is_product() or self._is_power(varies)):
            return None
        plain = all(node.function is None for node in siblings if node.varies)
        return replace(
            self,
            top=parent,
            has_factor=True,
            factor_varies=self.factor_varies | varies,
            factor_parameters=self.factor_parameters | parameters,
            plain_factor=self.plain_factor & plain,
            offset_varies=self.offset_varies | (varies and self.has_offset),
            offset_parameters=self.offset_parameters | (parameters if self.has_offset else 0),
        )

    def _is_product(self) -> bool:
        function = self.function
        quotient = function is OVER and self.top.side == 0
        return function is TIMES or function in UNIT_CONVERSIONS or quotient

    def _is_power(self, exponent_varies: bool) -> bool:
        # Reciprocals and powers of a sum have another form.
        if self.has_offset:
            return False
        function = self.function
        power = function is POWER and self.top.side == 0 and not exponent_varies
        return function is OVER or function in POWERS or power


def power_forms(node: Node) -> list[PowerForm]:
    """Return the forms of a node and of the values above it, as far as they are ``A + B p^e``."""
    forms = [PowerForm(node, node)]
    while (above := forms[-1].parent()) is not None:
        forms.append(above)
    return forms


def coefficients(
    form: PowerForm, term: Callable[[Node], Any], factor_of: Callable[[Node], Any]
) -> Coefficients:
    """Return A, B and e as numbers.

    Parameters
    ----------
    form : PowerForm
    term, factor_of : callable
        The value of a node that is added, and of a node that is a factor or an exponent.
    """
    offset: Any = 0.0
    factor: Any = 1.0
    exponent: Any = 1.0
    for node in form.leaf.path():
        if node is form.top or node.parent is None:
            break
        function = node.parent.function
        value = term if function in (PLUS, MINUS) else factor_of
        others = [value(other) for other in node.others()]
        if function is UNARY["-"]:
            offset, factor = -offset, -factor
        elif function is PLUS:
            offset = offset + others[0]
        elif function is MINUS and node.side == 0:
            offset = offset - others[0]
        elif function is MINUS:
            offset, factor = others[0] - offset, -factor
        elif function is TIMES:
            offset, factor = offset * others[0], factor * others[0]
        elif function is OVER and node.side == 0:
            offset, factor = offset / others[0], factor / others[0]
        elif function is OVER:
            factor, exponent = others[0] / factor, -exponent
        elif function is POWER:
            factor, exponent = np.power(factor, others[0]), exponent * others[0]
        elif function in POWERS:
            factor = np.power(factor, POWERS[function])
            exponent = exponent * POWERS[function]
        elif function in UNIT_CONVERSIONS:
            offset, factor = function.value(offset), function.value(factor)
    return Coefficients(offset, factor, exponent)
