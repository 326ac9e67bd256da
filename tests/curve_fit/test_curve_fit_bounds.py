"""`curve_fit`: bounds and fixed parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.optimize
from curve_fit_cases import T, Y, check, decay
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from ids import stable

import lmoo
from lmoo import curve_fit

OPEN = [(-np.inf, np.inf), None, ([-np.inf] * 3, [np.inf] * 3), scipy.optimize.Bounds(), {}]


@pytest.mark.parametrize("bounds", OPEN, ids=stable)
@pytest.mark.parametrize("method", [None, "lm", "trf", "dogbox"])
def test_open_bounds(bounds: Any, method: Any) -> None:
    popt, pcov = curve_fit(decay, T, Y, bounds=bounds, method=method)
    expected = curve_fit(decay, T, Y)
    np.testing.assert_array_equal(popt, expected[0])
    np.testing.assert_array_equal(pcov, expected[1])


@pytest.mark.parametrize("method", [None, "trf", "dogbox"])
def test_bounds_around_the_solution(method: Any) -> None:
    for bounds in ((0, 10), scipy.optimize.Bounds([0, 0, 0], [9, 9, 9]), {"b": (1, 2)}):
        check(curve_fit(decay, T, Y, bounds=bounds, method=method))


def test_bounds_with_lm_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^method must be 'trf', 'dogbox' or None with bounds"):
        curve_fit(decay, T, Y, bounds=(0, 10), method="lm")


def test_a_bound_that_cuts_the_solution_off() -> None:
    for bounds in ((-np.inf, [np.inf, 1.0, np.inf]), {"b": (None, 1.0)}, {1: (0, 1.0)}):
        popt, pcov = curve_fit(decay, T, Y, bounds=bounds)
        assert popt[1] == 1.0
        rest = curve_fit(lambda t, a, c: decay(t, a, 1.0, c), T, Y)
        np.testing.assert_allclose(popt[[0, 2]], rest[0], rtol=1e-8)
        # One more parameter leaves one degree of freedom less.
        np.testing.assert_allclose(pcov[np.ix_([0, 2], [0, 2])], rest[1] * 18 / 17, rtol=1e-5)
        np.testing.assert_array_equal(pcov[1], 0.0)
        np.testing.assert_array_equal(pcov[:, 1], 0.0)


def test_the_model_is_never_called_outside() -> None:
    points: list[Any] = []

    def watched(t: Any, a: float, b: float, c: float) -> Any:
        points.append((a, b, c))
        return decay(t, a, b, c)

    popt, _ = curve_fit(watched, T, Y, bounds=([0, 0, 0.6], [2.6, 3, 1]))
    assert popt[2] == 0.6
    assert (np.array(points) >= [0, 0, 0.6]).all()
    assert (np.array(points) <= [2.6, 3, 1]).all()


def test_where_bounded_parameters_start() -> None:
    first: list[Any] = []

    def watched(t: Any, a: float, b: float, c: float) -> Any:
        first.append((a, b, c))
        return decay(t, a, b, c)

    curve_fit(watched, T, Y, bounds=([0, 0.1, -np.inf], [3, np.inf, 4]))
    assert first[0] == (1.5, 1.1, 3.0)
    first.clear()
    curve_fit(watched, T, Y, bounds={"a": (2, 4)})
    assert first[0] == (3.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"bounds": (3, 0)}, r"^bounds must have the lower one below .* those of a are 3"),
        ({"bounds": ([0, 2, 0], [3, 1, 1])}, r"those of b are 2\.0 and 1\.0"),
        ({"bounds": (1, 1)}, r"^fixed must leave a parameter to be fitted"),
        ({"bounds": ([0, 1], [3, 1, 1])}, r"^bounds must have one lower bound per parameter, 3"),
        ({"bounds": (0, np.nan)}, r"^bounds must not be nan"),
        ({"bounds": {"d": (0, 1)}}, r"^bounds must name one of \('a', 'b', 'c'\)"),
        ({"bounds": (0, 2), "p0": [1, 5, 1]}, r"^Initial guess is outside .* p0\[1\] is 5"),
        ({"fixed": ["a", "b", "c"]}, r"^fixed must leave a parameter to be fitted"),
        ({"fixed": ["d"]}, r"^fixed must name one of \('a', 'b', 'c'\)"),
        ({"fixed": {"a": 5}, "bounds": (0, 2)}, r"^fixed must have values within the bounds"),
    ],
    ids=stable,
)
def test_bounds_that_are_refused(options: Any, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        curve_fit(decay, T, Y, **options)


@pytest.mark.parametrize(
    "options",
    [
        {"fixed": {"c": 0.4}},
        {"fixed": {2: 0.4}},
        {"bounds": {"c": (0.4, 0.4)}},
        {"bounds": ([-9, -9, 0.4], [9, 9, 0.4]), "p0": [1, 1, 1]},
    ],
    ids=stable,
)
def test_a_parameter_that_is_held_at_a_value(options: Any) -> None:
    popt, pcov = curve_fit(decay, T, Y, **options)
    expected = curve_fit(lambda t, a, b: decay(t, a, b, 0.4), T, Y)
    assert popt[2] == 0.4
    np.testing.assert_allclose(popt[:2], expected[0], rtol=1e-8)
    np.testing.assert_allclose(pcov[:2, :2], expected[1], rtol=1e-5)
    np.testing.assert_array_equal(pcov[2], 0.0)


@pytest.mark.parametrize("fixed", [["c"], (2,), {"c"}], ids=stable)
@pytest.mark.parametrize("method", [None, "lm"])
def test_a_parameter_that_stays_where_it_starts(fixed: Any, method: Any) -> None:
    popt, _ = curve_fit(decay, T, Y, [1, 1, 0.4], fixed=fixed, method=method)
    expected = curve_fit(decay, T, Y, fixed={"c": 0.4})
    np.testing.assert_array_equal(popt, expected[0])


def test_a_value_comes_before_the_start() -> None:
    popt, _ = curve_fit(decay, T, Y, [1, 1, 7], fixed={"c": 0.4}, bounds={"c": (0, 1)})
    assert popt[2] == 0.4


@pytest.mark.parametrize(
    "f", [lambda t, a, b, c: a * t + c, lambda t, a, b, c: (a + b) * t + c], ids=["unused", "sum"]
)
@pytest.mark.parametrize(
    "options", [{"bounds": {"c": (2, 3)}}, {"fixed": {"c": 0.5}}, {"bounds": (-9, 9)}], ids=stable
)
def test_parameters_that_are_not_determined_beside_held_ones(f: Any, options: Any) -> None:
    with pytest.warns(lmoo.OptimizeWarning):
        _, pcov = curve_fit(f, T, Y, **options)
    np.testing.assert_array_equal(pcov, np.full((3, 3), np.inf))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.sets(st.integers(0, 3), max_size=3), st.booleans())
def test_random_problems_with_held_parameters(seed: int, held: set[int], absolute: bool) -> None:
    random = np.random.default_rng(seed)
    A, y = random.normal(size=(12, 4)), random.normal(size=12)
    assume(np.linalg.cond(A) < 1e2)
    values = random.normal(size=4)
    free = [j for j in range(4) if j not in held]
    popt, pcov = curve_fit(
        lambda t, *p: t @ p,
        A,
        y,
        np.ones(4),
        sigma=1.0,
        absolute_sigma=absolute,
        fixed={j: values[j] for j in held},
    )
    rest = y - A[:, sorted(held)] @ values[sorted(held)]
    x, *_ = np.linalg.lstsq(A[:, free], rest, rcond=None)
    expected = np.zeros((4, 4))
    inverse = np.linalg.inv(A[:, free].T @ A[:, free])
    variance = float(np.sum((A[:, free] @ x - rest) ** 2)) / (12 - len(free))
    expected[np.ix_(free, free)] = inverse * (1.0 if absolute else variance)
    np.testing.assert_allclose(popt[free], x, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(pcov, expected, rtol=1e-5, atol=1e-9)


def test_bounded_fits_have_scipys_cost() -> None:
    for bounds in (([0, 0, 0.6], [2.6, 3, 1]), (0, [3, 1, 1]), ([2.6, 0, 0], 5)):
        ours, _ = curve_fit(decay, T, Y, bounds=bounds)
        theirs, _ = scipy.optimize.curve_fit(decay, T, Y, bounds=bounds)
        costs = [float(np.sum((decay(T, *p) - Y) ** 2)) for p in (ours, theirs)]
        assert costs[0] <= costs[1] * (1 + 1e-8)
