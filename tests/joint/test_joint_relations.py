"""Ties, priors, derived quantities and constraints of joint fits, against problems by hand."""

import pickle

import numpy as np
import pytest
from joint_cases import Oscillation, T, curves, decay

import lmoo
from lmoo.models.compiled import GraphModel

WAYS = {
    "traced": lambda **options: curves(3, **options),
    "called": lambda **options: curves(3, trace=False, **options),
    "mixed": lambda: [*curves(2), curves(3, trace=False)[2]],
    "built in": lambda: [
        GraphModel(lmoo.Expression("a*exp(-t/tau) + c", parameters=["a", "tau", "c"])).problem(
            part.t, part.y
        )
        for part in curves(3)
    ],
}
START = {"tau": 1.2, "a": 1.5, "c": 0.1}


def by_hand(joint, parameters, z0, priors=None, **options):
    """Return the fit of all rows of the joint problem by a vector z; parameters: x of z."""

    def residual(z):
        rows = joint.residual(np.array(parameters(z)))
        return rows if priors is None else np.concatenate([rows, priors(z)])

    return lmoo.Solver(**options).solve(lmoo.FunctionProblem(residual), z0)


@pytest.mark.parametrize("way", WAYS)
def test_ties_within_problems_and_between_them(way):
    """Of own parameters to shared ones, to own ones, and to those of another problem."""
    joint = lmoo.JointProblem(WAYS[way](), ["tau"])
    ties = {"c[0]": "a[0]/10 - tau/10", "a[2]": "1.2*a[1]"}
    result = lmoo.Solver(ties=ties, derived={"whole": "a[0]*tau + a[1]"}).solve(joint, START)

    def x(z):
        tau, a0, a1, c1, c2 = z
        return [tau, a0, a0 / 10 - tau / 10, a1, c1, 1.2 * a1, c2]

    hand = by_hand(joint, x, [1.2, 1.5, 1.5, 0.1, 0.1])
    assert result.success
    assert joint.parameter_names == result.parameter_names
    np.testing.assert_allclose(result.x, x(hand.x), rtol=1e-7)
    assert abs(result.cost - hand.cost) < 1e-12 * hand.cost
    assert result.degrees_of_freedom == hand.degrees_of_freedom
    slopes = np.array([(np.array(x(hand.x + d)) - x(hand.x - d)) / 2 for d in np.eye(5)]).T
    np.testing.assert_allclose(
        result.covariance(), slopes @ hand.covariance() @ slopes.T, rtol=2e-4, atol=1e-11
    )
    tau, a0, a1 = hand.x[:3]
    gradient = np.array([a0, tau, 1.0, 0.0, 0.0])
    np.testing.assert_allclose(result["whole"].value, a0 * tau + a1, rtol=1e-8)
    error = np.sqrt(gradient @ hand.covariance() @ gradient)
    np.testing.assert_allclose(result["whole"].stderr, error, rtol=1e-4)


@pytest.mark.parametrize("loss", ["linear", "soft_l1"])
@pytest.mark.parametrize("way", WAYS)
def test_priors_of_shared_and_own_parameters(way, loss):
    """Of one problem, of all, of several together; the loss leaves them as they are."""
    joint = lmoo.JointProblem(WAYS[way](), ["tau"])
    priors = {"tau": (1.4, 0.01), "c": (0.2, 0.05), "a[1]": (2.0, 0.01), "sum": (5.0, 0.02)}
    options = {"loss": loss, "f_scale": 0.01}
    result = lmoo.Solver(priors=priors, derived={"sum": "a[0] + a[2]"}, **options).solve(
        joint, START
    )
    rows = [(0, 1.4, 0.01), (2, 0.2, 0.05), (4, 0.2, 0.05), (6, 0.2, 0.05), (3, 2.0, 0.01)]

    def further(x):
        own = [(x[j] - mean) / sigma for j, mean, sigma in rows]
        return np.array([*own, (x[1] + x[5] - 5.0) / 0.02])

    class ByHand(lmoo.Problem):
        _priors = 6

        def residual(self, x):
            return np.concatenate([joint.residual(x), further(x)])

    hand = lmoo.Solver(**options).solve(ByHand(), result.x)
    np.testing.assert_allclose(result.x, hand.x, rtol=1e-6)
    assert abs(result.cost - hand.cost) < 1e-9 * hand.cost
    points = sum(part.t[0].size if isinstance(part.t, tuple) else part.t.size for part in curves(3))
    assert result.residual.size == result.observations == points
    assert result.degrees_of_freedom == points - 7
    np.testing.assert_allclose(result.residual, joint.residual(result.x), rtol=1e-12, atol=1e-13)
    if loss == "linear":
        np.testing.assert_allclose(
            result.covariance(scaled=False), hand.covariance(scaled=False), rtol=1e-4, atol=1e-12
        )
        own = result.residual @ result.residual
        assert abs(result.residual_deviation**2 - own / (points - 7)) < 1e-10
    else:
        assert result.loss_weights.size == points


@pytest.mark.parametrize("way", WAYS)
def test_constraints(way):
    joint = lmoo.JointProblem(WAYS[way](), ["tau"])
    free = lmoo.Solver().solve(joint, START)
    limit = float(free.x[1] + free.x[3] - 0.05)
    solver = lmoo.Solver(constraints=[f"a[0] + a[1] <= {limit!r}", "c <= 5", "a[2] - tau >= 0"])
    result = solver.solve(joint, {**START, "a": [1.0, 1.0, 2.0]})
    assert result.related.active == (f"a[0] + a[1] <= {limit!r}",)

    def x(z):
        return [z[0], limit - z[2], *z[1:]]

    hand = by_hand(joint, x, np.delete(free.x, 1))
    np.testing.assert_allclose(result.x, x(hand.x), rtol=1e-7)
    known = hand.covariance(scaled=False)
    np.testing.assert_allclose(
        result.covariance_of([0, *range(2, 7)], scaled=False), known, rtol=1e-4, atol=1e-10
    )
    equation = lmoo.Solver(constraints=[f"a[0] + a[1] == {limit!r}"]).solve(joint, START)
    np.testing.assert_allclose(equation.x, result.x, rtol=1e-8)


def test_more_constraints_than_parameters():
    """Those without a place are watched."""
    joint = lmoo.JointProblem(curves(2, trace=False), ["tau"])
    constraints = [
        "a <= 2", "a[0] + a[1] <= 3.5", "tau <= a[0]", "c >= -1", "c <= 1", "a[0] - a[1] <= 2",
        "a[0] + c[0] + tau <= 4", "tau >= 0.1", "c[0] + c[1] <= 0.3",
    ]  # fmt: skip
    start = {"tau": 1.0, "a": 1.5, "c": 0.1}
    result = lmoo.Solver(constraints=constraints).solve(joint, start)
    assert result.success
    dense = lmoo.FunctionProblem(joint.residual, parameter_names=["tau", "a0", "c0", "a1", "c1"])
    texts = [
        text.replace("[0]", "0").replace("[1]", "1")
        for one in constraints
        for text in (
            [one] if "[" in one or "tau" in one
            else [one.replace("a ", "a0 ").replace("c ", "c0 "),
                  one.replace("a ", "a1 ").replace("c ", "c1 ")]
        )
    ]  # fmt: skip
    expected = lmoo.Solver(constraints=texts).solve(dense, [1.0, 1.5, 0.1, 1.5, 0.1])
    np.testing.assert_allclose(result.x, expected.x, rtol=1e-6)


def test_names_without_numbers_stand_for_all_problems():
    joint = lmoo.JointProblem(curves(3), ["tau"], derived={"area": "a*tau"}, ties={"c": "a/9"})
    result = lmoo.Solver(priors={"area": (3.0, 5.0)}).solve(joint, {"tau": 1.0, "a": 1.0})
    assert list(result.derived) == ["area[0]", "area[1]", "area[2]"]
    assert result.related.ties[2] == "a[0]/9"
    assert result.related.priors == ("area[0]", "area[1]", "area[2]")
    one = lmoo.Solver(ties={"c": "0*a", "c[1]": "a/4"}).solve(joint, {"tau": 1.0, "a": 1.0})
    assert [one.related.ties[j] for j in (2, 4, 6)] == ["0*a[0]", "a[1]/4", "0*a[2]"]
    assert abs(one.x[4] - one.x[3] / 4) < 1e-15


def test_relations_of_the_problems_are_taken():
    parts = curves(2, ties={"c": "a/9"}, derived={"area": "a*tau"}, priors={"tau": (1.5, 0.1)})
    parts.append(lmoo.CurveProblem(decay, T, decay(T, 1.0, 1.5, 0.0), constraints=["c <= 0.3"]))
    joint = lmoo.JointProblem(parts, {"tau": "tau"})
    result = lmoo.Solver().solve(joint, {"tau": 1.0, "a": 1.0, "c": 0.0})
    given = lmoo.Solver(
        ties={"c[0]": "a[0]/9", "c[1]": "a[1]/9"}, priors={"tau": (1.5, 0.1)}, constraints="c <= 9"
    ).solve(lmoo.JointProblem([*curves(2), parts[2]], ["tau"]), {"tau": 1, "a": 1, "c": 0})
    np.testing.assert_allclose(result.x, given.x, rtol=1e-9)
    assert list(result.derived) == ["area[0]", "area[1]"]
    parts[1] = curves(1, priors={"tau": (1.0, 0.1)})[0]
    with pytest.raises(ValueError, match="must not differ for the same parameter; those of tau"):
        lmoo.Solver().solve(lmoo.JointProblem(parts, ["tau"]), np.ones(7))


def test_matrices_of_constraints_and_other_models():
    joint = lmoo.JointProblem(
        [Oscillation(2.0 * np.cos(T / 1.5)), curves(1)[0]], {"tau": ["tau", "tau"]}
    )
    A = [[0.0, 1.0, 1.0, 0.0]]
    result = lmoo.Solver(constraints=(A, [3.0])).solve(joint, [1.4, 1.0, 1.0, 0.0])
    assert abs(result.x[1] + result.x[2] - 3.0) < 1e-12
    part = lmoo.CurveProblem(decay, T, decay(T, 2.0, 1.5, 0.1), constraints=([[1.0, 0, 0]], [1.5]))
    joint = lmoo.JointProblem([*curves(1), part], ["tau"])
    assert lmoo.Solver().solve(joint, {"tau": 1.0, "a": 1.0, "c": 0.0}).x[3] == 1.5


def test_parts_profiles_and_storage():
    joint = lmoo.JointProblem(curves(2), ["tau"])
    solver = lmoo.Solver(ties={"c": "a/9"}, derived={"area": "a*tau"}, priors={"tau": (1.5, 0.01)})
    result = solver.solve(joint, {"tau": 1.0, "a": 1.0})
    part = result.part(1)
    np.testing.assert_allclose(part.stderr, result.stderr[[3, 0, 4]], rtol=1e-12)
    y, lower, upper = part.predict([1.0], interval="confidence")
    assert lower < y < upper
    for name in ("tau", "a[1]", "c[0]", "area[1]"):
        low, high = result.interval(name, method="profile")
        linear = result.interval(name)
        np.testing.assert_allclose([low, high], linear, atol=0.1 * (linear[1] - linear[0]))
    again = lmoo.Result.from_dict(result.to_dict())
    assert again["area[0]"] == result["area[0]"]
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(result)).x, result.x)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(part)).stderr, part.stderr)
    assert "= a[0]/9" in str(result.params)


def test_the_bands_of_a_part_with_priors():
    """The errors of priors are not scaled by the scatter of the data."""
    joint = lmoo.JointProblem(curves(2), ["tau"])
    priors = {"tau": (1.5, 0.3), "level": (0.7, 0.5)}
    derived = {"level": "a[1]*exp(-1/tau) + c[1]"}
    result = lmoo.Solver(priors=priors, derived=derived).solve(joint, {"tau": 1, "a": 1, "c": 0})
    part = result.part(1)
    _, lower, upper = part.predict([1.0], interval="confidence")
    np.testing.assert_allclose([lower[0], upper[0]], result.interval("level"), rtol=1e-8)
    expected = result.correlation[np.ix_([3, 0, 4], [3, 0, 4])]
    np.testing.assert_allclose(part.correlation, expected, rtol=1e-9)


@pytest.mark.parametrize("options", [{}, {"ties": {"c": "a/9"}}])
def test_an_iteration_that_has_ended_is_pickled(options):
    joint = lmoo.JointProblem(curves(2), ["tau"])
    steps = lmoo.Solver(**options).iterate(joint, {"tau": 1.0, "a": 1.0, "c": 0.1})
    for _ in steps:
        pass
    again = pickle.loads(pickle.dumps(steps))
    assert list(again) == []
    np.testing.assert_array_equal(again.result.stderr, steps.result.stderr)


def test_strategies_and_steps():
    joint = lmoo.JointProblem(curves(2), ["tau"])
    expected = lmoo.Solver(ties={"c": "a/9"}).solve(joint, {"tau": 1.0, "a": 1.0}).x
    for options in (
        {"jacobian": lmoo.CentralDifference()},
        {"jacobian": lmoo.ForwardDifference()},
        {"jacobian": lmoo.ComplexStep()},
        {"step": lmoo.Nielsen()},
        {"diag": np.ones(5)},
    ):
        result = lmoo.Solver(ties={"c": "a/9"}, **options).solve(joint, {"tau": 1.0, "a": 1.0})
        np.testing.assert_allclose(result.x, expected, rtol=1e-7)


def test_a_problem_that_determines_nothing_of_its_own():
    parts = [*curves(2), lmoo.CurveProblem(decay, [1.0], [1.2])]
    joint = lmoo.JointProblem(parts, ["tau"])
    start = {"tau": 1.0, "a": 1.0, "c": 0.1}
    plain = lmoo.Solver().solve(joint, start)
    result = lmoo.Solver(derived={"rate": "1/tau"}).solve(joint, start)
    assert result.degrees_of_freedom == plain.degrees_of_freedom
    assert result.undetermined == plain.undetermined == ("a[2]", "c[2]")
    np.testing.assert_allclose(result.stderr, plain.stderr, rtol=1e-6)
    # A prior determines what the data do not.
    given = lmoo.Solver(priors={"c[2]": (0.0, 0.1)}).solve(joint, start)
    assert given.undetermined == ()
    assert given["c[2]"].stderr == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"ties": {"d": "a"}}, "ties must have names of tau, a"),
        ({"ties": {"c[0]": "a[7]"}}, r"unknown name 'a\[7\]'"),
        ({"ties": {"c[0]": "a["}}, "there are no subscripts"),
        ({"priors": {"rate": (1, 1)}}, "priors must have names"),
        ({"constraints": ["a + d <= 1"]}, "unknown name 'd'"),
        ({"separable": True, "derived": {"rate": "1/tau"}}, "separable must be False"),
    ],
)
def test_bad_relations(options, match):
    joint = lmoo.JointProblem(curves(2), ["tau"])
    with pytest.raises(ValueError, match=match):
        lmoo.Solver(**options).solve(joint, np.ones(5))


def test_a_value_that_an_active_constraint_holds_is_no_undetermined_one():
    """Its derivative by the coordinates is the rounding of a difference."""
    parts = [lmoo.CurveProblem(decay, T[:1], [3.0 + 0.1 * k]) for k in range(2)]
    joint = lmoo.JointProblem(parts, ["tau"])
    result = lmoo.Solver(constraints=["a[0] + c[0] <= 2.9"]).solve(
        joint, {"tau": 1.0, "a": 1.5, "c": 1.0}
    )
    assert result.related.active == ("a[0] + c[0] <= 2.9",)
    np.testing.assert_allclose(result.leverage, [0.0, 1.0], atol=1e-8)
    assert result.rank == 1
