"""Solutions at bounds, and the bounds that hold them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from bound_cases import INF, JACOBIAN, NAMES, START, STEP, Decay, T, WithJacobian, Y, decay, solved

from lmoo import FunctionProblem, Solver, Status

# ==================================================================== a solution at a bound


@pytest.mark.parametrize("problem", [Decay, WithJacobian])
@pytest.mark.parametrize(
    ("bounds", "value", "side"),
    [({"offset": (None, 0.1)}, 0.1, 1), ({"offset": (None, 0.2), "rate": (0, 9)}, 0.2, 1)],
)
def test_a_solution_at_a_bound(bounds: Any, value: float, side: int, problem: Any) -> None:
    result = solved(bounds, problem=problem())
    assert result.success
    assert result.x[2] == value
    assert result.active_mask.tolist() == [0, 0, side]
    assert result.active_mask.dtype == np.int8
    assert "with offset at its upper bound" in result.message
    assert "offset" in str(result)
    # The multiplier: more of the offset would lower the cost.
    assert result.gradient[2] * side < 0.0
    # At x, where no Jacobian was evaluated any more.
    np.testing.assert_allclose((result.jacobian().T @ result.residual)[:2], 0.0, atol=1e-7)
    # The others are those of a fit without.
    alone = Solver().solve(
        FunctionProblem(
            lambda x: decay(T, *x, value) - Y,
            lambda x: WithJacobian().jacobian(np.array([*x, value]))[:, :2],
        ),
        START[:2],
    )
    np.testing.assert_allclose(result.x[:2], alone.x, rtol=1e-8)
    assert result.stderr[2] == 0.0
    assert result.degrees_of_freedom == T.size - 3
    assert alone.degrees_of_freedom == T.size - 2
    # That of the last Jacobian, which belongs to the point before the last step.
    np.testing.assert_allclose(
        result.covariance(scaled=False)[:2, :2], alone.covariance(scaled=False), rtol=1e-6
    )
    assert (result.covariance()[2] == 0.0).all()
    assert (result.covariance()[:, 2] == 0.0).all()
    np.testing.assert_allclose(
        result.stderr[:2] * np.sqrt((T.size - 3) / (T.size - 2)), alone.stderr, rtol=1e-6
    )
    assert result.undetermined == ()
    assert result.rank == 2


def test_lower_bounds_mirror_upper_ones() -> None:
    up = solved({"offset": (None, 0.1)})
    mirrored = FunctionProblem(
        lambda x: decay(T, x[0], x[1], -x[2]) - Y, parameter_names=NAMES,
        jacobian=lambda x: WithJacobian().jacobian(x) * [1.0, 1.0, -1.0],
        bounds={"offset": (-0.1, None)},
    )  # fmt: skip
    down = Solver().solve(mirrored, START)
    assert down.active_mask.tolist() == [0, 0, -1]
    assert "with offset at its lower bound" in down.message
    assert down.gradient[2] > 0.0
    assert down.x.tolist() == [up.x[0], up.x[1], -up.x[2]]
    assert (down.nfev, down.status) == (up.nfev, up.status)


def test_all_at_bounds() -> None:
    result = solved(([0.9, 0.9, -0.1], [1.5, 1.2, 0.1]))
    assert result.x.tolist() == [1.5, 0.9, 0.1]
    assert result.active_mask.tolist() == [1, -1, 1]
    assert result.success
    assert (result.stderr == 0.0).all()
    assert "amplitude at its upper bound, rate at its lower bound, offset at its upper bound" in (
        result.message
    )


def test_a_failure_names_no_bounds() -> None:
    result = solved({"offset": (None, 0.1)}, maxfev=5)
    assert result.status is Status.MAXFEV
    assert "bound" not in result.message


# ============================================================ bounds that hold the solution


@pytest.mark.parametrize(
    "bounds", [(-10, 10), ([0, 0, -1], [5, 5, 5]), {"rate": (0.5, None)}, (-INF, INF), {}], ids=repr
)
@STEP
@JACOBIAN
def test_bounds_far_away_change_nothing(jacobian: Any, step: Any, bounds: Any) -> None:
    free = solved(jacobian=jacobian, step=step)
    bounded = solved(bounds, jacobian=jacobian, step=step)
    assert bounded.x.tolist() == free.x.tolist()
    assert (bounded.nfev, bounded.njev, bounded.status) == (free.nfev, free.njev, free.status)
    assert bounded.message == free.message
    np.testing.assert_allclose(bounded.covariance(), free.covariance(), rtol=1e-14)
    np.testing.assert_allclose(bounded.gradient, free.gradient, atol=1e-14)
    assert not bounded.active_mask.any()


@JACOBIAN
def test_bounds_near_the_solution_cost_little(jacobian: Any) -> None:
    free = solved(jacobian=jacobian)
    bounded = solved(([0.9, 0.9, -0.1], [2.0, 1.5, 0.4]), jacobian=jacobian)
    np.testing.assert_allclose(bounded.x, free.x, rtol=1e-8)
    assert bounded.nfev <= 1.3 * free.nfev
    assert not bounded.active_mask.any()
