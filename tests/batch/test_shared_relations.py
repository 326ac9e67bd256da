"""Stacks with shared parameters that are related, against the joint problem."""

import pickle

import numpy as np
import pytest
from test_shared import T, decay, joint, stack

import lmoo

START = {"a": 1.5, "rate": 1.0, "c": 0.1}
RELATIONS = {
    "tie": {"ties": {"c": "a/9"}},
    "tie to the shared one": {"ties": {"c": "a/9 - rate/10"}, "derived": {"tau": "1/rate"}},
    "derived": {"derived": {"area": "a/rate", "tau": "1/rate"}},
    "prior of the shared one": {"priors": {"rate": (0.8, 0.01)}},
    "priors of own ones": {"priors": {"a": (2.0, 0.05), "c": (0.0, 0.1)}},
    "priors of both": {
        "priors": {"rate": (0.8, 0.01), "area": (3.0, 0.2), "tau": (1.4, 0.1)},
        "derived": {"area": "a/rate", "tau": "1/rate"},
    },
    "inequality": {"constraints": ["a + c <= 2.2", "c >= -5"]},
    "inequality with the shared one": {"constraints": ["a <= 3*rate"]},
    "equation": {"constraints": ["a + c + rate == 3"]},
    "equation of two": {"constraints": ["rate + c == 0.8"], "derived": {"area": "a/rate"}},
}


@pytest.mark.parametrize("trace", ["auto", False])
@pytest.mark.parametrize("name", RELATIONS)
def test_a_stack_is_the_joint_problem(name, trace):
    relations, y = RELATIONS[name], stack(5)
    fits = lmoo.curve_fit_many(decay, T, y, START, shared=["rate"], trace=trace, **relations)
    problem = joint(y)
    start = problem.start(START)
    if "constraints" in relations:
        start = problem.start({**START, "c": 0.5 if name == "equation" else 0.1})
    result = lmoo.Solver(**relations).solve(problem, start)
    assert fits.success.all()
    assert result.success
    for k, index in enumerate(problem.indices):
        np.testing.assert_allclose(fits.x[k], result.x[index], rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(fits.stderr[k], result.stderr[index], rtol=1e-4, atol=1e-12)
        sizes = np.outer(result.stderr[index], result.stderr[index])
        sizes = np.where(sizes > 0, sizes, 1.0)
        expected = result.covariance()[np.ix_(index, index)] / sizes
        np.testing.assert_allclose(fits.covariance[k] / sizes, expected, atol=1e-4)
    assert fits.degrees_of_freedom == result.degrees_of_freedom
    assert fits.residual_deviation == pytest.approx(result.residual_deviation, rel=1e-8)
    assert fits.joint_cost == pytest.approx(result.cost, rel=1e-8)
    for quantity in relations.get("derived", ()):
        one = result.derived.get(quantity)
        for k in range(5):
            expected = one or result.derived[f"{quantity}[{k}]"]
            np.testing.assert_allclose(fits[quantity].value[k], expected.value, rtol=1e-6)
            np.testing.assert_allclose(fits[quantity].stderr[k], expected.stderr, rtol=1e-4)


def test_the_result_of_one_curve():
    y = stack(6, shape=(2, 3))
    y[0, 1, 4] = np.nan
    options = {"ties": {"c": "a/9"}, "derived": {"area": "a/rate"}, "priors": {"a": (2.0, 0.2)}}
    fits = lmoo.curve_fit_many(decay, T, y, START, shared=["rate"], nan_policy="omit", **options)
    assert fits["area"].value.shape == (2, 3)
    assert fits.shared == ("rate",)
    assert fits.is_shared.tolist() == [False, True, False]
    one = fits[0, 1]
    np.testing.assert_allclose(one.x, fits.x[0, 1])
    np.testing.assert_allclose(one.stderr, fits.stderr[0, 1], rtol=1e-12)
    np.testing.assert_allclose(one.covariance(), fits.covariance[0, 1], rtol=1e-10)
    assert one["area"].stderr == pytest.approx(fits["area"].stderr[0, 1])
    assert one.residual.size == one.observations == 11
    assert one.degrees_of_freedom == fits.degrees_of_freedom == 71 - 7
    np.testing.assert_allclose(one.residual, decay(np.delete(T, 4), *one.x) - np.delete(y[0, 1], 4))
    value, lower, upper = one.predict([1.0], interval="confidence")
    assert lower < value < upper
    assert one.params[2].tie == "a/9"
    assert "prior" in one.report()
    again = pickle.loads(pickle.dumps(one))
    np.testing.assert_array_equal(again.stderr, one.stderr)
    damaged = pickle.dumps(one).replace(b"of_data", b"of_dama")
    with pytest.raises(ValueError, match="damaged"):
        pickle.loads(damaged)
    assert repr(fits).startswith("<RelatedJointFits of 2 x 3 curves, 6 of 6 converged")


def test_many_curves_in_parts():
    """More curves than one part of the arrow model has, with priors of all kinds."""
    y = stack(700)
    relations = RELATIONS["priors of both"]
    fits = lmoo.curve_fit_many(decay, T, y, START, shared=["rate"], **relations)
    called = lmoo.curve_fit_many(decay, T, y[:20], START, shared=["rate"], trace=False, **relations)
    some = lmoo.curve_fit_many(decay, T, y[:20], START, shared=["rate"], **relations)
    np.testing.assert_allclose(called.x, some.x, rtol=1e-6)
    np.testing.assert_allclose(called.stderr, some.stderr, rtol=1e-4)
    assert fits.success.all()
    assert np.ptp(fits.x[:, 1]) == 0.0


def test_bounds_and_losses():
    y = stack(5)
    y[:, 3] += 1.0
    options = {"ties": {"c": "a/9"}, "bounds": {"a": (0, 2.0)}}
    fits = lmoo.curve_fit_many(
        decay, T, y, START, shared=["rate"], solver=lmoo.Solver(loss="cauchy", f_scale=0.05),
        **options,
    )  # fmt: skip
    problem = lmoo.JointProblem(joint(y).problems, ["rate"], bounds={"a": (0, 2.0)})
    result = lmoo.Solver(loss="cauchy", f_scale=0.05, ties={"c": "a/9"}).solve(problem, START)
    for k, index in enumerate(problem.indices):
        np.testing.assert_allclose(fits.x[k], result.x[index], rtol=1e-6)
    assert (fits.x[:, 0] == 2.0).any()


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"ties": {"rate": "a/2"}}, "rate = a/2 does: share these too"),
        ({"ties": {"rate": "0.5"}}, "leave a parameter to be fitted for all curves"),
        ({"ties": {"d": "a"}}, "ties must have names of a, rate, c"),
        ({"constraints": ["a <= 3", "a + rate <= 9", "a >= rate"]}, "linearly independent"),
        ({"priors": {"a": (1, 1)}, "solver": lmoo.Solver(loss="huber")}, "priors and a loss"),
    ],
)
def test_what_is_refused(options, match):
    with pytest.raises(ValueError, match=match):
        lmoo.curve_fit_many(decay, T, stack(3), START, shared=["rate"], **options)
