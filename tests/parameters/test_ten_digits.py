"""Ties, priors, fixed values and constraints by every driver, to ten digits.

All are linear here, so that the reference takes a few lines of NumPy: Gauss-Newton steps in the
null space of the equations, with the rows of the priors, and standard errors by its covariance.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from relation_cases import NAMES, PROBLEMS, T, model

import lmoo

SIGMA = 0.02
# Covariances are those of the point before the last step, which is shorter than that.
XTOL = 1e-15
# Options; equations of the parameters (a, b, c, d) with their right sides; priors in these terms.
RELATIONS: dict[str, tuple[dict[str, Any], list[Any], list[Any]]] = {
    "ties": (
        {"ties": {"c": "a/2", "d": "3*b"}},
        [((-0.5, 0, 1, 0), 0.0), ((0, -3, 0, 1), 0.0)],
        [],
    ),
    "priors": (
        {"priors": {"b": (0.5, 0.01), "sum": (4.0, 0.05)}, "derived": {"sum": "a + c"}},
        [],
        [((0, 1, 0, 0), 0.5, 0.01), ((1, 0, 1, 0), 4.0, 0.05)],
    ),
    "fixed": ({"fixed": {"d": 1.7}}, [((0, 0, 0, 1), 1.7)], []),
    "equation": ({"constraints": ["a + b == 2*c + d/3"]}, [((1, 1, -2, -1 / 3), 0.0)], []),
    # The data have a + c of about 4.5.
    "active inequality": ({"constraints": ["a + c <= 4.4"]}, [((1, 0, 1, 0), 4.4)], []),
    "inactive inequality": ({"constraints": ["a >= 0.1*c"]}, [], []),
    "all": (
        {
            "ties": {"d": "3*b"},
            "priors": {"c": (1.5, 0.03)},
            "constraints": ["a == 2*c", "b <= 5"],
        },
        [((0, -3, 0, 1), 0.0), ((1, 0, -2, 0), 0.0)],
        [((0, 0, 1, 0), 1.5, 0.03)],
    ),
    "fixed with a prior": (
        {"fixed": {"b": 0.5}, "priors": {"a": (3.0, 0.01)}},
        [((0, 1, 0, 0), 0.5)],
        [((1, 0, 0, 0), 3.0, 0.01)],
    ),
}


def start(kind: str) -> dict[str, float]:
    """Return starting values that satisfy the constraints."""
    inside = {"a": 2.5, "c": 1.3} if kind == "active inequality" else {"a": 3.0, "c": 1.5}
    return {"b": 0.5, "d": 1.5, **inside}


def data(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    a, b = rng.uniform(2.98, 3.02), rng.uniform(0.45, 0.55)
    return np.asarray(model(T, a, b, a / 2, 3 * b) + SIGMA * rng.normal(size=T.size))


def slopes(t: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    one, two = np.exp(-b * t), np.exp(-d * t)
    return np.stack(np.broadcast_arrays(one, -a * t * one, two, -c * t * two), axis=-1)


def reference(
    curves: list[np.ndarray], shared: tuple[int, ...], kind: str, near: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return values and standard errors of the parameters of each curve, (count, 4) each.

    shared: the parameters that the curves have in common; near: values next to the solution
    """
    count, own = len(curves), [j for j in range(4) if j not in shared]
    place = np.zeros((count, 4), dtype=int)
    for k in range(count):
        place[k, list(shared)] = np.arange(len(shared))
        place[k, own] = len(shared) + k * len(own) + np.arange(len(own))
    size = place.max() + 1

    def lifted(k: int, row: Any) -> np.ndarray:
        out = np.zeros(size)
        out[place[k]] = row
        return out

    _, equations, priors = RELATIONS[kind]
    E = np.array([lifted(k, row) for k in range(count) for row, _ in equations]).reshape(-1, size)
    e = np.array([right for _ in range(count) for _, right in equations])
    # A prior of shared parameters counts once.
    often = [
        (k, row, mean, sigma)
        for row, mean, sigma in priors
        for k in range(count)
        if k == 0 or any(row[j] for j in own)
    ]
    P = np.array([lifted(k, row) / s for k, row, _, s in often]).reshape(-1, size)
    p = np.array([mean / s for _, _, mean, s in often])
    N = np.eye(size)
    if len(E):
        rank = np.linalg.matrix_rank(E)
        N = np.linalg.svd(E)[2][rank:].T
    x = np.zeros(size)
    x[place] = near
    x += np.linalg.pinv(E) @ (e - E @ x) if len(E) else 0.0
    for _ in range(30):
        f = np.concatenate(
            [
                *((model(T, *x[q]) - y) / SIGMA for q, y in zip(place, curves, strict=True)),
                P @ x - p,
            ]
        )
        rows = [slopes(T, *x[q]) / SIGMA @ np.eye(size)[q] for q in place]
        J = np.concatenate([*rows, P]) @ N
        x = x - N @ np.linalg.lstsq(J, f, rcond=None)[0]
    root = N @ np.linalg.inv(np.linalg.qr(J)[1])
    return x[place], np.linalg.norm(root, axis=1)[place]


def single(problem: Any, kind: str) -> tuple[Any, Any]:
    problem.absolute_sigma = True
    solver = lmoo.Solver(xtol=XTOL, **RELATIONS[kind][0])
    # Errors are those of the point before the last step: a second solve starts at its end.
    result = solver.solve(problem, solver.solve(problem, start(kind)).x)
    assert result.success
    return result.x[None], result.stderr[None]


def stack(f: Any, y: np.ndarray, kind: str, shared: Any = None, **options: Any) -> tuple[Any, Any]:
    p0 = start(kind)
    for _ in range(2):
        fits = lmoo.curve_fit_many(
            f, T, y, p0, sigma=np.full(T.size, SIGMA), absolute_sigma=True, shared=shared,
            solver=lmoo.Solver(xtol=XTOL), **options, **RELATIONS[kind][0],
        )  # fmt: skip
        p0 = fits.x
    assert fits.success.all()
    for k in range(len(y)):
        np.testing.assert_allclose(fits[k].x, fits.x[k], rtol=1e-10)
        np.testing.assert_allclose(fits[k].stderr, fits.stderr[k], rtol=1e-10)
    return fits.x, fits.stderr


def joint(y: np.ndarray, kind: str, **options: Any) -> tuple[Any, Any]:
    parts = [lmoo.CurveProblem(model, T, row, SIGMA, absolute_sigma=True, **options) for row in y]
    given = dict(RELATIONS[kind][0])
    constraints = given.pop("constraints", None)
    if constraints:
        # Names of own parameters have the number of their problem.
        given["constraints"] = [numbered(text, k) for text in constraints for k in range(len(y))]
    problem = lmoo.JointProblem(parts, ["b"], fixed=given.pop("fixed", None))
    solver = lmoo.Solver(xtol=XTOL, **given)
    result = solver.solve(problem, solver.solve(problem, problem.start(start(kind))).x)
    assert result.success
    found = [result.part(k) for k in range(len(y))]
    return np.array([part.x for part in found]), np.array([part.stderr for part in found])


def numbered(text: str, k: int) -> str:
    return "".join(f"{c}[{k}]" if c in "acd" else c for c in text)


def expression() -> lmoo.Expression:
    return lmoo.Expression("a*exp(-b*t) + c*exp(-d*t)", parameters=NAMES)


EXACT = ("python", "traced", "expression", "built-in", "row blocks", "curve blocks")
Driver = Callable[[np.ndarray, str], tuple[Any, Any]]
SINGLE: dict[str, Driver] = {
    **{name: lambda y, kind, make=PROBLEMS[name]: single(make(y[0]), kind) for name in EXACT},  # type: ignore[misc]
    "called": lambda y, kind: single(
        lmoo.CurveProblem(model, T, y[0], SIGMA, jac=slopes, trace=False), kind
    ),
}
STACKS: dict[str, Driver] = {
    "stack, called": lambda y, kind: stack(model, y, kind, jac=slopes, trace=False),
    "stack, traced": lambda y, kind: stack(model, y, kind, trace=True),
    "stack, expression": lambda y, kind: stack(expression(), y, kind),
}
SHARED: dict[str, Driver] = {
    "shared, called": lambda y, kind: stack(model, y, kind, ["b"], jac=slopes, trace=False),
    "shared, traced": lambda y, kind: stack(model, y, kind, ["b"], trace=True),
    "joint, called": lambda y, kind: joint(y, kind, jac=slopes, trace=False),
    "joint, traced": lambda y, kind: joint(y, kind),
}


def ten_digits(found: tuple[Any, Any], expected: tuple[Any, Any]) -> None:
    (x, stderr), (values, errors) = found, expected
    np.testing.assert_allclose(x, values, rtol=1e-10)
    held = errors <= 1e-12 * np.abs(values)
    np.testing.assert_allclose(stderr[~held], errors[~held], rtol=1e-10)
    assert (np.asarray(stderr)[held] <= 1e-12 * np.abs(values[held])).all()


@pytest.mark.parametrize("kind", RELATIONS)
@settings(max_examples=2, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_one_curve(kind: str, seed: int) -> None:
    y = data(seed)[None]
    for driver in SINGLE.values():
        found = driver(y, kind)
        ten_digits(found, reference([y[0]], (), kind, found[0]))


@pytest.mark.parametrize("kind", RELATIONS)
@settings(max_examples=2, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_many_curves(kind: str, seed: int) -> None:
    y = np.array([data(seed), data(seed + 1)])
    for driver in STACKS.values():
        x, stderr = driver(y, kind)
        for k in range(2):
            expected = reference([y[k]], (), kind, x[k][None])
            ten_digits((x[k][None], stderr[k][None]), expected)


@pytest.mark.parametrize("kind", RELATIONS)
@settings(max_examples=2, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_curves_with_a_shared_parameter(kind: str, seed: int) -> None:
    y = np.array([data(seed), data(seed) + 0.01 * np.cos(5 * T)])
    for driver in SHARED.values():
        found = driver(y, kind)
        ten_digits(found, reference(list(y), (1,), kind, found[0]))
