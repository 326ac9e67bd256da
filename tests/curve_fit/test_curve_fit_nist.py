"""`curve_fit` on the problems of NIST."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lmoo import curve_fit
from lmoo.datasets import nist, nist_names


def digits(value: np.ndarray, certified: np.ndarray) -> float:
    error = float(np.max(np.abs(value - certified) / np.abs(certified)))
    return 11.0 if error == 0.0 else min(11.0, -float(np.log10(error)))


def nist_fit(name: str, analytic: bool) -> tuple[float, float]:
    """Return the digits of parameters and of their standard errors, from the near start."""
    data = nist(name)

    def f(x: Any, *p: float) -> Any:
        return data.residual(np.array(p)) + data.y

    def jac(x: Any, *p: float) -> Any:
        return data.jacobian(np.array(p))

    popt, pcov = curve_fit(f, data.x, data.y, data.starts[1], jac=jac if analytic else None)
    return digits(popt, data.certified), digits(np.sqrt(np.diag(pcov)), data.standard_errors)


@pytest.mark.parametrize("analytic", [False, True], ids=["differences", "jac"])
def test_nist(analytic: bool) -> None:
    found = {name: nist_fit(name, analytic) for name in nist_names()}
    assert len(found) == 27
    assert not [name for name, (parameters, _) in found.items() if parameters < 6.0], found
    # The residual of Lanczos1, an exact fit, is the rounding of its data, and so are its errors.
    short = {name: errors for name, (_, errors) in found.items() if errors < 6.0}
    assert len(short) <= 2, short
