"""Fewer residuals than parameters: a minimum, no degrees of freedom, infinite errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lmoo

T = np.array([0.0, 1.0])
Y = np.array([1.0, 0.5])
START = [1.0, 1.0, 0.1]


def decay(t: Any, a: Any, b: Any, c: Any) -> Any:
    return a * np.exp(-b * t) + c


def residual(x: Any) -> Any:
    return decay(T, *x) - Y


def joint() -> Any:
    return lmoo.JointProblem(
        [lmoo.CurveProblem(decay, T, Y), lmoo.CurveProblem(decay, [1], [1])], ["b"]
    )


PROBLEMS: dict[str, Callable[[], Any]] = {
    "Problem": lambda: lmoo.FunctionProblem(residual),
    "CurveProblem, called": lambda: lmoo.CurveProblem(decay, T, Y, trace=False),
    "CurveProblem, traced": lambda: lmoo.CurveProblem(decay, T, Y),
    "built-in model": lambda: lmoo.models.Exponential().problem(T, Y),
    "CurveBlocks": lambda: lmoo.CurveBlocks(decay, T, Y, block_size=1),
    "JointProblem": joint,
    "errors in x": lambda: lmoo.CurveProblem(decay, T, Y, 0.1, sigma_x=0.1),
    "errors in x, called": lambda: lmoo.CurveProblem(decay, T, Y, 0.1, sigma_x=0.1, trace=False),
}


@pytest.mark.parametrize("options", [{}, {"bounds": (0, 5)}, {"step": lmoo.Nielsen()}])
@pytest.mark.parametrize("name", PROBLEMS)
def test_a_solver_finds_a_minimum_and_no_errors(name: str, options: dict[str, Any]) -> None:
    problem = PROBLEMS[name]()
    start = START if name != "JointProblem" else [1.0, 1.0, 0.1, 1.0, 0.1]
    result = lmoo.Solver(**options).solve(problem, start)
    assert result.success
    assert result.cost < 1e-16
    assert result.degrees_of_freedom <= 0
    assert result.rank < len(start)
    assert np.isinf(result.residual_deviation)
    free = ~result.fixed_or_active
    assert np.isinf(result.standard_errors[free]).all()
    assert np.isinf(np.diag(result.covariance())[free]).all()
    # Without the scatter the errors of what is determined are known.
    known = result.covariance(scaled=False)
    names = [n for n, d in zip(result.parameter_names, np.diag(known), strict=True) if np.isinf(d)]
    assert list(result.undetermined) == names
    assert len(names) >= 2
    assert f"the data do not determine {', '.join(names)}" in result.report()
    assert np.isnan(result.reduced_chi_square) or np.isinf(result.reduced_chi_square)


@pytest.mark.parametrize(
    "options",
    [{"fixed": {"c": 0.1}}, {"ties": {"c": "a/10"}}, {"constraints": ["a + 2*c == 1.1"]}],
)
def test_fewer_free_parameters_are_determined(options: dict[str, Any]) -> None:
    """As many points as free parameters: an exact fit without degrees of freedom."""
    for trace in ("auto", False):
        problem = lmoo.CurveProblem(decay, T, Y, trace=trace)
        result = lmoo.Solver(**options).solve(problem, [0.9, 1.0, 0.1])
        assert result.success
        assert result.degrees_of_freedom == 0
        assert result.undetermined == ()
        assert np.isfinite(result.covariance(scaled=False)).all()


def test_a_prior_determines_what_the_data_do_not() -> None:
    result = lmoo.Solver(priors={"c": (0.1, 0.2)}).solve(lmoo.CurveProblem(decay, T, Y, 0.1), START)
    assert result.undetermined == ()
    # The prior alone determines c, and neither counts.
    assert result.degrees_of_freedom == 0
    assert np.sqrt(result.covariance(scaled=False)[2, 2]) == pytest.approx(0.2)


def test_functions_of_scipy() -> None:
    """As scipy: "lm" refuses, the other methods warn that the errors are unknown."""
    with pytest.raises(TypeError, match="must not exceed the number of data points=2"):
        lmoo.curve_fit(decay, T, Y, START)
    with pytest.raises(TypeError, match="must not exceed"):
        lmoo.curve_fit(lmoo.models.Exponential(), T, Y, START, method="lm")
    for options in ({"method": "trf"}, {"bounds": (0, 5)}, {"method": "dogbox"}):
        for f in (decay, lmoo.models.Exponential()):
            with pytest.warns(lmoo.OptimizeWarning, match="could not be estimated"):
                popt, pcov = lmoo.curve_fit(f, T, Y, START, **options)
            np.testing.assert_allclose(decay(T, *popt), Y, atol=1e-8)
            assert np.isinf(pcov).all()
    with pytest.warns(lmoo.OptimizeWarning, match="could not be estimated"):
        popt, _ = lmoo.curve_fit(decay, T[:1], Y[:1], START, fixed=["b", "c"])
    assert popt[0] == pytest.approx(0.9)
    found = lmoo.least_squares(residual, START)
    assert found.cost < 1e-16
    with pytest.raises(ValueError, match="as many residuals as variables"):
        lmoo.least_squares(residual, START, method="lm")
    with pytest.raises(TypeError, match="exceeds its output vector length"):
        lmoo.leastsq(residual, START)


def slopes(t: Any, a: Any, b: Any, c: Any) -> Any:
    return np.exp(-b * t), -a * t * np.exp(-b * t), np.ones_like(t * b)


STACKS: dict[str, dict[str, Any]] = {
    "traced": {},
    "called": {"trace": False},
    "curve by curve": {"vectorized": False},
    "derivatives": {"jac": slopes},
    "built-in model": {"f": lmoo.models.Exponential()},
    "separable": {"solver": lmoo.Solver(separable="auto")},
    "loss": {"solver": lmoo.Solver(loss="huber")},
    "bounds": {"bounds": (0, 5)},
}


@pytest.mark.parametrize("name", STACKS)
def test_curves_of_a_stack(name: str) -> None:
    """As with `Solver`: each finds a minimum and has no errors; without points it is flagged."""
    options = {"f": decay, **STACKS[name]}
    fits = lmoo.curve_fit_many(t=T, y=np.stack([Y, 2 * Y]), p0=START, **options)
    assert fits.success.all()
    assert fits.x.shape == (2, 3)
    assert (fits.cost < 1e-16).all()
    assert not np.isfinite(fits.stderr).any()
    assert (fits.observations == 2).all()
    one = fits[1]
    assert one.success
    assert np.isinf(one.stderr).all()
    np.testing.assert_array_equal(one.x, fits.x[1])
    # Points that are missing, and a curve without any.
    t = np.arange(4.0)
    wide = np.stack([[*Y, np.nan, np.nan], decay(t, 1, 1, 0.2), np.full(4, np.nan)])
    fits = lmoo.curve_fit_many(t=t, y=wide, p0=START, nan_policy="omit", **options)
    assert fits.success.tolist() == [True, True, False]
    assert np.isinf(fits.stderr[0]).all()
    assert fits.cost[0] < 1e-16
    assert fits.status[2] == lmoo.Status.IMPROPER_INPUT
    assert np.isnan(fits.x[2]).all()


@pytest.mark.parametrize("trace", ["auto", False])
def test_fewer_free_parameters_of_a_stack_are_determined(trace: Any) -> None:
    y = np.stack([Y, 2 * Y])
    fits = lmoo.curve_fit_many(
        decay, T, y, [0.9, 1.0, 0.1], sigma=0.1, fixed=["c"], absolute_sigma=True, trace=trace
    )
    assert np.isfinite(fits.stderr).all()
    problem = lmoo.CurveProblem(decay, T, y[1], 0.1, absolute_sigma=True)
    alone = lmoo.Solver(fixed=["c"]).solve(problem, [0.9, 1.0, 0.1])
    np.testing.assert_allclose(fits.stderr[1], alone.stderr, rtol=1e-6)


def test_problems_of_a_stack() -> None:
    class Decays(lmoo.BatchProblem):
        def residual(self, x: Any, which: Any) -> Any:
            return decay(T, *x.T[:, :, None]) - Y

    fits = lmoo.solve_many(Decays(), np.tile(START, (3, 1)))
    assert fits.success.all()
    assert (fits.cost < 1e-16).all()
    assert np.isinf(fits.stderr).all()


def test_stacks_with_shared_parameters() -> None:
    y = np.stack([Y, Y])
    shared = lmoo.curve_fit_many(decay, T, y, START, shared=["b"])
    assert shared.success.all()
    assert shared.degrees_of_freedom == 0
    assert np.isinf(shared.stderr).all()
    assert np.isinf(np.diagonal(shared.covariance, axis1=1, axis2=2)).all()
