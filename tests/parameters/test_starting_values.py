"""Starting values that are found, and what runs compiled."""

from typing import Any

import numpy as np
import pytest
from relation_cases import PROBLEMS, T, data, model

import lmoo
from lmoo.models.tracing.cache import Kind, traced

TIES = {"c": "a/2", "d": "3*b"}


def two_peaks() -> Any:
    peaks = lmoo.models.Gaussian(prefix="g1_") + lmoo.models.Gaussian(prefix="g2_")
    return peaks.substitute(g1_offset=0.0, g2_offset=0.0)


def test_peaks_in_the_order_that_a_constraint_states() -> None:
    peaks = two_peaks()
    y = peaks(T, 3, 1, 0.3, 2, 2.5, 0.3) + 0.02 * np.cos(31 * T)
    for first, second in (("g1", "g2"), ("g2", "g1")):
        result = lmoo.fit(
            peaks,
            T,
            y,
            ties={"g2_sigma": "g1_sigma"},
            constraints=[f"{first}_center + 0.5 <= {second}_center"],
            derived={"gap": f"{second}_center - {first}_center"},
        )
        assert result.success
        assert result["gap"].value == pytest.approx(1.5, abs=0.01)
        assert result["g1_sigma"] == result["g2_sigma"]
    robust = lmoo.fit(
        peaks, T, y, constraints=["g1_center <= g2_center"], loss="soft_l1", f_scale="mad"
    )
    assert robust["g2_center"].value == pytest.approx(2.5, abs=0.01)


def test_guesses_of_built_in_models() -> None:
    decay = lmoo.models.Exponential()
    y = decay(T, 3, 0.7, 0.5) + 0.01 * np.cos(9 * T)
    tied = lmoo.fit(decay, T, y, ties={"offset": "amplitude/6"})
    assert tied.x == pytest.approx([3, 0.7, 0.5], rel=0.01)
    for constraints in (["offset >= 0.2*amplitude"], "amplitude + rate == 4"):
        found = lmoo.fit(decay, T, y, constraints=constraints)
        popt, _ = lmoo.curve_fit(decay, T, y, constraints=constraints)
        np.testing.assert_allclose(popt, found.x, rtol=1e-8)
    many = lmoo.curve_fit_many(decay, T, np.stack([y, 2 * y]), ties={"offset": "amplitude/6"})
    np.testing.assert_allclose(many.x[0], tied.x, rtol=1e-8)
    with pytest.raises(ValueError, match="must have a point in common"):
        lmoo.curve_fit(decay, T, y, constraints=["offset >= rate + 1", "offset <= rate - 1"])


def test_the_start_of_curve_fit_is_moved_into_the_constraints() -> None:
    y = data(3)
    popt, _ = lmoo.curve_fit(model, T, y, constraints=["c <= a/2", "d >= 2*b"])
    assert 2 * popt[2] <= popt[0] * (1 + 1e-12)
    with pytest.raises(ValueError, match="p0 must satisfy the constraints"):
        lmoo.curve_fit(model, T, y, p0=[1, 1, 1, 1], constraints=["c <= a/2"])


@pytest.mark.parametrize("kind", ["traced", "expression", "built-in"])
def test_models_that_are_graphs_run_compiled(kind: str) -> None:
    solver = lmoo.Solver(ties=TIES, priors={"a": (4.0, 1.0)}, constraints=["b <= 2*a"])
    result = solver.solve(PROBLEMS[kind](data(3)), {"a": 3.0, "b": 0.5})
    assert result.related is not None
    assert isinstance(result.related.inner.problem, lmoo.CompiledProblem)


def test_a_trace_that_differs_at_the_solution(monkeypatch: pytest.MonkeyPatch) -> None:
    """The function is called there with all parameters, as without ties."""
    calls = 0

    def changing(t: Any, a: Any, b: Any) -> Any:
        nonlocal calls
        calls += 1
        return line(t, a, b) if calls == 1 else line(t, a, b) + 0.1

    found = traced(line, Kind(2, points=T.size))
    found.moved = True  # Not compared next to the start.
    monkeypatch.setattr("lmoo.models.tracing.evaluation.traced", lambda *args: found)
    problem = lmoo.CurveProblem(changing, T, 2 * T + 1.1)
    with pytest.warns(lmoo.TraceWarning, match="differs from it at the solution"):
        result = lmoo.Solver(ties={"b": "a/2"}).solve(problem, {"a": 1.0})
    assert result.evaluation.startswith("called, because at the solution")
    assert result.x == pytest.approx([2.0, 1.0], rel=1e-9)


def line(t: Any, a: Any, b: Any) -> Any:
    return a * t + b


def test_a_step_by_step_solve() -> None:
    solver = lmoo.Solver(ties=TIES, maxfev=3)
    seen: list[Any] = []
    result = solver.solve(
        lmoo.CurveProblem(model, T, data(3)), {"a": 1.0, "b": 1.0}, callback=seen.append
    )
    assert result.status == lmoo.Status.MAXFEV
    assert all(step.x[3] == 3 * step.x[1] for step in seen)

    def raises(t: Any, a: Any, b: Any) -> Any:
        raise RuntimeError("no value")

    with pytest.raises(RuntimeError, match="no value") as caught:
        lmoo.Solver(ties={"b": "a"}).solve(lmoo.CurveProblem(raises, T, T), {"a": 1.0})
    assert caught.value.lmoo_result.parameter_names == ("a", "b")  # type: ignore[attr-defined]
