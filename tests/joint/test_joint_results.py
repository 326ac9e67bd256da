"""Reports, profiles, parts and storage of joint results."""

import pickle

import numpy as np
import pytest
from joint_cases import T, by_hand, curves

import lmoo

# ---- what there is of a result ------------------------------------------------------------------


@pytest.fixture(scope="module")
def solved():
    joint = lmoo.JointProblem(curves(4), ["tau"])
    x0 = joint.start({"tau": 1.0, "a": 1.0, "c": 0.0})
    return lmoo.Solver().solve(joint, x0), by_hand(joint, x0)


def test_reports_intervals_and_profiles(solved):
    result, expected = solved
    assert "tau" in str(result)
    assert "a[3]" in str(result)
    assert "NO minimum" not in str(result)
    assert "<table" in result._repr_html_()
    np.testing.assert_allclose(
        result.confidence_interval(), expected.confidence_interval(), rtol=1e-7
    )
    np.testing.assert_allclose(
        result.confidence_interval(method="profile")[:2],
        expected.confidence_interval(method="profile")[:2], rtol=1e-6)  # fmt: skip
    values, tau = result.profile("tau")
    assert values.size == tau.size > 4
    np.testing.assert_allclose(result.correlation, expected.correlation, atol=1e-6)
    assert result.aic == pytest.approx(expected.aic)
    assert result.covariance_of(["a[1]", 0]) == pytest.approx(
        result.covariance()[np.ix_([3, 0], [3, 0])]
    )


def test_the_result_of_a_part(solved):
    result, expected = solved
    part = result.part(1)
    index = result.problem.indices[1]
    assert part.parameter_names == ("a", "tau", "c")
    assert np.array_equal(part.x, result.x[index])
    np.testing.assert_allclose(part.stderr, result.stderr[index])
    np.testing.assert_allclose(part.covariance(), result.covariance()[np.ix_(index, index)])
    assert part.observations == part.residual.size == 11
    assert part.degrees_of_freedom == result.degrees_of_freedom
    assert sum(result.part(k).cost for k in range(4)) == pytest.approx(result.cost)
    y, _, high = part.predict([0.5, 1.0], interval="confidence")
    a, tau, _ = part.x
    slopes = np.array(
        [[np.exp(-t / tau), a * t / tau**2 * np.exp(-t / tau), 1.0] for t in (0.5, 1.0)]
    )
    errors = np.sqrt(np.einsum("ij,jk,ik->i", slopes, part.covariance(), slopes))
    from scipy.stats import t as student

    np.testing.assert_allclose(
        high - y, errors * student.ppf(0.975, result.degrees_of_freedom), rtol=1e-6
    )
    assert str(part).startswith("Converged: a minimum was found")
    assert part.r_squared > 0.99
    assert np.isnan(part.aic)
    for what in ("profile", "nonlinearity", "to_dict", "to_json"):
        with pytest.raises(TypeError, match="one problem of a joint fit"):
            getattr(part, what)(*(["a"] if what == "profile" else []))
    for name in ("leverage", "standardized_residuals"):
        with pytest.raises(TypeError, match="one problem of a joint fit"):
            getattr(part, name)
    assert np.array_equal(result.part(-1).x, result.part(3).x)
    with pytest.raises(ValueError, match="k must be from 0 to 3"):
        result.part(4)
    with pytest.raises(TypeError, match="JointProblem"):
        expected.part(0)
    with pytest.raises(TypeError, match="defines its curve"):
        result.predict()


def test_parts_are_plotted(solved):
    pytest.importorskip("matplotlib").use("Agg")
    assert len(solved[0].part(2).plot()) == 2


def test_storage(solved):
    result = solved[0]
    again = pickle.loads(pickle.dumps(result))
    assert np.array_equal(again.stderr, result.stderr)
    assert np.array_equal(again.part(1).stderr, result.part(1).stderr)
    stored = lmoo.Result.from_dict(result.to_dict())
    assert np.array_equal(stored.stderr, result.stderr)
    assert np.array_equal(
        lmoo.Result.from_dict(__import__("json").loads(result.to_json())).x, result.x
    )
    part = pickle.loads(pickle.dumps(result.part(1)))
    assert np.array_equal(part.stderr, result.part(1).stderr)
    damaged = result.to_dict()
    damaged["factor"]["order"][0] = 7
    with pytest.raises(ValueError, match="permutations"):
        lmoo.Result.from_dict(damaged)


def test_iterating_and_stopping():
    joint = lmoo.JointProblem(curves(3), ["tau"])
    steps = lmoo.Solver().iterate(joint, {"tau": 1.0, "a": 1.0, "c": 0.0})
    first = next(steps)
    assert first.x.shape == (7,)
    assert first.gradient.shape == (7,)
    assert steps.result.status == lmoo.Status.UNFINISHED
    with pytest.raises(TypeError, match="linear model"):
        pickle.dumps(steps)
    for _ in steps:
        pass
    x0 = joint.start({"tau": 1.0, "a": 1.0, "c": 0.0})
    assert np.array_equal(steps.result.x, lmoo.Solver().solve(joint, x0).x)


def test_a_large_joint_fit_makes_no_large_matrix():
    count = 3000
    rng = np.random.default_rng(0)
    y = 2.0 * rng.uniform(1, 2, size=(count, 1)) * np.exp(-T[:6] / 1.5) + 0.01 * rng.normal(
        size=(count, 6)
    )
    problem = lmoo.JointProblem(
        [
            lmoo.CurveProblem(lambda t, a, tau: a * np.exp(-t / tau), T[:6], row, trace=False)
            for row in y
        ],
        ["tau"],
    )
    result = lmoo.Solver().solve(problem, {"tau": 1.0, "a": 2.0})
    assert result.success
    assert abs(result.x[0] - 1.5) < 5 * result.stderr[0] < 0.01
    assert "Of the 3000 parameters that belong to one problem each" in str(result)
    with pytest.raises(ValueError, match="covariance_of"):
        result.covariance()
    assert result.covariance_of(["tau", "a[2999]"]).shape == (2, 2)
    assert result.to_dict()["covariance"] is None
    low, high = result.confidence_interval()[0]
    assert low < result.x[0] < high
