"""Each feature of a fit with each way of giving the problem: what docs/features.rst says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import lmoo

Array = np.ndarray
T = np.linspace(0.0, 4.0, 24)
TRUE = np.array([2.5, 1.3, 0.5])
Y = TRUE[0] * np.exp(-TRUE[1] * T) + TRUE[2] + 0.01 * np.random.default_rng(5).standard_normal(24)
START = [2.0, 1.0, 0.4]


def model(t: Any, a: Any, b: Any, c: Any) -> Any:
    return a * np.exp(-b * t) + c


def slopes(t: Any, a: Any, b: Any, c: Any) -> Any:
    e = np.exp(-b * t)
    return np.stack([e, -a * t * e, np.ones_like(t)], axis=-1)


class Decay(lmoo.Problem):
    """A problem in Python, with its Jacobian."""

    parameter_names = ("a", "b", "c")
    linear_parameters = ("a", "c")

    def residual(self, x: Array) -> Array:
        return np.asarray(model(T, *x) - Y)

    def jacobian(self, x: Array) -> Array:
        return np.asarray(slopes(T, *x))


class NormalEquations(lmoo.LinearModel):
    """The normal equations, solved by LU factors."""

    def update(self, jac: Array, fun: Array) -> None:
        self.matrix, self.right = jac.T @ jac, jac.T @ fun

    def gradient(self) -> Array:
        return np.asarray(self.right)

    def product(self, v: Array) -> Array:
        return np.asarray(self.matrix @ v)

    def solve(self, lambda_: float, diag: Array, free: Array, g: Array) -> Array:
        x = np.zeros(g.size)
        matrix = self.matrix + lambda_ * np.diag(diag**2)
        x[free] = np.linalg.solve(matrix[np.ix_(free, free)], g[free])
        return x


def solved(problem: Any, **options: Any) -> Array:
    return np.asarray(lmoo.Solver(**options).solve(problem, START).x)


def stack(f: Any, **options: Any) -> Array:
    trace = options.pop("trace", "auto")
    fits = lmoo.curve_fit_many(
        f, T, np.stack([Y, Y]), p0=START, solver=lmoo.Solver(**options), trace=trace
    )
    assert fits.success.all()
    return np.asarray(fits.x[1])


def shared_stack(**options: Any) -> Array:
    fits = lmoo.curve_fit_many(
        model, T, np.stack([Y, Y]), p0=START, solver=lmoo.Solver(**options), shared=["b"]
    )
    assert fits.success.all()
    return np.asarray(fits.x[1])


def joint(**options: Any) -> Array:
    problem = lmoo.JointProblem([lmoo.CurveProblem(model, T, Y)] * 2, shared=["b"])
    start = dict(zip("abc", START, strict=True))
    result = lmoo.Solver(**_of_members(options)).solve(problem, start)
    names = list(result.parameter_names)
    return result.x[[names.index("a[0]"), names.index("b"), names.index("c[0]")]]


# In the order of the table's columns.
DRIVERS: dict[str, Callable[..., Array]] = {
    "Problem": lambda **options: solved(Decay(), **options),
    "CurveProblem, called": lambda **options: solved(
        lmoo.CurveProblem(model, T, Y, trace=False, linear_parameters=["a", "c"]), **options
    ),
    "CurveProblem, traced": lambda **options: solved(lmoo.CurveProblem(model, T, Y), **options),
    "built-in model": lambda **options: solved(
        lmoo.models.Exponential().problem(T, Y), **{**options, **_renamed(options)}
    ),
    "CurveBlocks": lambda **options: solved(lmoo.CurveBlocks(model, T, Y, block_size=7), **options),
    "curve_fit_many, called": lambda **options: stack(model, trace=False, **options),
    "curve_fit_many, traced": lambda **options: stack(model, **options),
    "JointProblem": joint,
    "curve_fit_many, shared": shared_stack,
    "errors in x": lambda **options: solved(
        lmoo.CurveProblem(model, T, Y, sigma=0.01, sigma_x=1e-6), **options
    ),
}
_NAMES = {"a": "amplitude", "b": "rate", "c": "offset"}


def _renamed(options: dict[str, Any]) -> dict[str, Any]:
    """Return options by name with the names of the built-in model."""
    found: dict[str, Any] = {
        option: {_NAMES[name]: value for name, value in options[option].items()}
        for option in ("bounds", "fixed", "priors")
        if option in options
    }
    other = {
        "ties": {"offset": "amplitude/5"},
        "derived": {"tau": "1/rate"},
        "constraints": ["amplitude <= 2"],
    }
    return found | {option: value for option, value in other.items() if option in options}


def _of_members(options: dict[str, Any]) -> dict[str, Any]:
    """Return options by name with the names of a joint problem of two curves."""
    found = dict(options)
    for option in ("bounds", "fixed"):
        if option in options:
            found[option] = {
                f"{name}[{k}]": value for name, value in options[option].items() for k in (0, 1)
            }
    if "diag" in options:
        found["diag"] = [1.0] * 5
    return found


# In the order of the table's rows: options, and what must hold of the solution.
FEATURES: dict[str, tuple[dict[str, Any], Callable[[Array], bool]]] = {
    "bounds": ({"bounds": {"a": (0, 2.2)}}, lambda x: x[0] == 2.2),
    "fixed": ({"fixed": {"c": 0.4}}, lambda x: x[2] == 0.4),
    "loss": ({"loss": "soft_l1", "f_scale": 0.02}, lambda x: abs(x[1] - 1.3) < 0.1),
    "f_scale='mad'": ({"loss": "huber", "f_scale": "mad"}, lambda x: abs(x[1] - 1.3) < 0.1),
    "ties": ({"ties": {"c": "a/5"}}, lambda x: abs(x[2] - x[0] / 5) < 1e-12),
    "priors": ({"priors": {"b": (1.0, 1e-6)}}, lambda x: abs(x[1] - 1.0) < 1e-4),
    "derived": ({"derived": {"tau": "1/b"}}, lambda x: abs(x[1] - 1.3) < 0.1),
    "constraints": ({"constraints": ["a <= 2"]}, lambda x: abs(x[0] - 2.0) < 1e-9),
    "separable": ({"separable": True}, lambda x: abs(x[1] - 1.3) < 0.1),
    "linear": ({"linear": NormalEquations}, lambda x: abs(x[1] - 1.3) < 0.1),
    "linear=SparseCholesky": (
        {"linear": lmoo.SparseCholesky},
        lambda x: abs(x[1] - 1.3) < 0.1,
    ),
    "step=Nielsen()": ({"step": lmoo.Nielsen()}, lambda x: abs(x[1] - 1.3) < 0.1),
    "step=GeodesicAcceleration()": (
        {"step": lmoo.GeodesicAcceleration()},
        lambda x: abs(x[1] - 1.3) < 0.1,
    ),
    "jacobian=CentralDifference()": (
        {"jacobian": lmoo.CentralDifference()},
        lambda x: abs(x[1] - 1.3) < 0.1,
    ),
    "jacobian=GroupedDifference(...)": (
        {"jacobian": lmoo.GroupedDifference(np.ones((24, 3)))},
        lambda x: abs(x[1] - 1.3) < 0.1,
    ),
    "diag": ({"diag": [1.0, 1.0, 1.0]}, lambda x: abs(x[1] - 1.3) < 0.1),
    "time_limit": ({"time_limit": 60.0}, lambda x: abs(x[1] - 1.3) < 0.1),
}
