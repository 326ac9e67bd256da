"""Robust fits of data of any size: squares of residuals over- or underflow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lmoo

T = np.linspace(0.0, 4.0, 30)
NOISE = 0.05 * np.random.default_rng(3).standard_normal(T.size)
NOISE[5] += 1.0


def decay(t: Any, a: Any, b: Any, c: Any) -> Any:
    return a * np.exp(-b * t) + c


Y = decay(T, 3.0, 0.7, 0.5) + NOISE
START = np.array([2.0, 1.0, 0.3])


def whole(solver: lmoo.Solver, y: Any, start: Any) -> Any:
    result = solver.solve(lmoo.CurveProblem(decay, T, y), start)
    return result.x, result.stderr, result.confidence_interval(method="profile").T


def blocks(solver: lmoo.Solver, y: Any, start: Any) -> Any:
    result = solver.solve(lmoo.CurveBlocks(decay, T, y, block_size=7), start)
    return result.x, result.stderr


def joint(solver: lmoo.Solver, y: Any, start: Any) -> Any:
    problem = lmoo.JointProblem([lmoo.CurveProblem(decay, T, y)] * 2, ["b"])
    part = solver.solve(problem, start[[1, 0, 2, 0, 2]]).part(1)
    return part.x, part.stderr


def stack(**options: Any) -> Callable[..., Any]:
    def call(solver: lmoo.Solver, y: Any, start: Any) -> Any:
        fits = lmoo.curve_fit_many(decay, T, np.stack([y, y]), start, solver=solver, **options)
        return fits.x[1], fits.stderr[1], fits[1].stderr

    return call


DRIVERS: dict[str, Callable[..., Any]] = {
    "curve": whole,
    "blocks": blocks,
    "joint": joint,
    "stack": stack(),
    "stack, called": stack(trace=False),
    "stack, shared": stack(shared=["b"]),
}


@pytest.mark.parametrize("size", [1e-200, 1e160])
@pytest.mark.parametrize("loss", ["huber", "cauchy", "soft_l1"])
@pytest.mark.parametrize("name", DRIVERS)
def test_errors_do_not_depend_on_the_unit_of_y(name: str, loss: Any, size: float) -> None:
    found = []
    for k in (1.0, size):
        unit = np.array([k, 1.0, k])
        solver = lmoo.Solver(loss=loss, f_scale=0.05 * k)
        found.append([part / unit for part in DRIVERS[name](solver, Y * k, START * unit)])
    for one, other in zip(*found, strict=True):
        assert np.isfinite(one).all()
        np.testing.assert_allclose(other, one, rtol=1e-5)


@pytest.mark.parametrize("size", [1e-200, 1e160])
def test_an_estimated_scale(size: float) -> None:
    unit = np.array([size, 1.0, size])
    solver = lmoo.Solver(loss="huber", f_scale="mad")
    one = solver.solve(lmoo.CurveProblem(decay, T, Y), START)
    other = solver.solve(lmoo.CurveProblem(decay, T, Y * size), START * unit)
    assert other.f_scale / size == pytest.approx(one.f_scale, rel=1e-6)
    np.testing.assert_allclose(other.stderr / unit, one.stderr, rtol=1e-5)
    np.testing.assert_allclose(other.standardized_residuals, one.standardized_residuals, rtol=1e-5)


@pytest.mark.parametrize("loss", ["huber", "soft_l1", "cauchy", "arctan", "tukey"])
def test_a_scale_far_above_the_residuals(loss: Any) -> None:
    """All points have their full weight: a fit by least squares."""
    size = 1e-200
    unit = np.array([size, 1.0, size])
    result = lmoo.Solver(loss=loss).solve(lmoo.CurveProblem(decay, T, Y * size), START * unit)
    plain = lmoo.Solver().solve(lmoo.CurveProblem(decay, T, Y), START)
    assert result.success
    np.testing.assert_allclose(result.x / unit, plain.x, rtol=1e-6)
    np.testing.assert_allclose(result.stderr / unit, plain.stderr, rtol=1e-5)


def test_a_scale_far_below_the_residuals() -> None:
    """Sums of magnitudes are minimised; a fit may end without success at one of their kinks."""
    least = 2.10406
    for size in (1e100, 1e160):
        unit = np.array([size, 1.0, size])
        start = np.array([2.9, 0.75, 0.56])
        found = [
            lmoo.Solver(loss=loss).solve(lmoo.CurveProblem(decay, T, Y * size), start * unit)
            for loss in ("huber", "soft_l1")
        ]
        for result in found:
            np.testing.assert_allclose(result.cost / size, least, rtol=2.5e-4)
