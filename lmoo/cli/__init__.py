"""The command line: ``lmoo fit``, ``lmoo nist``, ``lmoo demo``."""

from lmoo.cli.entry import main

__all__ = ["main"]
