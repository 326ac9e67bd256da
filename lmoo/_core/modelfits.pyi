from typing import Any

from lmoo._core.batch import Fleet

class ModelFits(Fleet):
    def __init__(self, *args: Any) -> None: ...
    def run(self, *args: Any) -> None: ...
