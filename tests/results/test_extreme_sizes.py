"""Data of the sizes 1e-300 and 1e300: what can be represented is as for data of size 1."""

from typing import Any

import numpy as np
import pytest

import lmoo

T = np.linspace(0.0, 4.0, 12)
SIZES = [(1e300, 1.0), (1e-300, 1.0), (1.0, 1e300), (1.0, 1e-300), (1e-160, 1e160), (1e270, 1e-270)]
RELATIONS = ["none", "ties", "priors", "derived"]


def decay(t: Any, a: Any, b: Any, c: Any) -> Any:
    return a * np.exp(-b * t) + c


def curves() -> np.ndarray:
    rng = np.random.default_rng(0)
    true = [(2.0, 0.7, 1.0), (3.0, 0.5, 1.0), (1.0, 0.5, 1.0)]
    return np.array([decay(T, *x) for x in true]) + 0.01 * rng.standard_normal((3, T.size))


def relations(kind: str, size: float) -> dict[str, Any]:
    options: dict[str, dict[str, Any]] = {
        "none": {},
        "ties": {"ties": {"c": "a/2"}},
        "priors": {"priors": {"a": (2 * size, 0.3 * size)}},
        "derived": {"derived": {"sum": "a + c"}},
    }
    return options[kind]


def by_driver(driver: str, size: float, unit: float, sigma: bool, kind: str) -> dict[str, Any]:
    """Return what a driver finds, over the sizes of y and t."""
    y, t = curves() * size, T * unit
    errors = np.full(T.size, 0.01 * size) if sigma else None
    start = {"a": size, "b": 1.0 / unit, "c": size}
    sizes = np.array([size, 1.0 / unit, size])
    options = relations(kind, size)
    deviation = 1.0 if sigma else size
    if driver == "single":
        found = lmoo.Solver(**options).solve(lmoo.CurveProblem(decay, t, y[1], errors), start)
        one = {"x": found.x, "stderr": found.stderr}
    elif driver == "joint":
        problem = lmoo.JointProblem([lmoo.CurveProblem(decay, t, row, errors) for row in y], ["b"])
        whole = lmoo.Solver(**options).solve(problem, start)
        found = whole.part(1)
        parts = [whole.part(k) for k in range(3)]
        one = {"x": [part.x for part in parts], "stderr": [part.stderr for part in parts]}
    else:
        shared = ["b"] if driver == "shared" else None
        fits = lmoo.curve_fit_many(
            decay, t, y, list(start.values()), sigma=errors, shared=shared, **options
        )
        assert fits.success.all()
        found = fits[1]
        one = {"x": fits.x, "stderr": fits.stderr}
        np.testing.assert_allclose(found.stderr, fits.stderr[1], rtol=1e-6)
    assert found.success
    y_at, _, high = found.predict([0.5 * unit], interval="confidence")
    out = {name: np.asarray(value) / sizes for name, value in one.items()}
    out |= {"interval": found.confidence_interval() / sizes[:, None],
            "band": np.array([y_at[0], high[0]]) / size,
            "deviation": found.residual_deviation / deviation,
            "R^2": found.r_squared, "correlation": found.correlation}  # fmt: skip
    if kind == "derived" and driver != "joint":
        out["derived"] = np.array(found["sum"]) / size
    if driver == "single":
        out |= {"leverage": found.leverage, "standardized": found.standardized_residuals}
    return out


@pytest.mark.parametrize("kind", RELATIONS)
@pytest.mark.parametrize("driver", ["single", "many", "shared", "joint"])
def test_the_answers_are_those_of_scaled_data(driver: str, kind: str) -> None:
    # Without sigma priors have the units of y.
    for sigma in (True,) if kind == "priors" else (True, False):
        expected = by_driver(driver, 1.0, 1.0, sigma, kind)
        for size, unit in SIZES:
            found = by_driver(driver, size, unit, sigma, kind)
            for name, value in expected.items():
                np.testing.assert_allclose(
                    found[name], value, rtol=1e-4, atol=1e-7, err_msg=f"{name}, {size}, {unit}"
                )
