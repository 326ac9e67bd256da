"""Results of fits whose parameters are related: intervals, storage, reports, plots."""

import copy
import json
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from relation_cases import NAMES, PROBLEMS, T, data, model

import lmoo
from lmoo.results.profile import contour

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from prior_coverage import coverage

Y = data(21)
TIES = {"c": "a/2", "d": "3*b"}
DERIVED = {"life": "log(2)/b", "total": "a + c"}


def solved(kind: str = "traced", **options: Any) -> lmoo.Result:
    solver = lmoo.Solver(ties=TIES, derived=DERIVED, **options)
    return solver.solve(PROBLEMS[kind](Y), {"a": 3.0, "b": 0.5})


def by_hand(residual: Any, start: Any) -> lmoo.Result:
    problem = lmoo.FunctionProblem(residual)
    return lmoo.Solver(jacobian=lmoo.ComplexStep()).solve(problem, start)


def rows(a: Any, b: Any) -> Any:
    return (model(T, a, b, a / 2, 3 * b) - Y) / 0.02


@pytest.mark.parametrize("kind", ["traced", "python", "differences", "row blocks", "curve blocks"])
def test_profile_intervals(kind: str) -> None:
    result = solved(kind)
    a_b = by_hand(lambda x: rows(x[0], x[1]), [3.0, 0.5])
    expected = a_b.confidence_interval(method="profile")
    found = result.confidence_interval(method="profile")
    np.testing.assert_allclose(found[:2], expected, rtol=1e-6)
    np.testing.assert_allclose(found[2:], [expected[0] / 2, 3 * expected[1]], rtol=1e-6)
    # In which the derived quantities are parameters.
    other = by_hand(lambda x: rows(x[0] / 1.5, np.log(2) / x[1]), [4.5, np.log(2) / 0.5])
    total, life = other.confidence_interval(method="profile")
    np.testing.assert_allclose(result.interval("life", method="profile"), life, rtol=1e-6)
    np.testing.assert_allclose(result.interval("total", method="profile"), total, rtol=1e-6)
    total, life = other.confidence_interval()
    np.testing.assert_allclose(result.interval("life"), life, rtol=1e-6)
    np.testing.assert_allclose(result.interval("a"), result.confidence_interval()[0], rtol=1e-12)
    values, tau = result.profile("life")
    assert values[0] < result["life"].value < values[-1]
    assert (np.diff(tau) > 0).all()


def test_profile_with_priors() -> None:
    """The intervals agree with those of rows that are appended by hand, if sigma is known."""
    priors = {"b": (0.5, 0.01), "total": (5.0, 0.02)}
    result = solved(priors=priors)
    expected = by_hand(
        lambda x: np.append(rows(*x), [(x[1] - 0.5) / 0.01, (1.5 * x[0] - 5.0) / 0.02]),
        [3.0, 0.5],
    ).confidence_interval(method="profile", scaled=False)
    found = result.confidence_interval(method="profile", scaled=False)
    np.testing.assert_allclose(found[:2], expected, rtol=1e-6)
    # The model is nearly linear within the errors.
    for scaled in (True, False):
        linear = result.confidence_interval(scaled=scaled)
        profile = result.confidence_interval(method="profile", scaled=scaled)
        np.testing.assert_allclose(profile, linear, rtol=2e-3)
    with pytest.raises(ValueError, match="scaled must be False for contours with priors"):
        contour(result, 0, 1, 0.95, True)


@pytest.mark.parametrize("options", [{}, {"loss": "huber", "f_scale": 2.0}])
def test_storage(options: dict[str, Any]) -> None:
    result = solved(priors={"b": (0.5, 0.01)}, **options)
    stored = json.loads(result.to_json())
    assert stored["derived"]["life"]["value"] == result["life"].value
    assert [row["tie"] for row in stored["params"]] == ["", "", "a/2", "3*b"]
    again = lmoo.Result.from_dict(stored)
    assert str(again).splitlines() == str(result).splitlines()
    assert again["life"] == result["life"]
    np.testing.assert_array_equal(again.covariance(), result.covariance())
    with pytest.raises(ValueError, match="read from a file"):
        again.interval("life", method="profile")
    copied = pickle.loads(pickle.dumps(result))
    assert copied.interval("life") == result.interval("life")
    np.testing.assert_allclose(
        copied.interval("life", method="profile"), result.interval("life", method="profile")
    )
    assert copy.deepcopy(result)["life"] == result["life"]
    for name, value in (("ties", ["a"]), ("z", [1.0]), ("fitted", -1), ("norm", "x")):
        damaged = json.loads(result.to_json())
        damaged["related"][name] = value
        with pytest.raises(ValueError, match="stored must be what"):
            lmoo.Result.from_dict(damaged)


def test_statistics() -> None:
    result = solved()
    plain = by_hand(lambda x: rows(*x), [3.0, 0.5])
    np.testing.assert_allclose(result.leverage, plain.leverage, rtol=1e-8)
    np.testing.assert_allclose(
        result.standardized_residuals, plain.standardized_residuals, rtol=1e-8
    )
    found, expected = result.nonlinearity(), plain.nonlinearity()
    np.testing.assert_allclose(found.intrinsic, expected.intrinsic, rtol=1e-3)
    np.testing.assert_allclose(found.parameter_effects, expected.parameter_effects, rtol=1e-3)
    curve = lmoo.CurveProblem(lambda t, a, b: model(t, a, b, a / 2, 3 * b), T, Y, 0.02)
    alone = lmoo.Solver().solve(curve, [3.0, 0.5])
    t = np.linspace(0, 5, 7)
    for kind in ("confidence", "prediction"):
        for a, b in zip(
            result.predict(t, kind, sigma=0.02), alone.predict(t, kind, sigma=0.02), strict=True
        ):
            np.testing.assert_allclose(a, b, rtol=1e-8)
    assert result.r_squared == pytest.approx(alone.r_squared, rel=1e-10)
    assert result.rank == 2
    assert result.undetermined == ()
    assert result.jacobian().shape == (T.size, 4)


def test_report_and_table() -> None:
    result = solved(priors={"b": (0.5, 0.01)}, bounds={"a": (0, 10)})
    text = str(result)
    for line in (
        "= a/2",
        "= log(2)/b",
        "priors",
        "b: 0.5 +- 0.01",
        "cost of the priors",
        "0 .. 10",
    ):
        assert line in text
    assert "= a/2" in result._repr_html_()
    table = result.params
    assert [row.name for row in table] == list(NAMES)
    assert table[0].lower == 0.0
    assert table[0].upper == 10.0
    assert table[2].tie == "a/2"
    assert "a     " in repr(table)
    assert "0 .. 10" in repr(table)


def test_undetermined() -> None:
    """A parameter without an effect makes undetermined what depends on it."""
    problem = lmoo.CurveProblem(lambda t, a, b, c: a * t + 0 * b + c, T, 2 * T, trace=False)
    solver = lmoo.Solver(ties={"c": "0.1*a"}, derived={"sum": "a + b", "double": "2*a"})
    result = solver.solve(problem, [1.0, 1.0, 0.0])
    assert result.undetermined == ("b",)
    assert result["sum"].stderr == np.inf
    assert result["double"].stderr < np.inf
    assert result.stderr[2] < np.inf


def test_a_loss_leaves_priors_as_they_are() -> None:
    """A prior far from the data counts with its square, whatever the loss."""
    for loss in ("huber", "cauchy", "tukey"):
        solver = lmoo.Solver(loss=loss, f_scale=1.0, priors={"a": (10.0, 1e-3)})
        problem = lmoo.FunctionProblem(lambda x: x[0] - T, parameter_names=["a"])
        assert abs(solver.solve(problem, [9.0]).x[0] - 10.0) < 1e-3
    own = lmoo.Solver(
        loss=lambda z: (np.log1p(z), 1 / (1 + z), -1 / (1 + z) ** 2), priors={"a": (10.0, 1e-3)}
    )
    built_in = lmoo.Solver(loss="cauchy", priors={"a": (10.0, 1e-3)})
    found, expected = own.solve(problem, [9.0]), built_in.solve(problem, [9.0])
    np.testing.assert_allclose(found.x, expected.x, rtol=1e-12)
    np.testing.assert_allclose(found.stderr, expected.stderr, rtol=1e-9)


def test_fewer_points_than_parameters() -> None:
    problem = lmoo.CurveProblem(model, T[:3], Y[:3])
    result = lmoo.Solver(ties=TIES).solve(problem, {"a": 3.0, "b": 0.5})
    assert result.success
    assert result.degrees_of_freedom == 1
    popt, _ = lmoo.curve_fit(model, T[:3], Y[:3], p0={"a": 3.0, "b": 0.5}, ties=TIES)
    np.testing.assert_allclose(popt, result.x, rtol=1e-8)
    priors = {"a": (3.0, 1.0), "b": (0.5, 1.0), "c": (1.0, 1.0), "d": (1.0, 1.0)}
    known = lmoo.Solver(priors=priors).solve(problem, [3.0, 0.5, 1.0, 1.0])
    assert known.success
    assert np.isfinite(known.covariance(scaled=False)).all()


def test_coverage_of_priors() -> None:
    for scale in (1.0, 3.0):
        shares = coverage(2000, 5, scale)
        assert all(0.93 < share < 0.97 for share in shares.values()), shares
