"""Fixtures for several folders of tests."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
# Assertions of the modules that tests import show their values too.
pytest.register_assert_rewrite(
    *(path.stem for path in HERE.rglob("*.py") if not path.stem.startswith(("test_", "conftest")))
)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let SIGINT raise KeyboardInterrupt, also where the tests run in the background of a shell."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
