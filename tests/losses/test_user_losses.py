"""User-defined losses, and the checks of losses and scales."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from drivers import Blocks
from loss_cases import SCALE, START, Array, T, Y, decay, geman_mcclure, residual

import lmoo
from lmoo.losses import Loss


def test_own_loss_is_checked_and_called() -> None:
    loss = Loss(geman_mcclure, tuning=3.0)
    assert loss.name == "geman_mcclure"
    assert repr(loss) == "Loss('geman_mcclure')"
    np.testing.assert_allclose(loss([1.0]), [[0.5], [0.25], [-0.25]])


@pytest.mark.parametrize(
    ("func", "message"),
    [
        (lambda z: (z + 1.0, np.ones_like(z), 0 * z), r"rho\(0\) = 0; it is 1"),
        (lambda z: (0.5 * z, 0.5 + 0 * z, 0 * z), r"rho'\(0\) = 1; it is 0\.5"),
        (lambda z: (z - z**2, 1 - 2 * z, -2 + 0 * z), "no negative values of rho"),
        (lambda z: (np.log1p(z), 1 / (1 + z), 1 / (1 + z)), "row 2 the derivative of row 1"),
        (lambda z: (np.log1p(z), 1 / np.sqrt(1 + z), -0.5 * (1 + z) ** -1.5), "row 1 the deriv"),
        (lambda z: (z, np.ones_like(z)), r"shape \(3, 130\).*returned shape \(2, 130\)"),
        (lambda z: (z / (z > -1), z / z, 0 * z), "finite numbers"),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_what_is_no_loss_is_refused(func: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        lmoo.Solver(loss=func)


@pytest.mark.parametrize("loss", [3.0, None, ["huber"]])
def test_wrong_types_are_refused(loss: Any) -> None:
    with pytest.raises(TypeError, match="loss must be a name, a Loss or a callable"):
        lmoo.Solver(loss=loss)


def test_unknown_names_are_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'huber', 'soft_l1', .*; it is 'hubert'"):
        lmoo.Solver(loss="hubert")


@pytest.mark.parametrize("scale", [0.0, -1.0, np.inf, np.nan, "median"])
def test_wrong_scales_are_refused(scale: Any) -> None:
    with pytest.raises(ValueError, match=r"f_scale must be (a )?positive"):
        lmoo.Solver(loss="huber", f_scale=scale)
    with pytest.raises(ValueError, match=r"f_scale must be (a )?positive"):
        lmoo.Solver(f_scale=scale)


def test_scale_of_an_own_loss_needs_its_tuning() -> None:
    with pytest.raises(ValueError, match=r"or give the loss a tuning constant"):
        lmoo.Solver(loss=geman_mcclure, f_scale="mad")


def test_own_loss_gives_what_the_built_in_one_does() -> None:
    def cauchy(z: Array) -> Any:
        return np.log1p(z), 1 / (1 + z), -1 / (1 + z) ** 2

    problem = lmoo.FunctionProblem(residual)
    built_in = lmoo.Solver(loss="cauchy", f_scale=SCALE).solve(problem, START)
    own = lmoo.Solver(loss=cauchy, f_scale=SCALE).solve(problem, START)
    np.testing.assert_allclose(own.x, built_in.x, rtol=1e-9)
    np.testing.assert_allclose(own.standard_errors, built_in.standard_errors, rtol=1e-6)
    assert own.robust is not None
    assert own.robust.name == "cauchy"


@pytest.mark.parametrize("kind", ["python", "compiled", "blocks"])
def test_exceptions_of_an_own_loss_come_out(kind: str) -> None:
    calls = 0

    def failing(z: Array) -> Any:
        nonlocal calls
        calls += z.size in (7, T.size)
        if calls > 3:
            raise ZeroDivisionError("mine")
        return np.log1p(z), 1 / (1 + z), -1 / (1 + z) ** 2

    problem: Any = lmoo.FunctionProblem(residual)
    if kind == "compiled":
        problem = lmoo.models.Exponential().problem(T, Y)
    elif kind == "blocks":
        problem = Blocks(decay, T, Y)
    solver = lmoo.Solver(loss=failing, f_scale=SCALE)
    with pytest.raises(ZeroDivisionError, match="mine"):
        solver.solve(problem, START)
