"""Garbage collections of these tests look at the objects of these tests alone."""

from __future__ import annotations

import gc

import pytest


@pytest.fixture(scope="module", autouse=True)
def frozen_heap() -> None:
    """Take the objects of all other tests out of the collections, each of which visits them all.

    Not undone: objects that are frozen since the collection of the tests would come back too.
    """
    gc.collect()
    gc.freeze()
