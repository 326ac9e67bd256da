"""Functions of scipy.special in traced models: values, and derivatives against mpmath."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lmoo
from lmoo.models.compiled import GraphModel
from lmoo.models.graph.scipyfunctions import VALUES

mpmath = pytest.importorskip("mpmath")
special = pytest.importorskip("scipy.special")

POSITIVE = np.geomspace(1e-3, 40.0, 25)
REAL = np.concatenate([-POSITIVE[::-1], POSITIVE])
INSIDE = np.linspace(-0.98, 0.98, 25)
SHARES = np.linspace(1e-6, 1 - 1e-6, 25)

# Of one argument: the places, and the function of mpmath.
ONE: dict[str, tuple[Any, Callable[[Any], Any]]] = {
    "lambertw": (
        np.concatenate([-0.3678 + POSITIVE[:5], POSITIVE, 1e3 * POSITIVE]),
        lambda x: mpmath.lambertw(x).real,
    ),
    "exp1": (POSITIVE, mpmath.e1),
    "expi": (np.concatenate([-POSITIVE, POSITIVE]), mpmath.ei),
    "k0": (POSITIVE, lambda x: mpmath.besselk(0, x)),
    "k1": (POSITIVE, lambda x: mpmath.besselk(1, x)),
    "k0e": (POSITIVE, lambda x: mpmath.exp(x) * mpmath.besselk(0, x)),
    "k1e": (POSITIVE, lambda x: mpmath.exp(x) * mpmath.besselk(1, x)),
    "i0e": (REAL, lambda x: mpmath.exp(-abs(x)) * mpmath.besseli(0, x)),
    "i1e": (REAL, lambda x: mpmath.exp(-abs(x)) * mpmath.besseli(1, x)),
    "ellipk": (np.concatenate([-POSITIVE, INSIDE, [0.0]]), mpmath.ellipk),
    "ellipe": (np.concatenate([-POSITIVE, INSIDE, [0.0]]), mpmath.ellipe),
    "ndtri": (SHARES, lambda p: mpmath.sqrt(2) * mpmath.erfinv(2 * p - 1)),
    "erfinv": (INSIDE, mpmath.erfinv),
    "spence": (POSITIVE, lambda x: mpmath.polylog(2, 1 - x).real),
    "dawsn": (REAL, lambda x: mpmath.sqrt(mpmath.pi) / 2 * mpmath.exp(-x * x) * mpmath.erfi(x)),
    "erfcinv": (2 * SHARES, lambda y: mpmath.erfinv(1 - y)),
    "log_ndtr": (REAL, lambda x: mpmath.log(mpmath.erfc(-x / mpmath.sqrt(2)) / 2)),
    "erfi": (INSIDE, mpmath.erfi),
    "y0": (POSITIVE, lambda x: mpmath.bessely(0, x)),
    "y1": (POSITIVE, lambda x: mpmath.bessely(1, x)),
}
ORDERS = [0.3, 1.0, 2.5, 7.0, 40.0]
TWO: dict[str, Callable[[Any, Any], Any]] = {
    "gammainc": lambda a, x: mpmath.gammainc(a, 0, x, regularized=True),
    "gammaincc": lambda a, x: mpmath.gammainc(a, x, mpmath.inf, regularized=True),
    "jv": mpmath.besselj,
    "yv": mpmath.bessely,
    "iv": mpmath.besseli,
    "kv": mpmath.besselk,
    "beta": mpmath.beta,
    "binom": lambda n, k: mpmath.binomial(n, k),
}


def function(name: str) -> Any:
    found = getattr(special, name)
    return (lambda x: found(x).real) if name == "lambertw" else found


def close(found: Any, expected: Any, tolerance: float) -> None:
    expected = np.array([float(value) for value in expected])
    error = np.abs(found - expected) / (np.abs(expected) + 1e-20)
    assert np.nanmax(error) < tolerance, (np.argmax(error), np.nanmax(error))


@pytest.mark.parametrize("name", ONE)
def test_functions_of_one_argument(name: str) -> None:
    places, exact = ONE[name]
    f = function(name)
    model = GraphModel(lmoo.trace(lambda t, a: f(a * t)))
    np.testing.assert_allclose(model(places, 1.0), f(places), rtol=2e-13, atol=1e-300)
    with mpmath.workdps(40):
        slopes = [mpmath.diff(exact, mpmath.mpf(x), h=mpmath.mpf(10) ** -12) for x in places]
    found = model._evaluate(places[None, None], np.ones((1, 1)), True)[0, 0]
    used = places != 0.0
    close(found[used] / places[used], np.array(slopes)[used], 3e-12)


@pytest.mark.parametrize("name", TWO)
def test_functions_of_two_arguments(name: str) -> None:
    exact, f = TWO[name], getattr(special, name)
    model = GraphModel(lmoo.trace(lambda t, a, b: f(a, b * t)))
    small = POSITIVE[8:]  # from 0.03 on
    for order in ORDERS:
        if name == "binom":
            small = np.linspace(0.1, 0.9, 9) * order
        x = np.array([order, 1.0])
        value = f(order, small)
        np.testing.assert_allclose(model(small, *x), value, rtol=1e-11, atol=1e-300)
        found = model._evaluate(small[None, None], x[None], True)[0]
        with mpmath.workdps(40):
            step = mpmath.mpf(10) ** -12
            by_order = [mpmath.diff(lambda a, u=u: exact(a, u), order, h=step) for u in small]
            slopes = [
                mpmath.diff(lambda u, a=order: exact(a, u), mpmath.mpf(u), h=step) for u in small
            ]
        # Derivatives have zeros: relative to the larger of value and derivative.
        for ours, theirs in ((found[0], by_order), (found[1] / small, slopes)):
            exactly = np.array([float(value) for value in theirs])
            finite = np.isfinite(ours) & np.isfinite(exactly)
            assert finite.mean() > 0.6
            size = np.maximum(np.abs(exactly), np.abs(value))[finite]
            assert (np.abs(ours - exactly)[finite] <= 1e-10 * size + 1e-290).all(), (order, name)


def test_values_in_numpy_are_those_of_scipy() -> None:
    for name, value in VALUES.items():
        arguments = (1.5, 0.4) if name in TWO else (0.4,)
        expected = getattr(special, name)(*arguments)
        assert value(*arguments) == pytest.approx(expected.real, rel=1e-15)
    assert np.isnan(VALUES["lambertw"](-1.0))


@pytest.mark.parametrize("n", [0, 1, 2, 5])
@pytest.mark.parametrize(
    "name",
    ["legendre", "chebyt", "chebyu", "hermite", "hermitenorm", "laguerre"],
)
def test_polynomials(name: str, n: int) -> None:
    f = getattr(special, f"eval_{name}")
    model = lmoo.trace(lambda t, a: f(n, a * t))
    np.testing.assert_allclose(model(INSIDE, 1.3), f(n, 1.3 * INSIDE), rtol=1e-13, atol=1e-13)
    general = lmoo.trace(lambda t, a, b: special.eval_genlaguerre(n, b, a * t))
    expected = special.eval_genlaguerre(n, 0.5, 1.3 * INSIDE)
    np.testing.assert_allclose(general(INSIDE, 1.3, 0.5), expected, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("name", ["spherical_jn", "spherical_yn", "spherical_in"])
def test_spherical_bessel_functions(name: str) -> None:
    f = getattr(special, name)
    model = lmoo.trace(lambda t, a: f(1, a * t) + f(0, t))
    for x in (POSITIVE, np.concatenate([-POSITIVE, [0.0]])):
        np.testing.assert_allclose(model(x, 1.3), f(1, 1.3 * x) + f(0, x), 1e-12)


def test_integrals_of_fresnel() -> None:
    model = GraphModel(lmoo.trace(lambda t, a: special.fresnel(a * t)[0]))
    x = np.concatenate([REAL / 4, [0.0]])
    np.testing.assert_allclose(model(x, 1.0), special.fresnel(x)[0], atol=2e-15)
    slopes = model._evaluate(x[None, None], np.ones((1, 1)), True)[0, 0]
    np.testing.assert_allclose(slopes, x * np.sin(np.pi / 2 * x**2), atol=1e-12)


def test_what_is_refused() -> None:
    for f, said in {
        lambda t, a: special.lambertw(a * t, -1).real: "another branch than 0",
        lambda t, a: special.lambertw(1j * a * t).real: "of complex numbers",
        lambda t, a: special.eval_legendre(a, t): "fixed degrees",
        lambda t, a: special.eval_legendre(200, a * t): "fixed degrees",
        lambda t, a: special.zeta(a * t): "is not a function that models support",
        lambda t, a: special.spherical_jn(1, a * t, True): "a derivative of a spherical",
    }.items():
        with pytest.raises(lmoo.TraceError, match=said):
            lmoo.trace(f)


def test_fits_run_compiled_also_in_another_process() -> None:
    t = np.linspace(0.1, 5.0, 30)
    y = 2.0 * special.gammainc(1.7, t / 0.8)
    problem = lmoo.CurveProblem(lambda t, a, k, b: a * special.gammainc(k, t / b), t, y)
    result = lmoo.Solver().solve(problem, [1.5, 1.2, 1.0])
    assert result.evaluation == "compiled from <lambda>"
    np.testing.assert_allclose(result.x, [2.0, 1.7, 0.8], rtol=1e-8)
    model = GraphModel(lmoo.trace(lambda t, a: a * special.kv(0.5, t)))
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again(t, 1.0), model(t, 1.0))
