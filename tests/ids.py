"""Names of parametrised cases that are the same in each process: tests run in parallel."""

import re
from typing import Any


def stable(value: Any) -> str:
    """Return repr(value) without addresses, and with sets in order."""
    if isinstance(value, set):
        return f"{{{', '.join(sorted(map(repr, value)))}}}"
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))
