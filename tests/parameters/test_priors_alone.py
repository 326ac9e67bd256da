"""Parameters that the data do not determine, but their priors: they take no degree of freedom."""

from typing import Any

import numpy as np
import pytest

import lmoo

T = np.linspace(0.0, 4.0, 12)
A_PRIOR = {"a": (1.0, 0.1), "c": (0.5, 0.2)}


def decay(t: Any, a: Any, b: Any, c: Any) -> Any:
    return a * np.exp(-b * t) + c


def curves() -> np.ndarray:
    rng = np.random.default_rng(1)
    return np.array([decay(T, k + 1.0, 0.7, 0.5) for k in range(3)]) + 0.01 * rng.normal(
        size=(3, T.size)
    )


@pytest.mark.parametrize("trace", [True, False])
@pytest.mark.parametrize("left", [0, 1, 2])
@pytest.mark.parametrize("names", ["a", "c", "ac", ""])
def test_own_parameters_of_a_curve_with_few_points(left: int, names: str, trace: bool) -> None:
    """The priors of a curve change no degrees of freedom of the data."""
    y = curves()
    y[2, left:] = np.nan
    priors = {name: A_PRIOR[name] for name in names}
    fits = lmoo.curve_fit_many(
        decay, T, y, [1.0, 1.0, 1.0], shared=["b"], nan_policy="omit", priors=priors or None,
        trace=trace,
    )  # fmt: skip
    # Two curves with five parameters; the third determines as many as it has points.
    assert fits.degrees_of_freedom == 2 * T.size - 5
    assert fits[2].degrees_of_freedom == 2 * T.size - 5
    rows = np.nan_to_num(decay(T, *fits.x.T[:, :, None]) - y)
    expected = np.linalg.norm(rows) / np.sqrt(2 * T.size - 5)
    assert fits.residual_deviation == pytest.approx(expected, rel=1e-9)
    if left == 0:
        alone = {j: priors[name][1] for j, name in enumerate("abc") if name in priors}
        for j in (0, 2):
            assert fits.stderr[2, j] == pytest.approx(alone.get(j, np.inf), rel=1e-9)
        assert fits[2].undetermined == tuple(name for name in "ac" if name not in priors)
        return
    problem = lmoo.JointProblem(
        [lmoo.CurveProblem(decay, T[: row.size], row, trace=trace and "auto") for row in
         (y[0], y[1], y[2, :left])],
        shared=["b"],
    )  # fmt: skip
    result = lmoo.Solver(priors=priors or None).solve(
        problem, problem.start(dict.fromkeys("abc", 1.0))
    )
    assert result.degrees_of_freedom == fits.degrees_of_freedom
    for k in range(3):
        np.testing.assert_allclose(fits.x[k], result.part(k).x, rtol=1e-6)
        np.testing.assert_allclose(fits.stderr[k], result.part(k).stderr, rtol=1e-5)


def ways(priors: dict[str, Any], y: np.ndarray, sigma_x: Any = None) -> dict[str, Any]:
    """A curve in which `off` has no effect, by each driver."""
    text = lmoo.Expression("a*exp(-b*t) + 0*off", parameters=["a", "b", "off"])

    def f(t: Any, a: Any, b: Any, off: Any) -> Any:
        return a * np.exp(-b * t) + 0 * off

    start = [1.0, 1.0, 3.0]
    solve = lmoo.Solver(priors=priors).solve
    many = {
        name: lmoo.curve_fit_many(
            model, T, [y, y], start, priors=priors, trace=name == "traced many"
        )
        for name, model in (("traced many", f), ("called many", f))
    }
    return {
        "called": solve(lmoo.CurveProblem(f, T, y, trace=False), start),
        "traced": solve(lmoo.CurveProblem(f, T, y, trace=True), start),
        "text": solve(lmoo.CurveProblem(text, T, y), start),
        "blocks": solve(lmoo.CurveBlocks(f, T, y, 5, trace=True), start),
        "errors in x": solve(lmoo.CurveProblem(f, T, y, np.ones(T.size), sigma_x=1e-9), start),
        **many,
        **{f"one of {name}": fits[1] for name, fits in many.items()},
    }  # fmt: skip


@pytest.mark.parametrize("sigma", [1e-3, 0.5, 40.0])
def test_a_parameter_without_effect_by_every_driver(sigma: float) -> None:
    y = 2.0 * np.exp(-0.7 * T) + 0.01 * np.cos(9 * T)
    plain = lmoo.fit("a*exp(-b*t)", T, y)
    for name, found in ways({"off": (2.0, sigma)}, y).items():
        single = isinstance(found, lmoo.Result)
        x, stderr = (found.x, found.stderr) if single else (found.x[1], found.stderr[1])
        np.testing.assert_allclose(x, [*plain.x, 2.0], rtol=1e-6, err_msg=name)
        np.testing.assert_allclose(stderr, [*plain.stderr, sigma], rtol=1e-5, err_msg=name)
        quality = found.reduced_chi_square if single else found.reduced_chi_square[1]
        assert quality == pytest.approx(plain.reduced_chi_square, rel=1e-6), name
        if single:
            assert found.degrees_of_freedom == T.size - 2, name


@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e9])
def test_it_does_not_depend_on_units(unit: float) -> None:
    y = 2.0 * np.exp(-0.7 * T) + 0.01 * np.cos(9 * T)
    model = lmoo.Expression("a*exp(-b*t) + 0*off", parameters=["a", "b", "off"])
    fits = lmoo.curve_fit_many(
        model, T, [unit * y], [unit, 1.0, unit], priors={"off": (2 * unit, unit / 2)}
    )
    assert fits[0].degrees_of_freedom == T.size - 2
    assert fits.stderr[0, 2] == pytest.approx(unit / 2)
    shared = lmoo.curve_fit_many(
        model, T, [unit * y, unit * y], [unit, 1.0, unit], shared=["b"],
        priors={"off": (2 * unit, unit / 2)},
    )  # fmt: skip
    assert shared.degrees_of_freedom == 2 * T.size - 3
    np.testing.assert_allclose(shared.stderr[:, 2], unit / 2, rtol=1e-9)
    np.testing.assert_allclose(shared[1].stderr[2], unit / 2, rtol=1e-9)


def test_a_strong_prior_is_no_parameter_that_the_data_leave_open() -> None:
    y = 2.0 * np.exp(-0.7 * T) + 0.01 * np.cos(9 * T)
    result = lmoo.fit("a*exp(-b*t)", T, y, priors={"b": (0.7, 1e-6)})
    assert result.degrees_of_freedom == T.size - 2


def test_one_point_and_as_many_rows_as_priors() -> None:
    """The arrays of a stack of single points are contiguous."""
    model = lmoo.Expression("a*exp(-b*t)")
    priors = {"b": (0.7, 0.1)}
    fits = lmoo.curve_fit_many(model, [1.0], [[1.0], [2.0]], [1.0, 1.0], priors=priors)
    np.testing.assert_allclose(fits.x[:, 1], 0.7)
    assert fits[0].degrees_of_freedom == 0


@pytest.mark.parametrize("absolute", [True, False])
def test_the_scatter_of_the_data_is_not_lost_behind_that_of_the_priors(absolute: bool) -> None:
    """The norm of the data is not the difference of two large numbers."""
    y = 2.0 * np.exp(-0.7 * T) + 1e-9 * np.cos(9 * T)
    options: dict[str, Any] = {"priors": {"off": (2.0, 1e-6), "twice": (4.001, 1e-6)},
                               "derived": {"twice": "2*off"}}  # fmt: skip
    model = lmoo.Expression("a*exp(-b*t) + 0*off", parameters=["a", "b", "off"])
    plain = lmoo.fit("a*exp(-b*t)", T, y)
    fits = lmoo.curve_fit_many(model, T, [y], [1.0, 1.0, 2.0], **options)
    single = lmoo.Solver(**options).solve(lmoo.CurveProblem(model, T, y), [1.0, 1.0, 2.0])
    for found in (fits[0], single):
        assert found.residual_deviation == pytest.approx(plain.residual_deviation, rel=1e-4)
    assert fits.chi_square[0] == pytest.approx(2 * plain.cost, rel=1e-4)
    np.testing.assert_allclose(fits.stderr[0, :2], plain.stderr, rtol=1e-4)
