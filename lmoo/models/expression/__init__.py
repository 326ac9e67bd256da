"""Models written as text, such as ``a*exp(-b*t) + c``: parsed, evaluated, differentiated.

The text is never executed by Python: `tokens` and `parser` read it, and it can call only the
functions in `functions`.
"""

from lmoo.models.expression.errors import ExpressionError
from lmoo.models.expression.model import Expression

__all__ = ["Expression", "ExpressionError"]
