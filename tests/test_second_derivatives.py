"""Exact second derivatives along geodesic steps."""

import numpy as np
import pytest

import lmoo
from lmoo.datasets import nist, nist_names
from lmoo.datasets._nist_models import MODELS
from lmoo.models.compiled import second_of

GEODESIC = lmoo.Solver(step=lmoo.GeodesicAcceleration())
T = np.linspace(0.1, 4.0, 30)
Y = 3.0 * np.exp(-0.7 * T) + 0.5 + 0.02 * np.cos(9 * T)


def decay(t, a, b, c):
    return a * np.exp(-b * t) + c


def decay_jacobian(t, a, b, c):
    e = np.exp(-b * t)
    return np.stack([e, -a * t * e, np.ones_like(t)], axis=1)


@pytest.mark.parametrize(
    "text",
    ["a*exp(-b*t) + c", "a*sin(b*t + c)", "a/(1 + ((t - b)/c)**2)", "where(t > 1, a*t, b**2)"],
)
def test_they_are_those_of_the_model(text):
    model = lmoo.Expression(text)
    x = np.array([1.3, 0.7, 1.1])[: len(model.parameter_names)]
    v = np.array([0.4, -0.3, 0.9])[: x.size]
    found = second_of(model).evaluate(T[None, None], np.concatenate([x, v])[None], False)[0][0]
    h = 1e-4
    slopes = [model.jacobian(T, *(x + s * h * v)) @ v for s in (1.0, -1.0)]
    np.testing.assert_allclose(found, (slopes[0] - slopes[1]) / (2 * h), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("options", [{}, {"sigma": 0.1 + 0.1 * T}, {"bounds": {"b": (0.0, 0.5)}}])
@pytest.mark.parametrize("loss", ["linear", "soft_l1"])
def test_fits_end_where_they_do_with_differences(options, loss):
    solver = lmoo.Solver(step=lmoo.GeodesicAcceleration(), loss=loss, f_scale=1.0)
    start = [1.0, 0.2, 0.0]
    exact = solver.solve(lmoo.CurveProblem(decay, T, Y, trace=True, **options), start)
    differenced = solver.solve(lmoo.CurveProblem(decay, T, Y, jac=decay_jacobian, **options), start)
    assert exact.success
    np.testing.assert_allclose(exact.x, differenced.x, rtol=1e-7)
    np.testing.assert_allclose(exact.standard_errors, differenced.standard_errors, rtol=1e-4)


def test_each_counts_as_a_jacobian_and_no_residual_is_evaluated_for_it():
    problem = lmoo.CurveProblem(decay, T, Y, trace=True)
    found = GEODESIC.solve(problem, [1.0, 0.2, 0.0])
    differenced = GEODESIC.solve(
        lmoo.CurveProblem(decay, T, Y, jac=decay_jacobian), [1.0, 0.2, 0.0]
    )
    # One residual for each trial point, and the start.
    assert found.nfev == found.nit + 1
    assert found.njev > found.nit
    # With differences there is one residual for each curvature.
    assert differenced.nfev > differenced.nit + 1
    assert differenced.njev <= differenced.nit


def test_built_in_models_have_them():
    model = lmoo.models.Lorentzian()
    y = model(T, 2.0, 1.5, 0.5, 0.1) + 0.01 * np.cos(20 * T)
    found = GEODESIC.solve(model.problem(T, y), [1.0, 2.0, 1.0, 0.0])
    assert found.success
    assert found.nfev == found.nit + 1


def test_more_parameters_than_there_is_room_for_have_differences():
    names = [f"a{j}" for j in range(70)]
    model = lmoo.Expression(" + ".join(f"{name}**2*t**{j % 3}" for j, name in enumerate(names)))
    t = np.linspace(0.0, 1.0, 90)
    problem = lmoo.CurveProblem(model, t, np.ones(90), trace=True)
    found = lmoo.Solver(step=lmoo.GeodesicAcceleration(), maxfev=10).solve(problem, np.ones(70))
    assert np.isfinite(found.cost)


def test_a_model_of_other_second_derivatives_is_refused():
    model = lmoo.models.Exponential()
    problem = model.problem(T, Y)
    assert not problem.has_second
    with pytest.raises(ValueError, match="6 parameters"):
        problem.use_second(model._model)
    problem.use_second(second_of(model.model))
    assert problem.has_second


def test_nist_takes_fewer_evaluations_than_with_differences():
    exact = differenced = 0
    fewer = []
    for name in nist_names():
        if name == "Nelson":
            continue
        data = nist(name)
        model, jacobian = MODELS[name].value, MODELS[name].jacobian
        y = MODELS[name].response(data.y)
        for start in data.starts:
            traced = lmoo.CurveProblem(model, data.x, y, trace=True)

            def jac(x, *b, columns=jacobian):
                return np.stack(np.broadcast_arrays(*columns(x, *b), x)[:-1], axis=1)

            called = lmoo.CurveProblem(model, data.x, y, jac=jac)
            with np.errstate(all="ignore"):
                one, two = GEODESIC.solve(traced, start), GEODESIC.solve(called, start)
            fewer.append(one.nfev < two.nfev)
            exact += one.nfev + one.njev
            differenced += two.nfev + two.njev
    assert all(fewer)
    # An evaluation of second derivatives takes the place of one of the residual.
    assert exact < 1.1 * differenced
