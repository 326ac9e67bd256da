"""The implementations of `leastsq` that the tests run on.

A test of what has to be as in scipy takes the fixture `leastsq` and runs on both implementations:
scipy, where it is installed, shows that the test is right.  What lmoo does better on purpose is
tested with `lmoo.leastsq` alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import lmoo


# The fixture is module-scoped so that hypothesis may draw many examples from one of it.
@pytest.fixture(scope="module", params=["lmoo", "scipy"])
def leastsq(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Whoever claims to be leastsq: ours, and the one we are measured by."""
    if request.param == "scipy":
        return pytest.importorskip("scipy.optimize").leastsq
    return lmoo.leastsq


@pytest.fixture
def scipy_leastsq() -> Callable[..., Any]:
    return pytest.importorskip("scipy.optimize").leastsq
