"""Pickled iterations and results of fits with constraints."""

import pickle
from itertools import islice
from typing import Any

import numpy as np
import pytest

import lmoo

T = np.linspace(0, 4, 40)


def model(t: Any, a: Any, b: Any, c: Any) -> Any:
    return a * np.exp(-b * t) + c


Y = model(T, 2.5, 1.3, 0.5) + 0.02 * np.random.default_rng(0).normal(size=40)
CONSTRAINTS = ["a + b <= 3", "a <= b + 1", "a - c <= 1.5", "b + c <= 1.6"]


def iteration(**options: Any) -> Any:
    solver = lmoo.Solver(constraints=CONSTRAINTS, **options)
    return solver.iterate(lmoo.CurveProblem(model, T, Y, sigma=0.02), [1.1, 0.9, 0.4])


@pytest.mark.parametrize("options", [{}, {"maxfev": 100}, {"priors": {"a": (2.0, 0.1)}}])
def test_iterations_are_resumed_after_each_step(options: dict[str, Any]) -> None:
    whole = iteration(**options)
    records = list(whole)
    assert whole._exchanges < iteration(**options)._exchanges, "no constraint was exchanged"
    for k in range(len(records) + 1):
        first = iteration(**options)
        assert len(list(islice(first, k))) == k
        resumed = pickle.loads(pickle.dumps(first))
        rest = list(resumed)
        assert [record.cost for record in rest] == [record.cost for record in records[k:]]
        assert [record.nfev for record in rest] == [record.nfev for record in records[k:]]
        assert np.array_equal(resumed.result.x, whole.result.x)
        assert resumed.result.nfev == whole.result.nfev
        assert resumed.result.status == whole.result.status


def test_a_pickled_result_keeps_its_profiles() -> None:
    # More constraints than places, so that the problem of the coordinates is not compiled itself.
    result = iteration(derived={"m": "a*b"}).solver.solve(
        lmoo.CurveProblem(model, T, Y, sigma=0.02), [1.1, 0.9, 0.4]
    )
    assert result.evaluation.startswith("compiled from")
    assert result.related is not None
    assert result.related.inner.coordinates.is_watched
    kept = pickle.loads(pickle.dumps(result))
    for name in ("a", "b", "c", "m"):
        expected = result.interval(name, method="profile")
        assert kept.interval(name, method="profile") == expected


def test_a_pickled_result_of_a_local_function_keeps_its_profiles() -> None:
    def local(t: Any, a: Any, b: Any, c: Any) -> Any:
        return a * np.exp(-b * t) + c

    solver = lmoo.Solver(constraints=CONSTRAINTS)
    result = solver.solve(lmoo.CurveProblem(local, T, Y, sigma=0.02), [1.1, 0.9, 0.4])
    kept = pickle.loads(pickle.dumps(result))
    expected = result.interval("c", method="profile")
    assert kept.interval("c", method="profile") == expected
