"""Relations of parameters in stacks of fits."""

from typing import Any

import numpy as np
import pytest
from relation_cases import NAMES, T, built_in, data, model
from test_equivalent_by_hand import SLOPES, TIES, X0, agree, by_hand

import lmoo

Y = np.stack([data(k) for k in range(12)]).reshape(3, 4, -1)
SIGMA = np.full(T.size, 0.02)


def jacobian(t: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    one, two = np.exp(-b * t), np.exp(-d * t)
    return one, -a * t * one, two, -c * t * two


KINDS: dict[str, tuple[Any, dict[str, Any]]] = {
    "traced": (model, {"trace": True}),
    "called": (model, {"trace": False}),
    "derivatives": (model, {"jac": jacobian}),
    "fit by fit": (model, {"trace": False, "vectorized": False}),
    "built-in": (built_in(Y[0, 0]).f, {}),
}


def tolerance(kind: str) -> float:
    return 1e-6 if kind in ("called", "fit by fit") else 1e-9


@pytest.mark.parametrize("kind", KINDS)
def test_ties(kind: str) -> None:
    f, options = KINDS[kind]
    # By differences as well where there are no derivatives.
    trace = options.get("trace") is not False
    expected = lmoo.curve_fit_many(by_hand, T, Y, [3, 0.5], sigma=SIGMA, trace=trace)
    fits = lmoo.curve_fit_many(
        f, T, Y, X0, sigma=SIGMA, ties=TIES, derived={"ratio": "a/d"}, **options
    )
    assert fits.success.all()
    assert fits.x.shape == (3, 4, 4)
    agree(fits.x, expected.x @ SLOPES.T)
    agree(fits.stderr, expected.stderr @ np.abs(SLOPES).T, tolerance(kind))
    agree(fits.covariance, SLOPES @ expected.covariance @ SLOPES.T, 10 * tolerance(kind))
    agree(fits["ratio"].value, fits.x[..., 0] / fits.x[..., 3])
    agree(fits["d"].stderr, fits.stderr[..., 3])
    one = fits[1, 2]
    agree(one.x, fits.x[1, 2])
    agree(one.stderr, fits.stderr[1, 2], tolerance(kind))
    agree(one["ratio"].stderr, fits["ratio"].stderr[1, 2], tolerance(kind))
    assert one.parameter_names == NAMES
    assert one.degrees_of_freedom == T.size - 2
    # The curve alone.
    alone = lmoo.Solver(ties=TIES).solve(lmoo.CurveProblem(model, T, Y[1, 2], 0.02), X0)
    agree(one.x, alone.x, 0.1 * tolerance(kind))
    agree(one.confidence_interval(), alone.confidence_interval(), tolerance(kind))


@pytest.mark.parametrize("kind", KINDS)
def test_priors(kind: str) -> None:
    f, options = KINDS[kind]
    priors = {"b": (0.5, 0.01), "total": (5.0, 0.1)}
    fits = lmoo.curve_fit_many(
        f,
        T,
        Y,
        X0,
        sigma=SIGMA,
        ties=TIES,
        priors=priors,
        derived={"total": "a + c"},
        solver=lmoo.Solver(bounds={"a": (0, 4.0)}, xtol=1e-12),
        **options,
    )
    solver = lmoo.Solver(
        ties=TIES,
        priors=priors,
        derived={"total": "a + c"},
        bounds={"a": (0, 4.0)},
        xtol=1e-12,
    )
    for k in np.ndindex(3, 4):
        alone = solver.solve(lmoo.CurveProblem(model, T, Y[k], 0.02), X0)
        agree(fits.x[k], alone.x, 1e-9)
        np.testing.assert_allclose(fits.stderr[k], alone.stderr, rtol=1e-6, atol=1e-300)
        np.testing.assert_allclose(fits.covariance[k], alone.covariance(), rtol=1e-5, atol=1e-12)
        agree(fits["total"].stderr[k], alone["total"].stderr, 1e-6)
        agree(fits[k].x, alone.x, 1e-9)
        agree(fits[k].reduced_chi_square, alone.reduced_chi_square, 1e-7)
        assert fits[k].residual.shape == T.shape
    assert (fits.x[..., 0] == 4.0).any()


def test_starting_values_by_name() -> None:
    first = np.linspace(2.0, 4.0, 12).reshape(3, 4)
    named = lmoo.curve_fit_many(by_hand, T, Y, {"a": first, "b": 0.5})
    points = np.stack([first, np.full((3, 4), 0.5)], axis=-1)
    agree(named.x, lmoo.curve_fit_many(by_hand, T, Y, points).x, 0.0)
    # Fixed at its own value in each curve.
    fixed = lmoo.curve_fit_many(
        by_hand, T, Y, {"a": first, "b": 0.5}, solver=lmoo.Solver(fixed=["a"])
    )
    agree(fixed.x[..., 0], first, 0.0)


def test_constraints() -> None:
    fits = lmoo.curve_fit_many(
        model, T, Y, [3, 0.5, 1, 2], constraints=["2*c <= a", "d >= 3*b"], ties={}
    )
    assert (2 * fits.x[..., 2] <= fits.x[..., 0] * (1 + 1e-12)).all()
    assert (fits.x[..., 3] >= 3 * fits.x[..., 1] * (1 - 1e-12)).all()
    for k in np.ndindex(3, 4):
        alone = lmoo.Solver(constraints=["2*c <= a", "d >= 3*b"]).solve(
            lmoo.CurveProblem(model, T, Y[k]), [3, 0.5, 1, 2]
        )
        agree(fits.x[k], alone.x, 1e-8)


def test_missing_points_and_bad_fits() -> None:
    y = Y.reshape(12, -1).copy()
    y[3, 5:9] = np.nan
    y[4] = np.nan
    fits = lmoo.curve_fit_many(
        model, T, y, X0, ties=TIES, priors={"b": (0.5, 0.1)}, nan_policy="omit"
    )
    kept = np.isfinite(y[3])
    alone = lmoo.Solver(ties=TIES, priors={"b": (0.5, 0.1)}).solve(
        lmoo.CurveProblem(model, T[kept], y[3, kept]), X0
    )
    agree(fits.x[3], alone.x, 1e-9)
    agree(fits.stderr[3], alone.stderr, 1e-7)
    assert not fits.success[4]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ties": {"q": "a"}}, "ties must have names of a, b, c, d; it has 'q'"),
        ({"p0": {"a": 1.0, "b": 1.0, "c": 1.0}}, "it has none for d"),
        (
            {
                "constraints": ["a <= b", "a + b <= 9", "a - 2*b >= -9"],
                "solver": lmoo.Solver(bounds={"c": (0, 9)}),
            },
            "must be linearly independent",
        ),
        (
            {"priors": {"a": (1, 1)}, "solver": lmoo.Solver(loss="huber")},
            "priors and a loss together",
        ),
    ],
)
def test_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        lmoo.curve_fit_many(model, T, Y, **{"p0": [1.0, 1.0, 1.0, 1.0], **options})


@pytest.mark.parametrize("kind", KINDS)
def test_bounds_and_fixed_values_of_each_curve(kind: str) -> None:
    f, options = KINDS[kind]
    start = {"a": 3.0, "b": 0.5, "c": 1.5, "d": 1.5}
    low = np.linspace(0.2, 0.8, 12).reshape(3, 4)
    fixed = np.linspace(1.0, 2.0, 12).reshape(3, 4)
    fits = lmoo.curve_fit_many(
        f,
        T,
        Y,
        {**start, "b": low + 0.05},
        bounds={"b": (low, low + 0.1), "a": (0, None)},
        fixed={"c": fixed},
        **options,
    )
    assert (fits.x[..., 2] == fixed).all()
    for k in np.ndindex(3, 4):
        alone = lmoo.Solver(
            bounds={"b": (low[k], low[k] + 0.1), "a": (0, None)}, fixed={"c": fixed[k]}
        ).solve(
            lmoo.CurveProblem(model, T, Y[k]),
            {**start, "b": low[k] + 0.05, "c": fixed[k]},
        )
        agree(fits.x[k], alone.x, 1e-7)
        np.testing.assert_allclose(fits.stderr[k], alone.stderr, rtol=1e-5, atol=1e-300)
        assert (fits[k].active_mask == alone.active_mask).all()
    assert (fits.stderr[..., 1] == 0).any()
    assert (fits.stderr[..., 1] > 0).any()


def test_bounds_of_each_curve_that_are_refused() -> None:
    p0 = np.ones(4)
    for options, message in (
        ({"bounds": {"b": (np.zeros(5), 1)}}, r"array of shape \(3, 4\)"),
        ({"bounds": {"q": (np.zeros((3, 4)), 1)}}, "must name one of"),
        ({"bounds": {"b": (np.full((3, 4), 2.0), 9)}}, "b starts at 1.0 in curve"),
        ({"bounds": {"b": (np.zeros((3, 4)), np.nan)}}, "without nan"),
        ({"fixed": {"b": np.zeros((4, 3))}}, r"array of shape \(3, 4\)"),
    ):
        with pytest.raises(ValueError, match=message):
            lmoo.curve_fit_many(model, T, Y, p0, **options)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="must be an array or a mapping"):
        lmoo.curve_fit_many(model, T, Y, lambda t, y: p0, fixed={"b": np.ones((3, 4))})


def test_solve_many_refuses_relations() -> None:
    class Lines(lmoo.BatchProblem):
        parameter_names = ("a", "b")

        def residual(self, x: Any, which: Any) -> Any:
            return np.concatenate([x - 1, x], axis=1)

    with pytest.raises(ValueError, match="solve_many has no ties"):
        lmoo.solve_many(Lines(), np.ones((3, 2)), solver=lmoo.Solver(ties={"b": "a"}))
