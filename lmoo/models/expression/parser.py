"""Conversion of tokens to a tree, by precedence climbing.

The tree is a list of steps in postfix order, so that neither its evaluation nor its derivatives
need recursion.
"""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lmoo.models.expression.errors import ExpressionError
from lmoo.models.expression.functions import BINARY, CONSTANTS, FUNCTIONS, UNARY, Function
from lmoo.models.expression.tokens import Token, tokens

# Largest depth of parentheses, calls, signs and powers; far below Python's limit of recursion.
DEEPEST = 100

_COMPARISON, _SIGN, _POWER = 1, 4, 5
_BINDING = {
    **dict.fromkeys(("<", "<=", ">", ">=", "==", "!="), _COMPARISON),
    **dict.fromkeys("+-", 2),
    **dict.fromkeys("*/", 3),
    **dict.fromkeys(("**", "^"), _POWER),
}


@dataclass(frozen=True)
class Constant:
    """Push a number."""

    value: np.float64


@dataclass(frozen=True)
class Variable:
    """Push an independent variable."""

    index: int


@dataclass(frozen=True)
class Parameter:
    """Push a parameter."""

    index: int


@dataclass(frozen=True)
class Apply:
    """Replace the last `function.arity` values by the function's value."""

    function: Function


Step = Constant | Variable | Parameter | Apply


def parse(
    text: str, variables: Sequence[str], parameters: Sequence[str] | None
) -> tuple[tuple[Step, ...], tuple[str, ...]]:
    """Parse an expression.

    Parameters
    ----------
    text : str
    variables : sequence of str
        Names of the independent variables.
    parameters : sequence of str or None
        Names of the parameters in their order; None takes every name that is neither a variable
        nor a constant, by first appearance.

    Returns
    -------
    steps : tuple of Step
        The tree in postfix order.
    parameters : tuple of str

    Raises
    ------
    ExpressionError
        The text is invalid; the message marks a character.
    """
    parser = _Parser(text, variables, parameters)
    parser.parse()
    return tuple(parser.steps), tuple(parser.parameters)


class _Parser:
    """The current token, and the steps so far."""

    def __init__(
        self, text: str, variables: Sequence[str], parameters: Sequence[str] | None
    ) -> None:
        self.text = text
        self.tokens = tokens(text, any("[" in name for name in parameters or ()))
        self.token = next(self.tokens)
        self.steps: list[Step] = []
        self.depth = 0
        self.variables = {name: index for index, name in enumerate(variables)}
        self.collects_names = parameters is None
        self.parameters = {name: index for index, name in enumerate(parameters or ())}

    def parse(self) -> None:
        """Parse the text to its end."""
        if not self.token.text:
            raise self.error(self.token, "the expression is empty")
        self.expression(0)
        if self.token.text:
            raise self.unexpected("an operator")

    def advance(self) -> Token:
        """Return the current token and go to the next one."""
        token = self.token
        if token.kind != "end":
            self.token = next(self.tokens)
        return token

    def expression(self, binding: int) -> None:
        """Parse operators with a precedence above `binding`, and their operands."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.error(self.token, f"nested more than {DEEPEST} deep")
        self.operand()
        while _BINDING.get(self.token.text, 0) > binding:
            self.operation(self.advance())
        self.depth -= 1

    def operation(self, token: Token) -> None:
        """Parse the right operand of a binary operator."""
        binding = _BINDING[token.text]
        # Powers are evaluated from right to left: a**b**c is a**(b**c).
        self.expression(binding - 1 if binding == _POWER else binding)
        self.steps.append(Apply(BINARY[token.text]))
        if binding == _COMPARISON == _BINDING.get(self.token.text):
            raise self.error(self.token, "comparisons cannot be chained", "write (a < t) * (t < b)")

    def operand(self) -> None:
        """Parse a number, a name, a call or parentheses, or one of these with a sign."""
        token = self.advance()
        if token.kind == "number":
            self.number(token)
        elif token.kind == "name":
            self.call(token) if self.token.text == "(" else self.name(token)
        elif token.text in UNARY:
            self.expression(_SIGN)
            self.steps.append(Apply(UNARY[token.text]))
        elif token.text == "(":
            self.expression(0)
            self.closing(token)
        else:
            found = "the end" if token.kind == "end" else repr(token.text)
            raise self.error(token, f"expected a number, a name or '(', found {found}")

    def number(self, token: Token) -> None:
        """Append a number, in double precision."""
        value = np.float64(token.text)
        if not np.isfinite(value):
            raise self.error(token, "a number too large for double precision")
        self.steps.append(Constant(value))

    def name(self, token: Token) -> None:
        """Append a variable, a parameter or a constant, in this order of precedence."""
        name = token.text
        if name in self.variables:
            self.steps.append(Variable(self.variables[name]))
        elif name in self.parameters:
            self.steps.append(Parameter(self.parameters[name]))
        elif name in CONSTANTS:
            self.steps.append(Constant(CONSTANTS[name]))
        elif self.collects_names:
            self.parameters[name] = len(self.parameters)
            self.steps.append(Parameter(self.parameters[name]))
        else:
            known = [*self.variables, *self.parameters, *CONSTANTS]
            raise self.error(token, f"unknown name {name!r}", f"known are {', '.join(known)}")

    def call(self, token: Token) -> None:
        """Parse a call of a function."""
        function = FUNCTIONS.get(token.text)
        if function is None:
            raise self.error(token, f"unknown function {token.text!r}", self.suggestion(token))
        opening = self.advance()
        count = 0
        while self.token.text != ")" or count == 0:
            self.expression(0)
            count += 1
            if function.variadic and count > function.arity:
                self.steps.append(Apply(function))
            if self.token.text != ",":
                break
            self.advance()
        self.closing(opening)
        if count < function.arity or (count > function.arity and not function.variadic):
            more = " or more" if function.variadic else ""
            raise self.error(
                token, f"{token.text} takes {function.arity}{more} arguments, found {count}"
            )
        self.steps.append(Apply(function))

    def suggestion(self, token: Token) -> str:
        """Return a hint for an unknown function."""
        close = difflib.get_close_matches(token.text, FUNCTIONS, n=1)
        if close:
            return f"did you mean {close[0]!r}?"
        known = token.text in self.variables or token.text in self.parameters
        return f"to multiply, write {token.text}*(...)" if known or len(token.text) == 1 else ""

    def closing(self, opening: Token) -> None:
        """Parse the parenthesis that closes `opening`."""
        if self.token.text == ")":
            self.advance()
        elif self.token.kind == "end":
            raise self.error(opening, "'(' is not closed")
        else:
            raise self.unexpected("an operator or ')'")

    def unexpected(self, expected: str) -> ExpressionError:
        """Return the error for a token that is not what was expected."""
        found = self.token
        before = self.text[: found.place][-1:]
        imaginary = found.text in ("i", "j") and (before.isdigit() or before == ".")
        hint = "expressions are real: write a complex model as a function" if imaginary else ""
        return self.error(found, f"expected {expected}, found {found.text!r}", hint)

    def error(self, token: Token, reason: str, hint: str = "") -> ExpressionError:
        """Return the error that marks a token."""
        return ExpressionError(self.text, token.place, reason, hint)
