"""Bad errors, and what is refused with them."""

import numpy as np
import pytest
from distance_cases import PAIRS, PEARSON_T, PEARSON_Y, line, plane

import lmoo


@pytest.mark.parametrize(
    ("sigma_x", "match"),
    [
        (0.0, "positive for some"),
        (-1.0, "not negative"),
        (np.nan, "finite"),
        (np.ones(3), r"sigma_x must be a number, or have shape \(10,\)"),
        ((0.1, 0.1), "for each of the 1 variables"),
        (np.zeros((10, 1, 1)), "leave it out, it is 0 for all"),
    ],
)
def test_bad_errors(sigma_x, match):
    with pytest.raises(ValueError, match=match):
        lmoo.CurveProblem(line, PEARSON_T, PEARSON_Y, sigma_x=sigma_x)


def test_what_is_refused():
    with pytest.raises(ValueError, match="covariance matrix"):
        lmoo.CurveProblem(line, PEARSON_T, PEARSON_Y, np.eye(10), sigma_x=0.1)
    with pytest.raises(TypeError, match="array of numbers"):
        lmoo.CurveProblem(line, PEARSON_T.astype(str), PEARSON_Y, sigma_x=0.1)
    skew = np.broadcast_to([[1.0, 0.5], [0.0, 1.0]], (30, 2, 2))
    with pytest.raises(ValueError, match="symmetric"):
        lmoo.CurveProblem(plane, PAIRS, PAIRS[0], sigma_x=skew)
    problem = lmoo.CurveProblem(line, PEARSON_T, PEARSON_Y, sigma_x=0.1)
    for options, match in (
        ({"linear": lmoo.LinearModel}, "linear must be None"),
        ({"jacobian": lmoo.CentralDifference()}, "jacobian must be None"),
        ({"separable": True}, "separable must be False"),
        ({"diag": [1.0, 2.0, 3.0]}, "one entry per parameter, 2"),
    ):
        with pytest.raises(ValueError, match=match):
            lmoo.Solver(**options).solve(problem, [5.0, -0.5])
    for call in (lmoo.curve_fit, lmoo.CurveProblem):
        with pytest.raises(ValueError, match="real curves"):
            call(line, PEARSON_T, 1j * PEARSON_Y, sigma_x=0.1)
    with pytest.raises(ValueError, match="jac must be None or callable"):
        lmoo.curve_fit(line, PEARSON_T, PEARSON_Y, jac="3-point", sigma_x=0.1)
    nothing = lmoo.CurveProblem(lambda t, a: np.full(10, np.nan), PEARSON_T, PEARSON_Y, sigma_x=0.1)
    with pytest.raises(lmoo.EvaluationError, match="finite"):
        lmoo.Solver().solve(nothing, [1.0])
