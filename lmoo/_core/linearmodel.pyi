"""Linear models as objects."""

from typing import Any

class LinearTable: ...

class PythonLinear(LinearTable):
    def __init__(self, model: Any) -> None: ...
