"""Relations of parameters give what an equivalent problem gives that is written by hand."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from relation_cases import NAMES, PROBLEMS, T, data, model

import lmoo

TIES = {"c": "a/2", "d": "3*b"}
X0 = {"a": 3.0, "b": 0.5}
# dx/dz of these ties.
SLOPES = np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.0], [0.0, 3.0]])


def by_hand(t: Any, a: Any, b: Any) -> Any:
    return model(t, a, b, a / 2, 3 * b)


def agree(found: Any, expected: Any, digits: float = 1e-10) -> None:
    np.testing.assert_allclose(found, expected, rtol=digits, atol=0.0)


def tolerance(kind: str) -> float:
    """Differences are not exact: the errors have fewer digits."""
    called = kind in ("differences", "called", "covariance", "called blocks")
    return 1e-5 if called else 1e-10


def digits(kind: str) -> float:
    """Values by differences have the digits that the errors of the derivatives leave."""
    return 1e-8 if tolerance(kind) > 1e-8 else 1e-10


@pytest.mark.parametrize("kind", PROBLEMS)
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_ties_over_all_drivers(kind: str, seed: int) -> None:
    y = data(seed)
    expected = lmoo.Solver().solve(
        lmoo.CurveProblem(by_hand, T, y, 0.02, trace=True), [X0["a"], X0["b"]]
    )
    problem = PROBLEMS[kind](y)
    problem.ties, problem.derived = TIES, {"ratio": "a/d"}
    found = lmoo.Solver().solve(problem, X0)
    assert found.success
    assert found.parameter_names == NAMES
    agree(found.x, SLOPES @ expected.x, digits(kind))
    agree(found.stderr, SLOPES @ expected.stderr, tolerance(kind))
    for scaled in (True, False):
        covariance = SLOPES @ expected.covariance(scaled) @ SLOPES.T
        agree(found.covariance(scaled), covariance, 10 * tolerance(kind))
    assert found.degrees_of_freedom == expected.degrees_of_freedom == T.size - 2
    agree(found.reduced_chi_square, expected.reduced_chi_square)
    agree([found.aic, found.bic], [expected.aic, expected.bic])
    a, b = expected.x
    slope = np.array([1 / (3 * b), -a / (3 * b * b)])
    value, error = found["ratio"]
    agree(value, a / (3 * b), 10 * digits(kind))
    agree(error, np.sqrt(slope @ expected.covariance() @ slope), tolerance(kind))


@pytest.mark.parametrize("kind", PROBLEMS)
@pytest.mark.parametrize("loss", ["linear", "huber", "cauchy"])
def test_priors_over_all_drivers(kind: str, loss: str) -> None:
    y = data(5)
    y[7] += 0.3
    problem = PROBLEMS[kind](y)
    options: dict[str, Any] = {} if loss == "linear" else {"loss": loss, "f_scale": 1.5}
    problem.priors = {"b": (0.5, 0.004), "sum": (5.0, 0.03)}
    problem.derived = {"sum": "a + c"}
    found = lmoo.Solver(ties={"d": "3*b"}, **options).solve(problem, [3, 0.5, 1, 0])
    rho = lmoo.losses.loss_of(loss) if hasattr(lmoo.losses, "loss_of") else None

    def rows(x: Any) -> Any:
        f = (model(T, x[0], x[1], x[2], 3 * x[1]) - y) / 0.02
        return f, np.array([(x[1] - 0.5) / 0.004, (x[0] + x[2] - 5.0) / 0.03])

    # The minimum of the cost: its gradient is zero.
    z = found.x[:3]

    def cost(x: Any) -> float:
        f, p = rows(x)
        scale = options.get("f_scale", 1.0)
        size = {
            "linear": lambda u: u,
            "huber": lambda u: np.where(u <= 1, u, 2 * np.sqrt(np.maximum(u, 1)) - 1),
            "cauchy": np.log1p,
        }[loss]((f / scale) ** 2)
        return 0.5 * float(scale**2 * size.sum() + p @ p)

    assert found.success, rho
    agree(found.cost, cost(z), 1e-9)
    steps = 1e-4 * found.stderr[:3]
    slopes = [
        (cost(z + h * e) - cost(z - h * e)) / 2e-4 for h, e in zip(steps, np.eye(3), strict=True)
    ]
    # In units of standard errors.
    assert np.abs(slopes).max() < 2e-4
    assert found.observations == T.size
    assert found.degrees_of_freedom == T.size - 3
    if "blocks" not in kind:
        agree(found.residual, rows(z)[0], 1e-9)
        assert found.loss_weights.shape == (T.size,)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6), kind=st.sampled_from(sorted(PROBLEMS)))
def test_errors_with_priors(seed: int, kind: str) -> None:
    y = data(seed)
    problem = PROBLEMS[kind](y)
    priors = {"b": (0.5, 0.01), "c": (1.5, 0.05)}
    # The last derivatives are then central differences.
    found = lmoo.Solver(ties=TIES, priors=priors, xtol=1e-13).solve(problem, X0)

    def residual(x: Any) -> Any:
        f = (by_hand(T, *x) - y) / 0.02
        return np.append(f, [(x[1] - 0.5) / 0.01, (x[0] / 2 - 1.5) / 0.05])

    expected = lmoo.Solver(jacobian=lmoo.ComplexStep(), xtol=1e-13).solve(
        lmoo.FunctionProblem(residual), [X0["a"], X0["b"]]
    )
    agree(found.x, SLOPES @ expected.x, digits(kind))
    agree(found.cost, expected.cost)
    rounding = 10 * tolerance(kind)
    agree(found.covariance(False), SLOPES @ expected.covariance(False) @ SLOPES.T, rounding)
    # The errors of the data are scaled, those of the priors are given.  The factor is that of the
    # last but one point.
    J = expected.jacobian()
    H = np.linalg.inv(J.T @ J)
    s2 = float(expected.residual[:-2] @ expected.residual[:-2]) / (T.size - 2)
    middle = s2 * J[:-2].T @ J[:-2] + J[-2:].T @ J[-2:]
    agree(found.reduced_chi_square, s2, 1e-8)
    agree(found.covariance(), SLOPES @ (H @ middle @ H) @ SLOPES.T, max(rounding, 1e-6))
    agree(found.stderr, np.sqrt(np.diag(found.covariance())))


@pytest.mark.parametrize(
    "strategy",
    [
        lmoo.Analytic(),
        lmoo.ForwardDifference(),
        lmoo.CentralDifference(),
        lmoo.CentralDifference(typical=[1.0, 1.0, 1.0, 1.0]),
        lmoo.ComplexStep(),
    ],
)
@pytest.mark.parametrize("kind", ["python", "row blocks"])
def test_every_strategy(kind: str, strategy: Any) -> None:
    y = data(3)
    problem = PROBLEMS[kind](y)
    problem.ties, problem.priors = TIES, {"b": (0.5, 0.01)}
    expected = lmoo.Solver().solve(problem, X0)
    found = lmoo.Solver(jacobian=strategy).solve(problem, X0)
    agree(found.x, expected.x, 1e-9)
    agree(found.stderr, expected.stderr, 1e-6)


def test_column_major() -> None:
    class Columns(PROBLEMS["python"](data(3)).__class__):  # type: ignore[misc]
        def jacobian(self, x: Any) -> Any:
            return super().jacobian(x).T

    y = data(3)
    expected = lmoo.Solver(ties=TIES).solve(PROBLEMS["python"](y), X0)
    found = lmoo.Solver(ties=TIES, jacobian=lmoo.ColumnMajor()).solve(Columns(y, True), X0)
    agree(found.x, expected.x)
    agree(found.stderr, expected.stderr)


@pytest.mark.parametrize("step", [lmoo.Nielsen(), lmoo.GeodesicAcceleration(), lmoo.More(False)])
def test_every_step(step: Any) -> None:
    y = data(3)
    expected = lmoo.Solver(ties=TIES).solve(PROBLEMS["traced"](y), X0)
    found = lmoo.Solver(ties=TIES, step=step).solve(PROBLEMS["traced"](y), X0)
    agree(found.x, expected.x, 1e-9)


def test_functions_with_one_call() -> None:
    y = data(11)
    expected = lmoo.Solver().solve(lmoo.CurveProblem(by_hand, T, y, trace=True), [3, 0.5])
    popt, pcov = lmoo.curve_fit(model, T, y, p0={"a": 3, "b": 0.5}, ties=TIES)
    agree(popt, SLOPES @ expected.x)
    agree(pcov, SLOPES @ expected.covariance() @ SLOPES.T, 1e-9)
    found = lmoo.fit(model, T, y, p0=X0, ties=TIES)
    agree(found.x, popt)
    found = lmoo.fit(model, T, y, ties=TIES)
    agree(found.x, popt, 1e-9)


@pytest.mark.parametrize("kind", PROBLEMS)
@pytest.mark.parametrize("scale", [1.5, "mad"])
def test_a_prior_without_weight_changes_nothing(kind: str, scale: Any) -> None:
    """Neither the scale of a loss nor standard errors depend on the rows of priors."""
    if scale == "mad" and "blocks" in kind:
        scale = 2.0
    y = data(9)
    y[::9] += 0.4
    solver = lmoo.Solver(loss="huber", f_scale=scale)
    expected = solver.solve(PROBLEMS[kind](y), [3.0, 0.5, 1.5, 1.5])
    problem = PROBLEMS[kind](y)
    problem.priors = dict.fromkeys(NAMES, (0.0, 1000000000.0))
    found = solver.solve(problem, [3.0, 0.5, 1.5, 1.5])
    agree(found.x, expected.x, 1e-7)
    agree(found.stderr, expected.stderr, 1e-5)
    agree(found.f_scale, expected.f_scale, 1e-7)
    assert found.residual_deviation == pytest.approx(expected.residual_deviation, rel=1e-7)
    if "blocks" not in kind:
        agree(found.loss_weights, expected.loss_weights, 1e-6)
