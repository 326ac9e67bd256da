"""The error for an invalid expression, which marks a character."""

# Number of characters of a long expression that are shown on each side of the marked one.
_BEFORE, _AFTER = 50, 25


class ExpressionError(ValueError):
    """Error in an expression: its syntax, an unknown name, or a name that is not allowed.

    Parameters
    ----------
    text : str
        The expression.
    place : int
        Index of the character that is marked.
    reason : str
        The error, on one line.

    Examples
    --------
    >>> import lmoo
    >>> try:
    ...     lmoo.Expression("a*exq(-b*t)")
    ... except lmoo.ExpressionError as error:
    ...     print(error)
    unknown function 'exq', at character 3 of the expression; did you mean 'exp'?
      a*exq(-b*t)
        ^
    """

    def __init__(self, text: str, place: int, reason: str, hint: str = "") -> None:
        super().__init__(text, place, reason, hint)
        self.text, self.place, self.reason, self.hint = text, place, reason, hint

    def __str__(self) -> str:
        start = max(0, self.place - _BEFORE)
        end = self.place + _AFTER
        before = ("..." if start else "") + shown(self.text[start : self.place])
        after = shown(self.text[self.place : end]) + ("..." if end < len(self.text) else "")
        hint = f"; {self.hint}" if self.hint else ""
        return (
            f"{self.reason}, at character {self.place + 1} of the expression{hint}\n"
            f"  {before}{after}\n"
            f"  {' ' * len(before)}^"
        )


def shown(text: str) -> str:
    """Return the text on one line, with a blank for each character that cannot be printed."""
    return "".join(char if char.isprintable() else " " for char in text)
