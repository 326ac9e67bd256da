"""Parameters that act by steps alone: their exact derivative is 0, and differences are used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lmoo
from lmoo.models.graph.stepwise import stepwise

T = np.linspace(-5.0, 5.0, 80)


def by_comparison(t: Any, a: Any, b: Any, c: Any) -> Any:
    return a * (t > b) + c


def by_where(t: Any, a: Any, b: Any, c: Any) -> Any:
    return np.where(t > b, a, 0.0) + c


def by_heaviside(t: Any, a: Any, b: Any, c: Any) -> Any:
    return a * np.heaviside(t - b, 0.5) + c


def by_sign(t: Any, a: Any, b: Any, c: Any) -> Any:
    return a * (1.0 + np.sign(t - b)) / 2.0 + c


STEPS = (by_comparison, by_where, by_heaviside, by_sign)


# The place of a step has no standard error.
undetermined = pytest.mark.filterwarnings("ignore:Covariance of the parameters")


@undetermined
@pytest.mark.parametrize("model", STEPS)
def test_the_place_of_a_step_moves(model: Callable[..., Any]) -> None:
    y = by_comparison(T, 2.0, 0.3, 0.5) + 0.05 * np.random.default_rng(1).normal(size=T.size)

    def cost(*p: float) -> float:
        return float(np.sum((model(T, *p) - y) ** 2))

    p, _ = lmoo.curve_fit(model, T, y, [1.0, 1.0, 1.0])
    stays = np.linalg.lstsq(np.stack([T > 1.0, T == T], axis=1), y, rcond=None)[0]
    assert cost(*p) < 0.5 * cost(stays[0], 1.0, stays[1])
    np.testing.assert_array_equal(p, lmoo.curve_fit(model, T, y, [1.0, 1.0, 1.0], trace=False)[0])


@pytest.mark.parametrize("model", STEPS)
def test_fits_say_why_the_function_is_called(model: Callable[..., Any]) -> None:
    y = model(T, 2.0, 0.3, 0.5)
    result = lmoo.Solver().solve(lmoo.CurveProblem(model, T, y), [1.0, 1.0, 1.0])
    assert "by steps alone" in str(result.evaluation)
    with pytest.raises(lmoo.TraceError, match="x1 by steps alone"):
        lmoo.curve_fit(model, T, y, [1.0, 1.0, 1.0], trace=True)


@undetermined
def test_stacks_are_fitted_as_single_curves() -> None:
    y = by_where(T, 2.0, np.array([[0.3], [0.8]]), 0.5)
    fits = lmoo.curve_fit_many(by_where, T, y, [1.0, 1.0, 1.0])
    single = [lmoo.curve_fit(by_where, T, row, [1.0, 1.0, 1.0])[0] for row in y]
    np.testing.assert_allclose(fits.x, single, rtol=1e-6)


@pytest.mark.parametrize(
    ("formula", "name"),
    [
        ("a*(t > b)", "b"),
        ("a*floor(t*b)", "b"),
        ("a*abs(t - b)", None),
        ("where(t > b, a*(t - b), 0)", None),
        ("minimum(a*t, b)", None),
        ("a*(t > b)*exp(-(t - b))", None),
        ("a*t + 0*b", None),
    ],
)
def test_which_parameters_act_by_steps(formula: str, name: str | None) -> None:
    model = lmoo.Expression(formula)
    found = stepwise(model.steps)
    assert (None if found is None else model.parameter_names[found]) == name
