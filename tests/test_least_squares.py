"""`least_squares`: scipy's documented behaviour, line by line, and scipy's solutions."""

from __future__ import annotations

import inspect
import pickle
import warnings
from multiprocessing.pool import ThreadPool
from typing import Any

import numpy as np
import pytest
import scipy.optimize
from problems import CASES
from scipy.optimize import Bounds, OptimizeResult
from scipy.sparse import coo_matrix, csr_array
from scipy.sparse.linalg import aslinearoperator

import lmoo
from lmoo import least_squares
from lmoo.scipy_api.differences import group_columns

Array = np.ndarray

START = np.array([-1.2, 1.0])
TIGHT = {"ftol": 1e-14, "xtol": 1e-14, "gtol": 1e-14}
T = np.linspace(0.0, 4.0, 200)


def rosenbrock(x: Array) -> Array:
    return np.array([10.0 * (x[1] - x[0] ** 2), 1.0 - x[0]])


def rosenbrock_jacobian(x: Array) -> Array:
    return np.array([[-20.0 * x[0], 10.0], [-1.0, 0.0]])


def curve(x: Array) -> Array:
    return np.asarray(x[0] * np.exp(-x[1] * T) + x[2] - Y)


def curve_jacobian(x: Array) -> Array:
    e = np.exp(-x[1] * T)
    return np.stack([e, -x[0] * T * e, np.ones_like(T)], axis=1)


def _data() -> Array:
    rng = np.random.default_rng(3)
    y = 2.5 * np.exp(-1.3 * T) + 0.5 + 0.02 * rng.standard_normal(T.size)
    y[rng.choice(T.size, 20, replace=False)] += rng.standard_normal(20)
    return y


Y = _data()


# ---- signature and result -------------------------------------------------------------------


def test_the_signature_is_scipys() -> None:
    ours = inspect.signature(least_squares).parameters
    theirs = inspect.signature(scipy.optimize.least_squares).parameters
    assert list(ours) == list(theirs)
    for name, parameter in theirs.items():
        assert ours[name].kind is parameter.kind
        if name == "kwargs":
            # scipy shares one dict between all calls.
            assert not ours[name].default
        else:
            assert ours[name].default == parameter.default


@pytest.mark.parametrize("method", ["trf", "dogbox", "lm"])
def test_the_result_has_scipys_fields(method: str) -> None:
    ours = least_squares(rosenbrock, START, method=method)
    theirs = scipy.optimize.least_squares(rosenbrock, START, method=method)
    assert set(theirs) - {"nit"} == set(ours)
    for name in ours:
        assert getattr(ours, name) is ours[name]
        if name != "njev" or method != "lm":
            assert np.shape(ours[name]) == np.shape(theirs[name])
    assert ours.njev is None if method == "lm" else type(ours.njev) is int
    assert type(ours.nfev) is int
    assert type(ours.status) is int
    assert type(ours.success) is bool
    assert type(ours.message) is str
    assert ours.active_mask.dtype.kind == "i"
    np.testing.assert_allclose(ours.x, [1.0, 1.0], rtol=1e-7)


def test_attributes_can_be_set_listed_and_pickled() -> None:
    result = least_squares(rosenbrock, START)
    result.mine = 3
    assert result["mine"] == 3
    assert "mine" in dir(result)
    del result.mine
    with pytest.raises(AttributeError, match="no 'mine'; it has x, cost, fun"):
        _ = result.mine
    assert pickle.loads(pickle.dumps(result)).cost == result.cost
    assert "   message: '`" in repr(result)


@pytest.mark.parametrize("loss", ["linear", "huber", "soft_l1", "cauchy", "arctan"])
def test_values_belong_together(loss: str) -> None:
    result = least_squares(curve, [2, 1, 0.2], loss=loss, f_scale=0.1, **TIGHT)
    np.testing.assert_array_equal(result.fun, curve(result.x))
    z = (result.fun / 0.1) ** 2
    rho, slope, _ = getattr(lmoo.losses, loss)(z)
    assert result.cost == pytest.approx(0.5 * 0.1**2 * rho.sum(), rel=1e-12)
    exact = curve_jacobian(result.x).T @ (slope * result.fun)
    np.testing.assert_allclose(result.grad, exact, atol=1e-7)
    assert result.optimality == np.abs(result.grad).max()
    theirs = scipy.optimize.least_squares(
        curve, [2, 1, 0.2], curve_jacobian, loss=loss, f_scale=0.1, **TIGHT
    )
    hessian = theirs.jac.T @ theirs.jac
    # scipy takes less for the points beyond the inflection of rho.
    np.testing.assert_allclose(result.jac.T @ result.jac, hessian, rtol=0.05, atol=0.5)
    np.testing.assert_allclose(result.x, theirs.x, rtol=1e-8)
    assert result.cost == pytest.approx(theirs.cost, rel=1e-12)


def test_statuses() -> None:
    def status(**options: Any) -> int:
        off = {"ftol": None, "xtol": None, "gtol": None}
        return int(least_squares(curve, [2, 1, 0.2], **{**off, **options}).status)

    assert status(ftol=1e-8) == 2
    assert status(xtol=1e-8) == 3
    assert status(gtol=1e-8) == 1
    assert status(ftol=1e-8, max_nfev=2) == 0
    stopped = least_squares(curve, [2, 1, 0.2], callback=lambda x: True)
    assert (stopped.status, stopped.success) == (-2, False)
    assert stopped.message.startswith("Stopped because `callback`")
    assert least_squares(rosenbrock, [1.0, 1.0]).status == 1
    nowhere = least_squares(lambda x: np.array([1.0, 2.0]) + 0 * x, [1.0, 1.0])
    assert (nowhere.status, nowhere.success) == (-3, False)
    assert nowhere.message.startswith("No minimum was found: no parameter has an effect")


@pytest.mark.parametrize("name", ["ftol", "xtol", "gtol"])
def test_messages_name_the_condition(name: str) -> None:
    options: dict[str, Any] = {"ftol": None, "xtol": None, "gtol": None, name: 1e-6}
    result = least_squares(curve, [2, 1, 0.2], **options)
    assert result.message.startswith(f"`{name}` termination condition is satisfied")


# ---- fun and x0 -----------------------------------------------------------------------------


@pytest.mark.parametrize("x0", [3.0, 3, [3.0], np.float32(3.0), np.array(3)])
def test_x0_may_be_a_number_and_fun_sees_a_vector(x0: Any) -> None:
    def fun(x: Array) -> float:
        assert x.shape == (1,)
        assert x.dtype == np.float64
        return float(x[0] - 5.0)

    result = least_squares(fun, x0)
    assert result.x.shape == result.fun.shape == (1,)
    np.testing.assert_allclose(result.x, [5.0])


def test_fun_may_return_lists() -> None:
    assert least_squares(lambda x: list(rosenbrock(x)), [2, 2]).success


def test_complex_problems_are_to_be_wrapped() -> None:
    def wrapped(x: Array) -> Array:
        z = x[0] + 1j * x[1] - (0.5 + 0.5j)
        return np.array([z.real, z.imag])

    result = least_squares(wrapped, (0.1, 0.1), bounds=([0, 0], [1, 1]))
    np.testing.assert_allclose(result.x, [0.5, 0.5], atol=1e-9)
    with pytest.raises(ValueError, match="`x0` must be real"):
        least_squares(rosenbrock, [1j, 2.0])
    with pytest.raises(TypeError, match="fun must return a 1-D array of real numbers"):
        least_squares(lambda x: x + 1j, [1.0, 2.0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x0": [[1.0, 2.0]]}, "`x0` must have at most 1 dimension"),
        ({"x0": []}, "`x0` must have at least one entry"),
        ({"x0": [np.nan, 1.0]}, "`x0` must be finite"),
        ({"fun": lambda x: x[:, None] * x}, "`fun` must return at most 1-d array_like"),
        ({"fun": lambda x: x / 0.0 * 0.0}, "Residuals are not finite in the initial point"),
        ({"jac": "4-point"}, "`jac` must be '2-point', '3-point', 'cs' or callable"),
        ({"jac": lambda x: np.eye(3)}, r"wrong shape: expected \(2, 2\), actual \(3, 3\)"),
        ({"method": "foo"}, "`method` must be 'trf', 'dogbox' or 'lm'"),
        ({"bounds": (1, 2, 3)}, "`bounds` must contain 2 elements"),
        ({"bounds": ([0.0] * 3, 5.0)}, "`bounds` must have the shape of `x0`"),
        ({"bounds": (5.0, -5.0)}, "each lower bound must be less"),
        ({"bounds": (0.0, 0.5)}, "`x0` is outside of `bounds`"),
        ({"method": "lm", "bounds": (-5.0, 5.0)}, "method='lm' does not support bounds"),
        ({"method": "lm", "loss": "huber"}, "method='lm' supports only the loss 'linear'"),
        ({"method": "lm", "fun": lambda x: x[:1]}, "method='lm' needs as many residuals"),
        ({"method": "lm", "jac_sparsity": np.eye(2)}, "does not support `jac_sparsity`"),
        ({"method": "lm", "ftol": None}, "ftol must be at least"),
        ({"ftol": None, "xtol": None, "gtol": None}, "one of ftol, xtol and gtol"),
        ({"x_scale": "auto"}, "`x_scale` must be 'jac' or positive numbers"),
        ({"x_scale": -1.0}, "`x_scale` must be 'jac' or positive numbers"),
        ({"x_scale": [1.0, 2.0, 3.0]}, "`x_scale` must have the shape of `x0`"),
        ({"loss": "hubert"}, "`loss` must be one of linear, huber"),
        ({"loss": lambda z: z, "f_scale": 2.0}, r"shape \(3, 2\)"),
        ({"loss": "huber", "f_scale": 0.0}, "f_scale must be positive"),
        ({"diff_step": [1.0, 2.0, 3.0]}, "`diff_step` must be a number or have shape"),
        ({"tr_solver": "best"}, "`tr_solver` must be None, 'exact' or 'lsmr'"),
        ({"jac_sparsity": np.eye(3)}, r"`jac_sparsity` must have shape \(2, 2\)"),
        ({"jac_sparsity": np.eye(2), "tr_solver": "exact"}, "is incompatible with `jac_sparsity`"),
        ({"max_nfev": 0}, "`max_nfev` must be None or a positive integer"),
        ({"verbose": 3}, "`verbose` must be 0, 1 or 2"),
        (
            {"jac": lambda x: csr_array(rosenbrock_jacobian(x)), "tr_solver": "exact"},
            "works only with dense",
        ),
        (
            {"jac": lambda x: csr_array(rosenbrock_jacobian(x)), "method": "lm"},
            "works only with dense",
        ),
        (
            {"jac": lambda x: aslinearoperator(rosenbrock_jacobian(x)), "x_scale": "jac"},
            "x_scale='jac' cannot be used",
        ),
    ],
    ids=lambda value: ", ".join(value) if isinstance(value, dict) else "",
)
@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
def test_bad_input_gets_scipys_class_of_error(change: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"fun": rosenbrock, "x0": [2.0, 2.0], **change}
    with pytest.raises(ValueError, match=message):
        least_squares(**arguments)
    if change.get("x0") == [] or change.get("f_scale") == 0.0:
        # Which scipy lets pass, or fails at by accident.
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises((ValueError, IndexError)):
            scipy.optimize.least_squares(**arguments)


def test_exceptions_come_out_with_the_best_point() -> None:
    calls = 0

    def failing(x: Array) -> Array:
        nonlocal calls
        calls += 1
        if calls > 12:
            raise KeyError("mine")
        return rosenbrock(x)

    with pytest.raises(KeyError, match="mine") as caught:
        least_squares(failing, START)
    assert caught.value.lmoo_result.cost < 12.1  # type: ignore[attr-defined]


def test_fun_is_called_as_often_as_is_told() -> None:
    calls = 0

    def counted(x: Array) -> Array:
        nonlocal calls
        calls += 1
        return rosenbrock(x)

    result = least_squares(counted, START, rosenbrock_jacobian)
    assert result.nfev == calls
    calls = 0
    result = least_squares(counted, START)
    # Each Jacobian takes two more, which do not count.
    assert result.nfev == calls - 2 * result.njev


def test_points_that_are_not_finite_are_refused() -> None:
    def fun(x: Array) -> Array:
        with np.errstate(all="ignore"):
            return np.array([np.log(x[0]) + 2.0, x[1] - 1.0])

    result = least_squares(fun, [5.0, 0.0])
    assert result.success
    np.testing.assert_allclose(result.x, [np.exp(-2.0), 1.0], rtol=1e-6)


# ---- jac ------------------------------------------------------------------------------------


@pytest.mark.parametrize("jac", ["2-point", "3-point", "cs"])
@pytest.mark.parametrize("diff_step", [None, 1e-6, [1e-6, 1e-5, 1e-6]])
def test_differences(jac: str, diff_step: Any) -> None:
    result = least_squares(curve, [2, 1, 0.2], jac, diff_step=diff_step, **TIGHT)
    theirs = scipy.optimize.least_squares(curve, [2, 1, 0.2], curve_jacobian, **TIGHT)
    np.testing.assert_allclose(result.x, theirs.x, rtol=1e-7)
    tolerance = 1e-10 if jac == "cs" else 1e-4
    np.testing.assert_allclose(result.jac, curve_jacobian(result.x), rtol=1e-5, atol=tolerance)


@pytest.mark.parametrize("jac", ["2-point", "3-point"])
def test_steps_are_relative_to_x(jac: str) -> None:
    seen: list[Array] = []

    def fun(x: Array) -> Array:
        seen.append(x.copy())
        return rosenbrock(x)

    least_squares(fun, [4.0, -2.0], jac, diff_step=[0.125, 0.25], max_nfev=1)
    points = {tuple(x) for x in seen[1:5]}
    assert (4.5, -2.0) in points
    assert (4.0, -2.5) in points
    if jac == "3-point":
        assert (3.5, -2.0) in points
        assert (4.0, -1.5) in points


@pytest.mark.parametrize("jac", ["2-point", "3-point"])
@pytest.mark.parametrize("diff_step", [None, 0.5])
def test_differences_stay_within_bounds(jac: str, diff_step: Any) -> None:
    def fun(x: Array) -> Array:
        assert (x >= 1.0).all()
        assert (x <= 3.0).all()
        return rosenbrock(x)

    for x0 in ([1.0, 3.0], [3.0, 1.0], [2.9, 1.1]):
        result = least_squares(fun, x0, jac, (1.0, 3.0), diff_step=diff_step, max_nfev=30)
        assert result.cost < 0.5 * float(rosenbrock(np.array(x0)) @ rosenbrock(np.array(x0)))


@pytest.mark.parametrize("kind", [csr_array, coo_matrix, aslinearoperator, np.matrix, list])
@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_jacobians_of_every_kind(kind: Any) -> None:
    result = least_squares(rosenbrock, START, lambda x: kind(rosenbrock_jacobian(x)))
    assert result.success
    np.testing.assert_allclose(result.x, [1.0, 1.0], rtol=1e-7)
    # Whatever it was, it is an array.
    assert type(result.jac) is np.ndarray


def test_a_jacobian_with_one_row_may_be_flat() -> None:
    result = least_squares(lambda x: x[0] + 2 * x[1] - 3.0, [0.0, 0.0], lambda x: [1.0, 2.0])
    assert result.cost < 1e-20


@pytest.mark.parametrize("jac", ["2-point", "3-point", "cs"])
def test_sparsity_groups_columns(jac: str) -> None:
    n, calls = 60, 0

    def broyden(x: Array) -> Array:
        nonlocal calls
        calls += 1
        f = (3.0 - x) * x + 1.0
        f[1:] -= x[:-1]
        f[:-1] -= 2.0 * x[1:]
        return np.asarray(f)

    pattern = np.eye(n) + np.eye(n, k=1) + np.eye(n, k=-1)
    result = least_squares(broyden, -np.ones(n), jac, jac_sparsity=csr_array(pattern))
    assert result.cost < 1e-15
    assert calls <= result.nfev + 6 * result.njev
    theirs = scipy.optimize.least_squares(broyden, -np.ones(n), jac_sparsity=pattern)
    np.testing.assert_allclose(result.x, theirs.x, atol=1e-6)
    assert result.jac[0, 5] == 0.0


def test_groups_share_no_row() -> None:
    pattern = np.random.default_rng(1).random((40, 25)) < 0.08
    groups = group_columns(pattern)
    assert sorted(int(j) for group in groups for j in group) == list(range(25))
    assert len(groups) < 25
    for group in groups:
        assert pattern[:, group].sum(axis=1).max() <= 1


def test_workers_evaluate_differences() -> None:
    sizes = []

    def mapped(function: Any, points: Any) -> Any:
        points = list(points)
        sizes.append(len(points))
        with ThreadPool(2) as pool:
            return pool.map(function, points)

    result = least_squares(curve, [2, 1, 0.2], workers=mapped, loss="huber", f_scale=0.1)
    assert result.success
    assert set(sizes) == {3}
    plain = least_squares(curve, [2, 1, 0.2], loss="huber", f_scale=0.1)
    np.testing.assert_allclose(result.x, plain.x, rtol=1e-5)
    with pytest.raises(TypeError, match="`workers` must be a callable such as map"):
        least_squares(curve, [2, 1, 0.2], workers=2)


# ---- bounds, scales, tolerances -------------------------------------------------------------


@pytest.mark.parametrize("method", ["trf", "dogbox"])
@pytest.mark.parametrize(
    "bounds",
    [
        ([-np.inf, 1.5], np.inf),
        Bounds([-np.inf, 1.5], [np.inf, np.inf]),
        ([-2.0, -1.5], [0.5, 3.0]),
        ((-1.0, -1.0), 0.8),
    ],
)
def test_bounds(method: str, bounds: Any) -> None:
    x0 = (
        np.array([0.4, 2.0])
        if not np.isscalar(bounds[1] if isinstance(bounds, tuple) else None) or bounds[1] == np.inf
        else np.array([0.1, 0.1])
    )
    ours = least_squares(rosenbrock, x0, rosenbrock_jacobian, bounds, method, **TIGHT)
    theirs = scipy.optimize.least_squares(
        rosenbrock, x0, rosenbrock_jacobian, bounds, method, **TIGHT
    )
    np.testing.assert_allclose(ours.x, theirs.x, rtol=1e-6)
    assert ours.cost == pytest.approx(theirs.cost, rel=1e-8)
    np.testing.assert_array_equal(ours.active_mask, theirs.active_mask)
    assert ours.success
    assert ours.optimality < 1e-6


def test_x0_may_lie_on_a_bound() -> None:
    result = least_squares(rosenbrock, [0.0, 0.0], bounds=(0.0, 0.5))
    assert result.success
    np.testing.assert_array_equal(result.active_mask, [1, 0])


@pytest.mark.parametrize("x_scale", [None, "jac", 1.0, [1.0, 2.0], np.array([0.1, 10.0])])
@pytest.mark.parametrize("method", ["trf", "dogbox", "lm"])
def test_x_scale(x_scale: Any, method: str) -> None:
    result = least_squares(rosenbrock, START, method=method, x_scale=x_scale)
    np.testing.assert_allclose(result.x, [1.0, 1.0], rtol=1e-7)


def test_tolerances_below_epsilon_warn() -> None:
    for name in ("ftol", "xtol", "gtol"):
        with pytest.warns(UserWarning, match=f"`{name}` = 0.0 is below machine epsilon") as caught:
            least_squares(rosenbrock, START, **{name: 0.0})
        assert caught[0].filename == __file__


def test_larger_tolerances_stop_sooner() -> None:
    for name in ("ftol", "xtol"):
        counts = []
        for value in (1e-1, 1e-12):
            options: dict[str, Any] = {"ftol": None, "xtol": None, "gtol": None, name: value}
            counts.append(least_squares(curve, [2, 1, 0.2], **options).nfev)
        assert counts[0] < counts[1]


# ---- loss -----------------------------------------------------------------------------------


def test_own_losses() -> None:
    def cauchy(z: Array) -> Any:
        assert z.shape == T.shape
        return np.array([np.log1p(z), 1 / (1 + z), -1 / (1 + z) ** 2])

    own = least_squares(curve, [2, 1, 0.2], loss=cauchy, f_scale=0.1, **TIGHT)
    named = least_squares(curve, [2, 1, 0.2], loss="cauchy", f_scale=0.1, **TIGHT)
    np.testing.assert_allclose(own.x, named.x, rtol=1e-9)
    assert own.cost == pytest.approx(named.cost, rel=1e-12)


def test_f_scale_has_no_effect_on_squares() -> None:
    one, other = (least_squares(curve, [2, 1, 0.2], f_scale=c) for c in (1.0, 7.0))
    np.testing.assert_array_equal(one.x, other.x)


def test_losses_that_scipy_does_not_have() -> None:
    tukey = least_squares(curve, [2.4, 1.2, 0.45], loss="tukey", f_scale="mad")
    np.testing.assert_allclose(tukey.x, [2.5, 1.3, 0.5], rtol=0.03)


# ---- limits, prints, callbacks --------------------------------------------------------------


@pytest.mark.parametrize("jac", ["2-point", rosenbrock_jacobian])
@pytest.mark.parametrize("limit", [1, 5])
def test_max_nfev_does_not_count_differences(jac: Any, limit: int) -> None:
    result = least_squares(rosenbrock, START, jac, max_nfev=limit)
    assert result.status == 0
    assert not result.success
    # A step is judged before the first look at the limit.
    assert result.nfev == max(limit, 2)


def test_the_default_limit_is_100_n() -> None:
    calls = 0

    def ever_down(x: Array) -> Array:
        nonlocal calls
        calls += 1
        return np.array([1.0 / (1.0 + abs(x[0]) ** 0.25)])

    result = least_squares(ever_down, [1.0], lambda x: [[-1e-9]], **TIGHT)
    assert result.nfev <= 101


def test_verbose_prints_what_scipy_does(capsys: pytest.CaptureFixture[str]) -> None:
    least_squares(rosenbrock, START)
    assert capsys.readouterr().out == ""
    least_squares(rosenbrock, START, verbose=1)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert "termination condition is satisfied" in lines[0]
    assert lines[1].startswith("Function evaluations ")
    assert "initial cost 1.2100e+01, final cost" in lines[1]
    least_squares(rosenbrock, START, verbose=2)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == [
        "Iteration", "Total", "nfev", "Cost", "Cost", "reduction", "Step", "norm", "Optimality",
    ]  # fmt: skip
    assert lines[1].split() == ["0", "1", "1.2100e+01"]
    costs = [float(line.split()[2]) for line in lines[1:-2]]
    assert costs == sorted(costs, reverse=True)
    assert len(costs) > 5


def test_callbacks_of_both_signatures() -> None:
    points: list[Array] = []
    found: list[Any] = []
    least_squares(rosenbrock, START, callback=lambda x: points.append(x))
    least_squares(rosenbrock, START, callback=lambda intermediate_result: found.append(
        intermediate_result))  # fmt: skip
    assert len(points) == len(found) > 5
    for x, result in zip(points, found, strict=True):
        np.testing.assert_array_equal(result.x, x)
        np.testing.assert_array_equal(result.fun, rosenbrock(x))
        assert result.cost == pytest.approx(0.5 * result.fun @ result.fun)
    assert found[-1].nit >= len(found)


def test_stop_iteration_ends_the_solve() -> None:
    def stop(intermediate_result: Any) -> None:
        if intermediate_result.cost < 1.0:
            raise StopIteration

    result = least_squares(rosenbrock, START, callback=stop)
    assert result.status == -2
    assert 0.0 < result.cost < 1.0


def test_a_callback_of_lm_is_not_called() -> None:
    with pytest.warns(UserWarning, match="not supported with method='lm'") as caught:
        result = least_squares(rosenbrock, START, method="lm", callback=lambda x: 1 / 0)
    assert caught[0].filename == __file__
    assert result.success


def test_args_and_kwargs_reach_fun_and_jac() -> None:
    def fun(x: Array, a: float, *, b: float) -> Array:
        return np.array([x[0] - a, x[1] - b])

    def jac(x: Array, a: float, *, b: float) -> Array:
        assert (a, b) == (3.0, 4.0)
        return np.eye(2)

    for derivatives in (jac, "2-point", "3-point", "cs"):
        result = least_squares(fun, [0.0, 0.0], derivatives, args=(3.0,), kwargs={"b": 4.0})
        np.testing.assert_allclose(result.x, [3.0, 4.0])


def test_tr_options_have_no_effect() -> None:
    plain = least_squares(rosenbrock, START)
    for solver in (None, "exact", "lsmr"):
        other = least_squares(rosenbrock, START, tr_solver=solver, tr_options={"regularize": False})
        np.testing.assert_array_equal(plain.x, other.x)


# ---- m < n ----------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["trf", "dogbox"])
def test_fewer_residuals_than_variables(method: str) -> None:
    def fun(x: Array) -> Array:
        return np.array([x[0] * x[1] - 2.0, x[1] + x[2] - 3.0])

    for bounds in ((-np.inf, np.inf), (0.5, 4.0)):
        result = least_squares(fun, [1.0, 1.0, 1.0], bounds=bounds, method=method)
        assert result.success
        assert result.cost < 1e-15
        assert result.jac.shape == (2, 3)


# ---- scipy beside it ------------------------------------------------------------------------


SOLVED = [case for case in CASES if case.problem.residual(case.start()).size >= case.start().size]


@pytest.mark.parametrize("case", SOLVED, ids=str)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_mores_problems(case: Any) -> None:
    """At least scipy's cost from the same start, and its point where that is one."""
    x0 = np.asarray(case.start(), dtype=float)
    options: dict[str, Any] = {**TIGHT, "max_nfev": 2000}
    ours = least_squares(case.problem.residual, x0, case.problem.jacobian, **options)
    theirs = scipy.optimize.least_squares(
        case.problem.residual, x0, case.problem.jacobian, x_scale="jac", **options
    )
    size = 0.5 * float(np.sum(np.square(case.problem.residual(x0))))
    if not theirs.success or theirs.cost > ours.cost * (1 + 1e-6) + 1e-14 * size:
        return
    assert ours.cost <= theirs.cost * (1 + 1e-6) + 1e-14 * size
    smallest = np.linalg.svd(theirs.jac, compute_uv=False)
    # Several solve equations exactly.
    unique = theirs.cost > 1e-12 * size
    if unique and smallest[-1] > 1e-4 * smallest[0] and theirs.optimality < 1e-8:
        np.testing.assert_allclose(ours.x, theirs.x, rtol=1e-5, atol=1e-5)


NAMES = ("Misra1a", "Chwirut2", "DanWood", "Gauss1", "Kirby2", "Rat42", "ENSO", "Thurber", "Hahn1")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("loss", ["linear", "huber", "soft_l1", "cauchy", "arctan"])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_nist(name: str, loss: str) -> None:
    """scipy's solutions to 8 digits, or as many as a cost that is rounded can tell."""
    data = lmoo.datasets.nist(name)
    x0 = np.asarray(data.starts[1], dtype=float)
    plain = lmoo.Solver().solve(data, x0)
    options: dict[str, Any] = {"loss": loss, "f_scale": float(1.5 * plain.residual_deviation)}
    if loss in ("cauchy", "arctan"):
        # They have several minima.
        x0 = plain.x
    ours = least_squares(data.residual, x0, data.jacobian, **options, **TIGHT)
    theirs = scipy.optimize.least_squares(
        data.residual, x0, data.jacobian, x_scale="jac", max_nfev=1000, **options, **TIGHT
    )
    assert ours.success
    assert ours.cost <= theirs.cost * (1 + 1e-12)
    # Where reductions of 1e-14 end a solve, x is as far as this from the minimum.
    errors = lmoo.Solver(**options).solve(data, ours.x).standard_errors
    unsure = 3.0 * np.sqrt(1e-14 * ours.fun.size) * errors
    same = np.abs(ours.x - theirs.x) <= 1e-8 * np.abs(theirs.x) + unsure
    assert same.all() or ours.cost < theirs.cost * (1 - 1e-8)


def test_it_can_take_the_place_of_scipys_type() -> None:
    """Programs that read a result as a dict or by attributes work with either."""
    ours, theirs = least_squares(rosenbrock, START), OptimizeResult(a=1)
    assert isinstance(ours, dict)
    assert isinstance(theirs, dict)
    assert ours.get("nothing", 3) == 3
