"""Functions that can be traced: their models compute the same values."""

from __future__ import annotations

import functools
import math
import pickle
from typing import Any

import numpy as np
import pytest
import scipy.special
from numpy import sqrt
from scipy.special import erf, voigt_profile, wofz
from trace_cases import SCALE, T, default, name_of

import lmoo
from lmoo.models import Model

WEIGHTS, TABLE = [1.0, 2.0], np.array([0.5, 1.5])


def made(rate):
    return lambda t, a: a * np.exp(-rate * t)


def branches_of_constants(t, a, b, kind="exp"):
    if kind == "exp":
        return a * np.exp(-b * t)
    return a * t + b


def by_masks(t, a, b):
    y = np.zeros_like(t)
    early = t < 1.0
    y[early] = a * t[early]
    y[~early] = a + b * (t[~early] - 1.0)
    y[early & (t > 0.5)] += b
    return y


def by_pieces(t, a, b):
    return np.piecewise(t, [t < 1.0, t >= 2.0], [lambda u: a * u, b, lambda u: a + b * u])


def by_pieces_that_overlap(t, a, b):
    return np.piecewise(t, [t < 2.0, t < 1.0], [a, lambda u: b * u])


def by_select(t, a, b):
    return np.select([t < 1.0, t < 2.0], [a * t, b], default=a - b)


def in_place(t, a, b):
    y = a * t
    z = y
    y += b
    y *= 2.0
    y -= t
    y /= 3.0
    y **= 2
    return y + z


def resonance(w, a, q, w0):
    z = a / (1.0 - (w / w0) ** 2 + 1j * w / (w0 * q))
    return np.abs(z) + z.real + np.imag(z) + np.angle(z) + (z * z.conj()).real


def complex_functions(t, a, b):
    z = a * t + 1j * b
    parts = [np.exp(z), np.log(z), np.sqrt(z), np.sin(z), np.cos(z), np.tanh(z), np.tan(z)]
    parts += [np.sinh(z), np.cosh(z), z**3, z**-2, z**0.5, 1 / z, z / (1 + z), np.square(z)]
    return sum(p.real * (k + 1) + p.imag for k, p in enumerate(parts))


def voigt(t, a, center, sigma, gamma):
    z = (t - center + 1j * gamma) / (sigma * sqrt(2))
    return a * wofz(z).real + voigt_profile(t - center, sigma, gamma) + wofz(z).imag


def specials(t, a, b):
    s = scipy.special
    return (
        erf(a * t) + s.erfc(b * t) + s.gamma(a + t) + s.gammaln(b + t) + s.j0(a * t) + s.j1(b * t)
        + s.expit(a - t) + s.i0(a * t) + s.i1(t) + s.psi(a + t) + s.erfcx(b * t) + s.ndtr(t - a)
        + s.expm1(-t * b) + s.exp10(b * t)
    )  # fmt: skip


def ufuncs(t, a, b):
    return (
        np.hypot(a, t) + np.arctan2(t, a) + np.maximum(a * t, b) + np.fmin(t, b) + np.clip(t, b, a)
        + np.sign(t - b) + np.floor(a * t) + np.mod(t, b) + t % b + t // b
        + np.heaviside(t - 1, 0.5)
        + np.logaddexp(a * t, b) + np.deg2rad(t) + np.sinc(t * b) + np.cbrt(t) + np.log1p(t * a)
        + np.square(t) + np.reciprocal(t) + np.power(t, b) + np.float_power(t, 2) + np.abs(t - a)
        + np.fabs(t - b) + np.copysign(a, t - 1) + np.where((t > 1) & (t < 2) | (t == 3), a, b)
        + np.where(np.isfinite(t) & ~np.isnan(t), 1, 0) + np.i0(t) + abs(b - t) + (t > 1) * a
        + np.logical_or(t < 1, t > 2) + (1 - (t < a)) + t.clip(0.5, 2) + np.rint(a * t) + round(b)
    )  # fmt: skip


def other_functions(t, a, b):
    s = scipy.special
    with np.errstate(all="ignore"):
        finite = np.nan_to_num(a * np.log(t - T[2]), nan=0.5, neginf=-2.0)
        x = np.expm1(b * (t - T[1]))
        slope = s.exprel(b * (t - T[1])) - np.nan_to_num(1 / x, posinf=0.0)
    return (
        finite + slope + np.isclose(t, T[3]) * a + np.trunc(t - 1)
        + divmod(t, b)[1] + np.divmod(-t, 0.7)[0] * a
        + np.logaddexp2(a * t, b) + np.where(np.signbit(t - b), a, b)
        + s.xlogy(t - T[4], a * abs(t - T[4])) + s.xlog1py(t - T[4], -abs(t - T[4]) / 9 * b)
        + divmod(2.5, t)[0] * b
    )  # fmt: skip


def with_numbers(t, a, b):
    points, p = np.asarray(t, dtype=float), np.array([a, b], dtype=np.float64)
    moved = np.array(t, dtype=float, copy=True)
    moved *= float(b)
    power = math.pow(b, 1.5) + math.log(a * 9.0, 2) + math.log(b) + math.atan2(a, b)
    special = math.gamma(a) + math.lgamma(b) + math.erf(a) + math.hypot(a, b) + math.exp(-b)
    return root(a) * np.exp(-points * p[1]) + p[0] * moved + power + special + math.pi * t


def root(x):
    return math.sqrt(x) + math.floor(2.5)


def with_lists(t, a, b, c):
    total = []
    for factor, shift in zip([a, b, c], [*WEIGHTS, 0.5], strict=True):
        total.append(factor * np.exp(-((t - shift) ** 2)))
    powers = np.array([a, b, c])
    return sum(total) + powers[::-1][0] + powers.sum() + np.dot(powers, [1, 2, 3]) + powers.prod()


def with_tables(t, a, b):
    return np.polyval([a, b, 1.0], t) + TABLE[1] * a + (TABLE * b)[0] + sum(TABLE * a)


def with_shapes(t, a, b):
    y = np.full_like(np.asarray(t), a) + b * np.ones_like(t) + np.zeros_like(t)
    return np.ravel(y).astype(float) + t.copy() + np.atleast_1d(t) + t[:] * b + t.T


def with_silence(t, a, b):
    with np.errstate(all="ignore"):
        return np.log(a * t) * b


def with_helpers(t, a, b):
    def inner(u, k=2.0):
        return k * default(u, a, b)

    return inner(t) + (lambda u: u * b)(t) + helper(t)


def helper(t):
    return np.sqrt(t) / math.sqrt(SCALE) + math.pi


def two_variables(point, a, b):
    u, v = point
    return a * u + b * v * point[0] + len(point)


class Instrument:
    def __init__(self, width):
        self.width = width

    def response(self, t, a):
        return a * np.exp(-t / self.width) + self.offset(t)

    def offset(self, t):
        return 0.1 * t

    @property
    def twice(self):
        return 2 * self.width

    def with_property(self, t, a):
        return a * t * self.twice

    def __call__(self, t, a):
        return self.response(t, a) * 2


def decorated(function):
    @functools.wraps(function)
    def wrapper(t, *p):
        return 2.0 * function(t, *p)

    return wrapper


FOLLOWED = [
    default, branches_of_constants, by_masks, by_pieces, by_pieces_that_overlap, by_select,
    in_place, resonance, complex_functions, voigt, specials, ufuncs, other_functions, with_numbers,
    with_lists, with_tables, with_shapes, with_silence, with_helpers,
    Instrument(2.0).response, Instrument(2.0).with_property,
    Instrument(3.0), decorated(default), made(0.7),
    functools.partial(branches_of_constants, kind=""), functools.partial(default, b=2.0),
]  # fmt: skip


def start(f: Any, n: int) -> tuple[float, ...]:
    return (1.3, 0.8, 0.6, 0.4)[:n]


@pytest.mark.parametrize("f", FOLLOWED, ids=name_of)
def test_a_model_computes_what_its_function_does(f: Any) -> None:
    if f is branches_of_constants or getattr(f, "keywords", {}).get("kind") == "":
        model = lmoo.trace(f, 2)
    else:
        model = lmoo.trace(f)
    x = start(f, len(model.parameter_names))
    expected = f(T.copy(), *[np.float64(p) for p in x])
    np.testing.assert_allclose(model(T, *x), np.broadcast_to(expected, T.shape), rtol=3e-12)
    assert pickle.loads(pickle.dumps(model)) == model
    # Derivatives, by differences with a step of Richardson's; not at corners.
    J = model.jacobian(T, *x)
    for j, h in enumerate(1e-4 * np.eye(len(x))):
        d = [(model(T, *(x + s * h)) - model(T, *(x - s * h))) / (2e-4 * s) for s in (1, 2)]
        expected = (4 * d[0] - d[1]) / 3
        ok = np.abs(d[0] - d[1]) < 1e-3 * (1 + np.abs(d[0]))
        assert ok.sum() >= 9
        np.testing.assert_allclose(J[ok, j], expected[ok], rtol=1e-6, atol=1e-6)


def test_several_variables() -> None:
    model = lmoo.trace(two_variables, variables=2)
    assert model.variables == ("point0", "point1")
    np.testing.assert_allclose(model((T, T**2), 2.0, 3.0), two_variables((T, T**2), 2.0, 3.0))
    assert lmoo.trace(two_variables, variables=("u", "v")).variables == ("u", "v")


def test_complex_models_are_pairs() -> None:
    def impedance(w, r, c, s):
        return r / (1 + 1j * w * r * c) + s * np.tanh(np.sqrt(1j * w)) / np.sqrt(1j * w)

    model = lmoo.trace(impedance)
    np.testing.assert_allclose(model(T, 2.0, 0.5, 0.3), impedance(T, 2.0, 0.5, 0.3), rtol=1e-13)
    assert isinstance(model.real, Model)
    assert model.jacobian(T, 2.0, 0.5, 0.3).shape == (T.size, 3)
    assert lmoo.trace(impedance, prefix="z_").parameter_names == ("z_r", "z_c", "z_s")
    assert model == lmoo.trace(impedance)
    assert len({model, lmoo.trace(impedance)}) == 1
    assert "tanh" not in repr(model)
    far = np.array([1e6, 1e-3])
    np.testing.assert_allclose(model(far, 2.0, 0.5, 0.3), impedance(far, 2.0, 0.5, 0.3), rtol=1e-12)


def test_names() -> None:
    model = lmoo.trace(default)
    assert (model.parameter_names, model.variables) == (("a", "b"), ("t",))
    assert lmoo.trace(default, 1).parameter_names == ("a",)
    assert lmoo.trace(lambda t, *p: p[0] * t + p[1], 2).parameter_names == ("x0", "x1")
    assert lmoo.trace(default, ("u", "v"), "x").variables == ("x",)
    assert lmoo.trace(Instrument(2.0).response).variables == ("t",)
    assert lmoo.trace(lambda a, t: a * t).parameter_names == ("t",)
    assert lmoo.trace(default, prefix="p_").parameter_names == ("p_a", "p_b")
    assert list(lmoo.trace(default, prefix="p_").components) == ["p"]
    assert list((lmoo.trace(default) + 1.0).components) == ["default", "1"]
    for arguments, match in {
        ((lambda t, *p: t,), "parameters must be given, their number or their names"),
        ((default, ("a", "a")), "parameters must differ from each other"),
        ((default, ("2",)), "parameters must be names; one is '2'"),
        ((default, -1), "parameters must be at least 0; it is -1"),
        ((default, None, 0), "variables must be at least 1; it is 0"),
        ((default, None, "a"), "'a' cannot be both a variable and a parameter"),
    }:
        with pytest.raises(ValueError, match=match):
            lmoo.trace(*arguments)
    with pytest.raises(TypeError, match="f must be callable; it is 3"):
        lmoo.trace(3)


def test_functions_of_lmoo_are_recorded() -> None:
    model = lmoo.trace(lambda t, a: a * lmoo.models.exp(-t) + lmoo.models.hypot(a, t))
    assert str(model) == "a*exp(-t) + hypot(a, t)"
