"""Models written as text, such as ``a*exp(-b*t) + c``: parsed, evaluated, differentiated.

The text is never handed to Python: `tokens` and `parser` read it, `functions` holds all that it
can call.
"""

from lmoo.models.expression.errors import ExpressionError
from lmoo.models.expression.model import Expression

__all__ = ["Expression", "ExpressionError"]
