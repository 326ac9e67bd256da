"""Elementary functions of programs, to two units in the last place, and the Faddeeva function."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
import scipy.special
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

from elementary import BY_MPMATH, RANGES, by_mpmath, faddeeva, function, ulp_samples, ulps

Array = NDArray[Any]

# Those that the C library evaluates may be worse; these are lmoo's own.
OURS = [
    "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "arctan", "tanh",
    "sqrt", "cbrt",
]  # fmt: skip
LARGEST = {
    "erfcx": 8.0,
    "gamma": 8.0,
    "i0": 12.0,
    "i1": 12.0,
    "gammaln": 4.0,
    "digamma": 4.0,
    "trigamma": 4.0,
}
LONG = pytest.mark.skipif(
    np.finfo(np.longdouble).eps > 1e-18, reason="long doubles are no longer than doubles"
)


@LONG
@pytest.mark.parametrize("name", OURS)
def test_two_units_in_the_last_place(name: str) -> None:
    rng = np.random.default_rng(3)
    for low, high in RANGES[name]:
        x = ulp_samples(low, high, 20000, rng)
        exact = getattr(np, name)(x.astype(np.longdouble))
        assert ulps(function(name)(x), exact).max() <= 2.0


@LONG
def test_power_over_its_full_range() -> None:
    rng = np.random.default_rng(3)
    base = np.exp2(rng.uniform(-1022, 1023, 40000))
    base[::2] = rng.uniform(0.9, 1.1, 20000)
    exponent = rng.uniform(-1074, 1023, 40000) / np.log2(base)
    exact = np.power(base.astype(np.longdouble), exponent.astype(np.longdouble))
    assert ulps(function("power", 2)(base, exponent), exact).max() <= 2.0
    whole = np.round(rng.uniform(-9, 9, 500))
    x = rng.uniform(-3, 3, 500)
    np.testing.assert_allclose(function("power", 2)(x, whole), np.power(x, whole), rtol=4e-16)


@pytest.mark.parametrize("name", sorted(BY_MPMATH))
def test_special_functions_against_mpmath(name: str) -> None:
    rng = np.random.default_rng(4)
    for low, high in BY_MPMATH[name]:
        x = ulp_samples(low, high, 120, rng)
        assert ulps(function(name)(x), by_mpmath(name, x)).max() <= LARGEST.get(name, 2.0)


def test_results_below_the_normal_numbers() -> None:
    x = np.linspace(-745.2, -708.0, 500)
    exact = np.array([float(mpmath.exp(mpmath.mpf(v))) for v in x])
    assert np.abs(function("exp")(x) - exact).max() <= 2 * 5e-324
    small = 5e-324 * np.arange(1.0, 2000.0, 37.0)
    for name in ("sin", "tan", "arctan", "tanh", "expm1", "log1p"):
        np.testing.assert_array_equal(function(name)(small), small)
    exact = np.array([float(mpmath.log(mpmath.mpf(v))) for v in small])
    np.testing.assert_allclose(function("log")(small), exact, rtol=3e-16)


def test_arguments_next_to_multiples_of_half_pi() -> None:
    # The doubles nearest to them: all but their last digits cancel.
    x = np.array([k * np.pi / 2 for k in [*range(1, 3000), 600000, 667543]])
    for name in ("sin", "cos", "tan"):
        with mpmath.workdps(400):
            values = [getattr(mpmath, name)(mpmath.mpf(float(v))) for v in x]
            exact = np.array([float(v) for v in values])
        np.testing.assert_allclose(function(name)(x), exact, rtol=4.5e-16)


def places(count: int, seed: int) -> tuple[Array, Array]:
    """Return points all over the upper half-plane, many of them close to its axes."""
    rng = np.random.default_rng(seed)
    size, angle = 10.0 ** rng.uniform(-5, 5, count), rng.uniform(0, np.pi, count)
    angle[::3] = 10.0 ** rng.uniform(-20, 0, len(angle[::3]))
    angle[1::6] = np.pi / 2 + rng.choice([-1, 1], len(angle[1::6])) * 10.0 ** rng.uniform(
        -16, 0, len(angle[1::6])
    )
    size[::2] = rng.uniform(0, 12, len(size[::2]))
    return size * np.cos(angle), np.abs(size * np.sin(angle))


def test_both_parts_of_the_faddeeva_function() -> None:
    x, y = places(400, 5)
    x = np.concatenate([x, np.linspace(0.1, 26.0, 60), np.linspace(5.9, 7.2, 40), np.zeros(20)])
    y = np.concatenate([y, np.zeros(60), np.full(40, 1e-7), np.geomspace(1e-8, 1e6, 20)])
    exact = [
        faddeeva(mpmath.mpf(float(a)), mpmath.mpf(float(b))) for a, b in zip(x, y, strict=True)
    ]
    real, imaginary = function("wofz_real", 2)(x, y), function("wofz_imag", 2)(x, y)
    for found, values in ((real, [w.real for w in exact]), (imaginary, [w.imag for w in exact])):
        expected = np.array([float(v) for v in values])
        usual = np.abs(expected) > 2.3e-308
        np.testing.assert_allclose(found[usual], expected[usual], rtol=1e-13)
        assert usual.mean() > 0.95
    both = scipy.special.wofz(x + 1j * y)
    np.testing.assert_allclose(real + 1j * imaginary, both, rtol=1e-12)


def test_the_faddeeva_function_below_the_axis() -> None:
    x, y = places(300, 6)
    near = np.hypot(x, y) < 20
    x, y = x[near], -y[near]
    found = function("wofz_real", 2)(x, y) + 1j * function("wofz_imag", 2)(x, y)
    exact = np.array(
        [
            complex(faddeeva(mpmath.mpf(float(a)), mpmath.mpf(float(b))))
            for a, b in zip(x, y, strict=True)
        ]
    )
    np.testing.assert_allclose(np.abs(found - exact) / np.abs(exact), 0.0, atol=1e-13)


def test_the_faddeeva_function_far_out() -> None:
    real, imaginary = function("wofz_real", 2), function("wofz_imag", 2)
    for size in (1e60, 1e100, 1e150, 1e200, 1e300):
        np.testing.assert_allclose(imaginary([size], [0.0]), 1 / size / np.sqrt(np.pi), rtol=1e-14)
        np.testing.assert_allclose(real([0.0], [size]), 1 / size / np.sqrt(np.pi), rtol=1e-14)
        np.testing.assert_allclose(real([size], [size]), 0.5 / size / np.sqrt(np.pi), rtol=1e-14)
    assert real([np.inf], [1.0]) == imaginary([np.inf], [1.0]) == real([1.0], [np.inf]) == 0.0
    assert np.isnan(real([np.nan], [1.0])).all()
    assert np.isnan(imaginary([1.0], [np.nan])).all()


def test_points_know_nothing_of_their_neighbours() -> None:
    rng = np.random.default_rng(8)
    x, y = np.exp2(rng.uniform(-300, 300, (2, 2000))) * rng.choice([-1.0, 1.0], (2, 2000))
    x[::3], y[::4] = rng.uniform(-9, 9, len(x[::3])), rng.uniform(-9, 9, len(y[::4]))
    for name in ("wofz_real", "wofz_imag", "power"):
        call = function(name, 2)
        together = call(x, y)
        alone = np.array([call([a], [b])[0] for a, b in zip(x, y, strict=True)])
        np.testing.assert_array_equal(together, alone)
        above = y > 0
        if name != "power":
            expected = scipy.special.wofz(x + 1j * y)[above]
            expected = expected.real if name == "wofz_real" else expected.imag
            usual = np.abs(expected) > 1e-290
            np.testing.assert_allclose(together[above][usual], expected[usual], rtol=1e-12)
