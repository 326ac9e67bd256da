"""`least_squares` compared with scipy: fewer residuals than variables, MGH, NIST."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.optimize
from least_squares_cases import START, TIGHT, Array, rosenbrock
from problems import CASES
from scipy.optimize import OptimizeResult

import lmoo
from lmoo import least_squares


@pytest.mark.parametrize("method", ["trf", "dogbox"])
def test_fewer_residuals_than_variables(method: str) -> None:
    def fun(x: Array) -> Array:
        return np.array([x[0] * x[1] - 2.0, x[1] + x[2] - 3.0])

    for bounds in ((-np.inf, np.inf), (0.5, 4.0)):
        result = least_squares(fun, [1.0, 1.0, 1.0], bounds=bounds, method=method)
        assert result.success
        assert result.cost < 1e-15
        assert result.jac.shape == (2, 3)


SOLVED = [case for case in CASES if case.problem.residual(case.start()).size >= case.start().size]


@pytest.mark.parametrize("case", SOLVED, ids=str)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_mores_problems(case: Any) -> None:
    """At least scipy's cost from the same start, and its point where that is one."""
    x0 = np.asarray(case.start(), dtype=float)
    options: dict[str, Any] = {**TIGHT, "max_nfev": 2000}
    ours = least_squares(case.problem.residual, x0, case.problem.jacobian, **options)
    theirs = scipy.optimize.least_squares(
        case.problem.residual, x0, case.problem.jacobian, x_scale="jac", **options
    )
    size = 0.5 * float(np.sum(np.square(case.problem.residual(x0))))
    if not theirs.success or theirs.cost > ours.cost * (1 + 1e-6) + 1e-14 * size:
        return
    assert ours.cost <= theirs.cost * (1 + 1e-6) + 1e-14 * size
    smallest = np.linalg.svd(theirs.jac, compute_uv=False)
    # Several solve equations exactly.
    unique = theirs.cost > 1e-12 * size
    if unique and smallest[-1] > 1e-4 * smallest[0] and theirs.optimality < 1e-8:
        np.testing.assert_allclose(ours.x, theirs.x, rtol=1e-5, atol=1e-5)


NAMES = ("Misra1a", "Chwirut2", "DanWood", "Gauss1", "Kirby2", "Rat42", "ENSO", "Thurber", "Hahn1")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("loss", ["linear", "huber", "soft_l1", "cauchy", "arctan"])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_nist(name: str, loss: str) -> None:
    """scipy's solutions to 8 digits, or as many as a cost that is rounded can tell."""
    data = lmoo.datasets.nist(name)
    x0 = np.asarray(data.starts[1], dtype=float)
    plain = lmoo.Solver().solve(data, x0)
    options: dict[str, Any] = {"loss": loss, "f_scale": float(1.5 * plain.residual_deviation)}
    if loss in ("cauchy", "arctan"):
        # They have several minima.
        x0 = plain.x
    ours = least_squares(data.residual, x0, data.jacobian, **options, **TIGHT)
    theirs = scipy.optimize.least_squares(
        data.residual, x0, data.jacobian, x_scale="jac", max_nfev=1000, **options, **TIGHT
    )
    assert ours.success
    assert ours.cost <= theirs.cost * (1 + 1e-12)
    # Where reductions of 1e-14 end a solve, x is as far as this from the minimum.
    errors = lmoo.Solver(**options).solve(data, ours.x).standard_errors
    unsure = 3.0 * np.sqrt(1e-14 * ours.fun.size) * errors
    same = np.abs(ours.x - theirs.x) <= 1e-8 * np.abs(theirs.x) + unsure
    # Gauss-Newton steps that contract slowly end farther from it: then ours is the nearer one.
    size = np.linalg.norm(theirs.jac, axis=0)
    slopes = [np.linalg.norm(found.grad / size) for found in (ours, theirs)]
    assert same.all() or ours.cost < theirs.cost * (1 - 1e-8) or 10.0 * slopes[0] < slopes[1]


def test_it_can_take_the_place_of_scipys_type() -> None:
    """Programs that read a result as a dict or by attributes work with either."""
    ours, theirs = least_squares(rosenbrock, START), OptimizeResult(a=1)
    assert isinstance(ours, dict)
    assert isinstance(theirs, dict)
    assert ours.get("nothing", 3) == 3
