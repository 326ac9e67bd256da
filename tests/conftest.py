"""Fixtures for several folders of tests."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
# Where Python must not write compiled files beside the sources, they have a folder of their own: to
# compile lmoo and the tests takes a worker 10 seconds, and each program that a test starts one.
if sys.dont_write_bytecode:
    sys.dont_write_bytecode = False
    sys.pycache_prefix = os.environ["PYTHONPYCACHEPREFIX"] = str(HERE.parent / "build" / "pycache")
    # Inherited by the workers and by the programs.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# Assertions of the modules that tests import show their values too.
pytest.register_assert_rewrite(
    *(path.stem for path in HERE.rglob("*.py") if not path.stem.startswith(("test_", "conftest")))
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the slow tests first: at the end no process waits long for another one.

    A process keeps its first tests, so that a cluster is started once and not in each of them.
    """
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_collection_finish() -> None:
    """Take the tests and the imported packages out of garbage collections, which visit them all.

    They are 600,000 objects, which take 0.6 s each time.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let SIGINT raise KeyboardInterrupt, also where the tests run in the background of a shell."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
