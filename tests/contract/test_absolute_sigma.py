"""`absolute_sigma` is said once, with the data: all errors of the result follow it."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from case_tables import each
from feature_cases import START, T, model

import lmoo

Array = np.ndarray
SIGMA = np.where(T < 2.0, 0.02, 0.05)
Y = model(T, 2.5, 1.3, 0.5) + 3.0 * SIGMA * np.random.default_rng(7).standard_normal(T.size)


class Weighted(lmoo.Problem):
    """A problem whose residuals are divided by known standard deviations, or not."""

    parameter_names = ("a", "b", "c")

    def __init__(self, absolute: bool | None) -> None:
        self.absolute_sigma = absolute

    def residual(self, x: Array) -> Array:
        return np.asarray((model(T, *x) - Y) / SIGMA)


class Stack(lmoo.BatchProblem):
    """Two such problems."""

    def __init__(self, absolute: bool | None) -> None:
        self.absolute_sigma = absolute

    def residual(self, x: Array, which: Array) -> Array:
        return np.asarray((model(T, *x.T[:, :, None]) - Y) / SIGMA)


def solved(problem: Any, start: Any = START, **options: Any) -> lmoo.Result:
    return lmoo.Solver(**options).solve(problem, start)


def stack(absolute: bool | None, f: Any = model, **options: Any) -> lmoo.Result:
    fits = lmoo.curve_fit_many(
        f, T, np.stack([Y, Y]), START, sigma=SIGMA, absolute_sigma=absolute, **options
    )
    result: lmoo.Result = fits[1]
    # The arrays of a stack are the results of its fits.
    np.testing.assert_allclose(fits.stderr[1], result.stderr, rtol=1e-9)
    np.testing.assert_allclose(fits.covariance[1], result.covariance(), rtol=1e-9)
    assert fits.absolute_sigma is bool(absolute)
    return result


def joint(absolute: bool | None) -> lmoo.Result:
    """Two curves without anything in common but their scale."""
    other = lmoo.CurveProblem(lambda t, d: d + 0.0 * t, T[:1], [1.0], 1.0, absolute_sigma=absolute)
    part = lmoo.CurveProblem(model, T, Y, SIGMA, absolute_sigma=absolute)
    problem = lmoo.JointProblem([part, other], shared={"b": ["b", None]})
    return solved(problem, {"b": 1.0, "a": 2.0, "c": 0.4, "d": 1.0}).part(0)


def many_problems(absolute: bool | None) -> lmoo.Result:
    found: lmoo.Result = lmoo.solve_many(Stack(absolute), [START, START])[0]
    return found


DRIVERS: dict[str, Callable[[bool | None], lmoo.Result]] = {
    "Problem": lambda flag: solved(Weighted(flag)),
    "CurveProblem, called": lambda flag: solved(
        lmoo.CurveProblem(model, T, Y, SIGMA, trace=False, absolute_sigma=flag)
    ),
    "CurveProblem, traced": lambda flag: solved(
        lmoo.CurveProblem(model, T, Y, SIGMA, absolute_sigma=flag)
    ),
    "covariance matrix": lambda flag: solved(
        lmoo.CurveProblem(model, T, Y, np.diag(SIGMA**2), absolute_sigma=flag)
    ),
    "built-in model": lambda flag: solved(
        lmoo.models.Exponential().problem(T, Y, SIGMA, absolute_sigma=flag)
    ),
    "CurveBlocks": lambda flag: solved(
        lmoo.CurveBlocks(model, T, Y, block_size=7, sigma=SIGMA, absolute_sigma=flag)
    ),
    "fit, text": lambda flag: lmoo.fit("a*exp(-b*t) + c", T, Y, sigma=SIGMA, absolute_sigma=flag),
    "fit, function": lambda flag: lmoo.fit(model, T, Y, START, SIGMA, absolute_sigma=flag),
    "fit, model": lambda flag: lmoo.fit(
        lmoo.models.Exponential(), T, Y, sigma=SIGMA, absolute_sigma=flag
    ),
    "curve_fit_many, called": lambda flag: stack(flag, trace=False),
    "curve_fit_many, traced": stack,
    "curve_fit_many, built-in": lambda flag: stack(flag, lmoo.models.Exponential()),
    "solve_many": many_problems,
    "JointProblem": joint,
    "errors in x": lambda flag: solved(
        lmoo.CurveProblem(model, T, Y, SIGMA, sigma_x=1e-7, absolute_sigma=flag)
    ),
    "derived": lambda flag: solved(Weighted(flag), derived={"tau": "1/b"}),
    "stored": lambda flag: lmoo.Result.from_dict(solved(Weighted(flag)).to_dict()),
    "pickled": lambda flag: pickle.loads(pickle.dumps(solved(Weighted(flag)))),
}


@each("flag", [True, False, None])
@pytest.mark.parametrize("driver", list(DRIVERS))
def test_errors_are_those_of_curve_fit(driver: str, flag: bool | None) -> None:
    _, pcov = lmoo.curve_fit(model, T, Y, START, SIGMA, absolute_sigma=bool(flag))
    result = DRIVERS[driver](flag)
    if driver == "JointProblem":
        # Its point without a residual has the degree of freedom of its own parameter.
        assert result.degrees_of_freedom == T.size - 3
    errors = np.sqrt(np.diag(pcov))
    assert result.absolute_sigma is bool(flag)
    np.testing.assert_allclose(result.stderr, errors, rtol=2e-5)
    np.testing.assert_allclose(result.covariance(), pcov, rtol=2e-5, atol=1e-12)
    low, high = result.confidence_interval().T
    quantile = 1.959963984540054 if flag else 2.079613844727662
    np.testing.assert_allclose((high - low) / 2.0, quantile * errors, rtol=2e-5)
    # What is asked for explicitly goes before.
    other = result.covariance(scaled=not flag)
    np.testing.assert_allclose(other, pcov, rtol=2e-5, atol=1e-12)
    assert not np.allclose(result.covariance(scaled=bool(flag)), pcov, rtol=0.1)


@pytest.mark.parametrize("flag", [True, False])
def test_intervals_profiles_and_predictions_follow(flag: bool) -> None:
    problem = lmoo.CurveProblem(model, T, Y, SIGMA, absolute_sigma=flag)
    result = solved(problem, derived={"tau": "1/b"})
    scaled = not flag
    for method in ("linear", "profile"):
        assert np.array_equal(
            result.confidence_interval(method=method),
            result.confidence_interval(method=method, scaled=scaled),
        )
        assert result.interval("tau", method=method) == result.interval(
            "tau", method=method, scaled=scaled
        )
    assert result["tau"].stderr == pytest.approx(result["b"].stderr / result.x[1] ** 2)
    for given, said in zip(result.profile("b"), result.profile("b", scaled=scaled), strict=True):
        assert np.array_equal(given, said)
    assert np.array_equal(result.covariance_of(["b"]), result.covariance()[1:2, 1:2])
    given = result.predict([1.0], interval="confidence")
    assert given == result.predict([1.0], interval="confidence", scaled=scaled)
    assert given != result.predict([1.0], interval="confidence", scaled=flag)
    stored = result.to_dict()
    assert stored["absolute_sigma"] is flag
    assert stored["confidence_interval"] == result.confidence_interval().tolist()
    assert stored["derived"]["tau"]["stderr"] == result["tau"].stderr


def test_priors_keep_their_errors() -> None:
    """With known errors of the data the covariance is the inverse of H, priors included."""
    problem = lmoo.CurveProblem(model, T, Y, SIGMA, priors={"b": (1.3, 0.05)}, absolute_sigma=True)
    result = solved(problem)
    J = np.vstack([result.jacobian(), [0.0, 1.0 / 0.05, 0.0]])
    expected = np.linalg.inv(J.T @ J)
    np.testing.assert_allclose(result.covariance(), expected, rtol=1e-6)
    deviations = np.sqrt(np.diag(expected))
    correlation = expected / np.outer(deviations, deviations)
    np.testing.assert_allclose(result.correlation, correlation, rtol=1e-6)
    fits = lmoo.curve_fit_many(
        model, T, np.stack([Y, Y]), START, sigma=SIGMA, priors={"b": (1.3, 0.05)},
        absolute_sigma=True,
    )  # fmt: skip
    np.testing.assert_allclose(fits.covariance[0], expected, rtol=1e-5)


def test_shared_parameters() -> None:
    fits = lmoo.curve_fit_many(
        model, T, np.stack([Y, Y]), START, sigma=SIGMA, shared=["b"], absolute_sigma=True
    )
    parts = [lmoo.CurveProblem(model, T, Y, SIGMA, absolute_sigma=True) for _ in range(2)]
    result = solved(lmoo.JointProblem(parts, shared=["b"]), {"a": 2.0, "b": 1.0, "c": 0.4})
    np.testing.assert_allclose(fits.stderr[0], result.part(0).stderr, rtol=1e-6)
    np.testing.assert_allclose(fits[1].stderr, result.part(1).stderr, rtol=1e-6)
    np.testing.assert_allclose(fits.covariance[1], result.part(1).covariance(), rtol=1e-6)
    # Two equal curves know the shared parameter better by the root of 2.
    alone = solved(parts[0])
    assert result.stderr[0] == pytest.approx(alone.stderr[1] / np.sqrt(2.0), rel=1e-5)


@pytest.mark.parametrize("trace", ["auto", False])
def test_as_many_parameters_as_points(trace: Any) -> None:
    """Known errors of the data are enough for errors of the parameters."""
    t, y, sigma = T[:12:4], Y[:12:4], SIGMA[:12:4]
    popt, pcov = lmoo.curve_fit(model, t, y, START, sigma, absolute_sigma=True)
    fits = lmoo.curve_fit_many(
        model, t, np.stack([y, y + 0.01]), START, sigma=sigma, absolute_sigma=True, trace=trace
    )
    np.testing.assert_allclose(fits.x[0], popt, rtol=1e-6)
    np.testing.assert_allclose(fits.stderr[0], np.sqrt(np.diag(pcov)), rtol=1e-4)
    assert np.isfinite(fits.stderr).all()
    result = solved(lmoo.CurveProblem(model, t, y, sigma, absolute_sigma=True))
    np.testing.assert_allclose(result.stderr, np.sqrt(np.diag(pcov)), rtol=1e-4)
    assert np.isinf(solved(lmoo.CurveProblem(model, t, y, sigma)).stderr).all()


@pytest.mark.parametrize("trace", ["auto", False])
def test_undetermined_parameters_stay_undetermined(trace: Any) -> None:
    fits = lmoo.curve_fit_many(
        lambda t, a, b: (a + b) * t, T, np.stack([T, 2.0 * T]), [1.0, 1.0], sigma=SIGMA,
        absolute_sigma=True, trace=trace,
    )  # fmt: skip
    assert np.isinf(fits.stderr).all()
    y = np.ma.array(np.stack([Y, Y]), mask=False)
    y[1, 2:] = np.ma.masked
    few = lmoo.curve_fit_many(model, T, y, START, absolute_sigma=True, sigma=SIGMA, trace=trace)
    assert np.isfinite(few.stderr[0]).all()
    # The other curve has two points for three parameters.
    one = lmoo.CurveProblem(model, T[:2], Y[:2], SIGMA[:2], trace=trace, absolute_sigma=True)
    alone = lmoo.Solver().solve(one, START)
    np.testing.assert_array_equal(np.isinf(few.stderr[1]), np.isinf(alone.stderr))
    assert np.isinf(few.stderr[1]).any()


def test_exact_data_of_a_compiled_stack() -> None:
    """Errors do not depend on the residual, which is 0 here."""
    y = np.ones((2, T.size))
    fits = lmoo.curve_fit_many(
        lambda t, a: a + 0.0 * t, T, y, [1.0], sigma=SIGMA, absolute_sigma=True
    )
    assert fits.cost.tolist() == [0.0, 0.0]
    np.testing.assert_allclose(fits.stderr, (SIGMA**-2.0).sum() ** -0.5)


@pytest.mark.parametrize(
    "made",
    [
        lambda: lmoo.CurveProblem(model, T, Y, absolute_sigma=True),
        lambda: lmoo.CurveBlocks(model, T, Y, absolute_sigma=True),
        lambda: lmoo.models.Exponential().problem(T, Y, absolute_sigma=True),
        lambda: lmoo.fit("a*exp(-b*t) + c", T, Y, absolute_sigma=True),
        lambda: lmoo.curve_fit(model, T, Y, START, absolute_sigma=True),
        lambda: lmoo.curve_fit_many(model, T, Y[None], START, absolute_sigma=True),
    ],
)
def test_known_errors_that_are_not_given(made: Callable[[], Any]) -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        made()
    (one,) = seen
    assert str(one.message).startswith("absolute_sigma=True without sigma: the errors of y")
    assert one.filename == __file__


def test_bad_values() -> None:
    with pytest.raises(TypeError, match="absolute_sigma must be True, False or None; it is 'yes'"):
        lmoo.CurveProblem(model, T, Y, SIGMA, absolute_sigma="yes")  # type: ignore[arg-type]
    parts = [lmoo.CurveProblem(model, T, Y, SIGMA, absolute_sigma=flag) for flag in (None, True)]
    with pytest.raises(ValueError, match=r"same absolute_sigma.*True for problems\[1\] and not"):
        lmoo.JointProblem(parts, shared=["b"])
    stored = solved(Weighted(True)).to_dict()
    with pytest.raises(ValueError, match="absolute_sigma must be true or false: 1"):
        lmoo.Result.from_dict({**stored, "absolute_sigma": 1})
