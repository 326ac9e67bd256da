"""The packages of units, each of which a test takes as q."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(params=["Astropy", "Pint"])
def q(request: pytest.FixtureRequest) -> Any:
    # Not at the top: other tests here need no package of units.
    import units_cases

    if request.param == "Pint":
        units_cases.registry()
    return getattr(units_cases, request.param)()
