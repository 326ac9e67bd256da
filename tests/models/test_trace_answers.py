"""Fits with traced models: the same results as with trace=False, and how they are reported."""

from __future__ import annotations

import copy
import warnings
from typing import Any

import adversarial
import numpy as np
import pytest
import scipy.optimize
from trace_fit_cases import T, Y, decay

import lmoo
from lmoo import CurveBlocks, CurveProblem, Solver, TraceError, curve_fit

# Where both parameters are equal, where one is 0, where branches of the functions meet.
STARTS = ((1.0, 1.0), (0.0, 0.5), (2.0, 2.0), (1.5, 0.0))


def fitted(name: str, trace: Any, p0: Any) -> tuple[Any, Any]:
    """The fit of a fresh function, and its effects."""
    f, effects = adversarial.MAKERS[name]()
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        # Fits that are hampered by what the function does may warn of their covariance.
        warnings.simplefilter("ignore")
        try:
            found: Any = curve_fit(f, T.copy(), Y, p0, trace=trace, maxfev=400)[0]
        except Exception as error:
            found = type(error)
    return found, copy.deepcopy(effects) if type(effects) is not object else effects


def cost(name: str, x: Any) -> float:
    """The sum of squares of a fresh function."""
    f, _ = adversarial.MAKERS[name]()
    with np.errstate(all="ignore"):
        return float(np.sum((f(T.copy(), *x) - Y) ** 2))


@pytest.mark.parametrize("p0", STARTS)
@pytest.mark.parametrize("name", adversarial.MAKERS)
def test_no_function_gets_another_answer_than_without_a_trace(name: str, p0: Any) -> None:
    expected, before = fitted(name, False, p0)
    found, after = fitted(name, "auto", p0)
    if isinstance(expected, type):
        assert found is expected
        return
    # A minimum at infinity, or two minima, may be reached by another way.
    if not np.allclose(found, expected, rtol=1e-7, atol=1e-9):
        assert cost(name, found) == pytest.approx(cost(name, expected), rel=1e-13)
    # What has effects is called each time, so that it has as many.
    if isinstance(before, np.ndarray):
        np.testing.assert_array_equal(after, before)
    elif before is not None:
        assert after == before


def test_there_are_many_of_them() -> None:
    assert len(adversarial.MAKERS) >= 270


def test_effects_are_kept(capsys: pytest.CaptureFixture[str]) -> None:
    f, _ = adversarial.MAKERS["printing"]()
    _, _, info, _, _ = curve_fit(f, T, Y, [1.0, 1.0], full_output=True)
    assert capsys.readouterr().err.count("called") >= info["nfev"]


def test_a_fit_says_how_its_model_was_evaluated() -> None:
    def branching(t, a, b):
        return a * t if b == 5 else a * np.exp(-b * t)

    def with_paths(t, a, b):
        return a * t if b > 5 else a * np.exp(-b * t)

    solve = Solver().solve
    for problem, said in {
        CurveProblem(decay, T, Y): "compiled from decay",
        CurveProblem(decay, T, Y, trace=False): "called, because trace is False",
        CurveProblem(
            decay, T, Y, jac=lmoo.trace(decay).jacobian
        ): "called, because its derivatives",
        CurveProblem(with_paths, T, Y): "compiled from with_paths",
        CurveBlocks(with_paths, T, Y): "called, because test_trace_answers.py:",
        CurveProblem(branching, T, Y): "called, because test_trace_answers.py:",
        CurveProblem(lmoo.trace(decay), T, Y): "compiled from Model('a*exp(-b*t)')",
        CurveProblem(decay, T, Y, np.eye(T.size)): "called, because sigma is a covariance matrix",
        CurveProblem(lambda t, a, b: decay(t[0], a, b), (T,), Y): "called, because t is a tuple",
        CurveBlocks(decay, T, Y, block_size=7): "compiled from decay",
        CurveBlocks(decay, T, Y, trace=False): "called, because trace is False",
        lmoo.FunctionProblem(lambda x: decay(T, *x) - Y): "called",
    }.items():
        result = solve(problem, [1.0, 1.0])
        assert result.evaluation.startswith(said)
        np.testing.assert_allclose(result.x, [2.0, 1.3], rtol=0.01)
    reason = solve(CurveProblem(branching, T, Y), [1.0, 1.0]).evaluation
    assert "a branch depends on a value" in reason
    assert reason.endswith("return a * t if b == 5 else a * np.exp(-b * t)")
    given = Solver(jacobian=lmoo.ForwardDifference()).solve(CurveProblem(decay, T, Y), [1.0, 1.0])
    assert given.evaluation.startswith(
        "called, because the solver has the Jacobian strategy Forward"
    )


def test_the_residual_is_that_of_the_function() -> None:
    for sigma in (None, 0.2, np.linspace(0.1, 0.3, T.size)):
        problem = CurveProblem(decay, T, Y, sigma)
        result = Solver().solve(problem, [1.0, 1.0])
        np.testing.assert_array_equal(result.residual, problem.residual(result.x))
    popt, _, info, _, ier = curve_fit(decay, T, Y, full_output=True)
    np.testing.assert_array_equal(info["fvec"], decay(T, *popt) - Y)
    assert sorted(info) == ["fjac", "fvec", "ipvt", "nfev", "qtf"]
    assert ier in (1, 2, 3, 4)


def test_counts_are_those_of_what_was_done() -> None:
    calls = 0

    class Model(lmoo.models.Model):
        def __call__(self, *args: Any) -> Any:
            nonlocal calls
            calls += 1
            return super().__call__(*args)

    source = lmoo.trace(decay)
    model = Model(source.steps, source.variables, source.parameter_names)
    result = Solver().solve(CurveProblem(model, T, Y), [1.0, 1.0])
    assert result.nfev > 2
    assert result.njev > 0
    assert calls == 2


def test_answers_are_those_of_scipy() -> None:
    for p0, options in {
        None: {},
        (2.0, 1.0): {"sigma": np.linspace(0.1, 0.3, T.size), "absolute_sigma": True},
        (1.5, 0.5): {"bounds": ([0, 0], [1.9, 5])},
    }.items():
        ours, theirs = (
            f(decay, T, Y, p0, **options) for f in (curve_fit, scipy.optimize.curve_fit)
        )
        np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-6)
        if "bounds" not in options:
            np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-5)


@pytest.mark.parametrize("trace", [None, "never", 1, "True"])
def test_the_option_is_checked(trace: Any) -> None:
    match = 'trace must be True, False or "auto"'
    with pytest.raises(ValueError, match=match):
        curve_fit(decay, T, Y, trace=trace)
    with pytest.raises(ValueError, match=match):
        CurveProblem(decay, T, Y, trace=trace)
    with pytest.raises(ValueError, match=match):
        CurveBlocks(decay, T, Y, trace=trace)
    with pytest.raises(ValueError, match=match):
        lmoo.curve_fit_many(decay, T, np.array([Y, Y]), [1.0, 1.0], trace=trace)


def test_a_trace_that_must_be_there() -> None:
    def branching(t, a, b):
        return a * t if b == 5 else a * np.exp(-b * t)

    np.testing.assert_allclose(curve_fit(decay, T, Y, trace=True)[0], [2.0, 1.3], rtol=0.01)
    stack = np.array([Y, Y])
    for call in (
        lambda: curve_fit(branching, T, Y, trace=True),
        lambda: Solver().solve(CurveProblem(branching, T, Y, trace=True), [1.0, 1.0]),
        lambda: Solver().solve(CurveBlocks(branching, T, Y, trace=True), [1.0, 1.0]),
        lambda: lmoo.curve_fit_many(branching, T, stack, [1.0, 1.0], vectorized=False, trace=True),
    ):
        with pytest.raises(TraceError, match="a branch depends on a value"):
            call()
    with pytest.raises(TraceError, match="jac is '3-point'"):
        curve_fit(decay, T, Y, jac="3-point", trace=True)
    with pytest.raises(TraceError, match="steps of differences are given"):
        curve_fit(decay, T, Y, epsfcn=1e-8, trace=True)
