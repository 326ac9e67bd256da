"""Curves of the parts of a model."""

import matplotlib as mpl
import numpy as np
import pytest

import lmoo
from lmoo.plotting import plot

mpl.use("Agg")

T = np.linspace(-4.0, 4.0, 81)
MODEL = (
    lmoo.models.Lorentzian(prefix="first_")
    + lmoo.models.Lorentzian(prefix="second_")
    + lmoo.Expression("slope*t")
)
POINT = {
    "first_amplitude": 2.0, "first_center": -1.0, "first_width": 0.5, "first_offset": 0.5,
    "second_amplitude": 1.0, "second_center": 1.5, "second_width": 0.7, "second_offset": 0.0,
    "slope": 0.1,
}  # fmt: skip
X = [POINT[name] for name in MODEL.parameter_names]
Y = MODEL(T, *X) + 0.01 * np.cos(17 * T)


def fitted():
    return lmoo.fit(MODEL, T, Y, X, fixed=["second_offset"])


def test_parts_add_up_to_the_fit():
    result = fitted()
    parts = result.components()
    assert list(parts) == ["first", "second", "slope*t"]
    np.testing.assert_allclose(sum(parts.values()), result.predict(), rtol=1e-13)
    new = [0.0, 0.5]
    np.testing.assert_allclose(sum(result.components(new).values()), result.predict(new))
    named = dict(zip(result.parameter_names, result.x, strict=True))
    np.testing.assert_allclose(parts["slope*t"], named["slope"] * T)
    one = lmoo.models.Lorentzian()
    values = [named[f"first_{name}"] for name in one.parameter_names]
    np.testing.assert_allclose(parts["first"], one(T, *values), rtol=1e-12)
    assert result.components(0.5)["first"].shape == (1,)


def test_a_model_that_is_no_sum_is_its_own_part():
    model = lmoo.models.Exponential()
    result = lmoo.fit(model, T, model(T, 2.0, 0.3, 1.0))
    (part,) = result.components().values()
    np.testing.assert_allclose(part, result.predict())
    text = lmoo.fit("a*exp(-b*t)", T, np.exp(-0.2 * T))
    assert list(text.components()) == ["a*exp(-b*t)"]


def test_several_variables():
    u, v = np.meshgrid(np.linspace(0, 1, 5), np.linspace(0, 2, 6))
    t = (u.ravel(), v.ravel())
    model = lmoo.Expression("a*u", variables=("u", "v")) + lmoo.Expression(
        "b*v**2", variables=("u", "v")
    )
    result = lmoo.fit(model, t, 2 * t[0] + 3 * t[1] ** 2, [1.0, 1.0])
    np.testing.assert_allclose(result.components()["b*v**2"], 3 * t[1] ** 2)


def test_a_function_has_no_parts():
    def f(t, a, b):
        return a + b * t

    result = lmoo.fit(f, T, Y, [0.0, 0.0])
    with pytest.raises(TypeError, match=r"a model that knows its parts.*function"):
        result.components()
    with pytest.raises(TypeError, match="knows its parts"):
        plot(result, components=True)
    with pytest.raises(TypeError, match="knows its parts"):
        lmoo.curve_fit_many(f, T, Y[None], [0.0, 0.0]).components()
    bare = lmoo.Solver().solve(lmoo.FunctionProblem(lambda x: x - 1.0), [0.0])
    with pytest.raises(TypeError, match="components"):
        bare.components()


def test_a_stored_result_has_no_problem():
    stored = lmoo.Result.from_dict(fitted().to_dict())
    with pytest.raises(ValueError, match="components"):
        stored.components()


def test_bad_points_are_refused():
    with pytest.raises((TypeError, ValueError), match="t"):
        fitted().components(["x"])


def test_the_plot_draws_them():
    above, _ = plot(fitted(), components=True)
    labels = above.get_legend_handles_labels()[1]
    assert {"first", "second", "slope*t"} <= set(labels)
    assert "first" not in fitted().plot()[0].get_legend_handles_labels()[1]
    mpl.pyplot.close("all")


def test_stacks():
    y = np.stack([Y, Y + 0.1 * T])
    fits = lmoo.curve_fit_many(MODEL, T, y, X, solver=lmoo.Solver(fixed=["second_offset"]))
    parts = fits.components()
    assert {part.shape for part in parts.values()} == {(2, T.size)}
    for k in range(2):
        for name, part in fits[k].components().items():
            np.testing.assert_allclose(parts[name][k], part, atol=1e-12)
    assert fits.components([0.0, 1.0])["first"].shape == (2, 2)
    traced = lmoo.curve_fit_many(lmoo.models.Exponential(), T, y)
    assert len(traced.components()) == 1
