"""The values of the losses, their derivatives, and the costs of residuals."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from case_tables import each
from loss_cases import IN_SCIPY, NAMES, cost_of
from scipy import integrate, stats
from scipy.optimize._lsq.least_squares import IMPLEMENTED_LOSSES

import lmoo
from lmoo._core.evaluate import LossKernel

RNG = np.random.default_rng(20)


@pytest.mark.parametrize("name", IN_SCIPY)
def test_values_are_scipys(name: str) -> None:
    z = np.concatenate([[0.0, 1.0], np.logspace(-12, 12, 97)])
    expected = np.empty((3, z.size))
    IMPLEMENTED_LOSSES[name](z, expected, False)
    # scipy's 2 (sqrt(1 + z) - 1) cancels where z is small.
    np.testing.assert_allclose(getattr(lmoo.losses, name)(z), expected, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("name", ["linear", *NAMES])
def test_derivatives_are_those_of_rho(name: str) -> None:
    loss = getattr(lmoo.losses, name)
    z = np.array([0.01, 0.3, 0.9, 1.2, 3.0, 50.0])
    h = 1e-5 * z
    above, below = loss(z + h), loss(z - h)
    _, slope, second = loss(z)
    np.testing.assert_allclose((above[0] - below[0]) / (2 * h), slope, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose((above[1] - below[1]) / (2 * h), second, rtol=1e-8, atol=1e-9)


def test_tukey_is_constant_beyond_its_scale() -> None:
    rho, slope, second = lmoo.losses.tukey([0.0, 0.25, 1.0, 9.0])
    np.testing.assert_allclose(rho, [0.0, (1 - 0.75**3) / 3, 1 / 3, 1 / 3], rtol=1e-15)
    np.testing.assert_allclose(slope, [1.0, 0.75**2, 0.0, 0.0])
    np.testing.assert_allclose(second, [-2.0, -1.5, 0.0, 0.0])


@pytest.mark.parametrize("name", NAMES)
def test_tuning_gives_95_percent_efficiency(name: str) -> None:
    loss = getattr(lmoo.losses, name)
    c = loss.tuning

    def mean(what: Callable[[float], float]) -> float:
        return float(integrate.quad(what, -12, 12, points=[-c, c], limit=400)[0])

    def psi(u: float) -> float:
        return float(loss([(u / c) ** 2])[1, 0] * u)

    def slope(u: float) -> float:
        z = (u / c) ** 2
        _, first, second = loss([z])[:, 0]
        return float(first + 2 * z * second)

    square = mean(lambda u: psi(u) ** 2 * stats.norm.pdf(u))
    efficiency = mean(lambda u: slope(u) * stats.norm.pdf(u)) ** 2 / square
    assert efficiency == pytest.approx(0.95, abs=1e-7)


@pytest.mark.parametrize("name", NAMES)
def test_scaled_rows_have_the_gradient_of_the_cost(name: str) -> None:
    f = np.array([1e-9, -0.02, 0.3, -1.0, 40.0, 1e5])
    kernel = LossKernel(name, 0.5, 0.0, None)
    root, model = kernel.rows(f)
    np.testing.assert_allclose(root * model, kernel.weights(f) * f, rtol=1e-13)
    assert kernel.norm(f) ** 2 / 2 == pytest.approx(cost_of(name, 0.5, f), rel=1e-13)


@each("m", [1, 3, 7, 8, 9, 20, 65])
@pytest.mark.parametrize("name", NAMES)
def test_a_point_does_not_depend_on_those_beside_it(name: str, m: int) -> None:
    f = 3.0 * RNG.standard_normal(m)
    kernel = LossKernel(name, 0.5, 0.0, None)
    alone = [kernel.rows(f[i : i + 1]) for i in range(m)]
    for found, expected in zip(kernel.rows(f), zip(*alone, strict=True), strict=True):
        np.testing.assert_array_equal(found, np.concatenate(expected))
    weights = np.concatenate([kernel.weights(f[i : i + 1]) for i in range(m)])
    np.testing.assert_array_equal(kernel.weights(f), weights)
    assert kernel.norm(f) ** 2 / 2 == pytest.approx(cost_of(name, 0.5, f), rel=1e-13)
    for i in range(m):
        bad = np.where(np.arange(m) == i, np.inf, f)
        assert np.isnan(kernel.norm(bad))


@pytest.mark.parametrize("name", NAMES)
def test_tiny_residuals_cost_what_their_squares_do(name: str) -> None:
    f = 1e-9 * RNG.standard_normal(50)
    assert LossKernel(name, 1.0, 0.0, None).norm(f) == pytest.approx(np.linalg.norm(f), rel=1e-14)


@pytest.mark.parametrize("name", NAMES)
@each("spread", [0.1, 3.0, 40.0])
def test_costs_of_residuals_of_every_size(name: str, spread: float) -> None:
    """Sums of logarithms and arctangents are taken of products."""
    for m in (1, 2, 3, 4, 5, 63, 400, 5000):
        f = np.exp(spread * RNG.standard_normal(m))
        expected = 2.0 * cost_of(name, 1.0, np.minimum(f, 1e70))
        assert LossKernel(name, 1.0, 0.0, None).norm(f) ** 2 == pytest.approx(expected, rel=1e-12)


def test_not_finite_residuals_have_no_cost() -> None:
    for bad in (np.nan, np.inf):
        # Of these the bounded losses would hide an infinity.
        for name in NAMES:
            assert np.isnan(LossKernel(name, 1.0, 0.0, None).norm([1.0, bad]))


@pytest.mark.parametrize("name", ["linear", *NAMES])
def test_sums_for_standard_errors(name: str) -> None:
    """Whole vectors and what is left of them; residuals whose squares over- or underflow."""
    loss = getattr(lmoo.losses, name) if name != "linear" else lambda z: (z, z * 0 + 1, z * 0)
    for m in (1, 7, 8, 9, 63, 64, 65, 200, 1003):
        f, scale = RNG.standard_normal(m) * 10.0 ** RNG.uniform(-2, 1, m), 0.3
        z = (f / scale) ** 2
        _, slope, second = loss(z)
        h = slope + 2 * z * second
        psi = np.linalg.norm(slope * f)
        expected = [psi, h.sum(), (h * h).sum(), np.maximum(h, 0.05 * slope).sum()]
        found = LossKernel(name, scale, 0.0, None).sums(f)
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-13 * m)
        for size in (1e-200, 1e200):
            other = LossKernel(name, scale * size, 0.0, None).sums(f * size)
            np.testing.assert_allclose(other, [found[0] * size, *found[1:]], rtol=1e-12, atol=1e-12)
    tiny = LossKernel(name, 1.0, 0.0, None).sums(np.full(20, 1e-200))
    np.testing.assert_allclose(tiny, [1e-200 * np.sqrt(20), 20, 20, 20], rtol=1e-14)
