"""Stacks of curves with shared parameters."""

from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lmoo

T = np.linspace(0.0, 4.0, 12)
START = [1.0, 1.0, 0.0]


def decay(t, a, rate, c):
    return a * np.exp(-rate * t) + c


def stack(count, seed=0, m=12, noise=0.02, shape=None):
    rng = np.random.default_rng(seed)
    a, c = rng.uniform(1, 3, count), rng.uniform(-0.5, 0.5, count)
    y = decay(T[:m], a[:, None], 0.7, c[:, None]) + noise * rng.normal(size=(count, m))
    return y if shape is None else y.reshape(*shape, m)


def joint(y, t=T, sigma=None, shared=("rate",), keep=None, model=decay):
    """Return the joint problem of a stack."""
    parts = []
    for k, row in enumerate(y):
        there = np.isfinite(row) if keep is None else keep[k]
        s = None if sigma is None else np.broadcast_to(sigma, y.shape)[k][there]
        parts.append(lmoo.CurveProblem(model, t[there], row[there], s, trace=False))
    return lmoo.JointProblem(parts, list(shared))


def solve(problem, p0, solver=None):
    start = problem.start(dict(zip(("a", "rate", "c"), p0, strict=True)))
    return (solver or lmoo.Solver()).solve(problem, start)


def same(fits, result, problem, relative=1e-7):
    for k, index in enumerate(problem.indices):
        np.testing.assert_allclose(
            fits.x.reshape(-1, 3)[k], result.x[index], rtol=relative, atol=1e-9
        )
        stderr = fits.stderr.reshape(-1, 3)[k]
        np.testing.assert_allclose(stderr, result.stderr[index], rtol=1e-5)
        covariance = fits.covariance.reshape(-1, 3, 3)[k]
        sizes = np.where(stderr > 0, stderr, 1.0)
        np.testing.assert_allclose(
            covariance / np.outer(sizes, sizes),
            result.covariance()[np.ix_(index, index)] / np.outer(sizes, sizes),
            atol=1e-5,
        )
    np.testing.assert_allclose(fits.cost.sum(), result.cost, rtol=1e-8)
    assert fits.degrees_of_freedom == result.degrees_of_freedom
    assert fits.residual_deviation == pytest.approx(result.residual_deviation)


def test_a_stack_is_the_joint_problem():
    y = stack(7)
    fits = lmoo.curve_fit_many(decay, T, y, p0=[1, 1, 0], shared=["rate"])
    problem = joint(y)
    same(fits, solve(problem, [1, 1, 0]), problem)
    assert fits.success.all()
    assert fits.shared == ("rate",)
    assert fits.is_shared.tolist() == [False, True, False]
    assert np.ptp(fits.x[:, 1]) == 0.0 == np.ptp(fits.stderr[:, 1])
    assert fits.evaluation == "compiled from decay"
    assert fits.joint_cost == pytest.approx(fits.cost.sum())
    assert len(fits) == 7


@given(st.integers(1, 8), st.sampled_from([["rate"], ["c", "a"], ["a"], [1], ["a", "rate", "c"]]),
       st.integers(0, 2**31))  # fmt: skip
@settings(max_examples=20, deadline=None)
def test_random_stacks(count, shared, seed):
    y = stack(count, seed)
    fits = lmoo.curve_fit_many(decay, T, y, p0=[1.5, 1, 0.1], shared=shared)
    problem = joint(y, shared=[("a", "rate", "c")[s] if isinstance(s, int) else s for s in shared])
    result = solve(problem, [1.5, 1, 0.1], lmoo.Solver(xtol=1e-12))
    if fits.success.all() and result.success and abs(fits.joint_cost / result.cost - 1) < 1e-6:
        same(fits, result, problem, 1e-6)
    else:
        assert fits.joint_cost <= result.cost * (1 + 1e-6)


@pytest.mark.parametrize("model", ["traced", "called", "built in", "jac"])
def test_every_kind_of_model(model):
    y = stack(5)
    options = {"p0": [1, 1, 0], "shared": ["rate"]}
    f = decay
    if model == "called":
        options["trace"] = False
    elif model == "jac":
        options["jac"] = lambda t, a, rate, c: [
            np.exp(-rate * t), -a * t * np.exp(-rate * t), np.ones_like(a * t)
        ]  # fmt: skip
    elif model == "built in":
        f = lmoo.models.Exponential()
    fits = lmoo.curve_fit_many(f, T, y, **options)
    problem = joint(y)
    same(fits, solve(problem, [1, 1, 0]), problem)
    part = fits[3]
    np.testing.assert_array_equal(part.x, fits.x[3])
    np.testing.assert_allclose(part.stderr, fits.stderr[3])
    assert part.residual.shape == (12,)
    np.testing.assert_allclose(part.residual, decay(T, *part.x) - y[3], atol=1e-12)
    assert part.predict([1.0], interval="confidence")[0].shape == (1,)
    assert "rate" in str(part)


def test_shapes_weights_bounds_and_fixed_parameters():
    y = stack(6, shape=(2, 3))
    sigma = np.linspace(0.01, 0.05, 12)
    solver = lmoo.Solver(bounds={"a": (0, 2.0), "rate": (0.1, None)}, fixed={"c": 0.1})
    fits = lmoo.curve_fit_many(
        decay, T, y, [1, 1, 0.1], sigma=sigma, shared=["rate"], solver=solver
    )
    assert fits.x.shape == (2, 3, 3)
    assert fits.covariance.shape == (2, 3, 3, 3)
    rows = y.reshape(6, 12)
    problem = joint(rows, sigma=sigma)
    problem.bounds, problem.fixed = problem._expanded("bounds", solver.bounds), {
        f"c[{k}]": 0.1 for k in range(6)
    }  # fmt: skip
    same(fits, solve(problem, [1, 1, 0.1]), problem)
    assert (fits.x[..., 2] == 0.1).all()
    assert (fits.stderr[..., 2] == 0.0).all()
    assert fits[1, 2].parameter_names == ("a", "rate", "c")
    with pytest.raises(IndexError):
        fits[5]


@pytest.mark.parametrize("trace", ["auto", False])
def test_missing_points(trace):
    y = stack(5)
    y[0, 3:6] = np.nan
    y[4, 1:] = np.nan
    fits = lmoo.curve_fit_many(
        decay, T, y, [1, 1, 0], shared=["rate"], nan_policy="omit", trace=trace
    )
    problem = joint(y)
    result = solve(problem, [1, 1, 0])
    assert fits.success.all()
    # The last curve has one point, which determines one of its two parameters.
    assert fits.degrees_of_freedom == result.degrees_of_freedom == 46 - 10
    for k in range(4):
        np.testing.assert_allclose(fits.x[k], result.x[problem.indices[k]], rtol=1e-7)
        np.testing.assert_allclose(fits.stderr[k], result.stderr[problem.indices[k]], rtol=1e-5)
    assert np.isinf(fits.stderr[4, [0, 2]]).all()
    assert np.isfinite(fits.stderr[4, 1])
    assert fits[0].observations == 9
    assert fits[0].residual.size == 9
    assert fits[4].undetermined == ("a", "c")
    masked = lmoo.curve_fit_many(
        decay, T, np.ma.masked_invalid(y), [1, 1, 0], shared=["rate"], trace=trace
    )
    np.testing.assert_array_equal(masked.x, fits.x)


@pytest.mark.parametrize("points", [0, 1])
def test_curves_without_own_parameters_leave_the_errors_of_the_others(points):
    y = stack(40)
    y[2:, points:] = np.nan
    options = {"shared": ["rate"], "nan_policy": "omit"}
    fits = lmoo.curve_fit_many(decay, T, y, [1, 1, 0], **options)
    alone = lmoo.curve_fit_many(decay, T, y[:2], [1, 1, 0], **options)
    # Each point of another curve takes one of its own parameters.
    assert fits.degrees_of_freedom == alone.degrees_of_freedom == 24 - 5
    assert fits.residual_deviation == pytest.approx(alone.residual_deviation, rel=1e-9)
    np.testing.assert_allclose(fits.stderr[:2], alone.stderr, rtol=1e-6)
    np.testing.assert_allclose(fits.covariance[:2], alone.covariance, rtol=1e-5, atol=1e-12)
    assert fits[0].degrees_of_freedom == 19
    np.testing.assert_allclose(fits[1].stderr, alone[1].stderr, rtol=1e-6)
    assert np.isinf(fits.stderr[2:, [0, 2]]).all()


@pytest.mark.parametrize("shared", [("rate",), ("c", "a"), ("a", "rate", "c")])
@pytest.mark.parametrize("bounds", [None, {"c": (0.6, np.inf)}])
def test_blocks_of_curves_are_those_of_the_whole_matrix(shared, bounds):
    y = stack(4)
    y[1, 1:] = np.nan
    fits = lmoo.curve_fit_many(
        decay, T, y, [1.0, 1.0, 0.7], shared=shared, bounds=bounds, nan_policy="omit"
    )
    lost = len(shared) < 3
    assert lost == np.isnan(fits.covariance[1]).any()
    assert (bounds is not None) == (fits.covariance[0, 2, 2] == 0.0)
    for k in range(len(y)):
        np.testing.assert_allclose(fits.covariance[k], fits[k].covariance(), rtol=1e-9)
        np.testing.assert_allclose(fits.stderr[k], fits[k].stderr, rtol=1e-9)
        np.testing.assert_allclose(fits.stderr[k] ** 2, np.diag(fits.covariance[k]), rtol=1e-9)


def test_fewer_points_than_parameters():
    y = stack(40, m=2)
    fits = lmoo.curve_fit_many(decay, T[:2], y, [1, 1, 0], shared=["rate", "c"])
    assert fits.success.all()
    assert np.isfinite(fits.stderr).all()
    alone = lmoo.curve_fit_many(decay, T[:2], y, [1, 1, 0])
    assert np.isinf(alone.stderr).all()


@pytest.mark.parametrize("f_scale", [0.03, "mad"])
@pytest.mark.parametrize("missing", [False, True])
def test_losses(f_scale, missing):
    y = stack(5)
    y[:, 4] += 1.0
    if missing:
        y[2, 7] = np.nan
    solver = lmoo.Solver(loss="huber", f_scale=f_scale)
    fits = lmoo.curve_fit_many(
        decay, T, y, [1, 1, 0], shared=["rate"], solver=solver, nan_policy="omit"
    )
    problem = joint(y)
    result = solve(problem, [1, 1, 0], solver)
    same(fits, result, problem, 1e-6)
    assert fits[1].f_scale == pytest.approx(result.f_scale, rel=1e-7)
    assert fits[1].loss_weights[4] < 0.5
    for k in range(5):
        part = result.part(k)
        assert fits[k].cost == pytest.approx(part.cost, rel=1e-6)
        assert fits[k].cost == pytest.approx(fits.cost[k], rel=1e-12)
        np.testing.assert_allclose(fits[k].robust.sums, part.robust.sums, rtol=1e-5)
        assert fits[k].residual.size == fits[k].loss_weights.size == np.isfinite(y[k]).sum()


def test_own_starting_values_and_out():
    y = stack(4)
    p0 = np.array([[1, 0.5, 0], [2, 0.6, 0], [2, 0.8, 0], [1, 0.9, 0.0]])
    x, nothing = np.zeros((4, 3)), None
    fits = lmoo.curve_fit_many(
        decay, T, y, p0, shared=["rate"], out={"x": x, "covariance": nothing}
    )
    assert fits.x is x
    assert fits.covariance is None
    assert fits.success.all()
    guessed = lmoo.curve_fit_many(lmoo.models.Exponential(), T, y, shared=["rate"])
    np.testing.assert_allclose(guessed.x, x, rtol=1e-7)


def test_many_curves_on_threads_are_the_same_as_few():
    """More groups than one part has: the same minimum as from an elimination in numpy."""
    y = stack(3000, seed=4)
    fits = lmoo.curve_fit_many(decay, T, y, [1, 1, 0], shared=["rate"])
    assert fits.success.all()
    rate = fits.x[0, 1]
    design = np.stack([np.exp(-rate * T), np.ones(12)], axis=1)
    q, r = np.linalg.qr(design)
    best = np.linalg.solve(r, q.T @ y.T).T
    np.testing.assert_allclose(fits.x[:, [0, 2]], best, rtol=1e-8, atol=1e-9)
    slopes = -best[:, :1] * T * np.exp(-rate * T)
    slopes = slopes - slopes @ q @ q.T
    residual = y - best @ design.T
    assert abs((slopes * residual).sum()) < 1e-8 * np.linalg.norm(slopes) * np.linalg.norm(residual)
    sigma = fits.residual_deviation
    np.testing.assert_allclose(fits.stderr[0, 1], sigma / np.linalg.norm(slopes), rtol=1e-8)
    assert sigma == pytest.approx(np.sqrt((residual**2).sum() / (y.size - 6001)))


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"shared": ["tau"]}, ValueError, "is not a parameter of f; these are a, rate, c"),
        ({"shared": "rate"}, TypeError, "sequence of names"),
        ({"shared": []}, ValueError, "at least"),
        ({"shared": ["rate", 1]}, ValueError, "once"),
        ({"shared": [3]}, ValueError, "from 0 to 2"),
        ({"shared": [1.5]}, TypeError, "shared"),
        ({"shared": ["rate"], "threads": 2}, ValueError, "threads must be left out"),
        ({"shared": ["rate"], "errors": "record"}, ValueError, "errors must be left out"),
        ({"shared": ["rate"], "progress": True}, ValueError, "progress must be left out"),
        ({"shared": ["c"], "solver": lmoo.Solver(separable=True)}, ValueError, "separable"),
        ({"shared": ["rate"], "bounds": {"a": (0, np.ones(3))}}, ValueError, "same for all"),
        ({"shared": ["c"], "solver": lmoo.Solver(linear=lmoo.LinearModel)}, ValueError, "linear"),
    ],
)  # fmt: skip
def test_what_is_refused(options, error, match):
    with pytest.raises(error, match=match):
        lmoo.curve_fit_many(decay, T, stack(3), **{"p0": [1, 1, 0], **options})


def test_curves_are_not_stored_alone():
    fits = lmoo.curve_fit_many(decay, T, stack(3), [1, 1, 0], shared=["rate"])
    for what in ("to_dict", "to_json"):
        with pytest.raises(TypeError, match=f"{what} of one problem of a joint fit depends on"):
            getattr(fits[0], what)()


def test_a_fixed_shared_parameter_has_one_value():
    p0 = np.ones((3, 3))
    p0[1, 1] = 2.0
    solver = lmoo.Solver(fixed=["rate"])
    with pytest.raises(ValueError, match="same for all curves"):
        lmoo.curve_fit_many(decay, T, stack(3), p0, shared=["rate"], solver=solver)
    fits = lmoo.curve_fit_many(decay, T, stack(3), np.ones((3, 3)), shared=["rate"], solver=solver)
    assert (fits.x[:, 1] == 1.0).all()
    assert (fits.stderr[:, 1] == 0.0).all()


def test_a_model_without_values_at_the_start():
    with pytest.raises(lmoo.EvaluationError), np.errstate(all="ignore"):
        lmoo.curve_fit_many(
            lambda t, a, b: a * np.log(b * t), T + 1, stack(3), [1, -1], shared=["b"], trace=False
        )


def test_bounds_of_many_curves_are_exchanged_together():
    """Many curves end at bounds, where the conditions of Karush, Kuhn and Tucker hold."""
    y = stack(3000, seed=5)
    lower, upper = np.array([0.0, 0.1, -0.3]), np.array([2.5, 2.0, 0.3])
    solver = lmoo.Solver(bounds=(lower, upper))
    fits = lmoo.curve_fit_many(decay, T, y, [1, 1, 0], shared=["rate"], solver=solver)
    assert fits.success.all()
    assert fits.nit[0] < 30
    a, rate, c = fits.x.T[:, :, None]
    falling = np.exp(-rate * T)
    residual = a * falling + c - y
    slopes = np.stack([falling, np.ones_like(falling)], axis=1)
    norms = np.linalg.norm(slopes, axis=2) * np.linalg.norm(residual, axis=1)[:, None]
    cosines = np.einsum("kjm,km->kj", slopes, residual) / norms
    own = fits.x[:, [0, 2]]
    at_lower, at_upper = own == lower[[0, 2]], own == upper[[0, 2]]
    assert (at_lower | at_upper).sum() > 500
    assert (cosines[at_lower] > -1e-8).all()
    assert (cosines[at_upper] < 1e-8).all()
    assert np.abs(cosines[~(at_lower | at_upper)]).max() < 1e-6
    shared = -a * T * falling
    assert abs((shared * residual).sum()) < 1e-8 * np.linalg.norm(shared) * np.linalg.norm(residual)
    few = lmoo.curve_fit_many(decay, T, y[:40], [1, 1, 0], shared=["rate"], solver=solver)
    problem = joint(y[:40])
    problem.bounds = problem._expanded(
        "bounds", {"a": (0, 2.5), "rate": (0.1, 2), "c": (-0.3, 0.3)}
    )
    np.testing.assert_allclose(few.joint_cost, solve(problem, [1, 1, 0]).cost, rtol=1e-10)


# ---- on an executor ---------------------------------------------------------------------------


@pytest.mark.parametrize("loss", ["linear", "huber"])
def test_an_executor_gives_the_same_fit(monkeypatch, loss):
    """In pieces of several curves; with missing points, weights for each curve, relations."""
    monkeypatch.setattr("lmoo.batch.remoteshared.PIECE", 4)
    y = stack(11)
    y[3, 5] = np.nan
    solver = lmoo.Solver(loss=loss, f_scale=0.05)
    for relations in ({}, {"ties": {"c": "a/9"}, "derived": {"area": "a/rate"}}):
        options = dict(shared=["rate"], nan_policy="omit", solver=solver, **relations)
        here = lmoo.curve_fit_many(decay, T, y, START, **options)
        with ThreadPoolExecutor(2) as pool:
            there = lmoo.curve_fit_many(decay, T, y, START, executor=pool, **options)
        np.testing.assert_allclose(there.x, here.x, rtol=1e-12)
        np.testing.assert_allclose(there.stderr, here.stderr, rtol=1e-9)
        np.testing.assert_allclose(there.covariance, here.covariance, rtol=1e-8, atol=1e-18)
        assert there.joint_cost == pytest.approx(here.joint_cost, rel=1e-12)
        np.testing.assert_array_equal((there.nfev, there.njev), (here.nfev, here.njev))
        np.testing.assert_allclose(there[3].residual, here[3].residual, rtol=1e-9, atol=1e-14)


def test_workers_that_have_died_are_replaced_by_this_process(monkeypatch):
    class Dying(Executor):
        """Refuses tasks after the third one, and loses the third."""

        count = 0

        def submit(self, function, /, *args):
            self.count += 1
            if self.count > 3:
                raise BrokenExecutor("no workers")
            future = Future()
            if self.count == 3:
                future.set_exception(BrokenExecutor("a worker died"))
            else:
                future.set_result(function(*args))
            return future

    monkeypatch.setattr("lmoo.batch.remoteshared.PIECE", 4)
    y = stack(11)
    fits = lmoo.curve_fit_many(decay, T, y, START, shared=["rate"], executor=Dying())
    expected = lmoo.curve_fit_many(decay, T, y, START, shared=["rate"])
    np.testing.assert_allclose(fits.x, expected.x, rtol=1e-12)


def test_bad_executors():
    with pytest.raises(
        TypeError, match=r"executor must be a concurrent\.futures\.Executor, a Dask"
    ):
        lmoo.curve_fit_many(decay, T, stack(3), START, shared=["rate"], executor=3)
    with (
        ThreadPoolExecutor(1) as pool,
        pytest.raises(ValueError, match="if the model does not run compiled"),
    ):
        lmoo.curve_fit_many(decay, T, stack(3), START, shared=["rate"], executor=pool, trace=False)
