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


def test_stacks() -> None:
    """Each curve needs enough points for itself; curves with shared parameters do not."""
    y = np.stack([Y, Y])
    with pytest.raises(ValueError, match="at least as many points as there are parameters, 3"):
        lmoo.curve_fit_many(decay, T, y, START)
    wide = np.stack([[*Y, np.nan, np.nan], decay(np.arange(4.0), 1, 1, 0.2)])
    fits = lmoo.curve_fit_many(decay, np.arange(4.0), wide, START, nan_policy="omit")
    assert fits.status.tolist() == [lmoo.Status.IMPROPER_INPUT, fits.status[1]]
    assert np.isnan(fits.x[0]).all()
    assert np.isnan(fits.stderr[0]).all()
    shared = lmoo.curve_fit_many(decay, T, y, START, shared=["b"])
    assert shared.success.all()
    assert shared.degrees_of_freedom == 0
    assert np.isinf(shared.stderr).all()
    assert np.isinf(np.diagonal(shared.covariance, axis1=1, axis2=2)).all()
