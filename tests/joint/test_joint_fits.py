"""Joint fits against the same problem with the dense linear model."""

import pickle

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from joint_cases import Oscillation, T, by_hand, curves, decay, huber_of_squares, line, same

import lmoo


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
@example(1, 18042, 5.0, True)
@example(1, 9296, 1.0, True)
@example(3, 362879, 1.0, True)
@settings(max_examples=100, deadline=None)
def test_random_joint_fits(count, seed, start, bounded):
    bounds = {"a": (0.0, 2.0), "c": (-0.2, None)} if bounded else None
    joint = lmoo.JointProblem(curves(count, seed), shared=["tau"], bounds=bounds)
    x0 = joint.start({"tau": start, "a": 1.0, "c": 0.0})
    # A step of the dense solve may lead to a negative tau, where its exponential overflows, and a
    # product of it with an amplitude at its bound of 0 is nan.
    with np.errstate(over="ignore", invalid="ignore"):
        result, expected = lmoo.Solver().solve(joint, x0), by_hand(joint, x0, exact=True)
        # The Jacobian of a result is that of the point before its last step: here the minimum.
        again, whole = (
            lmoo.Solver().solve(joint, expected.x),
            by_hand(joint, expected.x, exact=True),
        )
    # Either may end by ftol, which leaves 1e-7 of a standard error.
    sizes = np.where(expected.stderr > 0, expected.stderr, 1.0)
    np.testing.assert_allclose(result.x / sizes, expected.x / sizes, rtol=0, atol=1e-6)
    same(again, whole, 1e-6)
    np.testing.assert_allclose(again.stderr, whole.stderr, rtol=1e-5)


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
    assert result.evaluation == "1 of 4 compiled from line; 1 of 4 compiled; 2 of 4 called"


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


@pytest.mark.parametrize("loss", ["huber", "cauchy", "tukey", huber_of_squares])
def test_parts_have_their_share_of_a_loss(loss):
    import copy

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
    norms, *sums = np.stack([part.robust.sums for part in found], axis=1)
    total = [np.linalg.norm(norms), *np.sum(sums, axis=1)]
    np.testing.assert_allclose(total, result.robust.sums, rtol=1e-12)
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
