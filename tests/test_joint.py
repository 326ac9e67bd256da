"""Problems with shared parameters against the same problem with the dense linear model."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lmoo
from lmoo.models.tracing.cache import Kind, traced

T = np.linspace(0.0, 4.0, 15)


def decay(t, a, tau, c):
    return a * np.exp(-t / tau) + c


def line(t, slope, tau):
    return slope * t / tau


class Oscillation(lmoo.Problem):
    """A problem in Python with derivatives of its own."""

    parameter_names = ("tau", "size")

    def __init__(self, y):
        self.y = y

    def residual(self, x):
        return x[1] * np.cos(T / x[0]) - self.y

    def jacobian(self, x):
        return np.stack([x[1] * np.sin(T / x[0]) * T / x[0] ** 2, np.cos(T / x[0])], axis=1)


def curves(count, seed=0, noise=0.01, trace="auto", **options):
    """Return curves of different lengths with one tau."""
    rng = np.random.default_rng(seed)
    parts = []
    for k in range(count):
        t = np.linspace(0.0, 4.0, 8 + 3 * k)
        y = decay(t, rng.uniform(1, 3), 1.5, rng.uniform(-0.5, 0.5)) + noise * rng.normal(
            size=t.size
        )
        parts.append(lmoo.CurveProblem(decay, t, y, trace=trace, **options))
    return parts


def exact_jacobian(joint):
    """Return a function for the Jacobian of a joint problem of decays."""

    def jacobian(x):
        rows = []
        for part, index in zip(joint.problems, joint.indices, strict=True):
            (a, tau, _), t = x[index], part.t
            falling = np.exp(-t / tau)
            block = np.zeros((t.size, x.size))
            block[:, index] = np.stack([falling, a * t / tau**2 * falling, np.ones_like(t)], axis=1)
            rows.append(block)
        return np.concatenate(rows)

    return jacobian


def by_hand(joint, x0, solver=None, exact=False):
    """Return the result of the same residual with the dense linear model."""
    problem = lmoo.FunctionProblem(
        joint.residual,
        exact_jacobian(joint) if exact else None,
        parameter_names=joint.parameter_names,
        bounds=joint.bounds,
        fixed=joint.fixed,
    )
    return (solver or lmoo.Solver()).solve(problem, x0)


def same(result, expected, relative=1e-9):
    """Compare two results in values and errors."""
    assert result.success
    assert expected.success
    scale = np.maximum(
        np.abs(expected.x), np.where(np.isfinite(expected.stderr), expected.stderr, 1)
    )
    scale[scale == 0.0] = 1.0
    np.testing.assert_allclose(result.x / scale, expected.x / scale, rtol=0, atol=relative)
    np.testing.assert_allclose(result.cost, expected.cost, rtol=relative)
    assert result.observations == expected.observations
    assert result.degrees_of_freedom == expected.degrees_of_freedom
    assert result.rank == expected.rank
    # Those of the dense one follow from differences.
    np.testing.assert_allclose(result.stderr, expected.stderr, rtol=2e-5)
    finite = np.isfinite(expected.covariance()).all(axis=0)
    assert np.array_equal(np.isfinite(result.covariance()).all(axis=0), finite)
    sizes = np.where(expected.stderr[finite] > 0, expected.stderr[finite], 1.0)
    np.testing.assert_allclose(
        result.covariance()[np.ix_(finite, finite)] / np.outer(sizes, sizes),
        expected.covariance()[np.ix_(finite, finite)] / np.outer(sizes, sizes),
        atol=4e-5,
    )
    assert np.array_equal(result.active_mask, expected.active_mask)
    assert np.array_equal(result.fixed, expected.fixed)


@pytest.mark.parametrize("trace", ["auto", False])
def test_a_joint_fit_is_that_of_the_whole_problem(trace):
    joint = lmoo.JointProblem(curves(5, trace=trace), shared=["tau"])
    x0 = joint.start({"tau": 1.0, "a": 1.0, "c": 0.0})
    result, expected = lmoo.Solver().solve(joint, x0), by_hand(joint, x0)
    same(result, expected)
    assert abs(result.nit - expected.nit) <= 1
    assert result.evaluation == (
        "compiled from decay" if trace == "auto" else "called, because trace is False"
    )
    np.testing.assert_allclose(result.residual, joint.residual(result.x), atol=1e-12)


@given(st.integers(1, 6), st.integers(0, 2**31), st.floats(0.3, 5.0), st.booleans())
@settings(max_examples=25, deadline=None)
def test_random_joint_fits(count, seed, start, bounded):
    bounds = {"a": (0.0, 2.0), "c": (-0.2, None)} if bounded else None
    joint = lmoo.JointProblem(curves(count, seed), shared=["tau"], bounds=bounds)
    x0 = joint.start({"tau": start, "a": 1.0, "c": 0.0})
    result, expected = lmoo.Solver().solve(joint, x0), by_hand(joint, x0, exact=True)
    # Either may end by ftol, which leaves 1e-7 of a standard error.
    same(result, expected, 1e-6)
    np.testing.assert_allclose(result.stderr, expected.stderr, rtol=1e-5)


def test_different_models_and_kinds_of_problems():
    """A traced curve, one of lmoo.models, a problem with derivatives and one by differences."""
    rng = np.random.default_rng(3)
    exponential = lmoo.models.Exponential()
    parts = [
        lmoo.CurveProblem(line, T, line(T, 2.0, 1.5) + 0.01 * rng.normal(size=15)),
        exponential.problem(T, exponential(T, 2.0, 1.5, 0.2) + 0.01 * rng.normal(size=15)),
        Oscillation(2.0 * np.cos(T / 1.5) + 0.01 * rng.normal(size=15)),
        lmoo.FunctionProblem(
            lambda x: x[0] * x[1] ** T[:5] - 1.5 ** T[:5], parameter_names=["b", "tau"]
        ),
    ]
    joint = lmoo.JointProblem(parts, {"tau": ["tau", "rate", "tau", "tau"]})
    assert joint.parameter_names == (
        "tau",
        "slope[0]",
        "amplitude[1]",
        "offset[1]",
        "size[2]",
        "b[3]",
    )
    x0 = joint.start(
        {"tau": 1.3, "slope": 1.0, "amplitude": 1.0, "offset": 0.0, "size": 1.0, "b": 1.0}
    )
    result = lmoo.Solver().solve(joint, x0)
    whole = lmoo.FunctionProblem(
        lambda x: np.concatenate([
            parts[0].residual(x[[1, 0]]),
            exponential(T, x[2], x[0], x[3]) - parts[1].y,
            parts[2].residual(x[[0, 4]]),
            parts[3].residual(x[[5, 0]]),
        ]),
    )  # fmt: skip
    expected = lmoo.Solver().solve(whole, x0)
    same(result, expected)
    assert result.evaluation == "1 of 4 compiled from line; 3 of 4 called"


def test_several_shared_parameters_some_of_which_are_not_in_all_problems():
    parts = [
        lmoo.CurveProblem(lambda t, a, b: a + b * t, T, 1.0 + 2.0 * T),
        lmoo.CurveProblem(lambda t, b, c: b * t + c * t**2, T, 2.0 * T + 0.5 * T**2),
        lmoo.CurveProblem(lambda t, a, c: a + c * t**2, T[:2], 1.1 + 0.5 * T[:2] ** 2),
    ]
    joint = lmoo.JointProblem(parts, ["a", "b", "c"])
    assert joint.parameter_names == ("a", "b", "c")
    same(lmoo.Solver().solve(joint, [0.0, 0, 0]), by_hand(joint, [0.0, 0, 0]), 1e-8)


def test_a_problem_that_does_not_determine_its_own_parameters_spoils_no_other():
    parts = curves(3)
    # Fewer points than parameters; and two parameters of which only the sum matters.
    parts.append(lmoo.CurveProblem(decay, T[:1], [2.0]))
    parts.append(
        lmoo.CurveProblem(lambda t, tau, p, q: (p + q) * np.exp(-t / tau), T, 2 * np.exp(-T / 1.5))
    )
    joint = lmoo.JointProblem(parts, ["tau"])
    x0 = joint.start({"tau": 1.0, "a": 1.0, "c": 0.0, "p": 1.0, "q": 2.0})
    result, expected = lmoo.Solver().solve(joint, x0), by_hand(joint, x0)
    assert result.success
    assert result.undetermined == expected.undetermined == ("a[3]", "c[3]", "p[4]", "q[4]")
    determined = ~np.isin(result.parameter_names, result.undetermined)
    assert result.rank == expected.rank == len(joint.parameter_names) - 2
    np.testing.assert_allclose(result.x[determined], expected.x[determined], rtol=1e-8)
    np.testing.assert_allclose(result.cost, expected.cost, rtol=1e-9)
    # Parameters that are not determined take no degrees of freedom of a joint fit.
    assert result.degrees_of_freedom == expected.degrees_of_freedom + 2
    np.testing.assert_allclose(
        result.stderr[determined] / result.residual_deviation,
        expected.stderr[determined] / expected.residual_deviation,
        rtol=1e-6,
    )
    alone = lmoo.JointProblem([parts[0], parts[1], parts[2], parts[4]], ["tau"])
    without = lmoo.Solver().solve(
        alone, alone.start({"tau": 1.0, "a": 1.0, "c": 0.0, "p": 1.0, "q": 2.0})
    )
    np.testing.assert_allclose(result.x[:7], without.x[:7], rtol=1e-8)


def test_undetermined_parameters_take_no_degrees_of_freedom():
    parts, x0 = curves(2), {"tau": 1.0, "a": 1.0, "c": 0.0}
    alone = lmoo.JointProblem(parts, ["tau"])
    expected = lmoo.Solver().solve(alone, alone.start(x0))
    joint = lmoo.JointProblem(
        parts + [lmoo.CurveProblem(decay, T[:1], [2.0]) for _ in range(60)], ["tau"]
    )
    result = lmoo.Solver().solve(joint, joint.start(x0))
    assert result.degrees_of_freedom == expected.degrees_of_freedom == 8 + 11 - 5
    np.testing.assert_allclose(result.stderr[:5], expected.stderr, rtol=1e-6)
    np.testing.assert_allclose(result.part(1).stderr, expected.part(1).stderr, rtol=1e-6)
    assert result.reduced_chi_square == pytest.approx(expected.reduced_chi_square, rel=1e-8)
    stored = lmoo.Result.from_dict(result.to_dict())
    assert stored.degrees_of_freedom == expected.degrees_of_freedom


def test_parameters_at_bounds_take_degrees_of_freedom_and_fixed_ones_do_not():
    joint = lmoo.JointProblem(curves(3), ["tau"])
    x0 = joint.start({"tau": 1.0, "a": 1.0, "c": 0.0})
    free = lmoo.Solver().solve(joint, x0)
    low = free.x[2] + 0.01
    joint.bounds = {joint.parameter_names[2]: (low, None)}
    x0[2] = low + 1.0
    bounded = lmoo.Solver().solve(joint, x0)
    assert bounded.active_mask[2] == -1
    assert bounded.degrees_of_freedom == free.degrees_of_freedom == 8 + 11 + 14 - 7
    joint.bounds, joint.fixed = None, [joint.parameter_names[2]]
    assert lmoo.Solver().solve(joint, x0).degrees_of_freedom == free.degrees_of_freedom + 1


def test_fixed_parameters_shared_and_own():
    for fixed in (["tau"], {"a[1]": 1.2}, ["c"], {"c[0]": 0.0, "tau": 1.4}):
        joint = lmoo.JointProblem(curves(3), ["tau"], fixed=fixed)
        x0 = joint.start({"tau": 1.6, "a": 1.2, "c": 0.1})
        same(lmoo.Solver().solve(joint, x0), by_hand(joint, x0, exact=True))
        free = lmoo.JointProblem(curves(3), ["tau"])
        result = lmoo.Solver(fixed=joint.fixed).solve(free, x0)
        assert np.array_equal(result.x, lmoo.Solver().solve(joint, x0).x)


def test_bounds_and_fixed_parameters_of_the_problems_hold():
    parts = curves(2, bounds={"tau": (0, 0.8), "a": (0, 5)})
    parts[1].bounds = {"tau": (0.5, 3.0), "c": (0.1, None)}
    joint = lmoo.JointProblem(parts, ["tau"])
    assert joint.bounds == {
        "tau": (0.5, 0.8), "a[0]": (0.0, 5.0), "c[1]": (0.1, np.inf)
    }  # fmt: skip
    result = lmoo.Solver().solve(joint, {"tau": 0.7, "a": 1.0, "c": 0.2})
    assert result.x[0] == 0.8
    assert result.active_mask[0] == 1
    same(result, by_hand(joint, joint.start({"tau": 0.7, "a": 1.0, "c": 0.2})))
    parts[0].fixed, parts[1].fixed = {"c": 0.3}, {"c": 0.4}
    assert lmoo.JointProblem(parts, ["tau"]).fixed == {"c[0]": 0.3, "c[1]": 0.4}
    parts[0].fixed, parts[1].fixed = {"tau": 1.0}, {"tau": 1.1}
    with pytest.raises(ValueError, match="fix tau at different values"):
        lmoo.JointProblem(parts, ["tau"])


def test_sigma_and_weights_of_the_problems_count():
    parts = curves(3)
    parts[0].sigma, parts[1].sigma = 0.02, np.linspace(0.01, 0.1, parts[1].y.size)
    matrix = 0.01 * np.eye(parts[2].y.size) + 0.005
    parts[2].sigma = matrix
    joint = lmoo.JointProblem(parts, ["tau"])
    x0 = joint.start({"tau": 1.0, "a": 1.0, "c": 0.0})
    same(lmoo.Solver().solve(joint, x0), by_hand(joint, x0))


@pytest.mark.parametrize("loss", ["huber", "cauchy", "soft_l1"])
@pytest.mark.parametrize("f_scale", [0.02, "mad"])
@pytest.mark.parametrize("trace", ["auto", False])
def test_losses(loss, f_scale, trace):
    parts = curves(3, trace=trace)
    for part in parts:
        part.y[3] += 1.0
    joint = lmoo.JointProblem(parts, ["tau"])
    x0 = joint.start({"tau": 1.2, "a": 1.5, "c": 0.0})
    solver = lmoo.Solver(loss=loss, f_scale=f_scale)
    result, expected = solver.solve(joint, x0), by_hand(joint, x0, solver)
    assert result.success
    assert expected.success
    np.testing.assert_allclose(result.x, expected.x, rtol=1e-7)
    np.testing.assert_allclose(result.cost, expected.cost, rtol=1e-8)
    np.testing.assert_allclose(result.f_scale, expected.f_scale, rtol=1e-7)
    np.testing.assert_allclose(result.stderr, expected.stderr, rtol=1e-5)
    np.testing.assert_allclose(result.loss_weights, expected.loss_weights, rtol=1e-6)


def huber_of_squares(z):
    """Huber's loss as a function of the user's."""
    root = np.sqrt(np.maximum(z, 1.0))
    outside = z > 1.0
    return np.stack(
        [
            np.where(outside, 2 * root - 1, z),
            np.where(outside, 1 / root, 1.0),
            np.where(outside, -0.5 / root**3, 0.0),
        ]
    )


@pytest.mark.parametrize("loss", ["huber", "cauchy", "tukey", huber_of_squares])
def test_parts_have_their_share_of_a_loss(loss):
    import copy
    import pickle

    parts = curves(3)
    parts[1].y[3] += 1.0
    joint = lmoo.JointProblem(parts, ["tau"])
    solver = lmoo.Solver(loss=loss, f_scale=0.02)
    result = solver.solve(joint, joint.start({"tau": 1.0, "a": 1.0, "c": 0.0}))
    found = [result.part(k) for k in range(3)]
    np.testing.assert_allclose(sum(part.cost for part in found), result.cost, rtol=1e-12)
    for k, part in enumerate(found):
        # An ordinary fit with its parameters fixed there has the same.
        names = list(part.parameter_names)
        alone = lmoo.CurveProblem(decay, parts[k].t, parts[k].y, fixed=names)
        expected = solver.solve(alone, part.x)
        assert part.cost == pytest.approx(expected.cost, rel=1e-12)
        assert part.fnorm == pytest.approx(expected.fnorm, rel=1e-12)
        np.testing.assert_allclose(part.robust.sums, expected.robust.sums, rtol=1e-12)
        np.testing.assert_allclose(part.loss_weights, expected.loss_weights, rtol=1e-12)
        assert part.residual_deviation == result.residual_deviation
    np.testing.assert_allclose(
        sum(part.robust.sums for part in found), result.robust.sums, rtol=1e-12
    )
    again = pickle.loads(pickle.dumps(result))
    assert again.part(1).cost == found[1].cost
    without = copy.copy(again)
    object.__setattr__(without, "solver", None)
    if callable(loss):
        with pytest.raises(ValueError, match="needs the loss, huber_of_squares, which"):
            without.part(1)
    else:
        assert without.part(1).cost == found[1].cost


@pytest.mark.parametrize(
    "step", [None, lmoo.Nielsen(), lmoo.GeodesicAcceleration(), lmoo.More(accelerate=False)]
)
def test_step_strategies(step):
    joint = lmoo.JointProblem(curves(3), ["tau"])
    x0 = joint.start({"tau": 1.0, "a": 1.0, "c": 0.0})
    solver = lmoo.Solver(step=step)
    same(solver.solve(joint, x0), by_hand(joint, x0, solver), 1e-8)


def test_other_derivatives():
    joint = lmoo.JointProblem(curves(3), ["tau"])
    x0 = joint.start({"tau": 1.0, "a": 1.0, "c": 0.0})
    expected = by_hand(joint, x0)
    for strategy in (lmoo.CentralDifference(), lmoo.ComplexStep(), lmoo.ForwardDifference()):
        result = lmoo.Solver(jacobian=strategy).solve(joint, x0)
        same(result, expected, 1e-8)
        assert "takes derivatives by" in result.evaluation


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
    assert str(part).startswith("Nonlinear least squares")
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
    assert "and 2801 more parameters" in str(result)
    with pytest.raises(ValueError, match="covariance_of"):
        result.covariance()
    assert result.covariance_of(["tau", "a[2999]"]).shape == (2, 2)
    assert result.to_dict()["covariance"] is None
    low, high = result.confidence_interval()[0]
    assert low < result.x[0] < high


# ---- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("problems", "shared", "error", "match"),
    [
        ([], ["tau"], ValueError, "one problem at least"),
        ("tau", ["tau"], TypeError, "sequence of problems"),
        ([3], ["tau"], TypeError, r"problems\[0\] must be a Problem"),
        (curves(2), [], ValueError, "at least"),
        (curves(2), "tau", TypeError, "sequence of names"),
        (curves(2), ["rate"], ValueError, "which no problem has; the problems have a, tau, c"),
        (curves(2), ["tau", "tau"], ValueError, "once"),
        (curves(2), [3], TypeError, "names"),
        (curves(2), {"tau": ["tau"]}, ValueError, "for each of the 2 problems"),
        (curves(2), {"tau": ["tau", "rate"]}, ValueError, r"'rate' for problems\[1\]"),
        (curves(2), {"tau": [None, None]}, ValueError, "which no problem has"),
        (curves(2), {"tau": "tau", "c": "tau"}, ValueError, "once"),
        ([lmoo.FunctionProblem(np.cos)], ["tau"], ValueError, "must have parameter_names"),
        ([lmoo.CurveProblem(decay, T, T, sigma_x=0.1)], ["tau"], TypeError, "without sigma_x"),
        ([lmoo.JointProblem(curves(2), ["tau"])], ["tau"], TypeError, "JointProblem"),
    ],
)  # fmt: skip
def test_bad_problems_and_names(problems, shared, error, match):
    with pytest.raises(error, match=match):
        lmoo.JointProblem(problems, shared)


@pytest.mark.parametrize(
    ("x0", "match"),
    [
        ({"tau": 1.0, "a": 1.0}, r"c\[0\] has none"),
        ({"tau": 1.0, "a": 1.0, "c": 0.0, "d": 1.0}, "'d', which is not a parameter"),
        ({"tau": 1.0, "a": [1.0, 2.0, 3.0], "c": 0.0}, r"x0\['a'\] must be one number, or one for"),
        ({"tau": [1.0, 2.0], "a": 1.0, "c": 0.0}, r"x0\['tau'\]"),
        ([1.0, 2.0], "one entry per parameter, 2"),
        ([1.0, 2.0, np.nan, 1.0, 1.0], "finite"),
    ],
)  # fmt: skip
def test_bad_starting_points(x0, match):
    with pytest.raises(ValueError, match=match):
        lmoo.Solver().solve(lmoo.JointProblem(curves(2), ["tau"]), x0)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"bounds": {"rate": (0, 1)}}, "bounds has 'rate'"),
        ({"fixed": ["rate"]}, "fixed has 'rate'"),
        ({"fixed": {"a[7]": 1.0}}, "fixed has"),
    ],
)
def test_bad_bounds_and_fixed_names(options, match):
    with pytest.raises(ValueError, match=match):
        lmoo.JointProblem(curves(2), ["tau"], **options)


def test_relations_of_parameters_are_refused():
    joint = lmoo.JointProblem(curves(2), ["tau"])
    for options in ({"ties": {"a[1]": "a[0]"}}, {"priors": {"tau": (1.0, 0.1)}}):
        with pytest.raises(ValueError, match="not available with shared parameters"):
            lmoo.Solver(**options).solve(joint, np.ones(5))
    with pytest.raises(ValueError, match=r"problems\[0\] must be without ties"):
        lmoo.JointProblem(curves(1, ties={"a": "c"}), ["tau"])


def test_exceptions_name_the_problem():
    def broken(t, a, tau):
        raise ZeroDivisionError("no")

    parts = [*curves(1), lmoo.CurveProblem(broken, T, T)]
    with pytest.raises(ZeroDivisionError) as raised:
        lmoo.Solver().solve(lmoo.JointProblem(parts, ["tau"]), [1.0, 1, 1, 1])
    assert "problems[1]" in "".join(raised.value.__notes__)
    parts[1] = lmoo.CurveProblem(lambda t, a, tau: np.full(15, np.nan), T, T, trace=False)
    with pytest.raises(lmoo.EvaluationError, match="entry 8 is nan"):
        lmoo.Solver().solve(lmoo.JointProblem(parts, ["tau"]), [1.0, 1, 1, 1])
    with pytest.raises(ValueError, match="linear must be None"):
        lmoo.Solver(linear=lmoo.LinearModel).solve(
            lmoo.JointProblem(curves(2), ["tau"]), np.ones(5)
        )


def test_bad_points_are_stepped_around():
    """A member that refuses points beyond a limit, as the whole problem would."""

    def guarded(x):
        if x[1] > 1.8:
            raise lmoo.EvaluationError("too far")
        return decay(T, x[0], x[1], x[2]) - decay(T, 2.0, 1.5, 0.1)

    parts = [lmoo.FunctionProblem(guarded, parameter_names=["a", "tau", "c"]), *curves(2)]
    joint = lmoo.JointProblem(parts, ["tau"])
    x0 = joint.start({"tau": 0.4, "a": 0.5, "c": 0.0})
    same(lmoo.Solver().solve(joint, x0), by_hand(joint, x0), 1e-8)


def test_a_trace_that_differs_from_its_function_is_found(monkeypatch):
    """A function that is another one after its first call, that at the start."""
    found = traced(falling, Kind(2, points=T.size))
    monkeypatch.setattr("lmoo.models.tracing.evaluation.traced", lambda *args: found)

    def problem(trace="auto"):
        calls = []

        def changing(t, a, tau):
            calls.append(1)
            return falling(t, a, tau) * (1.0 if len(calls) < 2 else 2.0)

        y = 2.0 * falling(T, 1.0, 1.5)
        return lmoo.JointProblem(
            [lmoo.CurveProblem(changing, T, y, trace=trace), lmoo.CurveProblem(falling, T, y)],
            ["tau"],
        )

    with pytest.warns(lmoo.TraceWarning, match=r"problems\[0\]"):
        result = lmoo.Solver().solve(problem(), {"tau": 1.0, "a": 1.0})
    assert result.evaluation.startswith("called, because at the solution problems[0]")
    np.testing.assert_allclose(result.x, [1.5, 1.0, 2.0], rtol=1e-8)
    with pytest.raises(lmoo.TraceError, match=r"at the solution of problems\[0\]"):
        lmoo.Solver().solve(problem(trace=True), {"tau": 1.0, "a": 1.0})


def falling(t, a, tau):
    return a * np.exp(-t / tau)
